"""Ranking weighed candidates: pure functions, one ranking per strategy. What they weigh stands in `objective`."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from .ability import without
from .added import MOST_SCORE, NotWeighed, added
from .cascade import SAME_P, plan
from .decision import Candidate, Policy
from .objective import cost_term, latency_term, leaning, utility
from .profile import Profile
from .request import Strategy

Ranked = list[Candidate]


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
    ranking = _RANKINGS.get(strategy)
    if ranking is None:
        return _added(strategy, candidates, profile, policy)
    return ranking(candidates, profile, policy, chain, size)


def _cost(candidate: Candidate) -> float:
    return math.inf if candidate.estimated_cost is None else float(candidate.estimated_cost.picodollars)


def _by_score(scored: list[Candidate]) -> Ranked:
    # Equal scores go to the cheaper, then the surer, then by name so that the same question has the same answer.
    return sorted(scored, key=lambda c: (-c.score, _cost(c), -c.success_probability, c.model))


def _good_enough_by(term: Callable[[Candidate], float]) -> Callable[..., Ranked]:
    """Less of the term is better among the good enough; behind them the rest by p. The scores of those are above zero
    however dear or slow they are, the scores of the rest below."""

    def ranking(candidates: Sequence[Candidate], profile: Profile, policy: Policy, *_: object) -> Ranked:
        scored = []
        for c in candidates:
            leant = leaning(c, policy)
            if c.success_probability >= policy.quality_threshold:
                scored.append(c.scored(math.exp(leant - term(c))))
            else:
                scored.append(c.scored(-math.exp(-c.success_probability - leant)))
        return _by_score(scored)

    return ranking


def _known_cost(candidate: Candidate) -> float:
    return math.inf if candidate.estimated_cost is None else cost_term(candidate.estimated_cost)


def _balanced(candidates: Sequence[Candidate], profile: Profile, policy: Policy, *_: object) -> Ranked:
    return _by_score([c.scored(utility(c, policy)) for c in candidates])


def _quality(candidates: Sequence[Candidate], profile: Profile, policy: Policy, *_: object) -> Ranked:
    return _by_score(
        [c.scored(round((c.success_probability + leaning(c, policy)) / SAME_P) * SAME_P) for c in candidates]
    )


def _preference(candidates: Sequence[Candidate], profile: Profile, policy: Policy, *_: object) -> Ranked:
    """By the mean of what is believed of this user's liking."""
    scored = []
    for c in candidates:
        alpha, beta = _belief(c, policy)
        scored.append(c.scored(alpha / (alpha + beta)))
    return _by_score(scored)


def _belief(candidate: Candidate, policy: Policy) -> tuple[float, float]:
    """Alpha and beta of a Beta distribution: how likely the user is to like this model's answers to this task type.

    Three layers, each the prior of the next: the utility with what p would be without anything learned; the votes on
    the model for other task types; the votes for this one.
    """
    votes = policy.weights.votes
    unlearned = without(candidate.success_probability, candidate.ability_shift, policy.discrimination)
    supposed = min(0.99, max(0.01, utility(candidate, policy, unlearned)))
    wins = max(0.0, candidate.wins_overall - candidate.wins)
    losses = max(0.0, candidate.losses_overall - candidate.losses)
    prior = (supposed * votes.estimate + wins) / (votes.estimate + wins + losses)
    return prior * votes.task + candidate.wins, (1.0 - prior) * votes.task + candidate.losses


def explore(ranked: Ranked, policy: Policy, seed: int) -> tuple[Ranked, bool]:
    """In a share of at most `exploration` of turns, the winner of one Thompson draw goes first instead.

    The share is drawn before the sample, so it bounds the exploration whatever the beliefs are.
    """
    # Not for secrets: the draw must be repeatable from the stored seed.
    draw = random.Random(seed)
    if len(ranked) < 2 or draw.random() >= policy.exploration:
        return ranked, False
    samples = {c.model: draw.betavariate(*_belief(c, policy)) for c in ranked}
    first = max(ranked, key=lambda c: samples[c.model])
    return [first, *(c for c in ranked if c is not first)], first is not ranked[0]


