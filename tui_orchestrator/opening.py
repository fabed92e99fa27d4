"""Opening the files that people name, or that lie where the program looks for its own."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import signal
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

OTHERWISE = "it is a pipe or a device, not a file"


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
