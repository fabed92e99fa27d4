"""Words found in titles and in all that was said, with the place where each stands.

The index holds pieces of three letters, so that parts of words and scripts without spaces are found too; what is
shorter is looked for in the texts themselves. Either way the latest messages come first and the search can be stopped.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from tui_orchestrator.routing.request import LONGEST_TAG, Role
from tui_orchestrator.routing.text import clean_line

from .checked import readable

LONGEST_QUERY = 400
_STEP = 10_000
"""Messages looked through between two questions whether anyone still waits."""
_READ = 20_000
"""Messages that are read at most of those that may hold the words: after that what was found is enough."""
_PIECES = 24
"""Pieces of three letters asked of the index for a word: more narrow it down no further."""
_BEFORE, _AFTER = 40, 200
"""Characters of a message shown around what was found."""


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed: words, "words in quotes" that stand together, and tags: #work, #"client a"."""

    words: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    patterns: tuple[re.Pattern[str], ...] = field(default=(), repr=False, compare=False)
    """One for each of the words, without regard to case."""

    @classmethod
    def of(cls, typed: str) -> Query:
        words, tags = [], set()
        for tag, quoted, plain in re.findall(r'#"([^"]+)"?|"([^"]+)"?|([^\s"]+)', clean_line(typed, LONGEST_QUERY)):
            if tag or (plain.startswith("#") and len(plain) > 1):
                tags.add((tag or plain[1:]).lower()[:LONGEST_TAG])
            elif quoted.strip() or plain:
                words.append(quoted.strip() or plain)
        unique = tuple(dict.fromkeys(words))
        return cls(unique, frozenset(tags), tuple(re.compile(re.escape(word), re.IGNORECASE) for word in unique))

    def __bool__(self) -> bool:
        return bool(self.words or self.tags)

    def fits(self, text: str) -> bool:
        return all(pattern.search(text) for pattern in self.patterns)

    def marks(self, text: str) -> tuple[tuple[int, int], ...]:
        """Where in the text the words stand: beginning and end of each place, in order, none in another."""
        places = sorted(found.span() for pattern in self.patterns for found in pattern.finditer(text))
        marks: list[tuple[int, int]] = []
        for start, end in places:
            if marks and start <= marks[-1][1]:
                marks[-1] = marks[-1][0], max(end, marks[-1][1])
            else:
                marks.append((start, end))
        return tuple(marks)


@dataclass(frozen=True, slots=True)
class Snippet:
    text: str
    """One line."""
    marks: tuple[tuple[int, int], ...]
    """What was looked for, as beginning and end within `text`."""


@dataclass(frozen=True, slots=True)
class Place:
    """The latest message of a session that holds all the words."""

    position: int
    role: Role
    request_id: str
    created: datetime
    snippet: Snippet
    messages: int = 1
    """How many were found in this session; more may be where the search ended early."""


def snippet(text: str, query: Query) -> Snippet:
    """The piece of a text around the first place where most of the words are near each other."""
    starts = [found.start() for pattern in query.patterns for found in islice(pattern.finditer(text), 50)]

    def near(start: int) -> int:
        piece = text[start : start + _AFTER]
        return sum(pattern.search(piece) is not None for pattern in query.patterns)

    at = max(sorted(starts), key=near, default=0)
    begin = max(0, at - _BEFORE)
    if begin:
        # Not in the middle of a word, where there is another beginning before what was found.
        begin += next((gap.end() for gap in re.finditer(r"\s+", text[begin:at])), 0)
    end = at + _AFTER
    line = clean_line(text[begin:end], _BEFORE + _AFTER)
    if not any("*" in word for word in query.words):
        line = line.replace("**", "")  # Markdown's bold says nothing in one plain line
    line = ("…" if begin else "") + line + ("…" if end < len(text) else "")
    return Snippet(line, query.marks(line))


def places(
    connection: sqlite3.Connection,
    query: Query,
    sessions: int,
    allowed: Callable[[str], bool],
    stopped: Callable[[], bool],
) -> dict[str, Place]:
    """By session, those with the latest message first; so many at most. What was found until `stopped` is returned."""
    found: dict[str, Place] = {}
    for session, position, role, request_id, created, text in _candidates(connection, query, stopped):
        if not allowed(session) or not query.fits(text):
            continue
        if (known := found.get(session)) is not None:
            found[session] = Place(
                known.position, known.role, known.request_id, known.created, known.snippet, known.messages + 1
            )
        elif len(found) == sessions:
            break
        else:
            with readable("messages"):
                moment = datetime.fromisoformat(created)
            found[session] = Place(position, role, request_id, moment, snippet(text, query))
    return found


def _candidates(
    connection: sqlite3.Connection, query: Query, stopped: Callable[[], bool]
) -> Iterator[tuple[str, int, Role, str, str, str]]:
    """The latest first, and perhaps some that do not hold the words."""
    columns = "whole.session, whole.position, whole.role, whole.request_id, whole.created, whole.text"
    pieces = [_piece(piece) for word in query.words for piece in _pieces(word)]
    if pieces:
        sql = (
            f"SELECT {columns} FROM messages_text JOIN messages_whole AS whole ON whole.id = messages_text.rowid WHERE "
            "messages_text MATCH ? AND messages_text.rowid > ? AND messages_text.rowid <= ? "
            "ORDER BY messages_text.rowid DESC"
        )
        values: tuple[str, ...] = (" AND ".join(pieces),)
    else:
        holds = [held(word, "text") for word in query.words]
        sql = f"SELECT {columns} FROM messages_whole AS whole WHERE {' AND '.join(sql for sql, _ in holds)} "
        sql += "AND id > ? AND id <= ? ORDER BY id DESC"
        values = tuple(word for _, word in holds)
    (top,) = connection.execute("SELECT COALESCE(MAX(id), 0) FROM messages").fetchone()
    read = 0
    while top > 0 and not stopped():
        for row in connection.execute(sql, (*values, top - _STEP, top)):
            yield row
            read += 1
            if read >= _READ:
                return
        top -= _STEP


def _pieces(word: str) -> Sequence[str]:
    """Of three letters each; none of a shorter word, which the index does not hold."""
    every = [word[start : start + 3] for start in range(len(word) - 2)]
    return list(dict.fromkeys(every))[:_PIECES]


def _piece(piece: str) -> str:
    return '"' + piece.replace('"', '""') + '"'


def held(word: str, text: str) -> tuple[str, str]:
    """What SQLite can tell by itself of a word in the column or expression `text`: the case of ASCII letters, and of
    letters that have none. The condition and its value; what it lets through may still not hold the word."""
    if word.lower() == word.upper():
        return f"instr({text}, ?) > 0", word
    plain = max(re.findall(r"[\x00-\x7f]+", word), key=len, default="")
    return f"instr(lower({text}), ?) > 0", plain.lower()
