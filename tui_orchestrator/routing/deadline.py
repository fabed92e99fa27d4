"""When a turn has to be over, whatever it is doing then, and how long each of its waits may last."""

from __future__ import annotations

import asyncio
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
    program stood still meanwhile, `again_s` more are given, and `stood_still` says for how long it did at most."""

    __slots__ = ("_again_s", "_began", "_handle", "_loop", "_timeout", "_worked", "at", "passed", "stood_still")

    def __init__(self, at: float, again_s: float) -> None:
        self.at = at
        self.passed = False
        self.stood_still = 0.0
        self._again_s = again_s
        self._loop = asyncio.get_running_loop()
        self._timeout = asyncio.timeout(None)

    async def __aenter__(self) -> Limit:
        now = self._loop.time()
        self._began = min(now, self.at)
        self._worked = time.process_time()
        # No timer is heard in work that never waits, such as reading from whoever sends faster than it is read.
        if 0 <= now - self.at <= LATE_S:
            self.passed = True
            raise TimeoutError
        await self._timeout.__aenter__()
        self._handle = self._loop.call_at(self.at, self._due)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._handle.cancel()
        if not self.passed:
            self._note(self._loop.time())
        await self._timeout.__aexit__(kind, error, trace)

    def _due(self) -> None:
        now = self._loop.time()
        if self._note(now):
            self.at = now + self._again_s
            self._handle = self._loop.call_at(self.at, self._due)
        else:
            self.passed = True
            self._timeout.reschedule(now)

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
