"""A turn that is cancelled, left or dropped closes its connection at once, and is booked."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import (
    AttemptFailed,
    AttemptFinished,
    AttemptStarted,
    Decided,
    Event,
    Failed,
    FinishReason,
    Next,
    Outcome,
    Text,
    Waiting,
)
from tui_orchestrator.routing.money import ZERO, CostState
from tui_orchestrator.routing.ports import Call, Done, Piece, TextPiece, Timeouts
from tui_orchestrator.routing.request import Request, Strategy
from tui_orchestrator.routing.turn import UNREAD, Turn
from tui_orchestrator.services.runtime import Runtime

from .conftest import ask, running
from .grammar import check
from .reading import asked, completed, failed, only, reserved, text_of, until, walked

DASH, PRO, MINI = "demo-gemini/lumen-dash", "demo-openai/rush-pro", "demo-openai/rush-mini"


async def booked_as_cancelled(runtime: Runtime, request: Request) -> None:
    (row,) = await runtime.reports.attempts(request.id)
    assert (row.outcome, row.error_kind) == (Outcome.CANCELLED, ErrorKind.CANCELLED)
    assert await reserved(runtime) == 0


def ended_cancelled(events: list[Event]) -> None:
    check(events)
    assert failed(events).error.kind is ErrorKind.CANCELLED
    ends = only(events, AttemptFailed)
    assert all(end.error.kind is ErrorKind.CANCELLED and end.next is Next.GIVE_UP for end in ends)


def silent(phase: Phase, model: str = "lumen-dash") -> Script:
    return Script().always(Break("silence", phase), model)


@pytest.mark.parametrize("model", [DASH, PRO, "demo-anthropic/tern-max"])
@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.CONNECT])
async def test_cancelling_closes_the_connection_in_every_phase(tmp_path: Path, phase: Phase, model: str) -> None:
    name = model.split("/")[1]
    async with running(tmp_path / "s.db", silent(phase, name)) as (runtime, servers):
        request = ask(model=model)
        turn = runtime.stream(request)
        await until(lambda: asked(servers, name))
        if phase in (Phase.MID_STREAM, Phase.BEFORE_END):
            async for event in turn:
                if isinstance(event, Text):
                    break
        turn.cancel()
        events = [event async for event in turn]
        assert await asked(servers, name)[0].ended() == "hung_up"
        assert failed(events).error.kind is ErrorKind.CANCELLED
        await booked_as_cancelled(runtime, request)


async def test_what_had_come_is_kept_and_paid_for_as_an_estimate(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", silent(Phase.BEFORE_END)) as (runtime, servers):
        request, events = ask(model=DASH), list[Event]()
        async with runtime.stream(request) as turn:
            async for event in turn:
                events.append(event)
                if text_of(events, 1).rstrip().endswith("C."):
                    turn.cancel()
        ended_cancelled(events)
        assert failed(events).partial == text_of(events, 1) == asked(servers, "lumen-dash")[0].text
        (row,) = await runtime.reports.attempts(request.id)
        assert (row.usage.source, row.cost.state) == ("estimated", CostState.ESTIMATED)
        assert row.usage.input > 0
        assert row.usage.output > 50
        assert failed(events).cost.amount == row.cost.amount
        assert row.cost.amount


async def test_an_estimate_never_passes_what_was_reserved(tmp_path: Path) -> None:
    # Signs are estimated high: a stream of them looks longer than the tokens it may have had.
    signs = Break("silence", Phase.BEFORE_END, Say(text="{}[]();" * 400))
    async with running(tmp_path / "s.db", Script().always(signs, "lumen-dash")) as (runtime, servers):
        request = ask(model=DASH, max_tokens=300)
        async with runtime.stream(request) as turn:
            async for event in turn:
                if isinstance(event, Text) and asked(servers, "lumen-dash")[0].output_tokens >= 300:
                    turn.cancel()
        (row,) = await runtime.reports.attempts(request.id)
    assert row.usage.output <= 300


async def test_before_a_word_was_sent_nothing_is_owed(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        request = ask(model=DASH)
        turn = runtime.stream(request)
        turn.cancel()
        events = [event async for event in turn]
        ended_cancelled(events)
        assert isinstance(events[0], Decided)
        assert servers.exchanges == []
        assert failed(events).cost.amount == ZERO
        assert await reserved(runtime) == 0


async def test_a_back_off_is_cut_short(tmp_path: Path) -> None:
    script = Script().always(Reply(500), "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, servers):
        request, events = ask(model=DASH), list[Event]()
        async with runtime.stream(request) as turn:
            async for event in turn:
                events.append(event)
                if isinstance(event, AttemptFailed):
                    turn.cancel()
        check(events)
        assert failed(events).error.kind is ErrorKind.CANCELLED
        assert len(asked(servers, "lumen-dash")) == 1
        assert runtime.clock.slept == []  # type: ignore[attr-defined]


async def test_cancelling_twice_and_after_the_end_does_nothing_more(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", silent(Phase.MID_STREAM)) as (runtime, _):
        turn = runtime.stream(ask(model=DASH))
        turn.cancel()
        turn.cancel()
        ended_cancelled([event async for event in turn])
        turn.cancel()
        await turn.aclose()
        assert [event async for event in turn] == []


class _Stuck:
    """A record whose write takes until it is let go."""

    def __init__(self, kind: type[Event]) -> None:
        self.kind = kind
        self.reached = asyncio.Event()
        self.let_go = asyncio.Event()

    def record(self, event: Event) -> object:
        return self.write() if isinstance(event, self.kind) and not self.reached.is_set() else None

    async def write(self) -> None:
        self.reached.set()
        await self.let_go.wait()

    async def cancel_meanwhile(self, turn: Turn) -> list[Event]:
        await self.reached.wait()
        turn.cancel()
        # A whole round of the loop, so that the cancellation meets the write.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.let_go.set()
        return [event async for event in turn]


@pytest.mark.parametrize("kind", [Decided, AttemptStarted, Text])
async def test_a_cancellation_that_meets_a_write_of_the_store_is_not_lost(tmp_path: Path, kind: type[Event]) -> None:
    async with running(tmp_path / "s.db", silent(Phase.BEFORE_END)) as (runtime, servers):
        stuck = _Stuck(kind)
        turn = runtime.stream(ask(model=DASH), stuck.record)  # type: ignore[arg-type]
        ended_cancelled(await stuck.cancel_meanwhile(turn))
        for exchange in asked(servers, "lumen-dash"):
            assert await exchange.ended() == "hung_up"
        assert await reserved(runtime) == 0


async def test_a_cancellation_that_meets_a_write_does_not_start_a_whole_ensemble(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        stuck = _Stuck(Decided)
        turn = runtime.stream(ask(strategy=Strategy.ENSEMBLE), stuck.record)  # type: ignore[arg-type]
        ended_cancelled(await stuck.cancel_meanwhile(turn))
        assert servers.exchanges == []
        assert await reserved(runtime) == 0


async def test_a_cancelled_back_off_that_meets_a_write_is_not_slept_through(tmp_path: Path) -> None:
    script = Script().then(Reply(500), "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, servers):
        stuck = _Stuck(Waiting)
        turn = runtime.stream(ask(model=DASH), stuck.record)  # type: ignore[arg-type]
        events = await stuck.cancel_meanwhile(turn)
        check(events)
        assert failed(events).error.kind is ErrorKind.CANCELLED
        assert len(asked(servers, "lumen-dash")) == 1
        assert runtime.clock.slept == []  # type: ignore[attr-defined]


async def test_a_reader_that_goes_away_leaves_a_booked_turn(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", silent(Phase.MID_STREAM)) as (runtime, servers):
        request = ask(model=DASH)
        async with runtime.stream(request) as turn:
            async for event in turn:
                if isinstance(event, Text):
                    break
        assert await asked(servers, "lumen-dash")[0].ended() == "hung_up"
        await booked_as_cancelled(runtime, request)


async def _drop_after_text(runtime: Runtime, request: Request) -> None:
    turn = runtime.stream(request)
    async for event in turn:
        if isinstance(event, Text):
            return


async def test_a_turn_that_is_dropped_is_cancelled_and_booked(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", silent(Phase.MID_STREAM)) as (runtime, servers):
        request, told = ask(model=DASH), list[Event]()
        runtime.subscribe(told.append)  # type: ignore[arg-type]
        await _drop_after_text(runtime, request)
        gc.collect()
        assert await asked(servers, "lumen-dash")[0].ended() == "hung_up"
        await until(lambda: told and isinstance(told[-1], Failed))
        await booked_as_cancelled(runtime, request)


async def test_a_turn_nobody_ever_read_is_ended_too(tmp_path: Path) -> None:
    long = Script().always(Say(text="word " * 700), "rush-mini")
    async with running(tmp_path / "s.db", long) as (runtime, _):
        told: list[Event] = []
        runtime.subscribe(told.append)  # type: ignore[arg-type]
        turn = runtime.stream(ask(model=MINI))
        await until(lambda: len(told) > UNREAD)
        del turn
        gc.collect()
        await until(lambda: told and isinstance(told[-1], Failed))
        check(told)
        assert await reserved(runtime) == 0


async def test_a_slow_reader_is_held_back_and_loses_nothing(tmp_path: Path) -> None:
    text = " ".join(f"word{n}" for n in range(700))
    script = Script().always(Say(text=text), "rush-mini")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        told: list[Event] = []
        runtime.subscribe(told.append)  # type: ignore[arg-type]
        async with runtime.stream(ask(model=MINI)) as turn:
            await until(lambda: len(told) > UNREAD)
            for _ in range(200):
                await asyncio.sleep(0)
            assert len(told) <= UNREAD + 2
            events = [event async for event in turn]
        check(events)
        assert completed(events).response == text
        assert events == told


class _Endless:
    """A provider whose pieces never lie ready: each has to be waited for, as on a network."""

    name = "demo-openai"

    async def ready(self) -> None: ...

    async def stream(self, call: Call) -> AsyncIterator[Piece]:
        for number in range(UNREAD + 100):
            await asyncio.sleep(0)
            yield TextPiece(f"word{number} ")
        yield Done(FinishReason.STOP, None)

    async def aclose(self) -> None: ...


@pytest.mark.parametrize("which", ["total", "turn"])
async def test_a_slow_reader_does_not_use_up_the_models_time(tmp_path: Path, which: str) -> None:
    timeouts = replace(Timeouts(first_token=20, between_tokens=20, total=60, turn=60), **{which: 1.5})
    async with running(tmp_path / "s.db", timeouts=timeouts, policy=Policy(max_attempts=1)) as (runtime, _):
        runtime.router.caller.providers = lambda name: _Endless()
        told: list[Event] = []
        runtime.subscribe(told.append)  # type: ignore[arg-type]
        loop = asyncio.get_running_loop()
        async with runtime.stream(ask(model=MINI)) as turn:
            await until(lambda: len(told) > UNREAD)
            held = loop.time()
            await until(lambda: loop.time() - held > 1.6)
            events = [event async for event in turn]
        assert completed(events).response.endswith(f"word{UNREAD + 99} ")


async def test_what_was_finished_before_the_cancellation_stays_in_the_books(tmp_path: Path) -> None:
    doubt = Say(text="I'm not sure. I might be wrong, perhaps it could be this, I don't really know, maybe.")
    script = Script().always(doubt, "rush-pro").always(Break("silence", Phase.BEFORE_TEXT), "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        request, events = ask(chain=(PRO, DASH)), list[Event]()
        async with runtime.stream(request) as turn:
            async for event in turn:
                events.append(event)
                if isinstance(event, AttemptStarted) and event.attempt == 2:
                    turn.cancel()
        ended_cancelled(events)
        rows = await runtime.reports.attempts(request.id)
    assert [row.outcome for row in rows] == [Outcome.FINISHED, Outcome.CANCELLED]
    assert len(only(events, AttemptFinished)) == 1
    assert walked(events) == ["first rush-pro", "escalation lumen-dash"]
