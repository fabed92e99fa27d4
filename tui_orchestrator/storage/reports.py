"""What was spent and how models did: sums over the ledger, computed by SQLite off the event loop."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tui_orchestrator.routing.decision import Decision
from tui_orchestrator.routing.events import Attempt
from tui_orchestrator.routing.money import ZERO, Price
from tui_orchestrator.routing.ports import Clock

from . import decisions, performance, totals
from .database import Database
from .performance import ASPECTS, Aspect, Measured
from .rows import SELECT_ATTEMPTS, attempt_of
from .spans import PERIODS, Period, Span, day_of, span_of
from .totals import DIMENSIONS, Dimension, Savings, Totals, added

__all__ = [
    "ASPECTS", "DIMENSIONS", "PERIODS", "Aspect", "Dimension", "Measured", "Period", "Reports", "Savings", "Span",
    "Totals", "added", "day_of",
]  # fmt: skip


class Reports:
    """All methods raise StoreError. Where a period is asked for, a Span of days will do as well."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def span(self, period: Period | Span) -> Span:
        """The days it stands for now."""
        return span_of(period, self._clock.today())

    async def total(self, period: Period | Span = "today") -> Totals:
        span = self.span(period)
        return await self._db.report(lambda c: totals.together(c, span))

    async def any_nearly(self, period: Period | Span = "today") -> bool:
        """Whether the cache answered a prompt by what was said to other words."""
        span = self.span(period)
        return await self._db.report(lambda c: totals.any_nearly(c, span))

    async def totals(self, by: Dimension, period: Period | Span = "today") -> tuple[Totals, ...]:
        """Days, weeks and months in their order, all else the dearest first."""
        return await self.cube((by,), period)

    async def cube(self, by: Sequence[Dimension], period: Period | Span = "today") -> tuple[Totals, ...]:
        """The same for every mix of several dimensions that occurs; their keys are in `Totals.keys`. Whatever the
        grouping, the sums add up to `total` of the same time to the picodollar."""
        by, span = tuple(by), self.span(period)
        return await self._db.report(lambda c: totals.cube(c, by, span))

    async def of_session(self, session: str) -> Totals:
        """All that its attempts cost, whenever they were made."""
        return await self._db.report(lambda c: totals.of_session(c, session))

    async def last(self, limit: int = 20) -> tuple[Attempt, ...]:
        """The last booked first, whatever the clock said."""
        query = f"{SELECT_ATTEMPTS} ORDER BY rowid DESC LIMIT ?"
        return await self._db.read(lambda c: tuple(attempt_of(row) for row in c.execute(query, (limit,))))

    async def found(
        self, period: Period | Span, limit: int, where: Sequence[tuple[Dimension, str]] = ()
    ) -> tuple[Attempt, ...]:
        """The attempts of a time, the latest first, of which every dimension in `where` has that key."""
        span, wanted = self.span(period), tuple(where)
        return await self._db.report(lambda c: totals.attempts(c, wanted, span, limit))

    async def titles(self, sessions: Sequence[str]) -> dict[str, str]:
        """By the ids of the sessions; without those that are not kept, and those without a title."""
        return await self._db.report(lambda c: totals.titles(c, sessions))

    async def attempts(self, request_id: str) -> tuple[Attempt, ...]:
        """Of one turn, by number."""
        query = f"{SELECT_ATTEMPTS} WHERE request_id = ? ORDER BY number"
        return await self._db.read(lambda c: tuple(attempt_of(row) for row in c.execute(query, (request_id,))))

    async def decision(self, request_id: str) -> Decision | None:
        return await self._db.read(lambda c: decisions.find(c, request_id))

    async def decision_by(self, beginning: str) -> tuple[Decision, datetime]:
        """By the beginning of its request's id, or 'latest'; with when it was made. Raises LookupError too."""
        return await self._db.read(lambda c: decisions.find_by(c, beginning, self._clock.now()))

    async def savings(self, baseline: Price, period: Period | Span = "month") -> Savings:
        span = self.span(period)
        groups = await self._db.report(lambda c: totals.repriced(c, baseline, (), span))
        return groups[0] if groups else Savings(0, ZERO, ZERO)

    async def repriced(
        self, price: Price, by: Sequence[Dimension], period: Period | Span = "month"
    ) -> tuple[Savings, ...]:
        """What the tokens of each group would have cost at `price`."""
        by, span = tuple(by), self.span(period)
        return await self._db.report(lambda c: totals.repriced(c, price, by, span))

    async def measured(
        self, period: Period | Span = "month", *, per_task: bool = False, by: Sequence[Aspect] = ("model",)
    ) -> tuple[Measured, ...]:
        """By model, by model and task type, or as `by` says; the most used first."""
        span, aspects = self.span(period), ("model", "task") if per_task else tuple(by)
        return await self._db.report(lambda c: performance.measured(c, aspects, span))

    async def lately(self, period: Period | Span = "month") -> tuple[Measured, ...]:
        """By model, in milliseconds: speeds of its latest attempts alone, and no latencies."""
        span = self.span(period)
        return await self._db.read(lambda c: performance.lately(c, span))
