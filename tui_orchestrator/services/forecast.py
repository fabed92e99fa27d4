"""How fast money goes, and when a cap is reached if it goes on so. Pure: what was spent and the time go in.

Two rates, because the day and the month are spent differently:

- *per hour*, for caps that may be reached today: the highest of the means over the last 20 minutes, 60 minutes and
  3 hours. A pause lets it fade instead of ending it, and the hours before the user sat down do not count.
- *per day*, for the month: the mean of the last fourteen days before today, or of those since the first that cost
  anything. Two whole weeks hold each weekday twice, so no weekday needs a figure of its own, which would rest on two.

In either, the dearest minute or day counts at most as much as all the others together: one long answer is no trend.
Where there is too little to go by, nothing is said. More spent never means later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ..routing.budget import BudgetState
from ..routing.money import ZERO, Money
from ..routing.ports import Clock

WINDOWS = (timedelta(minutes=20), timedelta(hours=1), timedelta(hours=3))
LEAST_MINUTES = 3
"""Minutes in which something was spent that a rate per hour needs."""
DAYS = 14
LEAST_DAYS = 3
"""Days before today that a rate per day needs, the first of them one with spending."""
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Now:
    """What a forecast needs to know of the time, all by the user's clock."""

    at: datetime
    """Aware."""
    today: date
    day_ends: datetime
    """The next local midnight, aware."""
    local: Callable[[datetime], datetime]
    """An instant in the user's zone."""

    @classmethod
    def of(cls, clock: Clock) -> Now:
        today = clock.today()
        return cls(clock.now(), today, clock.midnight(today + timedelta(days=1)), clock.local)

    @property
    def days_to_come(self) -> int:
        """Of this month, after today."""
        first_of_next = (self.today.replace(day=28) + timedelta(days=4)).replace(day=1)
        return (first_of_next - self.today).days - 1


def per_hour(spent: Mapping[datetime, Money], now: datetime) -> Money | None:
    """`spent`: by the minute it began in, an aware instant. None where too little was spent lately to tell."""
    rates = []
    for window in WINDOWS:
        lately = [amount for minute, amount in spent.items() if now - window < minute <= now and amount > ZERO]
        if len(lately) >= LEAST_MINUTES:
            rates.append(Money(_steady(lately) * (_HOUR // timedelta(minutes=1)) // (window // timedelta(minutes=1))))
    rate = max(rates, default=ZERO)
    return rate or None


def per_day(spent: Mapping[date, Money], today: date) -> Money | None:
    """`spent`: by local day; a day that is missing cost nothing. None before there are three days to go by."""
    past = [day for day, amount in spent.items() if day < today and amount > ZERO]
    if not past:
        return None
    days = min(DAYS, (today - min(past)).days)
    if days < LEAST_DAYS:
        return None
    lately = [amount for day, amount in spent.items() if today - timedelta(days=days) <= day < today]
    return Money(_steady(lately) // days) or None


def _steady(amounts: Iterable[Money]) -> int:
    """Their sum, in which the largest counts at most as much as all the others together."""
    found = [amount.picodollars for amount in amounts]
    total = sum(found)
    return min(total, 2 * (total - max(found, default=0)))


def reached_at(left: Money, rate: Money | None, now: Now) -> datetime | None:
    """When `left` is gone at `rate` an hour, in whole minutes rounded up. None: not before midnight, or not to be told,
    or gone already."""
    if rate is None or left <= ZERO:
        return None
    minutes = -(-left.picodollars * 60 // rate.picodollars)
    if minutes > (now.day_ends - now.at) // timedelta(minutes=1):
        return None
    at = now.at + timedelta(minutes=minutes)
    whole = at.replace(second=0, microsecond=0)
    whole = whole if whole == at else whole + timedelta(minutes=1)
    return whole if whole < now.day_ends else None


def by_midnight(spent: Money, rate: Money | None, now: Now) -> Money | None:
    """What the day will have cost at `rate` an hour."""
    if rate is None:
        return None
    return spent + Money(rate.picodollars * ((now.day_ends - now.at) // timedelta(seconds=1)) // 3600)


def month_end(month: Money, today: Money, rate: Money | None, now: Now) -> Money | None:
    """What the month will have cost when each day to come costs `rate` and today at least that. `month` is what was
    spent of it so far, `today` the part of that which is today's."""
    if rate is None:
        return None
    return month + max(ZERO, rate - today) + rate * now.days_to_come


def reached_on(left: Money, today: Money, rate: Money | None, now: Now) -> date | None:
    """The day of this month on which `left` of it is gone at `rate` a day; None as in `reached_at`."""
    if rate is None or left <= ZERO:
        return None
    rest = left - max(ZERO, rate - today)
    days = max(0, -(-rest.picodollars // rate.picodollars))
    return now.today + timedelta(days=days) if days <= now.days_to_come else None


@dataclass(frozen=True, slots=True)
class Rates:
    """What forecasts for one sum rest on."""

    hourly: Money | None
    daily: Money | None
    today: Money
    """Spent today."""


def sentence(state: BudgetState, rates: Rates, now: Now) -> str | None:
    """'at this rate the daily cap is reached at 17:40'; None where it is not reached in its time, is reached already,
    or there is too little to tell it from. A request is over before a rate means anything."""
    left = None if state.limit is None else state.limit - state.spent
    span, _, whose = state.scope.partition(" ")
    if left is None or span not in _CAPS:
        return None
    cap = _CAPS[span] + (f" of {whose.partition(':')[2]}" if whose else "")
    if (at := reached_at(left, rates.hourly, now)) is not None:
        return f"at this rate {cap} is reached at {now.local(at):%H:%M}"
    if span == "month" and (day := reached_on(left, rates.today, rates.daily, now)) is not None:
        when = "today" if day == now.today else f"on {day.day} {day:%B}"
        return f"at the rate of the last days {cap} is reached {when}"
    return None


_CAPS = {"session": "the session's cap", "day": "the daily cap", "month": "the monthly cap"}
