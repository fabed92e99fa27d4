"""Ranking weighed candidates: pure functions, one ranking per strategy. What they weigh stands in `objective`."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from operator import attrgetter

from .ability import clamped, without
from .added import MOST_SCORE, NotWeighed, added
from .cascade import SAME_P, plan
from .decision import Candidate, Policy
from .objective import cost_term, latency_term, leaning, leans_at_all, utility_by
from .profile import Profile
from .request import Strategy

Ranked = list[Candidate]


def rank(
    strategy: Strategy,
    candidates: Iterable[Candidate],
    profile: Profile,
    policy: Policy,
    *,
    chain: tuple[str, ...] = (),
    size: int = 3,
) -> Ranked:
    """The candidates best first by this strategy, with their scores; exclusions play no part here."""
    return rank_own(strategy, [c.scored(c.score) for c in candidates], profile, policy, chain=chain, size=size)


def rank_own(
    strategy: Strategy,
    candidates: list[Candidate],
    profile: Profile,
    policy: Policy,
    *,
    chain: tuple[str, ...] = (),
    size: int = 3,
) -> Ranked:
    """As `rank`, with the scores written into the candidates: for those that nobody else holds yet."""
    ranking = _RANKINGS.get(strategy)
    if ranking is None:
        return _added(strategy, candidates, profile, policy)
    return ranking(candidates, profile, policy, chain, size)


def _cost(candidate: Candidate) -> float:
    return math.inf if candidate.estimated_cost is None else float(candidate.estimated_cost.picodollars)


def _by_score(scored: list[Candidate]) -> Ranked:
    if len({c.score for c in scored}) == len(scored):
        return sorted(scored, key=_score, reverse=True)
    # Equal scores go to the cheaper, then the surer, then by name so that the same question has the same answer.
    return sorted(scored, key=lambda c: (-c.score, _cost(c), -c.success_probability, c.model))


_score = attrgetter("score")


def _good_enough_by(term: Callable[[Candidate], float]) -> Callable[..., Ranked]:
    """Less of the term is better among the good enough; behind them the rest by p. The scores of those are above zero
    however dear or slow they are, the scores of the rest below."""

    def ranking(candidates: list[Candidate], profile: Profile, policy: Policy, *_: object) -> Ranked:
        leans, threshold = leans_at_all(policy), policy.quality_threshold
        for c in candidates:
            leant, p = leaning(c, policy) if leans else 0.0, c.success_probability
            c.score = math.exp(leant - term(c)) if p >= threshold else -math.exp(-p - leant)
        return _by_score(candidates)

    return ranking


def _known_cost(candidate: Candidate) -> float:
    return math.inf if candidate.estimated_cost is None else cost_term(candidate.estimated_cost)


def _balanced(candidates: list[Candidate], profile: Profile, policy: Policy, *_: object) -> Ranked:
    utility = utility_by(policy)
    for c in candidates:
        c.score = utility(c, c.success_probability)
    return _by_score(candidates)


def _quality(candidates: list[Candidate], profile: Profile, policy: Policy, *_: object) -> Ranked:
    for c in candidates:
        c.score = round((c.success_probability + leaning(c, policy)) / SAME_P) * SAME_P
    return _by_score(candidates)


def _preference(candidates: list[Candidate], profile: Profile, policy: Policy, *_: object) -> Ranked:
    """By the mean of what is believed of this user's liking."""
    belief = _belief_by(policy)
    for c in candidates:
        alpha, beta = belief(c)
        c.score = alpha / (alpha + beta)
    return _by_score(candidates)


def _belief_by(policy: Policy) -> Callable[[Candidate], tuple[float, float]]:
    """Alpha and beta of a Beta distribution: how likely the user is to like a model's answers to this task type.

    Three layers, each the prior of the next: the utility with what p would be without anything learned; the votes on
    the model for other task types; the votes for this one.
    """
    votes, utility, slope = policy.weights.votes, utility_by(policy), policy.discrimination

    def belief(candidate: Candidate) -> tuple[float, float]:
        unlearned = without(candidate.success_probability, candidate.ability_shift, slope)
        supposed = clamped(utility(candidate, unlearned))
        wins = max(0.0, candidate.wins_overall - candidate.wins)
        losses = max(0.0, candidate.losses_overall - candidate.losses)
        prior = (supposed * votes.estimate + wins) / (votes.estimate + wins + losses)
        return prior * votes.task + candidate.wins, (1.0 - prior) * votes.task + candidate.losses

    return belief


