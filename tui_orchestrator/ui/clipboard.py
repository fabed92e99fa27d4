"""Copying out of the console: by the system's own clipboard tool, the terminal (OSC 52) or a file, whichever is there.

A tool says whether it worked; a terminal never answers, so the console says which of them it was.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tui_orchestrator.locations import data_dir
from tui_orchestrator.settings import write_privately

TOOL_WITHIN_S = 2.0
MOST_BY_TERMINAL = 74_994
"""Bytes of the encoded text that terminals take at least; xterm and tmux cut or drop what is longer."""
_NO_OSC_52 = frozenset({"", "dumb", "linux"})


@dataclass(frozen=True, slots=True)
class Copied:
    where: str
    """For people: 'the clipboard (wl-copy)'."""
    sure: bool = True
    """False: the terminal was told, and does not say whether it did it."""


class NotCopied(Exception):
    """No way worked; one sentence."""


def tools(environ: Mapping[str, str], platform: str = sys.platform) -> Iterator[tuple[str, ...]]:
    """The commands that would fill the clipboard of the person at this terminal, the surest first. Over SSH those of
    this machine would fill a clipboard nobody sees."""
    remote = bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))
    if not remote:
        if platform == "darwin":
            yield ("pbcopy",)
        if environ.get("WSL_DISTRO_NAME"):
            yield ("clip.exe",)
        if environ.get("WAYLAND_DISPLAY"):
            yield ("wl-copy",)
        if environ.get("DISPLAY"):
            yield ("xclip", "-selection", "clipboard", "-in")
            yield ("xsel", "--clipboard", "--input")
    if environ.get("TMUX"):
        # -w: also the clipboard of the terminal around it, where that allows it.
        yield ("tmux", "load-buffer", "-w", "-")


async def copy(
    text: str,
    tell_terminal: Callable[[str], object] | None,
    environ: Mapping[str, str] = os.environ,
    platform: str = sys.platform,
) -> Copied:
    """By the first way that works. `tell_terminal` writes an escape sequence; None: there is no terminal.

    Raises NotCopied.
    """
    for command in tools(environ, platform):
        program = shutil.which(command[0], path=environ.get("PATH"))
        if program is not None and await _filled(program, command[1:], text):
            return Copied("tmux's buffer" if command[0] == "tmux" else f"the clipboard ({command[0]})")
    encoded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    may = environ.get("TERM", "") not in _NO_OSC_52 and len(encoded) <= MOST_BY_TERMINAL
    if tell_terminal is not None and may:
        tell_terminal(f"\x1b]52;c;{encoded}\a")
        return Copied("the terminal's clipboard (OSC 52)", sure=False)
    return Copied(str(await asyncio.to_thread(to_file, text)))


def to_file(text: str) -> Path:
    """Readable by the user alone; takes the place of what was copied so before. Raises NotCopied."""
    try:
        path = data_dir() / "copied.md"
        write_privately(path, text)
    except OSError as error:
        raise NotCopied(f"Nothing was copied: no clipboard was reached, and {error.strerror or error}.") from error
    return path


async def _filled(program: str, arguments: tuple[str, ...], text: str) -> bool:
    # clip.exe takes the bytes for the Windows code page unless they begin with a mark of UTF-16.
    data = text.encode("utf-16" if program.endswith("clip.exe") else "utf-8", "replace")
    quiet = asyncio.subprocess.DEVNULL
    try:
        # Without pipes for what it says: xclip goes on in the background and would hold them open.
        process = await asyncio.create_subprocess_exec(
            program, *arguments, stdin=asyncio.subprocess.PIPE, stdout=quiet, stderr=quiet
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(TOOL_WITHIN_S):
            await process.communicate(data)
    except TimeoutError:
        return False
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return process.returncode == 0
