"""Calls whose program was killed before it could book them: their cost is estimated and booked by whoever comes next.

Their providers were paid all the same. Without a row, a program killed again and again would pass any cap unseen.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from tui_orchestrator.routing.budget import Hold, Lost
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import Attempt, Cause, Outcome
from tui_orchestrator.routing.features import estimate_tokens
from tui_orchestrator.routing.money import Cost, CostState, Money, Usage

from .codec import decode, encode

KILLED = "the program was killed before the answer ended"


def remember(connection: sqlite3.Connection, reservation: str, hold: Hold, since: str) -> None:
    """Beside its reservation, in the same transaction."""
    if hold.lost is not None:
        lost = json.dumps(encode(hold.lost), separators=(",", ":"))
        amount = hold.amount.picodollars
        row = (reservation, hold.request_id, hold.attempt, hold.provider, hold.model, since, amount, lost)
        connection.execute("INSERT INTO open_calls VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def forget(connection: sqlite3.Connection, reservation: str) -> None:
    connection.execute("DELETE FROM open_calls WHERE reservation = ?", (reservation,))


def left_by(connection: sqlite3.Connection, owner: str) -> list[tuple[str, Attempt]]:
    """The calls of a dead copy of the program by their reservations, as rows to book."""
    rows = connection.execute(
        "SELECT reservation, request_id, number, provider, model, since, picodollars, lost FROM open_calls "
        "WHERE reservation IN (SELECT reservation FROM reserved WHERE owner = ?)",
        (owner,),
    ).fetchall()
    return [(reservation, _attempt(connection, reservation, *rest)) for reservation, *rest in rows]


def _attempt(
    connection: sqlite3.Connection,
    reservation: str,
    request_id: str,
    number: int,
    provider: str,
    model: str,
    since: str,
    picodollars: int,
    stored: str,
) -> Attempt:
    lost = decode(Lost, json.loads(stored))
    usage = _usage(connection, lost.usage, request_id, number)
    cost = Cost(None, CostState.UNKNOWN)
    if lost.price is not None:
        # Never more than was set aside for it: no call is let cost more.
        cost = Cost(min(lost.price.cost(usage), Money(picodollars)), CostState.ESTIMATED)
    day = connection.execute(
        "SELECT period FROM reserved WHERE reservation = ? AND scope = 'day'", (reservation,)
    ).fetchone()
    return Attempt(
        request_id=request_id,
        number=number,
        session=lost.session,
        model=model,
        provider=provider,
        strategy=lost.strategy,
        task_type=lost.task_type,
        cause=Cause(lost.cause),
        started=datetime.fromisoformat(since),
        day=day[0] if day else since[:10],
        outcome=Outcome.FAILED,
        usage=usage,
        cost=cost,
        price=lost.price,
        latency_s=0.0,
        error_kind=ErrorKind.INTERNAL,
        error_message=KILLED,
    )


def _usage(connection: sqlite3.Connection, expected: Usage, request_id: str, number: int) -> Usage:
    """What was kept of the answer is counted; where nothing was, an answer of the expected length is assumed."""
    kept = connection.execute(
        "SELECT text, thinking FROM messages WHERE request_id = ? AND role = 'assistant' AND attempt = ?",
        (request_id, number),
    ).fetchone()
    output = expected.output if kept is None else sum(map(estimate_tokens, kept))
    return Usage(expected.input, output, source="estimated")
