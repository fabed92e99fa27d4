"""When a difference between two ways is real, however often one looks.

A stake of 1 is bet on the next outcome again and again, at odds that are fair if the two ways are equally good. What it
has grown to is the evidence: were they equal, the chance that it ever reaches 1/α is at most α (Ville 1939), also for
one who looks after each outcome and stops when he likes. Ramdas, Grünwald, Vovk and Shafer, "Game-theoretic statistics
and safe anytime-valid inference", Statistical Science 38 (2023), tell the theory; the bets on a bounded mean, and the
interval of all the means that no bet has ruled out, are those of Waudby-Smith and Ramdas, "Estimating means of bounded
random variables by betting", Journal of the Royal Statistical Society B 86 (2024).

Two designs:

- `drawn`: of one's own turns each goes one way by a draw. An outcome counts `±(y − c)` over the chance of its way,
  where y is 1 for a good one and c the rate of good ones before it. The mean of that is the difference of the two
  rates, and is 0 by the draw alone if it makes no difference which way answers: whatever the prompts, however they hang
  together, and however the rates change meanwhile.
- `paired`: each prompt of a file goes both ways, and counts as the difference of its two outcomes.

The rate of one way has an interval of its own, of the mixture of Robbins, "Statistical methods related to the law of
the iterated logarithm", Annals of Mathematical Statistics 41 (1970), which holds at every moment too.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .experiment import Side

ALPHA = 0.05
"""Of all experiments whose two ways are equal, at most this share is ever said to have a difference."""
_STAKES = (0.03, 0.06, 0.11, 0.18, 0.28, 0.42, 0.62, 0.92)
"""Shares of the most that may be bet. Small ones find small differences, large ones find large ones soon; the stake is
split among them evenly, on either way."""
_GRID = 20
"""The rate before an outcome is rounded to twentieths, so that there are few different values to bet on."""
_BISECTIONS = 24
FEWEST = 5
"""Outcomes before it is said how many more there must be."""
MOST_AHEAD = 20_000
"""What needs more outcomes than that is not told as a number."""


class Interval(NamedTuple):
    low: float
    high: float


_ANY = Interval(-1.0, 1.0)


class Outcome(NamedTuple):
    side: Side
    good: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """How it stands."""

    count: int = 0
    """Outcomes, of pairs each one."""
    evidence: float = 1.0
    """What the stake has grown to."""
    strongest: float = 1.0
    """The most it ever was: 1 over this is a p-value that holds whenever one looks."""
    decided_after: int | None = None
    """The outcome at which it first reached 1/α; None: it has not."""
    better: Side | None = None
    """Once it is decided."""
    interval: Interval = _ANY
    """Of the rate of B less that of A; it holds whenever one looks."""
    more: int | None = None
    """About how many more outcomes until it is decided, if they go on as they did; None where that cannot be said."""


def drawn(outcomes: Sequence[Outcome], share: float, alpha: float = ALPHA) -> Reading:
    """In the order in which they became known. `share`: the chance of B, between 0 and 1."""
    values: list[float] = []
    good = 0
    for count, outcome in enumerate(outcomes):
        centre = round((good + 1) / (count + 2) * _GRID) / _GRID
        weight = 1 / share if outcome.side == "b" else -1 / (1 - share)
        values.append(weight * (outcome.good - centre))
        good += outcome.good
    return _read(values, max(1 / share, 1 / (1 - share)), alpha)


def paired(pairs: Iterable[tuple[bool, bool]], alpha: float = ALPHA) -> Reading:
    """Of each prompt what came of A and of B."""
    return _read([float(b) - float(a) for a, b in pairs], 1.0, alpha)


def rate_interval(good: int, count: int, alpha: float = ALPHA) -> Interval:
    """Of the rate of good ones."""
    if not count:
        return Interval(0.0, 1.0)
    bad = count - good
    # The stake bets on every rate at once, as Beta(½, ½) has them.
    mixed = _log_beta(good + 0.5, bad + 0.5) - _log_beta(0.5, 0.5)

    def grown(rate: float) -> float:
        return mixed - good * _log(rate) - bad * _log(1 - rate)

    limit, seen = math.log(1 / alpha), good / count
    return Interval(_edge(grown, seen, 0.0, limit), _edge(grown, seen, 1.0, limit))


def _read(values: Sequence[float], bound: float, alpha: float) -> Reading:
    """`bound`: no value is farther from 0."""
    if not values:
        return Reading()
    bets = _bets(bound, 0.0)
    limit = math.log(1 / alpha)
    logs = [0.0] * len(bets)
    steps: dict[float, list[float]] = {}
    strongest = 0.0
    decided_after: int | None = None
    better: Side | None = None
    for count, value in enumerate(values, 1):
        step = steps.get(value)
        if step is None:
            step = steps[value] = [math.log1p(bet * value) for bet in bets]
        logs = [log + more for log, more in zip(logs, step, strict=True)]
        top = max(logs)
        if top <= strongest:
            continue  # nor is their mean above it
        strongest = max(strongest, _mixed(logs))
        if decided_after is None and strongest >= limit:
            decided_after = count
            better = "b" if bets[logs.index(top)] > 0 else "a"
    now = _mixed(logs)
    return Reading(
        len(values),
        math.exp(min(now, 700.0)),
        math.exp(min(strongest, 700.0)),
        decided_after,
        better,
        _interval(Counter(values), bound, limit),
        None if decided_after is not None else _more(logs, len(values), limit),
    )


def _bets(bound: float, mean: float) -> list[float]:
    """On either side; none can lose all, since no value is farther from `mean` than their sum."""
    most = 1 / (bound + abs(mean))
    return [sign * stake * most for sign in (1, -1) for stake in _STAKES]


def _mixed(logs: Sequence[float]) -> float:
    """The logarithm of their mean."""
    top = max(logs)
    return top + math.log(sum(math.exp(log - top) for log in logs) / len(logs))


def _interval(values: Mapping[float, int], bound: float, limit: float) -> Interval:
    """The means that the bets against them have not ruled out."""

    def grown(mean: float) -> float:
        return _mixed([sum(n * math.log1p(bet * (x - mean)) for x, n in values.items()) for bet in _bets(bound, mean)])

    # At their own mean no bet has grown.
    seen = sum(x * n for x, n in values.items()) / sum(values.values())
    seen = min(1.0, max(-1.0, seen))
    return Interval(_edge(grown, seen, -1.0, limit), _edge(grown, seen, 1.0, limit))


def _edge(grown: Callable[[float], float], inside: float, end: float, limit: float) -> float:
    """Where on the way to `end` the stake against a value reaches the limit."""
    if grown(end) < limit:
        return end
    for _ in range(_BISECTIONS):
        middle = (inside + end) / 2
        if grown(middle) < limit:
            inside = middle
        else:
            end = middle
    return end


def _more(logs: Sequence[float], count: int, limit: float) -> int | None:
    """By the bet that gets there first, at the pace it has had so far."""
    if count < FEWEST:
        return None
    target = limit + math.log(len(logs))
    ahead = [math.ceil(count * (target - log) / log) for log in logs if log > 0]
    soonest = min(ahead, default=MOST_AHEAD + 1)
    return max(1, soonest) if soonest <= MOST_AHEAD else None


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
