"""A batch killed again and again with SIGKILL: what is lost, what is asked twice, and whether the ledger agrees.

    python benchmarks/batch_kills.py [--lines 10000] [--kills 20] [--places N]

The demo servers answer over real sockets, in this process; the batch is a program of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import time
from collections import Counter
from pathlib import Path

from team import Team, team


async def main(lines: int, kills: int, places: int | None) -> dict[str, object]:
    limit = "" if places is None else f"max_concurrent = {places}"
    async with team("input_usd = 0.1\noutput_usd = 0.2", provider=limit) as own:
        source, output = own.home / "in.jsonl", own.home / "in.out.jsonl"
        source.write_text("".join(json.dumps({"prompt": f"Question {n}?"}) + "\n" for n in range(lines)))
        began, runs = time.monotonic(), await _run(own, source, output, lines, kills)
        seconds = time.monotonic() - began
        records = [json.loads(line) for line in output.read_text().splitlines()]
        costs = await own.program("costs", "--by", "outcome", "--period", "all", "--format", "json")
        rows = json.loads((await costs.communicate())[0])["rows"]
        times = Counter(record["id"] for record in records)
        return {
            "benchmark": "batch_kills",
            "lines": lines,
            "kills": runs - 1,
            "answered": sum(record["status"] == "answered" for record in records),
            "distinct": len(times),
            "twice": sum(count > 1 for count in times.values()),
            "served": own.served,
            "ledger_rows": (booked := sum(row["attempts"] for row in rows)),
            "booked_and_not_served": booked - own.served,
            "cut_short": own.served - lines,
            "seconds": round(seconds, 1),
        }


async def _run(own: Team, source: Path, output: Path, lines: int, kills: int) -> int:
    """How many times it was started until it ended by itself."""
    chance = random.Random(1)
    moments = sorted(chance.randrange(lines) for _ in range(kills))
    for runs, moment in enumerate([*moments, lines + 1], 1):
        process = await own.program("batch", str(source), "--at-once", "16")
        said = asyncio.create_task(process.communicate())
        while not said.done() and _written(output) < moment:
            await asyncio.wait([said], timeout=0.01)
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await said
        if process.returncode != -signal.SIGKILL:
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
    parser.add_argument("--places", type=int, help="requests that the provider takes at once; without it all")
    asked = parser.parse_args()
    print(json.dumps(asyncio.run(main(asked.lines, asked.kills, asked.places)), indent=2))
