"""`costs`: what was spent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..routing.telling import KILLED
from ..routing.text import spoken
from .manners import USAGE, Invocation, Stop, note, output_file, run
from .periods import dimensions, period_or_span, put, report_options
from .printing import as_json, table

if TYPE_CHECKING:
    from ..routing.events import Attempt
    from ..services.reporting import Listed, Spent
    from ..services.runtime import Runtime
    from ..storage.reports import Totals

DIMENSIONS = (
    "model", "provider", "task", "strategy", "day", "week", "month", "session", "cause", "outcome", "cost_state",
)  # fmt: skip
EVERY_ATTEMPT = "attempt"
ROWS_SHOWN = 500
"""Of a table, which is for people; laying out tens of thousands takes longer than anyone reads."""
ATTEMPTS_SHOWN = 100


@click.command()
@report_options
@click.option(
    "--by",
    multiple=True,
    callback=dimensions((*DIMENSIONS, EVERY_ATTEMPT)),
    metavar="WHAT",
    help=f"One row for each: {', '.join(DIMENSIONS)}; several with commas; or {EVERY_ATTEMPT}, for a row for every "
    "single one.  [default: model]",
)
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help=f"At most so many rows, the dearest or the latest; the total is of all.  [default: {ATTEMPTS_SHOWN} attempts, "
    f"{ROWS_SHOWN} rows of a table, every row of JSON and CSV]",
)
@click.pass_obj
def costs(
    invocation: Invocation,
    period: str | None,
    first: str | None,
    last: str | None,
    by: tuple[str, ...],
    form: str,
    limit: int | None,
    output: Path | None,
) -> None:
    """Report what was spent: every attempt counts, failed and cancelled ones too.

    A cost that holds estimated figures is marked ~, and one that lacks attempts of unknown cost +?; in JSON and CSV the
    parts that were billed, computed and estimated, and the number of the unknown, stand apart, as exact decimals. The
    last line says what the same tokens would have cost on the baseline model, which is an estimate.

    \b
    Examples:
      tui-orchestrator costs
      tui-orchestrator costs --period today --by session
      tui-orchestrator costs --from 2026-11-01 --to yesterday --by model,task
      tui-orchestrator costs --from 7d --by attempt --limit 20
      tui-orchestrator costs --period all --by day --format csv -o costs.csv
    """
    when, file = period_or_span(period, first, last), output_file(output)
    if EVERY_ATTEMPT in by and len(by) > 1:
        raise Stop(f"--by {EVERY_ATTEMPT} has a row for every single one; it cannot be joined with others", USAGE)

    async def report() -> None:
        from ..services.reporting import as_csv, savings_line

        async with invocation.runtime(look=False, to_read=True) as runtime:
            most = limit or (ROWS_SHOWN if form == "table" else None)
            found = await _found(runtime, when, by or ("model",), most, limit or ATTEMPTS_SHOWN)
        line = savings_line(found.savings, found.baseline)
        if form == "json":
            put(as_json(found.as_json(runtime.demo)), file)
        elif form == "csv":
            put(as_csv(found.columns, found.records).rstrip("\n"), file)
            note(line)
        else:
            put("\n".join([_table(found), *_left_out(found), line]), file)

    run(report())


async def _found(runtime: Runtime, when: Any, by: tuple[str, ...], most: int | None, attempts: int) -> Spent | Listed:
    from ..services.reporting import listed, spent

    if by == (EVERY_ATTEMPT,):
        return await listed(runtime, when, attempts)
    return await spent(runtime, by, when, most)  # type: ignore[arg-type]  # they are DIMENSIONS


def _left_out(found: Spent | Listed) -> list[str]:
    shown = len(found.records)
    return (
        [f"{shown:,} of {found.found:,} rows; the total is of all, and --limit shows more."]
        if shown < found.found
        else []
    )


def _table(found: Spent | Listed) -> str:
    from ..services.reporting import Spent

    if isinstance(found, Spent):
        keys = ("session", "title") if found.by == ("session",) else found.by
        head = (*keys, *_SUMS)
        rows = [_row(_keys(found, group), group) for group in found.groups]
        rows.append(_row(("total", *[""] * (len(keys) - 1)), found.total))
        return table(head, rows, right=_SUMS, names=keys)
    rows = [_attempt(attempt) for attempt in found.attempts]
    rows.append(("total", "", "", "", "", *_row((), found.total)[-4:-2], "", str(found.total)))
    return table(_ATTEMPT, rows, right=_ATTEMPT[5:], names=_ATTEMPT[1:2])


def _keys(found: Spent, group: Totals) -> tuple[str, ...]:
    from ..services.reporting import key_in_words

    keys = tuple(key_in_words(*pair) or "-" for pair in zip(found.by, group.keys, strict=True))
    return (*keys, found.titles.get(group.keys[0], "")) if found.by == ("session",) else keys


_SUMS = ("attempts", "failed", "cancelled", "cached", "tokens in", "tokens out", "cost", "unknown")


def _row(keys: tuple[str, ...], group: Totals) -> tuple[str, ...]:
    return (
        *keys,
        f"{group.attempts:,}",
        f"{group.failed:,}",
        f"{group.cancelled:,}",
        f"{group.cache_hits:,}",
        f"{group.input_tokens:,}",
        f"{group.output_tokens:,}",
        str(group),
        f"{group.unknown:,}",
    )


_ATTEMPT = ("started", "model", "task", "cause", "outcome", "tokens in", "tokens out", "seconds", "cost")


def _attempt(attempt: Attempt) -> tuple[str, ...]:
    about = "~" if attempt.usage.source == "estimated" else ""
    outcome = "cached" if attempt.from_cache else attempt.outcome.value
    return (
        f"{attempt.started.astimezone():%Y-%m-%d %H:%M:%S}",
        attempt.model,
        spoken(attempt.task_type),
        spoken(attempt.cause),
        f"{outcome}: {spoken(attempt.error_kind)}" if attempt.error_kind else outcome,
        f"{about}{attempt.usage.input:,}",
        f"{about}{attempt.usage.output:,}",
        "?" if attempt.error_message == KILLED else f"{attempt.latency_s:.1f}",
        str(attempt.cost),
    )
