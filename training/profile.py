"""`python -m training profile --data DIR --out DIR`: learns `routing/weights/profile.json` and `profile.rows`
anew.

Four things are learned over one vocabulary of n-grams and the measures of `routing.measures`:

- the task type, from the project's own prompts and from published labels (logistic regression), where words that are
  alike share what is learned of them (`likeness`);
- perceived complexity, from the ratings of both (ridge regression, where words that are alike share as well);
- the gain of a strong model over a weak one, from published outcomes: first what the subject of a question says (its
  group's mean, little noise), then what is left. One weight for all questions and one for each form (open, up to five
  options, more), so that each form can differ where it has enough to show for it. Failures count beside the gain in
  what is shared, which has to serve for questions of other sources, and not in what is corrected by form;
- whether a question is of the kind that outcomes were published of, and how long a good answer is.

Targets are centred per source: a weight must not say which data set a prompt comes from.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_orchestrator.routing.measures import MEASURES
from tui_orchestrator.routing.prediction import HEADS

from . import data
from .design import INPUT_WEIGHT, Design, Floats, Texts, counts, design, read_texts
from .gain import FORMS, Gain, forms, learn_gain, ridge
from .labels import TYPES, classifier
from .likeness import topics
from .published import Kinds, learn_kinds

Ints = NDArray[np.int64]

VOCABULARY = {"outcome": 6500, "subjects": 3500, "kinds": 2000, "types": 6000, "perceived": 2500}
"""How many n-grams each part may bring in, the weightiest first."""
_SEEN_OFTEN = 8
"""A word of that many texts is kept whatever it weighs: it tells known prompts from novel ones."""
_RARE = 3

_LEVELS = {1: 2.0, 2: 4.5, 3: 6.5, 4: 8.5}
"""Complexity 1 to 10 of the four levels that people rated by."""
_SHELL = 2.5
"""What a shell request counts: published labels hold none, and its words are those of everyday tasks."""
_RATED = 80.0
"""Penalty of a weight for perceived complexity: ratings differ by a level from one rater to the next, and what words
that are alike share is as easily leant on as the words themselves."""
ANCHORS = {"open": 0.27, "choice": 0.31, "many": 0.44}
"""Difficulty of the usual question of each form, on the scale of the models' abilities: of choices, where p is true of
the models of MMLU and MMLU-Pro at a discrimination of 8. Open ones lie lower than LLMRouter's outcomes say, whose
scores punish a wrong format: by them a well-known capital would be at 0.4."""
SLOPES = {"open": 0.5, "choice": 0.53, "many": 0.4}
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


Keep = Callable[[str, int, str], bool]
"""(source, fold, group): whether a row may be learned from; the project's own prompts are of the source 'own'."""


def everything(source: str, fold: int, group: str) -> bool:
    return True


def fit(material: Material, keep: Keep = everything) -> tuple[dict[str, Any], bytes]:
    """The weights as they are stored: profile.json and profile.rows."""
    parts = _Parts(material, keep)
    first = design(material.texts, parts.candidates(), parts.all)
    names = _vocabulary(parts, first)
    return _stored(parts, design(material.texts, names, parts.all, sharing=True))


class _Parts:
    """The rows of each part that may be learned from."""

    def __init__(self, material: Material, keep: Keep) -> None:
        self.material = material

        def kept(part: str, rows: Sequence[data.Row | data.Own]) -> Ints:
            flags = [keep(getattr(row, "source", "own"), row.fold, getattr(row, "group", "")) for row in rows]
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
    gained = _gain(parts, first, coarse=True)
    spread = {
        "outcome": (np.abs(gained.by_form).max(0)[:width], parts.outcomes),
        "subjects": (np.abs(gained.by_band).max(0)[:width], parts.outcomes),
        "kinds": (np.abs(_kinds(parts, first, coarse=True).coefficients).max(0)[:width], parts.all),
        "types": (np.abs(_types(parts, first, coarse=True)[0]).max(0)[:width], everyday),
        "perceived": (
            np.abs(_perceived(parts, first, coarse=True)[0])[0, :width],
            np.concatenate([parts.rated, parts.own]),
        ),
    }
    chosen: set[int] = set()
    for part, (weight, rows) in spread.items():
        often = np.asarray((first.matrix[rows][:, :width] != 0).sum(0)).ravel()
        chosen.update(np.argsort(-weight * np.sqrt(often), kind="stable")[: VOCABULARY[part]].tolist())
    often = np.asarray((first.matrix[parts.all][:, :width] != 0).sum(0)).ravel()
    chosen.update(at for at, name in enumerate(first.names) if often[at] >= _SEEN_OFTEN and " " not in name)
    return sorted({first.names[at] for at in chosen}.union(*topics().values()))


def _stored(parts: _Parts, shaped: Design) -> tuple[dict[str, Any], bytes]:
    gained, kinds = _gain(parts, shaped), _kinds(parts, shaped)
    heads = [
        _types(parts, shaped),
        _perceived(parts, shaped),
        (gained.by_form, gained.intercepts),
        _output(parts, shaped),
        (gained.by_band, gained.band_intercepts),
        (kinds.coefficients, kinds.intercepts),
    ]
    coefficients = np.vstack([shaped.widened(head[0]) for head in heads])
    intercept = np.concatenate([head[1] for head in heads])
    assert len(coefficients) == len(HEADS)
    of_grams, of_inputs, bias = shaped.unfold(coefficients, intercept)
    steps = np.abs(of_grams).max(1) / 127 + 1e-12
    rows = (np.rint(of_grams / steps[:, None]).astype(np.int16) + 128).astype(np.uint8).T
    words, pairs = ([at for at, name in enumerate(shaped.names) if (" " in name) is two] for two in (False, True))
    stored = {
        "steps": [float(f"{step:.6g}") for step in steps],
        "bias": [round(float(value), 5) for value in bias],
        "inputs": [[round(float(value), 5) for value in row] for row in of_inputs],
        "usual": [round(float(value), 4) for value in shaped.centre],
        "anchors": {
            **{f"{form} difficulty": ANCHORS[form] for form in FORMS},
            **{f"{f} slope": SLOPES[f] for f in FORMS},
        },
        "bands": [round(float(value), 5) for value in gained.bands],
        "published": kinds.good,
        "words": "\n".join(shaped.names[at] for at in words),
        "pairs": "\n".join(shaped.names[at] for at in pairs),
    }
    return stored, np.ascontiguousarray(rows[words + pairs]).tobytes()


