"""The table of models: what each costs and can do, how it fares, and which is pinned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from rich.cells import cell_len
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Click, Resize
from textual.message import Message
from textual.widgets import DataTable, Input, Static, TextArea

from tui_orchestrator.routing.explanation import SHOWN
from tui_orchestrator.routing.health import HealthState

from . import words
from .commands import bindings
from .look import Look
from .naming import key_to
from .row_table import RowTable
from .tabular import Column, Table, lay_out, role
from .tabular import Row as Drawn

if TYPE_CHECKING:
    from tui_orchestrator.routing.model import Model
    from tui_orchestrator.routing.profile import TaskType
    from tui_orchestrator.services.runtime import Runtime

SCROLL_BAR = 2
LEVELS = {"basic": 1, "intermediate": 2, "advanced": 3, "expert": 4}


@dataclass(frozen=True, slots=True)
class Row:
    """A model with what is only known while the program runs."""

    model: Model
    state: str
    """A key of words.HEALTH."""
    detail: str = ""
    """Seconds left, or why it is out."""
    pinned: bool = False
    favourite: bool = False
    tokens_per_s: float | None = None
    """Measured by this user's own calls; None: none yet."""
    votes: tuple[int, int] = (0, 0)
    """For and against."""
    learned: tuple[TaskType, float] | None = None
    """Where what the user did with its answers moved the ability the most."""


def rows_of(runtime: Runtime, pinned: str | None) -> list[Row]:
    rows = []
    for model in runtime.registry:
        health = runtime.health(model.id)
        detail = health.detail if health.seconds_left is None else f"{health.seconds_left:.0f} s"
        if health.state is HealthState.UNREACHABLE and health.seconds_left is not None:
            detail += f" · {health.detail}"
        experience = runtime.router.experience
        lesson, speed = experience.lesson(model.id, runtime.clock.now()), experience.of(model.id).tokens_per_s
        learned = lesson.largest_shift(runtime.settings.policy.discrimination)
        favourite = model.id in runtime.favourites
        rows.append(Row(model, health.state, detail, model.id == pinned, favourite, speed, lesson.votes, learned))
    return rows


def _price(row: Row, which: str) -> str:
    price = row.model.price
    if price is None:
        return "?"
    return "free" if price.free else words.rate(getattr(price.rates, which))


def _price_order(row: Row, which: str) -> float:
    # An unknown price sorts as the dearest: it is not to be taken for a bargain.
    return float("inf") if row.model.price is None else getattr(row.model.price.rates, which)


def _health(row: Row) -> str:
    glyph, _, word = words.HEALTH[row.state]
    return f"{glyph} {word}" + (f" · {row.detail}" if row.detail else "")


def abilities(model: Model) -> str:
    """One letter each in a fixed order, a dot where it lacks: 'VT·L·'."""
    return "".join(letter if ability in model.abilities else "·" for ability, letter in words.ABILITY_LETTERS.items())


def _votes(row: Row) -> str:
    return " ".join(f"{sign}{count}" for sign, count in zip("▲▼", row.votes, strict=True) if count) or "–"


def _learned(row: Row) -> str:
    if row.learned is None or abs(row.learned[1]) < SHOWN:
        return "–"
    task, shift = row.learned
    return f"{words.spoken(task)} {shift:+.2f}".replace("-", "−")


def marks(row: Row) -> str:
    """MARKS cells: pinned, and among the favourites."""
    return ("★" if row.pinned else " ") + ("*" if row.favourite else " ")


def _style(row: Row) -> str:
    return words.MUTED if row.state == "disabled" else ""


def _column(
    title: str,
    cell: Callable[[Row], str],
    order: Callable[[Row], Any],
    drop: int,
    justify: Literal["left", "right"] = "left",
) -> Column[Row]:
    return Column(title, cell, order, justify, drop, style=_style)


MARKS = 2
COLUMNS: tuple[Column[Row], ...] = (
    Column(
        "model",
        lambda row: f"{marks(row)}{row.model.id}",
        lambda row: row.model.id,
        "left",
        style=lambda row: "bold" if row.pinned and row.state != "disabled" else _style(row),
        fit=lambda text, room: text[:MARKS] + words.fit_model(text[MARKS:], room - MARKS),
    ),
    _column("level", lambda row: row.model.level, lambda row: (LEVELS[row.model.level], row.model.ability), 7),
    _column("$ in/M", lambda row: _price(row, "input"), lambda row: _price_order(row, "input"), 2, "right"),
    _column("$ out/M", lambda row: _price(row, "output"), lambda row: _price_order(row, "output"), 1, "right"),
    _column(
        "context",
        lambda row: "?" if row.model.context_window is None else words.tokens(row.model.context_window),
        lambda row: -(row.model.context_window or 0),
        5,
        "right",
    ),
    _column("can", lambda row: abilities(row.model), lambda row: -len(row.model.abilities), 3),
    _column(
        "tok/s",
        lambda row: "–" if row.tokens_per_s is None else f"{row.tokens_per_s:.0f}",
        lambda row: -(row.tokens_per_s or 0),
        6,
        "right",
    ),
    _column("votes", _votes, lambda row: row.votes[1] - row.votes[0], 4),
    _column("learned", _learned, lambda row: -(row.learned[1] if row.learned else 0.0), 8),
    Column(
        "health",
        _health,
        lambda row: list(words.HEALTH).index(row.state),
        "left",
        # Why a model is out is told whole in its card.
        shrink=21,
        style=lambda row: words.HEALTH[row.state][1],
    ),
)


NARROW = 48
"""Cells below which a model is told without its provider where no other is called the same."""


def _by_name(rows: Iterable[Row]) -> Column[Row]:
    count = Counter(words.short_name(row.model.id) for row in rows)

    def named(row: Row) -> str:
        name = words.short_name(row.model.id)
        return f"{marks(row)}{name if count[name] == 1 else row.model.id}"

    return replace(COLUMNS[0], cell=named)


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

    @property
    def marked(self) -> str | None:
        if not self.row_count:
            return None
        return self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value

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
                needle in f"{marks(row)} {row.model.id} {row.model.level} {_health(row)}".lower() for needle in needles
            )
        ]
        return sorted(found, key=lambda row: row.model.id)

    def _fill(self) -> None:
        # Before it is seen for the first time, it is as wide as it will be.
        table, width = self._table, (self.size.width or self.app.size.width) - SCROLL_BAR
        columns = (_by_name(self._rows), *COLUMNS[1:]) if width < NARROW else COLUMNS
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
        self._table.display = any_shown
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
