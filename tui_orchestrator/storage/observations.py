"""What was observed of answers: votes and weaker signs, the newest of each kind for each answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from tui_orchestrator.routing.learning import Answer, Observation, Sign
from tui_orchestrator.routing.profile import TaskType

from .checked import readable
from .database import Database
from .rows import instant

MOST = 20_000
"""Of the newest observations are read at a start; older ones would count for next to nothing."""
MOST_OWN = 1_000
_Key = tuple[str, int, str, str]
"""Request, attempt, sign and when."""


class Observations:
    """All methods that wait raise StoreError."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._own: dict[_Key, None] = {}
        """What was posted here: whoever posted it knows of it."""

    async def record(self, observations: Sequence[Observation]) -> None:
        """Each takes the place of an earlier one of its key; one that is older than what is there changes nothing."""
        await self._db.write(lambda connection: _record(connection, observations))

    def post(self, observations: Sequence[Observation]) -> None:
        """The same, unwaited for and unheard when it fails."""
        for one in observations:
            self._own[one.answer.request_id, one.answer.attempt, one.sign.value, instant(one.at)] = None
        while len(self._own) > MOST_OWN:
            del self._own[next(iter(self._own))]
        self._db.post(lambda connection: _record(connection, observations))

    async def since(self, serial: int) -> tuple[tuple[Observation, ...], int]:
        """All that any copy of the program has recorded after `serial`, but what was posted here, and the serial to ask
        with the next time. 0: from the beginning."""

        def read(connection: sqlite3.Connection) -> tuple[tuple[Observation, ...], int]:
            asked = f"{_SELECT} WHERE serial > ? ORDER BY serial DESC LIMIT ?"
            rows = connection.execute(asked, (serial, MOST)).fetchall()
            found = [_observation(row) for row in reversed(rows) if (*row[1:4], row[-1]) not in self._own]
            return tuple(one for one in found if one is not None), int(rows[0][0]) if rows else serial

        return await self._db.read(read)

    async def after_all(self, now: datetime, *request_ids: str) -> datetime:
        """Now, or the first moment after all that was observed of these turns: a clock that was set back would else
        keep an older vote in its place."""
        query = f"SELECT MAX(at) FROM observations WHERE request_id IN ({', '.join('?' * len(request_ids))})"
        (last,) = await self._db.read(lambda c: c.execute(query, request_ids).fetchone())
        return now if last is None else max(now, datetime.fromisoformat(last) + timedelta(microseconds=1))

    async def of_session(self, session: str) -> tuple[Observation, ...]:
        """Of the answers in one conversation."""
        query = f"{_SELECT} WHERE request_id IN (SELECT request_id FROM messages WHERE session = ?) ORDER BY serial"

        def read(connection: sqlite3.Connection) -> tuple[Observation, ...]:
            found = [_observation(row) for row in connection.execute(query, (session,))]
            return tuple(observation for observation in found if observation is not None)

        return await self._db.read(read)


_COLUMNS = "request_id, attempt, sign, model, task_type, outcome, weight, predicted, at"
_SELECT = f"SELECT serial, {_COLUMNS} FROM observations"


def _record(connection: sqlite3.Connection, observations: Sequence[Observation]) -> None:
    for one in observations:
        answer, at = one.answer, instant(one.at)
        key = (answer.request_id, answer.attempt, one.sign.value)
        stored = connection.execute(
            "SELECT at FROM observations WHERE request_id = ? AND attempt = ? AND sign = ?", key
        ).fetchone()
        if stored is not None and stored[0] > at:
            continue
        # Not an update: with a new serial the other copies of the program see the change.
        connection.execute("DELETE FROM observations WHERE request_id = ? AND attempt = ? AND sign = ?", key)
        connection.execute(
            f"INSERT INTO observations ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*key, answer.model, answer.task_type.value, one.outcome, one.weight, answer.predicted, at),
        )


_SIGNS = {sign.value for sign in Sign}
_TASKS = {task.value for task in TaskType}


@readable("observations")
def _observation(row: tuple[Any, ...]) -> Observation | None:
    """None for what only a newer version knows."""
    _, request_id, attempt, sign, model, task_type, outcome, weight, predicted, at = row
    if sign not in _SIGNS or task_type not in _TASKS:
        return None
    answer = Answer(request_id, attempt, model, TaskType(task_type), predicted)
    return Observation(answer, Sign(sign), outcome, weight, datetime.fromisoformat(at))
