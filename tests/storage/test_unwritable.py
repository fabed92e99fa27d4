"""A store that cannot be written: what is in it can be read."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tui_orchestrator.routing.money import Money
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.faults import StoreError
from tui_orchestrator.storage.ledger import SqliteLedger

from .samples import day_cap, hold
from .test_database import PRIVATELY, add, count, may_mount

FULL = StoreError(None, "cannot grow", "free some space")


@pytest.fixture
async def store(tmp_path: Path) -> Path:
    async with Database(tmp_path / "store.db") as db:
        await db.write(add)
    return tmp_path / "store.db"


def content(store: Path) -> bytes | None:
    return store.read_bytes() if store.exists() else None


def spoil(store: Path, kind: str) -> None:
    if kind == "older":
        with closing(sqlite3.connect(store)) as connection, connection:
            connection.execute("DELETE FROM migrations WHERE name = (SELECT max(name) FROM migrations)")
    else:
        store.unlink()
    if kind == "damaged":
        store.write_bytes(b"SQLite format 3\0" + b"\1" * 5000)


async def test_all_is_read_and_every_write_says_why_it_cannot_be(store: Path) -> None:
    before = content(store)
    db = Database(store)
    await db.open_to_read(FULL)
    assert (await db.read(count), await db.report(count)) == (1, 1)
    with pytest.raises(StoreError, match="cannot grow"):
        await db.write(add)
    await db.aclose()
    assert content(store) == before


async def test_what_another_copy_of_the_program_writes_meanwhile_is_read(store: Path) -> None:
    db = Database(store)
    async with Database(store) as other:
        await other.write(add)
        await db.open_to_read(FULL)
        assert await db.read(count) == 2
        await other.write(add)
        assert await db.read(count) == 3
        await db.aclose()


@pytest.mark.parametrize("kind", ["none", "older", "damaged", "below a file"])
async def test_one_that_cannot_be_read_either_says_what_was_wrong_with_it(store: Path, kind: str) -> None:
    if kind == "below a file":
        store = store / "store.db"
    else:
        spoil(store, kind)
    spoilt = content(store)
    db = Database(store)
    with pytest.raises(StoreError, match="cannot grow"):
        await db.open_to_read(FULL)
    await db.aclose()
    assert content(store) == spoilt


async def test_what_a_dead_copy_has_set_aside_counts_until_it_can_be_freed(store: Path) -> None:
    async with Database(store) as died:
        await SqliteLedger(died, ManualClock()).reserve(hold(700, day_cap(1000)))
    db = Database(store)
    await db.open_to_read(FULL)
    ledger = SqliteLedger(db, ManualClock())
    await ledger.recover()
    (day,) = await ledger.budgets([day_cap(1000)])
    assert day.left == Money(300)
    await db.aclose()


READING = """
import os, sqlite3, subprocess, sys
from pathlib import Path
from tui_orchestrator.cli import main
disk, elsewhere, how = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

def run(*words):
    sys.argv = ["tui-orchestrator", "--demo", *words]
    try:
        main()
    except SystemExit as end:
        print("|", words[0], end.code, flush=True)

run("ask", "-m", "demo-local/pebble-3b", "hello")
store = sqlite3.connect(disk / "data" / "demo.db")
((session,),) = store.execute("SELECT id FROM sessions")
if how != "full while it is open":
    store.close()
if how.startswith("full"):
    (disk / "filler").write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize))
else:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
if how == "full while it is open":
    run("doctor")
    sys.exit()
run("sessions")
run("sessions", "show", session)
run("sessions", "export", session, "--output", elsewhere)
for command in ("costs", "stats", "models"):
    run(command)
run("route", "hi")
run("doctor")
run("sessions", "rename", session, "Other")
"""


def on_a_small_disk(disk: Path, elsewhere: Path, how: str) -> subprocess.CompletedProcess[str]:
    mounted = 'mount -t tmpfs -o size=4m none "$1" && shift && exec "$@"'
    script = [sys.executable, "-c", READING, str(disk), str(elsewhere), how]
    return subprocess.run(
        [*PRIVATELY, "sh", "-c", mounted, "sh", str(disk), *script],
        capture_output=True,
        text=True,
        env={**os.environ, "TUI_ORCHESTRATOR_HOME": str(disk)},
    )


if may_mount:

    def test_a_disk_that_fills_up_while_the_store_is_open_is_a_problem_of_doctor(tmp_path: Path) -> None:
        disk = tmp_path / "disk"
        disk.mkdir()
        done = on_a_small_disk(disk, tmp_path / "talk.md", "full while it is open")
        assert f"✗ store: {disk}/data/demo.db cannot grow: the disk is full ({disk}, 0.0 of 4.2 MB left)" in done.stdout

    @pytest.mark.parametrize(("how", "why"), [("full", "the disk is full"), ("read-only", "Read-only file system")])
    def test_what_is_kept_on_a_disk_that_cannot_be_written_is_read(tmp_path: Path, how: str, why: str) -> None:
        disk, elsewhere = tmp_path / "disk", tmp_path / "talk.md"
        disk.mkdir()
        done = on_a_small_disk(disk, elsewhere, how)
        ended = [line.removeprefix("| ") for line in done.stdout.splitlines() if line.startswith("| ")]
        read = ["sessions 0"] * 3 + ["costs 0", "stats 0", "models 0", "route 0"]
        assert ended == ["ask 0", *read, "doctor 1", "sessions 1"], done.stderr
        (store,) = (line for line in done.stdout.splitlines() if line.startswith("✗ store"))
        assert why in store
        assert "hello" in elsewhere.read_text()
        told = [line for line in done.stderr.splitlines() if "Until then nothing can be written" in line]
        assert [why in line for line in told] == [True] * 8
