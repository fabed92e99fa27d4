"""What is left of a cap is shared out among the members of an ensemble."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.budget import BudgetState, Cap
from tui_orchestrator.routing.decision import Asked, Candidate, Decision, Division, Exclusion, Policy
from tui_orchestrator.routing.fitting import (
    MemberCall,
    fitted,
    members,
    none_asked,
    shared_out,
    short_of_room,
    side_by_side,
    tight,
)
from tui_orchestrator.routing.money import ZERO, Money, Price
from tui_orchestrator.routing.request import Strategy

from .samples import candidate, price, profile, too_dear

USD = Money.from_usd


def cap(left: str, scope: str = "day") -> BudgetState:
    return BudgetState(Cap(scope, "now", USD(left)), ZERO, ZERO)


def call(name: str, output: str | None, *states: BudgetState, asked: int = 4_000, least: int = 250) -> MemberCall:
    """`output`: dollars a million tokens; None: not known."""
    return MemberCall(name, _price(output), 0, asked, least, states)


def _price(output: str | None) -> Price | None:
    return None if output is None else price("0", output)


def test_a_dear_member_does_not_starve_cheap_ones_that_fit_together() -> None:
    day = cap("0.004")
    calls = [call("dear", "15", day), call("cheap", "1", day), call("cheaper", "0.5", day)]
    tokens = shared_out(calls)
    assert tokens == {"cheap": 2_666, "cheaper": 2_666}, "as long as each other"


def test_a_free_member_is_not_shortened_by_a_cap_that_the_others_share() -> None:
    day = cap("0.001")
    tokens = shared_out([call("paid", "1", day), call("free", "0", day), call("unpriced", None, day)])
    assert tokens == {"paid": 1_000, "free": 4_000, "unpriced": 4_000}


def test_a_cheap_member_that_fits_whole_beside_the_others_is_not_shortened() -> None:
    day = cap("0.004")
    tokens = shared_out([call("dear", "15", day), call("cheap", "0.1", day, asked=300)])
    assert tokens == {"dear": 264, "cheap": 300}, "a token more of each is too dear"


def test_a_member_that_fits_whole_is_not_shortened_beside_a_free_one() -> None:
    day = cap("0.0004")
    calls = [call("free", "0", day), call("cheap", "0.1", day, asked=364), call("dear", "1", day, asked=364)]
    assert shared_out(calls) == {"free": 4_000, "cheap": 364, "dear": 363}


def test_a_cap_of_one_provider_shortens_its_own_models_alone() -> None:
    day, own = cap("1"), cap("0.001", "day provider:b")
    tokens = shared_out([call("a/one", "1", day), call("b/one", "1", day, own)])
    assert tokens == {"a/one": 4_000, "b/one": 1_000}


def test_the_shortage_is_that_of_all_of_them_and_names_who_fits() -> None:
    day = cap("0.003")
    calls = [call("dear", "15", day), call("cheap", "1", day)]
    short = short_of_room(calls, ["cheap"])
    assert short is not None
    assert (short.needs, short.least) == (USD("0.064"), USD("0.004"))
    assert (short.members, short.without_raising) == (("dear", "cheap"), ("cheap",))
    assert short_of_room(calls[1:], ["cheap"]) is None


amounts = st.sampled_from(["0", "0.1", "0.4", "1", "3", "15", "75"])
rooms = st.sampled_from(["0", "0.0001", "0.0004", "0.001", "0.01", "0.05", "1"])


@given(
    st.lists(st.tuples(amounts, st.integers(1, 4_000), st.integers(1, 4_000), st.booleans()), max_size=8), rooms, rooms
)
def test_no_cap_is_passed_nobody_is_shorter_than_it_must_be_and_nobody_more_would_fit(
    members: list[tuple[str, int, int, bool]], day_left: str, own_left: str
) -> None:
    day, own = cap(day_left), cap(own_left, "day provider:b")
    calls = [
        call(str(n), output, *((day, own) if capped else (day,)), asked=max(one, two), least=min(one, two))
        for n, (output, one, two, capped) in enumerate(members)
    ]
    tokens = shared_out(calls)
    assert not tight(calls, tokens)
    for one in calls:
        if one.model in tokens:
            assert one.least <= tokens[one.model] <= one.asked
            if tokens[one.model] < one.asked:
                assert tight(calls, {**tokens, one.model: one.asked}), "there is a cap to be named"
        else:
            least = {other.model: other.least for other in calls if other.model in tokens}
            assert tight(calls, {**least, one.model: one.least})
    if not tight(calls, {one.model: one.asked for one in calls}):
        assert tokens == {one.model: one.asked for one in calls}


# Decisions


def together(*candidates: Candidate, **more: Any) -> Decision:
    chain = tuple(c.model for c in candidates if c.excluded_by is None)
    return Decision(
        *("r", Strategy.ENSEMBLE, chain[0] if chain else None, "three are asked", chain, profile(), candidates),
        **({"asked": Asked(Policy(), size=len(candidates))} | more),
    )


ONE, OTHER, DEAR = candidate("a/one", 0.9, "0.001"), candidate("b/other", 0.8, "0.001"), candidate("c/dear", 0.7, "0.1")


def needing(calls: dict[str, MemberCall]) -> Callable[[Candidate], MemberCall]:
    return lambda c: calls[c.model]


def test_whoever_does_not_fit_beside_the_others_is_left_out_with_what_is_left_for_it() -> None:
    day = cap("0.004")
    calls = {c.model: call(c.model, usd, day) for c, usd in ((ONE, "1"), (OTHER, "1"), (DEAR, "15"))}
    decision = fitted(together(ONE, OTHER, DEAR), needing(calls))
    said = {c.model: (c.excluded_by, c.excluded, c.max_tokens, c.fewer) for c in decision.candidates}
    assert said["c/dear"] == (
        *(Exclusion.OVER_BUDGET, "could cost $0.0038, the day's cap has $0.0035 left beside the others"),
        *(1000, ""),
    )
    shorter = "could cost $0.0040, and 2 share the $0.0040 that the day's cap has left"
    assert said["a/one"] == said["b/other"] == (None, None, 2000, shorter)
    assert {c.model: c.cost_ceiling for c in decision.candidates}["a/one"] == USD("0.002")
    assert set(decision.chain) == {"a/one", "b/other", "c/dear"}, "there is no money for it, but it is a member"


def test_a_cap_of_the_request_says_so() -> None:
    own = cap("0.004", "request")
    calls = {c.model: call(c.model, usd, own) for c, usd in ((ONE, "1"), (OTHER, "1"), (DEAR, "15"))}
    dear = fitted(together(ONE, OTHER, DEAR), needing(calls)).candidate("c/dear")
    assert dear is not None
    assert (dear.excluded_by, dear.excluded) == (
        Exclusion.OVER_MAX_COST,
        "could cost $0.0038, this request may cost $0.0035 beside the others",
    )


def test_where_all_fit_or_one_is_asked_alone_nothing_changes() -> None:
    plenty = {c.model: call(c.model, "1", cap("9")) for c in (ONE, OTHER)}
    decision = together(ONE, OTHER)
    assert fitted(decision, needing(plenty)) is decision
    tight_one = {c.model: call(c.model, "1", cap("0.001")) for c in (ONE, OTHER)}
    for alone in (replace(decision, strategy=Strategy.BALANCED), replace(decision, pinned=True)):
        assert fitted(alone, needing(tight_one)) is alone
        assert not side_by_side(alone)
    plan = Division(3, 1000, 500, "a/x", "a/x", 4000, 1, ZERO, ZERO)
    assert not side_by_side(replace(decision, division=plan))
    assert side_by_side(decision)


def test_the_members_are_those_the_strategy_wants_were_there_money() -> None:
    down = candidate("d/down", excluded_by=Exclusion.UNHEALTHY, excluded="is down")
    poor = together(too_dear("a/one"), too_dear("b/other", Exclusion.OVER_MAX_COST), down)
    assert members(replace(poor, asked=replace(poor.asked, size=3))) == ("a/one", "b/other")
    assert members(replace(poor, asked=replace(poor.asked, size=1))) == ("a/one",)
    assert members(together(ONE, OTHER)) == ("a/one", "b/other")


@pytest.mark.parametrize(("scope", "refused"), [("day", Exclusion.OVER_BUDGET), ("request", Exclusion.OVER_MAX_COST)])
def test_where_the_user_would_rather_ask_nobody_the_decision_says_what_all_would_have_cost(
    scope: str, refused: Exclusion
) -> None:
    short = short_of_room([call("a/one", "1", cap("0.003", scope)), call("c/dear", "15", cap("0.003", scope))], [])
    assert short is not None
    decision = none_asked(together(ONE, DEAR, margin=0.1, asked=Asked(Policy(), because="rule x: ")), short)
    assert (decision.model, decision.chain, decision.margin) == (None, (), None)
    assert (decision.refused, decision.wished) == (refused, "a/one")
    cap_called = "the day's cap" if scope == "day" else "the request's cap"
    assert decision.reason == (
        f"rule x: 2 models could cost $0.064 together, {cap_called} has $0.0030 left, so none was asked"
    )


def test_the_tightest_cap_is_the_one_that_is_short_and_names_those_under_it() -> None:
    day, own = cap("0.003"), cap("0.002", "day provider:b")
    calls = [call("a/one", "15", day), call("b/one", "15", day, own), call("c/free", "0", day)]
    short = short_of_room(calls, ["c/free", "x/gone"])
    assert short is not None
    assert (short.state, short.model, short.members) == (own, "b/one", ("b/one",))
    assert (short.needs, short.least, short.without_raising) == (USD("0.06"), USD("0.00375"), ("c/free",))
    whole = [call("b/one", "15", own, asked=250)]
    assert short_of_room(whole, []).least is None  # type: ignore[union-attr]


def test_who_is_under_a_roomier_cap_grows_on_where_that_of_another_ends_and_no_further() -> None:
    day, own = cap("0.003"), cap("0.001", "day provider:b")
    calls = [call("a/one", "1", day), call("b/one", "1", day, own), call("c/free", "0", day)]
    assert shared_out(calls) == {"a/one": 2_000, "b/one": 1_000, "c/free": 4_000}
    assert shared_out(calls[::-1]) == {"a/one": 2_000, "b/one": 1_000, "c/free": 4_000}
    two = [*calls, call("a/two", "1", day)]
    assert shared_out(two) == {"a/one": 1_000, "a/two": 1_000, "b/one": 1_000, "c/free": 4_000}
