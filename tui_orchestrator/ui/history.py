"""All decisions ever made, searched while one types; the one that is chosen shows its card."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.style import Style
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.storage.history import MOST_SEARCHED, Page, Past
from tui_orchestrator.storage.search import Query

from . import words
from .dialogs import keys_line
from .in_turn import typed_after
from .turns import ENDS, Turns
from .words import ACCENT, MONEY, MUTED, STRONG, WARN

if TYPE_CHECKING:
    from tui_orchestrator.routing.ports import Clock
    from tui_orchestrator.services.runtime import Runtime

SEARCH_AFTER_S = 0.12
"""Pause in typing after which is searched."""
PAGE = 100
"""Decisions read at once; more when one comes to their end."""
ONE_LINE = 116
"""Cells from which on a decision stands on one line."""
_WHEN, _MODEL, _STRATEGY, _P, _COST, _OUTCOME = 13, 24, 13, 5, 23, 15
_OUTCOMES = {**ENDS, "by another": ("~", WARN), "not ended": ("◐", ACCENT)}


class HistoryScreen(Turns):
    HELP = (
        "Every decision that was made, the latest first: when, the prompt's first words, the model, the strategy, the "
        "chance of a good answer, what it was to cost and did cost, and what became of it. Type to search all of that. "
        "Tab keeps to this session, or not. Enter shows the decision's card."
    )
    CSS = Turns.CSS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,shift+tab", "scope", "This session", priority=True),
        Binding("down", "move(1)", "Down", show=False),
        Binding("up", "move(-1)", "Up", show=False),
        Binding("pagedown", "move(10)", "Page down", show=False),
        Binding("pageup", "move(-10)", "Page up", show=False),
        Binding("home", "move(-99999)", "First", show=False, priority=True),
        Binding("end", "move(99999)", "Last", show=False, priority=True),
    ]

    def __init__(self, runtime: Runtime, session: str, shown: str = "", typed: str = "") -> None:
        """`session`: the one on the screen; `shown`: the request whose card is."""
        super().__init__(runtime)
        self._session = session
        self._shown = shown
        self._here = False
        """Only this session's."""
        self._found: dict[str, Past] = {}
        self._more = False
        self._all = 0
        self._reading = False
        self._stop = Event()
        """Set when nobody waits for the search under way any more."""
        self._search = Input(
            typed, placeholder="search: words of the prompt, a model, a strategy, a task, cancelled …", id="narrow",
            compact=True, select_on_focus=False,
        )  # fmt: skip

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="turns") as dialog:
            dialog.border_title = "Decisions"
            yield self._search
            yield from self.listed()

    def on_mount(self) -> None:
        self.rows.can_focus = False
        self._search.focus()
        self._read()

    # -- what is listed

    @on(Input.Changed)
    def _typed(self) -> None:
        self._read(SEARCH_AFTER_S)

    def _read(self, after_s: float = 0.0) -> None:
        self._stop.set()
        self._stop = Event()
        self._reading = True
        self._load(self._stop, after_s=after_s)

    @typed_after()
    @work(group="history", exclusive=True, exit_on_error=False)
    async def _load(self, stop: Event, *, after_s: float = 0.0, further: bool = False) -> None:
        """From the store anew, or the page after what was read."""
        await asyncio.sleep(after_s)
        self._tell()
        after = next(reversed(self._found.values()), None) if further else None
        try:
            page = await self._asked(after, stop)
            self._all = await self.runtime.history.count(self._session if self._here else None)
        except OrchestratorError as error:
            self.notify(str(error), severity="error", markup=False)
            page = Page((), more=False)
        if not stop.is_set():
            self._reading = False
            self._more = page.more
            new = {past.request_id: past for past in page.found}
            self._found = self._found | new if further else new
            self.lay_out()

    async def _asked(self, after: Past | None, stop: Event) -> Page:
        session = self._session if self._here else None
        return await self.runtime.history.page(
            PAGE, self._search.value, session=session, after=after, stopped=stop.is_set
        )

    def action_scope(self) -> None:
        self._here = not self._here
        self._read()

    # -- drawing

    def draw(self, width: int) -> None:
        marked = self.marked
        clock, query = self.runtime.clock, Query.of(self._search.value)
        self.fill(
            Option(draw_past(past, width, clock, query, shown=past.request_id == self._shown), id=past.request_id)
            for past in self._found.values()
        )
        self.head.display = width >= ONE_LINE
        self.head.update(draw_head(width))
        if self._found:
            wanted = next((one for one in (marked, self._shown) if one in self._found), None)
            self.rows.highlighted = self.rows.get_option_index(wanted) if wanted else 0
        self._tell()

    def _tell(self) -> None:
        parts: list[Content] = []
        for name, here in (("all decisions", False), ("this session", True)):
            chosen = here is self._here
            part = Content.styled(f" {name} ", "bold reverse" if chosen else MUTED)
            parts.append(part if chosen else part.stylize(Style.from_meta({"@click": "screen.scope"})))
        self.above.update(Content(" ").join(parts))
        shown = len(self._found)
        count = f"{shown:,}{'+' if self._more else ''} of {self._all:,}"
        if shown == self._all:
            count = f"{self._all:,} in all"
        keys = "Enter shows the card · Tab: " + ("all" if self._here else "this session") + " · Esc closes"
        dialog = self.query_one("#turns")
        dialog.border_subtitle = keys_line(keys if self._reading else f"{count} · {keys}")
        self.nothing.update(self._nothing())

    def _nothing(self) -> str:
        if self._reading:
            return "Reading …"
        if self._search.value.strip():
            bound = f" in the latest {MOST_SEARCHED:,}" if self._more else ""
            return f"No decision{bound} holds all of that. Fewer words find more."
        if self._here:
            return "Nothing was decided in this session yet, or nothing of it is kept. Tab shows all decisions."
        return "Nothing was decided yet. Every turn's decision is kept here, but not that of a temporary chat."

    # -- keys

    def action_move(self, step: int) -> None:
        if self.rows.option_count and self.rows.highlighted is not None:
            self.rows.highlighted = max(0, min(self.rows.option_count - 1, self.rows.highlighted + step))

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_index >= self.rows.option_count - 2 and self._more and not self._reading:
            self._reading = True
            self._load(self._stop, further=True)

    @on(Input.Submitted)
    def _enter(self) -> None:
        if self.marked is not None:
            self.dismiss(self.marked)

    def on_unmount(self) -> None:
        self._stop.set()


