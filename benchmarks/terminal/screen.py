"""A program in a pseudo-terminal: keys go in, bytes come out with the moment they came, and its use is read from /proc.

Nothing is drawn here: a terminal of our own would compete with the program for the processor. What is looked for is
looked for in what is written, without its escape sequences; so it must be one word, and one that is written once.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

SIZE = (160, 48)
_ESCAPES = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|P[^\x1b]*\x1b\\|[()][A-Z0-9]|[=>78cMDEH])"
    rb"|[\x00-\x08\x0e-\x1a]"
)
_QUESTIONS = {b"\x1b[6n": b"\x1b[1;1R", b"\x1b[c": b"\x1b[?62;22c", b"\x1b[?u": b""}
"""What a program asks its terminal, and waits for the answer to."""
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
FRESH = [chr(code) for code in (*range(0x410, 0x450), *range(0x561, 0x587), *range(0x10D0, 0x10F1))]
"""Letters that no program writes by itself: each is typed once, so that its echo is its first appearance."""


class NotSeen(Exception):
    """What was waited for did not come."""


class Terminal:
    def __init__(self, command: Sequence[str], environment: Mapping[str, str], directory: Path) -> None:
        self.began = time.monotonic()
        self._written: list[tuple[float, bytes]] = []
        """Since the last `forget`."""
        self._arrived = threading.Condition()
        self._searches: dict[str, _Search] = {}
        self._fresh = iter(FRESH)
        self._left = False
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(directory)
                heed_nice()
                os.execvpe(
                    command[0], list(command), {**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
                )
            finally:
                os._exit(127)
        _calm(self._master)
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 1 << 16)
            except OSError:
                return
            if not data:
                return
            now = time.monotonic()
            for question, answer in _QUESTIONS.items():
                if answer and question in data:
                    os.write(self._master, answer)
            with self._arrived:
                self._written.append((now, data))
                self._arrived.notify_all()

    # -- keys and screen

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def press(self) -> tuple[str, float]:
        """Types a letter that was not typed before. Returns it, and when."""
        letter = next(self._fresh)
        now = time.monotonic()
        self.type(letter)
        return letter, now

    def forget(self) -> None:
        """What was written until now is not looked at any more."""
        with self._arrived:
            self._written.clear()
        self._searches.clear()

    def when(self, word: str) -> float | None:
        """When the word was first written, since the last `forget`."""
        search = self._searches.setdefault(word, _Search(word))
        with self._arrived:
            fresh = self._written[search.looked_at :]
        for at, data in fresh:
            search.look(at, data)
        return search.found

    def wait(self, word: str, seconds: float = 60.0) -> float:
        """When it was written. Raises NotSeen."""
        end = time.monotonic() + seconds
        while (at := self.when(word)) is None:
            if time.monotonic() > end or not self.alive:
                raise NotSeen(f"{word!r} was not written; the last was {self.tail()!r}")
            with self._arrived:
                self._arrived.wait(0.05)
        return at

    def rest(self, seconds: float = 1.0, most: float = 60.0) -> None:
        """Until the program has hardly used the processor for so long."""
        end = time.monotonic() + most
        while time.monotonic() < end:
            before = self.processor_s()
            time.sleep(seconds)
            if self.processor_s() - before <= 0.02 * seconds:
                return

    def tail(self) -> str:
        with self._arrived:
            data = b"".join(data for _, data in self._written)
        return _ESCAPES.sub(b" ", data)[-400:].decode(errors="replace")

    # -- what it uses

    @property
    def alive(self) -> bool:
        if not self._left:
            self._left = os.waitpid(self.pid, os.WNOHANG) != (0, 0)
        return not self._left

    def _tree(self) -> list[int]:
        found, place = [self.pid], 0
        while place < len(found):
            for task in Path(f"/proc/{found[place]}/task").glob("*/children"):
                with contextlib.suppress(OSError):
                    found += [int(child) for child in task.read_text().split()]
            place += 1
        return found

    def processor_s(self) -> float:
        """Of the program and its children, those that have ended too."""
        ticks = 0
        for pid in self._tree():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += sum(map(int, fields[11:13])) + (sum(map(int, fields[13:15])) if pid == self.pid else 0)
        return ticks / _TICKS

    def megabytes(self) -> float:
        """Resident."""
        pages = 0
        for pid in self._tree():
            with contextlib.suppress(OSError):
                pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * _PAGE / 1e6

    def close(self) -> None:
        for number in (signal.SIGHUP, signal.SIGKILL):
            for pid in self._tree() if self.alive else ():
                with contextlib.suppress(OSError):
                    os.kill(pid, number)
            end = time.monotonic() + 5
            while self.alive and time.monotonic() < end:
                time.sleep(0.05)
        os.close(self._master)


class _Search:
    """For one word in what is written piece by piece."""

    def __init__(self, word: str) -> None:
        self._word = word.encode()
        self._before = self._held = b""
        self.looked_at = 0
        """Pieces."""
        self.found: float | None = None

    def look(self, at: float, data: bytes) -> None:
        self.looked_at += 1
        text = self._held + data
        last = text.rfind(b"\x1b")
        # A sequence that is not whole yet waits for its rest.
        whole = last < 0 or _ESCAPES.match(text, last) or len(text) - last > 256
        text, self._held = (text, b"") if whole else (text[:last], text[last:])
        plain = self._before + _ESCAPES.sub(b"", text)
        self._before = plain[-len(self._word) :]
        if self.found is None and self._word in plain:
            self.found = at


def heed_nice() -> None:
    """Linux weighs sessions against one another, and by niceness only the processes within one: without this `nice`
    would change nothing for a program that is a session by itself."""
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(os.nice(0)))


def _calm(terminal: int) -> None:
    """Sets the size, and leaves the echo of what is typed to the program."""
    columns, rows = SIZE
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    modes = termios.tcgetattr(terminal)
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, modes)
