"""Weighing: what each model of the registry would come to for one request, or why it is out."""

from __future__ import annotations

from .ability import success_probability
from .budget import WayOut, cap_name, input_bound, least_output
from .decision import Candidate, Circumstances, Exclusion, Policy, Standing
from .model import Model, Registry
from .money import Money, Price
from .profile import Ability, Profile
from .request import Request

_SAFE_INPUT = 64
"""Tokens a context window must hold beside the estimated input for a call to be worth trying."""


def weigh(
    request: Request, profile: Profile, registry: Registry, circumstances: Circumstances, policy: Policy
) -> tuple[Candidate, ...]:
    """Every model of the registry as a candidate for this request, not yet ranked: scores are 0."""
    weighing = _Weighing(request, profile, registry, policy)
    standing_of, others = circumstances.standings.get, circumstances.others
    return tuple([weighing.weigh(model, standing_of(model.id, others)) for model in registry])


class _Weighing:
    """What is the same for all models of one request, worked out once."""

    def __init__(self, request: Request, profile: Profile, registry: Registry, policy: Policy) -> None:
        self.profile = profile
        self.policy = policy
        self.out = registry.out
        self.images, self.tools, self.shape = request.has_images, request.uses_tools, request.shape is not None
        self.asked = request.max_tokens or policy.max_tokens
        self.bound = input_bound(profile.input_tokens)

    def weigh(self, model: Model, standing: Standing) -> Candidate:
        profile, price, room = self.profile, model.price, standing.room
        tokens, bound = profile.input_tokens, self.bound
        if standing.more_input or standing.more_bound:
            tokens, bound = max(0, tokens + standing.more_input), bound + standing.more_bound
        max_tokens = asked = _asked_of(model, self.asked, tokens)
        reason = self._unusable(model, standing, tokens)
        expected, fewer = profile.output_tokens, ""
        cost = ceiling = None
        if price is not None:
            ceiling = price.ceiling(bound, asked)
            if reason is None and room is not None and ceiling.picodollars > room.picodollars:
                max_tokens, reason = self._fewer(price, standing, room, asked, bound)
                if reason is None:
                    fewer = _short_of(ceiling, standing, room)
                    ceiling = price.ceiling(bound, max_tokens)
        if max_tokens < expected:
            expected = max(1, max_tokens)
        if price is not None:
            cost = price.expected(tokens, expected, standing.cached_input)
        first_token = model.first_token_s if standing.first_token_s is None else standing.first_token_s
        speed = model.tokens_per_s if standing.tokens_per_s is None else standing.tokens_per_s
        shift, slope = standing.ability_shift, self.policy.discrimination
        # By position, in the order of the fields: with their names it takes three times as long.
        return Candidate(
            model.id,
            model.provider,
            model.local,
            success_probability(model, profile, shift, slope),
            cost,
            ceiling,
            standing.wait_s + first_token + expected / (speed if speed > 0.1 else 0.1),
            0.0,
            max_tokens,
            tokens,
            reason[0] if reason else None,
            reason[1] if reason else None,
            fewer,
            model.family,
            model.open_weights,
            shift,
            standing.wins,
            standing.losses,
            standing.wins_overall,
            standing.losses_overall,
        )

    def _unusable(self, model: Model, standing: Standing, tokens: int) -> tuple[Exclusion, str] | None:
        if self.out and model.id in self.out:
            why = self.out[model.id]
            return (Exclusion.NO_KEY if "key" in why else Exclusion.DISABLED), why
        if standing.out is not None:
            return standing.out
        if model.context_window is not None and tokens + _SAFE_INPUT > model.context_window:
            said = f"reads {model.context_window:,} tokens, the conversation has about {tokens:,}"
            return Exclusion.CONTEXT_WINDOW, said
        if self.images and Ability.VISION not in model.abilities:
            return Exclusion.MISSING_ABILITY, "cannot read images"
        if self.tools and Ability.TOOLS not in model.abilities:
            return Exclusion.MISSING_ABILITY, "cannot call tools"
        if self.shape and Ability.STRUCTURED_OUTPUT not in model.abilities:
            return Exclusion.MISSING_ABILITY, "cannot be held to JSON"
        if standing.wait_s > self.policy.max_wait_s:
            return Exclusion.RATE_LIMITED, f"its rate limit is used up for {standing.wait_s:.0f} s"
        if standing.room is not None and model.price is None:
            cap = cap_name(standing.room_scope)
            said = f"its price is not known under {cap}; give one in [[models]], or set budgets.allow_unpriced"
            return Exclusion.UNPRICED, said
        return None

    def _fewer(
        self, price: Price, standing: Standing, room: Money, asked: int, bound: int
    ) -> tuple[int, tuple[Exclusion, str] | None]:
        """Fewer output tokens where that makes the call fit and is allowed; otherwise why it does not."""
        needed = asked
        if WayOut.FEWER_TOKENS in self.policy.on_exhausted:
            affordable = price.affordable_output(bound, room)
            needed = least_output(asked, self.profile.output_tokens)
            if affordable >= needed:
                return min(asked, affordable), None
        over = Exclusion.OVER_MAX_COST if standing.room_scope == "request" else Exclusion.OVER_BUDGET
        return asked, (over, _short_of(price.ceiling(bound, needed), standing, room))


def _short_of(needs: Money, standing: Standing, room: Money) -> str:
    if standing.room_scope == "request":
        return f"could cost {needs}, this request may cost {room}"
    return f"could cost {needs}, {cap_name(standing.room_scope)} has {room} left"


def asked_output(request: Request, input_tokens: int, model: Model, policy: Policy) -> int:
    """The output tokens a call would ask for, were there no budget."""
    return _asked_of(model, request.max_tokens or policy.max_tokens, input_tokens)


def _asked_of(model: Model, asked: int, input_tokens: int) -> int:
    if model.max_output and model.max_output < asked:
        asked = model.max_output
    if model.context_window and model.context_window - input_tokens < asked:
        asked = max(1, model.context_window - input_tokens)
    return asked
