"""What is measured of a program in its terminal, all from outside. Times are in seconds unless named else."""

from __future__ import annotations

import json
import queue
import random
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from .programs import Program
from .screen import NotSeen

Figures = dict[str, Any]
KEY_EVERY_S = 0.25
IDLE_S = 20.0
LIST_SESSIONS = "\x0c"
"""Ctrl+L."""


class Server:
    def __init__(self) -> None:
        command = [sys.executable, "-m", "terminal.server"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1], text=True)
        self._said: queue.Queue[dict[str, Any]] = queue.Queue()
        assert self._process.stdout is not None
        self.port = int(json.loads(self._process.stdout.readline())["port"])
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.put(json.loads(line))

    def ended(self, seconds: float, least: int = 0) -> dict[str, Any]:
        """The next answer of at least so many tokens that was out whole."""
        end = time.monotonic() + seconds
        while True:
            try:
                said = self._said.get(timeout=max(0.1, end - time.monotonic()))
            except queue.Empty:
                raise TimeoutError("no answer was asked for, or it did not end") from None
            if said["tokens"] >= least:
                return said

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


class Session:
    """One run of one program, up to a prompt that can be typed."""

    def __init__(self, program: Program, home: Path, server: Server) -> None:
        self.program, self.server = program, server
        self.terminal = program.start(home, server.port)
        self.figures: Figures = {}
        try:
            program.to_prompt(self.terminal)
            self._until_typed()
        except BaseException:
            self.terminal.close()
            raise

    def _until_typed(self) -> None:
        """Types until a letter comes back."""
        terminal = self.terminal
        typed: list[str] = []
        end, last = time.monotonic() + 60, 0.0
        while not any(terminal.when(letter) for letter in typed):
            if time.monotonic() > end or not terminal.alive:
                raise NotSeen(f"no letter was seen in the prompt; the last was {terminal.tail()!r}")
            if time.monotonic() > last + 0.3:
                letter, last = terminal.press()
                typed.append(letter)
            time.sleep(0.01)
        self.figures["start_cpu_s"] = round(terminal.processor_s(), 2)
        self.figures["start_mb"] = round(terminal.megabytes(), 1)
        self.figures["start_wall_s"] = round(time.monotonic() - terminal.began, 2)
        terminal.rest()
        self.figures["settled_cpu_s"] = round(terminal.processor_s(), 2)
        self.figures["settled_mb"] = round(terminal.megabytes(), 1)
        self.erase(len(typed))

    def erase(self, letters: int) -> None:
        self.terminal.type("\x7f" * letters)
        time.sleep(0.5)

    def ask(self, tokens: int, rate: int) -> None:
        self.terminal.type(f"Write {tokens} tokens at {rate}")
        time.sleep(1.0)
        self.terminal.forget()
        self.terminal.type(self.program.submit)

    def ask_and_wait(self, tokens: int, rate: int) -> None:
        self.ask(tokens, rate)
        said = self.server.ended(60 + 3 * tokens / rate, tokens)
        self.terminal.wait(said["ended"], 120)
        self.terminal.rest()

    def first_answer(self) -> None:
        self.ask_and_wait(200, 100)
        self.figures["first_answer_cpu_s"] = round(self.terminal.processor_s(), 2)
        self.figures["first_answer_mb"] = round(self.terminal.megabytes(), 1)

    def idle(self) -> None:
        self.terminal.rest()
        time.sleep(3)
        before, began = self.terminal.processor_s(), time.monotonic()
        time.sleep(IDLE_S)
        spent = self.terminal.processor_s() - before
        self.figures["idle_percent"] = round(100 * spent / (time.monotonic() - began), 2)

    def stream(self, tokens: int, rate: int, name: str = "stream", columns: int = 1) -> None:
        """`columns` answers at once. Processor time is per 1,000 tokens of each, from Enter until all is at rest."""
        before = self.terminal.processor_s()
        self.ask(tokens, rate)
        ends = [self.server.ended(60 + 3 * tokens / rate, tokens) for _ in range(columns)]
        seen = [self.terminal.wait(end["ended"], 300) - end["at"] for end in ends]
        self.terminal.rest()
        spent = self.terminal.processor_s() - before
        self.figures[f"{name}_cpu_s_per_1000"] = round(spent * 1000 / tokens, 2)
        self.figures[f"{name}_behind_s"] = round(max(seen), 2)
        self.figures[f"{name}_mb"] = round(self.terminal.megabytes(), 1)

    def echo(self, tokens: int, rate: int, name: str = "echo", columns: int = 1) -> None:
        """While `columns` answers stream. A key that is not seen within a minute counts as one."""
        self.ask(tokens, rate)
        time.sleep(2)
        pressed: list[tuple[str, float]] = []
        began = time.monotonic()
        while time.monotonic() < began + tokens / rate - 4:
            pressed.append(self.terminal.press())
            # Unevenly, or keys would fall in step with what is drawn a dozen times a second.
            time.sleep(KEY_EVERY_S * random.uniform(0.7, 1.3))
        ends = [self.server.ended(60 + 3 * tokens / rate, tokens) for _ in range(columns)]
        for end in ends:
            self.terminal.wait(end["ended"], 300)
        waits = [1000 * ((self.terminal.when(letter) or at + 60) - at) for letter, at in pressed]
        self.figures[f"{name}_p50_ms"] = round(statistics.median(waits), 1)
        self.figures[f"{name}_p95_ms"] = round(statistics.quantiles(waits, n=20)[-1], 1)
        self.figures[f"{name}_max_ms"] = round(max(waits), 1)
        self.erase(len(pressed))
        self.terminal.rest()

    def open_session(self, word: str, last: str, name: str) -> None:
        """Of ours, by a word of its title; from Enter until its `last` word stands on the screen, and until all is at
        rest."""
        self.terminal.type(LIST_SESSIONS)
        time.sleep(1)
        self.terminal.type(word)
        self.terminal.rest()
        self.terminal.forget()
        before = self.terminal.processor_s()
        self.terminal.type("\r")
        self.terminal.wait(last)
        self.figures[f"{name}_paint_cpu_s"] = round(self.terminal.processor_s() - before, 2)
        self.terminal.rest()
        self.figures[f"{name}_rest_cpu_s"] = round(self.terminal.processor_s() - before, 2)

    def close(self) -> None:
        self.terminal.close()
