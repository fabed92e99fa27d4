"""The course of spending: by minute, by ten minutes of a day, by day."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from tui_orchestrator.routing.money import Money

from .checked import readable
from .database import Database
from .rows import instant

EVERYTHING = ""
"""Whose spending: all of it. Otherwise 'session:ID', 'provider:NAME' or 'model:ID'."""


@dataclass(frozen=True, slots=True)
class Lately:
    """By whose spending it is."""

    minutes: Mapping[str, Mapping[datetime, Money]] = field(default_factory=dict)
    """By the minute the attempts began in, UTC."""
    days: Mapping[str, Mapping[date, Money]] = field(default_factory=dict)
    """By local day."""

    def of_days(self, whose: str) -> Mapping[date, Money]:
        return self.days.get(whose, {})


class Course:
    """All methods raise StoreError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def lately(self, since: datetime, today: date, since_day: date, whose: Iterable[str] = ()) -> Lately:
        """Of everything and of each of `whose`: minutes of today and yesterday from `since` on, days from `since_day`
        on."""
        wanted = (EVERYTHING, *whose)

        def look(connection: sqlite3.Connection) -> Lately:
            return Lately(
                {name: _minutes(connection, name, since, today) for name in wanted},
                {name: _days(connection, name, since_day) for name in wanted},
            )

        return await self._db.report(look)

    async def of_day(self, day: date) -> Mapping[datetime, Money]:
        """What was spent on a local day, by the ten minutes the attempts began in: their first instant, UTC."""

        def sum_up(connection: sqlite3.Connection) -> dict[datetime, Money]:
            rows = connection.execute(
                "SELECT substr(started, 1, 15) AS tens, SUM(cost) FROM attempts "
                "WHERE day = ? AND cost > 0 GROUP BY tens",
                (day.isoformat(),),
            )
            return {_instant(f"{tens}0"): Money(cost) for tens, cost in rows}

        return await self._db.report(sum_up)


def _minutes(connection: sqlite3.Connection, whose: str, since: datetime, today: date) -> dict[datetime, Money]:
    kind, _, name = whose.partition(":")
    narrowed, names = (f"AND {_COLUMNS[kind]} = ?", (name,)) if whose else ("", ())
    rows = connection.execute(
        "SELECT substr(started, 1, 16) AS minute, SUM(cost) FROM attempts "
        f"WHERE day IN (?, ?) AND started >= ? AND cost > 0 {narrowed} GROUP BY minute",
        (str(today), str(today - timedelta(days=1)), instant(since), *names),
    )
    return {_instant(minute): Money(cost) for minute, cost in rows}


_COLUMNS = {"session": "session", "provider": "provider", "model": "model"}


def _days(connection: sqlite3.Connection, whose: str, since: date) -> dict[date, Money]:
    # The running totals of the budgets: a row a day, however many attempts there were. A session has none by day.
    rows = connection.execute(
        "SELECT period, picodollars FROM spend WHERE scope = ? AND period >= ?", (f"day {whose}".rstrip(), str(since))
    )
    with readable("spend"):
        return {date.fromisoformat(day): Money(cost) for day, cost in rows}


@readable("attempts")
def _instant(beginning: str) -> datetime:
    """From the beginning of what `rows.instant` writes, down to the minute."""
    return datetime.fromisoformat(f"{beginning}:00").replace(tzinfo=UTC)
