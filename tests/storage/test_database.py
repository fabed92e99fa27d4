from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.faults import StoreError
from tui_orchestrator.storage.migrations import migrate
from tui_orchestrator.storage.schema import MIGRATIONS

from .test_migrations import schema

COUNT = "SELECT COUNT(*) FROM prompts"


def add(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO prompts (text, at) VALUES ('hello', '2026-11-21')")


def count(connection: sqlite3.Connection) -> int:
    return int(connection.execute(COUNT).fetchone()[0])


async def test_what_was_written_is_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    async with Database(tmp_path / "store.db") as db:
        await db.write(add)
    async with Database(tmp_path / "store.db") as db:
        assert await db.read(count) == 1


async def test_the_file_and_its_directory_are_for_their_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0o000)
    try:
        async with Database(tmp_path / "new" / "private" / "store.db") as db:
            await db.write(add)
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "new" / "private").iterdir()}
    finally:
        os.umask(old)
    for directory in (tmp_path / "new", tmp_path / "new" / "private"):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    files = {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}
    assert modes == {**files, "store.db-owners": 0o700}


async def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "store.db").touch(mode=0o644)
    async with Database(tmp_path / "store.db"):
        assert stat.S_IMODE((tmp_path / "store.db").stat().st_mode) == 0o600


async def test_a_write_that_raises_changes_nothing(db: Database) -> None:
    def half(connection: sqlite3.Connection) -> None:
        add(connection)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await db.write(half)
    assert await db.read(count) == 0
    await db.write(add)
    assert await db.read(count) == 1


@pytest.mark.parametrize("in_memory", [True, False])
async def test_a_read_cannot_write(tmp_path: Path, in_memory: bool) -> None:
    async with Database(None if in_memory else tmp_path / "store.db") as db:
        with pytest.raises(StoreError, match="cannot be written"):
            await db.read(add)
        await db.write(add)
        assert await db.read(count) == 1


async def test_a_write_whose_task_is_cancelled_still_happens(db: Database) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def slow(connection: sqlite3.Connection) -> None:
        entered.set()
        go_on.wait(10)
        add(connection)

    running = asyncio.create_task(db.write(slow))
    queued = asyncio.create_task(db.write(add))
    await asyncio.to_thread(entered.wait, 10)
    for task in (running, queued):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    go_on.set()
    await db.write(add)
    assert await db.read(count) == 3


async def test_closing_waits_for_every_write(tmp_path: Path) -> None:
    db = Database(tmp_path / "store.db")
    await db.open()
    for _ in range(150):  # more than one transaction takes
        db.post(add)
    await db.aclose()
    await db.aclose()
    async with Database(tmp_path / "store.db") as again:
        assert await again.read(count) == 150
    assert sorted(os.listdir(tmp_path)) == ["store.db", "store.db-owners"]


@pytest.mark.parametrize("in_memory", [False, True])
async def test_what_is_asked_of_it_when_it_is_closed_is_told_so(tmp_path: Path, in_memory: bool) -> None:
    async with Database(None if in_memory else tmp_path / "store.db") as database:
        pass
    for asked in (database.read, database.report, database.write):
        with pytest.raises(StoreError, match="is closed; start the program again"):
            await asked(lambda connection: connection.execute("SELECT 1").fetchone())
    database.post(lambda connection: connection.execute("SELECT 1"))


async def test_reads_and_the_event_loop_go_on_while_a_write_is_held_up(db: Database) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def slow(connection: sqlite3.Connection) -> None:
        add(connection)
        entered.set()
        go_on.wait(10)

    writing = asyncio.create_task(db.write(slow))
    await asyncio.to_thread(entered.wait, 10)
    assert await db.read(count) == 0
    assert not writing.done()
    go_on.set()
    await writing
    assert await db.read(count) == 1


