"""Prompts as rows of numbers: exactly what `routing.prediction` reads of them, as one sparse matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tui_orchestrator.routing.cues import LEARNED_TYPES
from tui_orchestrator.routing.features import read
from tui_orchestrator.routing.measures import MEASURES, count_grams, grams
from tui_orchestrator.routing.prediction import GRAM_SCALE, INPUT_NAMES, inputs

from .likeness import shared

Floats = NDArray[np.float64]
_MEASURE_WEIGHT, _CUE_WEIGHT = 0.5, 0.9
INPUT_WEIGHT: Floats = np.array([_MEASURE_WEIGHT] * len(MEASURES) + [_CUE_WEIGHT] * len(LEARNED_TYPES))
"""How much a standard deviation of each input counts beside the n-grams: what it costs to lean on it. The cues are many
people's knowledge of words, the n-grams what two thousand prompts happen to hold."""


@dataclass(frozen=True)
class Texts:
    """Every prompt once, read."""

    grams: list[list[str]]
    """Each once, in order: a set's order, and with it the last digits of every sum, differ from run to run."""
    total: Floats
    """How many n-grams each has, by `measures.count_grams`."""
    inputs: Floats
    """Texts × INPUT_NAMES."""
    tokens: list[list[str]]

    def __len__(self) -> int:
        return len(self.grams)


def read_texts(prompts: Sequence[str]) -> Texts:
    seen = [read(prompt) for prompt in prompts]
    return Texts(
        [sorted(set(grams(features))) for features in seen],
        np.array([count_grams(features) for features in seen], dtype=float),
        np.array([inputs(features) for features in seen]),
        [features.tokens for features in seen],
    )


@dataclass(frozen=True)
class Design:
    """Rows × (n-grams, then standardised inputs, then what n-grams share)."""

    matrix: Any
    names: list[str]
    centre: Floats
    spread: Floats
    shared: Any
    """N-grams × the columns that they share."""

    @property
    def alone(self) -> Any:
        """The matrix without what n-grams share."""
        return self.matrix[:, : len(self.names) + len(INPUT_NAMES)]

    def widened(self, coefficients: Floats) -> Floats:
        """Of heads learned from `alone`, as if from the whole matrix."""
        return np.pad(coefficients, ((0, 0), (0, self.matrix.shape[1] - coefficients.shape[1])))

    def unfold(self, coefficients: Floats, intercept: Floats) -> tuple[Floats, Floats, Floats]:
        """(n-gram weights, weights of the inputs as they are measured, bias), heads × …"""
        of_grams, of_inputs, of_shared = np.split(
            coefficients, [len(self.names), len(self.names) + len(INPUT_NAMES)], axis=1
        )
        of_grams = of_grams + (self.shared @ of_shared.T).T
        of_inputs = of_inputs * INPUT_WEIGHT / self.spread
        return of_grams, of_inputs, intercept - of_inputs @ self.centre


def counts(texts: Texts, rows: NDArray[np.int64]) -> dict[str, int]:
    """In how many of the texts each n-gram stands."""
    found: dict[str, int] = {}
    for row in rows:
        for gram in texts.grams[row]:
            found[gram] = found.get(gram, 0) + 1
    return found


def design(texts: Texts, names: Sequence[str], rows: NDArray[np.int64], sharing: bool = False) -> Design:
    """`rows`: those by which the inputs are standardised, and what n-grams share is found. `sharing`: whether they
    do."""
    at = {name: number for number, name in enumerate(names)}
    pointers, columns, values = [0], [], []
    for gathered, total in zip(texts.grams, texts.total, strict=True):
        known = [at[gram] for gram in gathered if gram in at]
        columns += known
        values += [GRAM_SCALE / max(1.0, total) ** 0.5] * len(known)
        pointers.append(len(columns))
    of_grams = sp.csr_matrix((values, columns, pointers), shape=(len(texts), len(names)))
    centre, spread = texts.inputs[rows].mean(0), texts.inputs[rows].std(0) + 1e-3
    standard = (texts.inputs - centre) / spread * INPUT_WEIGHT
    common = shared(names, [texts.tokens[row] for row in rows]) if sharing else sp.csr_matrix((len(names), 0))
    whole = sp.hstack([of_grams, sp.csr_matrix(standard), of_grams @ common]).tocsr()
    return Design(whole, list(names), centre, spread, common)
