"""The members of an ensemble over their columns: who each is, how it stands, its figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

from tui_orchestrator.routing.decision import Decision
from tui_orchestrator.routing.money import Money

from . import words
from .entries import BYTES_PER_TOKEN
from .look import Caption, Look


class State(StrEnum):
    """With its glyph, so that state is seen by shape too."""

    WAITING = "◌"
    STREAMING = "●"
    FINISHED = "✓"
    FAILED = "✗"
    ENDED = "■"
    """By the user, before it was done."""
    WINNER = "★"


_ROLES = {
    State.WAITING: "muted",
    State.STREAMING: "accent",
    State.FINISHED: "success",
    State.FAILED: "error",
    State.ENDED: "warning",
    State.WINNER: "warning",
}
_HIDDEN = {
    State.WAITING: "waiting",
    State.STREAMING: "answering",
    State.FINISHED: "done",
    State.FAILED: "no answer",
    State.ENDED: "ended",
}


@dataclass(slots=True)
class Member:
    number: int
    """Of its attempt."""
    model: str
    started: float
    place: int = 0
    """From 1 from the left: the key that picks it."""
    at_most: Money | None = None
    """What is set aside for it."""
    state: State = State.WAITING
    received: int = 0
    """Bytes, for an estimate of tokens until they are known."""
    figures: tuple[str, ...] = ()
    cost: str = ""
    confidence: float | None = None
    best: bool = False
    """The user's own winner."""
    hidden: bool = False
    """Who it is and how it did is not told."""

    @property
    def running(self) -> bool:
        return self.state in (State.WAITING, State.STREAMING)

    @property
    def answered(self) -> bool:
        return self.state in (State.FINISHED, State.WINNER)

    @property
    def name(self) -> str:
        return f"answer {self.place}" if self.hidden else self.model

    def line(self, now: float, width: int) -> Caption:
        """Cost, seconds, tokens and speed, closer together where it is narrow; marked as estimates while it streams."""
        if self.hidden:
            return [(_HIDDEN.get(self.state, ""), "muted")]
        cost = self.cost
        parts = self.figures
        if self.running:
            cost = "" if self.at_most is None else f"≤ {self.at_most}"
            took, tokens = max(0.01, now - self.started), self.received // BYTES_PER_TOKEN
            parts = (words.seconds(took), f"~{tokens:,} tok", f"~{tokens / took:.0f} tok/s")
            if self.state is State.WAITING:
                parts = parts[:1]
        # The cost stands first: in a narrow column the end of the line is cut off.
        for separator in (" · ", " "):
            said = separator.join(part for part in (cost, *parts) if part)
            if cell_len(said) <= width:
                break
        rest = separator.join(parts)
        return [(cost, "money"), (separator if cost and rest else "", "muted"), (rest, "muted")]


def standing(decision: Decision) -> list[tuple[str, str]]:
    """The name of each member, with the reason for one that there is no money for."""
    dear = decision.left_out
    return [(words.short_name(model), dear.get(model, "")) for model in decision.chain]


class OfMember(Message):
    """About one of them, by the number of its attempt."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class Heading(Widget):
    """Two rows over a column: who it is and how it stands, and its figures. A click zooms."""

    DEFAULT_CSS = """
    Heading { height: 2; padding: 0 1; background: $surface; }
    Heading.-winner { background: $panel; }
    """

    class Clicked(OfMember):
        pass

    def __init__(self, member: Member, clock: Callable[[], float]) -> None:
        super().__init__()
        self.member = member
        self.clock = clock
        self.marked = False
        """The focus is in its column."""

    def render(self) -> Text:
        look = Look.of(self.app.theme_variables)
        member = self.member
        name = Text.assemble(
            (f"{member.state} ", look.style(_ROLES[member.state])),
            ("▲ " if member.best else "", look.style("success")),
            (f"{member.place} ", look.style("accent")),
            (member.name, look.style("strong")),
            (" ◂" if self.marked else "", look.style("accent")),
        )
        figures = Text.assemble(*look.runs(member.line(self.clock(), self.size.width)))
        for row in (name, figures):
            row.truncate(self.size.width, overflow="ellipsis")
        return Text("\n").join([name, figures])

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.Clicked(self.member.number))


class Tabs(Widget):
    """One row with all members, where only one column fits or one is zoomed."""

    DEFAULT_CSS = "Tabs { height: 1; background: $panel; display: none; }"

    class Chosen(OfMember):
        pass

    def __init__(self) -> None:
        super().__init__()
        self.members: list[Member] = []
        self.current = 0

    def labels(self) -> list[tuple[Member, str]]:
        """Names are cut so that all fit."""
        room = max(3, self.size.width // max(1, len(self.members)) - 5)
        named = ((member, f"{member.place} {member.name}") for member in self.members)
        return [
            (member, name if cell_len(name) <= room else set_cell_size(name, room - 1) + "…") for member, name in named
        ]

    def render(self) -> Text:
        look = Look.of(self.app.theme_variables)
        line = Text(no_wrap=True, overflow="ellipsis")
        for member, label in self.labels():
            name = look.style("strong") + look.selection if member.number == self.current else look.style("muted")
            line.append(f" {member.state} ", look.style(_ROLES[member.state]))
            line.append(f"{label} ", name)
            line.append("│", look.style("border"))
        return line

    def on_click(self, event: events.Click) -> None:
        right = 0
        for member, label in self.labels():
            right += cell_len(label) + 5
            if event.x < right:
                self.post_message(self.Chosen(member.number))
                return
