"""The deadline of a whole turn: waiting, retries, escalations and checks share it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tests.wire.dialects import data, delta, openai_at
from tests.wire.server import Drip, WireServer, chunk, chunked_head
from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.providers.connect import warm
from tui_orchestrator.routing.deadline import Deadline
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import AttemptFailed, AttemptFinished, Next, Outcome, Waiting
from tui_orchestrator.routing.health import HealthState
from tui_orchestrator.routing.ports import Timeouts
from tui_orchestrator.routing.request import Check, Method, Strategy
from tui_orchestrator.settings import ModelSettings, Settings

from .conftest import ask, events_of, running
from .grammar import check
from .reading import asked, completed, failed, only, reserved, text_of, until, walked

PRO, DASH, LITE = "demo-openai/rush-pro", "demo-gemini/lumen-dash", "demo-anthropic/tern-lite"
DOUBT = Say(text="I'm not sure. I might be wrong, perhaps it could be this, I don't really know, maybe.")
SILENCE = Break("silence", Phase.HEADERS)
UP = "The turn took longer than 0.4 s."


@pytest.fixture(scope="module", autouse=True)
def sdks() -> None:
    """Importing them takes seconds, which a running console does beforehand."""
    asyncio.run(warm(["anthropic", "openai", "gemini"]))


async def test_a_turn_ends_in_time_whatever_the_deadlines_of_its_attempts(tmp_path: Path) -> None:
    script = Script().always(SILENCE)
    async with running(tmp_path / "s.db", script, timeouts=Timeouts(turn=0.4)) as (runtime, _):
        events = await events_of(runtime, ask(chain=(PRO, DASH, LITE)))
        check(events)
        assert walked(events) == ["first rush-pro"]
        assert (failed(events).error.kind, failed(events).error.message) == (ErrorKind.TIMEOUT, UP)
        assert only(events, AttemptFailed)[0].next is Next.GIVE_UP
        assert runtime.health(PRO).state is HealthState.AVAILABLE, "the model may be well"
        assert await reserved(runtime) == 0


async def test_retries_and_fallbacks_share_one_turn(tmp_path: Path) -> None:
    script = Script().always(SILENCE, "rush-pro").always(Break("silence", Phase.MID_STREAM), "lumen-dash")
    timeouts = Timeouts(first_token=0.2, turn=1.5)
    async with running(tmp_path / "s.db", script, timeouts=timeouts) as (runtime, _):

        def patient_from_now_on(event: object) -> None:
            if isinstance(event, AttemptFailed):
                runtime.router.caller.timeouts = Timeouts()

        runtime.router.listeners.append(patient_from_now_on)
        events = await events_of(runtime, ask(chain=(PRO, DASH, LITE)))
        check(events)
    assert walked(events) == ["first rush-pro", "fallback lumen-dash"]
    said = [event.error.message for event in only(events, AttemptFailed)]
    assert said == ["Nothing came for 0.2 s.", "The turn took longer than 1.5 s."]
    assert failed(events).partial == text_of(events, 2) != ""


async def test_an_answer_that_is_there_is_the_answer_when_an_escalation_takes_too_long(tmp_path: Path) -> None:
    script = Script().then(DOUBT, "rush-pro").always(SILENCE)
    async with running(tmp_path / "s.db", script, timeouts=Timeouts(turn=1.5)) as (runtime, _):
        events = await events_of(runtime, ask(chain=(PRO, DASH, LITE), check=Check.OFF))
        check(events)
    assert walked(events) == ["first rush-pro", "escalation lumen-dash"]
    assert completed(events).model == PRO
    assert completed(events).note.startswith("best of 2 attempts")


async def test_a_judge_that_takes_too_long_is_not_waited_for(tmp_path: Path) -> None:
    script = Script().then(Say(text="Paris is the capital of France."), times=3).always(SILENCE)
    async with running(tmp_path / "s.db", script, timeouts=Timeouts(turn=1.5)) as (runtime, _):
        events = await events_of(runtime, ask(strategy=Strategy.ENSEMBLE, verdict=Method.JUDGE))
        check(events)
    assert completed(events).response == "Paris is the capital of France."
    assert "The turn took longer than 1.5 s." in completed(events).note


@pytest.mark.parametrize("late", [False, True])
async def test_an_answer_is_not_checked_when_the_time_is_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    async with running(tmp_path / "s.db", Script().always(DOUBT)) as (runtime, _):
        answered: list[object] = []
        runtime.router.listeners.append(lambda e: answered.append(e) if isinstance(e, AttemptFinished) else None)
        monkeypatch.setattr(Deadline, "passed", property(lambda deadline: late and bool(answered)))
        events = await events_of(runtime, ask(chain=(PRO, DASH), check=Check.JUDGE))
        check(events)
    assert (len(walked(events)) == 1) is late


async def test_waiting_for_a_free_place_is_on_the_turn_s_time(tmp_path: Path) -> None:
    narrow = Settings(models=(ModelSettings("demo-openai", "rush-pro", max_concurrent=1),))
    script = Script().then(SILENCE, "rush-pro")
    async with running(tmp_path / "s.db", script, base=narrow) as (runtime, servers):
        holding = runtime.stream(ask(model=PRO, id="1"))
        await until(lambda: asked(servers, "rush-pro"))
        runtime.router.caller.timeouts = Timeouts(turn=0.4)
        events = await events_of(runtime, ask(model=PRO, id="2"))
        check(events)
        await holding.aclose()
        assert failed(events).error.message == UP
        assert [event.why for event in only(events, Waiting)] == ["a free place"]
        (attempt,) = await runtime.reports.attempts("2")
        assert (attempt.outcome, attempt.usage.input) == (Outcome.FAILED, 0), "nothing was sent"
        assert len(asked(servers, "rush-pro")) == 1


async def test_a_pause_that_would_outlast_the_turn_is_not_begun(tmp_path: Path) -> None:
    script = Script().then(Reply(429, headers={"retry-after": "12"}), "lumen-dash")
    async with running(tmp_path / "s.db", script, timeouts=Timeouts(turn=10)) as (runtime, _):
        events = await events_of(runtime, ask(model=DASH))
        assert failed(events).error.kind is ErrorKind.RATE_LIMITED
        assert not only(events, Waiting)


async def test_a_wait_that_is_cancelled_leaves_its_place_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = Settings(models=(ModelSettings("demo-gemini", "lumen-dash", requests_per_minute=1),))
    async with running(tmp_path / "s.db", base=limited) as (runtime, servers):
        await events_of(runtime, ask(model=DASH, id="1"))
        clock = runtime.clock
        assert isinstance(clock, ManualClock)
        clock.advance(55)

        async def for_ever(seconds: float) -> None:
            await asyncio.Event().wait()

        with monkeypatch.context() as patched:
            patched.setattr(clock, "sleep", for_ever)
            waiting = runtime.stream(ask(model=DASH, id="2"))
            async for event in waiting:
                if isinstance(event, Waiting):
                    waiting.cancel()
        assert len(asked(servers, "lumen-dash")) == 1
        events = await events_of(runtime, ask(model=DASH, id="3"))
        assert [event.seconds for event in only(events, Waiting)] == [5.0]
        assert completed(events).model == DASH


@pytest.mark.parametrize("which", ["total", "turn"])
async def test_an_answer_without_end_that_comes_faster_than_it_is_read_ends_in_time(tmp_path: Path, which: str) -> None:
    timeouts = replace(Timeouts(first_token=60, between_tokens=60, total=60, turn=60), **{which: 0.4})
    clients = HttpClients()
    more = chunk(data(delta(content="word ")) * 4000)
    async with (
        WireServer(chunked_head(), Drip(more, 0.0)) as server,
        running(tmp_path / "s.db", timeouts=timeouts, policy=Policy(max_attempts=1)) as (runtime, _),
    ):
        runtime.router.caller.providers = lambda name: openai_at(server.url, clients)
        async with asyncio.timeout(40):
            events = await events_of(runtime, ask(model=PRO))
        check(events)
        error = failed(events).error
        assert (error.kind, "0.4 s" in error.message) == (ErrorKind.TIMEOUT, True)
        assert text_of(events, 1).startswith("word ")
        (attempt,) = await runtime.reports.attempts(events[0].request_id)
        assert attempt.outcome is Outcome.FAILED
        await clients.aclose()
