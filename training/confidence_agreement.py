"""How much a second answer that agrees or differs says, in log-odds: the weights `routing.corroboration` reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize  # type: ignore[import-untyped]

from tui_orchestrator.routing.corroboration import MOST, tally

from .confidence_answers import Answered
from .confidence_measures import Floats

_PENALTY = 0.001
_UNKNOWN = {"agrees": 0.8, "differs": -0.8}
"""Where no answer of the kind was learned from; by hand."""


def fit_agreement(rows: Sequence[Answered], before: Floats, seed: int) -> dict[str, float]:
    """`before`: confidences from the text alone, by weights that had not seen the answers. One, three and all second
    answers count alike, so that one pair of weights serves every number of them."""
    random = np.random.default_rng(seed)
    found: dict[str, float] = {}
    for kind, same_model in (("model", False), ("sample", True)):
        agrees, differs, odds, good = [], [], [], []
        for row, value in zip(rows, np.clip(before, 0.01, 0.99), strict=True):
            if row.same_model is not same_model or not row.others:
                continue
            for count in (1, 3, MOST):
                drawn = random.permutation(len(row.others))[: min(count, len(row.others))]
                counted = tally(row.prompt, row.answer, [row.others[at] for at in drawn])
                if counted is not None:
                    scale = counted.surprise / np.sqrt(counted.count)
                    agrees.append(scale * len(counted.same))
                    differs.append(scale * len(counted.other))
                    odds.append(np.log(value / (1 - value)))
                    good.append(1.0 if row.good else -1.0)
        pair = _pair(np.array(agrees), np.array(differs), np.array(odds), np.array(good)) if good else _UNKNOWN
        found |= {f"{kind}_{name}": round(float(weight), 4) for name, weight in pair.items()}
    return found


def _pair(agrees: Floats, differs: Floats, odds: Floats, good: Floats) -> dict[str, float]:
    def loss(at: Floats) -> float:
        margin = good * (odds + at[0] * agrees + at[1] * differs)
        return float(np.logaddexp(0, -margin).mean() + _PENALTY * (at @ at))

    # Agreement never lowers a confidence, and difference never raises one.
    found: Any = minimize(loss, np.array([1.0, -1.0]), method="L-BFGS-B", bounds=[(0, None), (None, 0)])
    return {"agrees": found.x[0], "differs": found.x[1]}
