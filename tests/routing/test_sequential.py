"""When a difference is real, however often one looks."""

from __future__ import annotations

import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.sequential import (
    _STAKES,
    ALPHA,
    Outcome,
    Reading,
    _bets,
    drawn,
    paired,
    rate_interval,
)

RUNS = 200


def trial(a: float, b: float, count: int, seed: int, share: float = 0.5) -> Reading:
    """Outcomes of two ways that are good so often, each drawn as turns are."""
    luck = random.Random(seed)
    outcomes = []
    for _ in range(count):
        side = "b" if luck.random() < share else "a"
        outcomes.append(Outcome(side, luck.random() < (b if side == "b" else a)))
    return drawn(outcomes, share)


@pytest.mark.parametrize(("rate", "share"), [(0.5, 0.5), (0.9, 0.5), (0.7, 0.2)])
def test_equal_ways_are_seldom_said_to_differ_by_one_who_looks_after_every_outcome(rate: float, share: float) -> None:
    false_alarms = sum(trial(rate, rate, 300, seed, share).decided_after is not None for seed in range(RUNS))
    # Three standard deviations of chance above α.
    assert false_alarms / RUNS <= ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / RUNS)


def test_a_test_for_one_look_would_raise_false_alarms_there() -> None:
    """What the one here is for: the usual test of two rates, looked at after every outcome."""

    def alarmed(seed: int) -> bool:
        luck = random.Random(seed)
        good, count = {"a": 0, "b": 0}, {"a": 0, "b": 0}
        for _ in range(300):
            side = luck.choice("ab")
            count[side] += 1
            good[side] += luck.random() < 0.5
            if min(count.values()) > 10:
                rate = sum(good.values()) / sum(count.values())
                error = math.sqrt(rate * (1 - rate) * (1 / count["a"] + 1 / count["b"]))
                if error and abs(good["a"] / count["a"] - good["b"] / count["b"]) > 1.96 * error:
                    return True
        return False

    assert sum(alarmed(seed) for seed in range(RUNS)) / RUNS > 0.15


def test_equal_ways_are_seldom_said_to_differ_where_the_rates_drift_and_hang_together() -> None:
    """Nothing is supposed of the prompts: only the draw is ours."""

    def alarmed(seed: int) -> bool:
        luck = random.Random(seed)
        outcomes, good = [], True
        for turn in range(300):
            # Moods last, and after the hundredth turn nothing pleases any more.
            good = good if luck.random() < 0.9 else luck.random() < (0.9 if turn < 100 else 0.1)
            outcomes.append(Outcome("b" if luck.random() < 0.5 else "a", good))
        return drawn(outcomes, 0.5).decided_after is not None

    assert sum(alarmed(seed) for seed in range(RUNS)) / RUNS <= ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / RUNS)


@pytest.mark.parametrize(("a", "b", "most"), [(0.5, 0.9, 90), (0.6, 0.8, 260), (0.95, 0.8, 330)])
def test_a_real_difference_is_found_with_about_as_many_outcomes_as_one_look_would_need(
    a: float, b: float, most: int
) -> None:
    """A test planned for one look at four chances of five: 33, 157 and 145 outcomes (normal approximation)."""
    found = [trial(a, b, 1500, seed) for seed in range(25)]
    assert {reading.better for reading in found} == {"b" if b > a else "a"}
    assert statistics.median(reading.decided_after or 1500 for reading in found) <= most


def test_the_interval_covers_the_difference_and_excludes_none_once_it_is_decided() -> None:
    missed = 0
    for seed in range(60):
        reading = trial(0.55, 0.8, 400, seed)
        missed += not reading.interval.low <= 0.25 <= reading.interval.high
        if reading.evidence >= 1 / ALPHA:
            assert not reading.interval.low <= 0 <= reading.interval.high
    assert missed <= 6


