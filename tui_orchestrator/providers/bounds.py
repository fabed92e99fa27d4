"""What of an answer is read, and how: the SDKs read lines, events and error pages of any size into memory, each knows
another part of the format, and none of them lets anything else run before all of what came at once is read."""

from __future__ import annotations

import asyncio
import codecs
import json
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import httpx2

# Bytes, uncompressed. Chosen, not measured: an event carries a few words and some figures, an error page a sentence,
# and 64 MiB of events are more than 200,000 tokens of one event each.
EVENT_BYTES = 1 << 20
ERROR_BYTES = 1 << 18
ANSWER_BYTES = 1 << 26
EVENT_LINES = 256
"""Real servers take two or three; the SDKs take longer for each line the more came before it."""
SLICE_BYTES = 1 << 12
"""So much is passed on before the event loop has a turn: some milliseconds of whatever is made of it."""

MARKS = 20_000
"""What JSON is made of: brackets that open and commas, outside of strings. To read it takes up to 1.5 µs for each; an
SDK that makes objects of it takes longer."""

CHARSETS = frozenset({"utf-8", "us-ascii", "iso-8859-1", "windows-1252"})
"""Of pages, as servers name them. Python knows others under such names, of which some take quadratic time."""

_BLANK_LINES = re.compile(rb"(?>\r\n|\r|\n){2,}")
_OVERLAP = len(b"\r\n\r")
_FIELD = re.compile(rb"(data|event|id|retry)?(?::\x20?|\Z)")
_BOM = codecs.BOM_UTF8
_OBJECT = re.compile(rb"(?:event:[^\n]*\n)?data: \s*(?:\{|\[DONE\]\Z)")


class TooMuch(Exception):
    """The server sent more than is read. `str` is a sentence without the server's name."""


class _NoEvent(json.JSONDecodeError):
    """A line of which no SDK reads anything, and that may have held a part of the answer."""


class Form(NamedTuple):
    """What an SDK reads of events."""

    named: bool = True
    """Their names. Where it reads none, it reads JSON without a field's name too."""
    readable: Callable[[bytes], bytes] = bytes
    """Their data, made from those that came."""
    marks: int = MARKS
    """So many in one event are read in 50 ms."""
    spared: Callable[[bytes], bool] = lambda raw: False
    """Of what came in the place of an event: the answer can do without it. Asked when all before it has been read."""


def bound(response: httpx2.Response, form: Form) -> list[AsyncGenerator[bytes, None]]:
    """From now on reading its body, a stream of events or an error page, raises TooMuch beyond the bounds. The list
    holds every reading begun: an SDK that breaks off leaves them open, and whoever ends the exchange closes them."""
    if (response.charset_encoding or "").lower() not in CHARSETS:
        response.encoding = "utf-8"
    read = response.aiter_bytes
    failed = response.status_code >= 300
    begun: list[AsyncGenerator[bytes, None]] = []
    packed = [each for each in response.headers.get("content-encoding", "").split(",") if each.strip() != "identity"]

    def aiter_bytes(chunk_size: int | None = None) -> AsyncGenerator[bytes, None]:
        if len(packed) > 1:
            # Of what is packed twice any amount may be unpacked before the first byte comes out.
            raise TooMuch("sent an answer that is packed more than once")
        reading = _bounded(read(chunk_size), ERROR_BYTES if failed else ANSWER_BYTES)
        begun.append(_page(reading) if failed else _events(reading, EVENT_BYTES, form))
        return begun[-1]

    response.aiter_bytes = aiter_bytes  # type: ignore[method-assign]  # `aread`, too, reads by it
    return begun


async def _bounded(chunks: AsyncGenerator[bytes, Any], whole: int) -> AsyncGenerator[bytes, None]:
    total = 0
    start: bytes | None = b""
    async with aclosing(chunks):
        async for chunk in chunks:
            total += len(chunk)
            if start is not None:
                # Some servers begin with a byte-order mark, in which the SDKs would see a part of the first line.
                start += chunk
                if start != _BOM and _BOM.startswith(start):
                    continue
                chunk, start = start.removeprefix(_BOM), None
            if total > whole:
                raise TooMuch(f"sent more than {_size(whole)}")
            yield chunk


