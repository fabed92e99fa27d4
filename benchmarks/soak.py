"""What a program that runs for days is left with: turns in one process, with random faults, cancels and strategies.

Several conversations at once, over real sockets to the demo's servers, with a clock that makes every turn last a
while, so that days end and circuits close again. Most answers are a few words long: what a turn leaves behind does not
depend on how long it spoke, and a long one costs as much as thirty of them. Prints one JSON object: `memory_mb` after
each twentieth of it and `growth`, the last quarter's mean beside the second's (1.05: 5 % more); `left` (tasks, sockets
and threads that were not there before, reservations) and `unhandled` (with the way there) should be empty, and
`unbooked` 0. SIGTERM ends it after the turns that are under way, and it tells of those there were.

    python benchmarks/soak.py [--turns 20000] [--seed 1]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

from tui_orchestrator import demo
from tui_orchestrator.demo import LISTING, Behaviour, Break, Phase, Reply, Say, Script
from tui_orchestrator.demo.roster import ROSTER
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.clock import SystemClock
from tui_orchestrator.routing.events import AttemptStarted, Completed, Failed
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.ports import Timeouts
from tui_orchestrator.routing.request import Check, Method, Strategy
from tui_orchestrator.services.chat import Chat, Options
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import Settings, StoreSettings

LANES = 10
SAMPLES = 200
"""Of memory, over the whole run."""
TURN_LASTS_S = 10.0
"""By the program's clock, beside what it takes."""
SOUND = 0.6
"""The share of calls that are answered as they should be."""
AT_LENGTH = 0.02
"""Of those, by the demo's own answers."""
ANSWERS = (
    "Good morning in French is *bonjour*.",
    "Probably, though I am not sure: it might depend on the size.",
    "```python\ndef merge(a, b):\n    return sorted(a + b)\n```",
    "| | SQLite | PostgreSQL |\n|---|---|---|\n| server | none | one |",
)
TIMEOUTS = Timeouts(connect=2.0, first_token=0.3, between_tokens=0.3, total=5.0, turn=20.0)
MODELS = [one.model.id for provider in ROSTER for one in provider.models]
PROMPTS = (
    "hello",
    "Write a Python function that merges two sorted lists",
    "Prove that there are infinitely many primes",
    "Translate to French: good morning",
    "Compare SQLite and PostgreSQL in a table",
    "Sum up: " + "a few words of a long text " * 200,
)
FAULTS: tuple[Behaviour, ...] = (
    *(Reply(status) for status in (400, 401, 402, 403, 404, 408, 413, 500, 503, 529)),
    Reply(429, headers={"retry-after": "1"}),
    Reply(429, headers={"retry-after": "600"}),
    Reply(200, body=b"<html>hello</html>", content_type="text/html"),
    Reply(500, body=b"\x1b]0;x\x07" * 10_000, content_type="text/plain"),
    Say(text=""),
    Say(text="I'm sorry, but I can't help with that."),
    Say(text="It is", finish="length"),
    Say(text="word " * 200),
    Say(thinking="Let me see.", reports_usage=False),
    *(
        Break(how, at, Say("Perhaps it is so, but one cannot be sure of that."))
        for how in ("reset", "close", "end", "silence", "half_line", "bad_json", "bad_utf8", "error_event")
        for at in Phase
        if at is not Phase.CONNECT
    ),
)


class Chance(Script):
    """Any fault at any call."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._rng = random.Random(seed)

    def take(self, model: str) -> Behaviour | None:
        if model == LISTING:
            return None
        if self._rng.random() < SOUND:
            return None if self._rng.random() < AT_LENGTH else Say(self._rng.choice(ANSWERS))
        return self._rng.choice(FAULTS)

    def take_connection(self) -> Break | None:
        if self._rng.random() < 0.97:
            return None
        return Break(self._rng.choice(("reset", "close")), Phase.CONNECT)


class Hastened(SystemClock):
    """Nobody waits for it, and every turn is longer than it was."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._ahead)

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self._ahead += seconds


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def sockets() -> int:
    found = 0
    for one in Path("/proc/self/fd").iterdir():
        try:
            found += os.readlink(one).startswith("socket:")
        except OSError:
            continue
    return found


