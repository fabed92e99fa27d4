"""What opens over the panes: lists to choose from, and the help."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

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
from .words import ACCENT, MUTED, STRONG


@dataclass(frozen=True, slots=True)
class Choice:
    id: str
    columns: tuple[tuple[str, str], ...]
    """(text, style) each; the first is what is searched before the rest."""
    note: str = ""
    """A second line, muted."""
    marked: bool = False
    """What holds now."""

    def matches(self, needles: Sequence[str]) -> bool:
        said = " ".join([*(text for text, _ in self.columns), self.note]).lower()
        return all(needle in said for needle in needles)


_KEYS = {"Esc": "escape", "Enter": "enter", "Tab:": "tab", "PgDn": "pagedown"}


def keys_line(told: str) -> Content:
    """For the lower side of a dialog's frame: parts like 'Enter chooses', with ' · ' between. A click on one does what
    its key does."""
    parts = []
    for part in told.split(" · "):
        name = part.partition(" ")[0]
        key = _KEYS.get(name) or (name.lower() if len(name) == 1 and name.isalpha() else "")
        parts.append(clickable(part, f"screen.press('{key}')") if key else Content(part))
    return Content(" · ").join(parts)


def clickable(text: str, action: str) -> Content:
    return Content.styled(text, Style.from_meta({"@click": action}))


class Dialog(FrugalModal[ScreenResultType]):
    """What stands before all else until it is answered; F1 tells its `HELP`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f1", "app.help", "Help", id="app.help", show=False)]

    def action_press(self, key: str) -> None:
        # By the app: a key from the frame would not pass the frame on its way up from the field that has the focus.
        self.app.call_later(self.app.simulate_key, key)


class Picker(Dialog[str | None]):
    """A list that narrows while one types. Enter answers with the id of the highlighted choice, Esc with None."""

    HELP = (
        "A list to choose from. Type to narrow it, ↑↓ and PgUp PgDn move, Enter or a click chooses, Esc leaves all as "
        "it is."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("down", "move(1)", "Down", show=False),
        Binding("up", "move(-1)", "Up", show=False),
        Binding("pagedown", "move(8)", "Page down", show=False),
        Binding("pageup", "move(-8)", "Page up", show=False),
    ]

    def __init__(self, title: str, choices: Iterable[Choice], *, empty: str, hint: str = "Enter chooses") -> None:
        super().__init__()
        self._title = title
        self._choices = tuple(choices)
        self._empty = empty
        self._hint = hint
        self._list = OptionList(id="choices", markup=False)
        self._filter = Input(placeholder="type to narrow the list", id="narrow", compact=True)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(self._title)
            dialog.border_subtitle = keys_line(f"{self._hint} · Esc closes")
            yield self._filter
            yield self._list
            yield Static(self._empty, id="nothing", markup=False)

    def on_mount(self) -> None:
        self._filter.focus()
        self._list.can_focus = False
        self._narrow("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._narrow(event.value)

    def _narrow(self, typed: str) -> None:
        needles = typed.lower().split()
        found = [choice for choice in self._choices if choice.matches(needles)]
        # A name that was typed comes before a description that happens to hold the word.
        found.sort(key=lambda choice: not all(needle in choice.columns[0][0].lower() for needle in needles))
        self._list.set_options(Option(draw_choice(choice), id=choice.id) for choice in found)
        self._list.display = bool(found)
        self.query_one("#nothing").display = not found
        if found:
            marked = next((place for place, choice in enumerate(found) if choice.marked), 0)
            self._list.highlighted = 0 if needles else marked

    def action_move(self, step: int) -> None:
        if self._list.option_count and self._list.highlighted is not None:
            self._list.highlighted = max(0, min(self._list.option_count - 1, self._list.highlighted + step))

    @on(Input.Submitted)
    def _chosen(self) -> None:
        if self._list.highlighted is not None and self._list.option_count:
            self.dismiss(self._list.get_option_at_index(self._list.highlighted).id)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)


def draw_choice(choice: Choice) -> Content:
    head = Content.assemble(
        ("▸ " if choice.marked else "  ", ACCENT), *(Content.styled(text, style) for text, style in choice.columns)
    )
    if not choice.note:
        return head
    return words.lines([head, Content.styled(f"  {choice.note}", MUTED)])


class HelpScreen(Dialog[None]):
    """What the focused widget does, then every key and every `/` command."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,enter", "dismiss(None)", "Close"),
        Binding("up", "scroll('up')", "Up", show=False),
        Binding("down", "scroll('down')", "Down", show=False),
    ]

    def __init__(self, about: str, keys: Sequence[tuple[str, str]], commands: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._about = about
        self._keys = keys
        self._commands = commands

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog help") as dialog:
            dialog.border_title = "Help"
            dialog.border_subtitle = keys_line("↑↓ scroll · Esc closes")
            yield Static(Content.styled("Here", STRONG))
            yield Static(Content(self._about))
            yield Static(_table("Keys", self._keys, 16))
            yield Static(_table("Commands, typed into the prompt", self._commands, 28))

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()


def _table(title: str, rows: Sequence[tuple[str, str]], column: int) -> Content:
    return words.lines(
        [
            "",
            Content.styled(title, STRONG),
            *(Content.assemble((words.fit(key, column), ACCENT), " ", text) for key, text in rows),
        ]
    )