async def _page(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    marks = 0
    async with aclosing(chunks):
        async for chunk in chunks:
            marks += _count(chunk)
            if marks > MARKS:
                raise TooMuch(f"sent an error of more than {MARKS:,} parts")
            yield chunk


async def _events(chunks: AsyncGenerator[bytes, None], longest: int, form: Form) -> AsyncGenerator[bytes, None]:
    """Event by event in the one form that every SDK reads, without what says nothing. Raises UnicodeDecodeError for
    what is no text: one of the SDKs would put other characters in its place."""
    pending = bytearray()
    looked = passed = marks = 0
    amid, ahead = False, None
    async with aclosing(chunks):
        async for chunk in chunks:
            for start in range(0, len(chunk), SLICE_BYTES):
                if passed >= SLICE_BYTES:
                    # What was unpacked, or lies ready in the connection, comes without waiting for anything.
                    passed = marks = 0
                    await asyncio.sleep(0)
                part = chunk[start : start + SLICE_BYTES]
                passed += len(part)
                pending += part
                # Together between two turns of the loop, all that is made of each.
                together = bytearray()
                out: list[bytearray | _Odd] = [together]
                begun = 0
                for blank in _BLANK_LINES.finditer(pending, looked):
                    read = _read(pending[begun : blank.start()], longest, form)
                    begun = blank.end()
                    if isinstance(read, _Odd):
                        out += [read, together := bytearray()]
                        marks = 0
                    elif read:
                        marks += _count(read)
                        if marks > form.marks:
                            out.append(together := bytearray())
                            marks = _count(read)
                        together += read + b"\n\n"
                for place, one in enumerate(out):
                    if place:
                        await asyncio.sleep(0)
                    if isinstance(one, bytearray):
                        if one and ahead is not None:
                            raise ahead
                        if one:
                            amid = True
                            yield bytes(one)
                        continue
                    if left := one.left(form, amid):
                        yield left + b"\n\n"
                    if isinstance(one.read, _NoEvent):
                        ahead = ahead or one.read
                if len(pending) - begun > longest:
                    raise _too_long(longest)
                del pending[:begun]
                looked = max(0, len(pending) - _OVERLAP)
    last = _read(pending, longest, form)
    rest = last.left(form, amid) if isinstance(last, _Odd) else last
    if rest:
        yield rest + b"\n\n" if _is_whole(rest) else rest


class _Odd(NamedTuple):
    """What came in the place of an event: no object, or nothing that can be read."""

    raw: bytes
    read: bytes | Exception

    def left(self, form: Form, amid: bool) -> bytes:
        """What the SDK is given of it. `amid`: it stands among events, and not in a page in their place."""
        if form.spared(self.raw):
            return b""
        if isinstance(self.read, _NoEvent) and not amid:
            return self.raw
        if isinstance(self.read, Exception):
            raise self.read
        return self.read


def _read(raw: bytearray, longest: int, form: Form) -> bytes | _Odd:
    try:
        event = _event(raw, longest, form)
    except (TooMuch, UnicodeDecodeError, _NoEvent) as error:
        return _Odd(bytes(raw), error)
    if not event or (event.endswith((b"}", b"]")) and _OBJECT.match(event)):
        return event
    return _Odd(bytes(raw), event)


def _is_whole(event: bytes) -> bool:
    """Of the last one, behind which no blank line came: it was not cut off."""
    data = b"\n".join(line[6:] for line in event.split(b"\n") if line.startswith(b"data: "))
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return data == b"[DONE]"
    return True


def _event(raw: bytearray, longest: int, form: Form) -> bytes:
    """Nothing, of one without data. What is no event is left as it is, but for an error."""
    if len(raw) > longest:
        raise _too_long(longest)
    lines = bytes(raw).splitlines()
    if len(lines) > EVENT_LINES:
        raise TooMuch(f"sent an event of more than {EVENT_LINES} lines")
    if _has_more(raw, form.marks):
        raise TooMuch(f"sent an event of more than {form.marks:,} parts")
    raw.decode()
    name, data = b"", []
    for line in filter(None, lines):
        field = _FIELD.match(line)
        if field is None:
            return _error(b"\n".join(lines), line, form)
        if field[1] == b"data":
            data.append(line[field.end() :])
        elif field[1] == b"event" and form.named:
            name = line + b"\n"
    if not data:
        return b""
    whole = form.readable(b"\n".join(data))
    return name + b"data: " + whole.replace(b"\n", b"\ndata: ") if whole.strip(b"\n") else b""


def _error(text: bytes, odd: bytes, form: Form) -> bytes:
    """Some servers send an error as bare JSON. What reads names of events passes that over, and is told by one. `odd`:
    the line that has no field's name. Raises _NoEvent."""
    if text.lstrip().startswith(b"{") and b'"error"' in text:
        with suppress(ValueError, RecursionError):
            said = json.loads(text)
            if said.get("error") or "error" in (said.get("object"), said.get("type")):
                name = b"event: error\n" if form.named else b""
                return name + b"data: " + form.readable(text).replace(b"\n", b"\ndata: ")
    if form.named and b"{" in odd:
        raise _NoEvent("no event", odd.decode(), 0)
    return text


def _has_more(data: bytearray, marks: int) -> bool:
    if len(data) <= marks or _count(data) <= marks:
        return False
    plain = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Behind each there are two strings at most, a name and its value; to take out more would take too long.
    return plain.count(b'"') > 4 * (marks + 1) or _count(b"".join(plain.split(b'"')[::2])) > marks


def _count(data: bytes | bytearray) -> int:
    return data.count(b"{") + data.count(b"[") + data.count(b",")


def _too_long(longest: int) -> TooMuch:
    return TooMuch(f"sent an event of more than {_size(longest)}")


def _size(count: int) -> str:
    return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count >> 10} KiB"
