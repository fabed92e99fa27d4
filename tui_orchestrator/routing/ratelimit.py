"""Requests and tokens per minute, and calls at once, per model and provider: waiting in line, and saying how long.

Each call is given its place at once, in the order it asked; it then waits until its place is due. Times are of the
monotonic clock. A minute is any sixty seconds, as the strictest provider counts it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .model import Model

MINUTE_S = 60.0


class Limit:
    """One minute's allowance of requests and tokens. None: unlimited."""

    def __init__(self, requests: int | None, tokens: int | None) -> None:
        self.requests = requests
        self.tokens = tokens
        self._places: deque[tuple[float, int]] = deque()  # (when due, tokens), ascending

    def earliest(self, tokens: int, now: float) -> float:
        """When a call of this size could start; `now` or later."""
        while self._places and self._places[0][0] <= now - MINUTE_S:
            self._places.popleft()
        due = max(now, self._places[-1][0]) if self._places else now
        if self.requests is not None and len(self._places) >= self.requests:
            due = max(due, self._places[-self.requests][0] + MINUTE_S)
        if self.tokens is not None:
            # A call larger than the whole allowance waits for an empty minute instead of for ever.
            allowed = max(0, self.tokens - tokens)
            used = 0
            for place, size in reversed(self._places):
                used += size
                if used > allowed:
                    due = max(due, place + MINUTE_S)
                    break
        return due

    def take(self, tokens: int, due: float) -> None:
        self._places.append((due, tokens))


class RateLimits:
    """All limits of this process. Lives on one event loop."""

    def __init__(self) -> None:
        self._limits: dict[str, Limit] = {}
        self._calls: dict[str, tuple[int, asyncio.Semaphore]] = {}
        self._providers: dict[str, tuple[int | None, int | None, int | None]] = {}

    def provider(self, name: str, requests: int | None, tokens: int | None, concurrent: int | None) -> None:
        """What a provider as a whole allows, over all its models."""
        self._providers[name] = (requests, tokens, concurrent)

    def wait_s(self, model: Model, tokens: int, now: float) -> float:
        """How long a call would wait now; takes no place."""
        return max(limit.earliest(tokens, now) for limit in self._limits_of(model)) - now

    def claim(self, model: Model, tokens: int, now: float) -> float:
        """Takes a place in line; the call may start after the seconds returned."""
        limits = self._limits_of(model)
        due = max(limit.earliest(tokens, now) for limit in limits)
        for limit in limits:
            limit.take(tokens, due)
        return due - now

    @asynccontextmanager
    async def one_of_many(self, model: Model) -> AsyncIterator[None]:
        """Holds a place among the calls that may run at once."""
        _, _, at_once = self._providers.get(model.provider, (None, None, None))
        async with self._gate(f"provider {model.provider}", at_once), self._gate(model.id, model.max_concurrent):
            yield

    def busy(self, model: Model) -> bool:
        """Whether a call would have to wait for another one to end."""
        _, _, at_once = self._providers.get(model.provider, (None, None, None))
        gates = ((f"provider {model.provider}", at_once), (model.id, model.max_concurrent))
        return any(limit is not None and self._semaphore(name, limit).locked() for name, limit in gates)

    @asynccontextmanager
    async def _gate(self, name: str, limit: int | None) -> AsyncIterator[None]:
        if limit is None:
            yield
            return
        async with self._semaphore(name, limit):
            yield

    def _semaphore(self, name: str, limit: int) -> asyncio.Semaphore:
        known = self._calls.get(name)
        if known is None or known[0] != limit:
            known = self._calls[name] = (limit, asyncio.Semaphore(limit))
        return known[1]

    def _limits_of(self, model: Model) -> tuple[Limit, Limit]:
        requests, tokens, _ = self._providers.get(model.provider, (None, None, None))
        return (
            self._limit(f"provider {model.provider}", requests, tokens),
            self._limit(model.id, model.requests_per_minute, model.tokens_per_minute),
        )

    def _limit(self, name: str, requests: int | None, tokens: int | None) -> Limit:
        known = self._limits.get(name)
        if known is None:
            known = self._limits[name] = Limit(requests, tokens)
        known.requests, known.tokens = requests, tokens
        return known
