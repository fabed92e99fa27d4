from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.migrations import migrate
from tui_orchestrator.storage.reports import Reports
from tui_orchestrator.storage.rows import attempt_row
from tui_orchestrator.storage.schema import MIGRATIONS, Migration

from .samples import ATTEMPT


def schema(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def test_names_are_numbered_in_the_order_they_are_applied() -> None:
    numbers = [int(migration.name.split("_")[0]) for migration in MIGRATIONS]
    assert numbers == sorted(set(numbers))
    assert all(
        migration.name.startswith(f"{number:04}_") for migration, number in zip(MIGRATIONS, numbers, strict=True)
    )


@pytest.mark.parametrize("released", range(1, len(MIGRATIONS)))
async def test_a_store_of_every_earlier_schema_keeps_its_rows(
    tmp_path: Path, released: int, clock: ManualClock
) -> None:
    old = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    migrate(old, migrations=MIGRATIONS[:released])
    row = attempt_row(ATTEMPT, ATTEMPT.day)
    columns = [column[1] for column in old.execute("PRAGMA table_info (attempts)") if column[1] in row]
    old.execute(
        f"INSERT INTO attempts ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
        [row[column] for column in columns],
    )
    if released >= 3:
        old.execute("INSERT INTO sessions (id, title, created, updated, system) VALUES ('s1', 'Lists', '', '', '')")
        old.execute(
            "INSERT INTO messages VALUES (1, 's1', 0, NULL, 'user', 'merge sorted lists', '', 'r1', NULL, NULL, '', '')"
        )
    old.close()
    async with Database(tmp_path / "store.db") as db:
        assert await Reports(db, clock).attempts("r1") == (ATTEMPT,)
        assert (await Reports(db, clock).total("all")).cost == ATTEMPT.cost.amount
        found = await db.read(
            lambda c: c.execute("SELECT rowid FROM messages_text WHERE text LIKE '%sort%'").fetchall()
        )
    assert found == ([(1,)] if released >= 3 else [])


def test_a_step_that_fails_leaves_the_store_as_it_was() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    broken = Migration("0002_broken", "CREATE TABLE half (a);\nINSERT INTO nowhere VALUES (1);")
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(connection, migrations=(MIGRATIONS[0], broken))
    assert schema(connection) == set()
