"""The real clock."""

from __future__ import annotations

import asyncio
import os
import re
import time
import zoneinfo
from datetime import UTC, date, datetime

from .text import clean_line

NAME_A_ZONE = "set TZ to a name such as Europe/Berlin, or take it out of the environment"
_RULES = re.compile(r"(?:[A-Za-z]{3,}|<[-+\w]{3,}>)[-+]?\d.*|UTC|GMT", re.ASCII)
"""A zone that is spelt out, as POSIX allows: 'CET-1CEST', '<+0330>-3:30'."""


def unknown_zone() -> str:
    """A sentence where TZ names a zone that is not known here: the C library takes it for UTC without a word. '' where
    it does not."""
    zone = os.environ.get("TZ", "").removeprefix(":")
    if not zone or _RULES.fullmatch(zone) or (os.path.isabs(zone) and os.path.isfile(zone)):
        return ""
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return f"TZ={clean_line(zone, 60)} names no time zone that is known here, so days and months are those of UTC"
    return ""


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
