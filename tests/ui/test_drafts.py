"""What was typed and not sent: each session's own, and still there after a crash."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from pathlib import Path

import pytest

from benchmarks.terminal.endings import CONSOLE, READY
from benchmarks.terminal.pseudoterminal import Pseudoterminal, environment
from tests.ui.conftest import Console, console
from tests.warm import AtTerminal
from tui_orchestrator.demo import Say, Script

SCRIPT = Script().always(Say(text="It is blue."))


def drafts(file: Path) -> dict[str, str]:
    with sqlite3.connect(file) as connection:
        return dict(connection.execute("SELECT session, text FROM drafts"))


async def kept(seat: Console, path: Path, *texts: str) -> None:
    await seat.until(lambda: sorted(drafts(path / "store.db").values()) == sorted(texts), f"{texts} kept")


async def ask(seat: Console) -> str:
    """Returns the session's id."""
    await seat.send("What colour is the sky?")
    await seat.ended()
    assert seat.app.talk is not None
    return seat.app.talk.id


async def edit(seat: Console) -> str:
    """A draft is left, and then an edit of the prompt before it."""
    asked = await ask(seat)
    await seat.type("and at night?")
    seat.app.action_edit_prompt()
    await seat.sees("You edit an earlier prompt")
    await seat.type(" And the sea?")
    return asked


async def test_each_session_keeps_its_own_draft(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30), script=SCRIPT) as seat:
        prompt, app = seat.app.composer.prompt, seat.app
        asked = await ask(seat)
        await seat.type("and at night?")
        await kept(seat, tmp_path, "and at night?")
        await seat.pilot.press("ctrl+n")
        await seat.until(lambda: prompt.text == "")
        await seat.type("something else")
        await seat.pilot.press("ctrl+n")
        assert prompt.text == "something else"
        await app._open_id(asked)
        assert prompt.text == "and at night?"
        await seat.sees_no("something else")
        await kept(seat, tmp_path, "and at night?", "something else")
        await seat.pilot.press("enter")
        await seat.ended()
        await kept(seat, tmp_path, "something else")
        await seat.pilot.press("ctrl+n")
        await seat.sees("something else")
    async with console(tmp_path, script=SCRIPT) as seat:
        assert seat.app.composer.prompt.text == "something else"


async def test_a_draft_that_was_left_is_told_of_in_view_in_a_small_terminal_too(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT) as seat:
        await ask(seat)
        await seat.type("and at night?")
        await kept(seat, tmp_path, "and at night?")
    async with console(tmp_path, size=(80, 24), script=SCRIPT) as seat:
        runtime = seat.app.runtime
        assert runtime is not None
        await seat.sees("A draft is left in", "Where to?", "Models found: ")
        for model in runtime.registry:
            runtime.set_enabled(model.id, False)
        await seat.sees("No model can be asked yet.", "A draft is left in")
        for model in runtime.registry:
            runtime.set_enabled(model.id, True)
        await seat.sees_no("No model can be asked yet.")
        await seat.sees("Where to?", "Models found: ")
        assert "A draft is left in" in seat.screen


async def test_a_draft_goes_along_stays_folded_and_as_it_was_written(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30), script=SCRIPT) as seat:
        # A temporary chat takes along what nobody was asked and keeps nothing.
        prompt = seat.app.composer.prompt
        await seat.type("between us")
        await kept(seat, tmp_path, "between us")
        await seat.pilot.press("alt+t")
        await seat.sees("◌ temporary", "between us")
        await kept(seat, tmp_path)
        await seat.type(" alone")
        await seat.pilot.press("ctrl+n")
        await seat.sees_no("◌ temporary")
        assert prompt.text == ""
        assert drafts(tmp_path / "store.db") == {}

        # A folded paste is still folded when one comes back.
        await seat.begin_anew()
        prompt = seat.app.composer.prompt
        asked = await ask(seat)
        await seat.type("Sum up: ")
        prompt._put("row\n" * 60)
        draft = prompt.unfolded
        await seat.pilot.press("ctrl+n")
        await seat.until(lambda: prompt.text == "")
        await seat.app._open_id(asked)
        await seat.sees("Sum up: ⟦paste 1: 60 lines⟧")
        assert prompt.unfolded == draft

        # A long draft stays as it was written while one looks at earlier prompts.
        await seat.begin_anew()
        await ask(seat)
        await seat.type(LONG)
        seat.app.composer.prompt.move_cursor((0, 0))
        await seat.pilot.press("up")
        assert seat.written == "What colour is the sky?"
        await seat.pilot.press("down")
        await seat.sees("thought 60")
        assert seat.app.composer.prompt.text == LONG


async def test_what_is_typed_while_the_program_ends_is_kept_too(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30), script=SCRIPT) as seat:
        await seat.type("half a thought")
        app, prompt = seat.app, seat.app.composer.prompt
        app._leaving = True
        leaving = asyncio.create_task(app._leave(0))
        # The draft is being written now.
        await asyncio.sleep(0)
        prompt.insert(" of mine")
        await leaving
    assert stored(tmp_path) == ["half a thought of mine"]


