"""Calls into code that others wrote, which may raise what would end more than the call: docs/plugins.md."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Contained(Exception):
    """What was raised and is no Exception, as `told` tells it."""


@contextmanager
def contained() -> Iterator[None]:
    """Around such a call: SystemExit, GeneratorExit and whatever else it raises come out as an Exception. What does not
    come from it goes on as it is: the cancellation of this task, and Ctrl+C where that raises KeyboardInterrupt. Not
    around a `yield`."""
    try:
        yield
    except Exception:
        raise
    except BaseException as error:
        if _from_outside(error):
            raise
        raise Contained(told(error)) from error


def told(error: BaseException) -> str:
    """'KeyError: 'address'', not clean yet; also of one that cannot say what it is."""
    if isinstance(error, Contained):
        return str(error)
    try:
        return f"{type(error).__name__}: {error}".removesuffix(": ")
    except BaseException:  # noqa: BLE001  # its `__str__` is theirs as well
        return type(error).__name__


def _from_outside(error: BaseException) -> bool:
    if isinstance(error, asyncio.CancelledError):
        try:
            task = asyncio.current_task()
        except RuntimeError:  # a thread without a loop, which nobody cancels
            return False
        return task is not None and task.cancelling() > 0
    return isinstance(error, KeyboardInterrupt) and _interrupts()


def _interrupts() -> bool:
    """Whether Ctrl+C raises KeyboardInterrupt here and now: not where an event loop has a handler of its own for it."""
    if threading.current_thread() is not threading.main_thread():
        return False
    handler = signal.getsignal(signal.SIGINT)
    return callable(handler) and getattr(handler, "__module__", "") != "asyncio.unix_events"
