"""The console without any colour, as NO_COLOR asks for. Textual would draw it in greys, which are colours too."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

STANDS_OUT = 0.08
"""How much brighter or darker than what it lies on a background is that marks something. The marked row of a list is
reversed by its own style."""
_NONE = Style.from_color(RichColor.default(), RichColor.default())
_REVERSED = _NONE + Style(reverse=True)


class Colourless(LineFilter):
    """What is marked by its background is reversed; bold, italic and underlined text stays so."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(text, None if style is None else _plain(style, background), control)
            for text, style, control in segments
        ]


@lru_cache(4096)
def _plain(style: Style, background: Color) -> Style:
    own = style.bgcolor
    if style.reverse or own is None or own.is_default:
        return style + _NONE
    marks = abs(Color.from_rich_color(own).brightness - background.brightness) > STANDS_OUT
    return style + (_REVERSED if marks else _NONE)
