"""`models`: the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..routing.event_json import usd
from ..routing.model import Model
from ..routing.money import Money
from ..routing.profile import Ability
from ..routing.text import spoken
from .manners import FAILED, USAGE, Invocation, Named, Stop, exit_code, note, run, say
from .printing import as_json, table
from .streams import look_at_stdout

if TYPE_CHECKING:
    from ..routing.experience import Lesson
    from ..services.model_tests import Tested
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


@click.group(cls=Named, invoke_without_command=True)
@click.option("--json", "as_object", is_flag=True, help="Print a list of JSON objects.")
@click.option("--refresh", is_flag=True, help="Read every provider's list again, also what is kept for a day.")
@click.pass_context
def models(context: click.Context, as_object: bool, refresh: bool) -> None:
    """List the models there are, test one, switch one on or off for good.

    The list has price in dollars per million tokens, context, abilities, health, measured speed, your votes, and where
    what you did with the answers has moved the ability the most.

    Abilities: v vision, t tools, s structured output, r reasoning, l long context. A price of ? is not known; one
    with + is higher for long prompts.

    \b
    Examples:
      tui-orchestrator models
      tui-orchestrator models --refresh
      tui-orchestrator models --json | jq -r '.[] | select(.local) | .id'
      tui-orchestrator models test openai/gpt-6-luna
      tui-orchestrator models disable openai/gpt-6
    """
    if context.invoked_subcommand is None:
        _list(context.obj, as_object, refresh)
    elif as_object or refresh:
        option = "--json" if as_object else "--refresh"
        raise Stop(f"{option} belongs to the list; say it without {context.invoked_subcommand}, or after it", USAGE)


@models.command()
@click.argument("model", metavar="ID")
@click.option("--json", "as_object", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def test(invocation: Invocation, model: str, as_object: bool) -> None:
    """Ask a model for one word: whether it answers, how fast, and what that costs.

    What it costs at most is said before; caps hold, and it is in the ledger like any other call.
    """
    look_at_stdout()

    async def go() -> None:
        from ..services import model_tests

        async with invocation.runtime() as runtime:
            wanted = _find(runtime, model)
            most = model_tests.outlook(runtime, wanted.id).at_most
            said = "its price is not known" if most is None else f"at most {most}" if most else "free"
            note(f"Asking {wanted.id}: {said}.")
            tested = await model_tests.run(runtime, wanted.id)
        if as_object:
            say(as_json(_tested_json(tested)))
        elif not tested.problem:
            say(_tested_line(tested))
        if tested.problem:
            code = exit_code(tested.error_kind) if tested.error_kind else FAILED
            raise Stop(tested.problem, code)

    run(go())


@models.command()
@click.argument("model", metavar="ID")
@click.pass_obj
def enable(invocation: Invocation, model: str) -> None:
    """Switch a model on for good, in your configuration."""
    _switch(invocation, model, True)


@models.command()
@click.argument("model", metavar="ID")
@click.pass_obj
def disable(invocation: Invocation, model: str) -> None:
    """Switch a model off for good, in your configuration; comments in it stay."""
    _switch(invocation, model, False)


def _switch(invocation: Invocation, said: str, enabled: bool) -> None:
    async def go() -> None:
        from ..services import switching

        async with invocation.runtime() as runtime:
            wanted = _find(runtime, said)
            try:
                file = await switching.keep(runtime, wanted.id, enabled)
            except OSError as error:
                raise Stop(f"{error.filename} cannot be written: {error.strerror}") from error
            except ValueError as error:
                raise Stop(str(error)) from error
            note(f"{wanted.id} is {'on' if enabled else 'off'}, as {file} says.")

    run(go())


def _find(runtime: Runtime, said: str) -> Model:
    try:
        return runtime.registry.find(said)
    except LookupError as error:
        raise Stop(str(error.args[0]), USAGE) from error


def _tested_line(tested: Tested) -> str:
    figures = [
        tested.answer,
        f"{tested.first_token_s:.1f} s to the first token" if tested.first_token_s is not None else "",
        f"{tested.tokens_per_s:.0f} tok/s" if tested.tokens_per_s is not None else "",
        str(tested.cost),
    ]
    return " · ".join(figure for figure in figures if figure)


def _tested_json(tested: Tested) -> dict[str, Any]:
    return {
        "model": tested.model,
        "answer": tested.answer or None,
        "error": tested.problem or None,
        "error_kind": tested.error_kind.value if tested.error_kind else None,
        "first_token_s": tested.first_token_s,
        "tokens_per_s": tested.tokens_per_s,
        "latency_s": tested.latency_s,
        "cost_usd": None if tested.cost.amount is None else usd(tested.cost.amount),
        "cost_state": tested.cost.state.value,
    }


def _list(invocation: Invocation, as_object: bool, refresh: bool) -> None:
    async def show() -> None:
        from ..services.model_json import model_json

        async with invocation.runtime(look=not refresh, to_read=True) as runtime:
            if refresh:
                await runtime.refresh()
            for provider, why in runtime.registry.unlisted.items():
                note(f"No model of {provider} is known: {why}.")
            ordered = sorted(runtime.registry, key=lambda m: (m.provider, m.ability, m.name))
            if as_object:
                say(as_json([model_json(runtime, model) for model in ordered]))
                return
            if not ordered:
                note("There is no model: set a provider's key or start a local server; see `doctor`.")
                return
            right = ("in $/M", "out $/M", "context", "first tok", "tok/s")
            say(table(_HEAD, [_row(runtime, model) for model in ordered], right, names=_HEAD[:1]))

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
        spoken(health.state) + (f": {health.detail}" if health.detail else ""),
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
    return f"{spoken(task)} {shift:+.2f}".replace("-", "−")


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
