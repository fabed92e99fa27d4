"""A table as lines of the screen: cells are wrapped to fit, or told one by one where columns cannot."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rich.cells import cell_len
from rich.style import Style

from .lines import Line, Run, TableRow, wrap
from .look import Look

LONGEST_WORD = 14
"""A column is never narrower than its longest word, up to so many cells."""
SEPARATOR = " │ "


@dataclass(frozen=True, slots=True)
class Cells:
    rows: list[list[list[Run]]]
    """The header first; every row as long as it."""
    aligns: list[str]
    """left, right, center or nothing, a column each."""
    sources: list[list[str]]
    """Of the rows, as Markdown."""

    def row(self, number: int) -> TableRow:
        rules = [_RULES.get(align, "---") for align in self.aligns]
        head = f"{_markdown(self.sources[0])}\n{_markdown(rules)}"
        return TableRow(number, head, _markdown(self.sources[number]) if number else "")


def _markdown(cells: list[str]) -> str:
    return f"| {' | '.join(_escaped(cell) for cell in cells)} |"


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")


_RULES = {"left": ":--", "right": "--:", "center": ":-:"}


def column_widths(rows: list[list[list[Run]]], width: int) -> list[int] | None:
    """None where the columns cannot stand side by side."""
    columns = range(len(rows[0]))
    natural = [max(_longest(row[column], "\n") for row in rows) for column in columns]
    room = width - len(SEPARATOR) * (len(natural) - 1)
    if sum(natural) <= room:
        return natural
    least = [min(LONGEST_WORD, max(_longest(row[column], None) for row in rows)) for column in columns]
    spare = room - sum(least)
    if spare < 0:
        return None
    # Narrow columns get all they want first; the others share what is left in equal parts.
    widths = list(least)
    wanting = sorted((column for column in columns if natural[column] > least[column]), key=natural.__getitem__)
    for position, column in enumerate(wanting):
        share = min(natural[column] - least[column], spare // (len(wanting) - position))
        widths[column] += share
        spare -= share
    return widths


def lay_out(
    cells: Cells, width: int, look: Look, *, widths: list[int] | None = None, header: bool = True
) -> list[Line]:
    """`widths` and no header: the rest of a table whose first part is laid out already."""
    widths = widths or column_widths(cells.rows, width)
    if widths is None:
        return _records(cells, width, look)
    border = look.style("border")
    lines: list[Line] = []
    head, *body = cells.rows
    if header:
        strong = look.style("strong")
        lines += _row(cells, 0, [[(text, strong + style) for text, style in cell] for cell in head], widths, look)
        lines.append(Line([("─┼─".join("─" * column for column in widths), border)], quiet=True))
    tall = any(len(wrap(cell, column)) > 1 for row in body for cell, column in zip(row, widths, strict=False))
    for number, row in enumerate(body, 1):
        if tall and number > 1:
            lines.append(Line([("─┼─".join("─" * column for column in widths), border)], quiet=True))
        lines += _row(cells, number, row, widths, look)
    return lines


def _longest(cell: list[Run], separator: str | None) -> int:
    """Of its lines, or of its words (separator None), in cells."""
    return max(map(cell_len, "".join(text for text, _ in cell).split(separator)), default=0) or 1


def _row(cells: Cells, number: int, row: list[list[Run]], widths: list[int], look: Look) -> list[Line]:
    columns = [wrap(cell, width) for cell, width in zip(row, widths, strict=False)]
    plain = look.style("text")
    told = cells.row(number)
    lines: list[Line] = []
    for index in range(max(map(len, columns), default=0)):
        runs: list[Run] = []
        spans: list[tuple[int, int, str]] = []
        for column, (cell, width) in enumerate(zip(columns, widths, strict=False)):
            part = cell[index] if index < len(cell) else Line([], join="")
            content = part.runs
            missing = max(0, width - sum(cell_len(text) for text, _ in content))
            left = {"right": missing, "center": missing // 2}.get(cells.aligns[column], 0)
            separator = [(SEPARATOR, look.style("border"))] if column else []
            runs += separator
            start = sum(len(text) for text, _ in runs)
            runs += [(" " * left, plain), *content, (" " * (missing - left), plain)]
            spans.append((start, sum(len(text) for text, _ in runs), part.join))
        lines.append(Line(runs, row=told, cells=tuple(spans)))
    return lines


def _records(cells: Cells, width: int, look: Look) -> list[Line]:
    """Of each row its cells with their columns' names: one after another where two lines hold any row, else a line for
    each."""
    head, *body = cells.rows
    muted = look.style("muted")
    told = [[_named(name, cell, muted) for name, cell in zip(head, row, strict=False)] for row in body]
    flowing = [
        wrap([run for at, one in enumerate(row) for run in ([(" · ", muted)] if at else []) + one], width)
        for row in told
    ]
    short = all(len(record) <= 2 for record in flowing)
    lines: list[Line] = []
    for index, row in enumerate(told):
        if index:
            lines.append(Line([("╌" * width, look.style("border"))], quiet=True))
        record = flowing[index] if short else [line for one in row for line in wrap(one, width)]
        told_of = cells.row(index + 1)
        lines += [replace(line, row=told_of, cells=((0, len(line.text), line.join),)) for line in record]
    return lines


def _named(name: list[Run], cell: list[Run], muted: Style) -> list[Run]:
    label = [(text, muted + style) for text, style in name]
    return [*label, (": ", muted), *cell] if any(text.strip() for text, _ in name) else cell
