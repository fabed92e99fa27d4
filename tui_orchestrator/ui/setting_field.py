"""A dialog that takes one value: checked with every key, written with Enter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from .dialogs import Dialog, keys_line
from .in_turn import typed_after
from .saying import Said
from .words import MUTED

Check = Callable[[str], str]
"""'' where the text will do, else a sentence that says what would be right."""
Submit = Callable[[str], Awaitable[str]]
"""Does it; '' when it is done, else a sentence, and the dialog stays."""


class Field(Dialog[str | None]):
    """Answers with the text once `submit` has taken it, None for Esc."""

    HELP = "A value of your own. It is checked while you type; Enter writes it into your file, Esc leaves all as it is."
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Close")]
    DEFAULT_CSS = """
    Field { align: center middle; }
    Field #value { height: 1; border: none; background: $panel; margin-bottom: 1; }
    Field Static { height: auto; }
    """

    def __init__(
        self,
        title: str,
        value: str,
        note: str,
        check: Check,
        submit: Submit,
        *,
        suggestions: Sequence[str] = (),
        secret: bool = False,
        verb: str = "Enter writes it",
    ) -> None:
        super().__init__()
        self._title, self._note, self._verb = title, note, verb
        self._check, self._submit = check, submit
        self._input = Input(
            value,
            id="value",
            compact=True,
            select_on_focus=False,
            password=secret,
            suggester=SuggestFromList(suggestions) if suggestions else None,
        )
        self._said = Said()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(self._title)
            dialog.border_subtitle = keys_line(f"{self._verb} · Esc closes")
            yield Static(Content.styled(self._note, MUTED))
            yield self._input
            yield self._said

    def on_mount(self) -> None:
        self._input.focus()
        # What is typed takes the place of the value that holds; an arrow goes into it.
        self._input.action_select_all()
        self._said.display = False

    def _say(self, problem: str) -> None:
        self._said.display = bool(problem)
        self._said.refuse(problem)

    @on(Input.Changed)
    def _edited(self, event: Input.Changed) -> None:
        self._say(self._check(event.value) if event.value.strip() else "")

    @on(Input.Submitted)
    @typed_after(letters=True)
    @work(exclusive=True, exit_on_error=False)
    async def _enter(self, event: Input.Submitted) -> None:
        problem = self._check(event.value) or await self._submit(event.value)
        if problem:
            self._say(problem)
        else:
            self.dismiss(event.value)