async def test_all_queries_of_one_read_see_the_same_moment(db: Database) -> None:
    first, go_on = threading.Event(), threading.Event()

    def twice(connection: sqlite3.Connection) -> tuple[int, int]:
        before = count(connection)
        first.set()
        go_on.wait(10)
        return before, count(connection)

    reading = asyncio.create_task(db.read(twice))
    await asyncio.to_thread(first.wait, 10)
    await db.write(add)
    go_on.set()
    assert await reading == (0, 0)


async def test_a_long_report_does_not_hold_up_reads_and_writes(db: Database) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def long(connection: sqlite3.Connection) -> int:
        entered.set()
        go_on.wait(10)
        return count(connection)

    reporting = asyncio.create_task(db.report(long))
    await asyncio.to_thread(entered.wait, 10)
    await db.write(add)
    assert await db.read(count) == 1
    assert not reporting.done()
    go_on.set()
    assert await reporting == 1


async def test_two_open_at_once_see_each_others_writes(tmp_path: Path) -> None:
    async with Database(tmp_path / "store.db") as one, Database(tmp_path / "store.db") as other:
        await asyncio.gather(*(db.write(add) for db in (one, other) for _ in range(20)))
        assert await one.read(count) == await other.read(count) == 40


async def test_many_can_open_a_new_file_at_once(tmp_path: Path) -> None:
    databases = [Database(tmp_path / "store.db") for _ in range(8)]
    await asyncio.gather(*(db.open() for db in databases))
    assert [await db.read(count) for db in databases] == [0] * 8
    await asyncio.gather(*(db.aclose() for db in databases))


async def test_a_locked_store_is_a_sentence_and_works_again_afterwards(tmp_path: Path) -> None:
    async with Database(tmp_path / "store.db", busy_timeout_s=0.02) as db:
        other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(
            StoreError, match="is locked by another program; try again; where that does not help, close"
        ) as raised:
            await db.write(add)
        assert raised.value.path == tmp_path / "store.db"
        assert await db.read(count) == 0
        other.execute("ROLLBACK")
        other.close()
        await db.write(add)


async def test_a_full_disk_is_a_sentence_and_the_program_goes_on(db: Database) -> None:
    def fill(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO prompts (text, at) VALUES (?, '')", ("x" * 10_000_000,))

    await db.write(lambda c: c.execute("PRAGMA max_page_count = 200"))
    with pytest.raises(StoreError, match=r"the disk is full \(.* MB left\); free some space there"):
        await db.write(fill)
    await db.write(add)
    assert await db.read(count) == 1


SMALL = """
import asyncio, os, sys
from pathlib import Path
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.faults import StoreError
disk, room = Path("DISK"), int(sys.argv[1])

def grow(connection):
    connection.execute("CREATE TABLE IF NOT EXISTS junk (x)")
    connection.execute("INSERT INTO junk VALUES (?)", ("x" * 3000,))

def count(connection):
    return connection.execute("SELECT count(*) FROM junk").fetchone()[0]

async def main():
    filler = disk / "filler"
    filler.write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - room))
    told, done = [], 0
    for _ in range(2):
        async with Database(disk / "store.db") as db:
            while True:
                try:
                    await db.write(grow)
                    done += 1
                    assert await db.read(count) == done
                except StoreError as error:
                    told.append(str(error))
                    break
            filler.unlink(missing_ok=True)
            await db.write(grow)
            done += 1
            filler.write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize))
            filler.unlink()
    print(told[0])

try:
    asyncio.run(main())
except StoreError as error:
    print(error)
"""


LIMITED = """
import asyncio, resource, sys
from pathlib import Path
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.faults import StoreError

def grow(connection):
    connection.execute("CREATE TABLE IF NOT EXISTS junk (x)")
    connection.execute("INSERT INTO junk VALUES (?)", ("x" * 3000,))

def count(connection):
    return connection.execute("SELECT count(*) FROM junk").fetchone()[0]

async def main():
    told, done = "", 0
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with Database(Path(sys.argv[1])) as db:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), most))
        while not told:
            try:
                await db.write(grow)
                done += 1
                assert await db.read(count) == done
            except StoreError as error:
                told = str(error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        await db.write(grow)
        assert await db.read(count) == done + 1
    print(told)

asyncio.run(main())
"""


@pytest.mark.parametrize("room", [0, 40_960, 400_000])
def test_files_that_may_not_grow_are_told_and_it_goes_on_once_they_may(tmp_path: Path, room: int) -> None:
    """Where the log, its index and the store each meet the limit of what the user may write into one file."""
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "store.db"), str(room)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    said = f"cannot grow: it has reached the limit of {room / 1e6:,.1f} MB that is set here for a file"
    remedy = "lift it with `ulimit -f unlimited` where the program is started"
    assert done.stdout == f"{tmp_path / 'store.db'} {said}; {remedy}\n"


