"""Answers that run while another session is on the screen."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.turns.test_parted import QUESTION, report
from tests.ui.conftest import Console, console
from tests.ui.test_killed import left_by_a_kill
from tests.ui.test_turns import GOOD, PROMPT, STALLING
from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.routing.budget import Budgets, GoOn, Shortage
from tui_orchestrator.routing.decision import Decision
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.request import Request
from tui_orchestrator.ui.chat import ChatPane

OTHER = "How do binary trees stay balanced?"
BALANCED = "By **rotations**, after each insertion."
SIZES = [(160, 48), (100, 30), (80, 24)]


class Taps:
    """Answers that come piece by piece as they are let, each from the tap that its `gap_s` names."""

    def __init__(self) -> None:
        self._let: dict[float, int] = defaultdict(int)
        self._given: dict[tuple[object, float], int] = defaultdict(int)
        """By connection and tap."""
        self._more = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        if seconds >= 1:
            answer = (asyncio.current_task(), seconds)
            self._given[answer] += 1
            while self._given[answer] > self._let[seconds]:
                await self._more.wait()

    def let(self, tap: float, pieces: int = 10_000) -> None:
        """So many more of each answer."""
        self._let[tap] += pieces
        self._more.set()
        self._more = asyncio.Event()


def said(word: str, count: int = 60, tap: float = 1) -> Say:
    """'alpha1 alpha2 …'"""
    return Say(text=" ".join(f"{word}{number}" for number in range(1, count + 1)), gap_s=tap)


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path / "store.db") as connection:
        return connection.execute(query).fetchall()


async def reads(seat: Console, text: str) -> None:
    """Where there is no room for toasts: in the line over the prompt, however it is broken."""
    await seat.until(lambda: text in " ".join(seat.screen.split()), text)


async def begun(seat: Console, taps: Taps, word: str = "alpha", prompt: str = PROMPT, tap: float = 1) -> None:
    """The first words of an answer stand there, and no more come."""
    await seat.send(prompt)
    taps.let(tap, 3)
    await seat.sees(f"{word}1 ", "Esc cancels")


@pytest.mark.cells(1)
@pytest.mark.parametrize("size", SIZES)
async def test_one_goes_on_elsewhere_while_an_answer_runs_and_comes_back_to_it_as_it_streams(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    taps, script = Taps(), Script().always(said("alpha"), "rush-pro").always(Say(text=BALANCED), "lumen-dash")
    async with console(tmp_path, script=script, sleep=taps.sleep, size=size) as seat:
        await seat.send("/model rush-pro")
        await begun(seat, taps)
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?", "◐ 1 runs elsewhere · Ctrl+B")
        assert "alpha1" not in seat.screen
        await seat.send("/model lumen-dash")
        await seat.send(OTHER)
        await seat.ended()
        await seat.sees("By rotations, after each insertion.", "lumen-dash", "◐ 1 runs elsewhere · Ctrl+B")
        taps.let(1, 3)
        await seat.pilot.press("ctrl+b")
        await seat.sees(PROMPT, "alpha1 ", "rush-pro is answering", "Esc cancels")
        assert "rotations" not in seat.screen
        assert "elsewhere" not in seat.screen
        taps.let(1)
        await seat.ended()
        await seat.sees("alpha60", "confidence")
        assert rows(tmp_path, "SELECT outcome FROM attempts") == [("finished",)] * 2
        kept = rows(tmp_path, "SELECT state FROM messages WHERE role = 'assistant'")
        assert kept == [("complete",)] * 2


async def test_what_comes_while_one_is_elsewhere_is_there_when_one_is_back(tmp_path: Path) -> None:
    hedging = "I'm not sure, but I think it might possibly be this. I could be wrong. Perhaps. I don't know really."
    taps = Taps()
    script = Script().always(Reply(429), "rush-mini").always(Say(text=hedging, gap_s=1), "tern-lite")
    script.always(said("gamma", tap=2), "rush-pro").always(Say(text=BALANCED), "lumen-dash")
    async with console(tmp_path, script=script, sleep=taps.sleep) as seat:
        await seat.send("/chain rush-mini, tern-lite, rush-pro")
        await seat.send(PROMPT)
        taps.let(1, 2)
        await seat.sees("I'm not sure", "rush-mini ✗ 429")
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?")
        await seat.send("/model lumen-dash")
        await seat.send(OTHER)
        await seat.ended()
        taps.let(1)
        taps.let(2, 3)
        own = seat.app.elsewhere[0].chat
        await seat.until(lambda: "rush-pro" in own._live.activity if own._live else False, "the third at work")
        await seat.pilot.press("ctrl+b")
        await seat.sees("gamma1", "tern-lite ~", "rush-pro ◐", "▸ discarded", "of tern-lite", "Esc cancels")
        # The card tells of this turn too.
        await seat.line("~ 2 tern-lite (fallback)")
        taps.let(2)
        await seat.ended()
        await seat.sees("gamma60", "rush-pro ✓")
        await seat.line("✓ 3 rush-pro (escalation)")


async def test_where_the_header_has_no_room_the_line_above_the_prompt_tells_of_other_sessions(tmp_path: Path) -> None:
    taps, script = Taps(), Script().always(said("alpha"), "rush-pro").always(Say(text=BALANCED), "lumen-dash")
    async with console(tmp_path, script=script, sleep=taps.sleep, size=(40, 10)) as seat:
        await seat.send("/model rush-pro")
        await seat.send(PROMPT)
        taps.let(1, 3)
        await seat.sees("alpha1 ", "is answering")
        await seat.pilot.press("ctrl+n")
        await seat.until(lambda: any(line.endswith("◐ 1 Ctrl+B") for line in seat.screen.splitlines()), "the mark")
        await seat.type("Which tree is balanced by rotations?")
        line = await seat.line("→ ", "◐ 1 Ctrl+B")
        assert cell_len(line) <= 40
        await seat.pilot.resize_terminal(80, 24)
        await seat.sees("◐ 1 runs elsewhere · Ctrl+B")
        await seat.sees_no("◐ 1 Ctrl+B")
        await seat.pilot.resize_terminal(80, 15)
        await seat.sees("◐ 1 Ctrl+B")
        await seat.pilot.press("ctrl+b")
        await seat.sees_no("◐ 1 Ctrl+B")
        taps.let(1)
        await seat.ended()


async def test_each_session_has_its_own_columns(tmp_path: Path) -> None:
    taps, script = Taps(), Script().always(said("alpha", tap=1))
    async with console(tmp_path, script=script, sleep=taps.sleep) as seat:
        await seat.send("/ensemble 3")
        await seat.send(PROMPT)
        taps.let(1, 3)
        await seat.until(lambda: seat.screen.count("alpha1 ") == 3, "three columns")
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?")
        assert "alpha1" not in seat.screen
        script.always(said("beta", tap=2))
        await seat.send(OTHER)
        taps.let(2, 3)
        await seat.until(lambda: seat.screen.count("beta1 ") == 3, "three columns of its own")
        taps.let(1)
        await seat.sees("● 1 has ended elsewhere · Ctrl+B")
        await seat.pilot.press("ctrl+b")
        await seat.until(lambda: seat.screen.count("alpha60") >= 3, "three whole columns")
        await seat.sees("★ ", "◐ 1 runs elsewhere")
        await seat.pilot.press("ctrl+b")
        await seat.until(lambda: seat.screen.count("beta1 ") == 3, "those of the other")
        taps.let(2)
        await seat.ended()
        await seat.until(lambda: seat.screen.count("beta60") >= 3, "three whole columns")


async def test_a_blind_ensemble_hides_the_other_panes_only_while_it_is_on_the_screen(tmp_path: Path) -> None:
    taps, script = Taps(), Script().always(said("alpha"))
    async with console(tmp_path, script=script, sleep=taps.sleep) as seat:
        await seat.send("/ensemble 3")
        await seat.send("/verdict vote")
        await seat.send(PROMPT)
        taps.let(1, 3)
        await seat.until(lambda: seat.screen.count("alpha1 ") == 3, "three columns")
        await seat.sees_no("╭─ Costs")
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?", "╭─ Costs")
        taps.let(1)
        await seat.sees("● 1 has ended elsewhere")
        await seat.pilot.press("f4", "f6")
        await seat.until(lambda: seat.screen.count("until your vote") == 3, "three attempts without names")
        await seat.pilot.press("f6", "f2", "escape")
        await seat.send("/whatif cheapest")
        await seat.sees("╭─ What if")
        await seat.pilot.press("up", "right")
        await seat.sees("1 left out until your vote")
        assert "Who goes where" not in seat.screen
        await seat.pilot.press("escape", "ctrl+b")
        await seat.sees_no("╭─ Costs")
        await seat.sees("alpha60")
        assert not any(name in seat.screen for name in ("rush-pro", "lumen-dash", "tern-"))
        await seat.pilot.press("f2", "2")
        await seat.sees("╭─ Costs", "▲ the best of them")
        await seat.sees_no("until your vote")


async def test_esc_cancels_only_what_runs_on_the_screen(tmp_path: Path) -> None:
    taps, script = Taps(), Script().always(said("alpha"))
    async with console(tmp_path, script=script, sleep=taps.sleep, size=(58, 24)) as seat:
        await begun(seat, taps)
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?")
        await seat.pilot.press("escape", "escape")
        await seat.sees("◐ 1 runs elsewhere")
        await seat.pilot.press("ctrl+c")
        await reads(seat, "Press Ctrl+C again to quit; what is typed is kept, and what runs elsewhere is cancelled.")
        assert seat.app.at_work
        await seat.pilot.press("ctrl+b")
        await seat.sees("alpha1", "Esc cancels")
        await seat.pilot.press("escape")
        await seat.ended()
        await seat.sees("■ ", "cancelled")
        assert rows(tmp_path, "SELECT outcome FROM attempts") == [("cancelled",)]


async def open_list(seat: Console) -> None:
    await seat.pilot.press("ctrl+l")
    await seat.sees("╭─ Sessions", " in all")


@pytest.mark.cells(2)
@pytest.mark.parametrize("size", SIZES)
async def test_the_list_marks_what_runs_and_what_nobody_has_seen(tmp_path: Path, size: tuple[int, int]) -> None:
    taps, script = Taps(), Script().always(said("alpha"))
    async with console(tmp_path, script=script, sleep=taps.sleep, size=size) as seat:
        await begun(seat, taps)
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?")
        await open_list(seat)
        await seat.line("◐ What is the capital of France?")
        await seat.line("◐ an answer is running · 2 messages")
        taps.let(1)
        await seat.line("● What is the capital of France?")
        await seat.line("● not seen yet · 2 messages")
        await seat.pilot.press("enter")
        await seat.sees("alpha60", "confidence")
        await seat.sees_no("elsewhere")
        await open_list(seat)
        await seat.line("▸ What is the capital of France?")
        assert "not seen" not in seat.screen


async def test_the_list_opens_what_runs_and_neither_deletes_nor_forks_it(tmp_path: Path) -> None:
    taps, script = Taps(), Script().then(Say(text=BALANCED)).always(said("alpha"))
    async with console(tmp_path, script=script, sleep=taps.sleep) as seat:
        await seat.send(OTHER)
        await seat.ended()
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?")
        await begun(seat, taps)
        await open_list(seat)
        await seat.pilot.press("down", "d")
        refused = "An answer is still running in 'What is the capital of France?': it can be "
        await seat.sees(f"{refused}deleted once that is over")
        await seat.pilot.press("f")
        await seat.sees(f"{refused}forked once that is over")
        await seat.pilot.press("down", "f")
        await seat.sees(
            "binary trees stay balanced? (fork)", "By rotations, after each insertion.", "◐ 1 runs elsewhere"
        )
        await open_list(seat)
        await seat.pilot.press(*"capital")
        await seat.sees("1 of 3")
        await seat.pilot.press("enter")
        await seat.sees("alpha1 ", "Esc cancels")
        taps.let(1)
        await seat.ended()
        await seat.sees("alpha60")


async def test_how_a_turn_ended_elsewhere_is_said_once_in_a_line(tmp_path: Path) -> None:
    taps = Taps()
    script = Script().always(Break("close", Phase.MID_STREAM, said("alpha")), "rush-pro")
    script.always(said("beta", tap=2), "tern-lite")
    async with console(tmp_path, script=script, sleep=taps.sleep, size=(58, 24)) as seat:
        await seat.send("/model rush-pro")
        await begun(seat, taps)
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?")
        taps.let(1)
        await reads(seat, "✗ 'What is the capital of France?' failed, ")
        await seat.sees("● 1 has ended elsewhere")
        await seat.send("/model tern-lite")
        await begun(seat, taps, "beta", OTHER, 2)
        await seat.pilot.press("ctrl+b")
        await seat.sees(f"▌ {PROMPT}", "alpha1", "◐ 1 runs elsewhere")
        taps.let(2)
        await reads(seat, "✓ 'How do binary trees stay balanced?' is answered: $")
        await seat.sees("● 1 has ended elsewhere")


async def test_a_question_about_a_cap_waits_until_its_session_is_on_the_screen(tmp_path: Path) -> None:
    taps, script = Taps(), Script().always(Reply(429), "rush-mini").always(Say(text=GOOD), "rush-pro")
    script.always(said("alpha"), "tern-lite")
    async with console(
        tmp_path,
        script=script,
        sleep=taps.sleep,
        budgets=Budgets(daily=Money.from_usd("0.0001")),
        size=(58, 24),
    ) as seat:
        gate = asyncio.Event()
        assert seat.app.runtime is not None
        router = seat.app.runtime.router
        ask = router.ask_for_room
        assert ask is not None

        async def later(shortage: Shortage) -> Money | GoOn | None:
            await gate.wait()
            return await ask(shortage)

        router.ask_for_room = later
        await seat.send("/model rush-pro")
        await seat.send(PROMPT)
        await seat.sees("waiting for you")
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?", "◐ 1 runs elsewhere")
        await seat.pilot.press(*"half a ")
        gate.set()
        await reads(seat, "waits for you: the day's cap has too little left. Ctrl+B goes there.")
        await seat.sees("? 1 asks elsewhere · Ctrl+B")
        await seat.pilot.press(*"thought")
        assert seat.written == "half a thought"
        await open_list(seat)
        await seat.line("? waits for you · ")
        await seat.pilot.press("escape", "ctrl+b")
        await seat.sees("Raise it to $", "▸ not at all")
        await seat.pilot.press("down", "enter")
        await seat.ended()
        await seat.sees("on the Seine.")


async def test_a_temporary_chat_that_was_left_can_be_gone_back_to_and_leaves_no_trace(tmp_path: Path) -> None:
    taps, script = Taps(), Script().always(said("alpha"))
    async with console(tmp_path, script=script, sleep=taps.sleep, size=(58, 24)) as seat:
        await seat.pilot.press("alt+t")
        await seat.sees("◌ temporary")
        await begun(seat, taps)
        await seat.type("between us")
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?", "◐ 1 runs elsewhere")
        assert seat.app.composer.prompt.text == ""
        taps.let(1)
        await reads(seat, "✓ The temporary chat is answered: $")
        await seat.sees("● 1 has ended elsewhere")
        await seat.type("something else")
        await seat.pilot.press("ctrl+b")
        await seat.sees("◌ temporary", "alpha60", PROMPT)
        assert seat.written == "between us"
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?")
        await seat.sees_no("1 has ended")
        assert seat.written == "something else"
        for table in ("sessions", "messages"):
            assert rows(tmp_path, f"SELECT * FROM {table}") == []
        assert rows(tmp_path, "SELECT text FROM drafts") == [("something else",)]
        assert len(rows(tmp_path, "SELECT * FROM attempts")) == 1


async def two_running(seat: Console, taps: Taps) -> None:
    await begun(seat, taps)
    await seat.pilot.press("ctrl+n")
    await seat.sees("Where to?")
    await begun(seat, taps, prompt=OTHER, tap=2)


async def test_leaving_the_program_ends_all_answers_in_order(tmp_path: Path) -> None:
    taps, script = Taps(), Script().then(said("alpha")).always(said("alpha", tap=2))
    async with console(tmp_path, script=script, sleep=taps.sleep) as seat:
        await two_running(seat, taps)
        await seat.app._leave(0)
    assert rows(tmp_path, "SELECT outcome FROM attempts") == [("cancelled",)] * 2
    assert rows(tmp_path, "SELECT * FROM open_calls") == []
    assert rows(tmp_path, "SELECT state FROM messages WHERE role = 'assistant'") == [("interrupted",)] * 2


async def test_two_answers_that_the_program_was_killed_in_both_come_back_as_interrupted(tmp_path: Path) -> None:
    taps, script = Taps(), Script().then(said("alpha")).always(said("alpha", tap=2))
    async with console(tmp_path, script=script, sleep=taps.sleep) as seat:
        await two_running(seat, taps)
        await seat.until(
            lambda: len(rows(tmp_path, "SELECT * FROM messages WHERE role = 'assistant'")) == 2, "both as they grow"
        )
        killed = left_by_a_kill(tmp_path)
    async with console(killed) as seat:
        for prompt in (PROMPT, OTHER):
            await open_list(seat)
            await seat.pilot.press(*prompt.split()[-1].strip("?"))
            await seat.sees("1 of 2")
            await seat.pilot.press("enter")
            await seat.sees(f"▌ {prompt}", "alpha1", "■ interrupted", "Alt+A goes on")


async def test_each_session_keeps_its_draft_and_what_went_out_does_not_come_back(tmp_path: Path) -> None:
    taps, script = Taps(), Script().always(said("alpha"))
    async with console(tmp_path, script=script, sleep=taps.sleep) as seat:
        await seat.type(PROMPT)
        await seat.until(lambda: rows(tmp_path, "SELECT text FROM drafts") == [(PROMPT,)], "a kept draft")
        await seat.pilot.press("enter", "ctrl+n")
        await seat.sees("Where to?", "◐ 1 runs elsewhere")
        assert seat.app.composer.prompt.text == ""
        await seat.type("something else")
        await seat.pilot.press("ctrl+b")
        taps.let(1, 3)
        await seat.sees("alpha1 ")
        await seat.type("and then?")
        await seat.pilot.press("ctrl+n")
        await seat.until(lambda: seat.written == "something else", "its own draft")
        taps.let(1)
        await seat.sees("● 1 has ended elsewhere")
        await seat.pilot.press("ctrl+b")
        await seat.until(lambda: seat.written == "and then?", "its own draft")
        await seat.until(
            lambda: sorted(rows(tmp_path, "SELECT text FROM drafts")) == [("and then?",), ("something else",)]
        )


async def test_the_costs_of_both_are_summed_and_the_session_s_own_are_its_own(tmp_path: Path) -> None:
    taps, script = Taps(), Script().always(Say(text=BALANCED), "rush-pro").always(said("alpha"), "tern-max")
    async with console(tmp_path, script=script, sleep=taps.sleep) as seat:
        await seat.send("/model tern-max")
        await begun(seat, taps)
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?")
        taps.let(1)
        await seat.sees("● 1 has ended elsewhere")
        [(cost,)] = rows(tmp_path, "SELECT cost FROM attempts")
        spent = str(Money(int(str(cost))))
        await seat.line("day", spent)
        assert spent not in await seat.line("✓ session", "$0")
        await seat.sees("tern-max")


async def test_the_judge_of_an_ensemble_can_be_left_alone(tmp_path: Path) -> None:
    taps, script = Taps(), Script().always(Say(text=GOOD))
    async with console(tmp_path, script=script, sleep=taps.sleep) as seat:
        await seat.send("/ensemble 3")
        await seat.send(PROMPT)
        await seat.ended()
        script.always(Say(text="2\nIt says where on the river it lies.", gap_s=1))
        await seat.send("/judge rush-pro")
        await seat.sees("asking rush-pro which answer is the best")
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?", "◐ 1 runs elsewhere")
        taps.let(1)
        await seat.sees("● 1 has ended elsewhere")
        assert "rush-pro was asked" not in seat.screen
        await seat.pilot.press("ctrl+b")
        await seat.sees("rush-pro was asked which answer is the best: $")


async def test_a_session_that_runs_and_one_that_stalls_are_gone_between_by_one_key(tmp_path: Path) -> None:
    taps, script = Taps(), Script().always(STALLING)
    async with console(tmp_path, script=script, sleep=taps.sleep) as seat:
        await seat.pilot.press("ctrl+b")
        await seat.sees("No answer runs in another session.")
        for prompt in (PROMPT, OTHER):
            await seat.send(prompt)
            await seat.sees(f"▌ {prompt}", "word word")
            await seat.pilot.press("ctrl+n")
            await seat.sees("Where to?")
        await seat.sees("◐ 2 run elsewhere · Ctrl+B")
        await seat.pilot.press("ctrl+b")
        await seat.sees(f"▌ {OTHER}", "◐ 1 runs elsewhere")
        await seat.pilot.press("ctrl+b")
        await seat.sees(f"▌ {PROMPT}", "◐ 1 runs elsewhere")
        await seat.pilot.press("escape")
        await seat.ended()
        await seat.sees("cancelled", "◐ 1 runs elsewhere")
        await seat.pilot.press("ctrl+b")
        await seat.sees(f"▌ {OTHER}")
        await seat.pilot.press("escape")
        await seat.ended()
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?")
        await seat.until(lambda: len(seat.app.query(ChatPane)) == 1, "nothing kept of what is over")


async def test_a_prompt_too_long_for_any_model_is_asked_about_once_its_session_is_on_the_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(tmp_path, script=Script().always(Say(text="All rooms are in good order."))) as seat:
        runtime, may_decide = seat.app.runtime, asyncio.Event()
        assert runtime is not None
        decide = runtime.decide

        async def decide_late(request: Request) -> Decision:
            await may_decide.wait()
            return await decide(request)

        monkeypatch.setattr(runtime, "decide", decide_late)
        await seat.send("/model pebble-3b")
        await seat.send(f"{QUESTION}\n\n{report()}")
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?", "◐ 1 runs elsewhere")
        may_decide.set()
        await seat.sees("? 1 asks elsewhere · Ctrl+B")
        await seat.pilot.press(*"half")
        assert seat.written == "half"
        await seat.pilot.press("ctrl+b")
        await seat.sees("Longer than pebble-3b's context", "▸ not at all")
        await seat.pilot.press("down", "enter")
        await seat.ended()
        await seat.sees("All rooms are in good order.", "read in 4 parts")


async def test_what_was_left_in_a_wide_terminal_is_laid_out_for_the_one_it_comes_back_in(tmp_path: Path) -> None:
    taps, script = Taps(), Script().always(said("alpha", 300))
    async with console(tmp_path, script=script, sleep=taps.sleep) as seat:
        await begun(seat, taps)
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?")
        taps.let(1, 40)
        await seat.pilot.resize_terminal(80, 24)
        await seat.sees_no("╭─ Costs")
        await seat.pilot.press("ctrl+b")
        await seat.until(lambda: seat.app.chat.transcript.following, "the end")
        taps.let(1)
        await seat.ended()
        await seat.sees("alpha299 alpha300", "confidence")
        assert all(line.rstrip().endswith(("│", "╮", "╯")) for line in seat.screen.splitlines()[1:20])
