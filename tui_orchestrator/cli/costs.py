"""`costs`: what was spent."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..routing.event_json import usd
from .manners import Invocation, as_json, run, table, write_file

if TYPE_CHECKING:
    from ..storage.reports import Savings, Totals

_PERIODS = ("today", "day", "week", "month", "all")
_GROUPINGS = ("model", "provider", "task", "strategy", "day", "session")


@click.command()
@click.option("--period", type=click.Choice(_PERIODS), default="month", show_default=True, help="By local days.")
@click.option("--by", type=click.Choice(_GROUPINGS), default="model", show_default=True, help="One row for each.")
@click.option(
    "--format", "form", type=click.Choice(("table", "json", "csv")), default="table", show_default=True, help="How."
)
@click.option("-o", "output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file, not stdout.")
@click.pass_obj
def costs(invocation: Invocation, period: str, by: str, form: str, output: Path | None) -> None:
    """Report what was spent: every attempt counts, failed and cancelled ones too.

    A cost that holds estimated figures is marked ~; attempts whose cost is not known are counted apart, never as
    zero. The last line says what the same tokens would have cost on the baseline model, which is an estimate.
    """

    async def report() -> None:
        from ..services.spending import baseline_model

        async with invocation.runtime(look=False) as runtime:
            groups = await runtime.reports.totals(by, period)  # type: ignore[arg-type]
            total = await runtime.reports.total(period)  # type: ignore[arg-type]
            baseline = baseline_model(runtime.registry, runtime.router.policy.baseline_model)
            savings = None
            if baseline is not None and baseline.price is not None:
                savings = await runtime.reports.savings(baseline.price, period)  # type: ignore[arg-type]
            line = savings_line(savings, baseline.id if baseline else None)
            if form == "json":
                told = {
                    "period": period,
                    "by": by,
                    "demo": runtime.demo,
                    "rows": [totals_json(group) for group in groups],
                    "total": totals_json(total),
                    "savings": savings_json(savings, baseline.id if baseline else None),
                }
                _put(as_json(told), output)
            elif form == "csv":
                _put(_csv(by, groups).rstrip("\n"), output)
                click.echo(line, err=True)
            elif output is not None:
                write_file(output, "".join("\t".join(row) + "\n" for row in [_head(by), *_rows(groups, total)]) + line)
            else:
                table(_head(by), _rows(groups, total), right=_head(by)[1:])
                click.echo(line)

    run(report())


def _put(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text)
    else:
        write_file(output, text + "\n")


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
    return file.getvalue()


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
        f"Estimate: the same tokens on {baseline} would have cost {savings.baseline} instead of {savings.cost}: "
        f"{difference}."
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
