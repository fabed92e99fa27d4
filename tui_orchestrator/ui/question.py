"""Dialogs whose Enter may spend or that open by themselves: keys pressed before they were seen agree to nothing."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.events import Event, Key, Paste
from textual.geometry import Region
from textual.screen import ScreenResultType
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static

from .dialogs import Choice, Dialog, Picker, keys_line
from .row_list import in_reverse
from .words import ACCENT, MUTED, STRONG

NOBODY = "nobody"
SENDS_NOTHING = "sends nothing"
LOOKED_AT_S = 0.5
"""A list that stood so long, no key coming, was seen by who presses the next."""


@dataclass(frozen=True, slots=True)
class Way:
    id: str
    name: str
    does: str
    enter: str
    """What Enter does on it, for the frame."""


class _Part(Static):
    """Of a row."""

    def render_lines(self, crop: Region) -> list[Strip]:
        assert isinstance(self.parent, Row)
        return self.parent.as_marked(super().render_lines(crop))


class Row(Horizontal):
    """A way to answer, with a mark where Enter takes it. A click marks it."""

    def __init__(self, way: Way) -> None:
        self._mark = _Part(" ", classes="mark", markup=False)
        says = _Part(Content.assemble((way.name, STRONG), f": {way.does}"), classes="says", markup=False)
        super().__init__(self._mark, says, classes="way")
        self.way = way.id

    def show_mark(self, marked: bool) -> None:
        self._mark.update(Content.styled("▸" if marked else " ", ACCENT))
        self.set_class(marked, "marked")
        if marked:
            self.scroll_visible(animate=False)

    def render_lines(self, crop: Region) -> list[Strip]:
        return self.as_marked(super().render_lines(crop))

    def as_marked(self, strips: list[Strip]) -> list[Strip]:
        """As the marked row of any list is drawn."""
        return [in_reverse(strip) for strip in strips] if self.styles.text_style.reverse else strips

    def on_click(self) -> None:
        assert isinstance(self.screen, Question)
        self.screen.mark(self.way)


class Question(Dialog[ScreenResultType]):
    """The first of its ways is marked when it opens, and is what Esc does: it must cost and change nothing. No letter
    is a key of it."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        # Before a field, which would be submitted.
        Binding("enter", "take", "Does it", priority=True),
        Binding("escape", "refuse", "Refuse"),
    ]

    def __init__(self, title: str, ways: Sequence[Way], *, refuses: str) -> None:
        """`refuses`: what Esc does, for the frame."""
        super().__init__()
        self._title = title
        self._refuses = refuses
        self._rows = [Row(way) for way in ways]
        self._enter = {way.id: way.enter for way in ways}
        self.marked = ways[0].id

    @abstractmethod
    def compose_above(self) -> Iterable[Widget]:
        """What is asked."""

    def compose_below(self) -> Iterable[Widget]:
        return ()

    @abstractmethod
    def take(self, way: str) -> None:
        """By its id."""

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog question", can_focus=False) as dialog:
            dialog.border_title = Content(self._title)
            yield from self.compose_above()
            yield from self._rows
            yield from self.compose_below()

    def on_mount(self) -> None:
        # Also where a key came before there was anything to be seen.
        self.mark(self._rows[0].way)

    def mark(self, way: str) -> None:
        self.marked = way
        for row in self._rows:
            row.show_mark(row.way == way)
        told = f"↑↓ choose · Enter {self._enter[way]} · Esc {self._refuses}"
        self.query_one(".dialog").border_subtitle = keys_line(told)

    def action_move(self, step: int) -> None:
        ways = [row.way for row in self._rows]
        place = ways.index(self.marked) + step
        if place < 0:
            self.query_one(VerticalScroll).scroll_home(animate=False)
        elif place < len(ways):
            self.mark(ways[place])

    def action_take(self) -> None:
        self.take(self.marked)

    def action_refuse(self) -> None:
        self.take(self._rows[0].way)


class PaidPicker(Picker):
    """A list of what is paid for. Asking nobody is its first row, which only who has seen it takes the mark from, so
    that neither an Enter pressed twice nor what was typed ahead spends."""

    HELP = (
        "A list of what costs money. Type to narrow it, ↑↓ and PgUp PgDn mark, Enter does what is marked, a click what "
        "it is on. The mark is on sending nothing at first, so that what was typed ahead spends nothing. What you type "
        "once the list has been there for half a second marks the first that matches. Esc sends nothing."
    )

    def __init__(self, title: str, choices: Iterable[Choice], *, empty: str, verb: str) -> None:
        """`verb`: what Enter on a choice does. The one that holds now or is recommended comes first."""
        offered = sorted(choices, key=lambda choice: not choice.marked)
        self._hints = (f"↑↓ choose · Enter {SENDS_NOTHING}", f"↑↓ choose · Enter {verb}")
        # Two marks would be taken for one another.
        super().__init__(title, (replace(one, marked=False) for one in offered), empty=empty, hint=self._hints[0])
        self.first = Choice(NOBODY, (("not now", "bold"), (": nothing is sent", MUTED)))
        self._filter = _Timed(placeholder=self._filter.placeholder, id=self._filter.id, compact=True)
        self._still_since = math.inf
        """When the last key came, or the list was drawn."""
        self._seen = False
        """Whether it stood still long enough before a key to have been looked at."""

    def on_mount(self) -> None:
        self.call_after_refresh(self._drawn)

    def _drawn(self) -> None:
        self._still_since = monotonic()

    def typed_at(self, when: float) -> None:
        """On the monotonic clock."""
        self._seen = self._seen or when - self._still_since >= LOOKED_AT_S
        self._still_since = max(self._still_since, when)

    def _narrow(self, typed: str) -> None:
        super()._narrow(typed)
        if self._seen and typed.split() and self._list.option_count > 1:
            self._list.highlighted = 1

    @on(OptionList.OptionHighlighted)
    def _tell_enter(self, event: OptionList.OptionHighlighted) -> None:
        self._tell_keys(self._hints[event.option.id != NOBODY])

    def dismiss(self, result: str | None = None) -> AwaitComplete:
        if result == NOBODY:
            self.app.notify("Nothing was sent.", markup=False)
        return super().dismiss(None if result == NOBODY else result)


class _Timed(Input):
    """Tells the list it narrows when what is typed came."""

    async def on_event(self, event: Event) -> None:
        if isinstance(event, Key | Paste) and isinstance(self.screen, PaidPicker):
            self.screen.typed_at(event.time)
        await super().on_event(event)
