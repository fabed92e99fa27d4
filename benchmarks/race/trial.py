"""One trial: copies of the program race for the same caps, some are killed, and the store is held against the server.

Made from a seed, but what happens hangs on the machine too: no two runs are the same."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from tui_orchestrator.routing.clock import SystemClock
from tui_orchestrator.routing.money import Price, Rates, Usage
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger

from .server import CountingServer
from .worker import Trial

BENCHMARKS = Path(__file__).parents[1]
USD = 10**12
PROVIDERS = ("alder", "birch", "cedar")


@dataclass
class Outcome:
    """What a trial came to; amounts in picodollars."""

    calls: int = 0
    """Rows: one for each call, however it ended."""
    finished: int = 0
    refused_turns: int = 0
    killed: int = 0
    orphans: int = 0
    """Calls of killed copies that were booked by others."""
    seconds: float = 0.0
    overshoot: int = 0
    """The most by which any cap was ever seen passed."""
    fullest: float = 0.0
    """The largest share of a cap that was spent: how hard the caps were pressed."""
    reservations_left: int = 0
    rows_finished: int = 0
    """Cost of the finished calls, by the rows and as the server counted them."""
    served_finished: int = 0
    unserved: int = 0
    """Finished calls the server never gave."""
    unbooked: int = 0
    """Calls the server gave whole that no row tells of."""
    sums_off: int = 0
    """Running totals that are not the sum of their rows."""

    def __add__(self, other: Outcome) -> Outcome:
        most = ("overshoot", "fullest")
        return Outcome(
            **{
                f.name: (max if f.name in most else lambda a, b: a + b)(getattr(self, f.name), getattr(other, f.name))
                for f in fields(self)
            }
        )

    @property
    def holds(self) -> bool:
        lost = self.reservations_left or self.unserved or self.unbooked or self.sums_off
        return self.overshoot == 0 and not lost and self.rows_finished == self.served_finished


def drawn(seed: int, directory: Path, port: int, copies: int, at_once: int, turns: int) -> Trial:
    """Random prices, and caps of random kinds that hold some of the turns back."""
    dice = random.Random(seed)
    prices = {
        f"{dice.choice(PROVIDERS)}/m{n}": (dice.randint(1, 9) * 10**5, dice.randint(1, 40) * 10**5) for n in range(6)
    }
    prices["here/free"] = (0, 0)
    # What the turns would cost on average, were there no cap: about 200 tokens out at the middle price.
    whole = copies * turns * 2 * 200 * sorted(out for _, out in prices.values())[3]

    def cap(low: float, high: float, of: int = whole, share: float = 0.6) -> int | None:
        return int(of * dice.uniform(low, high)) if dice.random() < share else None

    return Trial(
        seed,
        str(directory / "store.db"),
        port,
        turns,
        at_once,
        prices,
        {
            "per_request": cap(1, 5, whole // (copies * turns), 0.4),
            "session": cap(0.05, 0.2),
            "daily": cap(0.2, 0.9),
            "monthly": cap(0.3, 1.0),
            "providers": {name: (cap(0.05, 0.5), cap(0.05, 0.5)) for name in PROVIDERS},
            "models": {model: (cap(0.02, 0.2), cap(0.02, 0.2)) for model in list(prices)[:3]},
        },
        dice.choice(
            [
                ["fewer_tokens", "cheapest"],
                ["cheapest", "fewer_tokens"],
                ["fewer_tokens", "local", "cheapest"],
                ["refuse"],
            ]
        ),
    )


@dataclass
class Race:
    trial: Trial
    file: Path
    copies: int
    kills: int
    passed: list[int] = field(default_factory=list)
    killed: int = 0
    started: int = 0

    async def run(self) -> None:
        await asyncio.gather(*(self._lane(lane) for lane in range(self.copies)))

    async def _lane(self, lane: int) -> None:
        """A copy to its end; one that is killed is followed by another."""
        dice = random.Random(f"{self.trial.seed} lane {lane}")
        kills = sum(1 for kill in range(self.kills) if kill % self.copies == lane)
        for killed_after in [*(dice.randint(1, max(1, self.trial.turns // 2)) for _ in range(kills)), None]:
            self.started += 1
            await self._copy(str(self.started), killed_after)

    async def _copy(self, name: str, killed_after: int | None) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "race.worker",
            str(self.file),
            name,
            cwd=BENCHMARKS,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        await process.stdout.readline()
        turns = 0
        async for line in process.stdout:
            self.passed.append(int(line))
            turns += 1
            if turns == killed_after:
                process.kill()
                self.killed += 1
                break
        code = await process.wait()
        if killed_after is None and code != 0:
            raise RuntimeError(f"copy {name} of the race ended with {code}")


async def run(
    seed: int, directory: Path, *, copies: int = 8, at_once: int = 50, turns: int = 100, kills: int = 6
) -> Outcome:
    """`turns` of each copy; a copy that takes the place of a killed one begins anew."""
    began = time.monotonic()
    async with CountingServer(seed) as server:
        trial = drawn(seed, directory, server.port, copies, at_once, turns)
        file = directory / "trial.json"
        file.write_text(json.dumps(asdict(trial)))
        async with Database(directory / "store.db", busy_timeout_s=120):
            pass
        race = Race(trial, file, copies, kills)
        await race.run()
        outcome = await _held_against(trial, server, directory / "store.db")
    outcome.killed = race.killed
    outcome.overshoot = max(outcome.overshoot, *race.passed, 0)
    outcome.seconds = time.monotonic() - began
    return outcome


async def _held_against(trial: Trial, server: CountingServer, store: Path) -> Outcome:
    async with Database(store, busy_timeout_s=120) as database:
        # What a running copy does every half minute by itself.
        await SqliteLedger(database, SystemClock()).recover()
        return await database.report(lambda connection: _compared(trial, server, connection))


def _compared(trial: Trial, server: CountingServer, connection: sqlite3.Connection) -> Outcome:
    def all_of(query: str) -> list[Any]:
        return connection.execute(query).fetchall()

    prices = {model: Price(Rates(*rates)) for model, rates in trial.prices.items()}
    told = all_of(
        "SELECT request_id, model, input_tokens, output_tokens, cost FROM attempts WHERE outcome = 'finished'"
    )
    rows = Counter((request, model, read, written) for request, model, read, written, _ in told)
    booked = Counter(
        {(r, m): n for r, m, n in all_of("SELECT request_id, model, COUNT(*) FROM attempts GROUP BY 1, 2")}
    )
    served: Counter[tuple[str, str]] = Counter()
    for (request, model, _, _), count in server.served.items():
        served[request, model] += count
    matched = rows & server.served
    ((calls,),) = all_of("SELECT COUNT(*) FROM attempts")
    ((refused,),) = all_of("SELECT COUNT(*) FROM decisions WHERE error_kind = 'budget_exceeded'")
    ((orphans,),) = all_of("SELECT COUNT(*) FROM attempts WHERE error_message LIKE '%was killed%'")
    ((left,),) = all_of("SELECT COUNT(*) FROM reserved")
    spend = {
        (scope, period): amount for scope, period, amount in all_of("SELECT scope, period, picodollars FROM spend")
    }
    shares = [
        (spent - limit, spent / limit)
        for (scope, period), spent in spend.items()
        if (limit := _limit(trial, scope)) is not None
    ]
    return Outcome(
        calls=calls,
        finished=len(told),
        refused_turns=refused,
        orphans=orphans,
        overshoot=max([0, *(over for over, _ in shares)]),
        fullest=round(max([0.0, *(share for _, share in shares)]), 4),
        reservations_left=left,
        rows_finished=sum(cost for *_, cost in told),
        served_finished=sum(prices[m].cost(Usage(r, w)).picodollars * n for (_, m, r, w), n in matched.items()),
        unserved=(rows - server.served).total(),
        unbooked=(served - booked).total(),
        sums_off=_sums_off(connection, spend),
    )


def _limit(trial: Trial, scope: str) -> int | None:
    span, _, whose = scope.partition(" ")
    if not whose:
        named = {"request": "per_request", "session": "session", "day": "daily", "month": "monthly"}[span]
        amount: int | None = trial.caps[named]
        return amount
    kind, _, name = whose.partition(":")
    pair: tuple[int | None, int | None] = trial.caps[f"{kind}s"].get(name, (None, None))
    return pair[0 if span == "day" else 1]


def _sums_off(connection: sqlite3.Connection, spend: dict[tuple[str, str], int]) -> int:
    columns = {"request": "request_id", "session": "session", "day": "day", "month": "substr(day, 1, 7)"}
    summed: Counter[tuple[str, str]] = Counter()
    for span, column in columns.items():
        narrowed = [""] if span in ("request", "session") else ["", "'provider:' || provider", "'model:' || model"]
        for whose in narrowed:
            query = f"SELECT {whose or repr('')}, {column}, SUM(cost) FROM attempts GROUP BY 1, 2"
            for name, period, amount in connection.execute(query):
                summed[f"{span} {name}".strip(), period] += amount or 0
    return sum(summed[key] != spend.get(key, 0) for key in summed.keys() | spend.keys())
