"""Weighing: what each model of the registry would come to for one request, or why it is out."""

from __future__ import annotations

from .ability import success_probability
from .budget import input_bound, least_output
from .decision import Candidate, Circumstances, Exclusion, Policy, Standing
from .model import Model, Registry
from .profile import Ability, Profile
from .request import Request

_SAFE_INPUT = 64
"""Tokens a context window must hold beside the estimated input for a call to be worth trying."""


def weigh(
    request: Request, profile: Profile, registry: Registry, circumstances: Circumstances, policy: Policy
) -> tuple[Candidate, ...]:
    """Every model of the registry as a candidate for this request, not yet ranked: scores are 0."""
    asked, images, bound = (
        request.max_tokens or policy.max_tokens,
        request.has_images,
        input_bound(profile.input_tokens),
    )
    return tuple(
        _weigh_one(model, circumstances.of(model.id), profile, registry, policy, asked, images, bound)
        for model in registry
    )


def _weigh_one(
    model: Model,
    standing: Standing,
    profile: Profile,
    registry: Registry,
    policy: Policy,
    asked: int,
    images: bool,
    bound: int,
) -> Candidate:
    max_tokens = asked = _asked_of(model, asked, profile.input_tokens)
    reason = _unusable(model, standing, profile, registry, policy, images)
    if reason is None and standing.room is not None:
        max_tokens, reason = _fit(profile, model, standing, asked)
    expected = min(profile.output_tokens, max(1, max_tokens))
    cost = ceiling = None
    if model.price is not None:
        cost = model.price.expected(profile.input_tokens, expected, standing.cached_input)
        ceiling = model.price.ceiling(bound, max_tokens)
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
    return _asked_of(model, request.max_tokens or policy.max_tokens, profile.input_tokens)


def _asked_of(model: Model, asked: int, input_tokens: int) -> int:
    if model.max_output:
        asked = min(asked, model.max_output)
    if model.context_window:
        asked = min(asked, max(1, model.context_window - input_tokens))
    return asked


def _unusable(
    model: Model, standing: Standing, profile: Profile, registry: Registry, policy: Policy, images: bool
) -> tuple[Exclusion, str] | None:
    if model.id in registry.out:
        why = registry.out[model.id]
        return (Exclusion.NO_KEY if "key" in why else Exclusion.DISABLED), why
    if standing.out is not None:
        return standing.out
    if model.context_window is not None and profile.input_tokens + _SAFE_INPUT > model.context_window:
        return (
            Exclusion.CONTEXT_WINDOW,
            f"reads {model.context_window:,} tokens, the conversation has about {profile.input_tokens:,}",
        )
    if images and Ability.VISION not in model.abilities:
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
