"""Markdown cut into blocks while it streams in.

Borders are decided line by line from what came before, never from how the text was cut into pieces: the same text ends
in the same blocks whether it came at once or a character at a time. A block that is settled never changes again, so it
is parsed and laid out once. No block grows past a bound, so none can hold the event loop.
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass
from enum import Enum, auto

MAX_CHARACTERS = 2000
MAX_LINES = 60
TABLE_ROWS = 40
CODE_LINES = 48
CODE_LINES_SOFT = 16
"""From here on a chunk of code ends where a new unindented paragraph of it begins: there a lexer may start afresh."""


class Kind(Enum):
    TEXT = auto()
    """Markdown of any sort."""
    PLAIN = auto()
    """The rest of a monstrous line: no Markdown in it."""
    HEADING = auto()
    ITEM = auto()
    """One top-level list item with all that is nested in it."""
    TABLE = auto()
    FENCE_OPEN = auto()
    CODE = auto()
    FENCE_CLOSE = auto()


@dataclass(frozen=True, slots=True)
class Block:
    kind: Kind
    text: str
    gap: int = 0
    """Blank rows before it."""
    margin: int = 0
    """Columns to the right: it belongs to a list item."""
    language: str = ""
    number: int | None = None
    """What an ordered list item is numbered with, whatever its source says."""
    head: str = ""
    """TABLE: the first chunk of a table that was cut; its header and widths hold for this one."""


@dataclass(slots=True)
class _Fence:
    mark: str
    length: int
    indent: int
    margin: int
    language: str


_FENCE = re.compile(r"( *)(`{3,}+(?=[^`]*$)|~{3,}+)(.*)$")
_HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t]|$)")
_RULE = re.compile(r" {0,3}(?:(?:\* *){3,}|(?:- *){3,}|(?:_ *){3,})$")
_ITEM = re.compile(r"( *)([-*+]|(\d{1,9})[.)])( +(?=\S)|$)")
_DELIMITER = re.compile(r" {0,3}\|?(?: *+:?-++:? *+\|)++ *+(?::?-++:? *+)?$")


class Splitter:
    """Feed it text as it comes; `settled` only grows, `growing()` is what may still change."""

    def __init__(self) -> None:
        self.settled: list[Block] = []
        self._last: Kind | None = None
        self._partial = ""
        self._continued = False
        self._blank = False
        self._fence: _Fence | None = None
        # The block that is being gathered:
        self._lines: list[str] = []
        self._size = 0
        self._kind = Kind.TEXT
        self._gap = 0
        self._margin = 0
        self._head = ""
        # The list it stands in, and the column at which the text of its current item begins:
        self._marker = ""
        self._number: int | None = None
        self._item: int | None = None

    def feed(self, text: str) -> None:
        *lines, self._partial = (self._partial + text).split("\n")
        for line in lines:
            self._bounded(line.replace("\t", "    "), ended=True)
        if len(self._partial) > MAX_CHARACTERS:
            self._partial = self._bounded(self._partial.replace("\t", "    "), ended=False)

    def finish(self) -> None:
        self._flush_partial()
        self._settle()
        if self._fence is not None:
            self._close_fence(self._fence)

    def growing(self) -> list[Block]:
        """The blocks that the unsettled text would make if it ended here."""
        ahead = copy(self)
        ahead.settled = []
        ahead._lines = self._lines.copy()
        ahead._flush_partial()
        ahead._settle()
        return ahead.settled

    def _flush_partial(self) -> None:
        if self._partial:
            self._bounded(self._partial.replace("\t", "    "), ended=True)
            self._partial = ""

    def _bounded(self, line: str, ended: bool) -> str:
        """Takes a line in parts of bounded length; returns what is left of an unended one."""
        while len(line) > MAX_CHARACTERS:
            at = line.rfind(" ", MAX_CHARACTERS // 2, MAX_CHARACTERS) + 1 or MAX_CHARACTERS
            self._part(line[:at])
            line, self._continued = line[at:], True
        if not ended:
            return line
        self._part(line)
        self._continued = False
        return ""

    def _part(self, line: str) -> None:
        if self._fence is not None:
            self._code_line(line, self._fence)
        elif self._continued:
            self._settle()
            self._start(Kind.PLAIN, [line], gap=0, margin=self._margin, same_list=True)
            self._settle()
        else:
            self._line(line)

    def _line(self, line: str) -> None:
        if not line.strip():
            self._blank = True
            if self._kind is Kind.TABLE:
                self._settle()
                self._head = ""
            return
        indent = len(line) - len(line.lstrip(" "))
        gap = 1 if self._blank else 0
        inside = self._item is not None and (indent >= 2 or (not self._blank and not _starts_block(line)))
        if not inside:
            self._item = None
        if (opening := _FENCE.match(line)) and (inside or indent <= 3):
            self._open_fence(opening, gap, inside)
        elif inside:
            self._inside_item(line, indent, gap)
        elif not self._item_line(line, gap):
            self._plain_line(line, indent, gap)
        self._blank = False
        if len(self._lines) >= MAX_LINES or self._size >= MAX_CHARACTERS:
            self._settle_in_mid_block()

    def _plain_line(self, line: str, indent: int, gap: int) -> None:
        in_paragraph = bool(self._lines) and self._kind is Kind.TEXT and not self._blank
        if self._head and not self._lines and not self._blank and "|" in line:
            head = self._head
            self._start(Kind.TABLE, [line], gap=0)
            self._head = head
        elif _HEADING.match(line):
            self._alone(Kind.HEADING, line)
        elif _RULE.match(line) and not (in_paragraph and "-" in line):
            self._alone(Kind.TEXT, line)
        elif in_paragraph and _DELIMITER.match(line) and _columns(self._lines[-1]) == _columns(line):
            self._start_table(line)
        elif self._lines and not self._ends_before(line, indent):
            self._append(line)
        else:
            self._settle()
            self._start(Kind.TEXT, [line], gap=gap if self._last in _LEAD_IN else 1)

    def _alone(self, kind: Kind, line: str) -> None:
        self._settle()
        self._start(kind, [line], gap=1)
        self._settle()

    def _ends_before(self, line: str, indent: int) -> bool:
        """Whether the current block is over before this unmarked line."""
        if self._blank:
            return not (indent >= 4 and self._lines[0].startswith("    "))
        return line.lstrip().startswith(">") and not self._lines[0].lstrip().startswith(">")

    def _item_line(self, line: str, gap: int) -> bool:
        """Begins a list item if the line does. A number other than 1 cannot interrupt a paragraph."""
        match = _ITEM.match(line)
        if match is None or len(match[1]) > 3 or _RULE.match(line):
            return False
        in_paragraph = bool(self._lines) and self._kind is Kind.TEXT and not self._blank and not self._marker
        if in_paragraph and (not match[4] or match[3] not in (None, "1")):
            return False
        marker, number = match[2][-1], int(match[3]) if match[3] else None
        same_list = self._marker == marker
        if same_list and self._number is not None:
            number = self._number + 1
        self._settle()
        follows = self._last in _LEAD_IN or (same_list and self._last is not Kind.FENCE_CLOSE)
        self._start(Kind.ITEM, [line], gap=gap if follows else 1, same_list=True)
        self._marker, self._number = marker, number
        self._item = len(match[1]) + len(match[2]) + (len(match[4]) if 0 < len(match[4]) <= 4 else 1)
        return True

    def _inside_item(self, line: str, indent: int, gap: int) -> None:
        if self._lines and not 2 <= indent < self._margin:
            if gap:
                self._append("")
            self._append(line[min(self._margin, indent) :])
            return
        self._settle()
        self._start(Kind.TEXT, [line[indent:]], gap=gap, margin=indent, same_list=True)

    def _open_fence(self, match: re.Match[str], gap: int, inside: bool) -> None:
        self._settle()
        indent = len(match[1])
        language = match[3].strip().split(" ")[0].strip("{}.").lower()[:40]
        self._fence = _Fence(match[2][0], len(match[2]), indent, indent if inside else 0, language)
        self._start(Kind.FENCE_OPEN, [""], gap if inside else 1, self._fence.margin, same_list=inside)
        self._settle()

    def _code_line(self, line: str, fence: _Fence) -> None:
        stripped = line.strip()
        if len(stripped) >= fence.length and not stripped.strip(fence.mark) and not self._continued:
            self._settle()
            self._close_fence(fence)
            return
        line = line[min(fence.indent, len(line) - len(line.lstrip(" "))) :]
        fresh = len(self._lines) >= CODE_LINES_SOFT and not self._lines[-1].strip() and line[:1].isalpha()
        if fresh or len(self._lines) >= CODE_LINES or self._size > MAX_CHARACTERS:
            self._settle()
        if self._lines:
            self._append(line)
        else:
            self._start(Kind.CODE, [line], gap=0, margin=fence.margin, same_list=True)

    def _close_fence(self, fence: _Fence) -> None:
        self._start(Kind.FENCE_CLOSE, [""], gap=0, margin=fence.margin, same_list=True)
        self._settle()
        self._fence = None
        self._margin = 0

    def _start_table(self, delimiter: str) -> None:
        header = self._lines.pop()
        gap = 1 if self._lines else self._gap
        self._settle()
        self._start(Kind.TABLE, [header, delimiter], gap=gap)

    def _start(self, kind: Kind, lines: list[str], gap: int, margin: int = 0, *, same_list: bool = False) -> None:
        self._kind, self._lines, self._size = kind, lines, sum(map(len, lines))
        self._gap, self._margin, self._head = gap if self._last else 0, margin, ""
        if not same_list:
            self._marker, self._number = "", None

    def _append(self, line: str) -> None:
        self._lines.append(line)
        self._size += len(line) + 1
        if self._kind is Kind.TABLE and len(self._lines) > TABLE_ROWS:
            self._settle_in_mid_block()

    def _settle(self) -> None:
        if not self._lines:
            return
        language = self._fence.language if self._fence else ""
        number = self._number if self._kind is Kind.ITEM else None
        text = "\n".join(self._lines)
        self.settled.append(Block(self._kind, text, self._gap, self._margin, language, number, self._head))
        self._last = self._kind
        self._lines, self._size = [], 0

    def _settle_in_mid_block(self) -> None:
        """The next line begins a block that looks as if it were one with this."""
        head = self._head or "\n".join(self._lines)
        self._settle()
        if self._kind is Kind.TABLE:
            self._head = head


_LEAD_IN = (Kind.TEXT, Kind.PLAIN, Kind.HEADING)
"""After these a list or a paragraph that follows without a blank line stands close."""


def _starts_block(line: str) -> bool:
    return bool(_ITEM.match(line) or _HEADING.match(line) or _RULE.match(line) or line.lstrip().startswith(">"))


def _columns(row: str) -> int:
    return len(row.strip().strip("|").replace("\\|", "").split("|")) if "|" in row else 0
