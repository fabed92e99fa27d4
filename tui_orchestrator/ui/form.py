"""A dialog of lines to be filled in, with completion of paths and names."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ScreenResultType
from textual.widgets import Static, TextArea

from tui_orchestrator.routing.text import clean

from . import completing
from .arguments import Named, matching
from .completions import Completion, Completions, Offer
from .dialogs import Dialog, keys_line
from .in_turn import typed_after
from .naming import keyed
from .saying import Said
from .words import MUTED


def _no_names() -> Iterable[Named]:
    return ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line of a form."""

    id: str
    label: str
    hint: str
    value: str = ""
    path: str | None = None
    """What stands before a path that is typed here, '' for nothing. None: no path is."""
    names: Callable[[], Iterable[Named]] = _no_names
    """What else may be typed."""


class Field(TextArea):
    """Grows with what is pasted; Enter is for the form, Ctrl+J breaks the line."""

    DEFAULT_CSS = """
    Field {
        width: 1fr; height: auto; min-height: 1; max-height: 5; border: none; padding: 0; background: $panel;
        scrollbar-size-vertical: 1;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Enter", show=False, priority=True),
        Binding("ctrl+j,shift+enter", "newline", "Break the line", id="prompt.newline", show=False, priority=True),
        Binding("tab", "step(1)", "Next", show=False, priority=True),
        Binding("shift+tab", "step(-1)", "Before", show=False, priority=True),
        Binding("down", "down", "Down", show=False, priority=True),
        Binding("up", "up", "Up", show=False, priority=True),
        Binding("escape", "leave", "Close", show=False, priority=True),
    ]

    class Submitted(Message):
        pass

    class Left(Message):
        """Esc, while no completions are shown."""

    def __init__(self, wanted: Wanted, completions: Completions) -> None:
        # No id: what a recipe calls its parameters may be what the console calls a pane.
        super().__init__(wanted.value, compact=True, highlight_cursor_line=False)
        self.wanted = wanted
        self._completions = completions

    def on_focus(self, event: events.Focus) -> None:
        # What is typed takes the place of the value that stood there; an arrow goes into it.
        if self.text == self.wanted.value and not event.from_app_focus:
            self.select_all()

    def on_blur(self) -> None:
        self.move_cursor(self.cursor_location)

    def on_mount(self) -> None:
        self.placeholder = Content(keyed(self.app, self.wanted.hint))

    def action_submit(self) -> None:
        if self._completions.moved:
            self.complete()
        else:
            self.post_message(self.Submitted())

    def action_newline(self) -> None:
        self.insert("\n")

    def action_step(self, way: int) -> None:
        if way > 0 and self._completions.marked is not None:
            self.complete()
        else:
            (self.screen.focus_next if way > 0 else self.screen.focus_previous)()

    def action_down(self) -> None:
        if self._completions.marked is not None:
            self._completions.move(1)
        elif self.cursor_at_last_line:
            self.screen.focus_next()
        else:
            self.action_cursor_down()

    def action_up(self) -> None:
        if self._completions.marked is not None:
            self._completions.move(-1)
        elif self.cursor_at_first_line:
            self.screen.focus_previous()
        else:
            self.action_cursor_up()

    def action_leave(self) -> None:
        if self._completions.display:
            self._completions.show(None)
        else:
            self.post_message(self.Left())

    def complete(self) -> None:
        offer, marked = self._completions.offer, self._completions.marked
        if offer is not None and marked is not None:
            self.replace(marked.insert, (0, offer.start), (0, offer.end), maintain_selection_offset=False)
            self.move_cursor((0, offer.start + len(marked.insert)))
            if not marked.insert.endswith("/"):
                self._completions.show(None)

    def asked(self) -> Offer | completing.PathWanted | None:
        """What may stand here, by what is typed so far. From memory alone."""
        typed = self.text
        if "\n" in typed or self.cursor_location != self.document.end:
            return None
        lead = self.wanted.path
        if lead is not None and typed.startswith(lead) and (typed or lead == ""):
            return completing.PathWanted(len(lead), len(typed), typed[len(lead) :], False) if typed else None
        fitting = matching(self.wanted.names(), typed) if typed else []
        if not fitting or any(name == typed for name, _ in fitting):
            return None
        return Offer(0, len(typed), tuple(Completion(name, name, note) for name, note in fitting))


class Form(Dialog[ScreenResultType]):
    """Enter carries it out, or says what is missing; the kind of form does both in `submitted`."""

    DEFAULT_CSS = """
    Form Horizontal { height: auto; }
    Form .label { color: $muted; width: auto; }
    Form #said { height: auto; margin-top: 1; padding: 0; }
    Form Completions { padding: 0; background: $surface; }
    Form .dialog { scrollbar-size-vertical: 1; }
    """

    def __init__(self, title: str, keys: str, fields: Sequence[Wanted], note: str, problem: str = "") -> None:
        """`problem`: what is wrong with what stands there at first, in place of the note."""
        super().__init__()
        self._problem = problem
        self._title = title
        self._keys = keys
        self._note = note
        self._listing = Event()
        self.completions = Completions()
        self.fields = {one.id: Field(one, self.completions) for one in fields}
        self._said = Said()

    def compose(self) -> ComposeResult:
        column = max((len(one.wanted.label) for one in self.fields.values()), default=0) + 2
        with VerticalScroll(classes="dialog", can_focus=False) as dialog:
            dialog.border_title = Content(self._title)
            dialog.border_subtitle = keys_line(self._keys)
            for field in self.fields.values():
                label = Static(field.wanted.label, classes="label", markup=False)
                label.styles.width = column
                with Horizontal():
                    yield label
                    yield field
            yield self.completions
            yield self._said

    def on_mount(self) -> None:
        next(iter(self.fields.values())).focus()
        if self._problem:
            self.refuse(self._problem)
        else:
            self.say(self._note, MUTED)

    def say(self, sentence: str, style: str = "") -> None:
        self._said.say(sentence, style)

    def refuse(self, sentence: str, field: str = "") -> None:
        self._said.refuse(sentence)
        if field in self.fields:
            self.fields[field].focus()

    def typed(self, id_: str) -> str:
        return clean(self.fields[id_].text).strip()

    # -- completion

    @on(TextArea.SelectionChanged)
    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed | TextArea.SelectionChanged) -> None:
        field = event.text_area
        if not isinstance(field, Field) or not field.has_focus:
            return
        self._end_listing()
        asked = field.asked() if isinstance(event, TextArea.Changed) or self.completions.display else None
        if isinstance(asked, completing.PathWanted):
            self._listing = Event()
            self._list(asked, self._listing)
        else:
            self.completions.show(asked)

    @typed_after("tab", "up", "down")
    @work(group="paths", exclusive=True, exit_on_error=False)
    async def _list(self, wanted: completing.PathWanted, stop: Event) -> None:
        offer = await completing.listed(wanted, stop)
        if not stop.is_set():
            self.completions.show(offer if offer.completions or offer.remark else None)

    def _end_listing(self) -> None:
        self._listing.set()
        self.workers.cancel_group(self, "paths")

    def on_descendant_blur(self) -> None:
        self._end_listing()
        self.completions.show(None)

    @on(Completions.Picked)
    def _picked(self) -> None:
        if isinstance(self.focused, Field):
            self.focused.complete()

    # -- keys

    @on(Field.Left)
    def _left(self) -> None:
        self.dismiss(None)

    @on(Field.Submitted)
    def _submitted(self) -> None:
        self.completions.show(None)
        self.submitted()

    @abstractmethod
    def submitted(self) -> object:
        """Enter was pressed."""
