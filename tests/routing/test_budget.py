from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_orchestrator.demo.dialect import Question, Turn
from tui_orchestrator.routing.budget import (
    BudgetCondition,
    Budgets,
    BudgetState,
    Cap,
    Shortage,
    WayOut,
    cap_name,
    caps_for,
    input_bound,
    least_output,
    listed,
    tightest,
    too_tight,
)
from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.routing.profiler import profile
from tui_orchestrator.routing.request import Image, Message, Request

from .samples import model, request

DAY = date(2026, 11, 3)
USD = Money.from_usd


def state(spent: str, limit: str | None, reserved: str = "0") -> BudgetState:
    cap = Cap("day", "2026-11-03", None if limit is None else USD(limit))
    return BudgetState(cap, USD(spent), USD(reserved), (0.5, 0.8, 0.95))


def test_a_call_counts_towards_its_request_session_day_month_provider_and_model() -> None:
    budgets = Budgets(
        per_request=USD(1),
        session=USD(2),
        daily=USD(3),
        monthly=USD(4),
        providers={"a": (USD(5), None)},
        models={"a/x": (None, USD(6))},
    )
    caps = caps_for(request(), model("a/x"), budgets, DAY)
    assert {(cap.scope, cap.period, cap.limit) for cap in caps} == {
        ("request", "r", USD(1)),
        ("session", "s", USD(2)),
        ("day", "2026-11-03", USD(3)),
        ("month", "2026-11", USD(4)),
        ("day provider:a", "2026-11-03", USD(5)),
        ("month provider:a", "2026-11", None),
        ("day model:a/x", "2026-11-03", None),
        ("month model:a/x", "2026-11", USD(6)),
    }


def test_without_a_model_only_what_any_call_counts_towards() -> None:
    assert [cap.scope for cap in caps_for(request(), None, Budgets(), DAY)] == ["request", "session", "day", "month"]


@pytest.mark.parametrize(
    ("configured", "asked", "limit"),
    [("2", "1", "1"), ("1", "2", "1"), (None, "2", "2"), ("1", None, "1"), (None, None, None)],
)
def test_a_request_falls_under_the_tighter_of_its_own_cap_and_the_configured_one(
    configured: str | None, asked: str | None, limit: str | None
) -> None:
    budgets = Budgets(per_request=USD(configured) if configured else None)
    cap = caps_for(request(max_cost=USD(asked) if asked else None), None, budgets, DAY)[0]
    assert cap.limit == (USD(limit) if limit else None)


def test_a_cap_of_zero_is_a_cap() -> None:
    assert caps_for(request(max_cost=ZERO), None, Budgets(per_request=USD(1)), DAY)[0].limit == ZERO


def test_calls_outside_any_session_do_not_add_up_to_one() -> None:
    caps = [caps_for(Request((), id=id), None, Budgets(session=USD(1)), DAY)[1] for id in ("one", "two")]
    assert caps[0].period != caps[1].period


@pytest.mark.parametrize(
    ("spent", "reserved", "limit", "left", "condition"),
    [
        ("0", "0", "1", "1", BudgetCondition.OK),
        ("0.4", "0.5", "1", "0.1", BudgetCondition.OK),
        ("0.5", "0", "1", "0.5", BudgetCondition.ALERT),
        ("0.95", "0.2", "1", "0", BudgetCondition.ALERT),
        ("1", "0", "1", "0", BudgetCondition.EXHAUSTED),
        ("1.2", "0", "1", "0", BudgetCondition.EXHAUSTED),
        ("0", "0", "0", "0", BudgetCondition.EXHAUSTED),
        ("50", "5", None, None, BudgetCondition.OK),
    ],
)
def test_what_is_left_and_how_it_stands(
    spent: str, reserved: str, limit: str | None, left: str | None, condition: BudgetCondition
) -> None:
    seen = state(spent, limit, reserved)
    assert seen.left == (None if left is None else USD(left))
    assert seen.condition is condition


def test_the_share_counts_what_is_reserved() -> None:
    assert state("0.25", "1", "0.25").share == 0.5
    assert state("0", "0").share == 1.0
    assert state("1", None).share is None


