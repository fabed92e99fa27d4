"""Answers kept for a while, to be given again to exactly the same question, or to nearly the same one."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tui_orchestrator.routing.alike import why_not_alike
from tui_orchestrator.routing.answer_key import Question
from tui_orchestrator.routing.events import FinishReason
from tui_orchestrator.routing.money import ZERO, Money, Usage
from tui_orchestrator.routing.ports import CachedAnswer, Clock
from tui_orchestrator.settings import CacheSettings

from .checked import readable
from .codec import decode, encode
from .database import Database
from .faults import StoreError
from .rows import instant, money, picodollars
from .vectors import Embedder, Vectors

if TYPE_CHECKING:
    from .vectors import Vector

LONGEST = 4_000
"""Characters of a prompt that another may nearly repeat: a longer one's vector hardly moves with a word."""
CLOSEST = 32
"""How many of the likest prompts are looked at; the next ones would have to be refused for the same reasons."""
_ANSWER = "model, text, thinking, usage, cost, finish_reason, stored, mean_logprob"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one model's answers, and what came of it."""

    model: str
    answers: int = 0
    bytes: int = 0
    oldest: datetime | None = None
    """None where none is kept."""
    hits: int = 0
    """Ever, those of answers that are gone too."""
    nearly: int = 0
    """Of the hits, those to a prompt in other words."""
    saved: Money = ZERO
    """What the hits would have cost; an estimate where `nearly` is not 0."""


class SqliteCache:
    """Implements `routing.ports.AnswerCache`. `get` and `put` never raise, since an answer can be had without them."""

    def __init__(self, db: Database, settings: CacheSettings, clock: Clock, embedder: Embedder | None = None) -> None:
        """`embedder` None: exactly the same questions only."""
        self._db = db
        self._settings = settings
        self._clock = clock
        self._embedder = embedder
        self._vectors = Vectors(embedder.name) if embedder else None

    def use(self, settings: CacheSettings) -> None:
        """From now on. Nearly the same questions are told only where there has been an embedder from the start."""
        self._settings = settings

    async def get(self, question: Question) -> CachedAnswer | None:
        if not self._settings.of(question.model).exact:
            return None
        try:
            return await self._exact(question) or await self._nearly(question)
        except StoreError:
            return None

    async def put(self, question: Question, answer: CachedAnswer) -> None:
        """Takes the place of an earlier answer, and clears out what is past its time or was used longest ago."""
        size = sum(len(text.encode("utf-8", "surrogatepass")) for text in (answer.text, answer.thinking))
        if not self._settings.of(question.model).exact or size > self._most_bytes:
            return
        vector = await self._vector(question)
        stored = instant(answer.stored)
        row = (
            question.key, answer.model, answer.text, answer.thinking, json.dumps(encode(answer.usage)),
            picodollars(answer.cost), answer.finish_reason, stored, answer.mean_logprob, stored,
            size if vector is None else size + len(question.prompt.encode()) + vector.nbytes,
        )  # fmt: skip

        def keep(connection: sqlite3.Connection) -> None:
            connection.execute(
                f"INSERT OR REPLACE INTO answers (key, {_ANSWER}, used, bytes) VALUES ({', '.join('?' * len(row))})",
                row,
            )
            if vector is not None and self._vectors is not None:
                self._vectors.keep(connection, question, vector)
            self._make_room(connection)

        try:
            await self._db.write(keep)
        except StoreError:
            return

    # Finding

    async def _exact(self, question: Question) -> CachedAnswer | None:
        fresh = self._fresh(question.model)

        def find(connection: sqlite3.Connection) -> CachedAnswer | None:
            found = connection.execute(
                f"SELECT {_ANSWER} FROM answers WHERE key = ? AND stored > ? AND stored < ?", (question.key, *fresh)
            ).fetchone()
            return _answer(*found) if found else None

        answer = await self._db.read(find)
        if answer is not None:
            self._used(question.key)
        return answer

    async def _nearly(self, question: Question) -> CachedAnswer | None:
        """The answer to the likest earlier prompt that asks the same thing."""
        vector, vectors = await self._vector(question), self._vectors
        if vector is None or vectors is None:
            return None
        fresh = self._fresh(question.model)

        def find(connection: sqlite3.Connection) -> tuple[str, CachedAnswer] | None:
            likest = vectors.likest(connection, question.context, vector, self._settings.semantic_similarity, CLOSEST)
            for row, key, similarity in likest:
                found = connection.execute(
                    f"SELECT prompt, {_ANSWER} FROM vectors JOIN answers USING (key) "
                    "WHERE key = ? AND stored > ? AND stored < ?",
                    (key, *fresh),
                ).fetchone()
                if found is None:
                    vectors.drop(row)
                elif why_not_alike(found[0], question.prompt) is None:
                    return key, replace(_answer(*found[1:]), prompt=found[0], similarity=similarity)
            return None

        hit = await self._db.read(find)
        if hit is None:
            return None
        self._used(hit[0])
        return hit[1]

    async def _vector(self, question: Question) -> Vector | None:
        """None where only exactly the same question will do."""
        prompt, wanted = question.prompt, question.nearly and self._settings.of(question.model).semantic
        if self._embedder is None or not wanted or not prompt.strip() or len(prompt) > LONGEST:
            return None
        return await asyncio.to_thread(self._embedder.embed, prompt)

    def _used(self, key: str) -> None:
        now = instant(self._clock.now())
        self._db.post(
            lambda connection: connection.execute(
                "UPDATE answers SET hits = hits + 1, used = MAX(used, ?) WHERE key = ?", (now, key)
            )
        )

    # Bounds

    @property
    def _most_bytes(self) -> int:
        return self._settings.max_mb * 1_000_000

    def _fresh(self, model: str) -> tuple[str, str]:
        """Between these an answer of the model was stored that still counts. The later is in the future: what was
        stored there was so before the clock was set back, nobody knows how long ago, and shall not last until then."""
        ttl = self._settings.of(model).ttl_s
        assert ttl is not None
        now, lasts = self._clock.now(), timedelta(seconds=ttl)
        return instant(now - lasts), instant(now + lasts)

    def _make_room(self, connection: sqlite3.Connection) -> None:
        own = sorted(self._settings.models)
        others = f"model NOT IN ({', '.join('?' * len(own))})"
        old = "DELETE FROM answers WHERE (stored <= ? OR stored >= ?) AND"
        connection.execute(f"{old} {others}", (*self._fresh(""), *own))
        connection.executemany(f"{old} model = ?", [(*self._fresh(model), model) for model in own])
        count, size = connection.execute("SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM answers").fetchone()
        if count <= self._settings.max_answers and size <= self._most_bytes:
            return
        connection.execute(
            "DELETE FROM answers WHERE rowid IN (SELECT rowid FROM (SELECT rowid, ROW_NUMBER() OVER newest AS place, "
            "SUM(bytes) OVER newest AS total FROM answers WINDOW newest AS (ORDER BY used DESC, rowid DESC "
            "ROWS UNBOUNDED PRECEDING)) WHERE place > ? OR total > ?)",
            (self._settings.max_answers, self._most_bytes),
        )


