"""Task types from labels in other people's terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from tui_orchestrator.routing.cues import LEARNED_TYPES

TYPES = tuple(kind.value for kind in LEARNED_TYPES)

MEANINGS: Mapping[str, tuple[str, ...]] = {
    "code": ("code", "code_refactor", "debugging"),
    "reasoning": ("math", "reasoning"),
    "qa": ("simple_qa",),
    "explain": ("research",),
    "analysis": ("analysis", "extraction", "evaluation"),
    "writing": ("creative", "completion"),
    "creative": ("creative",),
    "brainstorm": ("planning", "problem_generation"),
    "chat": ("conversation",),
    "summarization": ("summarization",),
    "translation": ("translation",),
}
"""A published label: the types of this project it may stand for."""

COARSE: Mapping[str, str] = {
    **dict.fromkeys(("code", "code_refactor", "debugging"), "code"),
    **dict.fromkeys(("math", "reasoning"), "reasoning"),
    **dict.fromkeys(("simple_qa", "conversation"), "qa"),
    "research": "research",
    **dict.fromkeys(("analysis", "extraction", "evaluation", "summarization"), "analysis"),
    **dict.fromkeys(("creative", "completion", "planning", "problem_generation"), "creative"),
    "translation": "translation",
}

SOURCE_WEIGHT: Mapping[str, float] = {
    "p3_templates": 0.3,
    "llmrouter": 0.08,
    "gpteacher_roleplay": 0.3,
    "gpteacher_code": 0.3,
    "longfact": 0.3,
}
"""Hundreds of prompts from one template or one examination say less than as many that people typed."""
_LEAST_SHARE = 0.1
EVENED = 0.25
"""0 leaves rare types rare, 1 makes all types count the same."""


def classifier(
    matrix: Any,
    own_rows: NDArray[np.int64],
    own_types: Sequence[str],
    rows: NDArray[np.int64],
    labels: Sequence[str],
    sources: Sequence[str],
    own_weights: Sequence[float],
    inverse_penalty: float = 0.6,
) -> LogisticRegression:
    """Logistic regression over TYPES. A published label that may stand for several types counts for each by what a
    first fit on the project's own prompts makes of it."""
    own_types = np.array(own_types)
    kinds_own, numbers = np.unique(own_types, return_counts=True)
    evened = dict(zip(kinds_own.tolist(), ((numbers.mean() / numbers) ** EVENED).tolist(), strict=True))
    model = LogisticRegression(C=inverse_penalty, max_iter=80, tol=1e-3, class_weight=evened)
    model.fit(matrix[own_rows], own_types, np.array(own_weights))
    order = [list(model.classes_).index(kind) for kind in TYPES]
    chances = model.predict_proba(matrix[rows])[:, order]
    allowed = np.array([[kind in MEANINGS[label] for kind in TYPES] for label in labels])
    shares = chances * allowed + 1e-9 * allowed
    shares /= shares.sum(1, keepdims=True)
    at, kinds = np.nonzero(shares > _LEAST_SHARE)
    weight = shares[at, kinds] * np.array([SOURCE_WEIGHT.get(sources[row], 1.0) for row in at])
    model.fit(
        matrix[np.concatenate([own_rows, rows[at]])],
        np.concatenate([own_types, np.array(TYPES)[kinds]]),
        np.concatenate([np.array(own_weights), weight]),
    )
    return model
