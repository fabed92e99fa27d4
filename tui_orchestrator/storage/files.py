"""Whether the store's file and its log are still those that were opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from .faults import StoreError, identity_of

_HEAD = 100
"""Bytes: with the size of a page at 16, and the number of pages at 28 (https://www.sqlite.org/fileformat.html)."""
_PUT_BACK = "end the program and put a copy in its place, or move it away to start afresh"


class Files:
    """SQLite would go on writing to files that no longer have a name, and all of it would be lost with the program."""

    def __init__(self, path: Path, writer: sqlite3.Connection) -> None:
        self._path = path
        self._log_path = Path(f"{path}-wal")
        self._writer = writer
        self._file = identity_of(path)
        self._size = 0
        """The most it was seen to have, in bytes."""
        self._log: tuple[int, int] | None = None
        """SQLite makes it when it first reads or writes."""

    def look(self) -> None:
        """To be called before each write, on its thread. Raises StoreError."""
        if identity_of(self._path) != self._file:
            what = "was moved away, deleted or replaced while it was in use"
            raise StoreError(self._path, what, "put it back, or start the program again")
        self._look_at_size()
        found = identity_of(self._log_path)
        self._log = self._log or found
        if found == self._log:
            return
        # The log holds the latest writes, and is open here still. Not where another program has made a new one, to
        # which the pages of this one do not belong.
        kept = "what it held may be lost"
        self._writer.execute("PRAGMA busy_timeout=5000")  # a report may still be reading
        if found is None and not self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            kept = "what it held is in the store"
        what = f"has lost its log ({self._log_path.name}), which was deleted or replaced while it was in use; {kept}"
        raise StoreError(self._path, what, "start the program again")

    def _look_at_size(self) -> None:
        """What is compacted is shorter too, but as long as its head says."""
        if (size := self._path.stat().st_size) < self._size:
            with self._path.open("rb") as file:
                head = file.read(_HEAD)
            page = int.from_bytes(head[16:18], "big")
            if size < int.from_bytes(head[28:32], "big") * (65_536 if page == 1 else page) or size < _HEAD:
                what = "was cut short by another program while it was in use"
                raise StoreError(self._path, what, _PUT_BACK)
        self._size = size
