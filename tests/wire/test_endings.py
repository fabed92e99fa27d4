"""How a stream ends: well, early, broken, silent, or because nobody wants it any more."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import gzip
import json
from collections.abc import AsyncIterator, Callable
from types import AsyncGeneratorType
from typing import Any

import pytest

from tui_orchestrator.providers import bounds, exchange
from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.providers.openai import OpenAIProvider
from tui_orchestrator.routing.errors import Connection, NotFound, Overloaded, Server, StreamBroken, TurnError
from tui_orchestrator.routing.events import FinishReason
from tui_orchestrator.routing.money import Usage
from tui_orchestrator.routing.ports import Done, Piece, Provider, TextPiece, UsageSoFar

from .dialects import (
    ANTHROPIC,
    BLOCK_START,
    BLOCK_STOP,
    DONE,
    GEMINI,
    MESSAGE_STOP,
    OPENAI,
    Read,
    Wire,
    a_call,
    data,
    delta,
    events,
    generated,
    message_delta,
    message_start,
    openai_at,
    text_delta,
    usage_chunk,
)
from .faults import SPOKEN, another
from .server import LAST_CHUNK, Act, Drip, Pause, WireServer, answer, chunk, chunked_head, head


async def failure(provider: Provider) -> tuple[str, TurnError]:
    """The text that came, and the error after it."""
    text = ""
    async with asyncio.timeout(20):
        try:
            async for piece in provider.stream(a_call()):
                if isinstance(piece, TextPiece):
                    text += piece.text
        except TurnError as error:
            return text, error
    pytest.fail("no error")


async def test_a_whole_answer_ends_with_one_done(wire: Wire, clients: HttpClients) -> None:
    async with WireServer(chunked_head(), chunk(wire.whole), LAST_CHUNK) as server:
        read = await Read.of(wire.make(server.url, clients))
    assert read.text == "Hello"
    assert read.done.finish_reason is FinishReason.STOP
    assert read.done.usage == Usage(12, 5)
    assert read.done.served_by is not None
    assert read.done.served_by.endswith(("-20261101", "-2026-11-01", "-001"))


async def test_a_clean_end_without_the_closing_marker_is_a_broken_stream(wire: Wire, clients: HttpClients) -> None:
    async with WireServer(chunked_head(), chunk(wire.opening), LAST_CHUNK) as server:
        text, error = await failure(wire.make(server.url, clients))
    assert text == "Hel"
    assert type(error) is StreamBroken


@pytest.mark.parametrize("act", [Act.RESET, Act.CLOSE], ids=["RST", "FIN"])
async def test_a_connection_that_breaks_in_mid_body_is_a_broken_stream(
    wire: Wire, clients: HttpClients, act: Act
) -> None:
    async with WireServer(chunked_head(), chunk(wire.opening), act) as server:
        _, error = await failure(wire.make(server.url, clients))
    assert type(error) is StreamBroken
    assert error.__cause__ is not None
    assert len(server.requests) == 1


async def test_an_event_cut_inside_its_line_is_a_broken_stream(wire: Wire, clients: HttpClients) -> None:
    async with WireServer(chunked_head(), chunk(wire.opening), chunk(wire.closing[:40]), LAST_CHUNK) as server:
        text, error = await failure(wire.make(server.url, clients))
    assert text == "Hel"
    assert type(error) is StreamBroken


async def test_the_last_event_needs_no_blank_line_behind_it(wire: Wire, clients: HttpClients) -> None:
    whole = wire.whole.removesuffix(b"data: [DONE]\n\n").rstrip(b"\n")
    async with WireServer(chunked_head(), chunk(whole), LAST_CHUNK) as server:
        read = await Read.of(wire.make(server.url, clients))
    assert (read.text, read.done.usage) == ("Hello", Usage(12, 5))


async def test_the_closing_event_needs_no_blank_line_behind_it(clients: HttpClients) -> None:
    body = data(delta("stop", content="one "), delta("stop", content="two")) + DONE.rstrip(b"\n")
    async with WireServer(chunked_head(), chunk(body), LAST_CHUNK) as server:
        assert (await Read.of(OPENAI.make(server.url, clients))).text == "one two"


@pytest.mark.parametrize("wire", [OPENAI, ANTHROPIC], ids=["openai", "anthropic"])
async def test_what_is_cut_off_behind_a_whole_answer_does_not_spoil_it(wire: Wire, clients: HttpClients) -> None:
    whole = wire.whole.rstrip(b"\n")[:-4]
    async with WireServer(chunked_head(), chunk(whole), LAST_CHUNK) as server:
        assert (await Read.of(wire.make(server.url, clients))).text == "Hello"


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b'{"id": "x", "choices": []}', "application/json"),
        (b"<html><title>Sign in</title></html>", "text/html"),
        (b"", "text/plain"),
        (b"", "text/event-stream"),
    ],
    ids=["JSON", "HTML", "nothing", "an empty stream"],
)
async def test_a_200_that_is_no_stream_of_events_is_a_broken_stream(
    wire: Wire, clients: HttpClients, body: bytes, media_type: str
) -> None:
    async with WireServer(*answer(200, body, media_type)) as server:
        text, error = await failure(wire.make(server.url, clients))
    assert text == ""
    assert type(error) is StreamBroken


async def test_the_error_says_what_came_instead_of_a_stream(clients: HttpClients) -> None:
    async with WireServer(*answer(200, b"<html>", "text/html")) as server:
        _, error = await failure(OPENAI.make(server.url, clients))
    assert "text/html instead of a stream" in str(error)


@pytest.mark.parametrize(
    "garbage",
    [
        b'event: content_block_delta\ndata: {"broken\n\n',
        b'event: content_block_delta\ndata: {"type": "content_block_delta", "delta": {"text": "\xff\xfe"}}\n\n',
        b'event: content_block_delta\ndata: {"type": "content_block_delta", "delta": 7, "candidates": 7, '
        b'"choices": 7}\n\n',
        b'event: content_block_delta\ndata: {"type": "content_block_delta", "choices": [{"delta": {"content": 7}}], '
        b'"candidates": [7]}\n\n',
        b"event: content_block_delta\ndata: " + b"[" * 50_000 + b"\n\n",
    ],
    ids=["JSON", "UTF-8", "shape", "type", "depth"],
)
async def test_garbage_inside_the_stream_breaks_it(wire: Wire, clients: HttpClients, garbage: bytes) -> None:
    async with WireServer(chunked_head(), chunk(wire.opening), chunk(garbage), LAST_CHUNK) as server:
        _, error = await failure(wire.make(server.url, clients))
    assert type(error) is StreamBroken


async def test_no_reading_is_left_to_the_garbage_collector(wire: Wire, clients: HttpClients) -> None:
    """It runs in any thread, while the event loop may be closing the same reading."""
    garbage = wire.opening + b'event: content_block_delta\ndata: {"broken\n\n' + wire.closing
    gc.disable()
    try:
        async with WireServer(chunked_head(), chunk(garbage), LAST_CHUNK) as server:
            await failure(wire.make(server.url, clients))
        readings = [each for each in gc.get_objects() if isinstance(each, AsyncGeneratorType)]
        open_still = [each.__qualname__ for each in readings if each.ag_frame is not None and _reads(each)]
    finally:
        gc.enable()
    assert open_still == []


def _reads(generator: AsyncGeneratorType[object, None]) -> bool:
    return generator.ag_code.co_filename == bounds.__file__ or generator.__qualname__.startswith("Response.aiter_")


async def test_an_error_inside_the_stream_is_told_by_its_own_kind(wire: Wire, clients: HttpClients) -> None:
    async with WireServer(chunked_head(), chunk(wire.opening), chunk(wire.in_stream_error), LAST_CHUNK) as server:
        text, error = await failure(wire.make(server.url, clients))
    assert text == "Hel"
    assert type(error) is Overloaded
    assert "Overloaded" in error.message


@pytest.mark.parametrize(
    "script", [(Act.CLOSE,), (Act.RESET,), (b"HTTP/1.1 200 OK\r\nContent-Ty", Act.CLOSE), (b"\x00\x01garbage\r\n\r\n",)]
)
async def test_a_server_that_never_answers_in_full_was_not_reached(
    wire: Wire, clients: HttpClients, script: tuple[bytes | Act, ...]
) -> None:
    async with WireServer(*script) as server:
        _, error = await failure(wire.make(server.url, clients))
    assert type(error) is Connection
    assert server.connections == 1, "a hidden retry"


async def test_nobody_listening_is_a_connection_error(wire: Wire, clients: HttpClients) -> None:
    async with WireServer() as server:
        pass
    _, error = await failure(wire.make(server.url, clients))
    assert type(error) is Connection
    assert error.retryable


async def test_an_address_that_is_none_is_not_tried_again(wire: Wire, clients: HttpClients) -> None:
    _, error = await failure(wire.make("ftp://example.invalid", clients))
    assert type(error) is NotFound


async def test_a_server_that_never_hangs_up_does_not_spoil_a_whole_answer(
    wire: Wire, clients: HttpClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "AFTERWORD_S", 0.05)
    async with WireServer(chunked_head(), chunk(wire.whole.removesuffix(b"data: [DONE]\n\n")), Act.STALL) as server:
        read = await Read.of(wire.make(server.url, clients))
        assert read.text == "Hello"
        assert read.done.usage == Usage(12, 5)
        async with asyncio.timeout(20):
            await server.gone.wait()


async def test_a_server_that_goes_on_saying_nothing_does_not_spoil_a_whole_answer(
    clients: HttpClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "AFTERWORD_S", 0.05)
    nothing = Drip(chunk(b'data: {"choices": []}\n\n'))
    whole = OPENAI.whole.removesuffix(b"data: [DONE]\n\n")
    async with WireServer(chunked_head(), chunk(whole), nothing) as server, asyncio.timeout(20):
        read = await Read.of(OPENAI.make(server.url, clients))
    assert read.text == "Hello"


async def test_what_comes_after_a_whole_answer_is_awaited_for_less_than_a_reader_waits(
    clients: HttpClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "AFTERWORD_S", 60.0)
    whole = OPENAI.whole.removesuffix(b"data: [DONE]\n\n")
    async with WireServer(chunked_head(), chunk(whole), Act.STALL) as server:
        impatient = OpenAIProvider("openai", "key", f"{server.url}/v1", lambda: clients.local, 5.0, silence_s=0.2)
        pieces = aiter(impatient.stream(a_call()))
        with contextlib.suppress(StopAsyncIteration):
            while piece := await asyncio.wait_for(anext(pieces), 20):
                last = piece
    assert isinstance(last, Done)


async def test_a_connection_that_breaks_after_the_closing_marker_does_not_spoil_the_answer(
    wire: Wire, clients: HttpClients
) -> None:
    whole = wire.whole.removesuffix(b"data: [DONE]\n\n")
    async with WireServer(chunked_head(), chunk(whole), Act.CLOSE) as server:
        read = await Read.of(wire.make(server.url, clients))
    assert read.text == "Hello"
    assert read.done.finish_reason is FinishReason.STOP


async def test_an_error_after_the_closing_marker_is_not_swallowed(wire: Wire, clients: HttpClients) -> None:
    body = wire.whole.removesuffix(b"data: [DONE]\n\n") + wire.in_stream_error
    async with WireServer(chunked_head(), chunk(body), LAST_CHUNK) as server:
        _, error = await failure(wire.make(server.url, clients))
    assert type(error) is Overloaded


async def test_the_done_marker_of_openai_is_not_needed(clients: HttpClients) -> None:
    async with WireServer(head(), data(delta(content="Hi"), delta("stop"))) as server:
        read = await Read.of(OPENAI.make(server.url, clients))
    assert read.text == "Hi"
    assert read.done.usage is None


async def test_comments_between_events_are_no_events(clients: HttpClients) -> None:
    body = b": OPENROUTER PROCESSING\n\n: keepalive\n\n" + OPENAI.opening + b": keepalive\n\n" + OPENAI.closing
    async with WireServer(chunked_head(), chunk(body), LAST_CHUNK) as server:
        assert (await Read.of(OPENAI.make(server.url, clients))).text == "Hello"


@pytest.mark.parametrize("phase", ["before the headers", "before the text", "in the text"])
async def test_cancelling_the_reader_closes_the_connection(wire: Wire, clients: HttpClients, phase: str) -> None:
    sent = {
        "before the headers": (),
        "before the text": (chunked_head(),),
        "in the text": (chunked_head(), chunk(wire.opening)),
    }[phase]
    async with WireServer(*sent, Act.STALL) as server:
        provider = wire.make(server.url, clients)
        task = asyncio.create_task(Read.of(provider))
        async with asyncio.timeout(20):
            await server.sent.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await server.gone.wait()


async def test_leaving_the_stream_early_closes_the_connection(wire: Wire, clients: HttpClients) -> None:
    async with WireServer(chunked_head(), chunk(wire.opening), Act.STALL) as server:
        pieces = wire.make(server.url, clients).stream(a_call())
        async with asyncio.timeout(20):
            async with contextlib.aclosing(pieces) as reading:  # type: ignore[type-var]
                async for piece in reading:
                    if isinstance(piece, TextPiece):
                        break
            await server.gone.wait()


async def test_an_answer_without_end_is_left_when_it_is_larger_than_any_answer(
    wire: Wire, clients: HttpClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "ANSWER_BYTES", 100_000)
    async with WireServer(chunked_head(), chunk(wire.opening), Drip(chunk(SPOKEN[wire.name].rest), 0.0)) as server:
        text, error = await failure(wire.make(server.url, clients))
        assert text.startswith("Hellolo")
        assert type(error) is StreamBroken
        assert "sent more than 97 KiB" in error.message
        async with asyncio.timeout(20):
            await server.gone.wait()


@pytest.mark.parametrize("blank", [b"\n\n", b"\r\n\r\n", b"\r\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_only_what_lies_between_blank_lines_is_one_event(
    monkeypatch: pytest.MonkeyPatch, blank: bytes, size: int
) -> None:
    body = b"".join(b"data: " + b"x" * 60 + blank for _ in range(50))

    async def chunks(data: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(data), size):
            yield data[start : start + size]

    async def read(data: bytes) -> bytes:
        parts = bounds._events(bounds._bounded(chunks(data), 10_000), 1100, bounds.Form())  # type: ignore[arg-type]
        return b"".join([part async for part in parts])

    assert await read(body) == body.replace(blank, b"\n\n")
    with pytest.raises(bounds.TooMuch, match="an event of more than 1 KiB"):
        await read(body + b"x" * 1200)
    with pytest.raises(bounds.TooMuch, match="sent more than 9 KiB"):
        await read(body * 4)


FLOOD_BYTES = 1 << 22
"""Of a quarter of it the loop has turns enough even where nothing lets it have them."""


@pytest.mark.parametrize(
    "flood",
    [b": c\n\n", b"\n", b"\r", b"event: ping\n\n", b": \n" * 200 + b"\n"],
    ids=["comments", "line feeds", "carriage returns", "pings", "long comments"],
)
async def test_everything_else_goes_on_while_much_is_read_that_came_at_once(
    wire: Wire, clients: HttpClients, flood: bytes
) -> None:
    """Measured in turns of the event loop, of which there was one for each piece that was unpacked."""
    body = gzip.compress(wire.opening + flood * (FLOOD_BYTES // len(flood)) + wire.whole.removeprefix(wire.opening))
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with WireServer(head(Content_Encoding="gzip"), body) as server:
        counting = asyncio.create_task(count_turns())
        read = await Read.of(wire.make(server.url, clients))
        counting.cancel()
    assert read.text == "Hello"
    assert turns >= FLOOD_BYTES // bounds.SLICE_BYTES


CROWDS = {
    "anthropic": b'data: {"type": "message_start", "message": {"id": "m", "model": "x", "content": [%s]}}\n\n',
    "openai": b'data: {"choices": [%s]}\n\n',
    "gemini": b'data: {"candidates": [%s]}\n\n',
}


@pytest.mark.parametrize("part", [b"{}", b"[]", b"1", b'""', b'{"a": 1}', b'{"a": "\\"", "b": []}'])
async def test_an_event_of_very_many_parts_is_not_made_objects_of(
    wire: Wire, clients: HttpClients, part: bytes
) -> None:
    crowd = CROWDS[wire.name] % b",".join([part] * (1_000_000 // (len(part) + 1)))
    async with WireServer(head(), wire.opening + crowd) as server:
        with pytest.raises(StreamBroken, match=r"sent an event of more than [\d,]+ parts"):
            await Read.of(wire.make(server.url, clients))


async def test_an_error_page_of_very_many_parts_is_not_decoded(wire: Wire, clients: HttpClients) -> None:
    page = b'{"error": {"message": "No.", "details": [' + b"{}," * 60_000 + b"{}]}}"
    async with WireServer(*answer(500, page)) as server:
        with pytest.raises(Server, match="HTTP 500"):
            await Read.of(wire.make(server.url, clients))


async def test_what_comes_at_once_is_passed_on_by_its_parts() -> None:
    """As many events between two turns of the loop as there may be parts in one of them."""
    turns: list[int] = []
    turn = 0

    async def chunks() -> AsyncIterator[bytes]:
        yield b"data: [1,1,1,1]\n\n" * 100

    async def count_turns() -> None:
        nonlocal turn
        while True:
            await asyncio.sleep(0)
            turn += 1

    counting = asyncio.create_task(count_turns())
    await asyncio.sleep(0)
    async for _ in bounds._events(chunks(), bounds.EVENT_BYTES, bounds.Form(marks=40)):  # type: ignore[arg-type]
        turns.append(turn)
    counting.cancel()
    assert len(set(turns)) == len(turns) >= 10


async def test_the_commas_of_a_long_text_are_no_parts(wire: Wire, clients: HttpClients) -> None:
    text = 'so, {[,\\"' * 20_000
    async with WireServer(head(), wire.whole.replace(b'"lo"', json.dumps(text).encode())) as server:
        assert (await Read.of(wire.make(server.url, clients))).text == "Hel" + text


async def test_what_is_weighed_of_every_token_of_an_event_is_read(clients: HttpClients) -> None:
    """OpenAI's alternatives, as many as may be asked for, for forty tokens in one event."""
    one = {"token": "lo", "logprob": -0.5, "bytes": [108, 111]}
    logprobs = {"content": [{**one, "top_logprobs": [one] * 20}] * 40, "refusal": None}
    weighed = {"id": "c", "choices": [{"index": 0, "delta": {"content": "lo"}, "logprobs": logprobs}]}
    async with WireServer(head(), OPENAI.opening + data(weighed) + data(delta("stop")) + DONE) as server:
        read = await Read.of(openai_at(server.url, clients))
    assert read.text == "Hello"
    assert read.done.mean_logprob == -0.5


