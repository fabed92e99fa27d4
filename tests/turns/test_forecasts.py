"""What the budgets of a turn say of the time to come."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.events import Budget, Event
from tui_orchestrator.routing.money import Money
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.services.spending import overview
from tui_orchestrator.storage.course import Course

from .conftest import ask, events_of, running

CAPS = Budgets(session=Money.from_usd(90), daily=Money.from_usd(1), monthly=Money.from_usd(100))
AT = re.compile(r"at this rate the daily cap is reached at (\d\d:\d\d)")


def forecasts(events: Sequence[Event]) -> dict[str, str | None]:
    return {event.state.scope: event.forecast for event in events if isinstance(event, Budget)}


async def spend(runtime: Runtime, minutes: int = 3) -> list[Event]:
    """A dear turn every minute; the events of the last."""
    events: list[Event] = []
    for _ in range(minutes):
        assert isinstance(runtime.clock, ManualClock)
        runtime.clock.advance(60)
        events = await events_of(runtime, ask(model="demo-anthropic/tern-max", use_cache=False))
    return events


async def test_a_budget_says_when_its_cap_is_reached_as_soon_as_that_can_be_told(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", budgets=CAPS) as (runtime, _):
        assert set(forecasts(await spend(runtime, 2)).values()) == {None}
        told = forecasts(await spend(runtime, 1))
        assert told["session"] is None, "its cap is far"
        assert AT.fullmatch(told["day"] or "")
        assert (await overview(runtime, "s")).forecasts == {scope: said for scope, said in told.items() if said}


async def test_what_was_spent_before_the_start_counts_at_once(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", budgets=CAPS) as (runtime, _):
        before = forecasts(await spend(runtime))["day"]
    async with running(tmp_path / "s.db", budgets=CAPS) as (runtime, _):
        assert isinstance(runtime.clock, ManualClock)
        runtime.clock.advance(180)
        after = forecasts(await events_of(runtime, ask(model="demo-gemini/lumen-dash")))["day"]
    assert before
    assert after
    assert AT.fullmatch(after)
    assert after <= before


async def test_no_disk_is_read_for_a_forecast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path / "s.db", budgets=CAPS) as (runtime, _):
        monkeypatch.delattr(Course, "lately")
        assert AT.fullmatch(forecasts(await spend(runtime))["day"] or "")
