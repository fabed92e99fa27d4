"""The conversation as one reads it: a mark that goes from message to message, and what was looked for, lit up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import var
from textual.strip import Strip
from textual.widgets import Static

from .commands import bindings
from .drawing import Piece
from .entries import FOLDS, Entry, Kind, Part
from .finding import NOTHING, SEARCHED, Spans, Wanted
from .lines import Line, highlight
from .look import Look
from .page import NOTHING_BESIDE
from .rows import Found
from .transcript import Transcript

GUTTER = 1
"""Cells left of the text, where the mark is drawn."""
RIGHT_BUTTON = 3


class Reader(Transcript):
    DEFAULT_CSS = """
    Reader { padding: 0 1 0 0; }
    """
    BINDINGS = bindings("chat")

    marked: var[str | None] = var(None)
    """Key of the message that keys and the menu are about; drawn while the focus is here."""

    class MenuWanted(Message):
        """For the marked message."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class BranchWanted(Message):
        """Another branch than the one that the marked prompt, or the nearest above it, is on."""

        def __init__(self, key: str, step: int) -> None:
            super().__init__()
            self.key = key
            self.step = step

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._wanted: Wanted | None = None
        self._current: tuple[str, int] | None = None
        """Of what was found, the one in view: the entry's key, and which of its own it is."""
        self._current_at: tuple[Piece, int] | None = None
        self._spans: dict[Piece, tuple[list[Line], Spans]] = {}
        self._gutters_of: tuple[Look | None, tuple[Strip, Strip]] = (None, (NOTHING_BESIDE, NOTHING_BESIDE))

    # The mark

    def mark(self, key: str | None) -> None:
        self.marked = key

    def watch_marked(self) -> None:
        self.refresh()

    @property
    def marked_entry(self) -> Entry | None:
        """None also where it is out of view: what is not seen is not what a key is about."""
        key = self.marked
        if key is None or key not in self._rows or not self._in_view(key):
            return None
        return self._rows.entry(key)

    def _in_view(self, key: str) -> bool:
        top = self.scroll_offset.y
        # Its first row is the blank one before it.
        return self._rows.top(key) + 1 < top + self._room.height and self._rows.bottom(key) > top

    @property
    def first_in_view(self) -> str | None:
        """Key of the entry at the top of the view."""
        place = self._rows.place(self.scroll_offset.y)
        return place.key if place else None

    def on_focus(self) -> None:
        if self.marked_entry is None:
            self.mark(next((entry.key for entry in self.in_view() if _markable(entry)), None))

    def on_blur(self) -> None:
        self.refresh()

    def action_mark(self, step: int) -> None:
        """To the next message that way; through one that is taller than the view a piece at a time."""
        key = self.marked
        if key is None or self.marked_entry is None:
            self.on_focus()
            if self.marked is None:
                self.action_scroll_rows(step)
            return
        top, height = self.scroll_offset.y, self._room.height
        hidden = self._rows.bottom(key) - (top + height) if step > 0 else top - self._rows.top(key)
        if hidden > 0:
            self.action_scroll_rows(step * min(hidden, max(1, height // 2)))
            return
        following = next((entry for entry in self.beside(key, step) if _markable(entry)), None)
        if following is None:
            self.action_scroll_rows(step * height)
            return
        self.mark(following.key)
        self._bring(following.key, step)

    def _bring(self, key: str, step: int) -> None:
        """Into view: whole, or where it is taller than the view the end that one comes from."""
        for _ in range(3):
            top, height = self.scroll_offset.y, self._room.height
            first, end = self._rows.top(key), self._rows.bottom(key)
            low, high = end - height, first  # from which row the view may begin so that it is seen whole
            if low > high:
                low = high = first if step > 0 else end - height
            target = max(0, min(max(top, low), high))
            if target == top:
                return
            self._go(target)

    def action_menu(self) -> None:
        if (entry := self.marked_entry) is not None:
            self.post_message(self.MenuWanted(entry.key))

    def action_fold(self) -> None:
        """What can be folded of the marked message; where nothing can, the lowest fold in view."""
        entry = self.marked_entry
        if entry is None or not self.fold_or_unfold(entry.key):
            self.action_toggle_fold()

    def fold_of(self, entry: Entry) -> Part | None:
        """What of it one would fold or unfold first."""
        has = {
            Part.DISCARDED: entry.discarded is not None,
            Part.PROMPT: entry.long_prompt,
            Part.THINKING: bool(entry.thinking),
        }
        return next((part for part in has if part in FOLDS and has[part]), None)

    def fold_or_unfold(self, key: str) -> bool:
        entry = self.entry(key)
        part = self.fold_of(entry)
        return part is not None and self._toggle(entry, part)

    def action_branch(self, step: int) -> None:
        entry = self.marked_entry
        if entry is not None:
            self.post_message(self.BranchWanted(entry.key, step))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        hit = self.hit(offset.y) if offset is not None else None
        if offset is None or hit is None or self.text_selection is not None or not _markable(hit[0]):
            return
        self.mark(hit[0].key)
        if event.button == RIGHT_BUTTON or offset.x < GUTTER:
            event.prevent_default()
            self.post_message(self.MenuWanted(hit[0].key))

    # What was looked for

    def look_for(self, wanted: Wanted | None) -> None:
        """Lights it up wherever it stands; None: nothing any more."""
        self._wanted = wanted or None
        self._current = self._current_at = None
        self._spans.clear()
        self.refresh()

    def show_found(self, key: str, ordinal: int) -> None:
        """Brings what was found there into view: the entry's first is 0."""
        if key not in self._rows:
            return
        self.following = False
        self._current = (key, ordinal)
        self.marked = key
        if not self._locate(lambda row: self._show_row(row)):
            self.show(key)
        self.following = False
        self.refresh()

    def _show_row(self, row: int) -> bool:
        """Whether it was in view already."""
        top, height = self.scroll_offset.y, self._room.height
        if top < row < top + height - 1 or (row == 0 and top == 0):
            return True
        self._go(max(0, row - height // 3))
        return self.scroll_offset.y == top

    def _locate(self, show: Callable[[int], bool] | None = None) -> bool:
        """Finds the current one among lines as they are laid out now. False where what is drawn does not hold it: an
        address behind a link, say."""
        self._current_at = None
        if self._current is None or self._current[0] not in self._rows:
            return False
        key, ordinal = self._current
        entry = self._rows.entry(key)
        seen, last = 0, None
        for number, (piece, lines) in enumerate(self._rows.laid_out(key)):
            spans = self._spans_of(piece, lines)
            if spans.count:
                last = (number, piece, spans, min(ordinal - seen, spans.count - 1))
                if seen + spans.count > ordinal:
                    break
            seen += spans.count
        else:
            if entry.long_prompt and Part.PROMPT not in entry.unfolded:
                self._toggle(entry, Part.PROMPT)
                return self._locate(show)
        if last is None:
            return False
        number, piece, spans, which = last
        self._current_at = (piece, which)
        if show is not None:
            place = self._rows.place_in(key, number, spans.line_of(which))
            # What comes into view above it may be taller than it was estimated.
            for _ in range(3):
                if show(self._rows.row_of(place)):
                    break
        return True

    def _spans_of(self, piece: Piece, lines: list[Line]) -> Spans:
        if self._wanted is None or piece.part not in SEARCHED:
            return NOTHING
        known = self._spans.get(piece)
        if known is None or known[0] is not lines:
            known = self._spans[piece] = (lines, self._wanted.spans(lines))
        return known[1]

    # Drawing

    @property
    def _room(self) -> Size:
        width, height = super()._room
        return Size(max(0, width - GUTTER), height)

    def on_resize(self) -> None:
        self._spans.clear()
        if self._current is not None:
            self._locate()

    def _line(self, found: Found | None) -> Line | None:
        line = super()._line(found)
        if line is None or found is None or self._wanted is None or found.piece.lines is None:
            return line
        spans = self._spans_of(found.piece, found.piece.lines)
        look = self._rows.look
        # In the colour of plain text, which is the one that is sure to be legible on a selection.
        other = look.selection + Style(color=look.base.color, underline=True)
        accent = look.style("accent").color
        current = Style(bold=True, color=look.base.bgcolor, bgcolor=accent) if accent else Style(reverse=True)
        for start, end, which in spans.by_line.get(found.number, ()):
            lit = current if self._current_at == (found.piece, which) else other
            line = replace(line, runs=highlight(line, start, end, lit), strip=None, framed=None)
        return line

    def _beside(self, found: Found | None) -> Strip:
        marked = found is not None and found.entry.key == self.marked and not found.before
        return self._gutters[marked and self.screen.focused is self]

    @property
    def _gutters(self) -> tuple[Strip, Strip]:
        """Beside what is not marked, and beside what is."""
        look = self._rows.look
        if self._gutters_of[0] is not look:
            style = look.base + look.style("primary")
            self._gutters_of = (look, (Strip([Segment(" ", style)], GUTTER), Strip([Segment("┃", style)], GUTTER)))
        return self._gutters_of[1]


def _markable(entry: Entry) -> bool:
    """The greeting, whose key names no turn, is no message."""
    return entry.kind in (Kind.PROMPT, Kind.ANSWER) and "/" in entry.key


class NewBelow(Static):
    """Shown while something came below that has not been seen."""

    def __init__(self, transcript: Transcript) -> None:
        super().__init__("↓ new", id="new-below", markup=False)
        self._transcript = transcript

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self._transcript.follow()
