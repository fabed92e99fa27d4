"""Reports on costs and performance: the same for the command line, the console and files of both.

Column names are for programs and stay as they are. Amounts are exact decimals of US dollars as text, tokens whole
numbers; what is not known is null, and an empty cell in CSV.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from ..locations import data_dir
from ..routing.events import Attempt
from ..routing.money import Money
from ..routing.telling import took_s
from ..routing.text import spoken
from ..settings import write_privately
from ..storage.reports import Aspect, Dimension, Measured, Period, Savings, Span, Totals, added
from .runtime import Runtime
from .spending import baseline_model

Record = dict[str, Any]

_IDENTIFIERS = ("task", "strategy", "cause", "outcome", "cost_state")
"""Dimensions whose keys are identifiers of the program; those of others are names, which stay as they are."""


def key_in_words(dimension: str, key: str) -> str:
    """A row's key as people read it; programs get the key itself."""
    return spoken(key) if dimension in _IDENTIFIERS else key


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent in a time, by some dimensions."""

    by: tuple[Dimension, ...]
    span: Span
    groups: tuple[Totals, ...]
    total: Totals
    """Of all groups, those that were left out too."""
    found: int
    """How many groups there are."""
    savings: Savings | None
    baseline: str | None
    titles: Mapping[str, str] = field(default_factory=dict)
    """Of sessions that are kept, by their ids."""

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(cost_record(self.by, Totals("", keys=("",) * len(self.by)), {}))

    @property
    def records(self) -> list[Record]:
        return [cost_record(self.by, group, self.titles) for group in self.groups]

    def as_json(self, demo: bool) -> Record:
        return _costs_json(self, self.by, self.found, demo)


@dataclass(frozen=True, slots=True)
class Listed:
    """Attempts one by one, the latest first."""

    span: Span
    attempts: tuple[Attempt, ...]
    total: Totals
    """Of the whole time, what was left out too."""
    savings: Savings | None
    baseline: str | None

    @property
    def columns(self) -> tuple[str, ...]:
        return ATTEMPT_COLUMNS

    @property
    def records(self) -> list[Record]:
        return [attempt_record(attempt) for attempt in self.attempts]

    @property
    def found(self) -> int:
        """How many attempts there are in that time."""
        return self.total.attempts

    def as_json(self, demo: bool) -> Record:
        return _costs_json(self, ("attempt",), self.found, demo)


def _costs_json(report: Spent | Listed, by: Sequence[str], found: int, demo: bool) -> Record:
    return {
        **span_json(report.span),
        "by": list(by),
        "demo": demo,
        "rows": report.records,
        "found": found,
        "total": cost_record((), report.total, {}),
        "savings": savings_json(report.savings, report.baseline),
    }


@dataclass(frozen=True, slots=True)
class Performed:
    """How models did in a time."""

    by: tuple[Aspect, ...]
    span: Span
    groups: tuple[Measured, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(measured_record(Measured(self.by, ("",) * len(self.by), 0, 0, 0, Money())))

    @property
    def records(self) -> list[Record]:
        return [measured_record(group) for group in self.groups]

    def as_json(self, demo: bool) -> Record:
        return {**span_json(self.span), "by": list(self.by), "demo": demo, "rows": self.records}


async def spent(
    runtime: Runtime, by: Sequence[Dimension], period: Period | Span = "month", limit: int | None = None
) -> Spent:
    """Raises StoreError."""
    reports, span = runtime.reports, runtime.reports.span(period)
    groups, (savings, baseline) = await asyncio.gather(reports.cube(by, span), _savings(runtime, span))
    shown = groups[:limit]
    sessions = [group.keys[by.index("session")] for group in shown] if "session" in by else []
    titles = await reports.titles(sessions) if sessions else {}
    return Spent(tuple(by), span, shown, added(groups), len(groups), savings, baseline, titles)


async def listed(
    runtime: Runtime,
    period: Period | Span = "month",
    limit: int = 100,
    where: Sequence[tuple[Dimension, str]] = (),
) -> Listed:
    """Raises StoreError."""
    reports, span = runtime.reports, runtime.reports.span(period)
    savings, baseline = await _savings(runtime, span)
    attempts = await reports.found(span, limit, where)
    return Listed(span, attempts, await reports.total(span), savings, baseline)


async def performed(
    runtime: Runtime, by: Sequence[Aspect] = ("model", "task"), period: Period | Span = "month"
) -> Performed:
    """Raises StoreError."""
    span = runtime.reports.span(period)
    return Performed(tuple(by), span, await runtime.reports.measured(span, by=by))


async def _savings(runtime: Runtime, span: Span) -> tuple[Savings | None, str | None]:
    baseline = baseline_model(runtime.registry, runtime.router.policy.baseline_model)
    if baseline is None or baseline.price is None:
        return None, None
    return await runtime.reports.savings(baseline.price, span), baseline.id


def savings_line(savings: Savings | None, baseline: str | None) -> str:
    if savings is None or baseline is None:
        return "Savings are not known: no baseline model has a known price; set router.baseline_model."
    if not savings.attempts:
        return f"Nothing was answered in this time, so there is nothing to compare with {baseline}."
    saved = savings.saved
    difference = f"{saved} saved" if saved.picodollars >= 0 else f"{-saved} more was spent"
    return (
        f"Estimate: the tokens of the finished attempts of known cost would have cost {savings.baseline} on {baseline} "
        f"instead of {savings.cost}: {difference}."
    )


# As programs read it


def exact(amount: Money | None) -> str | None:
    return None if amount is None else f"{amount.usd.normalize():f}"


def span_json(span: Span) -> Record:
    return {
        "from": span.first.isoformat() if span.first else None,
        "to": span.last.isoformat() if span.last else None,
    }


def cost_record(by: Sequence[Dimension], group: Totals, titles: Mapping[str, str]) -> Record:
    keys: Record = dict(zip(by, group.keys, strict=True))
    if "session" in keys:
        keys["title"] = titles.get(keys["session"])
    return {
        **keys,
        "attempts": group.attempts,
        "finished": group.finished,
        "failed": group.failed,
        "cancelled": group.cancelled,
        "cache_hits": group.cache_hits,
        "retried": group.retried,
        "fell_back": group.fell_back,
        "escalated": group.escalated,
        "input_tokens": group.input_tokens,
        "cached_input_tokens": group.cached_input_tokens,
        "cache_write_tokens": group.cache_write_tokens,
        "output_tokens": group.output_tokens,
        "reasoning_tokens": group.reasoning_tokens,
        "cost_usd": exact(group.cost),
        "billed_usd": exact(group.billed),
        "computed_usd": exact(group.computed),
        "estimated_usd": exact(group.estimated),
        "unknown": group.unknown,
        "saved_by_cache_usd": exact(group.saved_by_cache),
        "latency_s": exact(Money(group.latency_us * 10**6)),
    }


def attempt_record(attempt: Attempt) -> Record:
    usage, cost = attempt.usage, attempt.cost
    return {
        "started": attempt.started.isoformat(),
        "day": attempt.day,
        "request_id": attempt.request_id,
        "attempt": attempt.number,
        "session": attempt.session,
        "model": attempt.model,
        "provider": attempt.provider,
        "strategy": attempt.strategy,
        "task": attempt.task_type,
        "cause": attempt.cause.value,
        "outcome": attempt.outcome.value,
        "error": attempt.error_kind.value if attempt.error_kind else None,
        "input_tokens": usage.input,
        "cached_input_tokens": usage.cached_input,
        "cache_write_tokens": usage.cache_write,
        "output_tokens": usage.output,
        "reasoning_tokens": usage.reasoning,
        "cost_usd": exact(cost.amount),
        "cost_state": cost.state.value,
        "from_cache": attempt.from_cache,
        "saved_by_cache_usd": exact(attempt.saved),
        "latency_s": took_s(attempt),
        "first_token_s": attempt.first_token_s,
        "tokens_per_s": attempt.tokens_per_s,
        "confidence": attempt.confidence,
        "price_source": attempt.price.source if attempt.price else None,
    }


ATTEMPT_COLUMNS = (
    "started", "day", "request_id", "attempt", "session", "model", "provider", "strategy", "task", "cause", "outcome",
    "error", "input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens",
    "cost_usd", "cost_state", "from_cache", "saved_by_cache_usd", "latency_s", "first_token_s", "tokens_per_s",
    "confidence", "price_source",
)  # fmt: skip


def measured_record(one: Measured) -> Record:
    return {
        **dict(zip(one.by, one.keys, strict=True)),
        "attempts": one.attempts,
        "finished": one.finished,
        "failed": one.failed,
        "cancelled": one.cancelled,
        "success": one.success,
        "retried": one.retried,
        "fell_back": one.fell_back,
        "escalated": one.escalated,
        "answers": one.answers,
        "good_answers": one.good,
        "first_token_p50_s": one.first_token_p50_s,
        "latency_p50_s": one.latency_p50_s,
        "latency_p95_s": one.latency_p95_s,
        "latency_p99_s": one.latency_p99_s,
        "tokens_per_s": one.tokens_per_s,
        "cost_usd": exact(one.cost),
        "estimated_usd": exact(one.estimated),
        "unknown": one.unknown,
        "cost_per_answer_usd": exact(one.cost_per_answer),
        "cost_per_good_answer_usd": exact(one.cost_per_good_answer),
        "voted_up": one.voted_up,
        "voted_down": one.voted_down,
        "confidence": one.confidence,
    }


def savings_json(savings: Savings | None, baseline: str | None) -> Record | None:
    if savings is None:
        return None
    return {
        "estimate": True,
        "baseline_model": baseline,
        "attempts": savings.attempts,
        "cost_usd": exact(savings.cost),
        "baseline_usd": exact(savings.baseline),
        "saved_usd": exact(savings.saved),
    }


def as_csv(columns: Sequence[str], records: Sequence[Record]) -> str:
    """Ends with a line break."""
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    for record in records:
        writer.writerow({name: _cell(value) for name, value in record.items()})
    return file.getvalue()


def export(report: Spent | Listed | Performed, form: Literal["csv", "json"], demo: bool, at: datetime) -> Path:
    """Into a file of its own beside the ledger, readable by the user alone. Raises OSError."""
    if form == "csv":
        text = as_csv(report.columns, report.records)
    else:
        text = json.dumps(report.as_json(demo), indent=2) + "\n"
    by = ("attempt",) if isinstance(report, Listed) else report.by
    kind = "stats" if isinstance(report, Performed) else "costs"
    path = data_dir() / "exports" / f"{kind}-by-{'-'.join(by)}-{at.astimezone():%Y%m%d-%H%M%S}.{form}"
    write_privately(path, text)
    return path


def _cell(value: object) -> object:
    """A name or a title that begins like a formula must not become one in a spreadsheet."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_amount(value):
        return f"'{value}"
    return value


def _is_amount(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal()
