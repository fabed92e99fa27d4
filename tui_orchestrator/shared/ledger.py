"""The ledger over several stores: each stays the record of what it spent, and a Redis server adds them up.

Money is set aside in the own store first, then on the server, in one script over all caps; it is booked in the own
store first, then told. Whatever happens between the two is put right by the next sign of life, and counts until then.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from tui_orchestrator.routing.budget import BudgetState, Cap, Hold, Refusal, Reservation, tightest, too_tight
from tui_orchestrator.routing.cancelling import undisturbed
from tui_orchestrator.routing.decision import Decision
from tui_orchestrator.routing.events import Attempt, Completed, Failed
from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.routing.request import Request
from tui_orchestrator.storage.ledger import SqliteLedger, sums_of_attempt

from .book import Sum, named, shared
from .faults import Away
from .membership import Membership

TRIES = 8
"""A server that was just started lets nobody in for five seconds, and may be started again meanwhile."""


class SharedLedger:
    """Implements `routing.ports.Ledger`. All methods raise StoreError; `reserve` raises Away as well."""

    def __init__(self, own: SqliteLedger, member: Membership) -> None:
        self._own = own
        self._member = member
        self._server = member.server

    async def budgets(self, caps: Sequence[Cap]) -> tuple[BudgetState, ...]:
        states = await self._own.budgets(caps)
        names = [named((cap.scope, cap.period)) for cap in caps if shared(cap.scope)]
        if not names:
            return states
        try:
            reply = await self._server.ask("look", store=self._member.store, sums=names)
        except Away:
            return await self._as_remembered(states)
        return _overlaid(states, reply)

    async def reserve(self, hold: Hold) -> Reservation | Refusal:
        """A call that costs nothing, or that no shared cap limits, is let in without the server too."""
        hold = replace(hold, at_once=False)  # the server is asked first
        everyone = tuple(cap for cap in hold.caps if shared(cap.scope))
        own = await self._own.reserve(_limited(hold, dict.fromkeys(map(_sum, everyone))))
        if isinstance(own, Refusal) or not everyone:
            states = await self._of_all(hold.caps, own.states)
            return replace(own, hold=hold, states=states)
        try:
            reply = await self._ask(own.id, hold, everyone)
        except Away as fault:
            if not hold.amount or all(cap.limit is None for cap in everyone):
                return replace(own, hold=hold, states=await self._of_all(hold.caps, own.states))
            await self._own.release(own)
            return await self._by_itself(hold, everyone, fault)
        except BaseException:
            await undisturbed(self._own.release(own))
            raise
        states = _overlaid(_with_caps(own.states, hold.caps), reply)
        if reply["granted"]:
            return Reservation(own.id, hold, states)
        # The server too: a sign of life may just have told it of this call.
        await self.release(own)
        states = tuple(_without(state, hold.amount) if not shared(state.scope) else state for state in states)
        blocking = too_tight(states, hold.amount) or tightest(states)
        assert blocking is not None, "only a limit refuses"
        return Refusal(hold, states, blocking)

    async def release(self, reservation: Reservation) -> None:
        await self._own.release(reservation)
        sums = [named(_sum(cap)) for cap in reservation.hold.caps if shared(cap.scope)]
        if sums:
            # What the server cannot be told now it is told with the next sign of life.
            with contextlib.suppress(Away):
                settled = {"store": self._member.store, "id": reservation.id, "spent": {}, "sums": sums}
                await self._server.ask("settle", **settled)

    async def sent(self, reservation: Reservation) -> None:
        await self._own.sent(reservation)

    async def held_up(self, reservation: Reservation) -> None:
        await self._own.held_up(reservation)

    async def book(self, attempt: Attempt, reservation: Reservation | None) -> tuple[BudgetState, ...]:
        """What the server cannot be told now it is told with the next sign of life."""
        states = await self._own.book(attempt, reservation)
        caps = reservation.hold.caps if reservation else ()
        if reservation is None and not attempt.cost.amount:
            return states
        day = next((cap.period for cap in caps if cap.scope == "day"), attempt.day)
        counted = {sum_ for sum_ in {*sums_of_attempt(attempt, day), *map(_sum, caps)} if shared(sum_[0])}
        spent = await self._member.book.spent(counted)
        try:
            reply = await self._server.ask(
                "settle",
                store=self._member.store,
                id=reservation.id if reservation else None,
                spent={named(sum_): str(amount) for sum_, amount in spent.items()},
                sums=[named(_sum(cap)) for cap in caps if shared(cap.scope)],
            )
        except Away:
            return await self._as_remembered(states)
        return _overlaid(states, reply)

    async def decided(self, decision: Decision, request: Request, at: datetime) -> None:
        await self._own.decided(decision, request, at)

    async def concluded(self, end: Completed | Failed) -> None:
        await self._own.concluded(end)

    async def _ask(self, id_: str, hold: Hold, caps: Iterable[Cap]) -> dict[str, Any]:
        asked = {
            "store": self._member.store,
            "id": id_,
            "amount": str(hold.amount.picodollars),
            "caps": [
                {"sum": named(_sum(cap)), **({} if cap.limit is None else {"limit": str(cap.limit.picodollars)})}
                for cap in caps
            ],
        }
        for _ in range(TRIES):
            reply = await self._server.ask("reserve", **asked)
            if "wait" in reply:
                # The server's own time, which is not the user's clock.
                await asyncio.sleep(reply["wait"] / 1000)
            elif "tell" in reply:
                await self._member.tell(whole=True)
            else:
                return reply
        raise Away(self._server.where, "is started again and again", "see its log")

    # Without the server

    async def _by_itself(self, hold: Hold, caps: Sequence[Cap], fault: Away) -> Reservation | Refusal:
        """Within what was set aside for this store alone."""
        if self._member.when_away.do != "share":
            raise fault.so("so no call under a shared cap is made")
        ceilings = await self._member.book.ceilings(self._member.clock.now())
        limits: dict[Sum, Money | None] = {}
        for cap in caps:
            if cap.limit is not None:
                if _sum(cap) not in ceilings:
                    raise fault.so(f"and nothing of {cap.name} was set aside for this machine, or too long ago")
                limits[_sum(cap)] = min(cap.limit, Money(ceilings[_sum(cap)][0]))
        own = await self._own.reserve(_limited(hold, limits))
        states = await self._of_all(hold.caps, own.states)
        if isinstance(own, Reservation):
            return Reservation(own.id, hold, states)
        return Refusal(hold, states, too_tight(states, hold.amount) or own.blocking)

    async def _of_all(self, caps: Sequence[Cap], states: Sequence[BudgetState]) -> tuple[BudgetState, ...]:
        """The own states with the caps they are about, as far as is known of the other stores."""
        whole = _with_caps(states, caps)
        return await self._as_remembered(whole)

    async def _as_remembered(self, states: Iterable[BudgetState]) -> tuple[BudgetState, ...]:
        """What this store counts, with what the others were last seen to have spent. Where it may go on by itself, what
        it may not spend counts as reserved."""
        away, ceilings = self._server.away is not None and self._member.when_away.do == "share", {}
        if away:
            ceilings = await self._member.book.ceilings(self._member.clock.now())
        return tuple(self._remembered(state, ceilings) if shared(state.scope) else state for state in states)

    def _remembered(self, state: BudgetState, ceilings: Mapping[Sum, tuple[int, datetime]]) -> BudgetState:
        elsewhere = self._member.spent_elsewhere(_sum(state.cap))
        total = replace(state, spent=state.spent + elsewhere, others=elsewhere)
        if state.limit is None or _sum(state.cap) not in ceilings:
            return total
        may = max(ZERO, Money(ceilings[_sum(state.cap)][0]) - state.spent - state.reserved)
        return replace(total, reserved=max(state.reserved, state.limit - total.spent - may))


def _sum(cap: Cap) -> Sum:
    return cap.scope, cap.period


def _limited(hold: Hold, limits: Mapping[Sum, Money | None]) -> Hold:
    """With these limits in place of the caps' own."""
    return replace(hold, caps=tuple(replace(cap, limit=limits.get(_sum(cap), cap.limit)) for cap in hold.caps))


def _with_caps(states: Iterable[BudgetState], caps: Iterable[Cap]) -> tuple[BudgetState, ...]:
    return tuple(replace(state, cap=cap) for state, cap in zip(states, caps, strict=True))


def _without(state: BudgetState, amount: Money) -> BudgetState:
    return replace(state, reserved=state.reserved - amount)


def _overlaid(states: Iterable[BudgetState], reply: Mapping[str, Any]) -> tuple[BudgetState, ...]:
    """With the server's sums for those that are shared, in the order they were asked for."""
    found = iter(reply["states"] or ())
    return tuple(_shared_state(state, next(found)) if shared(state.scope) else state for state in states)


def _shared_state(state: BudgetState, found: Mapping[str, str]) -> BudgetState:
    spent, own = Money(int(found["spent"])), Money(int(found["own"]))
    reserved = Money(int(found["held"]) + int(found["aside"]))
    return replace(state, spent=spent, reserved=reserved, others=spent - own)
