"""Time that passes only when a test says so."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo


class ManualClock:
    """Implements `routing.ports.Clock`. Sleeping moves the time on at once, for every sleeper alike."""

    def __init__(
        self,
        start: datetime = datetime(2026, 11, 21, 12, tzinfo=UTC),
        utc_offset_h: float = 0,
        zone: tzinfo | None = None,
    ) -> None:
        """`zone`: where the user is, in place of an offset that never changes."""
        self._now = start.astimezone(UTC)
        self.zone = zone or timezone(timedelta(hours=utc_offset_h))
        """A test that travels sets another."""
        self._monotonic = 1000.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def today(self) -> date:
        return self.local(self._now).date()

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)

    def midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self.zone)

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def set_back(self, seconds: float) -> None:
        """As a user or a time server does it: only the time of day changes."""
        self._now -= timedelta(seconds=seconds)
