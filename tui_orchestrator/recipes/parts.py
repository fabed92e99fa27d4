"""Cutting a long text into parts on its natural borders: headings, paragraphs, lines, sentences, words."""

from __future__ import annotations

import re

from ..routing.features import estimate_tokens

_BORDERS = (
    re.compile(r"\n(?=#{1,6} )"),
    re.compile(r"\n\s*\n"),
    re.compile(r"\n"),
    re.compile(r"[.!?](?=\s)|[。！？]"),
    re.compile(r"\s"),
)
"""The best first; a piece ends behind each."""


def parts(text: str, tokens: int) -> list[str]:
    """In their order, each of about `tokens` tokens at most (they are estimated piece by piece) and as few as may be;
    together they are the text. A text without borders is cut where it has to be."""
    return _joined(_pieces(text, tokens, 0), tokens)


def _pieces(text: str, tokens: int, border: int) -> list[str]:
    if estimate_tokens(text) <= tokens:
        return [text] if text else []
    if border == len(_BORDERS):
        middle = len(text) // 2
        halves = (text[:middle], text[middle:]) if middle else ()
        return [piece for half in halves for piece in _pieces(half, tokens, border)] or [text]
    ends = [match.end() for match in _BORDERS[border].finditer(text)]
    pieces, start = [], 0
    for end in [*ends, len(text)]:
        if end > start:
            pieces.append(text[start:end])
            start = end
    if len(pieces) == 1:
        return _pieces(text, tokens, border + 1)
    # Joined on each border before the next one cuts finer, so that what belongs together stays together.
    return [part for piece in _joined(pieces, tokens) for part in _pieces(piece, tokens, border + 1)]


def _joined(pieces: list[str], tokens: int) -> list[str]:
    """Neighbours put together as far as they fit."""
    found: list[str] = []
    size = 0
    for piece in pieces:
        more = estimate_tokens(piece)
        if found and size + more <= tokens:
            found[-1] += piece
            size += more
        else:
            found.append(piece)
            size = more
    return found
