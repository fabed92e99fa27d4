"""One member of an ensemble: its heading, its answer, and how that differs from the winner where this is asked for."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from . import words
from .differences import Difference
from .members import Heading, Member
from .page import SIDEWAYS
from .transcript import Transcript

ANSWER = "answer"
"""Key of the answer in its transcript."""


class Upright(VerticalScroll):
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action not in SIDEWAYS


class Column(Vertical):
    DEFAULT_CSS = """
    Column { width: 1fr; height: 1fr; }
    Column.-divided { border-left: vkey $border-blurred; }
    Column > .differences { display: none; height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    Column.-differs > .differences { display: block; }
    Column.-differs > Transcript { display: none; }
    """

    def __init__(self, member: Member, clock: Callable[[], float]) -> None:
        self.member = member
        self.heading = Heading(member, clock)
        self.answer = Transcript()
        self.answer.begin_answer(ANSWER)
        self.compared = Static(markup=False)
        self.differences = Upright(self.compared, classes="differences")
        self.replaced = False
        """Another ensemble has taken its place."""
        super().__init__(self.heading, self.answer, self.differences)

    def on_unmount(self) -> None:
        if self.replaced:
            self.answer.forget()

    @property
    def differs(self) -> bool:
        """Whether the difference is shown in place of the answer."""
        return self.has_class("-differs")

    @property
    def source(self) -> str:
        return self.answer.text_of(ANSWER)

    def show_difference(self, found: Difference, base: str) -> None:
        """In place of the answer; `base` is the name of what it was compared with."""
        cut = " · only their beginnings are compared" if found.cut else ""
        said = f"against {base}: +{found.added} −{found.removed} words, {found.shared:.0%} shared{cut}\n\n"
        self.compared.update(Content.assemble((said, words.MUTED), found.content()))
        held = self.answer.has_focus
        self.add_class("-differs")
        if held:
            self.focus_inside()

    def show_answer(self) -> None:
        """In place of the difference."""
        held = self.differences.has_focus
        self.remove_class("-differs")
        if held:
            self.focus_inside()

    def focus_inside(self) -> None:
        # At once, unlike `focus`: what is hidden with the focus in it would take that away again.
        self.screen.set_focus(self.differences if self.differs else self.answer)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.heading.marked = True
        self.heading.refresh()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        self.heading.marked = False
        self.heading.refresh()
