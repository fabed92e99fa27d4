"""A model of the registry as plain JSON values: what `models --json` and the gateway tell of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..routing.event_json import usd
from ..routing.experience import Lesson
from ..routing.model import Model
from ..routing.money import Money, Price
from .rate_limits import rate_limits

if TYPE_CHECKING:
    from .runtime import Runtime


def model_json(runtime: Runtime, model: Model) -> dict[str, Any]:
    figures = runtime.router.experience.of(model.id)
    lesson = runtime.router.experience.lesson(model.id, runtime.clock.now())
    health = runtime.health(model.id)
    return {
        "id": model.id,
        "provider": model.provider,
        "price": None if model.price is None else price_json(model.price),
        "context_window": model.context_window,
        "max_output": model.max_output,
        "abilities": sorted(ability.value for ability in model.abilities),
        "level": model.level.value,
        "ability": model.ability,
        "task_abilities": {task.value: offset for task, offset in model.task_abilities.items()},
        "ability_source": model.ability_source,
        "local": model.local,
        "rate_limits": [
            {
                "of": limit.name,
                "requests_per_minute": limit.requests,
                "tokens_per_minute": limit.tokens,
                "source": source,
            }
            for limit, source in rate_limits(runtime, model)
        ],
        "health": {"state": health.state.value, "detail": health.detail, "seconds_left": health.seconds_left},
        "measured": {
            "attempts": figures.attempts,
            "success": figures.success,
            "first_token_s": figures.first_token_s,
            "tokens_per_s": figures.tokens_per_s,
        },
        "learned": _learned_json(lesson, runtime.settings.policy.discrimination),
    }


def price_json(price: Price) -> dict[str, Any]:
    """Of tokens of a kind that has a rate of its own, such as audio, the name is that of the kind."""
    rates = price.rates.to_json()
    rates |= rates.pop("parts", {})
    return {
        **{f"{name}_usd_per_million": usd(Money(rate * 10**6)) for name, rate in rates.items()},
        "per_call_usd": usd(price.per_call),
        "tiered": bool(price.tiers),
        "source": price.source,
    }


def _learned_json(lesson: Lesson, discrimination: float) -> dict[str, Any]:
    """Shifts are added to the ability; `answers` are those something was seen of."""
    up, down = lesson.votes
    return {
        "votes": {"up": up, "down": down},
        "tasks": {
            task.value: {
                "shift": round(lesson.learned.shift_for(task, discrimination), 4),
                "answers": answers,
                "up": lesson.up.get(task, 0),
                "down": lesson.down.get(task, 0),
            }
            for task, answers in lesson.seen.items()
        },
    }
