"""Somebody sits before a turn that a budget has stopped."""

from __future__ import annotations

import sqlite3
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.events import Paste

from tests.ui.conftest import Console, console, settle
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.money import Money

ANSWER = Script().always(Say(text="The capital of France is Paris."))
SIZES = ((160, 48), (100, 30), (80, 24))
TIGHT = Budgets(daily=Money.from_usd("0.0001"))


def calls(path: Path) -> int:
    with sqlite3.connect(path / "store.db") as connection:
        return int(connection.execute("SELECT COUNT(*) FROM attempts").fetchone()[0])


@asynccontextmanager
async def stopped(path: Path, size: tuple[int, int] = (160, 48)) -> AsyncIterator[Console]:
    """A prompt was sent, and the day's cap is in its way."""
    async with console(path, script=ANSWER, budgets=TIGHT, size=size) as seat:
        await seat.send("/model lumen-dash")
        await seat.send("What is the capital of France?")
        await seat.sees("too little", "Raise it to $")
        yield seat


async def test_the_question_says_which_cap_what_is_left_and_what_the_call_needs(tmp_path: Path) -> None:
    async with stopped(tmp_path) as seat:
        for size in SIZES:
            await seat.pilot.resize_terminal(*size)
            await settle(seat.pilot)
            said = ("lumen-dash", "could cost up to", "of $0.00010", "$0 spent", "$0.00010 left", "Enter", "Esc")
            await seat.sees(*said)
            assert calls(tmp_path) == 0


async def test_in_a_tiny_terminal_the_question_can_still_be_answered(tmp_path: Path) -> None:
    async with stopped(tmp_path, (40, 12)) as seat:
        await seat.sees("$0.00010 left")
        await seat.pilot.press("down")
        await seat.sees("▸ for today")
        await seat.pilot.press("enter")
        await seat.ended()
        assert calls(tmp_path) == 1


async def test_the_foot_says_what_enter_does_on_the_marked_row(tmp_path: Path) -> None:
    async with stopped(tmp_path) as seat:
        for size in ((160, 48), (80, 24)):
            await seat.pilot.resize_terminal(*size)
            await settle(seat.pilot)
            await seat.sees("Enter refuses the call · Esc refuses the call")
            for row, does in [("for today", "raises it for today"), ("for good", "raises it for good")]:
                await seat.pilot.press("down")
                await seat.sees(f"▸ {row}", f"↑↓ choose · Enter {does} · Esc refuses the call")
            await seat.pilot.press("up", "up")
            await seat.sees("▸ not at all", "Enter refuses the call")


AHEAD = {
    "Enter pressed twice": ("enter",),
    "words": (*"ok and for a good next question", "enter"),
    "a prompt that begins with a figure": (*"2 more things, 3.50 at most", "enter"),
    "figures": (*"250", "backspace", ".", "5", "enter"),
    "Up for an earlier prompt": ("up", "enter"),
    "Tab": ("tab", "9", "enter"),
}


async def test_keys_typed_ahead_refuse_the_call_and_raise_no_cap(tmp_path: Path) -> None:
    async with stopped(tmp_path) as seat:
        assert seat.app.runtime is not None
        budgets = seat.app.runtime.router.budgets
        for keys in AHEAD.values():
            await seat.sees("▸ not at all: nothing is called, the prompt stays in the history")
            amount = await seat.line("Raise it to $")
            *before, enter = ("space" if key == " " else "comma" if key == "," else key for key in keys)
            await seat.pilot.press(*before)
            await seat.sees("▸ not at all")
            assert await seat.line("Raise it to $") == amount
            assert calls(tmp_path) == 0
            await seat.pilot.press(enter)
            await seat.ended()
            await seat.sees("lumen-dash is pinned, but could cost")
            await seat.sees_no("Raise it to $")
            assert calls(tmp_path) == 0
            assert not (tmp_path / "home" / "config" / "config.toml").exists()
            assert seat.app.runtime.router.budgets == budgets
            # Nor for today alone: the next prompt is asked about again.
            await seat.begin_anew()
            await seat.send("And of Spain?")
            await seat.sees("Raise it to $", "of $0.00010")


async def test_a_paste_changes_no_amount_unless_a_way_that_raises_the_cap_is_marked(tmp_path: Path) -> None:
    async with stopped(tmp_path) as seat:
        amount = await seat.line("Raise it to $")
        seat.app.post_message(Paste("42"))
        await seat.pilot.pause()
        assert await seat.line("Raise it to $") == amount
        await seat.pilot.press("down")
        await seat.sees("or type another amount")
        seat.app.post_message(Paste("42"))
        await seat.sees("Raise it to $42")