def test_a_killed_program_leaves_what_was_typed(tmp_path: Path) -> None:
    with Pseudoterminal(CONSOLE, environment(tmp_path), cwd=tmp_path, start=AtTerminal) as terminal:
        terminal.until(READY)
        terminal.send(b"half a thought")
        for _ in range(200):
            terminal.read(0.1)
            if stored(tmp_path) == ["half a thought"]:
                break
        terminal.kill(signal.SIGKILL)
        terminal.end()
    assert stored(tmp_path) == ["half a thought"]


def stored(home: Path) -> list[str]:
    return [text for file in home.rglob("*.db") for text in drafts(file).values()]


LONG = "\n".join(f"thought {number}" for number in range(1, 61))


async def test_a_long_draft_of_ones_own_comes_back_as_it_stood_and_a_paste_folded(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30), script=SCRIPT) as seat:
        asked = await ask(seat)
        await seat.type(f"{LONG}\nand these: ")
        seat.app.composer.prompt._put("row\n" * 60)
        await seat.type(" or those: ")
        seat.app.composer.prompt._put("column\n" * 60)
        stood, whole = seat.app.composer.prompt.text, seat.app.composer.prompt.unfolded
        assert stood == f"{LONG}\nand these: ⟦paste 1: 60 lines⟧ or those: ⟦paste 2: 60 lines⟧"
        await kept(seat, tmp_path, whole)
    async with console(tmp_path, size=(100, 30), script=SCRIPT) as seat:
        await seat.app._open_id(asked)
        await seat.sees("thought 60", "and these: ⟦paste 1: 60 lines⟧ or those: ⟦paste 2: 60 lines⟧")
        prompt = seat.app.composer.prompt
        assert (prompt.text, prompt.unfolded) == (stood, whole)
        prompt._put("another\n" * 60)
        await seat.sees("⟦paste 3: 60 lines⟧")
        assert prompt.unfolded == whole + "another\n" * 60


async def test_a_paste_folded_by_itself_is_told_from_another_as_long(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30), script=SCRIPT) as seat:
        prompt = seat.app.composer.prompt
        for said in ("one\n", "two\n"):
            prompt._put(said * 60)
        await seat.pilot.press("home", "delete")
        assert prompt.unfolded == "two\n" * 60
        await kept(seat, tmp_path, "two\n" * 60)
    async with console(tmp_path, size=(100, 30), script=SCRIPT) as seat:
        prompt = seat.app.composer.prompt
        await seat.sees("⟦paste 2: 60 lines⟧")
        prompt._put("six\n" * 60)
        assert prompt.unfolded == "two\n" * 60 + "six\n" * 60


@pytest.mark.parametrize("ends", ["sends", "leaves"])
async def test_a_draft_outlives_the_program_that_ended_in_the_middle_of_an_edit(tmp_path: Path, ends: str) -> None:
    async with console(tmp_path, size=(100, 30), script=SCRIPT) as seat:
        asked = await edit(seat)
        await kept(seat, tmp_path, "and at night?")
        await seat.until(lambda: edits(tmp_path / "store.db") == {asked: "What colour is the sky? And the sea?"})
    async with console(tmp_path, size=(100, 30), script=SCRIPT) as seat:
        await seat.sees("A draft is left in 'What colour is the sky?'")
        await seat.sees_no("one too")
        await seat.app._open_id(asked)
        await seat.sees("You edit an earlier prompt")
        assert seat.written == "What colour is the sky? And the sea?"
        if ends == "sends":
            await seat.pilot.press("enter")
            await seat.ended()
            await seat.sees("branch 2 of 2")
        else:
            await seat.pilot.press("escape")
        await seat.sees_no("You edit an earlier prompt")
        assert seat.written == "and at night?"
        await seat.until(lambda: edits(tmp_path / "store.db") == {})
        await kept(seat, tmp_path, "and at night?")
    async with console(tmp_path, size=(100, 30), script=SCRIPT) as seat:
        await seat.app._open_id(asked)
        await seat.until(lambda: seat.written == "and at night?", "the draft")
        assert "You edit an earlier prompt" not in seat.screen


async def test_an_edit_goes_on_where_it_was_left_from_another_session(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30), script=SCRIPT) as seat:
        asked = await edit(seat)
        await seat.pilot.press("ctrl+n")
        await seat.until(lambda: not seat.app.composer.prompt.text)
        await kept(seat, tmp_path, "and at night?")
    async with console(tmp_path, size=(100, 30), script=SCRIPT) as seat:
        await seat.app._open_id(asked)
        await seat.sees("You edit an earlier prompt")
        assert seat.written == "What colour is the sky? And the sea?"
        await seat.pilot.press("escape")
        await seat.until(lambda: seat.written == "and at night?", "the draft")


def edits(file: Path) -> dict[str, str]:
    with sqlite3.connect(file) as connection:
        return dict(connection.execute("SELECT session, text FROM edits"))
