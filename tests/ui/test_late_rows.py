"""Lists whose rows come later than what is typed: it waits for those of what stands in the field."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.widgets import Input, TextArea

from tests.ui.conftest import Console, _rests, console
from tests.ui.test_in_turn import ENTER, at_once
from tests.ui.test_sessions import kept
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.ui import completing
from tui_orchestrator.ui.traffic import TrafficScreen

FRUITS = ("alpha apples are red", "beta bananas are yellow", "gamma grapes are purple")
THREADS = 4
"""With which the store is read and written."""


@asynccontextmanager
async def held(seat: Console) -> AsyncIterator[None]:
    """The store answers nobody, and writes nothing down, before the end."""
    assert seat.app.runtime is not None
    gate, there = threading.Event(), threading.Semaphore(0)

    def wait(_: object) -> None:
        there.release()
        gate.wait()

    store = seat.app.runtime.database
    waiting = [asyncio.create_task(done(wait)) for done in (store.read, store.report, store.report, store.write)]
    try:
        for _ in range(THREADS):
            await asyncio.to_thread(there.acquire)
        yield
    finally:
        gate.set()
        await asyncio.gather(*waiting)


async def typed(seat: Console, text: str, dialogs: int = 1) -> None:
    """It stands in the field of the dialog in front, and nothing is left to be done about it at once."""

    def is_there() -> bool:
        match seat.app.focused:
            case Input(value=value) | TextArea(text=value):
                rest = all(_rests(pump) for pump in (seat.app, *seat.app.screen.walk_children(with_self=True)))
                return len(seat.app.screen_stack) == 1 + dialogs and value == text and rest
            case _:
                return False

    await seat.until(is_there, f"{text!r} in the field", drawn=False)


async def sessions(seat: Console) -> None:
    for fruit in FRUITS:
        await kept(seat, (fruit, "So they are."))


async def titles(seat: Console) -> list[str]:
    assert seat.app.runtime is not None
    return sorted(listed.session.title.lower() for listed in await seat.app.runtime.archive.page())


async def turns(seat: Console) -> None:
    for fruit in FRUITS:
        await seat.send(fruit)
        await seat.ended()


async def test_a_letter_in_the_list_of_sessions_is_for_what_was_found(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        await sessions(seat)
        at_once(seat, "ctrl+l")
        await seat.sees("3 in all")
        async with held(seat):
            at_once(seat, "apples", "down", "d")
            await typed(seat, "apples")
        await seat.sees("is deleted")
        assert await titles(seat) == sorted(FRUITS[1:])


@pytest.mark.parametrize("first", ["", "ctrl+l"], ids=["open", "opened at once"])
async def test_enter_in_the_list_of_sessions_opens_what_was_found(first: str, tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        await sessions(seat)
        if not first:
            at_once(seat, "ctrl+l")
            await seat.sees("3 in all")
        async with held(seat):
            at_once(seat, *([first] if first else []), "bananas", ENTER)
            await typed(seat, "bananas")
        await seat.sees("▌ beta bananas are yellow")


async def test_enter_waits_for_a_list_of_sessions_that_is_being_read(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        await sessions(seat)
        async with held(seat):
            at_once(seat, "ctrl+l", ENTER)
            await typed(seat, "")
        await seat.sees("▌ gamma grapes are purple")


async def test_esc_does_not_wait_and_drops_what_does(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        await sessions(seat)
        async with held(seat):
            at_once(seat, "ctrl+l", "bananas", ENTER)
            await typed(seat, "bananas")
            at_once(seat, "escape")
            await seat.until(lambda: len(seat.app.screen_stack) == 1, "no dialog", drawn=False)
        await seat.until(lambda: seat.app.typed.at_rest, "nothing more to be dealt")
        assert not seat.app.chat.has_said
        assert not seat.app.composer.prompt.text


async def test_what_is_typed_behind_a_new_title_is_for_the_list_once_it_is_written(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        await sessions(seat)
        at_once(seat, "ctrl+l")
        await seat.sees("3 in all")
        at_once(seat, "down", "r")
        await seat.sees("╭─ Rename")
        async with held(seat):
            at_once(seat, "pears are ripe", ENTER, "/", "added")
            await typed(seat, "pears are ripe", dialogs=2)
        await typed(seat, "added")
        assert await titles(seat) == sorted([*FRUITS[:2], "pears are ripe"])


async def test_what_is_typed_behind_the_form_of_a_batch_changes_nothing_in_it(tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text('{"prompt": "Which apples are red?"}\n')
    async with console(tmp_path) as seat:
        at_once(seat, "/batch questions.jsonl", ENTER)
        await seat.sees("Ask many prompts from a file", "questions.jsonl")
        async with held(seat):
            at_once(seat, "./questions.jsonl", ENTER, "red")
            await typed(seat, "./questions.jsonl", dialogs=2)
        await seat.sees("1 to ask: about $", "○ not begun")


async def test_one_of_all_decisions_is_taken_from_what_was_found(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Say(text="So they are."))) as seat:
        await turns(seat)
        at_once(seat, "f3", ENTER)
        await seat.sees("╭─ Decisions", "3 in all")
        async with held(seat):
            at_once(seat, "apples", ENTER)
            await typed(seat, "apples")
        await seat.until(lambda: len(seat.app.screen_stack) == 1, "no dialog")
        shown = seat.app.decision.decision
        assert shown is not None
        assert seat.app.runtime is not None
        turn = await seat.app.runtime.history.turn(shown.request_id)
        assert turn is not None
        assert turn.prompt == FRUITS[0]


@pytest.mark.parametrize("first", ["", "ctrl+r"], ids=["open", "opened at once"])
async def test_an_earlier_prompt_is_taken_from_what_was_found_and_typed_after(first: str, tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Say(text="So they are."))) as seat:
        await turns(seat)
        if not first:
            at_once(seat, "ctrl+r")
            await seat.sees("gamma grapes")
        async with held(seat):
            at_once(seat, *([first] if first else []), "are", "down", ENTER, ", I say")
            await typed(seat, "are")
        await seat.until(lambda: seat.app.composer.prompt.text == f"{FRUITS[1]}, I say", "the prompt of the second row")


async def test_a_report_opens_the_row_it_has_when_it_is_read(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Say(text="So they are."))) as seat:
        await turns(seat)
        async with held(seat):
            at_once(seat, "f10", ENTER)
            await seat.until(lambda: len(seat.app.screen_stack) == 2, "the reports", drawn=False)
        await seat.sees("by attempt")


async def test_words_to_be_found_are_looked_for_before_enter_goes_to_the_next(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Say(text="So they are."))) as seat:
        await turns(seat)
        at_once(seat, "ctrl+f", "So they", ENTER)
        await seat.sees("2 of 3")


async def test_a_setting_is_changed_once_the_file_is_read(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        reader, gate = ThreadPoolExecutor(1), threading.Event()
        asyncio.get_running_loop().set_default_executor(reader)
        reader.submit(gate.wait)
        at_once(seat, "f12", "density", ENTER)
        await typed(seat, "density")
        gate.set()
        await seat.sees("╭─ ui.density")


async def test_tab_completes_a_path_whose_directory_is_being_read(tmp_path: Path) -> None:
    (tmp_path / "talk.json").touch()
    async with console(tmp_path) as seat:
        await seat.pilot.press("alt+o")
        await seat.sees("╭─ Import", "Enter reads it")
        gate = threading.Event()
        completing._READER.submit(gate.wait)
        at_once(seat, "tal", "tab", ENTER)
        await typed(seat, "tal")
        gate.set()
        await seat.sees("✗ talk.json:1:1: is not JSON")


async def test_a_list_without_rows_is_laid_out_and_left_alone_where_there_is_no_room_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out, laid_out = TrafficScreen.lay_out, 0

    def counted(screen: TrafficScreen) -> None:
        nonlocal laid_out
        laid_out += 1
        # Were it to go on for ever, the test would never fail.
        if laid_out < 10:
            lay_out(screen)

    monkeypatch.setattr(TrafficScreen, "lay_out", counted)
    async with console(tmp_path, size=(24, 10)) as seat:
        await seat.app.run_action("traffic")
        await seat.sees("No other")
        for _ in range(10):
            refreshed = asyncio.Event()
            seat.app.screen.call_after_refresh(refreshed.set)
            await seat.until(refreshed.is_set, "a refresh")
        assert 0 < laid_out < 10


@pytest.mark.parametrize("before", [(), ("escape",)], ids=["while it is read", "after Esc"])
async def test_what_comes_behind_tab_in_the_prompt_waits_for_the_completion(
    before: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "report.txt").touch()
    async with console(tmp_path) as seat:
        if before:
            at_once(seat, "sum @rep")
            await seat.sees("sum @rep", " report.txt")
            at_once(seat, *before)
            await seat.sees_no(" report.txt")
        gate = threading.Event()
        completing._READER.submit(gate.wait)
        try:
            at_once(seat, *([] if before else ["sum @rep"]), "tab", "please")
            await typed(seat, "sum @rep", dialogs=0)
        finally:
            gate.set()
        await seat.until(lambda: seat.app.composer.prompt.text == "sum @report.txt please", "the file, and the rest")
