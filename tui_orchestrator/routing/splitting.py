"""Cutting a long text into parts of about one size, each cut on the best border near its place.

The borders, the best first: the beginning of an enclosed file, a heading or a definition or the end of a block of code,
a blank line, a line, a sentence, a word, and where there is none of these any place between two characters. Pure; a
megabyte takes some hundredths of a second.
"""

from __future__ import annotations

import bisect
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .features import estimate_tokens

SLACK = 1.25
"""A part may hold so many times the mean: cuts move to borders, and tokens lie unevenly."""
_MOVE = 0.09
"""A cut moves by at most this share of a part's size to either side."""
_BLOCK = 2048
"""Characters measured at a stretch. Within a stretch tokens are taken to lie evenly."""

_DEFINITION = r"(?:async def|def|class|func|fn|pub fn|function|export|public|private|interface|struct|impl|CREATE) "
_BORDERS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\n\n(?=[^\n]{1,200}:\n`{3,})",
        rf"\n(?=#{{1,6}} |@?{_DEFINITION})|\n`{{3,}}[ \t]*\n(?=\n)|\f",
        r"\n[ \t\r]*\n+",
        r"\n",
        r"[.!?…][\"'”’)\]]*\s+|[。！？；]",
        r"\s+|[,;，、]",
    )
)
"""The best first; a part ends behind what is matched."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Where in a text its tokens lie."""

    ends: tuple[int, ...]
    """Of its stretches, as places in the text; ascending."""
    tokens: tuple[float, ...]
    """From the beginning up to each."""

    @property
    def total(self) -> float:
        return self.tokens[-1] if self.tokens else 0.0

    def place(self, tokens: float) -> int:
        """Where so many tokens lie before."""
        at = bisect.bisect_left(self.tokens, tokens)
        if at == len(self.ends):
            return self.ends[-1] if self.ends else 0
        start, before = (self.ends[at - 1], self.tokens[at - 1]) if at else (0, 0.0)
        inside = (tokens - before) / max(1e-9, self.tokens[at] - before)
        return start + int((self.ends[at] - start) * max(0.0, min(1.0, inside)))


def measured(text: str, stretch: int = _BLOCK) -> Measured:
    ends, sums, so_far = [], [], 0.0
    for start in range(0, len(text), stretch):
        so_far += estimate_tokens(text[start : start + stretch])
        ends.append(min(len(text), start + stretch))
        sums.append(so_far)
    return Measured(tuple(ends), tuple(sums))


def count_of(tokens: float, limit: int) -> int:
    """Into how many parts of at most `limit` tokens a text of so many, which does not fit whole, is cut."""
    return max(2, math.ceil(tokens * SLACK / max(1, limit)))


def split(text: str, limit: int) -> list[str]:
    """In their order; together they are the text, which stays whole where it fits. None has more than `limit` tokens,
    as `estimate_tokens` counts them, but a single character that has. As many as `count_of` says, or a few more where
    tokens lie very unevenly."""
    if _size(text) <= limit:
        return [text] if text else []
    whole = measured(text, max(1, min(_BLOCK, limit // 4)))
    count = count_of(whole.total, limit)
    cuts = [0, *(_cut(text, whole, place, count) for place in range(1, count)), len(text)]
    pieces = [text[start:end] for start, end in pairwise(cuts) if end > start]
    return [part for piece in pieces for part in _fitting(piece, limit)]


def _cut(text: str, whole: Measured, place: int, count: int) -> int:
    size = whole.total / count
    wanted = whole.place(size * place)
    least, most = whole.place(size * (place - _MOVE)), whole.place(size * (place + _MOVE))
    return _border(text, least, wanted, most)


def _border(text: str, least: int, wanted: int, most: int) -> int:
    """The best border within these places, of equals the nearest to the wanted one."""
    for border in _BORDERS:
        # A little more is looked at, since what follows a border tells it.
        found = [match.end() for match in border.finditer(text, max(0, least - 1), min(len(text), most + 210))]
        inside = [end for end in found if least <= end <= most]
        if inside:
            return min(inside, key=lambda end: abs(end - wanted))
    return _whole_character(text, wanted)


def _whole_character(text: str, place: int) -> int:
    """The next place from here on that is not within what is seen as one character."""
    last = min(len(text), place + 16)
    while 0 < place < last and (
        unicodedata.combining(text[place])
        or text[place] in "\u200d\ufe0e\ufe0f"
        or text[place - 1] == "\u200d"
        or text[place - 1 : place + 1] == "\r\n"
    ):
        place += 1
    return place


def _fitting(piece: str, limit: int) -> Sequence[str]:
    if len(piece) <= 1 or _size(piece) <= limit:
        return [piece]
    quarter, half = len(piece) // 4, len(piece) // 2
    cut = _border(piece, quarter, half, len(piece) - quarter)
    cut = cut if 0 < cut < len(piece) else half
    return [*_fitting(piece[:cut], limit), *_fitting(piece[cut:], limit)]


def _size(piece: str) -> float:
    """Of a long piece stretch by stretch, else it would be judged by samples."""
    return estimate_tokens(piece) if len(piece) <= 60_000 else measured(piece).total
