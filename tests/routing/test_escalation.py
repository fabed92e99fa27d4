"""Whether to go on, to whom, and whether to ask first: tables a reader can check by eye, and what holds for all."""

from __future__ import annotations

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
    ("confidence", "is_grey"), [(0.34, False), (0.36, True), (0.59, True), (0.6, True), (0.74, True), (0.76, False)]
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
            Onward("a/b", -0.1, ZERO, 0.0, -0.1),
            "b is next in the chain that was asked for",
            "kept: nobody left is likelier to do better (b -0.10)",
        ),
    ],
)
def test_what_was_weighed_is_said_in_words(way: Onward, said: str, kept: str) -> None:
    assert in_words(way) == said
    assert kept_in_words(way) == kept
