"""All conversations together: listed, found, copied, deleted and brought back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby
from typing import Any

from tui_orchestrator.routing.events import Attempt
from tui_orchestrator.routing.money import ZERO, Cost, CostState, Money
from tui_orchestrator.routing.ports import Clock
from tui_orchestrator.routing.request import Role

from . import duplicates, sessions
from .checked import readable
from .conversations import Conversation
from .database import Database
from .rows import SELECT_ATTEMPTS, attempt_of, instant
from .search import Place, Query, places
from .sessions import Session

RESTORABLE = timedelta(days=1)
"""How long a deleted conversation can be brought back."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A session with what a list says of it."""

    session: Session
    models: tuple[str, ...] = ()
    """Whose answers it has, the most first."""
    cost: Money = ZERO
    """Of its attempts whose cost is known; a copy has cost nothing yet."""
    estimated: bool = False
    """Whether part of `cost` is."""
    unknown: int = 0
    """Attempts whose cost is not known."""
    elsewhere: Cost | None = None
    """What its answers cost where it was imported from; the ledger and the budgets here know nothing of it."""


@dataclass(frozen=True, slots=True)
class Found:
    listed: Listed
    marks: tuple[tuple[int, int], ...] = ()
    """Where in its title the words stand, where it holds them all."""
    place: Place | None = None
    """Where in its messages; None where the title alone holds them."""


