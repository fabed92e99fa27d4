"""A scrolled view made of whole rows, of which only those are drawn anew that look otherwise than before.

Textual would draw every row of it again for each word that streams in, and the whole scroll bar beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil
from typing import Any, Self

from rich.color import Color
from rich.style import Style
from textual.color import Color as Shade
from textual.filter import LineFilter
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.strip import Strip

EIGHTHS = 8
"""The thumb of a scroll bar is drawn to an eighth of a cell."""


class Painted(ScrollView):
    """A subclass draws rows in `paint`, calls `repaint` when some may have changed, and `refresh` when all have. It has
    no border, and no padding above or below."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._frame: list[Strip] = []
        """What stands on the screen or will with its next update; empty when all of it is to be drawn."""
        self._framed_for = Size(0, 0)
        self._filtered: dict[int, tuple[Strip, Strip]] = {}
        """Rows of the last drawing as they were painted, by their identity, and what the filters made of them."""
        self._filtered_by: object = None

    def paint(self) -> list[Strip]:
        """The rows of the view up to its scroll bar: each the same object as long as it looks the same."""
        return [Strip.blank(self.row_width)] * self.outer_size.height

    @property
    def row_width(self) -> int:
        """With the padding on the left."""
        return self.gutter.left + self.scrollable_content_region.width

    def repaint(self) -> None:
        if not self._frame or self._framed_for != self.outer_size:
            self.refresh()
            return
        before, self._frame = self._frame, self._all_rows()
        changed = [y for y, (old, new) in enumerate(zip(before, self._frame, strict=True)) if old is not new]
        if changed:
            # Regions are counted from the content. The scroll bar looks after itself.
            self.refresh(*_rows(changed, self.row_width, -self.gutter.left))

    def _all_rows(self) -> list[Strip]:
        rows: list[Strip] = []
        filters, background = self.get_line_filters(), self.background_colors[1]
        if self._filtered_by != (filters, background):
            self._filtered, self._filtered_by = {}, (list(filters), background)
        known, self._filtered = self._filtered, {}
        for strip in self.paint():
            row = known.get(id(strip)) or self._filtered.get(id(strip))
            if row is None:
                row = (strip, filtered(strip, filters, background))
            self._filtered[id(strip)] = row
            rows.append(row[1])
        return rows

    def refresh(self, *regions: Region, **wanted: Any) -> Self:
        if not regions:
            self._frame = []
        return super().refresh(*regions, **wanted)

    def render_lines(self, crop: Region) -> list[Strip]:
        if not self._frame or self._framed_for != self.outer_size:
            self._frame, self._framed_for = self._all_rows(), self.outer_size
        rows, width = self._frame[crop.y : crop.bottom], self.row_width
        if crop.column_span == (0, width):
            return rows
        filters, background = self.get_line_filters(), self.background_colors[1]
        blank = filtered(Strip.blank(crop.right - max(width, crop.x), self.rich_style), filters, background)
        return [Strip.join([row.crop(crop.x, min(crop.right, width)), blank]) for row in rows]

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        if self._vertical_scrollbar is None:
            self._vertical_scrollbar = bar = CalmScrollBar(name="vertical", thickness=self.scrollbar_size_vertical)
            bar.display = False
            self.app._start_widget(self, bar)
        return self._vertical_scrollbar


def _rows(numbers: Iterable[int], width: int, x: int = 0) -> list[Region]:
    """As few regions as possible. The numbers rise."""
    regions: list[Region] = []
    for y in numbers:
        if regions and regions[-1].bottom == y:
            regions[-1] = Region(x, regions[-1].y, width, regions[-1].height + 1)
        else:
            regions.append(Region(x, y, width, 1))
    return regions


class CalmScrollBar(ScrollBar):
    """A vertical one. Every line that streams in changes what it stands for, few change how it looks."""

    _cells: Sequence[Strip] = ()
    """From the top; empty when they are to be drawn again."""

    _thumb: tuple[int, int] | None = None
    """Where it is drawn, from and to, in eighths of a cell; None before that and where there is none."""
    _otherwise: object = None
    """What else makes its look."""

    def refresh(self, *regions: Region, **wanted: Any) -> Self:
        if regions or not self.is_mounted or wanted.get("layout") or wanted.get("recompose"):
            self._cells = ()
            return super().refresh(*regions, **wanted)
        bar = self._bar
        before, self._thumb = self._thumb, _thumb(bar, self.size.height)
        same, self._otherwise = self._otherwise == (self.size, bar.style), (self.size, bar.style)
        if same and before == self._thumb:
            return self
        self._cells = ()
        if not same or before is None or self._thumb is None:
            return super().refresh(**wanted)
        moved: set[int] = set()
        for old, new in zip(before, self._thumb, strict=True):
            if old != new:
                moved.update(range(min(old, new) // EIGHTHS, max(old, new) // EIGHTHS + 1))
        return super().refresh(*_rows(sorted(moved), self.size.width), **wanted)

    @property
    def _bar(self) -> ScrollBarRender:
        bar = self.render()
        assert isinstance(bar, ScrollBarRender)
        return bar

    def render_lines(self, crop: Region) -> list[Strip]:
        if not self._cells:
            self._cells = self._drawn()
        strips = list(self._cells[crop.y : crop.bottom])
        strips += [Strip.blank(self.size.width)] * (crop.height - len(strips))
        if crop.column_span != (0, self.size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def _drawn(self) -> list[Strip]:
        bar, (width, height) = self._bar, self.size
        style = bar.style if isinstance(bar.style, Style) else Style.parse(bar.style)
        drawn = bar.render_bar(
            height,
            bar.virtual_size,
            bar.window_size,
            bar.position,
            width,
            back_color=style.bgcolor or Color.default(),
            bar_color=style.color or Color.default(),
        )
        filters, background = self.get_line_filters(), self.background_colors[1]
        # Cells that look the same are the same objects.
        cells = {id(cell): cell for cell in drawn.segments}
        strips = {of: filtered(Strip([cell], width), filters, background) for of, cell in cells.items()}
        return [strips[id(cell)] for cell in drawn.segments]


def filtered(strip: Strip, filters: Iterable[LineFilter], background: Shade) -> Strip:
    """As `Strip.apply_filter` does it, which would keep what becomes of a row with the row."""
    before = segments = list(strip)
    for one in filters:
        segments = one.apply(segments, background)
    return strip if segments is before else Strip(segments, strip.cell_length)


def _thumb(bar: ScrollBarRender, size: int) -> tuple[int, int] | None:
    """As the bar draws it."""
    if not (bar.window_size and size and bar.virtual_size > bar.window_size) or size == bar.virtual_size:
        return None
    thumb = max(1, bar.window_size * size / bar.virtual_size)
    start = int((size - thumb) * bar.position / (bar.virtual_size - bar.window_size) * EIGHTHS)
    return start, start + ceil(thumb * EIGHTHS)
