"""Which models are failing, as the copies of the program on all machines tell each other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tui_orchestrator.routing.health import HealthState, SharedCircuit
from tui_orchestrator.routing.text import clean_line

from .faults import Away
from .server import Server


class RedisCircuits:
    """Implements `routing.ports.SharedHealth`. Times are of the server's clock."""

    def __init__(self, server: Server, copy: str, whose: Callable[[str], str]) -> None:
        """`whose`: a digest that tells two servers, or two keys, of one provider's name apart."""
        self._server = server
        self._copy = copy
        self._whose = whose

    async def read(self) -> Sequence[SharedCircuit] | None:
        try:
            reply = await self._ask()
        except Away:
            return None
        found = (_circuit(one) for one in reply["circuits"] or ())
        return [one for one in found if one is not None and self._is_ours(one, reply)]

    async def tell(self, circuits: Sequence[SharedCircuit]) -> None:
        with contextlib.suppress(Away):
            await self._ask(tell=[self._told(circuit) for circuit in circuits])

    async def claim(self, circuit: SharedCircuit) -> bool:
        try:
            return bool((await self._ask(claim=self._field(circuit)))["claimed"])
        except Away:
            return True

    async def forget(self) -> None:
        with contextlib.suppress(Away):
            await self._ask(forget=True)

    async def _ask(self, *, tell: Sequence[Mapping[str, object]] = (), **more: object) -> dict[str, Any]:
        return await self._server.ask("circuits", copy=self._copy, tell=tell, **more)

    def _field(self, circuit: SharedCircuit) -> str:
        return f"{circuit.name} {self._whose(circuit.provider)}"

    def _is_ours(self, circuit: SharedCircuit, reply: Mapping[str, Any]) -> bool:
        return any(one["field"] == self._field(circuit) for one in reply["circuits"])

    def _told(self, circuit: SharedCircuit) -> dict[str, object]:
        kept = {
            "name": circuit.name,
            "provider": circuit.provider,
            "failures": circuit.failures,
            "opened": circuit.opened,
            "unreached": circuit.unreached,
            "ms": int(circuit.seconds * 1000),
            "state": circuit.state.value,
            "why": circuit.why,
        }
        return {"field": self._field(circuit), "closed": circuit.closed, "tried": circuit.tried, "circuit": kept}


def _circuit(one: Mapping[str, Any]) -> SharedCircuit | None:
    """None for what another version of the program keeps in another form."""
    try:
        return SharedCircuit(
            clean_line(str(one["name"]), 300),
            clean_line(str(one["provider"]), 100),
            int(one["failures"]),
            int(one["opened"]),
            int(one["unreached"]),
            float(one["ms"]) / 1000,
            HealthState(one["state"]),
            clean_line(str(one["why"]), 200),
            tried=bool(one["tried"]),
        )
    except (KeyError, TypeError, ValueError):
        return None