def _types(parts: _Parts, shaped: Design, coarse: bool = False) -> tuple[Floats, Floats]:
    """`coarse`: by one ridge regression, good enough to choose n-grams by."""
    own, typed = parts.of("own", parts.own), parts.of("typed", parts.typed)
    if coarse:
        wanted = np.array([[row.task_type == kind for kind in TYPES] for row in own], dtype=float)
        model = ridge(2.0).fit(shaped.matrix[parts.own], wanted - wanted.mean(0))
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


def _perceived(parts: _Parts, shaped: Design, coarse: bool = False) -> tuple[Floats, Floats]:
    """`coarse`: to choose n-grams by, which single ratings may bring in."""
    own = np.array([row.complexity for row in parts.of("own", parts.own)], dtype=float)
    rated = np.array([_LEVELS[int(row.score)] for row in parts.of("rated", parts.rated)])
    middle = own.mean()
    # Two kinds of raters: half of the difference between their means is taken for a difference of the prompts.
    offset = (middle + rated.mean()) / 2 if len(rated) else middle
    matrix = shaped.matrix[np.concatenate([parts.own, parts.rated])]
    expected = _expected_rating(shaped)
    model = ridge(5.0 if coarse else _RATED)
    model.fit(matrix, np.concatenate([own - middle, rated - offset]) - matrix @ expected)
    return (model.coef_ + expected)[None], np.array([middle + model.intercept_])


_EXPECTED_RATING: Mapping[str, float] = {"proof": 2.4, "deep": 1.4, "deepening": 0.3, "easing": -0.3}
"""Levels that a measure is taken to add until the ratings say otherwise: too few of the rated prompts ask for a proof
to learn it from them."""


def _expected_rating(shaped: Design) -> Floats:
    expected = np.zeros(shaped.matrix.shape[1])
    for name, levels in _EXPECTED_RATING.items():
        at = list(MEASURES).index(name)
        expected[len(shaped.names) + at] = levels * shaped.spread[at] / INPUT_WEIGHT[at]
    return expected


def _gain(parts: _Parts, shaped: Design, coarse: bool = False) -> Gain:
    form = forms(parts.material.texts, parts.outcomes)
    return learn_gain(parts.of("outcomes", parts.outcomes), shaped.alone[parts.outcomes], form, coarse)


def _kinds(parts: _Parts, shaped: Design, coarse: bool = False) -> Kinds:
    typed = parts.of("typed", parts.typed)
    arena = [row for row, it in zip(parts.typed, typed, strict=True) if it.source.startswith("arena")]
    everyday = np.concatenate([parts.own, np.array(arena, dtype=np.int64)])
    alone = shaped.alone
    return learn_kinds(parts.of("outcomes", parts.outcomes), alone[parts.outcomes], alone[everyday], coarse)


def _output(parts: _Parts, shaped: Design) -> tuple[Floats, Floats]:
    lengths = np.log([row.output_tokens for row in parts.of("own", parts.own)])
    model = ridge(5.0).fit(shaped.alone[parts.own], lengths - lengths.mean())
    return model.coef_[None], np.array([lengths.mean() + model.intercept_])


CARD = Path(__file__).with_name("profile.card.json")


def _card(material: Material, stored: Mapping[str, Any]) -> dict[str, Any]:
    def by_source(rows: Sequence[data.Row]) -> dict[str, int]:
        return dict(sorted(Counter(row.source for row in rows).items()))

    own = material.own
    return {
        "what": "task type, complexity, difficulty and length of the answer: routing/weights/profile.json and .rows",
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
            "words by topic": {
                "number": len(frozenset().union(*topics().values())),
                "licence": "that of the project",
                "written by": "a language model",
            },
        },
        "never learned from": {
            "sources": ["alpaca_eval", "just_eval_alpaca", "lima_test", "routerarena"],
            "why": "their licences or rules forbid it; they are for evaluation only",
            "mmlu/high_school_mathematics": "its published outcomes are an artefact of reading the answers",
        },
        "n-grams": sum(len(str(stored[part]).split("\n")) for part in ("words", "pairs")),
        "inputs": len(stored["usual"]),
        "heads": list(HEADS),
        "random": "nothing: every fit is deterministic",
        "figures": "docs/routing-quality.json, by benchmarks/routing.py: out of fold and with whole sources left out",
    }


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m training profile")
    parser.add_argument("--data", type=Path, required=True, help="where route, tasktype and complexity.jsonl.gz lie")
    parser.add_argument("--out", type=Path, required=True, help="where profile.json and profile.rows are written to")
    chosen = parser.parse_args(arguments)
    material = gather(chosen.data)
    stored, rows = fit(material)
    (chosen.out / "profile.json").write_text(json.dumps(stored, ensure_ascii=False, indent=0) + "\n", "utf-8")
    (chosen.out / "profile.rows").write_bytes(rows)
    CARD.write_text(json.dumps(_card(material, stored), indent=1, ensure_ascii=False) + "\n", "utf-8")
