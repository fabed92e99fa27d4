"""What the costs pane shows, read beside the event loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from ..routing.money import ZERO, Money, Usage
from .forecast import Now, by_midnight, month_end

if TYPE_CHECKING:
    from ..routing.budget import BudgetState
    from ..routing.events import Attempt
    from ..routing.model import Model, Registry
    from ..routing.ports import Clock
    from ..storage.reports import Period, Savings, Totals
    from .runtime import Runtime

RECENT = 24
SPEEDS = 64
Span = Literal["today", "week", "month"]
"""As the reports' periods: today, the last seven days, this calendar month."""
Dimension = Literal["model", "provider", "task", "strategy"]
SPANS: tuple[Span, ...] = ("today", "week", "month")
DIMENSIONS: tuple[Dimension, ...] = ("model", "provider", "task", "strategy")
_TYPICAL = Usage(1000, 500)


@dataclass(frozen=True, slots=True)
class Spell:
    """A part of a span: ten minutes of today, a day of a week or month."""

    at: float
    """When it begins: hours or days from the beginning of its trend."""
    amount: Money


@dataclass(frozen=True, slots=True)
class Trend:
    """Spending over a span of time, for a plot."""

    span: Span
    first: date
    """The span's first local day."""
    hour: int
    """Of today: the quarter of the day in which spending began, 0, 6, 12 or 18 by the user's clock."""
    length: float
    """From there to the span's end: hours of today, days of a week or month."""
    so_far: float
    """How much of that is past."""
    spells: tuple[Spell, ...]
    """Those in which something was spent, in order."""
    limit: Money | None
    """The cap over all of the span; of a week, that of each of its days."""
    expected: Money | None
    """At the span's end, if it goes on so; None where that cannot be told."""

    @property
    def spent(self) -> Money:
        return sum((spell.amount for spell in self.spells), ZERO)


@dataclass(frozen=True, slots=True)
class Mark:
    """What is said of a sum: that a part of it was estimated, that it lacks attempts of unknown cost."""

    estimated: bool
    unknown: bool

    @classmethod
    def of(cls, totals: Totals) -> Mark | None:
        mark = cls(bool(totals.estimated), bool(totals.unknown))
        return mark if mark.estimated or mark.unknown else None


@dataclass(frozen=True, slots=True)
class Overview:
    span: Span
    """What `shares` and `trend` are about."""
    budgets: tuple[BudgetState, ...]
    """Session, day, month, then every other sum that has a cap."""
    marks: Mapping[str, Mark]
    """Scope of a budget → what its sum does not know for certain; of those that hold something of the kind."""
    forecasts: Mapping[str, str]
    """Scope of a budget → when its cap is reached, where that can be told."""
    today: Totals
    saved_nearly: bool
    """Whether the cache saved some of it today by answers to other words, so that how much is an estimate."""
    shares: Mapping[Dimension, tuple[Totals, ...]]
    """The dearest first."""
    trend: Trend
    month: Trend
    """The same as `trend` when that is of the month."""
    hourly: Money | None
    """What is being spent in an hour; None where too little was spent lately to tell."""
    by_midnight: Money | None
    """What today will have cost if it goes on so."""
    recent: tuple[Attempt, ...]
    """The latest first."""
    baseline: str | None
    """Id of the model that savings are told against."""
    savings: Savings | None
    """Of this month; an estimate. None without a baseline of known price."""
    tokens_per_s: tuple[float, ...] = field(default=())
    """Of the recent attempts that show a speed, the oldest first."""


