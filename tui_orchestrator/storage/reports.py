"""What was spent and how models did: sums over the ledger, computed by SQLite off the event loop."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from tui_orchestrator.routing.decision import Decision
from tui_orchestrator.routing.events import Attempt
from tui_orchestrator.routing.money import ZERO, Money, Price, Rates
from tui_orchestrator.routing.ports import Clock

from . import decisions
from .database import Database
from .rows import SELECT_ATTEMPTS, attempt_of

Period = Literal["today", "day", "week", "month", "all"]
"""By the user's local days. 'day' is 'today'; 'week' the last seven days; 'month' the calendar month, as the budget."""
Grouping = Literal["model", "provider", "task", "strategy", "day", "session"]

_COLUMN: dict[Grouping, str] = {
    "model": "model",
    "provider": "provider",
    "task": "task_type",
    "strategy": "strategy",
    "day": "day",
    "session": "session",
}


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over attempts."""

    key: str
    """The group: a model's id, a date …; '' for all together."""
    attempts: int = 0
    finished: int = 0
    failed: int = 0
    cancelled: int = 0
    cache_hits: int = 0
    """Among the finished."""
    input_tokens: int = 0
    """Those read from a provider's cache included."""
    output_tokens: int = 0
    cached_input_tokens: int = 0
    cost: Money = ZERO
    """Of the attempts whose cost is known."""
    estimated: Money = ZERO
    """The part of `cost` that was estimated."""
    unknown: int = 0
    """Attempts whose cost is not known."""
    saved_by_cache: Money = ZERO


@dataclass(frozen=True, slots=True)
class Savings:
    """An estimate: on another model the same work would have taken other tokens."""

    attempts: int
    """Finished, of known cost: what the figures are about."""
    cost: Money
    baseline: Money
    """What their tokens would have cost at the baseline's price."""

    @property
    def saved(self) -> Money:
        """Negative where the baseline would have been cheaper."""
        return self.baseline - self.cost


@dataclass(frozen=True, slots=True)
class Measured:
    """How a model did, cache hits left out. Percentiles by nearest rank over finished attempts; None where none."""

    model: str
    task_type: str | None
    """None: all of them together."""
    attempts: int
    finished: int
    failed: int
    cost: Money
    first_token_p50_s: float | None
    tokens_per_s: float | None
    """Median."""
    latency_p50_s: float | None
    latency_p95_s: float | None

    @property
    def success(self) -> float | None:
        """Share of finished among finished and failed; None where neither."""
        ended = self.finished + self.failed
        return self.finished / ended if ended else None


class Reports:
    """All methods raise StoreError."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def total(self, period: Period = "today") -> Totals:
        return (await self._totals("''", period))[0]

    async def totals(self, by: Grouping, period: Period = "today") -> tuple[Totals, ...]:
        """Days in their order, all else the dearest first."""
        groups = await self._totals(_COLUMN[by], period)
        if by == "day":
            return tuple(sorted(groups, key=lambda group: group.key))
        return tuple(sorted(groups, key=lambda group: (-group.cost.picodollars, -group.attempts, group.key)))

    async def last(self, limit: int = 20) -> tuple[Attempt, ...]:
        """The latest first."""
        query = f"{SELECT_ATTEMPTS} ORDER BY started DESC, rowid DESC LIMIT ?"
        return await self._db.read(lambda c: tuple(attempt_of(row) for row in c.execute(query, (limit,))))

    async def attempts(self, request_id: str) -> tuple[Attempt, ...]:
        """Of one turn, by number."""
        query = f"{SELECT_ATTEMPTS} WHERE request_id = ? ORDER BY number"
        return await self._db.read(lambda c: tuple(attempt_of(row) for row in c.execute(query, (request_id,))))

    async def decision(self, request_id: str) -> Decision | None:
        return await self._db.read(lambda c: decisions.find(c, request_id))

    async def decision_by(self, beginning: str) -> tuple[Decision, datetime]:
        """By the beginning of its request's id, or 'latest'; with when it was made. Raises LookupError too."""
        return await self._db.read(lambda c: decisions.find_by(c, beginning))

    async def savings(self, baseline: Price, period: Period = "month") -> Savings:
        since = self._since(period)

        def sum_up(connection: sqlite3.Connection) -> Savings:
            attempts, cost, otherwise = connection.execute(
                f"SELECT COUNT(*), COALESCE(SUM(cost), 0), COALESCE(SUM({_priced(baseline)}), 0) FROM attempts "
                "WHERE day >= ? AND outcome = 'finished' AND cost IS NOT NULL",
                (since,),
            ).fetchone()
            return Savings(attempts, Money(cost), Money(otherwise))

        return await self._db.report(sum_up)

    async def measured(self, period: Period = "month", *, per_task: bool = False) -> tuple[Measured, ...]:
        """By model, or by model and task type; the most used first."""
        since = self._since(period)
        return await self._db.report(lambda c: _measured(c, since, per_task))

    async def _totals(self, column: str, period: Period) -> tuple[Totals, ...]:
        grouped = "" if column == "''" else f"GROUP BY {column}"
        since = self._since(period)

        def sum_up(connection: sqlite3.Connection) -> tuple[Totals, ...]:
            rows = connection.execute(f"SELECT {column}, {_SUMS} FROM attempts WHERE day >= ? {grouped}", (since,))
            return tuple(_summed(*row) for row in rows)

        return await self._db.report(sum_up)

    def _since(self, period: Period) -> str:
        return _first_day(period, self._clock.today())


