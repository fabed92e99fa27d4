"""`python -m training profile --data DIR --out DIR`: learns `routing/weights/profile.json` anew.

Four things are learned over one vocabulary of n-grams and the measures of `routing.measures`:

- the task type, from the project's own prompts and from published labels (logistic regression);
- perceived complexity, from the ratings of both (ridge regression);
- the gain of a strong model over a weak one, from published outcomes: first what the subject of a question says (its
  group's mean, little noise), then what is left. One weight for all questions and one for each form (open, up to five
  options, more), so that each form can differ where it has enough to show for it. Failures count beside the gain in
  what is shared, which has to serve for questions of other sources, and not in what is corrected by form;
- whether a question is of the kind that outcomes were published of, and how long a good answer is.

Targets are centred per source: a weight must not say which data set a prompt comes from.
"""

from __future__ import annotations

import argparse
import base64
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge

from tui_orchestrator.routing.measures import MEASURES
from tui_orchestrator.routing.prediction import HEADS, MANY_OPTIONS

from . import data
from .design import INPUT_WEIGHT, Design, Floats, Texts, counts, design, read_texts
from .labels import TYPES, classifier

Ints = NDArray[np.int64]

VOCABULARY = {"outcome": 8000, "types": 6000, "perceived": 2500}
"""How many n-grams each part may bring in, the weightiest first."""
_SEEN_OFTEN = 8
"""A word of that many texts is kept whatever it weighs: it tells known prompts from novel ones."""
_RARE = 3

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
_SUBJECT_PRIOR = 15.0
_CORRECTED = (1.0, 0.7, 0.3)
"""By form, how far it is corrected towards the gain alone: all the way, and the difficulty would no longer say how
often models fail, which is what p is worked out from."""
_FEWEST = 200
"""Questions of a form from which on it is corrected by itself."""
_BY_FORM = 0.7
"""How easily a form gets weights of its own, beside those of all forms."""
_LEVELS = {1: 2.0, 2: 4.5, 3: 6.5, 4: 8.5}
"""Complexity 1 to 10 of the four levels that people rated by."""
_SHELL = 2.5
"""What a shell request counts: published labels hold none, and its words are those of everyday tasks."""
_MODESTY = 0.92
"""Ratings differ by a level from one rater to the next: the middle is missed by less."""
FORMS = ("open", "choice", "many")
ANCHORS = {"open": 0.27, "choice": 0.31, "many": 0.44}
"""Difficulty of the usual question of each form, on the scale of the models' abilities: of choices, where p is true of
the models of MMLU and MMLU-Pro at a discrimination of 8. Open ones lie lower than LLMRouter's outcomes say, whose
scores punish a wrong format: by them a well-known capital would be at 0.4."""
SLOPES = {"open": 0.5, "choice": 0.47, "many": 0.4}
"""Difficulty a unit of expected gain; of choices, by the same outcomes."""


@dataclass(frozen=True)
class Material:
    """Everything that can be learned from, read once."""

    outcomes: list[data.Row]
    typed: list[data.Row]
    rated: list[data.Row]
    own: list[data.Own]
    texts: Texts
    """Of all four, in that order."""

    def rows(self, part: str) -> Ints:
        sizes = {
            "outcomes": len(self.outcomes),
            "typed": len(self.typed),
            "rated": len(self.rated),
            "own": len(self.own),
        }
        start = 0
        for name, size in sizes.items():
            if name == part:
                return np.arange(start, start + size)
            start += size
        raise KeyError(part)


def gather(folder: Path) -> Material:
    outcomes, typed, rated = (
        [row for row in rows if row.learnable]
        for rows in (data.outcomes(folder), data.typed(folder), data.rated(folder))
    )
    own = data.own()
    prompts = [row.prompt for row in (*outcomes, *typed, *rated, *own)]
    return Material(outcomes, typed, rated, own, read_texts(prompts))


