"""How a setting looks in the list of them, and beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rich.cells import cell_len
from textual.content import Content

from tui_orchestrator.routing.text import clean_line
from tui_orchestrator.services.preferences import holds_at_once
from tui_orchestrator.settings import DEMO, hidden
from tui_orchestrator.settings.listing import Listed, Section
from tui_orchestrator.settings.shape import dotted

from . import words
from .words import ACCENT, GOOD, MUTED, STRONG, WARN

Piece = tuple[str, str]


def heading(section: Section, width: int, *, first: bool) -> Content:
    """All but the first with an empty line above."""
    title = words.fit(hidden(f"[{dotted(section.path)}]"), width).rstrip()
    room = width - cell_len(title) - 2
    doc = words.fit(section.doc.partition(". ")[0].rstrip("."), room).rstrip() if room > 12 else ""
    head = Content.assemble((title, STRONG), (f"  {doc}" if doc else "", MUTED))
    return head if first else words.lines(["", head])


def row(setting: Listed, width: int) -> Content:
    """A mark where it is said somewhere, its name, what holds, and where that comes from."""
    name_width = min(30, max(14, width // 3))
    origin_width = 0 if width < 50 else min(30, width // 4)
    value_width = max(4, width - 2 - name_width - 1 - origin_width - (1 if origin_width else 0))
    said = setting.origin != "default"
    style = MUTED if setting.value.startswith("(") else STRONG if said else ""
    return Content.assemble(
        mark(setting),
        (words.fit(hidden(dotted(setting.path[-1:])), name_width), ""),
        " ",
        (words.fit(clean_line(setting.value), value_width), style),
        " " if origin_width else "",
        (words.fit(_short(setting.origin), origin_width, right=True) if origin_width else "", MUTED),
    )


def adding(section: Section, width: int) -> Content:
    assert section.adds is not None
    place = dotted((*section.path, section.adds.name))
    return Content.assemble(("+ ", ACCENT), (words.fit(f"add {place}", width - 2).rstrip(), ACCENT))


def mark(setting: Listed) -> Piece:
    if setting.own and setting.overridden:
        return ("! ", WARN)
    return ("● ", ACCENT) if setting.origin != "default" else ("  ", "")


def details(setting: Listed, file: Path, width: int, *, low: bool) -> Content:
    """`low`: without air, where there are few rows."""
    return words.lines(
        [line for piece in _details(setting, file) if not low or any(piece) for line in _wrapped(piece, width)]
    )


def _details(setting: Listed, file: Path) -> Iterator[tuple[str, str, str]]:
    """Label, text and style each; a label alone is a heading, a text alone a paragraph."""
    yield setting.shown_name, "", STRONG
    yield "", setting.doc, ""
    yield "", "", ""
    yield "holds", setting.value, STRONG
    yield "from", _where(setting.origin), ""
    if setting.overridden and setting.key is not None:
        if setting.own:
            yield "your file", f"says {setting.own}, line {setting.own_origin.rpartition(':')[2]}", ""
        yield (
            "",
            f"! {_where(setting.origin)} goes before {file.name}, so a change here waits until that is gone.",
            WARN,
        )
    if setting.key is None:
        yield "", "It cannot be changed here.", MUTED
        return
    yield "default", setting.default, ""
    yield "takes", setting.takes + (f", such as {setting.example}" if setting.example else ""), ""
    if setting.variables:
        yield "also set by", ", ".join(setting.variables), ""
    late = "from the next turn on" if holds_at_once(setting.path) else "from the next start on"
    yield "a change holds", late, GOOD if holds_at_once(setting.path) else ""


def _wrapped(piece: tuple[str, str, str], width: int) -> Iterator[Content]:
    label, text, style = piece
    if label and not text:
        yield from (Content.styled(line, style) for line in words.wrap(label, width))
    elif not label:
        yield from (Content.styled(line, style) for line in words.wrap(text, width) or [""])
    else:
        lines = words.wrap(f"{label} {text}", width, indent=2)
        yield Content.assemble((lines[0][: len(label)], MUTED), (lines[0][len(label) :], style))
        yield from (Content.styled(f"  {line.lstrip()}", style) for line in lines[1:])


def _where(origin: str) -> str:
    """An origin as one would say it."""
    if origin == DEMO:
        return "the demo, until you set your own"
    return re.sub(r"^env (\w+)$", r"\1 in the environment", origin)


def _short(origin: str) -> str:
    """With the file's name alone: the directory stands in the title."""
    return origin.rpartition("/")[2] if ".toml:" in origin or ".env:" in origin else origin