def said(id_: str, text: str | None = None, finish: str | None = None, role: str | None = None) -> dict[str, Any]:
    """An event of OpenAI's, of the answer with this id (none: ''); without a text it has no content at all."""
    spoken = {"content": text} if text is not None else {}
    named = {"role": role} if role else {}
    chunk = {**delta(finish, **named, **spoken), "id": id_}
    return chunk if id_ else {name: value for name, value in chunk.items() if name != "id"}


def by_gemini(id_: str, text: str, finish: str | None = None) -> dict[str, Any]:
    return {**generated(text, finish), "responseId": id_}


CLOSED = usage_chunk(prompt_tokens=12, completion_tokens=5, total_tokens=17)
A, B = "one", "two"
ROLE = "assistant"
STOP = [said(B, finish="stop"), CLOSED]
SPLICED = {
    "the same id, its role named again": [
        *(said(A, "", role=ROLE), said(A, "Hello "), said(A, "you, ")),
        *(said(A, "", role=ROLE), said(A, "Hello "), said(A, "you."), *STOP),
    ],
    "no ids, the role named again": [
        *(said("", "", role=ROLE), said("", "Hello "), said("", "you, "), said("", "Hi ", role=ROLE), *STOP),
    ],
    "one event, then another answer": [
        *(said(A, "Hello ", role=ROLE), said(B, "Hi ", role=ROLE), said(B, "there "), said(B, "friend."), *STOP),
    ],
    "in turns": [
        *(said(A, "", role=ROLE), said(B, "", role=ROLE), said(A, "Hello "), said(B, "Hi "), said(A, "you."), *STOP),
    ],
}
WHOLE = {
    "the role with every event": [said(A, text, role=ROLE) for text in "abcd"],
    "the role with every event, none with an id": [said("", text, role=ROLE) for text in "abcd"],
    "an id for every event": [said(f"{A}{text}", text) for text in "abcd"],
    "an id and the role for every event": [said(f"{A}{text}", text, role=ROLE) for text in "abcd"],
    "an id of the first event alone": [said(B, "", role=ROLE), *(said(A, text) for text in "abcd")],
    "ids of the second in which they are sent": [
        *(said(A, "", role=ROLE), said(A, "a"), said(A, "b"), said(B, "c"), said(B, "d")),
    ],
    "the role named twice before the text": [
        *(said(A, "", role=ROLE), said(A, "", role=ROLE), *(said(A, text) for text in "abcd")),
    ],
    "the role named at the end too": [*(said(A, text) for text in "abcd"), said(A, "", "stop", ROLE)],
}


