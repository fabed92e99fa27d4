"""Writes the tables of keys and commands into docs/console.md, from the tables the console itself is made of.

.venv/bin/python docs/make_console_tables.py
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tui_orchestrator.ui.commands import ACTIONS
from tui_orchestrator.ui.slash import SLASH_COMMANDS

DOCUMENT = Path(__file__).parent / "console.md"
_NAMES = {"slash": "/", "asterisk": "*", "escape": "Esc"}
"""As people call them, where Textual does not."""


def _key(names: str) -> str:
    shown = []
    for name in names.split(","):
        parts = [_NAMES.get(part, part.capitalize()) for part in name.split("+")]
        shown.append("`" + "+".join(parts) + "`")
    return " or ".join(shown)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines).replace("| --- ", "|---").replace("|--- |", "|---|")


def with_tables(text: str) -> str:
    """The document with both tables as they are now; each stands from its head to the next empty line."""
    keys = [(_key(action.key), action.title, f"`{action.id}`") for action in ACTIONS]
    commands = [
        ("`" + f"/{command.name} {command.argument}".rstrip().replace("|", "\\|") + "`", command.help)
        for command in SLASH_COMMANDS
    ]
    for head, rows in ((("key", "does", "name"), keys), (("command", "does"), commands)):
        table = _table(head, rows)
        begin = text.index(table[: table.index("\n")])
        end = text.find("\n\n", begin)
        text = text[:begin] + table.rstrip("\n") + (text[end:] if end >= 0 else "\n")
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text()))
