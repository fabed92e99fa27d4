"""`advice`: what could be cheaper or better."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .manners import Invocation, Word, run, say
from .periods import PERIODS, period_or_span
from .printing import as_json

if TYPE_CHECKING:
    from pathlib import Path

    from ..services.advice import Advice
    from ..settings import Settings

FORMS = ("table", "json")
_SPANS = "today or day, week (the last 7 days), month (the last 30, the default) or all; by your local days."
_DAYS = "A day: 2026-11-21, today, yesterday, or so long ago: 7d, 2w, 3m."


@click.command()
@click.option("--period", type=Word(PERIODS), metavar="SPAN", help=_SPANS)
@click.option("--from", "first", metavar="DAY", help=f"The first day. {_DAYS}")
@click.option("--to", "last", metavar="DAY", help="The last day, which is included.")
@click.option(
    "--format",
    "form",
    type=Word(FORMS),
    metavar="FORM",
    default="table",
    show_default=True,
    help=f"One of {', '.join(FORMS)}.",
)
@click.pass_obj
def advice(invocation: Invocation, period: str | None, first: str | None, last: str | None, form: str) -> None:
    """Advise what could be cheaper or better, from your own turns.

    Each piece of advice says the figures it rests on, what it would have saved, as an estimate for a month, and the
    lines that do it: paste them into your configuration (`config path` says where it lies), or press Enter on it in the
    console. Nothing is advised from fewer than 20 attempts. The score says how much of the money was needed and how
    many turns gave an answer; its formula stands beside it.

    \b
    Examples:
      tui-orchestrator advice
      tui-orchestrator advice --from 2026-11-01 --to yesterday
      tui-orchestrator advice --period all --format json
    """
    when = period_or_span(period, first, last)

    async def report() -> None:
        from ..services.advice import advise
        from ..services.advice import as_json as told

        async with invocation.runtime(look=False, to_read=True) as runtime:
            found = await advise(runtime, when)
            settings = runtime.settings
        say(as_json(told(found)) if form == "json" else _text(found, settings))

    run(report())


def _text(found: Advice, settings: Settings) -> str:
    from ..services.advice import kept_in

    head = [] if found.score is None else [f"Optimisation score {found.score.formula()}."]
    nothing = " Nothing to advise." if found.score is not None and not found.recommendations else ""
    blocks = ["\n".join([*head, found.basis() + nothing])]
    for number, one in enumerate(found.recommendations, 1):
        saving = found.saving(one)
        lines = [f"{number}. {one.title}{f' ({saving}, an estimate)' if saving else ''}", f"   {one.why}"]
        if one.change is not None:
            path: Path = kept_in(settings, one.change)
            lines += [f"   In {path}:", "", *(f"     {line}" for line in one.change.toml().splitlines())]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)
