"""The grammar of a turn, as a reader may rely on it. Raises AssertionError where the events do not obey it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

from tui_orchestrator.routing.events import (
    CHECKS,
    AttemptFailed,
    AttemptFinished,
    AttemptStarted,
    Budget,
    Cause,
    Checked,
    Completed,
    Decided,
    Escalated,
    Event,
    Failed,
    PartEnded,
    Reserved,
    Text,
    Thinking,
    ToolCalled,
    Verdict,
    Waiting,
)


class _Of(Enum):
    RESERVED = auto()
    RUNNING = auto()
    ENDED = auto()


def check(events: Sequence[Event]) -> None:
    assert events, "a turn says something"
    # Unless somebody was asked to make room for it.
    while isinstance(events[0], Waiting) and events[0].why == "budget":
        events = events[1:]
    assert isinstance(events[0], Decided), "the decision comes first"
    assert isinstance(events[-1], Completed | Failed), "the end comes last"
    assert len({event.request_id for event in events}) == 1, "all events are of one request"
    attempts: dict[int, _Of] = {}
    causes: dict[int, Cause] = {}
    models: dict[int, str] = {}
    answers: set[int] = set()
    """What the turn may end with."""
    found: set[int] = set()
    """Checks whose finding was told."""
    verdicts, last_check = 0, 0
    parts: dict[int, str] = {}
    """Attempt → the part of the prompt it is about."""
    parts_ended: list[int] = []
    for event in events[1:-1]:
        match event:
            case Reserved():
                assert event.attempt not in attempts, "money is set aside before the attempt starts"
                attempts[event.attempt] = _Of.RESERVED
            case AttemptStarted():
                assert attempts.get(event.attempt) in (None, _Of.RESERVED), "an attempt starts once"
                attempts[event.attempt] = _Of.RUNNING
                causes[event.attempt], models[event.attempt] = event.cause, event.model
                parts[event.attempt] = event.part
                if event.part:
                    assert int(event.part.split(" ")[0].split("–")[0]) not in parts_ended or "–" in event.part
                if event.cause in CHECKS:
                    assert answers, "a check follows what it checks"
                    running = {number for number, of in attempts.items() if of is not _Of.ENDED}
                    assert {causes.get(number) for number in running} <= {Cause.SAMPLE, None} or len(running) == 1, (
                        "only samples are asked for side by side"
                    )
                else:
                    told = {number for number, cause in causes.items() if cause in CHECKS} - answers
                    assert told <= found, "what a check found is told before the turn goes on"
            case Waiting(why="budget"):
                assert event.attempt not in attempts, "what does not fit has not begun"
                assert _Of.RUNNING not in attempts.values(), "and nothing else runs"
            case Text() | Thinking() | ToolCalled() | Waiting():
                assert attempts.get(event.attempt) is _Of.RUNNING, "only a running attempt says something"
                assert not verdicts, "nothing is said after the verdict"
            case AttemptFinished() | AttemptFailed():
                assert attempts.get(event.attempt) is _Of.RUNNING, "only a running attempt ends"
                attempts[event.attempt] = _Of.ENDED
                if isinstance(event, AttemptFinished) and causes[event.attempt] not in CHECKS:
                    answers.add(event.attempt)
            case Checked():
                finding = event.finding
                assert set(finding.attempts) <= attempts.keys(), "a finding rests on attempts of the turn"
                assert all(attempts[number] is _Of.ENDED for number in finding.attempts), "and on what has ended"
                assert event.attempt in answers | set(causes), "and is about an answer"
                assert finding.after == event.confidence.value, "the finding is what revises the confidence"
                assert 0 <= finding.after <= 1
                found |= set(finding.attempts)
                last_check = event.attempt
            case Escalated():
                by_then = [number for number, model in models.items() if model == event.to_model]
                if by_then and causes[by_then[-1]] is Cause.SECOND_OPINION:
                    assert by_then[-1] == last_check, "a second opinion that is taken was weighed as an answer first"
                    answers.add(by_then[-1])
                assert attempts, "an escalation follows an attempt"
                whole = [of for number, of in attempts.items() if not parts.get(number)]
                assert set(whole) <= {_Of.ENDED}, "an escalation comes when the attempt is over"
            case PartEnded():
                assert event.part not in parts_ended, "a part ends once"
                parts_ended.append(event.part)
                assert event.ended == len(parts_ended)
                assert bool(event.attempt) != bool(event.missing), "it has an answer, or is told to have none"
                assert not event.attempt or event.attempt in answers, "its answer is there"
            case Verdict():
                assert set(attempts.values()) == {_Of.ENDED}, "the verdict comes when all have ended"
                verdicts += 1
            case Budget():
                pass
            case _:
                raise AssertionError(f"{type(event).__name__} may not stand in the middle")
    assert verdicts <= 1, "there is at most one verdict"
    assert set(attempts.values()) <= {_Of.ENDED}, "every attempt ends before the turn does"
    assert sorted(attempts) == list(range(1, len(attempts) + 1)), "attempts are numbered from 1 without a gap"
    end = events[-1]
    assert isinstance(end, Completed | Failed)
    assert [attempt.number for attempt in end.attempts] == sorted(attempts), "the end tells every attempt"
    if isinstance(end, Completed):
        assert end.attempt in answers, "what a check says is never the answer"
        (answer,) = (attempt for attempt in end.attempts if attempt.number == end.attempt)
        assert answer.confidence == end.confidence.value, "the answer's confidence is that of its attempt"
