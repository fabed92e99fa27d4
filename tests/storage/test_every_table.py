"""Every column of every table that there is, with what no column of its kind should hold."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tui_orchestrator.routing.estimates import TokenEstimates
from tui_orchestrator.routing.events import FinishReason
from tui_orchestrator.routing.experiment import Arm, Assignment, Experiment
from tui_orchestrator.routing.health import HealthState, SharedCircuit
from tui_orchestrator.routing.learning import Answer, voted
from tui_orchestrator.routing.money import Money, Usage
from tui_orchestrator.routing.ports import CachedAnswer
from tui_orchestrator.routing.profile import TaskType
from tui_orchestrator.routing.request import Image, Message
from tui_orchestrator.settings import CacheSettings
from tui_orchestrator.shared.book import Book, Seen
from tui_orchestrator.storage.alerts import AlertLog, Refused, Said
from tui_orchestrator.storage.archive import Archive
from tui_orchestrator.storage.batches import Unfinished
from tui_orchestrator.storage.cache import Contents, SqliteCache
from tui_orchestrator.storage.circuits import SqliteCircuits
from tui_orchestrator.storage.conversations import Conversations
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.estimates import KeptEstimates
from tui_orchestrator.storage.evidence import read_evidence
from tui_orchestrator.storage.experiments import Experiments, Kept
from tui_orchestrator.storage.faults import StoreError
from tui_orchestrator.storage.favourites import Favourites
from tui_orchestrator.storage.messages import Discarded
from tui_orchestrator.storage.observations import Observations
from tui_orchestrator.storage.presence import Presence
from tui_orchestrator.storage.spans import Span

from .samples import TODAY
from .test_cache import asked
from .test_wrong_cells import SPOILED, afresh, fill, reads, sentence, spoil

OF_SQLITE = ("messages_text", "sqlite_")
DRAFT = "Compare them"
SUM = ("day", TODAY.isoformat())


def stores(db: Database) -> tuple[Conversations, SqliteCircuits, SqliteCache, Book]:
    clock = ManualClock()
    circuits = SqliteCircuits(db, clock, lambda provider: "k")
    return Conversations(db, clock), circuits, SqliteCache(db, CacheSettings(), clock), Book(db, "realm")


async def fill_all(path: Path) -> None:
    """A row at least in every table, by those that write it; where a turn would be needed, as one writes it."""
    await fill(path)
    clock = ManualClock()
    now = clock.now()
    async with Database(path) as db:
        conversations, circuits, cache, book = stores(db)
        session = (await conversations.recent())[0].id
        message = Message("user", "What is it?", (Image("image/png", b"\x89PNG", "a.png"),))
        await conversations.prompt(session, message, "r2")
        await conversations.discard(session, Discarded("r1", 1, "openai/small", "Like", "Hm", "it broke off"))
        await conversations.save_draft(session, DRAFT, [(0, 7, "[paste]")])
        await conversations.save_edit(session, "r1", DRAFT, [(0, 7, "[paste]")])
        await Favourites(db).add("openai/small", now)
        await Unfinished(db).keep("/tmp/out.jsonl", {"input": "/tmp/in.jsonl"}, now)
        await Observations(db).record([voted(Answer("r1", 1, "openai/small", TaskType.CODE), True, now)])
        await circuits.tell(
            [SharedCircuit("openai/small", "openai", 3, 1, 0, 60.0, HealthState.COOLING_DOWN, "it is down")]
        )
        await cache.put(
            asked("k"), CachedAnswer("openai/small", "4", "", Usage(1, 1), Money(7), FinishReason.STOP, now)
        )
        log = AlertLog(db)
        await log.claim(Said("day", TODAY.isoformat(), 0.8, Money(10), Money(9)), now)
        await log.refuse(Refused("r1", now, "day", TODAY.isoformat(), Money(10), Money(9)))
        tried = Experiment("e1", "thrift", Arm("default"), Arm("model=openai/small", model="openai/small"))
        await Experiments(db).start(Kept(tried, "traffic", now))
        await Experiments(db).take(Assignment("e1", "thrift", "a", "place"), "r1", now)
        await book.name()
        await book.see({"other": {SUM: Seen(5, 0)}}, TODAY)
        await book.set_ceilings({SUM: (100, now + timedelta(hours=1))}, now)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO token_factors VALUES ('openai/small', 'output', 1.5, 3.0)")
        connection.execute("INSERT INTO imported_attempts VALUES (?, 'r1', '[{}]')", (session,))
        connection.execute("INSERT INTO vectors VALUES (1, 'k', 'context', 'What is two?', 'e', x'0000')")
        for table in ("open_calls", "unsent_calls"):
            if not connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]:
                reservation = connection.execute("SELECT reservation FROM reserved").fetchone()[0]
                row = (reservation, "r1", 3, "openai/small", "openai", now.isoformat(), 5_000, 0)
                values = row if table == "open_calls" else row[:1]
                connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)
        connection.commit()


def reads_of_all(db: Database) -> dict[str, Callable[[], Awaitable[object]]]:
    conversations, circuits, cache, book = stores(db)
    clock, experiments, log = ManualClock(), Experiments(db), AlertLog(db)
    archive, observations = Archive(db, clock), Observations(db)

    async def session() -> str:
        return (await conversations.recent())[0].id

    async def of_session(look: Callable[[str], Awaitable[object]]) -> object:
        return await look(await session())

    found: dict[str, Callable[[], Awaitable[object]]] = {
        "circuits": circuits.read,
        "claim": lambda: circuits.claim(SharedCircuit("openai/small", "openai")),
        "cached": lambda: cache.get(asked("k")),
        "contents": Contents(db).by_model,
        "estimates": KeptEstimates(db, TokenEstimates()).load,
        "evidence": lambda: read_evidence(db, Span()),
        "running": experiments.running,
        "experiments": experiments.all,
        "record": lambda: experiments.record("e1"),
        "favourites": Favourites(db).all,
        "batches": Unfinished(db).all,
        "observed": lambda: observations.since(0),
        "latest alert": log.latest,
        "alerts": lambda: log.since(0),
        "alerts of": lambda: log.of("day", TODAY.isoformat()),
        "turns": lambda: log.turns("code", "r9", 10),
        "days": lambda: log.days("day", TODAY - timedelta(days=9), TODAY),
        "store": book.name,
        "account": lambda: book.account(TODAY),
        "seen": book.seen,
        "ceilings": lambda: book.ceilings(clock.now()),
        "left": conversations.left_draft,
        "tags": archive.tags,
    }
    of_one: dict[str, Callable[[str], Awaitable[object]]] = {
        "draft": conversations.draft,
        "edit": conversations.edit,
        "observed there": observations.of_session,
        "attempts there": archive.attempts,
        "attempts elsewhere": archive.attempts_elsewhere,
        "ending": archive.ending,
        "fork": archive.fork,
    }
    return {**reads(db), **found, **{name: (lambda look=look: of_session(look)) for name, look in of_one.items()}}  # type: ignore[misc]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "store.db"
    asyncio.run(fill_all(path))
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path, whole: bytes) -> Path:
    path = tmp_path / "store.db"
    path.write_bytes(whole)
    return path


def columns(path: Path) -> list[tuple[str, str]]:
    """Of every table but those of SQLite's own, as the file has them."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        own = [name for name in tables if not name.startswith(OF_SQLITE)]
        return [(table, column) for table in own for _, column, *_ in connection.execute(f"PRAGMA table_info({table})")]


