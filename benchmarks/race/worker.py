"""One copy of the program in the race: `python -m race.worker TRIAL.json NAME`. Says a line for each turn
that ended: the most by which it saw a cap passed, in picodollars."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui_orchestrator.routing.budget import Budgets, WayOut, listed
from tui_orchestrator.routing.calling import Caller
from tui_orchestrator.routing.clock import SystemClock
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.routing.errors import Connection, Overloaded
from tui_orchestrator.routing.events import FinishReason, Reserved
from tui_orchestrator.routing.health import Circuits
from tui_orchestrator.routing.model import Model, Registry
from tui_orchestrator.routing.money import Money, Price, Rates, Usage
from tui_orchestrator.routing.ports import Call, Done, Piece, TextPiece, Timeouts
from tui_orchestrator.routing.profile import Level
from tui_orchestrator.routing.ratelimit import RateLimits
from tui_orchestrator.routing.request import Check, Message, Request, Strategy
from tui_orchestrator.routing.router import Router
from tui_orchestrator.routing.sharing import Sharing
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger

HURRY = 100
"""Back-offs and cooldowns pass so many times as fast as they would."""
PROMPTS = (
    "Explain what a hash table is. {id}",
    "Prove that there are infinitely many primes, with every step. {id}",
    "Translate into French: the meeting {id} is on Monday.",
    "Write a Python function that merges two sorted lists. {id}",
)


@dataclass(frozen=True, slots=True)
class Trial:
    """What all copies of one trial share."""

    seed: int
    store: str
    port: int
    turns: int
    """Of each copy."""
    at_once: int
    prices: dict[str, tuple[int, int]]
    """Model id → (input, output) in micro-dollars per million tokens."""
    caps: dict[str, Any]
    """Fields of Budgets, in picodollars."""
    ways_out: list[str]

    def registry(self) -> Registry:
        return Registry.of(
            Model(
                provider=model_id.partition("/")[0],
                name=model_id.partition("/")[2],
                price=Price(Rates(*rates)),
                level=list(Level)[number % 4],
                ability=0.3 + 0.1 * number,
                family=f"family {number}",
                local=not any(rates),
            )
            for number, (model_id, rates) in enumerate(sorted(self.prices.items()))
        )

    def budgets(self) -> Budgets:
        def money(amount: int | None) -> Money | None:
            return None if amount is None else Money(amount)

        narrowed = {
            scope: {name: (money(daily), money(monthly)) for name, (daily, monthly) in self.caps[scope].items()}
            for scope in ("providers", "models")
        }
        plain = {name: money(self.caps[name]) for name in ("per_request", "session", "daily", "monthly")}
        ways = listed([WayOut(word) for word in self.ways_out])
        return Budgets(**plain, **narrowed, on_exhausted=ways)  # type: ignore[arg-type]


class Hurried(SystemClock):
    def monotonic(self) -> float:
        return time.monotonic() * HURRY

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / HURRY)


class Loopback:
    """Implements `ports.Provider` over plain HTTP to the counting server."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self._port = port

    async def ready(self) -> None:
        """Nothing to import."""

    async def stream(self, call: Call) -> AsyncIterator[Piece]:
        prompt = "\n".join(message.text for message in call.messages)
        body = json.dumps({"prompt": prompt, "max_tokens": call.max_tokens}).encode()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError as error:
            raise Connection() from error
        try:
            writer.write(f"POST /{call.model.id} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            status = (await reader.readuntil(b"\r\n\r\n")).split()[1]
            if status != b"200":
                raise Overloaded()
            async for line in reader:
                said = json.loads(line)
                if "usage" in said:
                    yield Done(FinishReason.STOP, Usage(**said["usage"]))
                    return
                yield TextPiece(said["text"])
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Connection() from error
        finally:
            writer.close()

    async def aclose(self) -> None:
        """Each call has a connection of its own."""


class Copy:
    def __init__(self, trial: Trial, name: str, database: Database) -> None:
        self.trial = trial
        self.name = name
        self.dice = random.Random(f"{trial.seed} {name}")
        clock = Hurried()
        ledger = SqliteLedger(database, clock)
        registry = trial.registry()
        providers = {model.provider: Loopback(model.provider, trial.port) for model in registry}
        caller = Caller(providers.__getitem__, ledger, clock, Sharing(Circuits(), clock), RateLimits(), Timeouts())
        policy = Policy(confidence_threshold=0.75, max_tokens=600, max_attempts=4)
        self.models = list(registry.models)
        self.router = Router(caller, registry, policy, trial.budgets())

    async def run(self) -> None:
        gate = asyncio.Semaphore(self.trial.at_once)

        async def one(number: int) -> None:
            async with gate:
                sys.stdout.write(f"{await self.turn(number)}\n")
                sys.stdout.flush()

        await asyncio.gather(*(one(number) for number in range(self.trial.turns)))

    async def turn(self, number: int) -> int:
        """The most by which a cap was seen passed; below zero: it never was."""
        request_id = f"q-{self.name}-{number}"
        cancel_after = self.dice.choice((None, None, None, None, 1, 3, 5, 7))
        passed = -1
        async with self.router.stream(self.request(request_id)) as turn:
            told = 0
            async for event in turn:
                told += 1
                if told == cancel_after:
                    turn.cancel()
                if isinstance(event, Reserved):
                    for state in event.budgets:
                        if state.limit is not None:
                            passed = max(passed, (state.spent + state.reserved - state.limit).picodollars)
        return passed

    def request(self, request_id: str) -> Request:
        dice = self.dice
        strategy = dice.choice([*Strategy])
        prompt = dice.choice(PROMPTS).format(id=request_id)
        return Request(
            (Message("user", prompt),),
            id=request_id,
            session=f"s{dice.randint(0, 9)}",
            strategy=strategy,
            model=dice.choice(self.models) if dice.random() < 0.15 else None,
            max_tokens=dice.choice((None, 64, 300)),
            check=dice.choice((Check.AUTO, Check.OFF, Check.SECOND_ANSWER, Check.JUDGE)),
            self_consistency=dice.choice((0, 0, 0, 2)),
            use_cache=False,
        )


async def main(trial: Trial, name: str) -> None:
    async with Database(Path(trial.store), busy_timeout_s=120) as database:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await Copy(trial, name, database).run()


if __name__ == "__main__":
    asyncio.run(main(Trial(**json.loads(Path(sys.argv[1]).read_text())), sys.argv[2]))
