"""What opens over the panes: lists to choose from, and the help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ScreenResultType
from textual.style import Style
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from . import words
from .compositor import FrugalModal
from .naming import key_named
from .nearest import nearness
from .row_list import RowList
from .words import ACCENT, MUTED, STRONG


@dataclass(frozen=True, slots=True)
class Choice:
    id: str
    columns: tuple[tuple[str, str], ...]
    """(text, style) each."""
    note: str = ""
    """A second line, muted."""
    marked: bool = False
    """What holds now."""
    names: tuple[str, ...] = ()
    """What may be typed for it, where that is not its first column: a name comes before what is said about another."""

    def matches(self, needles: Sequence[str]) -> bool:
        said = " ".join([*(text for text, _ in self.columns), self.note, *self.names]).lower()
        return all(needle in said for needle in needles)

    def nearness(self, typed: str) -> int:
        return nearness(self.names or (self.columns[0][0],), typed)


def keys_line(told: str) -> Content:
    """For the lower side of a dialog's frame: parts like 'Enter chooses', with ' · ' between. A click on one does what
    its key does. Keys that can be bound otherwise are put in by `keyed` before."""
    parts = []
    for part in told.split(" · "):
        key = key_named(part.partition(" ")[0])
        parts.append(clickable(part, f"screen.press('{key}')") if key else Content(part))
    return Content(" · ").join(parts)


def clickable(text: str, action: str) -> Content:
    return Content.styled(text, Style.from_meta({"@click": action}))


class Dialog(FrugalModal[ScreenResultType]):
    """What stands before all else until it is answered; F1 tells its `HELP`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f1", "app.help", "Help", id="app.help", show=False)]

    @property
    def enter_does(self) -> str:
        """What its frame says that Enter does: a field that is submitted binds no key."""
        frames = [Content.from_markup(widget.border_subtitle or "").plain for widget in self.query(".dialog")]
        parts = (part for frame in frames for part in frame.split(" · "))
        return next((part.removeprefix("Enter ") for part in parts if part.startswith("Enter ")), "")

    def action_press(self, key: str) -> None:
        # By the app: a key from the frame would not pass the frame on its way up from the field that has the focus.
        self.app.call_later(self.app.simulate_key, key)


LONGEST_SHOWN = 500
"""Characters of a column: what the widest terminals show of a line."""


class Picker(Dialog[str | None]):
    """A list that narrows while one types. Enter answers with the id of the highlighted choice, Esc with None."""

    HELP = (
        "A list to choose from. Type to narrow it, ↑↓, PgUp PgDn, Home and End move, Enter or a click chooses, Esc "
        "leaves all as it is."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("down", "move(1)", "Down", show=False),
        Binding("up", "move(-1)", "Up", show=False),
        Binding("pagedown", "page('page_down')", "Page down", show=False, priority=True),
        Binding("pageup", "page('page_up')", "Page up", show=False, priority=True),
        Binding("home", "page('first')", "First", show=False, priority=True),
        Binding("end", "page('last')", "Last", show=False, priority=True),
    ]

    def __init__(self, title: str, choices: Iterable[Choice], *, empty: str, hint: str = "Enter chooses") -> None:
        super().__init__()
        self._title = title
        self._choices = tuple(choices)
        self._empty = empty
        self._hint = hint
        self.first: Choice | None = None
        """Offered before all others and marked, whatever is typed."""
        self._list = RowList(id="choices", markup=False)
        self._filter = Input(placeholder="type to narrow the list", id="narrow", compact=True)
        self._dialog = Vertical(classes="dialog")

    def compose(self) -> ComposeResult:
        with self._dialog as dialog:
            dialog.border_title = Content(self._title)
            self._tell_keys(self._hint)
            yield self._filter
            yield self._list
            yield Static(self._empty, id="nothing", markup=False)

    def _tell_keys(self, hint: str) -> None:
        self._dialog.border_subtitle = keys_line(f"{hint} · Esc closes")

    def on_mount(self) -> None:
        self._filter.focus()
        self._list.can_focus = False
        self._narrow("")

    def on_resize(self) -> None:
        self._dialog.styles.height = "auto"

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        # It stays where it is and as large as it was: what one types into does not move.
        self._dialog.styles.height = self._dialog.outer_size.height or "auto"
        self._narrow(event.value)

    def _narrow(self, typed: str) -> None:
        needles = typed.lower().split()
        found = [choice for choice in self._choices if choice.matches(needles)]
        if needles:
            found.sort(key=lambda choice: choice.nearness(typed))
        self.query_one("#nothing").display = not found
        marked = next((place for place, choice in enumerate(found) if choice.marked), 0)
        if self.first is not None:
            found, marked = [self.first, *found], 0
        if needles:
            # What holds now would be taken for what Enter chooses.
            found = [replace(choice, marked=False) for choice in found]
        self._list.set_options(Option(draw_choice(choice), id=choice.id) for choice in found)
        self._list.display = bool(found)
        if found:
            self._list.highlighted = 0 if needles else marked

    def action_move(self, step: int) -> None:
        if self._list.option_count and self._list.highlighted is not None:
            self._list.highlighted = max(0, min(self._list.option_count - 1, self._list.highlighted + step))

    async def action_page(self, to: str) -> None:
        """As the list itself does it, which never has the focus."""
        await self.app.run_action(to, self._list)

    @on(Input.Submitted)
    def _chosen(self) -> None:
        if self._list.highlighted is not None and self._list.option_count:
            self.dismiss(self._list.get_option_at_index(self._list.highlighted).id)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)


