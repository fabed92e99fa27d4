"""The course of spending, as it is read from the attempts and from the running totals."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from tests.clock import ManualClock
from tests.storage.samples import attempt
from tui_orchestrator.routing.events import Attempt
from tui_orchestrator.routing.money import Cost, CostState, Money
from tui_orchestrator.storage.course import EVERYTHING, Course
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger

TODAY = date(2026, 11, 21)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def spent(number: int, minutes_ago: float, amount: int | None, **changes: object) -> Attempt:
    cost = Cost(None if amount is None else Money(amount), CostState.UNKNOWN if amount is None else CostState.COMPUTED)
    return attempt(
        number=number,
        started=NOON - timedelta(minutes=minutes_ago),
        cost=cost,
        **{"day": str(TODAY), "session": "s", "provider": "a", "model": "a/x", **changes},
    )


async def test_minutes_are_summed_by_whose_they_are(db: Database, clock: ManualClock) -> None:
    ledger = SqliteLedger(db, clock)
    for each in (
        spent(1, 5, 10),
        spent(2, 4.5, 20, session="t", provider="b", model="b/y"),
        spent(3, 7, None),
        spent(4, 8, 0),
        spent(5, 200, 1000),
    ):
        await ledger.book(each, None)
    whose = ("session:t", "provider:b", "model:a/x", "model:nobody")
    lately = await Course(db).lately(NOON - timedelta(hours=3), TODAY, TODAY, whose)
    five, four = NOON - timedelta(minutes=5), NOON - timedelta(minutes=4.5)
    assert lately.minutes[EVERYTHING] == {five: Money(30)}
    assert four.replace(second=0) == five
    assert lately.minutes["session:t"] == lately.minutes["provider:b"] == {five: Money(20)}
    assert lately.minutes["model:a/x"] == {five: Money(10)}
    assert lately.minutes["model:nobody"] == {}


async def test_days_are_those_of_the_budgets(db: Database, clock: ManualClock) -> None:
    ledger = SqliteLedger(db, clock)
    await ledger.book(spent(1, 5, 10), None)
    await ledger.book(spent(2, 5, 20, provider="b", model="b/y", day="2026-11-20"), None)
    await ledger.book(spent(3, 5, 40, day="2026-10-01"), None)
    lately = await Course(db).lately(NOON, TODAY, TODAY - timedelta(days=30), ["provider:b"])
    assert lately.of_days(EVERYTHING) == {TODAY: Money(10), date(2026, 11, 20): Money(20)}
    assert lately.of_days("provider:b") == {date(2026, 11, 20): Money(20)}
    assert lately.of_days("provider:a") == {}, "nobody asked for it"


async def test_a_day_is_told_by_tens_of_minutes_and_adds_up(db: Database, clock: ManualClock) -> None:
    ledger = SqliteLedger(db, clock)
    for number, ago in enumerate((1, 2, 9.5, 11, 700)):
        await ledger.book(spent(number, ago, 10**number), None)
    await ledger.book(spent(9, 3, 10**9, day="2026-11-20"), None)
    tens = await Course(db).of_day(TODAY)
    assert tens == {
        NOON - timedelta(minutes=10): Money(111),
        NOON - timedelta(minutes=20): Money(1000),
        NOON - timedelta(minutes=700): Money(10_000),
    }
