"""One call of a thread for all that waits for it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


class Waking:
    """Has `work` done soon in a thread, also of what is put before it until it begins. To call a thread for each piece
    costs as much as some of the pieces. May be called from any thread."""

    def __init__(self, threads: ThreadPoolExecutor, work: Callable[[], None]) -> None:
        self._threads = threads
        self._work = work
        self._called = False

    def __call__(self) -> None:
        """After what is to be done was put there. Raises RuntimeError where no thread can be had."""
        if not self._called:
            self._called = True
            try:
                self._threads.submit(self._begin)
            except RuntimeError:
                self._called = False
                raise

    def _begin(self) -> None:
        self._called = False  # before it looks: what comes behind what it finds calls again
        self._work()
