"""What is printed while an event loop runs, written by a thread: a reader that does not read holds up nothing else."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

GRACE_S = 1.0
"""After a signal to end, how long a reader may take for what is left."""
_IDLE_S = 0.5
"""How long the thread waits for more before it ends."""


class Outlet:
    """Pieces for stdout and stderr, written in the order they come, since both may be one terminal. Behind one that
    cannot be written none is, until that was told: whoever prints would have stopped there, had it waited."""

    def __init__(self, write: Callable[[str, bool], None]) -> None:
        """`write` takes a piece, and whether it is for stderr; what it raises is kept as `failure`."""
        self._write = write
        self._changed = threading.Condition()
        self._pending: deque[tuple[str, bool]] = deque()
        self._writing = self._thread = False
        self.hurried = False
        """Its readers are waited for no longer than `GRACE_S`."""
        self._failure: OSError | None = None

    def put(self, text: str, err: bool) -> None:
        with self._changed:
            if self._failure is not None:
                return
            self._pending.append((text, err))
            if not self._thread:
                self._thread = True
                threading.Thread(target=self._work, name="what is printed", daemon=True).start()
            self._changed.notify_all()

    @property
    def idle(self) -> bool:
        return not self._pending and not self._writing

    def hurry(self) -> None:
        """From now on, also for those who wait already."""
        with self._changed:
            self.hurried = True
            self._changed.notify_all()

    def wait(self) -> bool:
        """Blocks until all is written, for as long as its readers take. False: it is not, and time is up."""
        until: float | None = None
        with self._changed:
            while not self.idle:
                if self.hurried and until is None:
                    until = time.monotonic() + GRACE_S
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    return False
                self._changed.wait(left)
        return True

    def failure(self) -> OSError | None:
        """Why something was not written; told once."""
        with self._changed:
            failure, self._failure = self._failure, None
        return failure

    def unwritten(self) -> list[str]:
        """What is still to come of stderr. Nothing more of this outlet is waited for."""
        with self._changed:
            left = [text for text, err in self._pending if err]
            self._pending.clear()
        return left

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._changed.wait_for(lambda: self._pending, _IDLE_S):
                    self._thread = False
                    return
                text, err = self._pending.popleft()
                # A word at a time would wake a slow reader once for each.
                while self._pending and self._pending[0][1] == err:
                    text += self._pending.popleft()[0]
                self._writing = True
            failure: OSError | None = None
            try:
                self._write(text, err)
            except OSError as error:
                failure = error
            with self._changed:
                self._writing = False
                if failure is not None:
                    self._failure = failure
                    self._pending.clear()
                self._changed.notify_all()
