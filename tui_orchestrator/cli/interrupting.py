"""Signals to end, as a command takes them."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator

from .streams import hurry

_ENDING: list[Callable[[], object]] = []


@contextlib.contextmanager
def told_of_the_end(hear: Callable[[], object]) -> Iterator[None]:
    """`hear` is called by the signal that ends a command, before anything of it ends."""
    _ENDING.append(hear)
    try:
        yield
    finally:
        _ENDING.remove(hear)


@contextlib.contextmanager
def interruptible(cancel: Callable[[], object]) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a terminal that is closed end what runs in order: what had come is kept and booked. Who reads
    it has a moment left."""

    def end() -> None:
        hurry()
        for hear in _ENDING:
            hear()
        cancel()

    loop = asyncio.get_running_loop()
    signals = [signal.SIGINT, signal.SIGTERM]
    # What nohup has us ignore stays so.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signals.append(signal.SIGHUP)
    for number in signals:
        with contextlib.suppress(NotImplementedError, RuntimeError):
            loop.add_signal_handler(number, end)
    try:
        yield
    finally:
        for number in signals:
            with contextlib.suppress(NotImplementedError, RuntimeError):
                loop.remove_signal_handler(number)
