"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Sequence

from ..routing.text import clean
from .streams import BOLD, PLAIN, on_terminal

# JSON leaves what is beyond ASCII as it is; C1 controls, bidirectional overrides and lone surrogates must not be.
_BEYOND = re.compile(r"[^\x20-\x7e\n]+")


def as_json(value: object) -> str:
    return _BEYOND.sub(_shown, json.dumps(value, ensure_ascii=_ascii_only(), indent=2))


def as_json_line(value: object) -> str:
    return _BEYOND.sub(_shown, json.dumps(value, ensure_ascii=_ascii_only(), separators=(",", ":")))


def _ascii_only() -> bool:
    """Escapes lose nothing where the locale has no UTF-8."""
    return (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "") != "utf8"


def _shown(run: re.Match[str]) -> str:
    text = run[0]
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in text)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> str:
    """For people on a terminal: as wide as it is, long cells folded. Elsewhere every cell is whole. Ends without a
    line break."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = on_terminal(sys.stdout)
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in head:
        drawn.add_column(name, justify="right" if name in right else "left", no_wrap=not terminal, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(clean(cell)) for cell in row))
    if terminal:
        console = Console(highlight=False)
    else:
        # Twice the number of characters is as wide as a cell of CJK can be.
        width = sum(max(len(row[i]) for row in [head, *rows]) * 2 + 2 for i in range(len(head)))
        console = Console(file=io.StringIO(), width=width, highlight=False)
    with console.capture() as captured:
        console.print(drawn)
    # All that is drawn with escapes is the head.
    told = captured.get().replace("\x1b[1m", BOLD).replace("\x1b[0m", PLAIN)
    return "\n".join(line.rstrip() for line in told.splitlines())
