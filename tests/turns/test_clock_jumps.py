"""Clocks that jump in the middle of a turn: the time of day, and that of a program which stood still."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.routing.budget import Budgets, Cap
from tui_orchestrator.routing.deadline import LATE_S, Limit
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import AttemptFailed, Completed, Event, Failed, Text
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.ports import Timeouts
from tui_orchestrator.routing.request import Check, Request
from tui_orchestrator.services.chat import Chat, Options
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.services.spending import SPANS, overview

from .conftest import ask, running
from .reading import walked
from .test_walk import DASH, DEEP, PRO, clock_of

HOUR = 3600.0
SAID = "Good morning, good day, and good night to all of you who are there."
UNCHECKED = Policy(check=Check.OFF, confidence_threshold=0.05)


async def jumping(runtime: Runtime, request: Request, seconds: float) -> list[Event]:
    """The turn, in which the time of day is set forward (or back) at the first text."""
    events: list[Event] = []
    async with runtime.stream(request) as turn:
        async for event in turn:
            if isinstance(event, Text) and not any(isinstance(before, Text) for before in events):
                clock_of(runtime).set_back(-seconds)
            events.append(event)
    return events


@pytest.mark.parametrize("seconds", [-26 * HOUR, -HOUR, HOUR, 26 * HOUR])
async def test_a_time_of_day_that_jumps_ends_no_turn_and_is_no_latency(tmp_path: Path, seconds: float) -> None:
    script = Script().then(Break("close", Phase.MID_STREAM), "lumen-dash").then(Say(SAID), "lumen-deep")
    async with running(tmp_path / "s.db", script, policy=UNCHECKED) as (runtime, _):
        events = await jumping(runtime, ask(chain=(DASH, DEEP)), seconds)
        rows = await runtime.reports.attempts(events[0].request_id)
    end = events[-1]
    assert isinstance(end, Completed)
    assert walked(events) == ["first lumen-dash", "fallback lumen-deep"]
    assert [row.number for row in rows] == [1, 2], "in the order in which they were"
    assert all(row.latency_s is not None and 0 <= row.latency_s < HOUR for row in rows)
    assert 0 <= end.latency_s < HOUR


@pytest.mark.parametrize("days", [-1, 1])
async def test_each_attempt_counts_on_the_day_it_was_set_aside_and_no_day_is_passed(tmp_path: Path, days: int) -> None:
    """Of two attempts of one turn, when midnight lies between them: by the clock's own course or by being set."""
    script = Script().then(Break("close", Phase.MID_STREAM), "lumen-dash").then(Say(SAID), "lumen-deep")
    budgets = Budgets(daily=Money.from_usd("0.10"))
    async with running(tmp_path / "s.db", script, policy=UNCHECKED, budgets=budgets) as (runtime, _):
        before = runtime.clock.today().isoformat()
        events = await jumping(runtime, ask(chain=(DASH, DEEP)), days * 24 * HOUR)
        after = runtime.clock.today().isoformat()
        rows = await runtime.reports.attempts(events[0].request_id)
        states = await runtime.router.caller.ledger.budgets([Cap("day", day, budgets.daily) for day in (before, after)])
    assert before != after
    assert [row.day for row in rows] == [before, after]
    assert [state.spent for state in states] == [row.cost.amount for row in rows]
    assert all(state.reserved == Money() for state in states)
    assert all(state.spent <= state.cap.limit for state in states if state.cap.limit is not None)


@pytest.mark.parametrize("seconds", [-26 * HOUR, 26 * HOUR])
async def test_a_conversation_keeps_its_order_when_the_clock_is_set(tmp_path: Path, seconds: float) -> None:
    async with running(tmp_path / "s.db", Script().always(Say(SAID)), policy=UNCHECKED) as (runtime, _):
        chat = Chat.new(runtime)
        for number in range(3):
            async with chat.send(chat.request(f"question {number}", (), Options(model=DASH))) as turn:
                async for _event in turn:
                    pass
            clock_of(runtime).set_back(-seconds)
        resumed = await Chat.resume(runtime, chat.id)
    said = [message.text for message in resumed.stored if message.role == "user"]
    assert said == ["question 0", "question 1", "question 2"]