Keep = Callable[[str, int], bool]
"""(source, fold): whether a row may be learned from; the project's own prompts are of the source 'own'."""


def everything(source: str, fold: int) -> bool:
    return True


def fit(material: Material, keep: Keep = everything) -> dict[str, Any]:
    """The weights as they are stored."""
    parts = _Parts(material, keep)
    first = design(material.texts, parts.candidates(), parts.all)
    names = _vocabulary(parts, first)
    return _stored(parts, design(material.texts, names, parts.all))


class _Parts:
    """The rows of each part that may be learned from."""

    def __init__(self, material: Material, keep: Keep) -> None:
        self.material = material

        def kept(part: str, rows: Sequence[data.Row | data.Own]) -> Ints:
            flags = [keep(getattr(row, "source", "own"), row.fold) for row in rows]
            return material.rows(part)[np.array(flags, dtype=bool)]

        self.outcomes = kept("outcomes", material.outcomes)
        self.typed = kept("typed", material.typed)
        self.rated = kept("rated", material.rated)
        self.own = kept("own", material.own)
        self.all = np.concatenate([self.outcomes, self.typed, self.rated, self.own])

    def of(self, part: str, rows: Ints) -> list[Any]:
        start = self.material.rows(part)[0] if len(rows) else 0
        return [getattr(self.material, part)[row - start] for row in rows]

    def candidates(self) -> list[str]:
        return sorted(gram for gram, count in counts(self.material.texts, self.all).items() if count >= _RARE)


def _vocabulary(parts: _Parts, first: Design) -> list[str]:
    width = len(first.names)
    everyday = np.concatenate([parts.typed, parts.own])
    spread = {
        "outcome": (np.abs(_gain(parts, first)[0]).max(0)[:width], parts.outcomes),
        "types": (np.abs(_types(parts, first, coarse=True)[0]).max(0)[:width], everyday),
        "perceived": (np.abs(_perceived(parts, first)[0])[0, :width], np.concatenate([parts.rated, parts.own])),
    }
    chosen: set[int] = set()
    for part, (weight, rows) in spread.items():
        often = np.asarray((first.matrix[rows][:, :width] != 0).sum(0)).ravel()
        chosen.update(np.argsort(-weight * np.sqrt(often), kind="stable")[: VOCABULARY[part]].tolist())
    often = np.asarray((first.matrix[parts.all][:, :width] != 0).sum(0)).ravel()
    chosen.update(at for at, name in enumerate(first.names) if often[at] >= _SEEN_OFTEN and " " not in name)
    return [first.names[at] for at in sorted(chosen)]


def _stored(parts: _Parts, shaped: Design) -> dict[str, Any]:
    heads = [
        _types(parts, shaped),
        _perceived(parts, shaped),
        _gain(parts, shaped),
        _examined(parts, shaped),
        _output(parts, shaped),
    ]
    coefficients = np.vstack([head[0] for head in heads])
    intercept = np.concatenate([head[1] for head in heads])
    assert len(coefficients) == len(HEADS)
    of_grams, of_inputs, bias = shaped.unfold(coefficients, intercept)
    steps = np.abs(of_grams).max(1) / 127 + 1e-12
    rows = (np.rint(of_grams / steps[:, None]).astype(np.int16) + 128).astype(np.uint8).T
    return {
        "steps": [float(f"{step:.6g}") for step in steps],
        "bias": [round(float(value), 5) for value in bias],
        "inputs": [[round(float(value), 5) for value in row] for row in of_inputs],
        "usual": [round(float(value), 4) for value in shaped.centre],
        "anchors": {
            **{f"{form} difficulty": ANCHORS[form] for form in FORMS},
            **{f"{f} slope": SLOPES[f] for f in FORMS},
        },
        "grams": "\n".join(shaped.names),
        "rows": base64.b64encode(np.ascontiguousarray(rows).tobytes()).decode("ascii"),
    }


