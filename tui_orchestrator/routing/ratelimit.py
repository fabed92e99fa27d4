"""Requests and tokens per minute, and calls at once, per model and provider: waiting in line, and saying how long.

Each call is given its place at once, in the order it asked; it then waits until its place is due. Times are of the
monotonic clock. A minute is any sixty seconds, as the strictest provider counts it.
"""

from __future__ import annotations

import asyncio
import math
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from .model import Model

MINUTE_S = 60.0


class Limit:
    """One minute's allowance of requests and tokens. None: unlimited."""

    def __init__(self, requests: int | None, tokens: int | None) -> None:
        self.requests = requests
        self.tokens = tokens
        self._places: list[tuple[float, int]] = []  # (when due, tokens), ascending

    def forget(self, now: float) -> None:
        """Drops the places that no call from now on can share a minute with."""
        del self._places[: bisect_left(self._places, (now - MINUTE_S, -1))]

    def earliest(self, tokens: int, at: float) -> float:
        """When a call of this size could start; `at` or later. Calls of one size start in the order they ask in; a
        place that another limit puts off leaves room before it."""
        if self.requests is None and self.tokens is None:
            return at
        # What does not fit then fits at the earliest when some place has left the minute before it.
        possible = (at, *(place + MINUTE_S for place, _ in self._places if place + MINUTE_S > at))
        return next(due for due in possible if self._fits(tokens, due))

    def _fits(self, tokens: int, due: float) -> bool:
        """Whether no minute that holds `due` would hold too much: the fullest begin with a place, or with this one."""
        begins = [*(place for place, _ in self._places if place <= due < place + MINUTE_S), due]
        nobody_later = not self._places or self._places[-1][0] <= due
        return all(self._has_room(tokens, start) for start in (begins[:1] if nobody_later else begins))

    def _has_room(self, tokens: int, start: float) -> bool:
        inside = [size for place, size in self._places if start <= place < start + MINUTE_S]
        if self.requests is not None and len(inside) >= self.requests:
            return False
        # A call larger than the whole allowance waits for an empty minute instead of for ever.
        return self.tokens is None or sum(inside) <= max(0, self.tokens - tokens)

    def further_s(self, calls: float, now: float) -> float:
        """Until the last of those in line starts, and so many calls behind them, of the size of those of the last
        minute; 0 where nothing was asked lately."""
        self.forget(now)
        if not self._places or calls <= 0:
            return max(0.0, self._places[-1][0] - now) if self._places else 0.0
        each = max(1, round(sum(size for _, size in self._places) / len(self._places)))
        due = self.earliest(each, now)
        inside = [place for place, _ in self._places if due - MINUTE_S < place <= due]
        behind = calls - max(1, a_minute(each, self.requests, self.tokens) - len(inside))
        if behind <= 0:
            return max(due, self._places[-1][0]) - now
        # The minute is full then, and the next begins when its first place has left it.
        full_until = min(inside, default=due) + MINUTE_S
        return full_until - now + minutes(behind, each, self.requests, self.tokens) * MINUTE_S

    def take(self, tokens: int, due: float) -> None:
        if self.requests is not None or self.tokens is not None:
            insort(self._places, (due, tokens))

    def give_back(self, tokens: int, due: float) -> None:
        """What `take` took. One that is over already is not there any more."""
        with suppress(ValueError):
            self._places.remove((due, tokens))


@dataclass(frozen=True, slots=True)
class Place:
    """In line, under all limits of one call."""

    due: float
    tokens: int
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class NamedLimit:
    """What a minute allows of a model, or of a provider as a whole. None: unlimited."""

    name: str
    """The model's id, or 'provider NAME'."""
    requests: int | None
    tokens: int | None

    @property
    def told(self) -> str:
        said = []
        if self.requests is not None:
            said.append(f"{self.requests:,} requests")
        if self.tokens is not None:
            said.append(f"{self.tokens:,} tokens")
        return f"{' and '.join(said)} a minute"


_UNLIMITED = (None, None)
_NOTHING = (None, None, None)