async def test_for_today_raises_the_cap_for_the_day_and_the_turn_goes_on(tmp_path: Path) -> None:
    async with stopped(tmp_path) as seat:
        await seat.pilot.press("down")
        await seat.sees("▸ for today")
        await seat.pilot.press("enter")
        await seat.ended()
        await seat.sees("The capital of France is Paris", "for today")
        assert calls(tmp_path) == 1
        assert not (tmp_path / "home" / "config" / "config.toml").exists()


async def test_a_click_marks_and_one_on_the_frame_does_it(tmp_path: Path) -> None:
    async with stopped(tmp_path) as seat:
        await seat.click("for today")
        await seat.sees("▸ for today")
        await seat.click("not at all")
        await seat.sees("▸ not at all")
        await seat.click("for today")
        await seat.sees("▸ for today")
        assert calls(tmp_path) == 0
        await seat.click("Enter raises it for today")
        await seat.ended()
        await seat.sees("The capital of France is Paris", "for today")


async def test_letters_do_nothing_where_the_cap_would_be_raised_and_figures_only_there(tmp_path: Path) -> None:
    async with stopped(tmp_path) as seat:
        await seat.pilot.press("down")
        await seat.sees("▸ for today")
        await seat.pilot.press(*"3", *"kfg", *".5")
        await seat.sees("Raise it to $3.5 ", "▸ for today")
        await seat.pilot.press("up")
        await seat.sees("▸ not at all")
        await seat.pilot.press("9", "backspace", "up")
        await seat.sees("Raise it to $3.5 ", "▸ not at all")
        await seat.pilot.press("down", "enter")
        await seat.ended()
        await seat.sees("The capital of France is Paris", "the day's cap is $3.50 for today")


async def test_the_amount_for_the_whole_call_is_filled_in_and_raises_nothing_yet(tmp_path: Path) -> None:
    async with stopped(tmp_path) as seat:
        row = await seat.line("fill that in, for the whole call with all its tokens")
        whole = row.partition(" to $")[2].partition(":")[0]
        await seat.sees_no(f"Raise it to ${whole}")
        await seat.click("fill that in")
        await seat.sees("▸ to $")
        await seat.pilot.press("enter")
        await seat.sees(f"Raise it to ${whole.rstrip('0')}", "▸ for today")
        assert calls(tmp_path) == 0
        await seat.pilot.press("enter")
        await seat.ended()
        await seat.sees("The capital of France is Paris", f"the day's cap is ${whole} for today")


async def test_for_good_raises_it_in_the_users_own_file_which_keeps_its_comments(tmp_path: Path) -> None:
    file = tmp_path / "home" / "config" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('# mine\n[router]\nstrategy = "cheapest"  # thrifty\n')
    async with stopped(tmp_path) as seat:
        await seat.sees("budgets.daily_usd")
        await seat.pilot.press("down", "down")
        await seat.sees("▸ for good")
        await seat.pilot.press("enter")
        await seat.ended()
        await seat.sees("The capital of France is Paris", "from now on")
    written = file.read_text()
    assert written.startswith('# mine\n[router]\nstrategy = "cheapest"  # thrifty\n')
    assert 0.0001 < tomllib.loads(written)["budgets"]["daily_usd"] < 0.02
    assert seat.app.runtime is not None
    assert seat.app.runtime.router.budgets.daily == Money.from_usd(str(tomllib.loads(written)["budgets"]["daily_usd"]))


async def test_another_amount_must_be_enough_for_the_call(tmp_path: Path) -> None:
    async with stopped(tmp_path) as seat:
        await seat.pilot.press("down", *"0.0003", "enter")
        await seat.sees("The call needs a cap of at least $0.00")
        assert calls(tmp_path) == 0
        await seat.pilot.press("home", "delete", "2", "enter")
        await seat.ended()
        await seat.sees("The capital of France is Paris", "the day's cap is $2.00 for today")


async def test_esc_refuses_and_the_prompt_stays(tmp_path: Path) -> None:
    async with stopped(tmp_path) as seat:
        await seat.pilot.press("escape")
        await seat.ended()
        await seat.sees("What is the capital of France?", "lumen-dash is pinned, but could cost")
        await seat.sees_no("Raise it to $")
        assert calls(tmp_path) == 0


async def test_cancelling_the_turn_closes_the_question(tmp_path: Path) -> None:
    async with stopped(tmp_path) as seat:
        assert seat.app.cancel_turn()
        await seat.ended()
        await seat.sees_no("Raise it to $")
        await seat.sees("Cancelled")
        assert calls(tmp_path) == 0