def draw_head(width: int) -> Content:
    room = width - 2 - _WHEN - _MODEL - _STRATEGY - _P - _COST - 2
    head = words.fit("  when", 2 + _WHEN) + words.fit("prompt", room - _OUTCOME) + words.fit("model", _MODEL)
    head += words.fit("strategy", _STRATEGY) + words.fit("p", _P, right=True)
    return Content(head + words.fit("cost, estimated → real", _COST, right=True) + "  outcome")


def draw_past(past: Past, width: int, clock: Clock, query: Query, *, shown: bool = False) -> Content:
    """On one line where there is room, else on two."""
    lead = ("▸ " if shown else "  ", ACCENT)
    prompt, style = past.prompt, "bold" if shown else ""
    if not prompt:
        prompt, style = f"{words.spoken(past.task_type)}; the prompt is not kept", MUTED
    glyph, tone = _OUTCOMES[past.outcome]
    ended = f"by {words.short_name(past.answered_by or '')}" if past.outcome == "by another" else past.outcome
    model = words.short_name(past.model) if past.model else "no model"
    if past.members > 1:
        model += f" +{past.members - 1}"
    p = "" if past.success_probability is None else f"{past.success_probability:.2f}"
    when = words.fit(words.moment(past.at, clock), _WHEN)
    if width >= ONE_LINE:
        room = width - 2 - _WHEN - _MODEL - _STRATEGY - _P - _COST - 2 - _OUTCOME
        return Content.assemble(
            lead,
            (when, MUTED),
            _marked(words.fit(prompt, room - 2) + "  ", style, query),
            _marked(words.fit(model, _MODEL - 2) + "  ", "", query),
            _marked(words.fit(words.spoken(past.strategy), _STRATEGY), MUTED, query),
            words.fit(p, _P, right=True),
            (words.fit(costs(past), _COST, right=True), MONEY),
            (f"  {glyph} ", tone),
            _marked(words.fit(ended, _OUTCOME - 2), tone, query),
        )
    tail = Content.assemble((f"{glyph} ", tone), _marked(words.fit(ended, _OUTCOME - 2), tone, query))
    room = max(8, width - 2 - _WHEN - _OUTCOME)
    first = Content.assemble(lead, (when, MUTED), _marked(words.fit(prompt, room - 1) + " ", style, query), tail)
    about = " · ".join(
        part for part in (model, words.spoken(past.strategy), f"p {p}" if p else "", costs(past)) if part
    )
    indent = 2 + _WHEN
    return words.lines([first, Content(" " * indent) + _marked(words.fit(about, width - indent), MUTED, query)])


def _marked(text: str, style: str, query: Query) -> Content:
    """With what was looked for standing out."""
    content = Content.styled(text, style)
    for start, end in query.marks(text):
        content = content.stylize(STRONG, start, end)
    return content


def costs(past: Past) -> str:
    """'~$0.0012 → $0.0014'"""
    expected = "" if past.estimated_cost is None else f"~{past.estimated_cost}" if past.estimated_cost else "$0"
    if past.model is None:
        return ""
    return f"{expected or '$?'} → {'…' if past.cost is None else past.cost}"
