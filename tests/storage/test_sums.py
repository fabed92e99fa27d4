"""The sums beside the attempts never disagree with the rows, whoever wrote them and however old the store is."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clock import ManualClock
from tests.warm import Program
from tui_orchestrator.routing.events import CHECKS, Attempt, Cause, Onward, Outcome
from tui_orchestrator.routing.money import Cost, CostState, Money, Usage
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger
from tui_orchestrator.storage.migrations import migrate
from tui_orchestrator.storage.reports import Reports
from tui_orchestrator.storage.rows import REVISE_ATTEMPT, attempt_row, judgement_row
from tui_orchestrator.storage.schema import MIGRATIONS
from tui_orchestrator.storage.sums import DAY_KEYS, SESSION_KEYS, SIZES, SUMMED

from .samples import ATTEMPT, attempt, costing

BEFORE_SUMS = next(n for n, migration in enumerate(MIGRATIONS) if migration.name == "0010_sums")
TAKEN = Onward("openai/large", 0.2, Money(5), 1.0, 0.1, taken=True)

tokens = st.integers(0, 1000) | st.sampled_from([over + more for over in SIZES for more in (0, 1)])
turns = st.lists(
    st.builds(
        replace,
        st.just(ATTEMPT),
        model=st.sampled_from(["openai/small", "local/free"]),
        session=st.sampled_from(["s1", ""]),
        day=st.sampled_from(["2026-11-21", "2026-10-31"]),
        cause=st.sampled_from(Cause),
        outcome=st.sampled_from(Outcome),
        usage=st.builds(Usage, tokens, tokens, tokens, tokens, tokens),
        cost=st.sampled_from([costing(7), costing(None), Cost(Money(3), CostState.ESTIMATED)]),
        from_cache=st.booleans(),
        saved=st.none() | st.just(Money(11)),
        latency_s=st.integers(0, 10**9).map(lambda us: us / 10**6),
        onward=st.sampled_from([None, TAKEN, replace(TAKEN, taken=False)]),
    ),
    max_size=8,
).map(lambda attempts: [replace(each, number=number) for number, each in enumerate(attempts, 1)])


def kept(connection: sqlite3.Connection) -> list[list[tuple[object, ...]]]:
    return [
        connection.execute(f"SELECT * FROM {table} WHERE attempts <> 0 ORDER BY {', '.join(keys)}").fetchall()
        for table, keys in (("day_sums", DAY_KEYS), ("session_sums", SESSION_KEYS))
    ]


def from_rows(connection: sqlite3.Connection) -> list[list[tuple[object, ...]]]:
    sums = ", ".join(f"SUM({value.format(row='attempts')})" for value in SUMMED.values())
    return [
        connection.execute(
            f"SELECT {', '.join(keys)}, {sums} FROM attempts GROUP BY {', '.join(keys)} ORDER BY {', '.join(keys)}"
        ).fetchall()
        for keys in (DAY_KEYS, SESSION_KEYS)
    ]


def conclude(connection: sqlite3.Connection, attempts: list[Attempt]) -> None:
    """As when a turn ends: what it went on to is written into the row then."""
    connection.executemany(REVISE_ATTEMPT, [judgement_row(each) for each in attempts])


async def live(attempts: list[Attempt]) -> tuple[list[list[tuple[object, ...]]], list[list[tuple[object, ...]]]]:
    async with Database(None) as db:
        ledger = SqliteLedger(db, ManualClock())
        for each in attempts:
            await ledger.book(replace(each, onward=None), None)
        await db.write(lambda connection: conclude(connection, attempts))
        return await db.read(kept), await db.read(from_rows)


def upgraded(attempts: list[Attempt]) -> list[list[tuple[object, ...]]]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, migrations=MIGRATIONS[:BEFORE_SUMS])
    columns = [column[1] for column in connection.execute("PRAGMA table_info (attempts)")]
    for each in attempts:
        row = attempt_row(each, each.day)
        connection.execute(
            f"INSERT INTO attempts ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
            [row[column] for column in columns],
        )
    migrate(connection)
    return kept(connection)


@settings(max_examples=15, deadline=None)
@given(turns)
def test_a_store_of_an_older_version_gets_the_same_sums(attempts: list[Attempt]) -> None:
    with_triggers, summed_now = asyncio.run(live(attempts))
    assert with_triggers == summed_now
    assert upgraded(attempts) == with_triggers


@settings(max_examples=15, deadline=None)
@given(turns)
def test_how_the_turn_went_on_is_counted_where_it_went_on_from(attempts: list[Attempt]) -> None:
    """By hand: a retry and a fallback follow the last attempt before them that was no check."""
    went_on: dict[int, str] = {}
    for each in attempts:
        before = [one.number for one in attempts if one.number < each.number and one.cause not in CHECKS]
        if each.cause in (Cause.RETRY, Cause.FALLBACK) and before:
            went_on[before[-1]] = each.cause
    went_on |= {each.number: "escalation" for each in attempts if each.onward == TAKEN}

    async def ask() -> tuple[int, int, int]:
        async with Database(None) as db:
            ledger = SqliteLedger(db, ManualClock())
            for each in attempts:
                await ledger.book(replace(each, onward=None), None)
            await db.write(lambda connection: conclude(connection, attempts))
            total = await Reports(db, ManualClock()).total("all")
            return total.retried, total.fell_back, total.escalated

    ways = list(went_on.values())
    assert asyncio.run(ask()) == (ways.count("retry"), ways.count("fallback"), ways.count("escalation"))


async def test_an_attempt_booked_twice_is_summed_once(db: Database, clock: ManualClock) -> None:
    ledger = SqliteLedger(db, clock)
    for _ in range(2):
        await ledger.book(attempt(cost=costing(7)), None)
    total = await Reports(db, clock).total("all")
    assert (total.attempts, total.cost) == (1, Money(7))


def test_two_programs_that_write_at_once_lose_nothing_of_the_sums() -> None:
    with tempfile.TemporaryDirectory() as directory:
        store = str(Path(directory) / "store.db")
        spenders = [Program("tests.storage.spender", store, "spend", f"p{n}", "700") for n in range(2)]
        booked = [spender.communicate("go\n").count("booked") for spender in spenders]
        connection = sqlite3.connect(store)
        assert kept(connection) == from_rows(connection)

        (cost,) = connection.execute("SELECT SUM(cost) FROM session_sums").fetchone()
        connection.close()
    assert cost == 7 * sum(booked)
    assert sum(booked) > 60
