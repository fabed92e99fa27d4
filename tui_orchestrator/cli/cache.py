"""`cache`: the answers that are kept, and what they saved."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from ..routing.event_json import usd
from .manners import USAGE, Invocation, Named, Stop, meant, note, run, say
from .printing import as_json, table

if TYPE_CHECKING:
    from ..services.runtime import Runtime
    from ..storage.cache import Kept

_AGE = re.compile(r"(\d{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


@click.group(cls=Named, invoke_without_command=True)
@click.pass_context
def cache(context: click.Context) -> None:
    """Show what the cache of answers holds and has saved; clear it.

    Answers are kept at temperature 0, and where `ask --cache` or /cache on asked for it. Without a command it is
    shown.

    \b
    Examples:
      tui-orchestrator cache
      tui-orchestrator cache clear --older-than 7d
      tui-orchestrator cache clear --model openai/gpt-6-luna
    """
    if context.invoked_subcommand is None:
        context.invoke(show)


@cache.command()
@click.option("--json", "as_object", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def show(invocation: Invocation, as_object: bool = False) -> None:
    """Print, for each model, the answers kept, how often one was given again, and what that saved."""

    async def go() -> None:
        async with invocation.runtime(look=False) as runtime:
            kept = await runtime.cache.by_model()
            if as_object:
                say(as_json({"settings": _settings(runtime), "models": [_kept_json(one) for one in kept]}))
                return
            if kept:
                right = ("answers", "kB", "hits", "of them ≈", "saved")
                say(table(("model", *right, "oldest"), [_row(one) for one in kept], right=right, names=("model",)))
            for line in _notes(runtime, kept):
                note(line)

    run(go())


@cache.command()
@click.option("--model", metavar="NAME", help="Of this model alone.")
@click.option("--older-than", "age", metavar="AGE", help="Only those so old: 30m, 12h, 7d, 2w.")
@click.pass_obj
def clear(invocation: Invocation, model: str | None, age: str | None) -> None:
    """Forget answers. What they saved stays in the ledger."""
    old = None if age is None else _duration(age)

    async def go() -> None:
        async with invocation.runtime(look=False) as runtime:
            wanted = None if model is None else await _model(runtime, model)
            before = None if old is None else runtime.clock.now() - old
            gone = await runtime.cache.clear(wanted, before)
            note(f"{gone:,} answer{'' if gone == 1 else 's'} forgotten.")

    run(go())


def _duration(said: str) -> timedelta:
    found = _AGE.fullmatch(said.strip().lower())
    if found is None:
        raise Stop(f"{said!r} is no age; give a number and s, m, h, d or w, such as 7d", USAGE)
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


async def _model(runtime: Runtime, said: str) -> str:
    """The id of a model that has answers in the cache. Raises Stop."""
    kept = [one.model for one in await runtime.cache.by_model() if one.answers]
    found = [model for model in kept if said in (model, model.partition("/")[2])]
    if len(found) == 1:
        return found[0]
    if not found:
        raise Stop(f"no answer of {said!r} is kept; {meant(said, kept) if kept else 'the cache is empty'}", USAGE)
    raise Stop(f"{said!r} may be {' or '.join(found)}; give the provider too", USAGE)


def _row(one: Kept) -> tuple[str, ...]:
    oldest = f"{one.oldest.astimezone():%Y-%m-%d %H:%M}" if one.oldest else ""
    saved = f"{'~' if one.nearly else ''}{one.saved}"
    return (
        one.model,
        f"{one.answers:,}",
        f"{one.bytes / 1000:,.1f}",
        f"{one.hits:,}",
        f"{one.nearly:,}",
        saved,
        oldest,
    )


def _notes(runtime: Runtime, kept: tuple[Kept, ...]) -> list[str]:
    cache = runtime.settings.cache
    if not cache.used:
        return ["The cache is off: cache.exact is false."]
    answers, size = sum(one.answers for one in kept), sum(one.bytes for one in kept)
    most = f"{answers:,} of at most {cache.max_answers:,} answers, {size / 1e6:.1f} of {cache.max_mb:,} MB"
    nearly = "nearly the same prompts are answered too" if cache.nearly else "only the very same prompts are answered"
    return [f"{most}; {nearly}."]


def _settings(runtime: Runtime) -> dict[str, Any]:
    cache = runtime.settings.cache
    return {
        "exact": cache.exact,
        "semantic": cache.semantic,
        "semantic_similarity": float(cache.semantic_similarity),
        "ttl_s": cache.ttl_s,
        "max_answers": cache.max_answers,
        "max_mb": cache.max_mb,
    }


def _kept_json(one: Kept) -> dict[str, Any]:
    return {
        "model": one.model,
        "answers": one.answers,
        "bytes": one.bytes,
        "oldest": one.oldest.isoformat() if one.oldest else None,
        "hits": one.hits,
        "hits_nearly_the_same": one.nearly,
        "saved_usd": usd(one.saved),
    }
