"""An event loop on which waiting takes no time, and work takes none either.

Its clock stands still while anything is being done, in this thread or on an executor's, and goes at once to the next
timer when nothing is: a busy machine runs into no deadline, and a wait of two minutes costs nothing. Servers and
clients must run on this loop; then whatever one sends is there for the other before the clock moves.
"""

from __future__ import annotations

import asyncio
import selectors
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, thread
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from typing import Any
from unittest.mock import patch

from tui_orchestrator.routing import clock

_LOOKS_S = 0.002
"""What is on its way through the loopback is there by then, long since."""


class _Leaping(selectors.DefaultSelector):  # type: ignore[misc, valid-type]  # one of several classes
    """Asked to wait for a timer, moves the clock there."""

    def __init__(self) -> None:
        super().__init__()
        self.now = time.monotonic()
        self.at_work = 0
        """Pieces of work on executors."""
        self.changing = threading.Lock()

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is not None and timeout <= 0:
            return super().select(0)
        while True:
            busy = self.at_work
            if ready := super().select(_LOOKS_S):
                return ready
            if timeout is not None and not busy:
                self.now += timeout
                return []

    def counted(self, more: int) -> None:
        with self.changing:
            self.at_work += more


@contextmanager
def leaping() -> Iterator[asyncio.Runner]:
    """What runs on the runner has time of its own, the time of day included."""
    selector, began = _Leaping(), datetime.now(UTC)
    before = selector.now
    submit, work = ThreadPoolExecutor.submit, thread._WorkItem.run

    class Day(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Day:
            return cls.fromtimestamp(began.timestamp() + selector.now - before, tz)

    def submitted(executor: ThreadPoolExecutor, *arguments: Any, **more: Any) -> Any:
        selector.counted(1)
        return submit(executor, *arguments, **more)

    def done(item: Any, *arguments: Any) -> None:
        work(item, *arguments)
        # Only now whoever waits for it has been told.
        selector.counted(-1)

    with (
        patch.object(ThreadPoolExecutor, "submit", submitted),
        patch.object(thread._WorkItem, "run", done),
        patch.object(time, "monotonic", lambda: selector.now),
        patch.object(clock, "datetime", Day),
        asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner,
    ):
        yield runner
