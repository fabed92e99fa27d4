"""Whether a model is up to a prompt: the prior, and what a user's own turns teach."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_orchestrator.routing.ability import (
    LEAST,
    LEVEL_ABILITY,
    MOST,
    MOST_PER_VOTE,
    Learned,
    Seen,
    clamped,
    learn,
    logit,
    success_probability,
    without,
)
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.profile import Level, Profile, TaskType

PROMPT = Profile(TaskType.CODE, {TaskType.CODE: 1.0}, 0.35, 4, 100, 500)
UNIT = st.floats(0, 1)


def model(level: Level, ability: float | None = None) -> Model:
    return Model("p", level.value, level=level, ability=LEVEL_ABILITY[level] if ability is None else ability)


def test_levels_are_apart_and_in_order() -> None:
    abilities = [LEVEL_ABILITY[level] for level in Level]
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


@pytest.mark.parametrize(
    ("ability", "at_large"),
    [
        *((LEVEL_ABILITY[level], p) for level, p in zip(Level, (0.50, 0.65, 0.75, 0.82), strict=True)),
        # Straight between the levels and beyond them.
        (0.465, 0.575),
        (0.665, 0.70),
        (0.835, 0.785),
        (0.12, 0.35),
        (1.09, 0.89),
        (-1.0, LEAST),
        (2.0, MOST),
    ],
)
def test_of_a_prompt_nothing_is_known_of_a_model_does_what_models_of_its_ability_do_at_large(
    ability: float, at_large: float
) -> None:
    for slope in (0.1, 0.5, 4.0, 8.0):
        p = success_probability(model(Level.BASIC, ability), replace(PROMPT, novelty=1.0), 0.0, slope)
        assert p == pytest.approx(at_large)


@pytest.mark.parametrize(("novelty", "as_if"), [(-0.5, 0.0), (0.25, 0.25), (1.0, 1.0), (1.5, 1.0)])
def test_the_more_novel_a_prompt_the_less_its_own_difficulty_counts(novelty: float, as_if: float) -> None:
    known, novel = logit(1 / (1 + math.exp(-8 * (0.58 - 0.35)))), logit(0.65)
    p = success_probability(model(Level.INTERMEDIATE), replace(PROMPT, novelty=novelty), 0.0, 8.0)
    assert logit(p) == pytest.approx((1 - as_if) * known + as_if * novel)


def test_half_a_novel_prompt_lies_between() -> None:
    known, half, novel = (
        success_probability(model(Level.EXPERT), replace(PROMPT, difficulty=0.9, novelty=n), 0.0, 8.0)
        for n in (0.0, 0.5, 1.0)
    )
    assert known < half < novel


@given(UNIT, UNIT, UNIT, st.floats(-2, 2), st.floats(0, 50), st.sampled_from(Level), st.sampled_from(Level))
@settings(deadline=None)
def test_a_probability_stays_within_its_bounds_and_rises_with_ability_whatever_the_level(
    ability: float, difficulty: float, novelty: float, shift: float, discrimination: float, level: Level, other: Level
) -> None:
    prompt = replace(PROMPT, difficulty=difficulty, novelty=novelty)
    p = success_probability(model(level, ability), prompt, shift, discrimination)
    assert LEAST <= p <= MOST
    assert success_probability(model(other, ability + 0.1), prompt, shift, discrimination) >= p


def test_on_a_novel_prompt_the_ablest_of_a_level_is_not_surer_than_the_least_able_of_the_next() -> None:
    ablest, least_able = model(Level.BASIC, 0.43), model(Level.INTERMEDIATE, 0.53)
    for novelty in (0.0, 0.5, 1.0):
        prompt = replace(PROMPT, novelty=novelty)
        assert success_probability(ablest, prompt, 0.0, 8.0) < success_probability(least_able, prompt, 0.0, 8.0)


def test_a_specialist_is_surer_where_it_is_at_home() -> None:
    coder = replace(model(Level.BASIC, 0.4), task_abilities={TaskType.CODE: 0.1, TaskType.CREATIVE: -0.1})
    code, creative, both = (
        success_probability(coder, replace(PROMPT, task_type=next(iter(chances)), task_probabilities=chances), 0.0, 8.0)
        for chances in (
            {TaskType.CODE: 1.0},
            {TaskType.CREATIVE: 1.0},
            {TaskType.CODE: 0.5, TaskType.CREATIVE: 0.5},
        )
    )
    plain = success_probability(model(Level.BASIC, 0.4), PROMPT, 0.0, 8.0)
    assert creative < plain < code
    assert both == pytest.approx(plain)


def votes(good: int, bad: int, predicted: float = 0.75, task: TaskType = TaskType.CODE) -> list[Seen]:
    return [Seen(task, 1.0, 1.0, predicted)] * good + [Seen(task, 0.0, 1.0, predicted)] * bad


def shift(history: list[Seen], task: TaskType = TaskType.CODE) -> float:
    return learn(history).shift_for(task, 8.0)


@pytest.mark.parametrize(
    ("learned", "code", "mixed"),
    [
        (Learned(), 0.0, 0.0),
        (Learned(general=0.8), 0.1, 0.1),
        (Learned(by_task={TaskType.CODE: 0.8}), 0.1, 0.05),
        (Learned(0.4, {TaskType.CODE: -0.8, TaskType.MATH: 0.8}), -0.05, 0.05),
        (Learned(40.0), 0.25, 0.25),
        (Learned(-40.0), -0.25, -0.25),
    ],
)
def test_a_shift_is_the_general_one_and_the_task_types_by_their_shares(
    learned: Learned, code: float, mixed: float
) -> None:
    half = replace(PROMPT, task_probabilities={TaskType.CODE: 0.5, TaskType.MATH: 0.5})
    half = half if TaskType.MATH in learned.by_task else replace(half, task_probabilities={TaskType.CODE: 0.5})
    untold = replace(PROMPT, task_probabilities={})
    assert learned.shift(PROMPT, 8.0) == learned.shift(untold, 8.0) == learned.shift_for(TaskType.CODE, 8.0)
    assert learned.shift(PROMPT, 8.0) == pytest.approx(code)
    assert learned.shift(half, 8.0) == pytest.approx(mixed)


@pytest.mark.parametrize(("slope", "shift"), [(0.0, 0.1), (0.05, 0.1), (0.1, 0.1), (0.2, 0.05)])
def test_the_flattest_slope_is_a_tenth(slope: float, shift: float) -> None:
    learned = Learned(0.01)
    assert learned.shift(PROMPT, slope) == pytest.approx(shift)
    assert learned.shift_for(TaskType.CODE, slope) == pytest.approx(shift)


@pytest.mark.parametrize(("steep", "p"), [(1e6, MOST), (-1e6, LEAST), (1e300, MOST), (-1e300, LEAST)])
def test_however_far_a_prompt_is_from_a_model_there_is_a_chance(steep: float, p: float) -> None:
    assert success_probability(model(Level.EXPERT), PROMPT, 0.0, steep) == p


@pytest.mark.parametrize(
    ("seen", "as_if"),
    [
        (Seen(TaskType.CODE, 3.0, 1.0, 0.75), Seen(TaskType.CODE, 1.0, 1.0, 0.75)),
        (Seen(TaskType.CODE, -3.0, 1.0, 0.75), Seen(TaskType.CODE, 0.0, 1.0, 0.75)),
        (Seen(TaskType.CODE, 0.0, 1.0, 0.754), Seen(TaskType.CODE, 0.0, 1.0, 0.75)),
        (Seen(TaskType.CODE, 0.0, 1.0, 2.0), Seen(TaskType.CODE, 0.0, 1.0, MOST)),
        (Seen(TaskType.CODE, 1.0, 1.0, -2.0), Seen(TaskType.CODE, 1.0, 1.0, LEAST)),
    ],
)
def test_what_lies_beyond_its_bounds_counts_as_the_bound_and_p_in_hundredths(seen: Seen, as_if: Seen) -> None:
    assert learn([seen]) == learn([as_if])


@pytest.mark.parametrize("weight", [0.0, -1.0])
def test_what_has_no_weight_is_not_seen(weight: float) -> None:
    assert learn([Seen(TaskType.CODE, 0.0, weight, 0.75)]) == Learned()


def test_half_a_vote_counts_half_and_two_halves_as_one() -> None:
    half = Seen(TaskType.CODE, 0.0, 0.5, 0.75)
    assert learn([half, half]) == learn([replace(half, weight=1.0)])
    assert shift([half]) == pytest.approx(shift([half, half]) / 2, rel=0.1)


def test_one_vote_moves_so_much() -> None:
    # At the maximum the prior pulls as much as the vote does: 2 × 15 × general = p − 0 of 20 × 0.75 × 0.25 = 3.75.
    learned = learn(votes(0, 1))
    log_odds = learned.general + learned.by_task[TaskType.CODE]
    assert learned.general == pytest.approx(learned.by_task[TaskType.CODE])
    assert -7.5 * learned.general == pytest.approx(1 / (1 + math.exp(-(math.log(3) + log_odds))))


def test_nothing_seen_moves_nothing() -> None:
    assert shift([]) == 0.0


def test_wins_raise_and_losses_lower_the_ability() -> None:
    assert shift(votes(10, 0)) > 0.02
    assert shift(votes(0, 10)) < -0.05


def test_doing_just_as_predicted_moves_nothing() -> None:
    assert shift(votes(30, 10)) == pytest.approx(0.0, abs=0.001)


def test_losing_what_was_expected_to_be_lost_is_no_blame() -> None:
    assert shift(votes(2, 8, predicted=0.2)) == pytest.approx(0.0, abs=0.001)
    assert shift(votes(2, 8, predicted=0.9)) < -0.1


def test_after_twenty_observations_prior_and_experience_weigh_the_same() -> None:
    learned = learn(votes(10, 10))
    # Log-odds of 3 were predicted and of 1 observed: it comes to lie about half-way.
    assert 0.45 < (learned.general + learned.by_task[TaskType.CODE]) / -math.log(3) < 0.6


def test_what_is_learned_of_one_task_type_is_half_believed_of_the_others() -> None:
    history = votes(0, 8)
    assert shift(history, TaskType.MATH) == pytest.approx(shift(history) / 2)


def test_a_model_may_be_good_at_one_thing_and_bad_at_another() -> None:
    history = [*votes(20, 0, task=TaskType.CODE), *votes(0, 20, task=TaskType.CREATIVE)]
    assert shift(history, TaskType.CODE) > 0 > shift(history, TaskType.CREATIVE)


def test_ten_votes_by_mistake_do_not_ruin_a_model() -> None:
    def chance(history: list[Seen]) -> float:
        return success_probability(model(Level.BASIC), replace(PROMPT, difficulty=0.213), shift(history), 8.0)

    assert chance([]) == pytest.approx(0.75, abs=0.01)
    assert chance(votes(0, 10)) > 0.45
    assert chance(votes(30, 20)) > 0.6  # three in four of the honest ones were good
    assert chance(votes(30, 10)) == pytest.approx(0.75, abs=0.01)


SEEN = st.builds(Seen, st.sampled_from(list(TaskType)[:4]), UNIT, st.floats(0, 1), UNIT)


@given(st.lists(SEEN, max_size=60), SEEN, st.lists(st.floats(0, 1), min_size=4, max_size=4))
@settings(deadline=None)
def test_no_single_observation_turns_the_table(history: list[Seen], one: Seen, mix: list[float]) -> None:
    before, after = learn(history), learn([*history, one])
    chances = [chance / max(1.0, sum(mix)) for chance in mix]

    def moved(learned: Learned) -> float:
        own = sum(chance * learned.by_task.get(task, 0.0) for task, chance in zip(TaskType, chances, strict=False))
        return learned.general + own

    assert abs(moved(after) - moved(before)) <= MOST_PER_VOTE * one.weight + 1e-6
    assert MOST_PER_VOTE / 4 < 0.07  # what that is of a probability, at its steepest


@given(st.lists(SEEN, max_size=60))
@settings(deadline=None)
def test_what_is_learned_is_the_likeliest(history: list[Seen]) -> None:
    """No small step from it is any likelier: prior and outcomes hold each other."""
    learned = learn(history)

    def likelihood(general: float, own: dict[TaskType, float]) -> float:
        total = -(general**2 + sum(value**2 for value in own.values())) / MOST_PER_VOTE
        for one in history:
            p = 1 / (1 + math.exp(-(logit(clamped(round(clamped(one.predicted), 2))) + general + own[one.task])))
            total += one.weight * (one.outcome * math.log(p) + (1 - one.outcome) * math.log(1 - p))
        return total

    own = {one.task: learned.by_task.get(one.task, 0.0) for one in history}
    best = likelihood(learned.general, own)
    for step in (-0.01, 0.01):
        assert likelihood(learned.general + step, own) <= best + 1e-9
        for task in own:
            assert likelihood(learned.general, {**own, task: own[task] + step}) <= best + 1e-9


C, M, W = TaskType.CODE, TaskType.MATH, TaskType.CREATIVE


@pytest.mark.parametrize(
    "history",
    [
        votes(1, 0),
        votes(0, 40, 0.95),
        [*votes(20, 2), *votes(1, 30, task=M)],
        [*votes(0, 300, 0.98), *votes(200, 0, 0.02, M), *votes(5, 9, 0.5, W)],
        [Seen(C, 0.25, 0.5, 0.9), Seen(M, 0.75, 3.0, 0.1), Seen(M, 1.0, 0.125, 0.99), Seen(W, 0.0, 40.0, 0.6)],
        [Seen(C, 1.0, 1e5, 0.01), Seen(M, 0.0, 1e5, 0.99)],
    ],
)
def test_at_what_is_learned_prior_and_outcomes_pull_alike(history: list[Seen]) -> None:
    learned = learn(history)
    # Twice 3.75 is what half of the variance, the model's own or the task type's, holds against a shift of 1.
    excess = dict.fromkeys(learned.by_task, 0.0)
    for one in history:
        log_odds = logit(clamped(one.predicted)) + learned.general + learned.by_task[one.task]
        excess[one.task] += one.weight * (one.outcome - 1 / (1 + math.exp(-log_odds)))
    assert {task: 7.5 * own for task, own in learned.by_task.items()} == pytest.approx(excess, abs=1e-4)
    assert 7.5 * learned.general == pytest.approx(sum(excess.values()), abs=1e-4)


@given(st.lists(SEEN, max_size=60), SEEN)
@settings(deadline=None)
def test_a_better_outcome_never_lowers_a_model(history: list[Seen], one: Seen) -> None:
    worse, better = (shift([*history, replace(one, outcome=outcome)], one.task) for outcome in (0.0, 1.0))
    assert worse <= better + 1e-9


@given(st.lists(st.builds(Seen, st.sampled_from(TaskType), st.floats(-1, 2), st.floats(-1, 1e6), UNIT), max_size=60))
@settings(deadline=None)
def test_no_history_moves_a_model_further_than_a_quarter(history: list[Seen]) -> None:
    learned = learn(history)
    for task in TaskType:
        assert -0.25 <= learned.shift_for(task, 8.0) <= 0.25
    assert -0.25 <= learned.shift(PROMPT, 0.0) <= 0.25


@given(st.floats(0.02, 0.98), st.floats(-0.1, 0.1))
def test_what_was_learned_can_be_taken_out_of_a_probability(p: float, moved: float) -> None:
    with_it = 1 / (1 + math.exp(-(logit(p) + 8 * moved)))
    if LEAST <= with_it <= MOST:
        assert without(with_it, moved, 8.0) == pytest.approx(clamped(p))
