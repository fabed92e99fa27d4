"""What a strong model is worth over a weak one, learned from published outcomes: by the words of a question, and by the
subject that it is of.

For questions of up to five options the subjects of examinations are gathered in bands of like gain, and the words tell
the band: many words that say little each name a subject together, which sums of weights cannot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge

from tui_orchestrator.routing.measures import MEASURES
from tui_orchestrator.routing.prediction import BANDS, MANY_OPTIONS

from . import data
from .design import Floats, Texts

Ints = NDArray[np.int64]
PAIRS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "mmlu": (("mixtral-8x7b-instruct-v0.1",), ("gpt-4-1106-preview",)),
    "mmlu_pro": (
        ("meta-llama-3_1-8b-instruct", "mixtral-8x7b-instruct-v0.1", "phi-3-mini-4k-instruct", "gemma-7b"),
        ("gemini-1.5-pro-002", "gemini-1.5-flash-002", "meta-llama-3_1-70b-instruct", "deepseek-coder-v2"),
    ),
    "llmrouter": (
        ("llama-3.1-8b-instruct", "mistral-7b-instruct-v0.3", "gemma-2-9b-it", "qwen2.5-7b-instruct"),
        ("llama-3.1-nemotron-51b-instruct", "llama-3.3-nemotron-super-49b-v1"),
    ),
}
"""Weak and strong models whose mean outcomes are compared."""
_FAILURE_BY_SUBJECT: Mapping[str, float] = {"mmlu": 1.5, "mmlu_pro": 1.5, "llmrouter": 0.0}
"""How much a subject's failures count beside its gain in what all forms share. LLMRouter's scores punish a wrong
format: none there."""
_FAILURE = 0.65
SUBJECT_PRIOR = 15.0
"""Questions that a group's mean is drawn to the mean of its source by."""
_CORRECTED = (1.0, 0.8, 0.3)
"""By form, how far it is corrected towards the gain alone: all the way, and the difficulty would no longer say how
often models fail, which is what p is worked out from."""
_FEWEST = 200
"""Questions of a form from which on it is corrected by itself."""
_BY_FORM = 0.7
"""How easily a form gets weights of its own, beside those of all forms."""
_BY_WORDS = 0.3
"""Of what a subject says in questions of up to five options: the share that words say one by one, the rest being told
by the band."""
FORMS = ("open", "choice", "many")
CHOICE = FORMS.index("choice")


@dataclass(frozen=True)
class Gain:
    by_form: Floats
    """One row a form."""
    intercepts: Floats
    by_band: Floats
    """Logits, one row a band of subjects."""
    band_intercepts: Floats
    bands: Floats
    """What to add to the gain for each band; 0 on the mean."""


def forms(texts: Texts, rows: Ints) -> Ints:
    """0 open, 1 up to five options, 2 more."""
    names = list(MEASURES)
    choice = texts.inputs[rows][:, names.index("choice")] > 0
    many = texts.inputs[rows][:, names.index("options")] * 5 >= MANY_OPTIONS - 0.5
    return np.where(~choice, 0, np.where(many, 2, 1))


def learn_gain(rows: Sequence[data.Row], matrix: Any, form: Ints, coarse: bool = False) -> Gain:
    """What all forms share is learned of gains and failures, for failures carry over to other sources; each form is
    then corrected towards the gain alone, by which a strong model is worth its price.

    `coarse`: bands by one ridge regression, good enough to choose n-grams by.
    """
    by_subject, beyond = _targets(rows, _FAILURE_BY_SUBJECT, _FAILURE)
    gain_by_subject, gain_beyond = _targets(rows, {}, 0.0)
    wanted = by_subject + _CORRECTED[CHOICE] * (gain_by_subject - by_subject)
    banded = _bands(rows, wanted, form == CHOICE)
    by_words = np.where(np.arange(len(FORMS)) == CHOICE, 1.0 if banded is None else _BY_WORDS, 1.0)
    stacked = sp.hstack(
        [matrix, *(sp.diags_array((form == number) * _BY_FORM) @ matrix for number in range(3))]
    ).tocsr()
    width = matrix.shape[1]
    subject, rest = _of_subject(stacked, by_subject), _of_the_rest(stacked, beyond)
    coefficients, means = np.zeros((len(FORMS), width)), np.zeros(len(FORMS))
    for number in range(len(FORMS)):
        own = slice((1 + number) * width, (2 + number) * width)
        coefficients[number] = by_words[number] * (subject[:width] + _BY_FORM * subject[own])
        coefficients[number] += rest[:width] + _BY_FORM * rest[own]
        there = form == number
        if there.sum() >= _FEWEST:
            more, beside = gain_by_subject[there] - by_subject[there], gain_beyond[there] - beyond[there]
            found = by_words[number] * _of_subject(matrix[there], more) + _of_the_rest(matrix[there], beside)
            coefficients[number] += _CORRECTED[number] * found
        if there.any():
            means[number] = (matrix[there] @ coefficients[number]).mean()
    if banded is None:
        return Gain(coefficients, -means, np.zeros((BANDS, width)), np.zeros(BANDS), np.zeros(BANDS))
    told = _banded(matrix[form == CHOICE], banded, coarse)
    return Gain(coefficients, -means, *told, (1 - _BY_WORDS) * _worth(banded, wanted[form == CHOICE]))


