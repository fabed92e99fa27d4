"""What of a damaged file is found, and named."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.faults import StoreError
from tui_orchestrator.storage.soundness import Look, look_through


@pytest.fixture
async def store(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    async with Database(path) as database:
        await database.write(lambda connection: connection.execute("SELECT 1"))
    return path


def spoil(path: Path, *names: str) -> None:
    """Zeroes the page at which each table or index begins."""
    with closing(sqlite3.connect(path)) as connection:
        roots = dict(connection.execute("SELECT name, rootpage FROM sqlite_master").fetchall())
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with open(path, "r+b") as file:
        for name in names:
            file.seek((roots[name] - 1) * size)
            file.write(bytes(size))


def tables(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0"
        return [name for (name,) in connection.execute(query)]


def test_a_whole_store_has_no_damage(store: Path) -> None:
    assert look_through(store) == Look()


def test_a_damaged_table_is_named_whichever_it_is(store: Path) -> None:
    whole, every = store.read_bytes(), tables(store)
    assert "spend" in every
    for name in every:
        store.write_bytes(whole)
        spoil(store, name)
        assert look_through(store) == Look(f"its table {name} cannot be read whole")


@pytest.mark.parametrize(
    "name", ["attempts", "spend", "day_sums", "decisions", "sessions", "messages", "messages_text_data"]
)
def test_of_a_store_too_large_to_be_read_whole_a_table_that_cannot_be_read_is_named(store: Path, name: str) -> None:
    assert look_through(store, most_bytes=1) == Look(whole=False)
    spoil(store, name)
    assert look_through(store, most_bytes=1) == Look(f"its table {name} cannot be read whole", whole=False)


def test_a_damaged_index_is_told_with_its_table(store: Path) -> None:
    spoil(store, "messages_session")
    assert look_through(store).damage == "its table messages cannot be read whole"


def test_of_many_damaged_tables_a_few_are_named(store: Path) -> None:
    spoil(store, "attempts", "spend", "sessions", "messages", "drafts")
    assert look_through(store).damage == "its tables attempts, spend, sessions and 2 more cannot be read whole"


def test_damage_that_is_in_no_table_is_told_as_sqlite_does(store: Path) -> None:
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE gone (text TEXT)")
        connection.execute("INSERT INTO gone VALUES (zeroblob(100000))")
        connection.execute("DROP TABLE gone")
    with open(store, "r+b") as file:
        file.seek(36)  # how many pages are free
        file.write((3).to_bytes(4, "big"))
    assert "freelist" in look_through(store).damage.lower()


def test_a_look_for_which_there_is_no_time_says_so_and_reads_the_beginning_of_each_table(store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20000) "
            "INSERT INTO drafts (session, text, updated) SELECT n, n, n FROM n"
        )
    assert look_through(store, within_s=0) == Look(whole=False)
    spoil(store, "spend")
    assert look_through(store, within_s=0).damage == "its table spend cannot be read whole"


def test_a_file_whose_schema_cannot_be_read_is_damaged(store: Path) -> None:
    with open(store, "r+b") as file:
        file.seek(100)
        file.write(bytes(200))
    with pytest.raises(StoreError, match="is damaged"):
        look_through(store)
