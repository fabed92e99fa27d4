"""What is learned of models from what a user does with their answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.storage.samples import ATTEMPT
from tui_orchestrator.routing.ability import Seen, learn
from tui_orchestrator.routing.events import Outcome
from tui_orchestrator.routing.experience import KEPT, Experience, Figures, Taste
from tui_orchestrator.routing.learning import Answer, Observation, Sign, asked_again, picked, stood_in, voted
from tui_orchestrator.routing.profile import TaskType

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CODE, MATH = TaskType.CODE, TaskType.MATH


def answer(number: int, model: str = "p/a", task: TaskType = CODE, predicted: float = 0.75) -> Answer:
    return Answer(f"r{number}", 1, model, task, predicted)


def vote(
    number: int, liked: bool | None, *, model: str = "p/a", task: TaskType = CODE, at: datetime = NOW
) -> Observation:
    return voted(answer(number, model, task), liked, at)


def after(*observations: Observation) -> Experience:
    experience = Experience()
    experience.observe(observations)
    return experience


def shift(experience: Experience, model: str = "p/a", task: TaskType = CODE, now: datetime = NOW) -> float:
    return experience.lesson(model, now).learned.shift_for(task, 8.0)


def test_how_fast_a_model_is_follows_its_newest_calls() -> None:
    experience = Experience()
    seen = []
    for speed in (100.0, *[50.0] * 20):
        experience.learn(replace(ATTEMPT, model="p/a", first_token_s=100 / speed, tokens_per_s=speed))
        seen.append((experience.of("p/a").first_token_s, experience.of("p/a").tokens_per_s))
    assert seen[:2] == [(1.0, 100.0), (pytest.approx(1.2), pytest.approx(90.0))]
    assert seen[-1] == (pytest.approx(2.0, rel=0.01), pytest.approx(50.0, rel=0.02))
    experience.learn(replace(ATTEMPT, model="p/a", first_token_s=None, tokens_per_s=None))
    assert (experience.of("p/a").first_token_s, experience.of("p/a").tokens_per_s) == seen[-1]


def test_a_vote_moves_the_model_it_is_for_and_no_other() -> None:
    experience = after(vote(1, False))
    assert shift(experience) < 0 == shift(experience, "p/b")
    assert experience.lesson("p/a", NOW).taste(CODE) == Taste(0.0, 1.0)
    assert experience.lesson("p/a", NOW).taste(MATH) == Taste()
    assert experience.lesson("p/a", NOW).overall == Taste(0.0, 1.0)


def test_a_second_vote_on_the_same_answer_takes_the_place_of_the_first() -> None:
    experience = after(vote(1, False), vote(1, True))
    assert shift(experience) == shift(after(vote(1, True))) > 0
    assert experience.vote("r1", 1, "p/a") is True
    assert experience.lesson("p/a", NOW).votes == (1, 0)


def test_a_vote_taken_back_leaves_nothing() -> None:
    experience = after(vote(1, True), vote(1, None))
    assert shift(experience) == 0.0
    assert experience.vote("r1", 1, "p/a") is None
    lesson = experience.lesson("p/a", NOW)
    assert (lesson.votes, dict(lesson.seen), lesson.taste(CODE), lesson.overall) == ((0, 0), {}, Taste(), Taste())


@pytest.mark.parametrize(("before", "anew"), [(48, True), (49, False), (50, False)])
def test_one_answer_that_was_kept_is_weighed_where_it_is_more_than_a_fiftieth(before: int, anew: bool) -> None:
    experience = after(*(Observation(answer(n), Sign.KEPT, 1.0, 0.1, NOW) for n in range(before)))
    known = shift(experience)
    experience.observe([Observation(answer(before), Sign.KEPT, 1.0, 0.1, NOW)])
    assert (shift(experience) > known) is anew


def test_answers_that_were_simply_kept_are_weighed_a_fiftieth_of_all_at_a_time() -> None:
    def kept(number: int) -> Observation:
        return Observation(answer(number), Sign.KEPT, 1.0, 0.1, NOW)

    many = [kept(number) for number in range(100)]
    experience = after(*many)
    before = shift(experience)
    for number in (100, 101):
        experience.observe([kept(number)])
        assert shift(experience) == before
    experience.observe([kept(102)])
    assert shift(experience) == shift(after(*many, kept(100), kept(101), kept(102))) > before
    experience.observe([kept(103), vote(104, False)])
    assert shift(experience) == shift(after(*many, *map(kept, range(100, 104)), vote(104, False)))


def test_of_one_answer_the_weightiest_sign_alone_counts() -> None:
    again = asked_again(answer(1), NOW, elsewhere=False)
    kept = Observation(answer(1), Sign.KEPT, 1.0, 0.1, NOW)
    assert shift(after(kept, again)) == shift(after(again)) < 0
    assert shift(after(kept, again, vote(1, True))) == shift(after(vote(1, True)))
    assert shift(after(kept, vote(1, True), vote(1, None))) == shift(after(kept)) > 0
    weaker_later = asked_again(answer(1), NOW + timedelta(hours=1), elsewhere=True)
    assert shift(after(vote(1, True), weaker_later)) == shift(after(vote(1, True)))


def test_weaker_signs_move_less() -> None:
    elsewhere, again = (shift(after(asked_again(answer(1), NOW, elsewhere=far))) for far in (True, False))
    assert shift(after(vote(1, False))) < elsewhere < again < 0
    assert 0 < shift(after(stood_in(answer(1), NOW))) < shift(after(vote(1, True)))


def test_who_is_picked_wins_what_the_others_lose_together() -> None:
    members = [answer(1, f"p/{name}") for name in "abc"]
    experience = after(*picked(members[0], members[1:], NOW))
    assert experience.lesson("p/a", NOW).taste(CODE) == Taste(1.0, 0.0)
    assert experience.lesson("p/b", NOW).taste(CODE) == Taste(0.0, 0.5)
    assert shift(experience, "p/a") > 0 > shift(experience, "p/b") == shift(experience, "p/c")
    assert experience.vote("r1", 1, "p/a") is True
    assert experience.vote("r1", 1, "p/b") is None


def test_beating_a_stronger_one_says_more() -> None:
    weak, strong = answer(1, "p/weak", predicted=0.4), answer(1, "p/strong", predicted=0.9)
    upset, expected = after(*picked(weak, [strong], NOW)), after(*picked(strong, [weak], NOW))
    assert shift(upset, "p/weak") > shift(expected, "p/strong") > 0


def test_what_the_program_made_of_an_answer_is_no_taste() -> None:
    seen = after(Observation(answer(1), Sign.ESCALATED, 0.0, 0.2, NOW))
    assert shift(seen) < 0
    assert seen.lesson("p/a", NOW).overall == Taste()
    assert seen.lesson("p/a", NOW).seen == {CODE: 1}


def test_what_is_long_ago_counts_less() -> None:
    experience = after(*(vote(n, False) for n in range(5)))
    shifts = [shift(experience, now=NOW + timedelta(days=days)) for days in (0, 60, 240, 2400)]
    assert shifts == sorted(shifts)
    assert shifts[-1] == pytest.approx(0.0, abs=0.001)
    assert experience.lesson("p/a", NOW + timedelta(days=120)).taste(CODE).losses == pytest.approx(2.26, abs=0.05)


def test_a_model_that_turns_bad_is_noticed() -> None:
    good = [vote(n, True, at=NOW + timedelta(minutes=n)) for n in range(400)]
    turned = [vote(n, False, at=NOW + timedelta(minutes=n)) for n in range(400, 460)]
    then = NOW + timedelta(minutes=500)
    assert shift(after(*good), now=then) > 0 > shift(after(*good, *turned), now=then)


def test_a_taste_that_changes_is_followed_within_thirty_votes() -> None:
    votes = [vote(n, n < 30, at=NOW + timedelta(minutes=n)) for n in range(60)]
    taste = after(*votes).lesson("p/a", NOW + timedelta(hours=2)).taste(CODE)
    assert taste.losses > 2 * taste.wins


def test_votes_on_others_let_a_taste_fade_too() -> None:
    once = [vote(n, False, at=NOW + timedelta(minutes=n)) for n in range(3)]
    since = [vote(n, True, model="p/b", at=NOW + timedelta(minutes=n)) for n in range(3, 33)]
    elsewhere = [vote(n, True, model="p/b", task=MATH, at=NOW + timedelta(minutes=n)) for n in range(3, 33)]
    then = NOW + timedelta(hours=1)
    taste, untouched = (after(*once, *more).lesson("p/a", then).taste(CODE) for more in (since, elsewhere))
    assert taste.losses == pytest.approx(untouched.losses * 0.95**30)
    assert untouched.losses == pytest.approx(2.85, abs=0.01)


def test_cancelled_calls_and_hits_tell_nothing_and_the_others_count_as_they_ended() -> None:
    experience = Experience()
    assert (experience.of("p/a"), experience.of("p/a").success, set(experience.known)) == (Figures(), None, set())
    for outcome in (Outcome.FINISHED, Outcome.FAILED, Outcome.FINISHED, Outcome.FINISHED, Outcome.CANCELLED):
        experience.learn(replace(ATTEMPT, model="p/a", outcome=outcome, first_token_s=0.5, tokens_per_s=None))
    experience.learn(replace(ATTEMPT, model="p/b", from_cache=True))
    figures = experience.of("p/a")
    assert figures == Figures(attempts=4, finished=3, failed=1, first_token_s=0.5)
    assert figures.success == 0.75
    assert set(experience.known) == {"p/a"}
    experience.remember("p/a", 1, 1, 9.0, 9.0)
    experience.remember("p/c", 2, 3, 9.0, 8.0)
    assert experience.of("p/a") == figures
    assert experience.of("p/c") == Figures(5, 2, 3, 9.0, 8.0)
    experience.observe([vote(1, True, model="p/d")])
    assert set(experience.known) == {"p/a", "p/c", "p/d"}


def test_an_older_observation_that_comes_later_changes_nothing() -> None:
    later, earlier = vote(1, True, at=NOW + timedelta(hours=1)), vote(1, False)
    assert after(later, earlier).vote("r1", 1, "p/a") is True
    assert after(earlier, later).vote("r1", 1, "p/a") is True
    assert after(vote(1, True), vote(1, False)).vote("r1", 1, "p/a") is False


def test_the_later_of_a_vote_and_a_pick_stands() -> None:
    chosen = picked(answer(1), [answer(1, "p/b")], NOW)
    against = vote(1, False, at=NOW + timedelta(hours=1))
    assert after(*chosen, against).vote("r1", 1, "p/a") is False
    assert after(*chosen, vote(1, False, at=NOW - timedelta(hours=1))).vote("r1", 1, "p/a") is True
    assert Experience().vote("r1", 1, "p/a") is None
    assert after(vote(2, True)).vote("r1", 1, "p/a") is None


def test_what_stands_of_a_sign_on_a_turn_is_found_over_all_models() -> None:
    chosen = picked(answer(1), [answer(1, "p/b")], NOW)
    experience = after(*chosen, vote(1, True), vote(2, True), vote(1, None, model="p/c"))
    assert {one.model for one in experience.standing("r1", Sign.PICK)} == {one.model for one in chosen}
    assert [one.model for one in experience.standing("r1", Sign.VOTE)] == ["p/a"]
    assert experience.standing("r3", Sign.VOTE) == ()


def test_votes_are_counted_whole_by_task_and_the_largest_shift_is_named() -> None:
    seen = [vote(1, True), vote(2, True), vote(3, False), *(vote(n, False, task=MATH) for n in range(4, 9))]
    lesson = after(*seen, asked_again(answer(9), NOW, elsewhere=True)).lesson("p/a", NOW + timedelta(days=300))
    assert (dict(lesson.up), dict(lesson.down), dict(lesson.seen)) == (
        {CODE: 2},
        {CODE: 1, MATH: 5},
        {CODE: 4, MATH: 5},
    )
    assert lesson.votes == (2, 6)
    largest = lesson.largest_shift(8.0)
    assert largest == (MATH, lesson.learned.shift_for(MATH, 8.0))
    other_way = after(vote(1, True, task=MATH), *(vote(n, False) for n in range(2, 9))).lesson("p/a", NOW)
    assert other_way.largest_shift(8.0) == (CODE, other_way.learned.shift_for(CODE, 8.0))
    assert Experience().lesson("p/a", NOW).largest_shift(8.0) is None


@pytest.mark.parametrize(("days", "share"), [(-5, 1.0), (0, 1.0), (120, 0.5), (240, 0.25)])
def test_a_vote_counts_half_after_120_days_and_never_more_than_when_it_was_new(days: int, share: float) -> None:
    taste = after(vote(1, True), vote(2, False, task=MATH)).lesson("p/a", NOW + timedelta(days=days))
    assert taste.taste(CODE) == Taste(pytest.approx(share), 0.0)
    assert taste.taste(MATH) == Taste(0.0, pytest.approx(share))
    assert taste.overall == Taste(pytest.approx(share), pytest.approx(share))


def test_votes_fade_with_each_that_came_since_and_those_of_one_turn_do_not_fade_each_other() -> None:
    seen = [vote(n, n != 2, at=NOW + timedelta(minutes=n)) for n in range(4)]
    taste = after(*seen).lesson("p/a", NOW).taste(CODE)
    assert taste.wins == pytest.approx(0.95**3 + 0.95**2 + 1, abs=0.0001)
    assert taste.losses == pytest.approx(0.95, abs=0.0001)
    chosen = picked(answer(1), [answer(1, "p/b")], NOW)
    before = vote(0, True, at=NOW - timedelta(minutes=1))
    experience = after(before, *chosen)
    weights = sum(one.weight for one in chosen)
    assert experience.lesson("p/a", NOW).taste(CODE).wins == pytest.approx(1.0 + 0.95**weights, abs=0.0001)
    assert experience.lesson("p/b", NOW).taste(CODE) == Taste(0.0, pytest.approx(chosen[1].weight))


def test_what_is_seen_of_a_model_fades_by_one_in_200() -> None:
    seen = [vote(n, n == 0, at=NOW + timedelta(minutes=n)) for n in range(3)]
    history = [Seen(CODE, float(n == 0), 0.995 ** (2 - n), 0.75) for n in range(3)]
    at = NOW + timedelta(minutes=2)
    assert shift(after(*seen), now=at) == pytest.approx(learn(history).shift_for(CODE, 8.0), rel=1e-4)


@pytest.mark.parametrize(("hours", "anew"), [(-25, True), (-23, False), (0, False), (24, False), (25, True)])
def test_a_lesson_is_worked_out_anew_once_a_day(hours: int, anew: bool) -> None:
    experience, then = after(vote(1, True)), NOW + timedelta(days=200)
    first = experience.lesson("p/a", then)
    again = experience.lesson("p/a", then + timedelta(hours=hours))
    assert (again.learned is not first.learned) is anew
    assert (again.taste(CODE) != first.taste(CODE)) is anew


def test_the_memory_is_bounded_to_the_latest() -> None:
    experience = after(*(vote(n, n >= 1000, at=NOW + timedelta(seconds=n)) for n in range(1500)))
    assert KEPT <= sum(experience.lesson("p/a", NOW).seen.values()) <= 1.2 * KEPT
    assert len(experience._by_hand) <= 1.2 * KEPT
    assert shift(experience, now=NOW + timedelta(hours=1)) > 0


DONE = st.tuples(st.integers(0, 5), st.sampled_from([True, False, None]), st.integers(0, 1000))


@given(st.lists(DONE, max_size=30), st.randoms())
@settings(deadline=None)
def test_two_programs_that_hear_the_same_in_another_order_learn_the_same(
    done: list[tuple[int, bool | None, int]], random: Random
) -> None:
    at_once = {second: vote(n, liked, at=NOW + timedelta(seconds=second)) for n, liked, second in done}
    told = list(at_once.values())
    again = [*told, *told]
    random.shuffle(again)
    one, other = (after(*order).lesson("p/a", NOW + timedelta(hours=1)) for order in (told, again))
    assert one == other


@pytest.mark.parametrize(("votes", "kept"), [(1, 1), (KEPT, KEPT), (600, 600), (601, KEPT), (700, KEPT + 99)])
def test_after_a_fifth_more_than_are_kept_the_older_ones_go_all_at_once(votes: int, kept: int) -> None:
    seen = after(*(vote(n, True, at=NOW + timedelta(seconds=n)) for n in range(votes)))
    assert sum(seen.lesson("p/a", NOW).seen.values()) == kept
    assert seen.vote(f"r{votes - kept}", 1, "p/a") is True
    assert seen.vote(f"r{votes - kept - 1}", 1, "p/a") is None
