"""What a person sees when a cap is nearly spent, and of the advice."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.services.ledgers import keep, ledger
from tests.ui.conftest import console
from tui_orchestrator.routing.budget import Budgets, BudgetState, Cap
from tui_orchestrator.routing.events import Budget
from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.routing.request import Message, Request
from tui_orchestrator.settings import UiSettings
from tui_orchestrator.storage.alerts import AlertLog, Said
from tui_orchestrator.storage.database import Database
from tui_orchestrator.ui import alerting
from tui_orchestrator.ui.bars import alert_mark
from tui_orchestrator.ui.reports import ReportsScreen

USD = Money.from_usd
NEARLY = Budgets(session=USD("1000"), daily=USD("2"), alert_at=(0.0001, 0.9))
"""The day's, reached by any answer."""
SENTENCE = "82% of the day's cap is spent: $4.10 of $5.00, $0.900 left"


def state(scope: str, spent: str, limit: str | None) -> BudgetState:
    return BudgetState(Cap(scope, "p", None if limit is None else USD(limit)), USD(spent), ZERO, (0.5, 0.8))


@pytest.mark.parametrize(
    ("states", "mark"),
    [
        ([state("day", "0.4", "1"), state("month", "9", None)], ("", False)),
        ([state("day", "0.6", "1"), state("month", "8.2", "10")], ("! month 82%", False)),
        ([state("day", "1", "1"), state("month", "9", "10")], ("✗ day spent", True)),
        ([state("month model:openai/gpt-6", "9", "10")], ("! gpt-6 90%", False)),
    ],
)
def test_the_header_tells_of_the_cap_nearest_to_its_end(states: list[BudgetState], mark: tuple[str, bool]) -> None:
    assert alert_mark(states) == mark


async def test_an_alert_stands_in_the_chat_in_a_toast_and_in_the_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerting, "TOAST_S", 3600)  # gone by itself before a busy machine has come to look
    async with console(tmp_path, budgets=NEARLY) as seat:
        await seat.send("hello")
        await seat.ended()
        await seat.sees("! day 0%", "of the day's cap is spent: $")
        said = [entry.source for entry in seat.app.chat.transcript.entries if "day's cap" in entry.source]
        toasts = [toast.message for toast in seat.app._notifications if "day's cap" in toast.message]
        assert len(said) == len(toasts) == 1
        await seat.send("hello again")
        await seat.ended()
        assert len([entry for entry in seat.app.chat.transcript.entries if "day's cap" in entry.source]) == 1


async def test_a_console_that_is_opened_later_does_not_say_it_again(tmp_path: Path) -> None:
    async with console(tmp_path, budgets=NEARLY) as seat:
        await seat.send("hello")
        await seat.ended()
        await seat.sees("of the day's cap is spent: $")
    async with console(tmp_path, budgets=NEARLY) as seat:
        await seat.sees("! day 0%")
        assert seat.app.runtime is not None
        await seat.app.runtime.alerts.settle()
        assert "of the day's cap is spent" not in seat.screen


async def test_an_idle_console_says_what_another_copy_has_said(tmp_path: Path) -> None:
    async with console(tmp_path, budgets=NEARLY) as seat:
        async with Database(tmp_path / "store.db") as other:
            said = Said("day", "2026-11-21", 0.8, USD("5"), USD("4.1"))
            assert await AlertLog(other).claim(said, datetime.now(UTC))
        seat.app._hear_others()
        await seat.sees("82% of the day's cap is spent: $4.10 of $5.00")


