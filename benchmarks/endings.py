"""The state of the terminal before and after every way the program can end: `stty -a`, screen, mouse, paste, cursor.

Prints one JSON object; `wrong` says what was left behind after which ending, and should be empty.

    python benchmarks/endings.py [NAME …]
"""

from __future__ import annotations

import json
import signal
import sys
import time

from terminal.endings import ENDINGS, hung_up, left_over, tried


def main(names: list[str]) -> None:
    started = time.monotonic()
    # What a shell or nohup had us ignore, the program would ignore too.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    wrong = {}
    before = left_over()
    for name in names or ENDINGS:
        if said := tried(name):
            wrong[name] = said
            print(f"{name}: {said}", file=sys.stderr, flush=True)
    if not names and (said := hung_up()):
        wrong["hung up"] = said
    time.sleep(1)
    told = {
        "endings": len(names or ENDINGS) + (not names),
        "wrong": wrong,
        "processes_left": left_over() - before,
        "seconds": round(time.monotonic() - started),
    }
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
