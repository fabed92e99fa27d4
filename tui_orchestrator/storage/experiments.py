"""Experiments, the turns that took part in them, and what is known of their outcomes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, cast

from tui_orchestrator.routing.experiment import Arm, Assignment, Experiment, Side
from tui_orchestrator.routing.money import NOTHING, Cost, CostState, Money

from .checked import readable
from .codec import decode, encode
from .database import Database
from .rows import instant

Kind = Literal["traffic", "file"]
Source = Literal["expected", "judge"]


@dataclass(frozen=True, slots=True)
class Kept:
    """An experiment as it is kept."""

    experiment: Experiment
    kind: Kind
    """traffic: on the user's own turns."""
    started: datetime
    stopped: datetime | None = None
    decided: datetime | None = None
    """When a copy of the program first saw that it is."""


class Taken(NamedTuple):
    """A turn that took part."""

    request_id: str
    place: str
    side: Side
    at: datetime
    good: bool | None
    """What an expected answer or a judge said."""
    source: Source | None
    told: datetime | None
    """When that was."""
    success: bool | None
    """None: it has not ended."""
    error_kind: str | None
    concluded: datetime | None
    latency_s: float | None


class Opinion(NamedTuple):
    """What the user did with an answer."""

    request_id: str
    sign: str
    good: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """All that is kept of one experiment's turns."""

    turns: tuple[Taken, ...]
    """The oldest first."""
    opinions: tuple[Opinion, ...]
    costs: Mapping[Side, Cost]
    judging: Cost


class Experiments:
    """All methods raise StoreError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def start(self, kept: Kept) -> bool:
        """False where one is called that already, or another one runs on the user's own turns."""
        experiment = kept.experiment
        row = (
            *(experiment.id, experiment.name, kept.kind, _json(experiment.a), _json(experiment.b), experiment.share),
            *(experiment.judge, instant(kept.started)),
        )
        insert = f"INSERT OR IGNORE INTO experiments ({_START}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        return bool(await self._db.write(lambda c: c.execute(insert, row).rowcount))

    async def running(self) -> Kept | None:
        """The one on the user's own turns."""

        def find(connection: sqlite3.Connection) -> Kept | None:
            found = connection.execute(f"{_SELECT} WHERE kind = 'traffic' AND stopped IS NULL").fetchone()
            return _kept(found) if found else None

        return await self._db.read(find)

    async def all(self) -> tuple[Kept, ...]:
        """The latest first."""
        query = f"{_SELECT} ORDER BY started DESC"
        return await self._db.read(lambda c: tuple(_kept(row) for row in c.execute(query)))

    async def stop(self, experiment: str, at: datetime) -> None:
        query = "UPDATE experiments SET stopped = ? WHERE id = ? AND stopped IS NULL"
        await self._db.write(lambda c: c.execute(query, (instant(at), experiment)))

    async def go_on(self, experiment: str) -> bool:
        """False, and nothing, where another one runs or it is deleted."""
        query = "UPDATE OR IGNORE experiments SET stopped = NULL WHERE id = ?"
        return bool(await self._db.write(lambda c: c.execute(query, (experiment,)).rowcount))

    async def delete(self, experiment: str) -> None:
        """What its turns cost stays in the ledger."""
        await self._db.write(lambda c: c.execute("DELETE FROM experiments WHERE id = ?", (experiment,)))

    async def decided(self, experiment: str, at: datetime) -> bool:
        """Whether this is the first to say so."""
        query = "UPDATE experiments SET decided = ? WHERE id = ? AND decided IS NULL"
        return bool(await self._db.write(lambda c: c.execute(query, (instant(at), experiment)).rowcount))

    async def take(self, assignment: Assignment, request_id: str, at: datetime) -> None:
        await self._db.write(lambda c: enrol(c, assignment, request_id, at))

    async def told(
        self,
        experiment: str,
        request_id: str,
        good: bool | None,
        source: Source,
        at: datetime,
        judge_request: str | None = None,
    ) -> None:
        """What came of a turn. Of a judge that was not sure, what it cost is kept all the same."""
        query = (
            "UPDATE experiment_turns SET good = ?, source = ?, told = ?, judge_request = ? "
            "WHERE experiment = ? AND request_id = ?"
        )
        row = (good, source, instant(at), judge_request, experiment, request_id)
        await self._db.write(lambda c: c.execute(query, row))

    async def record(self, experiment: str) -> Record:
        return await self._db.report(lambda connection: _record(connection, experiment))


