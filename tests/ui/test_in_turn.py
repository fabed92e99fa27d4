"""Keys that come all at once, as from a terminal that lags: each goes where the one before it leads."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from tests.ui.conftest import Console, console
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.demo.behaviour import Break, Phase

ENTER = "enter"


def at_once(seat: Console, *keys: str) -> None:
    """A name of a key, or a text to be typed."""
    driver = seat.app._driver
    assert driver is not None
    for key in keys:
        named = key in {ENTER, "down", "escape"} or (key.startswith(("ctrl+", "f")) and len(key) < 7 and " " not in key)
        for one in [key] if named else key:
            printed = None if named else one
            name = key if named else {" ": "space"}.get(one, one)
            driver.send_message(events.Key(name, printed))


@pytest.mark.parametrize("opens", ["ctrl+s", "ctrl+p", "ctrl+t", "ctrl+r", "ctrl+o", "f9"])
async def test_a_dialog_is_closed_once_however_often_enter_comes(opens: str, tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Say(text="It is blue."))) as seat:
        at_once(seat, opens)
        await seat.until(lambda: len(seat.app.screen_stack) == 2, "a dialog")
        at_once(seat, "down", ENTER, ENTER, ENTER)
        await seat.until(lambda: len(seat.app.screen_stack) == 1 or opens in {"ctrl+p", "ctrl+r"}, "none")
        at_once(seat, "escape", "escape")
        await seat.until(lambda: len(seat.app.screen_stack) == 1, "none")
        await seat.send("Why is the sky blue?")
        await seat.sees("It is blue.", "confidence")


async def test_what_is_typed_behind_the_key_of_a_dialog_goes_into_it(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Say(text="It is blue."))) as seat:
        at_once(seat, "ctrl+s", "cheapest", ENTER)
        await seat.until(lambda: seat.app.options.strategy == "cheapest", "the strategy")
        assert not seat.app.composer.prompt.text
        assert not seat.app.chat.has_said
        at_once(seat, "A draft", "ctrl+p", "choose a theme", "escape", " more")
        await seat.until(lambda: seat.app.composer.prompt.text == "A draft more", "the draft, and nothing else")
        assert not seat.app.chat.has_said


async def test_two_prompts_at_once_are_one_turn_and_a_draft(tmp_path: Path) -> None:
    script = Script().always(Break("silence", Phase.MID_STREAM))
    async with console(tmp_path, script=script) as seat:
        at_once(seat, "Explain X25", ENTER, "Explain DNS", ENTER)
        await seat.sees("▌ Explain X25", "still running")
        await seat.until(lambda: seat.app.composer.prompt.text == "Explain DNS", "the second is kept")
        assert seat.screen.count("Explain DNS") == 1, "in the prompt alone"


async def test_an_enter_too_many_in_a_dialog_does_not_send_the_draft_below(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Say(text="It is blue."))) as seat:
        await seat.type("Why is the sky blue?")
        await seat.pilot.press("ctrl+s")
        await seat.until(lambda: len(seat.app.screen_stack) == 2, "a dialog")
        at_once(seat, "cheapest", ENTER, ENTER)
        await seat.until(lambda: seat.app.options.strategy == "cheapest", "the strategy")
        await seat.until(lambda: seat.app.typed.at_rest, "nothing more to be dealt")
        assert seat.app.composer.prompt.text == "Why is the sky blue?"
        assert not seat.app.chat.has_said
        at_once(seat, ENTER)
        await seat.sees("It is blue.")
