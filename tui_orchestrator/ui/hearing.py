"""How panes hear of a turn's events: in order, and pieces of text at next to no cost."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from textual.dom import DOMNode
from textual.signal import Signal

from tui_orchestrator.routing.events import Event, Text, Thinking

if TYPE_CHECKING:
    from tui_orchestrator.services.runtime import Listener, RegistryChanged

Tell = Callable[[Event], None]


class Gathered:
    """A listener of the runtime's that passes on what it hears, but several pieces of text that come in one go as
    one."""

    def __init__(self, pass_on: Listener) -> None:
        self._pass_on = pass_on
        self._held: list[Text | Thinking] = []

    def __call__(self, event: Event | RegistryChanged) -> None:
        if not isinstance(event, Text | Thinking):
            self._let_go()
            self._pass_on(event)
            return
        if not self._held:
            asyncio.get_running_loop().call_soon(self._let_go)
        self._held.append(event)

    def _let_go(self) -> None:
        held, self._held = self._held, []
        for _, run in groupby(held, lambda event: (type(event), event.request_id, event.attempt)):
            first, *others = run
            self._pass_on(replace(first, text="".join(event.text for event in (first, *others))) if others else first)


def hear(events: Signal[Event], node: DOMNode, tell: Tell) -> None:
    """All but pieces of text, each when the node has done what it was at."""

    def heard(event: Event) -> None:
        if not isinstance(event, Text | Thinking):
            node.call_next(tell, event)

    events.subscribe(node, heard, immediate=True)


def hear_all(events: Signal[Event], node: DOMNode, tell: Tell) -> None:
    """Pieces of text too, these at once unless something before them waits: `tell` only keeps them."""
    waiting: deque[Event] = deque()

    def tell_waiting() -> None:
        while waiting:
            tell(waiting.popleft())

    def heard(event: Event) -> None:
        if isinstance(event, Text | Thinking) and not waiting:
            tell(event)
            return
        waiting.append(event)
        if len(waiting) == 1:
            node.call_next(tell_waiting)

    events.subscribe(node, heard, immediate=True)