@given(st.integers(0, 20), st.booleans(), st.floats(0.05, 0.95), st.integers(0, 15))
def test_every_bet_is_fair_if_the_ways_are_equal(twentieths: int, good: bool, share: float, place: int) -> None:
    """Whatever the outcome is, over the draw the stake neither grows nor shrinks, and is never lost whole."""
    bound = max(1 / share, 1 / (1 - share))
    bet = _bets(bound, 0.0)[place]
    values = {"b": (good - twentieths / 20) / share, "a": -(good - twentieths / 20) / (1 - share)}
    grown = {side: 1 + bet * value for side, value in values.items()}
    assert min(grown.values()) > 0
    assert share * grown["b"] + (1 - share) * grown["a"] == pytest.approx(1)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=80), st.sampled_from([0.1, 0.5, 0.8]))
def test_the_evidence_is_the_same_with_both_ways_exchanged(said: list[tuple[str, bool]], share: float) -> None:
    one = drawn([Outcome(side, good) for side, good in said], share)  # type: ignore[arg-type]
    other = drawn([Outcome("a" if side == "b" else "b", good) for side, good in said], 1 - share)
    assert one.evidence == pytest.approx(other.evidence)
    assert one.interval == pytest.approx((-other.interval.high, -other.interval.low), abs=1e-6)
    assert one.strongest >= max(1.0, one.evidence) or one.strongest == pytest.approx(one.evidence)


def test_pairs_of_a_file_that_only_one_way_gets_right_decide_soon_and_like_ones_never() -> None:
    assert paired([(True, True), (False, False)] * 200).decided_after is None
    assert paired([(True, True), (False, False)] * 200).more is None
    reading = paired([(False, True)] * 10)
    assert (reading.better, reading.decided_after) == ("b", 9)
    assert paired([(True, False)] * 10).better == "a"


def test_equal_ways_on_the_prompts_of_a_file_are_seldom_said_to_differ() -> None:
    def alarmed(seed: int) -> bool:
        luck = random.Random(seed)
        return paired([(luck.random() < 0.7, luck.random() < 0.7) for _ in range(200)]).decided_after is not None

    assert sum(alarmed(seed) for seed in range(RUNS)) / RUNS <= ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / RUNS)


def test_what_is_said_of_the_outcomes_still_needed_comes_about_true() -> None:
    for seed in range(12):
        early, whole = trial(0.5, 0.85, 40, seed), trial(0.5, 0.85, 2000, seed)
        if early.more is not None and early.decided_after is None:
            assert whole.decided_after is not None
            assert whole.decided_after <= 40 + 12 * early.more
    assert trial(0.5, 0.5, 3, 1).more is None
    assert drawn([], 0.5) == Reading()


@given(st.integers(0, 400), st.integers(0, 400))
def test_the_interval_of_a_rate_holds_it_and_is_symmetrical(good: int, bad: int) -> None:
    low, high = rate_interval(good, good + bad)
    seen = good / (good + bad) if good + bad else 0.5
    assert 0 <= low <= seen <= high <= 1
    mirrored = rate_interval(bad, good + bad)
    assert (low, high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low), abs=1e-6)


def test_the_interval_of_a_rate_covers_it_at_every_moment() -> None:
    def left(seed: int) -> bool:
        luck, good = random.Random(seed), 0
        for count in range(1, 150):
            good += luck.random() < 0.7
            low, high = rate_interval(good, count)
            if not low <= 0.7 <= high:
                return True
        return False

    assert sum(left(seed) for seed in range(40)) <= 6


def test_small_and_large_stakes_are_held() -> None:
    assert len(_bets(2.0, 0.0)) == 2 * len(_STAKES)
    assert max(_bets(2.0, 0.0)) < 0.5


def stake(values: list[float], bound: float, mean: float = 0.0) -> list[float]:
    """What is left of each bet on either side of a mean, by the definition."""
    bets = [sign * share / (bound + abs(mean)) for sign in (1, -1) for share in _STAKES]
    return [math.prod(1 + bet * (value - mean) for value in values) for bet in bets]


