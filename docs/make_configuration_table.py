"""Writes the tables of settings into docs/configuration.md, from the schema that parses them.

.venv/bin/python docs/make_configuration_table.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tui_orchestrator.settings.schema import SCHEMA
from tui_orchestrator.settings.shape import Key, Table, dotted
from tui_orchestrator.settings.shape import Path as Place
from tui_orchestrator.settings.showing import said

DOCUMENT = Path(__file__).parent / "configuration.md"
BEGIN, END = "<!-- settings -->\n", "<!-- end of settings -->\n"


def with_settings(text: str) -> str:
    """The document with all that can be set as it is now, between its two marks."""
    before, after = text.index(BEGIN) + len(BEGIN), text.index(END)
    return f"{text[:before]}\n{''.join(_section(SCHEMA, (), ''))}{text[after:]}"


def _section(table: Table, place: Place, heading: str) -> Iterator[str]:
    below = {**table.keys, **({table.name: table.each} if table.each else {})}
    rows = [_row(name, node) for name, node in below.items() if isinstance(node, Key) and not node.hidden]
    if heading and (rows or table.doc):
        yield f"### `{heading}`\n\n"
    if table.doc and heading:
        yield f"{table.doc}\n\n"
    if rows:
        yield "| key | says | takes | default |\n|---|---|---|---|\n" + "".join(rows) + "\n"
    for name, node in below.items():
        if isinstance(node, Table):
            inner = place if table.array else (*place, name)
            yield from _section(node, inner, f"[[{dotted(inner)}]]" if table.array else f"[{dotted(inner)}]")


def _row(name: str, key: Key) -> str:
    also = f" `{key.env}` sets it too." if key.env else ""
    takes = f"{key.kind.words}, such as `{key.example}`" if key.default in (None, ()) else key.kind.words
    cells = (f"`{name}`", key.doc + also, takes, _plain(said(key, key.default)))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _plain(value: str) -> str:
    return value[1:-1] if value.startswith("(") else f"`{value}`"


if __name__ == "__main__":
    DOCUMENT.write_text(with_settings(DOCUMENT.read_text()))
