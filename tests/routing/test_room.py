"""Turns that wait for money which calls under way will give back."""

from __future__ import annotations

import asyncio

from tui_orchestrator.routing.room import AT_A_TIME, Room


async def test_who_is_cancelled_just_as_a_call_ends_hands_on_that_it_did() -> None:
    room = Room()
    for call in ("one", "two"):
        room.taken(call)
    tasks = [asyncio.create_task(room.one_ended()) for _ in range(AT_A_TIME + 1)]
    await asyncio.sleep(0)
    room.given_back("one")
    tasks[0].cancel()
    async with asyncio.timeout(20):
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(ended[0], asyncio.CancelledError)
    assert ended[1:] == [None] * AT_A_TIME
