"""What was said of money, so that it is said once, and what it is compared with; turns that a cap refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.profile import TaskType

from .database import Database
from .rows import instant


@dataclass(frozen=True, slots=True)
class Said:
    """That spending had reached a share of a cap; or, with `share` 0, that a sum was unusual."""

    scope: str
    """A cap's scope; 'unusual day', 'unusual day model:ID' where a sum was."""
    period: str
    share: float
    cap: Money
    """The limit that the share is of; of an unusual sum, what would have been usual."""
    spent: Money


@dataclass(frozen=True, slots=True)
class Refused:
    """A turn that was not begun, or not gone on with, because of a cap."""

    request_id: str
    at: datetime
    scope: str
    period: str
    cap: Money
    spent: Money
    """Before it, what was reserved included."""


class AlertLog:
    """All methods raise StoreError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def latest(self) -> int:
        """The serial of what was said last, by any copy of the program; 0 for none."""
        return await self._db.read(lambda c: int(c.execute(f"SELECT {_LAST} FROM alerts").fetchone()[0]))

    async def of(self, scope: str, period: str) -> tuple[Said, ...]:
        """What was said of one sum."""
        query = f"SELECT {_COLUMNS} FROM alerts WHERE scope = ? AND period = ?"
        return await self._db.read(lambda c: tuple(_said(*row) for row in c.execute(query, (scope, period))))

    async def since(self, serial: int) -> tuple[tuple[Said, ...], int]:
        """What any copy of the program has said after `serial`, and the serial to ask with the next time."""

        def read(connection: sqlite3.Connection) -> tuple[tuple[Said, ...], int]:
            query = f"SELECT serial, {_COLUMNS} FROM alerts WHERE serial > ? ORDER BY serial"
            rows = connection.execute(query, (serial,)).fetchall()
            return tuple(_said(*row[1:]) for row in rows), rows[-1][0] if rows else serial

        return await self._db.read(read)

    async def claim(self, said: Said, at: datetime) -> bool:
        """Whether this is the first to say it, of all running copies of the program."""
        row = (said.scope, said.period, said.share, said.cap.picodollars, said.spent.picodollars, instant(at))
        statement = f"INSERT OR IGNORE INTO alerts ({_COLUMNS}, said) VALUES (?, ?, ?, ?, ?, ?)"
        return await self._db.write(lambda connection: connection.execute(statement, row).rowcount > 0)

    async def refuse(self, refused: Refused) -> None:
        row = (
            refused.request_id,
            instant(refused.at),
            refused.scope,
            refused.period,
            refused.cap.picodollars,
            refused.spent.picodollars,
        )
        statement = "INSERT OR REPLACE INTO refusals VALUES (?, ?, ?, ?, ?, ?)"
        await self._db.write(lambda connection: connection.execute(statement, row))

    # What is usual

    async def turns(self, task_type: TaskType | str, apart_from: str, limit: int) -> tuple[Money, ...]:
        """What the latest turns of a task type cost, those that cost nothing left out."""
        query = (
            "SELECT cost FROM decisions WHERE task_type = ? AND cost > 0 AND request_id != ? ORDER BY at DESC LIMIT ?"
        )
        values = (str(task_type), apart_from, limit)
        return await self._db.read(lambda c: tuple(Money(cost) for (cost,) in c.execute(query, values)))

    async def days(self, scope: str, since: date, until: date) -> tuple[Money, ...]:
        """What the days that something was spent on came to, `until` left out. `scope`: 'day', 'day model:ID'."""
        query = (
            "SELECT picodollars FROM spend WHERE scope = ? AND period >= ? AND period < ? AND picodollars > 0 "
            "ORDER BY period"
        )
        values = (scope, since.isoformat(), until.isoformat())
        return await self._db.read(lambda c: tuple(Money(spent) for (spent,) in c.execute(query, values)))

    async def spent(self, scopes: Sequence[str], period: str) -> dict[str, Money]:
        """Of each sum that there is."""

        def read(connection: sqlite3.Connection) -> dict[str, Money]:
            query = "SELECT picodollars FROM spend WHERE scope = ? AND period = ?"
            found = {scope: connection.execute(query, (scope, period)).fetchone() for scope in scopes}
            return {scope: Money(row[0]) for scope, row in found.items() if row}

        return await self._db.read(read)


_COLUMNS = "scope, period, share, cap, spent"
_LAST = "COALESCE(MAX(serial), 0)"


def _said(scope: str, period: str, share: float, cap: int, spent: int) -> Said:
    return Said(scope, period, share, Money(cap), Money(spent))
