"""How much of an answer is read: the SDKs read lines, events and error pages of any size into memory."""

from __future__ import annotations

import codecs
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx2

# Bytes, uncompressed. Chosen, not measured: an event carries a few words and some figures, an error page a sentence,
# and 64 MiB of events are more than 200,000 tokens of one event each.
EVENT_BYTES = 1 << 20
ERROR_BYTES = 1 << 18
ANSWER_BYTES = 1 << 26

_BLANK_LINES = (b"\n\n", b"\r\n\r\n", b"\r\r")
_LONGEST = max(map(len, _BLANK_LINES))
_MARK = codecs.BOM_UTF8


class TooMuch(Exception):
    """The server sent more than is read. `str` is a sentence without the server's name."""


def bound(response: httpx2.Response) -> list[AsyncGenerator[bytes, None]]:
    """From now on reading its body, a stream of events or an error page, raises TooMuch beyond the bounds. The list
    holds every reading begun: an SDK that breaks off leaves them open, and whoever ends the exchange closes them."""
    read = response.aiter_bytes
    whole = ERROR_BYTES if response.status_code >= 300 else ANSWER_BYTES
    begun: list[AsyncGenerator[bytes, None]] = []

    def aiter_bytes(chunk_size: int | None = None) -> AsyncGenerator[bytes, None]:
        begun.append(_bounded(read(chunk_size), EVENT_BYTES, whole))
        return begun[-1]

    response.aiter_bytes = aiter_bytes  # type: ignore[method-assign]  # `aread`, too, reads by it
    return begun


async def _bounded(chunks: AsyncGenerator[bytes, Any], event: int, whole: int) -> AsyncGenerator[bytes, None]:
    total = since_blank_line = 0
    tail = b""
    start: bytes | None = b""
    async with aclosing(chunks):
        async for chunk in chunks:
            total += len(chunk)
            if start is not None:
                # Some servers begin with a byte-order mark, in which the SDKs would see a part of the first line.
                start += chunk
                if start != _MARK and _MARK.startswith(start):
                    continue
                chunk, start = start.removeprefix(_MARK), None
            seen = tail + chunk
            ended = max(seen.rfind(blank) + len(blank) if blank in seen else 0 for blank in _BLANK_LINES)
            since_blank_line = len(seen) - ended if ended else since_blank_line + len(chunk)
            tail = seen[1 - _LONGEST :]
            if since_blank_line > event:
                raise TooMuch(f"sent an event of more than {_size(event)}")
            if total > whole:
                raise TooMuch(f"sent more than {_size(whole)}")
            yield chunk


def _size(count: int) -> str:
    return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count >> 10} KiB"
