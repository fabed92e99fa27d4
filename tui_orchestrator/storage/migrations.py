"""Bringing a store to the schema of this program, all or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from .faults import StoreError
from .schema import MIGRATIONS, Migration


def migrate(
    connection: sqlite3.Connection, path: Path | None = None, migrations: Sequence[Migration] = MIGRATIONS
) -> None:
    """Applies the steps that are missing, all or none. Raises StoreError for a newer schema and a foreign database."""
    if _missing(connection, path, migrations):
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Again, now that no other program can be doing the same.
            for migration in _missing(connection, path, migrations):
                _apply(connection, migration)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _missing(
    connection: sqlite3.Connection, path: Path | None, migrations: Sequence[Migration]
) -> tuple[Migration, ...]:
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
    return tuple(migration for migration in migrations if migration.name not in applied)


def _apply(connection: sqlite3.Connection, migration: Migration) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied TEXT NOT NULL)")
    for statement in migration.statements():
        connection.execute(statement)
    connection.execute("INSERT INTO migrations VALUES (?, ?)", (migration.name, datetime.now(UTC).isoformat()))
