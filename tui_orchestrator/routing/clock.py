"""The real clock."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, date, datetime


class SystemClock:
    """Implements `ports.Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def today(self) -> date:
        return self.local(self.now()).date()

    def local(self, at: datetime) -> datetime:
        # Else a program that stays open would keep to the zone it was started in while its user travels.
        time.tzset()
        return at.astimezone()

    def midnight(self, day: date) -> datetime:
        time.tzset()
        return datetime(day.year, day.month, day.day).astimezone()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
