"""The trained part of the profile: sums of small weights over the n-grams and the measures of a text.

The weights lie in the package as one JSON file of about half a megabyte, read when the first prompt is profiled. Each
n-gram holds one signed byte per head; the rows of a prompt's n-grams are added as big integers with sixteen bits a
head, so that all heads together cost one addition a row.
"""

from __future__ import annotations

import base64
import json
import math
import operator
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from heapq import nlargest
from importlib import resources

from .cues import LEARNED_TYPES
from .cues import points as cue_points
from .features import Features
from .lexicon import COMMON, CUES
from .measures import MEASURES, grams, measure
from .profile import TaskType

HEADS = (
    *(kind.value for kind in LEARNED_TYPES),
    "perceived",
    "open",
    "choice",
    "many",
    "examined",
    "output",
)
"""Logits of the task types; complexity; gain of a strong model over a weak one for open questions, for four options
and for more; log-odds of being of the kind that outcomes were published of; natural logarithm of the answer's
tokens."""
PERCEIVED, OPEN, CHOICE, MANY, EXAMINED, OUTPUT = range(len(LEARNED_TYPES), len(HEADS))
MANY_OPTIONS = 6
GRAM_SCALE = 6.0
"""The n-grams of a text together weigh this much, however many they are: each is GRAM_SCALE / √n."""
_CUE_SCALE = 0.5
_AT_ONCE = 256
"""Rows added before a sixteen-bit lane could overflow."""


def inputs(features: Features) -> list[float]:
    """The measures of the form, then the points of the hand-set cues: what the n-grams do not say."""
    gathered, _ = cue_points(features)
    return [*measure(features), *(_CUE_SCALE * gathered[kind] for kind in LEARNED_TYPES)]


INPUT_NAMES = (*MEASURES.values(), *("its kind" for _ in LEARNED_TYPES))


@dataclass(frozen=True, slots=True)
class Prediction:
    heads: Sequence[float]
    """In the order of HEADS."""
    coverage: float
    """Share of the words that were seen in training or stand in the word lists of six languages."""
    found: frozenset[str]
    total: int
    """How many n-grams the text has, known or not."""
    measured: Sequence[float]

    def logits(self) -> dict[TaskType, float]:
        return dict(zip(LEARNED_TYPES, self.heads, strict=False))


class Weights:
    """What was learned; see `training/profile.py` for how, and its card for from what."""

    def __init__(self, stored: dict[str, object]) -> None:
        names = str(stored["grams"]).split("\n")
        self.row = dict(zip(names, range(len(names)), strict=True))
        self.known = self.row.keys()
        self.steps: list[float] = stored["steps"]  # type: ignore[assignment]
        self.bias: list[float] = stored["bias"]  # type: ignore[assignment]
        self.inputs: list[list[float]] = stored["inputs"]  # type: ignore[assignment]
        """By head, a weight an input."""
        self.usual: list[float] = stored["usual"]  # type: ignore[assignment]
        """The inputs of the mean prompt learned from."""
        self.anchors: dict[str, float] = stored["anchors"]  # type: ignore[assignment]
        raw = base64.b64decode(str(stored["rows"]))
        lanes = bytearray(2 * len(raw))
        lanes[::2] = raw
        self._lanes = bytes(lanes)
        self._width = 2 * len(HEADS)

    def predict(self, features: Features) -> Prediction:
        every = grams(features)
        found = self.known & every
        measured = inputs(features)
        scale = GRAM_SCALE / math.sqrt(max(1, len(every)))
        sums = self._sums([self.row[gram] for gram in found])
        offset = 128 * len(found)
        heads = [
            bias + step * scale * (total - offset) + sum(map(operator.mul, weights, measured))
            for bias, step, total, weights in zip(self.bias, self.steps, sums, self.inputs, strict=True)
        ]
        return Prediction(heads, self._coverage(features), frozenset(found), len(every), measured)

    def _sums(self, rows: list[int]) -> list[int]:
        width, lanes = self._width, self._lanes
        totals = [0] * len(HEADS)
        for start in range(0, len(rows), _AT_ONCE):
            added = sum(
                [
                    int.from_bytes(lanes[row * width : (row + 1) * width], "little")
                    for row in rows[start : start + _AT_ONCE]
                ]
            )
            part = struct.unpack(f"<{len(HEADS)}H", added.to_bytes(width, "little"))
            totals = [total + value for total, value in zip(totals, part, strict=True)]
        return totals

    def _coverage(self, features: Features) -> float:
        words = [token for token in features.tokens if token[0].isalpha()]
        if not words:
            return 1.0 if features.tokens else 0.0
        return sum(word in self.known or word in COMMON or word in CUES for word in words) / len(words)

    def pushes(self, prediction: Prediction, heads: Mapping[int, float], most: int) -> list[tuple[str, float]]:
        """What pushed a weighted sum of heads most: n-grams, in quotes, and measures against the usual prompt."""
        grams: dict[str, float] = {}
        measured: dict[str, float] = {}
        away = list(map(operator.sub, prediction.measured, self.usual))
        for head, weight in heads.items():
            step = weight * GRAM_SCALE / math.sqrt(max(1, prediction.total)) * self.steps[head]
            for gram, effect in self._by_gram(prediction, head):
                grams[gram] = grams.get(gram, 0.0) + step * effect
            for name, each, by in zip(INPUT_NAMES, self.inputs[head], away, strict=True):
                measured[name] = measured.get(name, 0.0) + weight * each * by
        said = [(_quoted(gram), effect) for gram, effect in nlargest(most, grams.items(), key=_strength)]
        return nlargest(most, [*said, *measured.items()], key=_strength)

    def speaking_for(self, prediction: Prediction, head: int) -> list[str]:
        """The three n-grams that pushed a head up most, in quotes."""
        return [
            _quoted(gram) for gram, effect in nlargest(3, self._by_gram(prediction, head), key=_EFFECT) if effect > 0
        ]

    def _by_gram(self, prediction: Prediction, head: int) -> list[tuple[str, int]]:
        row, lanes, width, at = self.row, self._lanes, self._width, 2 * head
        return [(gram, lanes[row[gram] * width + at] - 128) for gram in prediction.found]


def _quoted(gram: str) -> str:
    return f"'{gram.lstrip('^')}'"


def _strength(pushed: tuple[str, float]) -> float:
    return abs(pushed[1])


_EFFECT = operator.itemgetter(1)


@cache
def weights() -> Weights:
    text = resources.files(__package__).joinpath("weights/profile.json").read_text("utf-8")
    return Weights(json.loads(text))
