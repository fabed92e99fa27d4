"""Turns decided again under another strategy, threshold or price table: which picks change, and by how much money."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.routing.deciding import CHEAP, DEAR, LOCAL, REGISTRY, decided
from tests.routing.samples import price, profile, request
from tests.storage.samples import attempt
from tui_orchestrator.routing.decide import replay
from tui_orchestrator.routing.decision import Decision, Division, Policy
from tui_orchestrator.routing.events import Attempt, Cause, Outcome
from tui_orchestrator.routing.model import Registry
from tui_orchestrator.routing.money import ZERO, Money, Price, Rates, Usage
from tui_orchestrator.routing.repricing import PriceTable, reprice
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.services.whatif import Change, Comparison, compare, difference_in_words, picks, unknown_names
from tui_orchestrator.storage.history import Turn

CALM = Policy(exploration=0.0)


def price_of(model_id: str) -> Price | None:
    known = REGISTRY.get(model_id)
    return known.price if known else None


def turn(strategy: Strategy = Strategy.QUALITY, *attempts: Attempt, **asked: Any) -> Turn:
    """Four models weighed for 1,000 tokens in and about 500 out."""
    return Turn(decided(request(strategy=strategy, **asked), policy=CALM), attempts=attempts)


def answered(model: str, input: int = 2_000, output: int = 1_000, **more: Any) -> Attempt:
    known = price_of(model)
    return attempt(model=model, usage=Usage(input, output), price=known, **more)


def of(one: Turn, change: Change) -> Comparison:
    return compare([one], change, price_of)


DEARER = PriceTable({"a/cheap": price("100", "500")})
HALF = PriceTable(factors={"b": Decimal("0.5")})
# By which strategy, what is supposed, who goes where, what it says of the money.
SUPPOSED = [
    ("quality", Change(Strategy.CHEAPEST), [("b/dear", "a/cheap", 1)], "~$0.052 → ~$0.00035, $0.052 less (99 %)"),
    ("quality", Change(Strategy.QUALITY), [], "~$0.052 → ~$0.052, the same"),
    ("cheapest", Change(threshold=0.95), [("a/cheap", "b/dear", 1)], "~$0.00035 → ~$0.052, $0.052 more"),
    ("cheapest", Change(threshold=0.1), [("a/cheap", "here/small", 1)], "~$0.00035 → $0, $0.00035 less (100 %)"),
    ("cheapest", Change(prices=DEARER), [("a/cheap", "b/dear", 1)], "~$0.00035 → ~$0.052, $0.052 more"),
    ("quality", Change(prices=HALF), [], "~$0.052 → ~$0.026, $0.026 less (50 %)"),
]


@pytest.mark.parametrize(("strategy", "change", "moves", "told"), SUPPOSED)
def test_a_turn_goes_elsewhere_and_costs_otherwise(strategy: str, change: Change, moves: list[Any], told: str) -> None:
    found = of(turn(Strategy(strategy)), change)
    assert list(found.moves) == moves
    assert found.in_words().startswith(f"{len(moves)} of 1 picks would change; {told}")
    assert found.basis() == "all at the estimate"


def test_both_sides_are_priced_at_the_tokens_the_answer_took() -> None:
    # 2,000 in and 1,000 out: $15 and $75 a million make $0.105, $0.10 and $0.50 make $0.0007.
    found = of(turn(Strategy.QUALITY, answered(DEAR.id)), Change(Strategy.CHEAPEST))
    assert (found.before, found.after) == (Money.from_usd("0.105"), Money.from_usd("0.0007"))
    assert found.basis() == "all at the tokens the answers took; paid at the time, every attempt counted: $0.0027"


def test_the_price_of_the_day_counts_and_not_todays() -> None:
    then = answered(DEAR.id)
    then = replace(then, price=price("1", "1"))
    assert of(turn(Strategy.QUALITY, then), Change(Strategy.CHEAPEST)).before == Money.from_usd("0.003")


def test_what_only_checked_or_came_from_the_cache_or_failed_says_nothing_of_the_tokens() -> None:
    real = answered(DEAR.id)
    beside = (
        answered(CHEAP.id, 9, 9, cause=Cause.JUDGE),
        answered(CHEAP.id, 9, 9, from_cache=True),
        answered(CHEAP.id, 9, 9, outcome=Outcome.FAILED),
    )
    found = of(turn(Strategy.QUALITY, real, *beside), Change(Strategy.CHEAPEST))
    assert found.before == Money.from_usd("0.105")
    assert of(turn(Strategy.QUALITY, *beside), Change(Strategy.CHEAPEST)).measured == 0


def test_a_turn_that_merged_answers_is_priced_at_its_tokens_and_an_ensembles_at_its_members() -> None:
    merged = answered(DEAR.id, cause=Cause.SYNTHESIS)
    assert of(turn(Strategy.QUALITY, merged), Change(Strategy.CHEAPEST)).before == Money.from_usd("0.105")
    member = answered(DEAR.id, 1_000, 500, cause=Cause.ENSEMBLE)
    fused = of(turn(Strategy.QUALITY, member, merged), Change(Strategy.CHEAPEST))
    assert fused.before == Money.from_usd("0.0525")


def test_a_prompt_in_parts_is_in_neither_sum_since_nobody_knows_its_parts_elsewhere() -> None:
    whole = turn(Strategy.QUALITY, answered(DEAR.id, cause=Cause.PART), answered(DEAR.id, cause=Cause.PART))
    parts = Division(2, 2_000, 1_000, DEAR.id, DEAR.id, 8_000, 1, Money.from_usd("0.3"), Money.from_usd("0.4"))
    found = of(replace(whole, decision=replace(whole.decision, division=parts)), Change(prices=HALF))
    assert (found.left_out, found.before, found.after) == (1, ZERO, ZERO)


def test_a_price_that_is_not_known_leaves_the_turn_out_of_both_sums() -> None:
    unpriced = turn(model="c/unknown")
    found = compare([unpriced, turn(Strategy.QUALITY)], Change(Strategy.CHEAPEST), price_of)
    assert (len(found.changed), found.left_out) == (2, 1)
    assert found.before == found.turns[1].before_cost
    assert found.basis() == "all at the estimate; 1 left out, in parts or without a pick or its price"
    assert of(unpriced, Change(Strategy.CHEAPEST)).in_words() == (
        "1 of 1 picks would change; what it would cost is not known"
    )


def test_a_strategy_lifts_a_pin_and_a_price_does_not() -> None:
    pinned = turn(model="b/dear")
    assert of(pinned, Change(prices=PriceTable(factors={"b": Decimal(9)}))).moves == ()
    assert of(pinned, Change(Strategy.CHEAPEST)).moves == (("b/dear", "a/cheap", 1),)


def test_an_ensemble_costs_all_its_members() -> None:
    among = Registry.of([CHEAP, DEAR])
    one = Turn(decided(request(strategy=Strategy.CHEAPEST, ensemble_size=2), among), attempts=(answered(CHEAP.id),))
    found = of(one, Change(Strategy.ENSEMBLE))
    assert picks(found.turns[0].after) == {"a/cheap", "b/dear"}
    assert (found.before, found.after) == (Money.from_usd("0.0007"), Money.from_usd("0.1057"))


def test_the_most_frequent_move_comes_first() -> None:
    turns = [turn(Strategy.QUALITY), turn(model=LOCAL.id), turn(Strategy.QUALITY), turn(Strategy.CHEAPEST)]
    assert compare(turns, Change(Strategy.CHEAPEST), price_of).moves == (
        ("b/dear", "a/cheap", 2),
        ("here/small", "a/cheap", 1),
    )


def test_prices_that_name_nobody_are_told() -> None:
    table = PriceTable(factors={"opnai": Decimal(2)})
    assert unknown_names([turn()], table).startswith("the prices name opnai, and no model of these turns is called so")
    assert unknown_names([turn()], PriceTable(factors={"b": Decimal(2)})) == ""


def test_a_difference_is_said_as_money_and_share() -> None:
    def said(before: str, after: str) -> str:
        return difference_in_words(Money.from_usd(before), Money.from_usd(after))

    assert said("0.2", "0.15") == "$0.050 less (25 %)"
    assert said("0", "0.15") == "$0.150 more"
    assert said("0.1", "2.2") == "$2.10 more (22 times as much)"
    assert said("1", "1.001") == "$0.0010 more (under 1 %)"


factors = st.sampled_from(["0", "0.1", "0.5", "1", "1.5", "3"]).map(Decimal)
tables = st.builds(
    PriceTable,
    st.dictionaries(st.sampled_from([CHEAP.id, DEAR.id]), st.sampled_from([price("1", "2"), price("20", "90")])),
    st.dictionaries(st.sampled_from(["a", "b", "here", CHEAP.id]), factors),
)
turns_made = st.builds(
    lambda strategy, difficulty: Turn(decided(request(strategy=strategy), prompt=profile(difficulty=difficulty))),
    st.sampled_from(Strategy),
    st.floats(0, 1),
)


@given(turns_made, tables, st.none() | st.floats(0, 1), st.none() | st.sampled_from(Strategy))
def test_nobody_who_was_out_comes_in_and_nothing_is_weighed_anew(
    one: Turn, table: PriceTable, threshold: float | None, strategy: Strategy | None
) -> None:
    after = Change(strategy, threshold, table).applied(one.decision)
    before = {c.model: (c.success_probability, c.excluded_by, c.estimated_latency_s) for c in one.decision.candidates}
    assert {c.model: (c.success_probability, c.excluded_by, c.estimated_latency_s) for c in after.candidates} == before
    assert all(before[model][1] is None for model in picks(after))


@given(turns_made)
def test_a_factor_of_one_and_nothing_at_all_change_nothing(one: Turn) -> None:
    assert Change().applied(one.decision) == replay(one.decision) == one.decision
    again: Decision = reprice(one.decision, PriceTable(factors={name: Decimal(1) for name in "ab"}))
    assert again == one.decision


def test_a_factor_never_rounds_a_price_down() -> None:
    odd = Price(Rates(3, 7, 1), per_call=Money(3))
    halved = PriceTable(factors={"x": Decimal("0.5")}).price("x/y", odd)
    assert halved is not None
    assert (halved.rates, halved.per_call) == (Rates(2, 4, 1), Money(2))
