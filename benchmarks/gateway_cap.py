"""A thousand requests at once through the gateway, under a cap that has room for three hundred of them.

    python benchmarks/gateway_cap.py [--requests 1000] [--room 300]

Each call costs the same by price, so that what fits is a whole number. The gateway is a program of its own, the model a
demo server on the loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx2

from tui_orchestrator import demo
from tui_orchestrator.demo import Say

MODEL, TOKEN, CALL_USD = "pebble-3b", "a-token-of-the-benchmark", "0.01"


async def main(requests: int, room: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        async with demo.serve(pace=0, habits=False) as servers:
            servers.script.always(Say("An answer of a few words."))
            config = home / "config.toml"
            config.write_text(
                "[router]\ndiscover_local = false\n"
                f"[budgets]\ndaily_usd = {room * float(CALL_USD):.2f}\n"
                f'[providers.team]\nbase_url = "{servers.base_urls["demo-local"]}"\nmax_concurrent = 256\n'
                f'[[models]]\nid = "team/{MODEL}"\ninput_usd = 0\noutput_usd = 0\nper_call_usd = {CALL_USD}\n'
                "context_window = 32000\n"
            )
            environment = {
                **os.environ,
                "TUI_ORCHESTRATOR_HOME": str(home),
                "HOME": str(home),
                "TUI_ORCHESTRATOR_GATEWAY_TOKEN": TOKEN,
            }
            command = [sys.executable, "-m", "tui_orchestrator", "--config", str(config)]
            process = await asyncio.create_subprocess_exec(
                *command, "serve", "--port", "0", env=environment, stderr=asyncio.subprocess.PIPE
            )
            assert process.stderr is not None
            said = (await process.stderr.readline()).decode()
            found = re.search(r"(http://\S+)/v1", said)
            if found is None:
                raise SystemExit(f"the gateway did not start: {said}")
            statuses, seconds = await _ask(found[1], requests)
            process.send_signal(signal.SIGINT)
            await process.communicate()
            costs = await asyncio.create_subprocess_exec(
                *command,
                "costs",
                "--period",
                "all",
                "--format",
                "json",
                env=environment,
                stdout=asyncio.subprocess.PIPE,
            )
            told = json.loads((await costs.communicate())[0])
            spent = sum(float(row["cost_usd"]) for row in told["rows"])
            return {
                "benchmark": "gateway_cap",
                "requests": requests,
                "room": room,
                "served": statuses[200],
                "refused": statuses[402],
                "other": {str(status): count for status, count in statuses.items() if status not in (200, 402)},
                "calls_at_the_model": sum(exchange.method == "POST" for exchange in servers.exchanges),
                "spent_usd": round(spent, 12),
                "over_usd": round(max(0.0, spent - room * float(CALL_USD)), 12),
                "seconds": round(seconds, 2),
            }


async def _ask(address: str, requests: int) -> tuple[Counter[int], float]:
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(
        base_url=address, headers={"authorization": f"Bearer {TOKEN}"}, timeout=600, limits=limits
    ) as client:
        body = {"model": f"team/{MODEL}", "max_tokens": 50}
        await client.get("/health")

        async def one(number: int) -> int:
            messages = [{"role": "user", "content": f"Question {number}?"}]
            return (await client.post("/v1/chat/completions", json={**body, "messages": messages})).status_code

        began = time.monotonic()
        statuses = Counter(await asyncio.gather(*(one(number) for number in range(requests))))
        return statuses, time.monotonic() - began


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--room", type=int, default=300)
    asked = parser.parse_args()
    print(json.dumps(asyncio.run(main(asked.requests, asked.room)), indent=2))
