"""What the user thinks of answers, and what the turns themselves tell of the models: kept, and learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..routing.events import Attempt, Cause, Outcome
from ..routing.experience import Experience
from ..routing.learning import Answer, Observation, Sign, answer_of, asked_again, picked, stood_in, voted
from ..routing.ports import Clock
from ..routing.profile import TaskType
from ..storage.observations import Observations
from ..storage.reports import Reports

Given = tuple[str, int]
"""An answer: the request's id and the attempt's number."""


class Feedback:
    """All methods that wait raise StoreError."""

    def __init__(self, store: Observations, reports: Reports, experience: Experience, clock: Clock) -> None:
        self._store = store
        self._reports = reports
        self._experience = experience
        self._clock = clock
        self._serial = 0

    async def catch_up(self) -> None:
        """Learns what was kept since the last time, by this copy of the program or another; from the beginning at
        first."""
        seen, self._serial = await self._store.since(self._serial)
        self._experience.observe(seen)

    def keep(self, seen: Sequence[Observation]) -> None:
        """What a turn told, which is learned already."""
        self._store.post(seen)

    async def vote(self, request_id: str, attempt: int, liked: bool | None) -> str:
        """Up, down, or taken back; an earlier vote on the same answer is replaced. Returns the model's id.

        Raises LookupError with a sentence when there was no such attempt.
        """
        answer = await self._answer(request_id, attempt)
        at = await self._store.after_all(self._clock.now(), request_id)
        votes = [voted(answer, liked, at)]
        standing = self._experience.standing(request_id, Sign.PICK)
        if standing:
            # A vote on an ensemble's answer undoes the picking, of which it would be a part.
            votes += [Observation(one.answer, Sign.PICK, one.outcome, 0.0, at) for one in standing]
        await self._learn(votes)
        return answer.model

    async def members(self, request_id: str) -> tuple[Attempt, ...]:
        """The attempts of an ensemble that gave an answer."""
        attempts = await self._reports.attempts(request_id)
        return tuple(one for one in attempts if one.cause is Cause.ENSEMBLE and one.outcome is Outcome.FINISHED)

    async def pick(self, request_id: str, winner: int, members: Sequence[int]) -> str:
        """The user's own winner among an ensemble's members, by the numbers of their attempts. Returns its model's id.

        Raises LookupError with a sentence when there was no such attempt.
        """
        answers = {number: await self._answer(request_id, number) for number in {winner, *members}}
        others = [answer for number, answer in answers.items() if number != winner]
        at = await self._store.after_all(self._clock.now(), request_id)
        taken_back = [voted(answer, None, at) for answer in answers.values()]
        await self._learn([*taken_back, *picked(answers[winner], others, at)])
        return answers[winner].model

    async def replaced(self, old: Given, new: Given, *, elsewhere: bool) -> None:
        """The user asked again and another answer took the place of the old one. `elsewhere`: another model or strategy
        was asked for; an answer of the same model is no rerun all the same."""
        before, after = await self._answer(*old), await self._answer(*new)
        at = await self._store.after_all(self._clock.now(), old[0], new[0])
        elsewhere = elsewhere and before.model != after.model
        seen = [asked_again(before, at, elsewhere=elsewhere)]
        await self._learn([*seen, stood_in(after, at)] if elsewhere else seen)

    async def votes(self, session: str) -> Mapping[Given, bool]:
        """The votes that stand on the answers of a conversation."""
        votes: dict[Given, bool] = {}
        for one in await self._store.of_session(session):
            given = one.answer.request_id, one.answer.attempt
            if one.is_vote:
                votes[given] = bool(one.outcome)
        return votes

    async def _learn(self, seen: Sequence[Observation]) -> None:
        await self._store.record(seen)
        self._experience.observe(seen)

    async def _answer(self, request_id: str, attempt: int) -> Answer:
        attempts = await self._reports.attempts(request_id)
        model = next((one for one in attempts if one.number == attempt), None)
        if model is None:
            raise LookupError("no attempt is kept of this answer, so there is nothing to vote on")
        decision = await self._reports.decision(request_id)
        if decision is not None:
            return answer_of(decision, attempt, model.model)
        known = model.task_type in set(TaskType)
        return Answer(request_id, attempt, model.model, TaskType(model.task_type) if known else TaskType.SIMPLE_QA)
