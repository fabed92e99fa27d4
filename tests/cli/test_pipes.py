"""Pipes and devices in place of files: what is read once takes the shell's `<(…)`, nothing else is waited for."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ..warm import Forked
from .conftest import Shell
from .terminal import PATIENCE_S, forked
from .test_processes import program

PROMPTS = r"""printf '{"prompt": "why?"}\n{"prompt": "hello"}\n'"""


async def bash(shell: Shell, line: str) -> tuple[int | None, str, str]:
    """`line` in a shell that knows process substitution; `it` is the program."""
    it = "it() { " + " ".join(program(shell)) + ' "$@"; }'
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", f"{it}; {line}"), stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=shell.environment
    )
    return await ended(process)


async def ended(process: Process | Forked) -> tuple[int | None, str, str]:
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return process.returncode, out.decode(), err.decode()


async def writer_of(pipe: Path) -> int:
    """Who has it open says nothing; from when somebody reads it on."""
    while True:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            await asyncio.sleep(0.01)


@contextmanager
def written(text: str) -> Iterator[str]:
    """The path that a shell gives for `<(…)`, with this in it."""
    reading, writing = os.pipe()
    assert os.write(writing, text.encode()) == len(text.encode())
    os.close(writing)
    try:
        yield f"/dev/fd/{reading}"
    finally:
        os.close(reading)


async def test_what_is_read_once_may_come_from_another_command(shell: Shell) -> None:
    code, out, err = await bash(shell, f"it route --jsonl <({PROMPTS})")
    assert (code, out.count("\n")) == (0, 2), err
    with written('{"prompt": "why?"}\n{"prompt": "hello"}\n') as prompts:
        ended = await shell.run("batch", prompts, "-m", "rush-pro", "-o", "out.jsonl")
        assert (ended.code, shell.read("out.jsonl").count("\n")) == (0, 2), ended.err
    with written("a small note\n") as note:
        ended = await shell.run("ask", "-m", "rush-pro", "what is it?", "--file", note)
        assert ended.code == 0, ended.err
    assert any("a small note" in str(exchange.body) for exchange in shell.servers.exchanges)
    id_ = (await shell.run("sessions", "list", "--json")).json[0]["id"]
    with written((await shell.run("sessions", "export", id_, "--format", "json")).out) as exported:
        ended = await shell.run("sessions", "import", exported)
    assert (ended.code, ended.out) == (0, f"{id_}\n"), ended.err
    assert "is here already" in ended.err


@pytest.mark.parametrize("arguments", ["config show", "config set ui.theme dark", "config init --force", "ask hello"])
async def test_settings_are_no_pipe(shell: Shell, arguments: str) -> None:
    os.mkfifo(shell.directory / "held")
    code, out, err = await ended(await forked(shell, "--config", "held", *arguments.split(), stdout=PIPE, stderr=PIPE))
    assert (code, out, err.count("\n")) == (code or -1, "", 1)
    assert "held" in err
    assert "no ordinary file" in err or "a pipe or a device" in err
    assert (shell.directory / "held").is_fifo()
    assert shell.asked == []


@pytest.mark.parametrize(
    "arguments",
    [
        "batch {} -o out.jsonl",
        "eval {}",
        "route --jsonl {}",
        "sessions import {}",
        "ask --file {} what",
        "--config {} models",
    ],
)
async def test_a_device_is_refused_wherever_a_file_is_named(shell: Shell, arguments: str) -> None:
    given = arguments.format("/dev/zero").split()
    code, out, err = await ended(await forked(shell, *given, stdout=PIPE, stderr=PIPE))
    assert (code or -1) > 0
    assert out == ""
    assert "/dev/zero" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("arguments", ["batch held -o out.jsonl", "eval held", "ask --file held what"])
async def test_ctrl_c_ends_the_wait_for_a_pipe_that_nobody_writes_to(shell: Shell, arguments: str) -> None:
    os.mkfifo(shell.directory / "held")
    process = await forked(shell, *arguments.split(), stdout=PIPE, stderr=PIPE)
    async with asyncio.timeout(PATIENCE_S):
        writer = await writer_of(shell.directory / "held")
    process.send_signal(signal.SIGINT)
    code, _, err = await ended(process)
    os.close(writer)
    assert (code, err.strip()) == (130, "Interrupted.")


async def test_a_pipe_that_has_more_than_any_model_reads_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_orchestrator.cli.manners.LONGEST_PROMPT", 2_000_000)
    ended = await shell.run("ask", "-", stdin=b"x" * 2_000_001)
    assert (ended.code, ended.err, shell.asked) == (
        2,
        "stdin holds more than 2 MB, which no model reads; pipe less\n",
        [],
    )
