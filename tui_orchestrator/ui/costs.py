"""The live bill: what is spent, set aside and left, how fast it goes, on what, and the last attempts as they land."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.message import Message
from textual.signal import Signal
from textual.theme import Theme
from textual.timer import Timer
from textual.widgets import Static

from tui_orchestrator.routing.budget import BudgetState
from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.routing.events import (
    AttemptFailed,
    AttemptFinished,
    Budget,
    Completed,
    Event,
    Failed,
    Reserved,
)
from tui_orchestrator.routing.money import CostState
from tui_orchestrator.services.spending import DIMENSIONS, SPANS, Dimension, Mark, Overview, Span, Trend

from . import bill, plots, words
from .commands import bindings
from .hearing import hear
from .look import Look
from .words import BAD, MUTED

if TYPE_CHECKING:
    from tui_orchestrator.shared.store import SharedStore

SUMS_EVERY_S = 0.25
"""The sums are read from disk at most this often, and one reading at a time."""
LONGEST_REST_S = 2.0
"""A slow disk is left alone for twice as long as it took, at most this long."""
LOOK_AGAIN_S = 20.0
"""Time alone moves a forecast, and other copies of the program spend too."""
DRAWN_WITHIN_S = 0.05
"""An attempt moves up to eight budgets at once: they are drawn once."""
TWO_COLUMNS = 110
GAP = 4
_PlotName = Literal["trend", "month"]
_PlotKey = tuple[Trend, int, int, Look]


class Figures(Static):
    """Text of the pane in which a span of time can be clicked."""

    class SpanWanted(Message):
        def __init__(self, span: Span) -> None:
            super().__init__()
            self.span = span

    def action_show_span(self, span: Span) -> None:
        self.post_message(self.SpanWanted(span))


class CostsPane(VerticalScroll):
    """Budgets move with each event; the sums behind them are read again a moment later."""

    BORDER_TITLE = "Costs"
    BINDINGS = bindings("costs")
    HELP = (
        "What was spent, what is set aside for running calls, what is left. In a bar █ is spent, ▒ reserved, · left; "
        "✓ is fine, ! past an alert, ✗ exhausted. Then how fast it goes, and when a cap is reached if it goes on so; "
        "what it went on; the plot, where dots are what is to be expected and a line is the cap; the last attempts: "
        "✓ finished, ✗ failed, ■ cancelled, ◇ from the cache; ~ is estimated, $? not known, +? a part is not known. "
        "{costs.earlier} and {costs.later} change between today, seven days and the month, {costs.dimension} what the "
        "shares are of, ↑ and ↓ scroll, {costs.reports} opens the reports; zoomed, everything stands side by side."
    )

    class Summed(Message):
        """The sums have been read anew."""

        def __init__(self, overview: Overview) -> None:
            super().__init__()
            self.overview = overview

    def __init__(self, events: Signal[Event]) -> None:
        super().__init__(id="costs", classes="pane")
        self._events = events
        self._bill = Figures(id="bill", markup=False)
        self._states: dict[str, BudgetState] = {}
        self._forecasts: dict[str, str] = {}
        self._overview: Overview | None = None
        self._read: Callable[[Span], Awaitable[Overview]] | None = None
        self._stale = False
        """Something has happened since the last reading began."""
        self._reading = False
        self._drawing: Timer | None = None
        self._drawn_last = Content("")
        self._rows = 0
        self._problem = ""
        self._span: Span = "today"
        self._dimension: Dimension = "model"
        self._seen: Look | None = None
        """The theme's, until it changes."""
        self._plots: dict[_PlotName, tuple[_PlotKey, Content]] = {}
        self._wanted: dict[_PlotName, _PlotKey] = {}
        self._plotting = False
        self.demo = False
        self.shared: SharedStore | None = None
        self.elsewhere: Callable[[str], bool] = lambda request_id: False
        """Whether that request is a turn of a session that is not on the screen."""
        self.blind: Callable[[], frozenset[str]] = frozenset
        """The requests whose ensembles wait for a vote before names are shown."""

    def compose(self) -> ComposeResult:
        yield self._bill

    def on_mount(self) -> None:
        hear(self._events, self, self.tell)
        self.app.theme_changed_signal.subscribe(self, self._rethemed)
        self.set_interval(LOOK_AGAIN_S, self._sum_soon)
        self._draw()

    def on_resize(self, event: Resize) -> None:
        self._draw()

    def fit(self) -> None:
        """To the room there is inside the frame, which may have come or gone."""
        self._draw()

    def _rethemed(self, theme: Theme) -> None:
        self._seen = None
        self._draw_soon()

    # -- what is told

    def read_from(self, read: Callable[[Span], Awaitable[Overview]]) -> None:
        """Where the sums come from, from now on; they are read at once."""
        self._read = read
        self._states.clear()
        self._forecasts.clear()
        self._sum_soon()

    def read_again(self) -> None:
        """The caps are other ones now."""
        if self._read is not None:
            self.read_from(self._read)

    def tell(self, event: Event) -> None:
        if isinstance(event, Reserved):
            self._take(state for state in event.budgets if self._is_told_here(state, event))
        elif isinstance(event, Budget):
            if not self._is_told_here(event.state, event):
                return
            self._take((event.state,))
            self._expect(event.state.scope, event.forecast)
        elif isinstance(event, AttemptFinished | AttemptFailed | Completed | Failed):
            self._sum_soon()
            return
        else:
            return
        self._draw_soon()

    def show(self, overview: Overview) -> None:
        self._overview = overview
        self._problem = ""
        self._take(overview.budgets)
        for state in overview.budgets:
            self._expect(state.scope, overview.forecasts.get(state.scope))
        self._draw()

    def _is_told_here(self, state: BudgetState, event: Event) -> bool:
        """What a turn of another session spends of its own caps says nothing of this one's."""
        return state.scope not in ("request", "session") or not self.elsewhere(event.request_id)

    def _take(self, states: Iterable[BudgetState]) -> None:
        for state in states:
            self._states[state.scope] = state

    def _expect(self, scope: str, forecast: str | None) -> None:
        self._forecasts.pop(scope, None)
        if forecast is not None:
            self._forecasts[scope] = forecast

    # -- what is read

    def _sum_soon(self) -> None:
        self._stale = True
        if not self._reading and self._read is not None:
            self._reading = True
            self.run_worker(self._read_while_stale(), group="sums", exit_on_error=False)

    async def _read_while_stale(self) -> None:
        try:
            while self._stale and self._read is not None:
                self._stale = False
                began = time.monotonic()
                await self._sum(self._read, self._span)
                took = time.monotonic() - began
                await asyncio.sleep(max(SUMS_EVERY_S, min(2 * took, LONGEST_REST_S)))
        finally:
            self._reading = False

    async def _sum(self, read: Callable[[Span], Awaitable[Overview]], span: Span) -> None:
        try:
            overview = await read(span)
        except OrchestratorError as error:
            self._problem = str(error)
            self._draw()
            return
        if read is self._read and span == self._span:
            self.show(overview)
            self.post_message(self.Summed(overview))

    # -- what is chosen

    def action_span(self, by: int) -> None:
        place = SPANS.index(self._span) + by
        self._show_span(SPANS[max(0, min(len(SPANS) - 1, place))])

    def on_figures_span_wanted(self, message: Figures.SpanWanted) -> None:
        self._show_span(message.span)

    def _show_span(self, span: Span) -> None:
        self._span = span
        self._sum_soon()
        self._draw()

    def action_dimension(self) -> None:
        self._dimension = bill.next_of_dimensions(self._dimension)
        self._draw()

    # -- what is drawn

    def _draw_soon(self) -> None:
        if self._drawing is None:
            self._drawing = self.set_timer(DRAWN_WITHIN_S, self._draw)

    def _draw(self) -> None:
        if self._drawing is not None:
            self._drawing.stop()
            self._drawing = None
        width, height = self.scrollable_content_region.size
        if not self.is_attached or not width:
            return
        # A cell between the figures and the scroll bar.
        width = max(24, width - 1)
        draw = self._one_column if width < TWO_COLUMNS else self._two_columns
        rows = draw(width, height)
        drawn = words.lines(rows)
        if not drawn.is_same(self._drawn_last):
            # Laying the whole screen out again costs more than drawing the figures.
            self._bill.update(drawn, layout=len(rows) != self._rows or not self._bill.size)
            self._drawn_last, self._rows = drawn, len(rows)

    def _one_column(self, width: int, height: int) -> list[Content]:
        overview = self._overview
        rows = self._budgets(width)
        if overview is None or not overview.recent:
            return [*rows, *self._nothing(width)]
        rows += bill.draw_pace(overview, width)
        rows += [Content(""), *bill.draw_shares(overview, self._dimension, width)]
        rows += [Content(""), *self._plot("trend", overview.trend, width, max(7, min(10, height // 2)))]
        rows += [Content(""), *self._attempts(overview, width, 8), Content(""), *bill.draw_notes(overview, width)]
        for dimension in DIMENSIONS:
            if dimension != self._dimension:
                rows += [Content(""), *bill.draw_shares(overview, dimension, width)]
        return rows

    def _two_columns(self, width: int, height: int) -> list[Content]:
        overview = self._overview
        left_width = (width - GAP) * 9 // 20
        right_width = width - GAP - left_width
        left = self._budgets(left_width)
        if overview is None or not overview.recent:
            return [*left, *self._nothing(left_width)]
        left += bill.draw_pace(overview, left_width)
        left += [Content(""), *bill.draw_notes(overview, left_width), Content("")]
        plot_height = max(8, min(13, height // 3))
        right = [*self._plot("trend", overview.trend, right_width, plot_height)]
        if overview.span != "month" and height >= 3 * plot_height:
            right += [Content(""), words.heading("This month", right_width)]
            right += self._drawn("month", overview.month, right_width, plot_height - 2)
        for dimension in (self._dimension, *(name for name in DIMENSIONS if name != self._dimension)):
            right += [Content(""), *bill.draw_shares(overview, dimension, right_width)]
        left += self._attempts(overview, left_width, max(8, min(height, len(right)) - len(left) - 1))
        return beside(left, right, left_width)

    def _marks(self) -> Mapping[str, Mark]:
        """Those of the sums that were read, and that of the turn's own, from its attempts."""
        if self._overview is None:
            return bill.NO_MARKS
        turn = self._states.get("request")
        costs = [one.cost for one in self._overview.recent if turn is not None and one.request_id == turn.cap.period]
        mark = Mark(
            any(cost.state is CostState.ESTIMATED for cost in costs),
            any(cost.state is CostState.UNKNOWN for cost in costs),
        )
        return {**self._overview.marks, "request": mark}

    def _budgets(self, width: int) -> list[Content]:
        rows = bill.draw_budgets(
            self._states.values(), self._forecasts, width, demo=self.demo, shared=self._shared(), marks=self._marks()
        )
        if self.shared is not None and self.shared.away is not None:
            rows += [Content.styled(line, BAD) for line in words.wrap(f"⇄ {self.shared.away}", width, 2)]
        if self._problem:
            rows += [Content.styled(line, BAD) for line in words.wrap(f"✗ {self._problem}", width, 2)]
        return rows

    def _shared(self) -> str:
        if self.shared is None:
            return ""
        others = 0 if self.shared.away is not None else self.shared.member.running - 1
        return f"shared · {others} more running" if others > 0 else "shared"

    def _nothing(self, width: int) -> list[Content]:
        if self._problem:
            return []
        note = "Nothing spent yet. Each attempt appears here as it lands, failed and cancelled ones too."
        return [Content(""), *(Content.styled(line, MUTED) for line in words.wrap(note, width))]

    def _attempts(self, overview: Overview, width: int, shown: int) -> list[Content]:
        speed = Content("")
        if overview.tokens_per_s:
            line = plots.sparkline(overview.tokens_per_s, min(24, width // 4), self._look)
            speed = Content.assemble(line, (f" {overview.tokens_per_s[-1]:3.0f} tok/s", MUTED))
        return bill.draw_attempts(overview.recent[:shown], speed, width, self.blind())

    # -- plots

    @property
    def _look(self) -> Look:
        if self._seen is None:
            self._seen = Look.of(self.app.theme_variables)
        return self._seen

    def _plot(self, name: _PlotName, trend: Trend, width: int, height: int) -> list[Content]:
        rows = [bill.tabs(self._span, width)]
        if not trend.spells:
            note = {"today": "today", "week": "in these seven days", "month": "this month"}[trend.span]
            return [*rows, Content.styled(f"Nothing that costs was asked {note}.", MUTED)]
        return [*rows, *self._drawn(name, trend, width, height), bill.draw_legend(trend, width)]

    def _drawn(self, name: _PlotName, trend: Trend, width: int, height: int) -> list[Content]:
        """The plot as it was last drawn, in its place; a newer one comes as soon as it is ready."""
        key = (trend, width, height, self._look)
        known = self._plots.get(name)
        if known is None or known[0] != key:
            self._wanted[name] = key
            if not self._plotting:
                self._plotting = True
                self.run_worker(self._plot_wanted(), group="plots", exit_on_error=False)
        if known is None or known[0][1:3] != (width, height):
            return [Content("")] * height
        return known[1].split("\n", allow_blank=True)

    @property
    def busy(self) -> bool:
        """Whether something is being read or drawn that is not on screen yet."""
        return self._reading or self._plotting or self._drawing is not None

    async def _plot_wanted(self) -> None:
        try:
            while self._wanted:
                name, key = self._wanted.popitem()
                self._plots[name] = (key, await asyncio.to_thread(plots.draw, *key))
        finally:
            self._plotting = False
        self._draw()


def beside(left: list[Content], right: list[Content], left_width: int) -> list[Content]:
    rows = max(len(left), len(right))
    left = left + [Content("")] * (rows - len(left))
    right = right + [Content("")] * (rows - len(right))
    gap = " " * GAP
    return [
        Content.assemble(one.truncate(left_width, pad=True), gap, other) for one, other in zip(left, right, strict=True)
    ]
