"""From a request to a decision: rules first, then the strategy, then money, and a sentence that says why."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .added import added
from .budget import WayOut, WaysOut
from .decision import MONEY_SAYS_NO, Asked, Candidate, Circumstances, Decision, Exclusion, Policy
from .experiment import Experiment, assigned
from .features import estimate_tokens
from .model import Registry
from .profile import Profile
from .reasons import nobody, shortened, too_dear_for, why
from .request import Request, Strategy
from .rules import Match, Rule, first_match
from .strategies import Ranked, explore, rank, rank_own
from .ways_out import opening
from .weighing import weigh

CHAIN_LENGTH = 6


def decide(
    request: Request,
    profile: Profile,
    registry: Registry,
    circumstances: Circumstances,
    policy: Policy,
    rules: Sequence[Rule] = (),
    experiment: Experiment | None = None,
) -> Decision:
    """Pure: the same arguments give the same decision. `replay` makes it again from what is stored in it."""
    if experiment is not None:
        tried = _tried(experiment, request, profile, registry, circumstances, policy, rules)
        if tried is not None:
            return tried
    found = _rule(request, profile, rules)
    match = None if found is not None and found.in_doubt else found
    strategy = _strategy(request, policy, match)
    alone = request.uses_tools and strategy is Strategy.ENSEMBLE
    if alone:
        # Calls of several models cannot be put together: whoever asked would carry out all of them.
        strategy = Strategy.BALANCED
    gone = strategy if not strategy.built_in and added(strategy) is None else None
    if gone:
        strategy = Strategy.BALANCED
    if match is not None and match.rule.max_tokens and not request.max_tokens:
        request = replace(request, max_tokens=match.rule.max_tokens)
    if match is not None and match.rule.system and not request.system:
        profile = replace(profile, input_tokens=profile.input_tokens + estimate_tokens(match.rule.system))
    candidates = weigh(request, profile, registry, circumstances, policy)
    if found is not None and found.in_doubt:
        # It may keep the prompt on this machine, or from a dear model.
        unknown = f"whether rule {found.rule.name} is for it is not known: {found.why}"
        candidates = tuple(replace(c, excluded_by=Exclusion.RULE_IN_DOUBT, excluded=unknown) for c in candidates)
    chain = request.chain
    if match is not None and match.rule.primary and not chain:
        wanted = _known((match.rule.primary, *match.rule.fallback), registry)
        if any(c.model in wanted and c.excluded_by is None for c in candidates):
            chain, strategy = wanted, strategy if match.rule.strategy else Strategy.FALLBACK
    if chain and not request.model:
        candidates = tuple(_kept_to(chain, c) for c in candidates)
    seed = zlib.crc32(request.id.encode())
    because = f"rule {match.rule.name} ({match.why}): " if match else ""
    if alone:
        because += "one model, since it may call tools: "
    if gone:
        because += f"no plugin brings the strategy {gone}, so balanced: "
    if not registry.models and registry.unlisted:
        told = (f"no model of {provider} is known ({fault})" for provider, fault in registry.unlisted.items())
        because += f"{'; '.join(told)}, so "
    if request.verdict is not None:
        policy = replace(policy, verdict=request.verdict)
    goes_on = request.continues and (bool(chain) or request.model is not None)
    asked = Asked(policy, chain, request.ensemble_size, request.model, because, goes_on=goes_on)
    choice = choose(strategy, candidates, profile, asked, seed, own=True)
    return Decision(
        request_id=request.id,
        strategy=strategy,
        model=choice.ranked[0].model if choice.ranked else None,
        reason=asked.because + choice.reason,
        chain=tuple(c.model for c in choice.ranked),
        profile=profile,
        candidates=choice.candidates,
        margin=choice.margin,
        pinned=request.model is not None,
        rule=match.rule.name if match else None,
        explored=choice.explored,
        refused=choice.refused,
        wished=choice.wished,
        seed=seed,
        temperature=match.rule.temperature if match else None,
        max_tokens=match.rule.max_tokens if match else None,
        system=match.rule.system if match else None,
        asked=asked,
    )


def _tried(
    experiment: Experiment,
    request: Request,
    profile: Profile,
    registry: Registry,
    circumstances: Circumstances,
    policy: Policy,
    rules: Sequence[Rule],
) -> Decision | None:
    """As the experiment's draw has it. None where the turn takes no part: a rule of the user's is for it, or one of the
    two ways is closed. Were it enough that the drawn one is open, its prompts would be easier than the other's."""
    assignment = assigned(experiment, request)
    if assignment is None or _rule(request, profile, rules) is not None:
        return None
    arm = experiment.arm(assignment.side)
    wanted = replace(
        request,
        strategy=arm.strategy or request.strategy,
        model=arm.model or request.model,
        max_tokens=request.max_tokens or arm.max_tokens,
    )
    if arm.system:
        profile = replace(profile, input_tokens=profile.input_tokens + estimate_tokens(arm.system))
    decision = decide(wanted, profile, registry, circumstances, policy)
    open_ones = {c.model for c in decision.candidates if c.excluded_by is None}
    as_drawn = arm.strategy is None or arm.strategy is decision.strategy  # no plugin may bring it any more
    if decision.model is None or not as_drawn or not experiment.models <= open_ones:
        return None
    because = f"experiment {experiment.name}, {assignment.side.upper()} ({arm.short}): "
    asked = replace(decision.asked, because=because + decision.asked.because, backed=arm.model is not None)
    return replace(
        replay(replace(decision, asked=asked)),
        temperature=arm.temperature,
        max_tokens=arm.max_tokens,
        system=arm.system,
        experiment=assignment,
    )


