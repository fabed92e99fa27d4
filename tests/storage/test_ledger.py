from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import date

import pytest

from tests.clock import ManualClock
from tui_orchestrator.routing.budget import BudgetCondition, Budgets, Cap, Refusal, Reservation
from tui_orchestrator.routing.errors import Overloaded
from tui_orchestrator.routing.events import Completed, Confidence, Failed, Outcome
from tui_orchestrator.routing.money import Cost, CostState, Money, Usage
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.faults import StoreError
from tui_orchestrator.storage.ledger import SqliteLedger
from tui_orchestrator.storage.reports import Reports

from .samples import ATTEMPT, DECISION, FAILED, REQUEST, all_caps, attempt, costing, day_cap, hold


@pytest.fixture
def ledger(db: Database, clock: ManualClock) -> SqliteLedger:
    return SqliteLedger(db, clock)


async def reserved(
    ledger: SqliteLedger, amount: int, *caps: Cap, request_id: str = "r1", number: int = 1
) -> Reservation:
    held = await ledger.reserve(hold(amount, *caps, request_id=request_id, number=number))
    assert isinstance(held, Reservation)
    return held


async def test_an_attempt_comes_back_as_it_was_booked(ledger: SqliteLedger, db: Database, clock: ManualClock) -> None:
    cached = attempt(number=3, from_cache=True, saved=Money(5), cost=Cost(Money(0), CostState.COMPUTED))
    for each in (ATTEMPT, FAILED, cached):
        await ledger.book(each, None)
    assert await Reports(db, clock).attempts("r1") == (ATTEMPT, FAILED, cached)


async def test_a_reservation_counts_until_it_is_settled_to_what_was_paid(ledger: SqliteLedger) -> None:
    held = await reserved(ledger, 60, day_cap(100))
    assert (held.states[0].spent, held.states[0].reserved) == (Money(0), Money(60))
    (after,) = await ledger.book(attempt(cost=costing(25)), held)
    assert (after.spent, after.reserved, after.left) == (Money(25), Money(0), Money(75))


async def test_a_hold_fits_to_the_last_picodollar_and_no_further(ledger: SqliteLedger) -> None:
    await ledger.book(attempt(cost=costing(30)), await reserved(ledger, 30, day_cap(100)))
    await reserved(ledger, 40, day_cap(100), number=2)
    refused = await ledger.reserve(hold(31, day_cap(100), number=3))
    assert isinstance(refused, Refusal)
    assert refused.blocking.cap == day_cap(100)
    assert refused.blocking.left == Money(30)
    await reserved(ledger, 30, day_cap(100), number=3)


async def test_a_refused_hold_sets_nothing_aside_anywhere(ledger: SqliteLedger) -> None:
    caps = (day_cap(100), Cap("month", "2026-11", Money(50)), Cap("session", "s1", Money(55)))
    refused = await ledger.reserve(hold(60, *caps))
    assert isinstance(refused, Refusal)
    assert refused.blocking.scope == "month"
    assert [state.reserved for state in await ledger.budgets(caps)] == [Money(0)] * 3


async def test_a_cap_that_others_spent_blocks_even_where_a_smaller_one_has_room(ledger: SqliteLedger) -> None:
    caps = (Cap("session", "s1", Money(20)), day_cap(100))
    await ledger.book(attempt(request_id="r0", session="other", cost=costing(95)), None)
    refused = await ledger.reserve(hold(10, *caps))
    assert isinstance(refused, Refusal)
    assert refused.blocking.scope == "day"


async def test_a_free_call_fits_into_an_exhausted_cap_and_into_one_of_zero(ledger: SqliteLedger) -> None:
    await ledger.book(attempt(cost=costing(130)), None)
    held = await reserved(ledger, 0, day_cap(100), Cap("month", "2026-11", Money(0)), number=2)
    assert [state.condition for state in held.states] == [BudgetCondition.EXHAUSTED] * 2
    assert isinstance(await ledger.reserve(hold(1, day_cap(100), number=3)), Refusal)


async def test_an_amount_below_zero_is_refused(ledger: SqliteLedger) -> None:
    with pytest.raises(ValueError, match="cannot be set aside"):
        await ledger.reserve(hold(-5, day_cap(100)))


async def test_booking_twice_changes_nothing_but_still_frees_the_reservation(
    ledger: SqliteLedger, db: Database, clock: ManualClock
) -> None:
    await ledger.book(attempt(cost=costing(25)), await reserved(ledger, 60, day_cap(100)))
    second = await reserved(ledger, 60, day_cap(100))
    (after,) = await ledger.book(attempt(cost=costing(99)), second)
    assert (after.spent, after.reserved) == (Money(25), Money(0))
    assert [each.cost for each in await Reports(db, clock).attempts("r1")] == [costing(25)]


