"""When a turn has to be over, whatever it is doing then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .errors import OutOfTime


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
        limit = asyncio.timeout_at(self.at)
        try:
            async with limit:
                yield
        except TimeoutError:
            if not limit.expired():
                raise
            raise self.over() from None

    def put_off(self, seconds: float) -> None:
        """For time that a person took, who was asked something or reads slowly: that is not the turn's."""
        self.at += seconds

    def over(self) -> OutOfTime:
        return OutOfTime(f"The turn took longer than {self.seconds:g} s.")