async def overview(runtime: Runtime, session: str = "", span: Span = "today") -> Overview:
    """Raises StoreError."""
    from ..storage.course import EVERYTHING

    reports, pace, clock = runtime.reports, runtime.pace, runtime.clock
    budgets = await runtime.budget_states(session)
    lately = await pace.read(runtime.router.budgets, session)
    days, tens = lately.of_days(EVERYTHING), await runtime.course.of_day(clock.today())
    limits = {state.scope: state.limit for state in budgets}
    now, rates = Now.of(clock), pace.rates()
    recent = await reports.last(SPEEDS)
    today = await reports.total("today")
    baseline = baseline_model(runtime.registry, runtime.router.policy.baseline_model)
    price = baseline.price if baseline else None

    end_of_day = by_midnight(rates.today, rates.hourly, now)

    def trend(of: Span) -> Trend:
        if of == "today":
            return _today(tens, limits.get("day"), end_of_day, clock)
        first = now.today.replace(day=1) if of == "month" else now.today - timedelta(days=6)
        length = now.today.day + now.days_to_come if of == "month" else 7
        # With an end: who flies west, or sets the clock back, has spent money on days that are yet to come.
        past = {day: amount for day, amount in days.items() if 0 <= (day - first).days < length}
        spent = sum(past.values(), ZERO)
        expected = month_end(spent, rates.today, rates.daily, now) if of == "month" else None
        limit = limits.get("month" if of == "month" else "day")
        return _days(of, past, first, length, limit, expected, clock)

    return Overview(
        span=span,
        budgets=budgets,
        marks=await _marks(runtime, budgets, session),
        forecasts={state.scope: said for state in budgets if (said := pace.sentence(state)) is not None},
        today=today,
        saved_nearly=today.cache_hits > 0 and await reports.any_nearly("today"),
        shares={dimension: await reports.totals(dimension, span) for dimension in DIMENSIONS},
        trend=trend(span),
        month=trend("month"),
        hourly=rates.hourly,
        by_midnight=end_of_day,
        recent=recent[:RECENT],
        baseline=baseline.id if baseline else None,
        savings=await reports.savings(price, "month") if price else None,
        tokens_per_s=tuple(a.tokens_per_s for a in reversed(recent) if a.tokens_per_s is not None),
    )


async def _marks(runtime: Runtime, budgets: Sequence[BudgetState], session: str) -> dict[str, Mark]:
    reports = runtime.reports
    marks: dict[str, Mark | None] = {"session": Mark.of(await reports.of_session(session))}
    periods: tuple[tuple[str, Period], ...] = (("day", "today"), ("month", "month"))
    kinds: tuple[Dimension, ...] = ("provider", "model")
    for span, period in periods:
        marks[span] = Mark.of(await reports.total(period))
        for kind in kinds:
            if any(state.scope.startswith(f"{span} {kind}:") for state in budgets):
                for group in await reports.totals(kind, period):
                    marks[f"{span} {kind}:{group.key}"] = Mark.of(group)
    return {scope: mark for scope, mark in marks.items() if mark is not None}


def _today(tens: Mapping[datetime, Money], limit: Money | None, expected: Money | None, clock: Clock) -> Trend:
    # By the hands of the clock: on the day it is put back the hour that comes twice is drawn once.
    hours = sorted((_hours(at, clock), amount) for at, amount in tens.items())
    begins = int(hours[0][0] // 6 * 6) if hours else 0
    spells = tuple(Spell(hour - begins, amount) for hour, amount in hours)
    so_far = max(0.0, _hours(clock.now(), clock) - begins)
    return Trend("today", clock.today(), begins, 24 - begins, so_far, spells, limit, expected)


def _hours(at: datetime, clock: Clock) -> float:
    """Since the midnight that began today. An attempt that began before it is drawn at its beginning."""
    local = clock.local(at)
    return 0.0 if local.date() < clock.today() else local.hour + local.minute / 60


def _days(
    span: Span,
    days: Mapping[date, Money],
    first: date,
    length: int,
    limit: Money | None,
    expected: Money | None,
    clock: Clock,
) -> Trend:
    spells = tuple(Spell((day - first).days, amount) for day, amount in sorted(days.items()))
    so_far = (clock.today() - first).days + _hours(clock.now(), clock) / 24
    return Trend(span, first, 0, length, so_far, spells, limit, expected)


def baseline_model(registry: Registry, named: str | None) -> Model | None:
    """The model the user named; otherwise the one whose typical call costs most. None when no price is known."""
    if named is not None:
        try:
            return registry.find(named)
        except LookupError:
            return None
    priced = [(model.price.cost(_TYPICAL), model) for model in registry if model.price is not None]
    return max(priced, key=lambda pair: (pair[0], pair[1].id))[1] if priced else None
