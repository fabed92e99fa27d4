"""Conversations: sessions, their messages, what was thrown away on the way, and what was typed.

A prompt is stored before it is sent, and the answer as it grows, so that a killed program leaves both.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from tui_orchestrator.routing.ports import Clock
from tui_orchestrator.routing.request import Image, Message, Role
from tui_orchestrator.routing.text import clean, clean_line

from . import sessions
from .database import Database
from .rows import instant
from .sessions import Session as Session

State = Literal["complete", "interrupted", "failed"]


@dataclass(frozen=True, slots=True)
class StoredMessage:
    position: int
    """From 0 within the session."""
    role: Role
    text: str
    state: State
    created: datetime
    request_id: str
    thinking: str = ""
    images: tuple[Image, ...] = ()
    attempt: int | None = None
    """Of an answer: the attempt it came from."""
    model: str | None = None
    """Of an answer: who gave it."""

    def message(self) -> Message:
        """As it goes to a model again."""
        return Message(self.role, self.text, self.images)


def standing(messages: Sequence[StoredMessage]) -> list[tuple[StoredMessage, StoredMessage | None]]:
    """Each prompt with the answer that stands. A prompt that was asked again has several: the last whole one stands,
    else the last with text, else the last. The others are superseded."""
    turns: list[tuple[StoredMessage, list[StoredMessage]]] = []
    for message in messages:
        if message.role == "user":
            turns.append((message, []))
        elif turns:
            turns[-1][1].append(message)
    return [(prompt, max(answers, key=_standing, default=None)) for prompt, answers in turns]


def _standing(answer: StoredMessage) -> tuple[bool, bool, int]:
    said = bool(answer.text.strip())
    return said and answer.state == "complete", said and answer.state == "interrupted", answer.position


@dataclass(frozen=True, slots=True)
class Discarded:
    """What an attempt had said before the turn went on to another."""

    request_id: str
    attempt: int
    model: str
    text: str
    thinking: str
    why: str


@dataclass(frozen=True, slots=True)
class Conversation:
    session: Session
    messages: tuple[StoredMessage, ...]
    discarded: tuple[Discarded, ...]
    """In the order of the attempts; `request_id` says which turn each belongs to."""


@dataclass(frozen=True, slots=True)
class Found:
    """A message that a search found."""

    session: Session
    message: StoredMessage
    """Without its images."""


class Conversations:
    """All methods raise StoreError; those that name a session raise LookupError with a sentence when there is none."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def new(
        self,
        title: str = "",
        *,
        strategy: str | None = None,
        model: str | None = None,
        system: str = "",
        tags: frozenset[str] = frozenset(),
    ) -> Session:
        """A session that is not stored yet; `keep` stores it. Without a title, the first prompt's beginning becomes
        it."""
        now = self._clock.now()
        return Session(sessions.new_id(now), clean_line(title, 80), now, now, strategy, model, clean(system), tags=tags)

    async def keep(self, session: Session) -> None:
        """Stores a new session; one that is stored already stays as it is."""
        created, updated = instant(session.created), instant(session.updated)
        row = (session.id, session.title, created, updated, session.strategy, session.model, session.system)

        def keep(connection: sqlite3.Connection) -> None:
            if connection.execute("INSERT OR IGNORE INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?)", row).rowcount:
                sessions.tag(connection, session.id, session.tags)

        await self._db.write(keep)

    async def recent(self, limit: int = 1000) -> tuple[Session, ...]:
        """The last used first."""
        return await self._db.read(lambda c: sessions.select(c, "ORDER BY updated DESC, id DESC LIMIT ?", limit))

    async def latest(self) -> Session | None:
        return next(iter(await self.recent(1)), None)

    async def get(self, beginning: str) -> Conversation:
        """Whole; by id, or by the beginning of one that fits no other."""

        def load(connection: sqlite3.Connection) -> Conversation:
            session = sessions.find(connection, beginning)
            return Conversation(session, _messages(connection, session.id), _discarded(connection, session.id))

        return await self._db.read(load)

    async def rename(self, session: str, title: str) -> None:
        await self._set(session, "title = ?", clean_line(title, 80))

    async def choose(self, session: str, *, strategy: str | None, model: str | None) -> None:
        """What the session's next turns ask for; None: as configured, and no model pinned."""
        await self._set(session, "strategy = ?, model = ?", strategy, model)

    async def tag(self, session: str, tags: Iterable[str], *, remove: Iterable[str] = ()) -> None:
        """Adds tags and takes some away; those it has, or has not, already are no trouble."""
        await self._db.write(lambda c: sessions.tag(c, session, tags, remove))

    async def delete(self, session: str) -> None:
        """With all that was said in it. What it cost stays in the ledger."""

        def delete(connection: sqlite3.Connection) -> None:
            sessions.need(connection.execute("DELETE FROM sessions WHERE id = ?", (session,)), session)
            connection.execute("DELETE FROM drafts WHERE session = ?", (session,))

        await self._db.write(delete)

    async def prompt(self, session: str, message: Message, request_id: str) -> None:
        """Stores what is about to be sent. It joins the history of prompts, and the session's draft is done with."""
        text, at = clean(message.text), instant(self._clock.now())

        def add(connection: sqlite3.Connection) -> None:
            changed = "UPDATE sessions SET updated = ?, title = CASE title WHEN '' THEN ? ELSE title END WHERE id = ?"
            sessions.need(connection.execute(changed, (at, clean_line(text, 60), session)), session)
            stored = connection.execute(
                _ADD_MESSAGE, _row(session, message.role, text, "", request_id, None, None, "complete", at)
            ).lastrowid
            connection.executemany(
                "INSERT INTO images VALUES (?, ?, ?, ?, ?)",
                [
                    (stored, position, image.media_type, clean_line(image.name), image.data)
                    for position, image in enumerate(message.images)
                ],
            )
            connection.execute("DELETE FROM drafts WHERE session = ?", (session,))
            _remember(connection, text, at)

        await self._db.write(add)

    async def answer(
        self,
        session: str,
        request_id: str,
        text: str,
        *,
        thinking: str = "",
        model: str | None = None,
        attempt: int | None = None,
        state: State = "complete",
    ) -> None:
        """One answer a request: a later call takes the place of an earlier one. Store it as 'interrupted' while it
        grows, and that is what a killed program leaves."""
        at = instant(self._clock.now())
        row = _row(session, "assistant", clean(text), clean(thinking), request_id, attempt, model, state, at)

        def put(connection: sqlite3.Connection) -> None:
            sessions.need(connection.execute("UPDATE sessions SET updated = ? WHERE id = ?", (at, session)), session)
            connection.execute(
                f"{_ADD_MESSAGE} ON CONFLICT (session, request_id) WHERE role = 'assistant' DO UPDATE SET "
                "text = excluded.text, thinking = excluded.thinking, attempt = excluded.attempt, "
                "model = excluded.model, state = excluded.state",
                row,
            )

        await self._db.write(put)

    async def discard(self, session: str, discarded: Discarded) -> None:
        """Keeps what an attempt had said; said again, it changes."""
        row = (
            session,
            discarded.request_id,
            discarded.attempt,
            discarded.model,
            clean(discarded.text),
            clean(discarded.thinking),
            clean_line(discarded.why),
        )

        def keep(connection: sqlite3.Connection) -> None:
            sessions.need(connection.execute("UPDATE sessions SET updated = updated WHERE id = ?", (session,)), session)
            connection.execute("INSERT OR REPLACE INTO discarded VALUES (?, ?, ?, ?, ?, ?, ?)", row)

        await self._db.write(keep)

    async def search(self, words: str, limit: int = 50) -> tuple[Found, ...]:
        """Messages that hold every one of the words, also as parts of longer ones; the latest first."""
        wanted = clean_line(words).split()
        if not wanted:
            return ()
        return await self._db.report(lambda c: _search(c, wanted, limit))

    async def draft(self, session: str) -> str:
        """What was typed and not sent; '' is also the name of the session that does not exist yet."""

        def find(connection: sqlite3.Connection) -> str:
            found = connection.execute("SELECT text FROM drafts WHERE session = ?", (session,)).fetchone()
            return found[0] if found else ""

        return await self._db.read(find)

    async def save_draft(self, session: str, text: str) -> None:
        row = (session, clean(text), instant(self._clock.now()))
        if text:
            await self._db.write(lambda c: c.execute("INSERT OR REPLACE INTO drafts VALUES (?, ?, ?)", row))
        else:
            await self._db.write(lambda c: c.execute("DELETE FROM drafts WHERE session = ?", (session,)))

    async def prompts(self, limit: int = 1000) -> tuple[str, ...]:
        """All that was ever sent, from every session, the latest first."""
        query = "SELECT text FROM prompts ORDER BY id DESC LIMIT ?"
        return await self._db.read(lambda c: tuple(text for (text,) in c.execute(query, (limit,))))

    async def _set(self, session: str, changes: str, *values: str | None) -> None:
        update = f"UPDATE sessions SET {changes} WHERE id = ?"
        await self._db.write(lambda c: sessions.need(c.execute(update, (*values, session)), session))


