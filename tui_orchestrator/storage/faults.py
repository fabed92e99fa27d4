"""What can be wrong with the store's file, in sentences."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tui_orchestrator.routing.errors import NotKept

from .checked import Unreadable, lost


class StoreError(NotKept):
    """The store cannot be used as things are. Nothing was written by the call that raised it."""

    def __init__(self, path: Path | None, what: str, remedy: str) -> None:
        self.path = path
        self.what = what
        self.remedy = remedy
        super().__init__(f"{path or 'the store in memory'} {what}; {remedy}")


DAMAGED = ("is damaged", "move it away to start afresh; `sqlite3 FILE .recover` may save what is in it")
_SPOILED = "mend it with the program that changed it, put a copy in its place, or move it away to start afresh"
_WRITABLE = "make the file and its directory writable, or name another file as store.path"
_UNLOCK = (
    "try again; where that does not help, close what else has that file open, such as a database browser (copies of "
    "tui-orchestrator take turns and may stay open)"
)
_ELSEWHERE = "name a file on another disk as store.path"

# By primary result code: https://www.sqlite.org/rescode.html. Codes that are not here are bugs of ours.
_FAULTS = {
    sqlite3.SQLITE_PERM: ("may not be opened", _WRITABLE),
    sqlite3.SQLITE_BUSY: ("is locked by another program", _UNLOCK),
    sqlite3.SQLITE_LOCKED: ("is locked by another program", _UNLOCK),
    sqlite3.SQLITE_READONLY: ("cannot be written", _WRITABLE),
    sqlite3.SQLITE_IOERR: ("could not be read or written: the disk reports an error", "check the disk, then try again"),
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", _WRITABLE),
    sqlite3.SQLITE_NOTADB: ("is not a database", "move it away, or name another file as store.path"),
}


# A full disk is SQLITE_FULL while the log grows, SQLITE_IOERR_SHMSIZE while the file of its index does, and
# SQLITE_CANTOPEN where neither can be made; a quota that is used up is SQLITE_IOERR_WRITE.
_FOR_WANT_OF_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
_PROBE = 64 * 1024
"""Bytes: that index grows by half as much at once."""


@contextmanager
def explained(path: Path | None) -> Iterator[None]:
    """Raises StoreError for a fault of the file, the disk or another program; a bug stays what it is."""
    try:
        yield
    except Unreadable as error:
        raise StoreError(path, f"holds what this program does not write: {error}", _SPOILED) from error
    except OSError as error:
        raise fault_of(error, path) from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        why = _probed(path) if code in _FOR_WANT_OF_ROOM else None
        if why is not None or code == sqlite3.SQLITE_FULL:
            raise _full(path, why or errno.ENOSPC) from error
        if code == sqlite3.SQLITE_IOERR and (limit := _limit()) is not None and _largest(path) + _PROBE > limit:
            raise _at_its_limit(path, limit) from error
        if code == sqlite3.SQLITE_ERROR and (gone := lost(error)):
            raise damaged(path, gone) from error
        if code not in _FAULTS:
            raise
        raise StoreError(path, *_FAULTS[code]) from error


def damaged(path: Path | None, how: str) -> StoreError:
    """`how`: 'its table prompts is gone'."""
    what, remedy = DAMAGED
    return StoreError(path, f"{what}: {how}", remedy)


def fault_of(
    error: OSError, path: Path | None, *, writable: str = _WRITABLE, elsewhere: str = _ELSEWHERE
) -> StoreError:
    """Also of what is kept beside the store: `writable` and `elsewhere` say what to do where it may not be written, and
    where there is no room."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _full(path, error.errno, elsewhere)
    if error.errno == errno.EFBIG:
        return _at_its_limit(path, _limit())
    return StoreError(path, f"cannot be used: {error.strerror or error}", writable)


def look_at_kind(path: Path) -> None:
    """Raises StoreError for what is no file: a pipe would be waited for without end. Of what cannot be looked at,
    whoever opens it will say why."""
    with contextlib.suppress(OSError):
        if not stat.S_ISREG(mode := path.stat().st_mode):
            what = "is a directory" if stat.S_ISDIR(mode) else "is no file"
            raise StoreError(path, what, "move it away, or name another file as store.path")


def _full(path: Path | None, why: int, elsewhere: str = _ELSEWHERE) -> StoreError:
    if path is None:
        return StoreError(path, "cannot grow: the memory is full", "end other programs, then try again")
    what = "your quota is used up" if why == errno.EDQUOT else "the disk is full"
    place = next((place for place in path.absolute().parents if place.is_mount()), path.parent)
    left = ""
    with contextlib.suppress(OSError):
        disk = shutil.disk_usage(place)
        left = f", {disk.free / 1e6:,.1f} of {disk.total / 1e6:,.1f} MB left"
    return StoreError(path, f"cannot grow: {what} ({place}{left})", f"free some space there, or {elsewhere}")


def _limit() -> int | None:
    """Bytes this process may have in one file (`ulimit -f`); None: as many as it likes."""
    try:
        from resource import RLIM_INFINITY, RLIMIT_FSIZE, getrlimit
    except ImportError:  # not on Windows
        return None
    limit, _ = getrlimit(RLIMIT_FSIZE)
    return None if limit == RLIM_INFINITY else limit


def _largest(path: Path | None) -> int:
    """Bytes of the store, its log or the log's index."""
    largest = 0
    for file in () if path is None else (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        with contextlib.suppress(OSError):
            largest = max(largest, file.stat().st_size)
    return largest


def _at_its_limit(path: Path | None, limit: int | None) -> StoreError:
    size = "" if limit is None else f" of {limit / 1e6:,.1f} MB"
    return StoreError(
        path,
        f"cannot grow: it has reached the limit{size} that is set here for a file",
        "lift it with `ulimit -f unlimited` where the program is started",
    )


def look_for_room(path: Path) -> None:
    """Raises StoreError where the store could not grow: a call writes what may lie in room that its log has already."""
    if (why := _probed(path)) is not None:
        raise _full(path, why)


def _probed(path: Path | None) -> int | None:
    """ENOSPC or EDQUOT where a new file beside the store cannot be written either."""
    if path is None:
        return None
    try:
        with tempfile.TemporaryFile(dir=path.parent) as probe:
            probe.write(b"\0" * _PROBE)
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        return error.errno if error.errno in (errno.ENOSPC, errno.EDQUOT) else None
    return None


def identity_of(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
