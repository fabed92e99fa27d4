"""A file of lines that one program at a time appends to, told by a lock that the kernel drops when a program dies."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import os
import stat
import tempfile
import threading
from pathlib import Path

from ..opening import OTHERWISE


class Appended:
    """All of it is blocking, and raises OSError with the reason."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        """Raises BlockingIOError where another program has it, or another part of this one."""
        self.path = path
        self._file = _locked(path, create)
        self._writing = threading.Lock()

    def close(self) -> None:
        self._file.close()

    @property
    def there(self) -> bool:
        """Whether it can still be found by its name."""
        return _is_at(self.path, self._file)

    @property
    def size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    @property
    def whole(self) -> bool:
        """Whether its last line is ended."""
        return not self.size or os.pread(self._file.fileno(), 1, self.size - 1) == b"\n"

    def read(self) -> bytes:
        self._file.seek(0)
        return self._file.readall()

    def cut(self, size: int) -> None:
        """Needs no room on the disk."""
        self._file.truncate(size)

    def append(self, data: bytes) -> None:
        """All of it or, where the disk says no, nothing; of a killed program its beginning may stand there."""
        with self._writing:
            before, left = self.size, memoryview(data)
            try:
                while left:
                    left = left[self._file.write(left) :]
            except OSError:
                with contextlib.suppress(OSError):
                    self.cut(before)
                raise

    def replace(self, data: bytes) -> None:
        """A killed program leaves the old file or the new one. Through a link, what it leads to is replaced."""
        target = self.path.resolve()
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        new = io.FileIO(handle, "r+")
        try:
            fcntl.fcntl(new, fcntl.F_SETFL, os.O_APPEND)
            fcntl.flock(new, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.fchmod(handle, stat.S_IMODE(os.fstat(self._file.fileno()).st_mode))
            left = memoryview(data)
            while left:
                left = left[new.write(left) :]
            os.fsync(handle)
            os.replace(name, target)
        except BaseException:
            new.close()
            Path(name).unlink(missing_ok=True)
            raise
        self._file.close()
        self._file = new


def _locked(path: Path, create: bool) -> io.FileIO:
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, OTHERWISE, str(path))
    made = os.O_CREAT if create else 0
    while True:
        file = io.FileIO(os.open(path, os.O_RDWR | os.O_APPEND | made, 0o600), "r+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever had the lock before may have replaced it or taken it away since it was opened here.
            if _is_at(path, file):
                return file
        except BlockingIOError:
            file.close()
            raise BlockingIOError(errno.EAGAIN, "another program writes to it", str(path)) from None
        except BaseException:
            file.close()
            raise
        file.close()


def _is_at(path: Path, file: io.FileIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
