"""What is left of a cap is shared out among the members of an ensemble."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.budget import BudgetState, Cap
from tui_orchestrator.routing.fitting import MemberCall, shared_out, short_of_room, tight
from tui_orchestrator.routing.money import ZERO, Money, Price

from .samples import price

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
