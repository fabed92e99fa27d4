"""A dialog with a list, and below it all that is known of the marked row."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ScreenResultType
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from .dialogs import Dialog, keys_line
from .naming import keyed
from .row_list import LEAST_WIDTH, RowList


class Listed(Dialog[ScreenResultType]):
    """Each kind draws its own rows, and names this `CSS` as its own, for Textual hands none down."""

    CSS = """
    #listed { width: 96%; height: auto; max-height: 96%; max-width: 150; }
    #head { height: 1; color: $muted; padding: 0 1 0 0; }
    #all {
        height: auto; max-height: 34vh; border: none; padding: 0; background: $surface; scrollbar-size-vertical: 1;
        scrollbar-gutter: stable; text-wrap: nowrap; text-overflow: clip;
    }
    #found { height: auto; max-height: 50vh; margin-top: 1; padding: 0 1; }
    #found { scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    #found Static { height: auto; }
    #none { color: $muted; padding: 1 2; height: auto; display: none; }
    """
    TITLE_SHOWN: ClassVar[str] = ""
    KEYS: ClassVar[str] = "Esc closes"
    """As `keyed` and `keys_line` take them; so is `NOTHING`."""
    KEYS_OF_NOTHING: ClassVar[str] = "Esc closes"
    """Where the list is empty."""
    NOTHING: ClassVar[str] = ""
    """In place of the list where it is empty."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Close"),
        # Before the list's own, which takes them where all of the rest is seen.
        Binding("pagedown", "scroll_found(1)", "Down", show=False, priority=True),
        Binding("pageup", "scroll_found(-1)", "Up", show=False, priority=True),
    ]

    def __init__(self, wanted: str = "") -> None:
        """`wanted`: the key of the row that is marked at first."""
        super().__init__()
        self.wanted = wanted
        self.list = RowList(id="all", markup=False)
        self._head = Static(id="head", markup=False)
        self._beneath = VerticalScroll(id="found", can_focus=False)
        self._details = Static(markup=False)
        self._none = Static(id="none", markup=False)

    @property
    @abstractmethod
    def rows(self) -> Mapping[str, object] | None:
        """By their keys, in their order. None: not known yet."""

    @abstractmethod
    def draw_rows(self, width: int) -> Iterable[Content]: ...

    @abstractmethod
    def draw_head(self, width: int) -> Content | None:
        """Over the columns; None where rows take two lines."""

    @abstractmethod
    def draw_details(self, key: str, width: int) -> Content: ...

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="listed") as dialog:
            dialog.border_title = self.TITLE_SHOWN
            dialog.border_subtitle = keys_line(keyed(self.app, self.KEYS))
            yield self._head
            yield self.list
            with self._beneath:
                yield self._details
            yield self._none

    def on_mount(self) -> None:
        self.list.focus()
        self.look()

    def look(self) -> None:
        """Reads what is listed, and lays it out."""
        self.lay_out()

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self.lay_out)

    @property
    def marked(self) -> str | None:
        option = self.list.highlighted_option
        return option.id if option is not None else None

    def lay_out(self) -> None:
        rows = self.rows
        if not self.is_attached or rows is None:
            return
        width = self.list.room(self.lay_out)
        marked, there = self.marked, list(rows)
        self.list.set_options(Option(row, id=key) for key, row in zip(there, self.draw_rows(width), strict=True))
        if there:
            wanted, self.wanted = self.wanted or marked or "", ""
            self.list.highlighted = there.index(wanted) if wanted in there else 0
        self.list.display = self._beneath.display = bool(there)
        self._none.display = not there
        keys = self.KEYS if there else self.KEYS_OF_NOTHING
        self.query_one("#listed").border_subtitle = keys_line(keyed(self.app, keys))
        head = self.draw_head(width)
        self._head.display = bool(there) and head is not None
        self._head.update(head or "")
        self._none.update(keyed(self.app, self.NOTHING))
        self.tell_details()

    def tell_details(self) -> None:
        width = self._beneath.scrollable_content_region.width - 1
        known = self.marked is not None and self.marked in (self.rows or {})
        self._details.update(self.draw_details(self.marked or "", width) if known and width >= LEAST_WIDTH else "")

    @on(OptionList.OptionHighlighted)
    def _highlighted(self) -> None:
        self._beneath.scroll_home(animate=False)
        self.call_after_refresh(self.tell_details)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "scroll_found" and not self._beneath.max_scroll_y:
            return False
        return super().check_action(action, parameters)

    def action_scroll_found(self, way: int) -> None:
        self._beneath.scroll_relative(y=way * 5, animate=False)
