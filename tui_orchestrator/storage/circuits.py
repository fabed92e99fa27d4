"""Which models are failing, as the running copies of the program tell each other.

A row holds when it was told and how long its circuit was to stay open from then on, so that a clock that is set back
cannot keep it open: a row from the future counts as over.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from tui_orchestrator.routing.health import HealthState, SharedCircuit
from tui_orchestrator.routing.ports import Clock

from .checked import readable
from .database import Database
from .faults import StoreError
from .rows import instant

FORGOTTEN_AFTER_S = 3600.0
"""What failed so long ago, and was not tried since, says nothing any more."""
_SAME_S = 0.001
"""The time of day here and the clock that only goes forward in whoever waits agree about as well as this."""
_SET_BACK_S = 5.0
"""Two copies read one clock; what lies further ahead was told before it was set back."""

_COLUMNS = "name, provider, at, seconds, failures, opened, unreached, state, why, prober"


class SqliteCircuits:
    """Implements `routing.ports.SharedHealth`."""

    def __init__(self, db: Database, clock: Clock, whose: Callable[[str], str]) -> None:
        """`whose`: tells two servers, or two keys, of one provider's name apart; what one is told says nothing of the
        other."""
        self._db = db
        self._clock = clock
        self._whose = whose

    async def read(self) -> Sequence[SharedCircuit] | None:
        def look(connection: sqlite3.Connection) -> list[SharedCircuit]:
            rows = connection.execute(f"SELECT {_COLUMNS}, whose FROM circuits").fetchall()
            return [self._circuit(row) for row in rows if row[-1] == self._whose(row[1]) and not self._stale(row)]

        try:
            return await self._db.read(look)
        except StoreError:
            return None

    async def tell(self, circuits: Sequence[SharedCircuit]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            for circuit in circuits:
                self._put(connection, circuit)

        with contextlib.suppress(StoreError):
            await self._db.write(write)

    async def claim(self, circuit: SharedCircuit) -> bool:
        def take(connection: sqlite3.Connection) -> bool:
            row = self._row(connection, circuit)
            if row is None:
                return True  # another copy has found it well meanwhile
            now = self._circuit(row)
            if now.seconds > 0 or now.tried:
                return False
            self._db.presence.claim()
            connection.execute(
                "UPDATE circuits SET prober = ? WHERE name = ? AND whose = ?",
                (self._db.presence.id, circuit.name, self._whose(circuit.provider)),
            )
            return True

        try:
            return await self._db.write(take)
        except StoreError:
            return True

    async def forget(self) -> None:
        with contextlib.suppress(StoreError):
            await self._db.write(lambda connection: connection.execute("DELETE FROM circuits"))

    def _put(self, connection: sqlite3.Connection, circuit: SharedCircuit) -> None:
        row, whose = self._row(connection, circuit), self._whose(circuit.provider)
        key = (circuit.name, whose)
        connection.execute("DELETE FROM circuits WHERE name = ? AND whose = ?", key)
        if circuit.closed:
            return
        prober: str | None = None
        if row is not None:
            before = self._circuit(row)
            # A shorter cooldown never overwrites a longer one, whoever tells of it.
            if before.seconds > circuit.seconds:
                circuit = replace(circuit, seconds=before.seconds, state=before.state, why=before.why)
            circuit = replace(
                circuit,
                failures=max(circuit.failures, before.failures),
                opened=max(circuit.opened, before.opened),
            )
            if before.tried:
                prober = str(row[-1])
        if circuit.tried:
            prober = self._db.presence.id
        told = (
            *(circuit.name, circuit.provider, instant(self._clock.now()), circuit.seconds, circuit.failures),
            *(circuit.opened, circuit.unreached, circuit.state.value, circuit.why, prober),
        )
        connection.execute(f"INSERT INTO circuits ({_COLUMNS}, whose) VALUES ({'?, ' * 10}?)", (*told, whose))

    def _row(self, connection: sqlite3.Connection, circuit: SharedCircuit) -> tuple[object, ...] | None:
        row: tuple[object, ...] | None = connection.execute(
            f"SELECT {_COLUMNS} FROM circuits WHERE name = ? AND whose = ?",
            (circuit.name, self._whose(circuit.provider)),
        ).fetchone()
        return None if row is None or self._stale(row) else row

    @readable("circuits")
    def _age_s(self, row: Sequence[object]) -> float:
        return (self._clock.now() - datetime.fromisoformat(str(row[2]))).total_seconds()

    @readable("circuits")
    def _stale(self, row: Sequence[object]) -> bool:
        return self._age_s(row) > float(str(row[3])) + FORGOTTEN_AFTER_S

    @readable("circuits")
    def _circuit(self, row: Sequence[object]) -> SharedCircuit:
        name, provider, _, _, failures, opened, unreached, state, why, prober = row[:10]
        age, seconds = self._age_s(row), float(str(row[3]))
        left = seconds - age if age >= -_SET_BACK_S else 0.0
        presence = self._db.presence
        return SharedCircuit(
            str(name),
            str(provider),
            int(str(failures)),
            int(str(opened)),
            int(str(unreached)),
            left if left > _SAME_S else 0.0,
            HealthState(str(state)),
            str(why),
            tried=prober is not None and prober != presence.id and presence.alive(str(prober)),
        )
