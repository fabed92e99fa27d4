"""One turn: decide, try, retry, fall back, check, escalate, and end with exactly one answer or one error."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from .budget import Refusal, WayOut, WaysOut
from .calling import Emit, Granted, Tried
from .cancelling import being_cancelled, heed, undisturbed
from .checking import Checking
from .decision import Candidate, Decision
from .errors import BadRequest, Cancelled, ErrorKind, NotKept, TurnError, Unrecorded
from .escalation import Doubt, best, goes_on, onward, onward_to_hand, weights_for
from .events import Cause, Completed, Decided, Escalated, Event, Failed, Next, Onward
from .received import Plan
from .request import Request, Strategy
from .settling import Settling
from .telling import completed, conclusion, failed, flaw, no_model, not_kept, refused, why_escalated
from .underway import MakeRoom, Means, Numbers, Underway, revised
from .ways_out import tries


@dataclass(frozen=True, slots=True)
class Step:
    """What a turn does after an attempt."""

    next: Next
    model: str | None = None
    cause: Cause = Cause.FALLBACK
    pause_s: float = 0.0


class Walk:
    """Runs one turn. Made for it, used once, by one task."""

    def __init__(
        self,
        request: Request,
        decision: Decision,
        means: Means,
        emit: Emit,
        make_room: MakeRoom | None = None,
        enough: asyncio.Event | None = None,
        jitter: Callable[[], float] = random.random,
        *,
        numbers: Numbers | None = None,
    ) -> None:
        """`make_room` None: there is nobody to ask, and what does not fit is refused. `enough`, when
        set, ends the members of an ensemble that are still at work."""
        self.turn = Underway(request, decision, means, emit, make_room, numbers)
        self.enough = enough or asyncio.Event()
        self.checking = Checking(self.turn)
        self.request = request
        self.decision = decision
        self.registry = means.registry
        self.policy = means.policy
        self.weights = weights_for(decision.strategy, means.policy.weights)
        self.clock = means.caller.clock
        self.emit = emit
        self.jitter = jitter
        self.retries: dict[str, int] = {}
        self.granted: tuple[Plan, Granted] | None = None
        """The first attempt, where its money is set aside already."""
        self.satisfied: Callable[[str], bool] = lambda text: False
        """Whether an answer is as it should be, however short or hedging it seems."""

    async def answer(self) -> Completed | Failed:
        """What the walk of one model after the other comes to, where it is a part of a larger turn: nothing is emitted
        or kept but its attempts."""
        try:
            heed()
            return await self._single()
        except asyncio.CancelledError:
            return self._failed(Cancelled())

    async def run(self) -> None:
        """Emits the whole turn. Trouble ends in a Failed event; only bugs are raised."""
        ledger = self.turn.caller.ledger
        # Written beside what comes next, and before it: a call whose money cannot be set aside is not made anyhow.
        deciding = asyncio.create_task(ledger.decided(self.decision, self.request, self.clock.now()))
        try:
            await self.emit(Decided(self.request.id, self.clock.now(), self.decision))
            heed()
            if not self.request.prompt.strip() and not self.request.has_images:
                end: Completed | Failed = self._failed(BadRequest("The prompt is empty.", hint="Type a question."))
            elif self.decision.model is None or self.decision.division is not None:
                end = self._failed(no_model(self.decision, self.turn.left_s))
            elif self.decision.strategy is Strategy.ENSEMBLE and not self.decision.pinned:
                end = await self._ensemble()
            else:
                end = await self._single()
        except asyncio.CancelledError:
            end = self._failed(Cancelled())
        concluding = asyncio.create_task(ledger.concluded(end))
        await self._kept(deciding)
        await self._kept(concluding)
        if isinstance(end, Completed):
            await self.turn.keep(end)
        await self.emit(end if self.turn.unkept is None else not_kept(end, self.turn.unkept))

    async def _kept(self, writing: Awaitable[None]) -> None:
        """What cannot be written down ends nothing by itself: the end of the turn says it."""
        try:
            await undisturbed(writing)
        except NotKept as fault:
            self.turn.unkept = self.turn.unkept or fault  # what a call has cost is said rather than what came of it

    # One model at a time

    async def _single(self) -> Completed | Failed:
        turn = self.turn
        model, cause, pause = self.decision.model, _first(self.request), 0.0
        while model is not None:
            outcome = await self._attempt(model, cause, pause)
            if outcome is None:
                break
            turn.answers.append(outcome)
            if outcome.error is None:
                step = await self._after_answer(outcome)
            else:
                step = self._after_error(outcome, outcome.error)
                await turn.tell(outcome, step.next)
            model, cause, pause = step.model, step.cause, step.pause_s
        return self._end()

    async def _attempt(self, model: str, cause: Cause, pause: float) -> Tried | None:
        """The call, or that of who stands in where it does not fit into a budget. None: it was refused, nobody could
        stand in, and no room was made; `refusal` says what the wished call lacked. Or it could not be written down."""
        turn = self.turn
        if self.granted is not None:
            (plan, granted), self.granted = self.granted, None
            plan = replace(plan, number=turn.numbers.take())
            return await turn.caller.call(plan, granted, self.emit)
        while True:
            turn.refusal = None
            for candidate, fewer_tokens in tries(turn.candidate(model), self._stand_ins(model), self._ways_out()):
                plan = turn.plan(candidate.model, cause, pause, fewer_tokens=fewer_tokens)
                outcome = await turn.attempt(plan, self._emit_after_escalation(candidate.model))
                if not isinstance(outcome, Refusal):
                    return outcome
                if candidate.model == model:
                    turn.refusal = outcome
            answered = any(tried.error is None for tried in turn.answers)
            if answered or not await turn.wait_for_room():
                return None

    @property
    def _left(self) -> int:
        """Attempts that may still be made."""
        return 0 if self.turn.deadline.passed else self.policy.max_attempts - len(self.turn.answers)

    async def _after_answer(self, tried: Tried) -> Step:
        """It is told, checked, and gone on from where that is worth it: to another model, or to the second opinion,
        which is then an answer of the turn and is gone on from in the same way."""
        await self.turn.tell(tried, Next.GIVE_UP)
        if self.turn.deadline.passed or self.request.judges or (self.request.stands and tried.shown):
            return Step(Next.GIVE_UP)
        tried = await self.checking.revise(tried, self._doubt(tried), self._perhaps_next())
        self.turn.revise(tried)
        while not being_cancelled() and not self.decision.pinned and self._is_weak(tried):
            way = self._way_on(tried)
            if way is None:
                break
            if way.model != self._opinion_of(tried):
                return Step(Next.FALLBACK, way.model, Cause.ESCALATION)
            tried = await self._take_the_second_opinion(tried, way)
        return Step(Next.GIVE_UP)

    def _is_weak(self, tried: Tried) -> bool:
        assert tried.confidence is not None
        # Half an answer is no answer by itself, so that its confidence says little.
        if self.request.continues or self.satisfied(tried.text):
            return False
        return tried.confidence.value < self.policy.confidence_threshold

    def _doubt(self, tried: Tried) -> Doubt:
        assert tried.confidence is not None
        return Doubt(
            tried.confidence.value,
            self.turn.candidate(tried.attempt.model),
            self.turn.spent,
            self.turn.elapsed_s,
            flawed=tried.confidence.cause is not None,
        )

    def _way_on(self, tried: Tried) -> Onward | None:
        """Where to go on to: whoever is worth most, if that is worth it. In a chain the user named its next, but for an
        answer of that chain which is there already and is trusted. What was declined is kept with the answer."""
        doubt, opinion = self._doubt(tried), self._opinion_of(tried)
        ways = []
        for candidate in self._candidates(self._ahead()):
            if candidate.model == opinion:
                trusted = self.checking.opinion_trusted(tried).value
                in_hand = onward_to_hand(doubt, opinion, trusted, self.weights)
                if trusted >= self.policy.confidence_threshold:
                    return in_hand
                ways.append(in_hand)
            elif self._left > 0 and self.turn.is_open(candidate.model):
                ways.append(onward(doubt, candidate, self.weights))
        if self.decision.asked.chain:
            return ways[0] if ways else None
        way = best(ways)
        if way is None or goes_on(doubt, way):
            return way
        self.turn.revise(revised(tried, onward=way))
        return None

    def _opinion_of(self, tried: Tried) -> str | None:
        """Who has given a second opinion that the turn has not gone on to."""
        opinion = self.checking.opinion
        taken = opinion is None or opinion.attempt.number in {answer.attempt.number for answer in self.turn.answers}
        return None if opinion is None or taken else opinion.attempt.model

    async def _take_the_second_opinion(self, tried: Tried, way: Onward) -> Tried:
        opinion = await self.checking.opinion_revised(tried)
        await self._tell_escalation(tried, way)
        self.turn.checks = [c for c in self.turn.checks if c.attempt.number != opinion.attempt.number]
        self.turn.answers.append(opinion)
        return opinion

    def _after_error(self, tried: Tried, error: TurnError) -> Step:
        """The same model again, the next one, or nothing."""
        if being_cancelled() or error.kind is ErrorKind.CANCELLED:
            return Step(Next.GIVE_UP)
        self.turn.heed_failure(tried)
        retries = self.policy.retries
        filtered = error.kind is ErrorKind.CONTENT_FILTER and not retries.past_filters
        if self._left <= 0 or self.request.once or filtered or (self.request.stands and tried.shown):
            return Step(Next.GIVE_UP)
        model, other = tried.attempt.model, self._next_after(tried, error)
        used = self.retries.get(model, 0)
        if error.retryable and used < retries.per_model:
            pause = self._back_off(error, used)
            # A route that stood still in silence is not tried again while there is another one.
            patient = other is None or (pause <= retries.patience and error.kind is not ErrorKind.TIMEOUT)
            in_time = pause <= min(retries.retry_after_cap, self.turn.deadline.left)
            if in_time and patient and self.turn.is_healthy(model, pause):
                self.retries[model] = used + 1
                return Step(Next.RETRY, model, Cause.RETRY, pause)
        return Step(Next.FALLBACK, other, Cause.FALLBACK) if other else Step(Next.GIVE_UP)

    def _back_off(self, error: TurnError, used: int) -> float:
        if error.retry_after_s is not None:
            return max(0.0, error.retry_after_s)
        if error.kind is ErrorKind.RATE_LIMITED and self.policy.retries.patience > 0:
            # Without a word from the provider a rate limit lasts until its minute is over, which is not soon.
            return max(self.policy.retries.patience * 1.5, self._jittered(used))
        return self._jittered(used)

    def _jittered(self, used: int) -> float:
        retries = self.policy.retries
        return self.jitter() * min(retries.cap, retries.base * 2.0**used)

    def _ahead(self) -> tuple[str, ...]:
        """The chain as it is walked from here: `local_first` goes to the cloud after two local failures."""
        chain = self.decision.chain
        failures = sum(self.registry[tried.attempt.model].local for tried in self.turn.answers)
        if self.decision.strategy is not Strategy.LOCAL_FIRST or failures < 2:
            return chain
        return tuple(sorted(chain, key=lambda model_id: self.registry[model_id].local))

    def _perhaps_next(self) -> list[Candidate]:
        """Whom the turn may go on to from an answer; in a chain the user named, only its next."""
        if self._left <= 0 or self.decision.pinned:
            return []
        ahead = [c for c in self._candidates(self._ahead()) if self.turn.is_open(c.model)]
        return ahead[:1] if self.decision.asked.chain else ahead

    def _candidates(self, model_ids: tuple[str, ...]) -> list[Candidate]:
        return [c for model_id in model_ids if (c := self.decision.candidate(model_id)) is not None]

    def _next_after(self, tried: Tried, error: TurnError) -> str | None:
        """The next model of the chain, for a failure: one that can be expected not to fail the same way."""
        if self.decision.pinned and not self.decision.asked.backed:
            return None
        for model_id in self._ahead():
            if not self.turn.is_open(model_id):
                continue
            model, before = self.registry[model_id], self.registry[tried.attempt.model]
            if error.kind is ErrorKind.CONTEXT_WINDOW and not _longer(model.context_window, before.context_window):
                continue
            return model_id
        return None

    def _stand_ins(self, model: str) -> list[Candidate]:
        """Who may take the place of this one where its call does not fit. In place of what was to be gone on to from a
        weak answer only somebody who is worth going on to as well."""
        chain = self.decision.chain
        if self.decision.pinned or model not in chain:
            return []
        after = self._candidates(chain[chain.index(model) + 1 :])
        return [c for c in after if self.turn.is_open(c.model) and self._stands_in(c)]

    def _ways_out(self) -> WaysOut:
        ways = self.policy.on_exhausted
        if self.turn.answers and not {WayOut.CHEAPEST, WayOut.LOCAL} & set(ways):
            # The walk goes on as planned, without the step that is too dear.
            return (*ways[:-1], WayOut.CHEAPEST, WayOut.REFUSE)
        return ways

    def _stands_in(self, candidate: Candidate) -> bool:
        last = self.turn.answers[-1] if self.turn.answers else None
        if last is None or last.error is not None or self.decision.asked.chain:
            return True
        doubt = self._doubt(last)
        return goes_on(doubt, onward(doubt, candidate, self.weights))

    # Several models at once

    async def _ensemble(self) -> Completed | Failed:
        turn, chain, dear = self.turn, self.decision.chain, self.decision.left_out
        wanted = [(model_id, Cause.ENSEMBLE) for model_id in chain if model_id not in dear]
        members = await turn.granted(wanted)
        while not members and await turn.wait_for_room():
            members = await turn.granted(wanted)
        turn.answers += await turn.side_by_side(members, self.enough)
        finished = [tried for tried in turn.answers if tried.error is None]
        if being_cancelled() or not finished:
            return self._end()
        settled = await Settling(turn).settle(finished)
        if being_cancelled():
            return self._end()
        await self.emit(settled.verdict)
        silent = len(chain) - len(finished)
        note = f"{silent} of {len(chain)} members gave no answer" if silent else ""
        whys = [f"{model_id} {why}" for model_id, why in dear.items()]
        whys += [refused(turn.refusal).message] if turn.refusal is not None else []
        if note and whys:
            note += f": {', '.join(whys)}"
        note = "; ".join(filter(None, (flaw(settled.answer), settled.note, note)))
        return completed(self.decision, settled.answer, turn.everything, self.clock.now(), turn.elapsed_s, note)

    # Telling

    def _emit_after_escalation(self, to: str) -> Emit:
        """Says with the first event of an attempt that the turn went on to it: one that is refused never begins."""
        if not self.turn.answers or self.turn.answers[-1].attempt.model == to:
            return self.emit
        before = self.turn.answers[-1]
        untold = [True]

        async def emit(event: Event) -> None:
            if untold:
                untold.pop()
                way = onward(self._doubt(before), self.turn.candidate(to), self.weights) if not before.error else None
                await self._tell_escalation(before, way, to)
            await self.emit(event)

        return emit

    async def _tell_escalation(self, before: Tried, way: Onward | None, to: str = "") -> None:
        if way is not None:
            way = replace(way, taken=True)
            self.turn.revise(revised(before, onward=way))
        cause, detail = why_escalated(before, self.policy.confidence_threshold, way)
        to_model = way.model if way is not None else to
        await self.emit(
            Escalated(self.request.id, self.clock.now(), before.attempt.model, to_model, cause, detail, way)
        )

    def _end(self) -> Completed | Failed:
        # A pinned model's answer is what was asked for, however sure it is.
        as_it_is = self.decision.pinned or self.request.continues or self.request.judges
        policy = replace(self.policy, confidence_threshold=0.0) if as_it_is else self.policy
        turn, now = self.turn, self.clock.now()
        if turn.unkept is not None and not turn.answers and not being_cancelled():
            return self._failed(Unrecorded.since(turn.unkept))
        return conclusion(
            self.decision, turn.answers, turn.checks, turn.refusal, policy, being_cancelled(), now, turn.elapsed_s
        )

    def _failed(self, error: TurnError) -> Failed:
        turn, now = self.turn, self.clock.now()
        return failed(self.request.id, error, turn.answers, turn.checks, now, turn.elapsed_s)


def _first(request: Request) -> Cause:
    if request.judges:
        return Cause.JUDGE
    return Cause.SYNTHESIS if request.puts_together else Cause.FIRST


def _longer(window: int | None, than: int | None) -> bool:
    return window is None or than is None or window > than
