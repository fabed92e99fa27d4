"""Leaving the console, at a pseudo-terminal."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from resource import RLIMIT_FSIZE, prlimit

import pytest

from tests.cli.conftest import Shell
from tests.cli.terminal import Terminal, terminal
from tui_orchestrator.demo import Break, Phase, Say

LEAVES_THE_SCREEN = "\x1b[?1049l"


async def by_key(screen: Terminal) -> None:
    os.write(screen.master, b"\x11")  # Ctrl+Q


async def with_words_typed(screen: Terminal) -> None:
    os.write(screen.master, b"unsent")
    await screen.until("unsent")
    os.write(screen.master, b"\x11")


async def by_signal(screen: Terminal) -> None:
    screen.process.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("leave", [by_key, with_words_typed, by_signal])
async def test_what_a_store_that_takes_nothing_does_not_book_is_told_once_the_console_is_gone(
    shell: Shell, leave: Callable[[Terminal], Awaitable[None]]
) -> None:
    shell.script.always(Break("silence", Phase.MID_STREAM, Say("one word after another and so on")))
    async with terminal(shell) as screen:
        await screen.until("\x1b[?1049h")
        await screen.until("Ask")
        os.write(screen.master, b"/model rush-pro\r")
        await screen.until("openai/rush-pro")
        os.write(screen.master, b"count\r")
        await screen.until("word")
        prlimit(screen.process.pid, RLIMIT_FSIZE, (1, prlimit(screen.process.pid, RLIMIT_FSIZE)[1]))
        await leave(screen)
        await screen.end()
    *_, after = screen.seen.split(LEAVES_THE_SCREEN)
    assert "Not booked: ~$" in after
