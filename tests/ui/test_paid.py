"""Whoever presses Enter twice, or types ahead of a dialog, spends nothing in it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.ui.conftest import Console, console
from tests.ui.test_in_turn import at_once
from tests.ui.test_models import RUSH, choose
from tests.ui.test_together import ensemble, rows
from tui_orchestrator.demo import Reply, Say, Script
from tui_orchestrator.ui.question import LOOKED_AT_S

KEYS_AHEAD = (("enter",), ("rush", "enter"), ("quality", "enter", "enter"))
FROM_THE_PALETTE = {
    "Which answer is the best, judged by": "model judge the answers",
    "Ask another model": "ask another model",
    "Ask again by": "by another strategy",
}


async def in_the_palette(seat: Console, words: str, *ahead: str) -> None:
    await seat.pilot.press("ctrl+p", *(letter.replace(" ", "space") for letter in words))
    at_once(seat, "enter", *ahead)


async def nothing_said(seat: Console) -> None:
    """No notice of what was done before stands there."""
    seat.app.clear_notifications()
    await seat.sees_no("Nothing was sent.")


async def nothing_more_is_paid(seat: Console, path: Path, calls: int) -> None:
    await seat.until(lambda: seat.app.typed.at_rest and len(seat.app.screen_stack) == 1, "the dialog closed")
    await seat.sees("Nothing was sent.")
    await seat.ended()
    assert len(rows(path, "SELECT 1 FROM attempts")) == calls


@pytest.mark.parametrize("ahead", KEYS_AHEAD, ids="".join)
async def test_what_the_palette_or_a_command_opens_is_not_paid_for_by_the_keys_that_follow(
    tmp_path: Path, ahead: tuple[str, ...]
) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        await ensemble(seat, script)
        for title, words in FROM_THE_PALETTE.items():
            await in_the_palette(seat, words)
            await seat.sees(title, "not now: nothing is sent")
            await seat.pilot.press("escape")
            await nothing_said(seat)
            await in_the_palette(seat, words, *ahead)
            await seat.until(lambda: seat.app.typed.at_rest, "all was dealt")
            at_once(seat, "enter")
            await nothing_more_is_paid(seat, tmp_path, 3)
        for command in ("/merge", "/judge"):
            await nothing_said(seat)
            await seat.type(command)
            at_once(seat, "enter", *ahead)
            await nothing_more_is_paid(seat, tmp_path, 3)


async def test_a_models_test_is_not_begun_by_the_keys_that_follow_its_own(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Say(text="ready"))) as seat:
        for ahead in KEYS_AHEAD:
            await choose(seat, "rush-pro")
            await seat.pilot.press("enter")
            await seat.sees("What it can do")
            at_once(seat, "t", *ahead)
            await seat.sees_no(f"Test {RUSH}")
            assert not rows(tmp_path, "SELECT 1 FROM attempts")
            await seat.pilot.press("escape", "escape")
            await seat.until(lambda: len(seat.app.screen_stack) == 1)


async def test_a_test_that_has_ended_is_not_paid_for_again_by_one_more_enter(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Say(text="ready"))) as seat:
        await choose(seat, "rush-pro")
        await seat.pilot.press("t")
        await seat.sees("▸ leave", "Enter closes")
        await seat.pilot.press("down")
        await seat.sees("▸ ask it", "Enter asks it")
        await seat.pilot.press("enter")
        await seat.sees("✓ ready", "▸ leave", "Enter closes")
        await seat.pilot.press("enter")
        await seat.sees_no(f"Test {RUSH}")
        assert len(rows(tmp_path, "SELECT 1 FROM attempts")) == 1


async def test_a_test_that_fails_is_the_one_call_that_was_agreed_to(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Reply(503, "busy"))) as seat:
        await choose(seat, "rush-pro")
        await seat.pilot.press("t", "down")
        await seat.sees("▸ ask it: one real call")
        await seat.pilot.press("enter")
        await seat.sees("✗ ", "busy", "▸ leave")
        assert len(rows(tmp_path, "SELECT 1 FROM attempts")) == 1


async def looked_at() -> None:
    """As long as a list must have been there for what is typed to mark what it finds."""
    await asyncio.sleep(LOOKED_AT_S)


async def test_who_has_seen_the_list_types_a_name_and_enter_does_what_the_frame_says(tmp_path: Path) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        chain = await ensemble(seat, script)
        await seat.pilot.resize_terminal(80, 24)
        script.always(Say(text="It is all of it in one."))
        await seat.send("/merge")
        await seat.sees("One answer from all, written by", "recommended · good enough", "Enter sends nothing")
        assert "▸" not in seat.screen, "one mark, and that on the first row"
        await looked_at()
        await seat.pilot.press(*"zz")
        await seat.sees("No model is called that.", "Enter sends nothing")
        await seat.pilot.press("backspace", "backspace", *chain[0].partition("/")[2])
        await seat.sees("Enter writes it")
        await seat.pilot.press(*["backspace"] * len(chain[0].partition("/")[2]))
        await seat.sees("Enter sends nothing")
        await seat.pilot.press(*chain[0].partition("/")[2], "enter")
        await seat.until(lambda: len(rows(tmp_path, "SELECT 1 FROM attempts")) == 4, "the synthesis")
        await seat.ended()


async def test_one_is_marked_below_not_now_and_the_recommended_one_comes_first(tmp_path: Path) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        await ensemble(seat, script)
        script.always(Say(text="1: it says the most."))
        await seat.send("/judge")
        await seat.sees("judged by")
        await seat.pilot.press("down", "enter")
        await seat.sees("was asked which answer")
        assert len(rows(tmp_path, "SELECT 1 FROM attempts")) == 4
