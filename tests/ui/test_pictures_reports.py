"""Pictures of the reports over the whole screen, and of the change that a piece of advice proposes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.clock import ManualClock
from tests.ui.picturing import SIZES, Console, in_turn, sees
from tests.ui.test_experiments import findings
from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.services.advice import Advice, Score
from tui_orchestrator.services.changes import Change
from tui_orchestrator.services.recommendation import Kind, Recommendation
from tui_orchestrator.services.reporting import Performed, Spent
from tui_orchestrator.storage.reports import Measured, Savings, Span, Totals
from tui_orchestrator.ui import advice, reports
from tui_orchestrator.ui.advice import Proposal
from tui_orchestrator.ui.experiments import ExperimentsScreen, Starting
from tui_orchestrator.ui.report_views import Tab
from tui_orchestrator.ui.reports import ReportsScreen

USD = Money.from_usd
HAIKU, LUNA, QWEN = "anthropic/claude-haiku-5.5", "openai/gpt-6-luna", "lmstudio/qwen-9b"
CHANGE = Change((("rules.code.task_types", ("code",)), ("rules.code.primary", HAIKU)), f"send code to {HAIKU}")
FILE = Path("/home/ada/.config/tui-orchestrator/config.toml")


def sums(model: str, attempts: int, usd: str, **more: Any) -> Totals:
    cost = USD(usd)
    return Totals(
        model, attempts, attempts - 1, 1, 0, 2, attempts * 812, attempts * 400, cost=cost, computed=cost, keys=(model,),
        latency_us=attempts * 3_100_000, **more,
    )  # fmt: skip


SPENT = Spent(
    ("model",),
    Span(),
    (sums(HAIKU, 41, "0.0512", fell_back=1), sums(LUNA, 12, "0.0093", estimated=USD("0.001")), sums(QWEN, 9, "0")),
    replace(sums("", 62, "0.0605", estimated=USD("0.001")), keys=()),
    3,
    Savings(60, USD("0.0605"), USD("0.41")),
    "anthropic/claude-opus-5.5",
)
MEASURED = Performed(
    ("model", "task"),
    Span(),
    (
        Measured(
            ("model", "task"), (HAIKU, "code"), 41, 38, 2, USD("0.0512"), 0.42, 95.0, 3.1, 7.9, 12.0, cancelled=1,
            escalated=3, answers=35, answers_cost=USD("0.05"), voted_up=4, voted_down=1, confidence=0.86,
        ),
        Measured(("model", "task"), (LUNA, "math"), 12, 6, 6, USD("0.0093"), 0.9, 60.0, 4.4, 9.9, 9.9, answers=6),
        Measured(("model", "task"), (QWEN, "chat"), 9, 9, 0, ZERO, 1.2, 41.0, 6.0, 8.0, 8.8, answers=9),
    ),
)  # fmt: skip
CHEAPER = Recommendation(
    Kind.CHEAPER_MODEL,
    "Send code to claude-haiku-5.5 instead of claude-opus-5.5",
    "Of 31 answers to code each gave, 29 and 30 stood; one of haiku costs $0.0012, one of opus $0.021.",
    USD("0.61"),
    62,
    CHANGE,
)
RETRIES = Recommendation(
    Kind.RETRIES,
    "Do not ask gpt-6-luna twice",
    "Of 14 second attempts 1 gave an answer.",
    ZERO,
    14,
    Change((("router.retries.per_model", 0),), "go to the next model at once"),
)
ADVICE = Advice(420, 21, (CHEAPER, RETRIES), Score(0.62, 0.97, 180, USD("1.6"), USD("0.61")))


@pytest.mark.cells
@pytest.mark.parametrize("tab", ["costs", "performance", "advice"])
@pytest.mark.parametrize("size", SIZES)
def test_reports(snap_compare: Any, monkeypatch: pytest.MonkeyPatch, tab: Tab, size: tuple[int, int]) -> None:
    async def give(found: object) -> object:
        return found

    monkeypatch.setattr(reports, "spent", lambda *asked: give(SPENT))
    monkeypatch.setattr(reports, "performed", lambda *asked: give(MEASURED))
    monkeypatch.setattr(advice, "advise", lambda *asked: give(ADVICE))
    runtime: Any = SimpleNamespace(clock=ManualClock(), demo=False)

    async def show(pilot: Pilot[Any]) -> None:
        pilot.app.push_screen(ReportsScreen(runtime, tab))
        await sees(pilot, {"costs": "total", "performance": "success", "advice": "Do not ask"}[tab])

    theme = {"costs": "dusk", "performance": "paper", "advice": "ember"}[tab]
    assert snap_compare(Console(theme), terminal_size=size, run_before=show)


@in_turn(1)
def test_a_change_before_it_is_made(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        pilot.app.push_screen(Proposal(CHEAPER, CHANGE, FILE))
        await sees(pilot, "Enter writes this")

    assert snap_compare(Console("contrast"), terminal_size=size, run_before=show)


@in_turn(0)
def test_experiments(snap_compare: Any, size: tuple[int, int]) -> None:
    async def give(found: object) -> object:
        return found

    known = SimpleNamespace(all=lambda: give(findings()), running=None)
    database = SimpleNamespace(version=lambda: give(1))
    runtime: Any = SimpleNamespace(clock=ManualClock(), database=database, experiments=known)

    async def show(pilot: Pilot[Any]) -> None:
        pilot.app.push_screen(ExperimentsScreen(runtime))
        await sees(pilot, "B is better by 67 points", "Judged by")

    assert snap_compare(Console("dusk" if size[0] > 100 else "paper"), terminal_size=size, run_before=show)


@in_turn(1)
def test_starting_an_experiment(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        pilot.app.push_screen(Starting(SimpleNamespace()))  # type: ignore[arg-type]
        await sees(pilot, "Start an experiment", "unless a judge does")

    assert snap_compare(Console("ember"), terminal_size=size, run_before=show)
