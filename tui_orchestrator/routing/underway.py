"""A turn under way, as its walk, its checks and its members share it: numbers, reservations, calls, their outcomes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from .budget import Budgets, Cap, GoOn, Refusal, Shortage, WayOut, caps_for
from .calling import Caller, Emit, Granted, Tried
from .cancelling import heed
from .deadline import Deadline
from .decision import Candidate, Decision, Exclusion, Policy
from .errors import ON_TRIAL_S, ErrorKind, NotKept
from .events import Cause, Completed, Next, Waiting
from .health import FOR_THE_USER
from .model import Registry
from .money import ZERO, Money
from .received import Plan
from .request import Request
from .telling import ended

MakeRoom = Callable[[Shortage], Awaitable[Budgets | GoOn | None]]
"""Waits until a call may fit that did not: the budgets from then on. Anything else: it is refused."""


class Numbers:
    """Of a turn's attempts, from 1. One that was never started gives its number back; where others have begun meanwhile
    it stays unused."""

    def __init__(self, taken: int = 0) -> None:
        self.taken = taken

    def take(self) -> int:
        self.taken += 1
        return self.taken

    def give_back(self, number: int) -> None:
        if number == self.taken:
            self.taken -= 1


@dataclass(frozen=True, slots=True)
class Means:
    """What a turn is run with, as it stands when the turn begins."""

    registry: Registry
    policy: Policy
    budgets: Budgets
    caller: Caller


class Underway:
    """Made for one turn. `answers` are what the turn may end with, `checks` what was called to check them."""

    def __init__(
        self,
        request: Request,
        decision: Decision,
        means: Means,
        emit: Emit,
        make_room: MakeRoom | None = None,
        numbers: Numbers | None = None,
    ) -> None:
        """`numbers`: of several walks that are one turn together."""
        self.request = request
        self.decision = decision
        self.registry = means.registry
        self.policy = means.policy
        self.budgets = means.budgets
        self.caller = means.caller
        self.emit = emit
        self.make_room = make_room
        self.clock = means.caller.clock
        self.began = self.clock.monotonic()
        self.deadline = Deadline(means.caller.timeouts.turn)
        self.numbers = numbers or Numbers()
        self.answers: list[Tried] = []
        self.checks: list[Tried] = []
        self.refusal: Refusal | None = None
        """The last answer that could not be had for its price."""
        self.unkept: NotKept | None = None
        """What could not be written down of the turn, last."""
        self.shut_providers: set[str] = set()
        """Those whose key was not accepted in this turn."""

    def plan(self, model_id: str, cause: Cause, pause_s: float = 0.0, *, fewer_tokens: bool | None = None) -> Plan:
        """Takes the next number, which is given back where it is never started. `fewer_tokens` None: as the user's
        ways out say."""
        candidate = self.decision.candidate(model_id)
        assert candidate is not None, f"{model_id} is in the chain but was never weighed"
        model = self.registry[model_id]
        if fewer_tokens is None:
            fewer_tokens = WayOut.FEWER_TOKENS in self.policy.on_exhausted
        caps = self._caps(model_id)
        return Plan(
            self.request,
            self.decision,
            model,
            candidate,
            self.numbers.take(),
            cause,
            caps,
            self.deadline,
            pause_s,
            fewer_tokens,
        )

    def _caps(self, model_id: str) -> tuple[Cap, ...]:
        return caps_for(self.request, self.registry[model_id], self.budgets, self.clock.today())

    async def wait_for_room(self) -> bool:
        """Whether the user made room for the call that was refused. Without anybody to ask the refusal stands."""
        refusal = self.refusal
        if self.make_room is None or refusal is None:
            return False
        await self.emit(waiting_for_room(self.request, self.clock.now(), self.numbers.taken + 1))
        heed()
        shortage = Shortage(
            *(refusal.hold.model, refusal.hold.amount, refusal.blocking, refusal.least), request_id=self.request.id
        )
        asked = asyncio.get_running_loop().time()
        budgets = await self.make_room(shortage)
        self.deadline.put_off(asyncio.get_running_loop().time() - asked)
        if not isinstance(budgets, Budgets):
            return False
        self.budgets, self.refusal = budgets, None
        return True

    # Who may be asked

    def is_open(self, model_id: str) -> bool:
        """Whether the turn may still go to this model: not asked, its key not refused, not cooling down since."""
        if any(tried.attempt.model == model_id for tried in (*self.answers, *self.checks)):
            return False
        model = self.registry.get(model_id)
        if model is None or model.provider in self.shut_providers:
            return False
        return self.is_healthy(model_id)

    def is_healthy(self, model_id: str, in_s: float = 0.0) -> bool:
        model, then = self.registry[model_id], self.clock.monotonic() + in_s
        return self.caller.circuits.health(model.id, model.provider, then).out is None

    def left_s(self, candidate: Candidate) -> float | None:
        """Until it may be asked, where it is out for a time only; None where somebody has to mend it."""
        model, now, caller = self.registry[candidate.model], self.clock.monotonic(), self.caller
        if candidate.excluded_by is Exclusion.RATE_LIMITED:
            tokens = caller.estimates.bound(model.id, self.decision.profile) + candidate.max_tokens
            return caller.limits.wait_s(model, tokens, now)
        health = caller.circuits.health(model.id, model.provider, now)
        if health.state in FOR_THE_USER:
            return None
        return ON_TRIAL_S if health.out is not None and health.seconds_left is None else health.seconds_left or 0.0

    def heed_failure(self, tried: Tried) -> None:
        """A key that was not accepted, or an account without credit: its other models would answer the same."""
        error = tried.error
        if error is not None and (error.kind is ErrorKind.AUTHENTICATION or error.status == 402):
            self.shut_providers.add(tried.attempt.provider)

    def candidate(self, model_id: str) -> Candidate:
        candidate = self.decision.candidate(model_id)
        assert candidate is not None
        return candidate

    # Calls

    async def attempt(self, plan: Plan, emit: Emit | None = None) -> Tried | Refusal | None:
        """One call. Refusal: it does not fit into a budget; None: it could not be written down. Neither was started."""
        try:
            given = await self.caller.attempt(plan, emit or self.emit)
        except NotKept as fault:
            self.unkept, given = fault, None
        if not isinstance(given, Tried):
            self.numbers.give_back(plan.number)
        return given

    async def granted(self, plans: Sequence[tuple[str, Cause]]) -> list[tuple[Plan, Granted]]:
        """Those whose money could be set aside, numbered without a gap. `refusal` holds the last one that could not."""
        members = []
        for model_id, cause in plans:
            plan = self.plan(model_id, cause)
            try:
                granted = await self.caller.reserve(plan)
            except NotKept as fault:
                self.unkept = fault
                self.numbers.give_back(plan.number)
                break
            if isinstance(granted, Granted):
                members.append((plan, granted))
            else:
                self.refusal = granted
                self.numbers.give_back(plan.number)
        return members

    async def side_by_side(
        self, members: Sequence[tuple[Plan, Granted]], enough: asyncio.Event | None = None
    ) -> list[Tried]:
        """All at once; each is told and booked by itself. Cancelling the task cancels each of them, in order; `enough`
        cancels those that are still at work as soon as one has answered."""
        tasks = [asyncio.create_task(self._one(plan, granted)) for plan, granted in members]
        try:
            # Each begins, so that each can end in order, also when the turn is being cancelled already.
            await asyncio.sleep(0)
            heed()
            await _done(tasks, enough or asyncio.Event())
        except asyncio.CancelledError:
            # Each member books itself and says that it was cancelled, then the turn ends.
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return [task.result() for task in tasks]

    async def _one(self, plan: Plan, granted: Granted) -> Tried:
        tried = await self.caller.call(plan, granted, self.emit)
        await self.tell(tried, Next.GIVE_UP)
        return tried

    async def tell(self, tried: Tried, following: Next) -> None:
        self.unkept = tried.unkept or self.unkept
        for event in ended(tried, following, self.clock.now()):
            await self.emit(event)

    async def keep(self, end: Completed) -> None:
        """For when the same is asked again: the answer the turn ends with, and a second opinion that agrees with it.
        Answers that were gone on from, and those of an ensemble, are not kept."""
        agreeing = {
            number
            for attempt in end.attempts
            if attempt.number == end.attempt
            for finding in attempt.findings
            if finding.how is Cause.SECOND_OPINION and finding.agrees
            for number in finding.attempts
        }
        for tried in self.everything:
            if tried.attempt.number in {end.attempt, *agreeing}:
                await self.caller.keep(tried)

    # What it has come to

    @property
    def everything(self) -> list[Tried]:
        return [*self.answers, *self.checks]

    @property
    def spent(self) -> Money | None:
        """None as soon as one attempt's cost is not known."""
        costs = [tried.attempt.cost.amount for tried in self.everything]
        if any(cost is None for cost in costs):
            return None
        return sum((cost for cost in costs if cost is not None), ZERO)

    @property
    def elapsed_s(self) -> float:
        return self.clock.monotonic() - self.began

    def revise(self, tried: Tried) -> None:
        """Puts it in the place of the answer with its number."""
        numbers = [answer.attempt.number for answer in self.answers]
        self.answers[numbers.index(tried.attempt.number)] = tried