@pytest.mark.parametrize("name", SPLICED)
async def test_two_answers_are_never_put_together(name: str, clients: HttpClients) -> None:
    async with WireServer(head(), data(*SPLICED[name]), DONE) as server:
        _, error = await failure(OPENAI.make(server.url, clients))
    assert type(error) is StreamBroken
    assert "a second answer began in its middle" in error.message


@pytest.mark.parametrize("name", WHOLE)
async def test_servers_of_every_habit_are_believed(name: str, clients: HttpClients) -> None:
    async with WireServer(head(), data(*WHOLE[name], *STOP), DONE) as server:
        assert (await Read.of(OPENAI.make(server.url, clients))).text == "abcd"


@pytest.mark.parametrize(
    "spoken",
    [
        [(A, "Hello "), (B, "Hi "), (B, "there "), (B, "friend.")],
        [(A, "Hello "), (B, "Hi "), (A, "you, "), (B, "there.")],
    ],
    ids=["one event, then another answer", "in turns"],
)
async def test_two_answers_of_gemini_are_never_put_together(
    spoken: list[tuple[str, str]], clients: HttpClients
) -> None:
    body = data(*(by_gemini(*event) for event in spoken), by_gemini(B, ".", "STOP"))
    async with WireServer(head(), body) as server:
        _, error = await failure(GEMINI.make(server.url, clients))
    assert type(error) is StreamBroken


