"""How many tokens each model makes of a text: the estimate from its bytes, times what that model's own reports taught.

A report moves a factor by a bounded step, and the less the more were seen, so one odd report cannot do much. What a
call is reserved for is never less than it would be without anything learned: a factor learned from prose may only widen
the bound for a table of digits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from enum import StrEnum

from .budget import input_bound
from .features import script_tokens
from .money import Usage
from .profile import Mix, Profile


class Kind(StrEnum):
    """What is learned of a model. Scripts and images: the logarithm of what an estimate is multiplied by."""

    LETTERS = "letters"
    SIGNS = "signs"
    CJK = "cjk"
    OTHER = "other"
    IMAGE = "image"
    BASE = "base"
    """Tokens of every call beside its text: a template, a system prompt of the server's own."""
    HIDDEN = "hidden"
    """Tokens of reasoning that an answer has beside what is shown of it."""


_STEP = 0.5
"""The most one report can be off by in what is learned from it, as a logarithm: a factor of 1.65."""
_PRIOR, _MEMORY = 2.0, 30.0
"""Reports the first estimate counts for, and reports a newer one is weighed against at most."""
_FURTHEST = 1.4
"""No tokeniser makes four times as many or few of what it was estimated at; a fault of a server might."""
_SMALL = 100
"""Tokens of a call that tell as much of its base as of its text."""
_LEAST_MARGIN, _DEVIATIONS = 0.5, 4
"""What is added to an estimate for its upper bound: half, or four times its mean deviation where that is more."""


@dataclass(slots=True)
class Factor:
    value: float = 0.0
    seen: float = 0.0

    def learn(self, off: float, weight: float) -> None:
        self.value += off * weight / (min(self.seen, _MEMORY) + _PRIOR)
        self.seen += weight


@dataclass(slots=True)
class _Model:
    factors: dict[Kind, Factor] = field(default_factory=lambda: {kind: Factor() for kind in Kind})
    deviation: Factor = field(default_factory=Factor)

    def times(self, kind: Kind) -> float:
        return math.exp(self.factors[kind].value)

    def of(self, counts: Iterable[tuple[Kind, float]]) -> float:
        return sum(count * self.times(kind) for kind, count in counts if count)

    def learn(self, counts: list[tuple[Kind, float]], expected: float, reported: int, weight: float) -> None:
        whole = sum(count for _, count in counts)
        off = max(-_STEP, min(_STEP, math.log(reported / max(1.0, expected))))
        for kind, count in counts:
            if count:
                factor = self.factors[kind]
                factor.learn(off, weight * count / whole)
                factor.value = max(-_FURTHEST, min(_FURTHEST, factor.value))
        self.deviation.learn(abs(off) - self.deviation.value, weight)


DEVIATION = "deviation"
"""Beside the kinds, by the same name in storage: the mean deviation of a model's estimates, as a logarithm."""


class TokenEstimates:
    """Lives on the event loop. What is not learned yet is estimated from bytes alone."""

    def __init__(self) -> None:
        self._models: dict[str, _Model] = {}
        self._changed: set[str] = set()

    @property
    def known(self) -> Set[str]:
        """Ids of the models that something was learned of."""
        return self._models.keys()

    def input(self, model_id: str, prompt: Profile) -> int:
        """What the model is likely to report as input."""
        learned = self._models.get(model_id)
        return prompt.input_tokens if learned is None else max(1, round(_input(learned, prompt)))

    def bound(self, model_id: str, prompt: Profile) -> int:
        """What it will not pass: for reservations and rate limits."""
        usual, learned = input_bound(prompt.input_tokens), self._models.get(model_id)
        if learned is None:
            return usual
        margin = max(_LEAST_MARGIN, _DEVIATIONS * learned.deviation.value)
        return max(usual, math.ceil(_input(learned, prompt) * (1 + margin)) + 64)

    def output(self, model_id: str, text: str, thinking: str) -> int:
        """What the model is likely to bill for an answer that broke off after this much of it. Reasoning it never
        shows counts from the first word of its answer on, as much as it has had on the average."""
        learned = self._models.get(model_id) or _UNLEARNED
        tokens = learned.of(_counted(text)) + learned.of(_counted(thinking))
        if text and not thinking:
            tokens += learned.factors[Kind.HIDDEN].value
        return max(1, round(tokens)) if text or thinking else 0

    def learn(self, model_id: str, prompt: Profile, text: str, thinking: str, reported: Usage) -> None:
        """From a finished answer, cleaned, and what its provider counted. Estimated usage teaches nothing."""
        if reported.source != "provider" or not (reported.input or reported.output):
            return
        learned = self._models.setdefault(model_id, _Model())
        self._changed.add(model_id)
        if reported.input and prompt.input_tokens:
            _learn_input(learned, prompt, reported.input)
        # What is shown of reasoning that was counted apart may be a summary of it.
        shown = [*_counted(text), *([] if reported.reasoning else _counted(thinking))]
        whole, made = sum(count for _, count in shown), reported.output - reported.reasoning
        if made > 0:
            learned.learn(shown, learned.of(shown), made, whole / (whole + _SMALL))
        if text and not thinking:
            hidden = learned.factors[Kind.HIDDEN]
            hidden.learn(reported.reasoning - hidden.value, 1.0)

    # Kept across restarts

    def changed(self) -> Iterator[tuple[str, str, float, float]]:
        """Model, kind, value and weight of all that changed since this was last asked."""
        for model_id in sorted(self._changed):
            learned = self._models[model_id]
            for name, factor in (*learned.factors.items(), (DEVIATION, learned.deviation)):
                yield model_id, str(name), factor.value, factor.seen
        self._changed.clear()

    def remember(self, rows: Iterable[tuple[str, str, float, float]]) -> None:
        """As `changed` gave them. Kinds that this version does not know are passed over."""
        for model_id, name, value, seen in rows:
            learned = self._models.setdefault(model_id, _Model())
            if name == DEVIATION:
                learned.deviation = Factor(value, seen)
            elif name in Kind.__members__.values():
                learned.factors[Kind(name)] = Factor(value, seen)


_UNLEARNED = _Model()


def _input(learned: _Model, prompt: Profile) -> float:
    return learned.of(_shared(prompt.input_tokens, prompt.mix)) + learned.factors[Kind.BASE].value


def _learn_input(learned: _Model, prompt: Profile, reported: int) -> None:
    expected, tokens = _input(learned, prompt), prompt.input_tokens
    weight = tokens / (tokens + _SMALL)
    step = max(32.0, expected)
    base = learned.factors[Kind.BASE]
    base.learn(max(-step, min(step, reported - expected)), 1 - weight)
    base.value = max(0.0, base.value)
    learned.learn(_shared(tokens, prompt.mix), expected, reported, weight)


def _shared(tokens: int, mix: Mix) -> list[tuple[Kind, float]]:
    return [
        (Kind.LETTERS, tokens * mix.letters),
        (Kind.SIGNS, tokens * mix.signs),
        (Kind.CJK, tokens * mix.cjk),
        (Kind.OTHER, tokens * mix.other),
        (Kind.IMAGE, tokens * mix.images),
    ]


def _counted(text: str) -> list[tuple[Kind, float]]:
    return list(zip((Kind.LETTERS, Kind.SIGNS, Kind.CJK, Kind.OTHER), script_tokens(text), strict=True))
