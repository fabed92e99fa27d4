"""The terminal a turn is told on: the answer on stdout, the rest on stderr, and one line that comes and goes."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any

from ..routing.text import clean
from .streams import on_terminal, say, tell, wipe


class Screen:
    """Keeps lines apart where stdout and stderr are the same terminal."""

    def __init__(self) -> None:
        self.streams = on_terminal(sys.stdout)
        """stdout is a terminal: what is written can be watched as it comes."""
        self.lively = on_terminal(sys.stderr) and os.environ.get("TERM") not in ("dumb", "unknown")
        """A line of stderr can be wiped."""
        self._coloured = self.lively and not os.environ.get("NO_COLOR")
        self._open = False
        """The last line on stdout has not ended."""
        self._status = False

    def text(self, piece: str) -> None:
        """A piece of the answer."""
        self._wipe()
        say(piece, end="")
        if piece:
            self._open = not piece.endswith("\n")

    def end_line(self) -> None:
        self._wipe()
        if self._open:
            self.text("\n")

    def line(self, line: str, **style: Any) -> None:
        """A whole line of its own on stderr. `style` as click.style has it; left out where colours are not wanted."""
        self._wipe()
        if self._open and self.streams:
            self.text("\n")
        tell(line, **(style if self._coloured else {}))

    def status(self, line: str) -> None:
        """What goes on right now; the next thing that is written takes its place. Only where a line can be wiped."""
        if self.lively and not self._open:
            self._wipe()
            shown = clean(line)[: shutil.get_terminal_size().columns - 1]
            tell(shown, end="", **({"dim": True} if self._coloured else {}))
            self._status = True

    def _wipe(self) -> None:
        if self._status:
            wipe()
            self._status = False