async def _done(tasks: Sequence[asyncio.Task[Tried]], enough: asyncio.Event) -> None:
    """Waits for all, or until `enough` is set and one has answered: the others are then cancelled and waited for."""
    told = asyncio.create_task(enough.wait())
    try:
        while running := [task for task in tasks if not task.done()]:
            if enough.is_set() and any(map(_answered, tasks)):
                for task in running:
                    task.cancel()
                break
            watched: list[asyncio.Task[Any]] = [*running] if told.done() else [*running, told]
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        told.cancel()


def _answered(task: asyncio.Task[Tried]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None and task.result().error is None


def waiting_for_room(request: Request, at: datetime, attempt: int) -> Waiting:
    """The turn waits for the user to raise a cap or not, or for what other calls have set aside; `attempt` is the one
    that does not fit."""
    return Waiting(request.id, at, attempt, 0.0, "money of other calls" if request.unattended else "budget")


def revised(tried: Tried, **changes: object) -> Tried:
    """With these fields of its row changed, and the row's confidence as `tried` has it."""
    confidence = tried.confidence
    known = {} if confidence is None else {"confidence": confidence.value, "reasons": confidence.reasons}
    return replace(tried, attempt=replace(tried.attempt, **{**known, **changes}))  # type: ignore[arg-type]
