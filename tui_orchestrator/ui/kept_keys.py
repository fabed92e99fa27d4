"""Keys that the user's keymap may not take from what they do, for one could get out of nothing without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .commands import Action

KEPT = {
    "escape": "a dialog is closed by it",
    "enter": "a prompt is sent and a choice is taken by it",
    "ctrl+c": "app.interrupt has it, which ends the program",
    "ctrl+q": "app.quit has it, which ends the program",
}
"""Keys without which one could get out of nothing, and why."""


def locks_in(action: Action, actions: Sequence[Action], taken: Mapping[str, str]) -> str:
    """The key that the user gave it and that it must not have; '' for none. What ends the program may have another."""
    for key in (key.strip() for key in taken[action.id].split(",")):
        if key not in KEPT or key in action.key.split(",") or (key == "enter" and action.scope != "app"):
            continue
        owners = [one.id for one in actions if key.startswith("ctrl") and key in one.key.split(",")]
        if not owners or not all(one in taken for one in owners):
            return key
    return ""
