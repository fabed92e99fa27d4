"""Jumping: a letter on everything that can have the focus; that letter goes there."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click, Key
from textual.geometry import Offset
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

_LETTERS = {
    "prompt": ("p", "prompt"),
    "transcript": ("c", "chat"),
    "decision": ("d", "decision"),
    "costs": ("o", "costs"),
    "models": ("m", "models"),
    "model-filter": ("f", "filter"),
    "verdict": ("v", "verdict"),
}
"""By a widget's id: its letter, which is always the same, and what it is called."""


@dataclass(frozen=True, slots=True)
class Target:
    letter: str
    name: str
    widget: Widget
    at: Offset


def targets(widgets: Sequence[Widget]) -> tuple[Target, ...]:
    """Of those that are on screen, each with a letter of its own; what has none in the table is numbered."""
    numbers = iter(string.digits[1:] + "abeghijklnqrstuwxyz")
    found = []
    for widget in widgets:
        if widget.region and widget.is_on_screen:
            letter, name = _LETTERS.get(widget.id or "", ("", ""))
            letter = letter or next(numbers, "")
            if letter:
                found.append(Target(letter, name, widget, widget.region.offset))
    return tuple(found)


class Jump(ModalScreen[Widget | None]):
    """Answers with the widget to go to; anything but a letter that is shown goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Back")]
    DEFAULT_CSS = """
    Jump Static {
        position: absolute; width: auto; height: 1; padding: 0 1;
        background: $accent; color: $ink; text-style: bold;
    }
    """

    def __init__(self, reachable: Sequence[Target]) -> None:
        super().__init__()
        self._targets = {target.letter: target for target in reachable}

    def compose(self) -> ComposeResult:
        for target in self._targets.values():
            label = Static(Content(f"{target.letter} {target.name}".rstrip()))
            label.styles.offset = target.at
            yield label

    def on_key(self, event: Key) -> None:
        event.stop()
        target = self._targets.get(event.character or "")
        self.dismiss(target.widget if target else None)

    def on_click(self, event: Click) -> None:
        at = event.screen_offset
        hit = [target for target in self._targets.values() if target.widget.region.contains_point(at)]
        self.dismiss(min(hit, key=lambda target: target.widget.region.area).widget if hit else None)
