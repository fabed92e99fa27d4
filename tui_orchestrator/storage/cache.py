"""Exact answers, kept for a while under the digest of what was asked (`routing.answer_key`)."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta

from tui_orchestrator.routing.events import FinishReason
from tui_orchestrator.routing.money import Usage
from tui_orchestrator.routing.ports import CachedAnswer, Clock

from .codec import decode, encode
from .database import Database
from .rows import instant, money, picodollars


class SqliteCache:
    """Implements `routing.ports.AnswerCache`. All methods raise StoreError."""

    def __init__(self, db: Database, ttl_s: float, clock: Clock) -> None:
        self._db = db
        self._ttl = timedelta(seconds=ttl_s)
        self._clock = clock

    async def get(self, key: str) -> CachedAnswer | None:
        fresh = self._oldest_fresh()

        def find(connection: sqlite3.Connection) -> CachedAnswer | None:
            found = connection.execute(
                "SELECT model, text, thinking, usage, cost, finish_reason, stored FROM answers "
                "WHERE key = ? AND stored > ?",
                (key, fresh),
            ).fetchone()
            return _answer(*found) if found else None

        answer = await self._db.read(find)
        if answer:
            self._db.post(
                lambda connection: connection.execute("UPDATE answers SET hits = hits + 1 WHERE key = ?", (key,))
            )
        return answer

    async def put(self, key: str, answer: CachedAnswer) -> None:
        """Takes the place of an earlier answer, and clears out all that are past their time."""
        row = (
            key,
            answer.model,
            answer.text,
            answer.thinking,
            json.dumps(encode(answer.usage)),
            picodollars(answer.cost),
            answer.finish_reason,
            instant(answer.stored),
        )
        fresh = self._oldest_fresh()

        def keep(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM answers WHERE stored <= ?", (fresh,))
            connection.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)", row)

        await self._db.write(keep)

    async def hits(self) -> int:
        """How often an answer that is still kept was given again."""
        return await self._db.read(lambda c: int(c.execute("SELECT COALESCE(SUM(hits), 0) FROM answers").fetchone()[0]))

    def _oldest_fresh(self) -> str:
        return instant(self._clock.now() - self._ttl)


def _answer(
    model: str, text: str, thinking: str, usage: str, cost: int | None, finish_reason: str, stored: str
) -> CachedAnswer:
    return CachedAnswer(
        model,
        text,
        thinking,
        decode(Usage, json.loads(usage)),
        money(cost),
        FinishReason(finish_reason),
        datetime.fromisoformat(stored),
    )
