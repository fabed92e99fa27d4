"""What the pictures have in common: the sizes, and a console told from values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.ui.conftest import sees
from tests.ui.test_snapshots import AT, Still, decision
from tui_orchestrator.routing.events import Event
from tui_orchestrator.routing.request import Message, Request
from tui_orchestrator.settings import UiSettings
from tui_orchestrator.ui.commands import Need

Show = Callable[[Pilot[Any]], Awaitable[None]]

SIZES = ((160, 48), (80, 24))
both_sizes = pytest.mark.parametrize("size", SIZES)


def in_turn(place: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """At both sizes; in an everyday run at one of them, in the next picture at the other."""
    return lambda test: pytest.mark.cells(place)(both_sizes(test))


class Console(Still):
    """With an answer on the screen, as far as the palette asks."""

    def __init__(self, theme: str = "dusk") -> None:
        super().__init__(UiSettings(theme=theme))

    def has(self, need: Need) -> bool:
        ensemble = self.chat.ensemble
        if need in ("several", "at work"):
            return ensemble is not None and ensemble.over is (need == "several")
        there = need in ("answer", "asked", "said", "kept", "kept and idle", "personas")
        return there or super().has(need)


def console_of(pilot: Pilot[Any]) -> Console:
    assert isinstance(pilot.app, Console)
    return pilot.app


def ask(app: Console, prompt: str, request_id: str = "r1", **wanted: Any) -> Request:
    request = Request((Message("user", prompt),), id=request_id, **wanted)
    app.chat.begin(request)
    app.decision.follow(request_id)
    return request


def tell(app: Console, *events: Event) -> None:
    for event in events:
        app.events.publish(event)


__all__ = ["AT", "SIZES", "Console", "Show", "ask", "both_sizes", "console_of", "decision", "in_turn", "sees", "tell"]
