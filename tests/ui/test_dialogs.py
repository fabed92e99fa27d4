"""Dialogs that lie over one another."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.ui.conftest import console
from tui_orchestrator.ui.asking import Ask


async def test_a_dialog_that_ends_below_another_keeps_its_result_until_it_is_in_front(tmp_path: Path) -> None:
    written = asyncio.Event()

    async def submit(_: str) -> str:
        await written.wait()
        return ""

    async with console(tmp_path) as seat:
        ended: list[bool | None] = []
        await seat.app.push_screen(Ask("Rename", "a title", submit), ended.append)
        await seat.pilot.press("enter")
        await seat.app.run_action("help")  # by nothing that is typed, which would wait
        await seat.sees("One line to write.")
        written.set()
        await seat.sees("One line to write.")
        assert not ended
        await seat.pilot.press("escape")
        await seat.until(lambda: len(seat.app.screen_stack) == 1, "neither dialog")
        assert ended == [True]
