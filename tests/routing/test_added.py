"""Strategies of plugins among the program's own."""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.added import MOST_SCORE, AddedStrategy, Opinion, Option, adopt
from tui_orchestrator.routing.confidence import assess
from tui_orchestrator.routing.decide import replay
from tui_orchestrator.routing.decision import Leanings, Policy, Weights
from tui_orchestrator.routing.events import FinishReason
from tui_orchestrator.routing.explanation import differences, score_in_words, weights, what_if
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.objective import Term, terms
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.storage.decisions import decision_from_json, decision_to_json

from .deciding import CHEAP, DEAR, LOCAL, REGISTRY, WAYS_OUT, budgets, decided, room
from .samples import profile, request


@pytest.fixture(autouse=True)
def none_stays() -> Iterator[None]:
    yield
    adopt([])


class Unsaid:
    def __repr__(self) -> str:
        raise GeneratorExit


def added(objective: Callable[[Option], Any], name: str = "theirs") -> Strategy:
    adopt([AddedStrategy(name, "what they like", "pack 1.0", objective)])
    return Strategy(name)


def test_it_is_a_strategy_while_it_is_on_offer() -> None:
    own = list(Strategy)
    theirs = added(lambda option: option.p)
    assert list(Strategy) == [*own, theirs]
    assert theirs in Strategy
    assert "theirs" in Strategy
    assert Strategy("theirs") is theirs is Strategy.named("theirs") is copy.deepcopy(theirs)
    assert (theirs.value, str(theirs), theirs.built_in) == ("theirs", "theirs", False)
    adopt([])
    assert list(Strategy) == own
    with pytest.raises(ValueError, match="'theirs' is not a valid Strategy"):
        Strategy("theirs")
    assert Strategy.named("theirs") is theirs
    assert Strategy.named("quality") is Strategy.QUALITY


def test_its_function_is_given_what_is_known_of_each_model() -> None:
    seen: dict[str, Option] = {}

    def objective(option: Option) -> float:
        seen[option.model] = option
        return 0.0

    decision = decided(request(strategy=added(objective)))
    assert seen.keys() == {model.id for model in REGISTRY}
    for candidate in decision.candidates:
        option, cost = seen[candidate.model], candidate.estimated_cost
        assert (option.p, option.latency_s) == (candidate.success_probability, candidate.estimated_latency_s)
        assert option.cost_usd == (None if cost is None else float(cost.usd))
        assert (option.local, option.provider) == (candidate.local, candidate.provider)


def test_the_highest_goes_first_and_the_reason_is_in_its_own_words() -> None:
    decision = decided(request(strategy=added(lambda option: option.cost_usd or 0.0)))
    assert decision.chain[0] == decision.model == DEAR.id
    assert decision.reason.startswith("what they like (theirs, of pack 1.0), for ")
    assert weights(decision) == "what theirs of pack 1.0 gives"
    assert score_in_words(decision).startswith("theirs +")


def test_a_leaning_of_the_users_counts_in_it_as_in_every_strategy() -> None:
    theirs = added(lambda option: 0.05 * (option.model == DEAR.id))
    assert decided(request(strategy=theirs)).model == DEAR.id
    leaning = decided(request(strategy=theirs), policy=Policy(prefer_local=True))
    assert leaning.model == LOCAL.id
    assert score_in_words(leaning) == "theirs 0, local +0.10"


@pytest.mark.parametrize(
    ("objective", "said"),
    [
        (lambda option: 1 / 0, "failed (ZeroDivisionError: division by zero)"),
        (lambda option: math.nan, "gave nan, which is no number"),
        (lambda option: "much", "gave 'much', which is no number"),
        (lambda option: True, "gave True, which is no number"),
        (lambda option: setattr(option, "p", 2), "failed (FrozenInstanceError: cannot assign to field 'p')"),
        (lambda option: sys.exit(9), "failed (SystemExit: 9)"),
        (lambda option: 10**400, "failed (OverflowError: int too large to convert to float)"),
        (lambda option: Unsaid(), "failed (GeneratorExit)"),
        (lambda option: {}["\x1b[2J" * 99], "failed (KeyError: '\\x1b[2J"),
    ],
)
def test_one_that_fails_gives_way_to_the_balance(objective: Callable[[Option], Any], said: str) -> None:
    decision = decided(request(strategy=added(objective)))
    balanced = decided(request(strategy=Strategy.BALANCED))
    assert decision.chain == balanced.chain
    assert decision.reason.startswith(f"theirs of pack 1.0 {said}")
    assert "so by the best balance" in decision.reason
    assert score_in_words(decision) == score_in_words(balanced)
    assert "\x1b" not in decision.reason
    assert len(decision.reason) < 500


def test_models_that_it_cannot_weigh_come_last() -> None:
    def objective(option: Option) -> float:
        if option.model != LOCAL.id:
            raise ValueError(option.model)
        return -1e6

    decision = decided(request(strategy=added(objective)))
    assert decision.model == LOCAL.id
    scores = [candidate.score for candidate in decision.candidates if candidate.excluded_by is None]
    assert scores == sorted(scores, reverse=True)
    assert decision.chain[1:] == tuple(
        model for model in decided(request(strategy=Strategy.BALANCED)).chain if model != LOCAL.id
    )