class Archive:
    """All methods raise StoreError; those that name a session raise LookupError with a sentence when there is none."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def page(
        self, limit: int = 200, offset: int = 0, tags: Collection[str] = (), *, deleted: bool = False
    ) -> tuple[Listed, ...]:
        """Those pinned first, then the last used; with all the tags. `deleted`: those that can be brought back, the
        last deleted first."""
        clause, values = _tagged(tags)
        where, order = ("NOT NULL", "deleted DESC") if deleted else ("NULL", "pinned DESC, updated DESC, id DESC")

        def read(connection: sqlite3.Connection) -> tuple[Listed, ...]:
            sql = f"WHERE deleted IS {where}{clause} ORDER BY {order} LIMIT ? OFFSET ?"
            return _listed(connection, sessions.select(connection, sql, *values, limit, offset))

        return await self._db.read(read)

    async def listed(self, session: str) -> Listed:
        """By its id or the beginning of one."""
        return await self._db.read(lambda c: _listed(c, (sessions.find(c, session),))[0])

    async def ending(self, session: str, messages: int = 4, characters: int = 600) -> tuple[tuple[Role, str], ...]:
        """How its last messages begin, in order."""
        query = (
            "SELECT role, substr(text, 1, ?) FROM messages WHERE session = ? AND text <> '' "
            "ORDER BY position DESC LIMIT ?"
        )
        rows = await self._db.read(lambda c: c.execute(query, (characters, session, messages)).fetchall())
        return tuple(reversed(rows))

    async def count(self, tags: Collection[str] = ()) -> int:
        """Of those with all the tags."""
        clause, values = _tagged(tags)
        query = f"SELECT COUNT(*) FROM sessions WHERE deleted IS NULL{clause}"
        return await self._db.read(lambda c: int(c.execute(query, values).fetchone()[0]))

    async def tags(self) -> Mapping[str, int]:
        """Every tag with how many sessions have it, the most used first."""
        query = (
            "SELECT tag, COUNT(*) FROM session_tags JOIN sessions ON id = session WHERE deleted IS NULL "
            "GROUP BY tag ORDER BY COUNT(*) DESC, tag"
        )
        return await self._db.read(lambda c: dict(c.execute(query).fetchall()))

    async def find(
        self, typed: str, limit: int = 100, stopped: Callable[[], bool] = lambda: False
    ) -> tuple[Found, ...]:
        """Sessions whose title, or one of whose messages, holds every word; titles first, then the latest message.

        `stopped` is asked on another thread, now and then: what was found until then is returned.
        """
        query = Query.of(typed)
        if not query.words:
            return tuple(Found(listed) for listed in await self.page(limit, tags=query.tags))
        return await self._db.report(lambda c: _find(c, query, limit, stopped))

    async def fork(self, session: str, upto: int | None = None) -> Session:
        """A copy that goes on by itself: whole, or up to and with the message at that position. Its attempts, and what
        they cost, stay the original's."""
        now = self._clock.now()

        def copy(connection: sqlite3.Connection) -> Session:
            sessions.none_ahead(connection, now)
            original = sessions.find(connection, session)
            title = original.title if original.title.endswith(_FORK) else f"{original.title}{_FORK}"
            new = replace(original, title=title, origin=original.id, created=now, updated=now, pinned=False)
            new = duplicates.insert_under_a_free_id(connection, new, now)
            duplicates.fill(connection, original.id, new.id, upto)
            return sessions.find(connection, new.id)

        return await self._db.write(copy)

    async def delete(self, session: str) -> None:
        """Hides it; `restore` brings it back for a day. What it cost stays in the ledger."""
        at = instant(self._clock.now())
        update = "UPDATE sessions SET deleted = ? WHERE id = ? AND deleted IS NULL"
        await self._db.write(lambda c: sessions.need(c.execute(update, (at, session)), session))

    async def restore(self, beginning: str) -> Session:
        """Of a deleted session's id."""

        def bring_back(connection: sqlite3.Connection) -> Session:
            session = sessions.find(connection, beginning, deleted=True)
            connection.execute("UPDATE sessions SET deleted = NULL WHERE id = ?", (session.id,))
            return session

        return await self._db.write(bring_back)

    async def deleted(self, beginning: str) -> Session:
        """By the beginning of its id, among those that can be brought back."""
        return await self._db.read(lambda c: sessions.find(c, beginning, deleted=True))

    async def purge(self, session: str) -> None:
        """For good, with all that was said in it, wherever it is kept: pictures, the search's index, the history of
        prompts, cached answers, drafts. What it cost stays in the ledger."""
        await self._db.write(lambda c: _purge(c, (session,)))

    async def purge_old(self) -> int:
        """What was deleted longer than a day ago; how many that were. The day of what was deleted in the future, before
        the clock was set back, begins now."""
        now = self._clock.now()
        at, before = instant(now), instant(now - RESTORABLE)
        ahead = "SELECT 1 FROM sessions WHERE deleted > ?"
        if await self._db.read(lambda c: c.execute(ahead, (at,)).fetchone()):
            again = "UPDATE sessions SET deleted = ? WHERE deleted > ?"
            await self._db.write(lambda c: c.execute(again, (at, at)))
        query = "SELECT id FROM sessions WHERE deleted < ?"
        old = await self._db.read(lambda c: tuple(id_ for (id_,) in c.execute(query, (before,))))
        if old:
            # Asked again where it is done: one of them may have been brought back meanwhile.
            await self._db.write(lambda c: _purge(c, [id_ for (id_,) in c.execute(query, (before,))]))
        return len(old)

    async def attempts(self, session: str) -> Mapping[str, tuple[Attempt, ...]]:
        """The ledger's rows of its answers, by request; of a copy too, whose answers were paid for by the original."""
        query = (
            f"{SELECT_ATTEMPTS} WHERE request_id IN (SELECT request_id FROM messages WHERE session = ?) "
            "ORDER BY request_id, number"
        )

        def read(connection: sqlite3.Connection) -> dict[str, tuple[Attempt, ...]]:
            every = [attempt_of(row) for row in connection.execute(query, (session,))]
            return {request_id: tuple(made) for request_id, made in groupby(every, lambda one: one.request_id)}

        return await self._db.report(read)

    async def attempts_elsewhere(self, session: str) -> Mapping[str, list[dict[str, Any]]]:
        """Of an imported session: what its file said of each request's attempts."""
        query = "SELECT request_id, attempts FROM imported_attempts WHERE session = ?"
        return await self._db.read(
            lambda c: {request_id: _elsewhere(attempts) for request_id, attempts in c.execute(query, (session,))}
        )

    async def take_in(
        self, conversation: Conversation, digest: str, attempts: Mapping[str, Sequence[Mapping[str, Any]]]
    ) -> tuple[Session, bool]:
        """Stores a conversation from a file, unless it is there already: False then, with the session that is there.

        It is there when the same file came in before, or when a session of this id begins with the same messages. An id
        that another conversation has is not taken from it. A deleted one comes in anew.
        """
        now = self._clock.now()

        def put(connection: sqlite3.Connection) -> tuple[Session, bool]:
            if known := duplicates.known(connection, conversation, digest):
                return known, False
            session = conversation.session
            gone = sessions.select(connection, "WHERE id = ? AND deleted IS NOT NULL", session.id)
            _purge(connection, [one.id for one in gone])
            if not sessions.insert(connection, session, digest):
                session = duplicates.insert_under_a_free_id(connection, session, now, digest)
            duplicates.put(connection, session.id, conversation)
            connection.executemany(
                "INSERT INTO imported_attempts VALUES (?, ?, ?)",
                [(session.id, request_id, json.dumps(made)) for request_id, made in attempts.items() if made],
            )
            return sessions.find(connection, session.id), True

        return await self._db.write(put)


