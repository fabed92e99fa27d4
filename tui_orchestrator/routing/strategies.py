"""Weighing candidates and ranking them: pure functions, one ranking per strategy.

The utility of a candidate is p·quality − cost·weight − latency·weight, with cost and latency on logarithmic scales from
0 to about 1, so that a tenfold price counts the same at $0.001 as at $0.10.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from .ability import success_probability
from .budget import input_bound, least_output
from .decision import Candidate, Circumstances, Exclusion, Policy, Standing
from .model import Model, Registry
from .money import Money, Usage
from .profile import Ability, Profile
from .request import Request, Strategy

Ranked = list[Candidate]
MONEY_SAYS_NO = frozenset({Exclusion.OVER_BUDGET, Exclusion.OVER_MAX_COST})

_CHEAP = 1e-4  # dollars; costs below this are all nearly nothing
_DEAR = 1.0  # dollars; the cost scale reaches 1 here
_SLOW_S = 60.0  # the latency scale reaches 1 here
_PREFERENCE_STRENGTH = 20.0  # votes the prior is worth
_SAME_P = 0.01  # success probabilities closer than this are a tie


def weigh(
    request: Request, profile: Profile, registry: Registry, circumstances: Circumstances, policy: Policy
) -> tuple[Candidate, ...]:
    """Every model of the registry as a candidate for this request, not yet ranked: scores are 0."""
    return tuple(weigh_one(request, profile, model, registry, circumstances.of(model.id), policy) for model in registry)


def weigh_one(
    request: Request, profile: Profile, model: Model, registry: Registry, standing: Standing, policy: Policy
) -> Candidate:
    max_tokens = asked = asked_output(request, profile, model, policy)
    reason = _unusable(request, profile, model, registry, standing, policy)
    if reason is None and standing.room is not None:
        max_tokens, reason = _fit(profile, model, standing, asked)
    expected = min(profile.output_tokens, max(1, max_tokens))
    cost = ceiling = None
    if model.price is not None:
        cost = model.price.cost(Usage(profile.input_tokens, expected))
        ceiling = model.price.ceiling(input_bound(profile.input_tokens), max_tokens)
    first_token = model.first_token_s if standing.first_token_s is None else standing.first_token_s
    speed = model.tokens_per_s if standing.tokens_per_s is None else standing.tokens_per_s
    return Candidate(
        model=model.id,
        provider=model.provider,
        local=model.local,
        success_probability=success_probability(model, profile, standing.ability_shift, policy.discrimination),
        estimated_cost=cost,
        cost_ceiling=ceiling,
        estimated_latency_s=standing.wait_s + first_token + expected / max(speed, 0.1),
        score=0.0,
        max_tokens=max_tokens,
        excluded_by=reason[0] if reason else None,
        excluded=reason[1] if reason else None,
        family=model.family,
        open_weights=model.open_weights,
        ability_shift=standing.ability_shift,
        wins=standing.wins,
        losses=standing.losses,
        wins_overall=standing.wins_overall,
        losses_overall=standing.losses_overall,
    )


def asked_output(request: Request, profile: Profile, model: Model, policy: Policy) -> int:
    """The output tokens a call would ask for, were there no budget."""
    asked = request.max_tokens or policy.max_tokens
    if model.max_output:
        asked = min(asked, model.max_output)
    if model.context_window:
        asked = min(asked, max(1, model.context_window - profile.input_tokens))
    return asked


def _unusable(
    request: Request, profile: Profile, model: Model, registry: Registry, standing: Standing, policy: Policy
) -> tuple[Exclusion, str] | None:
    if model.id in registry.out:
        why = registry.out[model.id]
        return (Exclusion.NO_KEY if "key" in why else Exclusion.DISABLED), why
    if standing.out is not None:
        return standing.out
    if model.context_window is not None and profile.input_tokens + 64 > model.context_window:
        return (
            Exclusion.CONTEXT_WINDOW,
            f"reads {model.context_window:,} tokens, the conversation has about {profile.input_tokens:,}",
        )
    if request.has_images and Ability.VISION not in model.abilities:
        return Exclusion.MISSING_ABILITY, "cannot read images"
    if standing.wait_s > policy.max_wait_s:
        return Exclusion.RATE_LIMITED, f"its rate limit is used up for {standing.wait_s:.0f} s"
    if standing.room is not None and model.price is None:
        return (
            Exclusion.UNPRICED,
            f"no price is known and a cap per {standing.room_scope} is set; give one in [[models]]",
        )
    return None


def _fit(profile: Profile, model: Model, standing: Standing, asked: int) -> tuple[int, tuple[Exclusion, str] | None]:
    """Fewer output tokens where that makes the call fit into the budget; otherwise why it does not."""
    assert model.price is not None
    assert standing.room is not None
    bound = input_bound(profile.input_tokens)
    affordable = model.price.affordable_output(bound, standing.room)
    least = least_output(asked, profile.output_tokens)
    if affordable >= least:
        return min(asked, affordable), None
    needs = model.price.ceiling(bound, least)
    if standing.room_scope == "request":
        return asked, (Exclusion.OVER_MAX_COST, f"could cost {needs}, this request may cost {standing.room}")
    return asked, (
        Exclusion.OVER_BUDGET,
        f"could cost {needs}, the budget per {standing.room_scope} has {standing.room} left",
    )


def cost_term(cost: Money | None) -> float:
    """0 for free, about 1 at a dollar, logarithmic between; an unknown cost counts like a dollar."""
    if cost is None:
        return 1.0
    return math.log1p(float(cost.usd) / _CHEAP) / math.log1p(_DEAR / _CHEAP)


def latency_term(seconds: float) -> float:
    """0 at once, 1 after a minute, logarithmic between."""
    return math.log1p(seconds) / math.log1p(_SLOW_S)


def utility(candidate: Candidate, policy: Policy) -> float:
    """What `balanced` maximises."""
    weights = policy.weights
    value = weights.quality * candidate.success_probability
    value -= weights.cost * cost_term(candidate.estimated_cost)
    value -= weights.latency * latency_term(candidate.estimated_latency_s)
    if policy.prefer_local and candidate.local:
        value += 0.1
    if policy.prefer_opensource and candidate.open_weights:
        value += 0.1
    if policy.lean_to is not None and policy.lean_to in (candidate.model, candidate.provider, _bare(candidate)):
        value += 0.15
    return value


def _bare(candidate: Candidate) -> str:
    return candidate.model.removeprefix(f"{candidate.provider}/")


def rank(
    strategy: Strategy,
    candidates: Sequence[Candidate],
    profile: Profile,
    policy: Policy,
    *,
    chain: tuple[str, ...] = (),
    size: int = 3,
) -> Ranked:
    """The candidates best first by this strategy, with their scores; exclusions play no part here."""
    ranking = _RANKINGS[strategy]
    return ranking(candidates, profile, policy, chain, size)


def _cost(candidate: Candidate) -> float:
    return math.inf if candidate.estimated_cost is None else float(candidate.estimated_cost.picodollars)


def _by_score(scored: list[Candidate]) -> Ranked:
    # Equal scores go to the cheaper, then the surer, then by name so that the same question has the same answer.
    return sorted(scored, key=lambda c: (-c.score, _cost(c), -c.success_probability, c.model))


def _good_enough_by(term: Callable[[Candidate], float]) -> Callable[..., Ranked]:
    def ranking(candidates: Sequence[Candidate], profile: Profile, policy: Policy, *_: object) -> Ranked:
        scored = [
            # Above zero however dear or slow: good enough always goes before not good enough.
            replace(c, score=1.0 / (1.0 + term(c)))
            if c.success_probability >= policy.quality_threshold
            else replace(c, score=c.success_probability - 1.0)
            for c in candidates
        ]
        return _by_score(scored)

    return ranking


def _balanced(candidates: Sequence[Candidate], profile: Profile, policy: Policy, *_: object) -> Ranked:
    return _by_score([replace(c, score=utility(c, policy)) for c in candidates])


def _quality(candidates: Sequence[Candidate], profile: Profile, policy: Policy, *_: object) -> Ranked:
    return _by_score([replace(c, score=round(c.success_probability / _SAME_P) * _SAME_P) for c in candidates])


def _preference(candidates: Sequence[Candidate], profile: Profile, policy: Policy, *_: object) -> Ranked:
    """Mean of a Beta posterior: the prior is the utility, the evidence this user's votes for this task type."""
    return _by_score([replace(c, score=_posterior(c, policy)[0]) for c in candidates])


