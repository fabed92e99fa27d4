"""When a turn's time is up, and why nothing was waited for longer."""

from __future__ import annotations

import asyncio
import math

import pytest

from tui_orchestrator.routing.deadline import Deadline, Limit
from tui_orchestrator.routing.errors import OutOfTime
from tui_orchestrator.routing.ports import Timeouts

TIMEOUTS = Timeouts(first_token=30, between_tokens=20, total=300)


@pytest.mark.parametrize(
    ("until", "end", "first", "said"),
    [
        (60, 300, True, "The turn took longer than 60 s."),
        (61, 61, False, "The turn took longer than 60 s."),
        (50, 50, True, "The answer took longer than 300 s in total."),
        (51, 50, False, "The answer took longer than 300 s in total."),
        (30, 300, True, "Nothing came for 30 s."),
        (30, 300, False, "The answer stood still for 20 s."),
    ],
)
async def test_why_nothing_was_waited_for_longer_is_said(until: float, end: float, first: bool, said: str) -> None:
    deadline = Deadline(60)
    began = deadline.at - 60
    error = deadline.too_late(began + until, began + end, TIMEOUTS, first=first)
    assert error.message == said
    assert isinstance(error, OutOfTime) is said.startswith("The turn")


async def test_time_that_is_not_the_turns_puts_its_end_off() -> None:
    deadline = Deadline(0)
    assert deadline.passed
    assert deadline.left <= 0
    deadline.put_off(60)
    assert not deadline.passed
    assert 0 < deadline.left <= 60


async def test_work_that_is_done_in_time_is_let_be_and_its_own_errors_come_through() -> None:
    deadline = Deadline(60)
    async with deadline.within():
        await asyncio.sleep(0)
    with pytest.raises(TimeoutError, match="of its own"):
        async with deadline.within():
            raise TimeoutError("of its own")


async def test_work_that_waits_past_the_end_is_ended() -> None:
    deadline = Deadline(0.01)
    with pytest.raises(OutOfTime, match=r"The turn took longer than 0\.01 s\."):
        async with deadline.within():
            await asyncio.Event().wait()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_cancellation_from_outside_is_no_timeout() -> None:
    async def work() -> None:
        async with Deadline(60).within():
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_limit_may_be_set_again_and_a_nearer_one_rings_first() -> None:
    loop, limit = asyncio.get_running_loop(), Limit()
    assert limit.at == math.inf
    async with limit.until(loop.time() + 60, 0.0):
        await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        async with limit.until(loop.time() + 0.01, 0.0):
            await asyncio.Event().wait()
    assert limit.passed
    limit.close()
