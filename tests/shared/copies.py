"""Machines of their own, each with its own store, that share a Redis server."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Self

from tests.clock import ManualClock
from tui_orchestrator.routing.budget import Cap
from tui_orchestrator.settings.secrets import Secret
from tui_orchestrator.shared.book import Book
from tui_orchestrator.shared.faults import unreachable
from tui_orchestrator.shared.ledger import SharedLedger
from tui_orchestrator.shared.membership import Membership, WhenAway
from tui_orchestrator.shared.server import Server, Timing
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger

AT_ONCE = Timing(quiet=0)
"""A server that was started anew lets everyone in at once: a test says itself when the others have told."""


REFUSE = WhenAway()


class Machine:
    def __init__(
        self,
        path: Path | None,
        url: Secret,
        clock: ManualClock | None = None,
        *,
        timing: Timing = AT_ONCE,
        when_away: WhenAway = REFUSE,
        caps: tuple[Cap, ...] = (),
    ) -> None:
        self.clock = clock or ManualClock()
        self.db = Database(path)
        self.own = SqliteLedger(self.db, self.clock)
        self.server = Server(url, "team", timing)
        self.caps = caps
        self.member = Membership(self.server, Book(self.db, "here"), self.clock, when_away, self._caps)
        self.ledger = SharedLedger(self.own, self.member)

    def _caps(self, day: date) -> tuple[Cap, ...]:
        return self.caps

    async def open(self) -> Self:
        await self.db.open()
        await self.own.recover()
        await self.member.join()
        return self

    async def leave(self) -> None:
        """In order."""
        await self.member.leave()
        await self.db.aclose()

    async def die(self) -> None:
        """Without a word to the server."""
        await self.server.aclose()
        await self.db.aclose()

    def cut_off(self) -> None:
        """From the server, until it tells again."""
        self.server.away = unreachable(self.server.where, "the cable is out")

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.leave()
