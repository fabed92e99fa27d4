"""The sentence that says why."""

from __future__ import annotations

from collections.abc import Sequence

from .added import NotWeighed, added
from .budget import WayOut
from .cascade import chance_of_one, forecast
from .decision import Asked, Candidate, Exclusion, Policy
from .money import ZERO
from .profile import Profile
from .request import Strategy
from .text import spoken


def why(strategy: Strategy, ranked: Sequence[Candidate], profile: Profile, asked: Asked, explored: bool) -> str:
    """Of the first of `ranked`, who was chosen."""
    own = _SENTENCES.get(strategy)
    said = own(ranked, profile, asked, explored) if own else _added(strategy, ranked, profile)
    return said + _leanings(ranked[0], asked.policy)


def _added(strategy: Strategy, ranked: Sequence[Candidate], profile: Profile) -> str:
    best, one = ranked[0], added(strategy)
    figures = f"{_p(best)}, {_cost(best)}, {_wait(best)}"
    if one is None:
        return f"highest by what {strategy} said at the time, for {_task(profile)}: {figures}"
    try:
        one.score(best, profile)
    except NotWeighed as error:
        return f"{error}, so by the best balance of quality, cost and time for {_task(profile)}: {figures}"
    return f"{one.picks} ({strategy}, of {one.source}), for {_task(profile)}: {figures}"


def _task(profile: Profile) -> str:
    return f"{spoken(profile.task_type)} of difficulty {profile.difficulty:.2f}"


def _p(candidate: Candidate) -> str:
    return f"p {candidate.success_probability:.2f}"


def _cost(candidate: Candidate) -> str:
    return "at unknown cost" if candidate.estimated_cost is None else f"about {candidate.estimated_cost}"


def _wait(candidate: Candidate) -> str:
    return f"about {candidate.estimated_latency_s:.1f} s"


def _enough(ranked: Sequence[Candidate], policy: Policy) -> int:
    return sum(c.success_probability >= policy.quality_threshold for c in ranked)


def _first_of(ranked: Sequence[Candidate], profile: Profile, policy: Policy, kind: str, figures: str) -> str:
    threshold, enough = f"p ≥ {policy.quality_threshold:.2f}", _enough(ranked, policy)
    if not enough:
        best = ranked[0]
        return (
            f"no model reaches {threshold} for {_task(profile)}; this one comes closest with {_p(best)}, {_cost(best)}"
        )
    return f"{kind} of {enough} with {threshold} for {_task(profile)}: {figures}"


def _cheapest(ranked: Sequence[Candidate], profile: Profile, asked: Asked, explored: bool) -> str:
    best = ranked[0]
    return _first_of(ranked, profile, asked.policy, "cheapest", f"{_p(best)}, {_cost(best)}")


def _performance(ranked: Sequence[Candidate], profile: Profile, asked: Asked, explored: bool) -> str:
    best = ranked[0]
    return _first_of(ranked, profile, asked.policy, "fastest", f"{_wait(best)}, {_p(best)}, {_cost(best)}")


def _quality(ranked: Sequence[Candidate], profile: Profile, asked: Asked, explored: bool) -> str:
    return f"likeliest to answer {_task(profile)} well: {_p(ranked[0])}, {_cost(ranked[0])}"


def _balanced(ranked: Sequence[Candidate], profile: Profile, asked: Asked, explored: bool) -> str:
    best = ranked[0]
    return f"best balance of quality, cost and time for {_task(profile)}: {_p(best)}, {_cost(best)}, {_wait(best)}"


def _preference(ranked: Sequence[Candidate], profile: Profile, asked: Asked, explored: bool) -> str:
    best, task = ranked[0], spoken(profile.task_type)
    figures = f"{_p(best)}, {_cost(best)}"
    if explored:
        passed_over = ranked[1].model
        return f"an exploration, announced: tried instead of {passed_over} to learn about {_task(profile)}; {figures}"
    if best.wins + best.losses > 0:
        return f"your favourite for {task} ({best.wins:.0f} for, {best.losses:.0f} against): {figures}"
    if any(c.wins + c.losses > 0 for c in ranked):
        return f"likelier to please you with {task} than those you have voted on: {figures}"
    if any(c.wins_overall + c.losses_overall > 0 for c in ranked):
        return f"no votes on {task} yet; going by your votes on other tasks and the best balance: {figures}"
    return f"no votes on {task} yet, so the best balance: {figures}"


def _local_first(ranked: Sequence[Candidate], profile: Profile, asked: Asked, explored: bool) -> str:
    best, policy, limit = ranked[0], asked.policy, asked.policy.local_max_complexity
    figures = f"{_p(best)}, {_cost(best)}"
    if not best.local:
        return f"no local model is good enough for {_task(profile)}; best balance in the cloud: {figures}"
    if profile.complexity <= limit:
        return f"local, since complexity {profile.complexity} is at most {limit}: {figures}"
    if best.success_probability >= policy.quality_threshold:
        return f"local, since {_p(best)} reaches {policy.quality_threshold:.2f} for {_task(profile)}"
    return f"local, since no cloud model can be used for {_task(profile)}: {figures}"


