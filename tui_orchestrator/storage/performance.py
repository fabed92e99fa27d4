"""How models did: rates, times and what an answer cost. Cache hits are left out: no model did anything for them."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from tui_orchestrator.routing.events import CHECKS
from tui_orchestrator.routing.money import ZERO, Money

from .spans import Span

Aspect = Literal["model", "task", "provider", "strategy"]
ASPECTS: tuple[Aspect, ...] = get_args(Aspect)

_COLUMN: dict[Aspect, str] = {"model": "model", "task": "task_type", "provider": "provider", "strategy": "strategy"}
RECENT = 100
"""Of a model's latest attempts its speed is learned from at a start."""


@dataclass(frozen=True, slots=True)
class Measured:
    """How a model did. Percentiles by nearest rank over finished attempts; None where there are none."""

    by: tuple[Aspect, ...]
    keys: tuple[str, ...]
    """One for each of `by`."""
    attempts: int
    finished: int
    failed: int
    cost: Money
    """Of all attempts of known cost, failed and cancelled ones too."""
    first_token_p50_s: float | None = None
    tokens_per_s: float | None = None
    """Median."""
    latency_p50_s: float | None = None
    latency_p95_s: float | None = None
    latency_p99_s: float | None = None
    cancelled: int = 0
    unknown: int = 0
    """Attempts of unknown cost."""
    estimated: Money = ZERO
    """The part of `cost` that was estimated."""
    retried: int = 0
    """Attempts after which the same model was tried again."""
    fell_back: int = 0
    """Failed ones after which the turn went to another model."""
    escalated: int = 0
    """Answers that were too weak, so that the turn went to another model."""
    answers: int = 0
    """Finished attempts that were made for an answer and not to check one."""
    answers_cost: Money = ZERO
    """Of all attempts made for an answer, failed and cancelled ones too."""
    voted_up: int = 0
    voted_down: int = 0
    voted_down_only: int = 0
    """Answers voted down that were not gone on from."""
    confidence: float | None = None
    """Mean."""

    def of(self, aspect: Aspect) -> str | None:
        """None: all of them together."""
        return dict(zip(self.by, self.keys, strict=True)).get(aspect)

    @property
    def model(self) -> str:
        return self.of("model") or ""

    @property
    def task_type(self) -> str | None:
        return self.of("task")

    @property
    def success(self) -> float | None:
        """Share of finished among finished and failed; None where neither."""
        ended = self.finished + self.failed
        return self.finished / ended if ended else None

    @property
    def good(self) -> int:
        """Answers neither gone on from as too weak nor voted down."""
        return max(0, self.answers - self.escalated - self.voted_down_only)

    def told(self, amount: Money | None) -> str:
        """A cost of its own: `~` when a part of it is estimated, `+?` when that of some attempts is not known."""
        if amount is None:
            return "$?" if self.unknown else "–"
        return f"{'~' if self.estimated else ''}{amount}{'+?' if self.unknown else ''}"

    @property
    def cost_per_answer(self) -> Money | None:
        """What was spent for answers by the answers there are, rounded to a picodollar: at least so much while a cost
        is `unknown`. None without an answer, and where no cost is known."""
        return self._per(self.answers)

    @property
    def cost_per_good_answer(self) -> Money | None:
        return self._per(self.good)

    def _per(self, answers: int) -> Money | None:
        if not answers or self.unknown == self.attempts:
            return None
        return Money((2 * self.answers_cost.picodollars + answers) // (2 * answers))


def measured(connection: sqlite3.Connection, by: Sequence[Aspect], span: Span) -> tuple[Measured, ...]:
    """The most used first."""
    by = tuple(by)
    times, votes = _times(connection, by, span), _votes(connection, by, span)
    checks = ", ".join(f"'{cause.value}'" for cause in sorted(CHECKS))
    rows = connection.execute(
        f"SELECT {_keys(by)} SUM(attempts), {_when('finished')}, {_when('failed')}, {_when('cancelled')}, SUM(cost), "
        "SUM(CASE cost_state WHEN 'unknown' THEN attempts ELSE 0 END), "
        "SUM(CASE cost_state WHEN 'estimated' THEN cost ELSE 0 END), SUM(retried), SUM(fell_back), SUM(escalated), "
        f"SUM(CASE WHEN outcome = 'finished' AND cause NOT IN ({checks}) THEN attempts ELSE 0 END), "
        f"SUM(CASE WHEN cause NOT IN ({checks}) THEN cost ELSE 0 END) "
        f"FROM day_sums WHERE day BETWEEN ? AND ? AND from_cache = 0 GROUP BY {_places(by)} HAVING SUM(attempts) > 0",
        span.bounds,
    )
    found = []
    for row in rows:
        keys = tuple(row[: len(by)])
        attempts, finished, failed, cancelled, cost, unknown, estimated = row[len(by) : -5]
        retried, fell_back, escalated, answers, spent = row[-5:]
        timed, (up, down, down_only) = times.get(keys, _NEVER), votes.get(keys, (0, 0, 0))
        found.append(
            Measured(
                by,
                keys,
                attempts,
                finished,
                failed,
                Money(cost),
                timed.firsts.ranked(50),
                timed.speeds.ranked(50),
                timed.latencies.ranked(50),
                timed.latencies.ranked(95),
                timed.latencies.ranked(99),
                cancelled,
                unknown,
                Money(estimated),
                retried,
                fell_back,
                escalated,
                answers,
                Money(spent),
                up,
                down,
                down_only,
                timed.confidence,
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.attempts, one.keys)))


