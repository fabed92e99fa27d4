"""The course of spending: by minute, by ten minutes of a day, by day."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from tui_orchestrator.routing.money import Money

from .database import Database
from .rows import instant

EVERYTHING = ""
"""Whose spending: all of it. Otherwise 'session:ID', 'provider:NAME' or 'model:ID'."""


@dataclass(frozen=True, slots=True)
class Lately:
    """By whose spending it is; who spent nothing is missing."""

    minutes: Mapping[str, Mapping[datetime, Money]] = field(default_factory=dict)
    """By the minute the attempts began in, UTC."""
    days: Mapping[str, Mapping[date, Money]] = field(default_factory=dict)
    """By local day."""

    def of_minutes(self, whose: str) -> Mapping[datetime, Money]:
        return self.minutes.get(whose, {})

    def of_days(self, whose: str) -> Mapping[date, Money]:
        return self.days.get(whose, {})


class Course:
    """All methods raise StoreError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def lately(self, since: datetime, today: date, since_day: date, whose: Iterable[str] = ()) -> Lately:
        """Minutes of today and yesterday from `since` on, of everyone; days from `since_day` on, of everything and of
        `whose`."""
        scopes = {EVERYTHING: "day"} | {name: f"day {name}" for name in whose}
        return await self._db.report(lambda c: Lately(_minutes(c, since, today), _days(c, since_day, scopes)))

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


def _minutes(connection: sqlite3.Connection, since: datetime, today: date) -> dict[str, dict[datetime, Money]]:
    found: dict[str, dict[datetime, Money]] = defaultdict(lambda: defaultdict(Money))
    for minute, session, provider, model, cost in connection.execute(
        "SELECT substr(started, 1, 16) AS minute, session, provider, model, SUM(cost) FROM attempts "
        "WHERE day IN (?, ?) AND started >= ? AND cost > 0 GROUP BY minute, session, provider, model",
        (str(today), str(today - timedelta(days=1)), instant(since)),
    ):
        at = _instant(minute)
        for whose in (EVERYTHING, f"session:{session}", f"provider:{provider}", f"model:{model}"):
            found[whose][at] += Money(cost)
    return {whose: dict(minutes) for whose, minutes in found.items()}


def _days(connection: sqlite3.Connection, since: date, scopes: Mapping[str, str]) -> dict[str, dict[date, Money]]:
    # The running totals of the budgets: a row a day, however many attempts there were.
    query = "SELECT period, picodollars FROM spend WHERE scope = ? AND period >= ?"
    return {
        whose: {date.fromisoformat(day): Money(cost) for day, cost in connection.execute(query, (scope, str(since)))}
        for whose, scope in scopes.items()
    }


def _instant(beginning: str) -> datetime:
    """From the beginning of what `rows.instant` writes, down to the minute."""
    return datetime.fromisoformat(f"{beginning}:00").replace(tzinfo=UTC)
