"""The field prompts are written in: history, folded pastes, completion."""

from __future__ import annotations

from textual.actions import SkipAction
from textual.content import Content
from textual.events import Paste
from textual.message import Message
from textual.widgets import TextArea

from tui_orchestrator.routing.text import clean
from tui_orchestrator.services.attachments import readable

from .commands import bindings, slash_matches

FOLD_PASTE_LINES = 40
FOLD_PASTE_CHARACTERS = 8_000


class Prompt(TextArea):
    """Enter sends. A big paste is folded into a token such as ⟦paste 1: 812 lines⟧, so that typing stays quick."""

    HELP = (
        "Write here. Enter sends, Ctrl+J breaks the line, ↑↓ walk your earlier prompts, @path adds a file or image, "
        "/ lists commands, Ctrl+E opens your editor, Esc cancels a running answer."
    )
    BINDINGS = bindings("prompt")

    class Sent(Message):
        pass

    class EditorWanted(Message):
        pass

    def __init__(self) -> None:
        super().__init__(
            id="prompt",
            compact=True,
            highlight_cursor_line=False,
            placeholder=Content("Ask anything · Enter sends · / commands · @file · F1 help"),
        )
        self._history: list[str] = []
        self._place = 0
        """Index into the history; its length stands for the draft."""
        self._draft = ""
        self._pastes: dict[str, str] = {}
        self.forgets = False
        """Whether what is sent joins no history: a temporary chat's does not."""

    @property
    def unfolded(self) -> str:
        text = self.text
        for token, paste in self._pastes.items():
            text = text.replace(token, paste)
        return text

    def remember(self, prompts: list[str]) -> None:
        """The history, oldest first; the draft stays."""
        self._history = prompts
        self._place = len(prompts)

    def replace_draft(self, text: str) -> None:
        self.text = self._folded(clean(text))
        self.move_cursor(self.document.end)

    def action_send(self) -> None:
        if self.text.strip():
            self.post_message(self.Sent())

    def accept(self) -> None:
        """The prompt went out: it joins the history and the field is empty again."""
        sent = self.unfolded
        if not self.forgets and (not self._history or self._history[-1] != sent):
            self._history.append(sent)
        self._place = len(self._history)
        self._draft = ""
        self._pastes.clear()
        self.text = ""

    def action_newline(self) -> None:
        self.insert("\n")

    def action_complete(self) -> None:
        matches = slash_matches(self.text)
        if not matches or " " in self.text:
            raise SkipAction()
        space = " " if matches[0].argument else ""
        self.replace_draft(f"/{matches[0].name}{space}")

    def action_editor(self) -> None:
        self.post_message(self.EditorWanted())

    def action_up(self) -> None:
        if self.cursor_at_first_line and self._place > 0 and self.selection.is_empty:
            self._walk(-1)
        else:
            self.action_cursor_up()

    def action_down(self) -> None:
        if self.cursor_at_last_line and self._place < len(self._history):
            self._walk(1)
        else:
            self.action_cursor_down()

    def _walk(self, step: int) -> None:
        if self._place == len(self._history):
            self._draft = self.unfolded
        self._place += step
        text = self._draft if self._place == len(self._history) else self._history[self._place]
        self.replace_draft(text)
        if step < 0:
            self.move_cursor((0, len(self.document.get_line(0))))

    async def _on_paste(self, event: Paste) -> None:
        text = clean(event.text.replace("\r\n", "\n").replace("\r", "\n"))
        event.prevent_default()
        event.stop()
        self.insert(self._folded(text))

    def _folded(self, text: str) -> str:
        """The text, or a token that stands for it where it is long."""
        line_count = text.count("\n") + 1
        if line_count <= FOLD_PASTE_LINES and len(text) <= FOLD_PASTE_CHARACTERS:
            return text
        size = f"{line_count:,} lines" if line_count > 1 else readable(len(text))
        token = f"⟦paste {len(self._pastes) + 1}: {size}⟧"
        self._pastes[token] = text
        return token
