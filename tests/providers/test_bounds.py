"""What of an answer is passed on to an SDK, and how much of it is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest

from tui_orchestrator.providers import bounds
from tui_orchestrator.providers.bounds import ERROR_BYTES, EVENT_BYTES, EVENT_LINES, MARKS, Form, TooMuch, bound


@dataclass
class Chunks(httpx2.AsyncByteStream):
    chunks: tuple[bytes, ...]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk


UNNAMED = Form(named=False)


async def passed(*chunks: bytes, status: int = 200, form: Form | None = None, **headers: str) -> list[bytes]:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    response = httpx2.Response(status, headers=told, stream=Chunks(chunks))
    begun = bound(response, form or Form())
    read = [part async for part in response.aiter_bytes()]
    assert len(begun) == 1
    return read


@pytest.mark.parametrize(
    ("came", "read"),
    [
        (b"data: {}\n\n", b"data: {}\n\n"),
        (b"data:{}\r\n\r\n", b"data: {}\n\n"),
        (b"data: {}\r\r", b"data: {}\n\n"),
        (b"\n\n\ndata: {}\n\n\n", b"data: {}\n\n"),
        (b'data: {"a":\ndata: 1}\n\n', b'data: {"a":\ndata: 1}\n\n'),
        (b"event: ping\ndata: {}\n\n", b"event: ping\ndata: {}\n\n"),
        (b"data: {}\nevent: ping\n\n", b"event: ping\ndata: {}\n\n"),
        (b"event: a\nevent: b\ndata: {}\n\n", b"event: b\ndata: {}\n\n"),
        (b"id: 7\nretry: 9\n: comment\nid\ndata: {}\n\n", b"data: {}\n\n"),
        (b"event: ping\n\n", b""),
        (b"data:\n\n", b""),
        (b"data\n\n", b""),
        (b"data: [DONE]\n\n", b"data: [DONE]\n\n"),
        (b"\xef\xbb\xbfdata: {}\n\n", b"data: {}\n\n"),
        (b"\xef\xbbdata: {}\n\n", None),
        (b"data: 7\n\n", b"data: 7\n\n"),
        (b"<html>\n<body>\n\n", b"<html>\n<body>\n\n"),
        # Of the last one, behind which no blank line came, it is told whether it was cut off.
        (b"data: {}", b"data: {}\n\n"),
        (b"data: {}\n", b"data: {}\n\n"),
        (b"data: [DONE]", b"data: [DONE]\n\n"),
        (b'data: {"a": 1', b'data: {"a": 1'),
        (b"event: ping\ndata: {}", b"event: ping\ndata: {}\n\n"),
        (b"event: ping", b""),
        (b"data: \xff\n\n", None),
        # An error as bare JSON becomes an event.
        (b'{"error": 1}\n\n', b'event: error\ndata: {"error": 1}\n\n'),
        (b'{"error":\n1}\n\n', b'event: error\ndata: {"error":\ndata: 1}\n\n'),
        (b'{"object": "error"}\n\n', b'event: error\ndata: {"object": "error"}\n\n'),
        (b'{"type": "error"}\n\n', b'event: error\ndata: {"type": "error"}\n\n'),
        (b'{"error": null}\n\n', b'{"error": null}\n\n'),
        (b'{"note": "error"}\n\n', b'{"note": "error"}\n\n'),
        (b'["error"]\n\n', b'["error"]\n\n'),
        (b'{"error": 1\n\n', b'{"error": 1\n\n'),
        (b'error: {"error": 1}\n\n', b'error: {"error": 1}\n\n'),
    ],
)
async def test_events_are_passed_on_in_one_form(came: bytes, read: bytes | None) -> None:
    for size in (1, 2, 3, len(came)):
        chunks = [came[start : start + size] for start in range(0, len(came), size)]
        if read is None:
            with pytest.raises(UnicodeDecodeError):
                await passed(*chunks)
        else:
            assert b"".join(await passed(*chunks)) == read


async def test_where_events_have_no_names_none_is_passed_on() -> None:
    read = await passed(b'event: ping\ndata: {}\n\n{"error": 1}\n\n', form=UNNAMED)
    assert b"".join(read) == b'data: {}\n\ndata: {"error": 1}\n\n'


async def test_data_are_made_readable_line_by_line() -> None:
    form = Form(readable=lambda data: b"" if data == b"{}" else data.replace(b" ", b"\n"))
    read = await passed(b'data: {}\n\ndata: {"a": 1}\n\n{"error": 1}\n\n', form=form)
    assert b"".join(read) == b'data: {"a":\ndata: 1}\n\nevent: error\ndata: {"error":\ndata: 1}\n\n'


@pytest.mark.parametrize(
    "odd", [b"data: 7", b"data: \xff", b"data: garbage}", b"data: [garbage", b"data: {garbage", b"<p>"]
)
async def test_what_may_be_spared_is_asked_of_what_is_no_object(odd: bytes) -> None:
    asked: list[bytes] = []

    def spared(raw: bytes) -> bool:
        asked.append(raw)
        return True

    form = Form(spared=spared)
    read = await passed(b"data: {}\n\n" + odd + b"\n\ndata: {}\n\n" + odd, form=form)
    assert (read, asked) == ([b"data: {}\n\n", b"data: {}\n\n"], [odd, odd])


def lines(count: int) -> bytes:
    return b"data: {\n" + b"data: \n" * (count - 2) + b"data: }\n\n"


@pytest.mark.parametrize(
    ("most", "more", "said"),
    [
        (lines(EVENT_LINES), lines(EVENT_LINES + 1), "an event of more than 256 lines"),
        (
            b'data: {"' + b"x" * (EVENT_BYTES - 12) + b'":0}\n\n',
            b'data: {"' + b"x" * (EVENT_BYTES - 11) + b'":0}\n\n',
            "an event of more than 1 MiB",
        ),
        (
            b"data: [" + b"0," * (MARKS - 1) + b"0]\n\n",
            b"data: [" + b"0," * MARKS + b"0]\n\n",
            "an event of more than 20,000 parts",
        ),
    ],
    ids=["lines", "bytes", "parts"],
)
async def test_an_event_is_read_up_to_a_bound(most: bytes, more: bytes, said: str) -> None:
    assert b"".join(await passed(most)) == most
    for behind in (more, more.rstrip()):
        with pytest.raises(TooMuch, match=said):
            await passed(behind)


@pytest.mark.parametrize(
    ("event", "too_many"),
    [
        (b'[1,2,"a,b",{}]', True),
        (b'[1,2,"a,b"]', False),
        (b'["\\",",2,"{[,"]', False),
        (b'["\\\\",2,3,4]', True),
        (b'["a","b","c","d"]', True),
        (b'["a,,,,"' + b'""' * 7 + b"]", False),
        (b'["a,,,,"' + b'""' * 8 + b"]", True),
    ],
)
async def test_what_stands_in_strings_is_no_part(event: bytes, too_many: bool) -> None:
    whole = b"data: " + event + b"\n\n"
    if too_many:
        with pytest.raises(TooMuch, match="of more than 3 parts"):
            await passed(whole, form=Form(marks=3))
    else:
        assert b"".join(await passed(whole, form=Form(marks=3))) == whole


@pytest.mark.parametrize("status", [300, 500])
async def test_an_error_page_is_passed_on_as_it_is_up_to_a_bound(status: int) -> None:
    page = b"<p>" + b"x" * (ERROR_BYTES - 3)
    assert await passed(page[:5], page[5:], status=status) == [page[:5], page[5:]]
    with pytest.raises(TooMuch, match="sent more than 256 KiB"):
        await passed(page, b"x", status=status)
    with pytest.raises(TooMuch, match="sent an error of more than 20,000 parts"):
        await passed(b"," * MARKS, b"{", status=status)
    assert await passed(b"," * MARKS, status=status) == [b"," * MARKS]
    assert await passed(b"\xef\xbb", b"\xbfx", b"\xef\xbb\xbf", status=status) == [b"x", b"\xef\xbb\xbf"]


async def test_an_answer_is_read_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "ANSWER_BYTES", 2048)
    event = b"data: {}\n\n"
    whole = event * 2 + b": " + b"c" * (2048 - 24) + b"\n\n"
    assert b"".join(await passed(whole)) == event * 2
    with pytest.raises(TooMuch, match="sent more than 2 KiB"):
        await passed(whole, b"\n")
    with pytest.raises(TooMuch, match="sent more than 2 KiB"):
        await passed(whole, b"\n", status=299)


@pytest.mark.parametrize(
    ("packed", "refused"),
    [("gzip, gzip", True), ("gzip, br, identity", True), ("identity, identity", False), ("identity", False)],
)
async def test_what_is_packed_more_than_once_is_refused_before_it_is_unpacked(packed: str, refused: bool) -> None:
    if refused:
        with pytest.raises(TooMuch, match="packed more than once"):
            await passed(b"data: {}\n\n", content_encoding=packed)
    else:
        assert await passed(b"data: {}\n\n", content_encoding=packed) == [b"data: {}\n\n"]


@pytest.mark.parametrize(
    ("charset", "read_as"),
    [
        ("ISO-8859-1", "iso-8859-1"),
        ("utf-8", "utf-8"),
        ("windows-1252", "windows-1252"),
        ("utf-7", "utf-8"),
        ("", "utf-8"),
    ],
)
async def test_a_page_is_read_in_the_charsets_of_the_web_alone(charset: str, read_as: str) -> None:
    told = {"content-type": f"text/plain; charset={charset}" if charset else "text/plain"}
    response = httpx2.Response(500, headers=told, stream=Chunks((b"No.",)))
    bound(response, Form())
    await response.aread()
    assert (response.encoding, response.text) == (read_as, "No.")


async def test_the_loop_has_a_turn_behind_every_slice() -> None:
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    read = await passed(b": c\n\n".ljust(bounds.SLICE_BYTES, b"\n") * 50)
    counting.cancel()
    assert (read, turns) == ([], 49)


async def test_what_came_in_one_slice_is_passed_on_together() -> None:
    event = b'data: {"a": 1}\n\n'
    together = await passed(event * 100)
    assert together == [event * 100]
    in_parts = await passed(event * 10, form=Form(marks=4))
    assert in_parts == [event * 4, event * 4, event * 2]
