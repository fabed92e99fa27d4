"""The frame of what goes on while it is closed, a batch or a recipe: looked at again and again, and scrolled."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from .dialogs import Dialog

LOOK_S = 0.25


class RunScreen(Dialog[None]):
    SCROLLED = ""
    """Selector of what the page keys move."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Close"),
        Binding("pagedown,down", "scroll_run(1)", "Down", show=False),
        Binding("pageup,up", "scroll_run(-1)", "Up", show=False),
    ]

    def on_mount(self) -> None:
        self.lay_out()
        self.set_interval(LOOK_S, self.look)

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self.lay_out)

    def look(self) -> None:
        """Draws it anew where something has changed."""

    def lay_out(self) -> None:
        """Draws it anew."""

    def action_scroll_run(self, way: int) -> None:
        self.query_one(self.SCROLLED).scroll_relative(y=way * 5, animate=False)
