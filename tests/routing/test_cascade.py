"""Walks: their forecast against a table and a simulation, and the plan against every walk there is."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.cascade import DISTRUSTED, NOTICED, TOGETHER, chance_of_one, forecast, plan
from tui_orchestrator.routing.decision import Candidate, Policy
from tui_orchestrator.routing.money import Money

from .samples import candidate

#                   p     dollars
TINY = candidate("here/tiny", 0.55, "0", local=True)
CHEAP = candidate("a/cheap", 0.82, "0.0005")
QUICK = candidate("b/quick", 0.84, "0.002")
SOLID = candidate("c/solid", 0.90, "0.004")
BEST = candidate("a/best", 0.97, "0.05")
MARKET = (TINY, CHEAP, QUICK, SOLID, BEST)


def planned(*candidates: Candidate, attempts: int = 3, threshold: float = 0.8) -> list[str]:
    return [c.model for c in plan(candidates, Policy(max_attempts=attempts, quality_threshold=threshold))]


def test_one_step_costs_what_it_costs_and_ends_as_well_as_it_is_sure() -> None:
    ahead = forecast([BEST])
    assert ahead.cost == ahead.worst == Money.from_usd("0.05")
    assert ahead.quality == pytest.approx(0.97)


def test_a_second_step_is_paid_for_only_when_the_first_is_distrusted() -> None:
    ahead = forecast([CHEAP, BEST])
    distrusted = NOTICED * 0.18 + DISTRUSTED * 0.82  # 0.272
    assert distrusted == pytest.approx(0.272)
    assert ahead.cost == Money(500_000_000 + round(0.272 * 50_000_000_000))
    assert ahead.worst == Money.from_usd("0.0505")
    # Trusted and good, then: distrusted, and the surest succeeds on whatever the prompt's hardness leaves it.
    hardness = DISTRUSTED * 0.82 + NOTICED * (0.97 - 0.82)
    assert ahead.quality == pytest.approx(0.8 * 0.82 + TOGETHER * hardness + (1 - TOGETHER) * distrusted * 0.97)


@pytest.mark.parametrize("walk", [(CHEAP, SOLID, BEST), (BEST, TINY, QUICK), (TINY, TINY, TINY)])
def test_a_forecast_is_what_a_simulation_of_its_assumptions_comes_to(walk: tuple[Candidate, ...]) -> None:
    draw = random.Random(7)
    turns, spent, well = 40_000, 0, 0
    for _ in range(turns):
        hardness = draw.random() if draw.random() < TOGETHER else None
        good = False
        for step in walk:
            good = (draw.random() if hardness is None else hardness) <= step.success_probability
            assert step.estimated_cost is not None
            spent += step.estimated_cost.picodollars
            if draw.random() >= (DISTRUSTED if good else NOTICED):
                break
        well += good
    ahead = forecast(walk)
    assert ahead.cost is not None
    assert ahead.cost.picodollars == pytest.approx(spent / turns, rel=0.05)
    assert ahead.quality == pytest.approx(well / turns, abs=0.01)


def test_the_price_of_a_walk_with_a_step_of_unknown_price_is_unknown() -> None:
    ahead = forecast([CHEAP, candidate("c/unknown", 0.95, None)])
    assert (ahead.cost, ahead.worst) == (None, None)


@pytest.mark.parametrize(
    ("attempts", "threshold", "expected"),
    [
        (1, 0.8, "a/cheap a/best"),
        (3, 0.8, "a/cheap b/quick a/best"),
        (5, 0.8, "a/cheap b/quick c/solid a/best"),
        (3, 0.7, "a/cheap b/quick a/best"),
        (3, 0.9, "a/cheap c/solid a/best"),
        (3, 0.99, "b/quick a/best"),
    ],
)
def test_a_walk_climbs_to_the_surest_and_begins_the_higher_the_more_is_asked(
    attempts: int, threshold: float, expected: str
) -> None:
    assert planned(*MARKET, attempts=attempts, threshold=threshold) == expected.split()


def test_a_prompt_too_hard_for_all_is_walked_for_nearly_what_the_surest_could_do() -> None:
    hard = [replace(c, success_probability=c.success_probability - 0.5) for c in MARKET]
    assert planned(*hard)[-1] == "a/best"
    ahead = forecast(plan(hard, Policy()))
    assert ahead.quality >= 0.47 - 0.05


def test_one_who_is_dearer_and_no_surer_is_no_step() -> None:
    twin = replace(CHEAP, model="a/another", estimated_cost=Money.from_usd("0.0006"))
    assert planned(*MARKET, twin) == planned(*MARKET)
    assert planned(CHEAP, twin) == ["a/cheap"]


def test_of_two_at_one_price_only_the_surer_is_a_step() -> None:
    less, more = candidate("a/less", 0.75, "0.0005"), candidate("b/more", 0.90, "0.0005")
    assert planned(less, more, BEST, threshold=0.6) == [more.model, BEST.model]


def test_of_nobody_there_is_no_walk() -> None:
    assert plan([], Policy()) == []


@pytest.mark.parametrize(("p", "surest"), [(0.96, "b/cheaper"), (0.959, "a/best")])
def test_a_hundredth_less_sure_is_as_sure(p: float, surest: str) -> None:
    assert planned(candidate("b/cheaper", p, "0.04"), BEST)[-1] == surest


def test_a_preferred_kind_is_surer_by_as_much_as_it_is_preferred() -> None:
    opened = candidate("b/open", 0.90, "0.05", open_weights=True)
    assert plan((opened, BEST), Policy(prefer_opensource=True)) == [opened]
    assert plan((opened, BEST), Policy()) == [BEST]


def test_of_two_alike_the_first_by_name_is_a_step() -> None:
    twins = [replace(CHEAP, model="a/twin"), CHEAP]
    assert planned(*twins, BEST) == planned(*reversed(twins), BEST) == ["a/cheap", "a/best"]


def test_of_more_models_than_are_considered_those_that_add_least_are_no_steps() -> None:
    ladder = [candidate(f"a/{n:02}", 0.40 + 0.03 * n, str(0.001 * (n + 1))) for n in range(12)]
    between = candidate("b/between", ladder[5].success_probability + 0.01, "0.0065")
    best = candidate("c/best", 0.99, "0.015")
    below, reached = (forecast([step, best]).quality for step in (ladder[5], between))
    just_reached = (below + reached) / 2
    few, many = [*ladder[3:9], between, best], [*ladder, between, best]
    assert planned(*few, attempts=2, threshold=just_reached) == ["b/between", "c/best"]
    assert planned(*many, attempts=2, threshold=just_reached) == ["a/06", "c/best"]
    # What is left of two steps that one was taken from between counts as one.
    apart = [
        candidate(f"a/{n:02}", p, str(0.001 * (n + 1)))
        for n, p in enumerate((0.30, 0.31, 0.32, 0.36, 0.40, 0.44, 0.48, 0.52, 0.56, 0.60, 0.64, 0.68, 0.72, 0.76))
    ]
    best = replace(best, estimated_cost=Money.from_usd("0.05"))
    found = {planned(*apart, best, attempts=2, threshold=forecast([step, best]).quality - 1e-6)[0] for step in apart}
    assert found == {step.model for step in apart} - {"a/01", "a/02"}


def walks(market: list[Candidate], surest: Candidate, attempts: int) -> list[tuple[Candidate, ...]]:
    """All that climb to the surest."""
    below = sorted((c for c in market if c.success_probability < surest.success_probability), key=by_p)
    steps = range(max(2, attempts))
    return [(*walk, surest) for n in steps for walk in itertools.combinations(below, n)]


def by_p(one: Candidate) -> float:
    return one.success_probability


@pytest.mark.parametrize("seed", range(24))
def test_where_the_surer_are_the_dearer_the_planned_walk_is_the_cheapest_of_all_that_end_well_enough(seed: int) -> None:
    draw = random.Random(seed)
    market = [
        candidate(f"a/{p}", p / 100, f"{usd / 100_000:.5f}")
        for p, usd in zip(sorted(draw.sample(range(40, 96, 3), 7)), sorted(draw.sample(range(1, 2000), 7)), strict=True)
    ]
    attempts, threshold = draw.choice((2, 3, 4, 5)), draw.choice((0.5, 0.7, 0.8, 0.9))
    chosen = plan(market, Policy(max_attempts=attempts, quality_threshold=threshold))
    asked = min(threshold, chosen[-1].success_probability - 0.05)
    least = min(
        ahead.cost.picodollars
        for walk in walks(market, chosen[-1], attempts)
        if (ahead := forecast(walk)).quality >= asked and ahead.cost is not None
    )
    cost = forecast(chosen).cost
    assert cost is not None
    assert cost.picodollars == pytest.approx(least)


def test_a_free_and_surest_model_is_the_whole_walk() -> None:
    assert planned(*MARKET, candidate("here/great", 0.975, "0", local=True)) == ["here/great"]


def test_a_preferred_kind_counts_as_cheaper_and_as_surer() -> None:
    opened = replace(QUICK, model="d/open", estimated_cost=Money.from_usd("0.0015"), open_weights=True)
    wished = Policy(prefer_opensource=True, max_attempts=2)
    assert plan((CHEAP, opened, BEST), wished)[0].model == "d/open"
    assert plan((CHEAP, opened, BEST), Policy(max_attempts=2))[0].model == "a/cheap"
    assert plan((*MARKET, replace(BEST, model="e/open", open_weights=True)), wished)[-1].model == "e/open"


def test_side_by_side_one_answers_well_more_often_than_the_surest_and_less_than_were_they_strangers() -> None:
    one = chance_of_one([CHEAP, SOLID])
    assert one == pytest.approx(1 - TOGETHER * 0.10 - (1 - TOGETHER) * 0.18 * 0.10)
    assert chance_of_one([SOLID]) == pytest.approx(0.90)
    assert chance_of_one([]) == 0.0


markets = st.lists(
    st.builds(
        candidate,
        id=st.sampled_from([f"a/{name}" for name in "uvwxyz"]),
        p=st.integers(1, 99).map(lambda n: n / 100),
        usd=st.sampled_from(["0", "0.0001", "0.001", "0.02", "0.3"]),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda c: c.model,
)


@given(markets, st.integers(1, 4), st.sampled_from([0.3, 0.6, 0.8, 0.95]))
def test_no_walk_that_ends_as_well_as_is_asked_is_cheaper_than_the_planned_one(
    market: list[Candidate], attempts: int, threshold: float
) -> None:
    chosen = plan(market, Policy(max_attempts=attempts, quality_threshold=threshold))
    surest = chosen[-1]
    asked = min(threshold, surest.success_probability - 0.05)
    found = forecast(chosen)
    assert found.quality >= asked - 1e-9
    assert surest.success_probability >= max(c.success_probability for c in market) - 0.01 - 1e-9
    below = [c for c in market if c.success_probability < surest.success_probability]
    for size in range(min(len(below), max(2, attempts) - 1) + 1):
        for walk in itertools.permutations(below, size):
            steps = [*walk, surest]
            climbs = all(a.success_probability < b.success_probability for a, b in itertools.pairwise(steps))
            unbeaten = all(
                not (d.estimated_cost <= c.estimated_cost and d.success_probability > c.success_probability)  # type: ignore[operator]
                for c in walk
                for d in [*below, surest]
            )
            if climbs and unbeaten and (other := forecast(steps)).quality >= asked + 1e-9:
                assert found.cost is not None
                assert other.cost is not None
                assert other.cost.picodollars >= found.cost.picodollars - 1
