"""The terminal that takes nothing more, and the one whose program was killed: neither stays as the console had it."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable
from queue import Queue
from typing import IO

from textual.drivers._writer_thread import WriterThread

LAST_WORDS_S = 2.0
"""How long a terminal that takes nothing is waited for at the end."""

# In the order of Textual's own, which it would not write when it is killed: the alternate screen last but for what
# belongs to the first one.
UNDO = (
    "\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l\x1b[<u"
    "\x1b[?2026l\x1b[0m\x1b[?1049l\x1b[?25h\x1b[?1004l"
)

# Reads whether the terminal is in use until the program at the other end is gone, and if it still is, undoes it.
_GUARD = """
while read -r line; do state=$line; done
if [ "$state" = used ]; then stty "$1" <&1; printf "$2"; fi
"""


class Guard:
    """A shell in a session of its own that restores the terminal when the program was killed and could not."""

    def __init__(self, terminal: int) -> None:
        """Does nothing where there is no shell or no terminal."""
        self._process: subprocess.Popen[bytes] | None = None
        with contextlib.suppress(OSError):
            done = subprocess.run(["stty", "-g"], stdin=terminal, capture_output=True, check=False)
            undo = UNDO.replace("\x1b", "\\033")
            command = ["/bin/sh", "-c", _GUARD, "sh", done.stdout.decode().strip(), undo]
            if done.returncode == 0:
                null = subprocess.DEVNULL
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=terminal, stderr=null, start_new_session=True, cwd="/"
                )

    def told(self, used: bool) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                os.write(self._process.stdin.fileno(), b"used\n" if used else b"left\n")

    def dismiss(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            self._process.wait()


class Writer(WriterThread):
    """Takes everything at once and passes it on at the terminal's pace; to one that is gone, nothing."""

    def __init__(self, file: IO[str] | None, caught_up: Callable[[], object]) -> None:
        """`caught_up` is called on this thread each time that nothing is left to write."""
        assert file is not None
        super().__init__(file)
        self._queue: Queue[str | None] = Queue()
        self._caught_up = caught_up
        self.waiting = 0
        """Characters."""

    def write(self, text: str) -> None:
        self.waiting += len(text)
        self._queue.put(text)

    def run(self) -> None:
        while (text := self._queue.get()) is not None:
            idle = self._queue.empty()
            self._pass_on(text, flush=idle)
            self.waiting -= len(text)
            if idle:
                self._caught_up()
        self._pass_on("", flush=True)

    def _pass_on(self, text: str, *, flush: bool) -> None:
        try:
            self._file.write(text)
            if flush:
                self._file.flush()
        except OSError:
            # The terminal is gone. What is still buffered must not fail once more when Python flushes it at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._file.fileno())

    def stop(self) -> None:
        self._queue.put(None)
        self.join(LAST_WORDS_S)
