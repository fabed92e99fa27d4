"""Which running copies of the program hold reservations, told by locks that the kernel drops when a process dies.

A lock needs no heartbeat, tells a stopped process from a dead one, and cannot mistake another process that was given
the same number for the one that died.
"""

from __future__ import annotations

import fcntl
import os
import re
import uuid
from collections.abc import Sequence
from pathlib import Path

_ID = re.compile(r"\w[\w-]*")
_ROOM = 16 * 1024
"""Bytes of a copy's file, taken up while there is room, so that a full disk does not keep it from being written."""


class Presence:
    """One copy of the program, as the others see it."""

    def __init__(self, store: Path | None) -> None:
        """`store` None: a store in memory, which has no other copies."""
        self.id = uuid.uuid4().hex
        self.directory = store and store.with_name(f"{store.name}-owners")
        self._lock: int | None = None

    def claim(self) -> None:
        """Makes this copy visible, and takes away the files of dead ones. Raises OSError.

        Call it inside a write transaction on the store, which keeps two copies from doing this at once.
        """
        if self.directory is None or self._lock is not None:
            return
        self.directory.mkdir(mode=0o700, exist_ok=True)
        for file in self.directory.iterdir():
            # What is no file is not ours, and a pipe would be waited for.
            if file.is_file() and not self.alive(file.name) and not self.kept(file.name):
                file.unlink(missing_ok=True)
        lock = os.open(self.directory / self.id, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(lock, bytes(_ROOM))
        self._lock = lock

    def keep(self, lines: Sequence[str]) -> None:
        """In place of what was kept before: what whoever frees this copy's reservations must know, also when it was
        killed. As many as there is room for, the first of them. Raises OSError."""
        if self._lock is None:
            return
        held = b""
        for line in lines:
            more = held + line.encode() + b"\n"
            if len(more) > _ROOM:
                break
            held = more
        os.pwrite(self._lock, held.ljust(_ROOM, b"\0"), 0)
        os.fsync(self._lock)

    def kept(self, owner: str) -> list[str]:
        """What a copy of the program has left to be known."""
        if (place := self._place(owner)) is None:
            return []
        try:
            return place.read_bytes().rstrip(b"\0").decode().splitlines()
        except (OSError, UnicodeDecodeError):
            return []

    def left_behind(self) -> list[str]:
        """Dead ones that have left something to be known. Raises OSError."""
        if self.directory is None or not self.directory.is_dir():
            return []
        files = [file.name for file in self.directory.iterdir() if file.is_file()]
        return sorted(name for name in files if not self.alive(name) and self.kept(name))

    def forget(self, owners: Sequence[str]) -> None:
        """Dead ones, of which nothing is left to be known."""
        for owner in owners:
            if (place := self._place(owner)) is not None:
                place.unlink(missing_ok=True)

    def alive(self, owner: str) -> bool:
        if owner == self.id or (place := self._place(owner)) is None:
            return owner == self.id
        try:
            return is_locked(place)
        except FileNotFoundError:
            return False

    def _place(self, owner: str) -> Path | None:
        """None also for what is no name of a file there, which a damaged store may hold."""
        return self.directory / owner if self.directory is not None and _ID.fullmatch(owner) else None

    def leave(self) -> None:
        if self._lock is not None and self.directory is not None:
            if not self.kept(self.id):
                (self.directory / self.id).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None


def is_locked(path: Path) -> bool:
    """By this program or another. Raises OSError where it cannot be opened."""
    probe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe is not waited for
    try:
        # Shared, so that two that look at the same moment do not take each other for the owner.
        fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(probe)
    return False
