"""What the strategies maximise: a few terms with the user's weights, and what they come to for one candidate.

Cost and latency lie on logarithmic scales from 0 to about 1, so that a tenfold price counts the same at $0.001 as at
$0.10. A leaning of the user's (`prefer_local`, `prefer_opensource`) counts in every strategy, on that strategy's own
scale; `default_model` only where qualities are weighed against each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from .added import MOST_SCORE, added
from .decision import Candidate, Policy
from .money import PICODOLLARS_PER_DOLLAR, Money
from .request import Strategy

_CHEAP = PICODOLLARS_PER_DOLLAR // 10_000  # costs below a hundredth of a cent are all nearly nothing
_DEAR_LOG = math.log1p(PICODOLLARS_PER_DOLLAR / _CHEAP)  # the cost scale reaches 1 at a dollar
_SLOW_LOG = math.log1p(60.0)  # the latency scale reaches 1 after a minute


def cost_term(cost: Money | None) -> float:
    """0 for free, 1 at a dollar, logarithmic between; an unknown cost counts like a dollar."""
    if cost is None:
        return 1.0
    return math.log1p(cost.picodollars / _CHEAP) / _DEAR_LOG


def latency_term(seconds: float) -> float:
    """0 at once, 1 after a minute, logarithmic between. A store that was changed may say less than nothing."""
    return math.log1p(max(0.0, seconds)) / _SLOW_LOG


def utility_by(policy: Policy) -> Callable[[Candidate, float], float]:
    """What `balanced` maximises, of a candidate and its success probability or one that stands in for it."""
    weights, lean_to, leans = policy.weights, policy.lean_to, leans_at_all(policy)
    quality, dear, slow = weights.quality, weights.cost, weights.latency

    def utility(candidate: Candidate, probability: float) -> float:
        value = quality * probability - dear * cost_term(candidate.estimated_cost)
        value -= slow * latency_term(candidate.estimated_latency_s)
        if lean_to is not None and _leant_to(candidate, lean_to):
            value += weights.leanings.default_model
        return value + leaning(candidate, policy) if leans else value

    return utility


def leans_at_all(policy: Policy) -> bool:
    """Whether `leaning` is more than 0 for any model."""
    return policy.prefer_local or policy.prefer_opensource


def leaning(candidate: Candidate, policy: Policy) -> float:
    """What the user's preferences of kinds of models add to this one, in any strategy."""
    value = 0.0
    if policy.prefer_local and candidate.local:
        value += policy.weights.leanings.local
    if policy.prefer_opensource and candidate.open_weights:
        value += policy.weights.leanings.open_weights
    return value


def leant_cost(candidate: Candidate, policy: Policy) -> float:
    """Its cost in picodollars with the leanings as a discount: 0.1 on the cost scale is three fifths off. An unknown
    cost counts like a dollar."""
    cost = candidate.estimated_cost
    amount = float(PICODOLLARS_PER_DOLLAR if cost is None else cost.picodollars)
    if not leans_at_all(policy):
        return amount
    return amount * math.exp(-_DEAR_LOG * leaning(candidate, policy))


def _leant_to(candidate: Candidate, wanted: str) -> bool:
    bare = candidate.model.removeprefix(f"{candidate.provider}/")
    return wanted in (candidate.model, candidate.provider, bare)


class Term(NamedTuple):
    """One part of a score: its weight, below zero where less is better, and the candidate's value on its scale."""

    name: str
    weight: float
    value: float

    def __str__(self) -> str:
        worth = round(self.weight * self.value, 2)
        return f"{self.name} {worth:+.2f}" if worth else f"{self.name} 0"


def terms(strategy: Strategy, candidate: Candidate, policy: Policy) -> tuple[Term, ...]:
    """What this strategy weighs of a candidate. Where it maximises a plain sum, they add up to the utility."""
    weights, leanings = policy.weights, policy.weights.leanings
    quality = Term("quality", 1.0, candidate.success_probability)
    cost = cost_term(candidate.estimated_cost)
    leant = []
    if policy.prefer_local and candidate.local:
        leant.append(Term("local", leanings.local, 1.0))
    if policy.prefer_opensource and candidate.open_weights:
        leant.append(Term("open weights", leanings.open_weights, 1.0))
    if not strategy.built_in and candidate.score > -1.5 * MOST_SCORE:
        worth = candidate.score - leaning(candidate, policy)
        return (Term(strategy.value, 1.0, worth), *leant)
    match strategy:
        case Strategy.QUALITY:
            own = [quality]
        case Strategy.CHEAPEST | Strategy.FALLBACK:
            own = [Term("cost", -1.0, cost)]
        case Strategy.PERFORMANCE:
            own = [Term("time", -1.0, latency_term(candidate.estimated_latency_s))]
        case Strategy.ENSEMBLE:
            own = [quality, Term("cost", -weights.diversity.cost, cost)]
        case _:
            time = latency_term(candidate.estimated_latency_s)
            own = [quality._replace(weight=weights.quality), Term("cost", -weights.cost, cost)]
            own.append(Term("time", -weights.latency, time))
            if policy.lean_to is not None and _leant_to(candidate, policy.lean_to):
                leant.append(Term("default model", leanings.default_model, 1.0))
    return (*own, *leant)


def objective(strategy: Strategy, policy: Policy) -> str:
    """What the strategy maximises, with its weights, in one line for people."""
    weights, threshold = policy.weights, f"p ≥ {policy.quality_threshold:.2f}"
    balance = f"{weights.quality:g} × p − {weights.cost:g} × cost − {weights.latency:g} × time"
    match strategy:
        case Strategy.CHEAPEST:
            said = f"least cost among {threshold}"
        case Strategy.PERFORMANCE:
            said = f"least time among {threshold}"
        case Strategy.QUALITY:
            said = "most p, a tie to the cheaper"
        case Strategy.FALLBACK:
            said = f"least expected cost of a walk that ends well with {threshold}, or nearly as well as the surest"
        case Strategy.ENSEMBLE:
            kin = weights.diversity
            said = f"p − {kin.cost:g} × cost − {kin.same_family:g} for each member of the same family"
            said += f" − {kin.same_provider:g} for each of the same provider"
        case Strategy.PREFERENCE:
            votes = weights.votes
            said = (
                f"your votes; before them {balance}, worth {votes.estimate:g} votes overall, {votes.task:g} on a task"
            )
        case Strategy.LOCAL_FIRST:
            said = f"local while complexity ≤ {policy.local_max_complexity} or {threshold}; then {balance}"
        case Strategy.BALANCED:
            said = balance
        case _:
            one = added(strategy)
            said = f"what {strategy} of {one.source} gives" if one else f"what {strategy} gave at the time"
    return said + "".join(_leanings(strategy, policy))


def _leanings(strategy: Strategy, policy: Policy) -> list[str]:
    leanings = policy.weights.leanings
    said = []
    if policy.prefer_local:
        said.append(f" + {leanings.local:g} if local")
    if policy.prefer_opensource:
        said.append(f" + {leanings.open_weights:g} if its weights are open")
    if policy.lean_to is not None and strategy in (Strategy.BALANCED, Strategy.PREFERENCE, Strategy.LOCAL_FIRST):
        said.append(f" + {leanings.default_model:g} for {policy.lean_to}")
    return said
