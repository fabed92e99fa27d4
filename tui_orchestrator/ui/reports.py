"""Reports over the whole screen: costs and performance as tables, and advice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, cast

from rich.cells import cell_len
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.events import Click, Resize
from textual.style import Style
from textual.widgets import DataTable, Static

from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.routing.events import Attempt
from tui_orchestrator.services.reporting import Listed, Performed, Spent, export, listed, performed, savings_line, spent
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.storage.reports import Aspect, Dimension, Measured, Span, Totals

from . import words
from .advice import AdvicePanel
from .bars import KeyBar
from .commands import bindings
from .compositor import FrugalModal
from .dialogs import Choice, Picker
from .in_turn import ROW_KEYS, typed_after
from .look import Look
from .report_tables import attempt_columns, cost_bars, cost_columns, measured_columns
from .report_views import ASPECT_GROUPINGS, COST_GROUPINGS, EACH, TABS, Tab, View, joined, periods, view_of
from .row_table import RowTable
from .tabular import Table, lay_out, role
from .words import ACCENT, BAD, GOOD, MUTED, STRONG

MOST_ROWS = 500
"""So many are read into a table; the total is of all."""
SLICE = 40
"""So many of them are added before the event loop goes on."""
SCROLL_BAR = 2


_WITH_A_TABLE = ("pick_grouping", "sort", "turn", "export")


class ReportHead(Static):
    """What is looked at; a click on a part of it chooses another."""

    async def on_click(self, event: Click) -> None:
        if isinstance(does := event.style.meta.get("does"), str):
            await self.run_action(f"screen.{does}")


class ReportTable(RowTable):
    HELP = (
        "Costs by model, task, day and more, how models did, and advice. {reports.costs}, {reports.performance} and "
        "{reports.advice} or {reports.next} go from one to the other, {reports.period} chooses the time, {reports.by}"
        " what there is a row for, {reports.sort} sorts by the next column and {reports.turn} turns the order. Enter "
        "opens the attempts of a row, and of an attempt its route card. {reports.csv} writes the table as CSV, "
        "{reports.json} as JSON. ~ is estimated, $? not known, +? a part is not known."
    )

    BINDINGS = [Binding("enter", "select_cursor", "Open")]  # noqa: RUF012  # as Textual declares it

    def __init__(self) -> None:
        super().__init__(id="report", cursor_type="row", zebra_stripes=True, cell_padding=1)


class ReportsScreen(FrugalModal[str | None]):
    """Answers with the id of a request whose route card is wanted."""

    BINDINGS = [  # noqa: RUF012  # as Textual declares it
        *bindings("reports"),
        Binding("f1", "app.help", "Help", id="app.help"),
        Binding("ctrl+q", "app.quit", "Quit", id="app.quit", show=False),
    ]
    DEFAULT_CSS = """
    ReportsScreen #report-head { height: auto; padding: 0 1; background: $panel; }
    ReportsScreen #report-body { height: 1fr; padding: 1 0 0 0; }
    ReportsScreen #report { height: 1fr; background: $background; background-tint: transparent; }
    ReportsScreen #report-note { height: auto; padding: 1 1 0 1; color: $muted; }
    ReportsScreen #report-empty { height: 1fr; padding: 1 2; color: $muted; display: none; }
    ReportsScreen.-short #report-body { padding: 0; }
    ReportsScreen.-short #report-note { padding: 0 1; }
    """

    def __init__(self, runtime: Runtime, tab: Tab = "costs") -> None:
        super().__init__()
        self._runtime = runtime
        self._view = view_of(tab)
        self._back: list[View] = []
        self._found: Spent | Listed | Performed | None = None
        self._shown: Table | None = None
        self._problem = ""
        self._head = ReportHead(id="report-head", markup=False)
        self._table = ReportTable()
        self._empty = Static(id="report-empty", markup=False)
        self._note = Static(id="report-note", markup=False)
        self._body = Vertical(self._table, self._empty, id="report-body")
        self._advice: AdvicePanel | None = None

    def compose(self) -> ComposeResult:
        yield self._head
        yield self._body
        yield self._note
        yield KeyBar()

    def on_mount(self) -> None:
        self._look_at(self._view)

    def on_resize(self, event: Resize) -> None:
        self.set_class(self.size.height < 34, "-short")
        self._draw()

    # -- what is looked at

    @property
    def _span(self) -> Span:
        return periods(self._runtime.clock.today())[self._view.period]

    def _look_at(self, view: View) -> None:
        again = view.tab != self._view.tab or view.by != self._view.by or view.where != self._view.where
        self._view = view
        if again:
            self._found = None
        self.refresh_bindings()
        self._draw()
        if view.tab == "advice":
            self._show_advice()
        else:
            self._read(view)

    @typed_after(*ROW_KEYS)
    @work(group="report", exclusive=True, exit_on_error=False)
    async def _read(self, view: View) -> None:
        try:
            self._found, self._problem = await self._asked(view), ""
        except OrchestratorError as error:
            self._found, self._problem = None, str(error)
        self._draw()
        self._table.focus()

    async def _asked(self, view: View) -> Spent | Listed | Performed:
        if view.by == (EACH,):
            return await listed(self._runtime, self._span, MOST_ROWS, view.where)
        if view.tab == "performance":
            return await performed(self._runtime, cast(Sequence[Aspect], view.by), self._span)
        return await spent(self._runtime, cast(Sequence[Dimension], view.by), self._span, MOST_ROWS)

    def _show_advice(self) -> None:
        if self._advice is None:
            self._advice = AdvicePanel(self._runtime, self._span)
            self._body.mount(self._advice)
        else:
            self._advice.show(self._span)
        self.call_after_refresh(self._advice.focus)

    # -- keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is done with a table is not offered where there is none."""
        return self._view.tab != "advice" or action not in _WITH_A_TABLE

    def action_tab(self, tab: Tab) -> None:
        self._back.clear()
        self._look_at(replace(view_of(tab), period=self._view.period))

    def action_next_tab(self, step: int) -> None:
        self.action_tab(TABS[(TABS.index(self._view.tab) + step) % len(TABS)])

    @work
    async def action_pick_period(self) -> None:
        named = periods(self._runtime.clock.today())
        choices = [
            Choice(name, ((f"{name:<14}", ""), (str(span), MUTED)), marked=name == self._view.period)
            for name, span in named.items()
        ]
        chosen = await self.app.push_screen_wait(Picker("Time", choices, empty="No time is called that."))
        if chosen is not None:
            self._look_at(replace(self._view, period=chosen))

    @work
    async def action_pick_grouping(self) -> None:
        if self._view.tab == "advice":
            return
        groupings = COST_GROUPINGS if self._view.tab == "costs" else ASPECT_GROUPINGS
        choices = [
            Choice(",".join(by), ((joined(by), ""),), marked=by == self._view.by and not self._view.where)
            for by in groupings
        ]
        chosen = await self.app.push_screen_wait(Picker("A row for each", choices, empty="There is no such sum."))
        if chosen is not None:
            self._back.clear()
            by = tuple(chosen.split(","))
            self._look_at(replace(self._view, by=by, where=(), sorted_by="", turned=False))

    def action_sort(self) -> None:
        """By the next column; after the last one as they come."""
        names = ["", *(self._shown.sortable if self._shown else ())]
        place = names.index(self._view.sorted_by) if self._view.sorted_by in names else 0
        self._sort(names[(place + 1) % len(names)], False)

    def action_turn(self) -> None:
        self._sort(self._view.sorted_by, not self._view.turned)

    def _sort(self, by: str, turned: bool) -> None:
        self._view = replace(self._view, sorted_by=by, turned=turned)
        self._draw()

    @on(DataTable.HeaderSelected)
    def _sort_by_header(self, event: DataTable.HeaderSelected) -> None:
        names = self._shown.sortable if self._shown else ()
        if event.column_index < len(names):
            by = names[event.column_index]
            self._sort(by, by == self._view.sorted_by and not self._view.turned)

    @on(DataTable.RowSelected)
    def _opened(self, event: DataTable.RowSelected) -> None:
        key = event.row_key.value
        if isinstance(self._found, Listed):
            if key:
                self.dismiss(key.partition("/")[0])
            return
        if self._found is None:
            return
        groups: Sequence[Totals | Measured] = self._found.groups
        keys = next((one.keys for one in groups if _key(one) == key), None)
        by = cast(Sequence[Dimension], self._view.by)
        where = () if keys is None else tuple(zip(by, keys, strict=True))
        self._back.append(self._view)
        self._look_at(View(self._view.tab, self._view.period, (EACH,), where))

    def action_back(self) -> None:
        if self._back:
            self._look_at(replace(self._back.pop(), period=self._view.period))
        else:
            self.dismiss(None)

    def action_reload(self) -> None:
        self._look_at(self._view)

    @work(group="export", exit_on_error=False)
    async def action_export(self, form: Literal["csv", "json"]) -> None:
        found = self._found
        if found is None:
            self.notify("There is no table here to write.", severity="warning", markup=False)
            return
        try:
            path = await asyncio.to_thread(export, found, form, self._runtime.demo, self._runtime.clock.now())
        except OSError as error:
            self.notify(f"Not written: {error.strerror or error}.", severity="error", markup=False)
            return
        self.notify(f"{len(found.records):,} rows written to {path}", markup=False, timeout=8)

    # -- drawing

    def _draw(self) -> None:
        width = self.size.width
        self._head.update(self._draw_head(width))
        on_advice = self._view.tab == "advice"
        if self._advice is not None:
            self._advice.display = on_advice
        self._table.display = self._empty.display = False
        self._note.display = not on_advice
        if on_advice or not width:
            return
        empty = self._nothing()
        self._table.display, self._empty.display = not empty, bool(empty)
        self._empty.update(empty)
        self._note.update(self._draw_note())
        if not empty:
            self._fill(width)

    def _nothing(self) -> Content:
        if self._problem:
            return Content.styled(f"✗ {self._problem}", BAD)
        if self._found is None:
            return Content.styled("◐ reading the ledger", ACCENT)
        if self._found.records:
            return Content("")
        return Content.assemble(
            "Nothing was asked in this time, so there is nothing to show. ",
            ("p", STRONG),
            " chooses another time; each attempt counts from the moment it ends, failed and cancelled ones too.",
        )

    def _draw_head(self, width: int) -> Content:
        tabs: list[Content | tuple[str, str] | str] = []
        for number, tab in enumerate(TABS, 1):
            chosen = tab == self._view.tab
            named = Content.assemble(
                (f" {number} ", ACCENT if chosen else MUTED), (tab.capitalize(), STRONG if chosen else MUTED)
            )
            tabs += [named.stylize(_does(f"tab('{tab}')")), "  "]
        left = Content.assemble(*tabs)
        details: list[Content | tuple[str, str] | str] = [
            Content.styled(self._view.period, ACCENT).stylize(_does("pick_period"))
        ]
        if width >= 100:
            details.append((f"  {self._span}", MUTED))
        if self._view.tab != "advice":
            by = Content.assemble(("  by ", MUTED), (joined(self._view.by), ACCENT))
            details.append(by.stylize(_does("pick_grouping")))
        if self._view.where:
            details.append((f"  of {' · '.join(key or 'none' for _, key in self._view.where)}", MUTED))
        right = Content.assemble(*details)
        room = width - 2 - left.cell_length
        if right.cell_length > room - 2:
            return words.lines([left, Content.assemble(" ", right).truncate(width - 2, ellipsis=True)])
        return Content.assemble(left, " " * (room - right.cell_length), right)

    def _draw_note(self) -> Content:
        found = self._found
        if isinstance(found, Performed) or found is None or not found.records:
            return Content("")
        shown, lines = len(found.records), []
        if isinstance(found, Listed) and self._view.where:
            if shown == MOST_ROWS:
                lines.append(Content(f"The latest {shown:,}."))
        elif shown < found.found:
            lines.append(Content(f"{shown:,} of {found.found:,} rows; the total is of all."))
        if not self._view.where:
            line = savings_line(found.savings, found.baseline)
            saved = found.savings is not None and found.savings.attempts and found.savings.saved.picodollars > 0
            lines.append(Content.styled(line, GOOD if saved else MUTED))
        return words.lines(lines)

    def _fill(self, width: int) -> None:
        table = self._laid_out(width - SCROLL_BAR)
        if table == self._shown and self._table.row_count:
            return
        before, marked = self._shown, self._table.cursor_row
        same = before is not None and [row.key for row in before.rows] == [row.key for row in table.rows]
        self._shown = table
        look = Look.of(self.app.theme_variables)
        self._table.clear(columns=True)
        self._table.fixed_rows = 1 if table.rows and table.rows[0].total else 0
        for place, (title, justify) in enumerate(table.titles):
            # Measured here: the table would measure every cell of it in one go.
            width = max(cell_len(title), *(cell_len(row.cells[place][0]) for row in table.rows))
            self._table.add_column(Text(title, justify=justify), width=width, key=str(place))
        self._add_rows(table, look, 0)
        cursor = marked if same else self._table.fixed_rows
        self.workers.cancel_group(self, "rows")
        if len(table.rows) > SLICE:
            self._add_the_rest(table, look, cursor)
        self._table.move_cursor(row=cursor, animate=False)

    def _add_rows(self, table: Table, look: Look, start: int) -> None:
        for row in table.rows[start : start + SLICE]:
            cells = [
                Text(text, style=look.style(role(style)), justify=justify, no_wrap=True)
                for (text, style), (_, justify) in zip(row.cells, table.titles, strict=True)
            ]
            self._table.add_row(*cells, key=row.key)

    @typed_after(*ROW_KEYS)
    @work(group="rows", exit_on_error=False)
    async def _add_the_rest(self, table: Table, look: Look, cursor: int) -> None:
        for start in range(SLICE, len(table.rows), SLICE):
            await asyncio.sleep(0)
            self._add_rows(table, look, start)
            if start <= cursor < start + SLICE:
                self._table.move_cursor(row=cursor, animate=False)

    def _laid_out(self, width: int) -> Table:
        found, by, turned = self._found, self._view.sorted_by, self._view.turned
        if isinstance(found, Listed):
            return lay_out(attempt_columns(), found.attempts, _attempt_key, width, by=by, turned=turned)
        if isinstance(found, Performed):
            return lay_out(measured_columns(found), found.groups, _key, width, by=by, turned=turned)
        assert found is not None
        columns, bars = cost_columns(found), cost_bars(found)
        return lay_out(columns, found.groups, _key, width, total=found.total, bars=bars, by=by, turned=turned)


def _key(group: Totals | Measured) -> str:
    return "\n".join(group.keys)


def _attempt_key(attempt: Attempt) -> str:
    return f"{attempt.request_id}/{attempt.number}"


def _does(action: str) -> Style:
    """Not as a link, which has the looks of one."""
    return Style.from_meta({"does": action})