@pytest.mark.parametrize(
    ("focused", "spent", "wanted", "asked"),
    [
        (True, "4.1", True, []),  # one is looking at it
        (False, "4.1", True, [f"\x1b]9;tui-orchestrator: {SENTENCE}\x1b\\"]),
        (False, "4.1", False, []),
        (False, "4.1", "bell", ["\x07"]),
        (True, "5", "bell", ["\x07"]),  # spent: that is told wherever one looks
    ],
)
async def test_the_terminal_is_asked_to_notify_when_one_looks_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, focused: bool, spent: str, wanted: Any, asked: list[str]
) -> None:
    monkeypatch.setenv("TERM_PROGRAM", "iTerm.app")
    for name in ("TMUX", "STY", "KITTY_WINDOW_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    async with console(tmp_path, ui=UiSettings(notifications=wanted)) as seat:
        runtime = seat.app.runtime
        assert runtime is not None
        written: list[str] = []
        driver: Any = seat.app._driver
        with monkeypatch.context() as patch:
            # As if a real terminal were there: what is written to it beside the screen is caught.
            patch.setattr(type(seat.app), "is_headless", False)
            patch.setattr(driver, "write", written.append)
            seat.app.app_focus = focused
            runtime.alerts.hear(Budget("r", datetime.now(UTC), state("day", spent, "5")))
            await runtime.alerts.settle()
        assert [text for text in written if text.startswith(("\x1b]9;", "\x07"))] == asked


DEAR_AND_CHEAP = "40 × code/4 demo-openai/rush-pro ✓ 0.10\n40 × code/4 demo-openai/rush-mini ✓ 0.01"


async def advised(path: Path, text: str) -> None:
    async with Database(path / "store.db") as db:
        await keep(db, ledger(text, start=datetime.now(UTC) - timedelta(days=4)))


async def test_enter_on_advice_writes_it_into_the_file_and_it_holds_at_once(tmp_path: Path) -> None:
    await advised(tmp_path, DEAR_AND_CHEAP)
    async with console(tmp_path) as seat:
        runtime = seat.app.runtime
        assert runtime is not None
        seat.app.push_screen(ReportsScreen(runtime, "advice"))
        await seat.sees("Optimisation score", "Send code to demo-openai/rush-mini", "a month", "Enter: send code")
        await seat.pilot.press("enter")
        await seat.sees("[rules.advice-code]", "Enter keeps it")
        await seat.pilot.press("enter")
        await seat.until(lambda: runtime.router.rules, "a rule that holds")
        file = tmp_path / "home" / "config" / "config.toml"
        assert tomllib.loads(file.read_text())["rules"]["advice-code"]["primary"] == "demo-openai/rush-mini"
        decision = runtime.preview(Request((Message("user", "Write a Python function that merges two sorted lists"),)))
        assert (decision.model, decision.rule) == ("demo-openai/rush-mini", "advice-code")
        await seat.sees("✓ Send code to")


async def test_t_tries_it_for_this_run_alone_and_esc_leaves_it(tmp_path: Path) -> None:
    await advised(tmp_path, "30 × math/6 demo-openai/rush-mini ✗ 0.02, demo-openai/rush-pro ✓ 0.05")
    async with console(tmp_path) as seat:
        runtime = seat.app.runtime
        assert runtime is not None
        seat.app.push_screen(ReportsScreen(runtime, "advice"))
        await seat.sees("Switch demo-openai/rush-mini off")
        await seat.pilot.press("enter")
        await seat.sees("enabled = false")
        await seat.pilot.press("escape")
        await seat.sees_no("enabled = false")
        assert runtime.is_enabled("demo-openai/rush-mini")
        await seat.pilot.press("enter")
        await seat.sees("enabled = false")
        await seat.pilot.press("t")
        await seat.until(lambda: not runtime.is_enabled("demo-openai/rush-mini"), "the model switched off")
        assert not (tmp_path / "home" / "config" / "config.toml").exists()


async def test_too_few_attempts_are_said(tmp_path: Path) -> None:
    async with console(tmp_path, size=(80, 24)) as seat:
        assert seat.app.runtime is not None
        seat.app.push_screen(ReportsScreen(seat.app.runtime, "advice"))
        await seat.sees("0 attempts so far; advice begins at about 20.")
