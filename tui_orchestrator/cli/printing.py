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


_GAP = 2
"""Cells between columns."""
_NAME = 24
"""Cells that a name has at the least before it is folded."""


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = (), names: Sequence[str] = ()
) -> str:
    """For people on a terminal: as wide as it is, long cells folded, those of the columns in `names` at a third of it,
    so that one long name moves no figures away from the others; where it is too narrow, columns without a figure go.
    Elsewhere every cell is whole. Ends without a line break."""
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = on_terminal(sys.stdout)
    cells = [[clean(cell) for cell in row] for row in rows]
    widths = [max(cell_len(row[place]) for row in [head, *cells]) for place in range(len(head))]
    whole = sum(widths) + _GAP * len(widths)
    console = Console(highlight=False) if terminal else Console(file=io.StringIO(), width=whole, highlight=False)
    most = {place: max(_NAME, console.width // 3) for place, name in enumerate(head) if terminal and name in names}
    shown = list(range(len(head)))
    if sum(min(width, most.get(place, width)) + _GAP for place, width in enumerate(widths)) - _GAP > console.width:
        shown = [place for place in shown if not cells or any(row[place] not in "-–" for row in cells)]
    drawn = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for place in shown:
        drawn.add_column(
            head[place],
            justify="right" if head[place] in right else "left",
            no_wrap=not terminal,
            overflow="fold",
            max_width=most.get(place),
        )
    for row in cells:
        drawn.add_row(*(Text(row[place]) for place in shown))
    with console.capture() as captured:
        console.print(drawn)
    # All that is drawn with escapes is the head.
    told = captured.get().replace("\x1b[1m", BOLD).replace("\x1b[0m", PLAIN)
    return "\n".join(line.rstrip() for line in told.splitlines())
