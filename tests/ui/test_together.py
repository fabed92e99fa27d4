"""Someone picks among the answers of an ensemble, goes on with one, has one written from all, or does not wait."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from rich.console import RenderableType
from textual.screen import Screen

from tests.ui.conftest import Console, console
from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.routing.events import Cause
from tui_orchestrator.routing.request import Method
from tui_orchestrator.services.chat import Chat
from tui_orchestrator.ui.columns import Columns
from tui_orchestrator.ui.painting import Painted

PROMPT = "What is the capital of France?"


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path / "store.db") as connection:
        return connection.execute(query).fetchall()


def members(seat: Console) -> tuple[str, ...]:
    """Whom an ensemble would ask."""
    app = seat.app
    assert app.runtime is not None
    assert app.talk is not None
    return app.runtime.preview(app.talk.request(PROMPT, (), app.options)).chain


async def ensemble(seat: Console, script: Script, *, blind: bool = False) -> list[str]:
    """Asks three models, each of which says a sentence of its own. Returns their ids in the order they were asked."""
    await seat.send("/ensemble 3")
    if blind:
        await seat.send("/blind on")
    chain = members(seat)
    for place, model in enumerate(chain, 1):
        script.then(Say(text=f"Sentence number {place} is mine."), model.split("/")[1])
    await seat.send(PROMPT)
    await seat.ended()
    await seat.sees(*(f"Sentence number {place} is mine." for place in (1, 2, 3)))
    return list(chain)


async def merge(seat: Console, path: Path, model: str) -> None:
    """Has this model write one answer from all, chosen with what it costs."""
    await seat.pilot.press("f2", "m")
    await seat.sees("One answer from all, written by", "at most $")
    await seat.pay_for(model)
    await seat.until(lambda: len(rows(path, "SELECT 1 FROM attempts")) == 4, "the synthesis")
    await seat.ended()


def loser(seat: Console, chain: list[str]) -> int:
    """The place over the column of one that did not win."""
    winner = seat.app.talk.last.model if seat.app.talk and seat.app.talk.last else ""
    return 1 if winner != chain[0] else 2


async def test_the_key_bar_names_the_next_answer_and_one_is_picked_by_the_number_over_its_column(
    tmp_path: Path,
) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        chain = await ensemble(seat, script)
        place = loser(seat, chain)
        standing = seat.app.talk.last if seat.app.talk else None
        views = seat.app.screen.query(Painted)
        assert len(views) == 5
        gutters = [view.gutter for view in views]
        assert not any(gutter.top or gutter.bottom for gutter in gutters), "their rows would be shifted"
        await seat.pilot.press("f2")
        await seat.sees("→ Next")
        await seat.pilot.press(str(place))
        await seat.sees(f"▲ {place} {chain[place - 1].partition('/')[2]}")
        picked = rows(tmp_path, "SELECT model FROM observations WHERE sign = 'pick' AND outcome = 1")
        assert picked == [(chain[place - 1],)]
        assert seat.app.talk is not None
        assert seat.app.talk.last == standing, "a pick is a vote and changes no answer"
        await seat.pilot.press("d")
        await seat.sees("→ Next", "Differences")


async def test_the_conversation_goes_on_with_one_member_which_is_pinned(tmp_path: Path) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        chain = await ensemble(seat, script)
        place = loser(seat, chain)
        name = chain[place - 1].partition("/")[2]
        await seat.pilot.press("f2", *(["right"] * 3))
        await seat.until(lambda: seat.app.chat.columns.has_focus_within)
        seat.app.chat.columns.transcript(place).focus()
        await seat.pilot.pause()
        await seat.pilot.press("c")
        await seat.sees(f"★ {name}", f"Sentence number {place} is mine.")
        stood = {model.partition("/")[2] for model in chain} - {name}
        because = f": you went on with that of {name}"
        await seat.until(lambda: any(f"discarded text of {one}{because}" in seat.screen for one in stood), because)
        script.always(Say(text="Only me now."))
        await seat.send("And of Spain?")
        await seat.ended()
        await seat.sees("Only me now.")
        assert rows(tmp_path, "SELECT model FROM attempts ORDER BY started DESC, rowid DESC LIMIT 1") == [
            (chain[place - 1],)
        ]
        assert seat.app.talk is not None
        sent = seat.app.talk.request("x").messages
        assert sent[1].text == f"Sentence number {place} is mine."
        session = seat.app.talk.id
    async with console(tmp_path) as seat:
        assert seat.app.runtime is not None
        await seat.app._begin(await Chat.resume(seat.app.runtime, session))
        await seat.sees(f"Sentence number {place} is mine.")
        assert seat.screen.count(f"Sentence number {place} is mine.") == 1


async def test_a_blind_vote_hides_whose_answers_they_are_and_makes_the_picked_one_the_answer(tmp_path: Path) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        chain = await ensemble(seat, script, blind=True)
        await seat.sees("answer 1", "answer 2", "answer 3", "Which answer is the best?")
        names = [model.partition("/")[2] for model in chain]
        shown = seat.screen
        assert not any(name in shown for name in names)
        assert "tok/s" not in shown
        assert "confidence" not in shown
        await seat.pilot.press("alt+w")
        await seat.sees("Press the number over the best answer")
        place = next(one.place for one in seat.app.chat.columns.members if one.number == 2)
        await seat.pilot.press(str(place))
        await seat.sees(f"▲ {place} {names[1]}", *names, "tok/s")
        assert rows(tmp_path, "SELECT model FROM observations WHERE sign = 'pick' AND outcome = 1") == [(chain[1],)]
        assert seat.app.talk is not None
        assert seat.app.talk.last is not None
        assert seat.app.talk.last.response == "Sentence number 2 is mine."
        assert "decision" in seat.app.visible_panes, "the panes that would have told are back"


async def test_a_blind_ensemble_nobody_picked_from_is_revealed_by_the_next_prompt(tmp_path: Path) -> None:
    script = Script()
    policy = Policy(verdict=Method.VOTE)
    async with console(tmp_path, script=script, policy=policy) as seat:
        await ensemble(seat, script)
        await seat.sees("Which answer is the best?")
        await seat.send("/verdict weighted")
        script.always(Say(text="All of us say this."))
        await seat.send("And of Spain?")
        await seat.ended()
        await seat.sees("All of us say this.", "is the answer")
        await seat.pilot.press("f7")
        await seat.sees("Sentence number", "confidence")
        assert rows(tmp_path, "SELECT 1 FROM observations WHERE sign = 'pick'") == []


async def test_those_still_at_work_are_ended_by_a_key_and_the_others_judged(tmp_path: Path) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        await seat.send("/ensemble 3")
        slow = members(seat)[0].split("/")[1]
        script.always(Break("silence", Phase.MID_STREAM, Say(text="word " * 100)), slow)
        await seat.send(PROMPT)
        await seat.until(lambda: len(seat.app.chat.columns.answers) == 2, "two answers")
        await seat.sees("word word")
        await seat.pilot.press("f2", "e")
        await seat.ended()
        await seat.sees("■ 1", "is the answer")
        outcomes = rows(tmp_path, "SELECT outcome FROM attempts ORDER BY number")
        assert outcomes == [("cancelled",), ("finished",), ("finished",)]
        await seat.pilot.press("escape")
        await seat.send("/enough")
        await seat.sees("No ensemble is running.")


async def test_one_answer_written_from_all_by_a_model_chosen_with_its_cost_is_gone_to(tmp_path: Path) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        chain = await ensemble(seat, script)
        script.always(Say(text="It is all of it in one."))
        await merge(seat, tmp_path, chain[0])
        await seat.sees("It is all of it in one.", "superseded answer")
        (last,) = rows(tmp_path, "SELECT cause, model, cost FROM attempts ORDER BY rowid DESC LIMIT 1")
        assert last[:2] == (Cause.SYNTHESIS.value, chain[0])
        assert last[2]
        assert seat.app.talk is not None
        assert [message.text for message in seat.app.talk.request("x").messages] == [
            PROMPT,
            "It is all of it in one.",
            "x",
        ]
        assert rows(tmp_path, "SELECT 1 FROM observations WHERE sign = 'regenerated'") == []
        await seat.until(lambda: seat.app.chat.transcript.has_focus, "the focus in the conversation")
        await seat.pilot.press("up", "enter")
        await seat.sees("why this model, and what it took")
        await seat.pilot.press("escape")

        # The columns say that it is the conversation's.
        told = "★ The merged answer is the conversation's · best of these: "
        await seat.pilot.press("f7")
        await seat.sees("writes one answer from all", told)
        await seat.pilot.press("c")
        await seat.sees("the conversation has gone")
        assert seat.app.composer.prompt.text == ""
        session = seat.app.talk.id
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?")
        await seat.app._open_id(session)
        await seat.sees("writes one answer from all", told)
        assert all(f"Sentence number {place} is mine." in seat.app.chat.columns.source(place) for place in (1, 2, 3))


async def test_f2_and_f7_go_into_the_columns_and_what_follows_is_drawn_at_its_own_width(tmp_path: Path) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        await ensemble(seat, script)
        # The key that shows the columns takes the focus there.
        await seat.pilot.press("f7")
        await seat.sees("▸ discarded")
        assert seat.app.focused is seat.app.composer.prompt
        await seat.pilot.press("f7")
        await seat.sees("is the answer")
        await seat.pilot.press("3")
        await seat.until(lambda: bool(rows(tmp_path, "SELECT 1 FROM observations WHERE sign = 'pick'")), "the pick")
        assert seat.app.composer.prompt.text == ""

        # F2 in the columns leaves their letters the keys they are.
        seat.app.composer.prompt.focus()
        await seat.pilot.press("f2", "f2", "m")
        await seat.sees("One answer from all, written by")
        assert not seat.app.composer.prompt.text
        await seat.pilot.press("escape")

        # What follows an ensemble is drawn at its own width from the first.
        frames, display = list[str](), seat.app._display

        def shown(screen: Screen[object], drawn: RenderableType | None) -> None:
            frames.extend(strip.text for strip in screen._compositor.render_strips() if "Type a prompt." in strip.text)
            display(screen, drawn)

        seat.app._display = shown  # type: ignore[method-assign]
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?")
        greeting = (await seat.line("Type a prompt.")).split("│")[1]
        drawn = {line.split("│")[1] for line in frames}
        assert greeting in drawn
        assert {line for line in drawn if len(line) == len(greeting)} == {greeting}


async def test_the_columns_tell_the_verdict_again_where_nothing_could_be_merged(tmp_path: Path) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        chain = await ensemble(seat, script)
        script.always(Reply(400))
        await merge(seat, tmp_path, chain[0])
        await seat.pilot.press("f7")
        await seat.sees("is the answer · weighted")
        await seat.sees_no("writes one answer from all")


async def test_without_an_ensemble_nothing_is_put_together_or_judged(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Say(text="Paris."))) as seat:
        # There is nothing to put together without an ensemble.
        await seat.send("/merge")
        await seat.sees("There are no answers to be put together")
        await seat.send("/verdict best")
        await seat.sees("no verdict is called 'best'")
        seat.app.composer.prompt.text = ""
        await seat.send("/blind maybe")
        await seat.sees("/blind takes on or off")

        # Judging is offered only where several answers are.
        await seat.begin_anew()
        await seat.send(PROMPT)
        await seat.ended()
        await seat.pilot.press("ctrl+p")
        await seat.pilot.press(*"judge the")
        await seat.sees_no("ensemble: have a model judge the answers")
        await seat.pilot.press("escape")
        await seat.send("/judge")
        await seat.sees("There are no answers to be judged")


async def test_a_model_chosen_with_its_cost_judges_the_answers_afterwards(tmp_path: Path) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        chain = await ensemble(seat, script)
        place = loser(seat, chain)
        script.always(Say(text=f"{place}: it says the most."))
        await seat.pilot.press("ctrl+p")
        await seat.pilot.press(*"judge the")
        await seat.sees("ensemble: have a model judge the answers")
        await seat.pilot.press("enter")
        await seat.sees("Which answer is the best, judged by", "at most $", "gave answer 1 itself")
        await seat.pay_for("rush-pro")
        await seat.sees(
            f"★ {place} ", "is the answer · judge · ", "it says the most", "rush-pro was asked which answer"
        )
        assert seat.screen.count("★ 1") + seat.screen.count("★ 2") == 1, "the other one is no winner any more"
        await seat.ended()
        await seat.sees_no("asking rush-pro")
        (last,) = rows(tmp_path, "SELECT cause, model, cost FROM attempts ORDER BY rowid DESC LIMIT 1")
        assert last[0] == Cause.JUDGE.value
        assert str(last[1]).endswith("/rush-pro")
        assert last[2]
        assert seat.app.talk is not None
        sent = [message.text for message in seat.app.talk.request("x").messages]
        assert sent == [PROMPT, f"Sentence number {place} is mine.", "x"]
        session = seat.app.talk.id
    async with console(tmp_path) as seat:
        assert seat.app.runtime is not None
        await seat.app._begin(await Chat.resume(seat.app.runtime, session))
        await seat.sees(f"Sentence number {place} is mine.", "the judge named that of")


async def test_a_judge_that_names_none_or_has_no_room_leaves_the_verdict_as_it_was(tmp_path: Path) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        await ensemble(seat, script)
        standing = seat.app.talk.last if seat.app.talk else None
        script.always(Say(text="They are all fine."))
        await seat.send("/judge rush-pro")
        await seat.sees("The judge, rush-pro, named no answer. Spent: $", "is the answer · weighted")
        await seat.ended()
        assert seat.app.talk is not None
        assert seat.app.talk.last == standing
        assert rows(tmp_path, "SELECT count(*) FROM messages WHERE role = 'user'") == [(1,)]

        # One that no budget has room for is not asked.
        await seat.send("/cost 0.0000001")
        await seat.send("/judge rush-pro")
        await seat.sees("The request's cap has too little left")
        await seat.pilot.press("escape")
        await seat.sees("No judge: ", "is the answer · weighted")
        await seat.ended()
        assert rows(tmp_path, "SELECT count(*) FROM attempts WHERE cause = 'judge'") == [(1,)], "the first"
        assert seat.app.talk.last == standing


@pytest.mark.parametrize(("size", "spent", "best"), [((100, 30), "", ""), ((80, 24), " $", " the best: $")])
async def test_what_a_judge_cost_and_that_it_named_none_is_seen_in_a_small_terminal_too(
    tmp_path: Path, size: tuple[int, int], spent: str, best: str
) -> None:
    script = Script()
    async with console(tmp_path, script=script, size=size) as seat:
        await seat.send("/ensemble 3")
        for place, model in enumerate(members(seat), 1):
            script.then(Say(text=f"Sentence number {place} is mine."), model.split("/")[1])
        await seat.send(PROMPT)
        await seat.ended()
        script.always(Say(text="They are all fine."))
        await seat.send("/judge rush-pro")
        await seat.sees(f"The judge, rush-pro, named no answer. Spent:{spent}", "is the answer · weighted")
        await seat.ended()
        script.always(Say(text="2: it says the most."))
        await seat.pilot.press("f2", "z", "j")
        await seat.sees("Which answer is the best, judged by")
        await seat.pay_for("rush-pro")
        await seat.sees(f"rush-pro was asked which answer is{best}", "★ 2", "is the answer · judge")
        await seat.sees_no("named no answer")


async def test_the_answers_of_a_resumed_session_are_judged_as_if_they_had_just_come(tmp_path: Path) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        chain = await ensemble(seat, script)
        place = loser(seat, chain)
        assert seat.app.talk is not None
        session = seat.app.talk.id
    later = Script().always(Say(text=f"{place}: it says the most."))
    async with console(tmp_path, script=later) as seat:
        assert seat.app.runtime is not None
        await seat.app._begin(await Chat.resume(seat.app.runtime, session))
        await seat.until(lambda: seat.app.chat.has_ensemble, "the ensemble that was")
        await seat.sees(*(f"Sentence number {number} is mine." for number in (1, 2, 3)), "is the answer · weighted")
        await seat.send("/judge rush-pro")
        await seat.sees(f"★ {place} ", "is the answer · judge · ", "rush-pro was asked which answer is the best: $")
        await seat.ended()
        assert seat.app.talk is not None
        sent = [message.text for message in seat.app.talk.request("x").messages]
        assert sent == [PROMPT, f"Sentence number {place} is mine.", "x"]
    async with console(tmp_path) as seat:
        assert seat.app.runtime is not None
        await seat.app._begin(await Chat.resume(seat.app.runtime, session))
        await seat.until(lambda: seat.app.chat.has_ensemble, "the ensemble that was")
        await seat.sees(f"★ {place} ", "is the answer · as it was kept")


@pytest.mark.cells(1)
@pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 48)])
async def test_going_on_with_one_member_gives_its_room_back_to_the_conversation(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    script = Script()
    async with console(tmp_path, script=script, size=size) as seat:
        await seat.send("/ensemble 3")
        script.always(Say(text="All of us say this."))
        await seat.send(PROMPT)
        await seat.ended()
        await seat.pilot.press("f2")
        await seat.until(lambda: seat.app.chat.columns.has_focus_within, "the focus in the columns")
        await seat.pilot.press("c")
        await seat.until(lambda: seat.app.composer.prompt.has_focus, "the focus in the prompt")
        await seat.sees(PROMPT, "All of us say this.")
        chat = seat.app.chat
        await seat.until(lambda: chat.transcript.size.height > chat.size.height - 3, "a transcript that fills its pane")


@pytest.mark.cells(1)
@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_the_keys_of_an_ensemble_work_on_when_the_verdict_turns_to_the_winner(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    may_end = asyncio.Event()

    async def sleep(seconds: float) -> None:
        if seconds:
            await may_end.wait()

    script = Script()
    async with console(tmp_path, script=script, size=size, sleep=sleep) as seat:
        await seat.send("/ensemble 3")
        first, *others = (model.split("/")[1] for model in members(seat))
        # What one reads is the worst of them, and is done last.
        script.always(Say(text="I am not sure, I do not know.", gap_s=1), first)
        for other in others:
            script.always(Say(text="Paris is the capital of France, on the Seine. " * 4), other)
        await seat.send(PROMPT)
        columns = seat.app.chat.columns
        await seat.until(lambda: columns.display, "the columns")
        await seat.pilot.press("f2")
        await seat.until(lambda: columns.has_focus_within, "the focus in the columns")
        may_end.set()
        await seat.ended()
        await seat.sees("★")
        await seat.until(lambda: columns.has_focus_within, "the focus in the columns")
        await seat.sees("Zoom", "Differences")
        shown = columns.current
        assert shown is not None
        await seat.pilot.press("right")
        await seat.until(lambda: columns.current is not shown, "the next answer")
        await seat.pilot.press("d")
        await seat.until(lambda: columns.has_focus_within, "the focus where it was")
        assert seat.app.composer.prompt.text == ""


async def test_the_star_goes_to_the_answer_that_was_picked_blindly(tmp_path: Path) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        chain = await ensemble(seat, script, blind=True)
        await seat.sees("Which answer is the best?")
        columns = seat.app.chat.columns
        told = columns.told
        assert told is not None
        number = next(one.number for one in columns.members if one.number != told.winner)
        place = next(one.place for one in columns.members if one.number == number)
        await seat.pilot.press("f2", str(place))
        picked, weighed = (chain[n - 1].partition("/")[2] for n in (number, told.winner))
        await seat.sees(f"★ {picked} is the answer · picked by you; weighed best: {weighed}")
        await seat.sees(f"★ ▲ {place} {picked}")
        assert f"★ {weighed}" not in seat.screen


async def test_an_ensemble_says_how_many_it_asks_and_is_ended_only_while_it_is_at_work(tmp_path: Path) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        await seat.send("/ensemble 3")
        script.always(Break("silence", Phase.CONNECT, Say(text="nothing")))
        await seat.send(PROMPT)
        await seat.sees("asking 3 models")
        await seat.pilot.press("f2")
        await seat.sees("Zoom", "Enough")
        await seat.pilot.press("escape")
        await seat.ended()
        await seat.sees("Zoom")
        await seat.sees_no("Enough")


async def test_a_terminal_made_low_leaves_the_focus_in_the_chat(tmp_path: Path) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        await ensemble(seat, script)
        await seat.click("consensus")
        await seat.until(lambda: seat.app.focused is not None and seat.app.focused.id == "verdict", "its focus")
        await seat.pilot.resize_terminal(100, 14)
        await seat.sees("→ Next")
        await seat.pilot.press("z")
        assert seat.app.composer.prompt.text == "", "the key goes to the answers"


async def test_a_member_that_failed_is_shown_as_it_was_when_the_session_is_opened_again(tmp_path: Path) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        await seat.send("/ensemble 3")
        first, *others = (model.split("/")[1] for model in members(seat))
        script.always(Break("close", Phase.MID_STREAM, Say(text="A beginning that breaks off. " * 3)), first)
        for other in others:
            script.always(Say(text="Paris is the capital of France, on the Seine."), other)
        await seat.send(PROMPT)
        await seat.ended()
        await seat.sees("★", "A beginning", "✗ demo-", "broke off")
        session = seat.app.talk.id if seat.app.talk else ""
        await seat.pilot.press("ctrl+n")
        await seat.until(lambda: not seat.app.chat.has_ensemble, "a new session")
        await seat.app._open_id(session)
        await seat.until(lambda: seat.app.chat.has_ensemble, "the ensemble that was")
        await seat.sees(f"✗ 1 {first}", "A beginning", "✗ demo-", "broke off", "~$")
        assert "was not asked" not in seat.screen


async def opened_again(seat: Console, session: str) -> None:
    await seat.pilot.press("ctrl+n")
    await seat.until(lambda: not seat.app.chat.has_ensemble, "a new session")
    await seat.app._open_id(session)


async def test_a_blind_vote_that_was_left_open_is_still_to_be_given_after_a_restart(tmp_path: Path) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        chain = await ensemble(seat, script, blind=True)
        session = seat.app.talk.id if seat.app.talk else ""
        await opened_again(seat, session)
        await seat.sees("Which answer is the best?", "Press 1 or 2 or 3 to pick it")
    names = [model.split("/")[1] for model in chain]
    async with console(tmp_path) as seat:
        await seat.app._open_id(session)
        await seat.sees(PROMPT, "Which answer is the best?", *(f"Sentence number {n} is mine." for n in (1, 2, 3)))
        assert not any(name in seat.screen for name in names)
        await seat.pilot.press("f2", "2")
        await seat.sees("▲ 2 ", "is the answer · picked by you", *names)
        picked = next(member.model for member in seat.app.chat.columns.members if member.place == 2)
        seat.app.chat.show_columns(False)
        await seat.sees(f"{picked} · demo-", f"{picked} ★")
        assert sum("Sentence number" in line for line in seat.screen.splitlines()) == 1, "the others are folded"
        await opened_again(seat, session)
        await seat.until(lambda: seat.app.chat.has_ensemble, "the ensemble that was")
        await seat.sees("▲ ", *names)
        assert "Which answer is the best?" not in seat.screen
        assert seat.app.talk is not None
        assert seat.app.talk.last is not None
        assert seat.app.talk.last.model.endswith(picked)


async def test_a_blind_vote_that_was_left_open_may_be_left_for_good(tmp_path: Path) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        await ensemble(seat, script, blind=True)
        session = seat.app.talk.id if seat.app.talk else ""
    script.always(Say(text="Madrid."))
    async with console(tmp_path, script=script) as seat:
        await seat.app._open_id(session)
        await seat.sees("Which answer is the best?")
        await seat.send("And of Spain?")
        await seat.ended()
        seat.app.chat.show_columns(False)
        await seat.sees("Madrid.", "Sentence number", "★")


@pytest.mark.cells(1)
@pytest.mark.parametrize("size", [(160, 48), (80, 24)])
async def test_an_ensemble_stands_side_by_side_again_as_it_was_left(tmp_path: Path, size: tuple[int, int]) -> None:
    script = Script()
    sentences = tuple(f"Sentence number {n} is mine." for n in (1, 2, 3))
    shown = sentences if size[0] == 160 else ("is the answer · weighted",)
    async with console(tmp_path, script=script, size=size) as seat:
        await seat.send("/ensemble 3")
        for model, sentence in zip(members(seat), sentences, strict=True):
            script.then(Say(text=sentence), model.split("/")[1])
        await seat.send(PROMPT)
        await seat.ended()
        await seat.sees("is the answer · weighted")
        session = seat.app.talk.id if seat.app.talk else ""
        await opened_again(seat, session)
        await seat.sees(*shown, "F7 Side by side")
        await seat.pilot.press("f7")
        await seat.sees("▸ discarded", PROMPT, "F7 Side by side")
        await opened_again(seat, session)
        await seat.sees("▸ discarded", PROMPT, "F7 Side by side")
        assert not seat.app.chat.columns.display
    async with console(tmp_path, size=size) as seat:
        await seat.app._open_id(session)
        await seat.sees(*shown)


async def test_an_ensemble_of_which_one_answered_comes_back_too(tmp_path: Path) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        await seat.send("/ensemble 3")
        first, *others = (model.split("/")[1] for model in members(seat))
        script.always(Say(text="Paris is the capital of France, on the Seine."), first)
        for other in others:
            script.always(Reply(401), other)
        await seat.send(PROMPT)
        await seat.ended()
        await seat.sees(f"★ 1 {first}", *(f"✗ {n} " for n in (2, 3)))
        session = seat.app.talk.id if seat.app.talk else ""
        await opened_again(seat, session)
        await seat.sees(f"★ 1 {first}", *(f"✗ {n} " for n in (2, 3)), "is the answer")


async def test_an_ensemble_that_was_cancelled_comes_back_too(tmp_path: Path) -> None:
    script = Script().always(Break("silence", Phase.MID_STREAM, Say(text="word " * 30)))
    async with console(tmp_path, script=script) as seat:
        await seat.send("/ensemble 3")
        await seat.send(PROMPT)
        await seat.sees("word word")
        await seat.pilot.press("escape")
        await seat.ended()
        session = seat.app.talk.id if seat.app.talk else ""
        await opened_again(seat, session)
        await seat.sees("■ 1 ", "■ 2 ", "■ 3 ", "word word")


@pytest.mark.cells
@pytest.mark.parametrize("best", [True, False])
@pytest.mark.parametrize("blind", [True, False])
async def test_what_the_columns_say_of_a_pick_they_say_when_the_session_is_opened_again(
    tmp_path: Path, best: bool, blind: bool
) -> None:
    script = Script()
    async with console(tmp_path, script=script) as seat:
        chain = await ensemble(seat, script, blind=blind)
        session = seat.app.talk.id if seat.app.talk else ""
        columns = seat.app.chat.columns
        told = columns.told
        assert told is not None
        number = next(one.number for one in columns.members if (one.number == told.winner) == best)
        place = next(one.place for one in columns.members if one.number == number)
        picked, weighed = (chain[n - 1].partition("/")[2] for n in (number, told.winner))
        if blind:
            await seat.pilot.press("f2", str(place))
        else:
            columns.post_message(Columns.GoOn(number))
            await seat.until(lambda: f"★ {picked}" in seat.screen.splitlines()[0], "its model pinned")
        said = f"picked by you; weighed best{' too' if best else f': {weighed}'}" if blind or not best else "weighted"
        seat.app.chat.show_columns(True)
        await seat.sees(f"{picked} is the answer · {said}")
        await opened_again(seat, session)
        await seat.until(lambda: seat.app.chat.has_ensemble, "the ensemble that was")
        seat.app.chat.show_columns(True)
        await seat.sees(f"{picked} is the answer · {said}")
