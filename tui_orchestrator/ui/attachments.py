"""Files that a prompt names with @path."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tui_orchestrator.routing.text import clean_line
from tui_orchestrator.services.attachments import Attachment, AttachmentError, read_file, readable

MAX_FILES = 20

_MENTION = re.compile(r'(?:^|(?<=\s))@(?:"([^"\n]+)"|([^\s"]+))')


@dataclass(frozen=True, slots=True)
class Mention:
    """One @path of a draft. Either it was read, or `problem` says in one sentence why not."""

    path: str
    attachment: Attachment | None = None
    problem: str = ""
    fatal: bool = False
    """The file is there but cannot go along, so the prompt is not to be sent. A path that does not exist may well be
    meant as plain words (@property) and is sent as such."""

    @property
    def label(self) -> str:
        if self.attachment is None:
            return f"✗ {self.problem}"
        return f"✓ {self.attachment.name} {readable(self.attachment.size)}"


def mentions(draft: str) -> list[str]:
    """The paths named in a draft, each once, in order. Trailing punctuation is not part of a bare path."""
    found = [quoted or bare.rstrip(".,;:!?)]}'") for quoted, bare in _MENTION.findall(draft)]
    return [path for path in dict.fromkeys(found) if path][:MAX_FILES]


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
        return Mention(path, read_file(file, shown))
    except AttachmentError as error:
        return Mention(path, problem=str(error), fatal=True)


def read_ones(found: Iterable[Mention]) -> list[Attachment]:
    return [mention.attachment for mention in found if mention.attachment is not None]
