"""What was learned of how many tokens each model counts: a few small rows a model, so that a start reads no ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from tui_orchestrator.routing.estimates import TokenEstimates
from tui_orchestrator.routing.events import Completed, Event, Failed

from .database import Database


class KeptEstimates:
    """`load` raises StoreError. Two copies of the program that learn at once keep what the later one knew."""

    def __init__(self, db: Database, estimates: TokenEstimates) -> None:
        self._db = db
        self._estimates = estimates

    async def load(self) -> None:
        def read(connection: sqlite3.Connection) -> list[tuple[str, str, float, float]]:
            return connection.execute("SELECT model, kind, value, seen FROM token_factors").fetchall()

        self._estimates.remember(await self._db.read(read))

    def hear(self, event: Event) -> None:
        """After each turn what it taught is kept; nobody waits for it, and a failure stays unheard."""
        if isinstance(event, Completed | Failed) and (changed := list(self._estimates.changed())):
            self._db.post(lambda connection: _keep(connection, changed))


def _keep(connection: sqlite3.Connection, changed: Iterable[tuple[str, str, float, float]]) -> None:
    connection.executemany(
        "INSERT INTO token_factors VALUES (?, ?, ?, ?) "
        "ON CONFLICT (model, kind) DO UPDATE SET value = excluded.value, seen = excluded.seen",
        changed,
    )