def lately(connection: sqlite3.Connection, span: Span, limit: int = RECENT) -> tuple[Measured, ...]:
    """By model: the sums of the span, and the speeds of its latest attempts alone, so that it costs the same however
    long the ledger is."""
    rows = connection.execute(
        f"SELECT model, SUM(attempts), {_when('finished')}, {_when('failed')}, SUM(cost) FROM day_sums "
        "WHERE day BETWEEN ? AND ? AND from_cache = 0 GROUP BY model",
        span.bounds,
    ).fetchall()
    texts = ", ".join(f"group_concat({_millionths(name)})" for name in ("first_token_s", "tokens_per_s"))
    query = (
        f"SELECT {texts} FROM (SELECT first_token_s, tokens_per_s FROM attempts "
        "WHERE model = ? AND outcome = 'finished' AND from_cache = 0 ORDER BY started DESC LIMIT ?)"
    )
    found = []
    for model, attempts, finished, failed, cost in rows:
        firsts, speeds = _Figures(), _Figures()
        for first, speed in connection.execute(query, (model, limit)):
            firsts.add(first)
            speeds.add(speed)
        figures = firsts.ranked(50), speeds.ranked(50)
        found.append(Measured(("model",), (model,), attempts, finished, failed, Money(cost), *figures))
    return tuple(found)


class _Figures:
    """Whole numbers in any order, sorted in pieces: sorting a million at once would hold up every other thread."""

    def __init__(self) -> None:
        self._pieces: list[list[int]] = [[]]

    def add(self, text: str | None) -> None:
        """Numbers with commas between them."""
        if text:
            self._pieces[-1].extend(map(int, text.split(",")))
            if len(self._pieces[-1]) >= _PIECE:
                self._pieces[-1].sort()
                self._pieces.append([])

    def ranked(self, percent: int) -> float | None:
        """The percentile by nearest rank, of millionths."""
        self._pieces[-1].sort()
        pieces = [piece for piece in self._pieces if piece]
        if not pieces:
            return None
        rank = (sum(map(len, pieces)) * percent + 99) // 100
        low, high = min(piece[0] for piece in pieces), max(piece[-1] for piece in pieces)
        while low < high:
            middle = (low + high) // 2
            if sum(bisect_right(piece, middle) for piece in pieces) >= rank:
                high = middle
            else:
                low = middle + 1
        return low / 1e6


_PIECE = 4096


class _Times:
    """Of one group."""

    def __init__(self) -> None:
        self.latencies, self.firsts, self.speeds = _Figures(), _Figures(), _Figures()
        self.trust, self.trusted = 0.0, 0

    @property
    def confidence(self) -> float | None:
        return self.trust / self.trusted if self.trusted else None


_NEVER = _Times()


def _times(connection: sqlite3.Connection, by: tuple[Aspect, ...], span: Span) -> dict[tuple[str, ...], _Times]:
    # Read once, from an index that holds all of it, and handed over as one text for each group and day: a million rows
    # as Python's objects would take twice as long, and so would sorting them in SQLite for each of the figures.
    texts = ", ".join(f"group_concat({_millionths(name)})" for name in ("latency_s", "first_token_s", "tokens_per_s"))
    rows = connection.execute(
        f"SELECT {_keys(by)} {texts}, COALESCE(SUM(confidence), 0), COUNT(confidence) FROM attempts "
        "WHERE day BETWEEN ? AND ? AND outcome = 'finished' AND from_cache = 0 "
        f"GROUP BY day, {_places(by)}",
        span.bounds,
    )
    found: defaultdict[tuple[str, ...], _Times] = defaultdict(_Times)
    for *keys, latencies, firsts, speeds, trust, trusted in rows:
        times = found[tuple(keys)]
        times.latencies.add(latencies)
        times.firsts.add(firsts)
        times.speeds.add(speeds)
        times.trust += trust
        times.trusted += trusted
    return found


def _millionths(column: str) -> str:
    return f"CAST(ROUND({column} * 1000000) AS INTEGER)"


def _votes(
    connection: sqlite3.Connection, by: tuple[Aspect, ...], span: Span
) -> dict[tuple[str, ...], tuple[int, int, int]]:
    """Up, down, and down of those that were not gone on from."""
    rows = connection.execute(
        f"SELECT {''.join(f'a.{_COLUMN[one]}, ' for one in by)}"
        "SUM(vote.outcome > 0.5), SUM(vote.outcome <= 0.5), SUM(vote.outcome <= 0.5 AND a.followed_by IS NULL) "
        "FROM observations AS vote JOIN attempts AS a ON a.request_id = vote.request_id AND a.number = vote.attempt "
        "WHERE vote.sign = 'vote' AND vote.weight > 0 AND a.day BETWEEN ? AND ? AND a.from_cache = 0 "
        f"GROUP BY {_places(by)}",
        span.bounds,
    )
    return {tuple(keys): (up, down, down_only) for *keys, up, down, down_only in rows}


def _keys(by: Sequence[Aspect]) -> str:
    return "".join(f"{_COLUMN[one]}, " for one in by)


def _places(by: Sequence[Aspect]) -> str:
    return ", ".join(str(place) for place in range(1, len(by) + 1)) or "NULL"


def _when(outcome: str) -> str:
    return f"SUM(CASE outcome WHEN '{outcome}' THEN attempts ELSE 0 END)"
