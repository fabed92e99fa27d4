"""Every strategy and every check over every mix of success, refusal, HTTP errors, broken and stalled streams, cancel
and budget refusal, over real sockets: the grammar, the ledger and the budgets hold."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.routing.deciding import WAYS_OUT
from tui_orchestrator.demo import Behaviour, Break, Phase, Reply, Say, Script
from tui_orchestrator.demo.roster import ROSTER
from tui_orchestrator.routing.budget import Budgets, WayOut, WaysOut, alone
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.routing.events import CHECKS, AttemptStarted, Cause, Completed, Event, Failed
from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.routing.ports import Timeouts
from tui_orchestrator.routing.request import Check, Request, Strategy
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.storage.database import Database

from .conftest import ask, running
from .grammar import check

MODELS = [demo.model.id for provider in ROSTER for demo in provider.models]
# A stalled stream is left after this; a slow machine may make a good stream look stalled, which changes nothing here.
TIMEOUTS = Timeouts(connect=2.0, first_token=0.15, between_tokens=0.15, total=5.0)

_BREAKS = [
    Break(how, at)
    for how in ("reset", "close", "end", "silence", "half_line", "bad_json", "error_event")
    for at in Phase
    if not (
        how in ("end", "half_line", "bad_json", "error_event")
        and at in (Phase.CONNECT, Phase.HEADERS, Phase.HALF_HEADERS)
    )
]
BEHAVIOURS: list[Behaviour] = [
    Say(),
    Say(text="I'm not sure. I might be wrong, perhaps it could be this, I don't really know, maybe."),
    Say(text="I'm sorry, but I can't help with that."),
    Say(text=""),
    Say(text="It is", finish="length"),
    Say(thinking="Let me see.", reports_usage=False),
    Say(text="RIGHT: it merges both."),
    Say(text="WRONG: it loses the tail."),
    *(Reply(status) for status in (400, 401, 402, 403, 404, 408, 413, 500, 503, 529)),
    Reply(429, headers={"retry-after": "1"}),
    Reply(429, headers={"retry-after": "3600"}),
    Reply(200, body=b"<html>hello</html>", content_type="text/html"),
    *_BREAKS,
]


@dataclass(frozen=True)
class Case:
    strategy: Strategy
    pinned: str | None
    chain: tuple[str, ...]
    behaviours: tuple[tuple[str, tuple[Behaviour, ...]], ...]
    daily: Money | None
    max_cost: Money | None
    on_exhausted: WaysOut
    cancel_after: int | None
    check: Check | None = None
    samples: int = 0
    threshold: float = 0.6

    def script(self) -> Script:
        script = Script()
        for model, behaviours in self.behaviours:
            for behaviour in behaviours:
                script.then(behaviour, model.split("/")[1])
        return script

    def policy(self) -> Policy:
        return Policy(confidence_threshold=self.threshold)

    def request(self) -> Request:
        return ask(
            strategy=self.strategy,
            model=self.pinned,
            chain=self.chain,
            max_cost=self.max_cost,
            max_tokens=700,
            check=self.check,
            self_consistency=self.samples,
        )


amounts = st.one_of(st.none(), st.sampled_from(["0", "0.0001", "0.002", "0.02", "1"]).map(Money.from_usd))
cases = st.builds(
    Case,
    strategy=st.sampled_from(list(Strategy)),
    pinned=st.one_of(st.none(), st.none(), st.sampled_from(MODELS)),
    chain=st.one_of(st.just(()), st.lists(st.sampled_from(MODELS), min_size=1, max_size=4, unique=True).map(tuple)),
    behaviours=st.tuples(
        *(st.tuples(st.just(model), st.lists(st.sampled_from(BEHAVIOURS), max_size=3).map(tuple)) for model in MODELS)
    ),
    daily=amounts,
    max_cost=amounts,
    on_exhausted=st.sampled_from(WAYS_OUT),
    cancel_after=st.one_of(st.none(), st.none(), st.integers(0, 30)),
    check=st.one_of(st.none(), st.sampled_from(list(Check))),
    samples=st.sampled_from([0, 0, 1, 3]),
    threshold=st.sampled_from([0.6, 0.3, 0.8, 0.95]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=cases)
@example(Case(Strategy.QUALITY, None, (), (), None, None, alone(WayOut.REFUSE), 14, Check.SECOND_ANSWER, 2))
@example(Case(Strategy.ENSEMBLE, None, (), (), None, None, alone(WayOut.REFUSE), 12))
@example(
    Case(
        Strategy.FALLBACK,
        None,
        (),
        tuple((m, (Reply(500),) * 3) for m in MODELS),
        None,
        None,
        alone(WayOut.REFUSE),
        None,
    )
)
def test_whatever_happens_the_grammar_the_ledger_and_the_budgets_hold(case: Case) -> None:
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(_run(case, Path(directory) / "store.db"))


async def _run(case: Case, path: Path) -> None:
    budgets = Budgets(daily=case.daily, on_exhausted=case.on_exhausted)
    async with running(path, case.script(), policy=case.policy(), budgets=budgets, timeouts=TIMEOUTS) as (runtime, _):
        request = case.request()
        events = await _events(runtime, request, case.cancel_after)
        check(events)
        await _check_ledger(runtime, request, events, case)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"tasks outlive the turn: {left}"


async def _events(runtime: Runtime, request: Request, cancel_after: int | None) -> list[Event]:
    events: list[Event] = []
    async with runtime.stream(request) as turn:
        if cancel_after == 0:
            turn.cancel()
        async for event in turn:
            events.append(event)
            if len(events) == cancel_after:
                turn.cancel()
    return events


async def _check_ledger(runtime: Runtime, request: Request, events: list[Event], case: Case) -> None:
    end = events[-1]
    assert isinstance(end, Completed | Failed)
    rows = await runtime.reports.attempts(request.id)
    started = [event.attempt for event in events if isinstance(event, AttemptStarted)]
    assert [row.number for row in rows] == sorted(started), "one row an attempt"
    assert all(row.cost.amount is not None for row in rows)
    spent = sum((row.cost.amount or ZERO for row in rows), ZERO)
    assert end.cost.amount == spent, "the end tells what the rows say"
    assert await _reservations(runtime.database) == 0, "nothing stays reserved"
    states = await runtime.router.read_budgets(request)
    for state in states:
        assert state.spent == spent
        assert state.limit is None or state.spent <= state.limit, f"the cap per {state.scope} was passed"
    if case.max_cost is not None:
        assert spent <= case.max_cost
    answers = [row for row in rows if row.cause not in CHECKS]
    assert len(answers) <= max(case.policy().max_attempts, 3 if case.strategy is Strategy.ENSEMBLE else 0)
    opinions = [row for row in rows if row.cause is Cause.SECOND_OPINION]
    assert len(opinions) <= (len(answers) if case.check is Check.SECOND_ANSWER else 1), "one second opinion a turn"
    assert tuple(rows) == end.attempts, "the rows tell what was found of each answer"
    if case.pinned is not None:
        assert {row.model for row in rows} <= {case.pinned}, "a pinned model is obeyed"


async def _reservations(database: Database) -> int:
    def count(connection: sqlite3.Connection) -> int:
        found: int = connection.execute("SELECT COUNT(*) FROM reserved").fetchone()[0]
        return found

    return await database.read(count)
