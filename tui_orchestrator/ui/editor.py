"""The user's own editor, for prompts longer than a few lines."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from textual.app import App, SuspendNotSupported

from tui_orchestrator.routing.text import clean, clean_line

_FOUND = ("editor", "nano", "vim", "vi", "emacs")
"""Looked for in this order where none is named; the first is what Debian's alternatives point to."""
_WINDOWED = {
    **dict.fromkeys(("code", "code-insiders", "codium", "vscodium", "cursor", "windsurf", "zed", "zeditor"), "--wait"),
    **dict.fromkeys(("subl", "sublime_text", "atom", "gedit", "gnome-text-editor", "pulsar"), "--wait"),
    **dict.fromkeys(("mate", "bbedit", "xed"), "--wait"),
    **dict.fromkeys(("gvim", "mvim"), "--nofork"),
    "kate": "--block",
    "kwrite": "",
    "mousepad": "",
    "notepad": "",
}
"""Editors with a window of their own, and the option that makes them wait until the file is closed (their manuals,
November 2026); empty where they do by themselves."""


class EditorFailed(Exception):
    """One sentence that says why; the prompt is as it was."""


@dataclass(frozen=True, slots=True)
class Editor:
    command: tuple[str, ...]
    windowed: bool = False
    """It does not need the terminal, so that the program goes on meanwhile."""

    @property
    def name(self) -> str:
        return clean_line(Path(self.command[0]).name, 40)


def find() -> Editor:
    """$VISUAL, else $EDITOR, else one that is installed. Raises EditorFailed."""
    wanted = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        command = shlex.split(wanted)
    except ValueError as error:
        raise EditorFailed(f"EDITOR is no command ({error}); set it to one, such as nano") from None
    if not command:
        there = next((name for name in _FOUND if shutil.which(name)), None)
        if there is None:
            raise EditorFailed("no editor is named and none was found; set EDITOR to one, such as nano")
        command = [there]
    name = Path(command[0]).name.removesuffix(".exe")
    if name not in _WINDOWED:
        return Editor(tuple(command))
    # Without it such an editor returns at once, with nothing edited.
    waits = _WINDOWED[name]
    alike = {waits, waits[1:3]} if waits else set()
    return Editor((*command, *([waits] if waits and alike.isdisjoint(command[1:]) else [])), windowed=True)


def edited(app: App[int], editor: Editor, text: str) -> str:
    """What the user makes of `text` in the terminal. The whole program waits meanwhile, so this is not for when a turn
    runs. Raises EditorFailed."""
    with _file_of(text) as file:
        try:
            with app.suspend():
                done = subprocess.run([*editor.command, str(file.path)], check=False)
        except SuspendNotSupported:
            raise EditorFailed("this terminal cannot be handed to an editor") from None
        except OSError as error:
            raise _not_started(editor, error) from error
        return file.result(editor, done.returncode)


async def edited_beside(editor: Editor, text: str) -> str:
    """The same in a window of the editor's own. Cancelling leaves the window alone. Raises EditorFailed."""
    with _file_of(text) as file:
        null = asyncio.subprocess.DEVNULL
        try:
            running = await asyncio.create_subprocess_exec(
                *editor.command, str(file.path), stdin=null, stdout=null, stderr=null
            )
        except OSError as error:
            raise _not_started(editor, error) from error
        code = await running.wait()
        return file.result(editor, code)


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    saved_at: int
    """Nanoseconds: when it was written last before the editor had it."""

    def result(self, editor: Editor, code: int) -> str:
        if code:
            raise EditorFailed(f"{editor.name} ended with code {code}; the prompt is as it was")
        try:
            if self.path.stat().st_mtime_ns == self.saved_at:
                hint = "" if editor.windowed else "; one with a window of its own needs its option to wait"
                raise EditorFailed(f"nothing was saved in {editor.name}; the prompt is as it was{hint}")
            return clean(self.path.read_text(encoding="utf-8", errors="replace")).rstrip("\n")
        except OSError as error:
            raise EditorFailed(f"what {editor.name} saved cannot be read ({error.strerror})") from error


@contextmanager
def _file_of(text: str) -> Iterator[_File]:
    try:
        directory = tempfile.TemporaryDirectory(prefix="tui-orchestrator-", ignore_cleanup_errors=True)
    except OSError as error:
        raise EditorFailed(f"no file can be made for the editor ({error.strerror})") from error
    with directory as name:
        path = Path(name) / "prompt.md"
        try:
            path.write_text(text, encoding="utf-8")
            # In the past, so that a save within the clock's tick is seen too.
            os.utime(path, (1, 1))
        except OSError as error:
            raise EditorFailed(f"no file can be made for the editor ({error.strerror})") from error
        yield _File(path, path.stat().st_mtime_ns)


def _not_started(editor: Editor, error: OSError) -> EditorFailed:
    return EditorFailed(f"{editor.name} cannot be started ({error.strerror}); set EDITOR to another")
