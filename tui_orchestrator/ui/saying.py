"""What a dialog says below its fields."""

from __future__ import annotations

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from . import words
from .words import BAD


class Said(Static):
    """All lines of a problem stand beside its mark."""

    def __init__(self) -> None:
        super().__init__(id="said", markup=False)
        self._problem = ""
        self._width = 0

    def say(self, sentence: str, style: str = "") -> None:
        self._problem = ""
        self.update(Content.styled(sentence, style))

    def refuse(self, problem: str) -> None:
        self._problem = problem
        self._draw()
        self.call_after_refresh(self._come_into_view)

    def on_resize(self) -> None:
        if self._problem:
            if self.content_size.width != self._width:
                self._draw()
            self._come_into_view()

    def _come_into_view(self) -> None:
        """Where the dialog is higher than the screen, what Enter would do now must not lie below its edge."""
        if self._problem and isinstance(self.parent, VerticalScroll):
            self.parent.scroll_end(animate=False)

    def _draw(self) -> None:
        self._width = self.content_size.width
        # Before the first layout nothing is known of the width.
        room = max(1, self._width - 2) if self._width else len(self._problem)
        lines = [line for said in self._problem.split("\n") for line in words.wrap(said, room)]
        marked = [("  " if place else "✗ ") + line for place, line in enumerate(lines)]
        self.update(words.lines([Content.styled(line, BAD) for line in marked]))
