"""How long what runs in an event loop holds it."""

from __future__ import annotations

import asyncio
import asyncio.events
import gc
import sys
import threading
import time
import traceback
from collections import Counter
from pathlib import Path

LONG_MS = 100
LOOK_S = 0.02
LOOKING = "looking"
"""What is done by the measurement itself."""


class Holds:
    """The longest time for which one callback held the loop, by what was under way: in all, and without the time in
    which Python looked for garbage. A thread looks on where the long ones are."""

    def __init__(self) -> None:
        self.worst: Counter[str] = Counter()
        self.without_garbage: Counter[str] = Counter()
        self.doing = "start"
        self.long: list[str] = []
        self._collecting = 0.0
        self._collected_s = 0.0
        self._since: float | None = None
        self._where = ""
        self._loop_thread = threading.get_ident()
        gc.callbacks.append(self._collected)
        threading.Thread(target=self._look_on, daemon=True).start()
        run = asyncio.events.Handle._run

        def timed(handle: asyncio.events.Handle) -> None:
            before, garbage = time.thread_time(), self._collected_s
            self._since, self._where = time.monotonic(), ""
            run(handle)
            self._since = None
            held = time.thread_time() - before
            self._note(round(1000 * held), round(1000 * (held - self._collected_s + garbage)))

        asyncio.events.Handle._run = timed  # type: ignore[method-assign, assignment]

    def _note(self, held: int, own: int) -> None:
        if held > LONG_MS and self.doing != LOOKING:
            self.long.append(f"{self.doing}: {held} ms, {held - own} of them for garbage, in {self._where}")
        self.worst[self.doing] = max(self.worst[self.doing], held)
        self.without_garbage[self.doing] = max(self.without_garbage[self.doing], own)

    def _collected(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._collecting = time.thread_time()
        else:
            self._collected_s += time.thread_time() - self._collecting

    def _look_on(self) -> None:
        while True:
            time.sleep(LOOK_S)
            since = self._since
            if since is not None and time.monotonic() - since > LONG_MS / 2000 and not self._where:
                frames = traceback.extract_stack(sys._current_frames()[self._loop_thread])
                self._where = " < ".join(f"{frame.name} {Path(frame.filename).name}" for frame in frames[:-7:-1])
