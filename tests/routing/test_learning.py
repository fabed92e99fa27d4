"""What one turn tells of its models, once it is over."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.storage.samples import DECISION
from tui_orchestrator.routing.decision import Decision, Policy
from tui_orchestrator.routing.errors import ContentFilter, Server
from tui_orchestrator.routing.events import (
    AttemptFailed,
    AttemptFinished,
    Cause,
    Checked,
    Completed,
    Confidence,
    Decided,
    Escalated,
    EscalationCause,
    Event,
    Failed,
    Finding,
    FinishReason,
    Next,
    Score,
    Verdict,
)
from tui_orchestrator.routing.learning import (
    Answer,
    Observation,
    Sign,
    Watching,
    answer_of,
    asked_again,
    picked,
    stood_in,
    voted,
)
from tui_orchestrator.routing.money import NOTHING, Usage
from tui_orchestrator.routing.profile import TaskType

from .samples import candidate

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
A, B = "p/a", "p/b"
WEIGHED = (candidate(A, 0.9, ability_shift=0.1), candidate(B, 0.6))
DECIDED = replace(DECISION, model=A, chain=(A, B), candidates=tuple(replace(c, max_tokens=4096) for c in WEIGHED))
EXPECTED = {A: 9 / (9 + math.exp(0.8)), B: 0.6}
"""Of both what would have been expected of them without anything learned: 0.8 of log-odds less than 0.9."""


def finished(attempt: int, model: str = A, value: float = 0.8, cause: EscalationCause | None = None) -> AttemptFinished:
    told = Confidence(value, ("as it was",), cause)
    return AttemptFinished(
        *("r1", AT, attempt, model, Usage(1, 1), NOTHING, 0.1, 1.0, 9.0, told, FinishReason.STOP),
    )


def completed(attempt: int, model: str = A) -> Completed:
    return Completed("r1", AT, attempt, model, "Four.", "balanced", NOTHING, Usage(), 1.0, Confidence(0.8), ())


FAILED = Failed("r1", AT, Server(), NOTHING, ())


def told(*events: Event, decision: Decision = DECIDED) -> list[tuple[Sign, int, str, float, float]]:
    """Sign, attempt, model, outcome and weight of all that is learned."""
    watching, seen = Watching(), list[Observation]()
    for event in (Decided("r1", AT, decision), *events):
        assert not seen, "nothing before the last event"
        seen += watching.hear(event)
    assert {(one.answer.request_id, one.answer.task_type, one.at) for one in seen} <= {("r1", TaskType.CODE, AT)}
    return [(one.sign, one.answer.attempt, one.model, one.outcome, round(one.weight, 6)) for one in seen]


def test_an_answer_that_is_trusted_and_stands_is_kept() -> None:
    kept = [(Sign.KEPT, 1, A, 1.0, 0.1)]
    assert told(finished(1), completed(1)) == kept
    assert told(finished(1, value=0.6), completed(1)) == kept
    assert told(finished(1, value=0.59), completed(1)) == []
    assert told(finished(1), completed(2)) == []
    assert told(finished(1), FAILED) == []
    assert told(finished(1, value=0.1), finished(2, B), completed(2, B)) == [(Sign.KEPT, 2, B, 1.0, 0.1)]
    lax = replace(DECIDED, asked=replace(DECIDED.asked, policy=Policy(confidence_threshold=0.5)))
    assert told(finished(1, value=0.59), completed(1), decision=lax) == kept


def test_without_a_decision_from_a_cache_or_of_a_judge_nothing_is_learned() -> None:
    watching = Watching()
    assert [watching.hear(event) for event in (finished(1), completed(1))] == [(), ()]
    assert told(replace(finished(1), from_cache=True), completed(1)) == []
    assert told(replace(finished(1), confidence=None), completed(1)) == []


@pytest.mark.parametrize(
    ("cause", "weight"),
    [(EscalationCause.REFUSAL, 0.5), (EscalationCause.EMPTY, 0.5), (EscalationCause.TRUNCATED, 0.25)],
)
def test_a_refusal_nothing_and_half_an_answer_are_the_models_own(cause: EscalationCause, weight: float) -> None:
    failure = [(Sign.FAILURE, 1, A, 0.0, weight)]
    assert told(finished(1, value=0.1, cause=cause), completed(1)) == failure
    assert told(finished(1, value=0.1, cause=cause), Escalated(*ESCALATED), FAILED) == failure


ESCALATED = ("r1", AT, A, B, EscalationCause.LOW_CONFIDENCE, "weak")


@pytest.mark.parametrize(
    ("room", "limit", "blamed"),
    [(4096, None, True), (4095, None, False), (4096, 4096, True), (4096, 4095, False), (9999, 9999, True)],
)
def test_who_had_less_room_than_is_usual_is_not_blamed_for_half_an_answer(
    room: int, limit: int | None, blamed: bool
) -> None:
    candidates = tuple(replace(one, max_tokens=room) for one in DECIDED.candidates)
    decision = replace(DECIDED, candidates=candidates, max_tokens=limit)
    cut = finished(1, value=0.1, cause=EscalationCause.TRUNCATED)
    assert bool(told(cut, completed(1), decision=decision)) is blamed
    assert told(replace(cut, model="p/unknown"), completed(1), decision=decision) == []
    refused = finished(1, value=0.1, cause=EscalationCause.REFUSAL)
    assert told(refused, completed(1), decision=decision)


def test_what_the_turn_went_on_from_was_weak_by_as_much_as_it_was_doubted() -> None:
    weak = [(Sign.ESCALATED, 1, A, 0.0, 0.25 * 0.6)]
    on = Escalated(*ESCALATED)
    assert told(finished(1, value=0.4), on, FAILED) == weak
    assert told(finished(1, value=0.4), on, finished(2, B), completed(2, B)) == [*weak, (Sign.KEPT, 2, B, 1.0, 0.1)]
    assert told(finished(1, value=0.4), on, finished(2, B, 0.3), completed(1)) == weak
    # Of two answers of one model the later is the one it went on from.
    assert told(finished(1), finished(2, value=0.4), on, FAILED) == [(Sign.ESCALATED, 2, A, 0.0, 0.15)]
    assert told(finished(1, B), on, FAILED) == []


def test_a_check_changes_what_is_thought_of_an_answer() -> None:
    finding = Finding(Cause.JUDGE, B, (2,), 0.8, 0.4, False)
    checked = Checked("r1", AT, 1, A, finding, Confidence(0.4))
    assert told(finished(1), checked, completed(1)) == []
    assert told(finished(1), checked, Escalated(*ESCALATED), FAILED) == [(Sign.ESCALATED, 1, A, 0.0, 0.15)]
    assert told(checked, completed(1)) == []


def test_a_filter_is_a_refusal_and_another_failure_says_nothing_of_the_answers() -> None:
    def broken(error: ContentFilter | Server) -> AttemptFailed:
        return AttemptFailed("r1", AT, 1, A, error, Usage(), NOTHING, 1.0, Next.GIVE_UP)

    assert told(broken(ContentFilter()), FAILED) == [(Sign.FAILURE, 1, A, 0.0, 0.5)]
    assert told(broken(Server()), FAILED) == []


def verdict(*attempts: int) -> Verdict:
    scores = tuple(Score(number, f"p/{number}", 0.5, 0.5, 0.5, 0.5, 0.5) for number in attempts)
    return Verdict("r1", AT, "weighted", scores, attempts[0], (), ())


def test_a_verdict_places_each_member_and_none_is_kept_beside_it() -> None:
    members = [finished(1), finished(2, B), finished(3, B)]
    assert told(*members, verdict(2, 1, 3), completed(2, B)) == [
        (Sign.VERDICT, 2, B, 1.0, 0.15),
        (Sign.VERDICT, 1, A, 0.5, 0.15),
        (Sign.VERDICT, 3, B, 0.0, 0.15),
    ]
    assert told(*members[:2], verdict(2, 9, 1), completed(2, B)) == [
        (Sign.VERDICT, 2, B, 1.0, 0.15),
        (Sign.VERDICT, 1, A, 0.0, 0.15),
    ]
    assert told(members[0], verdict(1, 9), completed(1)) == []


def test_of_a_verdict_is_expected_how_often_one_is_found_better_than_the_others() -> None:
    watching = Watching()
    events = (Decided("r1", AT, DECIDED), finished(1), finished(2, B), finished(3, B), verdict(1, 2, 3), completed(1))
    *_, seen = [watching.hear(event) for event in events]
    # Bradley and Terry: the odds of one over the other are the quotient of their odds.
    odds = (EXPECTED[A] / (1 - EXPECTED[A])) / (0.6 / 0.4)
    behind = (1 / (1 + odds) + 0.5) / 2
    assert [one.answer.predicted for one in seen] == pytest.approx([odds / (1 + odds), behind, behind])


def test_what_was_expected_of_an_answer_leaves_out_what_was_learned() -> None:
    assert answer_of(DECIDED, 1, A) == Answer("r1", 1, A, TaskType.CODE, pytest.approx(EXPECTED[A]))
    assert answer_of(DECIDED, 2, B).predicted == pytest.approx(0.6)
    assert answer_of(DECIDED, 3, "p/unknown") == Answer("r1", 3, "p/unknown", TaskType.CODE, 0.75)


ONE, OTHER, THIRD = (Answer("r1", n, f"p/{n}", TaskType.CODE, p) for n, p in ((1, 0.75), (2, 0.6), (3, 0.5)))


def test_what_the_user_does_weighs_so_much() -> None:
    signs = [
        voted(ONE, True, AT),
        voted(ONE, False, AT),
        voted(ONE, None, AT),
        asked_again(ONE, AT, elsewhere=False),
        asked_again(ONE, AT, elsewhere=True),
        stood_in(ONE, AT),
    ]
    assert [(one.sign, one.outcome, one.weight, one.is_vote) for one in signs] == [
        (Sign.VOTE, 1.0, 1.0, True),
        (Sign.VOTE, 0.0, 1.0, True),
        (Sign.VOTE, 0.0, 0.0, False),
        (Sign.REGENERATED, 0.0, 0.4, False),
        (Sign.RERUN, 0.0, 0.5, False),
        (Sign.RERUN, 1.0, 0.2, False),
    ]
    assert {one.key for one in signs} == {("r1", 1, sign) for sign in (Sign.VOTE, Sign.REGENERATED, Sign.RERUN)}


def test_who_is_picked_wins_against_all_and_each_of_them_loses_its_share() -> None:
    won, *lost = picked(ONE, [OTHER, THIRD], AT)
    # Odds of three to one against odds of 1.5, and against even ones.
    ahead = (2 / 3, 3 / 4)
    assert (won.sign, won.outcome, won.weight, won.is_vote) == (Sign.PICK, 1.0, 1.0, True)
    assert won.answer == replace(ONE, predicted=pytest.approx(sum(ahead) / 2))
    assert [(one.sign, one.outcome, one.weight, one.is_vote) for one in lost] == [(Sign.PICK, 0.0, 0.5, False)] * 2
    assert [one.answer for one in lost] == [
        replace(OTHER, predicted=pytest.approx(1 / 3)),
        replace(THIRD, predicted=pytest.approx(1 / 4)),
    ]
    assert picked(ONE, [], AT) == (voted(ONE, True, AT),)
