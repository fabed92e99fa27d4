"""How long a run of a batch has taken, and what its lines wait for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ..routing.events import AttemptStarted, Event, Waiting

if TYPE_CHECKING:
    from ..services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Held:
    """All lines wait: those under way for a rate limit, or those that are left for a model that is left alone."""

    why: str
    """'waits for the rate limit of openai/gpt-6-luna'."""
    until: datetime
    """When the first of them goes on, in the user's zone."""

    @property
    def told(self) -> str:
        return f"{self.why} until {self.until:%H:%M:%S}"


class Timing:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._clock = runtime.clock
        self._began = self._clock.monotonic()
        self._ended: float | None = None
        self._under_way: dict[str, str] = {}
        """By the line's id, the model of its last attempt."""
        self._waits: dict[str, Held] = {}

    @property
    def seconds(self) -> float:
        return (self._clock.monotonic() if self._ended is None else self._ended) - self._began

    @property
    def idle(self) -> bool:
        """No line is under way."""
        return not self._under_way

    @property
    def held(self) -> Held | None:
        now = self._clock.now()
        waits = [one for one in self._waits.values() if one.until > now]
        if not waits or len(waits) < len(self._under_way):
            return None
        return min(waits, key=lambda one: one.until)

    def limits_s(self, left: Mapping[str, float]) -> float:
        """Until the rate limits have let the last of so many lines start, by model; those under way are in line."""
        behind = max(0.0, 1 - len(self._under_way) / (sum(left.values()) or 1))
        registry = self._runtime.registry
        found = [(model, lines * behind) for id_, lines in left.items() if (model := registry.get(id_)) is not None]
        return self._runtime.router.caller.limits.further_s(found, self._clock.monotonic())

    @contextmanager
    def under_way(self, id_: str) -> Iterator[None]:
        self._under_way[id_] = ""
        try:
            yield
        finally:
            del self._under_way[id_]
            self._waits.pop(id_, None)

    def hear(self, id_: str, event: Event) -> None:
        if isinstance(event, AttemptStarted):
            self._under_way[id_] = event.model
        if isinstance(event, Waiting) and event.why == "rate limit":
            until = self._clock.local(event.at + timedelta(seconds=event.seconds))
            self._waits[id_] = Held(f"waits for the rate limit of {self._under_way[id_]}", until)
        else:
            self._waits.pop(id_, None)

    def end(self) -> None:
        self._ended = self._clock.monotonic()