async def test_a_program_that_stood_still_loses_no_answer_that_went_on_meanwhile(tmp_path: Path) -> None:
    """Stopped by Ctrl-Z for an hour, far longer than any limit: the provider has been silent for no time at all."""
    script = Script().always(Say(SAID, gap_s=0.01), "rush-pro")
    limits = Timeouts(connect=20, first_token=20, between_tokens=20, total=60, turn=120)
    async with running(tmp_path / "s.db", script, policy=UNCHECKED, timeouts=limits) as (runtime, _):
        loop = asyncio.get_running_loop()
        ahead, real = [0.0], loop.time
        loop.time = lambda: real() + ahead[0]  # type: ignore[method-assign]
        events: list[Event] = []
        async with runtime.stream(ask(chain=(PRO, DEEP))) as turn:
            async for event in turn:
                events.append(event)
                if isinstance(event, Text) and len([e for e in events if isinstance(e, Text)]) in (2, 5):
                    loop.call_soon(lambda: ahead.__setitem__(0, ahead[0] + HOUR))
    assert not [event for event in events if isinstance(event, AttemptFailed)]
    assert walked(events) == ["first rush-pro"]
    end = events[-1]
    assert isinstance(end, Completed)
    assert end.response == SAID


async def test_a_provider_that_is_silent_after_a_stand_still_is_given_up_as_ever(tmp_path: Path) -> None:
    script = Script().always(Break("silence", Phase.MID_STREAM), "lumen-dash").always(Reply(500), "lumen-deep")
    limits = Timeouts(connect=20, first_token=20, between_tokens=0.2, total=60, turn=120)
    async with running(tmp_path / "s.db", script, policy=UNCHECKED, timeouts=limits) as (runtime, _):
        loop = asyncio.get_running_loop()
        ahead, real = [0.0], loop.time
        loop.time = lambda: real() + ahead[0]  # type: ignore[method-assign]
        loop.call_later(0.1, lambda: ahead.__setitem__(0, HOUR))
        async with runtime.stream(ask(model=DASH)) as turn:
            events = [event async for event in turn]
    assert isinstance(events[-1], Failed)
    assert events[-1].error.kind is ErrorKind.TIMEOUT


async def test_a_program_that_is_kept_busy_has_not_stood_still() -> None:
    """Time that is given anew for that would be given without end."""
    loop = asyncio.get_running_loop()
    now, worked = loop.time(), time.process_time()
    # Others on this machine do not count: they, too, make the program stand still.
    loop.time = lambda: now + time.process_time() - worked  # type: ignore[method-assign]
    limit = Limit(loop.time() + 0.01, again_s=0.0)

    async def keep_busy() -> None:
        async with limit:
            while loop.time() - limit.at < LATE_S + 0.3:
                pass
            await asyncio.sleep(HOUR)

    with pytest.raises(TimeoutError):
        await keep_busy()
    assert limit.passed
    assert limit.stood_still == 0.0


@pytest.mark.parametrize("seconds", [-26 * HOUR, -HOUR, HOUR, 26 * HOUR])
async def test_how_long_a_failed_turn_took_is_not_told_by_the_time_of_day(tmp_path: Path, seconds: float) -> None:
    script = Script().always(Break("close", Phase.MID_STREAM))
    async with running(tmp_path / "s.db", script, policy=UNCHECKED) as (runtime, _):
        events = await jumping(runtime, ask(model=DASH), seconds)
        query = "SELECT latency_s FROM decisions"
        (kept,) = await runtime.database.read(lambda connection: connection.execute(query).fetchone())
    end = events[-1]
    assert isinstance(end, Failed)
    assert 0 <= end.latency_s < HOUR
    assert kept == end.latency_s


