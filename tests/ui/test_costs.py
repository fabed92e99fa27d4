"""The costs pane: what it draws from values, and what someone sees of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.content import Content

from tui_orchestrator.routing.budget import BudgetState, Cap
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import Attempt, Cause, Outcome
from tui_orchestrator.routing.money import Cost, CostState, Money, Usage
from tui_orchestrator.services.spending import Overview, Span, Spell, Trend
from tui_orchestrator.storage.reports import Savings, Totals
from tui_orchestrator.ui import bill

USD = Money.from_usd
HAIKU = "anthropic/claude-haiku-5.5"
TODAY = date(2026, 11, 21)


def attempt(**changes: object) -> Attempt:
    made = Attempt(
        "r1", 1, "s", HAIKU, "anthropic", "balanced", "code", Cause.FIRST,
        datetime(2026, 11, 21, tzinfo=UTC), "2026-11-21", Outcome.FINISHED, Usage(812, 400),
        Cost(USD("0.0014"), CostState.COMPUTED), None, 4.2,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def trend(span: Span = "today", limit: str | None = "0.01", expected: str | None = "0.012") -> Trend:
    cap, end = limit and USD(limit), expected and USD(expected)
    match span:
        case "today":
            spells = (Spell(3.2, USD("0.0014")), Spell(6, USD("0.0028")))
            return Trend("today", TODAY, 6, 18, 8.5, spells, cap or None, end or None)
        case "week":
            spells = tuple(Spell(day, USD(f"0.00{day + 1}")) for day in range(7))
            return Trend("week", date(2026, 11, 15), 0, 7, 6.6, spells, cap or None, None)
        case "month":
            spells = tuple(Spell(day, USD("0.002")) for day in range(21))
            return Trend("month", date(2026, 11, 1), 0, 30, 20.6, spells, cap or None, end or None)


def overview(span: Span = "today") -> Overview:
    total = Totals(HAIKU, 3, 2, 1, cost=USD("0.0042"))
    unknown = Totals("local/mystery", 1, 1, cost=Money(0), unknown=1)
    slow = attempt(number=2, model="openai/gpt-6-luna", outcome=Outcome.FAILED, error_kind=ErrorKind.RATE_LIMITED)
    hit = attempt(number=3, from_cache=True, cost=Cost(Money(0), CostState.COMPUTED), latency_s=0.01)
    return Overview(
        span=span,
        budgets=states(),
        forecasts={"day": "at this rate the daily cap is reached at 17:40"},
        today=replace(total, cache_hits=2, saved_by_cache=USD("0.003")),
        shares={
            "model": (total, unknown),
            "provider": (replace(total, key="anthropic"),),
            "task": (replace(total, key="code"),),
            "strategy": (replace(total, key="local_first"),),
        },
        trend=trend(span),
        month=trend("month"),
        hourly=USD("0.0021"),
        by_midnight=USD("0.012"),
        recent=(attempt(), slow, hit),
        baseline="anthropic/claude-opus-5.5",
        savings=Savings(3, USD("0.0042"), USD("0.05")),
        tokens_per_s=(40.0, 90.0),
    )


def states() -> tuple[BudgetState, ...]:
    return (
        BudgetState(Cap("session", "s", None), USD("0.0042"), Money(0)),
        BudgetState(Cap("day", "2026-11-21", USD("0.01")), USD("0.006"), USD("0.002")),
        BudgetState(Cap("month", "2026-11", USD("0.004")), USD("0.0042"), Money(0), (0.5,)),
    )


def plain(rows: list[Content]) -> list[str]:
    return [row.plain for row in rows]


def test_a_bar_is_solid_where_spent_hatched_where_reserved_and_dotted_where_left() -> None:
    rows = plain(bill.draw_budgets(states(), {}, 47, demo=False))
    assert rows[1].split() == ["·", "session", "$0.0042", "no", "cap"]
    assert rows[2].startswith("✓ day")
    assert rows[2].endswith("$0.0060 of    $0.010")
    assert rows[3].split() == ["█" * 18 + "▒" * 6 + "·" * 6, "$0.0020", "left"]
    assert rows[4].startswith("✗ month")
    assert rows[5].split() == ["█" * 30, "EXHAUSTED"]


def test_an_alert_an_exhausted_cap_and_a_full_reservation_differ_in_words_and_signs() -> None:
    cap = Cap("day", "2026-11-21", USD("1"))
    seen = {
        "fine": BudgetState(cap, USD("0.1"), Money(0), (0.5,)),
        "alert": BudgetState(cap, USD("0.6"), Money(0), (0.5,)),
        "reserved": BudgetState(cap, USD("0.1"), USD("0.9"), (0.5,)),
        "exhausted": BudgetState(cap, USD("1"), Money(0), (0.5,)),
    }
    said = {name: " ".join(plain(bill.draw_budgets([state], {}, 40, demo=False))[1:]) for name, state in seen.items()}
    assert said["fine"].startswith("✓")
    assert said["alert"].startswith("!")
    assert "all reserved" in said["reserved"]
    assert said["exhausted"].startswith("✗")
    assert "EXHAUSTED" in said["exhausted"]


def test_every_capped_provider_and_model_has_a_bar_and_an_uncapped_one_none() -> None:
    more = (
        BudgetState(Cap("day model:openai/gpt-6-luna", "2026-11-21", USD("1")), USD("0.5"), Money(0)),
        BudgetState(Cap("month provider:openai", "2026-11", None), USD("0.5"), Money(0)),
    )
    rows = plain(bill.draw_budgets((*more, *states()), {}, 60, demo=True))
    assert rows[0].endswith("demo money")
    assert rows[-2].startswith("✓ gpt-6-luna, day")
    assert not any("openai" in row for row in rows)


AMOUNTS = st.just(0) | st.integers(10**6, 10**16)


@given(AMOUNTS, AMOUNTS, st.none() | AMOUNTS, st.integers(36, 150))
def test_figures_are_never_cut_and_nothing_is_wider_than_the_pane(
    spent: int, reserved: int, limit: int | None, width: int
) -> None:
    state = BudgetState(
        Cap("day model:openai/" + "x" * 40, "2026-11-21", None if limit is None else Money(limit)),
        Money(spent),
        Money(reserved),
    )
    main = BudgetState(Cap("session", "s", state.limit), Money(spent), Money(reserved))
    rows = plain(bill.draw_budgets((main, state), {}, width, demo=True))
    text = "\n".join(rows)
    for amount in (main.spent, main.limit):
        assert amount is None or str(amount) in text
    if main.left:
        assert f"{main.left} left" in text or "EXHAUSTED" in text
    assert all(cell_len(row) <= width for row in rows)


def test_the_figures_stand_still_while_money_is_reserved_and_spent() -> None:
    def places(spent: str, reserved: str) -> list[int]:
        state = BudgetState(Cap("day", "2026-11-21", USD("1")), USD(spent), USD(reserved))
        first, second = plain(bill.draw_budgets([state], {}, 58, demo=False))[1:]
        return [first.index(" of "), second.rindex(" left"), len(first), len(second)]

    assert places("0", "0") == places("0.0042", "0.1") == places("0.12", "0") == places("0.000012", "0.02")


def test_the_pace_says_where_it_leads_and_nothing_when_it_cannot_tell() -> None:
    told = overview()
    said = plain(bill.draw_pace(told, 90))
    assert said == ["≈ $0.0021 an hour · $0.012 by midnight · $0.012 by 30 November"]
    silent = replace(told, hourly=None, by_midnight=None, month=replace(told.month, expected=None))
    assert bill.draw_pace(silent, 90) == []


def test_shares_of_unknown_cost_say_so_and_the_many_small_ones_stand_together() -> None:
    rows = plain(bill.draw_shares(overview(), "model", 60))
    assert "$0+?" in next(row for row in rows if "mystery" in row)
    many = tuple(Totals(f"p/m{number}", 1, 1, cost=USD("0.01")) for number in range(9))
    rows = plain(bill.draw_shares(replace(overview(), shares={"model": many}), "model", 60))
    assert len(rows) == 1 + bill.SHARES_SHOWN
    assert rows[-1].startswith("5 others")
    assert "$0.050" in rows[-1]
    assert "56%" in rows[-1]


def test_attempts_tell_their_outcome_by_shape_and_why_they_failed() -> None:
    rows = plain(bill.draw_attempts(overview().recent, Content("90 tok/s"), 58))
    assert rows[0].startswith("Last attempts ─")
    assert rows[0].endswith("90 tok/s")
    assert rows[1].split() == ["✓", "claude-haiku-5.5", "↑", "812", "↓", "400", "4.2", "s", "$0.0014"]
    assert rows[2].startswith("✗ gpt-6-luna rate limited")
    assert rows[3].startswith("◇ claude-haiku-5.5 cache")
    stopped = plain(bill.draw_attempts([attempt(outcome=Outcome.CANCELLED)], Content(""), 40))
    assert stopped[1].startswith("■")


def test_savings_are_called_an_estimate_and_cache_hits_say_what_they_saved() -> None:
    rows = plain(bill.draw_notes(overview(), 90))
    assert "≈ $0.046 saved this month against always asking claude-opus-5.5 (an estimate)" in rows
    assert "◇ 2 answered from the cache today, $0.0030 saved" in rows


@pytest.mark.parametrize("width", [34, 40, 47, 58, 78, 120])
def test_nothing_of_the_bill_is_drawn_wider_than_its_pane(width: int) -> None:
    told = overview()
    rows = [
        *bill.draw_budgets(states(), told.forecasts, width, demo=True),
        *bill.draw_pace(told, width),
        bill.tabs("week", width),
        bill.draw_legend(trend(), width),
        *bill.draw_shares(told, "model", width),
        *bill.draw_attempts(told.recent, Content("█" * 12), width),
        *bill.draw_notes(told, width),
    ]
    assert [row for row in plain(rows) if cell_len(row) > width] == []
