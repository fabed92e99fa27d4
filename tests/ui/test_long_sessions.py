"""Someone opens a long session: its end is there at once, the rest a moment later, and nobody notices which."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.ui.conftest import Console, console
from tests.ui.test_reading import marked
from tests.ui.test_sessions import kept, open_list
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.routing.request import Message
from tui_orchestrator.services.chat import Chat
from tui_orchestrator.storage.messages import StoredMessage
from tui_orchestrator.ui import page
from tui_orchestrator.ui.look import Look
from tui_orchestrator.ui.rows import Rows
from tui_orchestrator.ui.stored import Stored
from tui_orchestrator.ui.unmade import AT_ONCE, STRETCH, stretches

TURNS = (AT_ONCE + 3 * STRETCH) // 2


@asynccontextmanager
async def long_session(
    path: Path, monkeypatch: pytest.MonkeyPatch, *, later_s: float = 3600.0, script: Script | None = None
) -> AsyncIterator[Console]:
    """Open, and its end on the screen. `later_s`: when what is above that is made by itself."""
    monkeypatch.setattr(page, "MAKE_AFTER_S", later_s)
    async with console(path, script=script or Script().always(Say(text="And so on."))) as seat:
        session = await kept(seat)
        await say_more(seat, session.id)
        await resumed(seat, session.id)
        yield seat


async def say_more(seat: Console, session: str) -> None:
    assert seat.app.runtime is not None
    conversations = seat.app.runtime.conversations
    for number in range(TURNS):
        request = f"{session}-{number}"
        await conversations.prompt(session, Message("user", f"question {number} of all"), request)
        text = f"answer {number} is no other"
        await conversations.answer(session, request, text, model="openai/rush-pro", attempt=1)


async def resumed(seat: Console, session: str) -> None:
    assert seat.app.runtime is not None
    await seat.app._begin(await Chat.resume(seat.app.runtime, session))
    await seat.sees(f"question {TURNS - 1} of all", f"answer {TURNS - 1} is no other")


def made(seat: Console) -> int:
    return len(seat.app.chat.transcript.made)


async def test_its_beginning_is_there_as_soon_as_one_goes_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with long_session(tmp_path, monkeypatch) as seat:
        few = made(seat)
        await seat.pilot.press("f2", "home")
        await seat.sees("question 0 of all", "answer 0 is no other", "question 1 of all")
        assert few < made(seat) < 2 * TURNS
        await seat.pilot.press("end")
        await seat.sees(f"answer {TURNS - 1} is no other")


async def test_all_of_it_comes_by_itself_and_nothing_on_the_screen_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with long_session(tmp_path, monkeypatch, later_s=0.01) as seat:
        before = seat.screen
        transcript = seat.app.chat.transcript
        total = transcript.virtual_size.height
        await seat.until(lambda: made(seat) >= 3 * TURNS, "all entries")
        await seat.pilot.pause()
        assert seat.screen == before
        assert transcript.virtual_size.height == total


async def test_page_after_page_upwards_shows_every_message_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with long_session(tmp_path, monkeypatch) as seat:
        await seat.pilot.press("f2")
        transcript = seat.app.chat.transcript
        seen: list[str] = []
        while True:
            rows = [
                line.split("▌ ")[1].split(" of all")[0] for line in seat.screen.splitlines() if "▌ question" in line
            ]
            seen += [row for row in reversed(rows) if row not in seen]
            if transcript.scroll_offset.y == 0:
                break
            await seat.pilot.press("pageup")
        assert seen == [f"question {number}" for number in reversed(range(TURNS))]


async def test_the_mark_goes_on_past_what_came_first_and_what_is_found_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with long_session(tmp_path, monkeypatch) as seat:
        # The mark goes on upwards past what came first.
        await seat.pilot.press("f2")
        few = made(seat)
        for number in reversed(range(TURNS)):
            await seat.pilot.press("up")
            assert f"question {number} of all" in marked(seat)
            if made(seat) > few:
                break
            await seat.pilot.press("up")
            assert f"answer {number - 1} is no other" in marked(seat)
        assert number == TURNS - AT_ONCE // 2 - 1

        # Words of its beginning are found.
        await seat.pilot.press("escape")
        await seat.send("/find answer 3 is")
        await seat.sees("1 of 1", "answer 3 is no other", "question 4 of all")

        # A place that the list found is shown.
        await seat.app.run_action("new_session")
        await seat.sees_no("question")
        await open_list(seat)
        await seat.pilot.press(*"answer", "space", *"177")
        await seat.sees("answer: answer 177 is no other", "1 of")
        await seat.pilot.press("enter")
        await seat.sees("question 177 of all", "answer 177 is no other", "question 178 of all")
        assert made(seat) < 2 * TURNS


async def test_a_vote_on_an_early_answer_stands_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with console(tmp_path, script=Script().always(Say(text="The first of all answers."))) as seat:
        await seat.send("What comes first?")
        await seat.ended()
        await seat.pilot.press("f2", "alt+u")
        await seat.line("▲ lumen-dash")
        assert seat.app.talk is not None
        session = seat.app.talk.id
        await say_more(seat, session)
    monkeypatch.setattr(page, "MAKE_AFTER_S", 3600.0)
    async with console(tmp_path) as seat:
        await resumed(seat, session)
        assert "▲" not in seat.screen
        await seat.pilot.press("f2", "home")
        await seat.sees("The first of all answers.")
        await seat.line("▲ lumen-dash")


async def test_a_turn_that_is_begun_at_once_goes_on_from_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with long_session(tmp_path, monkeypatch) as seat:
        await seat.send("What now?")
        await seat.ended()
        await seat.sees("What now?", "And so on.")
        assert made(seat) < 2 * TURNS
        assert seat.app.talk is not None
        sent = [message.text for message in seat.app.talk.request("next").messages]
        assert len(sent) == 2 * TURNS + 3
        assert sent[:2] == ["question 0 of all", "answer 0 is no other"]
        assert sent[-3:] == ["What now?", "And so on.", "next"]
        await seat.pilot.press("f2", "home")
        await seat.sees("question 0 of all", "answer 0 is no other")


async def test_all_of_it_can_be_selected_and_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with long_session(tmp_path, monkeypatch) as seat:
        seat.app.chat.transcript.text_select_all()
        await seat.pilot.pause()
        said = [line for line in (seat.app.screen.get_selected_text() or "").splitlines() if line]
        assert said == [text for n in range(TURNS) for text in (f"question {n} of all", f"answer {n} is no other")]


async def test_a_branch_that_begins_early_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with long_session(tmp_path, monkeypatch) as seat:
        assert seat.app.talk is not None
        assert seat.app.runtime is not None
        session = seat.app.talk.id
        edited = await seat.app.talk.before(f"{session}-1")
        turn = edited.send(edited.request("Another question 1"))
        async with turn:
            async for _ in turn:
                pass
        await seat.app.run_action("new_session")
        await seat.sees_no("question")
        await seat.app._begin(await (await Chat.resume(seat.app.runtime, session)).on_branch(f"{session}-1"))
        await seat.sees(f"answer {TURNS - 1} is no other")
        await seat.pilot.press("f2", "home")
        await seat.sees("question 1 of all", "branch 1 of 2")
        await seat.pilot.press("end", "right")
        await seat.sees("Another question 1", "branch 2 of 2", "And so on.")


def messages(count: int) -> list[StoredMessage]:
    from datetime import UTC, datetime

    now = datetime(2026, 11, 22, tzinfo=UTC)
    said = []
    for place in range(count):
        role, turn = ("assistant", "user")[place % 2 == 0], place // 2
        text = f"{role} {turn} " + "word " * (place * 7 % 90)
        note = "It is said so." if place % 11 == 1 else ""
        said.append(
            StoredMessage(place, role, text, "complete", now, f"r{turn}", attempt=1, model="demo/a", note=note)  # type: ignore[arg-type]
        )
    return said


@pytest.mark.parametrize("width", [20, 80])
def test_what_is_made_later_takes_the_rows_that_were_kept_for_it(width: int) -> None:
    stored = Stored(messages(2 * TURNS), (), "Alt+R")
    above, entries = stretches(stored)
    assert len(above) == 3
    rows = Rows(Look.of({}))
    rows.load(entries, above)
    rows.set_width(width)
    rows.measure(rows.total - 60, rows.total)
    total, key = rows.total, entries[0].key
    top = rows.top(key)
    while rows.make_some():
        assert (rows.total, rows.top(key)) == (total, top)
    texts = [entry.text for entry in rows.made if entry.text and entry.text != "It is said so."]
    assert texts == [message.text for message in stored.messages]


def test_each_stretch_holds_whole_turns() -> None:
    said = messages(2 * TURNS)
    # One prompt with more answers than a stretch holds.
    again = [
        StoredMessage(2 * TURNS + n, "assistant", f"again {n}", "complete", said[0].created, f"again{n}", attempt=1)
        for n in range(AT_ONCE + STRETCH)
    ]
    stored = Stored([*said, *again, *messages(4)], (), "Alt+R")
    above, entries = stretches(stored)
    whole = Stored(stored.messages, (), "Alt+R").entries(0, len(stored.messages))
    apart = [entry for one in above for entry in one.entries()] + entries
    assert [(entry.kind, entry.key.partition("-")[0], entry.text, entry.discarded) for entry in apart] == [
        (entry.kind, entry.key.partition("-")[0], entry.text, entry.discarded) for entry in whole
    ]
