"""Sessions as rows: what is known of a conversation beside what was said in it."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from tui_orchestrator.routing.text import clean_line


@dataclass(frozen=True, slots=True)
class Session:
    id: str
    """Short; a later session's id sorts after it."""
    title: str
    created: datetime
    updated: datetime
    strategy: str | None = None
    """None: as configured."""
    model: str | None = None
    """Id of the pinned model."""
    system: str = ""
    messages: int = 0
    """How many there are."""
    tags: frozenset[str] = frozenset()
    """Rules may ask for them."""


def select(connection: sqlite3.Connection, clause: str, *values: str | int) -> tuple[Session, ...]:
    rows = connection.execute(
        "SELECT id, title, created, updated, strategy, model, system, "
        "(SELECT COUNT(*) FROM messages WHERE session = sessions.id), "
        f"(SELECT group_concat(tag, char(10)) FROM session_tags WHERE session = sessions.id) FROM sessions {clause}",
        values,
    )
    moment = datetime.fromisoformat
    return tuple(
        Session(id_, title, moment(created), moment(updated), strategy, model, system, messages, _set(tags))
        for id_, title, created, updated, strategy, model, system, messages, tags in rows
    )


def _set(tags: str | None) -> frozenset[str]:
    return frozenset(tags.split("\n")) if tags else frozenset()


def find(connection: sqlite3.Connection, beginning: str) -> Session:
    """Raises LookupError with a sentence for none and for several."""
    wanted = clean_line(beginning, 40).lower()
    found = select(connection, "WHERE id >= ? AND substr(id, 1, ?) = ? LIMIT 4", wanted, len(wanted), wanted)
    exact = [session for session in found if session.id == wanted]
    if wanted and (exact or len(found) == 1):
        return (exact or found)[0]
    if wanted and found:
        raise LookupError(f"{wanted!r} begins several sessions: {', '.join(session.id for session in found)}")
    raise LookupError(f"there is no session {wanted!r}; `sessions list` shows those there are")


def need(done: sqlite3.Cursor, session: str) -> None:
    """Raises LookupError when the statement met no session."""
    if not done.rowcount:
        raise LookupError(f"there is no session {session!r}; `sessions list` shows those there are")


def tag(connection: sqlite3.Connection, session: str, tags: Iterable[str], remove: Iterable[str] = ()) -> None:
    need(connection.execute("UPDATE sessions SET updated = updated WHERE id = ?", (session,)), session)
    added, gone = [(session, tag) for tag in tags], [(session, tag) for tag in remove]
    connection.executemany("INSERT OR IGNORE INTO session_tags VALUES (?, ?)", added)
    connection.executemany("DELETE FROM session_tags WHERE session = ? AND tag = ?", gone)


_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's, without letters that look like digits; they sort in order
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


def new_id(now: datetime) -> str:
    """Eight digits of milliseconds, which last until 2054, then two by chance."""
    number = int((now - _EPOCH).total_seconds() * 1000) << 10 | secrets.randbits(10)
    return "".join(_DIGITS[number >> shift & 31] for shift in range(45, -1, -5))
