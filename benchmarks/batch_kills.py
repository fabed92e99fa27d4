"""A batch killed again and again with SIGKILL: what is lost, what is asked twice, and whether the ledger agrees.

    python benchmarks/batch_kills.py [--lines 10000] [--kills 20]

The demo servers answer over real sockets, in this process; the batch is a program of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tui_orchestrator import demo
from tui_orchestrator.demo import Say

MODEL = "pebble-3b"


async def main(lines: int, kills: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        async with demo.serve(pace=0, habits=False) as servers:
            servers.script.always(Say("An answer of a few words."))
            config = home / "config.toml"
            config.write_text(
                "[router]\ndiscover_local = false\n"
                f'[providers.team]\nbase_url = "{servers.base_urls["demo-local"]}"\n'
                f'[[models]]\nid = "team/{MODEL}"\ninput_usd = 0.1\noutput_usd = 0.2\ncontext_window = 32000\n'
            )
            source, output = home / "in.jsonl", home / "in.out.jsonl"
            source.write_text("".join(json.dumps({"prompt": f"Question {n}?"}) + "\n" for n in range(lines)))
            began, runs = time.monotonic(), await _run(home, config, source, output, lines, kills)
            seconds = time.monotonic() - began
            records = [json.loads(line) for line in output.read_text().splitlines()]
            served = sum(exchange.method == "POST" for exchange in servers.exchanges)
            costs = await _program(home, config, "costs", "--by", "outcome", "--period", "all", "--format", "json")
            rows = json.loads((await costs.communicate())[0])["rows"]
            times = Counter(record["id"] for record in records)
            return {
                "benchmark": "batch_kills",
                "lines": lines,
                "kills": runs - 1,
                "answered": sum(record["status"] == "answered" for record in records),
                "distinct": len(times),
                "twice": sum(count > 1 for count in times.values()),
                "served": served,
                "ledger_rows": sum(row["attempts"] for row in rows),
                "cut_short": served - lines,
                "seconds": round(seconds, 1),
            }


async def _program(home: Path, config: Path, *arguments: str) -> asyncio.subprocess.Process:
    environment = {**os.environ, "TUI_ORCHESTRATOR_HOME": str(home), "HOME": str(home)}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tui_orchestrator", "--config", str(config), *arguments,
        env=environment, cwd=home, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


async def _run(home: Path, config: Path, source: Path, output: Path, lines: int, kills: int) -> int:
    """How many times it was started until it ended by itself."""
    chance = random.Random(1)
    moments = sorted(chance.randrange(lines) for _ in range(kills))
    for runs, moment in enumerate([*moments, lines + 1], 1):
        process = await _program(home, config, "batch", str(source), "--at-once", "16")
        while process.returncode is None and _written(output) < moment:  # noqa: ASYNC110  # a file tells nobody
            await asyncio.sleep(0.01)
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        if await process.wait() >= 0:
            if process.returncode:
                raise SystemExit(f"the batch ended with {process.returncode}")
            return runs
    raise AssertionError("the last run is not killed")


def _written(output: Path) -> int:
    return output.read_bytes().count(b"\n") if output.exists() else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20)
    asked = parser.parse_args()
    print(json.dumps(asyncio.run(main(asked.lines, asked.kills)), indent=2))
