"""Every fault of the table, of every kind of provider, over real sockets: it comes to what docs/reliability.md says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tui_orchestrator.aside import Loop
from tui_orchestrator.providers import exchange
from tui_orchestrator.routing.events import (
    Attempt,
    AttemptFailed,
    AttemptStarted,
    Cause,
    Completed,
    Escalated,
    EscalationCause,
    Failed,
    Outcome,
    Text,
    Waiting,
)
from tui_orchestrator.routing.money import Cost, CostState, Usage

from .bench import FORMATS, STEADY, Bench, Told
from .faults import FAULTS, SHORT, WORDS, Fault, Paid, Then

CAUSES = {
    Then.ANSWERS: [Cause.FIRST],
    Then.AGAIN: [Cause.FIRST, Cause.RETRY],
    Then.NEXT: [Cause.FIRST, Cause.FALLBACK],
    Then.AGAIN_THEN_NEXT: [Cause.FIRST, Cause.RETRY, Cause.FALLBACK],
    Then.ESCALATES: [Cause.FIRST, Cause.ESCALATION],
}


ROWS = [[(fault, kind) for kind, spoken in FORMATS.items() if spoken != fault.but] for fault in FAULTS]
EACH = [row for rows in ROWS for row in rows]
IN_TURN = [rows[number % len(rows)] for number, rows in enumerate(ROWS)]
"""Each fault of one kind of provider: what is tried again does not depend on who failed."""


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=Loop) as runner:
        yield runner


@pytest.fixture(scope="module")
def bench(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench()
    runner.run(made.open(tmp_path_factory.mktemp("bench")))
    yield made
    runner.run(made.aclose())


@pytest.fixture(autouse=True)
def short_afterword(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "AFTERWORD_S", SHORT)


def test_no_two_rows_are_the_same() -> None:
    assert len({str(fault) for fault in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize(("fault", "kind"), EACH, ids=str)
def test_with_another_model_there(runner: asyncio.Runner, bench: Bench, fault: Fault, kind: str) -> None:
    told = runner.run(bench.turn(kind, fault, alone=False))
    end, started = told.events[-1], [event for event in told.events if isinstance(event, AttemptStarted)]
    assert isinstance(end, Completed)
    assert [event.cause for event in started] == CAUSES[fault.then]
    answered_by = STEADY if fault.then in (Then.NEXT, Then.AGAIN_THEN_NEXT, Then.ESCALATES) else f"{kind}/model"
    assert (end.model, end.response) == (answered_by, "Hello"), "one whole answer, never put together from two"
    assert text_of(told, end.attempt) == "Hello"
    of_the_faulty = [event for event in started if event.model != STEADY]
    if not fault.where:
        assert told.requests == len(of_the_faulty), "exactly one layer retries"
    assert bench.elsewhere.connections == 0, "no redirect is followed"
    assert [event.seconds for event in told.events if isinstance(event, Waiting)] == told.slept
    failures = [event for event in told.events if isinstance(event, AttemptFailed)]
    assert [event.error.kind for event in failures] == [fault.kind] * (len(started) - 1 if fault.kind else 0)
    if failures:
        assert fault.says in failures[0].error.message
        assert failures[0].error.message.isprintable()
    if fault.then is Then.ESCALATES:
        (escalated,) = (event for event in told.events if isinstance(event, Escalated))
        assert escalated.cause is EscalationCause.EMPTY
        assert fault.says in escalated.detail
    booked_in_full(told)
    paid_for(fault, told.attempts[0], text_of(told, 1))


@pytest.mark.parametrize(("fault", "kind"), IN_TURN, ids=str)
def test_with_nobody_else(runner: asyncio.Runner, bench: Bench, fault: Fault, kind: str) -> None:
    told = runner.run(bench.turn(kind, fault, alone=True))
    end, attempts = told.events[-1], told.attempts
    assert [attempt.cause for attempt in attempts] == [Cause.FIRST, *[Cause.RETRY] * fault.again]
    if not fault.where:
        assert told.requests == len(attempts), "exactly one layer retries"
    if fault.waits_s is not None:
        assert told.slept == [fault.waits_s]
    if fault.kind is None:
        assert isinstance(end, Completed)
        booked = attempts[-1].usage
        assert end.note == fault.says.format(model=f"{kind}/model", input=booked.input, output=booked.output)
    else:
        assert isinstance(end, Failed), "what breaks off is never taken for an answer"
        assert end.error.kind is fault.kind
        assert fault.says in end.error.message
        assert end.error.hint
        assert end.partial == text_of(told, len(attempts))
    booked_in_full(told)
    for attempt in attempts:
        paid_for(fault, attempt, text_of(told, attempt.number))


def text_of(told: Told, attempt: int) -> str:
    return "".join(event.text for event in told.events if isinstance(event, Text) and event.attempt == attempt)


def booked_in_full(told: Told) -> None:
    end = told.events[-1]
    assert isinstance(end, Completed | Failed)
    assert [attempt.number for attempt in told.attempts] == [attempt.number for attempt in end.attempts]
    assert len(told.attempts) == sum(isinstance(event, AttemptStarted) for event in told.events)
    total = Cost.sum(attempt.cost for attempt in told.attempts)
    assert total == end.cost
    assert total.amount == told.spent.spent
    assert told.reservations == 0


def paid_for(fault: Fault, attempt: Attempt, text: str) -> None:
    usage, cost = attempt.usage, attempt.cost
    came = fault.came or WORDS.get(fault.phase, "")
    if fault.kind is not None:
        assert attempt.outcome is Outcome.FAILED
        # What was on its way when the connection was reset is lost with it.
        assert text == came or "reset" in fault.name or "without end" in fault.name or "after" in fault.name
    match fault.paid:
        case Paid.NOTHING:
            assert usage == Usage()
            assert not cost.amount
            assert cost.amount is not None
        case Paid.COUNTED:
            assert usage.output <= 1
            assert usage.input == (12 if attempt.provider == "anthropic" else 0)
        case Paid.PROMPT:
            assert usage.input > 0
            assert usage.output <= 1, "Anthropic counts one before it has said any"
            assert (usage.source, cost.state) == ("estimated", CostState.ESTIMATED)
            assert cost.amount
        case Paid.PARTIAL:
            assert usage.input > 0
            assert usage.output >= (1 if text else 0)
            assert (usage.source, cost.state) == ("estimated", CostState.ESTIMATED)
            assert cost.amount
        case Paid.REPORTED:
            assert (usage, cost.state) == (Usage(12, 5), CostState.COMPUTED)
