"""Every prompt ever sent, in a list that narrows while one types."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.storage.prompts import Past, words_of

from . import words
from .dialogs import Dialog, keys_line
from .in_turn import typed_after
from .row_list import RowList
from .words import ACCENT, MUTED

SHOWN = 200
SEARCH_AFTER_S = 0.06
"""Pause in typing after which is searched."""
_AGE = 11
_FOUND = f"bold underline {ACCENT}"


class PromptSearch(Dialog[str | None]):
    """The latest first. Enter answers with the text of the marked one, Esc with None."""

    HELP = (
        "Every prompt you ever sent. Type words that were in it; ↑↓ or {prompt.search} move, Enter takes it, "
        "Esc leaves."
    )
    DEFAULT_CSS = """
    PromptSearch #whole { height: auto; max-height: 8; border-top: solid $rule; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("down", "move(1)", "Down", show=False),
        Binding("ctrl+r", "move(1)", "Down", id="prompt.search", show=False),
        Binding("up,ctrl+s", "move(-1)", "Up", show=False),
        Binding("pagedown", "move(8)", "Page down", show=False),
        Binding("pageup", "move(-8)", "Page up", show=False),
        Binding("home", "move(-99999)", "First", show=False, priority=True),
        Binding("end", "move(99999)", "Last", show=False, priority=True),
    ]

    def __init__(self, runtime: Runtime) -> None:
        super().__init__()
        self._runtime = runtime
        self._input = Input(placeholder="words of an earlier prompt", id="narrow", compact=True)
        self._list = RowList(id="choices", markup=False)
        self._nothing = Static("", id="nothing", markup=False)
        self._whole = Static("", id="whole", markup=False)
        self._found: tuple[Past, ...] = ()
        self._stop = Event()
        """Set when nobody waits for the search under way any more."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            # The frame stays where it is while the list narrows, and what is shown whole keeps its place under it.
            dialog.styles.width, dialog.styles.height = 110, "80%"
            self._list.styles.height = "1fr"
            dialog.border_title = "Earlier prompts"
            dialog.border_subtitle = keys_line("Enter takes it into the prompt · Esc leaves")
            yield self._input
            yield self._list
            yield self._nothing
            yield self._whole

    def on_mount(self) -> None:
        self._list.can_focus = False
        self._nothing.display = self._whole.display = False
        self._input.focus()
        self._read()

    def on_unmount(self) -> None:
        self._stop.set()

    @on(Input.Changed)
    def _typed(self) -> None:
        self._read(SEARCH_AFTER_S)

    def _read(self, after_s: float = 0.0) -> None:
        self._stop.set()
        self._stop = Event()
        self._search(self._input.value, self._stop, after_s)

    @typed_after()
    @work(group="search", exclusive=True, exit_on_error=False)
    async def _search(self, typed: str, stop: Event, after_s: float) -> None:
        await asyncio.sleep(after_s)
        try:
            found = await self._runtime.conversations.find_prompts(typed, SHOWN, stop.is_set)
        except OrchestratorError as error:
            self._say_nothing(str(error))
            return
        if not stop.is_set():
            self._show(found, typed)

    def _show(self, found: tuple[Past, ...], typed: str) -> None:
        self._found = found
        now = self._runtime.clock.now()
        self._list.set_options(
            Option(_row(past, words.ago((now - past.at).total_seconds())), id=str(past.id)) for past in found
        )
        self._list.display = bool(found)
        if found:
            self._nothing.display = False
            self._list.highlighted = 0
        else:
            self._say_nothing("No earlier prompt holds these words." if typed.strip() else "Nothing was sent yet.")

    def _say_nothing(self, why: str) -> None:
        self._found = ()
        self._nothing.update(why)
        self._nothing.display, self._list.display, self._whole.display = True, False, False

    @on(OptionList.OptionHighlighted)
    def _marked(self, event: OptionList.OptionHighlighted) -> None:
        """One that does not fit into its row is shown whole beneath the list."""
        if event.option_index >= len(self._found):
            return
        past = self._found[event.option_index]
        marks = words_of(self._input.value).marks(past.head)
        self._whole.display = len(past.head) > self._list.size.width - _AGE or "\n" in past.head
        self._whole.update(_marks(Content(past.head), marks))

    def action_move(self, step: int) -> None:
        if self._found and self._list.highlighted is not None:
            self._list.highlighted = max(0, min(len(self._found) - 1, self._list.highlighted + step))

    @on(Input.Submitted)
    def _chosen(self) -> None:
        if self._found and self._list.highlighted is not None:
            self._take(self._found[self._list.highlighted])

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self._take(self._found[event.option_index])

    @typed_after(letters=True)
    @work(group="taking", exclusive=True, exit_on_error=False)
    async def _take(self, past: Past) -> None:
        try:
            self.dismiss(await self._runtime.conversations.past_prompt(past.id))
        except OrchestratorError as error:
            self._say_nothing(str(error))


def _row(past: Past, age: str) -> Content:
    text = _marks(Content(past.snippet.text), past.snippet.marks)
    return Content.assemble((words.fit(age, _AGE), MUTED), text)


def _marks(text: Content, marks: tuple[tuple[int, int], ...]) -> Content:
    for start, end in marks:
        text = text.stylize(_FOUND, start, end)
    return text
