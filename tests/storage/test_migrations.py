from __future__ import annotations

import errno
import os
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.storage.conversations import Conversations
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.decisions import record
from tui_orchestrator.storage.drafts import KeptDraft
from tui_orchestrator.storage.faults import StoreError
from tui_orchestrator.storage.messages import messages_of
from tui_orchestrator.storage.migrations import migrate
from tui_orchestrator.storage.reports import Reports
from tui_orchestrator.storage.rows import attempt_row
from tui_orchestrator.storage.schema import MIGRATIONS, Migration
from tui_orchestrator.storage.search import Query, places

from .samples import ATTEMPT, DECISION, REQUEST


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
            "INSERT INTO messages (id, session, position, parent, role, text, thinking, request_id, attempt, model, "
            "state, created) VALUES (1, 's1', 0, NULL, 'user', 'merge sorted lists', '', 'r1', NULL, NULL, '', '')"
        )
    before = list(old.iterdump())
    old.close()
    async with Database(tmp_path / "store.db") as db:
        assert db.backup is not None
        assert stat.S_IMODE(db.backup.stat().st_mode) == 0o600
        with closing(sqlite3.connect(db.backup)) as copy:
            assert list(copy.iterdump()) == before
        assert await Reports(db, clock).attempts("r1") == (ATTEMPT,)
        assert (await Reports(db, clock).total("all")).cost == ATTEMPT.cost.amount
        found = await db.read(
            lambda c: c.execute("SELECT rowid FROM messages_text WHERE text LIKE '%sort%'").fetchall()
        )
    assert found == ([(1,)] if released >= 3 else [])


async def test_what_a_program_left_that_was_killed_in_an_upgrade_goes_with_the_next(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    migrate(old, migrations=MIGRATIONS[:6])
    old.close()
    for name in (".store.db.before-0007.k1ll3d", ".store.db.before-0007.k1ll3d-journal", "store.db.notes"):
        (tmp_path / name).write_bytes(b"half a copy")
    async with Database(tmp_path / "store.db"):
        pass
    assert sorted(name for name in os.listdir(tmp_path) if "before" in name or "notes" in name) == [
        "store.db.before-0007",
        "store.db.notes",
    ]


async def test_an_older_store_tells_how_much_its_notes_matter(tmp_path: Path, clock: ManualClock) -> None:
    old = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    migrate(old, migrations=[migration for migration in MIGRATIONS if migration.name < "0027"])
    old.execute("INSERT INTO sessions (id, title, created, updated, system) VALUES ('s1', 'Lists', '', '', '')")
    notes = [
        ("complete", "", "information"),
        ("complete", "a cap is near", "information"),
        ("complete", "Nothing more came.", "warning"),
        ("interrupted", "Cancelled. Spent: $0.01.", "warning"),
        ("failed", "Cancelled.", "warning"),
        ("failed", "The key was refused.", "error"),
    ]
    for number, (state, note, _) in enumerate(notes):
        old.execute(
            "INSERT INTO messages (session, position, role, text, thinking, request_id, state, created, note) "
            "VALUES ('s1', ?, 'assistant', '', '', ?, ?, '2026-11-22T12:00:00+00:00', ?)",
            (number, f"r{number}", state, note),
        )
    old.execute("INSERT INTO drafts VALUES ('s1', 'half', '')")
    old.close()
    async with Database(tmp_path / "store.db") as db:
        told = await db.read(lambda c: messages_of(c, "s1"))
        assert [message.weight for message in told] == [weight for *_, weight in notes]
        assert await Conversations(db, clock).draft("s1") == KeptDraft("half", None)


async def test_what_continued_an_answer_in_an_older_store_stands_under_continue(
    tmp_path: Path, clock: ManualClock
) -> None:
    old = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    migrate(old, migrations=[migration for migration in MIGRATIONS if migration.name < "0028"])
    for number, goes_on in (("r1", True), ("r2", False)):
        asked = replace(DECISION.asked, goes_on=goes_on)
        decision = replace(DECISION, request_id=number, strategy=Strategy.FALLBACK, asked=asked)
        record(old, decision, replace(REQUEST, id=number), clock.now())
        old.execute("UPDATE decisions SET strategy = 'fallback'")
        row = attempt_row(replace(ATTEMPT, request_id=number, strategy="fallback"), ATTEMPT.day)
        columns = ", ".join(row)
        old.execute(f"INSERT INTO attempts ({columns}) VALUES ({', '.join(f':{name}' for name in row)})", row)
    old.close()
    async with Database(tmp_path / "store.db") as db:
        told = await db.read(lambda c: c.execute("SELECT request_id, strategy FROM decisions ORDER BY 1").fetchall())
        assert told == [("r1", "continue"), ("r2", "fallback")]
        by_strategy = await Reports(db, clock).totals("strategy", "all")
        assert {one.key: one.attempts for one in by_strategy} == {"continue": 1, "fallback": 1}


async def test_a_store_of_this_schema_and_a_new_one_are_not_copied(tmp_path: Path) -> None:
    for _ in range(2):
        async with Database(tmp_path / "store.db") as db:
            assert db.backup is None
    assert os.listdir(tmp_path) == ["store.db"]


async def test_of_the_copies_the_newest_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        assert migrate(old, path, MIGRATIONS[:4]) is None
        assert migrate(old, path, MIGRATIONS[:9]) == tmp_path / "store.db.before-0005"
    async with Database(path) as db:
        assert db.backup == tmp_path / "store.db.before-0010"
    assert not (tmp_path / "store.db.before-0005").exists()


async def test_without_room_for_a_copy_the_store_is_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as old:
        migrate(old, migrations=MIGRATIONS[:4])
        before = list(old.iterdump())

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tui_orchestrator.storage.migrations.os.fsync", full)
    with pytest.raises(StoreError, match="cannot grow: the disk is full"):
        await Database(tmp_path / "store.db").open()
    with closing(sqlite3.connect(tmp_path / "store.db")) as old:
        assert list(old.iterdump()) == before
    assert os.listdir(tmp_path) == ["store.db"]


def test_a_step_that_fails_leaves_the_store_as_it_was() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    broken = Migration("0002_broken", "CREATE TABLE half (a);\nINSERT INTO nowhere VALUES (1);")
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(connection, migrations=(MIGRATIONS[0], broken))
    assert schema(connection) == set()


async def test_the_halves_of_an_answer_that_was_continued_before_are_found_together(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as old:
        migrate(old, migrations=MIGRATIONS[:-1])
        old.execute("INSERT INTO sessions (id, title, created, updated, system) VALUES ('s1', 'Counting', '', '', '')")
        old.executemany(
            "INSERT INTO messages (session, position, parent, role, text, thinking, request_id, attempt, model, state, "
            "created, continues) VALUES ('s1', ?, NULL, ?, ?, '', ?, 1, 'a/b', 'complete', '2026-11-22', ?)",
            [
                (0, "user", "Count", "r1", None),
                (1, "assistant", "One, two, thr", "r1", None),
                (2, "assistant", "ee, four", "r2", "r1"),
            ],
        )
    async with Database(tmp_path / "store.db") as db:
        query = Query.of('"two, three, four"')
        found = await db.read(lambda c: places(c, query, 9, lambda _: True, lambda: False))
    assert {session: place.request_id for session, place in found.items()} == {"s1": "r1"}
