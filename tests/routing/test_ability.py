"""Whether a model is up to a prompt: the prior, and what a user's own turns teach."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_orchestrator.routing.ability import (
    LEAST,
    MOST,
    PRIOR_STRENGTH,
    AbilityRecord,
    level_ability,
    observe,
    success_probability,
)
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.profile import Level, Profile, TaskType

PROMPT = Profile(TaskType.CODE, {TaskType.CODE: 1.0}, 0.35, 4, 100, 500)
UNIT = st.floats(0, 1)


def model(level: Level, ability: float | None = None) -> Model:
    return Model("p", level.value, level=level, ability=level_ability(level) if ability is None else ability)


def test_levels_are_apart_and_in_order() -> None:
    abilities = [level_ability(level) for level in Level]
    assert abilities == sorted(abilities)
    assert len(set(abilities)) == 4


TABLE = [
    # difficulty, level, least and most likely to do well
    (0.05, Level.BASIC, 0.85, 0.99),
    (0.35, Level.BASIC, 0.45, 0.55),
    (0.35, Level.INTERMEDIATE, 0.80, 0.95),
    (0.70, Level.BASIC, 0.01, 0.10),
    (0.70, Level.INTERMEDIATE, 0.20, 0.40),
    (0.70, Level.EXPERT, 0.80, 0.95),
    (0.90, Level.EXPERT, 0.45, 0.65),
]


@pytest.mark.parametrize(("difficulty", "level", "least", "most"), TABLE)
def test_a_model_is_as_sure_as_its_level_against_the_prompt(
    difficulty: float, level: Level, least: float, most: float
) -> None:
    p = success_probability(model(level), replace(PROMPT, difficulty=difficulty), 0.0, 8.0)
    assert least <= p <= most


def test_at_equal_ability_and_difficulty_success_is_even() -> None:
    assert success_probability(model(Level.BASIC, 0.35), PROMPT, 0.0, 8.0) == pytest.approx(0.5)


def test_a_learned_shift_counts_like_ability() -> None:
    shifted = success_probability(model(Level.BASIC, 0.4), PROMPT, 0.1, 8.0)
    assert shifted == pytest.approx(success_probability(model(Level.BASIC, 0.5), PROMPT, 0.0, 8.0))


def test_a_wholly_novel_prompt_leaves_what_models_of_the_level_do_at_large() -> None:
    easy, hard = (replace(PROMPT, difficulty=d, novelty=1.0) for d in (0.1, 0.9))
    for level in Level:
        p = success_probability(model(level), easy, 0.0, 8.0)
        assert p == success_probability(model(level), hard, 0.0, 8.0)
        assert 0.4 < p < 0.9


def test_half_a_novel_prompt_lies_between() -> None:
    known, half, novel = (
        success_probability(model(Level.EXPERT), replace(PROMPT, difficulty=0.9, novelty=n), 0.0, 8.0)
        for n in (0.0, 0.5, 1.0)
    )
    assert known < half < novel


@given(UNIT, UNIT, UNIT, st.floats(-2, 2), st.floats(0, 50), st.sampled_from(Level))
@settings(deadline=None)
def test_a_probability_stays_within_its_bounds_and_rises_with_ability(
    ability: float, difficulty: float, novelty: float, shift: float, discrimination: float, level: Level
) -> None:
    prompt = replace(PROMPT, difficulty=difficulty, novelty=novelty)
    p = success_probability(model(level, ability), prompt, shift, discrimination)
    assert LEAST <= p <= MOST
    assert success_probability(model(level, ability + 0.1), prompt, shift, discrimination) >= p


def after(wins: int, losses: int, predicted: float = 0.75) -> AbilityRecord:
    """Wins and losses spread evenly, as they would come."""
    record = AbilityRecord()
    total = wins + losses
    for at in range(total):
        won = (at + 1) * wins // total > at * wins // total
        record = observe(record, 1.0 if won else 0.0, predicted=predicted)
    return record


def test_nothing_seen_moves_nothing() -> None:
    assert AbilityRecord().shift(8.0) == 0.0


def test_wins_raise_and_losses_lower_the_ability() -> None:
    assert after(10, 0).shift(8.0) > 0.02
    assert after(0, 10).shift(8.0) < -0.05


def test_doing_just_as_predicted_moves_nothing() -> None:
    assert after(30, 10, predicted=0.75).shift(8.0) == pytest.approx(0.0, abs=0.01)


def test_losing_what_was_expected_to_be_lost_is_no_blame() -> None:
    assert after(2, 8, predicted=0.2).shift(8.0) == pytest.approx(0.0, abs=0.02)
    assert after(2, 8, predicted=0.9).shift(8.0) < -0.1


def test_the_prior_weighs_as_much_as_twenty_observations() -> None:
    record = AbilityRecord(wins=0.0, losses=PRIOR_STRENGTH, expected=0.5 * PRIOR_STRENGTH)
    # Half prior 0.5, half observed 0: a mean of 0.25.
    assert success_probability(model(Level.BASIC, 0.35), PROMPT, record.shift(8.0), 8.0) == pytest.approx(0.25)


def test_a_model_that_turns_bad_is_noticed() -> None:
    good = after(400, 0)
    turned = good
    for _ in range(60):
        turned = observe(turned, 0.0)
    assert good.shift(8.0) > 0 > turned.shift(8.0)


def test_a_single_turn_moves_little() -> None:
    assert abs(observe(AbilityRecord(), 0.0).shift(8.0)) < 0.03


def test_a_lighter_observation_moves_less() -> None:
    full, light = (observe(AbilityRecord(), 0.0, weight).shift(8.0) for weight in (1.0, 0.3))
    assert full < light < 0


def test_a_type_with_little_seen_leans_on_the_model_as_a_whole() -> None:
    assert AbilityRecord().shift(8.0, parent=-0.1) == -0.1
    assert after(1, 0).shift(8.0, parent=-0.1) == pytest.approx(-0.1, abs=0.03)


@given(st.lists(st.tuples(st.floats(-1, 2), st.floats(-1, 3), UNIT), max_size=60), st.floats(-0.25, 0.25))
@settings(deadline=None)
def test_no_history_moves_a_model_further_than_a_quarter(
    history: list[tuple[float, float, float]], parent: float
) -> None:
    record = AbilityRecord()
    for outcome, weight, predicted in history:
        record = observe(record, outcome, weight, predicted)
    assert record.wins >= 0
    assert record.losses >= 0
    assert -0.25 <= record.shift(8.0, parent) <= 0.25
