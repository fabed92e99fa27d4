"""Ledgers to read by eye: a line a turn.

    30 × code/4 cheap ✓ 0.01            thirty turns of code, complexity 4: cheap answered, for a cent each
    30 × code/4 cheap ~ 0.01, dear ✓ 0.10     cheap's answer was not trusted, dear's was
    5 × code/4 cheap ✓- 0.01            voted down;  ✓+ voted up
    cheap ✗ 0.002                       failed;  ↻ a retry of the same model;  ? a second opinion;  § a part

A turn ends with its last ✓; without one it failed. Four turns an hour, from 1 November 2026 on.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.storage.samples import ATTEMPT, DECISION
from tui_orchestrator.routing.errors import ErrorKind, Overloaded
from tui_orchestrator.routing.events import Attempt, Cause, Completed, Confidence, Failed, Outcome
from tui_orchestrator.routing.learning import Answer, Observation, Sign
from tui_orchestrator.routing.money import Cost, CostState, Money, Usage
from tui_orchestrator.routing.profile import TaskType
from tui_orchestrator.routing.request import Message, Request
from tui_orchestrator.storage import decisions
from tui_orchestrator.storage.alerts import AlertLog, Refused
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.evidence import End, Evidence, Opinion, Row
from tui_orchestrator.storage.observations import Observations
from tui_orchestrator.storage.rows import INSERT_ATTEMPT, attempt_row, instant

START = datetime(2026, 11, 1, 8, tzinfo=UTC)
_LINE = re.compile(r"(?:(\d+) × )?([\w]+)/(\d+) (.+)")
_STEP = re.compile(r"(↻ |\? |§ )?(\S+) ([✓✗~])([+-]?)(?: ([\d.]+))?(?: (\d+)tok)?(?: (\d+)s)?")


def ledger(
    text: str,
    *,
    strategy: str = "balanced",
    same: bool = False,
    refused: tuple[Refused, ...] = (),
    start: datetime = START,
) -> Evidence:
    """`same`: each line's turns ask word for word the same."""
    rows: list[Row] = []
    ends: list[End] = []
    opinions: list[Opinion] = []
    turn = 0
    for place, line in enumerate(part.strip() for part in text.strip().splitlines()):
        found = _LINE.fullmatch(line)
        assert found, line
        count, task, complexity, steps = found.groups()
        for _ in range(int(count or 1)):
            turn += 1
            name, at = f"r{turn}", start + timedelta(minutes=15 * turn)
            answered = None
            for number, step in enumerate(steps.split(", "), 1):
                read = _STEP.fullmatch(step)
                assert read, step
                sort, model, sign, vote, cost, tokens, seconds = read.groups()
                before = rows[-1] if number > 1 else None
                if vote:
                    opinions.append(Opinion(name, number, vote == "+"))
                if sign == "✓" and sort != "? ":
                    answered = model
                rows.append(
                    Row(
                        name,
                        number,
                        model,
                        strategy,
                        task,
                        _cause(sort, before),
                        Outcome.FAILED if sign == "✗" else Outcome.FINISHED,
                        at.date().isoformat(),
                        Money.from_usd(cost or "0").picodollars,
                        int(tokens or 300),
                        0,
                        float(seconds or 3),
                        None if sign == "✗" else 0.9 if sign == "✓" else 0.4,
                        ErrorKind.OVERLOADED if sign == "✗" else None,
                        0,
                    )
                )
            failed = None if answered else ErrorKind.OVERLOADED
            digest = f"d{place}" if same else f"d{turn}"
            ends.append(End(name, instant(at), int(complexity), answered, answered is not None, failed, digest))
    return Evidence(tuple(rows), tuple(ends), tuple(opinions), refused)


async def keep(db: Database, evidence: Evidence) -> None:
    """Puts it into a store, as turns of the program would have."""
    ends = {end.request_id: end for end in evidence.ends}

    def write(connection: sqlite3.Connection) -> None:
        for row in evidence.rows:
            connection.execute(INSERT_ATTEMPT, attempt_row(_attempt(row, ends[row.request_id]), row.day))
        for end in ends.values():
            _decide(connection, end, [row for row in evidence.rows if row.request_id == end.request_id])

    await db.write(write)
    votes = [
        Observation(Answer(one.request_id, one.attempt, "m", TaskType.CODE), Sign.VOTE, float(one.good), 1.0, START)
        for one in evidence.opinions
    ]
    await Observations(db).record(votes)
    for one in evidence.refused:
        await AlertLog(db).refuse(one)


def _attempt(row: Row, end: End) -> Attempt:
    return replace(
        ATTEMPT,
        request_id=row.request_id,
        number=row.number,
        model=row.model,
        provider=row.model.partition("/")[0],
        strategy=row.strategy,
        task_type=row.task_type,
        cause=Cause(row.cause),
        started=datetime.fromisoformat(end.at),
        day=row.day,
        outcome=Outcome(row.outcome),
        usage=Usage(1200, row.output_tokens),
        cost=Cost(Money(row.cost or 0), CostState.COMPUTED),
        latency_s=row.latency_s,
        confidence=row.confidence,
        error_kind=ErrorKind(row.error_kind) if row.error_kind else None,
    )


def _decide(connection: sqlite3.Connection, end: End, rows: list[Row]) -> None:
    task = TaskType(rows[0].task_type)
    profile = replace(DECISION.profile, task_type=task, task_probabilities={task: 1.0}, complexity=end.complexity)
    decision = replace(DECISION, request_id=end.request_id, model=rows[0].model, profile=profile)
    # What was asked stands in the prompt, so that the same digest means the same prompt.
    request = Request((Message("user", end.digest or ""),), session="s1", id=end.request_id)
    at = datetime.fromisoformat(end.at)
    decisions.record(connection, decision, request, at)
    amount = Cost(Money(sum(row.cost or 0 for row in rows)), CostState.COMPUTED)
    attempts = tuple(_attempt(row, end) for row in rows)
    if end.answered_by:
        trust = Confidence(rows[-1].confidence or 0.0)
        decisions.conclude(
            connection,
            Completed(
                end.request_id, at, len(rows), end.answered_by, "", "balanced", amount, Usage(), 1.0, trust, attempts
            ),
        )
    else:
        decisions.conclude(connection, Failed(end.request_id, at, Overloaded(), amount, attempts))


def _cause(sort: str | None, before: Row | None) -> str:
    if sort == "↻ ":
        return Cause.RETRY
    if sort == "§ ":
        return Cause.PART
    if sort == "? ":
        return Cause.SECOND_OPINION
    if before is None:
        return Cause.FIRST
    return Cause.FALLBACK if before.outcome == Outcome.FAILED else Cause.ESCALATION


def refusals(count: int, scope: str = "day", cap: str = "1", spent: str = "0.98") -> tuple[Refused, ...]:
    """Two a day."""
    days = [START + timedelta(days=number // 2) for number in range(count)]
    return tuple(
        Refused(f"q{number}", at, scope, at.date().isoformat(), Money.from_usd(cap), Money.from_usd(spent))
        for number, at in enumerate(days)
    )
