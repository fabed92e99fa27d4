"""Which open questions are of a kind that outcomes were published of, and how often each model was right there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from tui_orchestrator.routing.published import KINDS, MODELS

from . import data
from .design import Floats
from .gain import SUBJECT_PRIOR, one_against_all

SOURCE = "llmrouter"
_EVERYDAY = len(KINDS)
_FEWEST = 20
"""Questions of a kind from which on it is told."""


@dataclass(frozen=True)
class Kinds:
    coefficients: Floats
    """Logits of KINDS, then of being none of them; the last is of what people type."""
    intercepts: Floats
    good: dict[str, list[float]]
    """By model, the share of good answers to each of KINDS; empty where nothing was published."""


def learn_kinds(rows: Sequence[data.Row], matrix: Any, everyday: Any, coarse: bool = False) -> Kinds:
    """`everyday`: the rows of prompts as people type them. `coarse`: good enough to choose n-grams by."""
    numbers = {kind: number for number, kind in enumerate(KINDS)}
    of = [(at, numbers[row.group]) for at, row in enumerate(rows) if row.source == SOURCE and row.group in numbers]
    coefficients, intercepts = np.zeros((len(KINDS) + 1, matrix.shape[1])), np.full(len(KINDS) + 1, -30.0)
    intercepts[_EVERYDAY] = 0.0
    held = {kind for kind in KINDS if sum(numbers[kind] == number for _, number in of) >= _FEWEST}
    if not held:
        return Kinds(coefficients, intercepts, {})
    questions = np.array([at for at, _ in of])
    both = sp.vstack([matrix[questions], everyday]).tocsr()
    classes = np.array([*(number for _, number in of), *[_EVERYDAY] * everyday.shape[0]])
    if coarse:
        return Kinds(one_against_all(both, classes, len(KINDS) + 1), intercepts, {})
    model = LogisticRegression(C=0.5, max_iter=50, tol=1e-3).fit(both, classes)
    coefficients[model.classes_], intercepts[model.classes_] = model.coef_, model.intercept_
    return Kinds(coefficients, intercepts, _good([rows[at] for at in questions]))


def _good(rows: Sequence[data.Row]) -> dict[str, list[float]]:
    """Each kind's share drawn towards the model's own over all kinds."""
    good = {}
    for model in MODELS:
        mean = float(np.mean([row.outcomes[model] for row in rows]))
        good[model] = []
        for kind in KINDS:
            seen = [row.outcomes[model] for row in rows if row.group == kind]
            good[model].append(round((sum(seen) + SUBJECT_PRIOR * mean) / (len(seen) + SUBJECT_PRIOR), 4))
    return good
