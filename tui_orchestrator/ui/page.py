"""Rows of the conversation as strips of the screen, each made once for as long as it looks the same."""

from __future__ import annotations

from collections.abc import Iterator

from rich.segment import Segment
from textual.geometry import Size
from textual.selection import Selection
from textual.strip import Strip

from . import markdown
from .entries import Entry
from .lines import Framed, Line
from .look import Look
from .painting import Painted
from .rows import Found, Rows

MAKE_AFTER_S, MAKE_EVERY_S = 0.3, 0.02
"""What is not made yet waits so long, and then so long again after each stretch."""
NOTHING_BESIDE = Strip([], 0)
SIDEWAYS = ("scroll_left", "scroll_right")


class Page(Painted):
    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._rows = Rows(Look.of({}))
        self._blank = NOTHING_BESIDE
        self._blanks: dict[int, Framed] = {}
        """Rows without text, by the identity of what stands beside them."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Nothing stands beside the view: these keys are left to what it stands in.
        return action not in SIDEWAYS

    @property
    def _room(self) -> Size:
        """Without padding and scrollbar: `size` still counts the scrollbar in."""
        return self.scrollable_content_region.size

    def use_look(self, look: Look) -> None:
        self._rows.set_look(look)
        self._blank = NOTHING_BESIDE

    # What it holds. Whoever asks for something that is not made yet has it made.

    def entry(self, key: str) -> Entry:
        return self._rows.entry(key)

    def holds(self, key: str) -> bool:
        return key in self._rows

    @property
    def entries(self) -> list[Entry]:
        return self._rows.entries

    @property
    def made(self) -> list[Entry]:
        """Those of them that are."""
        return self._rows.made

    def latest(self) -> Iterator[Entry]:
        """All, the last one first."""
        return self._rows.latest()

    def beside(self, key: str, step: int) -> Iterator[Entry]:
        """All below an entry for a `step` of 1, all above it for -1, the nearest first."""
        return self._rows.beside(key, step)

    def text_of(self, key: str) -> str:
        """The Markdown of an answer, the text of a prompt."""
        return self.entry(key).source

    def code_blocks(self, key: str) -> list[tuple[str, str]]:
        """(language, code) in order."""
        return markdown.fences(self.entry(key).source)

    def make_rest(self) -> None:
        """Stretch by stretch, while everything else goes on."""
        self.set_timer(MAKE_AFTER_S, self._make_more)

    def _make_more(self) -> None:
        if self.make_some():
            self.set_timer(MAKE_EVERY_S, self._make_more)

    def make_some(self) -> bool:
        """For a few milliseconds. Whether there was anything to be made."""
        return self._rows.make_some()

    def forget(self) -> None:
        """All that was drawn and is to be drawn, once it is seen no more: what a widget holds on to may outlive it."""
        self._rows.load(())
        self._blanks.clear()
        self._frame, self._filtered = [], {}

    def paint(self) -> list[Strip]:
        """The same object for a row that looks the same: what is drawn beside a line is kept with it."""
        top, height = self.scroll_offset.y, self.outer_size.height
        strips, selection, width = [], self.text_selection, self.row_width
        for row, found in enumerate(self._rows.window(top, top + height), top):
            line = self._line(found)
            strip, beside = self._strip(row, line, selection), self._beside(found)
            known = self._blanks.get(id(beside)) if line is None else line.framed
            if known is None or known[0] is not strip or known[1] is not beside:
                known = (strip, beside, self._framed(beside, strip, width))
                if line is None:
                    self._blanks[id(beside)] = known
                else:
                    line.framed = known
            strips.append(known[2])
        return strips

    def render_line(self, y: int) -> Strip:
        """Of the content alone: Textual looks here for the offsets that a selection starts and ends at."""
        row = self.scroll_offset.y + y
        found = self._rows.find(row)
        parts = (self._beside(found), self._strip(row, self._line(found), self.text_selection))
        return Strip.join([part.apply_offsets(0, row) for part in parts if part.cell_length])

    def _strip(self, row: int, line: Line | None, selection: Selection | None) -> Strip:
        width, look = self._rows.width, self._rows.look
        if line is None:
            if self._blank.cell_length != width:
                self._blank = Strip.blank(width, look.base)
            return self._blank
        span = selection.get_span(row) if selection is not None else None
        if span is not None:
            return line.to_strip(width, look.base, (*span, look.selection))
        if line.strip is None or line.strip.cell_length != width:
            line.strip = line.to_strip(width, look.base)
        return line.strip

    def _framed(self, beside: Strip, strip: Strip, width: int) -> Strip:
        left, base = self.styles.padding.left, self._rows.look.base
        framed = Strip.join([Strip([Segment(" " * left, base)]), beside, strip] if left else [beside, strip])
        return framed.adjust_cell_length(width, base)

    def _line(self, found: Found | None) -> Line | None:
        """For a subclass that draws a line otherwise than it is laid out."""
        return found.line if found else None

    def _beside(self, found: Found | None) -> Strip:
        """For a subclass that draws left of the text, and takes the room for it from `_room`; always the same object
        for the same look."""
        return NOTHING_BESIDE
