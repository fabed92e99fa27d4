"""A list of which one row is marked, and how that is drawn where it is reversed."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widgets import OptionList

_REVERSED = Style(reverse=True)


class RowList(OptionList):
    """Draws its marked row reversed and in no other colour where the theme says so, which Textual's own leaves out of a
    row's style."""

    DEFAULT_CSS = """
    RowList > .option-list--option-highlighted, RowList:focus > .option-list--option-highlighted {
        background: $marked; color: $foreground; text-style: $marked-style;
    }
    """

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
