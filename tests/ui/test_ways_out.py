"""How the console starts and how it is left. `benchmarks/endings.py` tries all the ways out there are."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.terminal.endings import CONSOLE, ENDINGS, READY, hung_up, tried
from benchmarks.terminal.pseudoterminal import Pseudoterminal, environment, started
from tests.warm import AtTerminal
from tui_orchestrator.ui.terminal import MOST

HERE = ("SIGTERM while an answer streams", "SIGKILL", "no home directory", "SIGTSTP, SIGCONT, ctrl+q")
"""In order, in none, without a place to keep anything, and by a key after the terminal was another's. The last is
started, the others forked."""

PATIENCE_S = 120
"""A program that hangs hangs for ever; one among ten on a processor may take half a minute to end."""


@pytest.mark.parametrize("way", HERE)
def test_the_terminal_is_left_whole(way: str) -> None:
    assert tried(way, patience_s=PATIENCE_S, start=started if way == HERE[-1] else AtTerminal) == ""


def test_the_program_ends_when_its_terminal_goes_away() -> None:
    assert hung_up(PATIENCE_S, AtTerminal) == ""


def test_a_crash_prints_where_it_was_and_neither_variables_nor_keys(tmp_path: Path) -> None:
    key = "sk-planted-0123456789abcdef"
    command = [part.replace("1 / 0", "int(self.settings.providers['openai'].api_key.reveal())") for part in CRASH]
    own = environment(tmp_path, OPENAI_API_KEY=key)
    with Pseudoterminal(command, own, cwd=tmp_path, start=AtTerminal) as terminal:
        assert terminal.end(60) == 1
        assert terminal.modes() == {}
    said = terminal.written.decode(errors="replace")
    assert "invalid literal for int() with base 10: 'sk-…cdef'" in said
    assert key not in said
    assert "locals" not in said


def test_what_the_terminal_answers_while_it_is_left_turns_nothing_on(tmp_path: Path) -> None:
    command = (sys.executable, "-c", ANSWERED_LATE)
    with Pseudoterminal(command, environment(tmp_path), cwd=tmp_path, start=AtTerminal) as terminal:
        terminal.until(READY)
        terminal.send(b"\x11")
        assert terminal.end(60) == 0
        assert terminal.modes() == {}


@pytest.mark.cells
@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGCONT])
@pytest.mark.parametrize("among", ["_writer_thread._queue.mutex", "together()"], ids=["a write", "what is kept back"])
def test_a_signal_in_the_middle_of_a_step_is_heeded_after_it(tmp_path: Path, number: int, among: str) -> None:
    command = (sys.executable, "-c", STRUCK.format(among=among, number=int(number)))
    with Pseudoterminal(command, environment(tmp_path), cwd=tmp_path, start=started) as terminal:
        terminal.until(READY)
        terminal.kill(signal.SIGUSR1)
        if number == signal.SIGTSTP:
            terminal.stopped()
            terminal.quiet(0.1, within=1)
            assert (terminal.modes(), terminal.stty()) == ({}, terminal.before)
            terminal.kill(signal.SIGCONT)
        terminal.until(b"struck")
        terminal.send(b"zq")
        terminal.until(b"zq")
        terminal.send(b"\x11")
        assert terminal.end() == 0
        assert terminal.modes() == {}


@pytest.mark.parametrize("capable", [True, False], ids=["told in band", "asked of the system"])
def test_a_terminal_that_says_it_is_huge_holds_nothing_up(tmp_path: Path, capable: bool) -> None:
    with Pseudoterminal(CONSOLE, environment(tmp_path), cwd=tmp_path, capable=capable, start=AtTerminal) as terminal:
        terminal.until(READY)
        terminal.send(b"\x1b[48;999999999;999999999;1;1t")
        if not capable:
            terminal.resize(65_535, 65_535)
            terminal.kill(signal.SIGWINCH)
        terminal.until(f"\x1b[{MOST[1]};".encode())
        terminal.take()
        terminal.send(b"zq")
        terminal.until(b"zq")
        terminal.send(b"\x11")
        assert terminal.end() == 0
        assert terminal.modes() == {}


CRASH = ENDINGS["an exception in a timer"].command

STRUCK = """
import asyncio, os, signal, sys
from tui_orchestrator.settings import load
from tui_orchestrator.ui import app
class Struck(app.ConsoleApp):
    def on_mount(self):
        super().on_mount()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self.strike)
    def strike(self):
        with self._driver.{among}:
            os.kill(os.getpid(), {number})
        self.notify("struck")
app.ConsoleApp = Struck
sys.exit(app.run_console(load(), demo=True))
"""
ANSWERED_LATE = """
import sys
from textual.messages import InBandWindowResize
from tui_orchestrator.settings import load
from tui_orchestrator.ui import app, terminal

class Late(terminal.Terminal):
    def _disable_in_band_window_resize(self):
        super()._disable_in_band_window_resize()
        self.process_message(InBandWindowResize(True, False))

terminal.Terminal = Late
sys.exit(app.run_console(load(), demo=True))
"""


def test_the_console_imports_no_sdk() -> None:
    script = (
        "import sys, tui_orchestrator.ui.app\n"
        "heavy = {'anthropic', 'openai', 'google.genai', 'genai_prices', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