def _posterior(candidate: Candidate, policy: Policy) -> tuple[float, float, float]:
    """Mean, alpha, beta."""
    prior = min(0.99, max(0.01, utility(candidate, policy)))
    alpha = prior * _PREFERENCE_STRENGTH + candidate.wins
    beta = (1.0 - prior) * _PREFERENCE_STRENGTH + candidate.losses
    return alpha / (alpha + beta), alpha, beta


def explore(ranked: Ranked, policy: Policy, seed: int) -> tuple[Ranked, bool]:
    """In a share of at most `exploration` of turns, the winner of one Thompson draw goes first instead.

    The share is drawn before the sample, so it bounds the exploration whatever the posteriors are.
    """
    # Not for secrets: the draw must be repeatable from the stored seed.
    draw = random.Random(seed)
    if len(ranked) < 2 or draw.random() >= policy.exploration:
        return ranked, False
    samples = {c.model: draw.betavariate(*_posterior(c, policy)[1:]) for c in ranked}
    first = max(ranked, key=lambda c: samples[c.model])
    return [first, *(c for c in ranked if c is not first)], first is not ranked[0]


def _local_first(candidates: Sequence[Candidate], profile: Profile, policy: Policy, *_: object) -> Ranked:
    """At most two local models go before the cloud: after two local failures, cloud."""
    easy = profile.complexity <= policy.local_max_complexity
    able = [c for c in candidates if c.local and (easy or c.success_probability >= policy.quality_threshold)]
    able.sort(key=lambda c: (-c.success_probability, _cost(c), c.estimated_latency_s, c.model))
    first = [replace(c, score=1.0 + c.success_probability) for c in able[:2]]
    ahead = {c.model for c in first}
    cloud = _balanced([c for c in candidates if not c.local], profile, policy)
    # The other local ones only stand in where no cloud model can be used.
    last = _balanced([c for c in candidates if c.local and c.model not in ahead], profile, policy)
    return first + cloud + [replace(c, score=c.score - 2.0) for c in last]


