"""One SQLite file, written on one thread and read on others, so that nothing of it ever holds the event loop.

Several copies of the program may share the file: it is in WAL mode, where readers and the one writer do not wait for
each other, and writers wait their turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import Any, TypeVar

from ..locations import private
from ..scarcity import scarce
from .checked import checked
from .faults import StoreError, explained, look_at_kind
from .files import Files
from .migrations import migrate
from .presence import Presence
from .turn import LONGEST_S, Turn, share
from .unwritable import READ_ONLY, way_to_read
from .waking import Waking

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

_MOST_TOGETHER = 64
"""Writes in one transaction: enough for the disk to be waited for seldom, few enough for other programs' turns."""
_MOMENT_S = 0.02
"""A write that nobody is held up by waits so long for another to take it along."""

_READING_S = 5.0
_BEGIN = methodcaller("execute", "BEGIN")

Outcome = tuple[Any, BaseException | None]
"""What a piece of work gave, or what it raised."""


@dataclass(frozen=True, slots=True)
class _Asked:
    work: Work[Any]
    told: asyncio.Future[Any] | None
    """None: nobody waits for it."""
    durable: bool = False


class Database:
    """Open it once, close it once. All methods raise StoreError for a fault of the file, the disk, or another program.

    `path` None keeps everything in memory, for this object alone, until it is closed.
    """

    def __init__(self, path: Path | None, *, busy_timeout_s: float = LONGEST_S) -> None:
        """`busy_timeout_s`: how long a write waits for another process's write to end."""
        self.path = path
        self.presence = Presence(path)
        self.turn = Turn(self.presence.directory, busy_timeout_s)
        self._busy_timeout_s = busy_timeout_s = min(busy_timeout_s, _READING_S)
        self._writer: sqlite3.Connection | None = None
        self._writing = ThreadPoolExecutor(1, "store-writer")
        self._waiting: deque[_Asked] = deque()
        self._wake_writer = Waking(self._writing, self._write_together)
        self._later: asyncio.TimerHandle | None = None
        """Until what waits for a write to take it along is written by itself."""
        # In memory there is one connection for all: a shared cache would answer readers with SQLITE_LOCKED.
        self._reader = _Reader(path, busy_timeout_s, "store-reader") if path else None
        # Two, because a report is often two sums over the same million rows, which SQLite computes side by side.
        self._reporter = _Reader(path, busy_timeout_s, "store-reporter", threads=2) if path else None
        self._closed = False
        self._files: Files | None = None
        self._unwritable: StoreError | None = None
        self.backup: Path | None = None
        """A copy of the store as it was before `open` brought its schema up to date, if it did."""

    async def open(self) -> None:
        """Makes the file (0600) and its directory (0700) where they are missing, and brings the schema up to date."""
        try:
            await asyncio.wrap_future(self._writing.submit(self._open_writer))
        except BaseException:
            await self.aclose()
            raise

    async def open_to_read(self, why: StoreError) -> None:
        """Where `open` of another object raised `why`: reads, as well as that can be done; every write raises `why`.
        Raises StoreError where it cannot be read either. Makes and changes nothing."""
        self._unwritable = why
        if self.path is None or self._reader is None or self._reporter is None:
            raise why
        self._reader.query = self._reporter.query = await asyncio.to_thread(way_to_read, self.path, why)

    async def aclose(self) -> None:
        """After every write that was submitted. A second call does nothing."""
        if not self._closed:
            self._closed = True
            self.turn.leave()
            await asyncio.shield(self._close())

    async def __aenter__(self) -> Database:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def write(self, work: Work[T], *, durable: bool = False, soon: bool = True) -> T:
        """Runs `work` on the writer thread inside BEGIN IMMEDIATE, alone or with other writes that wait; what it raises
        takes back its own writing and is raised here. Where another of them raises, it is run once more: it changes
        nothing but the store, or the second time the same.

        Once called, the write happens, in order, even when the waiting task is cancelled. It survives `kill -9` when
        this returns; with `durable` a power cut too. `soon` False: the next write takes it along, in its transaction;
        where none comes it is written a moment later.
        """
        told: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._submit(_Asked(work, told, durable), soon=soon)
        return await told

    def post(self, work: Work[object]) -> None:
        """A write that nobody waits for, behind all writes before it, and not `soon`. Its failure stays unheard. To be
        called on the event loop."""
        with contextlib.suppress(StoreError):
            self._submit(_Asked(work, None), soon=False)

    async def read(self, work: Work[T]) -> T:
        """Runs `work`, which takes milliseconds, on the reader thread; all its queries see the same moment. It cannot
        write."""
        return await self._read(self._reader, work)

    async def version(self) -> int:
        """Another number after every write, of this copy of the program or another. Costs no more than asking."""
        return await self.read(_version)

    async def report(self, work: Work[T]) -> T:
        """As `read`, for work that may take seconds: other reads do not wait for it."""
        return await self._read(self._reporter, work)

    def _submit(self, write: _Asked, *, soon: bool) -> None:
        with self._open_still():
            if self._closed:
                raise RuntimeError("the database is closed")
            self._waiting.append(write)
            if soon:
                self._wake_writer()
            elif self._later is None:
                self._later = asyncio.get_running_loop().call_later(_MOMENT_S, self._write_at_last)

    def _write_at_last(self) -> None:
        self._later = None
        if self._waiting and not self._closed:
            self._wake_writer()

    def _write_together(self) -> None:
        """All that waits, in order, in one transaction: what is under way at once shares the wait for the disk. Each
        comes back when that transaction is on it, and what raises takes back its own writing alone."""
        group = _taken(self._waiting)
        if not group:
            return
        if self._waiting:
            # Of those that wait to be taken along none has asked for a turn of its own.
            self._wake_writer()
        try:
            if self._unwritable is not None:
                raise self._unwritable
            with explained(self.path):
                if self._writer is None:
                    raise RuntimeError("the database is not open")
                if self._files is not None:
                    self._files.look()
                # NORMAL, because losing the last row to a power cut is cheaper than an fsync per write; attempts are
                # FULL. It can only be changed outside a transaction.
                full = any(write.durable for write in group)
                self._writer.execute(f"PRAGMA synchronous={'FULL' if full else 'NORMAL'}")
                done = _transact(self._writer, self.turn.begin, lambda connection: self._all(connection, group))
        except BaseException as fault:  # noqa: BLE001  # raised where each is waited for
            done = [(None, fault)] * len(group)
        _tell(group, done)

    def _all(self, connection: sqlite3.Connection, group: Sequence[_Asked]) -> list[Outcome]:
        """Alone it may raise: then all of the transaction is its own. Where one of several does, all are taken back and
        done anew, each so that it takes back its own: to prepare for that each time takes as long as some of them."""
        if len(group) > 1:
            connection.execute("SAVEPOINT every")
        try:
            return [(checked(connection, write.work), None) for write in group]
        except BaseException:
            if len(group) == 1 or not connection.in_transaction:
                raise
        connection.execute("ROLLBACK TO every")
        return self._each(connection, group)

    def _each(self, connection: sqlite3.Connection, group: Sequence[_Asked]) -> list[Outcome]:
        done: list[Outcome] = []
        for write in group:
            connection.execute("SAVEPOINT one")
            try:
                with explained(self.path):
                    done.append((checked(connection, write.work), None))
            except BaseException as error:
                if not connection.in_transaction:
                    raise  # SQLite has rolled back all of it, as it does on a full disk
                connection.execute("ROLLBACK TO one")
                done.append((None, error))
            connection.execute("RELEASE one")
        return done

    async def _read(self, reader: _Reader | None, work: Work[T]) -> T:
        if reader is None:
            with self._open_still():
                self._writing.submit(self._write_together)
                told = asyncio.wrap_future(self._writing.submit(self._read_in_memory, work))
            return await told
        with self._open_still():
            waiting = reader.submit(work)
        return await waiting

    @contextlib.contextmanager
    def _open_still(self) -> Iterator[None]:
        # Whoever looks something up for the screen may be late when the program ends.
        try:
            yield
        except RuntimeError as error:
            if scarce(error):
                raise  # there was no thread for it
            raise StoreError(self.path, "is closed", "start the program again") from error

    def _read_in_memory(self, work: Work[T]) -> T:
        if self._writer is None:
            raise RuntimeError("the database is not open")
        with explained(None):
            self._writer.execute("PRAGMA query_only=ON")
            try:
                return _transact(self._writer, _BEGIN, lambda connection: checked(connection, work))
            finally:
                self._writer.execute("PRAGMA query_only=OFF")

    def _open_writer(self) -> None:
        with explained(self.path):
            if self.path is not None:
                _make_private(self.path)
            self._writer = sqlite3.connect(
                self.path or ":memory:", isolation_level=None, timeout=self._busy_timeout_s, cached_statements=256
            )
            self._writer.execute("PRAGMA foreign_keys=ON")
            if self.path is not None:
                share(self._writer, self.path, self._busy_timeout_s)
                self._files = Files(self.path, self._writer)
            self.backup = migrate(self._writer, self.path, begin=partial(self.turn.begin, in_line=False))
            self._writer.execute("PRAGMA busy_timeout=0")  # from here on `Turn` waits

    async def _close(self) -> None:
        # The writer last: the last connection folds the WAL into the file, and a read-only one cannot.
        for reader in (self._reader, self._reporter):
            if reader:
                await reader.aclose()
        if self._later is not None:
            self._later.cancel()
        await asyncio.wrap_future(self._writing.submit(self._close_writer))
        self._writing.shutdown(wait=False)

    def _close_writer(self) -> None:
        while self._waiting:
            self._write_together()
        if self._writer is not None:
            self._writer.close()
        if self._files is not None:
            self._files.close()
        self.turn.close()
        self.presence.leave()


