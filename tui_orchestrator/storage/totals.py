"""Sums over attempts by any of their dimensions, read from the sums that are kept, and from the rows where none are."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, get_args

from tui_orchestrator.routing.events import Attempt
from tui_orchestrator.routing.money import ZERO, Money, Price, Usage

from .checked import readable
from .rows import SELECT_ATTEMPTS, attempt_of
from .spans import Span
from .sums import DAY_KEYS, SESSION_KEYS, SIZES, as_summed

Dimension = Literal[
    "model", "provider", "task", "strategy", "day", "week", "month", "session", "cause", "outcome", "cost_state"
]
"""'week' is the ISO week, '2026-W47'; 'month' is '2026-11'; 'cost_state' billed, computed, estimated or unknown."""
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)

_COLUMN: dict[str, str] = {
    "model": "model",
    "provider": "provider",
    "task": "task_type",
    "strategy": "strategy",
    "day": "day",
    # Its Monday, which is made the name of the week once for each group.
    "week": "date(day, 'weekday 0', '-6 days')",
    "month": "substr(day, 1, 7)",
    "session": "session",
    "cause": "cause",
    "outcome": "outcome",
    "cost_state": "cost_state",
}
_OF_TIME = frozenset({"day", "week", "month"})
_EVERY_KEY = ", ".join(dict.fromkeys((*DAY_KEYS, *SESSION_KEYS)))
KEY_JOINT = " · "


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over attempts."""

    key: str
    """The group: a model's id, a date …; several joined by ' · '; '' for all together."""
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
    """Of the attempts whose cost is known: billed, computed and estimated."""
    estimated: Money = ZERO
    """The part of `cost` that was estimated."""
    unknown: int = 0
    """Attempts whose cost is not known."""
    saved_by_cache: Money = ZERO
    keys: tuple[str, ...] = ()
    """One for each dimension that was asked for."""
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    billed: Money = ZERO
    """The part of `cost` that is the provider's own figure."""
    computed: Money = ZERO
    """The part of `cost` that is reported tokens × known price."""
    latency_us: int = 0
    """Microseconds, added up."""
    retried: int = 0
    """Attempts after which the same model was tried again; after the next two the turn went to another one."""
    fell_back: int = 0
    escalated: int = 0

    @property
    def success(self) -> float | None:
        """Share of finished among finished and failed; None where neither."""
        ended = self.finished + self.failed
        return self.finished / ended if ended else None

    def __str__(self) -> str:
        """The cost: `~` when a part is estimated, `+?` when that of some attempts is not known."""
        if self.attempts and self.unknown == self.attempts:
            return "$?"
        return f"{'~' if self.estimated else ''}{self.cost}{'+?' if self.unknown else ''}"


@dataclass(frozen=True, slots=True)
class Savings:
    """An estimate: on another model the same work would have taken other tokens."""

    attempts: int
    """Finished, of known cost: what the figures are about."""
    cost: Money
    baseline: Money
    """What their tokens would have cost at the baseline's price."""
    keys: tuple[str, ...] = ()

    @property
    def saved(self) -> Money:
        """Negative where the baseline would have been cheaper."""
        return self.baseline - self.cost


_SUMMED = {
    "attempts": "SUM(attempts)",
    "finished": "SUM(CASE outcome WHEN 'finished' THEN attempts ELSE 0 END)",
    "failed": "SUM(CASE outcome WHEN 'failed' THEN attempts ELSE 0 END)",
    "cancelled": "SUM(CASE outcome WHEN 'cancelled' THEN attempts ELSE 0 END)",
    "hits": "SUM(from_cache * attempts)",
    "input": "SUM(input_tokens)",
    "output": "SUM(output_tokens)",
    "cached": "SUM(cached_input_tokens)",
    "written": "SUM(cache_write_tokens)",
    "reasoning": "SUM(reasoning_tokens)",
    # What is no amount must not count as nothing: the half makes a number of the sum that is no Money and is refused.
    "billed": "SUM(CASE cost_state WHEN 'billed' THEN COALESCE(cost, 0.5) ELSE 0 END)",
    "computed": "SUM(CASE cost_state WHEN 'computed' THEN COALESCE(cost, 0.5) ELSE 0 END)",
    # As is what has a state that is none.
    "estimated": "SUM(CASE WHEN cost_state IN ('billed', 'computed', 'unknown') THEN 0 ELSE COALESCE(cost, 0.5) END)",
    "unknown": "SUM(CASE cost_state WHEN 'unknown' THEN attempts ELSE 0 END)",
    "saved": "SUM(saved)",
    "latency_us": "SUM(latency_us)",
    "retried": "SUM(retried)",
    "fell_back": "SUM(fell_back)",
    "escalated": "SUM(escalated)",
}
_SUMS = ", ".join(_SUMMED.values())
_BY_DAY_AND_MODEL = (
    f"(SELECT day, model, provider, {', '.join(f'{sum_} AS {name}' for name, sum_ in _SUMMED.items())} "
    "FROM day_sums WHERE day BETWEEN ? AND ? GROUP BY day, model, provider)"
)
"""These keys begin the table's own order, in which SQLite adds up as it reads; other groups it has to sort first, which
takes twice as long. What is left to sort is a fiftieth of the rows."""
_SUMS_AGAIN = ", ".join(f"SUM({name})" for name in _SUMMED)


