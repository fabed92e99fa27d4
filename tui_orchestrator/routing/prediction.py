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
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from heapq import nlargest
from pathlib import Path

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
_WIDTH = 2 * len(HEADS)
_AT_ONCE = 256
"""Rows added before a sixteen-bit lane could overflow."""


def inputs(features: Features) -> list[float]:
    """The measures of the form, then the points of the hand-set cues: what the n-grams do not say."""
    gathered = cue_points(features)
    return [*measure(features), *(_CUE_SCALE * gathered[kind] for kind in LEARNED_TYPES)]


INPUT_NAMES = (*MEASURES.values(), *("its kind" for _ in LEARNED_TYPES))


@dataclass(frozen=True, slots=True)
class Prediction:
    heads: Sequence[float]
    """In the order of HEADS."""
    coverage: float
    """Share of the words that were seen in training or stand in the word lists of six languages."""
    rows: Sequence[int]
    """Of the n-grams of the text that are known."""
    total: int
    """How many n-grams the text has, known or not."""
    measured: Sequence[float]

    def logits(self) -> dict[TaskType, float]:
        return dict(zip(LEARNED_TYPES, self.heads, strict=False))


class Weights:
    """What was learned; see `training/profile.py` for how, and its card for from what."""

    def __init__(self, stored: dict[str, object]) -> None:
        self.grams = str(stored["grams"]).split("\n")
        # The words of the hand-set lists are familiar too, though they have no row.
        self.row: dict[str, int | None] = dict.fromkeys((*COMMON, *CUES))
        self.row.update(zip(self.grams, range(len(self.grams)), strict=True))
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
        self._lanes = [int.from_bytes(row, "little") for (row,) in struct.iter_unpack(f"{_WIDTH}s", lanes)]
        signed = raw.translate(bytes(value ^ 128 for value in range(256)))
        self._columns = [array("b", signed[head :: len(HEADS)]) for head in range(len(HEADS))]

    def predict(self, features: Features) -> Prediction:
        every = grams(features)
        rows = [row for row in map(self.row.get, every) if row is not None]
        measured = inputs(features)
        scale = GRAM_SCALE / math.sqrt(max(1, len(every)))
        offset = 128 * len(rows)
        heads = [
            bias + step * scale * (total - offset) + sum(map(operator.mul, weights, measured))
            for bias, step, total, weights in zip(self.bias, self.steps, self._sums(rows), self.inputs, strict=True)
        ]
        return Prediction(heads, self._coverage(features), rows, len(every), measured)

    def _sums(self, rows: Sequence[int]) -> list[int]:
        totals = [0] * len(HEADS)
        for start in range(0, len(rows), _AT_ONCE):
            added = sum(map(self._lanes.__getitem__, rows[start : start + _AT_ONCE]))
            part = struct.unpack(f"<{len(HEADS)}H", added.to_bytes(_WIDTH, "little"))
            totals = list(map(operator.add, totals, part))
        return totals

    def _coverage(self, features: Features) -> float:
        words = [token for token in features.tokens if token[0].isalpha()]
        if not words:
            return 1.0 if features.tokens else 0.0
        return sum(map(self.row.__contains__, words)) / len(words)

    def pushes(
        self, prediction: Prediction, one: tuple[int, float], other: tuple[int, float], most: int
    ) -> list[tuple[str, float]]:
        """What pushed the sum of two heads, each with its weight, most: n-grams, in quotes, and measures against the
        usual prompt."""
        (first, weight), (second, more) = one, other
        scale = GRAM_SCALE / math.sqrt(max(1, prediction.total))
        step, stride = weight * scale * self.steps[first], more * scale * self.steps[second]
        column, beside, rows = self._columns[first], self._columns[second], prediction.rows
        effects = [step * column[row] + stride * beside[row] for row in rows]
        strongest = nlargest(most, zip(map(abs, effects), rows, effects, strict=True))
        measured: dict[str, float] = {}
        away = map(operator.sub, prediction.measured, self.usual)
        for name, each, also, by in zip(INPUT_NAMES, self.inputs[first], self.inputs[second], away, strict=True):
            measured[name] = measured.get(name, 0.0) + (weight * each + more * also) * by
        said = [(self._quoted(row), effect) for _, row, effect in strongest]
        return nlargest(most, [*said, *measured.items()], key=_strength)

    def speaking_for(self, prediction: Prediction, head: int) -> list[str]:
        """The three n-grams that pushed a head up most, in quotes."""
        rows = prediction.rows
        best = nlargest(3, zip(map(self._columns[head].__getitem__, rows), rows, strict=True))
        return [self._quoted(row) for effect, row in best if effect > 0]

    def _quoted(self, row: int) -> str:
        return f"'{self.grams[row].lstrip('^')}'"


def _strength(pushed: tuple[str, float]) -> float:
    return abs(pushed[1])


@cache
def weights() -> Weights:
    # Not by importlib.resources, which alone takes as long as all the rest.
    path = Path(__file__).parent / "weights" / "profile.json"
    return Weights(json.loads(path.read_text("utf-8")))
