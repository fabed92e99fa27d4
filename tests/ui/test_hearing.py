"""How events come from a turn to the panes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from tui_orchestrator.routing.events import Event, Text, Thinking, Waiting
from tui_orchestrator.services.runtime import RegistryChanged
from tui_orchestrator.ui.hearing import Gathered

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def text(piece: str, attempt: int = 1, request: str = "r") -> Text:
    return Text(request, NOW, attempt, piece)


async def test_pieces_of_text_that_come_in_one_go_are_one() -> None:
    heard: list[Event | RegistryChanged] = []
    listener = Gathered(heard.append)
    for piece in ("one ", "two ", "three"):
        listener(text(piece))
    assert heard == []
    await asyncio.sleep(0)
    assert heard == [text("one two three")]
    listener(text("four"))
    await asyncio.sleep(0)
    assert heard[1:] == [text("four")]


async def test_what_is_no_text_waits_for_nothing_and_overtakes_nothing() -> None:
    heard: list[Event | RegistryChanged] = []
    listener = Gathered(heard.append)
    waiting = Waiting("r", NOW, 1, 2.0, "rate limit")
    listener(text("one "))
    listener(text("two"))
    listener(waiting)
    assert heard == [text("one two"), waiting]
    listener(text("three"))
    await asyncio.sleep(0)
    assert heard[2:] == [text("three")]


async def test_answers_and_thoughts_are_kept_apart() -> None:
    heard: list[Event | RegistryChanged] = []
    listener = Gathered(heard.append)
    told = [Thinking("r", NOW, 1, "hm"), text("one", 1), text("eins", 2), text("two", 1), text("uno", 1, "other")]
    for event in told:
        listener(event)
    await asyncio.sleep(0)
    assert heard == told
