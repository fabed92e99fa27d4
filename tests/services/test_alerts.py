"""What is said of money without being asked, and that it is said once."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tests.storage.samples import DECISION, REQUEST, attempt, costing
from tui_orchestrator.routing.budget import BudgetState, Cap
from tui_orchestrator.routing.errors import BudgetExceeded
from tui_orchestrator.routing.events import Budget, Completed, Confidence, Decided, Failed
from tui_orchestrator.routing.money import ZERO, Cost, CostState, Money, Usage
from tui_orchestrator.services import alerts
from tui_orchestrator.services.alerts import Alert, Alerts, Kind, is_news, reached
from tui_orchestrator.storage.alerts import AlertLog, Said
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger

USD = Money.from_usd
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SHARES = (0.5, 0.8, 0.95)


def day(spent: str, limit: str | None = "5", scope: str = "day", period: str = "2026-11-21") -> BudgetState:
    return BudgetState(Cap(scope, period, None if limit is None else USD(limit)), USD(spent), ZERO, SHARES)


class Copy:
    """A running copy of the program: what it said."""

    def __init__(self, db: Database, clock: ManualClock, *, costs: bool = True) -> None:
        self.states: tuple[BudgetState, ...] = ()
        self.alerts = Alerts(AlertLog(db), clock, self._budgets, costs=costs)
        self.heard: list[Alert] = []
        self.alerts.listen(self.heard.append)

    async def _budgets(self, session: str) -> tuple[BudgetState, ...]:
        return self.states

    async def spends(self, *states: BudgetState, forecast: str | None = None) -> list[str]:
        for state in states:
            self.alerts.hear(Budget("r", NOW, state, forecast))
        return await self.said()

    async def said(self) -> list[str]:
        """Since it was last asked."""
        await self.alerts.settle()
        said = [alert.sentence for alert in self.heard]
        self.heard.clear()
        return said


class House:
    """One store, and copies of the program that come and go."""

    def __init__(self, path: Path, stack: AsyncExitStack) -> None:
        self.path, self.stack, self.clock = path, stack, ManualClock()
        self.ledger: SqliteLedger

    async def starts(self, *states: BudgetState, costs: bool = True) -> Copy:
        db = await self.stack.enter_async_context(Database(self.path / "store.db", busy_timeout_s=0.2))
        self.ledger = SqliteLedger(db, self.clock)
        copy = Copy(db, self.clock, costs=costs)
        copy.states = states
        await copy.alerts.look()
        return copy


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        yield House(tmp_path, stack)


async def test_each_share_is_said_once_and_several_at_once_as_the_highest(house: House) -> None:
    copy = await house.starts()
    assert await copy.spends(day("1")) == []
    assert await copy.spends(day("2.6")) == ["52% of the day's cap is spent: $2.60 of $5.00, $2.40 left"]
    assert await copy.spends(day("2.7"), day("3.9")) == []
    assert await copy.spends(day("4.9")) == ["98% of the day's cap is spent: $4.90 of $5.00, $0.100 left"]
    assert await copy.spends(day("5")) == ["The day's cap is spent: $5.00 of $5.00; only free models fit under it now"]
    assert await copy.spends(day("5")) == []


async def test_the_forecast_is_said_with_it(house: House) -> None:
    copy = await house.starts()
    assert await copy.spends(day("4.1"), forecast="at this rate it is reached at 17:40") == [
        "82% of the day's cap is spent: $4.10 of $5.00, $0.900 left; at this rate it is reached at 17:40"
    ]


async def test_a_start_on_the_same_day_does_not_say_it_again_and_the_next_day_does(house: House) -> None:
    assert len(await (await house.starts()).spends(day("4.1"))) == 1
    again = await house.starts(day("4.1"))
    assert await again.said() == []
    assert await again.spends(day("4.2")) == []
    assert len(await again.spends(day("4.1", period="2026-11-22"))) == 1


async def test_every_running_copy_says_it_once_and_one_of_them_was_first(house: House) -> None:
    one, other = await house.starts(), await house.starts()
    one.alerts.hear(Budget("r", NOW, day("4.1")))
    other.alerts.hear(Budget("q", NOW, day("4.1")))
    await one.alerts.settle()
    await other.alerts.settle()
    for copy in (one, other):
        await copy.alerts.catch_up()
        await copy.alerts.catch_up()
    assert [len(copy.heard) for copy in (one, other)] == [1, 1]
    assert sorted(copy.heard[0].first for copy in (one, other)) == [False, True]


async def test_an_idle_copy_hears_of_what_another_one_spends_but_not_of_its_session(house: House) -> None:
    busy, idle = await house.starts(), await house.starts()
    await busy.spends(day("4.1"), day("0.9", "1", scope="session", period="s1"))
    await idle.alerts.catch_up()
    assert await idle.said() == ["82% of the day's cap is spent: $4.10 of $5.00, $0.900 left"]


async def test_at_its_start_a_copy_says_what_a_lower_cap_makes_of_the_day(house: House) -> None:
    await (await house.starts()).spends(day("4.1"))
    lowered = await house.starts(day("4.1", "4.2"))
    assert await lowered.said() == ["97% of the day's cap is spent: $4.10 of $4.20, $0.100 left"]


S = Said
_DAY = ("day", "2026-11-21")


@pytest.mark.parametrize(
    ("now", "before", "news"),
    [
        (S(*_DAY, 0.8, USD("10"), USD("8.1")), [], True),
        (S(*_DAY, 0.8, USD("10"), USD("8.9")), [S(*_DAY, 0.8, USD("10"), USD("8.1"))], False),
        (S(*_DAY, 0.95, USD("10"), USD("9.6")), [S(*_DAY, 0.8, USD("10"), USD("8.1"))], True),
        (S(*_DAY, 0.5, USD("10"), USD("9.6")), [S(*_DAY, 0.8, USD("10"), USD("8.1"))], False),
        # Raised from 5 to 10 at 4.90: half of 10 is a new amount once it is passed, what was passed before is not.
        (S(*_DAY, 0.5, USD("10"), USD("5.2")), [S(*_DAY, 0.95, USD("5"), USD("4.9"))], True),
        (S(*_DAY, 0.8, USD("5.5"), USD("4.9")), [S(*_DAY, 0.95, USD("5"), USD("4.9"))], False),
        (S(*_DAY, 0.95, USD("5.5"), USD("5.3")), [S(*_DAY, 0.95, USD("5"), USD("4.9"))], True),
        # Lowered, and back again.
        (S(*_DAY, 0.95, USD("5"), USD("4.9")), [S(*_DAY, 0.8, USD("6"), USD("4.9"))], True),
        (S(*_DAY, 0.8, USD("6"), USD("4.9")), [S(*_DAY, 0.8, USD("6"), USD("4.9"))], False),
    ],
)
def test_a_raised_cap_is_news_again_for_amounts_that_were_not_told_of(
    now: Said, before: Sequence[Said], news: bool
) -> None:
    assert is_news(now, before) is news


@pytest.mark.parametrize(
    ("state", "share"),
    [
        (day("2.49"), None),
        (day("2.5"), 0.5),
        (day("4.99"), 0.95),
        (day("5"), 1.0),
        (day("6"), 1.0),
        (day("9", None), None),
        (day("0", "0"), None),  # free models alone: nothing is nearly spent
        (day("0.03", "0.05", scope="request"), None),  # a turn's cap is there to be used
        (day("0.048", "0.05", scope="request"), 0.95),
    ],
)
def test_the_highest_share_reached_counts(state: BudgetState, share: float | None) -> None:
    assert reached(state) == share


def completed(request_id: str, cost: str) -> Completed:
    tried = attempt(request_id=request_id, cost=costing(USD(cost).picodollars))
    amount = Cost(USD(cost), CostState.COMPUTED)
    return Completed(
        request_id, NOW, 1, tried.model, "text", "balanced", amount, Usage(), 1.0, Confidence(0.9), (tried,)
    )


async def turn(house: House, copy: Copy, request_id: str, cost: str, days_ago: int = 0) -> None:
    at = NOW - timedelta(days=days_ago)
    decision = replace(DECISION, request_id=request_id)
    end = completed(request_id, cost)
    booked = replace(end.attempts[0], started=at, day=at.date().isoformat())
    await house.ledger.decided(decision, replace(REQUEST, id=request_id), at)
    await house.ledger.book(booked, None)
    await house.ledger.concluded(end)
    if not days_ago:
        copy.alerts.hear(Decided(request_id, at, decision))
        copy.alerts.hear(end)
        await copy.alerts.settle()


async def test_a_turn_far_above_its_kind_is_said(house: House) -> None:
    copy = await house.starts()
    for number in range(24):
        await turn(house, copy, f"r{number}", "0.045", days_ago=1)
    await turn(house, copy, "dear", "0.42")
    assert await copy.said() == ["This turn cost $0.420, 9.3 times your usual for code ($0.045)"]


async def test_nothing_is_said_of_costs_where_they_are_not_to_be_told(house: House) -> None:
    copy = await house.starts(costs=False)
    for number in range(24):
        await turn(house, copy, f"r{number}", "0.045", days_ago=1)
    await turn(house, copy, "dear", "0.42")
    assert await copy.said() == []


async def test_a_day_and_a_models_day_far_above_the_others_are_said_once(house: House) -> None:
    copy, other = await house.starts(), await house.starts()
    for ago in range(1, 11):
        await turn(house, copy, f"r{ago}", "0.20", days_ago=ago)
    await turn(house, copy, "a", "0.9")
    await turn(house, copy, "b", "0.9")
    assert await copy.said() == [
        "You have spent $0.900 today, 4.5 times your usual day ($0.200)",
        "openai/small has cost $0.900 today, 4.5 times its usual day ($0.200)",
    ]
    await other.alerts.catch_up()
    assert len(await other.said()) == 2


async def test_a_turn_that_a_cap_refused_is_kept_for_the_advice_and_notified(house: House) -> None:
    copy = await house.starts()
    copy.states = (day("4.99"), day("10", "100", scope="month", period="2026-11"))
    copy.alerts.hear(Failed("r9", NOW, BudgetExceeded("it does not fit"), Cost(ZERO, CostState.COMPUTED), ()))
    await copy.alerts.settle()
    assert [(alert.kind, alert.exhausted, alert.scope) for alert in copy.heard] == [(Kind.REFUSED, True, "day")]
    db = await house.stack.enter_async_context(Database(house.path / "store.db"))
    rows = await db.read(lambda c: c.execute("SELECT request_id, scope, period, cap, spent FROM refusals").fetchall())
    assert rows == [("r9", "day", "2026-11-21", 5 * 10**12, 4_990_000_000_000)]


async def test_where_the_store_fails_it_is_said_all_the_same(house: House) -> None:
    copy = await house.starts()
    holding = sqlite3.connect(house.path / "store.db", isolation_level=None)
    holding.execute("BEGIN IMMEDIATE")  # another program that keeps the file to itself
    assert len(await copy.spends(day("4.1"))) == 1
    holding.close()


async def test_caps_of_old_sessions_are_forgotten_and_the_days_is_not(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "MOST_CAPS", 20)
    copy = await house.starts()
    today = day("4.2")
    assert len(await copy.spends(today)) == 1
    for number in range(60):
        # Of a session and of a turn, and the day's with every call.
        its_own = [day("4.9", scope=scope, period=f"{scope} {number}") for scope in ("session", "request")]
        assert len(await copy.spends(*its_own, today)) == 2
    assert len(copy.alerts._told) == len(copy.alerts._said) == 20
    assert await copy.spends(today) == []
