"""How well a confidence tells wrong answers from right ones, and how true its numbers are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

BINS = 10


def auroc_wrong(confidence: Floats, good: Flags) -> float:
    """Probability that a wrong answer has less confidence than a right one; ties count half."""
    order = np.argsort(confidence, kind="mergesort")
    ordered = confidence[order]
    ranks = np.empty(len(confidence))
    first = np.r_[True, ordered[1:] != ordered[:-1]]
    number = np.cumsum(first) - 1
    size = np.bincount(number)
    ranks[order] = (np.cumsum(size) - (size - 1) / 2)[number]
    right, wrong = int(good.sum()), int((~good).sum())
    return float((ranks[good].sum() - right * (right + 1) / 2) / (right * wrong))


def calibration_error(confidence: Floats, good: Flags) -> float:
    """Ten bins of equal width, weighted by what lies in them."""
    return float(sum(abs(said - came) * share for said, came, share in reliability(confidence, good)))


def reliability(confidence: Floats, good: Flags) -> list[tuple[float, float, float]]:
    """For each bin with something in it: mean confidence, share that was good, share of all answers."""
    bins = np.clip((confidence * BINS).astype(int), 0, BINS - 1)
    return [
        (float(confidence[bins == k].mean()), float(good[bins == k].mean()), float((bins == k).mean()))
        for k in range(BINS)
        if (bins == k).any()
    ]


def by_group(
    measure: Callable[[Floats, Flags], float], confidence: Floats, good: Flags, groups: Sequence[str]
) -> dict[str, float]:
    """Of groups with at least 20 answers, right and wrong ones among them."""
    names = np.array(groups)
    found = {}
    for group in sorted(set(groups)):
        members = names == group
        if members.sum() >= 20 and 0 < good[members].mean() < 1:
            found[group] = measure(confidence[members], good[members])
    return found


def mean(values: dict[str, float]) -> float:
    return sum(values.values()) / len(values)


def interval(
    measure: Callable[[Floats, Flags], float],
    confidence: Floats,
    good: Flags,
    groups: Sequence[str],
    seed: int,
    times: int = 200,
) -> tuple[float, float]:
    """95 % of the mean over groups, answers drawn anew within each group."""
    random, names = np.random.default_rng(seed), np.array(groups)
    parts = [np.flatnonzero(names == group) for group in by_group(measure, confidence, good, groups)]
    means = []
    for _ in range(times):
        drawn = [random.choice(part, len(part)) for part in parts]
        values = [measure(confidence[at], good[at]) for at in drawn if 0 < good[at].mean() < 1]
        means.append(sum(values) / len(values))
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def escalation(confidence: Floats, quality: Floats, strong: Floats) -> tuple[Floats, Floats]:
    """Share of answers escalated, the least confident first, and the mean quality then; equal ones go together."""
    order = np.argsort(confidence, kind="mergesort")
    gain = np.cumsum((strong - quality)[order]) / len(order)
    last = np.r_[confidence[order][1:] != confidence[order][:-1], True]
    share = (np.arange(len(order)) + 1) / len(order)
    return np.r_[0.0, share[last]], np.r_[0.0, gain[last]] + quality.mean()
