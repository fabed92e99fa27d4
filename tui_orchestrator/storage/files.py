"""Whether the store's file and its log are still those that were opened."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

from .faults import StoreError, identity_of

_HEAD = 100
"""Bytes: with the size of a page at 16, and the number of pages at 28 (https://www.sqlite.org/fileformat.html)."""
_INDEX_HEAD = 24
"""Bytes of the log's index: with the size of a page at 14, and the number of pages in the log at 16, in the order of
this machine (https://www.sqlite.org/walformat.html)."""
_LOG_HEAD, _FRAME_HEAD = 32, 24
_CUT_SHORT = (
    "was cut short by another program while it was in use",
    "end the program and put a copy in its place, or move it away to start afresh",
)


class Files:
    """SQLite would go on writing to files that no longer have a name, and all of it would be lost with the program."""

    def __init__(self, path: Path, writer: sqlite3.Connection) -> None:
        self._path = path
        self._log_path = Path(f"{path}-wal")
        self._writer = writer
        self._file = identity_of(path)
        # Kept open: to close any of a file that SQLite has open too would take its locks away.
        self._read = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._read_index: int | None = None
        self._size = self._log_size = 0
        """In bytes, when they were last seen to be whole."""
        self._log: tuple[int, int] | None = None
        """SQLite makes it when it first reads or writes."""

    def look(self) -> None:
        """To be called before each write, on its thread. Raises StoreError."""
        if identity_of(self._path) != self._file:
            what = "was moved away, deleted or replaced while it was in use"
            raise StoreError(self._path, what, "put it back, or start the program again")
        self._look_at_size(self._path.stat().st_size)
        found = identity_of(self._log_path)
        self._log = self._log or found
        if found == self._log:
            self._look_at_log_size()
            return
        # The log holds the latest writes, and is open here still. Not where another program has made a new one, to
        # which the pages of this one do not belong.
        kept = "what it held may be lost"
        self._writer.execute("PRAGMA busy_timeout=5000")  # a report may still be reading
        if found is None and not self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            kept = "what it held is in the store"
        what = f"has lost its log ({self._log_path.name}), which was deleted or replaced while it was in use; {kept}"
        raise StoreError(self._path, what, "start the program again")

    def close(self) -> None:
        """After SQLite has closed its own."""
        for number in (self._read, self._read_index):
            if number is not None:
                os.close(number)

    def _look_at_size(self, size: int) -> None:
        """What is compacted is shorter too, but as long as its head says."""
        if size < self._size:
            head = os.pread(self._read, _HEAD, 0)
            pages = int.from_bytes(head[28:32], "big")
            if size < _HEAD or size < pages * _page(int.from_bytes(head[16:18], "big")):
                raise StoreError(self._path, *_CUT_SHORT)
        self._size = size

    def _look_at_log_size(self) -> None:
        """It begins anew where all of it is in the store, and its index knows."""
        size = self._log_path.stat().st_size if self._log is not None else 0
        if size < self._log_size:
            if self._read_index is None:
                self._read_index = os.open(f"{self._path}-shm", os.O_RDONLY | os.O_CLOEXEC)
            head = os.pread(self._read_index, _INDEX_HEAD, 0)
            page, pages = int.from_bytes(head[14:16], sys.byteorder), int.from_bytes(head[16:20], sys.byteorder)
            if pages and size < _LOG_HEAD + pages * (_FRAME_HEAD + _page(page)):
                what, remedy = _CUT_SHORT
                raise StoreError(self._path, f"has a log ({self._log_path.name}) that {what}", remedy)
        self._log_size = size


def _page(stored: int) -> int:
    return 65_536 if stored == 1 else stored
