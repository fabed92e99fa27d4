"""Calls whose program was killed before it could book them: their cost is estimated and booked by whoever comes next.

Their providers were paid all the same. Without a row, a program killed again and again would pass any cap unseen. Of
those that were not sent yet there is no row: they waited, for their turn under a rate limit for instance.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from tui_orchestrator.routing.budget import Hold, Lost
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import Attempt, Cause, Outcome
from tui_orchestrator.routing.features import estimate_tokens
from tui_orchestrator.routing.money import Cost, CostState, Money, Usage
from tui_orchestrator.routing.telling import KILLED

from .checked import readable
from .codec import decode, encode


def as_kept(reservation: str, attempt: Attempt) -> str:
    """The row of a call that could not be written down, for `left_by`."""
    return json.dumps([reservation, encode(attempt)], separators=(",", ":"))


def as_written(kept: Iterable[str]) -> dict[str, Attempt]:
    """The rows that `as_kept` wrote, by their reservations; what is none of these is left out."""
    found = {}
    for line in kept:
        with contextlib.suppress(ValueError, TypeError, KeyError):
            reservation, stored = json.loads(line)
            found[reservation] = decode(Attempt, stored)
    return found


def remember(connection: sqlite3.Connection, reservation: str, hold: Hold, since: str) -> None:
    """Beside its reservation, in the same transaction."""
    if hold.lost is not None:
        lost = json.dumps(encode(hold.lost), separators=(",", ":"))
        amount = hold.amount.picodollars
        row = (reservation, hold.request_id, hold.attempt, hold.provider, hold.model, since, amount, lost)
        connection.execute("INSERT INTO open_calls VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        if not hold.at_once:
            held_up(connection, reservation)


def held_up(connection: sqlite3.Connection, reservation: str) -> None:
    """It is not sent yet."""
    connection.execute("INSERT OR IGNORE INTO unsent_calls VALUES (?)", (reservation,))


def sent(connection: sqlite3.Connection, reservation: str) -> None:
    connection.execute("DELETE FROM unsent_calls WHERE reservation = ?", (reservation,))


def forget(connection: sqlite3.Connection, reservation: str) -> None:
    for table in ("open_calls", "unsent_calls"):
        connection.execute(f"DELETE FROM {table} WHERE reservation = ?", (reservation,))


def forget_unsent(connection: sqlite3.Connection, owner: str) -> None:
    """Those of a dead copy of the program."""
    unsent = (
        "SELECT reservation FROM unsent_calls WHERE reservation IN (SELECT reservation FROM reserved WHERE owner = ?)"
    )
    for (reservation,) in connection.execute(unsent, (owner,)).fetchall():
        forget(connection, reservation)


def left_by(connection: sqlite3.Connection, owner: str, kept: Iterable[str] = ()) -> list[tuple[str, Attempt]]:
    """The calls that a dead copy of the program had sent, by their reservations, as rows to book, in the order they
    were begun: of two that are one attempt the first counts. `kept`: lines by `as_kept`, of those whose end it knew."""
    written = as_written(kept)
    rows = connection.execute(
        "SELECT reservation, request_id, number, provider, model, since, picodollars, lost FROM open_calls "
        "WHERE reservation IN (SELECT reservation FROM reserved WHERE owner = ?) "
        "AND reservation NOT IN (SELECT reservation FROM unsent_calls) ORDER BY since, reservation",
        (owner,),
    ).fetchall()
    found = []
    for reservation, *rest in rows:
        if (known := written.get(reservation)) is None:
            found.append((reservation, _attempt(connection, reservation, *rest)))
        else:
            day = _reserved_on(connection, reservation) or known.day
            found.append((reservation, replace(known, day=day)))
    return found


def _reserved_on(connection: sqlite3.Connection, reservation: str) -> str | None:
    query = "SELECT period FROM reserved WHERE reservation = ? AND scope = 'day'"
    day = connection.execute(query, (reservation,)).fetchone()
    return day[0] if day else None


@readable("open_calls")
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
        day=_reserved_on(connection, reservation) or since[:10],
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
        "SELECT text, thinking FROM messages WHERE request_id = :request AND role = 'assistant' AND attempt = :number "
        "UNION ALL SELECT text, thinking FROM discarded WHERE request_id = :request AND attempt = :number",
        {"request": request_id, "number": number},
    ).fetchone()
    output = expected.output if kept is None else sum(map(estimate_tokens, kept))
    return Usage(expected.input, output, source="estimated")