async def test_two_messages_of_anthropic_in_turns_are_never_put_together(clients: HttpClients) -> None:
    one = [message_start(), BLOCK_START, text_delta("Hello "), text_delta("you."), BLOCK_STOP]
    both = [event for event in one for _ in range(2)]
    async with WireServer(head(), events(*both, message_delta(), MESSAGE_STOP)) as server:
        _, error = await failure(ANTHROPIC.make(server.url, clients))
    assert type(error) is StreamBroken


async def test_what_is_packed_more_than_once_is_not_unpacked(wire: Wire, clients: HttpClients) -> None:
    body = gzip.compress(gzip.compress(wire.whole))
    async with WireServer(head(Content_Encoding="gzip, gzip"), body) as server:
        text, error = await failure(wire.make(server.url, clients))
    assert (text, type(error)) == ("", StreamBroken)
    assert "packed more than once" in error.message


async def test_one_provider_serves_many_calls_at_once(wire: Wire, clients: HttpClients) -> None:
    async with WireServer(chunked_head(), chunk(wire.whole), LAST_CHUNK) as server:
        provider = wire.make(server.url, clients)
        reads = await asyncio.gather(*(Read.of(provider) for _ in range(8)))
    assert [read.text for read in reads] == ["Hello"] * 8


async def test_interleaved_streams_of_one_task_close_their_own_connections(wire: Wire, clients: HttpClients) -> None:
    async with (
        WireServer(chunked_head(), chunk(wire.opening), Act.STALL) as first,
        WireServer(chunked_head(), chunk(wire.opening), Act.STALL) as second,
    ):
        streams = [wire.make(server.url, clients).stream(a_call()) for server in (first, second)]

        async def a_piece(stream: object) -> Piece:
            return await anext(stream)  # type: ignore[call-overload, no-any-return]

        async with asyncio.timeout(20):
            for stream in streams:
                await a_piece(stream)
            await streams[0].aclose()  # type: ignore[attr-defined]
            await first.gone.wait()
            assert not second.gone.is_set()
            await streams[1].aclose()  # type: ignore[attr-defined]
            await second.gone.wait()


