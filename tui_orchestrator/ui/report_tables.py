"""What the tables of the reports say: columns, and how one row stands in them."""

from __future__ import annotations

from collections.abc import Callable

from tui_orchestrator.routing.events import Attempt, Outcome
from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.services.reporting import Performed, Spent, key_in_words
from tui_orchestrator.storage.reports import Measured, Totals

from . import words
from .tabular import NAME, TOTAL, Bars, Column, T

_FAR = float("inf")


# Costs


def cost_columns(spent: Spent) -> list[Column[Totals]]:
    whole = max(1, spent.total.cost.picodollars)
    return [
        *_keys(spent),
        _count("attempts", lambda one: one.attempts, 1),
        _count("failed", lambda one: one.failed, 4, words.BAD),
        _count("cancelled", lambda one: one.cancelled, 6, words.WARN),
        _count("cached", lambda one: one.cache_hits, 7, words.ACCENT),
        _count("escalated", lambda one: one.escalated, 8, words.WARN),
        Column("in", lambda one: words.tokens(one.input_tokens), lambda one: -one.input_tokens, drop=5),
        Column("out", lambda one: words.tokens(one.output_tokens), lambda one: -one.output_tokens, drop=3),
        Column("cost", str, lambda one: -one.cost.picodollars, style=lambda one: words.MONEY),
        Column(
            "share",
            lambda one: f"{one.cost.picodollars / whole:.0%}",
            lambda one: -one.cost.picodollars,
            drop=2,
        ),
    ]


def cost_bars(spent: Spent) -> Bars[Totals]:
    dearest = max([1, *(group.cost.picodollars for group in spent.groups)])
    return Bars(lambda one: one.cost.picodollars / dearest)


def _keys(spent: Spent) -> list[Column[Totals]]:
    def column(place: int, name: str) -> Column[Totals]:
        def key(one: Totals) -> str:
            if not one.keys:
                return TOTAL if place == 0 else ""
            stored = one.keys[place]
            return spent.titles.get(stored) or stored or "none" if name == "session" else _named(name, stored)

        return _name(name, key, lambda one: key(one).lower())

    return [column(place, name) for place, name in enumerate(spent.by)]


def _name(dimension: str, cell: Callable[[T], str], order: Callable[[T], str]) -> Column[T]:
    # Those of models differ at their ends, titles at their beginnings.
    fit = words.fit_each if dimension == "session" else words.fit_models
    return Column(_spoken(dimension), cell, order, "left", shrink=NAME, fit=fit)


def _named(dimension: str, key: str) -> str:
    return key_in_words(dimension, key) or "none"


def _spoken(dimension: str) -> str:
    return words.spoken(dimension)


def _count(title: str, of: Callable[[Totals], int], drop: int = 0, style: str = "") -> Column[Totals]:
    return Column(
        title,
        lambda one: f"{of(one):,}" if of(one) or not style else "·",
        lambda one: -of(one),
        drop=drop,
        style=lambda one: style if of(one) else words.MUTED if style else "",
    )


# Single attempts

_OUTCOMES = {
    Outcome.FINISHED: ("✓", words.GOOD),
    Outcome.FAILED: ("✗", words.BAD),
    Outcome.CANCELLED: ("■", words.WARN),
}


def attempt_columns() -> list[Column[Attempt]]:
    return [
        Column("when", lambda one: f"{one.started.astimezone():%Y-%m-%d %H:%M}", lambda one: -one.started.timestamp()),
        _name("model", lambda one: one.model, lambda one: one.model),
        Column("task", lambda one: words.spoken(one.task_type), lambda one: one.task_type, "left", 2),
        Column("strategy", lambda one: words.spoken(one.strategy), lambda one: one.strategy, "left", 7),
        Column("why", lambda one: words.spoken(one.cause), lambda one: one.cause, "left", 3),
        Column("ended", _ended, _ended, "left", 0, lambda one: _mark(one)[1]),
        Column("in", lambda one: words.tokens(one.usage.input), lambda one: -one.usage.input, drop=5),
        Column("out", lambda one: words.tokens(one.usage.output), lambda one: -one.usage.output, drop=4),
        Column("took", lambda one: words.took(one) or "?", lambda one: -one.latency_s, drop=1),
        Column(
            "tok/s",
            lambda one: "–" if one.tokens_per_s is None else f"{one.tokens_per_s:.0f}",
            lambda one: -(one.tokens_per_s or 0),
            drop=6,
        ),
        Column("cost", lambda one: str(one.cost), _cost_order, style=lambda one: words.MONEY),
    ]


