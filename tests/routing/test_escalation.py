"""Whether to go on, to whom, and whether to ask first: tables a reader can check by eye, and what holds for all."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.decision import Candidate, Weights
from tui_orchestrator.routing.escalation import (
    Doubt,
    best,
    chance_after,
    gain_of,
    goes_on,
    grey,
    in_words,
    kept_in_words,
    onward,
    onward_to_hand,
    second_opinion,
    weight_of_call,
    weights_for,
    worth_asking,
)
from tui_orchestrator.routing.events import Onward
from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.routing.request import Strategy

THRESHOLD = 0.6
WEIGHTS = Weights()
shares = st.floats(0.01, 0.99)


def one(model: str, p: float, usd: str | None, seconds: float = 2.0, family: str = "") -> Candidate:
    cost = None if usd is None else Money.from_usd(usd)
    return Candidate(model, model.split("/")[0], False, p, cost, cost, seconds, 0.0, 1000, family=family)


HAIKU = one("anthropic/haiku", 0.80, "0.001", family="claude")
SONNET = one("anthropic/sonnet", 0.90, "0.004", 4.0, family="claude")
OPUS = one("anthropic/opus", 0.95, "0.12", 9.0, family="claude")
NANO = one("openai/nano", 0.75, "0.0002", family="gpt")
MINI = one("openai/mini", 0.82, "0.0008", family="gpt")
FREE = one("local/pebble", 0.70, "0", family="pebble")
WEAK = one("local/grain", 0.40, "0", family="grain")
CHAIN = (SONNET, OPUS)


def doubt(confidence: float, candidate: Candidate = HAIKU, *, flawed: bool = False) -> Doubt:
    return Doubt(confidence, candidate, candidate.estimated_cost, 2.0, flawed)


@pytest.mark.parametrize(
    ("confidence", "is_grey"),
    [(0.34, False), (THRESHOLD - 0.25, True), (0.59, True), (0.6, True), (0.74, True), (THRESHOLD + 0.15, False)],
)
def test_only_near_the_threshold_can_one_more_answer_change_the_decision(confidence: float, is_grey: bool) -> None:
    assert grey(confidence, THRESHOLD) is is_grey


@pytest.mark.parametrize(
    ("confidence", "prior", "other", "gain"),
    [
        # The surer the next, the more; the surer the answer there is, the less.
        (0.0, 0.80, 0.90, 0.70),
        (0.4, 0.80, 0.90, 0.40),
        (0.4, 0.80, 0.95, 0.49),
        (0.8, 0.80, 0.90, 0.10),
        (0.9, 0.80, 0.90, 0.015),
        # What was hard for one is hard for the other: less than the 0.5 that p alone promises.
        (0.4, 0.90, 0.90, 0.24),
        (0.4, 0.90, 0.70, 0.10),
        (0.4, 0.80, 0.30, -0.17),
    ],
)
def test_the_expected_gain_is_discounted_by_what_the_prompt_alone_decides(
    confidence: float, prior: float, other: float, gain: float
) -> None:
    assert gain_of(confidence, prior, other) == pytest.approx(gain, abs=0.011)


@pytest.mark.parametrize(
    ("good", "prior", "other", "chance"),
    [
        (True, 0.8, 0.9, 0.5 * 1 + 0.5 * 0.9),
        (True, 0.8, 0.4, 0.5 * 0.5 + 0.5 * 0.4),
        (True, 0.0, 0.4, 0.5 * 1 + 0.5 * 0.4),
        (False, 0.8, 0.9, 0.5 * 0.5 + 0.5 * 0.9),
        (False, 0.8, 0.4, 0.5 * 0.4),
        (False, 1.0, 0.4, 0.5 * 0.4),
    ],
)
def test_half_of_the_time_the_prompt_alone_decides_whether_the_other_does_well(
    good: bool, prior: float, other: float, chance: float
) -> None:
    assert chance_after(good, prior, other) == pytest.approx(chance)


@pytest.mark.parametrize(
    ("strategy", "quality", "quality_cost_latency"),
    [
        (Strategy.BALANCED, 0.5, (0.5, 0.4, 0.15)),
        (Strategy.QUALITY, 0.5, (1.0, 0.0, 0.0)),
        (Strategy.QUALITY, 3.0, (3.0, 0.0, 0.0)),
        (Strategy.CHEAPEST, 0.5, (0.5, 0.8, 0.15)),
        (Strategy.PERFORMANCE, 0.5, (0.5, 0.4, 0.3)),
    ],
)
def test_a_strategy_bends_the_users_weights_so_far(
    strategy: Strategy, quality: float, quality_cost_latency: tuple[float, float, float]
) -> None:
    bent = weights_for(strategy, Weights(quality=quality))
    assert (bent.quality, bent.cost, bent.latency) == quality_cost_latency


@pytest.mark.parametrize(
    ("spent", "cost", "money"),
    [
        ("0.01", "0", 0.0),
        (None, "0", 0.0),
        ("0.01", "0.02", math.log(1 + 300) - math.log(1 + 100)),
        ("0", "0.02", math.log(1 + 200)),
        ("0.01", None, math.log(1 + 10_000) - math.log(1 + 100)),
        ("5", None, 0.0),
        (None, "0.02", 0.0),
        (None, None, 0.0),
    ],
)
def test_a_call_weighs_what_it_adds_to_the_dollars_and_seconds_of_its_turn(
    spent: str | None, cost: str | None, money: float
) -> None:
    at = Doubt(0.5, HAIKU, None if spent is None else Money.from_usd(spent), 3.0)
    amount = None if cost is None else Money.from_usd(cost)
    weights = Weights(cost=2.0, latency=3.0)
    dollars, seconds = money / math.log(1 + 10_000), (math.log(1 + 8.0) - math.log(1 + 3.0)) / math.log(61)
    assert weight_of_call(at, amount, 5.0, weights) == pytest.approx(2 * dollars + 3 * seconds)


def way(gain: float, worth: float, model: str = "a/b", seconds: float = 0.0) -> Onward:
    return Onward(model, gain, Money.from_usd(1), seconds, worth)


@pytest.mark.parametrize(
    ("ways", "chosen"),
    [
        ([], None),
        ([way(0.1, -0.5), way(0.0, -0.1)], 0),
        ([way(0.0, -0.1), way(-0.1, 0.5)], 0),
        ([way(-0.2, 0.5), way(-0.1, -0.5)], 1),
        ([way(0.1, 0.2), way(0.3, 0.1)], 0),
        ([way(0.1, 0.2, "a/first"), way(0.2, 0.2, "a/second")], 0),
    ],
)
def test_the_best_is_of_those_likelier_the_one_worth_most_and_without_any_the_nearest(
    ways: list[Onward], chosen: int | None
) -> None:
    assert best(iter(ways)) == (None if chosen is None else ways[chosen])


@pytest.mark.parametrize(
    ("gain", "worth", "flawed", "goes"),
    [
        (0.1, 0.1, False, True),
        (0.1, 0.0, False, False),
        (0.1, -0.1, False, False),
        (0.1, -0.1, True, True),
        (0.0, 0.1, True, False),
        (-0.1, 0.1, True, False),
    ],
)
def test_a_turn_goes_on_for_what_is_worth_it_and_from_a_flaw_for_any_gain(
    gain: float, worth: float, flawed: bool, goes: bool
) -> None:
    assert goes_on(doubt(0.5, flawed=flawed), way(gain, worth)) is goes


@given(shares, shares)
def test_what_is_expected_of_the_other_is_what_was_expected_before_the_answer_came(prior: float, other: float) -> None:
    good, bad = chance_after(True, prior, other), chance_after(False, prior, other)
    assert prior * good + (1 - prior) * bad == pytest.approx(other)
    assert bad <= other + 1e-9 <= good + 2e-9


@given(shares, shares, shares, st.floats(0.0, 0.5))
def test_more_doubt_never_makes_going_on_worth_less(confidence: float, prior: float, other: float, less: float) -> None:
    def worth(c: float) -> float:
        return onward(
            doubt(c, replace(HAIKU, success_probability=prior)), replace(SONNET, success_probability=other), WEIGHTS
        ).worth

    assert worth(max(0.0, confidence - less)) >= worth(confidence) - 1e-9


@given(shares, st.integers(0, 10**12), st.integers(0, 10**12))
def test_a_dearer_twin_is_never_worth_more(confidence: float, cost: int, more: int) -> None:
    cheap, dear = replace(SONNET, estimated_cost=Money(cost)), replace(SONNET, estimated_cost=Money(cost + more))
    at = doubt(confidence)
    assert onward(at, dear, WEIGHTS).worth <= onward(at, cheap, WEIGHTS).worth + 1e-12


@pytest.mark.parametrize(
    ("confidence", "weights", "chosen", "goes"),
    [
        (0.30, WEIGHTS, SONNET, True),
        (0.55, WEIGHTS, SONNET, True),
        (0.85, WEIGHTS, SONNET, False),
        (0.30, Weights(cost=0.0, latency=0.0), OPUS, True),
        (0.55, Weights(cost=4.0), SONNET, False),
        (0.55, Weights(latency=5.0), SONNET, False),
    ],
)
def test_the_turn_goes_on_to_whoever_is_worth_most_if_anybody_is(
    confidence: float, weights: Weights, chosen: Candidate, goes: bool
) -> None:
    at = doubt(confidence)
    way = best(onward(at, candidate, weights) for candidate in CHAIN)
    assert way is not None
    assert way.model == chosen.model
    assert goes_on(at, way) is goes


def test_quality_never_declines_for_money_and_cheapest_weighs_it_twice() -> None:
    at, dear = doubt(0.55), replace(OPUS, estimated_cost=Money.from_usd(5), success_probability=0.97)
    worth = {s: onward(at, dear, weights_for(s, WEIGHTS)).worth for s in Strategy}
    assert worth[Strategy.QUALITY] > 0 > worth[Strategy.CHEAPEST]
    assert worth[Strategy.CHEAPEST] < worth[Strategy.BALANCED] < worth[Strategy.QUALITY]
    assert worth[Strategy.PERFORMANCE] < worth[Strategy.BALANCED]


def test_a_refusal_is_gone_on_from_at_any_price_where_somebody_is_likelier() -> None:
    at, miserly = doubt(0.1, flawed=True), Weights(cost=50.0)
    assert goes_on(at, onward(at, OPUS, miserly))
    assert not goes_on(at, onward(at, replace(OPUS, success_probability=0.05), miserly))


def test_what_is_spent_already_makes_a_further_call_weigh_less_but_never_nothing() -> None:
    first, later = doubt(0.5), replace(doubt(0.5), spent=Money.from_usd("0.5"), seconds=60.0)
    cost = Money.from_usd("0.01")
    assert 0 < weight_of_call(later, cost, 2.0, WEIGHTS) < weight_of_call(first, cost, 2.0, WEIGHTS)


def test_an_unknown_price_weighs_like_a_dollar() -> None:
    at = doubt(0.5)
    assert weight_of_call(at, None, 0.0, WEIGHTS) == pytest.approx(
        weight_of_call(at, Money.from_usd(1), 0.0, WEIGHTS), abs=0.001
    )


def test_an_answer_that_is_there_already_costs_nothing() -> None:
    way = onward_to_hand(doubt(0.4), "openai/nano", 0.5, WEIGHTS)
    assert (way.cost, way.seconds) == (ZERO, 0.0)
    assert way.gain == way.worth == pytest.approx(0.1)


# Whom to ask


def ask(confidence: float, *usable: Candidate, **more: bool) -> str | None:
    found = second_opinion(doubt(confidence), usable, CHAIN, THRESHOLD, WEIGHTS, **more)
    return None if found is None else found.model


def test_the_cheapest_stranger_that_is_not_far_below_is_asked() -> None:
    assert ask(0.62, NANO, MINI, SONNET) == NANO.model
    assert ask(0.62, WEAK, MINI) == MINI.model, "too weak to tell"
    assert ask(0.62, FREE, NANO) == FREE.model
    assert ask(0.62, replace(NANO, estimated_cost=None), MINI) == MINI.model, "no price is known"


def test_whoever_checks_is_at_most_so_much_less_sure_and_has_a_price_and_a_ceiling() -> None:
    least = HAIKU.success_probability - 0.15
    assert ask(0.62, replace(NANO, success_probability=least)) == NANO.model
    assert ask(0.62, replace(NANO, success_probability=least - 1e-9)) is None
    assert ask(0.62, replace(NANO, cost_ceiling=None)) is None
    assert ask(0.62, replace(NANO, estimated_cost=None), whatever_it_is_worth=True) is None


def test_of_two_alike_the_first_by_name_is_asked() -> None:
    twin = replace(NANO, model="openai/a-nano")
    assert ask(0.62, NANO, twin) == ask(0.62, twin, NANO) == twin.model


# By the formulas: what is gained by a good answer is weighed against the call.
IN_KIN = replace(NANO, family="claude")


@pytest.mark.parametrize(
    ("confidence", "second", "chain", "worth"),
    [
        (0.3, NANO, CHAIN, -0.06005),
        (0.3, SONNET, CHAIN, -0.06139),
        (0.3, IN_KIN, CHAIN, -0.02589),
        (0.5, NANO, CHAIN, -0.02006),
        (0.5, SONNET, CHAIN, -0.03231),
        (0.5, MINI, (OPUS,), 0.02564),
        (0.5, NANO, (), -0.02589),
        (0.62, NANO, CHAIN, 0.14140),
        (0.62, SONNET, CHAIN, 0.12260),
        (0.62, MINI, (OPUS,), 0.11400),
        (0.62, IN_KIN, CHAIN, 0.10563),
        (THRESHOLD, NANO, CHAIN, 0.15240),
    ],
)
def test_a_second_opinion_is_worth_what_it_may_change(
    confidence: float, second: Candidate, chain: tuple[Candidate, ...], worth: float
) -> None:
    assert worth_asking(doubt(confidence), second, chain, THRESHOLD, WEIGHTS) == pytest.approx(worth, abs=0.00001)


@pytest.mark.parametrize(("confidence", "prior"), [(0.0, 0.99), (1.0, 0.99)])
def test_what_is_certain_is_not_changed_by_an_answer(confidence: float, prior: float) -> None:
    sure = replace(HAIKU, success_probability=prior)
    gift = replace(NANO, estimated_cost=ZERO, estimated_latency_s=0.0)
    assert worth_asking(doubt(confidence, sure), gift, (), THRESHOLD, WEIGHTS) == 0.0


def test_the_bill_holds_going_on_after_a_disagreement_unless_the_answer_is_there_then() -> None:
    # Of 0.62 about 0.38 disagree: asking the dearer one that is next costs less than a cheap one and the next.
    dearer = one("openai/next", 0.9, "0.0005", family="gpt")
    asked = replace(NANO, estimated_cost=Money.from_usd("0.0002"))
    assert second_opinion(doubt(0.62), (asked, dearer), (dearer,), THRESHOLD, WEIGHTS) is asked
    asked = replace(NANO, estimated_cost=Money.from_usd("0.0004"))
    assert second_opinion(doubt(0.62), (asked, dearer), (dearer,), THRESHOLD, WEIGHTS) is dearer
    # A next model of unknown price adds nothing.
    unknown = replace(dearer, estimated_cost=None)
    assert (
        second_opinion(doubt(0.62), (asked, MINI), (unknown,), THRESHOLD, WEIGHTS, whatever_it_is_worth=True) is asked
    )


def test_a_stranger_goes_before_kin() -> None:
    kin = one("anthropic/tiny", 0.79, "0.0001", family="claude")
    cousin = replace(kin, model="anthropic/other", family="other")
    assert ask(0.62, kin, cousin, MINI) == MINI.model
    assert ask(0.62, kin, cousin, whatever_it_is_worth=True) == cousin.model


def test_the_next_model_itself_is_asked_where_that_saves_asking_it_again() -> None:
    next_one = one("openai/next", 0.9, "0.0003", family="gpt")
    found = second_opinion(doubt(0.62), (NANO, next_one), (next_one,), THRESHOLD, WEIGHTS)
    assert found is next_one
    dear = replace(next_one, estimated_cost=Money.from_usd("0.02"))
    assert second_opinion(doubt(0.62), (NANO, dear), (dear,), THRESHOLD, WEIGHTS) is NANO


def test_nobody_is_asked_where_that_is_not_worth_it() -> None:
    dear = replace(MINI, estimated_cost=Money.from_usd("0.5"))
    slow = replace(MINI, estimated_latency_s=900.0)
    assert ask(0.62, dear) is None
    assert ask(0.62, slow) is None
    assert ask(0.62, dear, whatever_it_is_worth=True) == dear.model
    assert ask(0.62) is None


def test_an_answer_nobody_could_better_is_not_checked() -> None:
    assert second_opinion(doubt(0.62), (NANO,), (), THRESHOLD, WEIGHTS) is None


def test_asking_is_worth_more_where_going_on_is_dear() -> None:
    cheap = worth_asking(doubt(0.5), NANO, (SONNET,), THRESHOLD, WEIGHTS)
    dear = worth_asking(doubt(0.5), NANO, (OPUS,), THRESHOLD, WEIGHTS)
    assert dear > cheap
    assert dear > 0, "below the threshold too: it may save the dear call"


@given(shares, shares, shares)
def test_a_free_answer_at_once_from_a_model_one_may_keep_is_never_worth_less_than_not_asking(
    confidence: float, prior: float, other: float
) -> None:
    """Above the threshold it can only add the freedom to go on; whoever agrees changes nothing."""
    at = doubt(max(confidence, THRESHOLD), replace(HAIKU, success_probability=prior))
    gift = replace(NANO, success_probability=other, estimated_cost=ZERO, estimated_latency_s=0.0)
    assert worth_asking(at, gift, CHAIN, THRESHOLD, WEIGHTS) >= -1e-9


@pytest.mark.parametrize(
    ("way", "said", "kept"),
    [
        (
            Onward("anthropic/claude-sonnet-5.5", 0.31, Money.from_usd("0.004"), 2.4, 0.2),
            "claude-sonnet-5.5 is likelier by 0.31 for about $0.0040",
            "kept: going on to claude-sonnet-5.5 would cost about $0.0040 and 2 s for +0.31",
        ),
        (
            Onward("a/b", 0.04, Money.from_usd("0.12"), 0.2, -0.2),
            "b is likelier by 0.04 for about $0.120",
            "kept: going on to b would cost about $0.120 for +0.04",
        ),
        (
            Onward("a/b", 0.04, ZERO, 0.0, 0.1),
            "b is likelier by 0.04 at no further cost",
            "kept: going on to b would cost nothing for +0.04",
        ),
        (
            Onward("a/b", 0.04, None, 0.0, -0.3),
            "b is likelier by 0.04 for an unknown price",
            "kept: going on to b would cost an unknown price for +0.04",
        ),
        (
            Onward("pebble", 0.04, Money.from_usd("0.12"), 1.0, -0.2),
            "pebble is likelier by 0.04 for about $0.120",
            "kept: going on to pebble would cost about $0.120 and 1 s for +0.04",
        ),
        (
            Onward("a/b", 0.0, ZERO, 0.0, 0.0),
            "b is next in the chain that was asked for",
            "kept: nobody left is likelier to do better (b +0.00)",
        ),
        (
            Onward("a/b", -0.1, ZERO, 0.0, -0.1),
            "b is next in the chain that was asked for",
            "kept: nobody left is likelier to do better (b -0.10)",
        ),
    ],
)
def test_what_was_weighed_is_said_in_words(way: Onward, said: str, kept: str) -> None:
    assert in_words(way) == said
    assert kept_in_words(way) == kept
