"""Keys that come all at once, as from a terminal that lags: each goes where the one before it leads."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from tests.ui.conftest import Console, console
from tests.ui.test_together import rows
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.demo.behaviour import Break, Phase
from tui_orchestrator.ui import in_turn
from tui_orchestrator.ui.keyboard import Keys

ENTER = "enter"


def at_once(seat: Console, *keys: str) -> None:
    """A name of a key, or a text to be typed."""
    driver = seat.app._driver
    assert driver is not None
    for key in keys:
        named = key in {ENTER, "down", "escape", "tab"} or (
            key.startswith(("ctrl+", "f")) and len(key) < 7 and " " not in key
        )
        for one in [key] if named else key:
            printed = None if named else one
            name = key if named else {" ": "space", "/": "slash"}.get(one, one)
            driver.send_message(events.Key(name, printed))


async def test_a_dialog_is_closed_once_however_often_enter_comes(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Say(text="It is blue."))) as seat:
        # The list of earlier prompts is empty as long as none was sent.
        for opens in ("ctrl+r", "ctrl+s", "ctrl+p", "ctrl+t", "ctrl+o", "f9"):
            at_once(seat, opens)
            await seat.until(lambda: len(seat.app.screen_stack) == 2, "a dialog")
            at_once(seat, "down", ENTER, ENTER, ENTER)
            stays = opens in {"ctrl+p", "ctrl+r"}
            await seat.until(lambda stays=stays: len(seat.app.screen_stack) == 1 or stays, "none")
            at_once(seat, "escape", "escape")
            await seat.until(lambda: seat.app.typed.at_rest and len(seat.app.screen_stack) == 1, "none")
            await seat.send("Why is the sky blue?")
            await seat.sees("It is blue.", "confidence")
            await seat.ended()
            await seat.begin_anew()
            await seat.sees_no("It is blue.")


async def test_what_is_typed_behind_the_key_of_a_dialog_goes_into_it(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Say(text="It is blue."))) as seat:
        at_once(seat, "ctrl+s", "cheapest", ENTER)
        await seat.until(lambda: seat.app.options.strategy == "cheapest", "the strategy")
        assert not seat.app.composer.prompt.text
        assert not seat.app.chat.has_said
        at_once(seat, "A draft", "ctrl+p", "choose a theme", "escape", " more")
        await seat.until(lambda: seat.app.composer.prompt.text == "A draft more", "the draft, and nothing else")
        assert not seat.app.chat.has_said


async def test_so_it_does_behind_a_letter_with_alt(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Say(text="It is blue."))) as seat:
        await seat.send("Why is the sky blue?")
        await seat.ended()
        driver = seat.app._driver
        assert driver is not None
        for message in Keys().feed("\x1bmrush\r"):
            driver.send_message(message)
        await seat.sees("Nothing was sent.")
        assert not seat.app.composer.prompt.text
        assert len(rows(tmp_path, "SELECT 1 FROM attempts")) == 1


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


async def test_no_key_waits_for_what_goes_on_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_turn, "PATIENCE_S", 3600.0)
    editor, closed = tmp_path / "code", tmp_path / "closed"
    editor.write_text(f"#!/bin/sh\nuntil [ -e {closed} ]; do sleep 0.1; done\n")
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    async with console(tmp_path, script=Script().always(Say(text="It is blue."))) as seat:
        at_once(seat, "ctrl+e")
        await seat.sees("the prompt is open in code")
        at_once(seat, "f1")
        await seat.sees("Keys everywhere")
        closed.touch()
        at_once(seat, "escape")
        await seat.sees_no("the prompt is open in code")


async def test_no_key_waits_for_a_judge_that_is_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_turn, "PATIENCE_S", 3600.0)
    script = Script().always(Say(text="It is blue."))
    async with console(tmp_path, script=script) as seat:
        at_once(seat, "/ensemble 2", ENTER, "Why is the sky blue?", ENTER)
        await seat.sees("is the answer")
        await seat.ended()
        script.always(Break("silence", Phase.MID_STREAM))
        at_once(seat, "/judge rush-pro", ENTER)
        await seat.sees("asking rush-pro which answer is the best")
        at_once(seat, "f1")
        await seat.sees("Keys everywhere")
        at_once(seat, "escape", "escape")
        await seat.ended()
