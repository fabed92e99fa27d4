"""The grammar of a turn, as a reader may rely on it. Raises AssertionError where the events do not obey it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

from tui_orchestrator.routing.events import (
    AttemptFailed,
    AttemptFinished,
    AttemptStarted,
    Budget,
    Completed,
    Decided,
    Escalated,
    Event,
    Failed,
    Reserved,
    Text,
    Thinking,
    Verdict,
    Waiting,
)


class _Of(Enum):
    RESERVED = auto()
    RUNNING = auto()
    ENDED = auto()


def check(events: Sequence[Event]) -> None:
    assert events, "a turn says something"
    assert isinstance(events[0], Decided), "the decision comes first"
    assert isinstance(events[-1], Completed | Failed), "the end comes last"
    assert len({event.request_id for event in events}) == 1, "all events are of one request"
    attempts: dict[int, _Of] = {}
    verdicts = 0
    for event in events[1:-1]:
        match event:
            case Reserved():
                assert event.attempt not in attempts, "money is set aside before the attempt starts"
                attempts[event.attempt] = _Of.RESERVED
            case AttemptStarted():
                assert attempts.get(event.attempt) in (None, _Of.RESERVED), "an attempt starts once"
                attempts[event.attempt] = _Of.RUNNING
            case Text() | Thinking() | Waiting():
                assert attempts.get(event.attempt) is _Of.RUNNING, "only a running attempt says something"
                assert not verdicts, "nothing is said after the verdict"
            case AttemptFinished() | AttemptFailed():
                assert attempts.get(event.attempt) is _Of.RUNNING, "only a running attempt ends"
                attempts[event.attempt] = _Of.ENDED
            case Escalated():
                assert attempts, "an escalation follows an attempt"
                assert set(attempts.values()) == {_Of.ENDED}, "an escalation comes when the attempt is over"
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
