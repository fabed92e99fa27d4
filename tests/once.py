"""Work that reads a long text once, and not once for each of its characters."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

PROCESSOR_S = 4.0
"""A hundred times what 256 KiB take that are read once; read once for each character they take far more."""


@contextmanager
def read_once() -> Iterator[None]:
    """Ends the work with an AssertionError when it uses more of the processor; the clock on the wall does not count."""

    def never_ends(*_: object) -> None:
        raise AssertionError(f"more than {PROCESSOR_S:g} s of the processor")

    before = signal.signal(signal.SIGVTALRM, never_ends)
    signal.setitimer(signal.ITIMER_VIRTUAL, PROCESSOR_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
