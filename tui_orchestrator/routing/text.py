"""Text from outside made harmless, at the edge, before it is stored or shown.

Model output, provider errors, names and titles may carry terminal escapes, device queries or bidirectional overrides.
What is removed is single characters, so a sequence cut in two by a stream is as harmless as a whole one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

# C0 without tab and newline, DEL, C1, line and paragraph separators, bidirectional marks, embeddings, overrides and
# isolates (Unicode UAX 9), the byte-order mark, and tag characters, which hide text from readers but not from models.
HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
# Zero-width joiners after pictographs (in scripts they stay) and the choice between the two looks of a character:
# what they join or choose is drawn in two cells by some terminals, in as many as its characters have by others.
_JOINING = re.compile("(?<=[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff])[\ufe0e\ufe0f\u200d]*\u200d|[\ufe0e\ufe0f]")
# Blocks of combining marks of no script in particular (Unicode 17); letters with four of them exist in none.
_MARK = "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_PILE = re.compile(f"({_MARK}{{4}}){_MARK}+")
_TOP = re.compile(f"{_MARK}{{1,4}}\\Z")
_SPACE = re.compile(r"\s+")


def full_stop(said: str) -> str:
    """With a full stop, where it ends with none and asks nothing."""
    return said if said.endswith((".", "?", "!", "…")) else f"{said}."


def counted(count: int, one: str) -> str:
    """'1 turn', '2 turns'."""
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def spoken(identifier: str) -> str:
    """A task type, a strategy, a cause … as people read it everywhere: 'simple_qa' → 'simple qa'."""
    return identifier.replace("_", " ")


def clean(text: str) -> str:
    """Without control characters; newline and tab stay, a carriage return before a newline goes. Two surrogates that
    make a character become it, others U+FFFD."""
    if _SURROGATES.search(text):
        text = _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)
    return _SURROGATES.sub("\ufffd", HARMFUL.sub("", text))


class Cleaning:
    """Of text that comes in pieces: a character whose two surrogates come in two of them is one again."""

    def __init__(self) -> None:
        self._half = ""

    def next(self, piece: str) -> str:
        """Cleaned, with what was held back of the piece before; '' where nothing is left of it."""
        piece, self._half = self._half + piece, ""
        if "\ud800" <= piece[-1:] <= "\udbff":
            piece, self._half = piece[:-1], piece[-1]
        return clean(piece)

    def rest(self) -> str:
        """What is still held back when no more is to come."""
        half, self._half = self._half, ""
        return clean(half)


def unjoined(text: str) -> str:
    """For drawing: as wide on every terminal as its characters one by one. A family of emoji becomes its members."""
    return text if text.isascii() else _JOINING.sub("", text)


def unpiled(text: str) -> str:
    """For drawing: with no more than four combining marks on a letter, which some terminals draw over other lines."""
    return text if text.isascii() else _PILE.sub(r"\1", text)


class Unpiling:
    """Of text that comes in pieces."""

    def __init__(self) -> None:
        self._top = ""

    def next(self, piece: str) -> str:
        whole = unpiled(self._top + piece)
        left, top = whole[len(self._top) :], _TOP.search(whole)
        self._top = top[0] if top else ""
        return left


HALF_A_CHARACTER = "holds half a character (a lone surrogate such as \\ud800), which cannot be sent; write it whole"


def half_a_character(said: object) -> str | None:
    """Where in what JSON said the first text is that UTF-8 cannot carry: 'messages[0].content', '' for the whole. None:
    nowhere. JSON and arguments in another encoding can say such a text; every provider's library fails at it."""
    waiting: list[tuple[str, object]] = [("", said)]
    while waiting:
        at, one = waiting.pop()
        if isinstance(one, str):
            if _SURROGATES.search(one):
                return at
        elif isinstance(one, Mapping):
            for key, value in reversed(list(one.items())):
                name = clean_line(str(key), 40)
                where = f"{at}.{name}" if at else name
                waiting += [(where, value), (where, key)]
        elif isinstance(one, Sequence) and not isinstance(one, bytes):
            waiting += [(f"{at}[{place}]", value) for place, value in enumerate(one)][::-1]
    return None


def clean_line(text: str, limit: int = 300) -> str:
    """One line of at most `limit` characters, white space folded: for errors, titles and names."""
    # A megabyte of error page need not be folded whole to show its first line.
    line = _SPACE.sub(" ", unjoined(clean(text[: limit * 8].replace("\r", "\n")))).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def span(seconds: float) -> str:
    """For people: '40 s', '7 min', '2 h 5 min'."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
