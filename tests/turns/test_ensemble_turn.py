"""Several models at once: they run together, fail alone, and end in one verdict."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import (
    AttemptFailed,
    AttemptFinished,
    AttemptStarted,
    Cause,
    Decided,
    Event,
    Outcome,
    Text,
    Verdict,
)
from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.routing.request import Request, Strategy
from tui_orchestrator.routing.underway import Means
from tui_orchestrator.routing.walk import Walk
from tui_orchestrator.services.runtime import Runtime

from .conftest import ask, events_of, running
from .grammar import check
from .reading import completed, failed, only, reserved, text_of


def together(**wanted: Any) -> Request:
    return ask(strategy=Strategy.ENSEMBLE, **wanted)


async def turn(runtime: Runtime, request: Request) -> list[Event]:
    events = await events_of(runtime, request)
    check(events)
    return events


async def test_members_run_at_once_and_end_in_one_verdict(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        request = together()
        events = await turn(runtime, request)
        rows = await runtime.reports.attempts(request.id)
    decision = only(events, Decided)[0].decision
    started, finished = only(events, AttemptStarted), only(events, AttemptFinished)
    assert [event.model for event in started] == list(decision.chain)
    assert len({event.provider for event in started}) == 3
    assert {event.cause for event in started} == {Cause.ENSEMBLE}
    assert max(map(events.index, started)) < min(map(events.index, finished))
    (verdict,) = only(events, Verdict)
    assert sorted(score.attempt for score in verdict.scores) == [1, 2, 3]
    totals = [score.total for score in verdict.scores]
    assert totals == sorted(totals, reverse=True)
    end = completed(events)
    assert end.attempt == verdict.winner == verdict.scores[0].attempt
    assert end.response == text_of(events, verdict.winner)
    assert end.cost.amount == sum((row.cost.amount or ZERO for row in rows), ZERO)
    assert len(rows) == 3
    assert end.note == ""


async def test_the_demo_members_agree_on_what_they_say_and_not_on_their_label(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        events = await turn(runtime, together())
    (verdict,) = only(events, Verdict)
    assert not any("Scripted" in point for point in (*verdict.agreement, *verdict.dissent))


async def test_a_member_fails_alone(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        first = runtime.preview(together()).chain[0]
        servers.script.always(Reply(500), first.split("/")[1])
        events = await turn(runtime, together())
    (failure,) = only(events, AttemptFailed)
    assert failure.model == first
    assert len(only(events, AttemptStarted)) == 3, "a member is not tried again and nobody stands in"
    (verdict,) = only(events, Verdict)
    assert failure.attempt not in {score.attempt for score in verdict.scores}
    assert completed(events).note == "1 of 3 members gave no answer"


async def test_a_member_that_was_cut_off_is_half_complete_at_most(tmp_path: Path) -> None:
    said = "Compare the heads of both lists, take the smaller one, and go on until both are empty. " * 40
    script = Script().always(Say(said)).always(Say(said, finish="length"), "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await turn(runtime, together(chain=("demo-gemini/lumen-dash", "demo-openai/rush-pro")))
    (verdict,) = only(events, Verdict)
    assert {score.model: score.completeness for score in verdict.scores} == {
        "demo-gemini/lumen-dash": 0.5,
        "demo-openai/rush-pro": 1.0,
    }


async def test_when_no_member_says_anything_the_note_tells_so(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().always(Say(text=""))) as (runtime, _):
        assert completed(await turn(runtime, together())).note == "the answer is empty"


async def test_the_turn_fails_only_when_all_members_do(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().always(Reply(503))) as (runtime, _):
        events = await turn(runtime, together())
        assert await reserved(runtime) == 0
    assert len(only(events, AttemptFailed)) == 3
    assert only(events, Verdict) == []
    assert failed(events).error.kind is ErrorKind.OVERLOADED


async def test_cancelling_closes_every_members_connection_and_books_each(tmp_path: Path) -> None:
    script = Script().always(Break("silence", Phase.MID_STREAM))
    async with running(tmp_path / "s.db", script) as (runtime, servers):
        request, events, speaking = together(), list[Event](), set[int]()
        async with runtime.stream(request) as stream:
            async for event in stream:
                events.append(event)
                if isinstance(event, Text):
                    speaking.add(event.attempt)
                if len(speaking) == 3:
                    stream.cancel()
        check(events)
        assert [await exchange.ended() for exchange in servers.exchanges] == ["hung_up"] * 3
        rows = await runtime.reports.attempts(request.id)
        assert [row.outcome for row in rows] == [Outcome.CANCELLED] * 3
        assert all(row.usage.output > 0 for row in rows)
        assert await reserved(runtime) == 0
    assert failed(events).error.kind is ErrorKind.CANCELLED
    assert failed(events).partial == text_of(events, 3)


async def test_a_cancelled_ensemble_has_no_verdict_though_a_member_was_done(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        silent = runtime.preview(together()).chain[0]
        servers.script.always(Break("silence", Phase.MID_STREAM), silent.split("/")[1])
        events: list[Event] = []
        async with runtime.stream(together()) as stream:
            async for event in stream:
                events.append(event)
                if len(only(events, AttemptFinished)) == 2:
                    stream.cancel()
    check(events)
    assert only(events, Verdict) == []
    assert failed(events).error.kind is ErrorKind.CANCELLED


async def test_a_cap_with_room_for_some_members_lets_those_run(tmp_path: Path) -> None:
    async with running(tmp_path / "plain.db") as (runtime, _):
        decision = runtime.preview(together(max_tokens=700))
        ceilings = [c.cost_ceiling for m in decision.chain if (c := decision.candidate(m)) and c.cost_ceiling]
    assert len(ceilings) == 3
    # Each fits alone, all three together do not.
    cap = Money(max(c.picodollars for c in ceilings) + min(c.picodollars for c in ceilings) // 2)
    async with running(tmp_path / "s.db", budgets=Budgets(daily=cap)) as (runtime, _):
        events = await turn(runtime, together(max_tokens=700))
        assert await reserved(runtime) == 0
        (day,) = [state for state in await runtime.budget_states() if state.scope == "day"]
    assert 0 < len(only(events, AttemptStarted)) < 3
    assert day.spent <= cap
    assert "gave no answer" in completed(events).note


class _SlowLedger:
    """The ledger, with a reservation that takes until it is let go."""

    def __init__(self, ledger: Any) -> None:
        self._ledger = ledger
        self.reached, self.let_go = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def reserve(self, hold: Any) -> Any:
        self.reached.set()
        await self.let_go.wait()
        return await self._ledger.reserve(hold)


async def test_an_ensemble_cancelled_while_it_reserves_calls_nobody_and_frees_all(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        slow = runtime.router.caller.ledger = _SlowLedger(runtime.router.caller.ledger)
        stream = runtime.stream(together())
        await slow.reached.wait()
        stream.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        slow.let_go.set()
        events = [event async for event in stream]
        check(events)
        assert servers.exchanges == []
        assert await reserved(runtime) == 0
    assert failed(events).error.kind is ErrorKind.CANCELLED


async def test_members_are_numbered_without_a_gap_when_one_in_the_middle_does_not_fit(tmp_path: Path) -> None:
    async with running(tmp_path / "plain.db") as (runtime, _):
        decision = runtime.preview(together(max_tokens=300, ensemble_size=7))
        ceilings = {c.model: c.cost_ceiling for c in decision.candidates if c.cost_ceiling is not None}
    dearest = max(ceilings, key=lambda model: ceilings[model])
    assert dearest in decision.chain
    # The dearest fits alone, and not beside the ones before it.
    cap = ceilings[dearest] + Money(1)
    async with running(tmp_path / "s.db", budgets=Budgets(daily=cap)) as (runtime, _):
        registry = runtime.registry
        cheap = [model for model in registry if ceilings[model.id] and model.id != dearest]
        kept = {model.id: model for model in (*cheap[:2], registry[dearest])}
        runtime.router.registry = replace(registry, models=kept)
        request = together(max_tokens=300)
        decision = runtime.preview(request)
        # Asked in another order than ranked, so that the one refused stands in the middle.
        order = (cheap[0].id, dearest, cheap[1].id)
        decision = replace(decision, chain=order, model=order[0])
        events: list[Event] = []

        async def emit(event: Event) -> None:
            events.append(event)

        router = runtime.router
        means = Means(router.registry, router.policy, router.budgets, router.caller)
        await Walk(request, decision, means, emit).run()
    check(events)
    assert [(event.attempt, event.model) for event in only(events, AttemptStarted)] == [
        (1, cheap[0].id),
        (2, cheap[1].id),
    ]


async def test_a_cap_without_room_for_any_is_a_refusal(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", budgets=Budgets(daily=Money.from_usd("0.00001"))) as (runtime, servers):
        events = await turn(runtime, together())
        assert servers.exchanges == []
    assert failed(events).error.kind is ErrorKind.BUDGET_EXCEEDED


async def test_one_member_is_an_ensemble_too(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        events = await turn(runtime, together(ensemble_size=1))
    assert len(only(events, Verdict)) == 1
    assert completed(events).attempt == 1
