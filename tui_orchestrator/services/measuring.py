"""What a router is measured by: formulas over plain lists of numbers.

A *score* says how hard a prompt is, higher is harder; an *outcome* how good a model's answer to it was, 0 to 1. Equal
scores are averaged over every order they could stand in. What is not defined for the numbers given is None.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import NamedTuple

Numbers = Sequence[float]
FEWEST = 30
"""Rows below which no figure is given: its interval would be as wide as the scale."""


class Interval(NamedTuple):
    low: float
    high: float


# -- ranking


def ranks(values: Numbers) -> list[float]:
    """From 1; equal values share the mean of their ranks."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranked = [0.0] * len(values)
    before = 0
    for _, equal in groupby(order, key=values.__getitem__):
        members = list(equal)
        for index in members:
            ranked[index] = before + (len(members) + 1) / 2
        before += len(members)
    return ranked


def auroc(scores: Numbers, labels: Sequence[bool]) -> float | None:
    """The chance that a score of a true row is above that of a false one, ties counting half:
    (Σ ranks of the true − t(t + 1)/2) / (t × f). None without both kinds."""
    true = sum(labels)
    false = len(labels) - true
    if not true or not false:
        return None
    total = sum(rank for rank, label in zip(ranks(scores), labels, strict=True) if label)
    return (total - true * (true + 1) / 2) / (true * false)


def spearman(one: Numbers, other: Numbers) -> float | None:
    """Pearson's correlation of the ranks; 0 where one of them is constant, None below three rows."""
    n = len(one)
    if n < 3:
        return None
    x, y, mean = ranks(one), ranks(other), (n + 1) / 2
    across = sum((a - mean) * (b - mean) for a, b in zip(x, y, strict=True))
    spread = sum((a - mean) ** 2 for a in x) * sum((b - mean) ** 2 for b in y)
    return across / spread**0.5 if spread else 0.0


# -- calibration


class Bin(NamedTuple):
    predicted: float
    """Mean of the predictions in it."""
    observed: float
    """Mean of their outcomes."""
    rows: int


