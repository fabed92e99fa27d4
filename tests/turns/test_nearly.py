"""The semantic cache: an answer to the same question in other words, with the real embedding model."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tui_orchestrator.demo import Say, Script
from tui_orchestrator.providers.embedding import StaticEmbedder
from tui_orchestrator.routing.events import AttemptFinished, Event
from tui_orchestrator.routing.money import ZERO
from tui_orchestrator.routing.request import Image, Message, Request
from tui_orchestrator.services.chat import Chat, Options
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import CacheModel, CacheSettings

from .conftest import ask, events_of, running
from .grammar import check
from .reading import asked, completed, only

DASH = "demo-gemini/lumen-dash"
NEARLY = CacheSettings(semantic=True)
FIRST = "How do I reverse a list in Python?"
REWORDED = "What is the best way to reverse a Python list?"
SCRIPT = Script().always(Say(text="With `reversed(things)`, or in place with `things.reverse()`."))


@pytest.fixture(scope="module", autouse=True)
def table_read_once() -> Iterator[None]:
    """The real one; each runtime would read its sixteen megabytes again, most of what such a turn costs."""
    first, load = StaticEmbedder(), StaticEmbedder.load

    def share(embedder: StaticEmbedder) -> None:
        load(first)
        embedder._table, embedder._tokenizer = first._table, first._tokenizer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StaticEmbedder, "load", share)
        yield


def cold(id: str, prompt: str, **wanted: object) -> Request:
    return ask(prompt, **{"model": DASH, "temperature": 0.0, "id": id, **wanted})


async def turn(runtime: Runtime, request: Request) -> list[Event]:
    events = await events_of(runtime, request)
    check(events)
    return events


async def test_the_same_in_other_words_is_answered_from_the_cache_and_says_so(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", SCRIPT, cache=NEARLY) as (runtime, servers):
        paid = completed(await turn(runtime, cold("1", FIRST)))
        events = await turn(runtime, cold("2", REWORDED))
        assert len(asked(servers, "lumen-dash")) == 1
        (hit,) = await runtime.reports.attempts("2")
        (kept,) = await runtime.cache.by_model()
    (finished,) = only(events, AttemptFinished)
    assert finished.recalled == hit.recalled
    assert finished.recalled is not None
    assert finished.recalled.prompt == FIRST
    assert 0.7 <= (finished.recalled.similarity or 0) < 1
    assert (hit.from_cache, hit.cost.amount, hit.saved) == (True, ZERO, paid.cost.amount)
    assert (kept.hits, kept.nearly) == (1, 1)
    assert completed(events).response == paid.response


async def test_the_very_same_question_is_no_nearly(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", SCRIPT, cache=NEARLY) as (runtime, _):
        for id in "12":
            events = await turn(runtime, cold(id, FIRST))
    (finished,) = only(events, AttemptFinished)
    assert finished.recalled is not None
    assert finished.recalled.similarity is None


PICTURE = Image("image/png", b"png")


@pytest.mark.parametrize(
    "other",
    [
        cold("2", "How do I reverse a list in Rust?"),
        cold("2", "How do I reverse a list in Python without a loop?"),
        cold("2", "How do I reverse 2 lists in Python?"),
        cold("2", REWORDED, system="Be brief."),
        cold("2", REWORDED, max_tokens=500),
        cold("2", REWORDED, temperature=0.5),
        cold("2", REWORDED, use_cache=False),
        cold("2", REWORDED, fresh=True),
        cold("2", REWORDED, model="demo-openai/rush-pro"),
        replace(cold("2", ""), messages=(Message("user", REWORDED, (PICTURE,)),)),
        replace(
            cold("2", ""), messages=(Message("user", "Hi"), Message("assistant", "Hi."), Message("user", REWORDED))
        ),
    ],
    ids=lambda request: str(request.messages[-1].text),
)
async def test_whatever_else_differs_is_asked_for_real(tmp_path: Path, other: Request) -> None:
    async with running(tmp_path / "s.db", SCRIPT, cache=NEARLY) as (runtime, servers):
        await turn(runtime, cold("1", FIRST))
        events = await turn(runtime, other)
        assert len([e for e in servers.exchanges if e.method == "POST"]) == 2
    assert only(events, AttemptFinished)[0].recalled is None


async def test_the_same_conversation_before_it_is_needed_and_enough(tmp_path: Path) -> None:
    before = (Message("user", "Hi"), Message("assistant", "Hi."))
    async with running(tmp_path / "s.db", SCRIPT, cache=NEARLY) as (runtime, servers):
        for id, prompt in (("1", FIRST), ("2", REWORDED)):
            request = cold(id, "")
            await turn(runtime, replace(request, messages=(*before, Message("user", prompt))))
        assert len(asked(servers, "lumen-dash")) == 1


async def test_a_poem_asked_for_in_other_words_is_another_poem_unless_the_user_says_otherwise(tmp_path: Path) -> None:
    poem, reworded = "Write a poem about the rain in autumn", "Please write a poem about the rain in autumn"
    async with running(tmp_path / "s.db", cache=NEARLY) as (runtime, servers):
        await turn(runtime, cold("1", poem))
        await turn(runtime, cold("2", reworded))
        assert len(asked(servers, "lumen-dash")) == 2
        await runtime.cache.clear()
        await turn(runtime, cold("3", poem, use_cache=True))
        events = await turn(runtime, cold("4", reworded, use_cache=True))
    assert completed(events).attempts[0].recalled


async def test_it_is_off_for_a_model_that_is_left_out_and_by_default(tmp_path: Path) -> None:
    left_out = CacheSettings(semantic=True, models={DASH: CacheModel(semantic=False)})
    for name, cache in (("a", left_out), ("b", CacheSettings())):
        async with running(tmp_path / f"{name}.db", SCRIPT, cache=cache) as (
            runtime,
            servers,
        ):
            await turn(runtime, cold("1", FIRST))
            await turn(runtime, cold("2", REWORDED))
            assert len(asked(servers, "lumen-dash")) == 2


async def test_a_kept_answer_past_its_time_is_not_nearly_one(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", SCRIPT, cache=replace(NEARLY, ttl_s=60)) as (runtime, servers):
        await turn(runtime, cold("1", FIRST))
        runtime.clock.advance(61)  # type: ignore[attr-defined]
        await turn(runtime, cold("2", REWORDED))
        assert len(asked(servers, "lumen-dash")) == 2


async def test_asking_again_after_a_near_hit_asks_for_real(tmp_path: Path) -> None:
    options = Options(model=DASH, temperature=0.0)
    async with running(tmp_path / "s.db", SCRIPT, cache=NEARLY) as (runtime, servers):
        await turn(runtime, cold("1", FIRST))
        chat = Chat.new(runtime)
        async with chat.send(chat.request(REWORDED, options=options)) as hit:
            told = [event async for event in hit]
        assert completed(told).attempts[0].recalled
        async with chat.send_again(chat.again(options)) as again:
            told = [event async for event in again]
        assert len(asked(servers, "lumen-dash")) == 2
        assert completed(told).attempts[0].recalled is None
        # Its answer is the nearest from now on.
        events = await turn(runtime, cold("3", REWORDED))
    recalled = completed(events).attempts[0].recalled
    assert recalled is not None
    assert recalled.similarity is None


async def test_another_copy_of_the_program_finds_it_too(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", SCRIPT, cache=NEARLY) as (runtime, servers):
        address = runtime.router.caller.address
        async with running(tmp_path / "s.db", cache=NEARLY) as (other, _):
            other.router.caller.address = address
            await turn(other, cold("0", "Is the first look before anything is kept?"))
            await turn(runtime, cold("1", FIRST))
            events = await turn(other, cold("2", REWORDED))
            await other.cache.clear()
        await turn(runtime, cold("3", REWORDED))
        assert len(asked(servers, "lumen-dash")) == 2
    assert completed(events).attempts[0].recalled


async def test_without_the_extra_one_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wordllama", None)
    async with running(tmp_path / "s.db", SCRIPT, cache=NEARLY) as (runtime, servers):
        assert runtime.notices == (
            "cache.semantic: wordllama is not installed, so only exactly the same prompts are answered from the cache; "
            "pip install 'tui-orchestrator[semantic]'",
        )
        for id, prompt in (("1", FIRST), ("2", REWORDED), ("3", FIRST)):
            await turn(runtime, cold(id, prompt))
        assert len(asked(servers, "lumen-dash")) == 2
