"""Whether an error means that the system gives no more memory or threads. Imports nothing: there may be no room."""

from __future__ import annotations

import errno

SENTENCE = (
    "The system gives this program too little memory or too few threads; close other programs or raise the limits "
    "(`ulimit -v`, `ulimit -u`)."
)
_NUMBERS = (errno.ENOMEM, errno.EAGAIN)
_SAID = (
    "failed to map segment",
    "cannot allocate memory",
    "can't start new thread",
    "out of memory",
    "cannot create thread",
    "without exception set",
    "without setting an exception",
)
"""By the loader of shared objects, by Python, by SQLite, and by Python where there was no room for the error itself."""


def scarce(error: BaseException | None) -> bool:
    """It, or what it came from, or all of a group."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        if _itself(error):
            return True
        seen.append(error)
        error = error.__cause__ or error.__context__
    return False


def _itself(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(map(scarce, error.exceptions))
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _NUMBERS and not isinstance(error, BlockingIOError)
    said = str(error).lower() if isinstance(error, ImportError | OSError | RuntimeError | SystemError) else ""
    return any(one in said for one in _SAID)
