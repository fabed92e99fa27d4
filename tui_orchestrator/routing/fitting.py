"""An ensemble under a cap: its members share what is left, and who does not fit beside the others says so.

Each call might fit by itself while all of them together do not. The cheapest are taken first, so that as many take part
as can; then all are given as many output tokens as what is left allows, the same number where a cap is tight. Who fits
whole into the rest, too little for one token more of each, is not shortened.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from .budget import BudgetState, Shortage, too_tight
from .decide import replay
from .decision import MONEY_SAYS_NO, Candidate, Decision, Exclusion
from .money import ZERO, Money, Price
from .request import Strategy
from .strategies import rank


@dataclass(frozen=True, slots=True)
class MemberCall:
    """What one member's call needs."""

    model: str
    price: Price | None
    input_bound: int
    """Tokens of input it is reserved for."""
    asked: int
    """Output tokens, as many as were asked for."""
    least: int
    """The fewest it is worth making with; `asked` where fewer are not allowed."""
    states: tuple[BudgetState, ...]
    """The caps with a limit that it counts towards, as last seen."""

    def cost(self, tokens: int) -> Money:
        return ZERO if self.price is None else self.price.ceiling(self.input_bound, tokens)

    def counts_towards(self, state: BudgetState) -> bool:
        return any(_key(own) == _key(state) for own in self.states)


CallOf = Callable[[Candidate], MemberCall]


def shared_out(calls: Sequence[MemberCall]) -> dict[str, int]:
    """The output tokens of each that fits beside the others, by model."""
    fits: dict[str, int] = {}
    for call in sorted(calls, key=lambda one: one.cost(one.least)):
        if not tight(calls, {**fits, call.model: call.least}):
            fits[call.model] = call.least
    return _lengthened([call for call in calls if call.model in fits])


def _lengthened(calls: Sequence[MemberCall]) -> dict[str, int]:
    """Of calls whose shortest fit together, as long as they can be, all alike where a cap is tight."""
    tokens, growing = {call.model: call.least for call in calls}, list(calls)

    def at(most: int) -> dict[str, int]:
        return {**tokens, **{one.model: min(one.asked, max(one.least, most)) for one in growing}}

    while growing:
        low, high = 0, max(call.asked for call in growing)
        if not tight(calls, at(high)):
            tokens = at(high)
            break
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if tight(calls, at(middle)) else (middle, high)
        in_the_way = tight(calls, at(high))
        tokens = at(low)
        growing = [
            call
            for call in growing
            if call.cost(call.asked) == call.cost(tokens[call.model])
            or not any(call.counts_towards(state) for state in in_the_way)
        ]
    for call in sorted(calls, key=lambda one: one.cost(one.asked)):
        if not tight(calls, whole := {**tokens, call.model: call.asked}):
            tokens = whole
    return tokens


def tight(calls: Iterable[MemberCall], tokens: Mapping[str, int]) -> list[BudgetState]:
    """The caps that these calls, of so many output tokens each, do not fit into together."""
    calls = [call for call in calls if call.model in tokens]
    caps = {_key(state): state for call in calls for state in call.states}
    return [state for state in caps.values() if too_tight([state], _sum(calls, tokens, state)) is not None]


def _sum(calls: Iterable[MemberCall], tokens: Mapping[str, int], state: BudgetState) -> Money:
    return sum((call.cost(tokens[call.model]) for call in calls if call.counts_towards(state)), ZERO)


def _key(state: BudgetState) -> tuple[str, str]:
    return state.cap.scope, state.cap.period


# -- decisions


def side_by_side(decision: Decision) -> bool:
    """Whether several models are to be asked at once."""
    return decision.strategy is Strategy.ENSEMBLE and not decision.pinned and decision.division is None


def members(decision: Decision) -> tuple[str, ...]:
    """Those the strategy wants, were there money for all of them."""
    if decision.model is not None:
        return decision.chain
    asked, able = decision.asked, {None, *MONEY_SAYS_NO}
    candidates = [c for c in decision.candidates if c.excluded_by in able]
    ranked = rank(decision.strategy, candidates, decision.profile, asked.policy, chain=asked.chain, size=asked.size)
    return tuple(c.model for c in ranked[: asked.size])


