"""`stats`: how models did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .manners import Invocation, output_file, run
from .periods import dimensions, period_or_span, put, report_options
from .printing import as_json, table

if TYPE_CHECKING:
    from ..services.reporting import Performed
    from ..storage.reports import Measured

ASPECTS = ("model", "task", "provider", "strategy")


@click.command()
@report_options
@click.option(
    "--by",
    multiple=True,
    callback=dimensions(ASPECTS),
    metavar="WHAT",
    help=f"One row for each: {', '.join(ASPECTS)}; several with commas.  [default: model,task]",
)
@click.pass_obj
def stats(
    invocation: Invocation,
    period: str | None,
    first: str | None,
    last: str | None,
    by: tuple[str, ...],
    form: str,
    output: Path | None,
) -> None:
    """Report how models did at what they were asked for.

    Success is the share of finished attempts among those that finished or failed. Away counts how often a turn went on
    to another model: after a failure (✗), and from an answer that was too weak (~). A good answer is one that was
    neither gone on from nor voted down; failed and cancelled attempts are part of what an answer cost. Times are
    percentiles over the finished attempts, by nearest rank, to the microsecond; answers from the cache are left out.

    It ends with what could be cheaper or better; `advice` has the figures and the lines that do it.

    \b
    Examples:
      tui-orchestrator stats
      tui-orchestrator stats --by model --period all
      tui-orchestrator stats --by task,model --from 30d --format csv -o stats.csv
    """
    when, file = period_or_span(period, first, last), output_file(output)

    async def report() -> None:
        from ..services.advice import advise
        from ..services.advice import as_json as advice_json
        from ..services.reporting import as_csv, performed

        async with invocation.runtime(look=False, to_read=True) as runtime:
            found = await performed(runtime, by or ("model", "task"), when)  # type: ignore[arg-type]  # ASPECTS
            advice = await advise(runtime, when)
        if form == "json":
            put(as_json({**found.as_json(runtime.demo), "advice": advice_json(advice)}), file)
        elif form == "csv":
            put(as_csv(found.columns, found.records).rstrip("\n"), file)
        elif found.groups:
            put("\n".join([_table(found), "", *advice.lines()]), file)
        else:
            put("Nothing was asked in this time, so there is nothing to measure.", file)

    run(report())


_FIGURES = (
    "attempts", "success", "away", "first token", "p50", "p95", "p99", "tok/s", "$/answer", "$/good", "votes",
    "confidence",
)  # fmt: skip


def _table(found: Performed) -> str:
    return table((*found.by, *_FIGURES), [_row(found, group) for group in found.groups], right=_FIGURES, names=found.by)


def _row(found: Performed, one: Measured) -> tuple[str, ...]:
    from ..services.reporting import key_in_words

    return (
        *(key_in_words(*pair) or "–" for pair in zip(found.by, one.keys, strict=True)),
        f"{one.attempts:,}",
        "–" if one.success is None else f"{one.success:.1%}",
        "–" if not one.fell_back + one.escalated else f"{one.fell_back}✗ {one.escalated}~",
        *(_seconds(time) for time in (one.first_token_p50_s, one.latency_p50_s, one.latency_p95_s, one.latency_p99_s)),
        "–" if one.tokens_per_s is None else f"{one.tokens_per_s:.0f}",
        one.told(one.cost_per_answer),
        one.told(one.cost_per_good_answer),
        f"{one.voted_up}▲ {one.voted_down}▼" if one.voted_up + one.voted_down else "–",
        "–" if one.confidence is None else f"{one.confidence:.2f}",
    )


def _seconds(time: float | None) -> str:
    return "–" if time is None else f"{time:.2f} s" if time < 10 else f"{time:.0f} s"
