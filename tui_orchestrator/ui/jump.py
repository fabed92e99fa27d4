"""Jumping: a letter on everything that can have the focus, and for every pane that is not on the screen; that letter
goes there, and opens it."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click, Key
from textual.geometry import Offset
from textual.widget import Widget
from textual.widgets import Static

from .compositor import FrugalModal
from .layout import Pane

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


_PANES: dict[Pane, tuple[str, str]] = {
    "chat": ("c", "chat"),
    "decision": ("d", "decision"),
    "costs": ("o", "costs"),
    "registry": ("m", "models"),
}


@dataclass(frozen=True, slots=True)
class Target:
    letter: str
    name: str
    at: Offset
    widget: Widget | None = None
    """What is to have the focus."""
    pane: Pane | None = None
    """What is to be opened first: it is not on the screen."""


def targets(widgets: Sequence[Widget]) -> tuple[Target, ...]:
    """Of those that are on screen, each with a letter of its own; what has none in the table is numbered."""
    numbers = iter(string.digits[1:] + "abeghijklnqrstuwxyz")
    found = []
    for widget in widgets:
        if widget.region and widget.is_on_screen:
            letter, name = _LETTERS.get(widget.id or "", ("", ""))
            letter = letter or next(numbers, "")
            if letter:
                found.append(Target(letter, name, widget.region.offset, widget))
    return tuple(found)


def elsewhere(panes: Sequence[Pane], row: int) -> tuple[Target, ...]:
    """Of panes that are not on the screen, side by side in that row."""
    found, left = [], 1
    for pane in panes:
        letter, name = _PANES[pane]
        found.append(Target(letter, name, Offset(left, row), pane=pane))
        left += len(name) + 5
    return tuple(found)


class Jump(FrugalModal[Target | None]):
    """Answers with where to go to; anything but a letter that is shown goes back."""

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
        self.dismiss(self._targets.get(event.character or ""))

    def on_click(self, event: Click) -> None:
        at = event.screen_offset
        labels = zip(self.query(Static), self._targets.values(), strict=True)
        if (label := next((target for label, target in labels if label.region.contains_point(at)), None)) is not None:
            self.dismiss(label)
            return
        there = [(one.widget.region, one) for one in self._targets.values() if one.widget is not None]
        hit = [(region.area, one) for region, one in there if region.contains_point(at)]
        self.dismiss(min(hit, key=itemgetter(0))[1] if hit else None)
