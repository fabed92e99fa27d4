"""How fast this user spends, kept in memory, so that a forecast can be told with an event without reading the disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from ..routing.budget import Budgets, BudgetState, Cap
from ..routing.events import Budget, Event, Reserved
from ..routing.money import ZERO, Money
from ..routing.ports import Clock
from ..storage.course import EVERYTHING, Course, Lately
from .forecast import WINDOWS, Now, Rates, per_day, per_hour, sentence

DAYS_READ = 45
"""A month and the fourteen days that a rate per day looks back."""
_MOST_SUMS = 2_000


class Pace:
    """Read from the disk now and then, and kept going in between by what the budgets of each turn say: a sum that has
    grown since it was last told was spent in this minute, by whichever copy of the program."""

    def __init__(self, course: Course, clock: Clock) -> None:
        self._course = course
        self._clock = clock
        self._minutes: dict[str, dict[datetime, Money]] = {}
        self._days: dict[str, dict[date, Money]] = {}
        self._told: dict[tuple[str, str], Money] = {}
        """(scope, period) → what was spent of it when it was last told."""

    async def read(self, budgets: Budgets, session: str = "") -> Lately:
        """What counts towards the caps of `budgets`, and towards that of a session. Raises StoreError."""
        whose = [f"provider:{name}" for name in budgets.providers] + [f"model:{name}" for name in budgets.models]
        if session:
            whose.append(f"session:{session}")
        since, today = self._clock.now() - max(WINDOWS), self._clock.today()
        lately = await self._course.lately(since, today, today - timedelta(days=DAYS_READ), whose)
        self._minutes |= {name: dict(spent) for name, spent in lately.minutes.items()}
        self._days |= {name: dict(spent) for name, spent in lately.days.items()}
        return lately

    def foretell(self, event: Event) -> Event:
        """The event; a budget's with what is to be expected of it."""
        match event:
            case Reserved():
                self._hear(event.budgets)
            case Budget():
                self._hear((event.state,))
                return replace(event, forecast=self.sentence(event.state))
        return event

    def sentence(self, state: BudgetState) -> str | None:
        if state.limit is None:
            return None  # most caps have none, and every call tells of six
        return sentence(state, self.rates(whose_cap(state.cap)), Now.of(self._clock))

    def rates(self, whose: str = EVERYTHING) -> Rates:
        now, today = self._clock.now(), self._clock.today()
        days = self._days.get(whose, {})
        hourly = per_hour(self._minutes.get(whose, {}), now)
        return Rates(hourly, per_day(days, today), days.get(today, ZERO))

    def _hear(self, states: Iterable[BudgetState]) -> None:
        now = self._clock.now()
        since = now - max(WINDOWS)
        grown = False
        for state in states:
            scope, period = key = state.cap.scope, state.cap.period
            if scope == "request" or scope.startswith("month"):
                continue
            before = self._told.pop(key, None)
            self._told[key] = state.spent
            if before == state.spent:
                continue  # most are told of twice between two calls
            whose = whose_cap(state.cap)
            if scope != "session":
                self._days.setdefault(whose, {})[date.fromisoformat(period)] = state.spent
            if before is not None and state.spent > before:
                spent = self._minutes.pop(whose, {})
                minute = now.replace(second=0, microsecond=0)
                spent[minute] = spent.get(minute, ZERO) + state.spent - before
                self._minutes[whose] = {at: amount for at, amount in spent.items() if at > since}
                grown = True
        if grown:
            # The least lately spent first; what no window reaches any more tells nothing.
            while max(next(iter(self._minutes.values())), default=since) <= since:
                del self._minutes[next(iter(self._minutes))]
            _shorten(self._minutes)
        _shorten(self._told)


def _shorten(kept: dict[Any, Any]) -> None:
    # The oldest first: a server sees new sessions for ever.
    while len(kept) > _MOST_SUMS:
        del kept[next(iter(kept))]


def whose_cap(cap: Cap) -> str:
    """Whose spending counts towards it, as `Course` names them."""
    span, _, whose = cap.scope.partition(" ")
    return f"session:{cap.period}" if span == "session" else whose
