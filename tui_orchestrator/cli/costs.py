"""`costs`: what was spent."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..routing.event_json import usd
from .manners import OUTPUT_HELP, Invocation, Word, output_file, run, say, write_file
from .printing import as_json, table

if TYPE_CHECKING:
    from ..services.runtime import Runtime
    from ..storage.reports import Savings, Totals

_PERIODS = ("today", "day", "week", "month", "all")
_GROUPINGS = ("model", "provider", "task", "strategy", "day", "session")
_FORMS = ("table", "json", "csv")
_SPANS = "today or day, week (the last 7 days), month (this one) or all; by your local days."


@click.command()
@click.option("--period", type=Word(_PERIODS), metavar="SPAN", default="month", show_default=True, help=_SPANS)
@click.option(
    "--by",
    type=Word(_GROUPINGS),
    metavar="WHAT",
    default="model",
    show_default=True,
    help=f"One row for each: {', '.join(_GROUPINGS)}.",
)
@click.option(
    "--format",
    "form",
    type=Word(_FORMS),
    metavar="FORM",
    default="table",
    show_default=True,
    help=f"One of {', '.join(_FORMS)}.",
)
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help=OUTPUT_HELP)
@click.pass_obj
def costs(invocation: Invocation, period: str, by: str, form: str, output: Path | None) -> None:
    """Report what was spent: every attempt counts, failed and cancelled ones too.

    A cost that holds estimated figures is marked ~; attempts whose cost is not known are counted apart, never as
    zero. The last line says what the same tokens would have cost on the baseline model, which is an estimate.

    \b
    Examples:
      tui-orchestrator costs
      tui-orchestrator costs --period today --by session
      tui-orchestrator costs --period all --by day --format csv -o costs.csv
    """
    file = output_file(output)

    async def report() -> None:
        async with invocation.runtime(look=False) as runtime:
            spent = await _spent(runtime, period, by)
        if form == "json":
            _put(as_json(spent.as_json(runtime.demo)), file)
        elif form == "csv":
            _put(_csv(by, spent.groups), file)
            click.echo(spent.savings_line, err=True)
        else:
            text = table(_head(by), _rows(spent.groups, spent.total), right=_head(by)[1:])
            _put(f"{text}\n{spent.savings_line}", file)

    run(report())


@dataclass(frozen=True, slots=True)
class Spent:
    period: str
    by: str
    groups: tuple[Totals, ...]
    total: Totals
    savings: Savings | None
    baseline: str | None

    @property
    def savings_line(self) -> str:
        return savings_line(self.savings, self.baseline)

    def as_json(self, demo: bool) -> dict[str, Any]:
        return {
            "period": self.period,
            "by": self.by,
            "demo": demo,
            "rows": [totals_json(group) for group in self.groups],
            "total": totals_json(self.total),
            "savings": savings_json(self.savings, self.baseline),
        }


async def _spent(runtime: Runtime, period: Any, by: Any) -> Spent:
    from ..services.spending import baseline_model

    baseline = baseline_model(runtime.registry, runtime.router.policy.baseline_model)
    price = baseline.price if baseline else None
    return Spent(
        period,
        by,
        await runtime.reports.totals(by, period),
        await runtime.reports.total(period),
        await runtime.reports.savings(price, period) if price else None,
        baseline.id if baseline else None,
    )


def _put(text: str, file: Path | None) -> None:
    if file is None:
        say(text)
    else:
        write_file(file, text + "\n")


def _head(by: str) -> tuple[str, ...]:
    return (by, "attempts", "failed", "cancelled", "cached", "tokens in", "tokens out", "cost", "unknown")


def _rows(groups: tuple[Totals, ...], total: Totals) -> list[tuple[str, ...]]:
    return [_row(group.key or "-", group) for group in groups] + [_row("total", total)]


def _row(name: str, group: Totals) -> tuple[str, ...]:
    return (
        name,
        f"{group.attempts:,}",
        f"{group.failed:,}",
        f"{group.cancelled:,}",
        f"{group.cache_hits:,}",
        f"{group.input_tokens:,}",
        f"{group.output_tokens:,}",
        f"{'~' if group.estimated else ''}{group.cost}",
        f"{group.unknown:,}",
    )


def totals_json(group: Totals) -> dict[str, Any]:
    return {
        "key": group.key,
        "attempts": group.attempts,
        "finished": group.finished,
        "failed": group.failed,
        "cancelled": group.cancelled,
        "cache_hits": group.cache_hits,
        "input_tokens": group.input_tokens,
        "output_tokens": group.output_tokens,
        "cached_input_tokens": group.cached_input_tokens,
        "cost_usd": usd(group.cost),
        "estimated_usd": usd(group.estimated),
        "unknown": group.unknown,
        "saved_by_cache_usd": usd(group.saved_by_cache),
    }


def _csv(by: str, groups: tuple[Totals, ...]) -> str:
    from ..storage.reports import Totals

    file = io.StringIO()
    names = [name for name in totals_json(Totals("")) if name != "key"]
    writer = csv.DictWriter(file, [by, *names], lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for group in groups:
        # The amounts as exact decimals: a spreadsheet adds them up.
        exact = {
            "cost_usd": f"{group.cost.usd:f}",
            "estimated_usd": f"{group.estimated.usd:f}",
            "saved_by_cache_usd": f"{group.saved_by_cache.usd:f}",
        }
        writer.writerow({by: _cell(group.key), **totals_json(group), **exact})
    return file.getvalue().rstrip("\n")


def _cell(text: str) -> str:
    """A name that begins like a formula must not become one in a spreadsheet."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


def savings_line(savings: Savings | None, baseline: str | None) -> str:
    if savings is None or baseline is None:
        return "Savings are not known: no baseline model has a known price; set router.baseline_model."
    if not savings.attempts:
        return f"Nothing was answered in this time, so there is nothing to compare with {baseline}."
    saved = savings.saved
    difference = f"{saved} saved" if saved.picodollars >= 0 else f"{-saved} more was spent"
    return (
        f"Estimate: the tokens of all finished attempts would have cost {savings.baseline} on {baseline} instead of "
        f"{savings.cost}: {difference}."
    )


def savings_json(savings: Savings | None, baseline: str | None) -> dict[str, Any] | None:
    if savings is None:
        return None
    return {
        "estimate": True,
        "baseline_model": baseline,
        "attempts": savings.attempts,
        "cost_usd": usd(savings.cost),
        "baseline_usd": usd(savings.baseline),
        "saved_usd": usd(savings.saved),
    }
