"""Copying from the console: an answer, one of its code blocks, whatever is selected."""

from __future__ import annotations

import os
from collections.abc import Sequence

from textual import work

from . import choosing, clipboard
from .dialogs import Picker
from .in_turn import typed_beside
from .skin import Skinned


class Copying(Skinned):
    def copy_to_clipboard(self, text: str) -> None:
        """What is selected comes here too, from every widget."""
        self._clipboard = text
        self._copy(text)

    @typed_beside
    @work(group="copy", exit_on_error=False)
    async def _copy(self, text: str, what: str = "") -> None:
        tell = self._driver.write if self._driver is not None and not self.is_headless else None
        try:
            copied = await clipboard.copy(text, tell, os.environ)
        except clipboard.NotCopied as error:
            self.notify(str(error), severity="error", markup=False)
            return
        unsure = "" if copied.sure else "; if it is not there, /copy file writes it to a file"
        self.notify(f"{what or _size(text)} copied to {copied.where}{unsure}.", markup=False, timeout=5)

    @typed_beside
    @work(group="copy", exit_on_error=False, thread=True)
    def copy_to_file(self, text: str) -> None:
        try:
            said = f"{_size(text)} written to {clipboard.to_file(text)}."
        except clipboard.NotCopied as error:
            said = str(error)
        self.call_from_thread(self.notify, said, markup=False, timeout=8)

    @work(group="copy", exit_on_error=False)
    async def copy_code(self, blocks: Sequence[tuple[str, str]]) -> None:
        """One block at once, one of several from a list."""
        if not blocks:
            self.notify("There is no code block in that answer.", severity="warning", markup=False)
            return
        chosen: str | None = "0"
        if len(blocks) > 1:
            choices = choosing.code_choices(blocks)
            chosen = await self.push_screen_wait(Picker("Copy code", choices, empty="No block has that in it."))
        if chosen is not None:
            code = blocks[int(chosen)][1]
            self._clipboard = code
            self._copy(code, f"{code.count(chr(10))} lines of code")


def _size(text: str) -> str:
    return f"{len(text):,} character{'' if len(text) == 1 else 's'}"
