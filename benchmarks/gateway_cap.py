"""A thousand requests at once through the gateway, under a cap that has room for three hundred of them.

    python benchmarks/gateway_cap.py [--requests 1000] [--room 300] [--workers 2]

Each call costs the same by price, so that what fits is a whole number. The gateway is a program of its own, the model a
demo server on the loopback. `left` is what the gateway still holds when the client has gone and before it ends:
connections of clients, money set aside, calls that are not booked.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import signal
import sqlite3
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from team import MODEL, team

TOKEN, CALL_USD = "a-token-of-the-benchmark", "0.01"


async def main(requests: int, room: int, workers: int) -> dict[str, object]:
    async with team(
        f"input_usd = 0\noutput_usd = 0\nper_call_usd = {CALL_USD}",
        provider="max_concurrent = 256",
        budgets=f"daily_usd = {room * float(CALL_USD):.2f}",
    ) as own:
        process = await own.program(
            *("serve", "--port", "0", "--workers", str(workers)), TUI_ORCHESTRATOR_GATEWAY_TOKEN=TOKEN
        )
        assert process.stderr is not None
        said = (await process.stderr.readline()).decode()
        found = re.search(r"(http://\S+)/v1", said)
        if found is None:
            raise SystemExit(f"the gateway did not start: {said}")
        statuses, seconds = await _ask(found[1], requests)
        left = await _left(urlsplit(found[1]).port or 0, own.home)
        process.send_signal(signal.SIGINT)
        await process.communicate()
        costs = await own.program("costs", "--period", "all", "--format", "json")
        told = json.loads((await costs.communicate())[0])
        spent = sum(float(row["cost_usd"]) for row in told["rows"])
        return {
            "benchmark": "gateway_cap",
            "workers": workers,
            "requests": requests,
            "room": room,
            "served": statuses[200],
            "refused": statuses[402],
            "other": {str(status): count for status, count in statuses.items() if status not in (200, 402)},
            "calls_at_the_model": own.served,
            "spent_usd": round(spent, 12),
            "over_usd": round(max(0.0, spent - room * float(CALL_USD)), 12),
            "left": left,
            "seconds": round(seconds, 2),
        }


async def _ask(address: str, requests: int) -> tuple[Counter[int], float]:
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(
        base_url=address, headers={"authorization": f"Bearer {TOKEN}"}, timeout=600, limits=limits
    ) as client:
        body = {"model": MODEL, "max_tokens": 50}
        await client.get("/health")

        async def one(number: int) -> int:
            messages = [{"role": "user", "content": f"Question {number}?"}]
            return (await client.post("/v1/chat/completions", json={**body, "messages": messages})).status_code

        began = time.monotonic()
        statuses = Counter(await asyncio.gather(*(one(number) for number in range(requests))))
        return statuses, time.monotonic() - began


async def _left(port: int, home: Path) -> dict[str, int]:
    """As soon as nothing is, else what is left after ten seconds."""
    for _ in range(100):
        found = {"connections": _connections(port), **_unsettled(home)}
        if not any(found.values()):
            break
        await asyncio.sleep(0.1)
    return found


def _unsettled(home: Path) -> dict[str, int]:
    (store,) = home.rglob("*.db")
    with contextlib.closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)) as connection:
        (held,) = connection.execute("SELECT COUNT(DISTINCT reservation) FROM reserved").fetchone()
        (calls,) = connection.execute("SELECT COUNT(*) FROM open_calls").fetchone()
    return {"reservations": held, "open_calls": calls}


def _connections(port: int) -> int:
    """Of clients, established or waiting for the gateway to close them, as Linux tells."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] in ("01", "08") for row in rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--room", type=int, default=300)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    print(json.dumps(asyncio.run(main(asked.requests, asked.room, asked.workers)), indent=2))
