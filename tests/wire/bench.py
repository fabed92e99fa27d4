"""A whole runtime in front of servers that do what they are told: what a fault comes to for the user."""

from __future__ import annotations

import asyncio
import itertools
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.clock import ManualClock
from tests.turns.grammar import check
from tui_orchestrator.routing.budget import BudgetState, Cap
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.routing.events import Attempt, AttemptFailed, Event
from tui_orchestrator.routing.money import Price, Rates
from tui_orchestrator.routing.ports import Timeouts
from tui_orchestrator.routing.request import Check, Message, Request
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import ModelSettings, ProviderSettings, Secret, Settings, StoreSettings
from tui_orchestrator.settings.values import ProviderKind

from .dialects import KEY
from .faults import PATIENT, SPOKEN, Fault, Spoken
from .server import Act, Step, WireServer, head

FORMATS: dict[str, str] = {
    "anthropic": "anthropic",
    "openai": "openai",
    "gemini": "gemini",
    "openai-compatible": "openai",
}
"""Each kind of provider and the wire format it speaks. OpenRouter and the local servers, Ollama among them, speak the
last, the local ones without a key."""
STEADY = "steady/model"
SILENT_NAME = "silent.invalid"
GUARD_S = 60.0
"""No turn takes so long unless it hangs."""


@dataclass(frozen=True)
class Told:
    """A turn as its reader and the ledger saw it."""

    events: list[Event]
    attempts: tuple[Attempt, ...]
    requests: int
    """That reached the faulty server."""
    slept: list[float]
    spent: BudgetState
    reservations: int


class Bench:
    def __init__(self) -> None:
        self._resources = AsyncExitStack()
        self._ids = itertools.count(1)
        self.servers: dict[str, WireServer] = {}

    async def open(self, directory: Path) -> None:
        enter = self._resources.enter_async_context
        self.elsewhere = await enter(WireServer(Act.CLOSE))
        self.steady = await enter(WireServer(head(), SPOKEN["openai"].whole))
        for kind in FORMATS:
            self.servers[kind] = await enter(WireServer())
        vouched_by_nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        vouched_by_nobody.load_cert_chain(Path(__file__).with_name("unvouched.pem"))
        unvouched = await enter(WireServer(head(), tls=vouched_by_nobody))
        async with WireServer() as nobody:
            port = nobody.port
        silent = await asyncio.start_server(_say_nothing, "127.0.0.1", 0)
        plain = await asyncio.start_server(_speak_plainly, "127.0.0.1", 0)
        self._resources.enter_context(_silent_names())
        self._resources.callback(silent.close)
        self._resources.callback(plain.close)
        self.addresses = {
            "nobody": f"http://127.0.0.1:{port}/v1",
            "no such name": "http://nowhere.invalid/v1",
            "silent names": f"http://{SILENT_NAME}/v1",
            "no TLS": f"https://127.0.0.1:{plain.sockets[0].getsockname()[1]}/v1",
            "unvouched TLS": f"{unvouched.url}/v1",
            "silent TLS": f"https://127.0.0.1:{silent.sockets[0].getsockname()[1]}/v1",
        }
        providers = {kind: _provider(kind, kind, server.url) for kind, server in self.servers.items()}  # type: ignore[arg-type]
        providers["steady"] = _provider("steady", "openai-compatible", self.steady.url)
        price = Price(Rates.from_usd("1", "4"))
        settings = Settings(
            providers=providers,
            models=tuple(
                ModelSettings(name, "model", price=price, context_window=100_000 if name == "steady" else 50_000)
                for name in providers
            ),
            policy=Policy(check=Check.OFF, confidence_threshold=0.05),
            discovery=False,
            store=StoreSettings(directory / "store.db"),
            timeouts=PATIENT,
        )
        self.clock = ManualClock()
        self.runtime = await self._resources.enter_async_context(
            await Runtime.open(settings, demo=False, clock=self.clock)
        )
        # Weighing every model of four providers would be most of what a turn takes.
        registry = self.runtime.router.registry
        ours = {model.id: model for model in registry if model.name == "model"}
        self.runtime.router.registry = replace(registry, models=ours)
        self.runtime.router.listeners.append(self._patient_from_now_on)

    async def aclose(self) -> None:
        await self._resources.aclose()

    def _patient_from_now_on(self, event: Event) -> None:
        # Only the faulty call is to run into its short deadline, however slow this machine is.
        if isinstance(event, AttemptFailed) and self._patience_returns:
            self._allow(PATIENT)

    def _allow(self, timeouts: Timeouts) -> None:
        self.runtime.router.caller.timeouts = timeouts

    async def turn(self, kind: str, fault: Fault, *, alone: bool) -> Told:
        """`alone`: pinned to the faulty model, which stays faulty; else there is another one behind it in the chain,
        and the fault befalls the first call only."""
        runtime, server, spoken = self.runtime, self.servers[kind], SPOKEN[FORMATS[kind]]
        script = self._scripted(fault, spoken)
        server.requests.clear()
        server.script = script if alone else (head(), spoken.whole)
        server.once = [] if alone else [script]
        self.steady.requests.clear()
        self.clock.slept.clear()
        self.clock.advance(61)  # so that no turn waits for the rate limits of those before it
        self._patience_returns = not alone
        self._allow(fault.timeouts)
        await runtime.router.caller.sharing.forget()
        at = self.addresses.get(fault.where)
        provider = _provider(kind, kind, at or server.url)  # type: ignore[arg-type]
        runtime.catalogue.providers[kind] = provider  # type: ignore[index]
        runtime.router.caller.providers(kind)._connect_s = fault.timeouts.connect  # type: ignore[attr-defined]
        model = f"{kind}/model"
        request = Request(
            (Message("user", "Say hello"),),
            id=f"r{next(self._ids)}",
            session="s",
            model=model if alone else None,
            chain=() if alone else (model, STEADY),
        )
        async with asyncio.timeout(GUARD_S), runtime.stream(request) as turn:
            events = [event async for event in turn]
        check(events)
        (spent,) = await runtime.router.caller.ledger.budgets([Cap("request", request.id, None)])
        return Told(
            events,
            await runtime.reports.attempts(request.id),
            len(server.requests),
            list(self.clock.slept),
            spent,
            await runtime.database.read(lambda c: int(c.execute("SELECT COUNT(*) FROM reserved").fetchone()[0])),
        )

    def _scripted(self, fault: Fault, spoken: Spoken) -> Sequence[Step]:
        here = self.elsewhere.url.encode()
        return [
            step.replace(b"http://elsewhere", here) if isinstance(step, bytes) else step
            for step in fault.script(spoken)
        ]


@contextmanager
def _silent_names() -> Iterator[None]:
    """Who looks the name up waits until the end."""
    over, found = threading.Event(), socket.getaddrinfo

    def look_up(host: Any, *rest: Any, **how: Any) -> Any:
        if SILENT_NAME in str(host):
            over.wait()
        return found(host, *rest, **how)

    with patch.object(socket, "getaddrinfo", look_up):
        yield
        over.set()


@cache
def _provider(name: str, kind: ProviderKind, url: str) -> ProviderSettings:
    """Under its own name, and with a key unless a local server is to go without."""
    key = None if kind == "openai-compatible" else Secret(KEY)
    return ProviderSettings(name, kind, url, key, "THE_KEY" if key else "")


async def _speak_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(head(400) + b"This is no place for TLS.")
    writer.close()


async def _say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()
