"""A call's place in line, and what becomes of it."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

from tests.clock import ManualClock
from tui_orchestrator.routing.line import Line
from tui_orchestrator.routing.ratelimit import RateLimits

from .samples import model

ONE_A_MINUTE = model("a/x", requests_per_minute=1)


@pytest.mark.parametrize(("sent", "waits"), [(True, 60.0), (False, 0.0)])
async def test_a_place_is_given_back_where_the_call_was_never_sent(sent: bool, waits: float) -> None:
    limits, clock = RateLimits(), ManualClock()
    line = Line(limits, clock)
    async with AsyncExitStack() as held:
        assert await line.stand(ONE_A_MINUTE, 10, held, lambda: sent) == 0.0
        assert limits.wait_s(ONE_A_MINUTE, 10, clock.monotonic()) == 60.0
    assert limits.wait_s(ONE_A_MINUTE, 10, clock.monotonic()) == waits


async def test_who_comes_behind_another_waits_until_the_minute_is_over() -> None:
    clock = ManualClock()
    line = Line(RateLimits(), clock)
    async with AsyncExitStack() as held:
        waits = [await line.stand(ONE_A_MINUTE, 10, held, lambda: True) for _ in range(3)]
        assert await line.stand(model("b/free"), 10, held, lambda: True) == 0.0
    assert waits == [0.0, 60.0, 120.0]
    await clock.sleep(100.0)
    async with AsyncExitStack() as held:
        assert await line.stand(ONE_A_MINUTE, 10, held, lambda: True) == 80.0
