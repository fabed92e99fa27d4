"""Walks from model to model: what one is likely to cost, how likely it ends with a good answer, and which is best.

Two things are assumed, the first at a measured size:

*Hard prompts are hard for all.* Half of the time models succeed as if they were independent; in the other half the
prompt alone decides, and whoever is surer succeeds wherever a less sure one does. Between pairs of models, within one
subject, this share is 0.48 on the published predictions of 16 models on MMLU-Pro, 0.52 among LLMRouter's nine models,
0.56 on MMLU for the two of RouteLLM (medians; computed November 2026).

*Confidence errs.* Six in ten weak answers are noticed, and two in ten good ones distrusted. These rates are assumed,
not measured: two normals so far apart have an AUROC of 0.78. It errs anew at each step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

from .decision import Candidate, Policy
from .money import Money
from .objective import leaning, leans_at_all, leant_cost

TOGETHER = 0.5
NOTICED, DISTRUSTED = 0.6, 0.2
MOST_CONSIDERED = 12
"""Of the models that nobody beats in both price and p; beyond it those that add least are left out of the search."""
SAME_P = 0.01
"""Success probabilities closer than this are a tie."""
NEARLY = 0.05
"""What a walk may lose against the surest model alone, where that does not reach `quality_threshold`."""


@dataclass(frozen=True, slots=True)
class Forecast:
    cost: Money | None
    """Expected over the walk; None where a step's price is not known."""
    worst: Money | None
    """All steps, each at its expected length."""
    quality: float
    """The chance that the answer the walk ends with is a good one."""


class _State(NamedTuple):
    """How likely every step so far was distrusted: for prompts by their hardness, and were the models independent."""

    bands: tuple[tuple[float, float], ...]
    """(hardest, chance), ascending to hardness 1. A model of p succeeds on the prompts of hardness up to p."""
    alone: float

    @property
    def reached(self) -> float:
        easier, together = 0.0, 0.0
        for hardest, chance in self.bands:
            together += (hardest - easier) * chance
            easier = hardest
        return TOGETHER * together + (1 - TOGETHER) * self.alone

    def good(self, p: float) -> float:
        """The chance that the walk comes to a model of p and that it answers well."""
        easier, together = 0.0, 0.0
        for hardest, chance in self.bands:
            if hardest >= p:
                together += (p - easier) * chance
                break
            together += (hardest - easier) * chance
            easier = hardest
        return TOGETHER * together + (1 - TOGETHER) * self.alone * p

    def after(self, p: float) -> _State:
        bands: list[tuple[float, float]] = []
        easier = 0.0
        for hardest, chance in self.bands:
            if easier < p:
                bands.append((min(hardest, p), chance * DISTRUSTED))
            if hardest > p:
                bands.append((hardest, chance * NOTICED))
            easier = hardest
        return _State(tuple(bands), self.alone * (DISTRUSTED * p + NOTICED * (1 - p)))


_START = _State(((1.0, 1.0),), 1.0)


def forecast(steps: Sequence[Candidate]) -> Forecast:
    """Of a walk in this order, ending at the first answer that is trusted or with the last."""
    state, expected, worst, quality = _START, 0.0, 0, 0.0
    for place, step in enumerate(steps):
        if step.estimated_cost is not None:
            expected += state.reached * step.estimated_cost.picodollars
            worst += step.estimated_cost.picodollars
        last = place == len(steps) - 1
        quality += state.good(step.success_probability) * (1.0 if last else 1 - DISTRUSTED)
        state = state.after(step.success_probability)
    if any(step.estimated_cost is None for step in steps):
        return Forecast(None, None, quality)
    return Forecast(Money(round(expected)), Money(worst), quality)


def chance_of_one(candidates: Sequence[Candidate]) -> float:
    """That at least one of several asked side by side answers well."""
    surest = max((c.success_probability for c in candidates), default=0.0)
    none = math.prod(1 - c.success_probability for c in candidates)
    return 1 - TOGETHER * (1 - surest) - (1 - TOGETHER) * none


def plan(candidates: Sequence[Candidate], policy: Policy) -> list[Candidate]:
    """The walk of least expected cost among those that end at the surest model and end well with at least
    `quality_threshold`, or nearly as well as the surest one alone where that is less.

    At most `max_attempts` steps, each surer than the one before. Exact over the models that nobody beats in both price
    and success probability, as long as these are at most MOST_CONSIDERED.
    """
    if not candidates:
        return []
    leans = leans_at_all(policy)
    sure = [c.success_probability + leaning(c, policy) if leans else c.success_probability for c in candidates]
    least = max(sure) - SAME_P
    near = [c for c, p in zip(candidates, sure, strict=True) if p >= least]
    surest = min(near, key=lambda c: (leant_cost(c, policy), -c.success_probability, c.model))
    return _Search(_unbeaten(candidates, surest, policy), surest, policy).best


