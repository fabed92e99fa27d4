"""The history of prompts: all that was ever sent, but in deleted sessions, searched by its words, the latest first."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tui_orchestrator.routing.text import clean_line

from .checked import a_text, readable
from .search import LONGEST_QUERY, Query, Snippet, held, snippet

SEARCHED = 100_000
"""Characters of a prompt that are looked through."""
_HEAD = 2_000
_STEP = 5_000
"""Prompts looked through between two questions whether anyone still waits."""


@dataclass(frozen=True, slots=True)
class Past:
    """A prompt that was sent."""

    id: int
    at: datetime
    """The last time it was sent."""
    snippet: Snippet
    head: str
    """Its first 2,000 characters; `text` has the whole."""


def words_of(typed: str) -> Query:
    """All of these words, anywhere in a prompt. Unlike in the search of sessions nothing typed means anything else."""
    words = tuple(dict.fromkeys(clean_line(typed, LONGEST_QUERY).split()))
    return Query(words, frozenset(), tuple(re.compile(re.escape(word), re.IGNORECASE) for word in words))


_HIDDEN = """
SELECT m.created FROM sessions s JOIN messages m ON m.session = s.id WHERE s.deleted IS NOT NULL AND m.role = 'user'
EXCEPT
SELECT m.created FROM sessions s JOIN sessions t ON t.origin = s.id OR t.id = s.origin
    JOIN messages m ON m.session = t.id
WHERE s.deleted IS NOT NULL AND t.deleted IS NULL AND m.role = 'user'
"""
"""What was sent in deleted sessions, by its instant, which a prompt has from its message. What a copy of such a
session, or its original, still holds is there."""


_LARGEST_ID = 2**63 - 1


def recent(connection: sqlite3.Connection, limit: int) -> tuple[str, ...]:
    """The latest first."""
    query = f"SELECT text FROM prompts WHERE at NOT IN ({_HIDDEN}) ORDER BY id DESC LIMIT ?"
    return tuple(a_text(text) for (text,) in connection.execute(query, (limit,)))


def hidden(connection: sqlite3.Connection) -> frozenset[str]:
    """Those that no session but deleted ones holds."""
    query = (
        f"SELECT text FROM prompts WHERE at IN ({_HIDDEN}) EXCEPT SELECT text FROM prompts WHERE at NOT IN ({_HIDDEN})"
    )
    return frozenset(text for (text,) in connection.execute(query))


def find(connection: sqlite3.Connection, typed: str, limit: int, stopped: Callable[[], bool]) -> tuple[Past, ...]:
    """The latest first, each text once. What was found until `stopped` is returned."""
    query = words_of(typed)
    holds = [held(word, f"substr(text, 1, {SEARCHED})") for word in query.words]
    sql = (
        f"SELECT id, at, substr(text, 1, {SEARCHED}) FROM prompts "
        f"WHERE {''.join(f'{condition} AND ' for condition, _ in holds)}id > ? AND id <= ? ORDER BY id DESC"
    )
    values = tuple(value for _, value in holds)
    below = "SELECT COALESCE(MAX(id), 0) FROM prompts WHERE id <= ?"
    (top,) = connection.execute(below, (_LARGEST_ID,)).fetchone()
    hidden = {at for (at,) in connection.execute(_HIDDEN)}
    found: list[Past] = []
    seen = set[int]()
    while top > 0 and not stopped():
        for id_, at, text in connection.execute(sql, (*values, top - _STEP, top)):
            if at in hidden or hash(text) in seen or not query.fits(text):
                continue
            seen.add(hash(text))
            with readable("prompts"):
                moment = datetime.fromisoformat(at)
            found.append(Past(id_, moment, snippet(text, query), text[:_HEAD]))
            if len(found) == limit:
                return tuple(found)
        (top,) = connection.execute(below, (top - _STEP,)).fetchone()
    return tuple(found)


def text(connection: sqlite3.Connection, id_: int) -> str:
    """The whole prompt; empty where it was forgotten meanwhile."""
    row = connection.execute("SELECT text FROM prompts WHERE id = ?", (id_,)).fetchone()
    return a_text(row[0]) if row else ""
