"""A conversation's messages as a tree: a prompt that was edited stands beside the one it was made from.

Each message knows the one before it. The session's `leaf` is the position of the last message of the branch that was
turned to; null: the message that came last.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .messages import StoredMessage


def split(
    every: Sequence[StoredMessage], leaf: int | None
) -> tuple[tuple[StoredMessage, ...], tuple[StoredMessage, ...]]:
    """The branch that ends with the message at `leaf`, in order, and all others. `every` by position."""
    if not every:
        return (), ()
    left = {message.position: message for message in every}
    at: StoredMessage | None = every[-1] if leaf is None else left.get(leaf, every[-1])
    branch: list[StoredMessage] = []
    while at is not None:
        branch.append(at)
        del left[at.position]
        # In a damaged store one may stand above itself.
        at = None if at.parent is None else left.get(at.parent)
    on_it = {message.position for message in branch}
    return tuple(reversed(branch)), tuple(message for message in every if message.position not in on_it)


def turns(every: Sequence[StoredMessage]) -> tuple[StoredMessage, ...]:
    """Of all branches, with each prompt's answers right behind it, as they are on a branch. `every` by position."""
    prompts: dict[int, int] = {}
    behind: dict[int, list[StoredMessage]] = {}
    for message in every:
        above = message.position if message.parent is None else prompts.get(message.parent, message.position)
        prompts[message.position] = prompt = message.position if message.role == "user" else above
        behind.setdefault(prompt, []).append(message)
    return tuple(message for it in behind.values() for message in it)


def others(messages: Sequence[StoredMessage], aside: Sequence[StoredMessage]) -> list[tuple[StoredMessage, ...]]:
    """Each other branch from its first own message to where it went on last, beside the one of `messages`. Both by
    position."""
    left = {message.position: message for message in aside}
    found = []
    while left:
        start = min(left)
        under = {start}
        for position, message in sorted(left.items()):
            if message.parent in under:
                under.add(position)
        branch, at = [], left.get(max(under))
        while at is not None:
            branch.append(left.pop(at.position))
            at = None if at.parent is None else left.get(at.parent)
        found.append(tuple(reversed(branch)))
    return found


def siblings(every: Sequence[StoredMessage]) -> dict[str, tuple[str, ...]]:
    """The requests of prompts that stand beside one another, oldest first, by each of them."""
    beside: dict[int | None, list[str]] = {}
    for message in every:
        if message.role == "user":
            beside.setdefault(message.parent, []).append(message.request_id)
    return {one: tuple(them) for them in beside.values() if len(them) > 1 for one in them}


_UNDER = """
WITH RECURSIVE under (id, position) AS (
    SELECT id, position FROM messages WHERE session = :session AND request_id = :request AND role = 'user'
    UNION SELECT messages.id, messages.position FROM messages JOIN under ON messages.parent = under.id
)
SELECT MAX(position) FROM under
"""


def turn_to(connection: sqlite3.Connection, session: str, request_id: str) -> None:
    """To the branch with that prompt, where it went on last. Raises LookupError with a sentence."""
    (leaf,) = connection.execute(_UNDER, {"session": session, "request": request_id}).fetchone()
    if leaf is None:
        raise LookupError("that branch is not there any more")
    put_leaf(connection, session, leaf)


def put_leaf(connection: sqlite3.Connection, session: str, position: int) -> None:
    connection.execute("UPDATE sessions SET leaf = ? WHERE id = ?", (position, session))


def leaf_of(connection: sqlite3.Connection, session: str) -> int | None:
    row = connection.execute("SELECT leaf FROM sessions WHERE id = ?", (session,)).fetchone()
    return None if row is None or row[0] is None else int(row[0])


_PATH = """
WITH RECURSIVE path (id, parent) AS (
    SELECT id, parent FROM messages WHERE session = :session AND position = :upto
    UNION SELECT messages.id, messages.parent FROM messages JOIN path ON messages.id = path.parent
)
SELECT position FROM messages WHERE id IN (SELECT id FROM path)
"""


def path_to(connection: sqlite3.Connection, session: str, upto: int) -> tuple[int, ...]:
    """Positions of the message at `upto` and of all before it on its branch."""
    return tuple(position for (position,) in connection.execute(_PATH, {"session": session, "upto": upto}))


def link(connection: sqlite3.Connection, copy: str, parents: Mapping[int, int | None]) -> None:
    """Each message of a copy to the one before it; `parents` by position."""
    ids = dict(connection.execute("SELECT position, id FROM messages WHERE session = ?", (copy,)).fetchall())
    connection.executemany(
        "UPDATE messages SET parent = ? WHERE id = ?",
        [(ids.get(parent), ids[position]) for position, parent in parents.items() if position in ids],
    )
