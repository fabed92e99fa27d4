"""How likely a model's answer is good enough: its prior ability, and what this user's own turns have taught.

An item-response model: p = sigmoid(discrimination × (ability[model, task] + shift − difficulty)). Ability and
difficulty share one scale of 0 to 1; the task counts by its probability.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from .model import Model
from .profile import Level, Profile, TaskType
from .published import published_as

LEAST, MOST = 0.01, 0.99

LEVEL_ABILITY: Mapping[Level, float] = {
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


def ability_for(model: Model, profile: Profile) -> float:
    """The model's ability for this prompt's mix of task types, before anything was learned."""
    return model.ability + _expected(model.task_abilities, profile)


def _difficulty_for(model: Model, profile: Profile, discrimination: float) -> float:
    """The prompt's difficulty for this model.

    The more novel the prompt, the less its own difficulty says: it is drawn towards the one at which models of this
    ability succeed as often as they do on prompts at large.
    """
    if not profile.novelty:
        return profile.difficulty
    trust = 1.0 - min(1.0, max(0.0, profile.novelty))
    return trust * profile.difficulty + (1 - trust) * _difficulty_at_large(model.ability, discrimination)


@lru_cache(maxsize=1024)
def _difficulty_at_large(ability: float, discrimination: float) -> float:
    return ability - logit(_success_at_large(ability)) / max(0.1, discrimination)


def _success_at_large(ability: float) -> float:
    """Straight between the levels and beyond them: by the level alone, the ablest of one would pass for better than
    the least able of the next."""
    known = [(LEVEL_ABILITY[level], _LEVEL_SUCCESS[level]) for level in Level]
    (low, less), (high, more) = next(
        (pair for pair in pairwise(known) if ability <= pair[1][0]), (known[-2], known[-1])
    )
    return clamped(less + (more - less) * (ability - low) / (high - low))


def success_probability(model: Model, profile: Profile, standing_shift: float, discrimination: float) -> float:
    """That the model's answer to this prompt is good enough, 0.01 to 0.99.

    `standing_shift` is learned and added to the model's ability. Where outcomes of the model were published of
    questions like the prompt, they count by how like it is.
    """
    difficulty = _difficulty_for(model, profile, discrimination)
    ability = ability_for(model, profile) if model.task_abilities else model.ability
    odds = discrimination * (ability - difficulty)
    said = profile.published
    if said.trust and (known := published_as(model.name)) is not None and known in said.chances:
        odds = logit(clamped((1 - said.trust) * sigmoid(odds) + said.trust * said.chances[known]))
    odds += discrimination * standing_shift
    return clamped(sigmoid(odds))


PRIOR_STRENGTH = 20.0
"""Observations the prior counts for: after as many of the user's own of one task type, both weigh the same."""
LARGEST_SHIFT = 0.25
_VARIANCE = 1.0 / (PRIOR_STRENGTH * 0.75 * 0.25)
"""Of what is to be learned of a model on one task type, in log-odds squared: what so many observations of a model that
succeeds three times in four leave open. Half of it is the model's over all task types, half the task type's own."""
MOST_PER_VOTE = _VARIANCE
"""Log-odds: no observation of weight 1 moves a probability further, whatever was seen before. 0.07 of p at most."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an answer turned out to be."""

    task: TaskType
    outcome: float
    """1 good, 0 bad, or between."""
    weight: float
    """How much it counts: a vote 1, weaker signs less, older ones less again."""
    predicted: float
    """The success probability without anything learned: a model that is only given hard prompts is not blamed for
    their being hard."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What to add to one model's log-odds of a good answer."""

    general: float = 0.0
    """Over all task types."""
    by_task: Mapping[TaskType, float] = field(default_factory=dict)
    """On top of it, for the task types something was seen of."""

    def shift(self, profile: Profile, discrimination: float) -> float:
        """On the scale of abilities, at most 0.25 either way, for this prompt's mix of task types."""
        if not self.by_task and not self.general:
            return 0.0
        return _capped((self.general + _expected(self.by_task, profile)) / max(0.1, discrimination))

    def shift_for(self, task: TaskType, discrimination: float) -> float:
        return _capped((self.general + self.by_task.get(task, 0.0)) / max(0.1, discrimination))


def learn(history: Iterable[Seen]) -> Learned:
    """The likeliest shifts given what was seen: a normal prior around 0, shared by the task types of a model, and each
    outcome a coin of log-odds logit(predicted) + general + the task type's own.

    Found by Newton's method; steps are shortened as logistic losses need it (Bach, 2010), so that it always arrives.
    """
    cells: dict[tuple[TaskType, float], tuple[float, float]] = {}
    for one in history:
        if one.weight > 0:
            # Hundredths of p are as fine as it is known, and equal ones are added up.
            cell = one.task, round(clamped(one.predicted), 2)
            weight, good = cells.get(cell, (0.0, 0.0))
            cells[cell] = weight + one.weight, good + one.weight * min(1.0, max(0.0, one.outcome))
    if not cells:
        return Learned()
    coins = [(task, logit(p), weight, good) for (task, p), (weight, good) in cells.items()]
    general, own = 0.0, dict.fromkeys((task for task, *_ in coins), 0.0)
    for _ in range(100):
        general_step, own_steps = _newton(coins, general, own)
        longest = max(abs(general_step + step) for step in own_steps.values())
        share = math.log1p(longest) / longest if longest > 1e-12 else 1.0
        general += share * general_step
        own = {task: value + share * own_steps[task] for task, value in own.items()}
        if longest < 1e-7:
            break
    return Learned(general, own)


def _newton(
    coins: Iterable[tuple[TaskType, float, float, float]], general: float, own: Mapping[TaskType, float]
) -> tuple[float, dict[TaskType, float]]:
    """One step towards the maximum of the posterior. The task types touch each other only through `general`, so the
    system is solved by eliminating them one by one."""
    precision = 2.0 / _VARIANCE
    slope = {task: -precision * value for task, value in own.items()}
    curve = dict.fromkeys(own, 0.0)
    general_slope = -precision * general
    for task, prior, weight, good in coins:
        p = sigmoid(prior + general + own[task])
        slope[task] += good - weight * p
        general_slope += good - weight * p
        curve[task] += weight * p * (1 - p)
    general_curve = precision
    for task, bend in curve.items():
        general_curve += bend - bend * bend / (bend + precision)
        general_slope -= bend * slope[task] / (bend + precision)
    step = general_slope / general_curve
    return step, {task: (slope[task] - curve[task] * step) / (curve[task] + precision) for task in own}


def without(probability: float, shift: float, discrimination: float) -> float:
    """A success probability as it would have been with nothing learned."""
    return clamped(sigmoid(logit(clamped(probability)) - discrimination * shift))


def _expected(by_task: Mapping[TaskType, float], profile: Profile) -> float:
    chances = profile.task_probabilities or {profile.task_type: 1.0}
    return sum(value * chances.get(task, 0.0) for task, value in by_task.items())


def _capped(shift: float) -> float:
    return max(-LARGEST_SHIFT, min(LARGEST_SHIFT, shift))


def sigmoid(x: float) -> float:
    if x >= 0:
        return 1 / (1 + math.exp(-min(x, 500.0)))
    grown = math.exp(max(x, -500.0))
    return grown / (1 + grown)


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def clamped(p: float) -> float:
    return LEAST if p < LEAST else MOST if p > MOST else p
