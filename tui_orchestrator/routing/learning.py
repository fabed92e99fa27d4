"""What a user's turns tell of the models: one observation for each sign that an answer was good or bad.

| sign | outcome | weight |
|---|---|---|
| a vote, and the winner a user picked in an ensemble | good or bad | 1 |
| asked again of the same model | bad | 0.4 |
| asked again of another model | bad; of the other one: good | 0.5; 0.2 |
| refused, empty, cut off with room left | bad | 0.5, 0.5, 0.25 |
| escalated | bad | 0.25 × (1 − confidence) |
| an ensemble's verdict | the share of the others it was placed before | 0.15 |
| trusted, and nobody complained | good | 0.1 |

The weights are judgements (November 2026): only a vote is certain to be about the answer. The last one stands against
the escalations, which would otherwise only ever pull down. Failures of the network, of a key or of a budget tell
nothing of a model. Of one answer the weightiest sign alone counts, so that a vote takes the place of everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from .ability import logit, sigmoid, without
from .decision import Decision
from .errors import ErrorKind
from .events import (
    AttemptFailed,
    AttemptFinished,
    Checked,
    Completed,
    Decided,
    Escalated,
    EscalationCause,
    Event,
    Failed,
    Verdict,
)
from .profile import TaskType


class Sign(StrEnum):
    VOTE = "vote"
    PICK = "pick"
    REGENERATED = "regenerated"
    RERUN = "rerun"
    FAILURE = "failure"
    ESCALATED = "escalated"
    VERDICT = "verdict"
    KEPT = "kept"


BY_HAND = frozenset({Sign.VOTE, Sign.PICK, Sign.REGENERATED, Sign.RERUN})
"""What the user did, not what the program made of an answer: tastes are learned from these alone."""

_VOTE, _REGENERATED, _RERUN_FROM, _RERUN_TO, _VERDICT, _KEPT = 1.0, 0.4, 0.5, 0.2, 0.15, 0.1
_ESCALATED = 0.25
_FAILURE = {EscalationCause.REFUSAL: 0.5, EscalationCause.EMPTY: 0.5, EscalationCause.TRUNCATED: 0.25}
_UNKNOWN_CHANCE = 0.75


@dataclass(frozen=True, slots=True)
class Answer:
    """Which answer an observation is about, and what had been expected of it."""

    request_id: str
    attempt: int
    model: str
    task_type: TaskType
    predicted: float = _UNKNOWN_CHANCE
    """The success probability without what was learned of this user; 0.75 where no decision tells it."""


@dataclass(frozen=True, slots=True)
class Observation:
    answer: Answer
    sign: Sign
    outcome: float
    """1 good, 0 bad, or between."""
    weight: float
    """0: taken back."""
    at: datetime
    """UTC."""

    @property
    def key(self) -> tuple[str, int, Sign]:
        """A later observation of the same key takes the place of an earlier one."""
        return self.answer.request_id, self.answer.attempt, self.sign

    @property
    def model(self) -> str:
        return self.answer.model

    @property
    def is_vote(self) -> bool:
        """Whether it stands as a vote up (outcome 1) or down. That another one was picked is no vote against this."""
        by_hand = self.sign is Sign.VOTE or (self.sign is Sign.PICK and self.outcome == 1.0)
        return by_hand and self.weight > 0


def answer_of(decision: Decision, attempt: int, model: str) -> Answer:
    candidate = decision.candidate(model)
    if candidate is None:
        return Answer(decision.request_id, attempt, model, decision.task_type)
    discrimination = decision.asked.policy.discrimination
    chance = without(candidate.success_probability, candidate.ability_shift, discrimination)
    return Answer(decision.request_id, attempt, model, decision.task_type, chance)


def voted(answer: Answer, liked: bool | None, at: datetime) -> Observation:
    """None takes an earlier vote back."""
    return Observation(answer, Sign.VOTE, 1.0 if liked else 0.0, 0.0 if liked is None else _VOTE, at)


def asked_again(answer: Answer, at: datetime, *, elsewhere: bool) -> Observation:
    """The user wanted another answer, of the same model or `elsewhere`."""
    if elsewhere:
        return Observation(answer, Sign.RERUN, 0.0, _RERUN_FROM, at)
    return Observation(answer, Sign.REGENERATED, 0.0, _REGENERATED, at)


def stood_in(answer: Answer, at: datetime) -> Observation:
    """This one answered after the user had asked again elsewhere."""
    return Observation(answer, Sign.RERUN, 1.0, _RERUN_TO, at)


def picked(winner: Answer, others: Iterable[Answer], at: datetime) -> tuple[Observation, ...]:
    """The user's own winner of an ensemble; together the others lose as much as it wins."""
    others = tuple(others)
    if not others:
        return (voted(winner, True, at),)
    chance = sum(_ahead(winner, other) for other in others) / len(others)
    won = Observation(_expecting(winner, chance), Sign.PICK, 1.0, _VOTE, at)
    lost = (
        Observation(_expecting(other, _ahead(other, winner)), Sign.PICK, 0.0, _VOTE / len(others), at)
        for other in others
    )
    return (won, *lost)