_ADD_MESSAGE = """
INSERT INTO messages (session, position, parent, role, text, thinking, request_id, attempt, model, state, created)
SELECT
    :session,
    (SELECT COALESCE(MAX(position) + 1, 0) FROM messages WHERE session = :session),
    (SELECT id FROM messages WHERE session = :session ORDER BY position DESC LIMIT 1),
    :role, :text, :thinking, :request_id, :attempt, :model, :state, :created
WHERE true
"""


def _row(
    session: str,
    role: Role,
    text: str,
    thinking: str,
    request_id: str,
    attempt: int | None,
    model: str | None,
    state: State,
    created: str,
) -> dict[str, str | int | None]:
    return {
        "session": session,
        "role": role,
        "text": text,
        "thinking": thinking,
        "request_id": request_id,
        "attempt": attempt,
        "model": model,
        "state": state,
        "created": created,
    }


def _remember(connection: sqlite3.Connection, text: str, at: str) -> None:
    last = connection.execute("SELECT text FROM prompts ORDER BY id DESC LIMIT 1").fetchone()
    if text.strip() and last != (text,):
        connection.execute("INSERT INTO prompts (text, at) VALUES (?, ?)", (text, at))


_SELECT_MESSAGES = (
    "SELECT position, role, text, state, created, request_id, thinking, attempt, model, id, session FROM messages"
)


