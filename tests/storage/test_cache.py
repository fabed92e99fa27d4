from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tui_orchestrator.routing.events import FinishReason
from tui_orchestrator.routing.money import Money, Usage
from tui_orchestrator.routing.ports import CachedAnswer
from tui_orchestrator.storage.cache import SqliteCache
from tui_orchestrator.storage.database import Database


@pytest.fixture
def cache(db: Database, clock: ManualClock) -> SqliteCache:
    return SqliteCache(db, 60, clock)


@pytest.fixture
def answer(clock: ManualClock) -> CachedAnswer:
    return CachedAnswer(
        "openai/small", "4", "two and two", Usage(10, 2, 3, 0, 1, "estimated"), Money(7), FinishReason.STOP, clock.now()
    )


async def test_an_answer_comes_back_as_it_was_stored(cache: SqliteCache, answer: CachedAnswer) -> None:
    assert await cache.get("k") is None
    await cache.put("k", answer)
    await cache.put("free", replace(answer, cost=Money(0)))
    await cache.put("unpriced", replace(answer, cost=None))
    assert await cache.get("k") == answer
    assert await cache.get("free") == replace(answer, cost=Money(0))
    assert await cache.get("unpriced") == replace(answer, cost=None)
    assert await cache.get("other") is None


async def test_an_answer_lasts_as_long_as_its_time_to_live(
    cache: SqliteCache, answer: CachedAnswer, clock: ManualClock
) -> None:
    await cache.put("k", answer)
    clock.advance(59)
    assert await cache.get("k") == answer
    clock.advance(1)
    assert await cache.get("k") is None


async def test_stale_answers_are_cleared_out(
    cache: SqliteCache, answer: CachedAnswer, clock: ManualClock, db: Database
) -> None:
    await cache.put("old", answer)
    clock.advance(60)
    await cache.put("new", replace(answer, stored=clock.now()))
    assert await db.read(lambda c: c.execute("SELECT key FROM answers").fetchall()) == [("new",)]


async def test_hits_are_counted_and_start_again_with_a_new_answer(
    cache: SqliteCache, answer: CachedAnswer, db: Database
) -> None:
    await cache.put("k", answer)
    for _ in range(3):
        await cache.get("k")
    await cache.get("missing")
    await db.write(lambda _: None)
    assert await cache.hits() == 3
    await cache.put("k", answer)
    assert await cache.hits() == 0


async def test_answers_outlive_the_program(tmp_path: Path, answer: CachedAnswer, clock: ManualClock) -> None:
    async with Database(tmp_path / "store.db") as db:
        await SqliteCache(db, 60, clock).put("k", answer)
    async with Database(tmp_path / "store.db") as db:
        assert await SqliteCache(db, 60, clock).get("k") == answer
