"""Days and months turn at the user's local midnight, and whatever clocks do, money is counted once."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clock import ManualClock
from tui_orchestrator.routing.budget import Budgets, BudgetState, Refusal, Reservation, caps_for
from tui_orchestrator.routing.clock import SystemClock
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.money import Money
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger
from tui_orchestrator.storage.reports import Period, Reports, Span
from tui_orchestrator.ui.report_views import periods

from .samples import REQUEST, attempt, costing, hold

MODEL = Model("openai", "small")
BERLIN, HONOLULU, AUCKLAND = (ZoneInfo(name) for name in ("Europe/Berlin", "Pacific/Honolulu", "Pacific/Auckland"))


class Spender:
    """Makes calls of one picodollar each, as a turn would, and remembers what it paid."""

    def __init__(self, db: Database, clock: ManualClock, budgets: Budgets = Budgets()) -> None:  # noqa: B008
        self.ledger = SqliteLedger(db, clock)
        self.clock = clock
        self.budgets = budgets
        self.paid = 0
        self._number = 0

    async def reserve(self, amount: int = 1) -> Reservation | Refusal:
        self._number += 1
        caps = caps_for(REQUEST, MODEL, self.budgets, self.clock.today())
        return await self.ledger.reserve(hold(amount, *caps, number=self._number))

    async def book(self, held: Reservation) -> None:
        amount = held.hold.amount.picodollars
        row = attempt(number=held.hold.attempt, day=self.clock.today().isoformat(), cost=costing(amount))
        await self.ledger.book(row, held)
        self.paid += amount

    async def spend(self, amount: int = 1) -> bool:
        held = await self.reserve(amount)
        if isinstance(held, Reservation):
            await self.book(held)
        return isinstance(held, Reservation)

    async def day(self) -> BudgetState:
        caps = caps_for(REQUEST, None, self.budgets, self.clock.today())
        return next(state for state in await self.ledger.budgets(caps) if state.scope == "day")


async def spent_by(db: Database, span: str) -> dict[str, int]:
    """Period → picodollars, of the sums of every call: 'day' or 'month'."""

    def read(connection: sqlite3.Connection) -> dict[str, int]:
        return dict(connection.execute("SELECT period, picodollars FROM spend WHERE scope = ?", (span,)).fetchall())

    return await db.read(read)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (BERLIN, date(2026, 3, 29), 23),
        (BERLIN, date(2026, 10, 25), 25),
        (AUCKLAND, date(2026, 4, 5), 25),
        (HONOLULU, date(2026, 3, 29), 24),
    ],
)
async def test_a_day_is_as_long_as_the_users_clock_makes_it(
    db: Database, zone: ZoneInfo, day: date, hours: int
) -> None:
    clock = ManualClock(datetime(day.year, day.month, day.day, tzinfo=zone) - timedelta(hours=3), zone=zone)
    spender = Spender(db, clock)
    for _ in range(60):
        await spender.spend()
        clock.advance(1800)
    days = await spent_by(db, "day")
    assert days[day.isoformat()] == 2 * hours
    assert sum(days.values()) == spender.paid == 60


async def test_a_cap_begins_anew_at_local_midnight_and_not_at_any_other(db: Database) -> None:
    # Half past eleven at night in Honolulu is the next morning in UTC.
    clock = ManualClock(datetime(2026, 10, 31, 23, 30, tzinfo=HONOLULU), zone=HONOLULU)
    spender = Spender(db, clock, Budgets(daily=Money(10), monthly=Money(15)))
    assert await spender.spend(10)
    assert not await spender.spend()
    clock.advance(1799)
    assert not await spender.spend()
    clock.advance(1)
    assert await spender.spend(10), "a new day and a new month"
    assert await spent_by(db, "day") == {"2026-10-31": 10, "2026-11-01": 10}
    assert await spent_by(db, "month") == {"2026-10": 10, "2026-11": 10}


async def test_a_clock_set_back_finds_what_was_spent_that_day(db: Database) -> None:
    clock = ManualClock(datetime(2026, 11, 21, 23, 50, tzinfo=UTC))
    spender = Spender(db, clock, Budgets(daily=Money(10)))
    assert await spender.spend(10)
    clock.advance(1200)
    assert await spender.spend(10)
    clock.set_back(3600)
    assert not await spender.spend(), "yesterday is as full as it was"
    clock.advance(3600)
    assert not await spender.spend(), "and so is today"
    assert (await spender.day()).spent == Money(10)


async def test_going_west_over_the_date_line_gives_no_second_budget_for_the_same_day(db: Database) -> None:
    clock = ManualClock(datetime(2026, 11, 21, 9, tzinfo=AUCKLAND), zone=AUCKLAND)
    spender = Spender(db, clock, Budgets(daily=Money(10)))
    assert await spender.spend(10)
    clock.zone = HONOLULU
    assert clock.today() == date(2026, 11, 20)
    assert await spender.spend(10), "the day before, on which nothing was spent"
    clock.advance(86_400)
    assert clock.today() == date(2026, 11, 21)
    assert not await spender.spend()


@pytest.mark.parametrize("start", [datetime(2026, 11, 21, 9), datetime(2026, 12, 1, 9)])
async def test_after_going_west_reports_are_about_the_days_that_the_caps_are_about(
    db: Database, start: datetime
) -> None:
    clock = ManualClock(start.replace(tzinfo=AUCKLAND), zone=AUCKLAND)
    spender, reports = Spender(db, clock), Reports(db, clock)
    assert await spender.spend(10)
    clock.zone = HONOLULU
    assert await spender.spend(7)
    days, months = await spent_by(db, "day"), await spent_by(db, "month")
    assert (await reports.total("today")).cost == Money(days[clock.today().isoformat()]) == Money(7)
    assert (await reports.total("week")).cost == Money(7)
    assert (await reports.total("month")).cost == Money(months[f"{clock.today():%Y-%m}"])
    assert (await reports.total("all")).cost == Money(17)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("today", 7),
        ("week", 7),
        # As the month's cap, of which the day to come is a part.
        ("month", 17),
        (Span(date(2026, 11, 20)), 17),
        (Span(date(2026, 11, 20), date(2026, 11, 23)), 7),
        (Span(date(2026, 11, 24), date(2026, 11, 24)), 10),
        (Span(None, date(2026, 11, 23)), 7),
        ("all", 17),
        *((named, {"all time": 17, "this month": 17, "this year": 17, "yesterday": 0, "last month": 0}.get(name, 7))
          for name, named in periods(date(2026, 11, 23)).items()),
    ],
    ids=str,
)  # fmt: skip
async def test_a_day_yet_to_come_counts_in_what_holds_it_alone(db: Database, asked: Period | Span, found: int) -> None:
    clock = ManualClock(datetime(2026, 11, 24, 9, tzinfo=AUCKLAND), zone=AUCKLAND)
    spender, reports = Spender(db, clock, Budgets(monthly=Money(17))), Reports(db, clock)
    assert await spender.spend(10)
    clock.zone = HONOLULU
    assert clock.today() == date(2026, 11, 23)
    assert await spender.spend(7)
    assert not await spender.spend(), "the month's cap counts both"
    assert (await reports.total(asked)).cost == Money(found)


async def test_a_call_over_midnight_is_paid_on_the_day_it_began(db: Database) -> None:
    clock = ManualClock(datetime(2026, 10, 31, 23, 59, tzinfo=BERLIN), zone=BERLIN)
    spender = Spender(db, clock, Budgets(daily=Money(10), monthly=Money(20)))
    held = await spender.reserve(10)
    assert isinstance(held, Reservation)
    clock.advance(120)
    assert (await spender.day()).reserved == Money(0)
    assert await spender.spend(10), "the new day is untouched by it"
    await spender.book(held)
    assert await spent_by(db, "day") == {"2026-10-31": 10, "2026-11-01": 10}
    assert await spent_by(db, "month") == {"2026-10": 10, "2026-11": 10}


steps = st.lists(
    st.one_of(
        st.tuples(st.just("advance"), st.integers(0, 40_000)),
        st.tuples(st.just("set back"), st.integers(0, 90_000)),
        st.tuples(st.just("travel"), st.sampled_from([BERLIN, HONOLULU, AUCKLAND])),
        st.tuples(st.just("reserve"), st.integers(0, 6)),
        st.tuples(st.just("book"), st.integers(0, 3)),
    ),
    max_size=40,
)
beginnings = st.datetimes(datetime(2026, 3, 27), datetime(2026, 11, 2)).map(lambda at: at.replace(tzinfo=UTC))


@settings(max_examples=40, deadline=None)
@given(beginnings, steps)
def test_whatever_the_clock_does_money_is_counted_once_and_no_days_cap_is_passed(
    start: datetime, steps: list[tuple[str, object]]
) -> None:
    asyncio.run(_lived_through(start, steps))


async def _lived_through(start: datetime, steps: list[tuple[str, object]]) -> None:
    clock = ManualClock(start, zone=BERLIN)
    async with Database(None) as db:
        spender = Spender(db, clock, Budgets(daily=Money(9), monthly=Money(25)))
        held: list[Reservation] = []
        for step, value in steps:
            match step, value:
                case "advance", int():
                    clock.advance(value)
                case "set back", int():
                    clock.set_back(value)
                case "travel", ZoneInfo():
                    clock.zone = value
                case "reserve", int():
                    given = await spender.reserve(value)
                    held += [given] if isinstance(given, Reservation) else []
                case "book", int() if held:
                    await spender.book(held.pop(value % len(held)))
        for reservation in held:
            await spender.book(reservation)
        days, months = await spent_by(db, "day"), await spent_by(db, "month")
        rows = await db.read(lambda c: dict(c.execute("SELECT day, SUM(cost) FROM attempts GROUP BY 1").fetchall()))
        assert sum(days.values()) == sum(months.values()) == spender.paid
        assert {day: cost for day, cost in rows.items() if cost} == {day: cost for day, cost in days.items() if cost}
        assert max(days.values(), default=0) <= 9
        assert max(months.values(), default=0) <= 25


def test_the_real_clock_goes_along_when_its_user_travels(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    try:
        seen = set()
        for zone in (AUCKLAND, HONOLULU):
            monkeypatch.setenv("TZ", str(zone))
            now = clock.now().astimezone(zone)
            assert clock.today() in (now.date(), (now + timedelta(minutes=1)).date())
            assert clock.local(clock.now()).utcoffset() == now.utcoffset()
            assert (
                clock.midnight(now.date()).utcoffset()
                == datetime(now.year, now.month, now.day, tzinfo=zone).utcoffset()
            )
            seen.add(clock.local(clock.now()).utcoffset())
        assert len(seen) == 2
    finally:
        monkeypatch.undo()
        time.tzset()
