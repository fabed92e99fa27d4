"""A crash, written down so that it can be shown to anybody: where it was and what the program had done.

What an error says may quote a prompt, an answer or a key, so that its words are left out; the terminal has shown them.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import re
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from .. import __version__
from ..locations import LocationError, crashes_dir, private
from ..routing.text import clean_line
from ..settings import write_privately
from . import logbook

KEPT = 10
PACKAGES = ("textual", "anthropic", "openai", "google-genai", "httpx2", "genai-prices", "click")
_INSTALLED = re.compile(r"\A.*/(?=(?:site-packages|lib/python[\d.]+|tui_orchestrator)/)")


def written() -> list[Path]:
    """The reports there are, the newest first."""
    try:
        return sorted(crashes_dir().glob("crash-*.txt"), reverse=True)
    except (LocationError, OSError):
        return []


def write_down(error: BaseException) -> Path | None:
    """None where it cannot be written."""
    at = datetime.now(UTC)
    try:
        path = private(crashes_dir()) / f"crash-{at:%Y%m%dT%H%M%S.%f}-{os.getpid()}.txt"
        write_privately(path, described(error, at))
    except (LocationError, OSError):
        return None
    for old in written()[KEPT:]:
        with contextlib.suppress(OSError):
            old.unlink()
    return path


def told(path: Path | None) -> str:
    """For after the traceback."""
    if path is None:
        return "This is a mistake of the program. Its report could not be written."
    return f"This is a mistake of the program. A report without your texts and keys is in {path}"


def described(error: BaseException, at: datetime) -> str:
    surroundings = {name: clean_line(os.environ.get(name, ""), 60) for name in ("TERM", "COLORTERM", "LANG")}
    lines = [
        f"tui-orchestrator {__version__} crashed at {at:%Y-%m-%d %H:%M:%S} UTC.",
        "No prompt, answer, name or key is in here, and not what the errors said, which may quote them.",
        "",
        f"Python {platform.python_version()}, {platform.system()} {platform.release()} {platform.machine()}",
        ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        ", ".join(f"{name}={value}" for name, value in surroundings.items()),
        "",
        *(line for one in _chain(error) for line in _where(one)),
        "",
        "What the program had done before:",
        *(logbook.recent() or ["nothing"]),
    ]
    return "\n".join(lines) + "\n"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The errors it came from before it, those of a group after it."""
    if error is None:
        return
    yield from _chain(error.__cause__ or (None if error.__suppress_context__ else error.__context__))
    yield error
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _chain(one)


def _where(error: BaseException) -> Iterator[str]:
    for frame in traceback.extract_tb(error.__traceback__):
        # Whose home it is installed in is nobody's business, nor is the code of a program that is not ours.
        name = _INSTALLED.sub("", frame.filename) if _INSTALLED.match(frame.filename) else Path(frame.filename).name
        yield f"  {name}:{frame.lineno} in {frame.name}"
    kind = type(error)
    yield f"{kind.__module__}.{kind.__qualname__}"
