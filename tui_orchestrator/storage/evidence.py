"""What advice rests on: the newest attempts of a stretch of time, how their turns ended, and what the user thought."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from tui_orchestrator.routing.learning import Sign
from tui_orchestrator.routing.money import Money

from .alerts import Refused
from .checked import readable
from .database import Database
from .spans import Span

MOST = 12_000
"""Attempts that are read, the newest: more would make the estimates no surer, and the reading slow."""
_HAND = (Sign.VOTE, Sign.PICK, Sign.REGENERATED, Sign.RERUN)


class Row(NamedTuple):
    """An attempt, as far as advice looks at it. Text as in `routing.events.Attempt`."""

    request_id: str
    number: int
    model: str
    strategy: str
    task_type: str
    cause: str
    outcome: str
    day: str
    cost: int | None
    """Picodollars."""
    output_tokens: int
    reasoning_tokens: int
    latency_s: float
    confidence: float | None
    error_kind: str | None
    from_cache: int
    """1 for a cache hit."""


class End(NamedTuple):
    """A turn."""

    request_id: str
    at: str
    """When it was decided, as text that sorts."""
    complexity: int
    answered_by: str | None
    success: bool | None
    """None: it never ended, because the program was killed."""
    error_kind: str | None
    digest: str | None
    """Of what was asked; None where a repetition was wanted."""


class Opinion(NamedTuple):
    """What the user did about an answer."""

    request_id: str
    attempt: int
    good: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    rows: tuple[Row, ...] = ()
    """The oldest first."""
    ends: tuple[End, ...] = ()
    """These and the refused may be of a day more on each side."""
    opinions: tuple[Opinion, ...] = ()
    refused: tuple[Refused, ...] = ()
    more: bool = False
    """There are older attempts in the span that were not read."""


async def read_evidence(db: Database, span: Span) -> Evidence:
    """Raises StoreError."""
    return await db.report(lambda connection: _read(connection, span))


def _read(connection: sqlite3.Connection, span: Span) -> Evidence:
    first, last = span.bounds
    # By the index on the instant; a day more on each side for any time zone, cut off by the day itself.
    since = "" if span.first is None else (span.first - timedelta(days=1)).isoformat()
    until = "9999" if span.last is None else (span.last + timedelta(days=2)).isoformat()
    rows = connection.execute(_ROWS, (since, until, first, last, MOST + 1)).fetchall()
    more = len(rows) > MOST
    kept = [Row(*row) for row in reversed(rows[:MOST])]
    if more:
        since = connection.execute(_STARTED, (kept[0].request_id, kept[0].number)).fetchone()[0]
    known = {row.request_id for row in kept}
    ends = [End(*row) for row in connection.execute(_ENDS, (since, until, MOST))]
    refused = [_refused(row) for row in connection.execute(_REFUSED, (since, until, MOST))]
    opinions = [Opinion(*row) for row in connection.execute(_OPINIONS, (*_HAND, MOST)) if row[0] in known]
    return Evidence(
        tuple(kept),
        tuple(reversed(ends)),
        tuple(reversed(opinions)),
        tuple(reversed(refused)),
        more,
    )


@readable("refusals")
def _refused(row: tuple[str, str, str, str, int, int]) -> Refused:
    request_id, at, scope, period, cap, spent = row
    return Refused(request_id, datetime.fromisoformat(at), scope, period, Money(cap), Money(spent))


_ROWS = """
SELECT request_id, number, model, strategy, task_type, cause, outcome, day, cost, output_tokens, reasoning_tokens,
    latency_s, confidence, error_kind, from_cache
FROM attempts WHERE started >= ? AND started < ? AND day >= ? AND day <= ? ORDER BY started DESC LIMIT ?
"""
_STARTED = "SELECT started FROM attempts WHERE request_id = ? AND number = ?"
_ENDS = """
SELECT request_id, at, complexity, answered_by, success, error_kind, digest FROM decisions
WHERE at >= ? AND at < ? ORDER BY at DESC LIMIT ?
"""
_REFUSED = """
SELECT request_id, at, scope, period, cap, spent FROM refusals WHERE at >= ? AND at < ? ORDER BY at DESC LIMIT ?
"""
_OPINIONS = """
SELECT request_id, attempt, outcome >= 0.5 FROM observations WHERE weight > 0 AND sign IN (?, ?, ?, ?)
ORDER BY serial DESC LIMIT ?
"""
