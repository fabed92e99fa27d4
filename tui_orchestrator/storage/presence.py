"""Which running copies of the program hold reservations, told by locks that the kernel drops when a process dies.

A lock needs no heartbeat, tells a stopped process from a dead one, and cannot mistake another process that was given
the same number for the one that died.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from pathlib import Path


class Presence:
    """One copy of the program, as the others see it."""

    def __init__(self, store: Path | None) -> None:
        """`store` None: a store in memory, which has no other copies."""
        self.id = uuid.uuid4().hex
        self._directory = store and store.with_name(f"{store.name}-owners")
        self._lock: int | None = None

    def claim(self) -> None:
        """Makes this copy visible, and takes away the files of dead ones. Raises OSError.

        Call it inside a write transaction on the store, which keeps two copies from doing this at once.
        """
        if self._directory is None or self._lock is not None:
            return
        self._directory.mkdir(mode=0o700, exist_ok=True)
        for file in self._directory.iterdir():
            if not self.alive(file.name):
                file.unlink(missing_ok=True)
        lock = os.open(self._directory / self.id, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._lock = lock

    def alive(self, owner: str) -> bool:
        if owner == self.id or self._directory is None:
            return owner == self.id
        try:
            probe = os.open(self._directory / owner, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            # Shared, so that two copies that look at the same moment do not take each other for the owner.
            fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(probe)
        return False

    def leave(self) -> None:
        if self._lock is not None and self._directory is not None:
            (self._directory / self.id).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None
