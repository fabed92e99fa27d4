"""What it costs to share a cap: reserving and booking in the own store alone, and with a Redis server on the loopback.

Needs a redis-server on the path. Prints one JSON object; milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tui_orchestrator.routing.budget import Cap, Hold, Reservation
from tui_orchestrator.routing.clock import SystemClock
from tui_orchestrator.routing.events import Attempt, Cause, Outcome
from tui_orchestrator.routing.money import Cost, CostState, Money, Usage
from tui_orchestrator.routing.ports import Ledger
from tui_orchestrator.settings.secrets import Secret
from tui_orchestrator.settings.values import SharedSettings
from tui_orchestrator.shared.store import SharedStore
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger

CALLS = 1_000
DAY = "2026-11-21"
SUMS = ("day", "month", "day provider:p", "month provider:p", "day model:p/m", "month model:p/m")
CAPS = tuple(Cap(scope, DAY if scope.startswith("day") else DAY[:7], Money(10**15)) for scope in SUMS)
ROW = Attempt(
    request_id="r", number=1, session="s", model="p/m", provider="p", strategy="balanced", task_type="code",
    cause=Cause.FIRST, started=datetime(2026, 11, 21, tzinfo=UTC), day=DAY, outcome=Outcome.FINISHED,
    usage=Usage(10, 10), cost=Cost(Money(7), CostState.COMPUTED), price=None, latency_s=1.0,
)  # fmt: skip


@contextmanager
def redis_server(directory: Path) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(directory)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                continue
        yield port
    finally:
        process.kill()
        process.wait()


async def timed(ledger: Ledger) -> dict[str, float]:
    reserving, booking = [], []
    for number in range(CALLS):
        hold = Hold("r", number, "p", "p/m", Money(10), CAPS)
        began = time.perf_counter()
        held = await ledger.reserve(hold)
        reserving.append(time.perf_counter() - began)
        assert isinstance(held, Reservation)
        began = time.perf_counter()
        await ledger.book(replace(ROW, number=number), held)
        booking.append(time.perf_counter() - began)
    return {**_percentiles("reserve", reserving), **_percentiles("book", booking)}


def _percentiles(what: str, seconds: list[float]) -> dict[str, float]:
    ordered = sorted(1000 * one for one in seconds)
    return {f"{what}_p{part}_ms": round(ordered[len(ordered) * part // 100], 3) for part in (50, 99)}


async def main() -> dict[str, dict[str, float]]:
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        async with Database(directory / "alone.db") as db:
            alone = await timed(SqliteLedger(db, clock))
        with redis_server(directory) as port:
            async with Database(directory / "shared.db") as db:
                store = SharedStore(SharedSettings(url=Secret(f"redis://127.0.0.1:{port}")), db, clock)
                await store.open()
                ledger = store.ledger(SqliteLedger(db, clock))
                await ledger.reserve(Hold("first", 1, "p", "p/m", Money(1), CAPS))  # waits until all have told
                shared = await timed(ledger)
                await store.aclose()
    return {"alone": alone, "shared": shared}


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"calls": CALLS, **asyncio.run(main())}) + "\n")
