"""What many calls will cost, before the first of them: begin, or send nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tui_orchestrator.routing.budget import BudgetState

from .question import SENDS_NOTHING, Question, Way


class Drawn(Static):
    """Drawn anew for each width."""

    def __init__(self, draw: Callable[[int], Content]) -> None:
        super().__init__(markup=False)
        self._draw = draw

    def on_mount(self) -> None:
        self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        if self.container_size.width > 1:
            self.update(self._draw(self.container_size.width - 1))


class Beginning(Question[bool]):
    """Answers whether it is to begin."""

    CSS = "Beginning .dialog { width: 96%; max-width: 120; }"
    HELP = (
        "What it will cost, how long it will take and who will answer. ↑↓ or a click mark what to do, Enter does it. "
        "The mark is on not beginning at first, so that what was typed ahead spends nothing; Esc begins nothing."
    )

    def __init__(
        self, title: str, draw: Callable[[int], Content], cap: BudgetState | None, *, go_on: bool = False, kept: str
    ) -> None:
        """`cap`: the tightest that is passed. `kept`: what stays of it where it does not begin."""
        verb = "go on" if go_on else "begin"
        at_the_cap = " all the same" if cap is not None else ""
        spends = "it spends about that" if cap is None else f"it stops at {cap.cap.name}; raise that to have all of it"
        ways = (
            Way("not yet", "not yet", f"nothing is sent; {kept}", SENDS_NOTHING),
            Way("begin", f"{verb}{at_the_cap}", spends, "goes on" if go_on else "begins"),
        )
        super().__init__(title, ways, refuses=SENDS_NOTHING)
        self._draw = draw

    def compose_above(self) -> Iterable[Widget]:
        yield Drawn(self._draw)
        yield Static("")

    def take(self, way: str) -> None:
        self.dismiss(way == "begin")
