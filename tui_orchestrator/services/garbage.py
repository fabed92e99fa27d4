"""When Python looks for garbage, and through how much of what there is: never through so much that a key would wait.

Python looks through new objects often and, now and then, through all: for a console that has shown much that takes
half a second. Here what has grown old is looked through by itself, before it is more than is looked through in a
moment; what is left of it stays for good, and is never looked through again. What is no part of a cycle goes without
all this as soon as nobody uses it, later as well: only cycles that end later than that stay in memory. So a moment is
waited for in which nothing is there that soon ends, like a dialog.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 5_000
"""Objects that are made before the new ones are looked through. A screen is drawn of thousands."""
MIDDLE, OLD = 3, 1_000_000
"""How often the youngest are looked through before the next older ones are, and those before all are: as good as
never."""
AT_ONCE = 50_000
"""So many of the old ones are looked through at most: 17 ms of processor time, or four times that where both cores are
busy and much of it is garbage (two shared cores, November 2026)."""
MANY = AT_ONCE // 4
"""So many more than the last time are worth a look while somebody is at work."""


def begin() -> None:
    """From now on garbage is looked for, but not in what is there."""
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
    gc.enable()


@contextmanager
def put_off() -> Iterator[None]:
    """Until what is made meanwhile is whole."""
    gc.disable()
    try:
        yield
    finally:
        gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
        gc.enable()


class Tidying:
    def __init__(self) -> None:
        self._looked = 0
        self._left = 0
        """By the last look."""

    def look(self, *, calm: bool, passing: bool) -> None:
        """To be called every few seconds. `calm`: nobody would notice; `passing`: some of what is there, like a dialog,
        soon ends, and would stay in memory if it were never looked through again."""
        looked = _looked()
        waited = self._left > 2 * MANY and not passing
        if self._looked == looked and not waited:
            return  # nothing has grown old since
        if (old := _old()) > AT_ONCE:
            gc.freeze()
        elif calm or waited or old > self._left + MANY:
            gc.collect()
            if _old() > (3 if passing else 2) * MANY:
                gc.freeze()
        else:
            return
        self._looked, self._left = looked, _old()


def _looked() -> int:
    """How often the middle generation was: those that are left of it are old."""
    return int(gc.get_stats()[1]["collections"])


def _old() -> int:
    """Objects that are looked through only when all are, without those that never are."""
    return len(gc.get_objects(generation=2))
