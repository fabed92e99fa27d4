"""Processor time and memory of a start: `--help`, and the console up to its first usable screen.

Prints one JSON object. Figures are the medians of several runs; `python` is the interpreter alone, to subtract.
`sdk_modules` counts modules of the providers' SDKs that were loaded by then and must be 0.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile

RUNS = 5

_MEASURE = """
import json, resource, sys
def report():
    used = resource.getrusage(resource.RUSAGE_SELF)
    sdks = sum(name.split(".")[0] in ("anthropic", "openai") or name.startswith("google.genai") for name in sys.modules)
    sys.stderr.write("\\n" + json.dumps({
        "processor_s": round(used.ru_utime + used.ru_stime, 3),
        "megabytes": round(used.ru_maxrss / 1024, 1),
        "sdk_modules": sdks,
    }) + "\\n")
"""
_CASES = {
    "python": "report()",
    "help": """
from tui_orchestrator.cli import cli
try:
    cli(["--help"], prog_name="tui-orchestrator")
except SystemExit:
    pass
report()
""",
    "console": """
import asyncio
from tui_orchestrator.settings import load
from tui_orchestrator.ui.app import ConsoleApp

async def start():
    app = ConsoleApp(load(), demo=True)
    async with app.run_test(size=(160, 48)):
        # With a conversation open, the prompt can be typed, weighed and sent.
        await app.workers.wait_for_complete([worker for worker in app.workers if worker.group == "open"])
        assert app.talk is not None
        report()
asyncio.run(start())
""",
}


def measure(code: str) -> dict[str, float]:
    runs = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as home:
            environment = {**os.environ, "TUI_ORCHESTRATOR_HOME": home}
            done = subprocess.run(
                [sys.executable, "-c", _MEASURE + code], env=environment, capture_output=True, text=True, check=True
            )
        runs.append(json.loads(done.stderr.strip().splitlines()[-1]))
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


if __name__ == "__main__":
    print(json.dumps({name: measure(code) for name, code in _CASES.items()}, indent=2))
