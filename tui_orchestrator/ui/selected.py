"""Selected lines of the screen as text: without what is drawn for its looks, and tables as the Markdown they are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

from .lines import Line

Selected = tuple[Line, int, int]
"""With a range of its characters, its end −1 for the end of the line."""

_TRAILING = re.compile(r"(?<! ) ++(?=\n|$)")


def copied(selected: Iterable[tuple[Line | None, int, int]]) -> str:
    """Wrapped lines are whole again; None is a blank row."""
    said = (one for one in selected if one[0] is None or not one[0].quiet)
    parts: list[str] = []
    for head, group in groupby(said, key=lambda one: one[0].row.head if one[0] and one[0].row else None):
        if head is not None:
            parts += ["\n", _table(head, [(line, start, end) for line, start, end in group if line])]
            continue
        for line, start, end in group:
            if line is None:
                parts.append("\n")
            else:
                start, end = line.copied(start, end)
                parts += [line.join, line.text[start:end]]
    return _TRAILING.sub("", "".join(parts)).strip("\n")


def _table(head: str, selected: list[Selected]) -> str:
    """Whole rows below the header, or what is selected of a cell when it is of one only."""
    rows = dict.fromkeys(line.row for line, _, _ in selected if line.row)
    if len(rows) == 1 and (cell := _only_cell(selected)) is not None:
        return _of_cell(cell, selected)
    return "\n".join([head, *(row.source for row in rows if row.source)])


def _only_cell(selected: list[Selected]) -> int | None:
    """Its column, where a selection in one row begins and ends in the same."""
    first, start, _ = selected[0]
    last, _, end = selected[-1]
    _, end = last.copied(0, end)
    begun = next((column for column, cell in enumerate(first.cells) if cell[1] > start), None)
    ended = next((column for column, cell in reversed([*enumerate(last.cells)]) if cell[0] < end), None)
    return begun if begun == ended else None


def _of_cell(column: int, selected: list[Selected]) -> str:
    parts: list[str] = []
    for line, start, end in selected:
        first, last, join = line.cells[column]
        start, end = line.copied(start, end)
        parts += [join, line.text[max(start, first) : min(end, last)].strip()]
    return "".join(parts).strip()