async def test_more_than_was_reserved_is_recorded_as_it_was_billed(ledger: SqliteLedger) -> None:
    held = await reserved(ledger, 60, day_cap(100))
    (after,) = await ledger.book(attempt(cost=costing(140)), held)
    assert (after.spent, after.left, after.condition) == (Money(140), Money(0), BudgetCondition.EXHAUSTED)


async def test_an_unknown_cost_adds_nothing_and_is_not_free(
    ledger: SqliteLedger, db: Database, clock: ManualClock
) -> None:
    held = await reserved(ledger, 60, day_cap(100))
    (after,) = await ledger.book(attempt(cost=costing(None)), held)
    assert (after.spent, after.reserved) == (Money(0), Money(0))
    (row,) = await Reports(db, clock).attempts("r1")
    assert row.cost.amount is None


async def test_an_attempt_without_a_reservation_counts_towards_every_sum(ledger: SqliteLedger) -> None:
    assert await ledger.book(attempt(cost=costing(25)), None) == ()
    assert [state.spent for state in await ledger.budgets(all_caps(Budgets()))] == [Money(25)] * 8


async def test_every_sum_that_routing_names_is_counted_once(ledger: SqliteLedger) -> None:
    held = await reserved(ledger, 60, *all_caps(Budgets(daily=Money(100))))
    assert [state.reserved for state in held.states] == [Money(60)] * 8
    after = await ledger.book(attempt(cost=costing(25)), held)
    assert [(state.spent, state.reserved) for state in after] == [(Money(25), Money(0))] * 8


async def test_a_call_outside_any_session_counts_towards_the_one_it_is_by_itself(ledger: SqliteLedger) -> None:
    held = await reserved(ledger, 60, *all_caps(Budgets(session=Money(100)), replace(REQUEST, session="")))
    after = await ledger.book(attempt(session="", cost=costing(25)), held)
    assert [(state.spent, state.reserved) for state in after] == [(Money(25), Money(0))] * 8


async def test_alerts_come_at_the_configured_shares(db: Database, clock: ManualClock) -> None:
    ledger = SqliteLedger(db, clock, alert_at=(0.3,))
    await ledger.book(attempt(cost=costing(29)), None)
    assert (await ledger.budgets([day_cap(100)]))[0].condition is BudgetCondition.OK
    await ledger.book(attempt(number=2, cost=costing(1)), None)
    assert (await ledger.budgets([day_cap(100)]))[0].condition is BudgetCondition.ALERT


async def test_a_call_that_runs_past_midnight_counts_where_its_money_was_set_aside(
    ledger: SqliteLedger, db: Database, clock: ManualClock
) -> None:
    yesterday = date(2026, 10, 31)
    held = await reserved(ledger, 60, *all_caps(Budgets(), today=yesterday))
    await ledger.book(attempt(day="2026-11-01", cost=costing(25)), held)
    states = await ledger.budgets(
        [*all_caps(Budgets(), today=yesterday), *all_caps(Budgets(), today=date(2026, 11, 1))[2:]]
    )
    assert [state.spent.picodollars for state in states] == [25] * 8 + [0] * 6
    (row,) = await Reports(db, clock).attempts("r1")
    assert row.day == "2026-10-31"


async def test_a_reservation_whose_asker_was_cancelled_is_given_back(ledger: SqliteLedger, db: Database) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def busy(_: object) -> None:
        entered.set()
        go_on.wait(10)

    db.post(busy)
    await asyncio.to_thread(entered.wait, 10)
    asking = asyncio.create_task(ledger.reserve(hold(60, day_cap(100))))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    go_on.set()
    await db.write(lambda _: None)
    assert (await ledger.budgets([day_cap(100)]))[0].reserved == Money(0)
    await reserved(ledger, 100, day_cap(100))


async def test_booking_goes_through_when_the_turn_is_cancelled_meanwhile(
    ledger: SqliteLedger, db: Database, clock: ManualClock
) -> None:
    held = await reserved(ledger, 60, day_cap(100))
    booking = asyncio.create_task(ledger.book(attempt(cost=costing(25), outcome=Outcome.CANCELLED), held))
    await asyncio.sleep(0)
    booking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await booking
    await db.write(lambda _: None)
    (state,) = await ledger.budgets([day_cap(100)])
    assert (state.spent, state.reserved) == (Money(25), Money(0))


async def test_hostile_words_of_a_provider_are_harmless_in_the_row(
    ledger: SqliteLedger, db: Database, clock: ManualClock
) -> None:
    await ledger.book(replace(FAILED, error_message="\x1b]52;c;cm0gLXJm\x07 gone\udc80\n" * 100), None)
    (row,) = await Reports(db, clock).attempts("r1")
    assert row.error_message.startswith("]52;c;cm0gLXJm gone\ufffd ]52")
    assert len(row.error_message) <= 300


