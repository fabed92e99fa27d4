"""The program as a process. What is imported comes inside: where memory is short, that is where it ends."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

from .scarcity import SENTENCE, scarce

_INTERRUPTED = 130


def process() -> NoReturn:
    try:
        heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if heeded:
            # An exception amid what others import may end up anywhere.
            signal.signal(signal.SIGINT, lambda *_: _end("Interrupted.", _INTERRUPTED))
        from .cli import process as run

        if heeded:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        run()
    except KeyboardInterrupt:
        # Before a command began, or when it was over.
        _end("Interrupted.", _INTERRUPTED)
    except (Exception, SystemExit) as error:
        if isinstance(error, SystemExit) or not scarce(error):
            raise
        _end(SENTENCE, 1)


def _end(sentence: str, code: int) -> NoReturn:
    with suppress(OSError):
        os.write(2, f"{sentence}\n".encode())
    os._exit(code)


if __name__ == "__main__":
    sys.exit(process())