def _summed(key: str, *sums: int) -> Totals:
    attempts, finished, failed, cancelled, hits, *tokens, cost, estimated, unknown, saved = sums
    input_tokens, output_tokens, cached_input_tokens = tokens
    return Totals(
        key,
        attempts,
        finished,
        failed,
        cancelled,
        hits,
        input_tokens,
        output_tokens,
        cached_input_tokens,
        Money(cost),
        Money(estimated),
        unknown,
        Money(saved),
    )


def _first_day(period: Period, today: date) -> str:
    match period:
        case "today" | "day":
            return today.isoformat()
        case "week":
            return (today - timedelta(days=6)).isoformat()
        case "month":
            return today.replace(day=1).isoformat()
        case "all":
            return ""


_SUMS = """
    COUNT(*),
    COALESCE(SUM(outcome = 'finished'), 0),
    COALESCE(SUM(outcome = 'failed'), 0),
    COALESCE(SUM(outcome = 'cancelled'), 0),
    COALESCE(SUM(from_cache), 0),
    COALESCE(SUM(input_tokens), 0),
    COALESCE(SUM(output_tokens), 0),
    COALESCE(SUM(cached_input_tokens), 0),
    COALESCE(SUM(cost), 0),
    COALESCE(SUM(CASE cost_state WHEN 'estimated' THEN cost END), 0),
    COALESCE(SUM(cost IS NULL), 0),
    COALESCE(SUM(saved), 0)
"""


def _priced(price: Price) -> str:
    """`Price.cost` as an SQL expression over the columns of an attempt; all its figures are whole numbers."""
    bands = "".join(f"WHEN input_tokens > {tier.over} THEN {_rated(tier.rates)} " for tier in reversed(price.tiers))
    cost = f"CASE {bands}ELSE {_rated(price.rates)} END" if bands else _rated(price.rates)
    return f"({cost}) + {price.per_call.picodollars}"


def _rated(rates: Rates) -> str:
    cached = rates.input if rates.cached_input is None else rates.cached_input
    written = rates.input if rates.cache_write is None else rates.cache_write
    reasoning = rates.output if rates.reasoning is None else rates.reasoning
    return (
        f"MAX(0, input_tokens - cached_input_tokens - cache_write_tokens) * {rates.input} "
        f"+ cached_input_tokens * {cached} + cache_write_tokens * {written} "
        f"+ MAX(0, output_tokens - reasoning_tokens) * {rates.output} + reasoning_tokens * {reasoning}"
    )


def _measured(connection: sqlite3.Connection, since: str, per_task: bool) -> tuple[Measured, ...]:
    group = "model, task_type" if per_task else "model, NULL"
    partition = "model, task_type" if per_task else "model"

    def percentiles(column: str, percent: int) -> dict[tuple[str, str | None], float]:
        rows = connection.execute(
            f"SELECT {group}, value FROM (SELECT model, task_type, {column} AS value, "
            f"ROW_NUMBER() OVER (PARTITION BY {partition} ORDER BY {column}) AS rank, "
            f"COUNT(*) OVER (PARTITION BY {partition}) AS count FROM attempts WHERE day >= ? AND NOT from_cache "
            f"AND outcome = 'finished' AND {column} IS NOT NULL) WHERE rank = (count * ? + 99) / 100",
            (since, percent),
        )
        return {(model, task_type): value for model, task_type, value in rows}

    first_token, speed = percentiles("first_token_s", 50), percentiles("tokens_per_s", 50)
    median, slow = percentiles("latency_s", 50), percentiles("latency_s", 95)
    rows = connection.execute(
        f"SELECT {group}, COUNT(*), SUM(outcome = 'finished'), SUM(outcome = 'failed'), COALESCE(SUM(cost), 0) "
        f"FROM attempts WHERE day >= ? AND NOT from_cache GROUP BY {partition} ORDER BY COUNT(*) DESC, {partition}",
        (since,),
    )
    return tuple(
        Measured(
            model,
            task_type,
            attempts,
            finished,
            failed,
            Money(cost),
            *(figure.get((model, task_type)) for figure in (first_token, speed, median, slow)),
        )
        for model, task_type, attempts, finished, failed, cost in rows
    )
