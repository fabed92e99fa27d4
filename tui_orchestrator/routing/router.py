"""The router: decides without a call, and runs turns. The one way to a model for every front end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any

from .budget import (
    Budgets,
    BudgetState,
    Cap,
    GoOn,
    Shortage,
    WayOut,
    alone,
    caps_for,
    input_bound,
    least_output,
    tightest,
    too_tight,
)
from .calling import Caller, Emit
from .cancelling import heed, undisturbed
from .decide import decide
from .decision import Candidate, Circumstances, Decision, Exclusion, Policy, Standing
from .division import Reading, divided, is_too_long, reading_of
from .errors import NotKept
from .events import Budget, Completed, Event, Failed, Reserved, Text, Thinking
from .experience import Experience
from .experiment import Experiment
from .fitting import MemberCall, fitted, members, none_asked, short_of_room, side_by_side
from .learning import Observation, Watching
from .model import Model, Registry
from .money import ZERO, Money
from .parted import PartedWalk
from .prefixes import Prefixes
from .profile import Profile
from .profiler import profile
from .request import Request, Split
from .room import InLine
from .rules import Rule
from .telling import not_kept
from .turn import Turn
from .underway import MakeRoom, Means, waiting_for_room
from .walk import Walk
from .weighing import asked_output

MOST_SUMS = 2_000
"""Spent and reserved, of requests, sessions and all caps: so many are remembered."""

Record = Callable[[Event], Coroutine[Any, Any, None] | None]

Room = tuple[Money | None, str]
"""The money a call may still use, None without a cap, and the scope of the cap that says so."""


class Router:
    """Everything but `caller` may be replaced between turns; a running turn keeps what it began with."""

    def __init__(
        self,
        caller: Caller,
        registry: Registry,
        policy: Policy,
        budgets: Budgets,
        rules: Sequence[Rule] = (),
        experience: Experience | None = None,
        listeners: Sequence[Callable[[Event], None]] = (),
    ) -> None:
        self.caller = caller
        self.registry = registry
        self.policy = replace(policy, on_exhausted=budgets.on_exhausted)
        self.budgets = budgets
        self.rules = tuple(rules)
        self.experience = experience or Experience()
        self.experiment: Experiment | None = None
        """The one that runs on the user's own turns."""
        self.prefixes = Prefixes()
        self.listeners = list(listeners)
        self.observers: list[Callable[[Sequence[Observation]], None]] = []
        """Given what each turn told of the models, once it has been learned from."""
        self.catch_up: list[Callable[[], Awaitable[None]]] = []
        """Called before each decision that is acted on: learn what other copies of the program have seen."""
        self.foretell: Callable[[Event], Event] | None = None
        """Given every event but pieces of an answer before anyone is told it; returns it, a `Budget` with its
        forecast."""
        self.ask_for_room: Callable[[Shortage], Awaitable[Money | GoOn | None]] | None = None
        """Called when a turn would end because a call does not fit into a budget, or leave out members of an ensemble.
        The turn waits for the answer: the cap's new limit for its period, to go on with the members that fit, or None
        to refuse. Without it every such call is refused, and an ensemble goes on with those that fit."""
        self._states: dict[tuple[str, str], BudgetState] = {}
        self._profiled: tuple[tuple[object, ...], Profile] | None = None
        """The last one, with all of its request that it rests on."""

    # Deciding

    def preview(self, request: Request) -> Decision:
        """The decision as of what is in memory: no disk, no network, about a millisecond."""
        return self._decide(request, self._profile(request))

    async def decide(self, request: Request) -> Decision:
        """The decision with the budgets and what was learned read anew, over all running copies of the program."""
        # Side by side, because a store answers all that is asked of it at once in one go.
        hearing = [catch_up() for catch_up in (self.caller.sharing.catch_up, *self.catch_up)]
        for read in await asyncio.gather(self.read_budgets(request), *hearing, return_exceptions=True):
            if isinstance(read, BaseException):
                raise read
        if request.split is Split.NEVER:
            return self._decide(request, self._profile(request))
        return self._decide(request, self._profile(request), await asyncio.to_thread(reading_of, request))

    def _profile(self, request: Request) -> Profile:
        """What is sent was mostly previewed just before, and is read once for both."""
        asked = (
            *(request.messages, request.system, request.tools, request.shape, request.task_type),
            *(request.difficulty, request.continues, request.max_tokens, request.metadata.get("tools"), request.framed),
        )
        if self._profiled is None or self._profiled[0] != asked:
            self._profiled = asked, profile(request)
        return self._profiled[1]

    async def _decide_anyhow(self, request: Request) -> Decision:
        """From memory where the store cannot be read: nothing is then called that cannot be written down."""
        try:
            return await self.decide(request)
        except NotKept:
            return self.preview(request)

    async def read_budgets(self, request: Request) -> tuple[BudgetState, ...]:
        """All sums a call of this session may count towards, capped or not."""
        caps = {(cap.scope, cap.period): cap for cap in self.caps(self.caller.clock.today(), request)}
        states = await self.caller.ledger.budgets(list(caps.values()))
        self._note(states)
        return states

    def caps(self, day: date, request: Request | None = None) -> list[Cap]:
        """Every sum a call on this day may count towards: those of any call, and of the models those with a cap."""
        request = request or Request(())
        caps = list(caps_for(request, None, self.budgets, day))
        capped = {*self.budgets.models}
        for model in self.registry:
            if model.id in capped or model.provider in self.budgets.providers:
                caps += [cap for cap in caps_for(request, model, self.budgets, day) if cap.limit is not None]
        return caps

    def _decide(self, request: Request, prompt: Profile, reading: Reading | None = None) -> Decision:
        caps = caps_for(request, None, self.budgets, self.caller.clock.today())
        live = self._circumstances(request, prompt, caps)
        policy = self._policy_for(request, caps)
        decision = decide(request, prompt, self.registry, live, policy, self.rules, self.experiment)
        if not is_too_long(request, decision):
            return fitted(decision, partial(self._member_call, request, decision))
        return divided(request, decision, reading or reading_of(request), self.registry, live)

    def _circumstances(self, request: Request, prompt: Profile, caps: Sequence[Cap]) -> Circumstances:
        """How each model stands now. Most stand alike: nothing was seen of them yet, and they have no caps of their
        own. `caps`: those of any call."""
        caller, budgets = self.caller, self.budgets
        now, date = caller.clock.monotonic(), caller.clock.now()
        cached = self.prefixes.of(request.session, date)
        seen = {*self.experience.known, *caller.estimates.known, *cached}
        limited, heard_of = caller.limits.limited, caller.circuits.heard_of_any
        usual = self._room(caps)
        standings: dict[str, Standing] = {}
        for model in self.registry:
            capped = model.id in budgets.models or model.provider in budgets.providers
            unpriced = model.price is None and budgets.may_be_unpriced(model.id)
            special = model.id in seen or limited(model) or (heard_of and self._out(model, now) is not None)
            if not (capped or unpriced or special):
                continue
            room = usual
            if unpriced:
                room = (None, "")
            elif capped:
                room = self._room(caps_for(request, model, budgets, caller.clock.today()))
            if special:
                standing = self._standing(request, model, prompt, room, now, date)
                standing.cached_input = cached.get(model.id, 0)
            else:
                standing = Standing(room=room[0], room_scope=room[1])
            standings[model.id] = standing
        return Circumstances(standings, Standing(room=usual[0], room_scope=usual[1]))

    def _policy_for(self, request: Request, caps: Sequence[Cap] | None = None) -> Policy:
        """A cap of nothing asks for free models: they stand in whatever `on_exhausted` says."""
        policy = self.policy
        if request.patience_s is not None:
            policy = replace(policy, max_wait_s=request.patience_s)
        if caps is None:
            caps = caps_for(request, None, self.budgets, self.caller.clock.today())
        if any(cap.limit is not None and not cap.limit for cap in caps):
            return replace(policy, on_exhausted=alone(WayOut.CHEAPEST))
        return policy

    def _standing(
        self, request: Request, model: Model, prompt: Profile, room: Room, now: float, date: datetime
    ) -> Standing:
        figures = self.experience.of(model.id)
        lesson = self.experience.lesson(model.id, date)
        taste = lesson.taste(prompt.task_type)
        estimates = self.caller.estimates
        likely, bound = estimates.input(model.id, prompt), estimates.bound(model.id, prompt)
        wait_s = 0.0
        if self.caller.limits.limited(model):
            tokens = bound + asked_output(request, likely, model, self.policy)
            wait_s = self.caller.limits.wait_s(model, tokens, now)
        return Standing(
            out=self._out(model, now),
            wait_s=wait_s,
            first_token_s=figures.first_token_s,
            tokens_per_s=figures.tokens_per_s,
            ability_shift=lesson.learned.shift(prompt, self.policy.discrimination),
            wins=taste.wins,
            losses=taste.losses,
            wins_overall=lesson.overall.wins,
            losses_overall=lesson.overall.losses,
            more_input=likely - prompt.input_tokens,
            more_bound=bound - input_bound(prompt.input_tokens),
            room=room[0],
            room_scope=room[1],
        )

    def _out(self, model: Model, now: float) -> tuple[Exclusion, str] | None:
        return self.caller.circuits.health(model.id, model.provider, now).out

    def _room(self, caps: Sequence[Cap]) -> Room:
        """What the tightest of these caps has left, as last seen, and which it is."""
        least = tightest(self._seen(caps))
        return (least.left, least.scope) if least else (None, "")

    def _seen(self, caps: Sequence[Cap]) -> list[BudgetState]:
        """Those with a limit, as last seen."""
        states = []
        for cap in caps:
            if cap.limit is not None:
                seen = self._states.get((cap.scope, cap.period))
                states.append(BudgetState(cap, seen.spent if seen else ZERO, seen.reserved if seen else ZERO))
        return states

    # Room

    async def _with_room(self, request: Request, decision: Decision, tell: Emit, answer_to: MakeRoom) -> Decision:
        """Where money alone refuses the turn it waits for more, and is decided again."""
        try:
            while (shortage := self._shortage(request, decision)) is not None:
                await tell(waiting_for_room(request, self.caller.clock.now(), 1))
                heed()
                answer = await answer_to(shortage)
                if answer is None and shortage.members and not request.unattended:
                    return none_asked(decision, shortage)
                if not isinstance(answer, Budgets):
                    break
                decision = await undisturbed(self._decide_anyhow(request))
        except asyncio.CancelledError:
            pass  # the turn, which sees it too, ends in order
        return decision

    def _answering(self, request: Request) -> MakeRoom | None:
        """Who makes room for the turn where it does not fit into a budget."""
        if not request.unattended:
            return None if self.ask_for_room is None else self._answer_to
        place = InLine(self.caller.room)

        async def answer(shortage: Shortage) -> Budgets | None:
            return self.budgets if await place.room_for(shortage) else None

        return answer

    def _member_call(self, request: Request, decision: Decision, candidate: Candidate) -> MemberCall:
        model, asked = self.registry[candidate.model], candidate.max_tokens
        fewer = WayOut.FEWER_TOKENS in decision.asked.policy.on_exhausted
        least = least_output(asked, decision.profile.output_tokens) if fewer else asked
        caps = caps_for(request, model, self.budgets, self.caller.clock.today())
        bound = self.caller.estimates.bound(model.id, decision.profile)
        return MemberCall(model.id, model.price, bound, asked, least, tuple(self._seen(caps)))

    def _shortage(self, request: Request, decision: Decision) -> Shortage | None:
        if side_by_side(decision) and (decision.model is not None or decision.refused is not None):
            found = [c for model_id in members(decision) if (c := decision.candidate(model_id)) is not None]
            calls = [self._member_call(request, decision, c) for c in found]
            short = short_of_room(calls, [c.model for c in found if c.excluded_by is None])
            return None if short is None else replace(short, request_id=request.id)
        wished = decision.candidate(decision.wished) if decision.wished else None
        if wished is None or wished.cost_ceiling is None:
            return None
        model, least = self.registry[wished.model], None
        state = too_tight(
            self._seen(caps_for(request, model, self.budgets, self.caller.clock.today())), wished.cost_ceiling
        )
        if (
            decision.division is None
            and model.price is not None
            and WayOut.FEWER_TOKENS in decision.asked.policy.on_exhausted
        ):
            bound = self.caller.estimates.bound(model.id, decision.profile)
            least = model.price.ceiling(bound, least_output(wished.max_tokens, decision.profile.output_tokens))
        if state is None:
            return None
        return Shortage(model.id, wished.cost_ceiling, state, least, request_id=request.id)

    async def _answer_to(self, shortage: Shortage) -> Budgets | GoOn | None:
        answer = None if self.ask_for_room is None else await self.ask_for_room(shortage)
        if not isinstance(answer, Money):
            return answer
        self.budgets = self.budgets.with_cap_raised(shortage.state.cap, answer)
        return self.budgets

    # Turns

    def stream(self, request: Request, record: Record | None = None) -> Turn:
        """Runs the turn in a task of its own; to be called on the event loop.

        `record` is given every event before any reader is, in the turn's own task: what it keeps is kept also when
        nobody reads on. The work it returns, if any, is not cancelled with the turn; where it raises NotKept for the
        end of the turn, the end says so.
        """

        enough = asyncio.Event()

        async def run(emit: Emit) -> None:
            watching = Watching()

            async def tell(event: Event) -> None:
                if not isinstance(event, Text | Thinking):  # of which there are hundreds, and nothing to learn from
                    if self.foretell is not None:
                        event = self.foretell(event)
                    self._learn(event)
                    self._observe(watching.hear(event))
                if record is not None and (keeping := record(event)) is not None:
                    event = await _kept(event, keeping)
                for listener in tuple(self.listeners):
                    listener(event)
                await emit(event)

            # Undisturbed, because a turn that is cancelled at once has its decision and its end all the same.
            decision = await undisturbed(self._decide_anyhow(request))
            answer_to = self._answering(request)
            if answer_to is not None:
                decision = await self._with_room(request, decision, tell, answer_to)
            means = Means(self.registry, self._policy_for(request), self.budgets, self.caller)
            asked = (request, decision, means, tell)
            if decision.model is not None and decision.division is not None and request.split is Split.AGREED:
                # Its parts hold money while others of them would wait for it.
                await PartedWalk(*asked, None if request.unattended else answer_to, self.preview).run()
            else:
                await Walk(*asked, answer_to, enough).run()

        return Turn(run, enough)

    def _learn(self, event: Event) -> None:
        match event:
            case Reserved():
                self._note(event.budgets)
            case Budget():
                self._note((event.state,))
            case Completed() | Failed():
                for attempt in event.attempts:
                    self.experience.learn(attempt)
                    self.prefixes.learn(attempt)
                self._forget_request(event.request_id)

    def _note(self, states: Sequence[BudgetState]) -> None:
        for state in states:
            key = (state.cap.scope, state.cap.period)
            self._states.pop(key, None)
            self._states[key] = state
        # The oldest first: a server sees new sessions for ever.
        while len(self._states) > MOST_SUMS:
            del self._states[next(iter(self._states))]

    def _forget_request(self, request_id: str) -> None:
        self._states.pop(("request", request_id), None)

    def _observe(self, seen: Sequence[Observation]) -> None:
        if seen:
            self.experience.observe(seen)
            for observer in tuple(self.observers):
                observer(seen)


async def _kept(event: Event, keeping: Coroutine[Any, Any, None]) -> Event:
    """The event; at the turn's end with what could not be kept. Until then `record` tries again with the next one."""
    try:
        await undisturbed(keeping)
    except NotKept as fault:
        return not_kept(event, fault) if isinstance(event, Completed | Failed) else event
    return event
