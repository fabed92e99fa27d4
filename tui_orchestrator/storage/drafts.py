"""What was typed and not sent: each session's draft, and the earlier prompt that is being edited there."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from tui_orchestrator.routing.text import clean

from .checked import readable

Fold = tuple[int, int, str]
"""Where a folded paste begins in the whole text, its length, and the token that stands for it."""


@dataclass(frozen=True, slots=True)
class KeptDraft:
    text: str = ""
    """With pastes unfolded."""
    folds: tuple[Fold, ...] | None = ()
    """In their order. None: an older version of the program kept it, which did not tell them."""


def of(connection: sqlite3.Connection, session: str) -> KeptDraft:
    found = connection.execute("SELECT text, folds FROM drafts WHERE session = ?", (session,)).fetchone()
    return _draft(*found) if found else KeptDraft()


def keep(connection: sqlite3.Connection, session: str, draft: KeptDraft, at: str) -> None:
    if draft.text:
        row = (session, clean(draft.text), at, _folds(draft.folds))
        connection.execute("INSERT OR REPLACE INTO drafts (session, text, updated, folds) VALUES (?, ?, ?, ?)", row)
    else:
        # It may go on in a chat that leaves no trace.
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("DELETE FROM drafts WHERE session = ?", (session,))
        connection.execute("PRAGMA secure_delete = OFF")


def edit_of(connection: sqlite3.Connection, session: str) -> tuple[str, KeptDraft] | None:
    """The request whose prompt is being edited, and what it has become."""
    query = "SELECT instead, text, folds FROM edits WHERE session = ?"
    found = connection.execute(query, (session,)).fetchone()
    return (found[0], _draft(*found[1:])) if found else None


def keep_edit(connection: sqlite3.Connection, session: str, instead: str, draft: KeptDraft) -> None:
    # Nothing of a session that was purged meanwhile, in another copy of the program.
    query = "INSERT OR REPLACE INTO edits SELECT id, ?, ?, ? FROM sessions WHERE id = ?"
    connection.execute(query, (instead, clean(draft.text), _folds(draft.folds), session))


def sent(connection: sqlite3.Connection, session: str, typed: str, instead: str | None) -> None:
    """What went out is no draft any more, nor is the prompt that it was sent `instead` of being edited."""
    connection.execute(_SENT, {"session": session, "typed": typed})
    if instead is not None:
        connection.execute("DELETE FROM edits WHERE session = ? AND instead = ?", (session, instead))


# Of the session, or with its first prompt of the one that did not exist yet. What is typed by now may be another draft
# already, which is not how what was sent begins.
_SENT = (
    "DELETE FROM drafts WHERE substr(:typed, 1, length(drafts.text)) = drafts.text AND (session = :session OR "
    "(session = '' AND NOT EXISTS (SELECT 1 FROM messages WHERE messages.session = :session)))"
)
# What is being edited before what waits beside it.
LEFT = (
    "SELECT title, COALESCE(NULLIF(edits.text, ''), drafts.text) AS typed "
    "FROM sessions LEFT JOIN drafts ON drafts.session = sessions.id "
    "LEFT JOIN edits ON edits.session = sessions.id WHERE deleted IS NULL AND "
    "typed IS NOT NULL AND "
    "sessions.id = (SELECT id FROM sessions WHERE deleted IS NULL ORDER BY updated DESC, id DESC LIMIT 1)"
)

HOW_MANY = (
    "SELECT COUNT(*) FROM sessions WHERE deleted IS NULL AND "
    "(id IN (SELECT session FROM drafts WHERE text <> '') OR id IN (SELECT session FROM edits WHERE text <> ''))"
)


@readable("drafts")
def _draft(text: str, folds: str | None) -> KeptDraft:
    return KeptDraft(text, None if folds is None else tuple((at, size, token) for at, size, token in json.loads(folds)))


def _folds(folds: Sequence[Fold] | None) -> str | None:
    return None if folds is None else json.dumps(folds)
