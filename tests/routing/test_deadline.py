"""When a turn's time is up, and why nothing was waited for longer."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable
from typing import Any

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


@pytest.mark.parametrize(("ago", "begun"), [(0.0, False), (0.5, False), (5.0, True)])
async def test_work_that_never_waits_is_not_begun_when_its_time_is_up_unless_the_program_stood_still(
    ago: float, begun: bool
) -> None:
    """So much too late it was not whoever is waited for, and what came meanwhile has not been looked at yet."""
    limit, done = Limit(), []
    with contextlib.suppress(TimeoutError):
        async with limit.until(asyncio.get_running_loop().time() - ago, 60.0):
            done.append("all that had come was read")
    limit.close()
    assert bool(done) is begun
    assert limit.passed is not begun


async def test_of_many_waits_one_timer_is_left_and_none_of_what_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, timers = asyncio.get_running_loop(), list[asyncio.TimerHandle]()
    call_at = loop.call_at

    def counted(when: float, *rest: Any, **more: Any) -> asyncio.TimerHandle:
        timers.append(call_at(when, *rest, **more))
        return timers[-1]

    monkeypatch.setattr(loop, "call_at", counted)

    def left() -> int:
        return sum(not timer.cancelled() for timer in timers)

    limit = Limit()
    for seconds in (600, 500, 400, 500, 600, 300):
        async with limit.until(loop.time() + seconds, 0.0):
            await asyncio.sleep(0)
        assert left() == 1
    limit.close()
    assert left() == 0
    # Of all the waits those alone needed a timer that end before the one there was.
    assert len(timers) == 4
    async with Deadline(60).within():
        assert left() == 1
    assert left() == 0


async def test_what_the_work_raises_as_it_is_ended_and_a_cancellation_beside_it_are_not_taken_for_its_end() -> None:
    task = asyncio.current_task()
    assert task is not None

    async def ended(then: Callable[[], object]) -> None:
        async with Limit(asyncio.get_running_loop().time() + 0.01):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                then()
                raise

    def fail() -> None:
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        await ended(fail)
    assert task.cancelling() == 0
    with pytest.raises(asyncio.CancelledError):
        await ended(task.cancel)
    assert task.uncancel() == 0
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(0)
