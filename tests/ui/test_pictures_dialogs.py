"""Pictures of the dialogs: a cap in the way, one line to write, a value to set, all of one model, its test, a new
provider."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from tests.ui.picturing import AT, SIZES, Console, in_turn, sees
from tests.ui.test_costs import attempt
from tests.ui.test_snapshots import tell
from tui_orchestrator.routing.ability import Learned
from tui_orchestrator.routing.budget import BudgetState, Cap, Shortage
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import Outcome
from tui_orchestrator.routing.experience import Figures, Lesson
from tui_orchestrator.routing.health import Health, HealthState
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.money import Cost, CostState, Money, Price, Rates, Tier
from tui_orchestrator.routing.profile import Ability, Level, TaskType
from tui_orchestrator.services import model_tests
from tui_orchestrator.services.model_figures import ModelFigures
from tui_orchestrator.services.model_tests import Outlook
from tui_orchestrator.storage.reports import Measured
from tui_orchestrator.ui.adding import Adding
from tui_orchestrator.ui.asking import Ask
from tui_orchestrator.ui.model_card import ModelCard
from tui_orchestrator.ui.model_test import ModelTest
from tui_orchestrator.ui.raising import Raising
from tui_orchestrator.ui.setting_field import Field

USD = Money.from_usd
HAIKU = "anthropic/claude-haiku-5.5"
FILE = "/home/ada/.config/tui-orchestrator/config.toml"


async def over_a_turn(pilot: Pilot[Any], dialog: Screen[Any], *texts: str) -> None:
    await tell(pilot)
    pilot.app.push_screen(dialog)
    await sees(pilot, *texts)


async def done(text: str) -> str:
    return ""


@in_turn(0)
def test_a_cap_in_the_way(snap_compare: Any, size: tuple[int, int]) -> None:
    state = BudgetState(Cap("day", "2026-11-21", USD("1")), USD("0.83"), USD("0.09"))
    shortage = Shortage(HAIKU, USD("0.21"), state, USD("0.12"))

    async def show(pilot: Pilot[Any]) -> None:
        await over_a_turn(pilot, Raising(shortage, f"budgets.daily_usd in {FILE}"), "Raise it to $", "for good")

    assert snap_compare(Console(), terminal_size=size, run_before=show)


@in_turn(1)
def test_a_line_that_will_not_do(snap_compare: Any, size: tuple[int, int]) -> None:
    problem = "/home/ada/trees.md is there already; Enter once more writes over it"

    async def show(pilot: Pilot[Any]) -> None:
        ask = Ask("Export", "trees.md", done, problem=problem, verb="Enter writes it")
        await over_a_turn(pilot, ask, "✗ ")

    assert snap_compare(Console("paper"), terminal_size=size, run_before=show)


@in_turn(0)
def test_a_value_that_is_checked_while_it_is_typed(snap_compare: Any, size: tuple[int, int]) -> None:
    note = "From which chance of a good answer on a model is good enough.\nA number from 0 to 1."

    async def show(pilot: Pilot[Any]) -> None:
        field = Field("router.quality_threshold", "0.7", note, lambda text: f"{text!r} is not a number", done)
        await over_a_turn(pilot, field, "A number")
        await pilot.press("x")
        await sees(pilot, "is not a number")

    assert snap_compare(Console("contrast"), terminal_size=size, run_before=show)


def figures() -> ModelFigures:
    prices = Price(
        Rates.from_usd("0.8", "4", "0.08"), (Tier(200_000, Rates.from_usd("1.6", "8")),), source="genai-prices"
    )
    month = Measured(
        ("model",), (HAIKU,), 41, 38, 2, USD("0.0512"), 0.42, 95.0, 3.1, 7.9, 12.0, cancelled=1, escalated=3
    )
    busy = attempt(
        outcome=Outcome.FAILED, error_kind=ErrorKind.RATE_LIMITED, error_message="Too many requests.", latency_s=0.4
    )
    return ModelFigures(
        Model(
            "anthropic", "claude-haiku-5.5", prices, 200_000, 64_000, abilities=frozenset(Ability),
            level=Level.ADVANCED, ability=0.71, task_abilities={TaskType.CODE: 0.05},
        ),
        "anthropic", "api.anthropic.com", ".env: ANTHROPIC_API_KEY", prices, AT,
        Health(HealthState.COOLING_DOWN, "3 failures", 12.0),
        "100 requests a minute, the default of a small model", "It is tried again by itself; a test tries it now.",
        None, True, Figures(41, 38, 2, 0.42, 95.0),
        Lesson(
            Learned(0.1, {TaskType.CODE: -0.3}),
            up={TaskType.CODE: 2}, down={TaskType.CODE: 1}, seen={TaskType.CODE: 3},
        ),
        month, (Measured(("task",), ("code",), 30, 29, 1, USD("0.04")),), (busy,), 4.0,
    )  # fmt: skip


@pytest.fixture
def in_utc() -> Iterator[None]:
    """Failures are told in the hours of the user's own day."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@in_turn(1)
def test_all_that_is_known_of_a_model(snap_compare: Any, in_utc: None, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        await over_a_turn(pilot, ModelCard(figures()), "per M tokens")

    assert snap_compare(Console(), terminal_size=size, run_before=show)


@pytest.mark.parametrize(("size", "asked"), [(SIZES[0], True), (SIZES[1], False)])
def test_a_test_before_and_after(
    snap_compare: Any, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], asked: bool
) -> None:
    async def run(runtime: object, model: str) -> model_tests.Tested:
        return model_tests.Tested(model, Cost(USD("0.00004"), CostState.COMPUTED), "ready", 0.4, 95.0, 0.6)

    why_not = "" if asked else "a cap on the day leaves $0.00001"
    monkeypatch.setattr(model_tests, "outlook", lambda runtime, model: Outlook(USD("0.00012"), why_not))
    monkeypatch.setattr(model_tests, "run", run)
    runtime: Any = None

    async def show(pilot: Pilot[Any]) -> None:
        await over_a_turn(pilot, ModelTest(runtime, HAIKU), "It costs at most")
        if asked:
            await pilot.press("down", "enter")
            await sees(pilot, "✓ ready")

    assert snap_compare(Console("okabe-ito"), terminal_size=size, run_before=show)


@in_turn(0)
def test_a_server_of_ones_own_is_added(snap_compare: Any, size: tuple[int, int]) -> None:
    runtime: Any = SimpleNamespace(demo=False)

    async def show(pilot: Pilot[Any]) -> None:
        await over_a_turn(pilot, Adding(runtime, "openai-compatible"), "Enter checks")
        pilot.app.screen.query_one("#key", Input).value = "sk-secret"
        await pilot.press("enter")
        await sees(pilot, "✗ give it a name")

    assert snap_compare(Console("ember"), terminal_size=size, run_before=show)
