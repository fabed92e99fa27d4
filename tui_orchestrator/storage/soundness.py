"""Whether the store's file is whole, as far as SQLite can tell."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from .faults import explained
from .unwritable import READ_ONLY

WITHIN_S = 10.0
MOST_BYTES = 2_000_000_000
"""Of a larger store each table is read at its beginning alone: SQLite 3.40 walks over all pages before it can be
interrupted, 0.6 s for 800 MB in memory (measured 2026-11) and far longer on a slow disk."""
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Look:
    damage: str = ""
    """'its table spend cannot be read whole'; '' where none was found."""
    whole: bool = True
    """Whether all of it was looked at."""


def look_through(path: Path, within_s: float = WITHIN_S, most_bytes: int = MOST_BYTES) -> Look:
    """Reads all of the store, or as much as it can in that time, and changes nothing. Blocks: call it in a thread.
    Raises StoreError where not even its schema can be read."""
    # Outside of a transaction: over a damaged page SQLite fails its end too.
    uri = f"{path.absolute().as_uri()}?{READ_ONLY}"
    with explained(path), closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        return _look_through(connection, within_s, most_bytes)


def _look_through(connection: sqlite3.Connection, within_s: float, most_bytes: int) -> Look:
    tables = [
        name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0")
    ]
    (pages,), (page,) = (connection.execute(f"PRAGMA {what}").fetchone() for what in ("page_count", "page_size"))
    end = time.monotonic() + within_s
    said, spoilt, whole = "", list[str](), pages * page <= most_bytes
    if whole:
        connection.set_progress_handler(lambda: time.monotonic() > end, 10_000)
        try:
            found = _fault(connection, "PRAGMA quick_check")
            # Of an index for search that it was interrupted in, SQLite says that it could not be validated.
            whole = time.monotonic() <= end
            said = found if whole else ""
            spoilt = [name for name in tables if _fault(connection, f'PRAGMA quick_check("{name}")')] if said else []
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            whole = False
        finally:
            connection.set_progress_handler(None, 0)
    if not whole:
        # All columns, because fewer would be read from an index, which may be whole where the table is not.
        spoilt = [name for name in tables if _fault(connection, f"SELECT 'ok', * FROM \"{name}\" LIMIT 1")]
    return Look(_named(spoilt) or said, whole)


def _fault(connection: sqlite3.Connection, query: str) -> str:
    """The first thing that SQLite finds wrong, '' where it finds nothing."""
    try:
        row = connection.execute(query).fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:
            raise
        return str(error)
    return "" if row is None or row[0] == "ok" else " ".join(row[0].split())


def _named(tables: Sequence[str]) -> str:
    if not tables:
        return ""
    if len(tables) == 1:
        return f"its table {tables[0]} cannot be read whole"
    more = len(tables) - _NAMED
    shown = [*tables[:_NAMED], f"{more} more"] if more > 0 else list(tables)
    return f"its tables {', '.join(shown[:-1])} and {shown[-1]} cannot be read whole"