class Watching:
    """Hears one turn from its first event to its last, and then says what it told of the models."""

    def __init__(self) -> None:
        self._decision: Decision | None = None
        self._finished: dict[int, AttemptFinished] = {}
        self._filtered: dict[int, AttemptFailed] = {}
        self._left: set[int] = set()
        """Attempts whose answers the turn went on from."""
        self._verdict: Verdict | None = None

    def hear(self, event: Event) -> tuple[Observation, ...]:
        """Nothing before the last event."""
        match event:
            case Decided():
                self._decision = event.decision
            case AttemptFinished() if not event.from_cache and event.confidence is not None:
                self._finished[event.attempt] = event
            case AttemptFailed() if event.error.kind is ErrorKind.CONTENT_FILTER:
                self._filtered[event.attempt] = event
            case Checked() if event.attempt in self._finished:
                self._finished[event.attempt] = replace(self._finished[event.attempt], confidence=event.confidence)
            case Escalated():
                of_it = [n for n, finished in self._finished.items() if finished.model == event.from_model]
                self._left.update(of_it[-1:])
            case Verdict():
                self._verdict = event
            case Completed() | Failed():
                return tuple(self._told(event))
        return ()

    def _told(self, end: Completed | Failed) -> Iterable[Observation]:
        decision = self._decision
        if decision is None:
            return
        for number, refused in self._filtered.items():
            answer = answer_of(decision, number, refused.model)
            yield Observation(answer, Sign.FAILURE, 0.0, _FAILURE[EscalationCause.REFUSAL], end.at)
        answers = {n: answer_of(decision, n, finished.model) for n, finished in self._finished.items()}
        for number, finished in self._finished.items():
            if seen := self._of_one(decision, answers[number], finished, end):
                yield seen
        if self._verdict is not None:
            yield from _judged(self._verdict, answers, end.at)

    def _of_one(
        self, decision: Decision, answer: Answer, finished: AttemptFinished, end: Completed | Failed
    ) -> Observation | None:
        confidence = finished.confidence
        assert confidence is not None
        if confidence.cause in _FAILURE:
            short_of_room = confidence.cause is EscalationCause.TRUNCATED and not _had_room(decision, answer.model)
            weight = _FAILURE[confidence.cause]
            return None if short_of_room else Observation(answer, Sign.FAILURE, 0.0, weight, end.at)
        if answer.attempt in self._left:
            weight = _ESCALATED * (1.0 - confidence.value)
            return Observation(answer, Sign.ESCALATED, 0.0, weight, end.at)
        trusted = confidence.value >= decision.asked.policy.confidence_threshold
        is_the_answer = isinstance(end, Completed) and end.attempt == answer.attempt
        if is_the_answer and trusted and self._verdict is None:
            return Observation(answer, Sign.KEPT, 1.0, _KEPT, end.at)
        return None


def _judged(verdict: Verdict, answers: Mapping[int, Answer], at: datetime) -> Iterable[Observation]:
    """Each member against each other one: a draw of equals is no news."""
    placed = [answers[score.attempt] for score in verdict.scores if score.attempt in answers]
    if len(placed) < 2:
        return
    for place, answer in enumerate(placed):
        others = [other for other in placed if other is not answer]
        chance = sum(_ahead(answer, other) for other in others) / len(others)
        outcome = (len(placed) - 1 - place) / len(others)
        yield Observation(_expecting(answer, chance), Sign.VERDICT, outcome, _VERDICT, at)


def _ahead(one: Answer, other: Answer) -> float:
    """The chance that it is found the better one (Bradley and Terry's model, 1952)."""
    return sigmoid(logit(one.predicted) - logit(other.predicted))


def _expecting(answer: Answer, chance: float) -> Answer:
    return Answer(answer.request_id, answer.attempt, answer.model, answer.task_type, chance)


def _had_room(decision: Decision, model: str) -> bool:
    """Whether the answer was given as many tokens as are usual; a cap or the user's own limit is not its fault."""
    candidate, usual = decision.candidate(model), decision.asked.policy.max_tokens
    return candidate is not None and min(candidate.max_tokens, decision.max_tokens or usual) >= usual
