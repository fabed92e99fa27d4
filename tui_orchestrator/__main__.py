"""The program as a process. What is imported comes inside: where memory is short, that is where it ends."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn

from .scarcity import SENTENCE, scarce


def process() -> NoReturn:
    try:
        from .cli import process as run

        run()
    except (Exception, SystemExit) as error:
        if isinstance(error, SystemExit) or not scarce(error):
            raise
        with suppress(OSError, ValueError, AttributeError):
            os.write(2, f"{SENTENCE}\n".encode())
        os._exit(1)


if __name__ == "__main__":
    sys.exit(process())
