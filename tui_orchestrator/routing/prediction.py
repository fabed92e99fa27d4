"""The trained part of the profile: sums of small weights over the n-grams and the measures of a text.

The weights lie in the package as two files of less than a megabyte together, read when the first prompt is profiled:
`profile.json`, and `profile.rows` with one signed byte per n-gram and head. The rows of a prompt's n-grams are added as
big integers with sixteen bits a head, so that all heads together cost one addition a row.
"""

from __future__ import annotations

import json
import math
import operator
import struct
from array import array
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache, cached_property
from heapq import nlargest
from itertools import pairwise
from pathlib import Path

from .cues import LEARNED_TYPES
from .cues import points as cue_points
from .features import Features
from .lexicon import COMMON, CUES
from .measures import MEASURES, count_grams, measure
from .profile import Published, TaskType
from .published import KINDS, outcomes

BANDS = 8
HEADS = (
    *(kind.value for kind in LEARNED_TYPES),
    "perceived",
    "open",
    "choice",
    "many",
    "output",
    *(f"subjects of band {number}" for number in range(BANDS)),
    *KINDS,
    "everyday",
)
"""Logits of the task types; complexity; gain of a strong model over a weak one for open questions, for four options
and for more; natural logarithm of the answer's tokens; logits of the subjects of examinations, gathered in bands of
like gain; logits of the kinds of open question that outcomes were published of, and of being none of them."""
PERCEIVED, OPEN, CHOICE, MANY, OUTPUT = range(len(LEARNED_TYPES), len(LEARNED_TYPES) + 5)
_ALWAYS = OUTPUT + 1
_SUBJECTS = range(_ALWAYS, _ALWAYS + BANDS)
_KINDS = range(_SUBJECTS.stop, len(HEADS))
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
    return measure(features) + [_CUE_SCALE * gathered[kind] for kind in LEARNED_TYPES]


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
    subject: float
    """Part of the head `choice`: what its subject says of the gain."""
    examined: float
    """That an open question is of a kind that outcomes were published of."""
    published: Published

    def logits(self) -> dict[TaskType, float]:
        return dict(zip(LEARNED_TYPES, self.heads, strict=False))