PAIRS = {
    "all for b": [(False, True)] * 12,
    "mostly for a": [(True, False), (True, True), (True, False), (False, True), (True, False)] * 4,
    "back and forth": [(False, True)] * 9 + [(True, False)] * 9,
    "too few": [(False, True)] * 4,
    "few": [(False, True)] * 5,
    "hardly any": [(True, True)] * 60 + [(False, True)],
}


@pytest.mark.parametrize("pairs", PAIRS.values(), ids=list(PAIRS))
def test_a_reading_is_what_the_bets_have_come_to(pairs: list[tuple[bool, bool]]) -> None:
    values = [float(b) - float(a) for a, b in pairs]
    means = [statistics.mean(stake(values[: count + 1], 1.0)) for count in range(len(values))]
    reading = paired(pairs)
    assert reading.count == len(values)
    assert reading.evidence == pytest.approx(means[-1])
    assert reading.strongest == pytest.approx(max(1.0, *means))
    decided = [count for count, mean in enumerate(means, 1) if mean >= 20]
    assert reading.decided_after == (decided[0] if decided else None)
    if decided:
        assert reading.better == ("b" if sum(values[: decided[0]]) > 0 else "a")
    # At each end of the interval the bets against it have grown twentyfold, or it is as far as there can be.
    for end, farthest in zip(reading.interval, (-1.0, 1.0), strict=True):
        against = statistics.mean(stake(values, 1.0, end))
        assert against == pytest.approx(20, rel=0.01) or (end == farthest and against < 20)
    # So many more, were each bet to grow on at its pace, until the best of sixteen alone is worth twenty of them all.
    paces = [math.log(left) / len(values) for left in stake(values, 1.0) if left > 1]
    ahead = [math.ceil(math.log(20 * 16) / pace - len(values) - 1e-9) for pace in paces]
    told = max(1, min(ahead, default=20_001))
    enough = len(values) >= 5 and told <= 20_000 and not decided
    assert reading.more == (told if enough else None)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.75])
def test_an_outcome_counts_by_how_it_differs_from_those_before_it_over_the_chance_of_its_way(share: float) -> None:
    said = [("b", True), ("a", False), ("a", True), ("b", False), ("b", True), ("b", True), ("a", False)] * 3
    values, good = [], 0
    for count, (side, liked) in enumerate(said):
        centre = round((good + 1) / (count + 2) * 20) / 20
        values.append((liked - centre) / (share if side == "b" else -(1 - share)))
        good += liked
    bound = max(1 / share, 1 / (1 - share))
    reading = drawn([Outcome(side, liked) for side, liked in said], share)  # type: ignore[arg-type]
    assert reading.evidence == pytest.approx(statistics.mean(stake(values, bound)))
    for end, farthest in zip(reading.interval, (-1.0, 1.0), strict=True):
        against = statistics.mean(stake(values, bound, end))
        assert against == pytest.approx(20, rel=0.01) or (end == farthest and against < 20)


@pytest.mark.parametrize(("good", "count"), [(0, 1), (1, 1), (3, 10), (50, 50), (0, 50), (70, 100), (400, 1000)])
@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_at_the_ends_of_a_rates_interval_the_bet_on_every_rate_has_grown_so_far(
    good: int, count: int, alpha: float
) -> None:
    def log_beta(one: float, other: float) -> float:
        return math.lgamma(one) + math.lgamma(other) - math.lgamma(one + other)

    mixed = log_beta(good + 0.5, count - good + 0.5) - log_beta(0.5, 0.5)
    low, high = rate_interval(good, count, alpha)
    assert low <= good / count <= high
    for end in (low, high):
        if 0 < end < 1:
            likely = good * math.log(end) + (count - good) * math.log(1 - end)
            assert mixed - likely == pytest.approx(math.log(1 / alpha), abs=1e-3)
    assert (low == 0) == (good == 0)
    assert (high == 1) == (good == count)
    assert rate_interval(0, 0) == (0.0, 1.0)