def fitted(decision: Decision, call_of: CallOf) -> Decision:
    """The decision with what is left shared out among an ensemble's members."""
    if not side_by_side(decision):
        return decision
    # Each round leaves one more model out, or is the last.
    for _ in decision.candidates:
        changed = _fitted_once(decision, call_of)
        if not changed:
            break
        candidates = tuple(changed.get(c.model, c) for c in decision.candidates)
        decision = replay(replace(decision, candidates=candidates))
    return decision


def _fitted_once(decision: Decision, call_of: CallOf) -> dict[str, Candidate]:
    """The candidates that change, by model."""
    inside = [c for model in decision.chain if (c := decision.candidate(model)) is not None and c.excluded_by is None]
    calls = {c.model: call_of(c) for c in inside}
    if not tight(calls.values(), {call.model: call.asked for call in calls.values()}):
        return {}
    tokens = shared_out(list(calls.values()))
    changed = {}
    for c in inside:
        call = calls[c.model]
        if c.model not in tokens:
            changed[c.model] = _without_room(c, call, list(calls.values()), tokens)
        elif tokens[c.model] < call.asked:
            changed[c.model] = _shorter(c, call, tokens, tight(calls.values(), {**tokens, c.model: call.asked})[0])
    return changed


def _without_room(
    candidate: Candidate, call: MemberCall, calls: Sequence[MemberCall], tokens: Mapping[str, int]
) -> Candidate:
    least = {one.model: one.least for one in calls if one.model in tokens}
    state = tight(calls, {**least, call.model: call.least})[0]
    assert state.left is not None
    left = state.left - _sum([one for one in calls if one.model in least], least, state)
    of_request = state.scope == "request"
    has = f"this request may cost {left}" if of_request else f"{state.cap.name} has {left} left"
    said = f"could cost {call.cost(call.least)}, {has} beside the others"
    return replace(
        candidate, excluded_by=Exclusion.OVER_MAX_COST if of_request else Exclusion.OVER_BUDGET, excluded=said
    )


def _shorter(candidate: Candidate, call: MemberCall, tokens: Mapping[str, int], state: BudgetState) -> Candidate:
    has = f"{len(tokens)} share the {state.left} that {state.cap.name} has left"
    said, most = f"could cost {call.cost(call.asked)}, and {has}", tokens[call.model]
    return replace(candidate, max_tokens=most, cost_ceiling=call.cost(most), fewer=said)


def short_of_room(calls: Sequence[MemberCall], fits: Collection[str]) -> Shortage | None:
    """What keeps the members `calls` from being asked all at once, where something does. `fits`: those that could be
    asked without the others."""
    found = tight(calls, {call.model: call.least for call in calls})
    if not found:
        return None
    state = min(found, key=lambda one: one.left or ZERO)
    sharing = tuple(call.model for call in calls if call.counts_towards(state))
    needs = _sum(calls, {call.model: call.asked for call in calls}, state)
    at_least = _sum(calls, {call.model: call.least for call in calls}, state)
    kept = tuple(call.model for call in calls if call.model in fits)
    return Shortage(
        sharing[0], needs, state, at_least if at_least < needs else None, members=sharing, without_raising=kept
    )


def none_asked(decision: Decision, short: Shortage) -> Decision:
    """The user would rather ask nobody than raise the cap or go on with those that fit."""
    said = f"{len(short.members)} models could cost {short.needs} together, {short.state.cap.name} has "
    of_request = short.state.scope == "request"
    return replace(
        decision,
        model=None,
        chain=(),
        reason=f"{decision.asked.because}{said}{short.state.left} left, so none was asked",
        refused=Exclusion.OVER_MAX_COST if of_request else Exclusion.OVER_BUDGET,
        wished=short.model,
        margin=None,
    )
