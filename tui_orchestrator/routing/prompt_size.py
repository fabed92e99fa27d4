"""How many tokens a conversation comes to, and of what kinds they are, before any model has counted them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from .features import script_tokens
from .profile import Mix
from .request import Image, Message, Request
from .tools import definitions

IMAGE_TOKENS = 1_100
"""A picture of about a megapixel, and any whose size cannot be read; width × height / 750 by Anthropic's vision guide,
765 to 1,105 at OpenAI's high detail for 1,024 × 1,024, 258 a tile at Google's (as of November 2026)."""
_PIXELS_A_TOKEN, _LONGEST_EDGE = 750, 1568
"""Larger pictures are scaled down to that edge before they are read (Anthropic's vision guide, November 2026)."""
_LEAST_IMAGE = 258
"""What Google counts for the smallest (Gemini API, token counting, November 2026); OpenAI counts 255."""
MESSAGE_TOKENS = 4
"""Role and separators around each message."""

_Counts = tuple[float, float, float, float]
"""As `features.script_tokens` has them."""


def input_size(request: Request) -> tuple[int, Mix]:
    """The whole conversation, system text and images included. Of more than 200 messages every nth is measured and the
    sum scaled by their lengths."""
    messages = request.messages
    images = sum(image_tokens(image) for message in messages for image in message.images)
    counts: list[_Counts] = [(len(messages) * MESSAGE_TOKENS, 0.0, 0.0, 0.0)]
    if request.system:
        counts.append(script_tokens(request.system))
    if request.tools:
        counts.append(script_tokens(definitions(request.tools)))
    if request.shape is not None and request.shape.schema is not None:
        counts.append(script_tokens(json.dumps(request.shape.schema, ensure_ascii=False)))
    if len(messages) <= 200:
        counts += [script_tokens(_said(message)) for message in messages]
    else:
        counts += [_sampled(messages[:-1]), script_tokens(_said(messages[-1]))]
    letters, signs, cjk, other = _total(counts)
    whole = images + letters + signs + cjk + other
    return round(whole), Mix(signs / whole, cjk / whole, other / whole, images / whole) if whole else Mix()


def _said(message: Message) -> str:
    if not message.calls:
        return message.text
    return "\n".join([message.text, *(f"{call.name} {call.arguments}" for call in message.calls)])


def _sampled(older: Sequence[Message]) -> _Counts:
    sample = older[:: len(older) // 100]
    letters, signs, cjk, other = _total([script_tokens(_said(message)) for message in sample])
    scale = sum(len(_said(message)) for message in older) / max(1, sum(len(_said(message)) for message in sample))
    return letters * scale, signs * scale, cjk * scale, other * scale


def _total(counts: Sequence[_Counts]) -> _Counts:
    letters, signs, cjk, other = zip(*counts, strict=True)
    return sum(letters), sum(signs), sum(cjk), sum(other)


def image_tokens(image: Image) -> int:
    size = pixels(image.data)
    if size is None:
        return IMAGE_TOKENS
    scale = min(1.0, _LONGEST_EDGE / max(size))
    return max(_LEAST_IMAGE, round(size[0] * size[1] * scale * scale / _PIXELS_A_TOKEN))


def pixels(data: bytes) -> tuple[int, int] | None:
    """Width and height, from the head of a PNG, GIF, WebP or JPEG; None where it says nothing that makes sense."""
    size = (0, 0)
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        size = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    elif data[:6] in (b"GIF87a", b"GIF89a") and len(data) >= 10:
        size = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) >= 30:
        size = _webp(data)
    elif data[:2] == b"\xff\xd8":
        size = _jpeg(data)
    return size if min(size) > 0 and max(size) <= 100_000 else None


def _webp(data: bytes) -> tuple[int, int]:
    match data[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
    return 0, 0


def _jpeg(data: bytes) -> tuple[int, int]:
    """From the first frame header; the segments before it are passed over by their lengths."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4])) if marker != 0xFF else 1
    return 0, 0
