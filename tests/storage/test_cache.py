from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clock import ManualClock
from tui_orchestrator.routing.answer_key import Question
from tui_orchestrator.routing.events import FinishReason, Recalled
from tui_orchestrator.routing.money import ZERO, Cost, CostState, Money, Usage
from tui_orchestrator.routing.ports import CachedAnswer
from tui_orchestrator.settings import CacheModel, CacheSettings
from tui_orchestrator.storage.cache import Contents, Kept, SqliteCache
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger

from .samples import attempt

SMALL = "openai/small"


@pytest.fixture
def cache(db: Database, clock: ManualClock) -> SqliteCache:
    return SqliteCache(db, CacheSettings(ttl_s=60), clock)


@pytest.fixture
def answer(clock: ManualClock) -> CachedAnswer:
    return an_answer(clock)


def an_answer(clock: ManualClock, text: str = "4") -> CachedAnswer:
    usage = Usage(10, 2, 3, 0, 1, "estimated")
    return CachedAnswer(SMALL, text, "two and two", usage, Money(7), FinishReason.STOP, clock.now(), -0.25)


def asked(key: str, model: str = SMALL) -> Question:
    return Question(key, "context", "What is two and two?", model)


async def keys(db: Database) -> list[str]:
    return [key for (key,) in await db.read(lambda c: c.execute("SELECT key FROM answers ORDER BY rowid").fetchall())]


async def test_an_answer_comes_back_as_it_was_stored(cache: SqliteCache, answer: CachedAnswer) -> None:
    assert await cache.get(asked("k")) is None
    await cache.put(asked("k"), answer)
    await cache.put(asked("free"), replace(answer, cost=Money(0), mean_logprob=None))
    await cache.put(asked("unpriced"), replace(answer, cost=None))
    assert await cache.get(asked("k")) == answer
    assert await cache.get(asked("free")) == replace(answer, cost=Money(0), mean_logprob=None)
    assert await cache.get(asked("unpriced")) == replace(answer, cost=None)
    assert await cache.get(asked("other")) is None


async def test_a_newer_answer_takes_the_place_of_an_older(cache: SqliteCache, answer: CachedAnswer) -> None:
    await cache.put(asked("k"), answer)
    await cache.put(asked("k"), replace(answer, text="four"))
    assert await cache.get(asked("k")) == replace(answer, text="four")


async def test_an_answer_lasts_as_long_as_its_time_to_live(
    cache: SqliteCache, answer: CachedAnswer, clock: ManualClock
) -> None:
    await cache.put(asked("k"), answer)
    clock.advance(59)
    assert await cache.get(asked("k")) == answer
    clock.advance(1)
    assert await cache.get(asked("k")) is None


async def test_a_model_may_have_a_time_of_its_own_or_keep_nothing(
    answer: CachedAnswer, clock: ManualClock, db: Database
) -> None:
    models = {"a/brief": CacheModel(ttl_s=10), "a/long": CacheModel(ttl_s=600), "a/never": CacheModel(exact=False)}
    cache = SqliteCache(db, CacheSettings(ttl_s=60, models=models), clock)
    for model in (*models, SMALL):
        await cache.put(asked(model, model), replace(answer, model=model))
    assert await keys(db) == ["a/brief", "a/long", SMALL]
    clock.advance(30)
    assert [model for model in (*models, SMALL) if await cache.get(asked(model, model))] == ["a/long", SMALL]
    clock.advance(60)
    await cache.put(asked("new"), replace(answer, stored=clock.now()))
    assert await keys(db) == ["a/long", "new"]


async def test_only_one_model_may_be_kept(answer: CachedAnswer, clock: ManualClock, db: Database) -> None:
    wanted = CacheSettings(exact=False, models={SMALL: CacheModel(exact=True)})
    assert wanted.used
    cache = SqliteCache(db, wanted, clock)
    for model in (SMALL, "a/other"):
        await cache.put(asked(model, model), replace(answer, model=model))
    assert await keys(db) == [SMALL]