class _Reader:
    """Threads, each with a connection when it reads, made when it is first needed, that cannot write. On the one thread
    of `threads=1`, reads that wait are done together."""

    def __init__(self, path: Path, busy_timeout_s: float, name: str, threads: int = 1) -> None:
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._most = _MOST_TOGETHER if threads == 1 else 1
        self._waiting: deque[_Asked] = deque()
        self._idle: deque[sqlite3.Connection] = deque()
        self._threads = ThreadPoolExecutor(threads, name)
        self._wake = Waking(self._threads, self._read_together)
        self.query = READ_ONLY

    def submit(self, work: Work[T]) -> asyncio.Future[T]:
        told: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        asked = _Asked(work, told)
        self._waiting.append(asked)
        self._wake()
        return told

    def _read_together(self) -> None:
        while group := _taken(self._waiting, self._most):
            if self._waiting:
                with contextlib.suppress(RuntimeError):  # no other thread any more: this one goes on
                    self._wake()
            try:
                with explained(self._path):
                    connection = self._idle.pop() if self._idle else self._connect()
                    try:
                        done = _transact(connection, _BEGIN, partial(self._each, group=group))
                    finally:
                        self._idle.append(connection)
            except BaseException as fault:  # noqa: BLE001  # raised where each is waited for
                done = [(None, fault)] * len(group)
            _tell(group, done)

    def _each(self, connection: sqlite3.Connection, group: Sequence[_Asked]) -> list[Outcome]:
        """A read that raises has changed nothing for those after it."""
        done: list[Outcome] = []
        for read in group:
            try:
                with explained(self._path):
                    done.append((checked(connection, read.work), None))
            except BaseException as error:
                if not connection.in_transaction:
                    raise  # SQLite has ended all of it, as it does where memory is short
                done.append((None, error))
        return done

    def _connect(self) -> sqlite3.Connection:
        uri = f"{self._path.absolute().as_uri()}?{self.query}"
        return sqlite3.connect(
            uri, uri=True, isolation_level=None, timeout=self._busy_timeout_s, check_same_thread=False
        )

    async def aclose(self) -> None:
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._threads.shutdown()
        for connection in self._idle:
            connection.close()