@pytest.mark.parametrize("back", [HOUR, 26 * HOUR])
async def test_a_vote_that_is_changed_after_the_clock_was_set_back_counts(tmp_path: Path, back: float) -> None:
    async with running(tmp_path / "s.db", Script().always(Say(SAID)), policy=UNCHECKED) as (runtime, _):
        await jumping(runtime, ask(model=DASH, id="1"), 0.0)
        await runtime.feedback.vote("1", 1, True)
        clock_of(runtime).set_back(back)
        for liked in (False, True, None):
            await runtime.feedback.vote("1", 1, liked)
            assert runtime.router.experience.vote("1", 1, DASH) is liked
    async with running(tmp_path / "s.db") as (runtime, _):
        assert runtime.router.experience.vote("1", 1, DASH) is None, "and was kept"


@pytest.mark.parametrize("hours", [-11, 14])
async def test_a_zone_that_changes_in_the_middle_of_a_turn_ends_and_frees_nothing(tmp_path: Path, hours: int) -> None:
    """At noon: the rest of the turn is on the day before, or after."""
    script = Script().then(Break("close", Phase.MID_STREAM), "lumen-dash").then(Say(SAID), "lumen-deep")
    budgets = Budgets(daily=Money.from_usd("0.10"))
    async with running(tmp_path / "s.db", script, policy=UNCHECKED, budgets=budgets) as (runtime, _):
        clock = clock_of(runtime)
        clock.advance(-2 * HOUR)
        before = clock.today().isoformat()
        async with runtime.stream(ask(chain=(DASH, DEEP))) as turn:
            async for event in turn:
                if isinstance(event, Text):
                    clock.zone = timezone(timedelta(hours=hours))
        after = clock.today().isoformat()
        rows = await runtime.reports.attempts(event.request_id)
        states = await runtime.router.caller.ledger.budgets([Cap("day", day, budgets.daily) for day in (before, after)])
    assert isinstance(event, Completed)
    assert before != after
    assert [row.day for row in rows] == [before, after]
    assert [state.spent for state in states] == [row.cost.amount for row in rows]
    assert all(state.reserved == Money() for state in states)


@pytest.mark.parametrize("seconds", [-26 * HOUR, -HOUR, HOUR, 26 * HOUR])
async def test_a_circuit_stays_open_as_long_as_ever(tmp_path: Path, seconds: float) -> None:
    script = Script().always(Reply(503), "lumen-dash").always(Say(SAID), "lumen-deep")
    async with running(tmp_path / "s.db", script, policy=UNCHECKED) as (runtime, _):
        clock = clock_of(runtime)
        for _turn in range(3):
            await jumping(runtime, ask(chain=(DASH, DEEP)), 0.0)
        left = runtime.health(DASH).seconds_left
        assert left is not None
        assert left > 10
        clock.set_back(-seconds)
        assert runtime.health(DASH).seconds_left == pytest.approx(left), "of the clock that only goes forward"


async def test_days_that_are_yet_to_come_are_in_no_plot(tmp_path: Path) -> None:
    """What was spent while the clock was a month ahead counts on its own day and month."""
    async with running(tmp_path / "s.db", Script().always(Say(SAID)), policy=UNCHECKED) as (runtime, _):
        await jumping(runtime, ask(model=DASH, id="1"), 0.0)
        now = await overview(runtime, span="week")
        clock_of(runtime).set_back(-31 * 24 * HOUR)
        await jumping(runtime, ask(model=DASH, id="2"), 0.0)
        clock_of(runtime).set_back(31 * 24 * HOUR)
        later = [await overview(runtime, span=span) for span in SPANS]
    assert now.trend.spent
    for told in later:
        assert told.trend.spent == now.trend.spent, told.span
        assert all(spell.at < told.trend.length for spell in told.trend.spells)
