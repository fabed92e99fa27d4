"""What a program that is killed at any moment leaves behind: `kill -9` under load, again and again, on one store.

Three conversations at once stream answers, two drafts are typed, attempts are booked; after each kill the store is
opened anew and compared with what the program had acknowledged by then. Prints one JSON object; all that counts losses
should be 0.

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
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tui_orchestrator import demo
from tui_orchestrator.providers.connect import warm
from tui_orchestrator.routing.clock import SystemClock
from tui_orchestrator.routing.events import AttemptFailed, AttemptFinished, Completed, Text
from tui_orchestrator.services.chat import Chat, Options
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import Settings, StoreSettings
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger

LANES = 3
KEPT_AFTER_S = 1.0
"""A draft, or what had come of an answer, may be missing when it is younger."""
PROMPTS = ("tell me a long story", "hello", "compare SQLite and PostgreSQL", "prove that there are many primes")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


async def load(store: Path, seed: int, out: int) -> None:
    """Until it is killed. A line is written when something is acknowledged: told to whoever reads the events."""
    rng = random.Random(seed)

    def say(*parts: object) -> None:
        os.write(out, (" ".join(map(str, (*parts, round(time.monotonic(), 4)))) + "\n").encode())

    base = replace(Settings(), store=StoreSettings(store), discovery=False)
    async with demo.serve(pace=0.15) as servers:
        runtime = await Runtime.open(demo.settings(servers, base), demo=False)
        say("ready")

        async def talk(lane: int) -> None:
            chat = Chat.new(runtime)
            number = 0
            while True:
                number += 1
                request = chat.request(f"{rng.choice(PROMPTS)} {lane}.{number}", (), Options())
                length = 0
                async with chat.send(request) as turn:
                    async for event in turn:
                        if isinstance(event, AttemptFinished | AttemptFailed):
                            say("attempt", request.id, event.attempt)
                        elif isinstance(event, Text):
                            length += len(event.text)
                            say("text", request.id, event.attempt, len(event.text))
                        elif isinstance(event, Completed):
                            say("finished", chat.id, request.id, digest(event.response))
                        await asyncio.sleep(0)

        async def type_draft(lane: int) -> None:
            number = 0
            while True:
                number += 1
                await runtime.conversations.save_draft(f"draft-{lane}", f"{'word ' * (number % 50)}{number}")
                say("draft", lane, number)
                await asyncio.sleep(rng.random() / 50)

        await asyncio.gather(*(talk(lane) for lane in range(LANES)), *(type_draft(lane) for lane in range(2)))


def killed(store: Path, seed: int, wait: float) -> list[list[str]]:
    """What the program had acknowledged when it was killed, `wait` seconds after it was ready."""
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
    end = None
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


async def losses(store: Path, said: list[list[str]], died: float) -> Counter[str]:
    lost: Counter[str] = Counter()
    async with Database(store) as db:
        ledger = SqliteLedger(db, SystemClock())
        await ledger.recover()
        with closing(sqlite3.connect(store)) as connection:
            if connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                lost["broken stores"] += 1
            booked = set(connection.execute("SELECT request_id, number FROM attempts"))
            answers = {
                (request, text_of): (text, state)
                for request, text_of, text, state in connection.execute(
                    "SELECT request_id, session, text, state FROM messages WHERE role = 'assistant'"
                )
            }
            left = connection.execute("SELECT COUNT(*) FROM reserved").fetchone()[0]
            spend = connection.execute("SELECT SUM(picodollars) FROM spend WHERE scope = 'day'").fetchone()[0] or 0
            rows = connection.execute("SELECT COALESCE(SUM(cost), 0) FROM attempts").fetchone()[0]
            drafts = dict(connection.execute("SELECT session, text FROM drafts"))
    lost["reservations left"] += left
    lost["sums that are not their rows'"] += spend != rows
    by_request = {request: answer for (request, _), answer in answers.items()}
    whole = set()
    drafted: dict[str, int] = {}
    came: Counter[str] = Counter()
    for kind, *rest in said:
        at = float(rest[-1])
        match kind:
            case "attempt":
                lost["acknowledged attempts"] += (rest[0], int(rest[1])) not in booked
            case "finished":
                text, state = by_request.get(rest[1], ("", "nothing"))
                lost["finished messages"] += digest(text) != rest[2] or state != "complete"
                whole.add(rest[1])
            case "text" if at < died - KEPT_AFTER_S:
                came[rest[0]] += 1
            case "draft":
                drafted[rest[0]] = int(rest[1])
    for lane, number in drafted.items():
        kept = drafts.get(f"draft-{lane}", "0").split()
        lost["acknowledged drafts"] += int(kept[-1]) < number
    for request in came.keys() - whole:
        text, state = by_request.get(request, ("", "nothing"))
        lost["half answers that are not there"] += state == "nothing" or (state == "interrupted" and not text)
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
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        store = Path(directory) / "store.db"
        for kill in range(options.kills):
            said = killed(store, options.seed * 1_000 + kill, rng.random() ** 2 * 3)
            died = max((float(line[-1]) for line in said), default=0.0)
            acknowledged.update(kind for kind, *_ in said)
            lost += asyncio.run(losses(store, said, died))
        size = store.stat().st_size
    told = {
        "kills": options.kills,
        "acknowledged": dict(acknowledged),
        "lost": dict(lost),
        "megabytes": round(size / 1e6, 1),
        "seconds": round(time.monotonic() - started),
    }
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
