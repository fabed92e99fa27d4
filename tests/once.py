"""Work that reads a long text once, and not once for each of its characters."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

LENGTH = 1 << 18
PROCESSOR_S = 4.0
"""A hundred times what so many characters take that are read once; read once for each of them they take far more."""


@contextmanager
def read_once(length: int = LENGTH) -> Iterator[None]:
    """Ends the work with an AssertionError when it uses more of the processor than so long a text may; the clock on the
    wall does not count."""
    most_s = PROCESSOR_S * length / LENGTH

    def never_ends(*_: object) -> None:
        raise AssertionError(f"more than {most_s:g} s of the processor")

    before = signal.signal(signal.SIGVTALRM, never_ends)
    signal.setitimer(signal.ITIMER_VIRTUAL, most_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
