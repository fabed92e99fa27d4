"""A store that fails under a running console: it says so, goes on, and keeps what can be kept."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path

import pytest

from tests.ui.conftest import Console, console
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.money import Money

FIRST, LATER = Say(text="The first answer."), Say(text="The later answer.")
LOCK = """
import sqlite3, sys, time
store = sqlite3.connect(sys.argv[1], isolation_level=None)
store.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
time.sleep(600)
"""


async def ask(seat: Console, connection_work: str) -> None:
    """In the connection that writes, outside of any transaction."""
    assert seat.app.runtime is not None
    database = seat.app.runtime.database
    work = database._writing.submit(lambda: database._writer.execute(connection_work).fetchall())  # type: ignore[union-attr]
    await asyncio.wrap_future(work)


async def told(seat: Console, sentence: str) -> None:
    """In the chat, however it is wrapped there."""
    entries = seat.app.chat.transcript.entries
    await seat.until(lambda: any(sentence in entry.source for entry in entries), sentence)


def answers(store: Path) -> list[str]:
    with closing(sqlite3.connect(store)) as connection:
        query = "SELECT text FROM messages WHERE role = 'assistant' AND state = 'complete' ORDER BY rowid"
        return [text for (text,) in connection.execute(query)]


@asynccontextmanager
async def filled(seat: Console, store: Path) -> AsyncIterator[None]:
    await ask(seat, "PRAGMA max_page_count = 1")
    yield
    await ask(seat, "PRAGMA max_page_count = 1000000")


@asynccontextmanager
async def locked(seat: Console, store: Path, longest_s: float = 0.02) -> AsyncIterator[None]:
    assert seat.app.runtime is not None
    seat.app.runtime.database.turn.longest_s = longest_s
    command = [sys.executable, "-c", LOCK, str(store)]
    other = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert other.stdout is not None
        assert await other.stdout.readline() == b"locked\n"
        yield
    finally:
        other.kill()
        await other.wait()


@pytest.mark.parametrize(
    ("befall", "said"), [(filled, "cannot grow: the disk is full"), (locked, "is locked by another program")]
)
async def test_a_full_or_locked_store_is_a_sentence_and_all_is_kept_that_comes_later(
    befall: Callable[[Console, Path], AbstractAsyncContextManager[None]], said: str, tmp_path: Path
) -> None:
    store = tmp_path / "store.db"
    async with console(tmp_path, script=Script().then(FIRST).always(LATER)) as seat:
        await seat.send("the first question")
        await seat.ended()
        async with befall(seat, store):
            await seat.send("a long question " * 3_000)
            await seat.ended()
            await told(seat, said)
            await told(seat, "The first answer.")
        await seat.send("the later question")
        await seat.ended()
        await seat.sees("The later answer.")
    # Also the answer that came meanwhile, where one did.
    assert answers(store) in ([FIRST.text, LATER.text], [FIRST.text, LATER.text, LATER.text])


async def test_what_waits_for_a_locked_store_is_seen_to_be_sent(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().then(FIRST).always(LATER)) as seat:
        await seat.send("the first question")
        await seat.ended()
        async with locked(seat, tmp_path / "store.db", longest_s=600):
            await seat.send("the later question")
            await seat.sees("the later question", "◐ sending · Esc cancels")
        await seat.ended()
        await seat.sees("The later answer.")
        await seat.sees_no("◐ sending")


async def test_a_store_that_is_damaged_while_it_is_in_use_is_a_sentence_and_the_console_goes_on(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    async with console(tmp_path, script=Script().then(FIRST).always(LATER)) as seat:
        await seat.send("the first question")
        await seat.ended()
        for work in ("PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA cache_size = 0", "PRAGMA shrink_memory"):
            await ask(seat, work)
        size = store.stat().st_size
        with store.open("r+b") as file:
            file.seek(4096)
            file.write(os.urandom(size - 4096))
        await seat.send("the later question")
        await seat.ended()
        await told(seat, "is damaged; move it away to start afresh")
        await told(seat, "The first answer.")
        await seat.type("still here")
        await seat.sees("still here")


@pytest.mark.parametrize("table", ["prompts", "drafts", "sessions", "messages", "decisions"])
async def test_a_table_that_is_dropped_while_the_console_runs_is_damage_and_what_is_asked_is_answered(
    table: str, tmp_path: Path
) -> None:
    async with losing(tmp_path, table) as seat:
        for number in range(2):
            await seat.send(f"the later question {number}")
            await seat.ended()
        await told(seat, f"could not be stored: {tmp_path / 'store.db'} is damaged: its table {table} is gone")
        answered = [entry for entry in seat.app.chat.transcript.entries if "The later answer." in entry.source]
        assert len(answered) == 2
        assert not any("inside the program" in entry.source for entry in seat.app.chat.transcript.entries)


@pytest.mark.parametrize("table", ["attempts", "spend", "reserved"])
async def test_without_a_table_that_money_is_written_down_in_nothing_more_is_called(table: str, tmp_path: Path) -> None:
    async with losing(tmp_path, table) as seat:
        for number in range(2):
            await seat.send(f"the later question {number}")
            await seat.ended()
        await told(seat, "Nothing more is called, since it could not be written down")
        await told(seat, f"is damaged: its table {table} is gone")
        later = [entry for entry in seat.app.chat.transcript.entries if "The later answer." in entry.source]
        # The loss of `attempts` shows when the first of them is booked.
        assert len(later) == (1 if table == "attempts" else 0)


@asynccontextmanager
async def losing(directory: Path, table: str) -> AsyncIterator[Console]:
    """A console whose store loses a table after the first answer."""
    async with console(directory, script=Script().then(FIRST).always(LATER)) as seat:
        await seat.send("the first question")
        await seat.ended()
        with closing(sqlite3.connect(directory / "store.db")) as other:
            other.execute("PRAGMA foreign_keys = OFF")
            other.execute(f"DROP TABLE {table}")
            other.commit()
        yield seat


async def test_a_store_whose_sums_cannot_be_read_is_told_and_the_console_goes_on_without_it(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    budgets = Budgets(daily=Money.from_usd(1))
    async with console(tmp_path, script=Script().always(FIRST), budgets=budgets) as seat:
        await seat.send("the first question")
        await seat.ended()
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("UPDATE spend SET picodollars = 'spoiled'")
        connection.commit()
    async with console(tmp_path, script=Script().always(LATER), budgets=budgets) as seat:
        await told(seat, "holds what this program does not write: a text as picodollars")
        await told(seat, "Nothing of this run will be kept.")
        await told(seat, "so nothing they cover may cost money")
        await seat.send("the later question")
        await seat.ended()
        await told(seat, "The later answer.")
    with closing(sqlite3.connect(store)) as connection:
        assert connection.execute("SELECT DISTINCT picodollars FROM spend").fetchall() == [("spoiled",)]