async def test_the_connection_is_used_again_after_a_whole_answer(wire: Wire, clients: HttpClients) -> None:
    async with WireServer(chunked_head(), chunk(wire.whole), LAST_CHUNK, Act.AGAIN) as server:
        provider = wire.make(server.url, clients)
        for _ in range(3):
            assert (await Read.of(provider)).text == "Hello"
        assert len(server.requests) == 3
        assert server.connections == 1


OPENED = {"anthropic": events(message_start(), BLOCK_START), "openai": b"", "gemini": b""}
FINISHING: dict[str, Callable[[str], bytes]] = {
    "anthropic": lambda word: events(text_delta(word), message_delta()),
    "openai": lambda word: data(delta("stop", content=word)),
    "gemini": lambda word: data(generated(word, "STOP")),
}
"""An event, or two, with a word and a finish reason."""
CLOSING = {"anthropic": events(MESSAGE_STOP), "openai": DONE, "gemini": b""}


async def test_a_finish_reason_on_every_event_loses_no_word(
    wire: Wire, clients: HttpClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "AFTERWORD_S", 0.02)
    every = FINISHING[wire.name]
    begun, slow = OPENED[wire.name] + every("one ") + every("two "), Pause(0.1)
    last = every("four") + CLOSING[wire.name]
    script = (chunked_head(), chunk(begun), slow, chunk(every("three ")), slow, chunk(last), LAST_CHUNK)
    async with WireServer(*script) as server:
        read = await Read.of(wire.make(server.url, clients))
    assert read.text == "one two three four"
    assert read.done.finish_reason is FinishReason.STOP


