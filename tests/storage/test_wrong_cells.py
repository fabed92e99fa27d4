"""A store in which another program, or damage to the file, put what no column of its kind should hold."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.request import Message
from tui_orchestrator.storage.archive import Archive
from tui_orchestrator.storage.conversations import Conversations
from tui_orchestrator.storage.course import Course
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.faults import StoreError
from tui_orchestrator.storage.history import History
from tui_orchestrator.storage.ledger import SqliteLedger
from tui_orchestrator.storage.reports import Reports

from .samples import ATTEMPT, DECISION, FAILED, REQUEST, TODAY, day_cap, hold

SPENT = ATTEMPT.cost.amount
TABLES = (
    *("attempts", "spend", "reserved", "decisions", "sessions", "messages", "prompts", "session_tags"),
    *("day_sums", "session_sums"),
)
SPOILED: tuple[str | bytes | float | None, ...] = ("spoiled", b"\0\xff", 2**63 - 1, None)
AMOUNTS = (("spend", "picodollars"), ("reserved", "picodollars"), ("day_sums", "cost"), ("session_sums", "cost"))


async def fill(path: Path) -> None:
    clock = ManualClock()
    async with Database(path) as db:
        ledger, conversations = SqliteLedger(db, clock), Conversations(db, clock)
        session = conversations.new(tags=frozenset({"work"}))
        await conversations.keep(session)
        await conversations.prompt(session.id, Message("user", "Merge two sorted lists"), "r1")
        await conversations.answer(session.id, "r1", "Like this.", model="openai/small", attempt=1)
        await ledger.decided(DECISION, REQUEST, clock.now())
        for attempt in (ATTEMPT, FAILED):
            await ledger.book(attempt, await reserved(ledger, attempt.number))
        await reserved(ledger, 3)


async def reserved(ledger: SqliteLedger, number: int):  # type: ignore[no-untyped-def]
    return await ledger.reserve(hold(5_000, day_cap(10**15), number=number))


def spoil(path: Path, table: str, column: str, value: object) -> bool:
    """Every cell of the column; false where SQLite itself does not let it be."""
    with closing(sqlite3.connect(path)) as connection:
        triggers = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE type = 'trigger'")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE name = ?", (table,))
        connection.commit()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        try:
            connection.execute(f"UPDATE {table} SET {column} = ?", (value,))
        except (sqlite3.IntegrityError, sqlite3.OperationalError):
            return False
        for (sql,) in triggers:
            connection.execute(sql)
        connection.commit()
    return True


def reads(db: Database) -> dict[str, Callable[[], Awaitable[object]]]:
    clock = ManualClock()
    reports, conversations, archive = Reports(db, clock), Conversations(db, clock), Archive(db, clock)
    history, course, ledger = History(db, clock), Course(db), SqliteLedger(db, clock)
    day = timedelta(days=1)
    return {
        "total": lambda: reports.total("all"),
        "models": lambda: reports.totals("model", "all"),
        "weeks": lambda: reports.totals("week", "all"),
        "of a session": lambda: reports.of_session("s1"),
        "last": reports.last,
        "attempts": lambda: reports.attempts("r1"),
        "decision": lambda: reports.decision_by("latest"),
        "measured": lambda: reports.measured("all", per_task=True),
        "lately": lambda: reports.lately("all"),
        "minutes": lambda: course.lately(clock.now() - day, TODAY, TODAY - day),
        "history": lambda: history.turns(10),
        "sessions": conversations.recent,
        "session": lambda: conversations.get("latest"),
        "prompts": conversations.prompts,
        "prompt": lambda: conversations.find_prompts("sorted", 5, lambda: False),
        "archive": lambda: archive.page(),
        "found": lambda: archive.find("sorted"),
        "budgets": lambda: ledger.budgets([day_cap(10**15)]),
        "reserve": lambda: reserved(ledger, 4),
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "store.db"
    asyncio.run(fill(path))
    return path.read_bytes()


@pytest.mark.parametrize("table", TABLES)
async def test_every_read_gives_what_its_types_say_or_a_sentence(
    table: str, tmp_path: Path, whole: bytes, thorough: bool
) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(whole)
    with closing(sqlite3.connect(path)) as connection:
        columns = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    told: list[str] = []
    for at, column in enumerate(columns):
        # For each the store is opened anew: where columns are many, each has one of the values in turn.
        for value in SPOILED if thorough or len(columns) < 5 else (SPOILED[at % len(SPOILED)],):
            afresh(path, whole)
            if spoil(path, table, column, value):
                async with Database(path) as db:
                    for name, read in reads(db).items():
                        told.append(await sentence(read, f"{table}.{column} = {value!r}: {name}"))
    assert any("holds what this program does not write: " in one for one in told)


def afresh(path: Path, whole: bytes) -> None:
    for name in ("store.db", "store.db-wal", "store.db-shm"):
        path.with_name(name).unlink(missing_ok=True)
    path.write_bytes(whole)


async def sentence(read: Callable[[], Awaitable[object]], what: str) -> str:
    """What it says, '' where it reads."""
    try:
        await read()
    except (StoreError, LookupError) as error:
        if not isinstance(error, KeyError):
            return str(error)
        raise AssertionError(what) from error
    except Exception as error:
        raise AssertionError(what) from error
    return ""


@pytest.mark.parametrize(("table", "column"), AMOUNTS)
@pytest.mark.parametrize("value", ["spoiled", "nan", b"\0\xff", 9e999, 0.5, None])
async def test_what_is_no_amount_never_counts_as_nothing(
    table: str, column: str, value: object, tmp_path: Path, whole: bytes
) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(whole)
    assert spoil(path, table, column, value)
    async with Database(path) as db:
        looks = ("budgets", "reserve") if table in ("spend", "reserved") else ("total", "models", "of a session")
        raised = []
        for name in looks:
            try:
                await reads(db)[name]()
            except StoreError:
                raised.append(name)
    # What a dead copy has set aside is freed before a call is refused, and booked by what is known of that call.
    must = {"session_sums": ["of a session"], "day_sums": ["total", "models"], "spend": ["budgets", "reserve"]}
    assert raised == must.get(table, raised) != []


async def test_a_cost_of_a_state_that_is_none_counts_as_estimated(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(whole)
    assert spoil(path, "day_sums", "cost_state", "spoiled")
    async with Database(path) as db:
        total = await Reports(db, ManualClock()).total("all")
    assert total.cost == total.estimated == SPENT != Money()
