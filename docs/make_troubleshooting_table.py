"""Writes the table of kinds of failure into docs/troubleshooting.md, from the errors themselves.

.venv/bin/python docs/make_troubleshooting_table.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tui_orchestrator.routing.errors import ErrorKind, TurnError

DOCUMENT = Path(__file__).parent / "troubleshooting.md"
BEGIN, END = "<!-- kinds -->\n", "<!-- end of kinds -->\n"


def with_kinds(text: str) -> str:
    """The document with the kinds as they are now, between its two marks."""
    before, after = text.index(BEGIN) + len(BEGIN), text.index(END)
    rows = [f"| `{error.kind}` | {error.what} | {error.hint} |\n" for error in _errors()]
    return f"{text[:before]}\n| kind | what it says | what to do |\n|---|---|---|\n{''.join(rows)}\n{text[after:]}"


def _errors() -> Iterator[type[TurnError]]:
    """The most general of each kind, in the kinds' order."""
    below = [TurnError]
    for error in below:
        below.extend(error.__subclasses__())
    for kind in ErrorKind:
        yield next(error for error in below if error.kind is kind)


if __name__ == "__main__":
    DOCUMENT.write_text(with_kinds(DOCUMENT.read_text()))
