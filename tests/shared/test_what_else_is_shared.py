"""Rate limits, failing models and answers, of several machines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.clock import ManualClock
from tui_orchestrator.routing.answer_key import Question
from tui_orchestrator.routing.events import FinishReason
from tui_orchestrator.routing.health import HealthState, SharedCircuit
from tui_orchestrator.routing.money import Money, Usage
from tui_orchestrator.routing.ports import CachedAnswer
from tui_orchestrator.routing.ratelimit import NamedLimit
from tui_orchestrator.settings import CacheSettings
from tui_orchestrator.shared.cache import SharedCache
from tui_orchestrator.shared.circuits import RedisCircuits
from tui_orchestrator.shared.line import RedisLine
from tui_orchestrator.storage.cache import SqliteCache

from .copies import Machine
from .redis_server import RedisServer

BOTH = (NamedLimit("provider openai", 3, None), NamedLimit("openai/small", None, 100))
FAILING = SharedCircuit("openai/small", "openai", 3, 1, 0, 30.0, HealthState.COOLING_DOWN, "503")
QUESTION = Question("key", "context", "prompt", "openai/small")
ANSWER = CachedAnswer(
    "openai/small", "It is so.", "", Usage(10, 5), Money(7), FinishReason.STOP, datetime(2026, 11, 21, 12, tzinfo=UTC)
)

KEPT = CacheSettings()


def line(machine: Machine, key: str = "k1") -> RedisLine:
    return RedisLine(machine.server, lambda provider: key)


async def waits(line: RedisLine, tokens: int = 10) -> float:
    place = await line.claim("openai", BOTH, tokens)
    assert place is not None
    return place.seconds


async def test_requests_of_all_machines_count_towards_one_rate_limit(redis_server: RedisServer) -> None:
    async with Machine(None, redis_server.url) as one, Machine(None, redis_server.url) as other:
        assert [await waits(line(machine)) for machine in (one, other, one)] == [0, 0, 0]
        assert await waits(line(other)) == pytest.approx(60, abs=2)
        assert await waits(line(other, "another key")) == 0, "a limit is a key's"


async def test_tokens_of_all_machines_count_and_one_large_call_waits_for_an_empty_minute(
    redis_server: RedisServer,
) -> None:
    async with Machine(None, redis_server.url) as one, Machine(None, redis_server.url) as other:
        assert await waits(line(one), 60) == 0
        assert await waits(line(other), 40) == 0
        assert await waits(line(other), 1000) == pytest.approx(60, abs=2)


async def test_a_place_that_was_not_used_is_given_back(redis_server: RedisServer) -> None:
    async with Machine(None, redis_server.url) as one:
        places = [await line(one).claim("openai", BOTH, 10) for _ in range(3)]
        assert places[-1] is not None
        await line(one).give_back(places[-1])
        assert await waits(line(one)) == 0


async def test_without_the_server_each_machine_keeps_its_own_limits(redis_server: RedisServer) -> None:
    async with Machine(None, redis_server.url) as one:
        one.cut_off()
        assert await line(one).claim("openai", BOTH, 10) is None


def circuits(machine: Machine, key: str = "k1") -> RedisCircuits:
    return RedisCircuits(machine.server, machine.member.copy, lambda provider: key)


async def test_a_model_that_fails_here_is_out_there(redis_server: RedisServer) -> None:
    async with Machine(None, redis_server.url) as one, Machine(None, redis_server.url) as other:
        await circuits(one).tell([FAILING])
        (heard,) = await circuits(other).read() or ()
        assert (heard.name, heard.failures, heard.state, heard.why) == ("openai/small", 3, FAILING.state, "503")
        assert heard.seconds == pytest.approx(30, abs=2)
        assert not await circuits(other, "another key").read()
        assert not await circuits(other).claim(FAILING), "it is not to be tried yet"


async def test_one_of_all_machines_tries_a_model_again_and_its_death_frees_the_trial(redis_server: RedisServer) -> None:
    over = SharedCircuit("openai/small", "openai", 3, 1, 0, 0.0, HealthState.COOLING_DOWN, "503")
    async with Machine(None, redis_server.url) as one, Machine(None, redis_server.url) as other:
        await circuits(one).tell([over])
        assert await circuits(one).claim(over)
        assert not await circuits(other).claim(over)
        (heard,) = await circuits(other).read() or ()
        assert heard.tried
        await circuits(one).tell([replace(over, failures=4, tried=True)])
        assert not await circuits(other).claim(over), "what else the one that tries it saw does not end the trial"
        with redis_server.plain as client:
            client.zrem("{team}:copies", one.member.copy)
        assert await circuits(other).claim(over)


async def test_a_shorter_cooldown_overwrites_no_longer_one_and_a_success_closes(redis_server: RedisServer) -> None:
    shorter = SharedCircuit("openai/small", "openai", 1, 0, 0, 1.0, HealthState.COOLING_DOWN, "429")
    async with Machine(None, redis_server.url) as one, Machine(None, redis_server.url) as other:
        await circuits(one).tell([FAILING])
        await circuits(other).tell([shorter])
        (heard,) = await circuits(one).read() or ()
        assert (heard.why, heard.failures) == ("503", 3)
        assert heard.seconds > 20
        await circuits(other).tell([SharedCircuit("openai/small", "openai")])
        assert await circuits(one).read() == []
        await circuits(one).tell([FAILING])
        await circuits(other).forget()
        assert await circuits(one).read() == []
        one.cut_off()
        assert await circuits(one).read() is None
        assert await circuits(one).claim(FAILING)


def cache(machine: Machine, settings: CacheSettings = KEPT) -> SharedCache:
    return SharedCache(SqliteCache(machine.db, settings, ManualClock()), machine.server, settings)


async def test_an_answer_given_here_is_found_there_for_its_time_to_live(redis_server: RedisServer) -> None:
    async with Machine(None, redis_server.url) as one, Machine(None, redis_server.url) as other:
        await cache(one).put(QUESTION, ANSWER)
        assert await cache(other).get(QUESTION) == ANSWER
        with redis_server.plain as client:
            (key,) = client.keys("*:answer:*")
            assert 0 < client.ttl(key) <= CacheSettings().ttl_s
            assert "prompt" not in client.get(key).replace('"prompt": ""', "")
        assert await cache(other, CacheSettings(exact=False)).get(QUESTION) is None
        other.cut_off()
        assert await cache(other).get(QUESTION) is None
        assert await cache(one).get(QUESTION) == ANSWER


async def test_what_is_no_answer_is_none_and_what_controls_a_terminal_is_taken_out(redis_server: RedisServer) -> None:
    async with Machine(None, redis_server.url) as one, Machine(None, redis_server.url) as other:
        for rubbish in ("", "{", "[]", '{"model": 1}', '"text"', "null"):
            with redis_server.plain as client:
                client.set("{team}:answer:key", rubbish)
            assert await cache(one).get(QUESTION) is None, rubbish
        await cache(one).put(QUESTION, replace(ANSWER, text="\x1b]0;x\x07It is so."))
        hit = await cache(other).get(QUESTION)
        assert hit is not None
        assert "\x1b" not in hit.text
