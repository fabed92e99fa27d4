"""What can be wrong with the store's file, in sentences."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tui_orchestrator.routing.errors import NotKept


class StoreError(NotKept):
    """The store cannot be used as things are. Nothing was written by the call that raised it."""

    def __init__(self, path: Path | None, what: str, remedy: str) -> None:
        self.path = path
        self.what = what
        self.remedy = remedy
        super().__init__(f"{path or 'the store in memory'} {what}; {remedy}")


_WRITABLE = "make the file and its directory writable, or name another file as store.path"

# By primary result code: https://www.sqlite.org/rescode.html. Codes that are not here are bugs of ours.
_FAULTS = {
    sqlite3.SQLITE_PERM: ("may not be opened", _WRITABLE),
    sqlite3.SQLITE_BUSY: ("is locked by another program", "close that program, then try again"),
    sqlite3.SQLITE_LOCKED: ("is locked by another program", "close that program, then try again"),
    sqlite3.SQLITE_READONLY: ("cannot be written", _WRITABLE),
    sqlite3.SQLITE_IOERR: ("could not be read or written: the disk reports an error", "check the disk, then try again"),
    sqlite3.SQLITE_CORRUPT: (
        "is damaged",
        "move it away to start afresh; `sqlite3 FILE .recover` may save what is in it",
    ),
    sqlite3.SQLITE_FULL: ("cannot grow: the disk is full", "free some space, then try again"),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", _WRITABLE),
    sqlite3.SQLITE_NOTADB: ("is not a database", "move it away, or name another file as store.path"),
}


@contextmanager
def explained(path: Path | None) -> Iterator[None]:
    """Raises StoreError for a fault of the file, the disk or another program; a bug stays what it is."""
    try:
        yield
    except OSError as error:
        raise StoreError(path, f"cannot be used: {error.strerror or error}", _WRITABLE) from error
    except sqlite3.Error as error:
        fault = _FAULTS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        if fault is None:
            raise
        raise StoreError(path, *fault) from error
