"""The costs pane: what it draws from values, and what someone sees of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.content import Content
from textual.style import Style

from tests.ui.conftest import console
from tui_orchestrator.demo import Reply, Say, Script
from tui_orchestrator.routing.budget import Budgets, BudgetState, Cap
from tui_orchestrator.routing.clock import SystemClock
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.routing.errors import Cancelled, ErrorKind
from tui_orchestrator.routing.events import Attempt, Budget, Cause, Failed, Outcome
from tui_orchestrator.routing.money import Cost, CostState, Money, Usage
from tui_orchestrator.services.spending import Mark, Overview, Span, Spell, Trend
from tui_orchestrator.storage.faults import StoreError
from tui_orchestrator.storage.reports import Savings, Totals
from tui_orchestrator.ui import bill, plots
from tui_orchestrator.ui import costs as module
from tui_orchestrator.ui.look import Look

USD = Money.from_usd
HAIKU = "anthropic/claude-haiku-5.5"
TODAY = date(2026, 11, 21)
SPARKS = "▁▂▃▄▅▆▇█"


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
        marks={},
        forecasts={"day": "at this rate the daily cap is reached at 17:40"},
        today=replace(total, cache_hits=2, saved_by_cache=USD("0.003")),
        saved_nearly=False,
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


def test_a_cap_of_nothing_is_no_bar_while_only_free_models_answer() -> None:
    free = BudgetState(Cap("request", "r", Money(0)), Money(0), Money(0))
    assert plain(bill.draw_budgets([free], {}, 60, demo=False))[1].split() == ["·", "request", "$0", "free", "only"]


def test_every_capped_provider_and_model_has_a_bar_and_an_uncapped_one_none() -> None:
    more = (
        BudgetState(Cap("day model:openai/gpt-6-luna", "2026-11-21", USD("1")), USD("0.5"), Money(0)),
        BudgetState(Cap("month provider:openai", "2026-11", None), USD("0.5"), Money(0)),
    )
    rows = plain(bill.draw_budgets((*more, *states()), {}, 60, demo=True))
    assert rows[0].endswith("demo money")
    assert rows[-2].startswith("✓ gpt-6-luna, day")
    assert not any("openai" in row for row in rows)


def test_the_share_of_a_cap_is_rounded_down_as_in_the_header_and_in_alerts() -> None:
    for spent, said in (("0.0483", " 87% "), ("0.05499", " 99% "), ("0", " 0% ")):
        state = BudgetState(Cap("day", "2026-11-21", USD("0.055")), USD(spent), Money(0))
        assert said in plain(bill.draw_budgets([state], {}, 60, demo=False))[2]
    nothing = BudgetState(Cap("day", "2026-11-21", Money(0)), USD("0.01"), Money(0))
    assert "100%" in plain(bill.draw_budgets([nothing], {}, 60, demo=False))[2]


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
    if reserved and not limit:
        assert f"+ {main.reserved} ▒" in text or "EXHAUSTED" in text
    if main.left:
        assert f"{main.left} left" in text or "EXHAUSTED" in text
    assert all(cell_len(row) <= width for row in rows)


def test_a_request_has_its_bar_before_the_session_the_day_and_the_month() -> None:
    request = BudgetState(Cap("request", "r1", USD("0.02")), USD("0.005"), USD("0.005"))
    rows = plain(bill.draw_budgets((*states(), request), {}, 60, demo=False))
    named = [row.split()[1] for row in rows[1:] if row[:1].strip() in ("·", "✓", "✗", "!") and row[:1] != " "]
    assert named == ["request", "session", "day", "month"]
    assert rows[2].endswith("$0.010 left")


@pytest.mark.parametrize("width", [36, 37, 40, 47, 48, 60])
def test_what_is_set_aside_without_a_cap_is_told_by_a_figure_at_every_width(width: int) -> None:
    request = BudgetState(Cap("request", "r1", None), Money(0), USD("0.36"))
    (row,) = plain(bill.draw_budgets([request], {}, width, demo=False))[1:]
    assert row.split() == ["·", "request", "$0", "+", "$0.360", "▒", "no", "cap"]


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
    assert "$?" in next(row for row in rows if "mystery" in row)
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
    rows = plain(bill.draw_notes(replace(overview(), saved_nearly=True), 90))
    assert "◇ 2 answered from the cache today, ~$0.0030 saved" in rows, "other words would have cost another sum"


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


# -- as someone sees it

PROMPT = "What is the capital of France?"
CAPS = Budgets(daily=USD("0.5"), monthly=USD("4"))


async def test_attempts_land_in_the_pane_with_what_they_cost_and_why_they_failed(tmp_path: Path) -> None:
    script = Script().then(Reply(429), "lumen-dash").always(Say(text="The capital of France is Paris."))
    policy = Policy(max_attempts=3)
    async with console(tmp_path, size=(120, 30), script=script, budgets=CAPS, policy=policy) as seat:
        await seat.pilot.press("f4", "f6")
        await seat.sees("Budgets ──", "of    $0.500", "Nothing spent yet")
        await seat.pilot.press("escape")
        seat.app.here.own = replace(seat.app.options, chain=("demo-gemini/lumen-dash", "demo-openai/rush-pro"))
        await seat.send(PROMPT)
        await seat.ended()
        await seat.pilot.press("f4", "f6")
        await seat.sees("Last attempts", "✗ lumen-dash rate limited", "✓ rush-pro", "By model")
        await seat.sees_no("Nothing spent yet")


async def test_the_speed_of_the_last_answers_is_drawn_as_a_line_that_ends_with_the_newest(tmp_path: Path) -> None:
    async with console(tmp_path, size=(80, 36)) as seat:
        await seat.pilot.press("f4")
        await seat.sees("Nothing spent yet")
        await seat.sees_no("tok/s")
        seat.app.costs.show(replace(overview(), tokens_per_s=(10.0, 20.0, 40.0, 80.0)))
        await seat.sees("Last attempts ─", " 80 tok/s")
        heading = await seat.line("Last attempts ─", " 80 tok/s")
        drawn = [letter for letter in heading if letter in SPARKS]
        assert drawn == sorted(drawn, key=SPARKS.index), "each was faster than the one before"
        assert {drawn[0], drawn[-1]} == {SPARKS[0], SPARKS[-1]}


async def test_a_period_is_chosen_by_key_and_by_click_and_the_plot_follows(tmp_path: Path) -> None:
    async with console(tmp_path, size=(80, 36), script=Script().always(Say(text="Paris.")), budgets=CAPS) as seat:
        await seat.send(PROMPT)
        await seat.ended()
        await seat.pilot.press("f4")
        await seat.sees("cap $0.500", "today   7 days   month", "█ spent  ── cap")
        await seat.pilot.press("right")
        await seat.sees("── a day's cap", "█ today")
        await seat.pilot.press("right", "right")
        await seat.sees("cap $4.00", "█ spent  ── cap")
        await seat.pilot.press("left")
        await seat.sees("── a day's cap")
        await seat.click("7 days   month", on=len("7 days   m"))
        await seat.sees_no("── a day's cap")


async def test_space_turns_to_what_else_the_money_went_on(tmp_path: Path) -> None:
    async with console(tmp_path, size=(80, 24), script=Script().always(Say(text="Paris."))) as seat:
        await seat.send(PROMPT)
        await seat.ended()
        await seat.pilot.press("f4")
        await seat.sees("By model ─")
        for dimension in ("provider", "task", "strategy", "model"):
            await seat.pilot.press("space")
            await seat.sees(f"By {dimension} ─")
        assert seat.app.costs.has_focus


async def test_an_exhausted_cap_is_unmistakable(tmp_path: Path) -> None:
    async with console(tmp_path, size=(80, 24), budgets=CAPS) as seat:
        await seat.pilot.press("f4")
        await seat.sees("✓ day")
        spent = BudgetState(Cap("day", str(TODAY), USD("0.5")), USD("0.5"), Money(0))
        seat.app.events.publish(Budget("r", datetime.now(UTC), spent))
        await seat.sees("✗ day", "EXHAUSTED")
        running_out = replace(spent, spent=USD("0.49"))
        seat.app.events.publish(Budget("r", datetime.now(UTC), running_out, "the daily cap is reached at 17:40"))
        await seat.sees("↗ the daily cap is reached at 17:40")
        seat.app.events.publish(Budget("r", datetime.now(UTC), running_out))
        await seat.sees_no("17:40")


async def test_one_reading_at_a_time_and_the_last_word_is_read(tmp_path: Path) -> None:
    async with console(tmp_path, size=(80, 24)) as seat:
        await seat.pilot.press("f4")
        gate, begun, under_way = asyncio.Event(), 0, 0

        async def read(span: Span) -> Overview:
            nonlocal begun, under_way
            begun, under_way = begun + 1, under_way + 1
            assert under_way == 1
            await gate.wait()
            under_way -= 1
            return overview(span)

        pane = seat.app.costs
        await seat.until(lambda: not pane.busy, "a pane at rest")
        pane.read_from(read)
        await seat.until(lambda: begun == 1)
        for _ in range(10):
            pane.tell(Failed("r", datetime.now(UTC), Cancelled(), Cost(Money(0), CostState.COMPUTED), ()))
            await seat.pilot.pause()
        assert begun == 1
        gate.set()
        await seat.until(lambda: begun == 2 and not pane.busy, "one more reading for all ten")
        await seat.sees("100%   $0.0042   3×")


async def test_the_pane_follows_the_theme_tells_of_a_store_it_cannot_read_and_opens_the_reports(tmp_path: Path) -> None:
    async with console(tmp_path, size=(80, 24)) as seat:
        # The plot is drawn in the colours of the theme.
        await seat.pilot.press("f4")
        pane = seat.app.costs
        # What the store says of it is on the screen, and comes in place of nothing more.
        await seat.sees("Nothing spent yet")
        await seat.until(lambda: not pane.busy, "no more to be read")
        pane.show(overview())
        await seat.until(lambda: "trend" in pane._plots, "a plot")
        before = pane._plots["trend"]
        seat.app.use_theme("paper")
        await seat.until(lambda: pane._plots["trend"] is not before, "another plot")
        assert pane._plots["trend"][1].plain == before[1].plain
        assert pane._plots["trend"][1] != before[1] or pane._plots["trend"][1].spans != before[1].spans

        # A store that cannot be read is said and the figures stay.
        await seat.begin_anew()
        await seat.pilot.press("f4")
        broken = False

        async def read(span: Span) -> Overview:
            if broken:
                raise StoreError(None, "cannot be written", "make room on the disk")
            return overview(span)

        seat.app.costs.read_from(read)
        await seat.sees("↗ at this rate the daily cap")
        broken = True
        seat.app.costs.read_from(read)
        await seat.sees("make room on the disk", "By model")
        broken = False
        seat.app.costs.read_from(read)
        await seat.sees_no("make room on the disk")

        # Enter opens the reports.
        await seat.begin_anew()
        await seat.pilot.press("f4", "enter")
        await seat.until(lambda: len(seat.app.screen_stack) > 1, "another screen")
        await seat.sees("Costs", "Performance", "Advice")


async def test_in_the_theme_of_the_terminals_own_colours_a_plot_has_no_other(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        seat.app.use_theme("terminal")
        await seat.pilot.pause()
        look = Look.of(seat.app.theme_variables)
        for span in ("today", "week", "month"):
            for content in (plots.draw(trend(span), 60, 10, look), plots.sparkline([1.0, 5.0, 3.0], 3, look)):
                colors = {one.style.foreground for one in content.spans if isinstance(one.style, Style)}
                assert all(color is None or color.ansi is not None for color in colors), colors
                assert any(color is not None for color in colors)


@pytest.mark.parametrize("span", ["today", "week", "month"])
@pytest.mark.parametrize("size", [(24, 5), (34, 8), (58, 10), (90, 13)])
def test_a_plot_fills_its_place_and_no_more(span: Span, size: tuple[int, int]) -> None:
    width, height = size
    drawn = plots.draw(trend(span), width, height, Look.of({})).plain.split("\n")
    assert len(drawn) == height
    assert max(map(cell_len, drawn)) <= width
    # The sums begin where they always begin, however long the figures are.
    small = plots.draw(replace(trend(span), limit=USD("0.000012"), expected=None), width, height, Look.of({})).plain
    assert drawn[-2].index("└") == small.split("\n")[-2].index("└")


def test_the_cap_is_drawn_where_it_can_be_seen_and_told_where_not() -> None:
    near = plots.draw(trend(limit="0.015"), 60, 10, Look.of({})).plain
    assert "cap $0.015 ────" in near
    far = plots.draw(trend(limit="9"), 60, 10, Look.of({})).plain
    assert "cap $9.00 ↑" in far
    assert "────" not in far.split("\n")[0]
    assert "•" in near
    assert "•" not in plots.draw(trend(expected=None), 60, 10, Look.of({})).plain


def test_a_sum_tells_what_in_it_is_estimated_or_not_known() -> None:
    marks = {"day": Mark(estimated=True, unknown=False), "month": Mark(estimated=True, unknown=True)}
    rows = {
        row.split()[1]: row
        for row in plain(bill.draw_budgets(states(), {}, 60, demo=False, marks=marks))
        if row[:1] in "✓!·✗"
    }
    spent = {state.scope: str(state.spent) for state in states()}
    assert f" ~{spent['day']} " in rows["day"]
    assert f" ~{spent['month']}+? " in rows["month"]
    assert f" {spent['session']} " in rows["session"]


async def test_what_one_request_may_cost_and_what_the_cache_saved_is_seen(tmp_path: Path) -> None:
    script = Script().always(Say(text="Paris."))
    async with console(tmp_path, size=(160, 48), script=script, budgets=CAPS) as seat:
        for command in ("/cost 0.05", "/cache on", "/model rush-pro"):
            await seat.send(command)
        for _ in range(2):
            await seat.send("/new")
            await seat.send(PROMPT)
            await seat.ended()
        await seat.send("And of Spain?")
        await seat.ended()
        await seat.pilot.press("f4", "f6")
        await seat.sees("✓ request", "of    $0.050", "✓ session", "✓ day", "✓ month")
        await seat.sees("◇ 1 answered from the cache today, $0.00", "saved", "saved this month against always asking")
        await seat.sees("✓ rush-pro", "◇ rush-pro")


async def test_the_pane_is_about_today_also_when_the_clock_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day forward, back again, and back over midnight; what was said and spent stays where it was."""
    ahead, real = [timedelta()], SystemClock.now
    monkeypatch.setattr(SystemClock, "now", lambda clock: real(clock) + ahead[0])
    monkeypatch.setattr(module, "LOOK_AGAIN_S", 0.05)
    script = Script().always(Say(text="The capital of France is Paris."))
    async with console(tmp_path, size=(120, 30), script=script, budgets=CAPS) as seat:
        await seat.send(PROMPT)
        await seat.ended()
        await seat.pilot.press("f4", "f6")
        for days in (0, 1, 0, -1, 0):
            ahead[0] = timedelta(days=days)
            if days:
                await seat.sees("Nothing that costs was asked today", "lumen-dash")
                await seat.until(lambda: seat.screen.splitlines()[0].rstrip().endswith("today $0"), "nothing today")
            else:
                await seat.sees("By model", "today $0.000026")