def explore(ranked: Ranked, policy: Policy, seed: int) -> tuple[Ranked, bool]:
    """In a share of at most `exploration` of turns, the winner of one Thompson draw goes first instead.

    The share is drawn before the sample, so it bounds the exploration whatever the beliefs are.
    """
    # Not for secrets: the draw must be repeatable from the stored seed.
    draw = random.Random(seed)
    if len(ranked) < 2 or draw.random() >= policy.exploration:
        return ranked, False
    belief = _belief_by(policy)
    samples = {c.model: draw.betavariate(*belief(c)) for c in ranked}
    first = max(ranked, key=lambda c: samples[c.model])
    return [first, *(c for c in ranked if c is not first)], first is not ranked[0]


def _local_first(candidates: list[Candidate], profile: Profile, policy: Policy, *_: object) -> Ranked:
    """At most two local models go before the cloud: after two local failures, cloud."""
    easy = profile.complexity <= policy.local_max_complexity
    able = [c for c in candidates if c.local and (easy or c.success_probability >= policy.quality_threshold)]
    for c in able:
        c.score = 1.0 + c.success_probability + leaning(c, policy)
    able.sort(key=lambda c: (-c.score, _cost(c), c.estimated_latency_s, c.model))
    first = able[:2]
    ahead = {c.model for c in first}
    cloud = _balanced([c for c in candidates if not c.local], profile, policy)
    # The other local ones only stand in where no cloud model can be used.
    last = _balanced([c for c in candidates if c.local and c.model not in ahead], profile, policy)
    for c in last:
        c.score -= 2.0
    return first + cloud + last


def _fallback(
    candidates: list[Candidate], profile: Profile, policy: Policy, chain: tuple[str, ...], *_: object
) -> Ranked:
    """A named chain in its order, nobody else; otherwise the planned walk, and behind it who stands in for a failure.

    Scores of steps are above zero, those of stand-ins below.
    """
    if chain:
        place = {model: step for step, model in enumerate(chain)}
        named = sorted((c for c in candidates if c.model in place), key=lambda c: place[c.model])
        for c in named:
            c.score = 1.0 - place[c.model] / len(chain)
        return named
    walk = plan(candidates, policy)
    steps = {c.model for c in walk}
    others = _balanced([c for c in candidates if c.model not in steps], profile, policy)
    highest = others[0].score if others else 0.0
    for c in others:
        c.score = c.score - highest - 0.01
    for step, c in enumerate(walk):
        c.score = 1.0 - step / len(walk)
    return walk + others


def _ensemble(
    candidates: list[Candidate],
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
    for c in candidates:
        c.score = c.success_probability + leaning(c, policy) - diversity.cost * cost_term(c.estimated_cost)
    rest = candidates
    families: dict[str, int] = {}
    providers: dict[str, int] = {}
    while rest and len(chosen) < size:
        worths = [
            c.score
            - diversity.same_family * families.get(c.family, 0)
            - diversity.same_provider * providers.get(c.provider, 0)
            for c in rest
        ]
        most = max(worths)
        level = [c for c, worth in zip(rest, worths, strict=True) if worth == most]
        best = min(level, key=lambda c: (_cost(c), c.model))
        best.score = most
        chosen.append(best)
        # By identity: equality looks at every field.
        rest = [c for c in rest if c is not best]
        families[best.family] = families.get(best.family, 0) + 1
        providers[best.provider] = providers.get(best.provider, 0) + 1
    # Beyond the members the order only matters for display.
    return chosen + _by_score(rest)


def _added(strategy: Strategy, candidates: list[Candidate], profile: Profile, policy: Policy) -> Ranked:
    """By a plugin's function, behind them those it could not weigh by the best balance. Where it is gone, by what it
    said at the time."""
    one = added(strategy)
    if one is None:
        return _by_score(candidates)
    utility = utility_by(policy)
    for c in candidates:
        try:
            c.score = one.score(c, profile) + leaning(c, policy)
        except NotWeighed:
            # Below all others, and the same whoever they are.
            c.score = utility(c, c.success_probability) - 2 * MOST_SCORE
    return _by_score(candidates)


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
