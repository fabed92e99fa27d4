"""One subcommand a part of the router that learns."""

from __future__ import annotations

import importlib
import sys

PARTS = {
    "profile": "training.profile",
    "confidence": "training.confidence",
    "abilities": "training.abilities",
}
"""Name: the module whose `main(arguments)` trains it."""


def main() -> None:
    arguments = sys.argv[1:]
    if not arguments or arguments[0] not in PARTS:
        sys.exit(f"usage: python -m training {{{','.join(PARTS)}}} --data DIR --out DIR")
    importlib.import_module(PARTS[arguments[0]]).main(arguments[1:])


if __name__ == "__main__":
    main()
