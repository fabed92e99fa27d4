"""What this store's own book says of the sums it shares, and what it remembers of the server and of the other stores.

The book is the record of what this store spent; the server only adds the stores up. So whatever the server loses is put
back from here.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tui_orchestrator.storage.checked import readable
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.rows import instant

Sum = tuple[str, str]
"""(scope, period), as a Cap has them."""


def shared(scope: str) -> bool:
    """A request and a session belong to one machine; days and months are everyone's."""
    return scope.partition(" ")[0] in ("day", "month")


def named(sum_: Sum) -> str:
    """As the server knows it."""
    return f"{sum_[0]}@{sum_[1]}"


def unnamed(name: str) -> Sum:
    scope, _, period = name.rpartition("@")
    return scope, period


@dataclass(frozen=True, slots=True)
class OpenCall:
    id: str
    picodollars: int
    sums: tuple[Sum, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """How this store stands, all at one moment."""

    spent: Mapping[Sum, int]
    calls: tuple[OpenCall, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """Of one sum, in picodollars, as another store was last seen."""

    spent: int
    open: int
    """What its calls under way, or those it never told the end of, can have cost at most."""


class Book:
    """Of one store and one server. All methods raise StoreError."""

    def __init__(self, db: Database, realm: str) -> None:
        """`realm` tells servers and namespaces apart."""
        self._db = db
        self._realm = realm

    async def name(self) -> str:
        """This store's own, for good."""

        def find(connection: sqlite3.Connection) -> str:
            connection.execute(
                "INSERT INTO shared_store SELECT ? WHERE NOT EXISTS (SELECT 1 FROM shared_store)", (uuid.uuid4().hex,)
            )
            return str(connection.execute("SELECT id FROM shared_store").fetchone()[0])

        return await self._db.write(find)

    async def account(self, today: date) -> Account:
        """Of every day and month that a call under way may still count towards."""
        return await self._db.read(lambda connection: _account(connection, today))

    async def spent(self, sums: Collection[Sum]) -> dict[Sum, int]:
        def look(connection: sqlite3.Connection) -> dict[Sum, int]:
            query = "SELECT picodollars FROM spend WHERE scope = ? AND period = ?"
            return {sum_: found[0] for sum_ in sums if (found := connection.execute(query, sum_).fetchone())}

        return await self._db.read(look)

    # Other stores

    async def seen(self) -> dict[str, dict[Sum, Seen]]:
        """By store."""

        def look(connection: sqlite3.Connection) -> dict[str, dict[Sum, Seen]]:
            seen: dict[str, dict[Sum, Seen]] = {}
            query = "SELECT store, scope, period, spent, open FROM shared_seen WHERE realm = ?"
            for store, scope, period, spent, open_ in connection.execute(query, (self._realm,)):
                seen.setdefault(store, {})[scope, period] = Seen(spent, open_)
            return seen

        return await self._db.read(look)

    async def see(self, others: Mapping[str, Mapping[Sum, Seen]], before: date) -> None:
        """By store. Nobody has spent less than before; what is of a period before this day is forgotten."""
        rows = [
            (self._realm, store, *sum_, one.spent, one.open)
            for store, seen in others.items()
            for sum_, one in seen.items()
        ]

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "INSERT INTO shared_seen VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (realm, store, scope, period) "
                "DO UPDATE SET spent = MAX(spent, excluded.spent), open = excluded.open",
                rows,
            )
            connection.execute("DELETE FROM shared_seen WHERE period < ?", (before.isoformat(),))

        await self._db.write(write)

    # How far this store may go by itself

    async def ceilings(self, now: datetime) -> dict[Sum, tuple[int, datetime]]:
        """Sum → what this store may have spent and set aside of it in all, and until when that holds."""

        def look(connection: sqlite3.Connection) -> dict[Sum, tuple[int, datetime]]:
            query = (
                "SELECT scope, period, picodollars, ends FROM shared_ceilings "
                "WHERE realm = ? AND granted <= ? AND ends > ?"
            )
            # Granted in the future: the clock was set back since, and nobody knows how long ago that was.
            rows = connection.execute(query, (self._realm, instant(now), instant(now)))
            with readable("shared_ceilings"):
                return {(scope, period): (amount, datetime.fromisoformat(ends)) for scope, period, amount, ends in rows}

        return await self._db.read(look)

    async def set_ceilings(self, ceilings: Mapping[Sum, tuple[int, datetime]], granted: datetime) -> None:
        """Sum → amount, and until when."""
        rows = [
            (self._realm, *sum_, amount, instant(granted), instant(ends)) for sum_, (amount, ends) in ceilings.items()
        ]
        await self._db.write(
            lambda connection: connection.executemany(
                "INSERT OR REPLACE INTO shared_ceilings VALUES (?, ?, ?, ?, ?, ?)", rows
            )
        )

    async def drop_ceilings(self) -> tuple[Sum, ...]:
        """Returns what there was a ceiling of."""

        def drop(connection: sqlite3.Connection) -> tuple[Sum, ...]:
            rows = connection.execute(
                "DELETE FROM shared_ceilings WHERE realm = ? RETURNING scope, period", (self._realm,)
            )
            return tuple(rows.fetchall())

        return await self._db.write(drop)


def _account(connection: sqlite3.Connection, today: date) -> Account:
    since = first_day(today)
    spent = {
        (scope, period): amount
        for begin, end in (("day", "day"), ("day ", "day!"), ("month", "month"), ("month ", "month!"))
        for scope, period, amount in connection.execute(
            "SELECT scope, period, picodollars FROM spend WHERE scope >= ? AND scope <= ? AND period >= ?",
            (begin, end, since.isoformat() if begin.strip() == "day" else f"{since:%Y-%m}"),
        )
    }
    held: dict[str, tuple[int, list[Sum]]] = {}
    for reservation, amount, scope, period in connection.execute(
        "SELECT reservation, picodollars, scope, period FROM reserved"
    ):
        if shared(scope):
            held.setdefault(reservation, (amount, []))[1].append((scope, period))
    calls = (OpenCall(id_, amount, tuple(sums)) for id_, (amount, sums) in held.items() if amount)
    return Account(spent, tuple(calls))


def first_day(today: date) -> date:
    """Calls that began on it may still be under way: other machines may already have, or still have, another day."""
    return today - timedelta(days=2)


def forgotten_before(today: date) -> date:
    """Months, '2026-10', come before all of their days: the last month is always kept."""
    return today - timedelta(days=40)