PRIVATELY = ("unshare", "--mount", "--map-root-user")
"""Runs what follows where it may mount something that nobody else sees."""
may_mount = (
    shutil.which("unshare") is not None and subprocess.run([*PRIVATELY, "true"], capture_output=True).returncode == 0
)

if may_mount:

    @pytest.mark.parametrize("room", [0, 4096, 8192, 16384, 40960, 65536, 400_000])
    def test_a_small_disk_that_fills_up_is_told_with_where_and_how_much(tmp_path: Path, room: int) -> None:
        """On a file system of two megabytes in memory, where what SQLite maps could end the program by a signal."""
        script = SMALL.replace("DISK", str(tmp_path))
        mounted = 'mount -t tmpfs -o size=2m none "$1" && shift && exec "$@"'
        done = subprocess.run(
            [*PRIVATELY, "sh", "-c", mounted, "sh", str(tmp_path), sys.executable, "-c", script, str(room)],
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"{tmp_path / 'store.db'} cannot grow: the disk is full ({tmp_path}, ")
        assert done.stdout.endswith("MB left); free some space there, or name a file on another disk as store.path\n")


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_store_that_is_deleted_under_the_program_is_a_sentence(tmp_path: Path, replaced: bool) -> None:
    path = tmp_path / "store.db"
    async with Database(path) as db:
        await db.write(add)
        (tmp_path / "kept.db").hardlink_to(path)
        path.unlink()
        if replaced:
            path.touch()
        with pytest.raises(StoreError, match="was moved away, deleted or replaced while it was in use; put it back"):
            await db.write(add)
        path.unlink(missing_ok=True)
        path.hardlink_to(tmp_path / "kept.db")
        await db.write(add)
        assert await db.read(count) == 2


@pytest.mark.parametrize("left", [0, 50, 4096, 8192])
async def test_a_store_that_is_cut_short_under_the_program_is_a_sentence(tmp_path: Path, left: int) -> None:
    path = tmp_path / "store.db"
    async with Database(path) as db:
        await db.write(add)
    async with Database(path) as db:
        await db.write(add)
        os.truncate(path, left)
        for _ in range(2):
            with pytest.raises(StoreError, match="was cut short by another program while it was in use; end the prog"):
                await db.write(add)


@pytest.mark.parametrize("left", [0, 20, 4000])
async def test_a_log_that_is_cut_short_under_the_program_is_a_sentence(tmp_path: Path, left: int) -> None:
    async with Database(tmp_path / "store.db") as db:
        for _ in range(3):
            await db.write(add)
        os.truncate(tmp_path / "store.db-wal", left)
        for _ in range(2):
            with pytest.raises(StoreError, match=r"has a log \(store.db-wal\) that was cut short by another program"):
                await db.write(add)


async def test_a_log_that_another_program_has_taken_into_the_store_is_begun_anew(tmp_path: Path) -> None:
    path, log = tmp_path / "store.db", tmp_path / "store.db-wal"
    async with Database(path) as db:
        for _ in range(3):
            await db.write(add)
        with closing(sqlite3.connect(path)) as other:
            assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        assert log.stat().st_size == 0
        for _ in range(3):
            await db.write(add)
        assert await db.read(count) == 6