def _mark(one: Attempt) -> tuple[str, str]:
    return ("◇", words.ACCENT) if one.from_cache else _OUTCOMES[one.outcome]


def _ended(one: Attempt) -> str:
    what = "from the cache" if one.from_cache else words.spoken(one.error_kind or one.outcome)
    return f"{_mark(one)[0]} {what}"


def _cost_order(one: Attempt) -> float:
    # What is not known sorts as the dearest: it is not to be overlooked.
    return -_FAR if one.cost.amount is None else -one.cost.amount.picodollars


# Performance


def measured_columns(performed: Performed) -> list[Column[Measured]]:
    def key(place: int, name: str) -> Column[Measured]:
        return _name(name, lambda one: _named(name, one.keys[place]), lambda one: one.keys[place].lower())

    return [
        *(key(place, name) for place, name in enumerate(performed.by)),
        Column("attempts", lambda one: f"{one.attempts:,}", lambda one: -one.attempts, drop=1),
        Column("success", _success, lambda one: -(one.success or 0), style=_success_style),
        Column("fell back", lambda one: _some(one.fell_back), lambda one: -one.fell_back, drop=8),
        Column("escalated", lambda one: _some(one.escalated), lambda one: -one.escalated, drop=5),
        _time("1st token", lambda one: one.first_token_p50_s, 7),
        _time("p50", lambda one: one.latency_p50_s),
        _time("p95", lambda one: one.latency_p95_s, 2),
        _time("p99", lambda one: one.latency_p99_s, 9),
        Column(
            "tok/s",
            lambda one: "–" if one.tokens_per_s is None else f"{one.tokens_per_s:.0f}",
            lambda one: -(one.tokens_per_s or 0),
            drop=4,
        ),
        _per("$/answer", lambda one: one.cost_per_answer),
        _per("$/good", lambda one: one.cost_per_good_answer, 6),
        Column(
            "votes",
            lambda one: (
                " ".join(f"{sign}{count}" for sign, count in (("▲", one.voted_up), ("▼", one.voted_down)) if count)
                or "–"
            ),
            lambda one: one.voted_down - one.voted_up,
            drop=3,
        ),
        Column(
            "confidence",
            lambda one: "–" if one.confidence is None else f"{one.confidence:.2f}",
            lambda one: -(one.confidence or 0),
            drop=10,
        ),
    ]


def _some(count: int) -> str:
    return f"{count:,}" if count else "·"


def _success(one: Measured) -> str:
    return "–" if one.success is None else f"{one.success:.1%}"


def _success_style(one: Measured) -> str:
    if one.success is None:
        return words.MUTED
    return words.GOOD if one.success >= 0.95 else words.WARN if one.success >= 0.8 else words.BAD


def _time(title: str, of: Callable[[Measured], float | None], drop: int = 0) -> Column[Measured]:
    def cell(one: Measured) -> str:
        value = of(one)
        return "–" if value is None else words.seconds(value)

    def order(one: Measured) -> float:
        value = of(one)
        return _FAR if value is None else value

    return Column(title, cell, order, drop=drop)


def _per(title: str, of: Callable[[Measured], Money | None], drop: int = 0) -> Column[Measured]:
    def cell(one: Measured) -> str:
        return one.told(of(one))

    return Column(
        title,
        cell,
        lambda one: -(of(one) or ZERO).picodollars,
        drop=drop,
        style=lambda one: words.MONEY,
    )