def _message(row: tuple[Any, ...], images: tuple[Image, ...] = ()) -> StoredMessage:
    position, role, text, state, created, request_id, thinking, attempt, model, *_ = row
    moment = datetime.fromisoformat(created)
    return StoredMessage(position, role, text, state, moment, request_id, thinking, images, attempt, model)


def _messages(connection: sqlite3.Connection, session: str) -> tuple[StoredMessage, ...]:
    images: dict[int, tuple[Image, ...]] = {}
    for message, media_type, data, name in connection.execute(
        "SELECT message, media_type, data, images.name FROM images JOIN messages ON messages.id = images.message "
        "WHERE session = ? ORDER BY message, images.position",
        (session,),
    ):
        images[message] = (*images.get(message, ()), Image(media_type, data, name))
    rows = connection.execute(f"{_SELECT_MESSAGES} WHERE session = ? ORDER BY position", (session,))
    return tuple(_message(row, images.get(row[9], ())) for row in rows)


def _discarded(connection: sqlite3.Connection, session: str) -> tuple[Discarded, ...]:
    rows = connection.execute(
        "SELECT request_id, attempt, model, text, thinking, why FROM discarded WHERE session = ? ORDER BY rowid",
        (session,),
    )
    return tuple(Discarded(*row) for row in rows)


def _search(connection: sqlite3.Connection, words: list[str], limit: int) -> tuple[Found, ...]:
    holds: list[str] = []
    values: list[str | int] = []
    for word in words:
        holds.append("instr(lower(text), lower(?))")
        values.append(word)
        # The index of three-letter pieces finds no shorter ones, and SQLite 3.40 measures them in bytes: it would find
        # nothing for one Chinese letter instead of looking through all.
        if len(word) >= 3 and not {"%", "_"} & set(word):
            holds.append("id IN (SELECT rowid FROM messages_text WHERE text LIKE ?)")
            values.append(f"%{word}%")
    rows = connection.execute(
        f"{_SELECT_MESSAGES} WHERE {' AND '.join(holds)} ORDER BY created DESC, id DESC LIMIT ?", (*values, limit)
    ).fetchall()
    found = {row[10]: sessions.select(connection, "WHERE id = ?", row[10])[0] for row in rows}
    return tuple(Found(found[row[10]], _message(row)) for row in rows)
