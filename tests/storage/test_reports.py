from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clock import ManualClock
from tui_orchestrator.routing.events import Attempt, Outcome
from tui_orchestrator.routing.money import ZERO, Cost, CostState, Money, Price, Rates, Tier, Usage
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger
from tui_orchestrator.storage.reports import Grouping, Period, Reports, Totals

from .samples import ATTEMPT, attempt, costing

FIELD: dict[Grouping, str] = {
    "model": "model",
    "provider": "provider",
    "task": "task_type",
    "strategy": "strategy",
    "day": "day",
    "session": "session",
}
FIRST_DAY: dict[Period, str] = {
    "today": "2026-11-21",
    "day": "2026-11-21",
    "week": "2026-11-15",
    "month": "2026-11-01",
    "all": "",
}


def booked(attempts: list[Attempt], ask: Any) -> Any:
    """Books all, then asks."""

    async def run() -> Any:
        async with Database(None) as db:
            ledger = SqliteLedger(db, ManualClock())
            for each in attempts:
                await ledger.book(each, None)
            return await ask(Reports(db, ManualClock()))

    return asyncio.run(run())


tokens = st.integers(0, 2_000_000)
costs = st.just(Cost(None, CostState.UNKNOWN)) | st.builds(
    Cost, st.integers(0, 10**15).map(Money), st.sampled_from([s for s in CostState if s is not CostState.UNKNOWN])
)
rows = st.lists(
    st.builds(
        replace,
        st.just(ATTEMPT),
        model=st.sampled_from(["openai/small", "openai/large", "local/free"]),
        provider=st.sampled_from(["openai", "local"]),
        strategy=st.sampled_from(["balanced", "cheapest"]),
        task_type=st.sampled_from(["code", "math"]),
        session=st.sampled_from(["s1", "s2", ""]),
        day=st.sampled_from(["2026-11-21", "2026-11-20", "2026-11-15", "2026-11-14", "2026-10-31"]),
        outcome=st.sampled_from(Outcome),
        usage=st.builds(Usage, tokens, tokens, tokens, tokens, tokens),
        cost=costs,
        from_cache=st.booleans(),
        saved=st.none() | st.integers(0, 10**12).map(Money),
    ),
    max_size=12,
).map(lambda attempts: [replace(each, number=n) for n, each in enumerate(attempts, 1)])
rates = st.integers(0, 10**8)
maybe = st.none() | rates
all_rates = st.builds(Rates, rates, rates, maybe, maybe, maybe)
prices = st.builds(
    Price,
    all_rates,
    st.lists(st.builds(Tier, tokens, all_rates), max_size=2).map(
        lambda tiers: tuple(sorted(tiers, key=lambda t: t.over))
    ),
    st.integers(0, 10**10).map(Money),
)


def added_up(key: str, attempts: list[Attempt]) -> Totals:
    known = [each.cost.amount for each in attempts if each.cost.amount is not None]
    return Totals(
        key,
        attempts=len(attempts),
        finished=sum(each.outcome is Outcome.FINISHED for each in attempts),
        failed=sum(each.outcome is Outcome.FAILED for each in attempts),
        cancelled=sum(each.outcome is Outcome.CANCELLED for each in attempts),
        cache_hits=sum(each.from_cache for each in attempts),
        input_tokens=sum(each.usage.input for each in attempts),
        output_tokens=sum(each.usage.output for each in attempts),
        cached_input_tokens=sum(each.usage.cached_input for each in attempts),
        cost=sum(known, ZERO),
        estimated=sum((each.cost.amount or ZERO for each in attempts if each.cost.state is CostState.ESTIMATED), ZERO),
        unknown=len(attempts) - len(known),
        saved_by_cache=sum((each.saved or ZERO for each in attempts), ZERO),
    )


@settings(max_examples=60, deadline=None)
@given(rows, st.sampled_from(list(FIELD)), st.sampled_from(list(FIRST_DAY)))
def test_totals_are_the_sums_over_the_rows_for_any_grouping(
    attempts: list[Attempt], by: Grouping, period: Period
) -> None:
    groups: defaultdict[str, list[Attempt]] = defaultdict(list)
    within = [each for each in attempts if each.day >= FIRST_DAY[period]]
    for each in within:
        groups[getattr(each, FIELD[by])].append(each)

    async def ask(reports: Reports) -> tuple[tuple[Totals, ...], Totals]:
        return await reports.totals(by, period), await reports.total(period)

    found, together = booked(attempts, ask)
    assert {group.key: group for group in found} == {key: added_up(key, group) for key, group in groups.items()}
    assert together == added_up("", within)
    order = [group.key if by == "day" else -group.cost.picodollars for group in found]
    assert order == sorted(order)


