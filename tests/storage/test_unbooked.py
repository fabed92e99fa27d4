"""A call whose end could not be written down: the next copy of the program books it as it was, and no less."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tui_orchestrator.routing.budget import Lost, Reservation
from tui_orchestrator.routing.events import Attempt
from tui_orchestrator.routing.money import Money, Usage
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.faults import StoreError
from tui_orchestrator.storage.ledger import SqliteLedger, not_booked
from tui_orchestrator.storage.reports import Reports

from .samples import ATTEMPT, PRICE, attempt, costing, day_cap, hold
from .test_database import PRIVATELY, may_mount

LOST = Lost("s1", "balanced", "code", "first", PRICE, Usage(5, 3, source="estimated"))


async def unwritable(db: Database) -> None:
    await db.write(lambda connection: connection.execute("PRAGMA query_only = ON"))


async def left(path: Path, *rows: Attempt) -> tuple[Attempt, ...]:
    """What a copy of the program could not write that ends now."""
    async with Database(path) as db:
        ledger = SqliteLedger(db, ManualClock())
        held = []
        for row in rows:
            given = await ledger.reserve(replace(hold(9_000, day_cap(None), number=row.number), lost=LOST))
            assert isinstance(given, Reservation)
            await ledger.sent(given)
            held.append(given)
        await unwritable(db)
        for row, given in zip(rows, held, strict=True):
            with pytest.raises(StoreError, match=r"until then \$[0-9.]+ of openai/small is not booked"):
                await ledger.book(row, given)
        return await ledger.settle()


@pytest.mark.parametrize("found_by", ["a look", "a call that wants room"])
async def test_the_next_copy_books_what_was_counted(tmp_path: Path, found_by: str) -> None:
    path, rows = tmp_path / "store.db", (attempt(cost=costing(700)), attempt(number=2, cost=costing(80)))
    assert await left(path, *rows) == rows
    async with Database(path) as db:
        ledger = SqliteLedger(db, ManualClock())
        if found_by == "a look":
            await ledger.recover()
        else:
            await ledger.reserve(hold(1_000, day_cap(2_000), request_id="r2"))
        assert await Reports(db, ManualClock()).attempts("r1") == rows
        (day,) = await ledger.budgets([day_cap(None)])
        assert day.spent == Money(780)
        directory = tmp_path / "store.db-owners"
        assert {file.name for file in directory.iterdir()} <= {db.presence.id}


async def test_it_is_booked_in_a_new_store_too_where_the_old_one_was_deleted(tmp_path: Path) -> None:
    path, rows = tmp_path / "store.db", (attempt(cost=costing(700)), attempt(number=2, cost=costing(80)))
    await left(path, *rows)
    for name in ("store.db", "store.db-wal", "store.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    for _ in range(2):
        async with Database(path) as db:
            ledger = SqliteLedger(db, ManualClock())
            await ledger.recover()
            assert await Reports(db, ManualClock()).attempts("r1") == rows
            (day,) = await ledger.budgets([day_cap(None)])
            assert (day.spent, day.reserved) == (Money(780), Money(0))
    assert list((tmp_path / "store.db-owners").iterdir()) == []


async def test_it_is_known_when_the_program_is_killed_before_it_ends(tmp_path: Path) -> None:
    path, row = tmp_path / "store.db", attempt(cost=costing(700))
    dying = Database(path)
    await dying.open()
    ledger = SqliteLedger(dying, ManualClock())
    given = await ledger.reserve(replace(hold(9_000, day_cap(None)), lost=LOST))
    assert isinstance(given, Reservation)
    await ledger.sent(given)
    await unwritable(dying)
    with pytest.raises(StoreError):
        await ledger.book(row, given)
    assert dying.presence._lock is not None
    os.close(dying.presence._lock)  # as the kernel does
    dying.presence._lock = None
    async with Database(path) as db:
        # Another that begins meanwhile takes away the files of dead ones, but not this.
        await db.write(lambda _: db.presence.claim())
        await SqliteLedger(db, ManualClock()).recover()
        assert await Reports(db, ManualClock()).attempts("r1") == (row,)
    await dying.aclose()


async def test_what_could_be_written_in_the_end_is_booked_once_and_nothing_is_left_over(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with Database(path) as db:
        ledger = SqliteLedger(db, ManualClock())
        given = await ledger.reserve(replace(hold(9_000, day_cap(None)), lost=LOST))
        assert isinstance(given, Reservation)
        await db.write(lambda connection: connection.execute("PRAGMA max_page_count = 1"))
        big = attempt(cost=costing(700), task_type="x" * 100_000)
        with pytest.raises(StoreError):
            await ledger.book(big, given)
        await db.write(lambda connection: connection.execute("PRAGMA max_page_count = 100000"))
        assert await ledger.settle() == ()
        assert db.presence.kept(db.presence.id) == []
        (day,) = await ledger.budgets([day_cap(None)])
        assert (day.spent, day.reserved) == (Money(700), Money(0))
    assert list((tmp_path / "store.db-owners").iterdir()) == []


def test_it_is_told_with_its_amount() -> None:
    assert not_booked(ATTEMPT) == (
        "Not booked: $0.0027 of openai/small (1,200 in 340 out); the next start that can write the store books it."
    )


FILLED = """
import asyncio, os, sys
from pathlib import Path
from tui_orchestrator.routing.events import Completed, Text
from tui_orchestrator.routing.request import Message, Request
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import load
disk, filler = Path(sys.argv[1]), Path(sys.argv[1]) / "filler"

async def main():
    async with await Runtime.open(load(), demo=True, pace=0) as runtime:
        async for event in runtime.stream(Request((Message("user", "hello"),), model="demo-gemini/lumen-dash")):
            if isinstance(event, Text) and not filler.exists():
                filler.write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize))
            if isinstance(event, Completed):
                end = event
    assert f"until then {end.cost} of demo-gemini/lumen-dash is not booked" in end.note, end.note
    assert [f"Not booked: {end.cost} of" in told for told in runtime.unbooked] == [True], runtime.unbooked
    filler.unlink()
    async with await Runtime.open(load(), demo=True, pace=0) as runtime:
        (row,) = await runtime.reports.attempts(end.request_id)
        assert (row.cost, row.usage, row.outcome) == (end.cost, end.attempts[0].usage, end.attempts[0].outcome), row
    assert not runtime.unbooked
    print("booked")

asyncio.run(main())
"""

if may_mount:

    def test_a_disk_that_fills_up_in_mid_answer_costs_the_ledger_nothing(tmp_path: Path) -> None:
        mounted = 'mount -t tmpfs -o size=4m none "$1" && shift && exec "$@"'
        done = subprocess.run(
            [*PRIVATELY, "sh", "-c", mounted, "sh", str(tmp_path), sys.executable, "-c", FILLED, str(tmp_path)],
            capture_output=True,
            text=True,
            env={**os.environ, "TUI_ORCHESTRATOR_HOME": str(tmp_path)},
        )
        assert done.stdout == "booked\n", done.stderr
