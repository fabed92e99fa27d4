"""Another copy of the program, which reserves and books on its own: `python -m tests.storage.spender STORE WHAT …`."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from tests.clock import ManualClock
from tui_orchestrator.routing.budget import Reservation
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger

from .samples import attempt, costing, day_cap, hold


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def spend(ledger: SqliteLedger, name: str, limit: int) -> None:
    """Calls of 10 that cost 7, until the cap says no; three at a time."""

    async def caller(lane: int) -> None:
        number = 0
        while True:
            number += 1
            request_id = f"{name}-{lane}"
            held = await ledger.reserve(hold(10, day_cap(limit), request_id=request_id, number=number))
            if not isinstance(held, Reservation):
                return
            (state,) = held.states
            if state.spent.picodollars + state.reserved.picodollars > limit:
                say(f"passed: {state}")
            await ledger.book(attempt(request_id=request_id, number=number, cost=costing(7)), held)
            say("booked")

    await asyncio.gather(*(caller(lane) for lane in range(3)))


async def hold_and_stay(ledger: SqliteLedger) -> None:
    held = await ledger.reserve(hold(60, day_cap(100), request_id="held"))
    say(type(held).__name__)
    await asyncio.Event().wait()


async def book_for_ever(ledger: SqliteLedger) -> None:
    number = 0
    while True:
        number += 1
        held = await ledger.reserve(hold(1, day_cap(None), request_id="endless", number=number))
        assert isinstance(held, Reservation)
        await ledger.book(attempt(request_id="endless", number=number, cost=costing(1)), held)
        say(str(number))


async def main(store: str, what: str, *rest: str) -> None:
    async with Database(Path(store), busy_timeout_s=30) as db:
        ledger = SqliteLedger(db, ManualClock())
        match what:
            case "spend":
                say("ready")
                sys.stdin.readline()
                await spend(ledger, rest[0], int(rest[1]))
            case "hold":
                await hold_and_stay(ledger)
            case "book":
                await book_for_ever(ledger)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    asyncio.run(main(*sys.argv[1:]))