def _types(parts: _Parts, shaped: Design, coarse: bool = False) -> tuple[Floats, Floats]:
    """`coarse`: by one ridge regression, good enough to choose n-grams by."""
    own, typed = parts.of("own", parts.own), parts.of("typed", parts.typed)
    if coarse:
        wanted = np.array([[row.task_type == kind for kind in TYPES] for row in own], dtype=float)
        model = _ridge(2.0).fit(shaped.matrix[parts.own], wanted - wanted.mean(0))
        return model.coef_, np.zeros(len(TYPES))
    found = classifier(
        shaped.matrix,
        parts.own,
        [row.task_type for row in own],
        parts.typed,
        [row.label for row in typed],
        [row.source for row in typed],
        [_SHELL if "shell" in row.tags else 1.0 for row in own],
    )
    order = [list(found.classes_).index(kind) for kind in TYPES]
    return found.coef_[order], found.intercept_[order]


def _perceived(parts: _Parts, shaped: Design) -> tuple[Floats, Floats]:
    own = np.array([row.complexity for row in parts.of("own", parts.own)], dtype=float)
    rated = np.array([_LEVELS[int(row.score)] for row in parts.of("rated", parts.rated)])
    middle = own.mean()
    # Two kinds of raters: half of the difference between their means is taken for a difference of the prompts.
    offset = (middle + rated.mean()) / 2 if len(rated) else middle
    matrix = shaped.matrix[np.concatenate([parts.own, parts.rated])]
    expected = _expected_rating(shaped)
    model = _ridge(5.0).fit(matrix, np.concatenate([own - middle, rated - offset]) - matrix @ expected)
    return _MODESTY * (model.coef_ + expected)[None], np.array([middle + _MODESTY * model.intercept_])


_EXPECTED_RATING: Mapping[str, float] = {"proof": 2.4, "deep": 1.4, "deepening": 0.3, "easing": -0.3}
"""Levels that a measure is taken to add until the ratings say otherwise: too few of the rated prompts ask for a proof
to learn it from them."""


def _expected_rating(shaped: Design) -> Floats:
    expected = np.zeros(shaped.matrix.shape[1])
    for name, levels in _EXPECTED_RATING.items():
        at = list(MEASURES).index(name)
        expected[len(shaped.names) + at] = levels * shaped.spread[at] / INPUT_WEIGHT[at]
    return expected


def forms(texts: Texts, rows: Ints) -> Ints:
    """0 open, 1 up to five options, 2 more."""
    names = list(MEASURES)
    choice = texts.inputs[rows][:, names.index("choice")] > 0
    many = texts.inputs[rows][:, names.index("options")] * 5 >= MANY_OPTIONS - 0.5
    return np.where(~choice, 0, np.where(many, 2, 1))


def _gain(parts: _Parts, shaped: Design) -> tuple[Floats, Floats]:
    """One row a form. What all forms share is learned of gains and failures, for failures carry over to other sources;
    each form is then corrected towards the gain alone, by which a strong model is worth its price."""
    rows = parts.of("outcomes", parts.outcomes)
    by_subject, beyond = _targets(rows, _FAILURE_BY_SUBJECT, _FAILURE)
    gain_by_subject, gain_beyond = _targets(rows, {}, 0.0)
    matrix = shaped.matrix[parts.outcomes]
    form = forms(parts.material.texts, parts.outcomes)
    stacked = sp.hstack(
        [matrix, *(sp.diags_array((form == number) * _BY_FORM) @ matrix for number in range(3))]
    ).tocsr()
    total = _both(stacked, by_subject, beyond)
    width = matrix.shape[1]
    shared = total[:width]
    coefficients = np.array([shared + _BY_FORM * total[(1 + n) * width : (2 + n) * width] for n in range(3)])
    means = np.zeros(len(FORMS))
    for number in range(len(FORMS)):
        there = form == number
        if there.sum() >= _FEWEST:
            more = gain_by_subject[there] - by_subject[there], gain_beyond[there] - beyond[there]
            coefficients[number] += _CORRECTED[number] * _both(matrix[there], *more)
        if there.any():
            means[number] = (matrix[there] @ coefficients[number]).mean()
    return coefficients, -means


