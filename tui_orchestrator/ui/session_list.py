"""The rows of the list of sessions, with their keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from .commands import bindings
from .row_list import RowList


class SessionList(RowList):
    """A click marks a session, a click on the marked one opens it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("sessions"),
        Binding("end", "last_of_all", "Last", show=False),
    ]

    class Verb(Message):
        def __init__(self, verb: str) -> None:
            super().__init__()
            self.verb = verb

    class AboveFirst(Message):
        pass

    def __init__(self, read_on: Callable[[], Awaitable[None]]) -> None:
        """`read_on` adds what was not read yet."""
        super().__init__(id="sessions", markup=False)
        self._read_on = read_on

    async def action_last_of_all(self) -> None:
        # Keys that follow wait for it: they are meant for the last.
        await self._read_on()
        self.action_last()

    def action_do(self, verb: str) -> None:
        self.post_message(self.Verb(verb))

    def action_cursor_up(self) -> None:
        first = next((place for place, option in enumerate(self.options) if not option.disabled), 0)
        if self.highlighted is None or self.highlighted <= first:
            self.post_message(self.AboveFirst())
        else:
            super().action_cursor_up()

    async def _on_click(self, event: events.Click) -> None:
        clicked = event.style.meta.get("option")
        event.prevent_default()
        if clicked is not None and not self.options[clicked].disabled:
            again = clicked == self.highlighted
            self.highlighted = clicked
            if again:
                self.action_select()