async def test_a_store_that_another_program_compacts_is_written_on(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with Database(path) as db:
        await db.write(lambda connection: connection.execute("CREATE TABLE big AS SELECT zeroblob(100000)"))
    size = path.stat().st_size
    async with Database(path) as db:
        await db.write(lambda connection: connection.execute("DROP TABLE big"))
        with closing(sqlite3.connect(path)) as other:
            other.execute("VACUUM")
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert path.stat().st_size < size
        await db.write(add)
        assert await db.read(count) == 1


async def test_what_was_written_outlives_a_log_that_is_deleted_under_the_program(tmp_path: Path) -> None:
    path, log = tmp_path / "store.db", tmp_path / "store.db-wal"
    async with Database(path) as db:
        for _ in range(3):
            await db.write(add)
        log.unlink()
        with pytest.raises(StoreError, match=r"has lost its log \(store.db-wal\).*; what it held is in the store;"):
            await db.write(add)
        # As it lies there after `kill -9`.
        shutil.copy(path, tmp_path / "left.db")
        log.touch()
        with pytest.raises(StoreError, match="what it held may be lost; start the program again"):
            await db.write(add)
    async with Database(tmp_path / "left.db") as left:
        assert await left.read(count) == 3
        await left.write(add)


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    rubbish = b"this is a letter to my aunt\n" * 500
    (tmp_path / "store.db").write_bytes(rubbish)
    with pytest.raises(StoreError, match="is not a database; move it away"):
        await Database(tmp_path / "store.db").open()
    assert (tmp_path / "store.db").read_bytes() == rubbish


async def test_a_damaged_store_is_a_sentence(tmp_path: Path) -> None:
    async with Database(tmp_path / "store.db") as db:
        for _ in range(200):
            db.post(lambda c: c.execute("INSERT INTO prompts (text, at) VALUES (?, '')", ("word " * 300,)))
    whole = (tmp_path / "store.db").read_bytes()
    page = 4096
    (tmp_path / "store.db").write_bytes(whole[: 4 * page] + os.urandom(len(whole) - 4 * page))
    with pytest.raises(StoreError, match="is damaged; move it away"):
        async with Database(tmp_path / "store.db") as db:
            await db.read(lambda c: c.execute("SELECT SUM(length(text)) FROM prompts").fetchone())


async def test_a_store_that_has_lost_a_table_is_damaged(tmp_path: Path) -> None:
    async with Database(tmp_path / "store.db") as db:
        await db.write(lambda c: c.execute("DROP TABLE attempts"))
    with pytest.raises(StoreError, match="is damaged: its table attempts is gone; move it away"):
        await Database(tmp_path / "store.db").open()
    with pytest.raises(StoreError, match="is damaged: its table attempts is gone; move it away"):
        await Database(tmp_path / "store.db").open_to_read(StoreError(None, "cannot grow", "free some space"))


@pytest.mark.parametrize(
    ("done", "work", "gone"),
    [
        ("DROP TABLE prompts", "SELECT text FROM prompts", "its table prompts is gone"),
        ("DROP TABLE prompts", "INSERT INTO prompts (text, at) VALUES ('', '')", "its table prompts is gone"),
        ("DROP VIEW messages_whole", "SELECT text FROM messages_whole", "its table messages_whole is gone"),
        (
            "DROP TABLE messages_text",
            "INSERT INTO messages (session, position, role, text, created) VALUES ('1', 0, 'user', 'why', '')",
            "its table messages_text is gone",
        ),
        (
            "ALTER TABLE prompts RENAME COLUMN at TO since",
            "SELECT prompts.at FROM prompts",
            "its column at is gone",
        ),
        (
            "ALTER TABLE prompts RENAME COLUMN at TO since",
            "INSERT INTO prompts (text, at) VALUES ('', '')",
            "its column at is gone",
        ),
    ],
)
async def test_what_a_store_loses_while_it_is_open_is_damage_alone_and_among_others(
    tmp_path: Path, done: str, work: str, gone: str
) -> None:
    path = tmp_path / "store.db"
    async with Database(path) as db:
        assert await db.read(lambda c: c.execute("SELECT 1").fetchone()) == (1,)
        with closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA foreign_keys = OFF")
            other.execute(done)
            other.commit()

        def lost() -> Coroutine[Any, Any, object]:
            return db.write(lambda c: c.execute(work).fetchall())

        with pytest.raises(StoreError, match=f"is damaged: {gone}; move it away"):
            await lost()
        if work.startswith("SELECT"):
            with pytest.raises(StoreError, match=f"is damaged: {gone}; move it away"):
                await db.read(lambda c: c.execute(work).fetchall())
        kept = db.write(lambda c: c.execute("INSERT INTO drafts (session, text, updated) VALUES ('', 'one', '')"))
        one, two, three = await asyncio.gather(lost(), kept, lost(), return_exceptions=True)
        assert (gone in str(one), isinstance(two, BaseException), gone in str(three)) == (True, False, True)


async def test_a_pipe_in_place_of_the_store_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "store.db")
    with pytest.raises(StoreError, match="is no file; move it away"):
        await Database(tmp_path / "store.db").open()
    with pytest.raises(StoreError, match="is no file; move it away"):
        await Database(tmp_path / "store.db").open_to_read(StoreError(None, "cannot grow", "free some space"))


