"""Files that a prompt names with @path: found, checked and read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tui_orchestrator.routing.request import Image
from tui_orchestrator.routing.text import clean, clean_line

from . import words

MAX_TEXT_BYTES = 1_000_000
MAX_IMAGE_BYTES = 5_000_000
"""What the strictest of the providers takes in one image (Anthropic's API documentation, November 2026)."""
MAX_FILES = 20

_MENTION = re.compile(r'(?:^|(?<=\s))@(?:"([^"\n]+)"|([^\s"]+))')
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """One @path of a draft. Either it was read (`image`, or `text`), or `problem` says in one sentence why not."""

    mention: str
    name: str = ""
    size: int = 0
    image: Image | None = None
    text: str | None = None
    problem: str = ""
    fatal: bool = False
    """The file is there but cannot go along, so the prompt is not to be sent. A path that does not exist may well be
    meant as plain words (@property) and is sent as such."""

    @property
    def label(self) -> str:
        if self.problem:
            return f"✗ {self.problem}"
        return f"✓ {self.name} {words.size(self.size)}"


def mentions(draft: str) -> list[str]:
    """The paths named in a draft, each once, in order. Trailing punctuation is not part of a bare path."""
    found = [quoted or bare.rstrip(".,;:!?)]}'") for quoted, bare in _MENTION.findall(draft)]
    return [path for path in dict.fromkeys(found) if path][:MAX_FILES]


def read_attachment(mention: str, directory: Path) -> Attachment | None:
    """Reads the file; blocks, so call it in a thread. None when it is no path at all but an ordinary @word."""
    shown = clean_line(mention, 60)
    try:
        path = directory / Path(mention).expanduser()
        if not path.exists():
            looks_like_path = "/" in mention or "." in mention
            return Attachment(mention, problem=f"no file {shown}: sent as words") if looks_like_path else None
        if path.is_dir():
            return Attachment(mention, problem=f"{shown} is a directory; name a file in it", fatal=True)
        if not path.is_file():
            return Attachment(mention, problem=f"{shown} is no ordinary file", fatal=True)
        size = path.stat().st_size
        if size > max(MAX_TEXT_BYTES, MAX_IMAGE_BYTES):
            return _too_big(mention, shown, size, MAX_IMAGE_BYTES)
        data = path.read_bytes()
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Attachment(mention, problem=f"{shown} cannot be read: {clean_line(reason, 80)}", fatal=True)
    return _judge(mention, shown, clean_line(path.name, 80), data)


def _judge(mention: str, shown: str, name: str, data: bytes) -> Attachment:
    if media_type := image_type(data):
        if len(data) > MAX_IMAGE_BYTES:
            return _too_big(mention, shown, len(data), MAX_IMAGE_BYTES)
        return Attachment(mention, name, len(data), image=Image(media_type, data, name))
    if len(data) > MAX_TEXT_BYTES:
        return _too_big(mention, shown, len(data), MAX_TEXT_BYTES)
    if not data:
        return Attachment(mention, problem=f"{shown} is empty", fatal=True)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = ""
    if not text or "\x00" in text:
        problem = f"{shown} is neither text nor a PNG, JPEG, GIF or WebP image"
        return Attachment(mention, problem=problem, fatal=True)
    return Attachment(mention, name, len(data), text=clean(text))


def _too_big(mention: str, shown: str, size: int, limit: int) -> Attachment:
    problem = f"{shown} has {words.size(size)}; at most {words.size(limit)} can go along"
    return Attachment(mention, problem=problem, fatal=True)


def image_type(data: bytes) -> str | None:
    """By the file's first bytes, since a name may lie."""
    for signature, media_type in _SIGNATURES:
        if data.startswith(signature):
            return media_type
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def with_files(prompt: str, attachments: list[Attachment]) -> str:
    """The prompt with each text file appended as a fenced block under its name."""
    parts = [prompt]
    for attachment in attachments:
        if attachment.text is None:
            continue
        # The fence must be longer than any in the file, or the file's own fence would end it.
        longest = max((len(run) for run in re.findall(r"`{3,}", attachment.text)), default=2)
        fence = "`" * max(3, longest + 1)
        suffix = Path(attachment.name).suffix.removeprefix(".")
        parts.append(f"{attachment.name}:\n{fence}{suffix}\n{attachment.text.rstrip()}\n{fence}")
    return "\n\n".join(parts)