def added(groups: Sequence[Totals]) -> Totals:
    """All of them together."""
    nothing = Totals("")
    names = [name for name in Totals.__slots__ if name not in ("key", "keys")]
    return Totals("", **{name: sum((getattr(one, name) for one in groups), getattr(nothing, name)) for name in names})


def cube(connection: sqlite3.Connection, by: Sequence[Dimension], span: Span) -> tuple[Totals, ...]:
    """One for each mix of keys that occurs. By time in its order when that comes first, all else the dearest first."""
    if set(by) <= {"model", "provider", *_OF_TIME}:
        summed = f"{_SUMS_AGAIN} FROM {_BY_DAY_AND_MODEL}"
    else:
        summed = f"{_SUMS} FROM {_source(by)} WHERE day BETWEEN ? AND ?"
    query = f"SELECT {_keys(by)}{summed} GROUP BY {_places(len(by)) or 'NULL'} HAVING SUM(attempts) > 0"
    rows = connection.execute(query, span.bounds)
    groups = [_totals(_named(by, row[: len(by)]), *row[len(by) :]) for row in rows]
    if by and by[0] in _OF_TIME:
        return tuple(sorted(groups, key=lambda group: (group.keys[0], -group.cost.picodollars, group.keys)))
    return tuple(sorted(groups, key=lambda group: (-group.cost.picodollars, -group.attempts, group.keys)))


def together(connection: sqlite3.Connection, span: Span) -> Totals:
    return next(iter(cube(connection, (), span)), Totals(""))


def any_nearly(connection: sqlite3.Connection, span: Span) -> bool:
    """Whether an answer from the cache was one to other words."""
    query = (
        "SELECT 1 FROM attempts WHERE day BETWEEN ? AND ? AND from_cache "
        "AND json_extract(recalled, '$.similarity') IS NOT NULL LIMIT 1"
    )
    return connection.execute(query, span.bounds).fetchone() is not None


def of_session(connection: sqlite3.Connection, session: str) -> Totals:
    """Of all its days."""
    sums = connection.execute(f"SELECT {_SUMS} FROM session_sums WHERE session = ?", (session,)).fetchone()
    return Totals("") if sums[0] is None else _totals((), *sums)


def attempts(
    connection: sqlite3.Connection, where: Sequence[tuple[Dimension, str]], span: Span, limit: int
) -> tuple[Attempt, ...]:
    """The latest first."""
    holds = "".join(f" AND {_COLUMN[dimension]} = ?" for dimension, _ in where)
    keys = [_monday(key) if dimension == "week" else key for dimension, key in where]
    query = f"{SELECT_ATTEMPTS} WHERE day BETWEEN ? AND ?{holds} ORDER BY day DESC, started DESC, rowid DESC LIMIT ?"
    return tuple(attempt_of(row) for row in connection.execute(query, (*span.bounds, *keys, limit)))


def titles(connection: sqlite3.Connection, sessions: Iterable[str]) -> dict[str, str]:
    """Of those that are kept; ledger rows outlive their session."""
    wanted = json.dumps(list(sessions))
    rows = connection.execute(
        "SELECT id, title FROM sessions WHERE id IN (SELECT value FROM json_each(?)) AND deleted IS NULL "
        "AND title <> ''",
        (wanted,),
    )
    return dict(rows)


def _source(needed: Iterable[Dimension | str]) -> str:
    """The smallest table that tells the dimensions apart."""
    columns = {_COLUMN.get(one, one) if one not in _OF_TIME else "day" for one in needed}
    if columns <= set(DAY_KEYS):
        return "day_sums"
    if columns <= set(SESSION_KEYS):
        return "session_sums"
    # Of sessions no more is kept: a sum by session and model reads the rows.
    return f"(SELECT {_EVERY_KEY}, {as_summed('attempts')} FROM attempts)"