def test_the_tightest_is_the_one_with_the_least_left() -> None:
    roomy, tight, endless = state("0", "5"), state("9", "10"), state("9", None)
    assert tightest([roomy, endless, tight]) is tight
    assert tightest([tight, roomy, state("0", "1")]) is tight, "of two alike the first"
    assert (tight.scope, tight.limit, endless.limit) == ("day", USD("10"), None)
    assert tightest([endless]) is None


def test_a_call_is_worth_making_when_an_answer_of_the_expected_length_fits() -> None:
    assert least_output(4096, 1000) == 1000
    assert least_output(4096, 10) == least_output(4096, 256) == 256
    assert least_output(4096, 257) == 257
    assert least_output(100, 1000) == 100


def test_an_input_is_reserved_for_with_half_as_much_again() -> None:
    assert input_bound(20_000) >= 30_000


@pytest.mark.parametrize(("tokens", "bound"), [(0, 64), (1, 65), (2, 67), (3, 68), (1000, 1564)])
def test_an_input_is_reserved_for_with_half_as_much_and_a_little(tokens: int, bound: int) -> None:
    assert input_bound(tokens) == bound


EVERY = Budgets(
    per_request=USD(1),
    session=USD(2),
    daily=USD(3),
    monthly=USD(4),
    providers={"a": (USD(5), USD(6))},
    models={"a/x": (USD(7), USD(8)), "a/y": (None, USD(9))},
)


def test_the_caps_there_are_by_scope() -> None:
    assert EVERY.limits == {
        "request": USD(1),
        "session": USD(2),
        "day": USD(3),
        "month": USD(4),
        "day provider:a": USD(5),
        "month provider:a": USD(6),
        "day model:a/x": USD(7),
        "month model:a/x": USD(8),
        "month model:a/y": USD(9),
    }
    assert Budgets().limits == {}


@pytest.mark.parametrize("scope", [*EVERY.limits, "day model:a/y", "day provider:b", "month model:b/z"])
def test_a_cap_that_is_set_changes_that_cap_alone_and_is_raised_no_longer(scope: str) -> None:
    cap = Cap(scope, "2026-11-03", None)
    for budgets in (EVERY, EVERY.with_cap_raised(cap, USD(50)).with_cap_raised(Cap("week", "45", None), USD(60))):
        changed = budgets.with_limit(scope, USD(40))
        assert changed.limits == EVERY.limits | {scope: USD(40)}
        assert changed.raised == ({("week", "45"): USD(60)} if budgets.raised else {})


def test_a_raise_holds_for_its_period_and_no_other_and_only_for_its_scope() -> None:
    day, month = Cap("day", "2026-11-03", USD(3)), Cap("month", "2026-11", USD(4))
    raised = EVERY.with_cap_raised(day, USD(30)).with_cap_raised(month, USD(40))
    limits = {cap.scope: cap.limit for cap in caps_for(request(), model("a/x"), raised, DAY)}
    assert (limits["day"], limits["month"], limits["session"]) == (USD(30), USD(40), USD(2))
    tomorrow = {cap.scope: cap.limit for cap in caps_for(request(), None, raised, date(2026, 11, 4))}
    assert (tomorrow["day"], tomorrow["month"]) == (USD(3), USD(40))
    assert raised.without_raises({"day"}).raised == {("month", "2026-11"): USD(40)}


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        ("request", "the request's cap"),
        ("day", "the day's cap"),
        ("month provider:openai", "the month's cap on openai"),
        ("day model:openai/gpt:free", "the day's cap on openai/gpt:free"),
    ],
)
def test_a_cap_has_a_name_for_people(scope: str, name: str) -> None:
    assert cap_name(scope) == Cap(scope, "", None).name == name
    assert Cap(scope, "", None, "the batch's cap").name == "the batch's cap"


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (Cap("day", "2026-11-03", USD(1)), True),
        (Cap("day", "2026-11-03", USD(1), "the batch's cap"), True),
        (Cap("day", "2026-11-03", USD(2)), False),
        (Cap("day", "2026-11-04", USD(1)), False),
        (Cap("month", "2026-11-03", USD(1)), False),
    ],
)
def test_what_a_cap_is_called_makes_it_no_other_one(other: Cap, same: bool) -> None:
    cap = Cap("day", "2026-11-03", USD(1))
    assert (cap == other) is same
    assert len({cap, other}) == (1 if same else 2)


