"""Someone continues an answer that was cut off, and reads it as one."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from math import inf
from pathlib import Path

from tests.ui.conftest import Console, console
from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.routing.decide import replay
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.services.chat import Chat
from tui_orchestrator.ui.drawing import Drawn
from tui_orchestrator.ui.entries import Entry
from tui_orchestrator.ui.look import Look

PROMPT = "Count to six"
HALF = Say(text="One, two, thr", finish="length")
REST = Say(text="ee, four, five, six.")


async def half_asked(seat: Console) -> None:
    await seat.send("/model rush-pro")
    await seat.send(PROMPT)
    await seat.ended()
    await seat.sees("One, two, thr", "■ cut off", " goes on")
    await seat.send("/model auto")


async def test_the_continuation_reads_as_one_answer_with_what_both_cost(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().then(HALF, "rush-pro").always(REST)) as seat:
        await half_asked(seat)
        await seat.pilot.press("alt+a")
        await seat.sees("One, two, three, four, five, six.", "rush-pro", "in 2 parts", " + $", " = $")
        await seat.ended()
        assert seat.app.chat.text_at_hand() is not None
        seat.app.action_copy_answer()
        await seat.until(lambda: "three, four" in seat.app.clipboard, "the whole answer copied")
        session = seat.app.talk.id if seat.app.talk else ""
    async with console(tmp_path) as seat:
        assert seat.app.runtime is not None
        await seat.app._begin(await Chat.resume(seat.app.runtime, session))
        await seat.sees("One, two, three, four, five, six.", "in 2 parts", " + $", " = $")
        await seat.sees_no("superseded")


async def test_what_was_said_of_the_end_of_a_half_is_not_said_of_the_whole(tmp_path: Path) -> None:
    half = Say(text="Here it is:\n\n```python\ndef one() -> int:\n    ret", finish="length")
    rest = Say(text="urn 1\n```\n\nIt returns the number one, whatever it is asked.")
    script = Script().then(half, "rush-pro").always(rest)
    async with console(tmp_path, script=script) as seat:
        await seat.send("/model rush-pro")
        await seat.send("Write a Python function that returns one")
        await seat.ended()
        await seat.sees("■ cut off")
        seat.app.chat.notice("the answer is half of one")
        await seat.pilot.press("alt+a")
        await seat.sees("return 1", "in 2 parts")
        await seat.ended()
        await seat.sees_no("half of one")
        assert "block of code" not in seat.screen, "the halves by themselves have an open one"
        assert "below" not in seat.screen


async def test_it_is_offered_only_where_an_answer_was_cut_off(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().then(HALF, "rush-pro").always(REST)) as seat:
        await seat.pilot.press("alt+a")
        await seat.sees("The last answer was not cut off")
        await half_asked(seat)
        await seat.pilot.press("ctrl+p")
        await seat.pilot.press(*"continue the")
        await seat.sees("chat: continue the answer")
        await seat.pilot.press("enter")
        await seat.sees("five, six.")
        await seat.ended()
        await seat.pilot.press("ctrl+p")
        await seat.pilot.press(*"continue the")
        await seat.sees_no("chat: continue the answer")


async def test_the_menu_of_the_answer_offers_it(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().then(HALF, "rush-pro").always(REST)) as seat:
        await half_asked(seat)
        seat.app.chat.transcript.focus()
        seat.app.chat.transcript.mark(seat.app.chat.text_at_hand().key)  # type: ignore[union-attr]
        await seat.pilot.press("enter")
        await seat.sees("This answer", "go on where it stopped")
        await seat.pilot.press(*"go on", "enter")
        await seat.sees("One, two, three, four, five, six.")


async def test_another_model_is_named_where_it_takes_over(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().then(HALF, "rush-pro").always(REST)) as seat:
        await half_asked(seat)
        await seat.send("/continue tern-max")
        await seat.sees("One, two, thr", "— continued by tern-max —", "ee, four, five, six.", "rush-pro → tern-max")


async def test_what_a_failed_attempt_said_is_folded_and_the_beginning_stays(tmp_path: Path) -> None:
    wrong = Break("close", Phase.MID_STREAM, Say(text="WRONG " * 60))
    script = Script().then(HALF, "rush-pro").then(wrong, "rush-pro").then(Reply(401), "rush-pro").always(REST)
    async with console(tmp_path, script=script) as seat:
        await half_asked(seat)
        await seat.send("/continue")
        await seat.sees("One, two, thr", "discarded", "— continued by ", "ee, four, five, six.")
        await seat.ended()
        await seat.sees_no("WRONG")


async def test_a_cancelled_answer_goes_on_from_what_had_come(tmp_path: Path) -> None:
    script = Script().then(Break("silence", Phase.MID_STREAM, Say(text="word " * 100))).always(Say(text="the end."))
    async with console(tmp_path, script=script) as seat:
        await seat.send(PROMPT)
        await seat.sees("word word")
        await seat.pilot.press("escape")
        await seat.ended()
        await seat.sees("What had arrived is kept; /continue goes on where it stopped.")
        await seat.send("/continue")
        await seat.sees("the end.", "in 2 parts")


async def test_the_head_and_the_card_of_a_continued_answer_tell_that_it_came_to_its_end(tmp_path: Path) -> None:
    words = Break("silence", Phase.MID_STREAM, Say(text="word " * 100))
    script = Script().then(words).always(Say(text="the end."))
    async with console(tmp_path, script=script) as seat:
        await seat.send("/strategy quality")
        await seat.send(PROMPT)
        await seat.sees("word word")
        await seat.pilot.press("escape")
        await seat.ended()
        await seat.sees("■ cancelled", "goes on where it stopped")
        await seat.pilot.press("alt+a")
        await seat.ended()
        await seat.sees("the end.", "in 2 parts", "chosen · continue", "continues its own answer")
        assert "asked for" not in seat.screen
        with sqlite3.connect(tmp_path / "store.db") as store:
            booked = store.execute("SELECT strategy FROM attempts ORDER BY started").fetchall()
            decided = store.execute("SELECT strategy FROM decisions ORDER BY at").fetchall()
        assert booked == decided == [("quality",), ("continue",)]
        head = await seat.line("lumen-deep ■ ", " s → lumen-deep ✓")
        session = seat.app.talk.id if seat.app.talk else ""
    async with console(tmp_path) as seat:
        assert seat.app.runtime is not None
        await seat.app._begin(await Chat.resume(seat.app.runtime, session))
        await seat.sees(head.split("│")[1].strip(" ┃"), "in 2 parts")


async def test_an_answer_continued_by_a_pinned_model_is_told_and_booked_as_continued(tmp_path: Path) -> None:
    words = Break("silence", Phase.MID_STREAM, Say(text="word " * 100))
    script = Script().then(words).always(Say(text="the end."))
    async with console(tmp_path, script=script) as seat:
        await seat.send(PROMPT)
        await seat.sees("word word")
        await seat.pilot.press("escape")
        await seat.ended()
        await seat.send("/continue rush-pro")
        await seat.ended()
        await seat.sees("the end.", "in 2 parts", "chosen · continue", "is pinned and continues the answer")
        with sqlite3.connect(tmp_path / "store.db") as store:
            booked = store.execute("SELECT strategy FROM attempts ORDER BY started").fetchall()
            decided = store.execute("SELECT strategy FROM decisions ORDER BY at").fetchall()
        assert booked == decided == [("balanced",), ("continue",)]
        for strategy in Strategy:
            assert seat.app.decision.decision is not None
            decision = seat.app.decision.decision
            other = replay(replace(decision, pinned=False, asked=decision.asked.unpinned()), strategy)
            assert other.strategy_name == strategy


async def test_of_an_answer_that_broke_off_it_is_said_once_that_it_is_kept(tmp_path: Path) -> None:
    script = Script().then(Break("close", Phase.MID_STREAM, Say(text="word " * 100)), "rush-pro").always(REST)
    async with console(tmp_path, script=script) as seat:
        await seat.send("/model rush-pro")
        await seat.send(PROMPT)
        await seat.ended()
        await seat.sees("broke off before its end", "What had arrived is kept; /continue goes on where it stopped.")
        assert seat.screen.lower().count("what had arrived") == 1


def test_an_answer_that_is_reopened_is_drawn_whole() -> None:
    entry = Entry.answer("", growing=True)
    drawn = Drawn(entry)
    entry.append("One.\n\nTwo.\n\nThr")
    entry.growing = False
    drawn.refresh(80, inf)
    entry.rewrite("One.\n\nTwo.\n\nThr")
    entry.append("ee.\n\nFour.")
    drawn.refresh(80, inf)
    entry.growing = False
    drawn.refresh(80, inf)
    look = Look.of({})
    lines = [line.text for number in range(len(drawn.pieces)) for line in drawn.measure(number, 80, look)]
    assert lines == ["One.", "Two.", "Three.", "Four."]


async def test_words_on_both_sides_of_the_seam_are_found_in_the_chat_and_among_all_sessions(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().then(HALF, "rush-pro").always(REST)) as seat:
        await half_asked(seat)
        await seat.pilot.press("alt+a")
        await seat.sees("in 2 parts")
        await seat.ended()
        await seat.pilot.press("ctrl+f", *"two", "comma", "space", *"three", "comma", "space", *"four")
        await seat.sees("1 of 1")
        await seat.pilot.press("escape", "ctrl+n")
        await seat.sees("Where to?")
        await seat.pilot.press("ctrl+l")
        await seat.write("two five")
        await seat.sees("One, two, three, four, five, six.")
        await seat.pilot.press("enter")
        await seat.sees("in 2 parts", PROMPT)