def _keys(by: Sequence[Dimension]) -> str:
    return "".join(f"{_COLUMN[dimension]}, " for dimension in by)


@readable("the sums of attempts")
def _named(by: Sequence[Dimension], keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(_week(key) if one == "week" else key for one, key in zip(by, keys, strict=True))


def _week(monday: str) -> str:
    year, week, _ = date.fromisoformat(monday).isocalendar()
    return f"{year}-W{week:02}"


def _monday(week: str) -> str:
    """Raises ValueError for what is no name of a week."""
    return datetime.strptime(f"{week}-1", "%G-W%V-%u").date().isoformat()


@readable("the sums of attempts")
def _totals(keys: tuple[str, ...], *sums: int) -> Totals:
    (
        attempts, finished, failed, cancelled, hits, input_, output, cached, written, reasoning, billed, computed,
        estimated, unknown, saved, latency_us, retried, fell_back, escalated,
    ) = sums  # fmt: skip
    return Totals(
        KEY_JOINT.join(keys),
        attempts=attempts,
        finished=finished,
        failed=failed,
        cancelled=cancelled,
        cache_hits=hits,
        input_tokens=input_,
        output_tokens=output,
        cached_input_tokens=cached,
        cost=Money(billed + computed + estimated),
        estimated=Money(estimated),
        unknown=unknown,
        saved_by_cache=Money(saved),
        keys=keys,
        cache_write_tokens=written,
        reasoning_tokens=reasoning,
        billed=Money(billed),
        computed=Money(computed),
        latency_us=latency_us,
        retried=retried,
        fell_back=fell_back,
        escalated=escalated,
    )


_OVER = "CASE size WHEN 0 THEN -1 ELSE size END"
_TOKENS = (
    "cost", "plain_input_tokens", "cached_input_tokens", "cache_write_tokens", "plain_output_tokens",
    "reasoning_tokens",
)  # fmt: skip


def repriced(connection: sqlite3.Connection, price: Price, by: Sequence[Dimension], span: Span) -> tuple[Savings, ...]:
    """What the tokens of finished attempts of known cost would have cost at another price, exactly."""
    found: defaultdict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0, 0])
    for keys, over, attempts, cost, tokens in _sums_by_size(connection, price, by, span):
        group = found[keys]
        group[0] += attempts
        group[1] += cost
        group[2] += price.rates_at(over + 1).cost(tokens).picodollars + attempts * price.per_call.picodollars
    return tuple(
        Savings(attempts, Money(cost), Money(otherwise), keys) for keys, (attempts, cost, otherwise) in found.items()
    )


def _sums_by_size(
    connection: sqlite3.Connection, price: Price, by: Sequence[Dimension], span: Span
) -> list[tuple[tuple[str, ...], int, int, int, Usage]]:
    """By keys and by a number of input tokens that they are all over, so chosen that no tier begins among them."""
    borders = (-1, *SIZES)
    odd = sorted({tier.over for tier in price.tiers} - set(borders))
    cut = {max(border for border in borders if border <= over) for over in odd}
    counted = "outcome = 'finished' AND cost_state <> 'unknown' AND day BETWEEN ? AND ?"
    whole = ", ".join(str(border) for border in borders if border not in cut)
    parts = [(_source((*by, "size")), _OVER, f"{counted} AND {_OVER} IN ({whole})")]
    for start in sorted(cut):
        # Sums that a tier's beginning cuts through are taken from the rows, which an index finds when they are large.
        within = " AND ".join(
            [f"input_tokens > {start}", *(f"input_tokens <= {border}" for border in borders if border > start)]
        )
        steps = " ".join(f"WHEN input_tokens > {over} THEN {over}" for over in reversed(odd) if over > start)
        part = f"SELECT {_EVERY_KEY}, CASE {steps} ELSE {start} END AS over, {as_summed('attempts')} FROM attempts"
        parts.append((f"({part} WHERE {within})", "over", counted))
    sums = ", ".join(f"SUM({column})" for column in ("attempts", *_TOKENS))
    found = []
    for source, over, where in parts:
        rows = connection.execute(
            f"SELECT {_keys(by)}{over}, {sums} FROM {source} WHERE {where} GROUP BY {_places(len(by) + 1)}", span.bounds
        )
        for row in rows:
            start, attempts, cost, plain, cached, written, said, reasoning = row[len(by) :]
            if attempts:
                tokens = Usage(plain + cached + written, said + reasoning, cached, written, reasoning)
                found.append((_named(by, row[: len(by)]), start, attempts, cost, tokens))
    return found


def _places(count: int) -> str:
    return ", ".join(str(place) for place in range(1, count + 1))
