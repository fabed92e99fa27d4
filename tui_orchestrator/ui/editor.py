"""The user's own editor, for prompts longer than a few lines."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from textual.app import App, SuspendNotSupported

from tui_orchestrator.routing.text import clean


class EditorFailed(Exception):
    """One sentence that says why."""


def edited(app: App[int], text: str) -> str:
    """What the user makes of `text` in $VISUAL or $EDITOR. The whole program waits meanwhile, so this is not for
    when a turn runs. Raises EditorFailed."""
    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    with tempfile.TemporaryDirectory(prefix="tui-orchestrator-") as directory:
        path = Path(directory) / "prompt.md"
        path.write_text(text, encoding="utf-8")
        try:
            with app.suspend():
                done = subprocess.run([*command, str(path)], check=False)
        except SuspendNotSupported:
            raise EditorFailed("this terminal cannot be handed to an editor") from None
        except OSError as error:
            raise EditorFailed(f"{command[0]} cannot be started ({error.strerror}); set EDITOR") from None
        if done.returncode:
            raise EditorFailed(f"{command[0]} ended with code {done.returncode}; the prompt is as it was")
        return clean(path.read_text(encoding="utf-8", errors="replace")).rstrip("\n")