async def test_a_store_that_holds_something_everywhere_is_read(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        empty = {t for t, _ in columns(path) if not connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0]}
    assert not empty, "a table of which nothing is tried: fill it, and read it"
    async with Database(path) as db:
        assert {name: said for name, read in reads_of_all(db).items() if (said := await sentence(read, name))} == {}


@pytest.mark.parametrize("quarter", range(4))
async def test_whatever_any_column_holds_every_read_gives_a_sentence_or_what_its_type_says(
    path: Path, whole: bytes, quarter: int
) -> None:
    told = []
    for at, (table, column) in enumerate(columns(path)):
        if at % 4 != quarter:
            continue
        value = SPOILED[at // 4 % len(SPOILED)]
        afresh(path, whole)
        if spoil(path, table, column, value):
            what = f"{table}.{column} = {value!r}"
            said = ""
            try:
                async with Database(path) as db:
                    for name, read in reads_of_all(db).items():
                        said = said or await sentence(read, f"{what}: {name}")
            except StoreError as error:
                said = str(error)
            told.append(said)
    assert sum(map(bool, told)) > len(told) / 4


def test_an_owner_that_is_a_path_has_no_file_taken_away(path: Path) -> None:
    precious = path.with_name("precious.txt")
    precious.write_text("mine")
    path.with_name("store.db-owners").mkdir(exist_ok=True)
    presence = Presence(path)
    presence.forget(["../precious.txt", str(precious), "", "."])
    assert precious.read_text() == "mine"
    assert presence.kept("../precious.txt") == []
    assert not presence.alive("..")
