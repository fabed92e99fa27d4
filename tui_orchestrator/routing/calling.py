"""One attempt: wait in line, reserve, stream within the deadlines, and book it whatever happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from .added import AnswerCheck
from .answer_key import Question, question
from .budget import BudgetState, Hold, Refusal, Reservation, least_output
from .cancelling import closed, heed, undisturbed
from .deadline import Limit
from .errors import Cancelled, NotKept, StreamBroken, TurnError, Unrecorded
from .estimates import TokenEstimates
from .events import (
    Attempt,
    AttemptStarted,
    Cause,
    Confidence,
    Event,
    FinishReason,
    Reserved,
    Text,
    Thinking,
    Waiting,
)
from .health import Begun
from .line import Line
from .money import ZERO
from .ports import (
    AnswerCache,
    CachedAnswer,
    Call,
    CallPiece,
    Clock,
    Done,
    Ledger,
    Piece,
    Provider,
    SharedLine,
    TextPiece,
    ThinkingPiece,
    Timeouts,
    UsageSoFar,
)
from .profile import TaskType
from .ratelimit import RateLimits
from .received import Plan, Received, called, from_cache, if_lost, recalled, row, to_cache
from .room import Room
from .sharing import Sharing
from .tools import ToolCall
from .trusting import trust

Emit = Callable[[Event], Coroutine[Any, Any, None]]
_ALWAYS_ASKED = (Cause.ENSEMBLE, Cause.SYNTHESIS, Cause.PART, Cause.SAMPLE, Cause.JUDGE)
"""Answers that are to differ, and those about another answer, are neither taken from the cache nor kept."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of an attempt. Exactly one of `confidence` and `error` is set; a judge's has no confidence."""

    attempt: Attempt
    text: str
    confidence: Confidence | None
    error: TurnError | None
    states: tuple[BudgetState, ...]
    to_keep: tuple[Question, CachedAnswer] | None = None
    """Of a whole answer that may be given again, if the turn ends with it: for `Caller.keep`."""
    unkept: NotKept | None = None
    """Why its row could not be written."""
    calls: tuple[ToolCall, ...] = ()
    """Of tools."""
    served_by: str = ""
    """The model that actually answered, where the provider names it."""
    told: str = ""
    """What the user should know of what its provider counted."""

    @property
    def shown(self) -> bool:
        """Something of it was told."""
        return bool(self.text or self.calls)


@dataclass(frozen=True, slots=True)
class Granted:
    """A call whose money is set aside. To be given to `Caller.attempt`, which alone frees the reservation."""

    reservation: Reservation
    call: Call


