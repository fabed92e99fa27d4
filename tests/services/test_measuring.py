"""The measures against cases small enough to be worked out by hand, and against another program's figures."""

from __future__ import annotations

import random
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.services.measuring import (
    Curve,
    Pair,
    auroc,
    calibration_error,
    interval,
    ranks,
    reliability,
    samples,
    saving,
    spearman,
)

# Ten prompts; the strong model gains on exactly the two hardest, one in the middle and loses on the easiest.
HARDNESS = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
WEAK = [0, 0, 1, 1, 0, 1, 1, 1, 1, 1]
STRONG = [1, 1, 1, 1, 1, 1, 1, 1, 1, 0]


def test_equal_values_share_their_rank() -> None:
    assert ranks([3, 1, 3, 2]) == [3.5, 1, 3.5, 2]


@pytest.mark.parametrize(
    ("scores", "labels", "expected"),
    [
        ([1, 2, 3, 4], [False, False, True, True], 1.0),
        ([1, 2, 3, 4], [True, True, False, False], 0.0),
        ([1, 2, 3, 4], [False, True, False, True], 0.75),  # 3 of the 4 pairs in order
        ([1, 1, 1, 2], [False, True, False, True], 0.75),  # two ties count half, two pairs in order
        ([5, 5, 5], [True, False, True], 0.5),
        ([1, 2], [True, True], None),
    ],
)
def test_auroc_is_the_share_of_pairs_in_order(scores: list[float], labels: list[bool], expected: float | None) -> None:
    assert auroc(scores, labels) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([1, 2, 3], [10, 20, 30], 1.0),
        ([1, 2, 3], [30, 20, 10], -1.0),
        ([1, 2, 3, 4], [1, 2, 4, 3], 0.8),  # 1 − 6 × Σd² / (n(n² − 1)) = 1 − 12/60
        ([1, 2, 3], [5, 5, 5], 0.0),
        ([1, 2], [1, 2], None),
    ],
)
def test_spearman_compares_orders(one: list[float], other: list[float], expected: float | None) -> None:
    found = spearman(one, other)
    assert found is None if expected is None else found == pytest.approx(expected)


def test_the_calibration_error_is_the_mean_gap_of_the_bins() -> None:
    # Two bins of two rows: |0.15 − 0.5| and |0.85 − 1|, each counting half.
    assert calibration_error([0.1, 0.2, 0.8, 0.9], [0, 1, 1, 1], bins=2) == pytest.approx(0.25)
    assert calibration_error([], []) is None
    assert [b.rows for b in reliability([0.1 * n for n in range(7)], [0] * 7, bins=3)] == [2, 2, 3]


def test_a_constant_prediction_is_as_wrong_as_its_mean_in_whatever_order_the_rows_stand() -> None:
    for outcomes in {*permutations([1, 1, 1, 0, 0, 0])}:
        assert calibration_error([0.5] * 6, outcomes, bins=3) == pytest.approx(0)


def test_the_curve_of_ten_prompts_by_hand() -> None:
    curve = Pair(HARDNESS, WEAK, STRONG).curve()
    assert (curve.weak, curve.strong) == (0.7, pytest.approx(0.9))
    # Gained of the gap of 0.2: 1 after one prompt, 2 after two, 3 after five, 2 after all.
    assert curve.recovered() == pytest.approx([0, 0.5, 1, 1, 1, 1.5, 1.5, 1.5, 1.5, 1.5, 1])
    assert curve.apgr() == pytest.approx(1.15)  # (0 + 1)/20 + (0.5 + 3 × 1 + 5 × 1.5)/10
    assert curve.cpt(0.5) == pytest.approx(0.1)
    assert curve.cpt(0.8) == pytest.approx(0.16)
    assert curve.share_for(0.85) == pytest.approx(0.15)
    assert curve.share_for(2) == 1


def test_prompts_of_one_score_are_sent_in_every_order_at_once() -> None:
    same = Pair([1] * 10, WEAK, STRONG).curve()
    assert same.shares == (0, 1)
    assert same.apgr() == pytest.approx(0.5)
    assert (same.cpt(0.5), same.cpt(0.8)) == (pytest.approx(0.5), pytest.approx(0.8))


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.booleans()), min_size=2, max_size=30), st.randoms())
def test_the_order_of_the_rows_changes_no_curve(rows: list[tuple[int, bool, bool]], draw: random.Random) -> None:
    def curve(of: list[tuple[int, bool, bool]]) -> Curve:
        return Pair([r[0] for r in of], [float(r[1]) for r in of], [float(r[2]) for r in of]).curve()

    shuffled = list(rows)
    draw.shuffle(shuffled)
    assert curve(rows).shares == curve(shuffled).shares
    assert curve(rows).qualities == pytest.approx(curve(shuffled).qualities)


def made_up() -> tuple[list[float], list[float], list[float]]:
    draw = random.Random(7)
    score = [draw.randint(0, 40) / 10 for _ in range(200)]
    weak = [float(draw.random() < 0.55 - 0.05 * s) for s in score]
    return score, weak, [float(draw.random() < 0.85 - 0.02 * s) for s in score]


def test_on_200_rows_the_figures_are_those_of_an_independent_program() -> None:
    """Constants from another implementation of RouteLLM's measures, in numpy, on the same rows."""
    score, weak, strong = made_up()
    curve = Pair(score, weak, strong).curve()
    assert curve.apgr() == pytest.approx(0.508547619047619)
    assert curve.cpt(0.2) == pytest.approx(0.2125)
    assert curve.cpt(0.5) == pytest.approx(0.4591836734693877)
    assert curve.cpt(0.8) == pytest.approx(0.8)
    assert curve.share_for(0.95 * curve.strong) == pytest.approx(0.884)
    assert spearman(score, strong) == pytest.approx(-0.09655013097579324)


def test_an_interval_holds_the_middle_95_percent() -> None:
    assert interval(range(41)) == (1, 39)
    assert interval([7]) == (7, 7)


def test_a_bootstrap_is_repeatable_and_holds_the_figure_itself() -> None:
    pair = Pair(*made_up())
    (first,) = pair.intervals(Curve.apgr)
    assert first is not None
    assert first == pair.intervals(Curve.apgr)[0]
    assert first != pair.intervals(Curve.apgr, seed=1)[0]
    assert first.low < pair.curve().apgr() < first.high
    assert 0.05 < first.high - first.low < 0.4
    assert all(sum(counts) == 9 for counts in samples(9, 20))


def test_two_equal_models_have_no_interval() -> None:
    assert Pair([1, 2, 3], [1, 1, 0], [1, 1, 0]).intervals(Curve.apgr) == [None]


def test_what_is_saved_is_a_share_of_always_asking_the_strong_model() -> None:
    assert saving(0.25, 1, 10) == pytest.approx(1 - 3.25 / 10)
    assert saving(1, 1, 10) == pytest.approx(0)
    assert saving(0.5, 0, 0) is None
