"""How hard a prompt is, from the trained heads; how far to trust that; and why, in words.

Two views of difficulty share one scale. *Perceived* is learned from what people rated and holds for any prompt.
*Outcome* is learned from published results: which questions a strong model gets right where a weak one fails. The more
a prompt is of the kind that those questions are of, the more the second counts:

    difficulty = (1 − e)·perceived + e·anchor + s·slope·gain

with e = s = 1 for multiple choice. For open questions both grow with the learned probability of the kind: e from 0 to
0.85 and s from 0.45, for what failed elsewhere says something everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from .features import Features
from .measures import asks_for_proof
from .prediction import CHOICE, MANY, MANY_OPTIONS, OPEN, PERCEIVED, Prediction, Weights
from .profile import Evidence, Told

LEAST, MOST = 0.02, 0.98
_FORMS = {OPEN: "open", CHOICE: "choice", MANY: "many"}
_STRETCH, _MIDDLE = 1.25, 4.0
"""Ratings that are learned draw towards the middle; a decision needs the ends."""
_PROOF = 6.5
"""Complexity of a prompt that asks for a proof, at least: too few of those that people rated do."""
_STRICTER = 0.25
"""Those who rated real conversations saw them this much harder than those who wrote the prompts."""
_KNOWN_FROM, _NOVEL_FROM = 0.75, 0.3
"""Shares of known words: as in the languages and subjects learned from (nine prompts in ten there have more), and as in
languages of which hardly a word was seen."""
_DISAGREEMENT = 0.6
_LEAST_SHARE, _MOST_SHARE = 0.45, 0.85
"""Never all in an open question: an examination asks nothing that everybody knows."""


@dataclass(frozen=True, slots=True)
class Assessment:
    difficulty: float
    """0.02 to 0.98, on the scale of the models' abilities."""
    complexity: int
    """1 to 10."""
    novelty: float
    """0 to 1."""
    evidence: Told
    """The strongest first; effects in units of difficulty."""


def assess(weights: Weights, features: Features, seen: Prediction) -> Assessment:
    head = _head(features)
    form = _FORMS[head]
    rating = max(_PROOF if asks_for_proof(features) else 1.0, seen.heads[PERCEIVED])
    perceived = _bounded((_MIDDLE + _STRETCH * (rating - _MIDDLE) - 0.6) / 9.6)
    anchor, gained = weights.anchors[f"{form} difficulty"], weights.anchors[f"{form} slope"] * seen.heads[head]
    kind, share = (1.0, 1.0) if head != OPEN else _shares(seen.examined)
    difficulty = (1 - kind) * perceived + kind * anchor + share * gained
    return Assessment(
        difficulty=_bounded(difficulty),
        complexity=max(1, min(10, round(rating + _STRICTER))),
        novelty=_novelty(features, seen, kind * abs(perceived - anchor - gained) if head == OPEN else 0.0),
        evidence=Told(
            lambda: _evidence(
                weights,
                features,
                seen,
                (PERCEIVED, (1 - kind) * _STRETCH / 9.6),
                (head, share * weights.anchors[f"{form} slope"]),
            )
        ),
    )


def _shares(likely: float) -> tuple[float, float]:
    """Of the anchor and of the gain in an open question."""
    return _MOST_SHARE * likely, _LEAST_SHARE + (_MOST_SHARE - _LEAST_SHARE) * likely


def _head(features: Features) -> int:
    if not features.multiple_choice:
        return OPEN
    return MANY if features.options >= MANY_OPTIONS else CHOICE


def _bounded(value: float) -> float:
    return min(MOST, max(LEAST, value))


def _novelty(features: Features, seen: Prediction, disagreement: float) -> float:
    """Words that were never seen; and for open questions how far the two views of difficulty lie apart."""
    if not features.tokens:
        return 0.5
    unknown = (_KNOWN_FROM - seen.coverage) / (_KNOWN_FROM - _NOVEL_FROM)
    # One unknown word among four is a name; among forty words ten are a language.
    unknown *= min(1.0, (features.size + 1) / 6)
    return round(min(1.0, max(0.0, unknown) + _DISAGREEMENT * disagreement), 3)


def _evidence(
    weights: Weights, features: Features, seen: Prediction, perceived: tuple[int, float], outcome: tuple[int, float]
) -> tuple[Evidence, ...]:
    """The n-grams and measures that moved the difficulty most, each with its effect on it. Of both views: the head and
    how much of it counts."""
    words = {"its length": f"about {features.size:,} words long"}
    pushed = weights.pushes(seen, perceived, outcome, most=MOST_EVIDENCE, least=_LEAST_EFFECT)
    if outcome[0] == CHOICE and abs(effect := outcome[1] * seen.subject) >= _LEAST_EFFECT:
        pushed = sorted([*pushed, ("its subject", effect)], key=lambda pair: -abs(pair[1]))[:MOST_EVIDENCE]
    return tuple(Evidence(words.get(name, name), round(max(-1.0, min(1.0, effect)), 4)) for name, effect in pushed)


MOST_EVIDENCE, _LEAST_EFFECT = 6, 0.005