async def test_what_is_no_file_among_those_of_the_copies_is_left_alone(tmp_path: Path) -> None:
    owners = tmp_path / "store.db-owners"
    owners.mkdir()
    os.mkfifo(owners / "a pipe")
    (owners / "a folder").mkdir()
    async with Database(tmp_path / "store.db") as db:
        await db.write(lambda c: db.presence.claim())
        assert db.presence.alive(db.presence.id)
    assert {file.name for file in owners.iterdir()} == {"a pipe", "a folder"}


async def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "store.db")
    other.execute("CREATE TABLE bookmarks (url)")
    other.commit()
    with pytest.raises(StoreError, match="is a database of another program"):
        await Database(tmp_path / "store.db").open()
    assert schema(other) == {"bookmarks"}
    other.close()


async def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    async with Database(tmp_path / "store.db") as db:
        await db.write(lambda c: c.execute("INSERT INTO migrations VALUES ('0999_telepathy', '2030-01-01')"))
    with pytest.raises(StoreError, match=r"newer version of this program \(it has 0999_telepathy\); update"):
        await Database(tmp_path / "store.db").open()


async def test_a_path_that_cannot_be_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=f"cannot be used: {tmp_path / 'file'} is not a directory; "):
        await Database(tmp_path / "file" / "store.db").open()
    (tmp_path / "store.db").mkdir()
    with pytest.raises(StoreError, match="is a directory; move it away"):
        await Database(tmp_path / "store.db").open()


READ_ONLY = """
import asyncio, os, sys
from pathlib import Path
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.faults import StoreError
if os.geteuid() == 0:
    os.setuid(65534)
try:
    asyncio.run(Database(Path(sys.argv[1])).open())
except StoreError as error:
    print(error)
"""


def test_a_directory_that_may_not_be_written_is_a_sentence() -> None:
    # Not under tmp_path, which is closed to all but its owner; root, whom no mode stops, becomes another user for this.
    directory = Path(tempfile.mkdtemp())
    try:
        directory.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(directory / "store.db")],
            capture_output=True,
            text=True,
        )
    finally:
        directory.chmod(0o700)
        shutil.rmtree(directory)
    assert done.stderr == ""
    assert done.stdout == (
        f"{directory / 'store.db'} cannot be used: Permission denied; "
        "make the file and its directory writable, or name another file as store.path\n"
    )


