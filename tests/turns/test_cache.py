"""The cache: the same question to the same model at temperature 0 is asked once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.demo.behaviour import Behaviour
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.decision import Policy, Weights
from tui_orchestrator.routing.events import AttemptFinished, Event, Reserved, Text
from tui_orchestrator.routing.money import ZERO, CostState, Usage
from tui_orchestrator.routing.request import Check, Request, Strategy
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import CacheModel, CacheSettings, ModelSettings, Settings

from .conftest import ask, events_of, running
from .grammar import check
from .reading import asked, completed, only, walked

DASH, PRO = "demo-gemini/lumen-dash", "demo-openai/rush-pro"
LITE, MAX = "demo-anthropic/tern-lite", "demo-anthropic/tern-max"
DOUBT = Say(text="I'm not sure. I might be wrong, perhaps it could be this, I don't really know, maybe.")
REFUSES = Say(text="I'm sorry, but I can't help with that.")
GOOD = Say(text="The capital of Australia is Canberra.")


def cold(id: str = "1", **wanted: object) -> Request:
    return ask(**{"model": DASH, "temperature": 0.0, "id": id, **wanted})  # type: ignore[arg-type]


async def turn(runtime: Runtime, request: Request) -> list[Event]:
    events = await events_of(runtime, request)
    check(events)
    return events


async def test_an_answer_is_given_again_at_no_cost_marked_and_with_what_it_saved(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        first = await turn(runtime, cold("1"))
        again = await turn(runtime, cold("2"))
        (paid,) = await runtime.reports.attempts("1")
        (hit,) = await runtime.reports.attempts("2")
        assert len(asked(servers, "lumen-dash")) == 1
        assert (await runtime.reports.total()).saved_by_cache == paid.cost.amount
    assert completed(again).response == completed(first).response
    assert completed(again).confidence.reasons == completed(first).confidence.reasons
    # The first turn taught a little of the model.
    assert completed(again).confidence.value == pytest.approx(completed(first).confidence.value, abs=0.01)
    assert [event.from_cache for event in only(again, AttemptFinished)] == [True]
    assert only(again, Reserved) == []
    assert (hit.from_cache, hit.cost.amount, hit.usage, hit.saved) == (True, ZERO, Usage(), paid.cost.amount)
    assert completed(again).cost.amount == ZERO


async def test_a_hit_tells_nothing_of_how_often_and_how_soon_a_model_answers(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        await turn(runtime, cold("1"))
        before = replace(runtime.router.experience.of(DASH))
        await turn(runtime, cold("2"))
        assert runtime.router.experience.of(DASH) == before
    assert before.attempts == 1


async def test_a_hit_costs_a_known_nothing_also_where_no_price_is_known(tmp_path: Path) -> None:
    script = Script().then(Say(text="Two heads, compared in turn, make one sorted list of both."), "rush-pro")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        runtime.router.budgets = Budgets()
        unpriced = replace(runtime.registry[PRO], price=None)
        runtime.router.registry = replace(runtime.registry, models={**runtime.registry.models, PRO: unpriced})
        first = await turn(runtime, cold("1", model=PRO))
        again = await turn(runtime, cold("2", model=PRO))
    assert completed(first).cost.state is CostState.UNKNOWN
    assert completed(again).cost.amount == ZERO


@pytest.mark.parametrize(
    "other",
    [
        {"temperature": 0.5},
        {"temperature": None},
        {"max_tokens": 500},
        {"system": "Be brief."},
        {"model": PRO},
        {"use_cache": False},
    ],
)
async def test_what_is_asked_otherwise_is_asked_for_real(tmp_path: Path, other: dict[str, object]) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        await turn(runtime, cold("1"))
        events = await turn(runtime, cold("2", **other))
        assert len([e for e in servers.exchanges if e.method == "POST"]) == 2
    assert not only(events, AttemptFinished)[0].from_cache


async def test_a_warm_question_is_kept_when_the_user_asks_for_it(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        for id in "12":
            await turn(runtime, cold(id, temperature=0.9, use_cache=True))
        assert len(asked(servers, "lumen-dash")) == 1


@pytest.mark.parametrize(
    "behaviour",
    [
        Say(text="It is", finish="length"),
        Say(text="It is", finish="content_filter"),
        Say(text=""),
        Reply(400),
        Break("close", Phase.BEFORE_END),
    ],
)
async def test_what_is_not_a_whole_answer_is_not_kept(tmp_path: Path, behaviour: Behaviour) -> None:
    script = Script().then(behaviour, "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, servers):
        await turn(runtime, cold("1"))
        events = await turn(runtime, cold("2"))
        assert len(asked(servers, "lumen-dash")) == 2
    assert not completed(events).attempts[0].from_cache


async def test_a_cancelled_answer_is_not_kept(tmp_path: Path) -> None:
    script = Script().then(Break("silence", Phase.BEFORE_END), "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, servers):
        async with runtime.stream(cold("1")) as cancelled:
            async for event in cancelled:
                if isinstance(event, Text):
                    cancelled.cancel()
        await turn(runtime, cold("2"))
        assert len(asked(servers, "lumen-dash")) == 2


async def test_an_answer_is_kept_no_longer_than_its_time(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", cache=CacheSettings(ttl_s=60)) as (runtime, servers):
        assert isinstance(runtime.clock, ManualClock)
        await turn(runtime, cold("1"))
        runtime.clock.advance(61)
        await turn(runtime, cold("2"))
        assert len(asked(servers, "lumen-dash")) == 2


async def test_without_the_cache_everything_is_asked_for_real(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", cache=CacheSettings(exact=False)) as (runtime, servers):
        for id in "12":
            await turn(runtime, cold(id, use_cache=True))
        assert len(asked(servers, "lumen-dash")) == 2


async def test_an_ensemble_always_asks_for_real(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        for id in "12":
            await turn(runtime, cold(id, model=None, strategy=Strategy.ENSEMBLE, ensemble_size=2))
        assert len([e for e in servers.exchanges if e.method == "POST"]) == 4


async def test_a_hit_needs_no_place_under_a_rate_limit_of_its_own(tmp_path: Path) -> None:
    limited = Settings(models=(ModelSettings("demo-gemini", "lumen-dash", requests_per_minute=2),))
    async with running(tmp_path / "s.db", base=limited) as (runtime, servers):
        for number in range(5):
            await turn(runtime, cold(str(number)))
        assert len(asked(servers, "lumen-dash")) == 1


CAPITAL = "What is the capital of Australia?"


def chained(id: str, **wanted: object) -> Request:
    return replace(cold(id, model=None, chain=(LITE, MAX), check=Check.OFF, **wanted), messages=ask(CAPITAL).messages)


@pytest.mark.parametrize("weak", [DOUBT, REFUSES])
async def test_only_the_answer_a_turn_ends_with_is_kept(tmp_path: Path, weak: Say) -> None:
    script = Script().always(weak, "tern-lite").always(GOOD, "tern-max")
    async with running(tmp_path / "s.db", script) as (runtime, servers):
        first, again = [await turn(runtime, chained(id)) for id in "12"]
        assert (len(asked(servers, "tern-lite")), len(asked(servers, "tern-max"))) == (2, 1)
    assert walked(again) == walked(first) == ["first tern-lite", "escalation tern-max"]
    assert [attempt.from_cache for attempt in completed(again).attempts] == [False, True]


async def test_a_refusal_is_not_kept_though_it_is_all_there_is(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().always(REFUSES)) as (runtime, servers):
        for id in "12":
            await turn(runtime, cold(id))
        assert len(asked(servers, "lumen-dash")) == 2


async def test_a_kept_answer_is_judged_by_todays_threshold(tmp_path: Path) -> None:
    script = Script().always(DOUBT, "tern-lite").always(GOOD, "tern-max")
    async with running(tmp_path / "s.db", script) as (runtime, servers):
        runtime.router.policy = replace(runtime.router.policy, confidence_threshold=0.0)
        easy = completed(await turn(runtime, chained("1")))
        runtime.router.policy = replace(runtime.router.policy, confidence_threshold=0.6)
        strict = await turn(runtime, chained("2"))
        assert (len(asked(servers, "tern-lite")), len(asked(servers, "tern-max"))) == (1, 1)
    assert easy.model == LITE
    assert [attempt.from_cache for attempt in completed(strict).attempts] == [True, False]
    assert (completed(strict).model, completed(strict).response) == (MAX, GOOD.text)


async def test_a_kept_answer_that_is_trusted_no_longer_is_checked_before_it_is_gone_on_from(tmp_path: Path) -> None:
    policy = Policy(confidence_threshold=0.0, weights=Weights(cost=0.0, latency=0.0))
    async with running(tmp_path / "s.db", Script().always(GOOD), policy=policy) as (runtime, _):
        trusted = completed(await turn(runtime, chained("1"))).confidence.value
        runtime.router.policy = replace(runtime.router.policy, confidence_threshold=trusted + 0.05)
        again = await turn(runtime, replace(chained("2"), check=Check.AUTO))
    assert completed(again).attempts[0].from_cache
    assert walked(again)[:2] == ["first tern-lite", "second_opinion tern-max"]


async def test_what_a_judge_says_is_neither_kept_nor_taken_from_the_cache(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().always(GOOD)) as (runtime, servers):
        for id in "12":
            request = replace(
                cold(id, model=None, chain=(DASH, PRO), check=Check.JUDGE), messages=ask(CAPITAL).messages
            )
            await turn(runtime, request)
        judges = [attempt for id in "12" for attempt in await runtime.reports.attempts(id) if attempt.cause == "judge"]
        assert len(judges) == 2
        assert not any(attempt.from_cache for attempt in judges)
        assert len(asked(servers, "lumen-dash")) == 1


async def test_asked_again_it_is_asked_for_real_and_the_new_answer_is_kept(tmp_path: Path) -> None:
    script = Script().then(Say(text="The first."), "lumen-dash").then(Say(text="The second."), "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        for id, fresh in (("1", False), ("2", True), ("3", False)):
            events = await turn(runtime, cold(id, fresh=fresh))
    assert completed(events).response == "The second."
    assert completed(events).attempts[0].from_cache


@pytest.mark.parametrize("unkept", [{"use_cache": False}, {"temporary": True, "use_cache": True}])
async def test_who_wants_no_cache_leaves_nothing_in_it(tmp_path: Path, unkept: dict[str, object]) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        await turn(runtime, cold("1", **unkept))
        assert await runtime.cache.by_model() == ()
        await turn(runtime, cold("2"))
        (kept,) = await runtime.cache.by_model()
    assert (kept.model, kept.answers, kept.hits) == (DASH, 1, 0)


async def test_two_at_once_are_both_asked_and_one_answer_is_kept(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        both = await asyncio.gather(*(turn(runtime, cold(id)) for id in "12"))
        assert [completed(events).attempts[0].from_cache for events in both] == [False, False]
        (kept,) = await runtime.cache.by_model()
        assert kept.answers == 1
        assert len(asked(servers, "lumen-dash")) == 2
        assert completed(await turn(runtime, cold("3"))).attempts[0].from_cache


async def test_a_model_may_be_left_out_of_it(tmp_path: Path) -> None:
    cache = CacheSettings(models={DASH: CacheModel(exact=False)})
    async with running(tmp_path / "s.db", cache=cache) as (runtime, servers):
        for id in "12":
            await turn(runtime, cold(id))
        assert len(asked(servers, "lumen-dash")) == 2


async def test_a_turn_with_a_second_opinion_costs_nothing_when_it_comes_again(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().always(GOOD)) as (runtime, servers):
        ends = []
        for id in "12":
            request = cold(id, model=None, chain=(DASH, PRO), check=Check.SECOND_ANSWER)
            ends.append(completed(await turn(runtime, replace(request, messages=ask(CAPITAL).messages))))
        assert len([e for e in servers.exchanges if e.method == "POST"]) == 2
    first, again = ends
    assert [attempt.cause for attempt in first.attempts] == ["first", "second_opinion"]
    assert [attempt.from_cache for attempt in again.attempts] == [True, True]
    assert (again.cost.amount, again.response) == (ZERO, first.response)


@pytest.mark.parametrize(("other", "calls"), [(GOOD, 1), (Say(text="The capital of Australia is Sydney."), 2)])
async def test_a_second_opinion_that_was_contradicted_is_not_kept(tmp_path: Path, other: Say, calls: int) -> None:
    script = Script().always(GOOD, "lumen-dash").always(other, "rush-pro")
    async with running(tmp_path / "s.db", script, policy=Policy(confidence_threshold=0.0)) as (runtime, servers):
        for id, wanted in (("1", {"model": None, "chain": (DASH, PRO), "check": Check.SECOND_ANSWER}), ("2", {})):
            request = cold(id, **{"model": PRO, **wanted})
            await turn(runtime, replace(request, messages=ask(CAPITAL).messages))
        assert len(asked(servers, "rush-pro")) == calls
