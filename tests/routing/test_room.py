"""Turns that wait for money which calls under way will give back."""

from __future__ import annotations

import asyncio

import pytest

from tui_orchestrator.routing.budget import BudgetState, Cap, Shortage
from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.routing.room import AT_A_TIME, InLine, Room


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


USD = Money.from_usd


def short(needs: str, spent: str, limit: str | None, least: str | None = None) -> Shortage:
    cap = Cap("day", "2026-11-21", None if limit is None else USD(limit))
    return Shortage("a/x", USD(needs), BudgetState(cap, USD(spent), ZERO), None if least is None else USD(least))


@pytest.mark.parametrize(
    ("shortage", "waits"),
    [
        (short("1", "9", "10"), True),
        (short("1.01", "9", "10"), False),
        (short("5", "9", "10", least="1"), True),
        (short("5", "9", "10", least="1.01"), False),
        (short("5", "9", None), True),
    ],
)
async def test_only_what_would_fit_were_nothing_set_aside_is_waited_with(shortage: Shortage, waits: bool) -> None:
    room = Room()
    assert not room.awaited
    room.taken("one")
    assert room.awaited
    place = InLine(room)
    task = asyncio.create_task(place.room_for(shortage))
    await asyncio.sleep(0)
    assert task.done() is not waits
    room.given_back("one")
    assert await task is waits
    assert not room.awaited


async def test_where_no_call_is_under_way_nobody_waits_and_one_that_ended_meanwhile_is_enough() -> None:
    room = Room()
    place = InLine(room)
    assert not await place.room_for(short("1", "0", "10"))
    room.taken("one")
    room.given_back("one")
    assert (room.ended, room.awaited) == (1, False)
    assert await place.room_for(short("1", "0", "10"))
    assert not await place.room_for(short("1", "0", "10")), "nothing has ended since"


@pytest.mark.parametrize(("under_way", "woken"), [(2, 2), (1, 4)])
async def test_two_are_woken_in_their_order_and_all_where_nobody_else_would_do_it(under_way: int, woken: int) -> None:
    room, over = Room(), list[int]()

    async def wait(number: int) -> None:
        await room.one_ended()
        over.append(number)

    for call in range(under_way):
        room.taken(str(call))
    tasks = [asyncio.create_task(wait(number)) for number in range(4)]
    await asyncio.sleep(0)
    room.given_back("0")
    for _ in range(3):
        await asyncio.sleep(0)
    assert over == list(range(woken))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_who_is_gone_is_passed_over() -> None:
    room = Room()
    room.taken("one")
    room.taken("two")
    tasks = [asyncio.create_task(room.one_ended()) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.sleep(0)
    room.given_back("one")
    await asyncio.gather(*tasks[1:])
    assert tasks[0].cancelled()
