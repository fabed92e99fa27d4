"""Signals to end, as a command takes them."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from tui_orchestrator.cli.interrupting import interruptible, told_of_the_end


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_who_asks_is_told_of_the_end_before_anything_is_cancelled(number: int) -> None:
    heard: list[str] = []
    over = asyncio.Event()

    def cancel() -> None:
        heard.append("cancelled")
        over.set()

    with interruptible(cancel):
        with told_of_the_end(lambda: heard.append("told")):
            os.kill(os.getpid(), number)
            await over.wait()
        over.clear()
        os.kill(os.getpid(), number)
        await over.wait()
    assert heard == ["told", "cancelled", "cancelled"]
