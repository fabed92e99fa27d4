"""A turn that is under way, as whoever asked for it reads and ends it."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable
from types import TracebackType

from .calling import Emit
from .events import Event, Text, Thinking, ToolCalled

UNREAD = 512
"""Pieces of text a slow reader may be behind before the model's stream is held back."""


_running: set[asyncio.Task[None]] = set()
"""Held here, because the event loop itself would let a waiting task be collected."""


class _Told:
    """What a turn's task has told and nobody has read yet. The task holds this and not the Turn, so that a Turn that
    is dropped can be noticed."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self.read = asyncio.Event()
        self.gone = False

    async def run(self, run: Callable[[Emit], Awaitable[None]]) -> None:
        try:
            await run(self.emit)
        finally:
            self.queue.put_nowait(None)

    async def emit(self, event: Event) -> None:
        """Puts first and waits afterwards, so that a cancellation never loses an event."""
        self.queue.put_nowait(event)
        while isinstance(event, Text | Thinking | ToolCalled) and self.queue.qsize() > UNREAD and not self.gone:
            self.read.clear()
            await self.read.wait()

    def leave(self) -> None:
        """Nobody reads any more: nothing is held back."""
        self.gone = True
        self.read.set()


class Turn:
    """One turn as an async iterator of events, run by a task of its own.

    The last event is Completed or Failed. `cancel()` ends it early but in order: the events of the end still come.
    Leave it by reading to the end, by `aclose()` or by `async with`; a turn that is dropped is cancelled, booked and
    forgotten.
    """

    def __init__(self, run: Callable[[Emit], Awaitable[None]], enough: asyncio.Event | None = None) -> None:
        self._told = _Told()
        self._enough = enough or asyncio.Event()
        self._over = False
        self._task = asyncio.create_task(self._told.run(run))
        _running.add(self._task)
        self._task.add_done_callback(_running.discard)
        dropped = weakref.finalize(self, _drop, asyncio.get_running_loop(), self._task, self._told)
        dropped.atexit = False

    def __aiter__(self) -> Turn:
        return self

    async def __anext__(self) -> Event:
        if self._over:
            raise StopAsyncIteration
        event = await self._told.queue.get()
        self._told.read.set()
        if event is None:
            self._over = True
            # A bug in the turn comes out here, after its events.
            await self._task
            raise StopAsyncIteration
        return event

    def cancel(self) -> None:
        """At once: the connection is closed, what had come is kept and booked. May be called more than once."""
        # A task that is cancelled before its first step would run none of it, not even its end.
        asyncio.get_running_loop().call_soon(_cancel, self._task)

    def settle(self) -> None:
        """An ensemble goes on with the answers there are, or with the first that comes: those still at work are ended
        and booked as cancelled."""
        self._enough.set()

    async def aclose(self) -> None:
        """Cancels what still runs and waits until it is booked. Never raises what the turn raised."""
        self._told.leave()
        self.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.exception()

    async def __aenter__(self) -> Turn:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _cancel(task: asyncio.Task[None]) -> None:
    if not task.done() and not task.cancelling():
        task.cancel()


def _drop(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None], told: _Told) -> None:
    """Called when a Turn is collected: at any time, in any thread."""
    if not task.done() and not loop.is_closed():
        loop.call_soon_threadsafe(told.leave)
        loop.call_soon_threadsafe(_cancel, task)
