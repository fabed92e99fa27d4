"""Finding words in a conversation: how often an entry holds them, and where in lines that are laid out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .entries import Entry, Kind, Part
from .lines import Line

SEARCHED = frozenset({Part.PROMPT, Part.BODY, Part.DISCARDED})
"""What of an entry is looked through where it is shown."""

# Neither the text nor the address reaches over the beginning of another link: each character is looked at once.
_LINKS = re.compile(r"!?\[([^\[\]\n]*+)\]\((?:[^()\n]|\([^()\n]*+\))*+\)")
_LINE_MARKS = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|(?:```|~~~).*$)", re.MULTILINE)
_MARKS = ("*", "__", "~~", "`")


@dataclass(frozen=True, slots=True)
class Spans:
    """What was found in the lines of one piece."""

    count: int = 0
    by_line: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)
    """(start, end, which of the `count`) in characters of the line; what is wrapped has several."""

    def line_of(self, ordinal: int) -> int:
        return next(line for line, spans in self.by_line.items() for *_, which in spans if which == ordinal)


NOTHING = Spans()


class Wanted:
    """Words in a row, in capitals or not, however many spaces and line ends stand between them."""

    def __init__(self, typed: str) -> None:
        words = typed.split()
        self.typed = " ".join(words)
        self._words = [word.lower() for word in words]
        self._pattern = re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE)

    def __bool__(self) -> bool:
        return bool(self._words)

    def count(self, entry: Entry) -> int:
        """In what is read of an entry. Markdown's own marks do not stand between words, but may themselves be what is
        looked for."""
        if entry.kind not in (Kind.PROMPT, Kind.ANSWER) or entry.folded or not self._words:
            return 0
        source = "\n".join((entry.raw, *entry.attachments))
        low = source.lower()
        if not all(word in low for word in self._words):
            return 0
        literal = sum(1 for _ in self._pattern.finditer(source))
        if entry.kind is Kind.PROMPT:
            return literal
        plain = _LINE_MARKS.sub("", _LINKS.sub(r"\1", source))
        for mark in _MARKS:
            plain = plain.replace(mark, "")
        return sum(1 for _ in self._pattern.finditer(plain)) or literal

    def spans(self, lines: Sequence[Line]) -> Spans:
        if not self._words:
            return NOTHING
        text, starts = "", []
        for line in lines:
            text += line.join if text else ""
            starts.append(len(text))
            text += "" if line.quiet else line.text[line.lead :]
        by_line: dict[int, list[tuple[int, int, int]]] = {}
        count = 0
        for match in self._pattern.finditer(text):
            for number, (line, start) in enumerate(zip(lines, starts, strict=True)):
                size = 0 if line.quiet else len(line.text) - line.lead
                low, high = max(match.start() - start, 0), min(match.end() - start, size)
                if low < high:
                    by_line.setdefault(number, []).append((line.lead + low, line.lead + high, count))
            count += 1
        return Spans(count, by_line)
