"""Pictures of what is chosen from and looked through: models to pin, and turns that came through the gateway."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.clock import ManualClock
from tests.ui.picturing import Console, both_sizes, sees
from tests.ui.test_snapshots import ROWS, tell
from tui_orchestrator.routing.money import Cost, CostState, Money
from tui_orchestrator.storage.traffic import Day, Passed, Traffic
from tui_orchestrator.ui import choosing, traffic
from tui_orchestrator.ui.dialogs import Picker
from tui_orchestrator.ui.traffic import TrafficScreen

USD = Money.from_usd


@pytest.mark.cells
@both_sizes
@pytest.mark.parametrize("without_colours", [False, True])
def test_models_to_pin(
    snap_compare: Any, monkeypatch: pytest.MonkeyPatch, without_colours: bool, size: tuple[int, int]
) -> None:
    if without_colours:
        monkeypatch.setenv("NO_COLOR", "1")
    rows = [replace(row, favourite=row.model.name == "gpt-6-luna") for row in ROWS]

    async def show(pilot: Pilot[Any]) -> None:
        await tell(pilot)
        choices = choosing.model_choices(rows, "lmstudio/qwen-9b")
        pilot.app.push_screen(Picker("Pin a model", choices, empty="", hint="Enter pins"))
        await sees(pilot, "Enter pins", "* openai/gpt-6-luna")

    assert snap_compare(Console("contrast"), terminal_size=size, run_before=show)


@pytest.mark.cells
@both_sizes
@pytest.mark.parametrize("any_came", [True, False])
def test_what_came_through_the_gateway(
    snap_compare: Any, monkeypatch: pytest.MonkeyPatch, any_came: bool, size: tuple[int, int]
) -> None:
    clock = ManualClock()

    def passed(number: int, state: Any, **told: Any) -> Passed:
        whole: dict[str, Any] = {
            "client": "aider/0.86", "asked_for": "auto", "model": "anthropic/claude-haiku-5.5", "error": "",
            "seconds": None, "tokens": None, "cost": None, "reason": "best balance of quality, cost and time for code",
        }  # fmt: skip
        return Passed(f"r{number}", clock.now() - timedelta(minutes=7 * number), state=state, **{**whole, **told})

    def paid(usd: str) -> Cost:
        return Cost(USD(usd), CostState.COMPUTED)

    came = (
        passed(0, "under way"),
        passed(1, "answered", seconds=3.1, tokens=1_212, cost=paid("0.0014")),
        passed(2, "failed", client="a-script", error="rate_limited", seconds=0.4, tokens=812, cost=paid("0")),
        passed(3, "no money", client="llm/0.28", asked_for="quality", model="openai/gpt-6-luna", cost=paid("0")),
        passed(4, "no model", client="llm/0.28", asked_for="openai/nobody", model=None, reason="nobody is not known"),
        passed(5, "cancelled", client="编辑器", seconds=1.0, tokens=90, cost=paid("0.0002")),
        passed(300, "broken off", client="continue/1.4"),
    )

    async def read(*asked: object) -> Traffic:
        return Traffic(came, Day(1, 3, 1, 2_114, USD("0.0016"))) if any_came else Traffic((), Day())

    async def version() -> int:
        return 1

    monkeypatch.setattr(traffic, "traffic", read)
    runtime: Any = SimpleNamespace(clock=clock, database=SimpleNamespace(version=version))

    async def show(pilot: Pilot[Any]) -> None:
        await tell(pilot)
        pilot.app.push_screen(TrafficScreen(runtime))
        await sees(pilot, "answered today", "broken off" if any_came else "No other program")

    assert snap_compare(Console("okabe-ito"), terminal_size=size, run_before=show)
