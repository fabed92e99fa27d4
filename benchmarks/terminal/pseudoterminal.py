"""A program at a pseudo-terminal: every byte it writes, the modes it leaves, what it may not have meant."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, "-m", "tui_orchestrator")

# What a capable terminal answers: synchronised output and resizes told in band are there, and off (DECRQM).
_ANSWERS = {b"\x1b[?2026$p": b"\x1b[?2026;2$y", b"\x1b[?2048$p": b"\x1b[?2048;2$y"}

_MODES = re.compile(rb"\x1b\[\?([\d;]+)([hl])|\x1b\[(>\d*|<\d*)u|\x1b\[(\d*) q")
_ON_AT_FIRST = {7: True, 25: True}

SEQUENCE = re.compile(
    rb"\x1b(?:\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]|[\]PX^_].*?(?:\x07|\x1b\\)|[\x20-\x2f]*[\x30-\x7e])", re.DOTALL
)
"""An escape sequence as ECMA-48 has it."""
_OURS = re.compile(
    rb"\x1b\[(?:[\d;]*m"  # colours
    rb"|\d+;\d+H"  # a place
    rb"|\?(?:2026|25|1049|1000|1003|1015|1006|1016|1004|2004|2048|7)[hl]"  # modes
    rb"|\?(?:2026|2048)\$p"  # what the terminal can
    rb"|>\d+u|<u"  # the keyboard's
    rb"|2K)"  # a status line is wiped
    rb"|\x1b\]22;\w*\x07"  # the pointer's shape
)
_HOSTILE_NUMBER = b"31337"
"""In every sequence of the hostile texts that could else be one of the program's own."""
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_OTHER = re.compile("[\x80-\x9f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]")


def foreign(written: bytes) -> list[str]:
    """Every control in it that the program does not write by itself."""
    found = []
    for match in SEQUENCE.finditer(written):
        if not _OURS.fullmatch(match[0]) or _HOSTILE_NUMBER in match[0]:
            found.append(repr(match[0][:80]))
    rest = SEQUENCE.sub(b"", written)
    found += [repr(match[0]) for match in _CONTROLS.finditer(rest)]
    found += [repr(match[0]) for match in _OTHER.finditer(rest.decode(errors="replace"))]
    return found


class Gone(Exception):
    """What was waited for never came."""


class Process(Protocol):
    """What is asked of a program that was started."""

    pid: int
    returncode: Any

    def poll(self) -> int | None: ...

    def wait(self) -> int: ...

    def kill(self) -> None: ...


Start = Callable[[Sequence[str], Mapping[str, str], Path | None, int], Process]
"""Of a command, with its environment, its directory and the file that is its terminal."""


def started(command: Sequence[str], environment: Mapping[str, str], cwd: Path | None, terminal: int) -> Process:
    return subprocess.Popen(
        command,
        env=dict(environment),
        cwd=cwd,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )


class Pseudoterminal:
    """One program, in a session of its own. `written` is all that came out of it."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        size: tuple[int, int] = (100, 30),
        cwd: Path | None = None,
        capable: bool = True,
        start: Start = started,
    ) -> None:
        """`capable`: it answers what a modern terminal answers."""
        self.written = b""
        self._capable = capable
        self._taken = b""
        self._answered = 0
        self.master, self._slave = os.openpty()
        self.resize(*size)
        self.before = self.stty()
        self.process = start(command, environment, cwd, self._slave)

    def __enter__(self) -> Pseudoterminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for end in (self.master, self._slave):
            if end >= 0:
                os.close(end)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def stty(self) -> str:
        """As `stty -a` tells the terminal's state."""
        return subprocess.run(["stty", "-a"], stdin=self._slave, capture_output=True, text=True, check=True).stdout

    def modes(self) -> dict[str, object]:
        """What the program has switched and not switched back: nothing, in an order that is kept."""
        on = dict(_ON_AT_FIRST)
        keyboard = 0
        shape = b""
        for match in _MODES.finditer(self._taken + self.written):
            numbers, switch, stack, cursor = match.groups()
            if numbers is not None:
                on |= dict.fromkeys(map(int, numbers.split(b";")), switch == b"h")
            elif stack is not None:
                keyboard = max(0, keyboard + (1 if stack.startswith(b">") else -1))
            else:
                shape = cursor
        left: dict[str, object] = {
            str(mode): state for mode, state in on.items() if state != _ON_AT_FIRST.get(mode, False)
        }
        if keyboard:
            left["keyboard"] = keyboard
        if shape not in (b"", b"0"):
            left["cursor"] = shape.decode()
        return left

    def take(self) -> bytes:
        """What is written so far, up to the last whole sequence; it is forgotten but for its modes."""
        end = self.written.rfind(b"\x1b")
        taken, self.written = self.written[:end], self.written[end:]
        self._answered = 0
        self._taken += b"".join(match[0] for match in _MODES.finditer(taken))
        return taken

    def send(self, data: bytes) -> None:
        while data:
            _, ready, _ = select.select([], [self.master], [], 0.2)
            if ready:
                data = data[os.write(self.master, data[:512]) :]
            self.read(0)
            if self.process.poll() is not None:
                return

    def kill(self, number: int) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, number)

    def read(self, timeout: float) -> bool:
        """Whether anything came."""
        ready, _, _ = select.select([self.master], [], [], timeout)
        if not ready:
            return False
        try:
            piece = os.read(self.master, 65_536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return False
        self.written += piece
        if self._capable:
            for question, answer in _ANSWERS.items():
                if question in self.written[self._answered :]:
                    os.write(self.master, answer)
            self._answered = max(0, len(self.written) - 8)
        return bool(piece)

    def until(self, text: bytes, timeout: float = 120) -> None:
        """Raises Gone when it has not come by then."""
        end = time.monotonic() + timeout
        while text not in self.written:
            if not self.read(0.1) and (time.monotonic() > end or self.process.poll() is not None):
                raise Gone(f"{text!r} never came; the last of what it wrote was {self.written[-400:]!r}")

    def quiet(self, seconds: float = 0.3, within: float = 60) -> None:
        """Reads until nothing has come for a while."""
        end = time.monotonic() + within
        while self.read(seconds) and time.monotonic() < end:
            pass

    def stopped(self, timeout: float = 60) -> None:
        """Waits until the program, a child of this process, stands still."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            self.read(0.02)
            pid, status = os.waitpid(self.process.pid, os.WUNTRACED | os.WNOHANG)
            if pid and os.WIFSTOPPED(status):
                return
        raise Gone("it did not stop")

    def end(self, timeout: float = 60) -> int:
        """Its exit code; a signal's is negative. Raises Gone when it goes on."""
        end = time.monotonic() + timeout
        while self.process.poll() is None:
            self.read(0.05)
            if time.monotonic() > end:
                raise Gone(f"it did not end; the last of what it wrote was {self.written[-300:]!r}")
        while self.read(0):
            pass
        return int(self.process.returncode)

    def hang_up(self) -> None:
        """The terminal goes away: its window was closed."""
        os.close(self.master)
        os.close(self._slave)
        self.master = self._slave = -1


def environment(home: Path, **more: str) -> dict[str, str]:
    """Of a user with a home of their own and no keys."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {
        "TERM": "xterm-256color",
        **kept,
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        "TUI_ORCHESTRATOR_HOME": str(home / "own"),
        **more,
    }


def signals(*names: str) -> list[signal.Signals]:
    return [signal.Signals[name] for name in names]
