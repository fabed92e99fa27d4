"""A long life of the console: hundreds of turns in one, at a pseudo-terminal, with hostile and ordinary answers,
ensembles, dialogs and new sessions. Prints one JSON object.

`memory_mb` is what is resident after each twentieth of it and `growth` the last quarter's mean beside the second's
(1.05: 5 % more); `hold_ms` how long a callback held the event loop at most, in processor time of its thread, by what
was under way, and `long` where that was over 100 ms. `objects` counts at the end: `looked_through`, those that garbage
is looked for in; `left_out`, those it is not, with `left_out_at_first` after the start; and `leaked`, those of them
that nothing uses any more.

    python benchmarks/life.py [--turns 600] [--seed 1]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import fmean
from typing import Any

from terminal.answer import tokens
from terminal.consoles import fed
from terminal.holds import LOOKING, Holds
from terminal.pseudoterminal import Pseudoterminal, environment
from terminal.texts import texts

SIZE = (140, 40)
SCREENS = ("open_session", "search_prompts", "decisions('')", "reports('costs')", "pick_model", "settings", "help")
AT_LENGTH = 1_500
"""Tokens of an ordinary answer."""
PATIENCE_S = 20.0


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def console(home: Path, turns: int, seed: int, report: Path) -> None:
    """In the child: the console, with a driver that feeds it."""
    from textual.pilot import Pilot

    from tui_orchestrator import demo
    from tui_orchestrator.demo import LISTING, Behaviour, Reply, Say, Script
    from tui_orchestrator.ui import terminal
    from tui_orchestrator.ui.app import ConsoleApp

    # Nobody pauses for long here.
    terminal.TIDY_S, terminal.CALM_S = 0.5, 0.2
    holds = Holds()
    rng = random.Random(seed)
    hostile = texts(10**9, seed)
    memory: list[float] = []
    late: Counter[str] = Counter()

    class Answers(Script):
        def take(self, model: str) -> Behaviour | None:
            if model == LISTING:
                return None
            if rng.random() < 0.05:
                return Reply(400, next(hostile)[:500], {})
            if rng.random() < 0.3:
                return Say("".join(tokens(AT_LENGTH)))
            return Say("\n\n".join(next(hostile) for _ in range(rng.randint(1, 12))), thinking=next(hostile))

    async def feed(app: ConsoleApp, pilot: Pilot[Any], servers: demo.Servers) -> None:
        async def until(done: Any, what: str) -> None:
            end = time.monotonic() + PATIENCE_S
            while not done():
                if time.monotonic() > end:
                    late[what] += 1
                    return
                await asyncio.sleep(0.02)

        async def send(text: str) -> None:
            app.composer.prompt.text = ""
            app.composer.prompt.insert(text)
            await pilot.press("enter")

        async def turn(number: int) -> None:
            holds.doing = "an ensemble" if number % 6 == 5 else "a turn"
            if number % 6 in (0, 5):
                await send("/ensemble 3" if number % 6 == 5 else "/strategy balanced")
            await send(f"question {number}: " + next(hostile)[:300].replace("/", " ").replace("@", " "))
            await asyncio.sleep(0.05)
            await until(lambda: not app.running or len(app.screen_stack) > 1, "the end of a turn")
            while len(app.screen_stack) > 1:  # whether a cap is to be raised
                await pilot.press("escape")
            await until(lambda: not app.running, "the end of a turn")
            await asyncio.sleep(0.3)
            # The servers' own; they are no part of the console.
            for server in servers.servers.values():
                server.exchanges.clear()
            if number % 10 == 9:
                holds.doing = "a dialog"
                await app.run_action(SCREENS[number // 10 % len(SCREENS)])
                await asyncio.sleep(0.6)
                for _ in range(5):
                    await pilot.press(*(["escape"] if len(app.screen_stack) > 1 else []))
                await until(lambda: len(app.screen_stack) == 1, "the end of a dialog")
                holds.doing = "scrolling"
                app.chat.transcript.action_first_row()
                await asyncio.sleep(0.1)
                app.chat.transcript.follow()
                await asyncio.sleep(0.1)
            if number % 60 == 59:
                holds.doing = "a new session"
                await app.run_action("new_session")
                await asyncio.sleep(0.3)

        await until(lambda: app.talk is not None and not app.working, "a ready console")
        await pilot.pause(8)  # the SDKs are imported
        left_out = gc.get_freeze_count()
        for number in range(turns):
            await turn(number)
            memory.append(resident_mb())
        await asyncio.sleep(2)
        holds.doing = LOOKING
        gc.collect()
        objects = {"looked_through": len(gc.get_objects()), "left_out": gc.get_freeze_count()}
        gc.unfreeze()
        objects |= {"left_out_at_first": left_out, "leaked": gc.collect()}
        quarter = max(1, len(memory) // 4)
        told = {
            "growth": round(fmean(memory[-quarter:]) / fmean(memory[quarter : 2 * quarter]), 3),
            "memory_mb": [round(each) for each in memory[:: max(1, len(memory) // 20)]],
            "hold_ms": {name: held for name, held in holds.worst.items() if name != LOOKING},
            "hold_without_garbage_ms": max(held for name, held in holds.without_garbage.items() if name != LOOKING),
            "long": holds.long[:40],
            "objects": objects,
            "late": dict(late),
        }
        await asyncio.to_thread(report.write_text, json.dumps(told))
        app.leave()

    fed(ConsoleApp, home, Answers(), feed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--console", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.console:
        home, turns, seed, report = options.console
        console(Path(home), int(turns), int(seed), Path(report))
        return
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        report = home / "report.json"
        told = [str(home), str(options.turns), str(options.seed), str(report)]
        command = [sys.executable, __file__, "--console", *told]
        began = time.monotonic()
        with Pseudoterminal(command, environment(home), size=SIZE, cwd=home) as terminal:
            until = began + 600 + 10 * options.turns
            while terminal.process.poll() is None and time.monotonic() < until:
                terminal.read(0.1)
                last = terminal.take()[-2000:]
            terminal.end(60)
            found = json.loads(report.read_text()) if report.exists() else {"died": last.decode(errors="replace")}
        figures = {"turns": options.turns, "seconds": round(time.monotonic() - began), "load": os.getloadavg()[0]}
        print(json.dumps({**figures, **found}, indent=2))


if __name__ == "__main__":
    main()
