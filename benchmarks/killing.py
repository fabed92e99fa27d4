"""What a program that is killed at any moment leaves behind: `kill -9` under load, again and again, on one store.

Three conversations at once stream answers, which stop in the middle for seconds, a draft is stored again and again and
another is typed, attempts are booked; after each kill the store is opened anew and compared with what the program had
acknowledged by then. A part of the kills comes while the program starts, on this store or on one that it makes. Prints
one JSON object; all that counts losses should be 0.

    python benchmarks/killing.py [--kills 200] [--seed 1]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import select
import signal
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from tui_orchestrator import demo
from tui_orchestrator.locations import HOME_VARIABLE
from tui_orchestrator.providers.connect import warm
from tui_orchestrator.routing.clock import SystemClock
from tui_orchestrator.routing.events import (
    CHECKS,
    AttemptFailed,
    AttemptFinished,
    AttemptStarted,
    Completed,
    Text,
    Thinking,
)
from tui_orchestrator.routing.features import estimate_tokens
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.routing.telling import KILLED
from tui_orchestrator.services.chat import Chat, Options
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import Settings, StoreSettings
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.faults import StoreError
from tui_orchestrator.storage.ledger import SqliteLedger
from tui_orchestrator.ui.drafts import Drafts
from tui_orchestrator.ui.prompt import Draft, Prompt

LANES = 3
BEAT_S = 0.05
TOLD_S = 1.5
"""What had come of an answer may be missing when it is younger: it is stored after half a second, on a busy machine
later. Seconds in which the program got no processor do not count."""
TYPED_S = 1.0
"""The same of a draft that is typed."""
EARLY, STARTS_S = 0.3, 0.25
"""The share of kills that come so soon after the start: mostly before it is ready."""
ENSEMBLES = 0.3
STOPS, BURSTS = 0.01, 0.5
"""How often a server says nothing for seconds before a piece of an answer, and how often nothing is waited for."""
PROMPTS = ("tell me a long story", "hello", "compare SQLite and PostgreSQL", "prove that there are many primes")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def by_fits_and_starts(rng: random.Random) -> Callable[[float], Awaitable[None]]:
    async def sleep(seconds: float) -> None:
        chance = rng.random()
        if chance < STOPS:
            await asyncio.sleep(rng.uniform(1, 10))
        elif chance > BURSTS:
            await asyncio.sleep(seconds)

    return sleep


class Typed:
    """A prompt's part for `Drafts`: what stands in it."""

    def __init__(self) -> None:
        self.text = ""

    @property
    def draft(self) -> Draft:
        return Draft(self.text, {})

    def restore(self, draft: Draft) -> None:
        self.text = draft.unfolded


async def load(store: Path, seed: int, out: int) -> None:
    """Until it is killed. A line is written when something is acknowledged: told to whoever reads the events."""
    rng = random.Random(seed)
    first = seed * 1_000_000
    """Of the numbers of drafts: one of an earlier program is no later one of this."""

    lived = 0.0

    def say(*parts: object) -> None:
        os.write(out, (" ".join(map(str, (*parts, round(lived, 4)))) + "\n").encode())

    async def live() -> None:
        nonlocal lived
        while True:
            before = time.monotonic()
            await asyncio.sleep(BEAT_S)
            lived += min(time.monotonic() - before, 2 * BEAT_S)
            say("lives")

    base = replace(Settings(), store=StoreSettings(store), discovery=False)
    async with demo.serve(pace=0.15, sleep=by_fits_and_starts(rng)) as servers:
        runtime = await Runtime.open(demo.settings(servers, base), demo=False)
        say("ready")

        async def talk(lane: int) -> None:
            chat = Chat.new(runtime)
            number = 0
            while True:
                number += 1
                options = Options(strategy=Strategy.ENSEMBLE if rng.random() < ENSEMBLES else None)
                request = chat.request(f"{rng.choice(PROMPTS)} {lane}.{number}", (), options)
                checks = set()
                async with chat.send(request) as turn:
                    async for event in turn:
                        if isinstance(event, AttemptStarted) and event.cause in CHECKS:
                            checks.add(event.attempt)
                        elif isinstance(event, AttemptFinished | AttemptFailed):
                            say("attempt", request.id, event.attempt)
                        elif isinstance(event, Text | Thinking) and event.attempt not in checks:
                            say("text", request.id, event.attempt, len(event.text))
                        elif isinstance(event, Completed):
                            say("finished", chat.id, request.id, digest(event.response))
                        await asyncio.sleep(0)

        async def store_draft() -> None:
            number = first
            while True:
                number += 1
                await runtime.conversations.save_draft("stored", f"{'word ' * (number % 50)}{number}")
                say("draft", "stored", number)
                await asyncio.sleep(rng.random() / 50)

        async def type_draft() -> None:
            prompt, number = Typed(), first
            drafts = Drafts(cast(Prompt, prompt), runtime.conversations, lambda told: say("told", "typed", 0))
            await drafts.turn_to("typed")
            while True:
                number += 1
                prompt.text = f"{'word ' * (number % 50)}{number}"
                drafts.typed()
                say("draft", "typed", number)
                await asyncio.sleep(rng.uniform(1, 4) if rng.random() < 0.05 else rng.random() / 5)

        await asyncio.gather(*(talk(lane) for lane in range(LANES)), store_draft(), type_draft(), live())