async def test_cancelling_the_turn_leaves_what_lies_over_the_question(tmp_path: Path) -> None:
    async with stopped(tmp_path) as seat:
        await seat.pilot.press("f1")
        await seat.sees("A cap is in the way of a call")
        assert seat.app.cancel_turn()
        await seat.ended()
        await seat.sees("A cap is in the way of a call")
        await seat.pilot.press("escape")
        await seat.sees_no("Raise it to $")
        await seat.until(lambda: len(seat.app.screen_stack) == 1, "no dialog")
        assert calls(tmp_path) == 0


async def test_leaving_while_a_turn_waits_is_orderly(tmp_path: Path) -> None:
    async with stopped(tmp_path) as seat:
        seat.app.leave()
        await seat.until(lambda: seat.app.return_code == 0, "the end of the program")
    with sqlite3.connect(tmp_path / "store.db") as connection:
        assert connection.execute("SELECT text FROM messages WHERE role = 'user'").fetchall() == [
            ("What is the capital of France?",)
        ]
        assert connection.execute("SELECT COUNT(*) FROM reserved").fetchone() == (0,)


# -- an ensemble

DEAR = "rush-pro"
SMALL = Budgets(daily=Money.from_usd("0.003"))


@asynccontextmanager
async def all_stopped(path: Path) -> AsyncIterator[Console]:
    """Three models were to be asked at once, for whom together the day's cap has too little left."""
    async with console(path, script=ANSWER, budgets=SMALL) as seat:
        await seat.send("/chain rush-pro,lumen-dash,pebble-3b")
        await seat.send("/strategy ensemble")
        await seat.send("What is the capital of France?")
        await seat.sees("too little", "Raise it to $")
        yield seat


async def test_an_ensemble_that_does_not_fit_is_asked_about_once_and_as_a_whole(tmp_path: Path) -> None:
    async with all_stopped(tmp_path) as seat:
        for size in SIZES:
            await seat.pilot.resize_terminal(*size)
            await settle(seat.pilot)
            await seat.sees("lumen-dash, pebble-3b and rush-pro", "together", "$0.0030 left", "go on with lumen-dash")
            assert calls(tmp_path) == 0


async def test_raising_the_cap_for_an_ensemble_asks_all_of_it(tmp_path: Path) -> None:
    async with all_stopped(tmp_path) as seat:
        await seat.pilot.press("down", "down")
        await seat.sees("▸ for today")
        await seat.pilot.press("enter")
        await seat.ended()
        await seat.sees("rush-pro", "lumen-dash", "pebble-3b", "is the answer")
        assert calls(tmp_path) == 3


async def test_an_ensemble_goes_on_with_the_members_that_fit_and_the_other_says_why_it_does_not(tmp_path: Path) -> None:
    async with all_stopped(tmp_path) as seat:
        await seat.pilot.press("down")
        await seat.sees("▸ not: go on with lumen-dash")
        await seat.pilot.press("enter")
        await seat.ended()
        await seat.sees("✗ 3 rush-pro", "could cost $", "the day's cap has $0.00", "2 of 3 models at once")
        assert calls(tmp_path) == 2


@pytest.mark.parametrize("keys", [("escape",), (*"go on, 2 of them", "enter")], ids=["Esc", "typed ahead"])
async def test_esc_and_words_typed_ahead_ask_no_member_at_all_and_the_card_says_that_money_was_missing(
    tmp_path: Path, keys: tuple[str, ...]
) -> None:
    async with all_stopped(tmp_path) as seat:
        await seat.sees("▸ not at all: nobody is asked")
        await seat.pilot.press(*("space" if key == " " else "comma" if key == "," else key for key in keys))
        await seat.ended()
        await seat.sees("the models together do not fit into the budget")
        await seat.sees_no("no model can take this")
        assert calls(tmp_path) == 0


async def test_the_line_above_the_prompt_says_what_an_ensemble_costs_together(tmp_path: Path) -> None:
    async with console(tmp_path, script=ANSWER, size=(160, 48)) as seat:
        await seat.send("/chain rush-pro,lumen-dash,pebble-3b")
        await seat.send("/strategy ensemble")
        await seat.type("What is the capital of France?")
        await seat.until(lambda: seat.app.composer.decision is not None, "a decision about the draft")
        decision = seat.app.composer.decision
        assert decision is not None
        most = [c.cost_ceiling for c in decision.candidates if c.model in decision.chain]
        together = sum((one for one in most if one is not None), Money(0))
        await seat.sees(f"–{str(together).removeprefix('$')}")
