"""The file that the log is written to. Imported with its first line: most runs have nothing to say."""

from __future__ import annotations

import logging
import os
from io import TextIOWrapper
from logging.handlers import QueueListener, RotatingFileHandler
from pathlib import Path
from queue import SimpleQueue

from ..locations import private

_BYTES, _KEPT = 1_000_000, 3
"""Of one file, and how many full ones are kept beside it."""


def writer(lines: SimpleQueue[logging.LogRecord], path: Path) -> QueueListener:
    """A thread that writes them, until it is stopped."""
    listener = QueueListener(lines, PrivateFile(path))
    listener.start()
    return listener


class PrivateFile(RotatingFileHandler):
    """Readable by its owner alone."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=_BYTES, backupCount=_KEPT, encoding="utf-8", delay=True)

    def _open(self) -> TextIOWrapper:
        private(Path(self.baseFilename).parent)
        handle = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(handle, "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:
        """A full disk is told where it matters: by the store."""
