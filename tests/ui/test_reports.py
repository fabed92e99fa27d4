"""Reports over the whole screen: what is spent and how models do, down to single attempts, and out into files."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.ui.conftest import Console, console
from tui_orchestrator.routing.money import Money
from tui_orchestrator.services.reporting import Spent
from tui_orchestrator.storage.reports import Dimension, Span, Totals
from tui_orchestrator.ui.report_tables import cost_bars, cost_columns
from tui_orchestrator.ui.report_views import periods
from tui_orchestrator.ui.tabular import lay_out


async def ask(seat: Console) -> None:
    await seat.send("/model rush-pro")
    await seat.send("What is the capital of France?")
    await seat.ended()


async def test_reports_go_into_files_are_a_key_away_and_lead_to_the_route_card(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        # What is on screen goes into a file whose place is told.
        await ask(seat)
        await seat.pilot.press("f10")
        await seat.sees("demo-openai/rush-pro")
        await seat.pilot.press("e")
        await seat.sees("1 rows written to")
        await seat.pilot.press("j")
        exports = tmp_path / "home" / "data" / "exports"
        await seat.until(lambda: len(list(exports.glob("costs-by-model-*"))) == 2, "two files")
        (table,), (whole,) = exports.glob("*.csv"), exports.glob("*.json")
        (row,) = csv.DictReader(table.read_text().splitlines())
        told = json.loads(whole.read_text())
        assert row["model"] == told["rows"][0]["model"] == "demo-openai/rush-pro"
        assert Decimal(row["cost_usd"]) == Decimal(told["total"]["cost_usd"]) > 0
        assert table.stat().st_mode & 0o777 == 0o600

        # Performance and advice are a key away.
        await seat.pilot.press("escape")
        await seat.send("/reports performance")
        await seat.sees("success", "100.0%", "$/answer", "Sort")
        await seat.pilot.press("3")
        await seat.sees("1 attempt so far")
        await seat.sees_no("Sort")
        await seat.pilot.press("tab")
        await seat.sees("by model", "total")
        await seat.pilot.press("escape")
        await seat.sees_no("1 Costs")

        # A report opens groups anew and leads to the route card.
        await seat.pilot.press("f10")
        await seat.sees("1 Costs", "by model", "demo-openai/rush-pro", "total", "100%")
        await seat.pilot.press("g")
        await seat.sees("A row for each")
        await seat.type_into_list("task and strategy")
        await seat.sees("by task and strategy", "balanced")
        await seat.pilot.press("enter")
        await seat.sees("by attempt", "✓ finished", "first")
        await seat.pilot.press("escape")
        await seat.sees("by task and strategy")
        await seat.pilot.press("enter")
        await seat.sees("✓ finished")
        await seat.pilot.press("enter")
        await seat.sees("Decision")
        await seat.sees_no("1 Costs")


async def test_a_time_without_attempts_and_a_word_that_is_no_report_are_told(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        # Enter in the costs pane opens the reports.
        await seat.pilot.press("f4", "enter")
        await seat.sees("1 Costs", "Nothing was asked in this time")

        # A time without attempts says how to go on.
        await seat.begin_anew()
        await seat.pilot.press("f10")
        await seat.sees("Nothing was asked in this time")
        await seat.pilot.press("p")
        await seat.sees("last 7 days")
        await seat.type_into_list("yesterday")
        await seat.sees("yesterday", "Nothing was asked in this time")

        # A word that is no report is told.
        await seat.begin_anew()
        await seat.send("/reports money")
        await seat.sees("/reports takes costs, performance, advice, not 'money'")


def test_periods_are_whole_days_and_months() -> None:
    named = periods(date(2026, 1, 15))
    assert named["last month"] == Span(date(2025, 12, 1), date(2025, 12, 31))
    assert named["yesterday"] == Span(date(2026, 1, 14), date(2026, 1, 14))
    assert named["last 7 days"] == Span(date(2026, 1, 9), date(2026, 1, 15))
    assert named["this month"] == Span(date(2026, 1, 1), date(2026, 1, 31))
    assert named["last 90 days"] == Span(date(2025, 10, 18), date(2026, 1, 15))
    assert named["this year"] == Span(date(2026, 1, 1), date(2026, 12, 31))
    assert named["all time"] == Span()


GROUPS = (
    Totals("a", attempts=3, cost=Money.from_usd(3), failed=1, keys=("provider/a-model-with-a-very-long-name",)),
    Totals("b", attempts=5, cost=Money.from_usd(1), keys=("b",)),
)
SPENT = Spent(("model",), Span(), GROUPS, Totals("", attempts=8, cost=Money.from_usd(4), failed=1), 2, None, None)


def key(one: Totals) -> str:
    return one.key


@pytest.mark.parametrize("width", range(24, 170, 3))
def test_a_table_is_never_wider_than_the_screen_and_keeps_name_and_cost(width: int) -> None:
    table = lay_out(cost_columns(SPENT), GROUPS, key, width, total=SPENT.total, bars=cost_bars(SPENT))
    widths = [
        max(len(table.titles[place][0]), *(len(row.cells[place][0]) for row in table.rows)) + 2
        for place in range(len(table.titles))
    ]
    assert sum(widths) <= width
    assert {"model", "cost"} <= set(table.sortable)
    assert [row.key for row in table.rows] == ["total", "a", "b"]


@pytest.mark.parametrize("by", ["model", "provider", "session"])
def test_one_long_name_takes_no_figure_from_the_others(by: Dimension) -> None:
    long = tuple(
        f"box/mradermacher/Llama-3.3-70B-Instruct-Uncensored-Heretic-i1-GGUF:{end}" for end in ("IQ4_XS", "Q4_K_M")
    )
    groups = [Totals(name, attempts=3, cost=Money.from_usd(3), keys=(name,)) for name in (*long, "b")]
    spent = replace(SPENT, by=(by,), groups=tuple(groups))
    table = lay_out(cost_columns(spent), groups, key, 100, total=spent.total)
    assert {"attempts", "failed", "in", "out", "cost", "share"} <= set(table.sortable)
    names = [row.cells[0][0] for row in table.rows]
    assert ["…" in name for name in names] == [False, True, True, False]
    assert by == "session" or names[1] != names[2]


def test_sorting_turns_the_rows_and_leaves_the_total_above_them() -> None:
    by_attempts = lay_out(cost_columns(SPENT), GROUPS, key, 100, total=SPENT.total, by="attempts")
    turned = lay_out(cost_columns(SPENT), GROUPS, key, 100, total=SPENT.total, by="attempts", turned=True)
    assert [row.key for row in by_attempts.rows] == ["total", "b", "a"]
    assert [row.key for row in turned.rows] == ["total", "a", "b"]
    assert "attempts ▴" in [title for title, _ in by_attempts.titles]


def test_a_bar_is_as_long_as_its_share_of_the_dearest() -> None:
    table = lay_out(cost_columns(SPENT), GROUPS, key, 169, total=SPENT.total, bars=cost_bars(SPENT))
    total, dear, cheap = (row.cells[-1][0] for row in table.rows)
    assert not total.strip()
    assert dear == "█" * 40
    assert re.fullmatch("█{13}[▏▎▍] *", cheap)
