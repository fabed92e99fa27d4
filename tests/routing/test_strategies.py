"""Each strategy's order over one small market that a reader can check by eye, and what holds for all of them."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tui_orchestrator.routing.decision import Candidate, Diversity, Leanings, Policy, Weights
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.routing.strategies import explore, rank, rank_own

from .samples import candidate, profile

#                     p     dollars  seconds
MARKET = (
    candidate("here/tiny", 0.55, "0", 3.0, local=True),
    candidate("a/cheap", 0.82, "0.0005", 2.0),
    candidate("b/quick", 0.84, "0.002", 0.8),
    candidate("c/solid", 0.90, "0.004", 5.0),
    candidate("a/best", 0.97, "0.05", 12.0),
)
POLICY = Policy(quality_threshold=0.8, exploration=0.0)


def order(
    strategy: Strategy,
    candidates: tuple[Candidate, ...] = MARKET,
    policy: Policy = POLICY,
    complexity: int = 8,
    chain: tuple[str, ...] = (),
    size: int = 3,
) -> list[str]:
    ranked = rank(strategy, candidates, profile(complexity=complexity), policy, chain=chain, size=size)
    return [c.model for c in ranked]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (Strategy.CHEAPEST, "a/cheap b/quick c/solid a/best here/tiny"),
        (Strategy.PERFORMANCE, "b/quick a/cheap c/solid a/best here/tiny"),
        (Strategy.QUALITY, "a/best c/solid b/quick a/cheap here/tiny"),
        (Strategy.BALANCED, "a/cheap b/quick c/solid a/best here/tiny"),
        (Strategy.PREFERENCE, "a/cheap b/quick c/solid a/best here/tiny"),
        (Strategy.LOCAL_FIRST, "a/cheap b/quick c/solid a/best here/tiny"),
        (Strategy.FALLBACK, "a/cheap b/quick a/best c/solid here/tiny"),
        (Strategy.ENSEMBLE, "a/best c/solid b/quick a/cheap here/tiny"),
    ],
)
def test_each_strategy_ranks_the_market_in_its_own_order(strategy: Strategy, expected: str) -> None:
    assert order(strategy) == expected.split()


@pytest.mark.parametrize("strategy", [s for s in Strategy if s is not Strategy.ENSEMBLE])
def test_scores_fall_along_the_ranking(strategy: Strategy) -> None:
    for complexity in (2, 8):
        scores = [c.score for c in rank(strategy, MARKET, profile(complexity=complexity), POLICY)]
        assert scores == sorted(scores, reverse=True)


# Terms of the market: what each costs and takes on the scales of the objective.
CHEAP_COST, CHEAP_TIME = math.log(6) / math.log(10_001), math.log(3) / math.log(61)
WORTH = 0.82 - 0.4 * CHEAP_COST - 0.15 * CHEAP_TIME
"""Of a/cheap under the default weights."""


@pytest.mark.parametrize(
    ("strategy", "policy", "score"),
    [
        (Strategy.BALANCED, POLICY, WORTH),
        (Strategy.CHEAPEST, POLICY, math.exp(-CHEAP_COST)),
        (Strategy.CHEAPEST, replace(POLICY, quality_threshold=0.82), math.exp(-CHEAP_COST)),
        (Strategy.CHEAPEST, replace(POLICY, quality_threshold=0.83), -math.exp(-0.82)),
        (Strategy.CHEAPEST, replace(POLICY, prefer_opensource=True), math.exp(0.1 - CHEAP_COST)),
        (
            Strategy.CHEAPEST,
            replace(POLICY, prefer_opensource=True, quality_threshold=0.9),
            -math.exp(-0.82 - 0.1),
        ),
        (Strategy.PERFORMANCE, POLICY, math.exp(-CHEAP_TIME)),
        (Strategy.QUALITY, POLICY, 0.82),
        (Strategy.QUALITY, replace(POLICY, prefer_opensource=True), 0.92),
        (Strategy.ENSEMBLE, POLICY, 0.82 - 0.15 * CHEAP_COST),
        (Strategy.ENSEMBLE, replace(POLICY, prefer_opensource=True), 0.92 - 0.15 * CHEAP_COST),
        (Strategy.FALLBACK, POLICY, 1.0),
        (Strategy.PREFERENCE, POLICY, WORTH),
    ],
)
def test_a_score_is_what_the_objective_says(strategy: Strategy, policy: Policy, score: float) -> None:
    (ranked,) = rank(strategy, [replace(MARKET[1], open_weights=True)], profile(), policy)
    assert ranked.score == pytest.approx(score)


@pytest.mark.parametrize(
    ("votes", "belief"),
    [
        # Five votes are the estimate worth over all task types, and 1.6 what comes of them for this one.
        ({"wins_overall": 2.0}, (5 * WORTH + 2) / 7),
        ({"losses_overall": 2.0}, 5 * WORTH / 7),
        ({"wins": 3.0, "losses": 1.0}, (1.6 * WORTH + 3) / 5.6),
        ({"wins": 3.0, "wins_overall": 5.0}, (1.6 * (5 * WORTH + 2) / 7 + 3) / 4.6),
        ({"losses": 3.0, "losses_overall": 5.0}, 1.6 * (5 * WORTH) / 7 / 4.6),
        ({"ability_shift": 0.05}, 1 / (1 + math.exp(-(math.log(0.82 / 0.18) - 0.4))) - 0.82 + WORTH),
    ],
)
def test_a_liking_is_believed_in_three_layers(votes: dict[str, float], belief: float) -> None:
    (ranked,) = rank(Strategy.PREFERENCE, [replace(MARKET[1], **votes)], profile(), POLICY)
    assert ranked.score == pytest.approx(belief)


def test_of_a_chain_and_of_a_walk_the_steps_are_scored_by_their_places() -> None:
    chain = rank(Strategy.FALLBACK, MARKET, profile(), POLICY, chain=("c/solid", "x/gone", "a/best", "here/tiny"))
    assert [(c.model, c.score) for c in chain] == [("c/solid", 1.0), ("a/best", 0.5), ("here/tiny", 0.25)]
    walk = rank(Strategy.FALLBACK, MARKET, profile(), POLICY)
    assert [c.score for c in walk[:3]] == pytest.approx([1.0, 2 / 3, 1 / 3])
    balanced = {c.model: c.score for c in rank(Strategy.BALANCED, MARKET, profile(), POLICY)}
    assert [c.score for c in walk[3:]] == pytest.approx([-0.01, balanced["here/tiny"] - balanced["c/solid"] - 0.01])


def test_local_ones_are_scored_above_the_cloud_and_those_left_over_below_it() -> None:
    locals_ = tuple(candidate(f"here/{n}", 0.9 + n / 100, "0", local=True) for n in range(3))
    cloud = candidate("a/cloud", 0.5, "1")
    ranked = rank(Strategy.LOCAL_FIRST, (*locals_, cloud), profile(complexity=8), POLICY)
    balanced = {c.model: c.score for c in rank(Strategy.BALANCED, (*locals_, cloud), profile(), POLICY)}
    assert [(c.model, c.score) for c in ranked] == [
        ("here/2", pytest.approx(1.92)),
        ("here/1", pytest.approx(1.91)),
        ("a/cloud", pytest.approx(balanced["a/cloud"])),
        ("here/0", pytest.approx(balanced["here/0"] - 2)),
    ]
    wished = replace(POLICY, prefer_local=True)
    assert rank(Strategy.LOCAL_FIRST, locals_, profile(), wished)[0].score == pytest.approx(
        1.92 + wished.weights.leanings.local
    )


@pytest.mark.parametrize(
    ("others", "first"),
    [
        ({"usd": "0.01", "seconds": 1.0}, "here/a"),
        ({"usd": "0", "seconds": 9.0}, "here/z"),
        ({"usd": "0", "seconds": 0.5}, "here/a"),
        ({"usd": "0", "seconds": 1.0}, "here/a"),
    ],
)
def test_of_two_local_models_as_good_the_cheaper_then_the_quicker_then_the_first_by_name_goes_first(
    others: dict[str, Any], first: str
) -> None:
    cheap = candidate("here/z", 0.9, "0", 1.0, local=True)
    other = candidate("here/a", 0.9, local=True, **others)
    expected = "here/z" if others["usd"] != "0" else first
    assert order(Strategy.LOCAL_FIRST, (other, cheap))[0] == order(Strategy.LOCAL_FIRST, (cheap, other))[0] == expected


def test_a_tie_goes_to_the_cheaper_then_the_surer_then_the_first_by_name_and_an_unknown_price_is_the_dearest() -> None:
    alike = replace(POLICY, weights=Weights(quality=0, cost=0, latency=0))
    line_up = (
        candidate("a/unknown", 0.99, None),
        candidate("b/z", 0.8, "0.01"),
        candidate("b/y", 0.8, "0.01"),
        candidate("c/surer", 0.9, "0.01"),
        candidate("d/cheap", 0.1, "0.001"),
    )
    assert order(Strategy.BALANCED, line_up, alike) == ["d/cheap", "c/surer", "b/y", "b/z", "a/unknown"]


def test_an_ensemble_takes_so_much_for_each_of_ones_kin() -> None:
    kin = [candidate(f"a/{n}", 0.9, "0", family="f") for n in range(3)]
    stranger = candidate("b/x", 0.3, "0", family="g")
    ranked = rank(Strategy.ENSEMBLE, [*kin, stranger], profile(), POLICY)
    assert [(c.model, round(c.score, 9)) for c in ranked] == [
        ("a/0", 0.9),
        ("a/1", 0.7),
        ("a/2", 0.5),
        ("b/x", 0.3),
    ]
    weighed = replace(POLICY, weights=Weights(diversity=Diversity(same_family=0.5, same_provider=0.2)))
    ranked = rank(Strategy.ENSEMBLE, [*kin, stranger], profile(), weighed)
    assert [(c.model, round(c.score, 9)) for c in ranked[:3]] == [("a/0", 0.9), ("b/x", 0.3), ("a/1", 0.2)]


def test_an_ensemble_has_three_members_unless_another_number_is_asked_for() -> None:
    kin = [candidate(f"a/{n}", 0.9, "0", family="f") for n in range(4)]
    assert [round(c.score, 9) for c in rank(Strategy.ENSEMBLE, kin, profile(), POLICY)] == [0.9, 0.7, 0.5, 0.9]
    assert [round(c.score, 9) for c in rank_own(Strategy.ENSEMBLE, kin, profile(), POLICY)] == [0.9, 0.7, 0.5, 0.9]
    two = rank(Strategy.ENSEMBLE, kin, profile(), POLICY, size=2)
    assert [round(c.score, 9) for c in two] == [0.9, 0.7, 0.9, 0.9]


def test_balanced_goes_by_the_users_weights() -> None:
    only_quality = replace(POLICY, weights=Weights(quality=1, cost=0, latency=0))
    assert order(Strategy.BALANCED, policy=only_quality)[0] == "a/best"
    only_cost = replace(POLICY, weights=Weights(quality=0, cost=1, latency=0))
    assert order(Strategy.BALANCED, policy=only_cost)[0] == "here/tiny"
    only_time = replace(POLICY, weights=Weights(quality=0, cost=0, latency=1))
    assert order(Strategy.BALANCED, policy=only_time)[0] == "b/quick"


@pytest.mark.parametrize(
    ("policy", "first"),
    [
        (replace(POLICY, prefer_local=True), "here/like"),
        (replace(POLICY, prefer_opensource=True), "b/like"),
        (replace(POLICY, lean_to="c"), "c/like"),
        (replace(POLICY, lean_to="c/like"), "c/like"),
    ],
)
def test_a_leaning_decides_between_models_that_are_nearly_as_good(policy: Policy, first: str) -> None:
    alike = (
        candidate("a/like"),
        candidate("b/like", open_weights=True),
        candidate("c/like"),
        candidate("here/like", local=True),
    )
    assert order(Strategy.BALANCED, alike)[0] == "a/like"
    assert order(Strategy.BALANCED, alike, policy)[0] == first
    far_better = candidate("d/better", 0.99, "0.00001", 0.1)
    assert order(Strategy.BALANCED, (*alike, far_better), policy)[0] == "d/better"


@pytest.mark.parametrize("strategy", [s for s in Strategy if s is not Strategy.PREFERENCE])
def test_open_weights_are_preferred_in_every_strategy_where_that_is_wished(strategy: Strategy) -> None:
    closed = candidate("a/closed", 0.90, "0.004", 2.0, local=True)
    opened = candidate("a/open", 0.90, "0.004", 2.0, local=True, open_weights=True)
    wished = replace(POLICY, prefer_opensource=True)
    assert order(strategy, (closed, opened))[0] == "a/closed"
    assert order(strategy, (closed, opened), wished)[0] == "a/open"


@pytest.mark.parametrize(
    ("strategy", "figures"),
    [
        (Strategy.CHEAPEST, {"usd": "0.008"}),
        (Strategy.PERFORMANCE, {"seconds": 2.5}),
        (Strategy.QUALITY, {"p": 0.85}),
        (Strategy.BALANCED, {"p": 0.85}),
        (Strategy.PREFERENCE, {"p": 0.85}),
        (Strategy.ENSEMBLE, {"p": 0.85}),
    ],
)
def test_a_preference_for_open_weights_is_worth_its_weight_and_no_more(
    strategy: Strategy, figures: dict[str, Any]
) -> None:
    closed = candidate("a/closed", 0.90, "0.004", 2.0)
    opened = replace(candidate("b/open", **{"p": 0.90, "usd": "0.004", "seconds": 2.0, **figures}), open_weights=True)
    strong = replace(POLICY, prefer_opensource=True)
    weak = replace(strong, weights=Weights(leanings=Leanings(open_weights=0.001)))
    assert order(strategy, (closed, opened), strong)[0] == "b/open"
    assert order(strategy, (closed, opened), weak)[0] == "a/closed"


@pytest.mark.parametrize("strategy", [Strategy.CHEAPEST, Strategy.PERFORMANCE])
def test_good_enough_goes_before_not_good_enough_however_dear_and_slow(strategy: Strategy) -> None:
    dear = candidate("a/dear", 0.81, "90", 3600.0)
    poor = candidate("b/poor", 0.79, "0", 0.1)
    assert order(strategy, (poor, dear)) == ["a/dear", "b/poor"]


def test_the_cheapest_is_never_one_whose_price_is_not_known() -> None:
    unknown, dear = candidate("a/unknown", 0.99, None), candidate("b/dear", 0.81, "20")
    assert order(Strategy.CHEAPEST, (unknown, dear)) == ["b/dear", "a/unknown"]


def test_without_a_good_enough_one_cheapest_and_performance_take_the_likeliest() -> None:
    strict = replace(POLICY, quality_threshold=0.99)
    for strategy in (Strategy.CHEAPEST, Strategy.PERFORMANCE):
        assert order(strategy, policy=strict) == ["a/best", "c/solid", "b/quick", "a/cheap", "here/tiny"]


def test_quality_gives_a_tie_to_the_cheaper() -> None:
    tie = (candidate("a/dear", 0.902, "1"), candidate("b/cheap", 0.899, "0.1"))
    assert order(Strategy.QUALITY, tie) == ["b/cheap", "a/dear"]


def test_votes_move_preference_and_few_votes_move_it_little() -> None:
    loved = tuple(replace(c, wins=60.0) if c.model == "c/solid" else c for c in MARKET)
    assert order(Strategy.PREFERENCE, loved)[0] == "c/solid"
    one_vote = tuple(replace(c, wins=1.0) if c.model == "here/tiny" else c for c in MARKET)
    assert order(Strategy.PREFERENCE, one_vote)[0] == "a/cheap"
    hated = tuple(replace(c, losses=60.0) if c.model == "a/cheap" else c for c in MARKET)
    assert order(Strategy.PREFERENCE, hated)[-1] == "a/cheap"


@pytest.mark.parametrize("votes", [{"wins": 10.0}, {"losses": 10.0}])
def test_a_vote_on_this_kind_of_task_counts_once_though_it_is_one_of_all(votes: dict[str, float]) -> None:
    of_all = {f"{kind}_overall": count for kind, count in votes.items()}
    here, of_all_too, and_elsewhere = (
        rank(Strategy.PREFERENCE, [candidate("a/one", **asked)], profile(), POLICY)[0].score
        for asked in (votes, votes | of_all, votes | {kind: 2 * count for kind, count in of_all.items()})
    )
    assert here == of_all_too != and_elsewhere


def test_an_easy_prompt_stays_local_and_a_hard_one_when_the_local_model_is_able() -> None:
    assert order(Strategy.LOCAL_FIRST, complexity=3)[0] == "here/tiny"
    assert order(Strategy.LOCAL_FIRST, complexity=4)[0] == "a/cheap"
    able = (*MARKET, candidate("here/able", 0.8, "0", 9.0, local=True))
    assert order(Strategy.LOCAL_FIRST, able, complexity=10)[:2] == ["here/able", "a/cheap"]


def test_behind_two_local_models_comes_the_cloud_and_the_other_local_ones_last() -> None:
    locals_ = tuple(candidate(f"here/{n}", 0.9 + n / 100, "0", local=True) for n in range(4))
    ranked = order(Strategy.LOCAL_FIRST, (*locals_, candidate("a/cloud", 0.5, "1")))
    assert ranked == ["here/3", "here/2", "a/cloud", "here/1", "here/0"]


def test_a_named_chain_keeps_its_order_and_leaves_the_others_out() -> None:
    named = ("c/solid", "here/tiny", "x/gone", "a/best")
    assert order(Strategy.FALLBACK, chain=named) == ["c/solid", "here/tiny", "a/best"]


def test_an_ensemble_prefers_other_families_and_other_houses() -> None:
    best = candidate("a/one", 0.95, family="f")
    sibling = candidate("a/two", 0.94, family="f")
    neighbour = candidate("a/three", 0.90, family="g")
    stranger = candidate("b/four", 0.88, family="h")
    members = order(Strategy.ENSEMBLE, (best, sibling, neighbour, stranger), size=3)[:3]
    assert members == ["a/one", "b/four", "a/three"]


def test_each_further_member_of_a_family_counts_for_less_again() -> None:
    family = [candidate(f"{house}/kin", p, family="f") for house, p in (("a", 0.96), ("b", 0.95), ("c", 0.94))]
    # Behind one of the family the second is still the better by 0.02, behind two the third is worse by 0.14.
    stranger = candidate("d/other", 0.78, family="g")
    members = order(Strategy.ENSEMBLE, (*family, stranger), size=3)[:3]
    assert members == ["a/kin", "b/kin", "d/other"]


candidates = st.lists(
    st.builds(
        candidate,
        id=st.sampled_from([f"{house}/{name}" for house in "abh" for name in "uvwxyz"]),
        p=st.integers(1, 99).map(lambda n: n / 100),
        usd=st.one_of(st.none(), st.sampled_from(["0", "0.000001", "0.001", "0.02", "0.3", "4", "50"])),
        seconds=st.sampled_from([0.1, 1.0, 7.0, 50.0, 400.0]),
        local=st.booleans(),
        wins=st.integers(0, 30).map(float),
        losses=st.integers(0, 30).map(float),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda c: c.model,
).map(tuple)


@given(candidates, st.sampled_from(list(Strategy)), st.integers(1, 10), st.integers(1, 10**12), st.randoms())
def test_a_dearer_twin_is_never_chosen(
    market: tuple[Candidate, ...], strategy: Strategy, complexity: int, more: int, shuffle: object
) -> None:
    original = market[0]
    cost = original.estimated_cost
    # A twin of another house would count as diversity to an ensemble; its name would sort first.
    dearer = None if cost is None else cost + Money(more)
    twin = replace(original, model=f"{original.provider}/a-twin", estimated_cost=dearer, cost_ceiling=dearer)
    assume(cost is not None)
    for line_up in ((twin, *market), (*market, twin)):
        ranked = order(strategy, line_up, complexity=complexity)
        assert ranked[0] != twin.model
        if twin.model in ranked and original.model in ranked:
            assert ranked.index(original.model) < ranked.index(twin.model)


@given(candidates, st.sampled_from(list(Strategy)), st.integers(1, 10), st.data())
def test_ties_are_stable_whatever_order_the_models_come_in(
    market: tuple[Candidate, ...], strategy: Strategy, complexity: int, data: st.DataObject
) -> None:
    shuffled = tuple(data.draw(st.permutations(market)))
    assert order(strategy, shuffled, complexity=complexity) == order(strategy, market, complexity=complexity)


@given(candidates, st.sampled_from(list(Strategy)))
def test_a_ranking_loses_nobody_and_invents_nobody(market: tuple[Candidate, ...], strategy: Strategy) -> None:
    assert sorted(order(strategy, market)) == sorted(c.model for c in market)


def test_exploration_is_bounded_whatever_the_votes_are() -> None:
    torn = [replace(c, wins=5.0, losses=5.0) for c in MARKET]
    policy = replace(POLICY, exploration=0.05)
    ranked = rank(Strategy.PREFERENCE, torn, profile(), policy)
    explored = sum(explore(ranked, policy, seed)[1] for seed in range(4000))
    assert 0 < explored <= 4000 * 0.05 * 1.3


def test_exploration_is_the_same_for_the_same_seed_and_only_moves_one_to_the_front() -> None:
    policy = replace(POLICY, exploration=1.0)
    ranked = rank(Strategy.PREFERENCE, MARKET, profile(), policy)
    moved = 0
    for seed in range(50):
        order_, explored = explore(ranked, policy, seed)
        assert (order_, explored) == explore(ranked, policy, seed)
        assert explored == (order_[0] is not ranked[0])
        assert [c for c in order_ if c is not order_[0]] == [c for c in ranked if c is not order_[0]]
        moved += explored
    assert moved


def test_of_two_the_one_that_is_liked_is_drawn_nearly_always() -> None:
    liked, disliked = candidate("a/liked", wins=60.0), candidate("b/disliked", losses=60.0)
    policy = replace(POLICY, exploration=1.0)
    for ranked in ([liked, disliked], [disliked, liked]):
        for seed in range(30):
            assert explore(ranked, policy, seed) == ([liked, disliked], ranked[0] is disliked)


def test_without_exploration_or_with_one_model_nothing_is_explored() -> None:
    ranked = rank(Strategy.PREFERENCE, MARKET, profile(), POLICY)
    assert not any(explore(ranked, POLICY, seed)[1] for seed in range(200))
    always = replace(POLICY, exploration=1.0)
    assert explore(ranked[:1], always, 1) == (ranked[:1], False)


def test_a_score_changes_nothing_else_of_a_candidate() -> None:
    told = Candidate(*(f"value of {field.name}" for field in fields(Candidate)))  # type: ignore[arg-type]
    assert told.scored(0.5) == replace(told, score=0.5)
