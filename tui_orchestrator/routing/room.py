"""Money that calls under way will give back. A call is set aside at its most and mostly costs less, so what a cap has
no room for while others are under way may fit when one of them has ended."""

from __future__ import annotations

import asyncio
from collections import deque

from .budget import Shortage

AT_A_TIME = 2
"""Who waits is woken when a call ends: one for its money, one more where it left room for two. All at once would ask
the store again and again in vain."""


class Room:
    """Of one program: the reservations of its calls, and the turns that wait for one to be settled. Who waits must hold
    none, or two could wait for each other."""

    def __init__(self) -> None:
        self.ended = 0
        """Calls so far."""
        self._set_aside: set[str] = set()
        """Ids of reservations."""
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def awaited(self) -> bool:
        """Whether any money will be given back."""
        return bool(self._set_aside)

    def taken(self, reservation: str) -> None:
        self._set_aside.add(reservation)

    def given_back(self, reservation: str) -> None:
        self._set_aside.discard(reservation)
        self.ended += 1
        self.wake()

    def wake(self) -> None:
        """The next in line; all of them where nobody is left who would do it later."""
        left = AT_A_TIME if self._set_aside else len(self._waiting)
        while self._waiting and left:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(None)
                left -= 1

    async def one_ended(self) -> None:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():
                self.wake()  # somebody else's turn then
            raise


class InLine:
    """One turn's place among those that wait for room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._seen = room.ended

    async def room_for(self, shortage: Shortage) -> bool:
        """Whether to try again, since a call has ended meanwhile. False at once where the cap would have too little
        left even if nothing were set aside, and where no call is under way."""
        least = shortage.needs if shortage.least is None else shortage.least
        limit = shortage.state.limit
        if limit is not None and shortage.state.spent + least > limit:
            return False
        while self._room.ended == self._seen:
            if not self._room.awaited:
                return False
            await self._room.one_ended()
        self._seen = self._room.ended
        return True
