"""Files that go along with a prompt: checked by what they are, not by what they are called."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ..opening import opened
from ..routing.errors import OrchestratorError
from ..routing.request import Image
from ..routing.text import clean, clean_line

MAX_TEXT_BYTES = 1_000_000
MAX_IMAGE_BYTES = 5_000_000
"""What the strictest of the providers takes in one image (Anthropic's API documentation, November 2026)."""

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


_IMAGES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".avif", ".ico"})
"""How files are called that nobody means as text."""


class AttachmentError(OrchestratorError):
    """Why a file cannot go along, in one sentence."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """Exactly one of `image` and `text` is set."""

    name: str
    size: int
    """Bytes."""
    image: Image | None = None
    text: str | None = None


def read_file(path: Path, shown: str = "", *, pipe: bool = False) -> Attachment:
    """Blocks: call it in a thread. Raises AttachmentError, which calls the file `shown`, or by its path. `pipe`: as
    `opened` takes it."""
    shown = shown or clean_line(str(path), 80)
    try:
        path = path.expanduser()
        if path.is_dir():
            raise AttachmentError(f"{shown} is a directory; name a file in it")
        if not path.exists():
            raise AttachmentError(f"there is no file {shown}")
        if not (path.is_file() or (pipe and path.is_fifo())):
            raise AttachmentError(f"{shown} is no ordinary file")
        size = path.stat().st_size
        with opened(path, pipe=pipe) as file:
            data = file.read(max(MAX_TEXT_BYTES, MAX_IMAGE_BYTES) + 1)
        if size > max(MAX_TEXT_BYTES, MAX_IMAGE_BYTES):
            raise _too_big(shown, size, MAX_IMAGE_BYTES if image_type(data) else MAX_TEXT_BYTES)
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise AttachmentError(f"{shown} cannot be read: {clean_line(reason, 80)}") from error
    return judge(shown, clean_line(path.name, 80), data)


def read_stdin() -> Attachment:
    return judge("stdin", "stdin", sys.stdin.buffer.read(MAX_IMAGE_BYTES + 1))


def judge(shown: str, name: str, data: bytes) -> Attachment:
    """What the bytes are. Raises AttachmentError when they are neither text nor an image that models read."""
    if media_type := image_type(data):
        if len(data) > MAX_IMAGE_BYTES:
            raise _too_big(shown, len(data), MAX_IMAGE_BYTES)
        return Attachment(name, len(data), image=Image(media_type, data, name))
    if len(data) > MAX_TEXT_BYTES:
        raise _too_big(shown, len(data), MAX_TEXT_BYTES)
    if not data:
        raise AttachmentError(f"{shown} is empty")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\x00"
    if "\x00" in text:
        raise AttachmentError(f"{shown} is neither text nor a PNG, JPEG, GIF or WebP image")
    if Path(name).suffix.lower() in _IMAGES:
        raise AttachmentError(f"{shown} is text under an image's name; name it .txt to send it as text")
    return Attachment(name, len(data), text=clean(text))


def _too_big(shown: str, size: int, limit: int) -> AttachmentError:
    most = f"{shown} has {readable(size)}; at most {readable(limit)} can go along"
    if limit == MAX_IMAGE_BYTES:
        return AttachmentError(f"{most}: scale the image down, or save it as JPEG")
    return AttachmentError(f"{most}: give the part the question is about, or split the file and ask of each part")


def readable(size: int) -> str:
    """Bytes for people."""
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def image_type(data: bytes) -> str | None:
    """By the file's first bytes, since a name may lie."""
    for signature, media_type in _SIGNATURES:
        if data.startswith(signature):
            return media_type
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A prompt with what goes along with it, as it is sent."""

    text: str
    typed: str
    """The prompt alone."""
    images: tuple[Image, ...] = ()
    files: tuple[str, ...] = ()
    """Names of the text files that are in `text`."""


def enclose(prompt: str, attachments: Iterable[Attachment]) -> Enclosed:
    """Each text file is appended to the prompt as a fenced block under its name."""
    parts, images, files = [prompt], [], []
    for attachment in attachments:
        if attachment.image is not None:
            images.append(attachment.image)
        if attachment.text is not None:
            files.append(attachment.name)
            parts.append(_fenced(attachment.name, attachment.text))
    return Enclosed("\n\n".join(parts), prompt, tuple(images), tuple(files))


def _fenced(name: str, text: str) -> str:
    # The fence must be longer than any in the file, or the file's own fence would end it.
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * max(3, longest + 1)
    return f"{name}:\n{fence}{Path(name).suffix.removeprefix('.')}\n{text.rstrip()}\n{fence}"


def excerpt(prompt: str, attachments: Iterable[Attachment], characters: int) -> Enclosed:
    """As `enclose`, of no more than the beginning: where the text is longer than so many characters, it has been cut
    somewhere after them."""
    left, cut = characters + 1 - len(prompt), []
    for attachment in attachments:
        text = attachment.text
        cut.append(attachment if text is None else replace(attachment, text=text[: max(0, left)]))
        left -= len(text or "")
    return enclose(prompt[: characters + 1], cut)
