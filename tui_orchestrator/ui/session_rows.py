"""How a session looks in the list of them, and beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime

from rich.cells import cell_len
from textual.content import Content

from tui_orchestrator.routing.ports import Clock
from tui_orchestrator.routing.request import Role
from tui_orchestrator.storage.archive import Found, Listed

from . import words
from .open_sessions import GLYPHS, State
from .words import ACCENT, MONEY, MUTED, STRONG

Marks = Sequence[tuple[int, int]]
_MATCH = "bold $background on $warning"
LINES = 2
"""Of a row."""
_WHO = {"user": "you", "assistant": "answer", "system": "system"}


def group_of(found: Found, clock: Clock, *, searching: bool) -> str:
    """The heading it stands under."""
    if searching:
        return "In titles" if found.marks else "In what was said"
    if found.listed.session.pinned:
        return "Pinned"
    days = (clock.today() - clock.local(found.listed.session.updated).date()).days
    if days <= 0:
        return "Today"
    return "Yesterday" if days == 1 else "Earlier this week" if days < 7 else "Earlier"


def heading(text: str, width: int) -> Content:
    return words.heading(text, width)


def row(found: Found, width: int, clock: Clock, *, current: bool, state: State | None = None) -> Content:
    """Two lines: title, tags, cost and when; below it the found place, or what it holds, after the `state` it is in."""
    listed, session = found.listed, found.listed.session
    spent = cost(listed)
    tail = Content.assemble(
        (words.fit(spent, max(9, cell_len(spent)), right=True), MONEY),
        (words.fit(when(session.updated, clock), 13, right=True), MUTED),
    )
    tags = f"  {words.tags(session.tags)}" if session.tags else ""
    room = max(8, width - 2 - tail.cell_length)
    tags = tags if cell_len(tags) < room // 2 else words.fit(tags, room // 2).rstrip()
    lead = "▸ " if current else f"{GLYPHS[state]} " if state else "★ " if session.pinned else "  "
    title = session.title or "untitled"
    shown = words.fit(title, min(cell_len(title), room - cell_len(tags)))
    padding = " " * (room - cell_len(shown) - cell_len(tags))
    first = Content.assemble((lead, ACCENT), marked(shown, found.marks, "bold"), (tags, ACCENT), padding, tail)
    told = Content.assemble((f"{GLYPHS[state]} {state}", ACCENT), (" · ", MUTED)) if state else Content("")
    return words.lines([first, _below(found, told, width)])


def _below(found: Found, told: Content, width: int) -> Content:
    listed, place, room = found.listed, found.place, width - 2 - told.cell_length
    if place is None:
        return _indented(told, Content.styled(words.fit(holds(listed), room).rstrip(), MUTED))
    who = f"{_WHO[place.role]}: "
    more = f"  +{place.messages - 1} more" if place.messages > 1 else ""
    room = max(8, room - len(who) - len(more))
    text = words.fit(place.snippet.text, min(cell_len(place.snippet.text), room))
    return _indented(told, Content.assemble((who, MUTED), marked(text, place.snippet.marks, ""), (more, MUTED)))


def _indented(*parts: Content) -> Content:
    return Content.assemble(("  ", MUTED), *parts)


def marked(text: str, marks: Marks, style: str) -> Content:
    """The text with what was looked for standing out; marks that were cut off with the text are left out."""
    content = Content.styled(text, style)
    for start, end in marks:
        if start < len(text):
            content = content.stylize(_MATCH, start, min(end, len(text)))
    return content


def holds(listed: Listed) -> str:
    session = listed.session
    count = f"{session.messages:,} message{'' if session.messages == 1 else 's'}"
    models = ", ".join(words.short_name(model) for model in listed.models[:3])
    more = f" +{len(listed.models) - 3}" if len(listed.models) > 3 else ""
    persona = f"◈ {session.persona}" if session.persona else ""
    fork = "↳ fork" if session.origin else ""
    return " · ".join(part for part in (count, models + more, persona, fork) if part)


def cost(listed: Listed) -> str:
    """'~$0.0031+?': part of it estimated, and some of it not known. Of an imported one also what it cost elsewhere."""
    if listed.elsewhere is not None:
        own = replace(listed, elsewhere=None)
        here = f"{cost(own)} here, " if listed.cost or listed.unknown else ""
        return f"{here}{listed.elsewhere} elsewhere"
    if listed.unknown and not listed.cost:
        return "$?"
    return f"{'~' if listed.estimated else ''}{listed.cost}{'+?' if listed.unknown else ''}"


def when(at: datetime, clock: Clock) -> str:
    """As long ago as it is today, the time of yesterday, then the date. With the weekday, because what was searched for
    or pinned does not stand below the name of its day."""
    local, today = clock.local(at), clock.today()
    past = (clock.now() - at).total_seconds()
    if local.date() == today:
        return words.ago(past)
    return f"{local:%a %H:%M}" if (today - local.date()).days == 1 else _date(local.date(), today)


def _date(day: date, today: date) -> str:
    return f"{day:%a} {day.day} {day:%b}" if day.year == today.year else f"{day.day} {day:%b %Y}"


def details(listed: Listed, ending: Iterable[tuple[Role, str]], width: int, clock: Clock) -> Content:
    """All that is known of one session, and how it ended."""
    session = listed.session
    facts = [
        ("last used", f"{clock.local(session.updated):%a %d %b %Y, %H:%M}"),
        ("begun", f"{clock.local(session.created):%a %d %b %Y, %H:%M}"),
        ("messages", f"{session.messages:,}"),
        ("cost", cost(listed)),
        ("models", ", ".join(words.short_name(model) for model in listed.models) or "none yet"),
        ("tags", words.tags(session.tags)),
        ("persona", session.persona or ""),
        ("strategy", words.spoken(session.strategy or "")),
        ("pinned to", words.short_name(session.model or "")),
        ("fork of", session.origin_title or session.origin or ""),
        ("system", " ".join(session.system.split())),
        ("id", session.id),
    ]
    lines = [Content.styled(line, STRONG) for line in words.wrap(session.title or "untitled", width)]
    lines.append(Content(""))
    for name, value in facts:
        if value:
            style = MONEY if name == "cost" else ""
            head, *rest = words.wrap(value, max(8, width - 11))[:3]
            lines.append(Content.assemble((words.fit(name, 11), MUTED), (head, style)))
            lines += [Content.styled(" " * 11 + line, style) for line in rest]
    said = list(ending)
    if said:
        lines += [Content(""), words.heading("How it ended", width)]
    for role, text in said:
        lines.append(Content.styled("▌ you" if role == "user" else "answer", ACCENT if role == "user" else MUTED))
        lines += [Content(line) for line in words.wrap(" ".join(text.replace("**", "").split()), width)[:5]]
    return words.lines(lines)