async def routing_decisions(db: Database) -> list[dict[str, object]]:
    def read(connection: object) -> list[dict[str, object]]:
        cursor = connection.execute("SELECT * FROM routing_decisions")  # type: ignore[attr-defined]
        return [dict(zip((name for name, *_ in cursor.description), row, strict=True)) for row in cursor]

    return await db.read(read)


async def test_the_view_shows_a_decision_and_how_it_ended(
    ledger: SqliteLedger, db: Database, clock: ManualClock
) -> None:
    await ledger.decided(DECISION, REQUEST, clock.now())
    open_row = {
        "timestamp": "2026-11-21T12:00:00.000000+00:00",
        "objective": "balanced",
        "task_type": "code",
        "complexity": 4,
        "selected_model": "openai/small",
        "reasoning": "small is good enough for code of difficulty 4/10",
        "estimated_cost": 0.0025,
        "actual_cost": None,
        "execution_time": None,
        "estimated_time": 2.5,
        "success": None,
        "tokens_used": None,
    }
    assert await routing_decisions(db) == [open_row]
    clock.advance(4)
    end = Completed(
        "r1",
        clock.now(),
        1,
        "openai/small",
        "def merge…",
        "balanced",
        ATTEMPT.cost,
        ATTEMPT.usage,
        3.5,
        Confidence(0.75),
        (ATTEMPT,),
    )
    await ledger.concluded(end)
    assert await routing_decisions(db) == [
        open_row | {"actual_cost": 0.00272, "execution_time": 3.5, "success": 1, "tokens_used": 1540}
    ]


async def test_a_failed_turn_is_concluded_with_its_time_and_what_it_cost(
    ledger: SqliteLedger, db: Database, clock: ManualClock
) -> None:
    await ledger.decided(DECISION, REQUEST, clock.now())
    tried = attempt(outcome=Outcome.FAILED, usage=Usage(100, 5))
    cost = Cost(Money(10**9), CostState.ESTIMATED)
    await ledger.concluded(Failed("r1", clock.now(), Overloaded(), cost, (tried,), latency_s=7.5))
    (row,) = await routing_decisions(db)
    assert (row["success"], row["execution_time"], row["actual_cost"], row["tokens_used"]) == (0, 7.5, 0.001, 105)


async def test_a_decision_is_kept_whole_and_without_what_was_said(
    ledger: SqliteLedger, db: Database, clock: ManualClock
) -> None:
    await ledger.decided(DECISION, replace(REQUEST, system="be brief", max_cost=Money(7)), clock.now())
    reports = Reports(db, clock)
    assert await reports.decision("r1") == DECISION
    assert await reports.decision("r2") is None
    (row,) = await db.read(lambda c: c.execute("SELECT * FROM decisions").fetchall())
    assert "Merge two sorted lists" not in str(row)
    assert "be brief" not in str(row)
    assert '"max_cost":7' in str(row)


async def test_it_works_in_memory_too(clock: ManualClock) -> None:
    async with Database(None) as db:
        ledger = SqliteLedger(db, clock)
        await ledger.book(attempt(cost=costing(25)), await reserved(ledger, 60, day_cap(100)))
        await reserved(ledger, 75, day_cap(100), number=2)
        (state,) = await ledger.budgets([day_cap(100)])
        assert (state.spent, state.reserved) == (Money(25), Money(75))


async def test_a_row_that_the_disk_has_no_room_for_leaves_its_money_set_aside(
    ledger: SqliteLedger, db: Database
) -> None:
    held = await reserved(ledger, 60, day_cap(100))
    await db.write(lambda c: c.execute("PRAGMA max_page_count = 1"))
    big = attempt(task_type="x" * 100_000, cost=costing(25))
    with pytest.raises(StoreError, match="the disk is full"):
        await ledger.book(big, held)
    (state,) = await ledger.budgets([day_cap(100)])
    assert (state.spent, state.reserved) == (Money(0), Money(60))
    await db.write(lambda c: c.execute("PRAGMA max_page_count = 100000"))
    (state,) = await ledger.book(big, held)
    assert (state.spent, state.reserved) == (Money(25), Money(0))


async def test_an_attempt_is_booked_so_that_a_power_cut_cannot_take_it(ledger: SqliteLedger, db: Database) -> None:
    statements: list[str] = []
    await db.write(lambda c: c.set_trace_callback(statements.append))
    await ledger.book(ATTEMPT, None)
    insert = next(n for n, statement in enumerate(statements) if statement.startswith("INSERT INTO attempts"))
    levels = [statement for statement in statements[:insert] if statement.startswith("PRAGMA synchronous")]
    assert levels[-1] == "PRAGMA synchronous=FULL"
