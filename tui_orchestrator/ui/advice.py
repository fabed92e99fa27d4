"""What could be cheaper or better, and the key that does it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar, Literal

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.services.advice import Advice, advise, kept_in
from tui_orchestrator.services.changes import Change
from tui_orchestrator.services.recommendation import Recommendation
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.storage.spans import Period, Span

from . import words
from .dialogs import Dialog, keys_line
from .in_turn import ROW_KEYS, typed_after
from .row_list import RowList
from .words import ACCENT, BAD, GOOD, MUTED, STRONG, WARN

Way = Literal["keep", "try", "copy"]


class Recommendations(RowList):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "Show the change")]


class AdvicePanel(Vertical):
    """Reads its advice when it is mounted, and again for each `show`."""

    BORDER_TITLE = "Advice"
    HELP = (
        "What could be cheaper or better, from your own turns, the most money first. ↑↓ goes through it, Enter shows "
        "the change that does it and lets you keep it, try it or copy it. Estimates are marked ≈."
    )
    DEFAULT_CSS = """
    AdvicePanel { height: 1fr; padding: 0 1; }
    AdvicePanel #score { height: auto; padding: 0 1 1 1; }
    AdvicePanel #recommendations {
        height: 1fr; border: none; padding: 0; background: $background; scrollbar-size-vertical: 1;
    }
    AdvicePanel #recommendations:focus { background-tint: $background 0%; }
    AdvicePanel #recommendations > .option-list--option { padding: 0 1; }
    """

    def __init__(self, runtime: Runtime, span: Period | Span = "month", *, id: str | None = None) -> None:
        """`span`: of which turns; a month is the last thirty days."""
        super().__init__(id=id)
        self._runtime = runtime
        self._span: Period | Span = span
        self._advice: Advice | None = None
        self._problem = ""
        self._done: set[str] = set()
        """Titles of those that were followed since they were read."""
        self._score = Static(id="score", markup=False)
        self._list = Recommendations(id="recommendations", markup=False)

    def compose(self) -> ComposeResult:
        yield self._score
        yield self._list

    def on_mount(self) -> None:
        self._draw()
        self.show(self._span)

    def on_resize(self, event: Resize) -> None:
        self._draw()

    def focus(self, scroll_visible: bool = True) -> AdvicePanel:
        self._list.focus(scroll_visible)
        return self

    @typed_after(*ROW_KEYS)
    @work(group="advice", exclusive=True, exit_on_error=False)
    async def show(self, span: Period | Span) -> None:
        self._span = span
        try:
            self._advice = await advise(self._runtime, span)
            self._problem = ""
        except OrchestratorError as error:
            self._problem = str(error)
        self._done.clear()
        self._draw()

    def _draw(self) -> None:
        width = max(24, self.size.width - 6)
        advice = self._advice
        if self._problem:
            self._score.update(words.lines(Content.styled(line, BAD) for line in words.wrap(self._problem, width)))
            return
        if advice is None:
            self._score.update(Content.styled("◐ reading the ledger", ACCENT))
            return
        self._score.update(words.lines(draw_score(advice, width)))
        marked = self._list.highlighted
        self._list.set_options(
            Option(draw_recommendation(advice, number, one, width, done=one.title in self._done), id=str(number))
            for number, one in enumerate(advice.recommendations)
        )
        self._list.display = bool(advice.recommendations)
        if advice.recommendations:
            self._list.highlighted = min(marked or 0, len(advice.recommendations) - 1)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        assert self._advice is not None
        self._follow(self._advice.recommendations[event.option_index])

    @work(exit_on_error=False)
    async def _follow(self, one: Recommendation) -> None:
        change = one.change
        if change is None:
            return
        path = kept_in(self._runtime.settings, change)
        way = await self.app.push_screen_wait(Proposal(one, change, path))
        if way == "copy":
            self.app.copy_to_clipboard(change.toml())
            self.app.notify("The lines were sent to the terminal's clipboard.", markup=False)
        elif way is not None:
            await self._do(one, change, path if way == "keep" else None)

    async def _do(self, one: Recommendation, change: Change, path: Path | None) -> None:
        if path is not None:
            try:
                # On a thread, because the first change of a file imports what can edit TOML.
                await asyncio.to_thread(change.keep, path)
            except (OrchestratorError, OSError) as error:
                self.app.notify(str(error), severity="error", markup=False)
                return
        at_once = change.take_effect(self._runtime)
        when = "from the next turn on" if at_once else "from the next start on"
        where = f"Kept in {path}" if path is not None else "Until the program ends"
        self.app.notify(f"{where}: {change.does}, {when}.", markup=False)
        self._done.add(one.title)
        self._draw()


class Proposal(Dialog[Way | None]):
    """A change before it is made."""

    HELP = (
        "A change before it is made. Enter writes these lines into your own file, whose comments stay; T tries it for "
        "this run of the program alone, C copies the lines."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "dismiss('keep')", "Keep"),
        Binding("t", "dismiss('try')", "Try"),
        Binding("c", "dismiss('copy')", "Copy"),
        Binding("escape", "dismiss(None)", "Close"),
    ]

    def __init__(self, one: Recommendation, change: Change, path: Path) -> None:
        super().__init__()
        self._one = one
        self._change = change
        self._path = path

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog help") as dialog:
            dialog.border_title = Content(self._one.title)
            dialog.border_subtitle = keys_line("Enter keeps it · t tries it · c copies the lines · Esc leaves it")
            yield Static(Content(f"{self._one.why}\n"))
            yield Static(Content.styled(self._change.toml(), ACCENT))
            yield Static(Content.styled(f"\nEnter writes this into {self._path}; your comments there stay.", MUTED))

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()


def draw_score(advice: Advice, width: int) -> list[Content]:
    score = advice.score
    if score is None:
        return [*_muted(advice.basis(), width)]
    style = GOOD if score.value >= 80 else WARN if score.value >= 50 else BAD
    room = min(30, max(8, width - 34))
    filled = words.bar(score.value / 100, room).rstrip()
    return [
        Content.assemble(
            ("Optimisation score ", STRONG),
            (f"{score.value:>3}", f"bold {style}"),
            (" of 100  ", MUTED),
            (filled, style),
            ("·" * (room - len(filled)), MUTED),
        ),
        *_muted(f"{score.formula()}.", width),
        *_muted(advice.basis() + ("" if advice.recommendations else " Nothing to advise."), width),
    ]


def _muted(text: str, width: int) -> list[Content]:
    return [Content.styled(line, MUTED) for line in words.wrap(text, width)]


def draw_recommendation(advice: Advice, number: int, one: Recommendation, width: int, *, done: bool) -> Content:
    """Title and saving, the figures, and what Enter does."""
    saving = advice.saving(one)
    sign = ("✓ ", GOOD) if done else (f"{number + 1} ", MUTED)
    titles = words.wrap(one.title, width - 3)
    rows = [Content.assemble(sign, (titles[0], STRONG))]
    rows += [Content.assemble("  ", (line, STRONG)) for line in titles[1:]]
    if saving:
        note = f"{saving}, from {one.n:,} {'attempt' if one.n == 1 else 'attempts'}"
        rows.append(Content.assemble("  ", (f"saves {note}", GOOD)))
    rows += [Content.styled(f"  {line}", MUTED) for line in words.wrap(one.why, width - 3)]
    if one.change is not None:
        does = "done" if done else f"Enter: {one.change.does}"
        rows += [Content.styled(f"  {line}", ACCENT) for line in words.wrap(does, width - 3)]
    rows.append(Content(""))
    return words.lines(rows)