@pytest.mark.parametrize("act", [Act.CLOSE, Act.RESET, LAST_CHUNK], ids=["FIN", "RST", "a clean end"])
async def test_a_cut_between_events_that_all_carry_a_finish_reason_is_a_broken_stream(
    wire: Wire, clients: HttpClients, act: Act | bytes
) -> None:
    body = OPENED[wire.name] + FINISHING[wire.name]("one ") + FINISHING[wire.name]("two ")
    async with WireServer(chunked_head(), chunk(body), act) as server:
        provider = wire.make(server.url, clients)
        if wire.name == "gemini" and act == LAST_CHUNK:
            # Its streams have no closing event: that they end in good order is all there is.
            assert (await Read.of(provider)).text == "one two "
            return
        _, error = await failure(provider)
    assert type(error) is StreamBroken


async def test_the_last_chunk_of_usage_closes_a_stream_that_sends_no_done_marker(clients: HttpClients) -> None:
    body = data(delta("stop", content="one "), delta("stop", content="two"), CLOSED)
    async with WireServer(chunked_head(), chunk(body), LAST_CHUNK) as server:
        read = await Read.of(OPENAI.make(server.url, clients))
    assert (read.text, read.done.usage) == ("one two", Usage(12, 5))


@pytest.mark.parametrize("act", [Act.CLOSE, Act.RESET, LAST_CHUNK], ids=["FIN", "RST", "a clean end"])
async def test_what_comes_behind_the_close_opens_the_answer_again(clients: HttpClients, act: Act | bytes) -> None:
    body = data(delta("stop", content="one "), CLOSED, delta("stop", content="two"))
    async with WireServer(chunked_head(), chunk(body), act) as server:
        _, error = await failure(OPENAI.make(server.url, clients))
    assert type(error) is StreamBroken
    async with WireServer(chunked_head(), chunk(body + DONE), act) as server:
        assert (await Read.of(OPENAI.make(server.url, clients))).text == "one two"


