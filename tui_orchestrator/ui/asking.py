"""A dialog with one line to write: a title, tags, a file's name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from .dialogs import Dialog, keys_line
from .form import Form, Wanted
from .in_turn import typed_after
from .saying import Said
from .words import MUTED

Submit = Callable[[str], Awaitable[str]]
"""Does what was asked; '' when it is done, else a sentence that says what would be right, and the dialog stays."""


class AskFile(Form[bool]):
    """Answers True once `submit` has taken the path, None for Esc."""

    HELP = "The path of a file. Tab completes it, Enter does what stands at the bottom, Esc leaves all as it is."

    def __init__(self, title: str, value: str, submit: Submit, *, note: str, problem: str, verb: str) -> None:
        """`problem`: what is wrong with the path that stands there at first."""
        fields = [Wanted("file", "file", "", value, "")]
        super().__init__(title, f"{verb} · Tab completes · Esc closes", fields, note, problem)
        self._submit = submit

    @typed_after(letters=True)
    @work(exclusive=True, exit_on_error=False)
    async def submitted(self) -> None:
        problem = await self._submit(self.typed("file"))
        if problem:
            self.refuse(problem)
        else:
            self.dismiss(True)


class Ask(Dialog[bool]):
    """Answers True once `submit` has done it, False for Esc."""

    HELP = (
        "One line to write. Enter does what stands at the bottom, or says what would be right; Esc leaves all as it is."
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(False)", "Close")]

    def __init__(
        self,
        title: str,
        value: str,
        submit: Submit,
        *,
        note: str = "",
        problem: str = "",
        verb: str = "Enter keeps it",
    ) -> None:
        """`problem`: what is wrong with the value that stands there at first."""
        super().__init__()
        self._title = title
        self._note = note
        self._problem = problem
        self._judged = value if problem else None
        """What the problem is about; it is gone once that is changed."""
        self._verb = verb
        self._submit = submit
        self._input = Input(value, id="narrow", compact=True, select_on_focus=False)
        self._said = Said()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(self._title)
            dialog.border_subtitle = keys_line(f"{self._verb} · Esc closes")
            yield self._input
            yield self._said

    def on_mount(self) -> None:
        self._input.focus()
        # What is typed takes the place of the value that stood there; an arrow goes into it.
        self._input.action_select_all()
        self._say(self._problem)

    def _say(self, problem: str) -> None:
        if problem:
            self._said.refuse(problem)
        else:
            self._said.say(self._note, MUTED)

    @on(Input.Changed)
    def _edited(self, event: Input.Changed) -> None:
        if event.value != self._judged:
            self._judged = None
            self._say("")

    @on(Input.Submitted)
    @typed_after(letters=True)
    @work(exclusive=True, exit_on_error=False)
    async def _enter(self, event: Input.Submitted) -> None:
        problem = await self._submit(event.value)
        if problem:
            self._judged = event.value
            self._say(problem)
        else:
            self.dismiss(True)
