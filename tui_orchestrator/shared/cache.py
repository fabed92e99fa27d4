"""Answers that one machine was given, for another that asks exactly the same."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace

from tui_orchestrator.routing.answer_key import Question
from tui_orchestrator.routing.ports import CachedAnswer
from tui_orchestrator.routing.text import clean
from tui_orchestrator.settings import CacheSettings
from tui_orchestrator.storage.cache import SqliteCache
from tui_orchestrator.storage.codec import decode, encode

from .faults import Away
from .server import Server

LARGEST = 1_000_000
"""Bytes of an answer that goes to the server."""


class SharedCache:
    """Implements `routing.ports.AnswerCache`: the own cache first, which alone tells nearly the same questions, then
    the server's. An answer is kept there for its time to live, by the digest of the question, never the question."""

    def __init__(self, own: SqliteCache, server: Server, settings: CacheSettings) -> None:
        self._own = own
        self._server = server
        self._settings = settings

    def use(self, settings: CacheSettings) -> None:
        """From now on."""
        self._own.use(settings)
        self._settings = settings

    async def get(self, question: Question) -> CachedAnswer | None:
        if (hit := await self._own.get(question)) is not None or not self._settings.of(question.model).exact:
            return hit
        try:
            found = await self._server.answer(question.key)
            return None if found is None else _answer(found)
        except Away:
            return None

    async def put(self, question: Question, answer: CachedAnswer) -> None:
        await self._own.put(question, answer)
        own = self._settings.of(question.model)
        kept = json.dumps(encode(replace(answer, prompt="", similarity=None)))
        if own.exact and own.ttl_s and len(kept) <= LARGEST:
            with contextlib.suppress(Away):
                await self._server.keep_answer(question.key, kept, own.ttl_s)


def _answer(stored: str) -> CachedAnswer | None:
    """None for what is no answer of this program. Another machine's text is cleaned like a provider's."""
    try:
        answer = decode(CachedAnswer, json.loads(stored))
        return replace(answer, text=clean(answer.text), thinking=clean(answer.thinking))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
