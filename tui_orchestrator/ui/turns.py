"""A list of turns over most of the screen: those that were decided here, those that other programs asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from .dialogs import Dialog
from .row_list import RowList
from .words import BAD, GOOD, MUTED

if TYPE_CHECKING:
    from tui_orchestrator.services.runtime import Runtime

ENDS = {
    "answered": ("✓", GOOD),
    "failed": ("✗", BAD),
    "cancelled": ("■", MUTED),
    "no money": ("✗", BAD),
    "no model": ("✗", BAD),
}
"""How a turn may end: the glyphs tell good, doubtful and bad apart without their colours."""


class Turns(Dialog[str | None]):
    """Answers with the id of the request whose card is wanted. Each kind draws its own rows, and names this `CSS`
    as its own, for Textual hands none down. No rule in it names a screen: Textual puts that of the kind before each."""

    CSS = """
    #turns { width: 96%; height: 94%; max-height: 94%; max-width: 190; }
    #narrow { height: 1; margin: 0 0 1 0; }
    #above { height: 1; link-style: none; link-color: $muted; padding: 0 1; margin-bottom: 1; }
    #head { height: 1; color: $muted; padding: 0 1 0 0; }
    #rows {
        height: 1fr; border: none; padding: 0; background: $surface; scrollbar-size-vertical: 1;
        text-wrap: nowrap; text-overflow: clip;
    }
    #rows:focus { background-tint: transparent; }
    #none { color: $muted; padding: 1 2; height: 1fr; display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close"),
    ]

    def __init__(self, runtime: Runtime) -> None:
        super().__init__()
        self.runtime = runtime
        self.above = Static(id="above", markup=False)
        self.head = Static(id="head", markup=False)
        self.rows = RowList(id="rows", markup=False)
        self.nothing = Static(id="none", markup=False)
        """In place of the rows where there are none."""

    def listed(self) -> ComposeResult:
        yield self.above
        yield self.head
        yield self.rows
        yield self.nothing

    @abstractmethod
    def draw(self, width: int) -> None:
        """All anew, in rows of that many cells."""

    def lay_out(self) -> None:
        if not self.is_attached:
            return
        self.draw(self.rows.room(self.lay_out))

    def fill(self, options: Iterable[Option]) -> None:
        self.rows.set_options(options)
        self.rows.display = self.rows.option_count > 0
        self.nothing.display = not self.rows.display

    @property
    def marked(self) -> str | None:
        """The request of the marked row."""
        option = self.rows.highlighted_option
        return option.id if option is not None else None

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self.lay_out)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)
