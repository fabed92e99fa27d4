"""Bringing a store to the schema of this program, all or nothing, with a copy of how it was."""

from __future__ import annotations

import os
import re
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from operator import methodcaller
from pathlib import Path

from .faults import StoreError, damaged
from .schema import MIGRATIONS, Migration

_TABLE = re.compile(r"^CREATE (?:VIRTUAL )?TABLE (\w+)", re.MULTILINE)


def migrate(
    connection: sqlite3.Connection,
    path: Path | None = None,
    migrations: Sequence[Migration] = MIGRATIONS,
    begin: Callable[[sqlite3.Connection], object] = methodcaller("execute", "BEGIN IMMEDIATE"),
) -> Path | None:
    """Applies the steps that are missing, all or none; returns the copy of the store as it was before them, if there
    was something to copy. `begin`: a transaction that writes. Raises StoreError for a newer schema and a foreign
    database."""
    if not missing_steps(connection, path, migrations):
        return None
    begin(connection)
    try:
        # Again, now that no other program can be doing the same.
        missing = missing_steps(connection, path, migrations)
        last = next((done.name for done in reversed(migrations) if done not in missing), "")
        backup = _back_up(path, last) if path is not None and missing and last else None
        for migration in missing:
            _apply(connection, migration)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    if backup is not None and path is not None:
        for older in path.parent.glob(f"{path.name}.before-*"):
            if older != backup:
                older.unlink(missing_ok=True)
    return backup


def _back_up(path: Path, last: str) -> Path:
    """A copy for its owner alone, whole or not there, named by the schema it has. Of copies the newest is kept."""
    backup = path.with_name(f"{path.name}.before-{int(last.split('_')[0]) + 1:04}")
    # One program at a time comes here: what lies there half written is of one that was killed.
    for left in path.parent.glob(f".{path.name}.before-*"):
        left.unlink(missing_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{backup.name}.")  # made with mode 0600
    os.close(handle)
    try:
        # Another connection sees the store as it was before the transaction under way.
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(temporary)) as copy:
            source.backup(copy)
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, backup)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return backup


def missing_steps(
    connection: sqlite3.Connection, path: Path | None, migrations: Sequence[Migration] = MIGRATIONS
) -> tuple[Migration, ...]:
    """Raises StoreError for a newer schema, a foreign database, and one that has lost a table."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "migrations" not in tables:
        if tables:
            raise StoreError(path, "is a database of another program", "name another file as store.path")
        return tuple(migrations)
    applied = [name for (name,) in connection.execute("SELECT name FROM migrations ORDER BY name")]
    known = {migration.name for migration in migrations}
    if newer := [name for name in applied if name not in known]:
        raise StoreError(
            path,
            f"was last used by a newer version of this program (it has {newer[-1]})",
            "update tui-orchestrator, or name another file as store.path",
        )
    made = {name for migration in migrations if migration.name in applied for name in _TABLE.findall(migration.sql)}
    if lost := sorted(made - tables):
        raise damaged(path, f"its table {lost[0]} is gone")
    return tuple(migration for migration in migrations if migration.name not in applied)


def _apply(connection: sqlite3.Connection, migration: Migration) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied TEXT NOT NULL)")
    for statement in migration.statements():
        connection.execute(statement)
    connection.execute("INSERT INTO migrations VALUES (?, ?)", (migration.name, datetime.now(UTC).isoformat()))