_START = "id, name, kind, a, b, share, judge, started"
_SELECT = f"SELECT {_START}, stopped, decided FROM experiments"
_TURNS = """
SELECT t.request_id, t.place, t.side, t.at, t.good, t.source, t.told, d.success, d.error_kind, d.concluded, d.latency_s
FROM experiment_turns t LEFT JOIN decisions d ON d.request_id = t.request_id WHERE t.experiment = ? ORDER BY t.at
"""
_OPINIONS = """
SELECT o.request_id, o.sign, o.outcome >= 0.5, o.at
FROM observations o JOIN experiment_turns t ON o.request_id = t.request_id
WHERE t.experiment = ? AND o.weight > 0 AND o.sign IN ('vote', 'regenerated', 'rerun')
"""
_COSTS = """
SELECT t.side, a.cost_state, SUM(a.cost)
FROM attempts a JOIN experiment_turns t ON a.request_id = t.{request} WHERE t.experiment = ?
GROUP BY t.side, a.cost_state, a.cost IS NULL
"""


def enrol(connection: sqlite3.Connection, assignment: Assignment, request_id: str, at: datetime) -> None:
    """Nothing where the experiment was deleted meanwhile."""
    connection.execute(
        "INSERT OR IGNORE INTO experiment_turns (experiment, request_id, place, side, at) "
        "SELECT id, ?, ?, ?, ? FROM experiments WHERE id = ?",
        (request_id, assignment.place, assignment.side, instant(at), assignment.experiment),
    )


@readable("experiments")
def _record(connection: sqlite3.Connection, experiment: str) -> Record:
    turns = tuple(_taken(row) for row in connection.execute(_TURNS, (experiment,)))
    opinions = tuple(
        Opinion(request_id, sign, bool(good), datetime.fromisoformat(at))
        for request_id, sign, good, at in connection.execute(_OPINIONS, (experiment,))
    )
    asked = connection.execute(_COSTS.format(request="request_id"), (experiment,)).fetchall()
    judged = connection.execute(_COSTS.format(request="judge_request"), (experiment,)).fetchall()
    costs: dict[Side, Cost] = {"a": _cost(r for r in asked if r[0] == "a"), "b": _cost(r for r in asked if r[0] == "b")}
    return Record(turns, opinions, costs, _cost(judged))


def _cost(rows: Iterable[tuple[str, str, int | None]]) -> Cost:
    costs = [Cost(None if amount is None else Money(amount), CostState(state)) for _, state, amount in rows]
    return Cost.sum(costs) if costs else NOTHING


def _taken(row: tuple[Any, ...]) -> Taken:
    request_id, place, side, at, good, source, told, success, error_kind, concluded, latency_s = row
    return Taken(
        request_id,
        place,
        cast(Side, side),
        datetime.fromisoformat(at),
        None if good is None else bool(good),
        source,
        _moment(told),
        None if success is None else bool(success),
        error_kind,
        _moment(concluded),
        latency_s,
    )


@readable("experiments")
def _kept(row: tuple[Any, ...]) -> Kept:
    id_, name, kind, a, b, share, judge, started, stopped, decided = row
    experiment = Experiment(id_, name, decode(Arm, json.loads(a)), decode(Arm, json.loads(b)), share, judge)
    return Kept(experiment, kind, datetime.fromisoformat(started), _moment(stopped), _moment(decided))


def _moment(stored: str | None) -> datetime | None:
    return None if stored is None else datetime.fromisoformat(stored)


def _json(arm: Arm) -> str:
    return json.dumps(encode(arm), separators=(",", ":"))
