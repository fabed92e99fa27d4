"""Time that passes only when a test says so."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta, timezone


class ManualClock:
    """Implements `routing.ports.Clock`. Sleeping moves the time on at once, for every sleeper alike."""

    def __init__(self, start: datetime = datetime(2026, 11, 21, 12, tzinfo=UTC), utc_offset_h: float = 0) -> None:
        self._now = start
        self._offset = timedelta(hours=utc_offset_h)
        self._monotonic = 1000.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def today(self) -> date:
        return (self._now + self._offset).date()

    def local(self, at: datetime) -> datetime:
        return at.astimezone(timezone(self._offset))

    def midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=timezone(self._offset))

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
