"""Rate limits that all copies of the program keep to together."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tui_orchestrator.routing.ports import SharedPlace
from tui_orchestrator.routing.ratelimit import NamedLimit

from .faults import Away
from .server import Server


@dataclass(frozen=True, slots=True)
class _Ticket:
    id: str
    tokens: int
    limits: tuple[dict[str, object], ...]


class RedisLine:
    """Implements `routing.ports.SharedLine`."""

    def __init__(self, server: Server, whose: Callable[[str], str]) -> None:
        """`whose`: a digest that tells two servers, or two keys, of one provider's name apart: limits are a key's."""
        self._server = server
        self._whose = whose

    async def claim(self, provider: str, limits: Sequence[NamedLimit], tokens: int) -> SharedPlace | None:
        whose = self._whose(provider)
        asked = tuple(
            {
                "name": f"{limit.name} {whose}",
                **({} if limit.requests is None else {"requests": limit.requests}),
                **({} if limit.tokens is None else {"tokens": limit.tokens}),
            }
            for limit in limits
        )
        ticket = _Ticket(uuid.uuid4().hex, tokens, asked)
        try:
            reply = await self._server.ask("claim_place", id=ticket.id, tokens=tokens, limits=asked)
        except Away:
            return None
        return SharedPlace(reply["wait"] / 1000, ticket)

    async def give_back(self, place: SharedPlace) -> None:
        ticket = place.ticket
        assert isinstance(ticket, _Ticket)
        with contextlib.suppress(Away):
            await self._server.ask("give_back_place", id=ticket.id, tokens=ticket.tokens, limits=ticket.limits)
