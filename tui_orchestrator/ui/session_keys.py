"""The line at the foot of the list of sessions."""

from __future__ import annotations

from itertools import islice

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.widget import Widget

from . import words
from .commands import ACTIONS
from .words import MUTED


class SessionKeys(Widget):
    """What can be done with the marked session, as many as fit; each can be clicked."""

    ALLOW_SELECT = False

    def __init__(self, listed: Widget) -> None:
        """`listed`: whose keys they are."""
        super().__init__(id="session-keys")
        self._listed = listed
        self._places: list[tuple[int, int, str]] = []

    def render(self) -> Content:
        """In as few rows as there can be, of much the same length, wrapped between keys."""
        self._places.clear()
        keys: list[tuple[Content, str]] = []
        for action in ACTIONS:
            if action.scope != "sessions" or not action.footer:
                continue
            wanted = self.app._keymap.get(action.id, action.key).split(",")[0]
            key = self.app.get_key_display(Binding(wanted, ""))
            part = Content.assemble((f" {key}", "bold $accent"), (f" {action.footer} ", MUTED))
            keys.append((part, action.action))
        rows = words.evenly([part.cell_length for part, _ in keys], self.size.width)
        left, lines = iter(keys), list[Content]()
        for row, count in enumerate(rows):
            line = Content("")
            for part, deed in islice(left, count):
                line += part
                self._places.append((row, line.cell_length, deed))
            lines.append(line)
        return words.lines(lines)

    async def on_click(self, event: events.Click) -> None:
        for row, end, action in self._places:
            if row == event.y and event.x < end:
                await self._listed.run_action(action)
                return
