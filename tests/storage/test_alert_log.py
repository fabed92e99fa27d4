"""What was said of money, by any copy of the program."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.clock import ManualClock
from tui_orchestrator.routing.money import Money
from tui_orchestrator.storage.alerts import AlertLog, Refused, Said
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger

from .samples import TODAY, attempt, costing

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
SAID = Said("day", "2026-11-21", 0.8, Money(100), Money(80))


async def test_each_thing_is_said_once_and_told_to_who_asks_what_came_since(db: Database) -> None:
    log = AlertLog(db)
    assert (await log.latest(), await log.since(0), await log.since(7)) == (0, ((), 0), ((), 7))
    more = [replace(SAID, share=0.95), replace(SAID, period="2026-11-22"), replace(SAID, scope="month")]
    assert [await log.claim(one, AT) for one in (SAID, SAID, *more)] == [True, False, True, True, True]
    last = await log.latest()
    told, serial = await log.since(0)
    assert (told, serial) == ((SAID, *more), last)
    first_two = serial - 2
    assert await log.since(first_two) == ((more[1], more[2]), last)
    assert await log.since(last) == ((), last)
    assert set(await log.of("day", "2026-11-21")) == {SAID, more[0]}
    assert await log.of("day", "2026-11-23") == ()


async def test_a_limit_that_was_raised_may_be_reached_again(db: Database) -> None:
    log = AlertLog(db)
    assert await log.claim(SAID, AT)
    assert await log.claim(replace(SAID, cap=Money(200)), AT)
    assert [one.cap for one in await log.of("day", "2026-11-21")] == [Money(100), Money(200)]


async def test_a_refused_turn_is_kept_with_the_cap_that_refused_it(db: Database) -> None:
    log = AlertLog(db)
    refused = Refused("r1", AT, "day", "2026-11-21", Money(100), Money(99))
    for one in (refused, replace(refused, scope="month", period="2026-11", cap=Money(1000), spent=Money(998))):
        await log.refuse(one)
    rows = await db.read(lambda c: c.execute("SELECT * FROM refusals").fetchall())
    assert rows == [("r1", "2026-11-21T12:00:00.000000+00:00", "month", "2026-11", 1000, 998)]


async def test_what_was_spent_is_told_by_scope_and_day(db: Database, clock: ManualClock) -> None:
    ledger, log = SqliteLedger(db, clock), AlertLog(db)
    for number, (ago, cost) in enumerate(((0, 7), (0, 3), (1, 20), (2, 0), (3, 40)), 1):
        day = TODAY - timedelta(days=ago)
        await ledger.book(attempt(number=number, day=day.isoformat(), cost=costing(cost)), None)
    spent = await log.spent(["day", "day model:openai/small", "day model:nobody", "month"], "2026-11-21")
    assert spent == {"day": Money(10), "day model:openai/small": Money(10)}
    assert await log.spent(["month"], "2026-11") == {"month": Money(70)}
    assert await log.days("day", TODAY - timedelta(days=3), TODAY) == (Money(40), Money(20))
    assert await log.days("day", TODAY - timedelta(days=2), TODAY + timedelta(days=1)) == (Money(20), Money(10))
    assert await log.days("day model:nobody", date(2026, 1, 1), TODAY) == ()


@pytest.mark.parametrize(
    ("task_type", "apart_from", "limit", "costs"),
    [("code", "", 9, (30, 20, 10)), ("code", "", 2, (30, 20)), ("code", "r3", 9, (20, 10)), ("math", "", 9, (5,))],
)
async def test_what_turns_cost_is_told_the_latest_first(
    db: Database, task_type: str, apart_from: str, limit: int, costs: tuple[int, ...]
) -> None:
    def write(connection: sqlite3.Connection) -> None:
        for name, task, cost, hour in (
            *(("r1", "code", 10, 1), ("r2", "code", 20, 2), ("r3", "code", 30, 3)),
            *(("r4", "code", 0, 4), ("r5", "code", None, 5), ("r6", "math", 5, 6)),
        ):
            row = {"request_id": name, "task_type": task, "cost": cost, "at": f"2026-11-21T0{hour}:00:00"}
            insert(connection, "decisions", row)

    await db.write(write)
    found = await AlertLog(db).turns(task_type, apart_from, limit)
    assert found == tuple(map(Money, costs))


def insert(connection: sqlite3.Connection, table: str, row: dict[str, object]) -> None:
    """The rest of its columns are filled in with nothing."""
    columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
    whole = {name: row.get(name, 0 if kind in ("INTEGER", "REAL") else "") for _, name, kind, *_ in columns}
    places = ", ".join(f":{name}" for name in whole)
    connection.execute(f"INSERT INTO {table} ({', '.join(whole)}) VALUES ({places})", whole)
