"""Few files may be open at once."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE

import pytest

from tests.cli.conftest import Shell
from tests.cli.terminal import PATIENCE_S, forked
from tui_orchestrator.cli.files import NEEDED
from tui_orchestrator.demo import Say


async def ended(shell: Shell, limit: str, *arguments: str) -> tuple[int | None, str, str]:
    command = [sys.executable, "-m", "tui_orchestrator", *shell.command(*arguments)[1:]]
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", f'ulimit {limit}; exec "$@"', "sh", *command),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        cwd=shell.directory,
        env=shell.environment,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize("command", [("ask", "hello"), ("demo",), ("sessions", "list")])
async def test_too_few_are_named_with_how_many_are_needed(shell: Shell, command: tuple[str, ...]) -> None:
    code, out, err = await ended(shell, "-n 16", *command)
    assert (code, out) == (1, "")
    assert err == f"only 16 files may be open at once, and {NEEDED} are needed; allow more: ulimit -n {NEEDED}\n"


@pytest.mark.parametrize(
    ("few", "no_more"), [(NEEDED, True), (16, False)], ids=["what is said to be needed is enough", "what may be had"]
)
async def test_an_answer_comes(shell: Shell, few: int, no_more: bool) -> None:
    shell.script.always(Say(text="ready"))
    limits = {"open_files": few, "no_more": no_more}
    process = await forked(shell, "ask", "-e", "8", "hello", **limits, stdout=PIPE, stderr=PIPE)
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert (process.returncode, out.decode().strip()) == (0, "ready"), err