def _taken(waiting: deque[_Asked], most: int = _MOST_TOGETHER) -> list[_Asked]:
    """The first of what waits; other threads may take some of it meanwhile."""
    group: list[_Asked] = []
    with contextlib.suppress(IndexError):
        while len(group) < most:
            group.append(waiting.popleft())
    return group


def _tell(group: Sequence[_Asked], done: Sequence[Outcome]) -> None:
    """Wakes each event loop once for all that waited on it."""
    heard: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Outcome]]] = {}
    for asked, outcome in zip(group, done, strict=True):
        if asked.told is not None:
            heard.setdefault(asked.told.get_loop(), []).append((asked.told, outcome))
    for loop, outcomes in heard.items():
        with contextlib.suppress(RuntimeError):  # it was closed: nobody waits any more
            loop.call_soon_threadsafe(_hear, outcomes)


def _hear(outcomes: Sequence[tuple[asyncio.Future[Any], Outcome]]) -> None:
    for told, (result, error) in outcomes:
        if told.done():
            continue  # whoever waited was cancelled
        if error is None:
            told.set_result(result)
        else:
            told.set_exception(error)


def _version(connection: sqlite3.Connection) -> int:
    # Of one connection's own: the reads of `read` all come over the same one.
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _transact(connection: sqlite3.Connection, begin: Work[object], work: Work[T]) -> T:
    begin(connection)
    try:
        result = work(connection)
        connection.execute("COMMIT")
        return result
    except BaseException:
        # SQLite has already rolled back by itself after some faults, a full disk among them.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _make_private(path: Path) -> None:
    private(path.parent)
    look_at_kind(path)
    # Before SQLite makes it, whose own files take over the mode of this one.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
