"""`models`: the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..routing.event_json import usd
from ..routing.model import Model
from ..routing.money import Money
from ..routing.profile import Ability
from .manners import Invocation, run, say
from .printing import as_json, table

if TYPE_CHECKING:
    from ..routing.experience import Lesson
    from ..services.runtime import Runtime

_LETTERS = {
    Ability.VISION: "v",
    Ability.TOOLS: "t",
    Ability.STRUCTURED_OUTPUT: "s",
    Ability.THINKING: "r",
    Ability.LONG_CONTEXT: "l",
}


_HEAD = (
    *("model", "level", "in $/M", "out $/M", "context", "can", "health"),
    *("first tok", "tok/s", "votes", "learned"),
)


@click.command()
@click.option("--json", "as_object", is_flag=True, help="Print a list of JSON objects.")
@click.option("--refresh", is_flag=True, help="Read every provider's list again, also what is kept for a day.")
@click.pass_obj
def models(invocation: Invocation, as_object: bool, refresh: bool) -> None:
    """List the models there are: price in dollars per million tokens, context, abilities, health, measured speed, your
    votes, and where what you did with the answers has moved the ability the most.

    Abilities: v vision, t tools, s structured output, r reasoning, l long context. A price of ? is not known; one
    with + is higher for long prompts.

    \b
    Examples:
      tui-orchestrator models
      tui-orchestrator models --refresh
      tui-orchestrator models --json | jq -r '.[] | select(.local) | .id'
    """

    async def show() -> None:
        async with invocation.runtime(look=not refresh) as runtime:
            if refresh:
                await runtime.refresh()
            ordered = sorted(runtime.registry, key=lambda m: (m.provider, m.ability, m.name))
            if as_object:
                say(as_json([model_json(runtime, model) for model in ordered]))
                return
            if not ordered:
                click.echo("There is no model: set a provider's key or start a local server; see `doctor`.", err=True)
                return
            right = ("in $/M", "out $/M", "context", "first tok", "tok/s")
            say(table(_HEAD, [_row(runtime, model) for model in ordered], right))

    run(show())


def _row(runtime: Runtime, model: Model) -> tuple[str, ...]:
    figures = runtime.router.experience.of(model.id)
    lesson = runtime.router.experience.lesson(model.id, runtime.clock.now())
    health = runtime.health(model.id)
    return (
        model.id,
        model.level.value,
        per_million(model, "input"),
        per_million(model, "output"),
        "?" if model.context_window is None else thousands(model.context_window),
        "".join(letter for ability, letter in _LETTERS.items() if ability in model.abilities) or "-",
        health.state.value.replace("_", " ") + (f": {health.detail}" if health.detail else ""),
        "-" if figures.first_token_s is None else f"{figures.first_token_s:.1f} s",
        "-" if figures.tokens_per_s is None else f"{figures.tokens_per_s:.0f}",
        votes(lesson),
        learned(lesson, runtime.settings.policy.discrimination),
    )


def votes(lesson: Lesson) -> str:
    """'▲3 ▼1'."""
    up, down = lesson.votes
    return " ".join(f"{sign}{count}" for sign, count in (("▲", up), ("▼", down)) if count) or "-"


def learned(lesson: Lesson, discrimination: float) -> str:
    """Where this user's turns have moved the ability the most: 'code −0.06'."""
    if (largest := lesson.largest_shift(discrimination)) is None:
        return "-"
    task, shift = largest
    return f"{task.value} {shift:+.2f}".replace("-", "−")


def per_million(model: Model, bucket: str) -> str:
    """Dollars per million tokens, '+' where a longer prompt costs more; ? when not known."""
    if model.price is None:
        return "?"
    rate: int = getattr(model.price.rates, bucket)
    return f"{Money(rate * 10**6).usd:.2f}{'+' if model.price.tiers else ''}"


def thousands(tokens: int) -> str:
    if tokens >= 1_000_000:
        return f"{tokens / 1_000_000:.3g}M"
    return f"{tokens / 1000:.0f}k" if tokens >= 1000 else str(tokens)


def model_json(runtime: Runtime, model: Model) -> dict[str, Any]:
    figures = runtime.router.experience.of(model.id)
    lesson = runtime.router.experience.lesson(model.id, runtime.clock.now())
    health = runtime.health(model.id)
    price: dict[str, Any] | None = None
    if model.price is not None:
        rates = model.price.to_json()["rates"]
        price = {f"{name}_usd_per_million": usd(Money(rate * 10**6)) for name, rate in rates.items()}
        price["per_call_usd"] = usd(model.price.per_call)
        price["tiered"] = bool(model.price.tiers)
        price["source"] = model.price.source
    return {
        "id": model.id,
        "provider": model.provider,
        "price": price,
        "context_window": model.context_window,
        "max_output": model.max_output,
        "abilities": sorted(ability.value for ability in model.abilities),
        "level": model.level.value,
        "ability": model.ability,
        "task_abilities": {task.value: offset for task, offset in model.task_abilities.items()},
        "ability_source": model.ability_source,
        "local": model.local,
        "health": {"state": health.state.value, "detail": health.detail, "seconds_left": health.seconds_left},
        "measured": {
            "attempts": figures.attempts,
            "success": figures.success,
            "first_token_s": figures.first_token_s,
            "tokens_per_s": figures.tokens_per_s,
        },
        "learned": _learned_json(lesson, runtime.settings.policy.discrimination),
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
