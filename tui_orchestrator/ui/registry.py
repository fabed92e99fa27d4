"""The table of models: what each costs and can do, how it fares, and which is pinned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Click, Resize
from textual.message import Message
from textual.widgets import DataTable, Input, Static, TextArea

from . import words
from .commands import bindings
from .look import Look
from .naming import key_to
from .registry_rows import COLUMNS, NARROW, Row, by_name, health, marks
from .row_table import RowTable
from .tabular import Row as Drawn
from .tabular import Table, lay_out, role

if TYPE_CHECKING:
    pass

SCROLL_BAR = 2
_OF_ROWS = {"do", "sort", "filter", "favourites_first"}
"""What a table without rows has no use for."""


class ModelTable(RowTable):
    HELP = (
        "Every model known. {registry.card} shows all that is known of the marked one, {registry.pin} pins it, "
        "{registry.test} tests it with a tiny call, {registry.favourite} makes it a favourite and {registry.first} "
        "puts those first, {registry.toggle} switches it on or off, {registry.memory} takes it into a local server's "
        "memory or out of it, {registry.add} adds a provider or a model, {registry.sort} sorts by the next column, "
        "{registry.filter} filters (* in it: favourites alone), {registry.refresh} looks again for servers. Learned: "
        "where your votes and the like have moved its ability the most. Can: V vision, T tools, S structured output, "
        "L long context, R reasoning."
    )
    BINDINGS = bindings("registry")

    class Command(Message):
        """What a key asks to be done with the marked model."""

        def __init__(self, verb: str, model_id: str) -> None:
            super().__init__()
            self.verb = verb
            """As `ModelDeeds.do` takes it."""
            self.model_id = model_id

    class SortWanted(Message):
        pass

    class FilterWanted(Message):
        pass

    class FavouritesWanted(Message):
        """First in the list, or not any more."""

    def __init__(self) -> None:
        super().__init__(id="models", cursor_type="row", zebra_stripes=True, cell_padding=1)
        self.filtered = False
        """There are models that its filter leaves out."""

    @property
    def marked(self) -> str | None:
        if not self.row_count:
            return None
        return self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in _OF_ROWS and not self.row_count:
            return None if action != "filter" or not self.filtered else True
        return super().check_action(action, parameters)

    def action_do(self, verb: str) -> None:
        if self.marked is not None:
            self.post_message(self.Command(verb, self.marked))

    async def _on_click(self, event: Click) -> None:
        """A click marks a model, a click on the marked one opens its card."""
        row = event.style.meta.get("row")
        event.prevent_default()
        if row is None or row < 0 or self.cursor_row != row:
            await super()._on_click(event)
        else:
            self.action_do("card")

    def action_favourites_first(self) -> None:
        self.post_message(self.FavouritesWanted())

    def action_sort(self) -> None:
        self.post_message(self.SortWanted())

    def action_filter(self) -> None:
        self.post_message(self.FilterWanted())


class RegistryPane(Vertical):
    BORDER_TITLE = "Models"

    def __init__(self) -> None:
        super().__init__(id="registry", classes="pane")
        self._rows: tuple[Row, ...] = ()
        self._looking = True
        self._sorted_by = COLUMNS[0].title
        self._shown: Table | None = None
        self._look: Look | None = None
        self._reverse = False
        self._favourites_first = False
        self._awaited = False
        """The focus is meant for the table, which has no rows yet."""
        self._filter = Input(
            placeholder="filter: words of name, level or health, * for favourites", id="model-filter", compact=True
        )
        self._table = ModelTable()
        self._empty = Static(id="no-models", markup=False)

    def compose(self) -> ComposeResult:
        yield self._filter
        yield self._table
        yield self._empty

    def on_mount(self) -> None:
        self._fill()

    def show(self, rows: Iterable[Row], *, looking: bool = False) -> None:
        """`looking`: more are to be expected in a moment."""
        shown = tuple(rows)
        if (shown, looking) != (self._rows, self._looking):
            self._rows, self._looking = shown, looking
            self._fill()

    def focus_inside(self) -> None:
        """The table, as soon as there are rows to go through."""
        self._awaited = not self._table.row_count
        self._table.focus()

    @property
    def _is_typing(self) -> bool:
        """Whether somebody who waited has begun to write meanwhile."""
        match self.screen.focused:
            case TextArea(text=typed) | Input(value=typed):
                return bool(typed)
            case _:
                return False

    @property
    def table(self) -> ModelTable:
        return self._table

    @on(Input.Changed)
    def _filtered(self) -> None:
        self._fill()

    @on(Input.Submitted)
    def _to_table(self) -> None:
        self._table.focus()

    @on(ModelTable.FilterWanted)
    def _to_filter(self) -> None:
        self._filter.focus()

    @on(ModelTable.SortWanted)
    def _sort_next(self) -> None:
        titles = self._shown.sortable if self._shown else (self._sorted_by,)
        place = titles.index(self._sorted_by) if self._sorted_by in titles else -1
        self._sorted_by, self._reverse = titles[(place + 1) % len(titles)], False
        self._fill()

    @on(ModelTable.FavouritesWanted)
    def _favourites(self) -> None:
        self._favourites_first = not self._favourites_first
        self._fill()

    @on(DataTable.HeaderSelected)
    def _sort_by_header(self, event: DataTable.HeaderSelected) -> None:
        if self._shown is not None:
            title = self._shown.sortable[event.column_index]
            self._reverse = title == self._sorted_by and not self._reverse
            self._sorted_by = title
            self._fill()

    def on_resize(self, event: Resize) -> None:
        self._fill()

    def fit(self) -> None:
        """To the room there is inside the frame, which may have come or gone."""
        self._fill()

    def _wanted(self) -> list[Row]:
        needles = self._filter.value.lower().split()
        found = [
            row
            for row in self._rows
            if all(
                needle in f"{marks(row)} {row.model.id} {row.model.level} {health(row)}".lower() for needle in needles
            )
        ]
        return sorted(found, key=lambda row: row.model.id)

    def _fill(self) -> None:
        # Before it is seen for the first time, it is as wide as it will be.
        table, width = self._table, (self.size.width or self.app.size.width) - SCROLL_BAR
        columns = (by_name(self._rows), *COLUMNS[1:]) if width < NARROW else COLUMNS
        shown = lay_out(
            columns,
            self._wanted(),
            lambda row: row.model.id,
            width,
            by=self._sorted_by,
            turned=self._reverse,
            before=(lambda row: row.favourite) if self._favourites_first else None,
        )
        look = Look.of(self.app.theme_variables)
        if (shown, look) != (self._shown, self._look):
            self._shown, self._look = shown, look
            marked = table.marked
            table.clear(columns=True)
            for place, (title, justify) in enumerate(shown.titles):
                # Measured here: the table itself would do it only when it is idle, and drawn meanwhile.
                width = max(map(cell_len, (title, *(row.cells[place][0] for row in shown.rows))))
                table.add_column(Text(title, justify=justify), width=width, key=shown.sortable[place])
            for row in shown.rows:
                table.add_row(*_drawn(row, shown, look), key=row.key)
            ids = [row.key for row in shown.rows]
            if marked in ids:
                table.move_cursor(row=ids.index(marked), animate=False)
        self._say_empty(bool(shown.rows))
        if self._awaited and shown.rows:
            self._awaited = False
            if self.display and not self._is_typing:
                table.focus()

    def _say_empty(self, any_shown: bool) -> None:
        self._table.filtered = self._table.row_count < len(self._rows)
        if self._table.display != any_shown:
            self._table.display = any_shown
            self.refresh_bindings()
        self._empty.display = not any_shown
        first = " · * first" if self._favourites_first else ""
        self.border_subtitle = f"{self._table.row_count} of {len(self._rows)}{first}"
        if self._rows:
            self._empty.update("No model matches the filter. Empty it to see all.")
        elif self._looking:
            self._empty.update("Looking for models: those of your providers and of servers on this machine.")
        else:
            self._empty.update(
                Content.assemble(
                    "No models yet. Set a provider's key or start a local server, then press ",
                    (key_to(self.app, "models.refresh"), words.STRONG),
                    " to look again.",
                )
            )


def _drawn(row: Drawn, table: Table, look: Look) -> Iterator[Text]:
    for (text, style), (_, justify) in zip(row.cells, table.titles, strict=True):
        yield Text(text, style=look.style(role(style)), justify=justify, no_wrap=True)
