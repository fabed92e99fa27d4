"""What of a conversation lies in a model's cache: the beginning that it read from there the last time.

A provider does not say what it keeps, only afterwards what was read. A conversation only grows, so what was read once
is read again while it is kept; before the first such report nothing is expected.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from .events import CHECKS, Attempt

KEPT = timedelta(minutes=5)
"""After its last use: Anthropic's documented time for a cached prefix, the least of OpenAI's (documentation, November
2026)."""
CONVERSATIONS = 200
"""How many are remembered, the last used ones."""


class Prefixes:
    def __init__(self) -> None:
        self._read: dict[str, dict[str, tuple[int, datetime]]] = {}

    def learn(self, attempt: Attempt) -> None:
        if attempt.from_cache or not attempt.session or attempt.cause in CHECKS or not attempt.usage.cached_input:
            return
        of_session = self._read.pop(attempt.session, {})
        ended = attempt.started + timedelta(seconds=attempt.latency_s)
        of_session[attempt.model] = attempt.usage.cached_input, ended
        self._read[attempt.session] = of_session
        if len(self._read) > CONVERSATIONS:
            del self._read[next(iter(self._read))]

    def of(self, session: str, now: datetime) -> dict[str, int]:
        """Input tokens that each model can be expected to read from its cache; models without any are left out."""
        return {model: tokens for model, (tokens, used) in self._read.get(session, {}).items() if now - used <= KEPT}
