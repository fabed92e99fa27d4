"""Whose turn it is to write, among the copies of the program on one store.

Who waits for SQLite's lock looks again and again whether it happens to be free: of two copies that wrote without a
pause, on two cores, one kept the other out for 16 seconds (2026-11). So whoever waits for that lock holds one of ours
meanwhile, and who has written must have ours before writing again: nobody writes twice while another waits.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .faults import StoreError

LONGEST_S = 20.0
"""How long a write waits for that of another program."""
_LEAVING_S = 5.0
"""Longest that a program which ends waits, for all of its writes together."""
_STILL_S = 0.5
"""What each write has even then: other copies of the program take their turns in less."""
_LOOK_S = 0.002
"""Between two looks whether a lock is free."""


class Turn:
    """Of one thread."""

    def __init__(self, place: Path | None, longest_s: float) -> None:
        """`place`: a directory that all copies share, made where it is missing; None: there are no others.
        `longest_s`: how long to wait for a write of another program."""
        self._place = place
        self._lock: int | None = None
        self.longest_s = longest_s
        self._leaves_at: float | None = None

    def leave(self) -> None:
        """The program is about to end: from now on its writes wait no longer than it may. By any thread, and more than
        once."""
        if self._leaves_at is None:
            self._leaves_at = time.monotonic() + _LEAVING_S

    def begin(self, connection: sqlite3.Connection, *, in_line: bool = True) -> None:
        """A transaction that writes. Raises sqlite3.OperationalError. `in_line` False: without a turn, for which
        `place` would have to be made."""
        began = time.monotonic()

        def patient() -> bool:
            until = began + self.longest_s
            if self._leaves_at is not None:
                until = min(until, max(self._leaves_at, began + _STILL_S))
            return time.monotonic() < until

        # Without its turn too: where a stopped copy has it, and where the file system knows no such locks.
        if in_line:
            with suppress(OSError):
                self._wait(patient)
        try:
            while not _begun(connection, patient):
                time.sleep(_LOOK_S)
        finally:
            if self._lock is not None:
                with suppress(OSError):
                    fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _wait(self, patient: Callable[[], bool]) -> None:
        if self._place is None:
            return
        if self._lock is None:
            self._place.mkdir(mode=0o700, exist_ok=True)
            self._lock = os.open(self._place, os.O_RDONLY)
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if not patient():
                    return
                time.sleep(_LOOK_S)

    def close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _begun(connection: sqlite3.Connection, patient: Callable[[], bool]) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if not _is_busy(error) or not patient():
            raise
        return False
    return True


def share(connection: sqlite3.Connection, path: Path | None, longest_s: float) -> None:
    """Has readers and the one writer not wait for each other. Raises StoreError and sqlite3.OperationalError."""
    # Two programs that open a new file at once: the change of mode fails at once instead of waiting its turn.
    deadline = time.monotonic() + longest_s
    while True:
        try:
            if connection.execute("PRAGMA journal_mode=WAL").fetchone()[0] != "wal":
                raise StoreError(
                    path,
                    "lies on a file system that cannot share it between programs",
                    "name a file on a local disk as store.path",
                )
            return
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