async def test_what_was_used_longest_ago_makes_room(answer: CachedAnswer, clock: ManualClock, db: Database) -> None:
    cache = SqliteCache(db, CacheSettings(max_answers=3), clock)
    for key in "abc":
        await cache.put(asked(key), replace(answer, stored=clock.now()))
        clock.advance(1)
    assert await cache.get(asked("a"))
    await cache.put(asked("d"), replace(answer, stored=clock.now()))
    assert await keys(db) == ["a", "c", "d"]


async def test_bytes_are_bounded_too_and_one_too_large_is_not_kept(
    answer: CachedAnswer, clock: ManualClock, db: Database
) -> None:
    cache = SqliteCache(db, CacheSettings(max_mb=1), clock)
    for key in "abc":
        await cache.put(asked(key), replace(answer, text="é" * 200_000, stored=clock.now()))
        clock.advance(1)
    await cache.put(asked("huge"), replace(answer, text="x" * 1_000_001))
    assert await keys(db) == ["b", "c"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 400_000)), max_size=12), st.integers(1, 4))
def test_the_bounds_hold_whatever_is_kept_and_the_newest_stays(steps: list[tuple[str, int]], most: int) -> None:
    async def go() -> None:
        clock = ManualClock()
        async with Database(None) as db:
            cache = SqliteCache(db, CacheSettings(max_answers=most, max_mb=1), clock)
            for key, size in steps:
                clock.advance(1)
                await cache.put(asked(key), an_answer(clock, "x" * size))
                count, total = await db.read(
                    lambda c: c.execute("SELECT COUNT(*), SUM(LENGTH(text) + LENGTH(thinking)) FROM answers").fetchone()
                )
                assert 1 <= count <= most
                assert total <= 1_000_000
                assert await cache.get(asked(key)) is not None

    asyncio.run(go())


async def test_a_cache_that_cannot_be_used_is_an_empty_one(tmp_path: Path, answer: CachedAnswer) -> None:
    async with Database(tmp_path / "store.db") as db:
        cache = SqliteCache(db, CacheSettings(), ManualClock())
        await db.write(lambda c: c.execute("PRAGMA query_only=ON"))
        await cache.put(asked("k"), answer)
        assert await cache.get(asked("k")) is None


async def test_what_is_kept_and_what_it_saved_is_told_by_model(
    cache: SqliteCache, answer: CachedAnswer, clock: ManualClock, db: Database
) -> None:
    contents, began = Contents(db), clock.now()
    assert await contents.by_model() == ()
    await cache.put(asked("k"), answer)
    clock.advance(5)
    await cache.put(asked("l"), replace(answer, stored=clock.now()))
    free, ledger = Cost(ZERO, CostState.COMPUTED), SqliteLedger(db, clock)
    near = Recalled(began, "2 + 2?", 0.97)
    for number, (model, recalled) in enumerate(
        [(SMALL, Recalled(began)), (SMALL, near), ("a/gone", Recalled(began))], 1
    ):
        hit = attempt(number=number, model=model, from_cache=True, cost=free, saved=Money(50), recalled=recalled)
        await ledger.book(hit, None)
    await ledger.book(attempt(number=9, model="a/asked"), None)
    assert await contents.by_model() == (
        Kept(SMALL, 2, 24, began, 2, 1, Money(100)),
        Kept("a/gone", hits=1, saved=Money(50)),
    )


async def test_answers_are_cleared_by_model_and_by_age(
    cache: SqliteCache, answer: CachedAnswer, clock: ManualClock, db: Database
) -> None:
    contents = Contents(db)
    for key, model in (("old", SMALL), ("other", "a/other")):
        await cache.put(asked(key), replace(answer, model=model))
    clock.advance(30)
    await cache.put(asked("new"), replace(answer, stored=clock.now()))
    assert await contents.clear(SMALL, clock.now() - timedelta(seconds=10)) == 1
    assert await keys(db) == ["other", "new"]
    assert await contents.clear("a/nobody") == 0
    assert await contents.clear() == 2
    assert await contents.clear() == 0


async def test_answers_outlive_the_program(tmp_path: Path, answer: CachedAnswer, clock: ManualClock) -> None:
    for _ in range(2):
        async with Database(tmp_path / "store.db") as db:
            cache = SqliteCache(db, CacheSettings(), clock)
            found = await cache.get(asked("k"))
            await cache.put(asked("k"), answer)
    assert found == answer
