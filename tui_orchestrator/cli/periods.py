"""What reports have in common: the time they are about, their form, and where they go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .manners import OUTPUT_HELP, Word, meant, say, write_file

if TYPE_CHECKING:
    from ..storage.reports import Period, Span

Command = TypeVar("Command", bound=Callable[..., Any])

PERIODS = ("today", "day", "week", "month", "all")
FORMS = ("table", "json", "csv")
_SPANS = "today or day, week (the last 7 days), month (this one, the default) or all; by your local days."
_DAYS = "A day: 2026-11-21, today, yesterday, or so long ago: 7d, 2w, 3m."


def report_options(command: Command) -> Command:
    """--period, --from, --to, --format and -o."""
    for option in reversed(
        (
            click.option("--period", type=Word(PERIODS), metavar="SPAN", help=_SPANS),
            click.option("--from", "first", metavar="DAY", help=f"The first day. {_DAYS}"),
            click.option("--to", "last", metavar="DAY", help="The last day, which is included."),
            click.option(
                "--format",
                "form",
                type=Word(FORMS),
                metavar="FORM",
                default="table",
                show_default=True,
                help=f"One of {', '.join(FORMS)}.",
            ),
            click.option(
                "-o", "--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help=OUTPUT_HELP
            ),
        )
    ):
        command = option(command)
    return command


def period_or_span(period: str | None, first: str | None, last: str | None) -> Period | Span:
    """Raises click's usage error with a sentence."""
    if first is None and last is None:
        return period or "month"  # type: ignore[return-value]  # one of PERIODS
    if period is not None:
        raise click.UsageError("say either --period or --from and --to, not both")
    from ..routing.clock import SystemClock
    from ..storage.reports import Span, day_of

    today = SystemClock().today()

    def day(text: str | None) -> date | None:
        return None if text is None else day_of(text, today)

    try:
        return Span(day(first), day(last))
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def dimensions(known: Sequence[str]) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], tuple[str, ...]]:
    """A click callback for an option that may be given several times, or once with commas."""

    def split(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
        names = [name.strip() for text in given for name in text.split(",") if name.strip()]
        for name in names:
            if name not in known:
                raise click.BadParameter(f"{name!r} is not known; {meant(name, list(known))}", context, parameter)
        return tuple(dict.fromkeys(names))

    return split


def put(text: str, file: Path | None) -> None:
    if file is None:
        say(text)
    else:
        write_file(file, text + "\n")