@settings(max_examples=100, deadline=None)
@given(rows, prices)
def test_savings_are_what_the_same_tokens_cost_on_the_baseline(attempts: list[Attempt], baseline: Price) -> None:
    counted = [each for each in attempts if each.outcome is Outcome.FINISHED and each.cost.amount is not None]
    savings = booked(attempts, lambda reports: reports.savings(baseline, "all"))
    assert savings.attempts == len(counted)
    assert savings.baseline == sum((baseline.cost(each.usage) for each in counted), ZERO)
    assert savings.saved == savings.baseline - sum((each.cost.amount or ZERO for each in counted), ZERO)


def test_an_empty_ledger_has_totals_of_nothing() -> None:
    async def ask(reports: Reports) -> tuple[Any, ...]:
        return (
            await reports.total("all"),
            await reports.totals("model", "all"),
            await reports.measured(),
            await reports.last(),
        )

    assert booked([], ask) == (Totals(""), (), (), ())


def test_the_last_attempts_come_latest_first() -> None:
    start = datetime(2026, 11, 21, 9, tzinfo=UTC)
    attempts = [attempt(number=n, started=start + timedelta(minutes=m)) for n, m in ((1, 5), (2, 9), (3, 7), (4, 9))]
    assert [each.number for each in booked(attempts, lambda reports: reports.last(3))] == [4, 2, 3]


def test_measured_figures_are_percentiles_by_nearest_rank() -> None:
    attempts = [
        attempt(number=n, latency_s=float(n), first_token_s=n / 10, tokens_per_s=100.0 + n, cost=costing(n))
        for n in range(1, 21)
    ]
    attempts += [
        attempt(number=21, outcome=Outcome.FAILED, latency_s=900.0, first_token_s=None, tokens_per_s=None),
        attempt(number=22, outcome=Outcome.CANCELLED, latency_s=900.0),
        attempt(number=23, from_cache=True, latency_s=0.0),
        attempt(number=24, model="local/free", task_type="math", outcome=Outcome.FAILED, cost=costing(None)),
    ]
    small, free = booked(attempts, lambda reports: reports.measured("all"))
    assert (small.model, small.task_type, small.attempts, small.finished, small.failed) == (
        "openai/small",
        None,
        22,
        20,
        1,
    )
    assert (small.latency_p50_s, small.latency_p95_s) == (10.0, 19.0)
    assert (small.first_token_p50_s, small.tokens_per_s) == (1.0, 110.0)
    assert small.success == pytest.approx(20 / 21)
    assert (free.success, free.latency_p50_s, free.cost) == (0.0, None, ZERO)


def test_measured_figures_can_be_told_apart_by_task() -> None:
    attempts = [
        attempt(number=n, task_type=task, latency_s=s)
        for n, task, s in ((1, "code", 1.0), (2, "code", 2.0), (3, "math", 9.0))
    ]
    found = booked(attempts, lambda reports: reports.measured("all", per_task=True))
    assert [(each.task_type, each.latency_p50_s) for each in found] == [("code", 1.0), ("math", 9.0)]


def test_every_field_of_the_totals_is_compared_above() -> None:
    sample = [
        attempt(number=n, cost=Cost(Money(5), CostState.ESTIMATED), saved=Money(1), from_cache=True, outcome=outcome)
        for n, outcome in enumerate(Outcome, 1)
    ]
    total = added_up("", [*sample, attempt(cost=costing(None))])
    assert all(getattr(total, field.name) for field in fields(Totals) if field.name != "key")


def test_savings_change_their_rate_just_past_the_border_of_a_tier() -> None:
    baseline = Price(Rates(1, 0), (Tier(100, Rates(10, 0)), Tier(200, Rates(100, 0))))
    for tokens_in, expected in ((100, 100), (101, 1010), (200, 2000), (201, 20100)):
        row = attempt(usage=Usage(tokens_in, 5))
        savings = booked([row], lambda reports: reports.savings(baseline, "all"))
        assert savings.baseline == Money(expected) == baseline.cost(row.usage)
