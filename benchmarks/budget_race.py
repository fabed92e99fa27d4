"""Whether a cap can be passed: `python benchmarks/budget_race.py [CALLS]`. Prints one JSON object.

Eight copies of the program, each with fifty turns at once, share one store and race for random caps of every kind, at
random prices, against a server on the loopback that counts what it gave. Calls fail, break off and are cancelled, and
copies are killed with SIGKILL and started again. One trial follows another until there were CALLS calls (10,000).
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from race.trial import Outcome, run


async def race(calls: int) -> dict[str, object]:
    began, total, trials, failed = time.monotonic(), Outcome(), 0, []
    while total.calls < calls:
        trials += 1
        with tempfile.TemporaryDirectory() as directory:
            outcome = await run(trials, Path(directory))
        if not outcome.holds:
            failed.append({"seed": trials, **asdict(outcome)})
        total += outcome
        sys.stderr.write(f"trial {trials}: {outcome.calls} calls in {outcome.seconds:.0f} s, holds: {outcome.holds}\n")
    return {
        "copies": 8,
        "turns_at_once_in_each": 50,
        "trials": trials,
        **asdict(total),
        "seconds": round(time.monotonic() - began, 1),
        "trials_that_failed": failed,
    }


if __name__ == "__main__":
    result = asyncio.run(race(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
    print(json.dumps(result, indent=2))
    sys.exit(1 if result["trials_that_failed"] else 0)
