"""How likely a model's answer is good enough: its prior ability, and what this user's own turns have taught.

An item-response model: p = sigmoid(discrimination × (ability + shift − difficulty)). Ability and difficulty share one
scale of 0 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from .model import Model
from .profile import Level, Profile

LEAST, MOST = 0.01, 0.99

_LEVEL_ABILITY: Mapping[Level, float] = {
    Level.BASIC: 0.35,
    Level.INTERMEDIATE: 0.58,
    Level.ADVANCED: 0.75,
    Level.EXPERT: 0.92,
}
"""By hand, November 2026: at the default discrimination of 8 a model is 0.83, 0.78, 0.74 and 0.64 sure on a prompt in
the middle of its own level (difficulty 0.15, 0.42, 0.62, 0.85)."""

_LEVEL_SUCCESS: Mapping[Level, float] = {
    Level.BASIC: 0.50,
    Level.INTERMEDIATE: 0.65,
    Level.ADVANCED: 0.75,
    Level.EXPERT: 0.82,
}
"""Of prompts nothing is known about. Between the shares of questions that small open models (about 0.5) and frontier
models (about 0.8) answered rightly over MMLU and MMLU-Pro, published predictions of 2024."""


def level_ability(level: Level) -> float:
    """The ability of a typical model of this level: what a model gets of which no more is known."""
    return _LEVEL_ABILITY[level]


def success_probability(model: Model, profile: Profile, standing_shift: float, discrimination: float) -> float:
    """That the model's answer to this prompt is good enough, 0.01 to 0.99.

    `standing_shift` is learned and added to the model's ability. The more novel the prompt, the less its difficulty
    says: it is drawn towards the one at which models of this level succeed as often as they do on prompts at large.
    """
    trust = 1.0 - min(1.0, max(0.0, profile.novelty))
    at_large = _LEVEL_ABILITY[model.level] - _logit(_LEVEL_SUCCESS[model.level]) / max(0.1, discrimination)
    difficulty = trust * profile.difficulty + (1 - trust) * at_large
    return _clamped(_sigmoid(discrimination * (model.ability + standing_shift - difficulty)))


PRIOR_STRENGTH = 20.0
"""Observations the prior counts for: after as many of the user's own, both weigh the same."""
DECAY = 0.995
"""Of what was seen before, per observation of weight 1: a memory of about 200 turns, so that a model that changes
behind its name is noticed."""
_LARGEST_SHIFT = 0.25


@dataclass(frozen=True, slots=True)
class AbilityRecord:
    """What one user saw of one model on one task type: pseudo-counts, the older ones decayed."""

    wins: float = 0.0
    losses: float = 0.0
    expected: float = 0.0
    """Wins that had been predicted over the same observations: a model that is only given hard prompts is not blamed
    for their being hard."""

    @property
    def seen(self) -> float:
        return self.wins + self.losses

    def shift(self, discrimination: float, parent: float = 0.0) -> float:
        """What to add to the model's ability, at most 0.25 either way.

        `parent` is the shift of the same model over all task types, towards which a record with few observations
        leans; 0 leans on the model's prior ability.
        """
        if self.seen <= 0:
            return parent
        predicted = _clamped(self.expected / self.seen)
        prior = _sigmoid(_logit(predicted) + discrimination * parent)
        mean = (PRIOR_STRENGTH * prior + self.wins) / (PRIOR_STRENGTH + self.seen)
        shift = (_logit(_clamped(mean)) - _logit(predicted)) / max(0.1, discrimination)
        return max(-_LARGEST_SHIFT, min(_LARGEST_SHIFT, shift))


def observe(record: AbilityRecord, outcome: float, weight: float = 1.0, predicted: float = 0.75) -> AbilityRecord:
    """The record with one more observation.

    `outcome` is 1 for a win, 0 for a loss, or between; `weight` says how sure that is (a vote 1, a regeneration or an
    escalation less); `predicted` is the success probability the decision had gone by.
    """
    outcome, weight = min(1.0, max(0.0, outcome)), max(0.0, weight)
    kept = DECAY**weight
    return AbilityRecord(
        wins=record.wins * kept + outcome * weight,
        losses=record.losses * kept + (1 - outcome) * weight,
        expected=record.expected * kept + _clamped(predicted) * weight,
    )


def _sigmoid(x: float) -> float:
    if x >= 0:
        return 1 / (1 + math.exp(-min(x, 500.0)))
    grown = math.exp(max(x, -500.0))
    return grown / (1 + grown)


def _logit(p: float) -> float:
    return math.log(p / (1 - p))


def _clamped(p: float) -> float:
    return min(MOST, max(LEAST, p))
