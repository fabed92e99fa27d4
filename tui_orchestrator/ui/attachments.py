"""Files that a prompt names with @path."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tui_orchestrator.routing.text import clean_line
from tui_orchestrator.services.attachments import Attachment, AttachmentError, read_file
from tui_orchestrator.services.enclosing import Size, measure

MAX_FILES = 20
LONGEST_PATH = 1_000

_MENTION = re.compile(r'(?:^|(?<=\s))@(?:"((?:\\"|[^"\n])+)"|([^\s"]+))')
_BEGUN = re.compile(r'(?:^|(?<=\s))@(?:"((?:\\"|[^"\n])*)|([^\s"]*))$')
_PUNCTUATION = ".,;:!?)]}'"
"""Not part of a bare path that it ends."""


@dataclass(frozen=True, slots=True)
class Mention:
    """One @path of a draft. Either it was read, or `problem` says in one sentence why not."""

    path: str
    attachment: Attachment | None = None
    size: Size = field(default_factory=Size)
    """Of the attachment."""
    problem: str = ""
    fatal: bool = False
    """The file is there but cannot go along, so the prompt is not to be sent. A path that does not exist may well be
    meant as plain words (@property) and is sent as such."""


def mentions(draft: str) -> list[str]:
    """The paths named in a draft, each once, in order. Trailing punctuation is not part of a bare path."""
    found = [quoted.replace('\\"', '"') if quoted else _unpunctuated(bare) for quoted, bare in _MENTION.findall(draft)]
    return [path for path in dict.fromkeys(found) if path][:MAX_FILES]


def _unpunctuated(bare: str) -> str:
    if bare.rpartition("/")[2] in (".", ".."):
        return bare
    return bare.rstrip(_PUNCTUATION)


@dataclass(frozen=True, slots=True)
class Begun:
    """An @path under the cursor."""

    start: int
    """Where its @ stands in the line."""
    path: str


def begun(before: str) -> Begun | None:
    """The @path that a line, up to the cursor, ends with."""
    passed = max(0, len(before) - LONGEST_PATH)
    match = _BEGUN.search(before, passed)
    if match is None:
        return None
    return Begun(match.start(), (match[1] or "").replace('\\"', '"') if match[2] is None else match[2])


def written(path: str) -> str:
    """As `mentions` reads it again. The quotation of a directory stays open for what is in it."""
    directory = path.endswith("/")
    if not re.search(r'[\s"]', path) and path.rstrip(_PUNCTUATION) == path:
        return f"@{path}"
    escaped = path.replace('"', '\\"')
    return f'@"{escaped}' if directory else f'@"{escaped}"'


def look_up(path: str, directory: Path) -> Mention | None:
    """Reads the file; blocks, so call it in a thread. None when it is no path at all but an ordinary @word."""
    shown = clean_line(path, 60)
    try:
        file = directory / Path(path).expanduser()
        missing = not file.exists()
    except (OSError, ValueError, RuntimeError):
        missing, file = True, directory
    if missing:
        looks_like_path = "/" in path or "." in path
        return Mention(path, problem=f"no file {shown}: sent as words") if looks_like_path else None
    try:
        attachment = read_file(file, shown)
    except AttachmentError as error:
        return Mention(path, problem=str(error), fatal=True)
    return Mention(path, attachment, measure(attachment))


def read_ones(found: Iterable[Mention]) -> list[Attachment]:
    return [mention.attachment for mention in found if mention.attachment is not None]
