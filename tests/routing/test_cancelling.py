"""What is finished although its task is being cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tui_orchestrator.routing.cancelling import being_cancelled, cancelled, closed, heed, undisturbed


class Pieces:
    """What a provider may give in place of a generator."""

    def __init__(self) -> None:
        self.closed = False

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed = True


class Bare:
    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        raise StopAsyncIteration


async def test_what_can_be_closed_is_and_an_iterator_that_cannot_is_let_go() -> None:
    pieces = Pieces()
    await closed(pieces)
    await closed(Bare())
    assert pieces.closed


async def test_a_task_is_cancelled_and_waited_for_and_none_is_nothing_to_wait_for() -> None:
    over = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            over.append(True)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await cancelled(task)
    await cancelled(None)
    assert over == [True]
    assert task.cancelled()


async def test_what_a_cancelled_task_raises_instead_is_raised() -> None:
    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("the disk is full")

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    with pytest.raises(ValueError, match="the disk is full"):
        await cancelled(task)


@pytest.mark.parametrize("times", [1, 2])
async def test_work_runs_to_its_end_and_a_cancellation_is_held_back_until_it_is_heeded(times: int) -> None:
    told, go = [], asyncio.Event()

    async def work() -> int:
        await go.wait()
        return 42

    async def turn() -> None:
        told.append(being_cancelled())
        told.append(await undisturbed(work()))
        told.append(being_cancelled())
        heed()
        told.append("never")

    task = asyncio.create_task(turn())
    for _ in range(times):
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.sleep(0)
    assert told == [False]
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == [False, 42, True]


async def test_what_the_work_raises_is_raised_and_its_own_cancellation_too() -> None:
    async def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await undisturbed(fails())
    gone = asyncio.ensure_future(asyncio.Event().wait())
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await undisturbed(gone)
    assert not being_cancelled()
    heed()