def _fallback(ranked: Sequence[Candidate], profile: Profile, asked: Asked, explored: bool) -> str:
    policy, best = asked.policy, ranked[0]
    if asked.goes_on:
        figures = f"{_p(best)}, {_cost(best)}"
        if best.model == asked.chain[0]:
            return f"continues its own answer, which was cut off: {figures}"
        return f"continues the answer of {asked.chain[0]}, which cannot be asked now: {figures}"
    walk = [c for c in ranked if c.score > 0][: max(1, policy.max_attempts)]
    ahead = forecast(walk)
    cost = "at unknown cost" if ahead.cost is None else f"expected {ahead.cost} over the walk, at worst {ahead.worst}"
    ends = f"ends well with p {ahead.quality:.2f}"
    if asked.chain:
        return f"first step of the chain that was asked for ({len(ranked)} usable): {_p(best)}; {cost}, {ends}"
    if len(walk) == 1:
        return f"no cheaper walk ends nearly as well, so straight to the surest: {_p(best)}, {_cost(best)}"
    begin = f"first of {len(walk)} steps; {cost}, {ends}"
    return f"{begin}; escalates while confidence < {policy.confidence_threshold:.2f}"


def _ensemble(ranked: Sequence[Candidate], profile: Profile, asked: Asked, explored: bool) -> str:
    members, rest = ranked[: asked.size], ranked[asked.size :]
    families, houses = len({c.family for c in members}), len({c.provider for c in members})
    known = [c.estimated_cost for c in members if c.estimated_cost is not None]
    cost = f"about {sum(known, ZERO)} together" if len(known) == len(members) else "together at unknown cost"
    one, surest = chance_of_one(members), max(c.success_probability for c in members)
    if len(members) == 1:
        said = f"only {members[0].model} for {_task(profile)}: {_p(members[0])}, {_cost(members[0])}"
    else:
        said = (
            f"{len(members)} strong and diverse models from {_counted(houses, 'provider', 'providers')} and "
            f"{_counted(families, 'family', 'families')} answer {_task(profile)} side by side: one of them well with "
            f"p {one:.2f}, the surest alone {surest:.2f}; {cost}"
        )
    if rest:
        more = chance_of_one([*members, rest[0]]) - one
        said += f"; another would add {more:.2f}" if more >= 0.01 else "; another would add less than 0.01"
    kin = next((c for c in rest if c.score > members[-1].score and _is_kin(c, members)), None)
    return f"{said}; {kin.model} stands back for its kin" if kin else said


def _counted(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"


def _is_kin(candidate: Candidate, members: Sequence[Candidate]) -> bool:
    return any(candidate.family == c.family or candidate.provider == c.provider for c in members)


def _leanings(best: Candidate, policy: Policy) -> str:
    leanings = policy.weights.leanings
    said = ""
    if policy.prefer_local and best.local:
        said += f"; local models are preferred (+{leanings.local:g})"
    if policy.prefer_opensource and best.open_weights:
        said += f"; open weights are preferred (+{leanings.open_weights:g})"
    return said


_SENTENCES = {
    Strategy.CHEAPEST: _cheapest,
    Strategy.PERFORMANCE: _performance,
    Strategy.QUALITY: _quality,
    Strategy.BALANCED: _balanced,
    Strategy.PREFERENCE: _preference,
    Strategy.LOCAL_FIRST: _local_first,
    Strategy.FALLBACK: _fallback,
    Strategy.ENSEMBLE: _ensemble,
}


_FEW = 12
"""Models of which each is named with its reason."""
_REASONS, _NAMED = 4, 3
"""Of more, thousands perhaps: so many reasons, and so many names with each."""


def nobody(candidates: Sequence[Candidate]) -> str:
    if not candidates:
        return "there is no model at all: set a provider's key, start a local server, or run `demo`"
    if candidates[0].excluded_by is Exclusion.RULE_IN_DOUBT:
        return f"nobody is asked: {candidates[0].excluded}"
    if len(candidates) <= _FEW:
        return "every model is out: " + "; ".join(f"{c.model}: {c.excluded}" for c in candidates)
    alike: dict[str, list[str]] = {}
    for one in candidates:
        alike.setdefault(one.excluded or "", []).append(one.model)
    told = list(alike.items())[:_REASONS]
    untold = len(candidates) - sum(len(models) for _, models in told)
    listed = "; ".join(f"{_some(models)}: {excluded}" for excluded, models in told)
    return f"every model is out: {listed}" + (f"; and {untold:,} more" if untold else "")


def _some(models: Sequence[str]) -> str:
    more = len(models) - _NAMED
    return ", ".join(models[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


REFUSED = "so it is refused, as budgets.on_exhausted says"


def too_dear_for(first: Candidate, policy: Policy) -> str:
    ways = policy.on_exhausted
    said = REFUSED
    if WayOut.CHEAPEST in ways:
        said = "and nothing cheaper fits either"
    elif WayOut.LOCAL in ways:
        said = "and no local model can stand in"
    return f"{first.model} {first.excluded}, {said}"


def shortened(candidate: Candidate) -> str:
    """What is to be said of one that may not answer at the length that was asked for."""
    if not candidate.fewer:
        return ""
    return f"; it {candidate.fewer}, so it may answer with {candidate.max_tokens:,} tokens at most"
