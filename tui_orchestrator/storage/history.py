"""Decisions of the past: listed, searched, one after the other, and whole with what became of them.

The prompt stays with its conversation: a decision whose conversation is gone has none, and a temporary chat leaves no
decision at all.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from tui_orchestrator.routing.decision import Decision
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import Attempt
from tui_orchestrator.routing.money import Cost, CostState, Money
from tui_orchestrator.routing.ports import Clock
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.routing.text import clean_line, spoken

from . import beginnings
from .checked import readable
from .database import Database
from .decisions import decision_from_json, latest
from .rows import SELECT_ATTEMPTS, attempt_of, money
from .search import Query

_PROMPT = 300
"""Characters of a prompt that are shown, and searched."""
_STEP = 500
"""Decisions looked through between two questions whether anyone still waits."""
MOST_SEARCHED = 50_000
"""Decisions that are looked through at most for what was typed, the latest first."""

Outcome = Literal["answered", "by another", "failed", "cancelled", "no money", "no model", "not ended"]


@dataclass(frozen=True, slots=True)
class Past:
    """One decision, as a list tells it."""

    request_id: str
    at: datetime
    session: str
    prompt: str
    """Its first words on one line; empty where nothing of it is kept."""
    task_type: str
    strategy: str
    model: str | None
    """Who was chosen; None where every model was out."""
    answered_by: str | None
    estimated_cost: Money | None
    cost: Cost | None
    """Of all attempts; None for a turn that has not ended."""
    outcome: Outcome
    success_probability: float | None = None
    """Of the chosen model; None where none was chosen."""
    members: int = 1
    """Of an ensemble, whose estimated cost is that of all."""

    def said(self) -> str:
        """What a search looks at."""
        names = (self.model or "", self.answered_by or "", self.strategy, spoken(self.task_type))
        return " ".join((self.prompt, *names, spoken(self.strategy), self.outcome))


@dataclass(frozen=True, slots=True)
class Page:
    found: tuple[Past, ...]
    """The latest first."""
    more: bool
    """There are older ones that were not looked at."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a decision stands among those of its session."""

    past: Past
    number: int
    """From 1, in the order they were made."""
    of: int
    earlier: str | None
    later: str | None
    """The requests beside it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A decision whole, with what became of it."""

    decision: Decision
    at: datetime | None = None
    """None for one that was only made to be compared."""
    prompt: str = ""
    attempts: tuple[Attempt, ...] = ()


class History:
    """All methods raise StoreError."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def page(
        self,
        limit: int,
        typed: str = "",
        *,
        session: str | None = None,
        after: Past | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Page:
        """The latest first, older than `after`, whose prompt, models, strategy, task or outcome hold every word of
        `typed`. `stopped` is asked on another thread, now and then: what was found until then is returned."""
        query = Query.of(typed)
        return await self._db.report(lambda c: _page(c, limit, query, session, after, stopped))

    async def count(self, session: str | None = None) -> int:
        where, values = ("", ()) if session is None else (" WHERE session = ?", (session,))
        query = f"SELECT count(*) FROM decisions{where}"
        return await self._db.report(lambda c: int(c.execute(query, values).fetchone()[0]))

    async def position(self, request_id: str) -> Position | None:
        """None where no decision of that request is kept."""
        return await self._db.read(lambda c: _position(c, request_id))

    async def latest(self, session: str) -> str | None:
        """The request of a session's last decision."""
        query = "SELECT request_id FROM decisions WHERE session = ? ORDER BY at DESC, request_id DESC LIMIT 1"

        def find(connection: sqlite3.Connection) -> str | None:
            found = connection.execute(query, (session,)).fetchone()
            return found[0] if found else None

        return await self._db.read(find)

    async def turn(self, request_id: str) -> Turn | None:
        return await self._db.read(lambda c: next(iter(_turns(c, "request_id = ?", (request_id,), 1)), None))

    async def turns(self, limit: int, session: str | None = None) -> tuple[Turn, ...]:
        """The last so many, of one session or of all, in the order they were made."""
        where, values = ("1", ()) if session is None else ("session = ?", (session,))
        return await self._db.report(lambda c: _turns(c, where, values, limit))

    async def session(self, beginning: str) -> str:
        """The id of a session that decisions were made in, by its beginning or 'latest'. Raises LookupError with a
        sentence."""
        return await self._db.read(lambda c: _session(c, beginning, self._clock.now()))


# A prompt that was asked again is the last one before the answer. What is of a deleted session is not shown.
_COLUMNS = f"""
d.request_id, d.at, d.session, d.task_type, d.strategy, d.model, d.answered_by, d.estimated_cost, d.cost, d.cost_state,
d.success, d.error_kind, d.concluded,
CASE WHEN EXISTS (SELECT 1 FROM sessions s WHERE s.id = d.session AND s.deleted IS NULL) THEN COALESCE(
    (SELECT substr(m.text, 1, {_PROMPT}) FROM messages m
     WHERE m.session = d.session AND m.request_id = d.request_id AND m.role = 'user'),
    (SELECT substr(m.text, 1, {_PROMPT}) FROM messages m WHERE m.session = d.session AND m.role = 'user' AND m.position
     < (SELECT a.position FROM messages a
        WHERE a.session = d.session AND a.request_id = d.request_id AND a.role = 'assistant')
     ORDER BY m.position DESC LIMIT 1), '') ELSE '' END
"""


