"""Sessions as rows: what is known of a conversation beside what was said in it."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from . import beginnings
from .checked import readable
from .rows import instant


@dataclass(frozen=True, slots=True)
class Session:
    id: str
    """Short; a later session's id sorts after it."""
    title: str
    created: datetime
    updated: datetime
    strategy: str | None = None
    """As the user asked; None: as configured."""
    model: str | None = None
    """Id of the model that the user pinned."""
    system: str = ""
    messages: int = 0
    """How many there are."""
    tags: frozenset[str] = frozenset()
    """Rules may ask for them."""
    pinned: bool = False
    persona: str | None = None
    """By its name in the configuration, where it may be no more."""
    origin: str | None = None
    """Id of the session it is a copy of."""
    origin_title: str = ""
    """Empty also when that session is there no more."""
    temporary: bool = False
    """Nothing of it is ever stored."""
    own_way: bool | None = False
    """Whether its strategy and model, none too, go before the persona's. None: it was stored before these were told
    apart, and they may be what the persona brought along."""


_SELECT = (
    "SELECT id, title, created, updated, strategy, model, system, "
    "(SELECT COUNT(*) FROM messages WHERE session = sessions.id), "
    "(SELECT group_concat(tag, char(10)) FROM session_tags WHERE session = sessions.id), pinned, persona, origin, "
    "(SELECT title FROM sessions AS original WHERE original.id = sessions.origin AND original.deleted IS NULL), "
    "own_way FROM sessions"
)


def select(connection: sqlite3.Connection, clause: str, *values: str | int) -> tuple[Session, ...]:
    """Deleted ones too, unless the clause leaves them out."""
    return tuple(_session(row) for row in connection.execute(f"{_SELECT} {clause}", values))


@readable("sessions")
def _session(row: tuple[Any, ...]) -> Session:
    id_, title, created, updated, strategy, model, system, messages, tags, pinned, persona, origin, of, own = row
    moment = datetime.fromisoformat
    return Session(
        id_, title, moment(created), moment(updated), strategy, model, system, messages,
        frozenset(tags.split("\n")) if tags else frozenset(), bool(pinned), persona, origin, of or "",
        own_way=None if own is None else bool(own),
    )  # fmt: skip


def insert(connection: sqlite3.Connection, session: Session, imported: str | None = None) -> bool:
    """With its tags; False and nothing done where its id is taken. `imported`: the digest of the file it is from."""
    row = {
        "id": session.id,
        "title": session.title,
        "created": instant(session.created),
        "updated": instant(session.updated),
        "strategy": session.strategy,
        "model": session.model,
        "system": session.system,
        "pinned": session.pinned,
        "persona": session.persona,
        "origin": session.origin,
        "imported": imported,
        "own_way": session.own_way,
    }
    columns, places = ", ".join(row), ", ".join(f":{name}" for name in row)
    if not connection.execute(f"INSERT OR IGNORE INTO sessions ({columns}) VALUES ({places})", row).rowcount:
        return False
    tag(connection, session.id, session.tags)
    return True


def find(connection: sqlite3.Connection, named: str, *, deleted: bool = False) -> Session:
    """Among those that are there, or among the deleted ones: by its id, the beginning of one, or 'latest', the one last
    used, or deleted. Raises LookupError with a sentence for none and for several."""
    there, last = ("deleted IS NOT NULL", "deleted") if deleted else ("deleted IS NULL", "updated")

    def those(clause: str, *values: str | int) -> list[tuple[str, Session]]:
        return [(session.id, session) for session in select(connection, f"WHERE {there} AND {clause}", *values)]

    nothing, unknown = _NO_DELETED if deleted else _NONE
    return beginnings.the_one(
        named,
        lambda wanted: those("id >= ? AND id < ? LIMIT 4", wanted, beginnings.after_all(wanted)),
        lambda: those(f"id = (SELECT id FROM sessions WHERE {there} ORDER BY {last} DESC, id DESC LIMIT 1)"),
        what="sessions",
        nothing=nothing,
        unknown=unknown,
    )


_NONE = (
    "there is no session yet; `ask` and the console make them",
    "there is no session {}; `sessions list` shows those there are",
)
_NO_DELETED = (
    "no deleted session is kept; they are for a day",
    "no deleted session {} is kept; `sessions list --deleted` shows those that are",
)


def need(done: sqlite3.Cursor, session: str) -> None:
    """Raises LookupError when the statement met no session."""
    if not done.rowcount:
        raise LookupError(f"there is no session {session!r}; `sessions list` shows those there are")


def tag(connection: sqlite3.Connection, session: str, tags: Iterable[str], remove: Iterable[str] = ()) -> None:
    need(connection.execute("UPDATE sessions SET updated = updated WHERE id = ?", (session,)), session)
    added, gone = [(session, tag) for tag in tags], [(session, tag) for tag in remove]
    connection.executemany("INSERT OR IGNORE INTO session_tags VALUES (?, ?)", added)
    connection.executemany("DELETE FROM session_tags WHERE session = ? AND tag = ?", gone)


def none_ahead(connection: sqlite3.Connection, now: datetime) -> None:
    """What was last used in the future was used before the clock was set back: it keeps its place among the others,
    before what is used now. Else a conversation of that time would stay the last used until then."""
    query = "SELECT id FROM sessions WHERE updated > ? ORDER BY updated DESC, id DESC"
    ahead = connection.execute(query, (instant(now),)).fetchall()
    connection.executemany(
        "UPDATE sessions SET updated = ? WHERE id = ?",
        [(instant(now - timedelta(microseconds=place)), id_) for place, (id_,) in enumerate(ahead, start=1)],
    )


_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's, without letters that look like digits; they sort in order
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


def new_id(now: datetime) -> str:
    """Eight digits of milliseconds, which last until 2054, then two by chance."""
    number = int((now - _EPOCH).total_seconds() * 1000) << 10 | secrets.randbits(10)
    return "".join(_DIGITS[number >> shift & 31] for shift in range(45, -1, -5))
