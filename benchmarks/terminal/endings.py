"""Ways in which a program that draws on a terminal comes to its end, and whether the terminal is whole after each."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .pseudoterminal import PROGRAM, Gone, Pseudoterminal, Start, environment, started

Act = Callable[[Pseudoterminal], int]
READY = b"Where to"
RESTORED_WITHIN_S = 5.0
CONSOLE = (*PROGRAM, "demo")
RAISES = """
import sys
from tui_orchestrator.settings import load
from tui_orchestrator.ui import app
class Broken(app.ConsoleApp):
    def on_mount(self):
        super().on_mount()
        self.set_timer(1.5, lambda: {raised})
app.ConsoleApp = Broken
sys.exit(app.run_console(load(), demo=True))
"""

HOMELESS = """
import pwd, sys
def unknown(number):
    raise KeyError(f"getpwuid(): uid not found: {number}")
pwd.getpwuid = unknown
sys.argv = ["tui-orchestrator", "demo"]
from tui_orchestrator.__main__ import process
process()
"""
"""As for a user id that the system's user database does not know, in a container for one."""


@dataclass(frozen=True)
class Ending:
    act: Act
    command: tuple[str, ...] = CONSOLE
    more: dict[str, str] = field(default_factory=dict)
    size: tuple[int, int] = (100, 30)
    codes: tuple[int, ...] = (0,)


def _settle(terminal: Pseudoterminal) -> None:
    terminal.until(READY)
    terminal.quiet(within=0.5)


def _keys(*keys: bytes) -> Act:
    def act(terminal: Pseudoterminal) -> int:
        _settle(terminal)
        for key in keys:
            terminal.send(key)
            # What is typed while the terminal is handed to an editor is the editor's.
            terminal.quiet(0.1, within=4 if key == b"\x05" else 0.4)
            if key == b"\x05":
                time.sleep(1)
                terminal.quiet(0.1, within=1)
        return terminal.end()

    return act


def _homeless(terminal: Pseudoterminal) -> int:
    """It says so, runs, and answers."""
    terminal.until(b"No home directory was found")
    terminal.until(READY)
    terminal.until(b"Nothing decided yet")
    terminal.send(b"hello\r")
    terminal.until(b"Scripted demo answer")
    terminal.send(b"\x11")
    return terminal.end()


def _signal(number: int, *before: bytes) -> Act:
    def act(terminal: Pseudoterminal) -> int:
        _settle(terminal)
        for key in before:
            terminal.send(key)
            terminal.quiet(0.1, within=0.4)
        terminal.kill(number)
        return terminal.end()

    return act


def _early(number: int, after: bytes = b"\x1b[?1049h", wait: float = 0.0) -> Act:
    def act(terminal: Pseudoterminal) -> int:
        terminal.until(after)
        time.sleep(wait)
        terminal.kill(number)
        return terminal.end()

    return act


def _stopped(stop: int, *then: int) -> Act:
    def act(terminal: Pseudoterminal) -> int:
        _settle(terminal)
        terminal.kill(stop)
        terminal.stopped()
        if stop == signal.SIGTSTP:
            terminal.quiet(0.1, within=1)
            if terminal.modes() or terminal.stty() != terminal.before:
                raise Gone(f"while it is stopped the terminal is not as it was: {terminal.modes()}")
        for number in then:
            terminal.kill(number)
        terminal.kill(signal.SIGCONT)
        if not then:
            terminal.quiet(within=1)
            terminal.send(b"\x11")
        return terminal.end()

    return act


def _go_on(terminal: Pseudoterminal) -> int:
    _settle(terminal)
    terminal.kill(signal.SIGCONT)
    terminal.quiet(within=1)
    terminal.send(b"\x11")
    return terminal.end()


def _resized(terminal: Pseudoterminal) -> int:
    _settle(terminal)
    for number in range(200):
        terminal.resize(1 + number * 37 % 240, 1 + number * 13 % 70)
        terminal.kill(signal.SIGWINCH)
        terminal.read(0.002)
    terminal.resize(100, 30)
    terminal.kill(signal.SIGWINCH)
    terminal.quiet(within=2)
    terminal.send(b"\x11")
    return terminal.end()


def _twice(number: int) -> Act:
    def act(terminal: Pseudoterminal) -> int:
        _settle(terminal)
        terminal.kill(number)
        time.sleep(0.01)
        terminal.kill(number)
        return terminal.end()

    return act


def _silent(terminal: Pseudoterminal) -> int:
    """It takes nothing from some moment on, while an answer streams; then it is to end."""
    _settle(terminal)
    terminal.send(b"tell me a long story about a fox\r")
    terminal.quiet(0.1, within=1)
    time.sleep(3)
    terminal.kill(signal.SIGTERM)
    end = time.monotonic() + 12
    while terminal.process.poll() is None:
        if time.monotonic() > end:
            raise Gone("it goes on for as long as the terminal takes nothing")
        time.sleep(0.05)
    return terminal.end()


