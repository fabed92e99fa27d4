"""The list below the prompt: what the word under the cursor may become."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.message import Message
from textual.widgets import Static

from . import words
from .words import ACCENT, MUTED, WARN

ROWS = 6


@dataclass(frozen=True, slots=True)
class Completion:
    insert: str
    """Takes the place of what is typed."""
    shown: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What may stand in place of the columns from `start` to `end` of the line the cursor is in."""

    start: int
    end: int
    completions: tuple[Completion, ...] = ()
    remark: str = ""
    """A last line: why there is nothing, or that there is more."""
    warning: bool = False
    """Whether the remark is one."""


class Completions(Static):
    """The first is taken unless another was moved to. Shown while there is anything to say."""

    DEFAULT_CSS = """
    Completions { height: auto; padding: 0 1; background: $surface; }
    """

    class Picked(Message):
        """By the mouse."""

    def __init__(self) -> None:
        super().__init__(id="completions", markup=False)
        self.display = False
        self.offer: Offer | None = None
        self.moved = False
        """Whether the user chose the marked one, so that Enter takes it instead of sending."""
        self._at = 0

    @property
    def marked(self) -> Completion | None:
        """What would be taken; None while there is nothing to take."""
        if self.offer is None or not self.offer.completions:
            return None
        return self.offer.completions[self._at]

    def show(self, offer: Offer | None) -> None:
        if offer == self.offer:
            return
        self.offer, self.moved, self._at = offer, False, 0
        self.display = offer is not None and bool(offer.completions or offer.remark)
        self._draw()

    def move(self, step: int) -> None:
        if self.offer is not None and self.offer.completions:
            self._at = (self._at + step) % len(self.offer.completions)
            self.moved = True
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    def on_click(self, event: Click) -> None:
        event.stop()
        place = self._first + event.y
        if self.offer is not None and place < min(len(self.offer.completions), self._first + ROWS):
            self._at = place
            self.post_message(self.Picked())

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self.move(1)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self.move(-1)

    @property
    def _first(self) -> int:
        """The uppermost that is shown."""
        count = len(self.offer.completions) if self.offer is not None else 0
        return max(0, min(self._at - ROWS // 2, count - ROWS))

    def _draw(self) -> None:
        if self.offer is None or not self.display:
            return
        width = max(20, min(self.app.size.width, self.container_size.width or self.app.size.width) - 2)
        first, every = self._first, self.offer.completions
        shown = every[first : first + ROWS]
        noted = any(one.note for one in shown)
        longest = max((cell_len(one.shown) for one in every), default=0)
        column = min(max(14, longest + 1), 40, width // 2) if noted else width - 2
        rows = [_row(one, width, column, place == self._at) for place, one in enumerate(shown, first)]
        remark = self.offer.remark
        if len(every) > ROWS:
            remark = " · ".join(part for part in (f"{self._at + 1} of {len(every)}", remark) if part)
        if remark:
            rows.append(Content.styled(words.fit(f"  {remark}", width).rstrip(), WARN if self.offer.warning else MUTED))
        self.update(words.lines(rows))


def _row(one: Completion, width: int, column: int, marked: bool) -> Content:
    style = f"bold {ACCENT}" if marked else ACCENT
    return Content.assemble(
        ("▸ " if marked else "  ", style),
        (words.fit(one.shown, column), style),
        (words.fit(f" {one.note}", width - column - 2).rstrip(), MUTED),
    )
