"""The live bill: what is spent, set aside and left, by what, and the last attempts as they land."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.message import Message
from textual.signal import Signal
from textual.timer import Timer
from textual.widgets import Static

from tui_orchestrator.routing.budget import BudgetState
from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.routing.events import (
    Attempt,
    AttemptFailed,
    AttemptFinished,
    Budget,
    Completed,
    Event,
    Failed,
    Outcome,
    Reserved,
)
from tui_orchestrator.routing.money import ZERO
from tui_orchestrator.services.spending import Overview
from tui_orchestrator.storage.reports import Totals

from . import words
from .words import ACCENT, BAD, BAR, GOOD, MUTED, WARN

SUMS_EVERY_S = 0.25
"""The sums are read from disk at most this often."""
MAIN_SCOPES = ("request", "session", "day", "month")
RECENT_SHOWN = 8
SHARES_SHOWN = 5

_OUTCOMES = {Outcome.FINISHED: ("✓", GOOD), Outcome.FAILED: ("✗", BAD), Outcome.CANCELLED: ("■", WARN)}


def draw_budgets(states: Iterable[BudgetState], forecasts: dict[str, str], width: int, *, demo: bool) -> list[Content]:
    rows = [words.heading("Spent", width, "demo money" if demo else "")]
    for state in states:
        limit, left = state.limit, state.left
        name = words.fit(state.scope, max(8, min(24, len(state.scope))))
        if limit is None or left is None:
            if state.scope not in MAIN_SCOPES:
                continue
            held = f" + {state.reserved} reserved" if state.reserved else ""
            rows.append(Content.assemble(f"  {name} {state.spent}{held}", ("  no cap", MUTED)))
            continue
        glyph, style = words.CONDITIONS[state.condition]
        figures = f"{glyph} {name} {state.spent} of {limit}"
        note = f"{left} left"
        rows.append(
            Content.assemble(
                (figures[:2], style),
                words.fit(figures[2:], width - 3 - len(note)),
                " ",
                (note, BAD if not left else MUTED),
            )
        )
        rows.append(Content.assemble("  ", words.budget_bar(state, width - 2)))
        if forecast := forecasts.get(state.scope):
            rows += [Content.styled("  " + line, WARN) for line in words.wrap(forecast, width - 2)]
    return rows


def draw_overview(overview: Overview, width: int) -> list[Content]:
    rows: list[Content] = []
    if overview.by_model:
        rows += [Content(""), words.heading("Today by model", width), *_shares(overview.by_model, width)]
    if overview.recent:
        rows += [Content(""), words.heading("Last attempts", width, _speed(overview.tokens_per_s))]
        rows += [_attempt(attempt, width) for attempt in overview.recent[:RECENT_SHOWN]]
    notes = []
    if overview.savings is not None and overview.savings.attempts and overview.baseline:
        saved, baseline = overview.savings.saved, words.short_name(overview.baseline)
        if saved >= ZERO:
            notes.append(f"≈ {saved} saved this month against always asking {baseline} (an estimate)")
        else:
            notes.append(f"≈ {-saved} more this month than always asking {baseline} (an estimate)")
    if overview.today.cache_hits:
        notes.append(f"{overview.today.cache_hits} answered from the cache, {overview.today.saved_by_cache} saved")
    if notes:
        rows.append(Content(""))
        rows += [Content.styled(line, GOOD) for note in notes for line in words.wrap(note, width, indent=2)]
    for title, groups in (("Today by task", overview.by_task), ("Today by strategy", overview.by_strategy)):
        if groups:
            rows += [Content(""), words.heading(title, width), *_shares(groups, width)]
    return rows


def _shares(groups: Sequence[Totals], width: int) -> list[Content]:
    most = max((group.cost for group in groups), default=ZERO).picodollars or 1
    room = max(0, min(16, width - 38))
    name_room = width - 10 - 6 - (room + 1 if room else 0)
    return [
        Content.assemble(
            words.fit(words.spoken(words.short_name(group.key)), name_room),
            " " if room else "",
            (words.bar(group.cost.picodollars / most, room), BAR),
            words.fit(_total(group), 10, right=True),
            (words.fit(f"{group.attempts}×", 6, right=True), MUTED),
        )
        for group in groups[:SHARES_SHOWN]
    ]


def _total(group: Totals) -> str:
    """An attempt of unknown cost makes the sum a lower bound, and it says so."""
    return f"{group.cost}{'+?' if group.unknown else ''}"


def _attempt(attempt: Attempt, width: int) -> Content:
    glyph, style = ("◇", ACCENT) if attempt.from_cache else _OUTCOMES[attempt.outcome]
    note = "cache" if attempt.from_cache else words.spoken(attempt.error_kind or "")
    name = words.short_name(attempt.model) + (f" {note}" if note else "")
    return Content.assemble(
        (f"{glyph} ", style),
        words.fit(name, width - 2 - 8 - 10),
        (words.fit(words.seconds(attempt.latency_s), 8, right=True), MUTED),
        words.fit(str(attempt.cost), 10, right=True),
    )


_SPARKS = "▁▂▃▄▅▆▇█"


def _speed(rates: Sequence[float]) -> str:
    if not rates:
        return ""
    top = max(rates) or 1.0
    line = "".join(_SPARKS[min(7, int(rate / top * 7.99))] for rate in rates[-12:])
    return f"{line} {rates[-1]:.0f} tok/s"


class CostsPane(VerticalScroll):
    """Budgets move with each event; the sums behind them are read again a moment later."""

    BORDER_TITLE = "Costs"
    HELP = (
        "What was spent and what is left. In a bar, solid is spent, hatched is reserved for running calls, "
        "dots are left. ↑↓ scrolls."
    )

    class Summed(Message):
        """The sums have been read anew."""

        def __init__(self, overview: Overview) -> None:
            super().__init__()
            self.overview = overview

    def __init__(self, events: Signal[Event]) -> None:
        super().__init__(id="costs", classes="pane")
        self._events = events
        self._bill = Static(id="bill", markup=False)
        self._states: dict[str, BudgetState] = {}
        self._forecasts: dict[str, str] = {}
        self._overview: Overview | None = None
        self._read: Callable[[], Awaitable[Overview]] | None = None
        self._reading: Timer | None = None
        self._problem = ""
        self.demo = False

    def compose(self) -> ComposeResult:
        yield self._bill

    def on_mount(self) -> None:
        self._events.subscribe(self, self.tell)
        self._draw()

    def on_resize(self, event: Resize) -> None:
        self._draw()

    def read_from(self, read: Callable[[], Awaitable[Overview]]) -> None:
        """Where the sums come from, from now on; they are read at once."""
        self._read = read
        self._states.clear()
        self._forecasts.clear()
        self._sum_soon()

    def tell(self, event: Event) -> None:
        if isinstance(event, Reserved):
            self._take(event.budgets)
        elif isinstance(event, Budget):
            self._take((event.state,))
            if event.forecast:
                self._forecasts[event.state.scope] = event.forecast
        elif isinstance(event, AttemptFinished | AttemptFailed | Completed | Failed):
            self._sum_soon()
            return
        else:
            return
        self._draw()

    def _take(self, states: Iterable[BudgetState]) -> None:
        for state in states:
            self._states[state.scope] = state

    def _sum_soon(self) -> None:
        if self._reading is None and self._read is not None:
            self._reading = self.set_timer(SUMS_EVERY_S, self._sum)

    async def _sum(self) -> None:
        # Free before the reading, so that what lands during it is read too.
        self._reading = None
        if self._read is not None:
            try:
                self._overview = await self._read()
            except OrchestratorError as error:
                self._problem = str(error)
            else:
                self._problem = ""
                self._take(self._overview.budgets)
                self.post_message(self.Summed(self._overview))
            self._draw()

    def _draw(self) -> None:
        width = max(24, self.scrollable_content_region.width)
        order = {scope: place for place, scope in enumerate(MAIN_SCOPES)}
        states = sorted(self._states.values(), key=lambda state: order.get(state.scope, len(order)))
        rows = draw_budgets(states, self._forecasts, width, demo=self.demo)
        if self._overview is not None:
            rows += draw_overview(self._overview, width)
        if not states or (self._overview is not None and not self._overview.recent):
            note = "Nothing spent yet. Each attempt appears here as it lands, failed and cancelled ones too."
            rows += [Content(""), *(Content.styled(line, MUTED) for line in words.wrap(note, width))]
        if self._problem:
            rows += [Content(""), *(Content.styled(line, BAD) for line in words.wrap(f"✗ {self._problem}", width, 2))]
        self._bill.update(words.lines(rows))
