"""`preference` with a simulated user: it finds their favourites, follows when these change, and forgives mistakes."""

from __future__ import annotations

import statistics

import pytest

from benchmarks.preference import CASES, REGISTRY, Case, User
from tui_orchestrator.routing.decide import decide
from tui_orchestrator.routing.decision import Circumstances, Policy, Standing
from tui_orchestrator.routing.profile import TaskType
from tui_orchestrator.routing.request import Strategy

from .samples import profile, request

SEEDS = range(3)
ONE_TASK = [case for case in CASES if len(case.first) == 1]
SPLIT = CASES[-1]


def named(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", [*ONE_TASK, SPLIT], ids=named)
def test_the_picks_agree_with_a_users_tastes_and_follow_when_they_change(case: Case) -> None:
    for seed in SEEDS:
        user = User(seed)
        user.vote(case.first, case.votes)
        assert user.agreement(case.first) >= 0.85
        user.vote(case.then, case.votes)
        assert user.agreement(case.then) >= 0.85


@pytest.mark.parametrize("case", [case for case in CASES if len(case.first) == 3 and case is not SPLIT], ids=named)
def test_one_taste_for_all_task_types_is_learned_from_thirty_votes_altogether(case: Case) -> None:
    settled = []
    for seed in SEEDS:
        user = User(seed)
        user.vote(case.first, 30)
        settled.append(user.agreement(case.first))
    assert statistics.mean(settled) >= 0.85


@pytest.mark.parametrize("case", ONE_TASK, ids=named)
def test_ten_contrary_votes_by_mistake_do_not_ruin_a_model(case: Case) -> None:
    for seed in SEEDS:
        user = User(seed)
        user.vote(case.first, 30)
        user.vote(case.first, 10, wrong=1.0)
        user.vote(case.first, 10, wrong=0.0)
        assert user.agreement(case.first) >= 0.85


def test_explorations_are_few_announced_and_off_the_favourite() -> None:
    user, case = User(1), ONE_TASK[0]
    user.vote(case.first, 30)
    decisions = [user.ask(case.first) for _ in range(1000)]
    explored = [decision for decision in decisions if decision.explored]
    assert 0 < len(explored) <= 30
    for decision in decisions:
        assert ("an exploration, announced" in decision.reason) == decision.explored
        assert decision.explored or decision.model == case.first[TaskType.CODE]


def test_a_pinned_turn_is_never_explored() -> None:
    policy = Policy(strategy=Strategy.PREFERENCE, exploration=1.0)
    torn = Circumstances({model: Standing(wins=3.0, losses=3.0) for model in REGISTRY.models})
    for n in range(100):
        decision = decide(request(id=f"r{n}", model="a/quick"), profile(), REGISTRY, torn, policy)
        assert (decision.model, decision.explored) == ("a/quick", False)


def test_what_is_liked_elsewhere_counts_where_nothing_was_voted_on_yet() -> None:
    liked = Circumstances({"c/best": Standing(wins_overall=20.0)})
    policy = Policy(strategy=Strategy.PREFERENCE, exploration=0.0)
    assert decide(request(), profile(), REGISTRY, Circumstances({}), policy).model != "c/best"
    decision = decide(request(), profile(), REGISTRY, liked, policy)
    assert decision.model == "c/best"
    assert "going by your votes on other tasks" in decision.reason
