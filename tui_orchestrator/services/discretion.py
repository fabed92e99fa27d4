"""What is kept of a temporary turn: what it cost, and nothing of what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ..routing.budget import BudgetState, Cap, Hold, Refusal, Reservation
from ..routing.decision import Decision
from ..routing.events import Attempt, Completed, Failed
from ..routing.ports import Ledger
from ..routing.request import Request


class DiscreetLedger:
    """Implements `routing.ports.Ledger` over another one. Of a request that is `temporary` no decision is kept, which
    names words of the prompt, and no text in its attempts: an error or a reason may quote what was said."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._temporary: set[str] = set()
        """Requests under way."""

    async def budgets(self, caps: Sequence[Cap]) -> tuple[BudgetState, ...]:
        return await self._ledger.budgets(caps)

    async def reserve(self, hold: Hold) -> Reservation | Refusal:
        return await self._ledger.reserve(hold)

    async def release(self, reservation: Reservation) -> None:
        await self._ledger.release(reservation)

    async def sent(self, reservation: Reservation) -> None:
        await self._ledger.sent(reservation)

    async def held_up(self, reservation: Reservation) -> None:
        await self._ledger.held_up(reservation)

    async def book(self, attempt: Attempt, reservation: Reservation | None) -> tuple[BudgetState, ...]:
        if attempt.request_id in self._temporary:
            attempt = _silent(attempt)
        return await self._ledger.book(attempt, reservation)

    async def decided(self, decision: Decision, request: Request, at: datetime) -> None:
        if request.temporary:
            self._temporary.add(request.id)
        else:
            await self._ledger.decided(decision, request, at)

    async def concluded(self, end: Completed | Failed) -> None:
        if end.request_id in self._temporary:
            self._temporary.discard(end.request_id)
            end = replace(end, attempts=tuple(map(_silent, end.attempts)))
        await self._ledger.concluded(end)


def _silent(attempt: Attempt) -> Attempt:
    return replace(attempt, error_message="", reasons=(), findings=(), recalled=None)
