"""What the router is told to have come to, on rows whose figures are known beforehand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.routing.samples import model, price
from tui_orchestrator.routing.decision import Policy, Standing
from tui_orchestrator.routing.experience import Experience
from tui_orchestrator.routing.model import Registry
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.profile import TaskType
from tui_orchestrator.routing.profiler import profile
from tui_orchestrator.routing.request import Message, Request, Strategy
from tui_orchestrator.services.evaluation import Report, evaluate
from tui_orchestrator.services.measuring import FEWEST
from tui_orchestrator.services.trials import Answered, Trial, learned

WEAK = model("a/weak", price=price("0.1", "0.4"), ability=0.4)
STRONG = model("b/strong", price=price("5", "20"), ability=0.9)
REGISTRY = Registry.of([WEAK, STRONG], out={"b/strong": "no key: set B_KEY"})
GREETINGS = [f"hello, what is {n} plus {n}?" for n in range(20)]
PROOFS = [
    f"Prove rigorously, by induction on n, that every graph with {n} vertices and no odd cycle is bipartite. Derive "
    "the bound step by step, state every lemma, and discuss whether it is tight."
    for n in range(20)
]


def measured(trials: list[Trial], registry: Registry = REGISTRY, **options: object) -> Report:
    return evaluate(trials, registry, Policy(), repeats=20, **options)  # type: ignore[arg-type]


def trials() -> list[Trial]:
    """The weak model does what is easy, the strong one all; a human agrees on what is harder."""
    easy = [Trial(text, {"weak": 1.0, "strong": 1.0}, complexity=1) for text in GREETINGS]
    return easy + [Trial(text, {"weak": 0.0, "strong": 1.0}, complexity=9) for text in PROOFS]


def test_a_score_that_tells_hard_from_easy_recovers_the_gap_early() -> None:
    (pair,) = measured(trials()).pairs
    assert (pair.weak, pair.strong, pair.rows) == ("weak", "strong", 40)
    assert (pair.weak_quality, pair.strong_quality) == (0.5, 1.0)
    # All twenty hard ones before all easy ones: PGR climbs straight to 1 at one half and stays.
    assert pair.apgr.value == pytest.approx(0.75)
    assert (pair.cpt50.value, pair.cpt80.value) == (pytest.approx(0.25), pytest.approx(0.4))
    assert pair.share_kept == pytest.approx(0.45)
    assert pair.saved_kept is not None
    assert 0.5 < pair.saved_kept < 0.55


def test_the_threshold_says_who_goes_to_the_strong_model() -> None:
    (all_strong,) = measured(trials(), threshold=0.0).pairs
    (all_weak,) = measured(trials(), threshold=1.0).pairs
    assert (all_strong.strong_share, all_strong.quality, all_strong.saved) == (1.0, 1.0, pytest.approx(0))
    assert (all_weak.strong_share, all_weak.quality) == (0.0, 0.5)
    assert all_weak.saved is not None
    assert all_weak.saved > 0.9


def test_labels_are_compared_with_what_the_profile_says() -> None:
    assert measured(trials()).complexity.value == pytest.approx(1.0, abs=0.15)
    said = [profile(Request((Message("user", text),))).task_type for text in GREETINGS + PROOFS]
    right = [replace(one, task_type=task) for one, task in zip(trials(), said, strict=True)]
    assert measured(right).task_type.value == 1.0
    wrong = [*right[:30], *(replace(one, task_type=TaskType.MULTIMODAL) for one in right[30:])]
    assert measured(wrong).task_type.value == 0.75


def test_a_figure_of_too_few_rows_is_not_given() -> None:
    report = measured(trials()[: FEWEST - 1])
    assert (report.complexity.value, report.complexity.rows) == (None, FEWEST - 1)
    assert report.calibration.value is None
    assert (report.pairs, report.strategies) == ((), ())
    assert any("30 with two models or more are needed" in note for note in report.notes)


def test_p_is_held_against_the_outcomes_of_models_the_registry_knows() -> None:
    always = [Trial(text, {"strong": 1.0, "unheard-of": 0.0}) for text in GREETINGS + PROOFS]
    report = measured(always)
    assert [*report.by_model] == ["strong"]
    assert report.calibration.value == report.by_model["strong"].value
    never = [replace(one, outcomes={"strong": 0.0}) for one in always]
    # |p − 1| and |p − 0| of the same p add up to 1.
    assert report.calibration.value is not None
    assert measured(never).calibration.value == pytest.approx(1 - report.calibration.value)
    assert any(note.startswith("unheard-of has no p and no price: no model is called") for note in report.notes)


def test_strategies_earn_what_the_models_they_choose_have_earned() -> None:
    report = measured(trials())
    earned = {one.name: one for one in (*report.strategies, *report.singles)}
    assert report.compared == 40
    assert [one.name for one in report.strategies] == list(Strategy)
    assert (earned["weak"].quality, earned["strong"].quality) == (0.5, 1.0)
    assert earned["the best for each"].quality == 1.0
    assert (earned["quality"].quality, earned["quality"].favourite) == (1.0, "strong")
    dear, best = earned["strong"].per_thousand, earned["the best for each"].per_thousand
    assert dear is not None
    assert best is not None
    assert Money(0) < best < dear == earned["quality"].per_thousand
    both = earned["ensemble"]
    assert both.quality == 0.75
    assert both.per_thousand == dear + earned["weak"].per_thousand  # type: ignore[operator]


def test_an_unknown_price_is_an_unknown_saving() -> None:
    report = measured(trials(), Registry.of([replace(WEAK, price=None), STRONG]))
    assert report.pairs[0].saved is None
    assert next(one for one in report.singles if one.name == "weak").per_thousand is None


def test_a_pair_that_is_asked_for_and_makes_none_is_told_why() -> None:
    report = measured(trials(), pair=("strong", "weak"))
    assert report.pairs == ()
    assert any("weak (0.50) is not better than strong (1.00)" in note for note in report.notes)


def test_answers_are_trusted_less_where_they_are_worse() -> None:
    good = "Yes. The sum is twice the number, since adding a number to itself doubles it."
    answers = [Answered("weak", good, 1.0)] * 20 + [Answered("weak", "I'm sorry, I cannot help with that.", 0.0)] * 20
    report = measured([Trial(text, answered=given) for text, given in zip(GREETINGS * 2, answers, strict=True)])
    assert report.confidence.value == 1.0
    same = [replace(given, answer=good) for given in answers]
    chance = measured([Trial(text, answered=given) for text, given in zip(GREETINGS * 2, same, strict=True)])
    assert chance.confidence.value == pytest.approx(0.5)


def test_what_was_learned_from_the_user_counts() -> None:
    better = evaluate(trials(), REGISTRY, Policy(), {"a/weak": lambda prompt: Standing(ability_shift=0.25)}, repeats=0)
    plain = evaluate(trials(), REGISTRY, Policy(), repeats=0)
    assert better.by_model["weak"].value != plain.by_model["weak"].value
    assert better.by_model["strong"].value == plain.by_model["strong"].value
    nothing = learned(Experience(), REGISTRY, Policy(), datetime(2026, 11, 21, tzinfo=UTC))
    assert evaluate(trials(), REGISTRY, Policy(), nothing, repeats=0) == plain
