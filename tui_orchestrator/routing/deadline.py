"""When a turn has to be over, whatever it is doing then, and how long each of its waits may last."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING

from .errors import OutOfTime, Timeout

if TYPE_CHECKING:
    from .ports import Timeouts

LATE_S = 1.0
"""A limit that is noticed so much later than it was due was not passed by whoever is waited for: this program stood
still (Ctrl-Z, a machine that slept), and has not looked yet at what has come meanwhile. What it worked meanwhile does
not count: whoever keeps it busy with what they send would be given time for it without end."""


class Limit:
    """`async with`: raises TimeoutError when the work inside is not done by `at`, on the event loop's clock. Where the
    program stood still meanwhile, `again_s` more are given, and `stood_still` says for how long it did at most.

    Serves one task, for one wait after the other, each with its own `until`. An answer comes in hundreds of pieces: one
    timer is kept for all of them, which is set on when it rings too early. `close` ends it.
    """

    __slots__ = (
        *("_again_s", "_began", "_cancelling", "_handle", "_loop", "_task", "_waits", "_worked"),
        *("at", "passed", "stood_still"),
    )

    def __init__(self, at: float = math.inf, again_s: float = 0.0) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None
        self._waits = self.passed = False
        self.until(at, again_s)

    def until(self, at: float, again_s: float) -> Limit:
        self.at = at
        self.stood_still = 0.0
        self._again_s = again_s
        return self

    def close(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    async def __aenter__(self) -> Limit:
        now = self._loop.time()
        self._began = min(now, self.at)
        self._worked = time.process_time()
        # No timer is heard in work that never waits, such as reading from whoever sends faster than it is read.
        if 0 <= now - self.at <= LATE_S:
            self.passed = True
            raise TimeoutError
        self._cancelling = self._task.cancelling()
        self._waits = True
        if self._handle is None or self._handle.when() > self.at:
            self._ring()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waits = False
        if not self.passed:
            self._note(self._loop.time())
        elif self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error  # as asyncio.timeout: nobody else has cancelled it

    def _ring(self) -> None:
        self.close()
        self._handle = self._loop.call_at(self.at, self._due)

    def _due(self) -> None:
        self._handle, now = None, self._loop.time()
        if not self._waits:
            return
        if now < self.at:
            self._ring()
        elif self._note(now):
            self.at = now + self._again_s
            self._ring()
        else:
            self.passed = True
            self._task.cancel()

    def _note(self, now: float) -> bool:
        """Since when it stood still cannot be told; at the earliest since the work began."""
        worked = time.process_time() - self._worked
        if late := now - self.at - worked > LATE_S:
            self.stood_still = now - self._began - worked
        return late


class Deadline:
    """Of one turn: connecting, retries, escalations and checks share it. Made on the event loop it is measured by."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.at = asyncio.get_running_loop().time() + seconds

    @property
    def left(self) -> float:
        return self.at - asyncio.get_running_loop().time()

    @property
    def passed(self) -> bool:
        return self.left <= 0

    @asynccontextmanager
    async def within(self) -> AsyncIterator[None]:
        """Raises OutOfTime when the work inside is not done by then."""
        limit = Limit(self.at, LATE_S)
        try:
            async with limit:
                yield
        except TimeoutError:
            if not limit.passed:
                raise
            raise self.over() from None
        finally:
            limit.close()
            self.put_off(limit.stood_still)

    def put_off(self, seconds: float) -> None:
        """For time that is not the turn's: a person took it, who was asked something or reads slowly, or the program
        stood still."""
        self.at += seconds

    def over(self) -> OutOfTime:
        return OutOfTime(f"The turn took longer than {self.seconds:g} s.")

    def too_late(self, until: float, end: float, timeouts: Timeouts, *, first: bool) -> Timeout:
        """Why nothing was waited for longer than `until`: the turn's end, that of the attempt, or one piece's. `first`:
        nothing had come yet."""
        if until >= self.at:
            return self.over()
        if until >= end:
            return Timeout(f"The answer took longer than {timeouts.total:g} s in total.")
        if first:
            return Timeout(f"Nothing came for {timeouts.first_token:g} s.")
        return Timeout(f"The answer stood still for {timeouts.between_tokens:g} s.")
