"""Stretches of the user's local days that reports are about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

Period = Literal["today", "day", "week", "month", "all"]
"""By the user's local days. 'day' is 'today'; 'week' the last seven days; 'month' the calendar month, as the budget."""
PERIODS: tuple[Period, ...] = get_args(Period)

_AGO = re.compile(r"(\d{1,4})\s*([dwm])")
_DAYS = {"d": 1, "w": 7, "m": 30}


@dataclass(frozen=True, slots=True)
class Span:
    """From one local day to another, both included; None: open on that side."""

    first: date | None = None
    last: date | None = None

    def __post_init__(self) -> None:
        if self.first and self.last and self.first > self.last:
            raise ValueError(f"the time would end on {self.last}, before it begins on {self.first}")

    @property
    def bounds(self) -> tuple[str, str]:
        """As text that compares with the days of attempts."""
        return (self.first.isoformat() if self.first else "", self.last.isoformat() if self.last else "9999-12-31")

    def __str__(self) -> str:
        if self.first == self.last:
            return "all time" if self.first is None else f"{self.first}"
        if self.first is None:
            return f"until {self.last}"
        return f"since {self.first}" if self.last is None else f"{self.first} to {self.last}"


def span_of(period: Period | Span, today: date) -> Span:
    """With an end, as the budgets have one: who flies west has spent money on a day that is yet to come."""
    match period:
        case Span():
            return period
        case "today" | "day":
            return Span(today, today)
        case "week":
            return Span(today - timedelta(days=6), today)
        case "month":
            first = today.replace(day=1)
            return Span(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))
        case "all":
            return Span()


def day_of(text: str, today: date) -> date:
    """From 2026-11-21, today, yesterday, or so long ago: 7d, 2w, 3m (of 30 days). Raises ValueError with a sentence."""
    wanted = text.strip().lower()
    if wanted in ("today", "yesterday"):
        return today - timedelta(days=wanted == "yesterday")
    if ago := _AGO.fullmatch(wanted):
        return today - timedelta(days=int(ago[1]) * _DAYS[ago[2]])
    try:
        return date.fromisoformat(wanted)
    except ValueError:
        raise ValueError(
            f"{text!r} is not a day; say it as {today}, or today, yesterday, or 7d, 2w, 3m for so long ago"
        ) from None
