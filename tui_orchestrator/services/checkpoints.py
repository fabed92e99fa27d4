"""When growing answers are stored: soon after something came of them, whether or not more comes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from ..routing.errors import NotKept
from ..routing.ports import Clock

CHECKPOINT_S = 0.5
"""What came of an answer is stored so long after it at the latest, and no answer more often: what a killed program may
lose of it."""
HELD_UP_S = 1.0
"""What is read is stored first, unless that takes longer: a store that another program holds may take seconds, again
and again."""


class Checkpoints:
    """Of the answers of one turn, by their attempts. Lives on the event loop; there is a timer or a task only while
    something is not stored."""

    def __init__(self, store: Callable[[int], Coroutine[Any, Any, None]], clock: Clock) -> None:
        """`store`: all there is of an answer."""
        self._store = store
        self._clock = clock
        self._due: dict[int, float] = {}
        """By attempt, of what is not stored: when it is to be, as the event loop counts."""
        self._stored_at: dict[int, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._storing: asyncio.Task[None] | None = None
        """One at a time."""
        self._over = False

    def grown(self, attempt: int) -> Coroutine[Any, Any, None] | None:
        """Something came of it. What is returned, if anything, waits until it is stored."""
        if attempt in self._due:
            return None
        if self._storing is not None and self._storing.done():
            self._storing.result()
        self._owe(attempt)
        return self._held_up() if self._begin() else None

    @contextlib.contextmanager
    def taken(self, attempt: int) -> Iterator[None]:
        """Around the storing of all there is of it: what comes from now on is not stored with it."""
        self._due.pop(attempt, None)
        self._stored_at[attempt] = self._clock.monotonic()
        try:
            yield
        except NotKept:
            self._owe(attempt)
            raise

    async def settled(self) -> None:
        """After what is being stored now."""
        if self._storing is not None:
            await self._storing

    def end(self) -> None:
        """All is stored otherwise from now on."""
        self._over = True
        self._due.clear()
        self._stop()

    def _owe(self, attempt: int) -> None:
        if not self._over:
            since = self._stored_at.get(attempt)
            waits = 0.0 if since is None else max(0.0, since + CHECKPOINT_S - self._clock.monotonic())
            self._due[attempt] = asyncio.get_running_loop().time() + waits

    def _begin(self) -> bool:
        """Whether what is due is now being stored. What else there is will be when it is due, after what is being
        stored."""
        self._stop()
        if not self._due or (self._storing is not None and not _fine(self._storing)):
            return False
        loop = asyncio.get_running_loop()
        if (first := min(self._due.values())) > loop.time():
            self._timer = loop.call_at(first, self._begin)
            return False
        self._storing = loop.create_task(self._store_due(loop))
        self._storing.add_done_callback(lambda _: self._begin())
        return True

    async def _store_due(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        # The last first: what it takes the place of is stored with it.
        for attempt in sorted((attempt for attempt, at in self._due.items() if at <= now), reverse=True):
            if attempt in self._due:
                try:
                    await self._store(attempt)
                except NotKept:
                    if not self._over:
                        self._due[attempt] = loop.time() + CHECKPOINT_S

    async def _held_up(self) -> None:
        if self._storing is not None:
            await asyncio.wait({self._storing}, timeout=HELD_UP_S)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _fine(task: asyncio.Task[None]) -> bool:
    """It is over, and nothing went wrong that somebody has to hear of."""
    return task.done() and not task.cancelled() and task.exception() is None