def draw_choice(choice: Choice) -> Content:
    head = Content.assemble(
        ("▸ " if choice.marked else "  ", ACCENT),
        *(Content.styled(_line(text), style) for text, style in choice.columns),
    )
    if not choice.note:
        return head
    return words.lines([head, Content.styled(f"  {_line(choice.note)}", MUTED)])


def _line(text: str) -> str:
    """As much of a text as a row has room for, however many lines it has."""
    return text[:LONGEST_SHOWN].replace("\n", " ")


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the help."""

    key: str
    does: str
    id: str = ""
    """What [ui.keymap] calls it."""


class HelpScreen(Dialog[None]):
    """What the focused widget does and its own keys, then every other key and every `/` command."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss(None)", "Close"),
        Binding("f1", "dismiss(None)", "Close", id="app.help", show=False),
        Binding("up", "scroll('up')", "Up", show=False),
        Binding("down", "scroll('down')", "Down", show=False),
    ]
    WIDTH = 104
    KEY, COMMAND = 16, 28
    """Cells of the first column."""

    def __init__(self, about: str, keys: Mapping[str, Sequence[Told]], commands: Sequence[Told]) -> None:
        """`keys` by the headings they stand under."""
        super().__init__()
        self._about = about
        self._keys = keys
        self._commands = commands
        self._tables = Static()

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog help") as dialog:
            dialog.border_title = "Help"
            dialog.border_subtitle = keys_line("↑↓ scroll · Esc closes")
            yield Static(Content.styled("Here", STRONG))
            yield Static(Content(self._about))
            yield self._tables

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def on_resize(self) -> None:
        # Less the frame, the air beside the text and the scroll bar.
        width = min(self.WIDTH, self.size.width * 96 // 100) - 5
        tables = [_table(title, rows, self.KEY, width) for title, rows in self._keys.items() if rows]
        commands = _table("Commands, typed into the prompt", self._commands, self.COMMAND, width)
        self._tables.update(words.lines([*tables, commands]))


def _table(title: str, rows: Sequence[Told], column: int, width: int) -> Content:
    lines: list[Content | str] = ["", Content.styled(title, STRONG)]
    for row in rows:
        key, *more_keys = words.wrap(row.key, column)
        does = words.wrap(f"{row.does}  {row.id}".rstrip(), width - column - 1)
        for at in range(max(len(does), len(more_keys) + 1)):
            named = key if at == 0 else more_keys[at - 1] if at <= len(more_keys) else ""
            said = does[at] if at < len(does) else ""
            end = row.id if row.id and at == len(does) - 1 else ""
            said = said.removesuffix(end)
            named_so = words.fit(end, width - column - 1 - cell_len(said), right=True)
            lines.append(Content.assemble((words.fit(named, column), ACCENT), " ", said, (named_so, MUTED)))
    return words.lines(lines)