class Weights:
    """What was learned; see `training/profile.py` for how, and its card for from what."""

    def __init__(self, stored: Mapping[str, object], rows: bytes) -> None:
        """`rows`: of each word, then of each pair, a byte for each of HEADS, 128 more than the weight in its steps.
        Raises ValueError where these are of other weights than `stored`."""
        words, pairs = str(stored["words"]).split("\n"), str(stored["pairs"]).split()
        self.grams = (words, pairs)
        if len(rows) != len(HEADS) * (len(words) + len(pairs) // 2):
            raise ValueError("profile.rows does not belong to profile.json: train both anew")
        # The words of the hand-set lists are familiar too, though they have no row.
        self.row: dict[str, int | None] = dict.fromkeys((*COMMON, *CUES))
        """Of a word or sign."""
        self.row.update(zip(words, range(len(words)), strict=True))
        behind = range(len(words), len(words) + len(pairs) // 2)
        self.row_of_pair = dict(zip(zip(pairs[::2], pairs[1::2], strict=True), behind, strict=True))
        self.steps: list[float] = stored["steps"]  # type: ignore[assignment]
        self.bias: list[float] = stored["bias"]  # type: ignore[assignment]
        self.inputs: list[list[float]] = stored["inputs"]  # type: ignore[assignment]
        """By head, a weight an input."""
        self.usual: list[float] = stored["usual"]  # type: ignore[assignment]
        """The inputs of the mean prompt learned from."""
        self.anchors: dict[str, float] = stored["anchors"]  # type: ignore[assignment]
        self.bands: list[float] = stored["bands"]  # type: ignore[assignment]
        """The gain of each band of subjects."""
        self.published: dict[str, list[float]] = stored["published"]  # type: ignore[assignment]
        """By model, the share of good answers to each of KINDS."""
        self._stored = rows
        self._lanes: list[int | None] = [None] * (len(rows) // len(HEADS))
        """By row, one integer with sixteen bits a head; made when it is first asked for, since most never are."""

    @cached_property
    def _columns(self) -> list[array[int]]:
        """By head, the weight of each n-gram in steps."""
        signed = self._stored.translate(bytes(value ^ 128 for value in range(256)))
        return [array("b", signed[head :: len(HEADS)]) for head in range(len(HEADS))]

    def rows_of(self, features: Features, words: Iterable[str] | None = None) -> list[int]:
        """Of the known ones among the n-grams of `measures.grams`, each once. Words and pairs lie apart, because a pair
        is looked up without putting it together first. `words`: those of `row`, where they are at hand."""
        tokens = features.tokens
        known: set[int | None] = set(map(self.row.get, features.distinct if words is None else words))
        known.update(map(self.row_of_pair.get, pairwise(tokens)))
        if tokens:
            first = "^" + tokens[0]
            known.add(self.row.get(first))
            known.update(self.row_of_pair.get((first, second)) for second in tokens[1:2])
        known.discard(None)
        return list(known)  # type: ignore[arg-type]

    def predict(self, features: Features) -> Prediction:
        familiar = self.row.keys() & features.distinct
        rows, total_grams, measured = self.rows_of(features, familiar), count_grams(features), inputs(features)
        scale = GRAM_SCALE / math.sqrt(max(1, total_grams))
        sums, offset = self._sums(rows), 128 * len(rows)
        # Near half of them are 0; those of the cues never are all at once.
        there = [at for at, value in enumerate(measured) if value]
        weights_of, values = operator.itemgetter(*there), [measured[at] for at in there]

        def of(heads: range) -> list[float]:
            return [
                self.bias[at]
                + self.steps[at] * scale * (sums[at] - offset)
                + sum(map(operator.mul, weights_of(self.inputs[at]), values))
                for at in heads
            ]

        heads = of(range(_ALWAYS))
        subject, kinds = 0.0, _NO_KINDS
        if features.multiple_choice:
            subject = sum(map(operator.mul, _shares(of(_SUBJECTS)), self.bands))
            heads[CHOICE] += subject
        elif features.tokens:
            kinds = _shares(of(_KINDS))
        published = outcomes(kinds[:-1], self.published)
        coverage = _coverage(features, familiar)
        return Prediction(heads, coverage, rows, total_grams, measured, subject, 1.0 - kinds[-1], published)

    def _sums(self, rows: Sequence[int]) -> list[int]:
        totals = [0] * len(HEADS)
        for start in range(0, len(rows), _AT_ONCE):
            chosen = rows[start : start + _AT_ONCE]
            lanes = list(map(self._lanes.__getitem__, chosen))
            if None in lanes:
                lanes = list(map(self._lane, chosen))
            added: int = sum(lanes)  # type: ignore[arg-type]
            part = struct.unpack(f"<{len(HEADS)}H", added.to_bytes(_WIDTH, "little"))
            totals = list(map(operator.add, totals, part))
        return totals

    def _lane(self, row: int) -> int:
        made = self._lanes[row]
        if made is None:
            spaced = bytearray(_WIDTH)
            spaced[::2] = self._stored[row * len(HEADS) : (row + 1) * len(HEADS)]
            made = self._lanes[row] = int.from_bytes(spaced, "little")
        return made

    def pushes(
        self, prediction: Prediction, one: tuple[int, float], other: tuple[int, float], most: int, least: float
    ) -> list[tuple[str, float]]:
        """What pushed the sum of two heads, each with its weight, most, and by `least` at least: n-grams, in quotes,
        and measures against the usual prompt."""
        (first, weight), (second, more) = one, other
        scale = GRAM_SCALE / math.sqrt(max(1, prediction.total))
        step, stride = weight * scale * self.steps[first], more * scale * self.steps[second]
        said = zip(self._of(first, prediction), self._of(second, prediction), prediction.rows, strict=True)
        effects = [(effect, row) for a, b, row in said if not -least < (effect := step * a + stride * b) < least]
        measured: dict[str, float] = {}
        away = map(operator.sub, prediction.measured, self.usual)
        for name, each, also, by in zip(INPUT_NAMES, self.inputs[first], self.inputs[second], away, strict=True):
            measured[name] = measured.get(name, 0.0) + (weight * each + more * also) * by
        effects.sort(key=_by_size_and_place)
        strongest = [(self._quoted(row), effect) for effect, row in effects[:most]]
        found = [*strongest, *(named for named in measured.items() if not -least < named[1] < least)]
        return nlargest(most, found, key=_strength)

    def speaking_for(self, prediction: Prediction, head: int) -> list[str]:
        """The three n-grams that pushed a head up most, in quotes."""
        effects = self._of(head, prediction)
        least = max(1, nlargest(3, effects)[-1]) if effects else 1
        best = sorted(((effect, row) for effect, row in zip(effects, prediction.rows, strict=True) if effect >= least))
        return [self._quoted(row) for _, row in best[:-4:-1]]

    def _of(self, head: int, prediction: Prediction) -> list[int]:
        """Of the text's known n-grams, what each weighs in this head, in steps of it."""
        return list(map(self._columns[head].__getitem__, prediction.rows))

    def _quoted(self, row: int) -> str:
        words, pairs = self.grams
        at = 2 * (row - len(words))
        said = words[row] if at < 0 else f"{pairs[at]} {pairs[at + 1]}"
        return f"'{said.lstrip('^')}'"


def _coverage(features: Features, familiar: Set[str]) -> float:
    words = len(features.words) - len(features.figures)
    if words <= 0:
        return 1.0 if features.tokens else 0.0
    return min(1.0, sum(map(familiar.__contains__, features.words)) / words)


_NO_KINDS = [0.0] * len(KINDS) + [1.0]


def _shares(logits: Sequence[float]) -> list[float]:
    """Softmax."""
    top = max(logits)
    grown = [math.exp(logit - top) for logit in logits]
    total = sum(grown)
    return [each / total for each in grown]


def _strength(pushed: tuple[str, float]) -> float:
    return abs(pushed[1])


def _by_size_and_place(pushed: tuple[float, int]) -> tuple[float, int]:
    return -abs(pushed[0]), pushed[1]


@cache
def weights() -> Weights:
    # Not by importlib.resources, which alone takes as long as all the rest.
    folder = Path(__file__).parent / "weights"
    return Weights(json.loads((folder / "profile.json").read_bytes()), (folder / "profile.rows").read_bytes())