async def test_more_than_a_full_stop_said_of_the_same_end_counts(clients: HttpClients) -> None:
    for first, then, finish in (
        (delta("length", content="x"), delta("stop"), FinishReason.LENGTH),
        (delta("length", content="x"), delta("stop", content="y"), FinishReason.STOP),
        (delta("null", content="x"), delta("stop"), FinishReason.STOP),
    ):
        async with WireServer(head(), data(first, then), DONE) as server:
            assert (await Read.of(OPENAI.make(server.url, clients))).done.finish_reason is finish


@pytest.mark.parametrize(
    "reason",
    [
        *("abort", "Aborted", "cancelled", "timeout", "timed_out", "error", "error_network", "network_error"),
        *("server_error", "insufficient_system_resource", "interrupted"),
    ],
)
async def test_a_finish_reason_that_tells_of_a_failure_breaks_the_stream(clients: HttpClients, reason: str) -> None:
    body = data(delta(content="half"), delta(reason), CLOSED)
    async with WireServer(head(), body, DONE) as server:
        stream = aiter(OPENAI.make(server.url, clients).stream(a_call()))
        assert await anext(stream) == TextPiece("half")
        assert await anext(stream) == UsageSoFar(Usage(12, 5)), "it is paid for as the provider counted it"
        with pytest.raises(StreamBroken, match=reason.lower()):
            await anext(stream)