def _fallback(
    candidates: Sequence[Candidate], profile: Profile, policy: Policy, chain: tuple[str, ...], *_: object
) -> Ranked:
    """A named chain in its order; otherwise from the cheapest, each step likelier to succeed than the one before."""
    if chain:
        place = {model: step for step, model in enumerate(chain)}
        named = sorted((c for c in candidates if c.model in place), key=lambda c: place[c.model])
        return [replace(c, score=1.0 - place[c.model] / len(chain)) for c in named]
    steps: Ranked = []
    for candidate in sorted(candidates, key=lambda c: (_cost(c), -c.success_probability, c.model)):
        if not steps or candidate.success_probability >= steps[-1].success_probability + 0.03:
            steps.append(candidate)
    # The walk ends at max_attempts: keep its cheapest and its surest step, and the best of what lies between.
    while len(steps) > max(2, policy.max_attempts):
        gain = {i: steps[i].success_probability - steps[i - 1].success_probability for i in range(1, len(steps) - 1)}
        steps.pop(min(gain, key=gain.__getitem__))
    return [replace(c, score=1.0 - i / len(steps)) for i, c in enumerate(steps)]


def _ensemble(
    candidates: Sequence[Candidate],
    profile: Profile,
    policy: Policy,
    chain: tuple[str, ...],
    size: int,
    *_: object,
) -> Ranked:
    """The best diverse models: each further member of a family or provider already there counts for less."""
    chosen: Ranked = []
    rest = [replace(c, score=c.success_probability - 0.15 * cost_term(c.estimated_cost)) for c in candidates]
    while rest and len(chosen) < size:
        worth = {c.model: _worth_adding(c, chosen) for c in rest}
        best = min(rest, key=lambda c: (-worth[c.model], _cost(c), c.model))  # used before the next turn
        chosen.append(replace(best, score=worth[best.model]))
        rest.remove(best)
    # Beyond the members the order only matters for display.
    return chosen + _by_score(rest)


def _worth_adding(candidate: Candidate, chosen: Ranked) -> float:
    kin = sum(candidate.family == c.family for c in chosen)
    same_house = sum(candidate.provider == c.provider for c in chosen)
    return candidate.score - 0.15 * kin - 0.05 * same_house


_RANKINGS: dict[Strategy, Callable[..., Ranked]] = {
    Strategy.CHEAPEST: _good_enough_by(lambda c: math.inf if c.estimated_cost is None else cost_term(c.estimated_cost)),
    Strategy.PERFORMANCE: _good_enough_by(lambda c: latency_term(c.estimated_latency_s)),
    Strategy.BALANCED: _balanced,
    Strategy.QUALITY: _quality,
    Strategy.PREFERENCE: _preference,
    Strategy.LOCAL_FIRST: _local_first,
    Strategy.FALLBACK: _fallback,
    Strategy.ENSEMBLE: _ensemble,
}
