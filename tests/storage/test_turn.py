"""Copies of the program that write to one store take turns."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import threading
from pathlib import Path

import pytest

from tui_orchestrator.storage.database import Database, Work
from tui_orchestrator.storage.faults import StoreError
from tui_orchestrator.storage.presence import is_locked
from tui_orchestrator.storage.turn import Turn


def adding(text: str) -> Work[None]:
    return lambda connection: add(connection, text)


def add(connection: sqlite3.Connection, text: str) -> None:
    connection.execute("INSERT INTO prompts (text, at) VALUES (?, '2026-11-21')", (text,))


def texts(connection: sqlite3.Connection) -> list[str]:
    return [text for (text,) in connection.execute("SELECT text FROM prompts ORDER BY rowid")]


async def test_a_copy_that_writes_without_a_pause_lets_one_that_waits_write_in_between(tmp_path: Path) -> None:
    turn = tmp_path / "store.db-owners"
    entered, go_on = threading.Event(), threading.Event()

    def long(connection: sqlite3.Connection) -> None:
        entered.set()
        go_on.wait(60)
        add(connection, "the first of one")

    async with Database(tmp_path / "store.db") as one, Database(tmp_path / "store.db") as other:
        first = asyncio.create_task(one.write(long))
        await asyncio.to_thread(entered.wait, 60)
        waiting = asyncio.create_task(other.write(adding("the other's")))
        while not is_locked(turn):  # noqa: ASYNC110  # nothing tells when another thread waits
            await asyncio.sleep(0.001)
        second = asyncio.create_task(one.write(adding("the second of one")))
        go_on.set()
        await asyncio.gather(first, waiting, second)
        assert await one.read(texts) == ["the first of one", "the other's", "the second of one"]


async def test_a_copy_that_holds_the_turn_and_does_nothing_keeps_nobody_from_writing(tmp_path: Path) -> None:
    async with Database(tmp_path / "store.db", busy_timeout_s=0.02) as db:
        await db.write(adding("one"))
        held = os.open(tmp_path / "store.db-owners", os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            await db.write(adding("another"))
        finally:
            os.close(held)
        assert await db.read(texts) == ["one", "another"]


async def test_who_waits_for_a_lock_that_never_opens_gives_the_turn_back(tmp_path: Path) -> None:
    holding = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    async with Database(tmp_path / "store.db", busy_timeout_s=0.02) as db:
        holding.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"is locked by another program; try again.* may stay open"):
            await db.write(adding("in vain"))
        assert not is_locked(tmp_path / "store.db-owners")
        holding.execute("ROLLBACK")
        await db.write(adding("then"))
        assert await db.read(texts) == ["then"]
    holding.close()


class Waited:
    """A clock that only moves while somebody sleeps: how long was waited."""

    def __init__(self, turn: Turn, leaves_after_s: float | None) -> None:
        self.seconds, self._turn, self._leaves_after_s = 0.0, turn, leaves_after_s

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        if self._leaves_after_s is not None and self.seconds >= self._leaves_after_s:
            self._turn.leave()


@pytest.mark.parametrize(
    ("leaves_after_s", "waited_s"),
    [
        # From when it is told to end on it has five seconds, but never longer than it would have had.
        (None, (20.0, 40.0, 60.0)),
        (0.0, (5.0, 5.5, 6.0)),
        (12.0, (17.0, 17.5, 18.0)),
        (18.0, (20.0, 23.0, 23.5)),
        (22.0, (20.0, 27.0, 27.5)),
    ],
)
async def test_a_locked_store_is_waited_for_20_seconds_and_all_in_all_five_where_the_program_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leaves_after_s: float | None, waited_s: tuple[float, ...]
) -> None:
    holding = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    async with Database(tmp_path / "store.db") as db:
        holding.execute("BEGIN IMMEDIATE")
        clock = Waited(db.turn, leaves_after_s)
        monkeypatch.setattr("tui_orchestrator.storage.turn.time", clock)
        clock.sleep(0.0)
        for seconds in waited_s:
            with pytest.raises(StoreError, match="is locked by another program"):
                await db.write(adding("in vain"))
            assert clock.seconds == pytest.approx(seconds, abs=0.01)
        holding.execute("ROLLBACK")
        await db.write(adding("the lock is free: however late it is"))
    holding.close()


async def test_a_program_that_ends_waits_for_a_lock_no_longer_than_it_must(tmp_path: Path) -> None:
    holding = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    db = Database(tmp_path / "store.db", busy_timeout_s=3600)
    await db.open()
    holding.execute("BEGIN IMMEDIATE")
    late = asyncio.create_task(db.write(adding("in vain")))
    await asyncio.sleep(0)
    await db.aclose()
    with pytest.raises(StoreError, match="is locked by another program"):
        await late
    holding.close()
