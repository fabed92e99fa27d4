"""Turns as the ledger tells them: which answers stood, which were for nothing, and how sure a share is. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..routing.errors import ErrorKind
from ..routing.events import CHECKS, Cause, Outcome
from ..routing.profile import Level
from ..routing.request import Strategy
from ..storage.evidence import End, Evidence, Opinion, Row

CONFIDENT = 1.2816
"""Standard deviations: a one-sided bound that holds nine times in ten."""

_NOT_THE_MODELS = frozenset(
    {
        ErrorKind.AUTHENTICATION,
        ErrorKind.PERMISSION,
        ErrorKind.NOT_FOUND,
        ErrorKind.CONNECTION,
        ErrorKind.BUDGET_EXCEEDED,
        ErrorKind.NO_CANDIDATE,
        ErrorKind.CANCELLED,
        ErrorKind.UNRECORDED,
        ErrorKind.INTERNAL,
    }
)
"""Failures of a key, a network or a budget tell nothing of a model."""


@dataclass(frozen=True, slots=True)
class Step:
    """One attempt of a turn, judged."""

    row: Row
    level: Level
    good: bool | None
    """Whether its answer stood: it was the turn's, trusted, and the user did not turn it down. None for what cannot be
    told so: checks, cache hits, members of an ensemble, cancelled calls, failures that are not the model's."""
    turned_down: bool = False
    """By the user, with a vote or by asking again."""

    @property
    def cost(self) -> int:
        """Picodollars; unknown costs count as none."""
        return self.row.cost or 0


@dataclass(frozen=True)
class Walk:
    """A turn: its attempts in order, and its end."""

    steps: tuple[Step, ...]
    end: End | None

    @property
    def task_type(self) -> str:
        return self.steps[0].row.task_type

    @cached_property
    def cost(self) -> int:
        return sum(step.cost for step in self.steps)

    @property
    def side_by_side(self) -> bool:
        return self.steps[0].row.strategy == Strategy.ENSEMBLE

    @cached_property
    def answers(self) -> tuple[Step, ...]:
        """Without the calls that checked them."""
        return tuple(step for step in self.steps if step.row.cause not in CHECKS)


def walks(evidence: Evidence, confidence_threshold: float) -> list[Walk]:
    """In the order of their first attempts. A judge that was asked about answers afterwards walked nowhere, and a
    prompt that was answered in parts says nothing of who would have answered it whole."""
    ends = {end.request_id: end for end in evidence.ends}
    opinions = {(one.request_id, one.attempt): one for one in evidence.opinions}
    turns: dict[str, list[Row]] = defaultdict(list)
    for row in evidence.rows:
        turns[row.request_id].append(row)
    return [
        _walk(rows, ends.get(name), opinions, confidence_threshold)
        for name, rows in turns.items()
        if _answered_whole(rows)
    ]


def _answered_whole(rows: Sequence[Row]) -> bool:
    return any(row.cause not in CHECKS for row in rows) and all(row.cause != Cause.PART for row in rows)


def _walk(
    rows: list[Row], end: End | None, opinions: dict[tuple[str, int], Opinion], confidence_threshold: float
) -> Walk:
    rows.sort(key=lambda row: row.number)
    level = Level.of_complexity(end.complexity) if end is not None else Level.INTERMEDIATE
    answer = _answer(rows, end)
    steps = []
    for row in rows:
        opinion = opinions.get((row.request_id, row.number))
        good = opinion.good if opinion is not None else _stood(row, answer, end, confidence_threshold)
        steps.append(Step(row, level, good, opinion is not None and not opinion.good))
    return Walk(tuple(steps), end)


def _answer(rows: Sequence[Row], end: End | None) -> Row | None:
    """The attempt whose answer the turn ended with."""
    if end is None or not end.success:
        return None
    of_it = [row for row in rows if row.model == end.answered_by and row.outcome == Outcome.FINISHED]
    plain = [row for row in of_it if row.cause not in CHECKS]
    of_it = plain or of_it
    return of_it[-1] if of_it else None


def _stood(row: Row, answer: Row | None, end: End | None, confidence_threshold: float) -> bool | None:
    if row.from_cache or row.outcome == Outcome.CANCELLED or row.strategy == Strategy.ENSEMBLE:
        return None
    if row.cause in CHECKS and row is not answer:
        return None
    if row.cause == Cause.SYNTHESIS or end is None or end.success is None:
        return None
    if row.outcome == Outcome.FAILED:
        return None if row.error_kind in _NOT_THE_MODELS else False
    if row is not answer:
        # A turn that was cancelled or ended for want of money says nothing of what it had.
        return False if end.success else None
    return row.confidence is None or row.confidence >= confidence_threshold


def lower(good: float, n: float) -> float:
    """The least that a share is likely to be: Wilson's bound for `good` of `n`, which `n` small keeps low."""
    return _wilson(good, n, -1.0)


def upper(good: float, n: float) -> float:
    return _wilson(good, n, 1.0)


def _wilson(good: float, n: float, side: float) -> float:
    if n <= 0:
        return 0.0 if side < 0 else 1.0
    share, z = good / n, CONFIDENT
    middle = share + z * z / (2 * n)
    spread = z * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    return float((middle + side * spread) / (1 + z * z / n))


def worse_by_at_most(own: tuple[float, float], other: tuple[float, float]) -> float:
    """How much lower the share of the other may be than one's own, at most: Newcombe's bound of the difference of two
    shares, each given as (good, n). Negative where it is surely higher."""
    mine, its = own[0] / own[1], other[0] / other[1]
    below = its - lower(*other)
    above = upper(*own) - mine
    return float(mine - its + (below * below + above * above) ** 0.5)


def total(steps: Iterable[Step]) -> int:
    return sum(step.cost for step in steps)
