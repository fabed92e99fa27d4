"""A list of which one row is marked, and how that is drawn where it is reversed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.css.styles import RulesMap
from textual.strip import Strip
from textual.style import Style as VisualStyle
from textual.visual import RenderOptions, Visual
from textual.widgets import OptionList

LEAST_WIDTH = 20
_REVERSED = Style(reverse=True)


@dataclass(frozen=True, slots=True)
class WhenSeen(Visual):
    """A row of a long list, which is put together when it is seen first: most never are."""

    lines: int
    draw: Callable[[], Content]

    def get_height(self, rules: RulesMap, width: int) -> int:
        return self.lines

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        return container_width

    def render_strips(self, width: int, height: int | None, style: VisualStyle, options: RenderOptions) -> list[Strip]:
        return self.draw().render_strips(width, height, style, options)


class RowList(OptionList):
    """Draws its marked row reversed and in no other colour where the theme says so, which Textual's own leaves out of a
    row's style."""

    DEFAULT_CSS = """
    RowList > .option-list--option-highlighted, RowList:focus > .option-list--option-highlighted {
        background: $marked; color: $foreground; text-style: $marked-style;
    }
    """

    _guessed = False

    def room(self, lay_out: Callable[[], object]) -> int:
        """Cells for a row. While the list has none, as before it was shown and where it holds nothing, a guess:
        `lay_out` is then called once more."""
        width = (self.scrollable_content_region.width or self.container_size.width) - 1
        if width >= LEAST_WIDTH:
            return width
        # What is typed next is for a row, also before it is known how wide one is.
        self._guessed = not self._guessed
        if self._guessed:
            self.call_after_refresh(lay_out)
        return max(LEAST_WIDTH, self.screen.size.width * 96 // 100 - 5)

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        marked = self.get_component_styles("option-list--option-highlighted")
        at = self.scroll_offset.y + y
        if not marked.text_style.reverse or at >= len(self._lines) or self._lines[at][0] != self.highlighted:
            return strip
        return in_reverse(strip)


def in_reverse(strip: Strip) -> Strip:
    """All of it, and in no other colour."""
    plain = ((text, style.without_color if style else Style.null()) for text, style, _ in strip)
    return Strip([Segment(text, style + _REVERSED) for text, style in plain], strip.cell_length)