@given(
    st.dictionaries(st.sampled_from([model.id for model in REGISTRY]), st.floats(allow_nan=True)),
    budgets,
    st.sampled_from(WAYS_OUT),
)
def test_whatever_it_wants_nobody_is_chosen_whom_the_caps_do_not_allow(
    wanted: dict[str, float], left: str, ways: Any
) -> None:
    theirs = added(lambda option: wanted[option.model])
    policy = replace(Policy(), on_exhausted=ways)
    standing = room(left)
    decision = decided(
        request(strategy=theirs), policy=policy, **{model.name: standing for model in REGISTRY if model.price}
    )
    for model in decision.chain:
        candidate = decision.candidate(model)
        assert candidate is not None
        assert candidate.excluded_by is None
        assert candidate.cost_ceiling is None or candidate.cost_ceiling <= Money.from_usd(left)
    adopt([])


@given(
    st.dictionaries(st.sampled_from([model.id for model in REGISTRY]), st.floats(-1e9, 1e9)),
    budgets,
    st.sampled_from(WAYS_OUT),
)
def test_what_it_decided_is_decided_again_from_the_store_also_when_it_is_gone(
    wanted: dict[str, float], left: str, ways: Any
) -> None:
    theirs, policy, standing = added(lambda option: wanted[option.model]), Policy(on_exhausted=ways), room(left)
    decision = decided(
        request(strategy=theirs), policy=policy, **{model.name: standing for model in REGISTRY if model.price}
    )
    stored = decision_from_json(decision_to_json(decision))
    assert stored == decision
    assert stored.strategy is decision.strategy
    assert not differences(stored, replay(stored))
    adopt([])
    again = replay(decision_from_json(decision_to_json(decision)))
    assert (again.chain, again.candidates) == (decision.chain, decision.candidates)
    assert (again.refused, again.wished, again.margin) == (decision.refused, decision.wished, decision.margin)


def test_it_is_compared_with_the_others() -> None:
    theirs = added(lambda option: option.latency_s)
    under = what_if(decided())
    assert list(under) == list(Strategy)
    assert under[theirs].strategy is theirs


def test_a_request_for_one_that_is_gone_goes_by_the_balance_and_says_so() -> None:
    gone = Strategy.named("gone")
    decision = decided(request(strategy=gone))
    assert (decision.strategy, decision.chain) == (Strategy.BALANCED, decided(request()).chain)
    assert decision.reason.startswith("no plugin brings the strategy gone, so balanced: best balance")
    assert decided(request(chain=(CHEAP.id,), strategy=gone)).strategy is Strategy.BALANCED


def test_an_opinion_is_evidence_and_one_that_falls_short_is_a_ceiling() -> None:
    asked, prompt = request("Why is the sky blue?"), profile()
    answer = "Because air scatters short waves of light more than long ones, most of all overhead."

    def trust(*opinions: Opinion) -> tuple[float, tuple[str, ...]]:
        said = assess(asked, prompt, answer, FinishReason.STOP, 0.8, opinions=opinions)
        return said.value, said.reasons

    usual, _ = trust()
    for_it, reasons = trust(Opinion("facts: known", 1.0))
    against, _ = trust(Opinion("facts: wrong", -1.0))
    assert against < usual < for_it
    assert "facts: known" in reasons
    assert trust(Opinion("facts: no opinion"))[0] == usual
    assert "facts: no opinion" in trust(Opinion("facts: no opinion"))[1]
    short, reasons = trust(Opinion("facts: made up", 3.0, falls_short=True))
    assert short <= 0.3
    assert reasons[0] == "facts: made up"


@pytest.mark.parametrize("value", [0.25, 0.0, -3.0])
def test_what_it_gave_is_the_one_term_beside_the_users_leanings(value: float) -> None:
    theirs = added(lambda option: value)
    one = replace(decided(request(strategy=theirs)).candidates[0], score=value, local=True, open_weights=True)
    assert terms(theirs, one, Policy()) == (Term("theirs", 1.0, value),)
    weights = Weights(leanings=Leanings(local=0.5, open_weights=0.25))
    policy = Policy(prefer_local=True, prefer_opensource=True, weights=weights)
    leant = replace(one, score=value + 0.75)
    assert terms(theirs, leant, policy) == (
        Term("theirs", 1.0, value),
        Term("local", 0.5, 1.0),
        Term("open weights", 0.25, 1.0),
    )
    # Whom it could not weigh has the terms of the best balance.
    assert [term.name for term in terms(theirs, replace(one, score=-1.6 * MOST_SCORE), Policy())] == [
        *("quality", "cost", "time")
    ]
    assert [term.name for term in terms(theirs, replace(one, score=-1.4 * MOST_SCORE), Policy())] == ["theirs"]