@readable("decisions")
def _past(row: tuple[Any, ...]) -> Past:
    request_id, at, session, task, strategy, model, answered_by, estimated, cost, state, success, error, *rest = row
    concluded, text = rest
    return Past(
        request_id,
        datetime.fromisoformat(at),
        session,
        clean_line(text, _PROMPT),
        task,
        strategy,
        model,
        answered_by,
        money(estimated),
        Cost(money(cost), CostState(state)) if concluded else None,
        _outcome(concluded, success, error, strategy, model, answered_by),
    )


def _outcome(
    concluded: str | None, success: int | None, error: str | None, strategy: str, model: str | None, by: str | None
) -> Outcome:
    if concluded is None:
        return "not ended"
    if success:
        return "answered" if by == model or strategy == Strategy.ENSEMBLE else "by another"
    if error == ErrorKind.CANCELLED:
        return "cancelled"
    if error == ErrorKind.BUDGET_EXCEEDED:
        return "no money"
    return "no model" if error == ErrorKind.NO_CANDIDATE else "failed"


def _page(
    connection: sqlite3.Connection,
    limit: int,
    query: Query,
    session: str | None,
    after: Past | None,
    stopped: Callable[[], bool],
) -> Page:
    wanted = "d.session = ? AND " if session is not None else ""
    sql = (
        f"SELECT {_COLUMNS} FROM decisions d WHERE {wanted}(d.at, d.request_id) < (?, ?) "
        "ORDER BY d.at DESC, d.request_id DESC LIMIT ?"
    )
    own = () if session is None else (session,)
    at, last = ("\U0010ffff", "") if after is None else (after.at.isoformat(timespec="microseconds"), after.request_id)
    found: list[Past] = []
    step = _STEP if query.words else limit + 1
    read = 0
    while not stopped():
        rows = connection.execute(sql, (*own, at, last, step)).fetchall()
        for row in rows:
            past = _past(row)
            if query.fits(past.said()):
                if len(found) == limit:
                    return Page(_with_p(connection, found), more=True)
                found.append(past)
        read += len(rows)
        if len(rows) < step or read >= MOST_SEARCHED:
            return Page(_with_p(connection, found), more=len(rows) == step)
        at, last = rows[-1][1], rows[-1][0]
    return Page(_with_p(connection, found), more=True)


def _with_p(connection: sqlite3.Connection, found: list[Past]) -> tuple[Past, ...]:
    """With what stands in the decision's JSON alone."""
    told = []
    for past in found:
        row = connection.execute("SELECT decision FROM decisions WHERE request_id = ?", (past.request_id,)).fetchone()
        stored = json.loads(row[0])
        candidates = {one["model"]: one for one in stored["candidates"]}
        p = candidates.get(past.model, {}).get("success_probability")
        past = replace(past, success_probability=p)
        if past.strategy == Strategy.ENSEMBLE and past.model is not None:
            costs = [candidates.get(member, {}).get("estimated_cost") for member in stored["chain"]]
            known = [cost for cost in costs if cost is not None]
            whole = Money(sum(known)) if len(known) == len(costs) else None
            past = replace(past, members=len(costs), estimated_cost=whole)
        told.append(past)
    return tuple(told)


def _position(connection: sqlite3.Connection, request_id: str) -> Position | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM decisions d WHERE d.request_id = ?", (request_id,)).fetchone()
    if row is None:
        return None
    (past,) = _with_p(connection, [_past(row)])
    place = (row[2], row[1], row[0])

    def one(sign: str, order: str) -> str | None:
        found = connection.execute(
            f"SELECT request_id FROM decisions WHERE session = ? AND (at, request_id) {sign} (?, ?) "
            f"ORDER BY at {order}, request_id {order} LIMIT 1",
            place,
        ).fetchone()
        return found[0] if found else None

    until = "SELECT count(*) FROM decisions WHERE session = ? AND (at, request_id) <= (?, ?)"
    (number,) = connection.execute(until, place).fetchone()
    (of,) = connection.execute("SELECT count(*) FROM decisions WHERE session = ?", place[:1]).fetchone()
    return Position(past, number, of, one("<", "DESC"), one(">", "ASC"))


def _turns(connection: sqlite3.Connection, where: str, values: tuple[str, ...], limit: int) -> tuple[Turn, ...]:
    """The last ones, the oldest of them first."""
    sql = f"SELECT d.decision, {_COLUMNS} FROM decisions d WHERE {where} ORDER BY d.at DESC, d.request_id DESC LIMIT ?"
    turns = []
    for stored, *row in connection.execute(sql, (*values, limit)).fetchall():
        past = _past(tuple(row))
        attempts = connection.execute(f"{SELECT_ATTEMPTS} WHERE request_id = ? ORDER BY number", (past.request_id,))
        turns.append(Turn(decision_from_json(stored), past.at, past.prompt, tuple(map(attempt_of, attempts))))
    return tuple(reversed(turns))


def _session(connection: sqlite3.Connection, named: str, now: datetime) -> str:
    def those(wanted: str) -> list[tuple[str, str]]:
        query = "SELECT DISTINCT session FROM decisions WHERE session >= ? AND session < ? LIMIT 4"
        return [(row[0], row[0]) for row in connection.execute(query, (wanted, beginnings.after_all(wanted)))]

    found: str = beginnings.the_one(
        named,
        those,
        lambda: [(row[0], row[0]) for row in latest(connection, "session", now, "session != ''")],
        what="sessions",
        nothing="no decision of a session is kept yet; `ask` and the console make them",
        unknown="no decision of a session {} is kept; say 'latest', or an id of `sessions`",
    )
    return found
