"""A check: whoever is asked for sources has to name one."""

import re

from tui_orchestrator.plugins import Given, Opinion

ASKS = re.compile(r"\b(?:source|sources|cite|reference|references)\b", re.IGNORECASE)
NAMES = re.compile(r"https?://|doi\.org|\[\d+\]")


def look(given: Given) -> Opinion | None:
    if not ASKS.search(given.prompt):
        return None
    if NAMES.search(given.text):
        return Opinion("names a source", weight=0.5)
    return Opinion("names no source", falls_short=True)