class RateLimits:
    """All limits of this process. Lives on one event loop."""

    def __init__(self) -> None:
        self._limits: dict[str, Limit] = {}
        self._calls: dict[str, tuple[int, asyncio.Semaphore]] = {}
        self._providers: dict[str, tuple[int | None, int | None, int | None]] = {}
        self._elsewhere: dict[str, float] = {}
        """Model id → when its last call was due in the line that all copies of the program stand in."""

    def provider(self, name: str, requests: int | None, tokens: int | None, concurrent: int | None) -> None:
        """What a provider as a whole allows, over all its models."""
        self._providers[name] = (requests, tokens, concurrent)

    def limited(self, model: Model) -> bool:
        """Whether it, or its provider as a whole, has a limit per minute at all."""
        if model.requests_per_minute is not None or model.tokens_per_minute is not None:
            return True
        of_provider = self._providers.get(model.provider)
        return of_provider is not None and of_provider[:2] != _UNLIMITED

    def wait_s(self, model: Model, tokens: int, now: float) -> float:
        """How long a call would wait now; takes no place."""
        due = _due(self._limits_of(model), tokens, now)
        return max(due, self._elsewhere.get(model.id, now)) - now

    def named(self, model: Model) -> tuple[NamedLimit, ...]:
        """Those a call falls under, for the copies of the program to keep together."""
        requests, tokens, _ = self._providers.get(model.provider, _NOTHING)
        both = (
            NamedLimit(f"provider {model.provider}", requests, tokens),
            NamedLimit(model.id, model.requests_per_minute, model.tokens_per_minute),
        )
        return tuple(one for one in both if (one.requests, one.tokens) != _UNLIMITED)

    def least_s(self, asked: Iterable[tuple[Model, int, int]]) -> tuple[float, NamedLimit | None]:
        """Until the last of so many calls, with so many tokens in all, may start, where no other is on its way; and the
        limit that it is for."""
        calls: Counter[NamedLimit] = Counter()
        tokens: Counter[NamedLimit] = Counter()
        for model, number, size in asked:
            for limit in self.named(model):
                calls[limit] += number
                tokens[limit] += size
        waits = {
            limit: minutes(number, tokens[limit] / number, limit.requests, limit.tokens) * MINUTE_S
            for limit, number in calls.items()
        }
        slowest = max(waits, key=waits.__getitem__, default=None)
        return (waits[slowest], slowest) if slowest is not None and waits[slowest] else (0.0, None)

    def further_s(self, asked: Iterable[tuple[Model, float]], now: float) -> float:
        """The same for those in line and calls behind them, like those of the last minute."""
        calls: dict[Limit, float] = {}
        for model, number in asked:
            for limit in self._limits_of(model):
                calls[limit] = calls.get(limit, 0.0) + number
        return max((limit.further_s(number, now) for limit, number in calls.items()), default=0.0)

    def hear(self, model: Model, due: float) -> None:
        """When the latest call of all copies of the program may start: nobody who asks later starts before."""
        self._elsewhere[model.id] = due

    def claim(self, model: Model, tokens: int, now: float) -> Place:
        """Takes a place in line; the call may start when it is due."""
        limits = self._limits_of(model)
        due = _due(limits, tokens, now)
        for limit in limits:
            limit.take(tokens, due)
        return Place(due, tokens, limits)

    @staticmethod
    def give_back(place: Place) -> None:
        """For a call that was never sent. Those who wait already keep the places they were given."""
        for limit in place.limits:
            limit.give_back(place.tokens, place.due)

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


def minutes(calls: float, each: float, requests: int | None, tokens: int | None) -> int:
    """Whole minutes that pass before the last of the calls starts, `each` of so many tokens."""
    return int((math.ceil(calls) - 1) // a_minute(each, requests, tokens)) if calls > 0 else 0


def a_minute(each: float, requests: int | None, tokens: int | None) -> float:
    """How many calls of so many tokens each start in a minute; infinite where nothing limits them."""
    of_tokens = math.inf if tokens is None else max(1.0, tokens // max(1.0, each))
    return min(of_tokens, math.inf if requests is None else requests)


def _due(limits: tuple[Limit, ...], tokens: int, now: float) -> float:
    """The earliest that suits all limits: what one puts off may no longer suit another."""
    for limit in limits:
        limit.forget(now)
    due = now
    while (later := max(limit.earliest(tokens, due) for limit in limits)) > due:
        due = later
    return due