def replay(decision: Decision, strategy: Strategy | None = None, policy: Policy | None = None) -> Decision:
    """The same candidates chosen from again, as it was or under another strategy or policy. Exclusions stay as they
    were at the time; success probabilities too."""
    asked = decision.asked if policy is None else replace(decision.asked, policy=policy)
    chosen_by = decision.strategy if strategy is None else strategy
    choice = choose(chosen_by, decision.candidates, decision.profile, asked, decision.seed)
    division, because = decision.division, asked.because
    if division is not None and choice.ranked:
        # Of another model's parts no more is known than what they would cost.
        division = division if division.reader == choice.ranked[0].model else None
        because += (
            f"{division.in_words}; " if division is not None else "in parts, since it is too long for any model: "
        )
    return replace(
        decision,
        strategy=chosen_by,
        division=division,
        model=choice.ranked[0].model if choice.ranked else None,
        reason=because + choice.reason,
        chain=tuple(c.model for c in choice.ranked),
        candidates=choice.candidates,
        margin=choice.margin,
        explored=choice.explored,
        refused=choice.refused,
        wished=choice.wished,
        asked=asked,
    )


def _rule(request: Request, profile: Profile, rules: Sequence[Rule]) -> Match | None:
    return None if request.model or request.continues else first_match(rules, request, profile)


def _known(names: Sequence[str], registry: Registry) -> tuple[str, ...]:
    """The ids of those the registry holds; a rule may name models that are not there today."""
    found = []
    for name in names:
        with contextlib.suppress(LookupError):
            found.append(registry.find(name).id)
    return tuple(found)


def _strategy(request: Request, policy: Policy, match: Match | None) -> Strategy:
    if match is not None and match.rule.strategy is not None:
        return match.rule.strategy
    if request.strategy is not None:
        return request.strategy
    return Strategy.FALLBACK if request.chain else policy.strategy


def _kept_to(chain: tuple[str, ...], candidate: Candidate) -> Candidate:
    # One outside the chain that is only too dear must not speak in the choice either.
    if candidate.model in chain or candidate.excluded_by not in {None, *MONEY_SAYS_NO}:
        return candidate
    return replace(candidate, excluded_by=Exclusion.NOT_IN_CHAIN, excluded="not in the chain that was asked for")


@dataclass(frozen=True, slots=True)
class Choice:
    ranked: tuple[Candidate, ...]
    """What the turn may walk, the chosen one first; empty when all are out."""
    candidates: tuple[Candidate, ...]
    """Everyone: those in by score, then those out."""
    reason: str
    margin: float | None = None
    explored: bool = False
    refused: Exclusion | None = None
    wished: str | None = None


