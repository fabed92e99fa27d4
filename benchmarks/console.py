"""The console as its user has it: `python benchmarks/console.py [--peers elia,oterm]`. Prints one JSON object.

It runs in a pseudo-terminal of 160x48 against a model server on the loopback, and is measured from outside; so are the
peers, each installed into an environment of its own under a directory for temporary files. Processor times are in
seconds, of the program and its children. `yardstick_ms` is what a fixed piece of work took meanwhile: on a machine that
is busy with something else it rises, and all processor times with it. docs/performance.md says what each figure is.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from terminal.measures import Figures, Server, Session
from terminal.programs import OURS, Program, Unavailable, install, ours
from terminal.screen import NotSeen, heed_nice
from terminal.sessions import bring_in

MESSAGES = 10_000
RATE = 100
"""Tokens a second."""


class Yardstick(threading.Thread):
    """A little work of the same kind, now and then."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.took: list[float] = []
        self.start()

    def run(self) -> None:
        data = {"list": [{"number": number, "text": str(number)} for number in range(100)]}
        while True:
            began = time.thread_time()
            for _ in range(5):
                json.loads(json.dumps(data))
            self.took.append(1000 * (time.thread_time() - began))
            time.sleep(0.5)


def measure(program: Program, server: Server, tokens: int, parts: list[str]) -> Figures:
    """What cannot be done with the program is left out, and named."""
    figures: Figures = {}
    missed: list[str] = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        home = Path(directory)
        for part in (part for part in _PARTS if part in parts):
            try:
                figures |= _PARTS[part](program, home, server, tokens)
            except (NotSeen, TimeoutError, OSError) as error:
                missed.append(f"{part}: {error}"[:300])
                sys.stderr.write(f"{program.name}: {missed[-1]}\n")
    if missed:
        figures["left_out"] = missed
    return figures


def _start(program: Program, home: Path, server: Server, tokens: int) -> Figures:
    """The second start: the first one compiles, makes its files, and asks what a new user is asked."""
    runs = []
    for _ in range(3):
        session = Session(program, home, server)
        session.close()
        runs.append(session.figures)
    figures: Figures = dict(min(runs, key=lambda run: run["start_cpu_s"]))
    with contextlib.closing(Session(program, home, server)) as session:
        session.first_answer()
        session.idle()
        return figures | {name: session.figures[name] for name in ("first_answer_mb", "idle_percent")}


def _stream(program: Program, home: Path, server: Server, tokens: int) -> Figures:
    with contextlib.closing(Session(program, home, server)) as session:
        before = set(session.figures)
        session.ask_and_wait(200, RATE)
        session.stream(tokens, RATE)
        return {name: value for name, value in session.figures.items() if name not in before}


def _echo(program: Program, home: Path, server: Server, tokens: int) -> Figures:
    with contextlib.closing(Session(program, home, server)) as session:
        before = set(session.figures)
        session.ask_and_wait(200, RATE)
        session.echo(min(tokens, 3000), RATE)
        return {name: value for name, value in session.figures.items() if name not in before}


def _columns(program: Program, home: Path, server: Server, tokens: int) -> Figures:
    """Ours alone: an ensemble of three."""
    if program.name != OURS:
        return {}
    with contextlib.closing(Session(program, home, server)) as session:
        before = set(session.figures)
        session.ask_and_wait(200, RATE)
        session.terminal.type("/ensemble 3")
        time.sleep(1)
        session.terminal.type("\r")
        session.terminal.rest()
        session.stream(tokens, RATE, "columns", 3)
        session.echo(min(tokens, 3000), RATE, "columns_echo", 3)
        return {name: value for name, value in session.figures.items() if name not in before}


def _long(program: Program, home: Path, server: Server, tokens: int) -> Figures:
    """Ours alone: a session of 10,000 messages beside one of two."""
    if program.name != OURS:
        return {}
    environment, command = program.prepare(home, server.port), list(program.command)
    words = {"short": bring_in("cricket", 2, home, environment, command)}
    words["long"] = bring_in("elephant", MESSAGES, home, environment, command)
    with contextlib.closing(Session(program, home, server)) as session:
        before = set(session.figures)
        session.ask_and_wait(200, RATE)
        session.open_session("cricket", words["short"], "short_session")
        session.stream(tokens, RATE, "short_session_stream")
        session.open_session("elephant", words["long"], "long_session")
        session.stream(tokens, RATE, "long_session_stream")
        return {name: value for name, value in session.figures.items() if name not in before}


_PARTS: dict[str, Callable[[Program, Path, Server, int], Figures]] = {
    "start": _start,
    "stream": _stream,
    "echo": _echo,
    "columns": _columns,
    "long": _long,
}


def ratios(of: Figures, to: Figures) -> dict[str, float]:
    """How many times the peer's figure ours is."""
    both = {
        name: (mine, theirs)
        for name, mine in of.items()
        if isinstance(mine, int | float) and isinstance(theirs := to.get(name), int | float) and theirs
    }
    return {name: round(mine / theirs, 3) for name, (mine, theirs) in both.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=4000)
    parser.add_argument("--parts", default=",".join(_PARTS), help="which of them")
    parser.add_argument("--peers", default="", help="programs to measure beside ours: elia, oterm, parllama, gptme")
    parser.add_argument("--environments", type=Path, default=Path(tempfile.gettempdir()) / "console-peers")
    options = parser.parse_args()
    heed_nice()
    parts = options.parts.split(",")
    yardstick, results = Yardstick(), {}
    before = os.getloadavg()
    left_out: dict[str, str] = {}
    programs = [ours()]
    for peer in filter(None, options.peers.split(",")):
        try:
            programs.append(install(peer, options.environments))
        except Unavailable as error:
            left_out[peer] = str(error)
    server = Server()
    try:
        for program in programs:
            results[program.name] = measure(program, server, options.tokens, parts)
    finally:
        server.close()
    result: dict[str, Any] = {
        "tokens": options.tokens,
        "tokens_a_second": RATE,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load": [round(before[0], 1), round(os.getloadavg()[0], 1)],
        "yardstick_ms": [round(min(yardstick.took), 2), round(statistics.mean(yardstick.took), 2)],
        "programs": results,
        "ours_to_theirs": {name: ratios(results[OURS], found) for name, found in results.items() if name != OURS},
        "left_out": left_out,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
