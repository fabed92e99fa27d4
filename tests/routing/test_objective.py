"""What the strategies weigh, told in terms that add up to the score."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.decision import Leanings, Policy, Weights
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.objective import Term, cost_term, latency_term, leant_cost, objective, terms
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.routing.strategies import rank

from .samples import candidate, profile

WISHES = Policy(
    prefer_local=True,
    prefer_opensource=True,
    lean_to="a",
    weights=Weights(2, 0.5, 0.25, Leanings(0.125, 0.0625, 0.5)),
)
ALL = candidate("a/one", 0.75, "0.01", 10.0, local=True, open_weights=True)


def test_the_scales_run_from_nothing_to_one() -> None:
    assert cost_term(Money(0)) == latency_term(0) == 0
    assert cost_term(Money.from_usd("1")) == latency_term(60) == cost_term(None) == pytest.approx(1)
    tenfold = [cost_term(Money.from_usd(usd)) for usd in ("0.01", "0.1", "1", "10")]
    steps = [b - a for a, b in itertools.pairwise(tenfold)]
    assert steps == pytest.approx([0.25] * 3, abs=0.01)


@given(st.booleans(), st.booleans(), st.sampled_from(["a", "a/one", "one", "b", None]), st.booleans(), st.booleans())
def test_the_terms_of_balanced_add_up_to_its_score(
    prefer_local: bool, prefer_opensource: bool, lean_to: str | None, local: bool, opened: bool
) -> None:
    policy = replace(WISHES, prefer_local=prefer_local, prefer_opensource=prefer_opensource, lean_to=lean_to)
    one = replace(ALL, local=local, open_weights=opened)
    (ranked,) = rank(Strategy.BALANCED, [one], profile(), policy)
    assert sum(term.weight * term.value for term in terms(Strategy.BALANCED, one, policy)) == pytest.approx(
        ranked.score
    )


@pytest.mark.parametrize("strategy", [Strategy.QUALITY, Strategy.ENSEMBLE])
def test_the_terms_of_other_sums_add_up_to_their_scores_too(strategy: Strategy) -> None:
    (ranked,) = rank(strategy, [ALL], profile(), WISHES)
    told = sum(term.weight * term.value for term in terms(strategy, ALL, WISHES))
    assert told == pytest.approx(ranked.score, abs=0.005)


def test_terms_are_told_with_their_signs() -> None:
    assert [str(term) for term in terms(Strategy.BALANCED, ALL, WISHES)] == [
        "quality +1.50",
        "cost -0.25",
        "time -0.15",
        "local +0.06",
        "open weights +0.12",
        "default model +0.50",
    ]
    assert str(Term("cost", -1.0, 0.0)) == "cost 0"


BALANCE = "2 × p − 0.5 × cost − 0.25 × time"
SUM = ["quality +1.50", "cost -0.25", "time -0.15"]


@pytest.mark.parametrize(
    ("strategy", "said", "told"),
    [
        (Strategy.CHEAPEST, "least cost among p ≥ 0.80", ["cost -0.50"]),
        (Strategy.PERFORMANCE, "least time among p ≥ 0.80", ["time -0.58"]),
        (Strategy.QUALITY, "most p, a tie to the cheaper", ["quality +0.75"]),
        (
            *(Strategy.FALLBACK, "least expected cost of a walk that ends well with p ≥ 0.80, or nearly as well as "),
            ["cost -0.50"],
        ),
        (
            Strategy.ENSEMBLE,
            "p − 0.15 × cost − 0.15 for each member of the same family − 0.05 for each of the same provider",
            ["quality +0.75", "cost -0.08"],
        ),
        (
            *(Strategy.PREFERENCE, f"your votes; before them {BALANCE}, worth 5 votes overall, 1.6 on a task"),
            SUM,
        ),
        (Strategy.LOCAL_FIRST, f"local while complexity ≤ 3 or p ≥ 0.80; then {BALANCE}", SUM),
        (Strategy.BALANCED, BALANCE, SUM),
    ],
)
def test_what_a_strategy_maximises_is_said_with_its_weights_and_what_it_weighs_of_one(
    strategy: Strategy, said: str, told: list[str]
) -> None:
    plain = replace(WISHES, prefer_local=False, prefer_opensource=False, lean_to=None)
    assert objective(strategy, plain).startswith(said)
    assert [str(term) for term in terms(strategy, ALL, plain)] == told
    closed = replace(ALL, local=False, open_weights=False)
    assert [str(term) for term in terms(strategy, closed, replace(WISHES, lean_to="b"))] == told


@pytest.mark.parametrize(
    ("lean_to", "leant"), [("a", True), ("a/one", True), ("one", True), ("b", False), ("a/o", False), (None, False)]
)
def test_a_default_model_may_be_named_by_its_id_its_provider_or_its_bare_name(lean_to: str | None, leant: bool) -> None:
    said = [str(term) for term in terms(Strategy.BALANCED, ALL, replace(WISHES, lean_to=lean_to))]
    assert ("default model +0.50" in said) is leant


@pytest.mark.parametrize(("usd", "local", "cost"), [(None, False, 1e12), ("1", False, 1e12), ("0", True, 0.0)])
def test_a_cost_with_leanings_is_a_discount_and_an_unknown_one_a_dollar(
    usd: str | None, local: bool, cost: float
) -> None:
    one = candidate("a/x", usd=usd, local=local)
    for policy in (Policy(), Policy(prefer_local=True), Policy(prefer_opensource=True)):
        assert leant_cost(one, policy) == cost


def test_seconds_below_nothing_count_as_none() -> None:
    assert latency_term(-5.0) == 0.0
    assert latency_term(7.0) == pytest.approx(math.log(8) / math.log(61))


@pytest.mark.parametrize("strategy", list(Strategy))
def test_every_objective_names_its_weights_and_the_leanings_that_are_set(strategy: Strategy) -> None:
    said, plain = objective(strategy, WISHES), objective(strategy, Policy())
    assert "+ 0.0625 if local" in said
    assert "+ 0.125 if its weights are open" in said
    assert ("0.5 for a" in said) == (strategy in (Strategy.BALANCED, Strategy.PREFERENCE, Strategy.LOCAL_FIRST))
    assert "if " not in plain


def test_a_leaning_of_a_tenth_is_three_fifths_off_the_price() -> None:
    policy = Policy(prefer_opensource=True)
    opened = candidate("a/open", usd="1", open_weights=True)
    assert leant_cost(opened, policy) == pytest.approx(0.4e12, rel=0.01)
    assert leant_cost(opened, Policy()) == 1e12
