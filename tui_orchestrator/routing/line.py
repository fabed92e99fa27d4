"""Standing in line under a model's rate limits: in that of this copy, and in the one that all copies may share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack

from .cancelling import undisturbed
from .model import Model
from .ports import Clock, SharedLine, SharedPlace
from .ratelimit import RateLimits


class Line:
    def __init__(self, limits: RateLimits, clock: Clock, shared: SharedLine | None = None) -> None:
        """`shared` None: this copy keeps to the limits by itself."""
        self._limits = limits
        self._clock = clock
        self._shared = shared

    async def stand(self, model: Model, tokens: int, held: AsyncExitStack, sent: Callable[[], bool]) -> float:
        """Takes a place in each line; returns how many seconds until both are due. When `held` ends and the call was
        never sent, the places are given back."""
        began = self._clock.monotonic()
        own = self._limits.claim(model, tokens, began)
        held.callback(lambda: None if sent() else self._limits.give_back(own))
        due = own.due
        if (place := await self._elsewhere(model, tokens, held, sent)) is not None:
            elsewhere = self._clock.monotonic() + place.seconds
            self._limits.hear(model, elsewhere)
            due = max(due, elsewhere if place.seconds else began)
        return due - began

    async def _elsewhere(
        self, model: Model, tokens: int, held: AsyncExitStack, sent: Callable[[], bool]
    ) -> SharedPlace | None:
        shared, limits = self._shared, self._limits.named(model)
        if shared is None or not limits:
            return None
        place = await undisturbed(shared.claim(model.provider, limits, tokens))
        if place is not None:
            held.push_async_callback(_give_back, shared, place, sent)
        return place


async def _give_back(shared: SharedLine, place: SharedPlace, sent: Callable[[], bool]) -> None:
    if not sent():
        await undisturbed(shared.give_back(place))