def _local_first(candidates: Sequence[Candidate], profile: Profile, policy: Policy, *_: object) -> Ranked:
    """At most two local models go before the cloud: after two local failures, cloud."""
    easy = profile.complexity <= policy.local_max_complexity
    able = [c for c in candidates if c.local and (easy or c.success_probability >= policy.quality_threshold)]
    able = [c.scored(1.0 + c.success_probability + leaning(c, policy)) for c in able]
    able.sort(key=lambda c: (-c.score, _cost(c), c.estimated_latency_s, c.model))
    first = able[:2]
    ahead = {c.model for c in first}
    cloud = _balanced([c for c in candidates if not c.local], profile, policy)
    # The other local ones only stand in where no cloud model can be used.
    last = _balanced([c for c in candidates if c.local and c.model not in ahead], profile, policy)
    return first + cloud + [c.scored(c.score - 2.0) for c in last]


def _fallback(
    candidates: Sequence[Candidate], profile: Profile, policy: Policy, chain: tuple[str, ...], *_: object
) -> Ranked:
    """A named chain in its order, nobody else; otherwise the planned walk, and behind it who stands in for a failure.

    Scores of steps are above zero, those of stand-ins below.
    """
    if chain:
        place = {model: step for step, model in enumerate(chain)}
        named = sorted((c for c in candidates if c.model in place), key=lambda c: place[c.model])
        return [c.scored(1.0 - place[c.model] / len(chain)) for c in named]
    walk = plan(candidates, policy)
    steps = {c.model for c in walk}
    others = _balanced([c for c in candidates if c.model not in steps], profile, policy)
    highest = max((c.score for c in others), default=0.0)
    return [
        *(c.scored(1.0 - place / len(walk)) for place, c in enumerate(walk)),
        *(c.scored(c.score - highest - 0.01) for c in others),
    ]


def _ensemble(
    candidates: Sequence[Candidate],
    profile: Profile,
    policy: Policy,
    chain: tuple[str, ...],
    size: int,
    *_: object,
) -> Ranked:
    """The best diverse models: each further member of a family or provider already there counts for less."""
    diversity = policy.weights.diversity
    chosen: Ranked = []
    # Alone: sure and cheap. It is what stays the same from member to member.
    rest = [
        c.scored(c.success_probability + leaning(c, policy) - diversity.cost * cost_term(c.estimated_cost))
        for c in candidates
    ]
    families: dict[str, int] = {}
    providers: dict[str, int] = {}
    while rest and len(chosen) < size:
        worth = {
            c.model: c.score
            - diversity.same_family * families.get(c.family, 0)
            - diversity.same_provider * providers.get(c.provider, 0)
            for c in rest
        }
        best = min(rest, key=lambda c: (-worth[c.model], _cost(c), c.model))  # used before the next turn
        chosen.append(best.scored(worth[best.model]))
        rest.remove(best)
        families[best.family] = families.get(best.family, 0) + 1
        providers[best.provider] = providers.get(best.provider, 0) + 1
    # Beyond the members the order only matters for display.
    return chosen + _by_score(rest)


def _added(strategy: Strategy, candidates: Sequence[Candidate], profile: Profile, policy: Policy) -> Ranked:
    """By a plugin's function, behind them those it could not weigh by the best balance. Where it is gone, by what it
    said at the time."""
    one = added(strategy)
    if one is None:
        return _by_score(list(candidates))
    scored = []
    for c in candidates:
        try:
            scored.append(c.scored(one.score(c, profile) + leaning(c, policy)))
        except NotWeighed:
            # Below all others, and the same whoever they are.
            scored.append(c.scored(utility(c, policy) - 2 * MOST_SCORE))
    return _by_score(scored)


_RANKINGS: dict[Strategy, Callable[..., Ranked]] = {
    Strategy.CHEAPEST: _good_enough_by(_known_cost),
    Strategy.PERFORMANCE: _good_enough_by(lambda c: latency_term(c.estimated_latency_s)),
    Strategy.BALANCED: _balanced,
    Strategy.QUALITY: _quality,
    Strategy.PREFERENCE: _preference,
    Strategy.LOCAL_FIRST: _local_first,
    Strategy.FALLBACK: _fallback,
    Strategy.ENSEMBLE: _ensemble,
}
