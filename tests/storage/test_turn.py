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