class Contents:
    """What the cache holds, for people. All methods raise StoreError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def by_model(self) -> tuple[Kept, ...]:
        """Models that have answers or have had hits, those that saved most first."""

        def look(connection: sqlite3.Connection) -> tuple[Kept, ...]:
            rows = connection.execute("SELECT model, COUNT(*), SUM(bytes), MIN(stored) FROM answers GROUP BY model")
            with readable("answers"):
                kept = {
                    model: Kept(model, count, size, datetime.fromisoformat(oldest))
                    for model, count, size, oldest in rows
                }
            for model, hits, nearly, saved in connection.execute(
                "SELECT model, COUNT(*), SUM(json_extract(recalled, '$.similarity') IS NOT NULL), "
                "COALESCE(SUM(saved), 0) FROM attempts INDEXED BY attempts_recalled WHERE from_cache GROUP BY model"
            ):
                kept[model] = replace(kept.get(model, Kept(model)), hits=hits, nearly=nearly, saved=Money(saved))
            return tuple(sorted(kept.values(), key=lambda one: (-one.saved.picodollars, -one.answers, one.model)))

        return await self._db.report(look)

    async def clear(self, model: str | None = None, before: datetime | None = None) -> int:
        """Forgets the answers of this model, or of all, that were given before then, or ever. Returns how many. What
        they saved stays in the ledger."""
        wanted = "(? IS NULL OR model = ?) AND (? IS NULL OR stored < ?)"
        then = None if before is None else instant(before)
        return await self._db.write(
            lambda c: c.execute(f"DELETE FROM answers WHERE {wanted}", (model, model, then, then)).rowcount
        )


@readable("answers")
def _answer(
    model: str,
    text: str,
    thinking: str,
    usage: str,
    cost: int | None,
    finish_reason: str,
    stored: str,
    mean_logprob: float | None,
) -> CachedAnswer:
    return CachedAnswer(
        model,
        text,
        thinking,
        decode(Usage, json.loads(usage)),
        money(cost),
        FinishReason(finish_reason),
        datetime.fromisoformat(stored),
        mean_logprob,
    )
