"""One turn: decide, try, retry, fall back, escalate, and end with exactly one answer or one error."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from .budget import Budgets, Cap, Refusal, caps_for
from .calling import Caller, Emit, Granted, Tried
from .cancelling import being_cancelled, heed, undisturbed
from .decision import Candidate, Decision, Policy
from .ensemble import Answer, weighted
from .errors import BadRequest, Cancelled, ErrorKind, TurnError
from .events import Cause, Completed, Decided, Escalated, Event, Failed, FinishReason, Next
from .model import Registry
from .received import Plan
from .request import Request, Strategy
from .telling import completed, conclusion, ended, failed, flaw, no_model, refused, verdict, why_escalated


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
        registry: Registry,
        policy: Policy,
        budgets: Budgets,
        caller: Caller,
        emit: Emit,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.request = request
        self.decision = decision
        self.registry = registry
        self.policy = policy
        self.budgets = budgets
        self.caller = caller
        self.clock = caller.clock
        self.emit = emit
        self.jitter = jitter
        self.began = self.clock.monotonic()
        self.tried: list[Tried] = []
        self.started = 0
        self.retries: dict[str, int] = {}
        self.refusal: Refusal | None = None
        self.shut_providers: set[str] = set()
        """Those whose key was not accepted in this turn."""

    async def run(self) -> None:
        """Emits the whole turn. Trouble ends in a Failed event; only bugs are raised."""
        try:
            await self.emit(Decided(self.request.id, self.clock.now(), self.decision))
            await undisturbed(self.caller.ledger.decided(self.decision, self.request, self.clock.now()))
            heed()
            if not self.request.prompt.strip() and not self.request.has_images:
                end: Completed | Failed = self._failed(BadRequest("The prompt is empty.", hint="Type a question."))
            elif self.decision.model is None:
                end = self._failed(no_model(self.decision))
            elif self.decision.strategy is Strategy.ENSEMBLE and not self.decision.pinned:
                end = await self._ensemble()
            else:
                end = await self._single()
        except asyncio.CancelledError:
            end = self._failed(Cancelled())
        await undisturbed(self.caller.ledger.concluded(end))
        await self.emit(end)

    # One model at a time

    async def _single(self) -> Completed | Failed:
        model, cause, pause = self.decision.model, Cause.FIRST, 0.0
        while model is not None:
            plan = self._plan(model, cause, pause)
            outcome = await self.caller.attempt(plan, self._emit_after_escalation(model))
            if isinstance(outcome, Refusal):
                self.refusal = outcome
                model = self._another_within_budget(model)
                continue
            self.tried.append(outcome)
            if outcome.error is not None and _shuts_the_provider(outcome.error):
                self.shut_providers.add(outcome.attempt.provider)
            step = self._after(outcome)
            await self._tell(outcome, step.next)
            model, cause, pause = step.model, step.cause, step.pause_s
        return self._end()

    def _plan(self, model_id: str, cause: Cause, pause_s: float = 0.0) -> Plan:
        self.started += 1
        candidate = self.decision.candidate(model_id)
        assert candidate is not None, f"{model_id} is in the chain but was never weighed"
        model = self.registry[model_id]
        return Plan(self.request, self.decision, model, candidate, self.started, cause, self._caps(model_id), pause_s)

    def _caps(self, model_id: str) -> tuple[Cap, ...]:
        return caps_for(self.request, self.registry[model_id], self.budgets, self.clock.today())

    def _after(self, tried: Tried) -> Step:
        """What follows: nothing, the same model again, or the next one."""
        if being_cancelled() or (tried.error is not None and tried.error.kind is ErrorKind.CANCELLED):
            return Step(Next.GIVE_UP)
        left = self.policy.max_attempts - len(self.tried)
        if tried.error is not None:
            return self._after_error(tried, tried.error, left)
        assert tried.confidence is not None
        if tried.confidence.value >= self.policy.confidence_threshold or self.decision.pinned or left <= 0:
            return Step(Next.GIVE_UP)
        better = self._as_sure_as(tried.attempt.model)
        return Step(Next.FALLBACK, better, Cause.ESCALATION) if better else Step(Next.GIVE_UP)

    def _after_error(self, tried: Tried, error: TurnError, left: int) -> Step:
        if left <= 0:
            return Step(Next.GIVE_UP)
        model, other = tried.attempt.model, self._next_after(tried, error)
        retries = self.policy.retries
        used = self.retries.get(model, 0)
        if error.retryable and used < retries.per_model:
            pause = self._back_off(error, used)
            # A route that stood still in silence is not tried again while there is another one.
            patient = other is None or (pause <= retries.patience and error.kind is not ErrorKind.TIMEOUT)
            if pause <= retries.retry_after_cap and patient and self._healthy(model, pause):
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

    def _open(self, model_id: str) -> bool:
        """Whether the walk may still go to this model: not tried, its key not refused, not cooling down since."""
        if any(tried.attempt.model == model_id for tried in self.tried):
            return False
        model = self.registry.get(model_id)
        if model is None or model.provider in self.shut_providers:
            return False
        return self._healthy(model_id)

    def _healthy(self, model_id: str, in_s: float = 0.0) -> bool:
        model, then = self.registry[model_id], self.clock.monotonic() + in_s
        return self.caller.circuits.health(model.id, model.provider, then).out is None

    def _ahead(self) -> tuple[str, ...]:
        """The chain as it is walked from here: `local_first` goes to the cloud after two local failures."""
        chain = self.decision.chain
        failures = sum(self.registry[tried.attempt.model].local for tried in self.tried)
        if self.decision.strategy is not Strategy.LOCAL_FIRST or failures < 2:
            return chain
        return tuple(sorted(chain, key=lambda model_id: self.registry[model_id].local))

    def _next_after(self, tried: Tried, error: TurnError) -> str | None:
        """The next model of the chain, for a failure: one that can be expected not to fail the same way."""
        if self.decision.pinned:
            return None
        for model_id in self._ahead():
            if not self._open(model_id):
                continue
            model, failed = self.registry[model_id], self.registry[tried.attempt.model]
            if error.kind is ErrorKind.CONTEXT_WINDOW and not _longer(model.context_window, failed.context_window):
                continue
            return model_id
        return None

    def _as_sure_as(self, model_id: str) -> str | None:
        """The next model of the chain that is at least as likely to answer well: the weak answer spoke against this one
        alone. In a chain the user named: simply the next."""
        current = self.decision.candidate(model_id)
        assert current is not None
        for candidate in self._candidates(self._ahead()):
            as_sure = candidate.success_probability >= current.success_probability
            if self._open(candidate.model) and (as_sure or bool(self.decision.asked.chain)):
                return candidate.model
        return None

    def _candidates(self, model_ids: tuple[str, ...]) -> list[Candidate]:
        return [c for model_id in model_ids if (c := self.decision.candidate(model_id)) is not None]

    def _another_within_budget(self, refused: str) -> str | None:
        """After a refused reservation: nothing was started, so the number of the attempt is given back."""
        self.started -= 1
        assert self.refusal is not None
        if self.decision.pinned or (not self.tried and not self._may_stand_in()):
            return None
        seen = self.decision.chain.index(refused) if refused in self.decision.chain else -1
        for candidate in self._candidates(self.decision.chain[seen + 1 :]):
            fits = candidate.cost_ceiling is not None and candidate.cost_ceiling < self.refusal.hold.amount
            allowed = candidate.local or self.policy.on_exhausted.value != "local"
            if fits and allowed and self._open(candidate.model):
                return candidate.model
        return None

    def _may_stand_in(self) -> bool:
        return self.policy.on_exhausted.value != "refuse"

    # Several models at once

    async def _ensemble(self) -> Completed | Failed:
        members = await self._members()
        tasks = [asyncio.create_task(self._member(plan, granted)) for plan, granted in members]
        try:
            # Each begins, so that each can end in order, also when the turn is being cancelled already.
            await asyncio.sleep(0)
            heed()
            await asyncio.gather(*tasks, return_exceptions=True)
        except asyncio.CancelledError:
            # Each member books itself and says that it was cancelled, then the turn ends.
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self.tried += [task.result() for task in tasks]
        finished = [tried for tried in self.tried if tried.error is None]
        if being_cancelled() or not finished:
            return self._end()
        judgement = weighted([self._answer(tried) for tried in finished], self.decision.profile)
        await self.emit(verdict(self.request.id, self.clock.now(), judgement))
        winner = next(tried for tried in finished if tried.attempt.number == judgement.winner)
        wanted = len(self.decision.chain)
        silent = wanted - len(finished)
        note = f"{silent} of {wanted} members gave no answer" if silent else ""
        if note and self.refusal is not None:
            note += f": {refused(self.refusal).message}"
        note = "; ".join(filter(None, (flaw(winner), note)))
        return completed(self.decision, winner, self.tried, self.clock.now(), self._elapsed(), note)

    async def _members(self) -> list[tuple[Plan, Granted]]:
        """Those whose money could be set aside, numbered without a gap."""
        members = []
        for model_id in self.decision.chain:
            plan = self._plan(model_id, Cause.ENSEMBLE)
            granted = await self.caller.reserve(plan)
            if isinstance(granted, Granted):
                members.append((plan, granted))
            else:
                self.refusal = granted
                self.started -= 1
        return members

    async def _member(self, plan: Plan, granted: Granted) -> Tried:
        tried = await self.caller.call(plan, granted, self.emit)
        await self._tell(tried, Next.GIVE_UP)
        return tried

    def _answer(self, tried: Tried) -> Answer:
        candidate = self.decision.candidate(tried.attempt.model)
        assert candidate is not None
        return Answer(
            tried.attempt.number,
            tried.attempt.model,
            tried.text,
            tried.confidence.value if tried.confidence else 0.0,
            candidate.success_probability,
            tried.attempt.finish_reason or FinishReason.OTHER,
        )

    # Telling

    async def _tell(self, tried: Tried, following: Next) -> None:
        for event in ended(tried, following, self.clock.now()):
            await self.emit(event)

    def _emit_after_escalation(self, to: str) -> Emit:
        """Says with the first event of an attempt that the turn went on to it: one that is refused never begins."""
        if not self.tried or self.tried[-1].attempt.model == to:
            return self.emit
        before = self.tried[-1]
        cause, detail = why_escalated(before, self.policy.confidence_threshold)
        untold: list[Event] = [Escalated(self.request.id, self.clock.now(), before.attempt.model, to, cause, detail)]

        async def emit(event: Event) -> None:
            while untold:
                await self.emit(untold.pop())
            await self.emit(event)

        return emit

    def _end(self) -> Completed | Failed:
        # A pinned model's answer is what was asked for, however sure it is.
        policy = replace(self.policy, confidence_threshold=0.0) if self.decision.pinned else self.policy
        return conclusion(
            self.decision, self.tried, self.refusal, policy, being_cancelled(), self.clock.now(), self._elapsed()
        )

    def _failed(self, error: TurnError) -> Failed:
        return failed(self.request.id, error, self.tried, self.clock.now())

    def _elapsed(self) -> float:
        return self.clock.monotonic() - self.began


def _shuts_the_provider(error: TurnError) -> bool:
    """A key that was not accepted, or an account without credit: its other models would answer the same."""
    return error.kind is ErrorKind.AUTHENTICATION or error.status == 402


def _longer(window: int | None, than: int | None) -> bool:
    return window is None or than is None or window > than