def killed(store: Path, seed: int, wait: float, *, early: bool) -> list[list[str]]:
    """What the program had acknowledged when it was killed: `wait` seconds after it was ready, or `early`, after it
    began. Each line ends with how long it had lived by then."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            asyncio.run(load(store, seed, writing))
        finally:
            os._exit(1)
    os.close(writing)
    said = b""
    end = time.monotonic() + wait if early else None
    while end is None or time.monotonic() < end:
        ready, _, _ = select.select([reading], [], [], 0.002)
        if ready:
            piece = os.read(reading, 65_536)
            if not piece:
                break
            said += piece
        if end is None and b"ready" in said:
            end = time.monotonic() + wait
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while piece := os.read(reading, 65_536):
        said += piece
    os.close(reading)
    return [line.split() for line in said.decode().splitlines() if line]


@dataclass
class Kept:
    """What is in a store."""

    whole: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The answer to each request, and its state."""
    said: dict[tuple[str, int], int] = field(default_factory=dict)
    """How long the text and the thoughts of each attempt are."""
    tokens: dict[tuple[str, int], int] = field(default_factory=dict)
    """What is booked for them where their program was killed."""
    booked: dict[tuple[str, int], tuple[int, str]] = field(default_factory=dict)
    """The tokens of each attempt, and what went wrong."""
    drafts: dict[str, str] = field(default_factory=dict)


async def opened(store: Path, lost: Counter[str]) -> Kept:
    """As the next program finds it."""
    kept = Kept()
    async with Database(store) as db:
        await SqliteLedger(db, SystemClock()).recover()
        with closing(sqlite3.connect(store)) as connection:
            lost["broken stores"] += connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok"
            for request, attempt, text, thinking, state in connection.execute(
                "SELECT request_id, attempt, text, thinking, state FROM messages WHERE role = 'assistant' "
                "UNION ALL SELECT request_id, attempt, text, thinking, '' FROM discarded"
            ):
                kept.said[request, attempt] = max(len(text) + len(thinking), kept.said.get((request, attempt), 0))
                kept.tokens[request, attempt] = estimate_tokens(text) + estimate_tokens(thinking)
                if state:
                    kept.whole[request] = text, state
            for request, attempt, tokens, error in connection.execute(
                "SELECT request_id, number, output_tokens, error_message FROM attempts"
            ):
                kept.booked[request, attempt] = tokens, error
            kept.drafts = dict(connection.execute("SELECT session, text FROM drafts"))
            left = connection.execute("SELECT COUNT(*) FROM reserved").fetchone()[0]
            spend = connection.execute("SELECT SUM(picodollars) FROM spend WHERE scope = 'day'").fetchone()[0] or 0
            rows = connection.execute("SELECT COALESCE(SUM(cost), 0) FROM attempts").fetchone()[0]
    lost["reservations left"] += left
    lost["sums that are not their rows'"] += spend != rows
    return kept


async def losses(store: Path, said: list[list[str]], finished: dict[str, str]) -> Counter[str]:
    """`finished`: all answers that any program had told whole, to which those of this one are added."""
    lost: Counter[str] = Counter()
    try:
        kept = await opened(store, lost)
    except StoreError:
        lost["stores that cannot be opened"] += 1
        return lost
    drafted: dict[str, int] = {}
    told: Counter[tuple[str, int]] = Counter()
    died = max((float(line[-1]) for line in said), default=0.0)
    for kind, *rest in said:
        age = died - float(rest[-1])
        match kind:
            case "attempt":
                lost["acknowledged attempts"] += (rest[0], int(rest[1])) not in kept.booked
            case "finished":
                finished[rest[1]] = rest[2]
            case "text" if age > TOLD_S:
                told[rest[0], int(rest[1])] += int(rest[2])
            case "draft" if rest[0] == "stored" or age > TYPED_S:
                drafted[rest[0]] = int(rest[1])
            case "told":
                lost["drafts that were said not to be kept"] += 1
    for request, whole in finished.items():
        text, state = kept.whole.get(request, ("", "nothing"))
        lost["finished messages"] += digest(text) != whole or state != "complete"
    for draft, number in drafted.items():
        lost[f"drafts that were {draft}"] += int(kept.drafts.get(draft, "0").split()[-1]) < number
    for (request, attempt), length in told.items():
        lost["answers without what was told of them"] += kept.said.get((request, attempt), 0) < length
    for its, tokens in kept.tokens.items():
        output, error = kept.booked.get(its, (tokens, ""))
        lost["killed calls that are not booked as they are kept"] += error == KILLED and output != tokens
    return lost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    asyncio.run(warm({"anthropic", "openai", "gemini"}))
    lost: Counter[str] = Counter()
    acknowledged: Counter[str] = Counter()
    finished: dict[str, str] = {}
    before_ready = 0
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        os.environ[HOME_VARIABLE] = directory
        store = Path(directory) / "store.db"
        for kill in range(options.kills):
            early, seed = rng.random() < EARLY, options.seed * 1_000 + kill
            wait = rng.random() * (STARTS_S if early else 4)
            where = store
            if early and rng.random() < 0.5:
                where = Path(directory) / str(kill) / "store.db"
            said = killed(where, seed, wait, early=early)
            acknowledged.update(kind for kind, *_ in said if kind != "lives")
            before_ready += not any(kind == "ready" for kind, *_ in said)
            lost += asyncio.run(losses(where, said, finished if where == store else {}))
        size = store.stat().st_size if store.exists() else 0
    told = {
        "kills": options.kills,
        "before_it_was_ready": before_ready,
        "acknowledged": dict(acknowledged),
        "lost": dict(lost),
        "megabytes": round(size / 1e6, 1),
        "seconds": round(time.monotonic() - started),
    }
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
