"""Lines of styled text as they stand on the screen, and how text is broken into them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from rich.cells import cell_len, split_graphemes
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_orchestrator.routing.text import clean, unjoined

Run = tuple[str, Style]
"""Text without newlines or tabs, in one style."""
Framed = tuple[Strip, Strip, Strip]
"""A strip, what is drawn beside it, and both together: what is the same object again is not written anew."""

# Lines may break after every wide East Asian character, but closing punctuation stays with the one before it.
_WIDE = (
    "\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\U00020000-\U0003fffd"
)
_CLOSING = "、。，．！？：；）」』】〉》"
_WORD = re.compile(f"(\\s+)|[{_WIDE}][{_CLOSING}]*|[^\\s{_WIDE}]+")
_BETWEEN = " · "
_BREAKING = re.compile("[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class TableRow:
    """What copied text has of a table, whatever its columns look like."""

    number: int
    """0 for the header."""
    head: str
    """The header and the line below it, as Markdown."""
    source: str
    """As Markdown; nothing for the header."""


@dataclass(slots=True)
class Line:
    """One row of the screen."""

    runs: list[Run]
    lead: int = 0
    """How many characters at its start are decoration: drawn, never copied."""
    join: str = "\n"
    """What stands in copied text between the line before and this one: a newline, or the space a wrap swallowed."""
    fill: Style | None = None
    """Background up to the right edge."""
    outside: int = 0
    """How many characters at its start the fill leaves out."""
    quiet: bool = False
    """Decoration as a whole: never copied."""
    tail: int = 0
    """How many characters at its end are decoration."""
    row: TableRow | None = None
    """That it shows, or a part of it."""
    cells: tuple[tuple[int, int, str], ...] = ()
    """Of that row: the first character of each and the one after its last, padding included, and what stands in copied
    text between it and what the line before has of it."""
    strip: Strip | None = field(default=None, compare=False)
    """Kept by whoever draws the line; gone when the look changes."""
    framed: Framed | None = field(default=None, compare=False)

    @property
    def text(self) -> str:
        return "".join(run[0] for run in self.runs)

    def copied(self, start: int, end: int) -> tuple[int, int]:
        """What of a range of characters is no decoration; −1 for the end of the line."""
        last = len(self.text) - self.tail
        return max(start, self.lead), last if end < 0 else min(end, last)

    def with_lead(self, runs: Sequence[Run], copied: bool = False) -> Line:
        """With decoration before it; `copied` where the decoration says something, as a bullet does."""
        size = sum(len(text) for text, _ in runs)
        lead = 0 if copied else self.lead + size
        outside = self.outside + size if self.fill else 0
        cells = tuple((start + size, end + size, join) for start, end, join in self.cells)
        return replace(self, runs=[*runs, *self.runs], lead=lead, outside=outside, cells=cells)

    def to_strip(self, width: int, base: Style, selected: tuple[int, int, Style] | None = None) -> Strip:
        """Exactly `width` cells. `selected` is a range of characters, its end −1 for the end of the line."""
        under = base + self.fill if self.fill else base
        runs = self.runs if selected is None else highlight(self, *selected)
        if self.outside:
            outside, filled = _cut(runs, [(0, self.outside, ""), (self.outside, len(self.text), "")])
            segments = [Segment(text, base + style) for text, style in outside if text]
            segments += [Segment(text, under + style) for text, style in filled if text]
        else:
            segments = [Segment(text, under + style) for text, style in runs if text]
        strip = Strip(segments)
        if strip.cell_length != width:
            strip = strip.adjust_cell_length(width, under)
        return strip


def highlight(line: Line, start: int, end: int, style: Style) -> list[Run]:
    if line.quiet:
        return line.runs
    start, end = line.copied(start, end)
    marked: list[Run] = []
    at = 0
    for text, own in line.runs:
        low, high = max(start - at, 0), max(min(end - at, len(text)), 0)
        if low < high:
            marked += [(text[:low], own), (text[low:high], own + style), (text[high:], own)]
        else:
            marked.append((text, own))
        at += len(text)
    return marked


def tidy(text: str) -> str:
    """Fit for a run: harmless, on one line, with tabs as spaces, and as wide on every terminal."""
    return _BREAKING.sub(" ", unjoined(clean(text)).replace("\t", "    "))


def wrap(runs: Sequence[Run], width: int, *, words: bool = True, parts: bool = False) -> list[Line]:
    """Broken to `width` cells at words, or anywhere (code). Newlines in runs break too. At least one line. `parts`: no
    part of a list with ' · ' between is broken, where all of them have room."""
    lines: list[Line] = []
    for paragraph in _split_newlines(runs):
        plain = "".join(text for text, _ in paragraph)
        if parts and all(cell_len(part) + 2 <= width for part in plain.split(_BETWEEN)):
            # As long as before, with one place to break behind each dot.
            plain = "_· ".join(part.replace(" ", "_") for part in plain.split(_BETWEEN))
        ranges = _ranges(plain, max(1, width), words)
        lines += [Line(part, join=join) for part, (_, _, join) in zip(_cut(paragraph, ranges), ranges, strict=True)]
    return lines


def _split_newlines(runs: Sequence[Run]) -> Iterable[list[Run]]:
    paragraph: list[Run] = []
    for text, style in runs:
        first, *rest = text.split("\n")
        paragraph.append((first, style))
        for part in rest:
            yield paragraph
            paragraph = [(part, style)]
    yield paragraph


def _ranges(text: str, width: int, words: bool) -> list[tuple[int, int, str]]:
    """(start, end, join) of each line."""
    if cell_len(text) <= width:
        return [(0, len(text), "\n")]
    if not words:
        return _fold(text, 0, width, "\n")
    ranges: list[tuple[int, int, str]] = []
    start = end = column = 0
    join, gap = "\n", ""
    for match in _WORD.finditer(text):
        size = cell_len(match.group())
        if match.group(1):
            column += size
            gap = " "
            continue
        if column + size > width and end > start:
            ranges.append((start, end, join))
            start, column, join = match.start(), 0, gap
        if column + size > width:  # a word too long for a line, or for what the space before it leaves of the first
            *full, (start, end, join) = _fold(text[: match.end()], start, width, join)
            ranges += full
            column = cell_len(text[start:end])
        else:
            column += size
            end = match.end()
        gap = ""
    ranges.append((start, end, join))
    return ranges


def _fold(text: str, start: int, width: int, join: str) -> list[tuple[int, int, str]]:
    """From `start` on, broken wherever a line is full, between whole graphemes."""
    ranges: list[tuple[int, int, str]] = []
    column, begin = 0, start
    spans, _ = split_graphemes(text[start:])
    for low, high, size in spans:
        if not size:
            # Joiners that join nothing hide what follows them from that reckoning, not from the terminal.
            size = cell_len(text[start + low : start + high])
        if column + size > width and start + low > begin:
            ranges.append((begin, start + low, join))
            begin, column, join = start + low, 0, ""
        column += size
    ranges.append((begin, len(text), join))
    return ranges


def _cut(runs: Sequence[Run], ranges: Sequence[tuple[int, int, str]]) -> list[list[Run]]:
    if len(ranges) == 1 and ranges[0][:2] == (0, sum(len(text) for text, _ in runs)):
        return [list(runs)]
    parts: list[list[Run]] = []
    index = at = 0
    for start, end, _ in ranges:
        part: list[Run] = []
        while index < len(runs):
            text, style = runs[index]
            if at + len(text) > start:
                part.append((text[max(0, start - at) : end - at], style))
            if at + len(text) >= end:
                break
            at += len(text)
            index += 1
        parts.append(part)
    return parts
