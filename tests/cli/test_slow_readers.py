"""Whoever reads what is printed may stop reading: it holds up neither the turn nor its end."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import struct
import termios
import threading
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.cli.conftest import Shell
from tests.cli.terminal import PATIENCE_S, forked
from tests.warm import Forked
from tui_orchestrator.cli.outlet import Outlet
from tui_orchestrator.demo import Break, Phase, Say

ANSWER = " ".join(f"word{number}" for number in range(1_500))
PIPE_BYTES = 8_192


async def filled(pipe: int) -> None:
    """Nothing tells of it."""
    while struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0] < PIPE_BYTES // 2:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


@asynccontextmanager
async def unread(
    shell: Shell, *arguments: str, both: bool = False, **environment: str
) -> AsyncIterator[tuple[Forked, int]]:
    """With its stdout, or `both` streams, in a full pipe, which nobody reads so far."""
    shell.environment.update(environment)
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    process = await forked(shell, *arguments, stdout=writing, stderr=writing if both else PIPE)
    os.close(writing)
    try:
        await asyncio.wait_for(filled(reading), PATIENCE_S)
        yield process, reading
    finally:
        process.kill()
        os.close(reading)


async def answer(shell: Shell, *, whole: bool = True) -> dict[str, Any]:
    """That of the last conversation, as soon as it is stored as `whole`, or what had come of it is paid for."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            session = (await shell.run("sessions", "list", "--json")).json[0]["id"]
            messages = (await shell.run("sessions", "show", session, "--json")).json["messages"]
            if len(messages) > 1 and messages[-1]["attempts"] and (messages[-1]["state"] == "complete") is whole:
                return dict(messages[-1])


@pytest.mark.cells
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
@pytest.mark.parametrize("manner", [(), ("--events",)], ids=["text", "events"])
async def test_one_signal_ends_a_turn_that_nobody_reads(
    shell: Shell, manner: tuple[str, ...], number: signal.Signals
) -> None:
    shell.script.always(Say(ANSWER))
    async with unread(shell, "ask", "-m", "rush-pro", *manner, "count") as (process, _):
        assert (await answer(shell))["text"] == ANSWER, "it is kept and paid for, whoever reads it"
        process.send_signal(number)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 130
        assert process.stderr is not None
        assert "Interrupted." in (await process.stderr.read()).decode()


async def test_the_deadlines_of_a_turn_hold_though_nobody_reads(shell: Shell) -> None:
    shell.script.always(Break("silence", Phase.MID_STREAM, Say(ANSWER)))
    within = {"TUI_ORCHESTRATOR_ROUTER__TIMEOUTS__BETWEEN_TOKENS": "0.3"}
    async with unread(shell, "ask", "-m", "rush-pro", "--events", "count", **within) as (process, _):
        (attempt,) = (await answer(shell, whole=False))["attempts"]
        assert attempt["outcome"] not in ("cancelled", "completed")
        assert attempt["cost_usd"]
        assert process.returncode is None
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 130


async def test_a_stderr_in_the_same_pipe_does_not_keep_it_either(shell: Shell) -> None:
    shell.script.always(Say(ANSWER))
    async with unread(shell, "ask", "-m", "rush-pro", "count", both=True) as (process, _):
        await answer(shell)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 130


async def test_what_is_printed_beside_no_turn_ends_at_ctrl_c(shell: Shell) -> None:
    shell.script.always(Say(ANSWER))
    assert (await shell.run("ask", "-m", "rush-pro", "count")).code == 0
    session = (await shell.run("sessions", "list", "--json")).json[0]["id"]
    async with unread(shell, "sessions", "show", session) as (process, _):
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 130


async def test_a_reader_that_takes_its_time_gets_it_all(shell: Shell) -> None:
    shell.script.always(Say(ANSWER))
    async with unread(shell, "ask", "-m", "rush-pro", "count") as (process, reading):
        await answer(shell)
        text = b""
        while piece := await asyncio.to_thread(os.read, reading, 1_000):
            text += piece
        assert text.decode() == ANSWER + "\n"
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


def test_pieces_come_in_their_order_and_what_is_not_taken_is_given_up() -> None:
    taken: list[tuple[str, bool]] = []
    free = threading.Event()

    def write(text: str, err: bool) -> None:
        free.wait()
        taken.append((text, err))

    outlet = Outlet(write)
    outlet.put("never ", False)
    outlet.hurry()
    assert not outlet.wait()
    outlet.put("dropped", False)
    outlet.put("told", True)
    assert outlet.unwritten() == ["told"]
    free.set()
    assert outlet.wait()
    for piece in ("one ", "two "):
        outlet.put(piece, False)
    outlet.put("three", True)
    assert outlet.wait()
    assert "".join(text for text, _ in taken) == "never one two three"
    assert taken[-1] == ("three", True)


def test_nothing_is_written_behind_what_cannot_be_until_that_is_told() -> None:
    taken: list[str] = []
    begin = threading.Event()

    def write(text: str, err: bool) -> None:
        begin.wait()
        if not err:
            raise BrokenPipeError
        taken.append(text)

    outlet = Outlet(write)
    outlet.put("before ", True)
    outlet.put("fails ", False)
    outlet.put("behind ", True)
    begin.set()
    assert outlet.wait()
    outlet.put("later ", True)
    assert outlet.wait()
    assert isinstance(outlet.failure(), BrokenPipeError)
    outlet.put("after", True)
    assert outlet.wait()
    assert taken == ["before ", "after"]