def reliability(predicted: Numbers, outcomes: Numbers, bins: int = 10) -> list[Bin]:
    """Rows by their prediction, cut into bins of equal size. Rows of equal prediction share their mean outcome, so that
    it does not matter where among them a border falls."""
    order = sorted(range(len(predicted)), key=predicted.__getitem__)
    pairs: list[tuple[float, float]] = []
    for p, equal in groupby(order, key=predicted.__getitem__):
        members = list(equal)
        mean = sum(outcomes[i] for i in members) / len(members)
        pairs += [(p, mean)] * len(members)
    n = len(pairs)
    cuts = [n * place // bins for place in range(bins + 1)]
    return [_bin(pairs[low:high]) for low, high in pairwise(cuts) if high > low]


def _bin(pairs: Sequence[tuple[float, float]]) -> Bin:
    n = len(pairs)
    return Bin(sum(p for p, _ in pairs) / n, sum(seen for _, seen in pairs) / n, n)


def calibration_error(predicted: Numbers, outcomes: Numbers, bins: int = 10) -> float | None:
    """ECE: Σ over the bins of (share of rows) × |mean prediction − mean outcome|. None without rows."""
    if not predicted:
        return None
    return sum(b.rows * abs(b.predicted - b.observed) for b in reliability(predicted, outcomes, bins)) / len(predicted)


# -- a weak and a strong model

_GRID = 10


@dataclass(frozen=True, slots=True)
class Curve:
    """Mean quality against the share of prompts sent to the strong model, hardest first; straight between points."""

    shares: tuple[float, ...]
    qualities: tuple[float, ...]

    @property
    def weak(self) -> float:
        """Quality of the weak model alone."""
        return self.qualities[0]

    @property
    def strong(self) -> float:
        return self.qualities[-1]

    def quality(self, share: float) -> float:
        place = bisect_left(self.shares, share)
        if place == 0:
            return self.qualities[0]
        if place == len(self.shares):
            return self.qualities[-1]
        low, high = self.shares[place - 1], self.shares[place]
        part = (share - low) / (high - low)
        return self.qualities[place - 1] + part * (self.qualities[place] - self.qualities[place - 1])

    def recovered(self) -> list[float]:
        """PGR at 0, 10, … 100 % sent to the strong model: (quality − weak) / (strong − weak), as in RouteLLM
        (arXiv 2406.18665). Raises ZeroDivisionError where both models are equally good."""
        gap = self.strong - self.weak
        return [(self.quality(step / _GRID) - self.weak) / gap for step in range(_GRID + 1)]

    def apgr(self) -> float:
        """Average performance gap recovered: the area under PGR by the trapezoid rule on those eleven points. 0.5 is
        what sending prompts at random comes to."""
        pgr = self.recovered()
        return sum(a + b for a, b in pairwise(pgr)) / 2 / _GRID

    def cpt(self, level: float) -> float:
        """Call-performance threshold: the smallest share sent to the strong model with PGR ≥ `level`, straight between
        the eleven points."""
        pgr = self.recovered()
        for step in range(1, _GRID + 1):
            if pgr[step] >= level:
                return (step - 1 + (level - pgr[step - 1]) / (pgr[step] - pgr[step - 1])) / _GRID
        return 1.0

    def share_for(self, quality: float) -> float:
        """The smallest share that comes to this quality; 1 where none does."""
        for place, reached in enumerate(self.qualities):
            if reached >= quality - 1e-12:
                if place == 0 or reached == self.qualities[place - 1]:
                    return self.shares[place]
                part = (quality - self.qualities[place - 1]) / (reached - self.qualities[place - 1])
                return self.shares[place - 1] + part * (self.shares[place] - self.shares[place - 1])
        return 1.0


class Pair:
    """Prompts with the outcomes of a weak and a strong model, hardest first: the order they go to the strong."""

    def __init__(self, scores: Numbers, weak: Numbers, strong: Numbers) -> None:
        order = sorted(range(len(scores)), key=lambda i: -scores[i])
        self._weak = [weak[i] for i in order]
        self._gain = [strong[i] - weak[i] for i in order]
        self._scores = [scores[i] for i in order]

    def __len__(self) -> int:
        return len(self._scores)

    def curve(self, counts: Sequence[int] | None = None) -> Curve:
        """`counts`: how often each prompt is there, in a sample drawn from them."""
        counts = [1] * len(self) if counts is None else counts
        n = sum(counts)
        weak = sum(count * outcome for count, outcome in zip(counts, self._weak, strict=True)) / n
        shares, qualities = [0.0], [weak]
        sent, gained = 0, 0.0
        following = [*self._scores[1:], None]
        for score, after, gain, count in zip(self._scores, following, self._gain, counts, strict=True):
            sent += count
            gained += count * gain
            if score != after and sent / n > shares[-1]:
                shares.append(sent / n)
                qualities.append(weak + gained / n)
        return Curve(tuple(shares), tuple(qualities))

    def intervals(
        self, *measures: Callable[[Curve], float], repeats: int = 200, seed: int = 0
    ) -> list[Interval | None]:
        """95 % by bootstrap over the prompts: each measure on `repeats` samples of as many prompts as there are. A
        sample in which both models are equally good has no curve and is left out; None when that is all of them."""
        found: list[list[float]] = []
        for counts in samples(len(self), repeats, seed):
            curve = self.curve(counts)
            if curve.strong != curve.weak:
                found.append([measure(curve) for measure in measures])
        return [interval(values) for values in zip(*found, strict=True)] if found else [None] * len(measures)


def samples(n: int, repeats: int = 200, seed: int = 0) -> Iterator[list[int]]:
    """Bootstrap samples of n rows: how often each row is in it."""
    draw = random.Random(seed)
    for _ in range(repeats):
        drawn = Counter(draw.choices(range(n), k=n))
        yield [drawn[i] for i in range(n)]


def interval(values: Numbers) -> Interval:
    """The middle 95 % of them, straight between neighbours."""
    ordered = sorted(values)
    return Interval(_quantile(ordered, 0.025), _quantile(ordered, 0.975))


def _quantile(ordered: Numbers, part: float) -> float:
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def saving(share: float, weak_price: float, strong_price: float) -> float | None:
    """Of the money always asking the strong model costs, the part that is saved when only this share goes to it:
    1 − (share × strong + (1 − share) × weak) / strong. None where the strong one is free."""
    if not strong_price:
        return None
    return 1 - (share * strong_price + (1 - share) * weak_price) / strong_price
