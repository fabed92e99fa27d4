from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clock import ManualClock
from tui_orchestrator.routing.events import Attempt, Cause, Onward, Outcome, Recalled
from tui_orchestrator.routing.learning import Answer, Observation
from tui_orchestrator.routing.learning import voted as learned_vote
from tui_orchestrator.routing.money import ZERO, Cost, CostState, Money, Price, Rates, Tier, Usage
from tui_orchestrator.routing.profile import TaskType
from tui_orchestrator.storage import performance
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger
from tui_orchestrator.storage.observations import Observations
from tui_orchestrator.storage.reports import DIMENSIONS, Dimension, Measured, Period, Reports, Savings, Span, Totals
from tui_orchestrator.storage.rows import REVISE_ATTEMPT, judgement_row

from .samples import ATTEMPT, attempt, costing

KEY: dict[Dimension, Callable[[Attempt], str]] = {
    "model": lambda attempt: attempt.model,
    "provider": lambda attempt: attempt.provider,
    "task": lambda attempt: attempt.task_type,
    "strategy": lambda attempt: attempt.strategy,
    "day": lambda attempt: attempt.day,
    "week": lambda attempt: "{}-W{:02}".format(*date.fromisoformat(attempt.day).isocalendar()),
    "month": lambda attempt: attempt.day[:7],
    "session": lambda attempt: attempt.session,
    "cause": lambda attempt: attempt.cause,
    "outcome": lambda attempt: attempt.outcome,
    "cost_state": lambda attempt: attempt.cost.state,
}
FIRST_AND_LAST_DAY: dict[Period, tuple[str, str]] = {
    "today": ("2026-11-21", "2026-11-21"),
    "day": ("2026-11-21", "2026-11-21"),
    "week": ("2026-11-15", "2026-11-21"),
    "month": ("2026-11-01", "2026-11-30"),
    "all": ("", "9999"),
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
        day=st.sampled_from(["2026-11-21", "2026-11-20", "2026-11-15", "2026-11-14", "2026-10-31", "2027-01-01"]),
        cause=st.sampled_from([cause for cause in Cause if cause not in (Cause.RETRY, Cause.FALLBACK)]),
        outcome=st.sampled_from(Outcome),
        usage=st.builds(Usage, tokens, tokens, tokens, tokens, tokens),
        cost=costs,
        from_cache=st.booleans(),
        saved=st.none() | st.integers(0, 10**12).map(Money),
        latency_s=st.integers(0, 10**9).map(lambda us: us / 10**6),
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


def of_state(attempts: list[Attempt], state: CostState) -> Money:
    return sum((each.cost.amount or ZERO for each in attempts if each.cost.state is state), ZERO)


def added_up(keys: tuple[str, ...], attempts: list[Attempt]) -> Totals:
    known = [each.cost.amount for each in attempts if each.cost.amount is not None]
    return Totals(
        " · ".join(keys),
        attempts=len(attempts),
        finished=sum(each.outcome is Outcome.FINISHED for each in attempts),
        failed=sum(each.outcome is Outcome.FAILED for each in attempts),
        cancelled=sum(each.outcome is Outcome.CANCELLED for each in attempts),
        cache_hits=sum(each.from_cache for each in attempts),
        input_tokens=sum(each.usage.input for each in attempts),
        output_tokens=sum(each.usage.output for each in attempts),
        cached_input_tokens=sum(each.usage.cached_input for each in attempts),
        cache_write_tokens=sum(each.usage.cache_write for each in attempts),
        reasoning_tokens=sum(each.usage.reasoning for each in attempts),
        cost=sum(known, ZERO),
        billed=of_state(attempts, CostState.BILLED),
        computed=of_state(attempts, CostState.COMPUTED),
        estimated=of_state(attempts, CostState.ESTIMATED),
        unknown=len(attempts) - len(known),
        saved_by_cache=sum((each.saved or ZERO for each in attempts), ZERO),
        latency_us=sum(round(each.latency_s * 10**6) for each in attempts),
        keys=keys,
    )


def grouped(attempts: list[Attempt], by: Sequence[Dimension]) -> dict[tuple[str, ...], list[Attempt]]:
    groups: defaultdict[tuple[str, ...], list[Attempt]] = defaultdict(list)
    for each in attempts:
        groups[tuple(KEY[dimension](each) for dimension in by)].append(each)
    return groups


def summed(attempts: list[Attempt], by: Sequence[Dimension]) -> dict[tuple[str, ...], Totals]:
    return {keys: added_up(keys, group) for keys, group in grouped(attempts, by).items()}


some_dimensions = st.lists(st.sampled_from(DIMENSIONS), min_size=1, max_size=3, unique=True)


@settings(max_examples=30, deadline=None)
@given(rows, some_dimensions, st.sampled_from(list(FIRST_AND_LAST_DAY)))
def test_totals_are_the_sums_over_the_rows_for_any_grouping(
    attempts: list[Attempt], by: list[Dimension], period: Period
) -> None:
    first, last = FIRST_AND_LAST_DAY[period]
    within = [each for each in attempts if first <= each.day <= last]

    async def ask(reports: Reports) -> tuple[tuple[Totals, ...], Totals]:
        return await reports.cube(by, period), await reports.total(period)

    found, together = booked(attempts, ask)
    assert {group.keys: group for group in found} == summed(within, by)
    assert together == added_up((), within)
    assert sum((group.cost for group in found), ZERO) == together.cost
    by_time = by[0] in ("day", "week", "month")
    order = [group.keys[0] if by_time else -group.cost.picodollars for group in found]
    assert order == sorted(order)


@settings(max_examples=20, deadline=None)
@given(rows, some_dimensions, st.dates(date(2026, 11, 13), date(2026, 11, 22)), st.integers(0, 9))
def test_both_ends_of_a_span_are_within_it(
    attempts: list[Attempt], by: list[Dimension], first: date, days: int
) -> None:
    span = Span(first, first + timedelta(days=days))
    within = [each for each in attempts if first <= date.fromisoformat(each.day) <= first + timedelta(days=days)]

    async def ask(reports: Reports) -> tuple[tuple[Totals, ...], tuple[Attempt, ...]]:
        return await reports.cube(by, span), await reports.found(span, 100)

    totals, found = booked(attempts, ask)
    assert {group.keys: group for group in totals} == summed(within, by)
    assert {each.number for each in found} == {each.number for each in within}


@settings(max_examples=20, deadline=None)
@given(rows, some_dimensions)
def test_the_attempts_behind_every_group_are_found(attempts: list[Attempt], by: list[Dimension]) -> None:
    async def ask(reports: Reports) -> dict[tuple[str, ...], set[int]]:
        found = {}
        for group in await reports.cube(by, "all"):
            behind = await reports.found("all", 100, list(zip(by, group.keys, strict=True)))
            found[group.keys] = {each.number for each in behind}
        return found

    assert booked(attempts, ask) == {
        keys: {each.number for each in group} for keys, group in grouped(attempts, by).items()
    }


@settings(max_examples=20, deadline=None)
@given(rows, st.data())
def test_the_sums_follow_a_row_that_is_changed_or_taken_away(attempts: list[Attempt], data: st.DataObject) -> None:
    changed = data.draw(
        st.lists(st.sampled_from(attempts), unique_by=lambda each: each.number) if attempts else st.just([])
    )
    kept = [each for each in attempts if each not in changed[1:]]
    anew = [replace(each, cost=Cost(Money(7), CostState.BILLED), task_type="moved") for each in changed[:1]]

    def change(connection: sqlite3.Connection) -> None:
        for each in changed[1:]:
            connection.execute("DELETE FROM attempts WHERE number = ?", (each.number,))
        for each in changed[:1]:
            connection.execute(
                "UPDATE attempts SET cost = 7, cost_state = 'billed', task_type = 'moved' WHERE number = ?",
                (each.number,),
            )

    async def run() -> list[dict[tuple[str, ...], Totals]]:
        async with Database(None) as db:
            ledger, reports = SqliteLedger(db, ManualClock()), Reports(db, ManualClock())
            for each in attempts:
                await ledger.book(each, None)
            await db.write(change)
            return [{group.keys: group for group in await reports.cube((by,), "all")} for by in ("task", "session")]

    left = [each for each in kept if each not in changed[:1]] + anew
    assert asyncio.run(run()) == [summed(left, ("task",)), summed(left, ("session",))]


@settings(max_examples=40, deadline=None)
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


def test_the_last_attempts_come_in_the_order_they_ended_the_latest_first() -> None:
    start = datetime(2026, 11, 21, 9, tzinfo=UTC)
    attempts = [attempt(number=n, started=start + timedelta(minutes=m)) for n, m in ((1, 5), (2, 9), (3, 7), (4, 9))]
    assert [each.number for each in booked(attempts, lambda reports: reports.last(3))] == [4, 3, 2]


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
    others = [attempt(cost=costing(None)), attempt(cost=Cost(Money(6), CostState.BILLED)), attempt(cost=costing(7))]
    total = added_up(("k",), [*sample, *others, attempt(usage=Usage(1, 1, 1, 1, 1))])
    told_by_what_came_next = {"retried", "fell_back", "escalated"}
    assert all(getattr(total, field.name) for field in fields(Totals) if field.name not in told_by_what_came_next)


def test_savings_change_their_rate_just_past_the_border_of_a_tier() -> None:
    baseline = Price(Rates(1, 0), (Tier(100, Rates(10, 0)), Tier(200, Rates(100, 0))))
    for tokens_in, expected in ((100, 100), (101, 1010), (200, 2000), (201, 20100)):
        row = attempt(usage=Usage(tokens_in, 5))
        savings = booked([row], lambda reports: reports.savings(baseline, "all"))
        assert savings.baseline == Money(expected) == baseline.cost(row.usage)


def voted(liked: bool | None, number: int) -> Observation:
    return learned_vote(Answer("r1", number, "openai/small", TaskType.CODE), liked, ManualClock().now())


def test_a_good_answer_is_one_that_was_kept_and_not_voted_down() -> None:
    attempts = [attempt(number=n, cost=costing(10), confidence=n / 10, latency_s=float(n)) for n in range(1, 7)]
    attempts += [
        attempt(number=7, cause=Cause.JUDGE, cost=costing(1000), confidence=None, latency_s=100.0),
        attempt(number=8, outcome=Outcome.FAILED, cost=costing(4), confidence=None),
        attempt(number=9, cause=Cause.FALLBACK, model="openai/large"),
    ]
    escalated = replace(attempts[1], onward=Onward("openai/large", 0.2, None, 1.0, 0.1, taken=True))

    async def run() -> tuple[Measured, ...]:
        async with Database(None) as db:
            ledger = SqliteLedger(db, ManualClock())
            for each in attempts:
                await ledger.book(each, None)
            await db.write(lambda connection: connection.execute(REVISE_ATTEMPT, judgement_row(escalated)))
            votes = [voted(True, 1), voted(False, 2), voted(False, 3), voted(False, 4), voted(None, 4)]
            await Observations(db).record(votes)
            return await Reports(db, ManualClock()).measured("all", by=("strategy", "model"))

    small, _ = asyncio.run(run())
    assert (small.of("strategy"), small.model, small.task_type) == ("balanced", "openai/small", None)
    assert (small.attempts, small.finished, small.failed, small.answers) == (8, 7, 1, 6)
    assert (small.escalated, small.fell_back, small.voted_up, small.voted_down) == (1, 1, 1, 2)
    assert small.good == 4  # of six, one was gone on from and voted down, another voted down alone
    assert (small.cost, small.answers_cost) == (Money(1064), Money(64))
    assert (small.cost_per_answer, small.cost_per_good_answer) == (Money(11), Money(16))
    assert small.confidence == pytest.approx(0.35)
    assert (small.latency_p50_s, small.latency_p99_s) == (4.0, 100.0)


def test_what_an_answer_cost_is_at_least_what_is_known_of_it() -> None:
    known, unknown = attempt(number=1, cost=costing(10)), attempt(number=2, cost=costing(None))
    (found,) = booked([known, unknown], lambda reports: reports.measured("all"))
    assert (found.cost_per_answer, found.unknown) == (Money(5), 1)
    assert found.told(found.cost_per_answer).endswith("+?")
    (found,) = booked([unknown], lambda reports: reports.measured("all"))
    assert (found.cost_per_answer, found.told(None)) == (None, "$?")


def test_a_start_learns_a_models_speed_from_its_latest_attempts() -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    attempts = [
        attempt(number=n, started=start + timedelta(hours=n), first_token_s=float(n), tokens_per_s=10.0 * n)
        for n in range(1, 151)
    ]
    attempts += [attempt(number=151, outcome=Outcome.FAILED, first_token_s=None, tokens_per_s=None)]
    (found,) = booked(attempts, lambda reports: reports.lately())
    assert (found.finished, found.failed) == (150, 1)
    assert (found.first_token_p50_s, found.tokens_per_s) == (100.0, 1000.0)  # the median of 51 to 150


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["2026-11-20", "2026-11-21"]), st.integers(0, 5)), min_size=1, max_size=14),
    st.integers(1, 5),
)
def test_percentiles_are_exact_however_the_figures_are_cut_up(rows: list[tuple[str, int]], piece: int) -> None:
    attempts = [attempt(number=n, day=day, latency_s=float(s)) for n, (day, s) in enumerate(rows, 1)]
    with patch.object(performance, "_PIECE", piece):
        (found,) = booked(attempts, lambda reports: reports.measured("all"))
    ordered = sorted(float(s) for _, s in rows)
    for percent, figure in ((50, found.latency_p50_s), (95, found.latency_p95_s), (99, found.latency_p99_s)):
        assert figure == ordered[(len(ordered) * percent + 99) // 100 - 1]


def test_whether_an_answer_was_one_to_other_words_is_known_by_its_day() -> None:
    stored = datetime(2026, 11, 20, tzinfo=UTC)
    same = attempt(number=1, from_cache=True, recalled=Recalled(stored))
    nearly = attempt(number=2, from_cache=True, recalled=Recalled(stored, "Merge lists", 0.9), day="2026-11-20")

    async def ask(reports: Reports) -> tuple[bool, ...]:
        days = ("today", Span(date(2026, 11, 20), date(2026, 11, 20)), "all")
        return tuple([await reports.any_nearly(one) for one in days])  # type: ignore[arg-type]

    assert booked([attempt(number=3), same], ask) == (False, False, False)
    assert booked([same, nearly], ask) == (False, True, True)
    assert booked([], ask) == (False, False, False)


def test_a_session_is_summed_over_all_its_days() -> None:
    days = [attempt(number=1), attempt(number=2, day="2026-10-01"), attempt(number=3, session="other")]
    assert booked(days, lambda reports: reports.of_session("s1")) == added_up((), days[:2])
    assert booked(days, lambda reports: reports.of_session("nobody")) == Totals("")


def test_what_tokens_would_cost_elsewhere_is_told_by_group() -> None:
    one, two, dearer = attempt(number=1), attempt(number=2), attempt(number=3, model="openai/large", cost=costing(9))
    others = [attempt(number=4, outcome=Outcome.FAILED), attempt(number=5, cost=costing(None))]
    elsewhere = Price(Rates(2, 3), per_call=Money(7))
    row = 1200 * 2 + 340 * 3 + 7

    async def ask(reports: Reports) -> tuple[Any, ...]:
        return await reports.repriced(elsewhere, ("model",)), await reports.savings(elsewhere)

    groups, together = booked([one, two, dearer, *others], ask)
    assert set(groups) == {
        Savings(2, Money(2 * 2_720_000_000), Money(2 * row), ("openai/small",)),
        Savings(1, Money(9), Money(row), ("openai/large",)),
    }
    assert together == Savings(3, Money(2 * 2_720_000_000 + 9), Money(3 * row))
    assert together.saved == Money(3 * row - 2 * 2_720_000_000 - 9)
    assert booked(others, ask) == ((), Savings(0, ZERO, ZERO))


def test_every_measured_figure_is_its_own() -> None:
    made = [
        attempt(number=1, cost=costing(10), latency_s=1.0, first_token_s=0.1, tokens_per_s=10.0, confidence=0.5),
        attempt(number=2, cost=costing(20), latency_s=3.0, first_token_s=0.3, tokens_per_s=30.0, confidence=None),
        attempt(number=3, outcome=Outcome.FAILED, cost=Cost(Money(5), CostState.ESTIMATED), confidence=0.1),
        attempt(number=4, cause=Cause.RETRY, outcome=Outcome.FAILED, cost=costing(None)),
        attempt(number=5, cause=Cause.FALLBACK, model="openai/large"),
        attempt(number=6, outcome=Outcome.CANCELLED, cost=costing(0)),
        attempt(number=7, cause=Cause.JUDGE, cost=costing(100), latency_s=9.0, first_token_s=None, tokens_per_s=None),
        attempt(number=8, from_cache=True),
        attempt(number=9, day="2026-10-31"),
    ]
    large, small = sorted(booked(made, lambda reports: reports.measured()), key=lambda one: one.keys)
    assert small == Measured(
        *(("model",), ("openai/small",), 6, 3, 2, Money(135)),
        first_token_p50_s=0.1,
        tokens_per_s=10.0,
        latency_p50_s=3.0,
        latency_p95_s=9.0,
        latency_p99_s=9.0,
        cancelled=1,
        unknown=1,
        estimated=Money(5),
        retried=1,
        fell_back=1,
        answers=2,
        answers_cost=Money(35),
        confidence=0.625,
    )
    assert (small.success, large.success, replace(small, finished=0, failed=0).success) == (0.6, 1.0, None)
    assert small.told(small.cost) == f"~{Money(135)}+?"
    assert small.told(None) == "$?"
    assert (large.told(large.cost), large.told(None)) == (str(large.cost), "–")
    none = replace(small, answers=0)
    assert (none.cost_per_answer, none.cost_per_good_answer, none.good) == (None, None, 0)
    # Half a picodollar is rounded up.
    assert small.cost_per_answer == Money(18)


def test_how_costs_of_which_parts_are_guessed_or_not_known_are_written() -> None:
    assert str(Totals("", attempts=2, cost=Money.from_usd(1))) == str(Money.from_usd(1))
    assert (
        str(Totals("", attempts=2, cost=Money.from_usd(1), estimated=Money(1), unknown=1)) == f"~{Money.from_usd(1)}+?"
    )
    assert str(Totals("", attempts=2, unknown=2)) == "$?"
    assert str(Totals("")) == str(ZERO)
    assert Totals("", finished=3, failed=1).success == 0.75
    assert Totals("", cancelled=1).success is None


def test_what_a_report_is_about_where_nothing_is_said_of_it() -> None:
    days = ("2026-11-21",) * 20 + ("2026-11-20", "2026-11-01", "2026-10-31")
    made = [attempt(number=number, day=day) for number, day in enumerate(days, 1)]

    async def ask(reports: Reports) -> tuple[list[int], list[int], int]:
        today = [await reports.total(), *await reports.totals("model"), *await reports.cube(("model",))]
        month = [*await reports.measured(), *await reports.lately(), *await reports.repriced(Price(Rates(1, 1)), ())]
        month.append(await reports.savings(Price(Rates(1, 1))))  # type: ignore[arg-type]
        return [one.attempts for one in today], [one.attempts for one in month], len(await reports.last())

    assert booked(made, ask) == ([20] * 3, [22] * 4, 20)