_FORK = " (fork)"


@readable("imported_attempts")
def _elsewhere(stored: str) -> list[dict[str, Any]]:
    return [dict(one) for one in json.loads(stored)]


def cost_elsewhere(made: Mapping[str, Any]) -> Cost:
    """Of an attempt as an export tells it."""
    if (amount := made.get("cost_usd")) is None:
        return Cost(None, CostState.UNKNOWN)
    about = made.get("cost_state") == CostState.ESTIMATED
    return Cost(Money.from_usd(str(amount)), CostState.ESTIMATED if about else CostState.COMPUTED)


def _tagged(tags: Collection[str]) -> tuple[str, tuple[str, ...]]:
    return " AND id IN (SELECT session FROM session_tags WHERE tag = ?)" * len(tags), tuple(sorted(tags))


def _listed(connection: sqlite3.Connection, found: Sequence[Session]) -> tuple[Listed, ...]:
    listed = []
    for session in found:
        models = connection.execute(
            "SELECT model FROM messages WHERE session = ? AND role = 'assistant' AND model IS NOT NULL "
            "GROUP BY model ORDER BY COUNT(*) DESC, model",
            (session.id,),
        ).fetchall()
        cost, estimated, unknown = connection.execute(
            "SELECT COALESCE(SUM(cost), 0), COALESCE(MAX(cost_state = 'estimated' AND cost > 0), 0), "
            "COALESCE(SUM(CASE cost_state WHEN 'unknown' THEN attempts END), 0) FROM session_sums WHERE session = ?",
            (session.id,),
        ).fetchone()
        paid = [
            cost_elsewhere(made)
            for (attempts,) in connection.execute(
                "SELECT attempts FROM imported_attempts WHERE session = ? AND NOT EXISTS "
                "(SELECT 1 FROM attempts AS own WHERE own.request_id = imported_attempts.request_id)",
                (session.id,),
            )
            for made in _elsewhere(attempts)
        ]
        names, elsewhere = tuple(model for (model,) in models), Cost.sum(paid) if paid else None
        listed.append(Listed(session, names, Money(cost), bool(estimated), unknown, elsewhere))
    return tuple(listed)


def _find(connection: sqlite3.Connection, query: Query, limit: int, stopped: Callable[[], bool]) -> tuple[Found, ...]:
    clause, values = _tagged(query.tags)
    rows = connection.execute(
        f"SELECT id, title FROM sessions WHERE deleted IS NULL{clause} ORDER BY pinned DESC, updated DESC, id DESC",
        values,
    ).fetchall()
    there = {id_ for id_, _ in rows}
    titled = [id_ for id_, title in rows if query.fits(title)][:limit]
    said = places(connection, query, limit, there.__contains__, stopped)
    order = list(dict.fromkeys([*titled, *said]))[:limit]
    found = []
    for id_ in order:
        (listed,) = _listed(connection, sessions.select(connection, "WHERE id = ?", id_))
        marks = query.marks(listed.session.title) if query.fits(listed.session.title) else ()
        found.append(Found(listed, marks, said.get(id_)))
    return tuple(found)


def _purge(connection: sqlite3.Connection, gone: Sequence[str]) -> None:
    """What is deleted is also written over in the file, which SQLite leaves out otherwise."""
    if not gone:
        return
    connection.execute("PRAGMA secure_delete = ON")
    for session in gone:
        said = {"session": session}
        # The history holds what was typed, which is not always what was sent; both have the same instant. What a copy
        # of this session, or its original, still holds stays in it.
        connection.execute(
            "DELETE FROM prompts WHERE at IN "
            "(SELECT created FROM messages WHERE session = :session AND role = 'user') AND at NOT IN "
            "(SELECT messages.created FROM messages JOIN sessions ON sessions.id = messages.session "
            "WHERE role = 'user' AND "
            "(sessions.origin = :session OR sessions.id = (SELECT origin FROM sessions WHERE id = :session)))",
            said,
        )
        connection.execute(
            "DELETE FROM answers WHERE text IN "
            "(SELECT text FROM messages WHERE session = :session AND role = 'assistant')",
            said,
        )
        # Without their links, down which SQLite would go message by message, and no further than a thousand.
        connection.execute("UPDATE messages SET parent = NULL WHERE session = :session", said)
        connection.execute("DELETE FROM drafts WHERE session = :session", said)
        sessions.need(connection.execute("DELETE FROM sessions WHERE id = :session", said), session)
    connection.execute("PRAGMA secure_delete = OFF")
