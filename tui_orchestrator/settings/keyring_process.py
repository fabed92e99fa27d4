"""The system's keyring, as a program of its own: a backend may hang, ask on the terminal, print, or end the process.

    python -P keyring_process.py get|set SERVICE USER

Prints one JSON object: {"key": …} or {"why": …}; `set` reads the key from stdin.
"""

import json
import os
import sys
from typing import Any

MISSING = "missing"
"""The library is not installed."""
NOWHERE = "nowhere"
"""The library knows no keyring on this system."""
ABSENT = "absent"
"""The backend that somebody has chosen is not installed."""
NOTHING = "nothing"
"""Nothing is kept by the one that somebody has chosen: it switches the keyring off."""
CHOSEN_BY = "PYTHON_KEYRING_BACKEND"
"""The environment variable that chooses a backend; else keyringrc.cfg may."""


def reply(deed: str, service: str, user: str) -> dict[str, Any]:
    try:
        import keyring
    except ModuleNotFoundError as error:
        return {"why": MISSING if error.name == "keyring" else f"no module {error.name}"}
    try:
        backend = keyring.get_keyring()
    except (ImportError, AttributeError, ValueError):
        return {"why": ABSENT}
    if type(backend).__module__ == "keyring.backends.null":
        return {"why": NOTHING}
    if deed == "set":
        keyring.set_password(service, user, sys.stdin.read())
        return {"key": None}
    key: object = keyring.get_password(service, user)  # what a backend gives is typed by no one
    return {"key": key} if key is None or isinstance(key, str) else {"why": f"it gave {type(key).__name__}, not text"}


def main() -> None:
    answer = os.dup(1)
    os.dup2(2, 1)  # what a backend prints is no key
    try:
        said = reply(*sys.argv[1:])
    except BaseException as error:  # noqa: BLE001  # backends raise whatever their system's library does
        name = type(error).__name__
        said = {"why": NOWHERE if name == "NoKeyringError" else name}
    with open(answer, "w", encoding="ascii") as file:
        json.dump(said, file)
    os._exit(0)  # without waiting for threads that a backend has left behind


if __name__ == "__main__":
    main()