def _both(matrix: Any, by_subject: Floats, beyond: Floats) -> Floats:
    found: Floats = _ridge(60.0).fit(matrix, by_subject).coef_ + _ridge(600.0).fit(matrix, beyond).coef_
    return found


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
        means[there] = target[there].sum() / (there.sum() + _SUBJECT_PRIOR)
    return means


def _examined(parts: _Parts, shaped: Design) -> tuple[Floats, Floats]:
    open_questions = parts.outcomes[forms(parts.material.texts, parts.outcomes) == 0]
    if not len(open_questions):
        return np.zeros((1, shaped.matrix.shape[1])), np.array([-3.0])
    typed = [
        row
        for row, it in zip(parts.typed, parts.of("typed", parts.typed), strict=True)
        if it.source.startswith("arena")
    ]
    everyday = np.concatenate([parts.own, np.array(typed, dtype=np.int64)])
    model = LogisticRegression(C=0.3, max_iter=80, tol=1e-3, class_weight="balanced")
    model.fit(
        shaped.matrix[np.concatenate([open_questions, everyday])],
        np.concatenate([np.ones(len(open_questions)), np.zeros(len(everyday))]),
    )
    return model.coef_, model.intercept_


def _output(parts: _Parts, shaped: Design) -> tuple[Floats, Floats]:
    lengths = np.log([row.output_tokens for row in parts.of("own", parts.own)])
    model = _ridge(5.0).fit(shaped.matrix[parts.own], lengths - lengths.mean())
    return model.coef_[None], np.array([lengths.mean() + model.intercept_])


def _ridge(penalty: float) -> Ridge:
    return Ridge(alpha=penalty, solver="lsqr", max_iter=50, tol=1e-3)


CARD = Path(__file__).with_name("profile.card.json")


def _card(material: Material, stored: Mapping[str, Any]) -> dict[str, Any]:
    def by_source(rows: Sequence[data.Row]) -> dict[str, int]:
        return dict(sorted(Counter(row.source for row in rows).items()))

    own = material.own
    return {
        "what": "task type, complexity, difficulty and length of the answer: routing/weights/profile.json",
        "licences": dict(data.LICENCES),
        "learned from": {
            "outcomes": by_source(material.outcomes),
            "published labels": by_source(material.typed),
            "published ratings": by_source(material.rated),
            "the project's own prompts": {
                "number": len(own),
                "licence": "that of the project",
                "labelled by": "their writers, a language model; one label each",
                "types": dict(sorted(Counter(row.task_type for row in own).items())),
                "languages": dict(Counter(row.language for row in own).most_common()),
            },
        },
        "never learned from": {
            "sources": ["alpaca_eval", "just_eval_alpaca", "lima_test", "routerarena"],
            "why": "their licences or rules forbid it; they are for evaluation only",
            "mmlu/high_school_mathematics": "its published outcomes are an artefact of reading the answers",
        },
        "n-grams": len(str(stored["grams"]).split("\n")),
        "inputs": len(stored["usual"]),
        "heads": list(HEADS),
        "random": "nothing: every fit is deterministic",
        "figures": "docs/routing-quality.json, by benchmarks/routing.py: out of fold and with whole sources left out",
    }


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m training profile")
    parser.add_argument("--data", type=Path, required=True, help="where route, tasktype and complexity.jsonl.gz lie")
    parser.add_argument("--out", type=Path, required=True, help="where profile.json is written to")
    chosen = parser.parse_args(arguments)
    material = gather(chosen.data)
    stored = fit(material)
    (chosen.out / "profile.json").write_text(json.dumps(stored, ensure_ascii=False, indent=0) + "\n", "utf-8")
    CARD.write_text(json.dumps(_card(material, stored), indent=1, ensure_ascii=False) + "\n", "utf-8")
