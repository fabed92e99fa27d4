"""Tables that say what matters at any width: columns, how a row stands in them, and which go where there is no room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from rich.cells import cell_len

from . import words

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    title: str
    cell: Callable[[T], str]
    order: Callable[[T], Any]
    """The first when it is sorted by this column has the least."""
    justify: Literal["left", "right"] = "right"
    drop: int = 0
    """Where not all columns fit, that with the highest goes first; 0 stays, cut if it must be."""
    style: Callable[[T], str] = lambda row: ""
    """One of the colours in `words`, or bold, or nothing."""
    shrink: int = 0
    """Cells to which it is cut before any column goes; 0: as wide as what stands in it."""
    fit: Callable[[Sequence[str], int], list[str]] = words.fit_each
    """Cuts what stands in it to at most so many cells."""


@dataclass(frozen=True, slots=True)
class Bars(Generic[T]):
    """A bar for each row, in the room that the columns leave."""

    of: Callable[[T], float]
    """The share of the whole bar."""


@dataclass(frozen=True, slots=True)
class Row:
    key: str
    cells: tuple[tuple[str, str], ...]
    """Text and style, a column each."""
    total: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    titles: tuple[tuple[str, Literal["left", "right"]], ...]
    rows: tuple[Row, ...]
    sortable: tuple[str, ...]
    """Titles of the columns that are there, without an arrow."""


def lay_out(
    columns: Sequence[Column[T]],
    found: Sequence[T],
    key: Callable[[T], str],
    width: int,
    *,
    total: T | None = None,
    bars: Bars[T] | None = None,
    by: str = "",
    turned: bool = False,
    before: Callable[[T], bool] | None = None,
) -> Table:
    """Sorted by the column with the title `by`, as they come where none has it; the other way round when `turned`. The
    total stands above them all, then come those of which `before` holds. At most `width` cells across."""
    sorting = next((column for column in columns if column.title == by), None)
    ordered = sorted(found, key=sorting.order) if sorting else list(found)
    if turned:
        ordered.reverse()
    if before is not None:
        ordered.sort(key=lambda one: not before(one))
    everything = ([] if total is None else [total]) + ordered
    drawn = [_drawn(column, everything, (" ▴", " ▾")[turned] if column is sorting else "") for column in columns]
    kept = _kept(columns, drawn, width)
    texts = [drawn[place] for place in kept]
    left = width - sum(_width(text) for text in texts)
    rows = []
    for number, one in enumerate(everything):
        summed = number == 0 and total is not None
        cells = [
            (text[number + 1], "bold" if summed else columns[place].style(one))
            for place, text in zip(kept, texts, strict=True)
        ]
        if bars is not None and left >= LEAST_BAR + PADDING:
            drawn_bar = words.bar(bars.of(one), min(MOST_BAR, left - PADDING))
            cells.append((" " * len(drawn_bar) if summed else drawn_bar, words.BAR))
        rows.append(Row(TOTAL if summed else key(one), tuple(cells), summed))
    titles = [(text[0], columns[place].justify) for place, text in zip(kept, texts, strict=True)]
    if bars is not None and left >= LEAST_BAR + PADDING:
        titles.append(("", "left"))
    return Table(tuple(titles), tuple(rows), tuple(columns[place].title for place in kept))


TOTAL = "total"
"""Key of the row that sums up all others."""
PADDING = 2
"""Cells beside each column."""
LEAST_BAR, MOST_BAR = 8, 40
NAME = 32
"""Cells to which names shrink before any column goes: one that is long leaves what is said of all."""
_SHORTEST = 8


def _drawn(column: Column[T], rows: Sequence[T], arrow: str) -> list[str]:
    """The title first."""
    return [column.title + arrow, *(column.cell(one) for one in rows)]


def _width(texts: Sequence[str]) -> int:
    return max(map(cell_len, texts)) + PADDING


def _kept(columns: Sequence[Column[T]], drawn: list[list[str]], width: int) -> list[int]:
    """The places of the columns that fit. What some may shrink by, and where even those that stay do not fit the
    widest of them, is cut in `drawn`."""
    least = [
        min(_width(texts), column.shrink + PADDING) if column.shrink else _width(texts)
        for column, texts in zip(columns, drawn, strict=True)
    ]
    kept, whole = list(range(len(columns))), list(drawn)
    while sum(least[place] for place in kept) > width:
        last = max(kept, key=lambda place: columns[place].drop)
        if not columns[last].drop:
            break
        kept.remove(last)
    while (over := sum(_width(drawn[place]) for place in kept) - width) > 0:
        may_shrink = [place for place in kept if _width(drawn[place]) > least[place]]
        widest = max(may_shrink or kept, key=lambda place: _width(drawn[place]))
        room = max(_SHORTEST, least[widest] - PADDING if may_shrink else 0, _width(drawn[widest]) - PADDING - over)
        if room + PADDING >= _width(drawn[widest]):
            break
        drawn[widest] = columns[widest].fit(whole[widest], room)
    return kept


def role(style: str) -> str:
    """Of a column's style, as `Look` knows it."""
    return "strong" if style == "bold" else style.removeprefix("$") or "text"