class Caller:
    """Makes calls. Holds no state of a turn."""

    def __init__(
        self,
        providers: Callable[[str], Provider],
        ledger: Ledger,
        clock: Clock,
        sharing: Sharing,
        limits: RateLimits,
        timeouts: Timeouts,
        cache: AnswerCache | None = None,
        address: Callable[[str], str | None] = lambda provider: None,
        shared_line: SharedLine | None = None,
    ) -> None:
        """`address`: a provider's protocol and base URL, which tell two servers of one name apart in the cache.
        `shared_line`: where several copies of the program keep to one rate limit together."""
        self.providers = providers
        self.ledger = ledger
        self.clock = clock
        self.sharing = sharing
        self.circuits = sharing.circuits
        self.limits = limits
        self.timeouts = timeouts
        self.cache = cache
        self.address = address
        self.line = Line(limits, clock, shared_line)
        self.estimates = TokenEstimates()
        self.room = Room()
        self._called: set[str] = set()
        """Providers, whose SDKs are there."""
        self.checks: Sequence[AnswerCheck] = ()
        """Of plugins: each looks at every finished answer."""

    async def reserve(self, plan: Plan) -> Granted | Refusal:
        """Sets aside the most the call can cost. A cancellation meanwhile is held back. Raises NotKept."""
        return await undisturbed(self._reserve(plan, self._call(plan)))

    def regranted(self, plan: Plan, granted: Granted) -> Granted:
        """What was set aside for another call, for that of this plan, which is not longer."""
        call = self._call(plan)
        return replace(granted, call=replace(call, max_tokens=min(call.max_tokens, granted.call.max_tokens)))

    async def attempt(self, plan: Plan, emit: Emit) -> Tried | Refusal:
        """One call, from the cache where it may be. A Refusal means that nothing was started, and so does NotKept."""
        call = self._call(plan)
        asked = self._question(plan, call)
        if asked is not None and self.cache is not None and not plan.request.fresh:
            hit = await self.cache.get(asked)
            if hit is not None:
                return await self._from_cache(plan, hit, emit)
        granted = await self.reserve(plan)
        if isinstance(granted, Refusal):
            return granted
        # With fewer tokens than it asks for, as a tight budget left, it would be another question.
        return await self.call(plan, granted, emit, asked if granted.call == call else None)

    async def keep(self, tried: Tried) -> None:
        """Keeps an answer for when the same is asked again. Only the turn knows which one it stands by."""
        if tried.to_keep is not None and self.cache is not None:
            await undisturbed(self.cache.put(*tried.to_keep))

    async def call(self, plan: Plan, granted: Granted, emit: Emit, asked: Question | None = None) -> Tried:
        """Emits the attempt's events up to but without its end, which depends on what the turn does next.

        Cancellation books the attempt and comes back as a Tried whose error is Cancelled; `emit` must therefore put
        its event before it waits for anything. `asked`: what a whole answer may be kept as an answer to.
        """
        reservation, call = granted.reservation, granted.call
        received = Received(
            most=call.max_tokens,
            window=plan.model.context_window,
            input_tokens=self.estimates.input(plan.model.id, plan.decision.profile),
            count=partial(self.estimates.output, plan.model.id),
        )
        started, began = self.clock.now(), self.clock.monotonic()
        error: TurnError | None = None
        begun: Begun | None = None
        try:
            await emit(Reserved(plan.request.id, started, plan.number, reservation.hold.amount, reservation.states))
            await emit(
                AttemptStarted(plan.request.id, started, plan.number, plan.model.id, plan.model.provider, plan.cause)
            )
            heed()
            begun = await self.sharing.begin(plan.model.id)
            at_once = reservation.hold.at_once and self._goes_at_once(plan)
            if reservation.hold.at_once and not at_once:
                await undisturbed(self.ledger.held_up(reservation))
            async with AsyncExitStack() as held:
                async with plan.deadline.within():
                    await self._wait_in_line(plan, call, received, held, emit)
                if not at_once:
                    await undisturbed(self.ledger.sent(reservation))
                heed()
                began = self.clock.monotonic()
                await self._read(plan, call, received, emit)
        except (TurnError, NotKept) as fault:
            error = Unrecorded.since(fault) if isinstance(fault, NotKept) else fault
        except asyncio.CancelledError:
            error = Cancelled()
        finally:
            # Also for a bug that is on its way out: what was sent was paid for.
            tried = await self._book(plan, received, reservation, error, started, began, begun)
        if asked is not None and self._worth_keeping(tried):
            answer = to_cache(plan.model, received, tried.attempt, self.clock.now())
            tried = replace(tried, to_keep=(asked, answer))
        return tried

    def _call(self, plan: Plan) -> Call:
        request, decision = plan.request, plan.decision
        asked = decision.max_tokens or plan.candidate.max_tokens
        return Call(
            model=plan.model,
            messages=request.messages,
            system=request.system or decision.system or "",
            max_tokens=min(asked, plan.candidate.max_tokens),
            temperature=request.temperature if request.temperature is not None else decision.temperature,
            timeouts=self.timeouts,
            tools=request.tools,
            tool_choice=request.tool_choice,
            shape=request.shape,
        )

    def _question(self, plan: Plan, call: Call) -> Question | None:
        """As the cache knows the call; None where it is to be left out."""
        wanted = False if plan.request.temporary else plan.request.use_cache
        if self.cache is None or wanted is False or plan.cause in _ALWAYS_ASKED:
            return None
        if wanted is None and call.temperature != 0:
            return None
        # Who asks for a poem twice in other words wants two poems.
        nearly = wanted is True or plan.decision.profile.task_type is not TaskType.CREATIVE
        return question(call, self.address(plan.model.provider), nearly=nearly)

    @staticmethod
    def _worth_keeping(tried: Tried) -> bool:
        """Whole, and neither a refusal nor nothing."""
        whole = tried.attempt.finish_reason is FinishReason.STOP and bool(tried.text.strip())
        return whole and tried.confidence is not None and tried.confidence.cause is None

    def _goes_at_once(self, plan: Plan) -> bool:
        """Whether there is nothing to wait for as far as can be seen."""
        waits = plan.pause_s > 0 or self.limits.limited(plan.model) or self.limits.busy(plan.model)
        return not waits and plan.model.provider in self._called

    async def _wait_in_line(self, plan: Plan, call: Call, received: Received, held: AsyncExitStack, emit: Emit) -> None:
        """Until the call may be sent. `held` keeps its places; one that it did not use is given back."""
        await self._pause(plan, plan.pause_s, "back-off", emit)
        tokens = self.estimates.bound(plan.model.id, plan.decision.profile) + call.max_tokens
        seconds = await self.line.stand(plan.model, tokens, held, lambda: received.sent is not None)
        await self._pause(plan, seconds, "rate limit", emit)
        if self.limits.busy(plan.model):
            await emit(Waiting(plan.request.id, self.clock.now(), plan.number, 0.0, "a free place"))
        await self.providers(plan.model.provider).ready()
        self._called.add(plan.model.provider)
        await held.enter_async_context(self.limits.one_of_many(plan.model))

    async def _pause(self, plan: Plan, seconds: float, why: str, emit: Emit) -> None:
        if seconds > 0:
            await emit(Waiting(plan.request.id, self.clock.now(), plan.number, seconds, why))
            heed()
            await self.clock.sleep(seconds)

    async def _reserve(self, plan: Plan, call: Call) -> Granted | Refusal:
        """The most the call can cost, set aside; with fewer output tokens where only that fits and is allowed."""
        price = plan.model.price and plan.model.price.on(self.clock.now())
        bound = self.estimates.bound(plan.model.id, plan.decision.profile)
        lost = if_lost(plan, price, self.estimates.input(plan.model.id, plan.decision.profile))
        least = least_output(call.max_tokens, plan.decision.profile.output_tokens)
        refusal: Refusal | None = None
        # Another process may take the room between two tries; after three the answer is no.
        for _ in range(3):
            amount = ZERO if price is None else price.ceiling(bound, call.max_tokens)
            whose = plan.request.id, plan.number, plan.model.provider, plan.model.id
            hold = Hold(*whose, amount, plan.caps, lost, self._goes_at_once(plan))
            granted = await self.ledger.reserve(hold)
            if isinstance(granted, Reservation):
                self.room.taken(granted.id)
                return Granted(granted, call)
            refusal = granted
            room = granted.blocking.left
            if price is None or room is None or not plan.fewer_tokens:
                break
            affordable = price.affordable_output(bound, room)
            if affordable < least or affordable >= call.max_tokens:
                break
            call = replace(call, max_tokens=affordable)
        assert refusal is not None
        return replace(refusal, least=price.ceiling(bound, least)) if price and plan.fewer_tokens else refusal

    async def _read(self, plan: Plan, call: Call, received: Received, emit: Emit) -> None:
        """Reads the provider's stream to its end. Every wait has a deadline of its own, all share the attempt's total,
        and all attempts the turn's."""
        provider = self.providers(plan.model.provider)
        pieces = provider.stream(call)
        received.sent = self.clock.monotonic()
        loop, limit, heard = asyncio.get_running_loop(), Limit(), received.heard
        end = (since := loop.time()) + call.timeouts.total
        try:
            while received.done is None:
                patience = call.timeouts.first_token if received.first is None else call.timeouts.between_tokens
                heed()
                until = min(since + patience, end, plan.deadline.at)
                try:
                    try:
                        async with limit.until(until, min(patience, end - until, plan.deadline.at - until)):
                            piece = await anext(pieces)
                    finally:
                        since, end = since + limit.stood_still, end + limit.stood_still
                        plan.deadline.put_off(limit.stood_still)
                except StopAsyncIteration:
                    raise StreamBroken() from None
                except TimeoutError:
                    raise plan.deadline.too_late(limit.at, end, call.timeouts, first=received.first is None) from None
                if (event := self._take(plan, piece, received)) is not None:
                    told = loop.time()
                    await emit(event)
                    # How long a slow reader holds the stream back is not the provider's fault.
                    held_back = loop.time() - told
                    since, end = since + held_back, end + held_back
                    plan.deadline.put_off(held_back)
                if received.heard != heard:
                    since, heard = loop.time(), received.heard
        finally:
            limit.close()
            await closed(pieces)

    def _take(self, plan: Plan, piece: Piece, received: Received) -> Event | None:
        """What is to be told of it."""
        now, at = self.clock.monotonic(), self.clock.now()
        match piece:
            case TextPiece() | ThinkingPiece():
                if text := received.hear(piece, now):
                    return (Text if isinstance(piece, TextPiece) else Thinking)(plan.request.id, at, plan.number, text)
            case CallPiece():
                return called(plan, at, received.call(piece, now))
            case UsageSoFar() as said:
                received.report(said)
            case Done() as done:
                if text := received.end(done, now):
                    return Text(plan.request.id, at, plan.number, text)
        return None

    async def _book(
        self,
        plan: Plan,
        received: Received,
        reservation: Reservation,
        error: TurnError | None,
        started: datetime,
        began: float,
        begun: Begun | None,
    ) -> Tried:
        now = self.clock.monotonic()
        confidence = await trust(plan, received, self.checks) if error is None else None
        attempt = row(plan, received, error, confidence, started, now - began)
        states, unkept = await self._booked(attempt, reservation)
        if received.done is not None and attempt.usage.source == "provider":
            self.estimates.learn(
                plan.model.id, plan.decision.profile, received.written, received.thinking, attempt.usage
            )
        await self.sharing.ended(plan.model, begun, error, now, whole=received.done is not None)
        return Tried(
            *(attempt, received.text, confidence, error, states),
            unkept=unkept,
            calls=received.calls,
            served_by=received.served_by,
            told=received.told_of_usage(plan.model.id, attempt.usage),
        )

    async def _booked(
        self, attempt: Attempt, reservation: Reservation | None
    ) -> tuple[tuple[BudgetState, ...], NotKept | None]:
        """What has come is not lost because it could not be written down."""
        try:
            return await undisturbed(self.ledger.book(attempt, reservation)), None
        except NotKept as fault:
            return (), fault
        finally:
            if reservation is not None:
                self.room.given_back(reservation.id)

    async def _from_cache(self, plan: Plan, hit: CachedAnswer, emit: Emit) -> Tried:
        started, began = self.clock.now(), self.clock.monotonic()
        received = from_cache(hit)
        events: list[Event] = [
            AttemptStarted(plan.request.id, started, plan.number, plan.model.id, plan.model.provider, plan.cause)
        ]
        if hit.thinking:
            events.append(Thinking(plan.request.id, started, plan.number, hit.thinking))
        events.append(Text(plan.request.id, started, plan.number, hit.text))
        for event in events:
            # Undisturbed, because the whole answer is here: cancelled or not, it is told and booked.
            await undisturbed(emit(event))
        confidence = await trust(plan, received, self.checks)
        booked = row(plan, received, None, confidence, started, self.clock.monotonic() - began)
        attempt = replace(booked, from_cache=True, saved=hit.cost, recalled=recalled(hit))
        states, unkept = await self._booked(attempt, None)
        return Tried(attempt, received.text, confidence, None, states, unkept=unkept)
