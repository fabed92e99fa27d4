"""Another machine: `python -m tests.shared.spender STORE URL NAME LIMIT refuse|share` spends until the cap says no."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.storage.samples import attempt, costing, day_cap, hold
from tui_orchestrator.routing.budget import Refusal, Reservation
from tui_orchestrator.settings.secrets import Secret
from tui_orchestrator.shared.faults import Away
from tui_orchestrator.shared.membership import WhenAway
from tui_orchestrator.shared.server import Timing

from .copies import Machine

PAUSE_S = 0.04
"""So that the cap is still far away when the server has been killed twice."""
QUICK = Timing(lease=3_000, quiet=1_500, silence=1_000, beat=100, beat_while_away=50)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def spend(machine: Machine, name: str, limit: int) -> None:
    """Calls of 10 that cost 7, three at a time, until the cap says no while the server is there."""

    async def caller(lane: int) -> None:
        number = 0
        while True:
            number += 1
            request_id = f"{name}-{lane}"
            held: Reservation | Refusal | None
            try:
                held = await machine.ledger.reserve(hold(10, day_cap(limit), request_id=request_id, number=number))
            except Away:
                held = None
            if machine.server.away is not None:
                say("alone")
            elif isinstance(held, Refusal):
                return
            if not isinstance(held, Reservation):
                await asyncio.sleep(PAUSE_S)
                continue
            await machine.ledger.book(attempt(request_id=request_id, number=number, cost=costing(7)), held)
            say("booked")
            await asyncio.sleep(PAUSE_S)

    await asyncio.gather(*(caller(lane) for lane in range(3)))


async def main(store: str, url: str, name: str, limit: str, when_away: str) -> None:
    do = WhenAway("share", 0.2) if when_away == "share" else WhenAway()
    caps = (day_cap(int(limit)),)
    async with Machine(Path(store), Secret(url), timing=QUICK, when_away=do, caps=caps) as machine:
        machine.member.begin_to_beat()
        say("ready")
        sys.stdin.readline()
        await spend(machine, name, int(limit))
        say("full")
        sys.stdin.readline()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
