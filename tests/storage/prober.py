"""Another copy of the program, whose calls meet a circuit: `python -m tests.storage.prober STORE`. Reads what to do."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tui_orchestrator.routing.clock import SystemClock
from tui_orchestrator.routing.errors import BeingTried, Server
from tui_orchestrator.routing.health import Circuits
from tui_orchestrator.routing.sharing import Sharing
from tui_orchestrator.storage.circuits import SqliteCircuits
from tui_orchestrator.storage.database import Database

MODEL, PROVIDER = "a/x", "a"


async def main(store: Path) -> None:
    clock = SystemClock()
    async with Database(store) as db:
        sharing = Sharing(Circuits(), clock, SqliteCircuits(db, clock, lambda provider: "the same"))
        while word := (await asyncio.to_thread(sys.stdin.readline)).strip():
            said = word
            match word:
                case "fail":
                    sharing.circuits.failed(MODEL, PROVIDER, Server(), clock.monotonic(), sharing.circuits.begin(MODEL))
                    await sharing.tell()
                case "succeed":
                    sharing.circuits.succeeded(MODEL, PROVIDER)
                    await sharing.tell()
                case "look":
                    await sharing.catch_up()
                    said = sharing.circuits.health(MODEL, PROVIDER, clock.monotonic()).state.value
                case "begin":
                    await sharing.catch_up()
                    try:
                        await sharing.begin(MODEL)
                        said = "begun"
                    except BeingTried:
                        said = "being tried"
            sys.stdout.write(said + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
