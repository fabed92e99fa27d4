"""The palette: every action that can be done now, and every strategy, by its 'area: verb' name and with its key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from rich.cells import cell_len
from textual.geometry import Size

from tui_orchestrator.routing.request import Strategy

from . import words
from .commands import ACTIONS, Action, Need
from .dialogs import Choice
from .words import ACCENT, MUTED

WIDTH = 84
"""Cells of a dialog where there is room."""
_AROUND = 9
"""Cells of its frame, the air beside the rows, their mark and the scroll bar."""
_PLACES = {
    "chat": "Chat", "decision": "Decision", "costs": "Costs", "registry": "Models", "ensemble": "its answers"
}  # fmt: skip
"""What a pane is called whose key works in it alone."""


class Offers(Protocol):
    """What the palette asks of the console."""

    @property
    def size(self) -> Size: ...

    @property
    def strategy_in_force(self) -> Strategy | None: ...

    def has(self, need: Need) -> bool: ...

    def keys_of(self, action: Action) -> str: ...


def commands(console: Offers) -> Iterator[Choice]:
    """By the action that each is, in Textual's form."""
    width = min(WIDTH, console.size.width * 96 // 100) - _AROUND
    for action in ACTIONS:
        if action.palette and console.has(action.needs) and console.has(action.when):
            area, _, verb = action.title.partition(": ")
            there = f" in {_PLACES[action.scope]}" if action.scope in _PLACES else ""
            keys = f" {key}{there}" if (key := console.keys_of(action)) else ""
            named = words.fit(verb, width - cell_len(f"{area}: {keys}"))
            yield Choice(action.action, ((f"{area}: ", MUTED), (named, ""), (keys, ACCENT)), names=(action.title, verb))
    if not console.has("personas"):
        adds = "add a persona"
        yield Choice("settings('personas')", (("settings: ", MUTED), (adds, "")), names=(f"settings: {adds}", adds))
    for strategy in Strategy:
        holds = " · current" if strategy is console.strategy_in_force else ""
        does = "to ask and compare several models: " if strategy is Strategy.ENSEMBLE else ""
        yield Choice(
            f"choose_strategy('{strategy}')",
            (("strategy: ", MUTED), (words.spoken(strategy), ""), (f"{holds} · {does}{words.picks(strategy)}", MUTED)),
            names=(f"strategy: {words.spoken(strategy)}", words.spoken(strategy)),
        )
    does = "pick an ensemble's best before names are shown (blind), or not"
    yield Choice(
        "blind",
        (("strategy: ", MUTED), (words.fit(does, width - cell_len("strategy: ")).rstrip(), "")),
        names=(f"strategy: {does}", does),
    )