def _unbeaten(candidates: Sequence[Candidate], surest: Candidate, policy: Policy) -> list[Candidate]:
    """Those before the surest that are cheaper than all that are surer, ascending."""
    limit, most = leant_cost(surest, policy), surest.success_probability
    cheaper = [
        (cost, -c.success_probability, c.model, c)
        for c in candidates
        if c.success_probability < most and (cost := leant_cost(c, policy)) < limit
    ]
    cheaper.sort(key=itemgetter(0, 1, 2))
    steps: list[Candidate] = []
    for *_, candidate in cheaper:
        if not steps or candidate.success_probability > steps[-1].success_probability:
            steps.append(candidate)
    gains = [after.success_probability - one.success_probability for one, after in pairwise(steps)]
    while len(steps) > MOST_CONSIDERED:
        least = gains.index(min(gains))
        del steps[least + 1], gains[least]
        if least < len(gains):
            gains[least] = steps[least + 1].success_probability - steps[least].success_probability
    return steps


class _Walked(NamedTuple):
    """A walk so far, each step surer than the one before: its state as a _State has it, as far as the search needs it
    again and again."""

    steps: tuple[Candidate, ...] = ()
    chances: tuple[float, ...] = ()
    """Of the bands but the hardest one, which begins where the last step's p ends."""
    widths: tuple[float, ...] = ()
    easier: float = 0.0
    """That p."""
    within: float = 0.0
    """The chance that a prompt is of those bands and every step was distrusted."""
    hardest: float = 1.0
    """The chance of the hardest band."""
    alone: float = 1.0
    reached: float = 1.0
    cost: float = 0.0
    quality: float = 0.0


class _Search:
    """Depth first over the subsets, in order of price; what a walk has cost so far is never less further on."""

    def __init__(self, before: list[Candidate], surest: Candidate, policy: Policy) -> None:
        self._before = [(c, c.success_probability, leant_cost(c, policy)) for c in before]
        self._surest, self._p, self._cost = surest, surest.success_probability, leant_cost(surest, policy)
        self._target = min(policy.quality_threshold, self._p - NEARLY)
        self._most = max(2, policy.max_attempts) - 1
        self._least = math.inf
        self.best: list[Candidate] = []
        start = _Walked()
        if _good(start, self._p) >= self._target:
            self._least, self.best = self._cost, [surest]
        self._extend(start, 0)

    def _extend(self, walk: _Walked, start: int) -> None:
        further = len(walk.steps) + 1 < self._most
        chances = (*(chance * DISTRUSTED for chance in walk.chances), walk.hardest * DISTRUSTED)
        hardest = walk.hardest * NOTICED
        known = 0.0
        for width, chance in zip(walk.widths, chances, strict=False):
            known += width * chance
        for place, (candidate, p, price) in enumerate(self._before[start:], start):
            cost = walk.cost + walk.reached * price
            if cost >= self._least:
                break  # the dearer ones behind it cost at least as much
            within = known + (p - walk.easier) * chances[-1]
            alone = walk.alone * (DISTRUSTED * p + NOTICED * (1 - p))
            reached = TOGETHER * (within + (1.0 - p) * hardest) + (1 - TOGETHER) * alone
            quality = walk.quality + _good(walk, p) * (1 - DISTRUSTED)
            total = cost + reached * self._cost
            ahead = within + (self._p - p) * hardest
            good = TOGETHER * ahead + (1 - TOGETHER) * alone * self._p
            if total < self._least and quality + good >= self._target:
                self._least, self.best = total, [*walk.steps, candidate, self._surest]
            if further:
                steps, widths = (*walk.steps, candidate), (*walk.widths, p - walk.easier)
                self._extend(
                    _Walked(steps, chances, widths, p, within, hardest, alone, reached, cost, quality), place + 1
                )


def _good(walk: _Walked, p: float) -> float:
    """The chance that the walk comes to a model surer than all in it and that it answers well."""
    return TOGETHER * (walk.within + (p - walk.easier) * walk.hardest) + (1 - TOGETHER) * walk.alone * p
