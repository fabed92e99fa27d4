"""Conversations: sessions, their messages, what was thrown away on the way, and what was typed.

A prompt is stored before it is sent, and the answer as it grows, so that a killed program leaves both.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tui_orchestrator.routing.ports import Clock
from tui_orchestrator.routing.request import Message
from tui_orchestrator.routing.text import clean, clean_line

from . import branches, drafts, prompts, sessions
from .database import Database
from .drafts import Fold, KeptDraft
from .messages import Discarded, State, StoredMessage, Weight, append, discarded_of, messages_of
from .rows import instant
from .sessions import Session as Session
from .titles import LONGEST_TITLE, title_of


@dataclass(frozen=True, slots=True)
class Conversation:
    session: Session
    messages: tuple[StoredMessage, ...]
    """Of the branch that was turned to last."""
    discarded: tuple[Discarded, ...]
    """In the order of the attempts; `request_id` says which turn each belongs to."""
    aside: tuple[StoredMessage, ...] = ()
    """Of all other branches."""
    branches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """As `branches.siblings` gives them."""

    @property
    def every(self) -> tuple[StoredMessage, ...]:
        """Of all branches, by position."""
        return tuple(sorted((*self.messages, *self.aside), key=lambda message: message.position))


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
        persona: str | None = None,
        temporary: bool = False,
    ) -> Session:
        """A session that is not stored yet; `keep` stores it. Without a title, one is made from the first prompt."""
        now, title = self._clock.now(), clean_line(title, LONGEST_TITLE)
        session = Session(sessions.new_id(now), title, now, now, strategy, model, clean(system))
        return replace(session, tags=tags, persona=persona, temporary=temporary)

    async def keep(self, session: Session) -> None:
        """Stores a new session; one that is stored already stays as it is."""
        if session.temporary:
            raise ValueError("a temporary session is never stored")
        await self._db.write(lambda c: sessions.insert(c, session))

    async def recent(self, limit: int = 1000) -> tuple[Session, ...]:
        """The last used first."""
        return await self._db.read(lambda c: sessions.select(c, _RECENT, limit))

    async def latest(self) -> Session | None:
        return next(iter(await self.recent(1)), None)

    async def get(self, beginning: str) -> Conversation:
        """Whole; by id, or by the beginning of one that fits no other."""

        def load(connection: sqlite3.Connection) -> Conversation:
            session = sessions.find(connection, beginning)
            every = messages_of(connection, session.id)
            branch, aside = branches.split(every, branches.leaf_of(connection, session.id))
            thrown = discarded_of(connection, session.id)
            return Conversation(session, branch, thrown, aside, branches.siblings(every))

        return await self._db.read(load)

    async def rename(self, session: str, title: str) -> str:
        """Returns the title it has now: without one, that made from its first prompt."""
        given = clean_line(title, LONGEST_TITLE)

        def change(connection: sqlite3.Connection) -> str:
            first = "SELECT text FROM messages WHERE session = ? AND role = 'user' ORDER BY position LIMIT 1"
            asked = None if given else connection.execute(first, (session,)).fetchone()
            title = given or (title_of(asked[0]) if asked else "")
            sessions.need(connection.execute("UPDATE sessions SET title = ? WHERE id = ?", (title, session)), session)
            return title

        return await self._db.write(change)

    async def instruct(self, session: str, *, system: str, persona: str | None, own_way: bool | None = False) -> None:
        """Its system text, and the name of its persona; `own_way` as `choose`."""
        await self._set(session, "system = ?, persona = ?, own_way = ?", clean(system), persona, own_way)

    async def turn_to(self, session: str, request_id: str) -> None:
        """Makes the branch with that prompt the conversation: what `get` gives, and what the next prompt follows."""
        await self._db.write(lambda c: branches.turn_to(c, session, request_id))

    async def pin(self, session: str, pinned: bool) -> None:
        await self._set(session, "pinned = ?", int(pinned))

    async def choose(
        self, session: str, *, strategy: str | None, model: str | None, own_way: bool | None = False
    ) -> None:
        """What the user asks of the session's next turns; None: as configured, and no model pinned. `own_way`: it goes
        before what the persona says."""
        await self._set(session, "strategy = ?, model = ?, own_way = ?", strategy, model, own_way)

    async def tag(self, session: str, tags: Iterable[str], *, remove: Iterable[str] = ()) -> None:
        """Adds tags and takes some away; those it has, or has not, already are no trouble."""
        await self._db.write(lambda c: sessions.tag(c, session, tags, remove))

    async def prompt(
        self,
        session: str,
        message: Message,
        request_id: str,
        typed: str | None = None,
        instead: str | None = None,
        files: Sequence[str] = (),
    ) -> None:
        """Stores what is about to be sent. What was `typed` of it (None: all), without the files that go along, joins
        the history of prompts, and the draft it was is done with. A session that was deleted meanwhile, in another copy
        of the program perhaps, comes back. `instead` of the prompt of that request it begins a branch beside it; else
        it follows what was said last on the branch that was turned to."""
        text, now = clean(message.text), self._clock.now()
        written, at = text if typed is None else clean(typed), instant(now)

        def add(connection: sqlite3.Connection) -> None:
            sessions.none_ahead(connection, now)
            changed = (
                "UPDATE sessions SET updated = ?, deleted = NULL, title = CASE title WHEN '' THEN ? ELSE title END "
                "WHERE id = ?"
            )
            sessions.need(connection.execute(changed, (at, title_of(text), session)), session)
            drafts.sent(connection, session, written, instead)
            append(
                connection,
                session,
                message.role,
                text,
                request_id=request_id,
                created=at,
                images=message.images,
                instead=instead,
                files=files,
            )
            _remember(connection, written, at)

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
        continues: str | None = None,
        note: str = "",
        weight: Weight = "information",
    ) -> None:
        """One answer a request: a later call takes the place of an earlier one. Store it as 'interrupted' while it
        grows, and that is what a killed program leaves. What was discarded of the same attempt is so no longer."""
        at = instant(self._clock.now())

        def put(connection: sqlite3.Connection) -> None:
            changed = "UPDATE sessions SET updated = MAX(updated, ?) WHERE id = ?"
            sessions.need(connection.execute(changed, (at, session)), session)
            append(
                connection,
                session,
                "assistant",
                clean(text),
                thinking=clean(thinking),
                request_id=request_id,
                attempt=attempt,
                model=model,
                state=state,
                created=at,
                continues=continues,
                note=clean(note),
                weight=weight,
            )
            its = "session = ? AND request_id = ? AND attempt = ?"
            connection.execute(f"DELETE FROM discarded WHERE {its}", (session, request_id, attempt))

        await self._db.write(put)

    async def unsay(self, session: str, request_id: str, note: str) -> None:
        """Under that answer `note` is said no more; another one stays."""
        said = "session = ? AND request_id = ? AND role = 'assistant' AND note = ?"
        update = f"UPDATE messages SET note = '', weight = 'information' WHERE {said}"
        await self._db.write(lambda connection: connection.execute(update, (session, request_id, note)))

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

    async def draft(self, session: str) -> KeptDraft:
        """What was typed and not sent; '' is also the name of the session that does not exist yet."""
        return await self._db.read(lambda c: drafts.of(c, session))

    async def left_draft(self) -> tuple[str, str] | None:
        """Title of the session used last, and what was typed there and not sent, if anything."""

        def find(connection: sqlite3.Connection) -> tuple[str, str] | None:
            found: tuple[str, str] | None = connection.execute(drafts.LEFT).fetchone()
            return found

        return await self._db.read(find)

    async def drafts_left(self) -> int:
        """How many sessions have something that was typed there and not sent."""
        return int(await self._db.read(lambda c: c.execute(drafts.HOW_MANY).fetchone()[0]))

    async def save_draft(self, session: str, text: str, folds: Sequence[Fold] = ()) -> None:
        """Written in order with all else, even when the waiting task is cancelled."""
        at = instant(self._clock.now())
        await self._db.write(lambda c: drafts.keep(c, session, KeptDraft(text, tuple(folds)), at))

    async def edit(self, session: str) -> tuple[str, KeptDraft] | None:
        """The request whose prompt was being edited there, and what that has become; the draft waits beside it."""
        return await self._db.read(lambda c: drafts.edit_of(c, session))

    async def save_edit(self, session: str, instead: str, text: str, folds: Sequence[Fold] = ()) -> None:
        """As `save_draft`."""
        await self._db.write(lambda c: drafts.keep_edit(c, session, instead, KeptDraft(text, tuple(folds))))

    async def end_edit(self, session: str) -> None:
        await self._db.write(lambda c: c.execute("DELETE FROM edits WHERE session = ?", (session,)))

    async def find_prompts(self, typed: str, limit: int, stopped: Callable[[], bool]) -> tuple[prompts.Past, ...]:
        """Those of all that was ever sent that hold every word typed, the latest first; all for none. `stopped` is
        asked on another thread."""
        return await self._db.report(lambda c: prompts.find(c, typed, limit, stopped))

    async def past_prompt(self, id_: int) -> str:
        """The whole text of one that was found; empty where it was forgotten meanwhile."""
        return await self._db.read(lambda c: prompts.text(c, id_))

    async def prompts(self, limit: int = 1000) -> tuple[str, ...]:
        """All that was ever sent, from every session that is not deleted, the latest first."""
        return await self._db.read(lambda c: prompts.recent(c, limit))

    async def hidden_prompts(self) -> frozenset[str]:
        """Those that only deleted sessions hold."""
        return await self._db.report(prompts.hidden)

    async def _set(self, session: str, changes: str, *values: str | int | None) -> None:
        update = f"UPDATE sessions SET {changes} WHERE id = ?"
        await self._db.write(lambda c: sessions.need(c.execute(update, (*values, session)), session))


_RECENT = "WHERE deleted IS NULL ORDER BY updated DESC, id DESC LIMIT ?"


def _remember(connection: sqlite3.Connection, text: str, at: str) -> None:
    last = connection.execute("SELECT text FROM prompts ORDER BY id DESC LIMIT 1").fetchone()
    if text.strip() and last != (text,):
        connection.execute("INSERT INTO prompts (text, at) VALUES (?, ?)", (text, at))