def _unseen(terminal: Pseudoterminal) -> int:
    """Where too little is drawn to be waited for."""
    terminal.until(b"\x1b[?1049h")
    terminal.quiet(1.5, within=8)
    terminal.send(b"\x11")
    return terminal.end()


def _ends(terminal: Pseudoterminal) -> int:
    return terminal.end()


def _interrupted(number: int) -> Act:
    def act(terminal: Pseudoterminal) -> int:
        terminal.until(b"waiting for")
        terminal.kill(number)
        return terminal.end()

    return act


_ASK = (*PROGRAM, "--demo", "ask", "tell me a long story about a fox")
_STREAM = (b"tell me a long story about a fox\r",)
_PASTE = b"\x1b[200~" + b"a line of a paste\n" * 20_000 + b"\x1b[201~"
_GARBAGE = bytes(range(128, 256)) * 8 + b"\x1b[99999999999999u\x1b[1114112;1u\x1b[<0;0;0M\x1bP\x1b]\x1b_\xff\xc3("


def _raises(what: str) -> tuple[str, ...]:
    return (PROGRAM[0], "-c", RAISES.format(raised=what))


ENDINGS: dict[str, Ending] = {
    "ctrl+q": Ending(_keys(b"\x11")),
    "/quit": Ending(_keys(b"/quit\r")),
    "ctrl+c twice": Ending(_keys(b"\x03", b"\x03")),
    "ctrl+q while an answer streams": Ending(_keys(*_STREAM, b"\x11")),
    "ctrl+c thrice while an answer streams": Ending(_keys(*_STREAM, b"\x03", b"\x03", b"\x03")),
    "ctrl+q over the help": Ending(_keys(b"\x1bOP", b"\x11")),
    "ctrl+q over the list of sessions": Ending(_keys(b"\x0c", b"\x11", b"\x1b", b"\x11")),
    "ctrl+q over the palette": Ending(_keys(b"\x10", b"\x11", b"\x1b", b"\x11")),
    "ctrl+q after an editor": Ending(_keys(b"\x05", b"\x11"), more={"EDITOR": "true"}),
    "ctrl+q after an editor that left the terminal raw": Ending(_keys(b"\x05", b"\x11"), more={"EDITOR": "stty raw #"}),
    "ctrl+q after an editor that is not there": Ending(_keys(b"\x05", b"\x11"), more={"EDITOR": "no-such-editor"}),
    "ctrl+q after a resize storm": Ending(_resized),
    "ctrl+q after a huge paste": Ending(_keys(_PASTE, b"\x11")),
    "ctrl+q after bytes that are no keys": Ending(_keys(_GARBAGE, b"\x1b", b"\x11")),
    "ctrl+q at 1x1": Ending(_unseen, size=(1, 1)),
    "ctrl+q at 500x200": Ending(_keys(b"\x11"), size=(500, 200)),
    "ctrl+q at 40x10": Ending(_unseen, size=(40, 10)),
    "SIGINT": Ending(_signal(signal.SIGINT), codes=(130,)),
    "SIGTERM": Ending(_signal(signal.SIGTERM), codes=(143,)),
    "SIGHUP": Ending(_signal(signal.SIGHUP), codes=(129,)),
    "SIGQUIT": Ending(_signal(signal.SIGQUIT), codes=(131,)),
    "SIGTERM while an answer streams": Ending(_signal(signal.SIGTERM, *_STREAM), codes=(143,)),
    "SIGHUP while an answer streams": Ending(_signal(signal.SIGHUP, *_STREAM), codes=(129,)),
    "SIGINT while an answer streams": Ending(_signal(signal.SIGINT, *_STREAM), codes=(130,)),
    "SIGTERM over a dialog": Ending(_signal(signal.SIGTERM, b"\x1bOP"), codes=(143,)),
    "SIGTERM twice": Ending(_twice(signal.SIGTERM), codes=(143, -15)),
    "SIGTERM in an editor": Ending(_signal(signal.SIGTERM, b"\x05"), more={"EDITOR": "sleep 1 #"}, codes=(143, -15)),
    "SIGTERM at the start": Ending(_early(signal.SIGTERM), codes=(143, -15)),
    "SIGTERM 0.2 s later": Ending(_early(signal.SIGTERM, wait=0.2), codes=(143, -15)),
    "SIGTERM 0.5 s later": Ending(_early(signal.SIGTERM, wait=0.5), codes=(143, -15)),
    "SIGHUP at the start": Ending(_early(signal.SIGHUP), codes=(129, -1)),
    "SIGINT at the start": Ending(_early(signal.SIGINT), codes=(130, 0, 1, -2)),
    "SIGKILL": Ending(_signal(signal.SIGKILL), codes=(-9,)),
    "SIGKILL while an answer streams": Ending(_signal(signal.SIGKILL, *_STREAM), codes=(-9,)),
    "SIGKILL at the start": Ending(_early(signal.SIGKILL), codes=(-9,)),
    "SIGSEGV": Ending(_signal(signal.SIGSEGV), codes=(-11,)),
    "SIGABRT": Ending(_signal(signal.SIGABRT), codes=(-6,)),
    "SIGUSR1": Ending(_signal(signal.SIGUSR1), codes=(-10,)),
    "SIGALRM": Ending(_signal(signal.SIGALRM), codes=(-14,)),
    "SIGXCPU": Ending(_signal(signal.SIGXCPU), codes=(-24,)),
    "SIGTSTP, SIGCONT, ctrl+q": Ending(_stopped(signal.SIGTSTP)),
    "SIGTSTP, SIGTERM, SIGCONT": Ending(_stopped(signal.SIGTSTP, signal.SIGTERM), codes=(143,)),
    "SIGTSTP, SIGKILL": Ending(_stopped(signal.SIGTSTP, signal.SIGKILL), codes=(-9,)),
    "SIGSTOP, SIGCONT, ctrl+q": Ending(_stopped(signal.SIGSTOP)),
    "SIGSTOP, SIGTERM, SIGCONT": Ending(_stopped(signal.SIGSTOP, signal.SIGTERM), codes=(143,)),
    "SIGCONT alone, ctrl+q": Ending(_go_on),
    "a terminal that takes nothing, SIGTERM": Ending(_silent, codes=(143,)),
    "an exception in a timer": Ending(_ends, _raises("1 / 0"), codes=(1,)),
    "an exception in a timer, SystemExit": Ending(_ends, _raises("sys.exit(7)"), codes=(7, 0, 1)),
    "a real segmentation fault": Ending(_ends, _raises("__import__('ctypes').string_at(0)"), codes=(-11,)),
    "a real abort": Ending(_ends, _raises("__import__('os').abort()"), codes=(-6,)),
    "os._exit": Ending(_ends, _raises("__import__('os')._exit(3)"), codes=(3,)),
    "TERM=dumb": Ending(_ends, more={"TERM": "dumb"}, codes=(2,)),
    "TERM=unknown": Ending(_ends, more={"TERM": "unknown"}, codes=(2,)),
    "no TERM": Ending(_keys(b"\x11"), more={"TERM": ""}, codes=(0, 2)),
    "a locale without UTF-8": Ending(
        _keys(b"\x11"),
        more={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "latin-1"},
    ),
    "no home directory": Ending(
        _homeless, (PROGRAM[0], "-c", HOMELESS), more={"HOME": "", "TUI_ORCHESTRATOR_HOME": ""}
    ),
    "a home that is a file": Ending(_keys(b"\x11"), more={"TUI_ORCHESTRATOR_HOME": "/dev/null"}, codes=(0, 1, 2)),
    "ask, SIGINT": Ending(_interrupted(signal.SIGINT), _ASK, codes=(130,)),
    "ask, SIGTERM": Ending(_interrupted(signal.SIGTERM), _ASK, codes=(130, 143, -15)),
    "ask, SIGHUP": Ending(_interrupted(signal.SIGHUP), _ASK, codes=(130, 129, -1)),
    "ask, SIGKILL": Ending(_interrupted(signal.SIGKILL), _ASK, codes=(-9,)),
}


