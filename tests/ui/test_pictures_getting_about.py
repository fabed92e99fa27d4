"""Pictures of what leads elsewhere: the palette, the help, the letters one jumps by."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from tests.ui.picturing import Console, in_turn, sees
from tests.ui.test_snapshots import tell


@in_turn(1)
def test_the_palette(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        await tell(pilot)
        await pilot.press("ctrl+p")
        await pilot.press(*"answer")
        await sees(pilot, "answer: ")

    assert snap_compare(Console("ember"), terminal_size=size, run_before=show)


@in_turn(0)
def test_the_help(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        await pilot.press("f2")
        await sees(pilot, "⏎ Menu")
        await pilot.press("f1")
        await sees(pilot, "Help", "The conversation.")

    assert snap_compare(Console("paper"), terminal_size=size, run_before=show)


@in_turn(1)
def test_letters_to_jump_by(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        await tell(pilot)
        await pilot.press("ctrl+o")
        await sees(pilot, "c chat", "p prompt")

    assert snap_compare(Console("terminal"), terminal_size=size, run_before=show)
