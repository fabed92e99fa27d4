"""What is said of money without being asked: that a cap is nearly spent, that a cost is far from the usual.

Each thing is said once. What any copy of the program has said is kept in the store: a copy that runs meanwhile says it
too, one that is started later does not say it again. The copy that was first is told so, for what should happen once
on the whole desk, such as a notification of the desktop's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from ..routing.budget import BudgetState, cap_name, tightest
from ..routing.errors import ErrorKind
from ..routing.events import Attempt, Budget, Completed, Decided, Event, Failed
from ..routing.money import Money
from ..routing.ports import Clock
from ..routing.text import spoken
from ..storage.alerts import AlertLog, Refused, Said
from ..storage.faults import StoreError
from . import anomalies

K = TypeVar("K")
V = TypeVar("V")

TURNS_COMPARED = 200
DAYS_COMPARED = timedelta(days=60)
MOST_CAPS = 2_000
"""How many are remembered, the last used ones: a server sees new sessions for ever."""
UNUSUAL = "unusual "
_EVERYWHERE = ("day", "month", UNUSUAL)
"""Beginnings of the scopes that concern every copy of the program."""


class Kind(StrEnum):
    CAP = "cap"
    UNUSUAL = "unusual"
    REFUSED = "refused"
    """A cap ended a turn. The turn tells that itself: it is for notifications alone."""


@dataclass(frozen=True, slots=True)
class Alert:
    kind: Kind
    sentence: str
    scope: str
    exhausted: bool = False
    """Nothing is left."""
    first: bool = True
    """No other copy of the program has said it."""


class Alerts:
    """Hears the events of every turn and tells its listeners, on the event loop, a moment later.

    Where the store fails, it is said all the same: twice is better than never.
    """

    def __init__(
        self,
        log: AlertLog,
        clock: Clock,
        budgets: Callable[[str], Awaitable[tuple[BudgetState, ...]]],
        *,
        costs: bool = True,
    ) -> None:
        """`budgets` reads the states of a session's budgets. `costs`: look for unusual costs too."""
        self._log = log
        self._clock = clock
        self._budgets = budgets
        self._costs = costs
        self._serial: int | None = None
        self._told: dict[tuple[str, str, Money], float] = {}
        """(scope, period, limit) → the highest share that was looked into."""
        self._said: dict[tuple[str, str, float, Money], None] = {}
        self._tasks: dict[str, str] = {}
        """Request → task type."""
        self._day: BudgetState | None = None
        """The day's sum as it was heard of last."""
        self._work: set[asyncio.Task[None]] = set()
        self._listeners: list[Callable[[Alert], None]] = []

    def listen(self, listener: Callable[[Alert], None]) -> None:
        self._listeners.append(listener)

    def hear(self, event: Event) -> None:
        match event:
            case Decided():
                self._tasks[event.request_id] = event.decision.task_type.value
            case Budget():
                self._day = event.state if event.state.scope == "day" else self._day
                self._weigh(event.state, event.forecast)
            case Completed() | Failed():
                self._begin(self._ended(event, self._tasks.pop(event.request_id, "")))

    async def look(self) -> None:
        """Says what is news of the caps as they stand, such as a lower cap than yesterday's. What other copies say is
        heard from now on."""
        try:
            if self._serial is None:
                self._serial = await self._log.latest()
            states = await self._budgets("")
        except StoreError:
            return
        for state in states:
            if state.scope != "session":
                self._weigh(state, None)
        await self.settle()

    async def catch_up(self) -> None:
        """Says what other copies of the program have said since the last time, where it concerns this one too."""
        if self._serial is None:
            return
        try:
            said, self._serial = await self._log.since(self._serial)
        except StoreError:
            return
        for one in said:
            if one.scope.startswith(_EVERYWHERE):
                self._say(one, first=False)

    async def settle(self) -> None:
        """Until all that was heard has been said."""
        while self._work:
            await asyncio.gather(*self._work)

    # Caps

    def _weigh(self, state: BudgetState, forecast: str | None) -> None:
        share = reached(state)
        if share is None or state.limit is None:
            return
        key = (state.scope, state.cap.period, state.limit)
        before = self._told.get(key, 0.0)
        # At once, so that the next event of the same cap finds it done.
        _remember(self._told, key, max(share, before))
        if share > before:
            said = Said(state.scope, state.cap.period, share, state.limit, state.spent)
            self._begin(self._claim(said, forecast))

    async def _claim(self, said: Said, forecast: str | None) -> None:
        first = True
        if said.scope != "request":
            try:
                if not is_news(said, await self._log.of(said.scope, said.period)):
                    return
                first = await self._log.claim(said, self._clock.now())
            except StoreError:
                first = True
        self._say(said, first=first, forecast=forecast)

    def _say(self, said: Said, *, first: bool, forecast: str | None = None) -> None:
        key = (said.scope, said.period, said.share, said.cap)
        if key in self._said:
            return
        _remember(self._said, key, None)
        if said.scope.startswith(UNUSUAL):
            self._tell(Alert(Kind.UNUSUAL, unusual_sum(said), said.scope, first=first))
            return
        sentence = cap_sentence(said) + (f"; {forecast}" if forecast else "")
        self._tell(Alert(Kind.CAP, sentence, said.scope, said.spent >= said.cap, first))

    # Ends of turns

    async def _ended(self, event: Completed | Failed, task_type: str) -> None:
        try:
            if isinstance(event, Failed) and event.error.kind is ErrorKind.BUDGET_EXCEEDED:
                await self._refused(event)
            if self._costs and event.cost.amount:
                await self._compare_turn(event.request_id, event.cost.amount, task_type)
                await self._compare_days(event.attempts)
        except StoreError:
            return  # without a history nothing is unusual

    async def _refused(self, event: Failed) -> None:
        session = event.attempts[0].session if event.attempts else ""
        blocking = tightest(await self._budgets(session))
        if blocking is not None and blocking.limit is not None:
            held = blocking.spent + blocking.reserved
            await self._log.refuse(
                Refused(event.request_id, event.at, blocking.scope, blocking.cap.period, blocking.limit, held)
            )
        self._tell(Alert(Kind.REFUSED, event.error.message, blocking.scope if blocking else "", exhausted=True))

    async def _compare_turn(self, request_id: str, cost: Money, task_type: str) -> None:
        if cost < anomalies.TURN.least:
            return
        history = await self._log.turns(task_type, request_id, TURNS_COMPARED)
        if found := anomalies.unusual(cost, history, anomalies.TURN):
            sentence = anomalies.told("This turn cost", found, f"for {spoken(task_type)}")
            self._tell(Alert(Kind.UNUSUAL, sentence, "request"))

    async def _compare_days(self, attempts: Iterable[Attempt]) -> None:
        today, day = self._clock.today(), self._day
        if day is not None and day.cap.period == today.isoformat() and day.spent < anomalies.MODEL_DAY.least:
            return  # neither is the day unusual, nor what a model had of it
        scopes = ["day", *sorted({f"day model:{attempt.model}" for attempt in attempts})]
        for scope, spent in (await self._log.spent(scopes, today.isoformat())).items():
            bounds = anomalies.DAY if scope == "day" else anomalies.MODEL_DAY
            if spent < bounds.least or self._has_said(UNUSUAL + scope, today.isoformat()):
                continue
            history = await self._log.days(scope, today - DAYS_COMPARED, today)
            if found := anomalies.unusual(spent, history, bounds):
                said = Said(UNUSUAL + scope, today.isoformat(), 0.0, found.usual, spent)
                if not await self._log.of(said.scope, said.period):
                    self._say(said, first=await self._log.claim(said, self._clock.now()))

    def _has_said(self, scope: str, period: str) -> bool:
        return any((said[0], said[1]) == (scope, period) for said in self._said)

    # Telling

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    def _tell(self, alert: Alert) -> None:
        for listener in tuple(self._listeners):
            listener(alert)


