"""Reading the events of a turn in a test's few words."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import TypeVar

from tui_orchestrator.demo import Exchange, Servers
from tui_orchestrator.routing.events import AttemptStarted, Completed, Event, Failed, Text
from tui_orchestrator.services.runtime import Runtime

E = TypeVar("E")


def only(events: Sequence[Event], kind: type[E]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def completed(events: Sequence[Event]) -> Completed:
    end = events[-1]
    assert isinstance(end, Completed), end
    return end


def failed(events: Sequence[Event]) -> Failed:
    end = events[-1]
    assert isinstance(end, Failed), end
    return end


def walked(events: Sequence[Event]) -> list[str]:
    """'cause name' of each attempt, in order."""
    return [f"{event.cause} {event.model.split('/')[1]}" for event in only(events, AttemptStarted)]


def text_of(events: Sequence[Event], attempt: int) -> str:
    return "".join(event.text for event in only(events, Text) if event.attempt == attempt)


def asked(servers: Servers, model: str) -> list[Exchange]:
    """The requests for answers that reached a model, by its bare name."""
    return [exchange for exchange in servers.exchanges if exchange.model == model and exchange.method == "POST"]


def most_tokens(exchange: Exchange) -> int:
    """The most output tokens a request asked for, in whichever vendor's words."""
    body = exchange.body
    most = body.get("max_tokens") or body.get("max_completion_tokens") or body["generationConfig"]["maxOutputTokens"]
    assert isinstance(most, int)
    return most


async def until(condition: Callable[[], object]) -> None:
    """Lets the others run until it holds: for what other tasks and the servers do, of which nothing tells."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


async def reserved(runtime: Runtime) -> int:
    """How many reservations there are."""

    def count(connection: sqlite3.Connection) -> int:
        return int(connection.execute("SELECT COUNT(*) FROM reserved").fetchone()[0])

    return await runtime.database.read(count)
