"""The rows of what was said: prompts, answers, and what was thrown away on the way."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from tui_orchestrator.routing.request import Image, Message, Role
from tui_orchestrator.routing.text import clean_line

from .checked import readable

State = Literal["complete", "interrupted", "failed"]
Weight = Literal["information", "warning", "error"]


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
    parent: int | None = field(default=None, compare=False)
    """Position of the message before it on its branch; None: it is the first."""
    continues: str | None = None
    """Of a part of an answer that had been cut off: the request of the answer's first part."""
    note: str = ""
    """Of an answer: what was said under it when its turn ended."""
    weight: Weight = "information"
    """How much the note matters."""
    files: tuple[str, ...] = ()
    """Of a prompt: names of those that went with it, whose words are in its text."""

    def message(self) -> Message:
        """As it goes to a model again."""
        return Message(self.role, self.text, self.images)


@dataclass(frozen=True, slots=True)
class Discarded:
    """What an attempt had said before the turn went on to another."""

    request_id: str
    attempt: int
    model: str
    text: str
    thinking: str
    why: str


_APPEND = """
INSERT INTO messages (
    session, position, parent, role, text, thinking, request_id, attempt, model, state, created, continues,
    note, weight, files
)
SELECT
    :session,
    (SELECT COALESCE(MAX(position) + 1, 0) FROM messages WHERE session = :session),
    CASE WHEN :instead IS NULL THEN (
        SELECT id FROM messages WHERE session = :session AND position = COALESCE(
            (SELECT leaf FROM sessions WHERE id = :session),
            (SELECT MAX(position) FROM messages WHERE session = :session)
        )
    ) ELSE (
        SELECT parent FROM messages WHERE session = :session AND request_id = :instead AND role = 'user'
    ) END,
    :role, :text, :thinking, :request_id, :attempt, :model, :state, :created, :continues, :note, :weight, :files
WHERE true
ON CONFLICT (session, request_id) WHERE role = 'assistant' DO UPDATE SET
    text = excluded.text, thinking = excluded.thinking, attempt = excluded.attempt, model = excluded.model,
    state = excluded.state, note = excluded.note, weight = excluded.weight
"""


def append(
    connection: sqlite3.Connection,
    session: str,
    role: Role,
    text: str,
    *,
    request_id: str,
    created: str,
    thinking: str = "",
    images: Sequence[Image] = (),
    attempt: int | None = None,
    model: str | None = None,
    state: State = "complete",
    instead: str | None = None,
    continues: str | None = None,
    note: str = "",
    weight: Weight = "information",
    files: Sequence[str] = (),
) -> None:
    """At the end of its branch, or beside the prompt of the request `instead`; an answer to a request that has one
    takes its place. The text is clean already."""
    row = {
        "session": session,
        "role": role,
        "text": text,
        "thinking": thinking,
        "request_id": request_id,
        "attempt": attempt,
        "model": model,
        "state": state,
        "created": created,
        "instead": instead,
        "continues": continues,
        "note": note,
        "weight": weight,
        "files": json.dumps([clean_line(name) for name in files]),
    }
    stored = connection.execute(_APPEND, row).lastrowid
    # What came last ends the branch from now on.
    connection.execute("UPDATE sessions SET leaf = NULL WHERE id = ? AND leaf IS NOT NULL", (session,))
    connection.executemany(
        "INSERT INTO images VALUES (?, ?, ?, ?, ?)",
        [
            (stored, position, image.media_type, clean_line(image.name), image.data)
            for position, image in enumerate(images)
        ],
    )


_NO_FILES = "[]"
_SELECT_MESSAGES = (
    "SELECT position, role, text, state, created, request_id, thinking, attempt, model, id, parent, continues, "
    "note, weight, files FROM messages"
)


def messages_of(connection: sqlite3.Connection, session: str) -> tuple[StoredMessage, ...]:
    """Of all branches, by position."""
    images: dict[int, tuple[Image, ...]] = {}
    for message, media_type, data, name in connection.execute(
        "SELECT message, media_type, data, images.name FROM images JOIN messages ON messages.id = images.message "
        "WHERE session = ? ORDER BY message, images.position",
        (session,),
    ):
        images[message] = (*images.get(message, ()), Image(media_type, data, name))
    rows = connection.execute(f"{_SELECT_MESSAGES} WHERE session = ? ORDER BY position", (session,)).fetchall()
    messages, places = [], dict[int, int]()
    with readable("messages"):
        for row in rows:
            *said, thinking, attempt, model, id_, parent, continues, note, weight, files = row
            position, role, text, state, created, request_id = said
            # The one before has a lower position, whatever a file says.
            before, names = places.get(parent), () if files == _NO_FILES else tuple(json.loads(files))
            moment, shown = datetime.fromisoformat(created), images.get(id_, ())
            answer = (thinking, shown, attempt, model, before, continues, note, weight, names)
            messages.append(StoredMessage(position, role, text, state, moment, request_id, *answer))
            places[id_] = position
    return tuple(messages)


def discarded_of(connection: sqlite3.Connection, session: str) -> tuple[Discarded, ...]:
    rows = connection.execute(
        "SELECT request_id, attempt, model, text, thinking, why FROM discarded WHERE session = ? ORDER BY rowid",
        (session,),
    )
    return tuple(Discarded(*row) for row in rows)