def _remember(known: dict[K, V], key: K, value: V) -> None:
    """The newest last; the oldest goes."""
    known.pop(key, None)
    known[key] = value
    if len(known) > MOST_CAPS:
        del known[next(iter(known))]


def reached(state: BudgetState) -> float | None:
    """The highest of the user's shares that the spending has come to, 1.0 for all of it; None where there is none.

    Of a turn's own cap the highest share alone counts: most of it is there to be used. A cap of nothing, which allows
    free models alone, is not one that is nearly spent.
    """
    if not state.limit:
        return None
    if state.spent >= state.limit:
        return 1.0
    share = state.spent.picodollars / state.limit.picodollars
    shares = [max(state.alert_at)] if state.scope == "request" and state.alert_at else state.alert_at
    return max((at for at in shares if share >= at), default=None)


def is_news(said: Said, before: Iterable[Said]) -> bool:
    """Whether the user does not know it yet. A cap that was raised is a new one, except that an amount which was told
    of under the lower cap is no news under the higher one."""
    for one in before:
        if one.cap == said.cap and one.share >= said.share:
            return False
        if one.cap < said.cap and one.spent.picodollars >= said.share * said.cap.picodollars:
            return False
    return True


def cap_sentence(said: Said) -> str:
    """'82% of the day's cap is spent: $4.10 of $5.00, $0.90 left'"""
    of = f"{said.spent} of {said.cap}"
    name = cap_name(said.scope)
    if said.spent >= said.cap:
        return f"{name[0].upper()}{name[1:]} is spent: {of}; only free models fit under it now"
    share = said.spent.picodollars * 100 // said.cap.picodollars
    return f"{share}% of {name} is spent: {of}, {said.cap - said.spent} left"


def unusual_sum(said: Said) -> str:
    how_much = f"{said.spent} today, {anomalies.times(said.spent, said.cap)}"
    _, _, model = said.scope.partition("model:")
    if model:
        return f"{model} has cost {how_much} its usual day ({said.cap})"
    return f"You have spent {how_much} your usual day ({said.cap})"
