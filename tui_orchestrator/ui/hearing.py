"""How panes hear of a turn's events: in order, and pieces of text at next to no cost."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from textual.dom import DOMNode
from textual.signal import Signal

from tui_orchestrator.routing.events import Event, Text, Thinking

Tell = Callable[[Event], None]


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
