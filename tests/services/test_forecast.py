"""How fast money goes and where that leads: tables, and what must hold whatever was spent."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clock import ManualClock
from tui_orchestrator.routing.budget import BudgetState, Cap
from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.services.forecast import (
    Now,
    Rates,
    by_midnight,
    month_end,
    per_day,
    per_hour,
    reached_at,
    reached_on,
    sentence,
)

USD = Money.from_usd
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOW = Now.of(ManualClock(NOON))


def minutes(*spent: tuple[int, str]) -> dict[datetime, Money]:
    """(minutes ago, dollars)"""
    return {NOON - timedelta(minutes=ago): USD(amount) for ago, amount in spent}


def days(*spent: tuple[int, str]) -> dict[date, Money]:
    return {NOW.today - timedelta(days=ago): USD(amount) for ago, amount in spent}


@pytest.mark.parametrize(
    ("spent", "rate"),
    [
        # Too little to tell: nothing, two answers, or all of it long ago.
        (minutes(), None),
        (minutes((1, "0.10"), (5, "0.10")), None),
        (minutes((200, "0.10"), (210, "0.10"), (220, "0.10")), None),
        (minutes((1, "0"), (2, "0"), (3, "0")), None),
        # Three in the last twenty minutes: three times that in an hour.
        (minutes((1, "0.10"), (5, "0.10"), (9, "0.10")), "0.90"),
        # They stay in the hour for an hour and in the three for three.
        (minutes((31, "0.10"), (35, "0.10"), (39, "0.10")), "0.30"),
        (minutes((91, "0.10"), (95, "0.10"), (99, "0.10")), "0.10"),
        # One long answer among small ones counts as much as these together.
        (minutes((1, "0.01"), (5, "0.01"), (9, "5.00")), "0.12"),
        # Of several windows the fastest.
        (minutes((2, "0.01"), (3, "0.01"), (4, "0.01"), (50, "1"), (51, "1"), (52, "1")), "3.03"),
        # What a wrong clock has written into the future is left out.
        (minutes((-1, "0.10"), (-5, "0.10"), (-9, "0.10")), None),
    ],
)
def test_the_rate_per_hour_is_that_of_the_last_active_hours(spent: dict[datetime, Money], rate: str | None) -> None:
    assert per_hour(spent, NOON) == (None if rate is None else USD(rate))


@pytest.mark.parametrize(
    ("spent", "rate"),
    [
        (days(), None),
        (days((0, "3")), None),
        (days((1, "1"), (2, "1")), None),
        (days((1, "1"), (2, "1"), (3, "1")), "1"),
        # Days without spending count, today does not.
        (days((0, "9"), (1, "1"), (4, "1")), "0.5"),
        # Fourteen days at most.
        (days(*((ago, "2") for ago in range(1, 15)), *((ago, "50") for ago in range(15, 40))), "2"),
        # One wild day counts as much as the others together.
        (days((1, "1"), (2, "1"), (3, "2"), (4, "400")), "2"),
    ],
)
def test_the_rate_per_day_is_the_mean_of_the_last_two_weeks(spent: dict[date, Money], rate: str | None) -> None:
    assert per_day(spent, NOW.today) == (None if rate is None else USD(rate))


def state(scope: str, spent: str, limit: str | None) -> BudgetState:
    period = {"session": "s", "request": "r"}.get(scope, "2026-11" if "month" in scope else "2026-11-21")
    return BudgetState(Cap(scope, period, None if limit is None else USD(limit)), USD(spent), ZERO)


@pytest.mark.parametrize(
    ("budget", "rates", "said"),
    [
        (state("day", "1", "2"), Rates(USD("0.5"), None, ZERO), "at this rate the daily cap is reached at 14:00"),
        (state("session", "1", "2"), Rates(USD("3"), None, ZERO), "at this rate the session's cap is reached at 12:20"),
        (
            state("day provider:openai", "1", "2"),
            Rates(USD("1"), None, ZERO),
            "at this rate the daily cap of openai is reached at 13:00",
        ),
        # Not before midnight, already reached, no cap, no rate, over before a rate means anything.
        (state("day", "1", "2"), Rates(USD("0.05"), None, ZERO), None),
        (state("day", "2", "2"), Rates(USD("1"), None, ZERO), None),
        (state("day", "3", "2"), Rates(USD("1"), None, ZERO), None),
        (state("day", "1", None), Rates(USD("1"), None, ZERO), None),
        (state("day", "1", "2"), Rates(None, None, ZERO), None),
        (state("request", "1", "2"), Rates(USD("1"), None, ZERO), None),
        # The month goes by its days, unless this day alone is enough.
        (
            state("month", "40", "50"),
            Rates(USD("0.01"), USD("2"), USD("2")),
            "at the rate of the last days the monthly cap is reached on 26 November",
        ),
        (state("month", "40", "50"), Rates(None, USD("1"), USD("1")), None),
        (
            state("month", "49", "50"),
            Rates(None, USD("2"), ZERO),
            "at the rate of the last days the monthly cap is reached today",
        ),
        (
            state("month", "49", "50"),
            Rates(USD("2"), USD("1"), ZERO),
            "at this rate the monthly cap is reached at 12:30",
        ),
    ],
)
def test_a_forecast_is_a_sentence_or_nothing(budget: BudgetState, rates: Rates, said: str | None) -> None:
    assert sentence(budget, rates, NOW) == said


def test_the_day_and_the_month_end_at_what_the_rates_make_of_them() -> None:
    assert by_midnight(USD("1"), USD("0.5"), NOW) == USD("7")
    assert by_midnight(USD("1"), None, NOW) is None
    # Nine days after the 21st, and what is missing of today.
    assert month_end(USD("10"), USD("0.5"), USD("2"), NOW) == USD("29.5")
    assert month_end(USD("10"), USD("5"), USD("2"), NOW) == USD("28")
    assert month_end(USD("10"), ZERO, None, NOW) is None


@pytest.mark.parametrize(("day", "left"), [("2026-02-01", 27), ("2028-02-28", 1), ("2026-12-31", 0), ("2026-11-21", 9)])
def test_the_days_of_a_month_that_are_to_come(day: str, left: int) -> None:
    assert Now.of(ManualClock(datetime.fromisoformat(f"{day}T12:00+00:00"))).days_to_come == left


def test_the_hour_is_told_as_the_clock_will_show_it_when_it_has_been_put_back() -> None:
    # 25 October 2026, 01:30 in Berlin; the clock is put back from 03:00 to 02:00.
    now = Now.of(ManualClock(datetime(2026, 10, 24, 23, 30, tzinfo=UTC), zone=ZoneInfo("Europe/Berlin")))
    assert sentence(state("day", "1", "4"), Rates(USD("1"), None, ZERO), now) == (
        "at this rate the daily cap is reached at 03:30"
    )
    # That day has 25 hours.
    assert by_midnight(ZERO, USD("1"), now) == USD("23.5")


def test_a_time_is_told_in_whole_minutes_rounded_up_and_never_as_tomorrow() -> None:
    late = Now.of(ManualClock(datetime(2026, 11, 21, 23, 50, 30, tzinfo=UTC)))
    assert reached_at(Money(7), Money(60), late) == datetime(2026, 11, 21, 23, 58, tzinfo=UTC)
    assert reached_at(Money(9), Money(60), late) is None


AMOUNTS = st.integers(0, 10**13).map(Money)
PAST = st.dictionaries(st.integers(-30, 300), AMOUNTS, max_size=12)
MORE = st.dictionaries(st.integers(-30, 300), AMOUNTS, max_size=4)


def at_minutes(spent: dict[int, Money]) -> dict[datetime, Money]:
    return {NOON - timedelta(minutes=ago): amount for ago, amount in spent.items()}


@given(PAST, MORE)
def test_more_spent_is_never_a_lower_rate(spent: dict[int, Money], more: dict[int, Money]) -> None:
    both = {ago: spent.get(ago, ZERO) + more.get(ago, ZERO) for ago in {*spent, *more}}
    before, after = per_hour(at_minutes(spent), NOON), per_hour(at_minutes(both), NOON)
    assert (after or ZERO) >= (before or ZERO)


@given(st.dictionaries(st.integers(0, 40), AMOUNTS, max_size=12), st.dictionaries(st.integers(0, 40), AMOUNTS))
def test_more_spent_on_days_since_the_first_is_never_a_lower_rate(
    spent: dict[int, Money], more: dict[int, Money]
) -> None:
    spent[40] = Money(1)
    both = {ago: spent.get(ago, ZERO) + more.get(ago, ZERO) for ago in {*spent, *more}}
    before, after = (
        per_day({NOW.today - timedelta(days=ago): amount for ago, amount in each.items()}, NOW.today)
        for each in (spent, both)
    )
    assert (after or ZERO) >= (before or ZERO)


@given(st.integers(0, 24 * 3600 - 1), st.integers(-10, 10**13), st.integers(1, 10**14), st.integers(0, 10**13))
def test_a_cap_is_never_reached_in_the_past_nor_later_when_more_is_spent(
    second: int, left: int, rate: int, more: int
) -> None:
    now = Now.of(ManualClock(datetime(2026, 11, 21, tzinfo=UTC) + timedelta(seconds=second)))
    at = reached_at(Money(left), Money(rate), now)
    if at is None:
        return
    assert now.at < at < now.day_ends
    assert at.second == at.microsecond == 0
    if left > more:
        sooner = reached_at(Money(left - more), Money(rate + more), now)
        assert sooner is not None
        assert now.at < sooner <= at


@given(st.integers(1, 10**14), AMOUNTS, st.integers(1, 10**13), st.integers(0, 10**13))
def test_a_month_is_never_spent_before_today_nor_later_when_more_is_spent(
    left: int, today: Money, rate: int, more: int
) -> None:
    on = reached_on(Money(left), today, Money(rate), NOW)
    if on is None:
        return
    assert NOW.today <= on <= date(2026, 11, 30)
    if left > more:
        sooner = reached_on(Money(left - more), today + Money(more), Money(rate), NOW)
        assert sooner is not None
        assert sooner <= on
