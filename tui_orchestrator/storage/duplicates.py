"""A conversation stored a second time: as a copy of one that is there, or as a file tells it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import datetime

from . import branches, sessions
from .conversations import Conversation
from .messages import append, discarded_of, messages_of
from .rows import instant
from .sessions import Session


def insert_under_a_free_id(
    connection: sqlite3.Connection, session: Session, now: datetime, imported: str | None = None
) -> Session:
    """The session with the id that it got, stored without messages. `imported` is the digest of its file."""
    while not sessions.insert(connection, session := replace(session, id=sessions.new_id(now)), imported):
        pass  # another was made in the same millisecond, with the same chance
    return session


def fill(connection: sqlite3.Connection, original: str, copy: str, upto: int | None) -> None:
    """The empty `copy`, whole with all branches of the original, or with the one branch up to a message."""
    tree = (
        "SELECT messages.position, before.position FROM messages LEFT JOIN messages AS before "
        "ON before.id = messages.parent WHERE messages.session = ?"
    )
    parents = dict(connection.execute(tree, (original,)).fetchall())
    if upto is not None:
        parents = {position: parents[position] for position in branches.path_to(connection, original, upto)}
    within = "session = :original AND position IN (SELECT value FROM json_each(:positions))"
    values = {"original": original, "copy": copy, "positions": json.dumps(list(parents))}
    connection.execute(
        "INSERT INTO messages (session, position, role, text, thinking, request_id, attempt, model, state, created, "
        "continues, note, weight, files) SELECT :copy, position, role, text, thinking, request_id, attempt, model, "
        "state, created, continues, note, weight, files FROM messages "
        f"WHERE {within} ORDER BY position",
        values,
    )
    branches.link(connection, copy, parents)
    if upto is None:
        leaf = "UPDATE sessions SET leaf = (SELECT leaf FROM sessions WHERE id = :original) WHERE id = :copy"
        connection.execute(leaf, values)
    connection.execute(
        "INSERT INTO images SELECT copied.id, images.position, media_type, name, data FROM images "
        "JOIN messages AS old ON old.id = images.message AND old.session = :original "
        "JOIN messages AS copied ON copied.session = :copy AND copied.position = old.position",
        values,
    )
    for table in ("discarded", "imported_attempts"):
        columns = {"discarded": "attempt, model, text, thinking, why", "imported_attempts": "attempts"}[table]
        connection.execute(
            f"INSERT INTO {table} SELECT :copy, request_id, {columns} FROM {table} WHERE session = :original "
            "AND request_id IN (SELECT request_id FROM messages WHERE session = :copy)",
            values,
        )


def put(connection: sqlite3.Connection, session: str, conversation: Conversation) -> None:
    """What a file tells, into a session that is there and empty."""
    every = conversation.every
    for message in every:
        append(
            connection,
            session,
            message.role,
            message.text,
            thinking=message.thinking,
            request_id=message.request_id,
            images=message.images,
            attempt=message.attempt,
            model=message.model,
            state=message.state,
            created=instant(message.created),
            continues=message.continues,
            note=message.note,
            weight=message.weight,
            files=message.files,
        )
    branches.link(connection, session, {message.position: message.parent for message in every})
    if conversation.messages and conversation.messages[-1] is not every[-1]:
        branches.put_leaf(connection, session, conversation.messages[-1].position)
    connection.executemany(
        "INSERT OR REPLACE INTO discarded VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (session, one.request_id, one.attempt, one.model, one.text, one.thinking, one.why)
            for one in conversation.discarded
        ],
    )


def known(connection: sqlite3.Connection, conversation: Conversation, digest: str) -> Session | None:
    """The session that the same file made, or that has the conversation's id and begins as it does."""
    same = sessions.select(connection, "WHERE imported = ? AND deleted IS NULL LIMIT 1", digest)
    same = same or sessions.select(connection, "WHERE id = ? AND deleted IS NULL", conversation.session.id)
    for session in same:
        stored = Conversation(session, messages_of(connection, session.id), discarded_of(connection, session.id))
        there = [(message.role, message.text, message.request_id) for message in stored.messages]
        wanted = [(message.role, message.text, message.request_id) for message in conversation.every]
        if there[: len(wanted)] == wanted:
            return session
    return None
