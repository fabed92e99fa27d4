"""The console without any colour, as NO_COLOR asks for. Textual would draw it in greys, which are colours too."""

from __future__ import annotations

import re
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


_BAR = re.compile(r"(?=.{4}) *[█-▏]+ *")
"""Blocks of a whole cell to an eighth of one. What is shorter is a mark."""
_PADDING = 1
"""Cells beside a bar in a table."""


class Colourless(LineFilter):
    """What is marked by its background is reversed; bold, italic and underlined text stays so. A bar is not: full, it
    would look like a hole."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        bars = {place for place, segment in enumerate(segments) if _BAR.fullmatch(segment.text)}
        for place in [place for bar in bars for place in (bar - 1, bar + 1)]:
            # The ground beside it shows where it begins and ends.
            if 0 <= place < len(segments) and segments[place].text == " " * _PADDING:
                bars.add(place)
        return [
            Segment(text, None if style is None else _plain(style, background, place not in bars), control)
            for place, (text, style, control) in enumerate(segments)
        ]


@lru_cache(4096)
def _plain(style: Style, background: Color, may_reverse: bool) -> Style:
    own = style.bgcolor
    if style.reverse or own is None or own.is_default:
        return style + _NONE
    marks = may_reverse and abs(Color.from_rich_color(own).brightness - background.brightness) > STANDS_OUT
    return style + (_REVERSED if marks else _NONE)