@pytest.mark.parametrize(
    ("budgets", "may"),
    [
        (Budgets(), False),
        (Budgets(allow_unpriced=True), True),
        (Budgets(unpriced_models=frozenset({"a/x"})), True),
        (Budgets(unpriced_models=frozenset({"a/y"})), False),
    ],
)
def test_a_model_of_unknown_price_may_be_called_where_that_is_allowed(budgets: Budgets, may: bool) -> None:
    assert budgets.may_be_unpriced("a/x") is may


def test_a_shortage_says_what_its_cap_must_be_raised_to() -> None:
    short = Shortage("a/x", USD("0.5"), state("9", "10", "0.75"))
    assert (short.limit, short.least_limit) == (USD("10.25"), USD("10.25"))
    fewer = replace(short, least=USD("0.125"))
    assert (fewer.limit, fewer.least_limit) == (USD("10.25"), USD("9.875"))


def test_a_call_is_too_much_for_the_cap_with_the_least_left_of_those_it_does_not_fit_into() -> None:
    roomy, tight, tighter, endless = state("0", "5"), state("9", "10"), state("9.5", "10"), state("9", None)
    assert too_tight([roomy, tight, tighter, endless], USD(2)) is tighter
    assert too_tight([roomy, tight, tighter, endless], USD("0.75")) is tighter
    assert too_tight([roomy, tight], USD(1)) is None
    assert too_tight([roomy, tight], USD("1.01")) is tight
    assert too_tight([state("9", "1")], ZERO) is None


@pytest.mark.parametrize(
    ("spent", "condition"),
    [("0.49", BudgetCondition.OK), ("0.5", BudgetCondition.ALERT), ("0.8", BudgetCondition.ALERT)],
)
def test_an_alert_begins_at_its_share_exactly(spent: str, condition: BudgetCondition) -> None:
    assert state(spent, "1").condition is condition
    assert replace(state(spent, "1"), alert_at=()).condition is BudgetCondition.OK


def test_a_list_of_ways_out_ends_with_refusing_and_has_each_once() -> None:
    assert listed([]) == listed([WayOut.REFUSE]) == (WayOut.REFUSE,)
    assert listed([WayOut.LOCAL, WayOut.CHEAPEST, WayOut.LOCAL]) == (WayOut.LOCAL, WayOut.CHEAPEST, WayOut.REFUSE)
    with pytest.raises(ValueError, match="nothing comes after 'refuse'"):
        listed([WayOut.REFUSE, WayOut.LOCAL])


def test_a_cap_that_is_set_leaves_the_one_beside_it() -> None:
    both = Budgets(models={"a/b": (USD("1"), USD("9"))}, providers={"a": (USD("2"), USD("8"))})
    assert both.with_limit("day model:a/b", USD("3")).models == {"a/b": (USD("3"), USD("9"))}
    assert both.with_limit("month provider:a", USD("7")).providers == {"a": (USD("2"), USD("7"))}


words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=60)
WORDS = ("the", "quick", "fox", "jumps", "über", "狐", "を", "12", "345.6", "==", "{}", ":-)", "🙂", "Приве́т")
prose = st.lists(st.sampled_from(WORDS), max_size=200)
texts = st.one_of(prose.map(" ".join), prose.map("\n".join), st.builds(lambda t, n: t * n, words, st.integers(1, 40)))


@settings(max_examples=100)
@given(st.lists(texts, min_size=1, max_size=4), texts, st.integers(0, 2))
def test_what_is_reserved_for_the_input_is_not_passed_by_what_the_demo_bills(
    said: list[str], system: str, images: int
) -> None:
    pictures = (Image("image/png", b"x"),) * images
    sent = Request(tuple(Message("user", text, pictures) for text in said), system=system)
    billed = Question("m", tuple(Turn("user", text, images) for text in said), system).input_tokens
    assert input_bound(profile(sent).input_tokens) >= billed
