"""Which panes stand side by side at a terminal's size."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

Pane = Literal["chat", "decision", "costs", "registry"]

PANES: tuple[Pane, ...] = ("chat", "decision", "costs", "registry")

WIDE = 130
"""Columns from which chat, decision and costs stand together."""
MIDDLE = 96
"""Columns from which chat stands beside one of them."""
LOW = 16
"""Rows below which the header, the borders and an ensemble's columns give way to the transcript."""


def room_for_toasts(width: int, current: Pane) -> bool:
    """Whether one covers little of what is read; else the line above the prompt speaks instead. The list of models has
    its prices and health where toasts stand."""
    return width >= (WIDE if current == "registry" else MIDDLE)


def arrange(
    width: int, height: int, shown: Collection[Pane], current: Pane, side: Pane, zoomed: bool
) -> tuple[Pane, ...]:
    """The panes to draw, in order. `current` has the focus and is always among them; `side` is the side pane looked at
    last, which stands beside chat where there is room for one."""
    if zoomed or current == "registry" or width < MIDDLE:
        return (current,)
    if width >= WIDE and height >= 30:
        return tuple(pane for pane in PANES if pane != "registry" and (pane in shown or pane == current))
    if current != "chat":
        return ("chat", current) if "chat" in shown else (current,)
    return ("chat", side) if side in shown and side != "chat" else ("chat",)