def tried(name: str, *, patience_s: float = RESTORED_WITHIN_S, start: Start = started) -> str:
    """What is wrong after this ending; nothing, where all is as it was."""
    ending = ENDINGS[name]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        home = Path(directory)
        own = environment(home, **ending.more)
        own = {key: value for key, value in own.items() if value or key == "TERM"}
        with Pseudoterminal(ending.command, own, size=ending.size, cwd=home, start=start) as terminal:
            try:
                code = ending.act(terminal)
            except Gone as error:
                return str(error)
            # What is done in place of a program that was killed comes a moment later.
            end = time.monotonic() + patience_s
            while (terminal.modes() or terminal.stty() != terminal.before) and time.monotonic() < end:
                terminal.read(0.05)
            if terminal.modes():
                return f"modes are left: {terminal.modes()}"
            if terminal.stty() != terminal.before:
                return "stty tells another state"
            if b"Traceback" in terminal.written and "exception" not in name:
                return f"a traceback: {terminal.written[-600:]!r}"
            return "" if code in ending.codes else f"exit code {code}, not one of {ending.codes}"


def hung_up(patience_s: float = 20, start: Start = started) -> str:
    """The terminal goes away, as when its window is closed: the program ends, and so do all it started."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        home = Path(directory)
        with Pseudoterminal(CONSOLE, environment(home), cwd=home, start=start) as terminal:
            try:
                _settle(terminal)
            except Gone as error:
                return str(error)
            terminal.hang_up()
            end = time.monotonic() + patience_s
            while terminal.process.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
            code = terminal.process.poll()
            return "" if code == 129 else f"after {patience_s:g} s its exit code is {code}"


def left_over(pattern: str = "state=$line") -> int:
    """How many of the shells that look after a terminal are still there."""
    found = 0
    for process in Path("/proc").iterdir():
        try:
            found += process.name.isdigit() and pattern.encode() in (process / "cmdline").read_bytes()
        except OSError:
            continue
    return found