@pytest.mark.parametrize("shared", [True, False])
async def test_only_a_server_whose_events_shared_an_id_begins_a_second_answer_with_another(
    clients: HttpClients, shared: bool
) -> None:
    opened = (delta(role="assistant", content=""), delta(content="Hel"), delta(role="assistant", content="lo"))
    named = [chunk | {"id": str(number)} for number, chunk in enumerate((*opened, delta("stop")))]
    if shared:
        named[1]["id"] = "0"
    async with WireServer(head(), data(*named), DONE) as server:
        if not shared:
            assert (await Read.of(OPENAI.make(server.url, clients))).text == "Hello"
            return
        text, error = await failure(OPENAI.make(server.url, clients))
    assert (text, type(error)) == ("Hel", StreamBroken)


async def test_events_of_gemini_may_each_have_an_id_of_their_own(clients: HttpClients) -> None:
    said = [generated("Hel"), generated("l"), generated("o", "STOP")]
    body = data(*(chunk | {"responseId": str(number)} for number, chunk in enumerate(said)))
    async with WireServer(head(), body) as server:
        assert (await Read.of(GEMINI.make(server.url, clients))).text == "Hello"


async def test_an_answer_that_begins_anew_before_it_said_anything_is_the_answer(
    wire: Wire, clients: HttpClients
) -> None:
    start = SPOKEN[wire.name].start
    async with WireServer(head(), start + start + another(wire.whole)) as server:
        assert (await Read.of(wire.make(server.url, clients))).text == "Hello"
