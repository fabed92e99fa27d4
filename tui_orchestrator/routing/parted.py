"""A turn whose prompt is too long for every model: its parts are read side by side, and their answers put together.

Each part is walked like a turn of its own, with retries and escalation, under the same request and numbers. Before the
first call the money of all of it is set aside, each part asked once. A part that gets no answer is named in the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .calling import Emit, Granted, Tried
from .cancelling import heed, undisturbed
from .decision import Decision
from .division import AT_ONCE, Reading, reading_of
from .errors import Cancelled, NotKept, TurnError, Unrecorded
from .events import AttemptStarted, Cause, Completed, Decided, Event, Failed, PartEnded, Text
from .features import estimate_tokens
from .material import NOTHING, part_request, together_request
from .money import Cost
from .received import Plan
from .request import Check, Request
from .splitting import SLACK, split
from .telling import completed, failed, not_kept, refused
from .underway import MakeRoom, Means, Numbers
from .walk import Walk

_LABEL_TOKENS = 24
_FORESEEN = 100_000
"""Calls whose money is set aside are numbered from here on, until they begin."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """Of some parts, from the first to the last of them."""

    first: int
    last: int
    text: str
    tried: Tried

    def label(self, of: int) -> str:
        return f"{self.first} of {of}" if self.first == self.last else f"{self.first}–{self.last} of {of}"


class PartedWalk:
    """Runs one turn. Made for it, used once, by one task."""

    def __init__(
        self,
        request: Request,
        decision: Decision,
        means: Means,
        emit: Emit,
        make_room: MakeRoom | None,
        decide: Callable[[Request], Decision],
    ) -> None:
        """`decide`: of a part, who would answer it. `make_room` is for calls that were not foreseen."""
        assert decision.division is not None
        self.decision = decision
        self.division = decision.division
        limits = [limit for limit in (request.max_cost, self.division.ceiling) if limit is not None]
        # What was agreed to: a part that is to be asked again, or of a dearer model, has what the others left.
        most = min(limits) if limits else None
        self.request = replace(request, strategy=decision.strategy, task_type=decision.task_type, max_cost=most)
        self.caller = means.caller
        self.clock = means.caller.clock
        self.emit = emit
        self.decide = decide
        self.numbers = Numbers()
        self._foreseen = Numbers(_FORESEEN)
        self.began = self.clock.monotonic()
        self.parts = 0
        self.missing: dict[int, str] = {}
        """Part → why it has no answer."""
        self.ended = 0
        self.stopped = ""
        """Why no further part is asked."""
        self.unkept: NotKept | None = None
        self._means = means
        self._make_room = make_room
        self._walks: list[Walk] = []
        self._joins: list[tuple[Plan, Granted]] = []
        """Set aside for putting answers together."""
        self._free = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """As `Walk.run`."""
        ledger = self.caller.ledger
        try:
            await self.emit(Decided(self.request.id, self.clock.now(), self.decision))
            await self._kept(ledger.decided(self.decision, self.request, self.clock.now()))
            heed()
            end = await self._answer()
        except asyncio.CancelledError:
            end = self._failed(Cancelled())
        finally:
            await self._release(self._joins)
            await self._release([walk.granted for walk in self._walks if walk.granted is not None])
        await self._kept(ledger.concluded(end))
        unkept = next((walk.turn.unkept for walk in self._walks if walk.turn.unkept is not None), self.unkept)
        await self.emit(end if unkept is None else not_kept(end, unkept))

    async def _kept(self, writing: Coroutine[Any, Any, None]) -> None:
        try:
            await undisturbed(writing)
        except NotKept as fault:
            self.unkept = self.unkept or fault

    async def _answer(self) -> Completed | Failed:
        reading = await asyncio.to_thread(reading_of, self.request)
        # In two at least, also where it proves shorter than it was judged by samples: whole it would be too long again.
        limit = min(self.division.part_tokens, math.ceil(reading.tokens * SLACK / 2))
        pieces = await asyncio.to_thread(split, reading.material.text, limit)
        self.parts = len(pieces)
        walks = []
        for number, piece in enumerate(pieces, 1):
            asked = part_request(self.request, reading.material, piece, number, self.parts)
            walks.append(
                self._walk(asked, self.division.reader, f"{number} of {self.parts}", self.division.part_output)
            )
            await asyncio.sleep(0)
        if (error := await self._set_aside(walks, reading)) is not None:
            return self._failed(error)
        answers = await self._side_by_side([self._read(n, walk) for n, walk in enumerate(walks, 1)])
        if not answers:
            error = next((error for walk in walks if (error := _error(walk)) is not None), None)
            return self._failed(error or TurnError(self.stopped))
        return await self._put_together(answers, reading)

    def _walk(self, asked: Request, model: str, part: str, most: int | None) -> Walk:
        """Of what is asked about a part, or of its answers: by this model first, then by whom the router would ask."""
        asked = replace(asked, max_tokens=most, check=Check.OFF, self_consistency=0)
        decision = self.decide(asked)
        chain = (model, *(other for other in decision.chain if other != model))
        decision = replace(decision, model=model, chain=chain)
        walk = Walk(asked, decision, self._means, self._telling(part), numbers=self.numbers)
        walk.satisfied = _says_nothing
        self._walks.append(walk)
        return walk

    def _telling(self, part: str) -> Emit:
        async def emit(event: Event) -> None:
            if not isinstance(event, AttemptStarted):
                await self.emit(event)
            elif part:
                await self.emit(replace(event, part=part))
            else:
                await self.emit(event)
                if warning := self._warning:
                    await self.emit(Text(event.request_id, event.at, event.attempt, warning))

        return emit

    # Money

    async def _set_aside(self, walks: Sequence[Walk], reading: Reading) -> TurnError | None:
        """For every part and for putting together, all or nothing. The error where it is nothing."""
        joining = self._joining(reading)
        wanted = [(walk, self.division.reader, Cause.PART) for walk in walks]
        wanted += [(joining, self.division.writer, Cause.SYNTHESIS)] * self.division.joins
        for walk, model, cause in wanted:
            walk.turn.numbers = self._foreseen
            granted = await walk.turn.granted([(model, cause)])
            walk.turn.numbers = self.numbers
            if not granted:
                if walk.turn.refusal is not None:
                    return refused(walk.turn.refusal)
                return Unrecorded.since(walk.turn.unkept) if walk.turn.unkept is not None else TurnError()
            if walk is joining:
                self._joins += granted
            else:
                walk.granted = granted[0]
            heed()
        return None

    def _joining(self, reading: Reading) -> Walk:
        """Of the longest call there may be to put answers together, which is not made itself."""
        asked = together_request(self.request, reading.material, [("", "")])
        walk = self._walk(asked, self.division.writer, "", self.request.max_tokens)
        answers = self.parts * (self.division.part_output + _LABEL_TOKENS)
        tokens = reading.overhead + min(self.division.joint_tokens, answers)
        profile = replace(walk.decision.profile, input_tokens=tokens)
        walk.turn.decision = replace(walk.decision, profile=profile)
        return walk

    async def _release(self, held: Sequence[tuple[Plan, Granted]]) -> None:
        for _, granted in held:
            with contextlib.suppress(NotKept):
                await undisturbed(self.caller.ledger.release(granted.reservation))
            self.caller.room.given_back(granted.reservation.id)

    # Reading

    async def _side_by_side(self, work: Sequence[Coroutine[Any, Any, _Answer | None]]) -> list[_Answer]:
        """In the order of the text. Cancelling ends each of them in order."""
        tasks = [asyncio.create_task(one) for one in work]
        try:
            found = await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise
        heed()
        return [answer for answer in found if answer is not None]

    async def _read(self, number: int, walk: Walk) -> _Answer | None:
        waiting = asyncio.get_running_loop().time()
        async with self._free:
            walk.turn.deadline.put_off(asyncio.get_running_loop().time() - waiting)
            end = None if self.stopped else await walk.answer()
        heed()
        answer, missing = None, self.stopped
        if isinstance(end, Completed):
            answer = _Answer(number, number, end.response, _tried(walk, end))
        elif end is not None:
            missing = end.error.message
        self._stop_over_a_cap(walk)
        if answer is None:
            self.missing[number] = missing
        self.ended += 1
        model, attempt = (end.model, end.attempt) if isinstance(end, Completed) else (self.division.reader, 0)
        told = (number, self.parts, attempt, model, self.ended, self._cost, "" if answer else missing)
        await self.emit(PartEnded(self.request.id, self.clock.now(), *told))
        return answer

    def _stop_over_a_cap(self, walk: Walk) -> None:
        """Where a provider has billed more than was to be expected: no further part is asked."""
        for state in walk.turn.everything[-1].states if walk.turn.everything else ():
            if state.limit and state.spent >= state.limit:
                self.stopped = f"not asked, since {state.cap.name} of {state.limit} is used up"

    # Putting together

    async def _put_together(self, answers: list[_Answer], reading: Reading) -> Completed | Failed:
        telling = [answer for answer in answers if not _says_nothing(answer.text)] or answers
        while len(groups := self._groups(telling)) > 1:
            joined = await self._side_by_side([self._join(group, reading) for group in groups])
            if not joined:
                return self._as_they_are(answers, "the parts' answers could not be drawn together")
            telling = joined
        await self._release(self._joins[1:])
        del self._joins[1:]
        walk, end = await self._written(telling, reading, last=True)
        if isinstance(end, Failed):
            return self._as_they_are(answers, end.error.message)
        return self._completed(_tried(walk, end), self._warning + end.response, end.note)

    def _groups(self, answers: Sequence[_Answer]) -> list[list[_Answer]]:
        """Neighbours, as many as the writer can read at once; at least two, so that it comes to an end."""
        groups: list[list[_Answer]] = []
        size = 0
        for answer in answers:
            tokens = estimate_tokens(answer.text) + _LABEL_TOKENS
            if groups and (size + tokens <= self.division.joint_tokens or len(groups[-1]) < 2):
                groups[-1].append(answer)
                size += tokens
            else:
                groups.append([answer])
                size = tokens
        return groups

    async def _join(self, group: Sequence[_Answer], reading: Reading) -> _Answer | None:
        if len(group) == 1:
            return group[0]
        async with self._free:
            walk, end = await self._written(group, reading, last=False)
        heed()
        if isinstance(end, Failed):
            why = f"its answer was not put together with the others: {end.error.message}"
            self.missing |= {number: why for answer in group for number in range(answer.first, answer.last + 1)}
            return None
        return _Answer(group[0].first, group[-1].last, end.response, _tried(walk, end))

    async def _written(
        self, group: Sequence[_Answer], reading: Reading, *, last: bool
    ) -> tuple[Walk, Completed | Failed]:
        """One answer from several, with money that is set aside already where there is some."""
        told = [(answer.label(self.parts), answer.text) for answer in group]
        asked = together_request(self.request, reading.material, told, last=last)
        part = "" if last else f"{group[0].first}–{group[-1].last} of {self.parts}"
        most = self.request.max_tokens if last else self.division.part_output
        walk = self._walk(asked, self.division.writer, part, most)
        if self._joins:
            _, granted = self._joins.pop(0)
            walk.turn.numbers = self._foreseen
            plan = walk.turn.plan(self.division.writer, Cause.SYNTHESIS)
            walk.turn.numbers = self.numbers
            walk.granted = plan, self.caller.regranted(plan, granted)
        return walk, await walk.answer()

    @property
    def _warning(self) -> str:
        """What stands above the answer where parts are missing."""
        if not self.missing:
            return ""
        numbers = sorted(self.missing)
        which = f"Part {numbers[0]} of {self.parts} is" if len(numbers) == 1 else f"Parts {_listed(numbers)} are"
        of = "" if len(numbers) == 1 else f" of {self.parts}"
        return f"*{which.replace(' are', of + ' are')} missing from this answer: {self.missing[numbers[0]]}*\n\n"

    def _as_they_are(self, answers: Sequence[_Answer], why: str) -> Completed:
        """One below the other: what came is paid for."""
        said = [f"**Part {answer.label(self.parts)}**\n\n{answer.text.strip()}" for answer in answers]
        return self._completed(answers[-1].tried, self._warning + "\n\n".join(said), f"not put together: {why}")

    # Ends

    @property
    def _everything(self) -> list[Tried]:
        return [tried for walk in self._walks for tried in walk.turn.everything]

    @property
    def _elapsed_s(self) -> float:
        return self.clock.monotonic() - self.began

    @property
    def _cost(self) -> Cost:
        return Cost.sum(tried.attempt.cost for tried in self._everything)

    def _completed(self, tried: Tried, text: str, note: str) -> Completed:
        missing = [f"part {number} is missing: {why}" for number, why in sorted(self.missing.items())]
        told = "; ".join(filter(None, (f"read in {self.parts} parts", *missing[:3], note)))
        end = completed(self.decision, tried, self._everything, self.clock.now(), self._elapsed_s, told)
        return replace(end, response=text)

    def _failed(self, error: TurnError) -> Failed:
        return failed(self.request.id, error, [], self._everything, self.clock.now(), self._elapsed_s)


def _says_nothing(text: str) -> bool:
    return text.strip(" *_\"'.").lower() == NOTHING.strip(".").lower()


def _error(walk: Walk) -> TurnError | None:
    errors = [tried.error for tried in walk.turn.answers if tried.error is not None]
    refusal = walk.turn.refusal
    return errors[-1] if errors else refused(refusal) if refusal is not None else None


def _tried(walk: Walk, end: Completed) -> Tried:
    return next(tried for tried in walk.turn.everything if tried.attempt.number == end.attempt)


def _listed(numbers: Sequence[int]) -> str:
    return f"{', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