def _bands(rows: Sequence[data.Row], wanted: Floats, there: NDArray[np.bool_]) -> Ints | None:
    """The band of each question that is `there`: its group's rank among the groups by gain, in bands of about as many
    questions. None where there are too few to tell bands by."""
    if there.sum() < _FEWEST:
        return None
    groups = np.array([f"{row.source}/{row.group}" for row in rows])[there]
    worth = {group: (float(wanted[there][groups == group].mean()), group) for group in set(groups.tolist())}
    band, before = {}, 0
    for group in sorted(worth, key=worth.__getitem__):
        count = int((groups == group).sum())
        band[group] = min(BANDS - 1, int(BANDS * (before + count / 2) / len(groups)))
        before += count
    return np.array([band[group] for group in groups]) if len(set(band.values())) > 2 else None


def _banded(matrix: Any, bands: Ints, coarse: bool) -> tuple[Floats, Floats]:
    coefficients, intercepts = np.zeros((BANDS, matrix.shape[1])), np.full(BANDS, -30.0)
    if coarse:
        return one_against_all(matrix, bands, BANDS), intercepts
    found = LogisticRegression(C=0.35, max_iter=50, tol=1e-3).fit(matrix, bands)
    coefficients[found.classes_], intercepts[found.classes_] = found.coef_, found.intercept_
    return coefficients, intercepts


def _worth(bands: Ints, wanted: Floats) -> Floats:
    worth = np.zeros(BANDS)
    for band in set(bands.tolist()):
        worth[band] = wanted[bands == band].mean() - wanted.mean()
    return worth


def _of_subject(matrix: Any, target: Floats) -> Floats:
    found: Floats = ridge(60.0).fit(matrix, target).coef_
    return found


def _of_the_rest(matrix: Any, target: Floats) -> Floats:
    found: Floats = ridge(600.0).fit(matrix, target).coef_
    return found


def one_against_all(matrix: Any, classes: Ints, number: int) -> Floats:
    """Weights by ridge regression, a row a class: quick, and good enough to choose n-grams by."""
    found: Floats = Ridge(alpha=5.0, solver="lsqr", max_iter=12, tol=1e-2).fit(matrix, np.eye(number)[classes]).coef_
    return found


def ridge(penalty: float) -> Ridge:
    return Ridge(alpha=penalty, solver="lsqr", max_iter=50, tol=1e-3)


def _targets(
    rows: Sequence[data.Row], failure_by_subject: Mapping[str, float], failure_beyond: float
) -> tuple[Floats, Floats]:
    """What the subject says of gain and failure, shrunk towards the source's mean; and what is left."""
    gain, failure = np.zeros(len(rows)), np.zeros(len(rows))
    for at, row in enumerate(rows):
        weak, strong = (float(np.mean([row.outcomes[model] for model in side])) for side in PAIRS[row.source])
        gain[at], failure[at] = strong - weak, 1 - weak
    sources, groups = np.array([row.source for row in rows]), np.array([f"{row.source}/{row.group}" for row in rows])
    for source in set(sources.tolist()):
        there = sources == source
        gain[there] -= gain[there].mean()
        failure[there] -= failure[there].mean()
    counted = np.array([failure_by_subject.get(source, 0.0) for source in sources])
    by_subject = _shrunk(gain + counted * failure, groups)
    left = gain + failure_beyond * failure
    return by_subject, left - _shrunk(left, groups)


def _shrunk(target: Floats, groups: NDArray[np.str_]) -> Floats:
    means = np.zeros(len(target))
    for group in set(groups.tolist()):
        there = groups == group
        means[there] = target[there].sum() / (there.sum() + SUBJECT_PRIOR)
    return means
