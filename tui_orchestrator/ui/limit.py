"""A limit of processor time for what cannot be asked to stop, such as one match of a regular expression."""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Callable
from time import thread_time
from types import FrameType
from typing import TypeVar

AGAIN_S = 0.01
"""Of the thread's time, after which it is stopped again: what was raised may have been swallowed on its way."""
LEAST_S = 0.001
"""That a timer is set to: with 0 it would be off."""

Result = TypeVar("Result")


class TooLong(Exception):
    """Its cause tells where the work was stopped."""


class _Stopped(BaseException):
    """Raised in the middle of the work, whose `except Exception` lets it pass. It never leaves this module."""


_until: float | None = None
"""When the thread's time is up; None where nothing is limited, and a late signal does nothing."""


def can_stop() -> bool:
    """Signals are heeded in the main thread alone, and not every system has the timer."""
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()


def within(most_s: float, work: Callable[[], Result]) -> Result:
    """TooLong where it takes more of this thread's processor time; only where it can be stopped.

    A timer of the process sends a signal, for which `re` looks while it matches. It counts the time of all threads, so
    that the handler looks at this one's and sets it anew. The handler stays: without one a late signal would end the
    process. One that somebody else has set comes back with its timer, and so does the limit round about this one.
    Garbage is looked for afterwards: it is not the work's, and whatever is raised in a callback of it is swallowed.
    """
    global _until
    outer, began = _until, thread_time()
    others = signal.getsignal(signal.SIGVTALRM)
    if others is not _stop:
        signal.signal(signal.SIGVTALRM, _stop)
        # No call of the system ends early in another thread.
        signal.siginterrupt(signal.SIGVTALRM, False)
    left, interval = signal.getitimer(signal.ITIMER_VIRTUAL)
    collecting = gc.isenabled()
    try:
        gc.disable()
        try:
            _until = began + most_s if outer is None else min(outer, began + most_s)
            signal.setitimer(signal.ITIMER_VIRTUAL, max(LEAST_S, _until - began))
            return work()
        finally:
            _until = None
    except _Stopped as stopped:
        _until = None
        raise TooLong from stopped
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        _until = outer
        if collecting:
            gc.enable()
        now = thread_time()
        if others is not _stop and callable(others):
            signal.signal(signal.SIGVTALRM, others)
            if left:
                signal.setitimer(signal.ITIMER_VIRTUAL, max(LEAST_S, left - (now - began)), interval)
        elif outer is not None:
            signal.setitimer(signal.ITIMER_VIRTUAL, max(LEAST_S, outer - now))


def _stop(number: int, frame: FrameType | None) -> None:
    global _until
    if _until is None:
        return
    left = _until - thread_time()
    if left <= 0 and _cannot_be_left(frame):
        left = LEAST_S
    if left > 0:
        signal.setitimer(signal.ITIMER_VIRTUAL, max(LEAST_S, left))
        return
    _until = thread_time() + AGAIN_S
    signal.setitimer(signal.ITIMER_VIRTUAL, AGAIN_S)
    raise _Stopped


def _cannot_be_left(frame: FrameType | None) -> bool:
    """An import would leave a lock behind, and `__del__` swallows whatever is raised."""
    while frame is not None and (code := frame.f_code) is not within.__code__:
        if code.co_name == "__del__" or code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