def choose(
    strategy: Strategy,
    candidates: Sequence[Candidate],
    profile: Profile,
    asked: Asked,
    seed: int = 0,
    *,
    own: bool = False,
) -> Choice:
    """The strategy's choice among weighed candidates. Their order and their scores so far play no part. `own`: nobody
    else holds them, so that scores may be written into them instead of into copies."""
    policy, chain, size = asked.policy, asked.chain, asked.size
    if asked.model is not None:
        return _pinned(asked.model, candidates, profile, asked)
    usable = [c for c in candidates if c.excluded_by is None]
    out = [c for c in candidates if c.excluded_by is not None]
    too_dear = [c for c in out if c.excluded_by in MONEY_SAYS_NO]
    if not usable and not too_dear:
        return Choice((), tuple(candidates), nobody(candidates))

    # Those that are too dear are ranked beside the others, and then stay out with the scores they had.
    ranked_by = rank_own if own and not too_dear else rank

    def ranking(of: list[Candidate]) -> Ranked:
        return ranked_by(strategy, of, profile, policy, chain=chain, size=size)

    unbounded = ranking([*usable, *too_dear])
    # Of a plugin's, with what it gave those too that cannot be had: all there is to decide by again when it is gone.
    kept = {} if strategy.built_in else {c.model: c for c in unbounded}
    out = [kept.get(c.model, c) for c in out]
    if strategy is Strategy.ENSEMBLE and not {WayOut.CHEAPEST, WayOut.LOCAL} & set(policy.on_exhausted):
        return _members(unbounded, out, profile, asked)
    first = unbounded[0]
    note = ""
    if first.excluded_by in MONEY_SAYS_NO or first.fewer:
        way, able = _way_out(first, usable, policy.on_exhausted)
        if way is WayOut.REFUSE:
            said = too_dear_for(first, policy)
            return Choice((), _ordered(unbounded, out), said, refused=first.excluded_by, wished=first.model)
        if way is not WayOut.FEWER_TOKENS or first.excluded_by is not None:
            usable, note = able, f"; {first.model} would be chosen but {first.excluded or first.fewer}"
    if too_dear and (strategy is not Strategy.FALLBACK or note):
        ranked = ranking(usable)
    elif not (too_dear or note):
        ranked = unbounded
    else:
        # A walk that was planned goes on as planned, without the steps that are too dear.
        there = {c.model for c in usable}
        ranked = [c for c in unbounded if c.model in there]
    explored = False
    if strategy is Strategy.PREFERENCE:
        ranked, explored = explore(ranked, policy, seed)
    walk = ranked[:size] if strategy is Strategy.ENSEMBLE else ranked[:CHAIN_LENGTH]
    margin = ranked[0].score - ranked[1].score if len(ranked) > 1 else None
    reason = why(strategy, ranked, profile, asked, explored) + note + shortened(ranked[0])
    if len(ranked) + len(out) < len(candidates):
        there = {c.model for c in ranked}
        missing = [kept.get(c.model, c) for c in candidates if c.excluded_by is None and c.model not in there]
        ranked = [*ranked, *missing]
    return Choice(tuple(walk), _ordered(ranked, out), reason, margin, explored)


def _members(ranked: Ranked, out: Sequence[Candidate], profile: Profile, asked: Asked) -> Choice:
    """Of an ensemble whom nobody may stand in for: those there is no money for stay members, behind the others."""
    walk = ranked[: asked.size]
    inside = [c for c in walk if c.excluded_by is None]
    dear = [c for c in walk if c.excluded_by is not None]
    if not inside:
        first = walk[0]
        said = too_dear_for(first, asked.policy)
        return Choice((), _ordered(ranked, out), said, refused=first.excluded_by, wished=first.model)
    affordable = [*inside, *(c for c in ranked[asked.size :] if c.excluded_by is None)]
    margin = affordable[0].score - affordable[1].score if len(affordable) > 1 else None
    note = "".join(f"; {c.model} is left out: {c.excluded}" for c in dear)
    told = replace(asked, size=len(inside))
    reason = why(Strategy.ENSEMBLE, affordable, profile, told, explored=False) + note + shortened(inside[0])
    return Choice((*inside, *dear), _ordered(affordable, out), reason, margin)


def _way_out(first: Candidate, usable: Sequence[Candidate], ways: WaysOut) -> tuple[WayOut, list[Candidate]]:
    """The first of the user's ways on which somebody can answer, and who can; REFUSE where there is none."""
    for way, opened in opening(ways):
        able = [c for c in usable if opened.to(c, first.model) and (opened.fewer_tokens or not c.fewer)]
        if able:
            return way, able
    return WayOut.REFUSE, []


def _ordered(ranked: Sequence[Candidate], out: Sequence[Candidate]) -> tuple[Candidate, ...]:
    if not out:
        return tuple(ranked)
    names = {c.model for c in out}
    return (*(c for c in ranked if c.model not in names), *out)


def _pinned(pinned: str, candidates: Sequence[Candidate], profile: Profile, asked: Asked) -> Choice:
    usable = [c for c in candidates if c.excluded_by is None]
    ranked = rank(Strategy.BALANCED, usable, profile, asked.policy)
    everyone = _ordered(ranked, [c for c in candidates if c.excluded_by is not None])
    chosen = next((c for c in everyone if c.model == pinned), None)
    if chosen is None:
        return Choice((), everyone, f"{pinned} is pinned, but the registry does not hold it")
    if chosen.excluded_by is not None:
        refused = chosen.excluded_by if chosen.excluded_by in MONEY_SAYS_NO else None
        wished = pinned if refused else None
        return Choice((), everyone, f"{pinned} is pinned, but {chosen.excluded}", refused=refused, wished=wished)
    if asked.backed:
        others = [c for c in ranked if c.model != pinned]
        said = f"{pinned} answers; another one only where it fails" + shortened(chosen)
        return Choice((chosen, *others[: CHAIN_LENGTH - 1]), everyone, said)
    does = "is pinned and continues the answer that was cut off" if asked.goes_on else "is pinned"
    return Choice((chosen,), everyone, f"{pinned} {does}; no other model is tried" + shortened(chosen))
