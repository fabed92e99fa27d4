"""Opening and parsing the files that people name, or that lie where the program looks for its own."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import re
import select
import signal
import socket
import stat
import threading
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

OTHERWISE = "it is a pipe or a device, not a file"

LONGEST_THEME = 64_000
"""Bytes of a palette's file: some forty lines."""
MOST_DOTS = 30
"""In a key of TOML: the parser takes time in the square of them, twenty seconds for 30,000."""
MOST_DIGITS = 600
"""In a number of TOML: Python refuses to read longer ones, from 640 on where it is told to, and else from 4,300."""
MOST_LEVELS = 200
"""Of JSON within JSON: deeper, it could be read here and not written again there, where less of the stack is left."""
_STRING_OR_COMMENT = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"""|\Z)'
    r"|'''(?:[^']|'(?!''))*+(?:'''|\Z)"
    r'|"(?:[^"\\\n]|\\.)*+"?'
    r"|'[^'\n]*+'?"
    r"|\#[^\n]*+",
    re.DOTALL,
)
_LONG_KEY = re.compile(rf'(?<![\w"-])(?:[\w"-]++[ \t]*+\.[ \t]*+){{{MOST_DOTS + 1}}}')
_NUMBER = re.compile(r"(?<![\w.])\d[\d_]*+")


class LongKey(tomllib.TOMLDecodeError):
    """A key of more parts than any here has."""


class LongNumber(tomllib.TOMLDecodeError):
    """A number of more digits than anybody means."""


def parsed(text: str, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """TOML. Raises TOMLDecodeError, LongKey and LongNumber before anything is parsed, and whatever else
    `tomllib.loads` does."""
    bare = _STRING_OR_COMMENT.sub(_emptied, text)
    if long := _LONG_KEY.search(bare):
        line = bare.count("\n", 0, long.start()) + 1
        raise LongKey(f"a key has more than {MOST_DOTS} dots (at line {line}, column 1)")
    for number in _NUMBER.finditer(bare):
        if len(number[0].replace("_", "")) > MOST_DIGITS:
            line = bare.count("\n", 0, number.start()) + 1
            raise LongNumber(f"a number has more than {MOST_DIGITS} digits (at line {line}, column 1)")
    return tomllib.loads(text, parse_float=parse_float)


class TooDeep(ValueError):
    """JSON that is nested deeper than anybody means."""

    def __init__(self) -> None:
        super().__init__(f"is nested too deeply: more than {MOST_LEVELS} levels")


def from_json(
    written: str | bytes,
    parse_float: Callable[[str], Any] | None = None,
    parse_constant: Callable[[str], Any] | None = None,
) -> Any:
    """What somebody wrote as JSON. Raises ValueError: TooDeep, or what `json.loads` says."""
    try:
        said = json.loads(written, parse_float=parse_float, parse_constant=parse_constant)
    except RecursionError:
        raise TooDeep from None
    level, deep = [said], 0
    while level := [one for one in level if isinstance(one, dict | list)]:
        if (deep := deep + 1) > MOST_LEVELS:
            raise TooDeep
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
    return said


def _emptied(found: re.Match[str]) -> str:
    """On as many lines, with no dots in it."""
    return ("" if found[0][0] == "#" else '""') + "\n" * found[0].count("\n")


def opened(path: Path, *, pipe: bool = False) -> BinaryIO:
    """To be read. Raises OSError with the reason: a pipe that nobody writes to would be waited for without end, and a
    device may never end. `pipe`: it is read once and somebody waits for that, so that the shell's `<(…)` may be named.
    """
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not (stat.S_ISREG(mode) or (pipe and stat.S_ISFIFO(mode))):
        raise OSError(errno.EINVAL, OTHERWISE, str(path))
    if stat.S_ISREG(mode):
        return path.open("rb")
    return io.BufferedReader(_Pipe(path))


def whole_of(path: Path, most: int, *, pipe: bool = False) -> bytes:
    """All of a file. Raises OSError with the reason, also for one of more than `most` bytes."""
    with opened(path, pipe=pipe) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(
            errno.EFBIG, f"it has more than {most // 1000:,} kB, the most that is read of such a file", str(path)
        )
    return data


class _Pipe(io.RawIOBase):
    """Ctrl-C ends the wait for it. Python looks for signals before it waits in the system: one that comes between the
    two would be seen when the wait is over, which may be never."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        pipe = self._file.fileno()
        with _signals() as signals:
            while pipe not in select.select([pipe, *signals], [], [])[0]:
                for told in signals:
                    os.read(told, 1)
        return os.readv(pipe, [buffer])

    def close(self) -> None:
        self._file.close()
        super().close()


@contextlib.contextmanager
def _signals() -> Iterator[list[int]]:
    """What becomes readable with every signal; nothing but in the main thread, which alone is told of them."""
    if threading.current_thread() is not threading.main_thread():
        yield []
        return
    told, tells = socket.socketpair()
    with told, tells:
        tells.setblocking(False)
        before = signal.set_wakeup_fd(tells.fileno())
        try:
            yield [told.fileno()]
        finally:
            signal.set_wakeup_fd(before)