class Soak:
    def __init__(self, turns: int, seed: int) -> None:
        self._turns = turns
        self._sampled = max(1, turns // SAMPLES)
        self._rng = random.Random(seed)
        self._begun = 0
        self._ended = 0
        self.clock = Hastened()
        self.memory: list[float] = []
        self.ends: Counter[str] = Counter()
        self.started = 0
        """Attempts."""
        self.unhandled: Counter[str] = Counter()

    @property
    def turns(self) -> int:
        """That have ended."""
        return self._ended

    def enough(self) -> None:
        self._turns = 0

    def heard(self, error: BaseException | None, where: str) -> None:
        ways = traceback.extract_tb(error.__traceback__)[-6:] if error is not None else []
        way = " < ".join(f"{step.name} {Path(step.filename).name}:{step.lineno}" for step in reversed(ways))
        self.unhandled[f"{where}: {type(error).__name__}: {error}, in {way}"[:600]] += 1

    def hear(self, event: object) -> None:
        self.started += isinstance(event, AttemptStarted)

    async def run(self, runtime: Runtime, servers: demo.Servers) -> None:
        runtime.subscribe(self.hear)
        await asyncio.gather(*(self._lane(runtime, servers) for _ in range(LANES)))

    async def _lane(self, runtime: Runtime, servers: demo.Servers) -> None:
        chat = Chat.new(runtime)
        while self._begun < self._turns:
            self._begun += 1
            if self._rng.random() < 0.2:
                chat = Chat.new(runtime, temporary=self._rng.random() < 0.2)
            try:
                await self._turn(chat)
            except Exception as error:  # noqa: BLE001  # counted and told
                self.heard(error, "turn")
            self._ended += 1
            self.clock.advance(TURN_LASTS_S)
            if self._ended % self._sampled == 0:
                self.memory.append(resident_mb())
            for server in servers.servers.values():
                server.exchanges.clear()

    async def _turn(self, chat: Chat) -> None:
        rng = self._rng
        options = Options(
            strategy=rng.choice(list(Strategy)),
            model=rng.choice(MODELS) if rng.random() < 0.1 else None,
            chain=tuple(rng.sample(MODELS, rng.randint(1, 4))) if rng.random() < 0.2 else (),
            verdict=rng.choice(list(Method)) if rng.random() < 0.5 else None,
            check=rng.choice([None, *Check]),
            self_consistency=rng.choice([0, 0, 0, 2]),
            max_cost=Money.from_usd("0.002") if rng.random() < 0.1 else None,
            max_tokens=700,
        )
        last = chat.last
        if last is not None and rng.random() < 0.1:
            sent = chat.send_again(chat.again(options))
        elif last is not None and last.cut_off is not None and rng.random() < 0.3:
            sent = chat.send_on(chat.going_on(options))
        else:
            sent = chat.send(chat.request(rng.choice(PROMPTS), (), options))
        leave_after = rng.choice([0, 1, 3, 8, 20]) if rng.random() < 0.2 else None
        walk_out = rng.random() < 0.3
        async with sent as turn:
            events = 0
            if leave_after == 0:
                turn.cancel()
            async for event in turn:
                events += 1
                if events == leave_after:
                    if walk_out:
                        break
                    turn.cancel()
                if isinstance(event, Completed):
                    self.ends["completed"] += 1
                elif isinstance(event, Failed):
                    self.ends[event.error.kind.value] += 1
            else:
                return
        self.ends["left by its reader"] += 1


def booked(connection: sqlite3.Connection) -> dict[str, int]:
    one = {
        "attempts": "SELECT COUNT(*) FROM attempts",
        "reservations": "SELECT COUNT(*) FROM reserved",
        "spent": "SELECT COALESCE(SUM(picodollars), 0) FROM spend WHERE scope = 'day'",
        "cost": "SELECT COALESCE(SUM(cost), 0) FROM attempts",
    }
    return {name: int(connection.execute(query).fetchone()[0]) for name, query in one.items()}


async def soaked(soak: Soak, store: Path, seed: int) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, said: soak.heard(said.get("exception"), str(said.get("message"))))
    loop.add_signal_handler(signal.SIGTERM, soak.enough)
    sys.unraisablehook = lambda said: soak.heard(said.exc_value, f"unraisable in {said.object!r}")
    threading.excepthook = lambda said: soak.heard(said.exc_value, "thread")
    before = len(asyncio.all_tasks()), sockets(), threading.active_count()
    budgets = Budgets(session=Money.from_usd("0.05"), daily=Money.from_usd(1000))
    base = replace(Settings(), budgets=budgets, timeouts=TIMEOUTS, store=StoreSettings(store), discovery=False)
    async with (
        demo.serve(pace=0, script=Chance(seed), habits=False) as servers,
        await Runtime.open(demo.settings(servers, base), demo=False, clock=soak.clock) as runtime,
    ):
        runtime.start_background()
        await soak.run(runtime, servers)
        rows = await runtime.database.read(booked)
    # Threads that work for the loop stay until it ends.
    await loop.shutdown_default_executor()
    gc.collect()
    await asyncio.sleep(0.5)  # closed sockets leave the loop at its next turns
    after = len(asyncio.all_tasks()), sockets(), threading.active_count()
    kinds = ("tasks", "sockets", "threads")
    left = {kind: now - then for kind, now, then in zip(kinds, after, before, strict=True) if now > then}
    if rows["reservations"]:
        left["reservations"] = rows["reservations"]
    return {
        "left": left,
        "attempts": rows["attempts"],
        "unbooked": soak.started - rows["attempts"],
        "sums_are_their_rows": rows["spent"] == rows["cost"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    soak = Soak(options.turns, options.seed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        os.environ["TUI_ORCHESTRATOR_HOME"] = directory
        told = asyncio.run(soaked(soak, Path(directory) / "store.db", options.seed))
    quarter = len(soak.memory) // 4
    second, last = fmean(soak.memory[quarter : 2 * quarter]), fmean(soak.memory[-quarter:])
    print(
        json.dumps(
            {
                "turns": soak.turns,
                "seconds": round(time.monotonic() - began),
                "processor_s": round(time.process_time()),
                "growth": round(last / second, 3),
                "memory_mb": [round(each) for each in soak.memory[:: max(1, len(soak.memory) // 20)]],
                **told,
                "ends": dict(soak.ends.most_common()),
                "unhandled": dict(soak.unhandled.most_common(20)),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