async def test_a_mistake_in_our_own_sql_is_not_blamed_on_the_store(db: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await db.read(lambda c: c.execute("SELECT * FROM no_such"))


async def test_only_attempts_wait_for_the_disk(db: Database) -> None:
    async def level(durable: bool) -> int:
        return await db.write(lambda c: int(c.execute("PRAGMA synchronous").fetchone()[0]), durable=durable)

    assert [await level(False), await level(True), await level(False)] == [1, 2, 1]


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    migrate(connection)
    before = list(connection.execute("SELECT * FROM migrations"))
    migrate(connection)
    assert list(connection.execute("SELECT * FROM migrations")) == before
    assert [name for name, _ in before] == [migration.name for migration in MIGRATIONS]
    connection.close()


async def test_writes_that_wait_together_share_a_transaction_and_fail_alone(tmp_path: Path) -> None:
    statements: list[str] = []
    begun, held = threading.Event(), threading.Event()

    def hold(connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(statements.append)
        begun.set()
        held.wait(20)

    def named(name: str) -> Callable[[sqlite3.Connection], str]:
        def write(connection: sqlite3.Connection) -> str:
            connection.execute("INSERT INTO favourites VALUES (?, 'now')", (name,))
            return name

        return write

    def fails(connection: sqlite3.Connection) -> str:
        connection.execute("INSERT INTO favourites VALUES ('taken back', 'now')")
        raise KeyError("a bug")

    async with Database(tmp_path / "store.db") as db:
        db.post(hold)
        await asyncio.to_thread(begun.wait, 20)
        works = (named("a"), fails, named("a"), named("b"))
        writes = [asyncio.create_task(db.write(work, durable=True)) for work in works]
        await asyncio.sleep(0)
        held.set()
        told = await asyncio.gather(*writes, return_exceptions=True)
        assert (told[0], told[3]) == ("a", "b")
        assert isinstance(told[1], KeyError)
        assert isinstance(told[2], sqlite3.IntegrityError), "that name is taken, in the same transaction"
        rows = await db.read(lambda c: c.execute("SELECT model FROM favourites ORDER BY model").fetchall())
        assert rows == [("a",), ("b",)]
        assert statements.count("BEGIN IMMEDIATE") == 1
        assert statements[-1] == "COMMIT"


async def test_the_next_write_takes_along_what_nobody_is_held_up_by(tmp_path: Path) -> None:
    said: list[str] = []
    async with Database(tmp_path / "store.db") as db:
        await db.write(lambda connection: connection.set_trace_callback(said.append))
        said.clear()
        unhurried = asyncio.create_task(db.write(add, soon=False))
        db.post(add)
        await asyncio.sleep(0)
        await db.write(add)
        await unhurried
        assert said.count("BEGIN IMMEDIATE") == 1
        assert await db.read(count) == 3


@pytest.mark.parametrize("in_memory", [True, False])
async def test_what_no_write_takes_along_is_written_all_the_same(tmp_path: Path, in_memory: bool) -> None:
    async with Database(None if in_memory else tmp_path / "store.db") as db:
        await db.write(add, soon=False)
        assert await db.read(count) == 1
        written = threading.Event()
        db.post(lambda _: written.set())
        assert await asyncio.to_thread(written.wait, 20)


async def test_reads_that_wait_together_see_one_moment_and_fail_alone(db: Database) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def slow(connection: sqlite3.Connection) -> int:
        entered.set()
        go_on.wait(10)
        return count(connection)

    def broken(connection: sqlite3.Connection) -> int:
        raise LookupError("nothing of that name")

    first = asyncio.create_task(db.read(slow))
    await asyncio.to_thread(entered.wait, 10)
    together = [asyncio.create_task(db.read(work)) for work in (count, broken, add, count)]
    left = asyncio.create_task(db.read(count))
    await asyncio.sleep(0)
    left.cancel()
    await db.write(add)
    go_on.set()
    said = await asyncio.gather(first, *together, left, return_exceptions=True)
    assert said[1] == said[4] == 1
    assert isinstance(said[2], LookupError)
    assert isinstance(said[3], StoreError)
    assert isinstance(said[5], asyncio.CancelledError)
