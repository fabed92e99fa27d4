"""Finishing what must be finished although the task is being cancelled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

T = TypeVar("T")


def being_cancelled() -> bool:
    """Whether someone asked this task to stop, also when the CancelledError was already caught."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def heed() -> None:
    """Raises the cancellation that `undisturbed` held back, if there was one."""
    if being_cancelled():
        raise asyncio.CancelledError


async def cancelled(task: asyncio.Task[None] | None) -> None:
    """Cancels it and waits until it is over. What else it raises is raised."""
    if task is not None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def closed(pieces: AsyncIterator[object]) -> None:
    """What is to be closed is; an iterator need not be."""
    closing = getattr(pieces, "aclose", None)
    if closing is not None:
        await closing()


async def undisturbed(work: Awaitable[T]) -> T:
    """Runs `work` to its end. A cancellation meanwhile is not raised, and will not be raised later either: ask
    `being_cancelled`, or `heed` it, afterwards."""
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
        except Exception:  # noqa: BLE001  # raised by the next line, from the task itself
            break
    return task.result()
