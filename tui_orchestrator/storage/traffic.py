"""What other programs asked through the gateway: the latest turns, those under way among them, and the day's sums.

Every copy of the program that shares the store can read it, whichever process the gateway is.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from ..routing.errors import ErrorKind
from ..routing.money import ZERO, Cost, CostState, Money
from ..routing.text import clean_line
from .checked import readable
from .database import Database
from .rows import instant, money

State = Literal["under way", "answered", "failed", "cancelled", "no money", "no model", "broken off"]


@dataclass(frozen=True, slots=True)
class Passed:
    """One turn of another program's."""

    request_id: str
    at: datetime
    client: str
    """What it calls itself."""
    asked_for: str
    """The model it named: auto, a strategy, a chain or a model."""
    model: str | None
    """Who answered; before that who is being asked, or was chosen. None: nobody could be."""
    state: State
    error: str
    """The kind of what it failed with; '' for any other."""
    seconds: float | None
    tokens: int | None
    """In and out, of all attempts; None until it has ended."""
    cost: Cost | None
    """None until it has ended."""
    reason: str
    """Why that model."""


@dataclass(frozen=True, slots=True)
class Day:
    """Of the turns that began since the day's beginning. What has no known cost counts as none."""

    answered: int = 0
    failed: int = 0
    under_way: int = 0
    tokens: int = 0
    cost: Money = ZERO


@dataclass(frozen=True, slots=True)
class Traffic:
    latest: tuple[Passed, ...]
    """The latest first."""
    today: Day


async def traffic(db: Database, since: datetime, limit: int) -> Traffic:
    """`since`: when the user's day began. Raises StoreError."""
    start = instant(since.astimezone(UTC))
    return await db.report(lambda c: Traffic(_latest(c, limit), _day(c, start)))


_LATEST = """
SELECT d.request_id, d.at, d.client, d.asked_for, d.answered_by, o.model, d.model, d.concluded, d.success, d.error_kind,
       d.latency_s, d.tokens, d.cost, d.cost_state, d.reason
FROM decisions d LEFT JOIN (SELECT request_id, model, max(number) FROM open_calls GROUP BY request_id) o
     ON o.request_id = d.request_id
WHERE d.client IS NOT NULL ORDER BY d.at DESC LIMIT ?
"""


def _latest(connection: sqlite3.Connection, limit: int) -> tuple[Passed, ...]:
    return tuple(_passed(row) for row in connection.execute(_LATEST, (limit,)))


@readable("decisions")
def _passed(row: tuple[Any, ...]) -> Passed:
    request_id, at, client, asked_for, answered_by, running, chosen, concluded, success, error, *rest = row
    seconds, tokens, cost, cost_state, reason = rest
    return Passed(
        request_id,
        datetime.fromisoformat(at),
        clean_line(client),
        clean_line(asked_for or ""),
        answered_by or running or chosen,
        _state(concluded, success, error, running),
        "" if success or error is None else str(error),
        seconds,
        tokens if concluded else None,
        Cost(money(cost), CostState(cost_state)) if concluded else None,
        reason,
    )


def _state(concluded: str | None, success: int | None, error: str | None, running: str | None) -> State:
    if concluded is None:
        return "under way" if running else "broken off"
    if success:
        return "answered"
    if error == ErrorKind.CANCELLED:
        return "cancelled"
    if error == ErrorKind.BUDGET_EXCEEDED:
        return "no money"
    return "no model" if error == ErrorKind.NO_CANDIDATE else "failed"


def _day(connection: sqlite3.Connection, start: str) -> Day:
    answered, failed, tokens, cost = connection.execute(
        "SELECT COALESCE(sum(success), 0), COALESCE(sum(concluded IS NOT NULL AND NOT success), 0), "
        "COALESCE(sum(tokens), 0), COALESCE(sum(cost), 0) FROM decisions WHERE client IS NOT NULL AND at >= ?",
        (start,),
    ).fetchone()
    (under_way,) = connection.execute(
        "SELECT count(DISTINCT o.request_id) FROM open_calls o JOIN decisions d ON d.request_id = o.request_id "
        "WHERE d.client IS NOT NULL AND d.concluded IS NULL"
    ).fetchone()
    return Day(answered, failed, under_way, tokens, Money(cost))
