"""Experiments drawn: a row for each, and all that one has found."""

from __future__ import annotations

import math

from textual.content import Content

from tui_orchestrator.routing.ports import Clock
from tui_orchestrator.routing.sequential import ALPHA
from tui_orchestrator.routing.text import counted
from tui_orchestrator.services.findings import ArmFigures, Findings, interval_in_words, sentence

from . import words
from .words import ACCENT, BAR, GOOD, MONEY, MUTED, STRONG

ONE_LINE = 104
"""Cells from which on an experiment stands on one line."""
_NAME, _STATE, _TURNS, _FOUND = 20, 12, 7, 26
_STATES = {"running": ("◐", ACCENT), "decided": ("✓", GOOD), "stopped": ("■", MUTED)}
"""The glyphs tell them apart without their colours."""
_LABEL, _COUNT, _RATE, _SPAN, _PER_TURN, _COST, _SECONDS = 26, 9, 7, 14, 13, 11, 8
_SCALE = 100
"""Points at either end of the scale of the difference."""


def draw_head(width: int) -> Content:
    room = max(8, (width - 2 - _NAME - _STATE - _TURNS - _FOUND - 2) // 2)
    head = words.fit("  name", 2 + _NAME) + words.fit("state", _STATE) + words.fit("A", room) + words.fit("B", room)
    return Content(words.fit(head + words.fit("turns", _TURNS, right=True) + "  what it has found", width))


def draw_row(found: Findings, width: int) -> Content:
    glyph, tone = _STATES[found.state]
    one, turns = found.experiment, found.a.turns + found.b.turns
    state = Content.assemble((words.fit(f"{glyph} {found.state}", _STATE), tone))
    name = (words.fit(one.name, _NAME - 2) + "  ", "bold")
    if width >= ONE_LINE:
        room = max(8, (width - 2 - _NAME - _STATE - _TURNS - _FOUND - 2) // 2)
        return Content.assemble(
            "  ", name, state, words.fit(one.a.short, room - 2) + "  ", words.fit(one.b.short, room - 2) + "  ",
            words.fit(f"{turns:,}", _TURNS, right=True), "  ", _found(found, _FOUND),
        )  # fmt: skip
    first = Content.assemble("  ", name, state, _found(found, max(0, width - 2 - _NAME - _STATE)))
    about = words.fit(f"    A {one.a.short} · B {one.b.short} · {counted(turns, 'turn')}", width)
    return words.lines([first, Content.styled(about, MUTED)])


def _found(found: Findings, width: int) -> Content:
    difference = found.difference
    if difference is None:
        return Content.styled(words.fit("nothing known yet", width), MUTED)
    points, side = round(abs(difference) * 100), "B" if difference > 0 else "A"
    said = f"{side} {points} points ahead" if points else "alike so far"
    if found.decided:
        return Content.styled(words.fit(f"{(found.reading.better or '').upper()} is better", width), GOOD)
    return Content.styled(words.fit(said, width), "")


def draw_findings(found: Findings, width: int, clock: Clock) -> Content:
    """As many lines as it takes, none wider."""
    one, kept = found.experiment, found.kept
    on = f"on your own turns, {round(one.share * 100)} % of them to B" if kept.kind == "traffic" else "on a file"
    since = f"since {words.moment(kept.started, clock)}"
    until = f", stopped {words.moment(kept.stopped, clock)}" if kept.stopped else ""
    rows = [words.heading(one.name, width, f"{on} · {since}{until}")]
    if width >= _LABEL + _COUNT * 2 + _RATE + _SPAN + _PER_TURN + _COST + _SECONDS:
        rows += [_arm_head(width), _arm(found.a, width), _arm(found.b, width), Content("")]
    else:
        rows += [*_arm_lines(found.a, width), *_arm_lines(found.b, width)]
    style = f"bold {GOOD}" if found.decided else "bold"
    rows += [Content.styled(line, style) for line in words.wrap(sentence(found), width)]
    rows += _difference(found, width)
    rows.append(_evidence(found, width))
    if one.judge:
        unsure = f", {found.unsure:,} times unsure" if found.unsure else ""
        rows.append(_muted(f"Judged by {one.judge} for {found.judging}{unsure}", width))
    elif found.unsure:
        rows.append(_muted(f"{found.unsure:,} answers cannot be compared with the expected one", width))
    return words.lines(rows)


def _muted(text: str, width: int) -> Content:
    return Content.styled(words.fit(text, width).rstrip(), MUTED)


def _arm_head(width: int) -> Content:
    head = words.fit("", _label(width)) + words.fit("turns", _COUNT, right=True)
    head += words.fit("outcomes", _COUNT, right=True) + words.fit("good", _RATE, right=True)
    head += words.fit("95 %", _SPAN, right=True) + words.fit("a turn", _PER_TURN, right=True)
    return _muted(head + words.fit("in all", _COST, right=True) + words.fit("time", _SECONDS, right=True), width)


def _label(width: int) -> int:
    return min(60, width - _COUNT * 2 - _RATE - _SPAN - _PER_TURN - _COST - _SECONDS)


def _arm(figures: ArmFigures, width: int) -> Content:
    return Content.assemble(
        (f"{figures.side.upper()} ", STRONG),
        words.fit(figures.arm.short, _label(width) - 3) + " ",
        words.fit(f"{figures.turns:,}", _COUNT, right=True),
        words.fit(f"{figures.outcomes:,}", _COUNT, right=True),
        (words.fit(_rate(figures), _RATE, right=True), "bold"),
        (words.fit(_span(figures), _SPAN, right=True), MUTED),
        (words.fit(_per_turn(figures), _PER_TURN, right=True), MONEY),
        (words.fit(str(figures.cost), _COST, right=True), MONEY),
        (words.fit("" if figures.seconds is None else words.seconds(figures.seconds), _SECONDS, right=True), MUTED),
    )


def _arm_lines(figures: ArmFigures, width: int) -> list[Content]:
    first = Content.assemble(
        (f"{figures.side.upper()} ", STRONG),
        words.fit(figures.arm.short, max(8, width - 2 - _RATE - _SPAN)),
        (words.fit(_rate(figures), _RATE, right=True), "bold"),
        (words.fit(_span(figures), _SPAN, right=True), MUTED),
    )
    of = f"{counted(figures.outcomes, 'outcome')} of {counted(figures.turns, 'turn')}"
    told = f"{of} · {_per_turn(figures) or '$0'} a turn"
    return [first, _muted(f"  {told} · {figures.cost} in all", width)]


def _rate(figures: ArmFigures) -> str:
    return "" if figures.rate is None else f"{round(figures.rate * 100)} %"


def _span(figures: ArmFigures) -> str:
    if figures.rate is None:
        return ""
    low, high = figures.interval
    return f"{round(low * 100)} to {round(high * 100)} %"


def _per_turn(figures: ArmFigures) -> str:
    if not figures.turns:
        return ""
    return "$?" if figures.per_turn is None else str(figures.per_turn)


def _difference(found: Findings, width: int) -> list[Content]:
    """The interval of the difference on a scale, with the middle marked, where both are alike."""
    interval, seen = found.interval, found.difference
    if interval is None or seen is None:
        return []
    ends = "A better ", " B better"
    cells = min(61, width - sum(map(len, ends)))
    if cells < 11:
        return []
    cells -= 1 - cells % 2

    def place(value: float) -> int:
        return round((max(-1.0, min(1.0, value * 100 / _SCALE)) + 1) / 2 * (cells - 1))

    low, high, middle, dot = place(interval.low), place(interval.high), cells // 2, place(seen)
    parts: list[Content | tuple[str, str] | str] = [(ends[0], MUTED)]
    for cell in range(cells):
        if cell == dot:
            parts.append(("●", STRONG))
        elif low <= cell <= high:
            parts.append(("┿" if cell == middle else "━", BAR))
        else:
            parts.append(("┼" if cell == middle else "─", MUTED))
    told = f"B against A: {interval_in_words(interval)} at 95 %, however often you look"
    return [Content.assemble(*parts, (ends[1], MUTED)), _muted(told, width)]


def _evidence(found: Findings, width: int) -> Content:
    """On a scale of logarithms, as a stake grows."""
    strongest, needed = found.reading.strongest, 1 / ALPHA
    share = min(1.0, math.log(strongest) / math.log(needed)) if strongest > 1 else 0.0
    figure = f"{strongest:.1f}" if strongest < 100 else f"{strongest:,.0f}" if strongest < 1e6 else "over a million"
    told = f" evidence {figure}; {needed:.0f} decides"
    cells = max(0, min(30, width - len(told)))
    bar = words.bar(share, cells).rstrip()
    style = GOOD if found.decided else BAR
    return Content.assemble((bar, style), ("·" * (cells - len(bar)), MUTED), (told, MUTED))
