"""What cannot be read: behind a whole answer it costs nothing, and within one it is told in plain words."""

from __future__ import annotations

import pytest

from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.routing.errors import Overloaded, Server, StreamBroken, TurnError
from tui_orchestrator.routing.money import Usage

from .dialects import ANTHROPIC, DONE, GEMINI, KEY, OPENAI, Read, Wire, data, generated
from .faults import SPOKEN
from .server import LAST_CHUNK, Act, WireServer, chunk, chunked_head, head
from .test_endings import CLOSING, FINISHING, OPENED, failure

GARBAGE = [
    *(b"data: garbage\n\n", b"data: garbage}\n\n", b"data: [garbage\n\n", b"data: {garb\n\n"),
    *(b"<html>\n<body>\n\n", b"data: \xff\xfe\n\n", b"\xff\n\n"),
]


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_text_behind_garbage_behind_a_finish_reason_is_no_less_a_part_of_the_answer(
    wire: Wire, clients: HttpClients, garbage: bytes
) -> None:
    """Of servers with a finish reason on every event."""
    every = FINISHING[wire.name]
    body = OPENED[wire.name] + every("one ") + garbage + every("two")
    async with WireServer(chunked_head(), chunk(body + CLOSING[wire.name]), LAST_CHUNK) as server:
        assert (await Read.of(wire.make(server.url, clients))).text == "one two"
    async with WireServer(chunked_head(), chunk(body), Act.CLOSE) as server:
        text, error = await failure(wire.make(server.url, clients))
    assert (text, type(error)) == ("one two", StreamBroken)


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbage_before_the_end_is_never_passed_over_where_it_may_be_of_the_answer(
    wire: Wire, clients: HttpClients, garbage: bytes
) -> None:
    named = SPOKEN[wire.name].named + garbage if garbage.startswith(b"data") else garbage
    if named == b"<html>\n<body>\n\n" and wire is not GEMINI:
        return  # no event: what is no `data` says nothing in them
    async with WireServer(head(), wire.opening + named + wire.closing) as server:
        text, error = await failure(wire.make(server.url, clients))
    assert (text, type(error)) == ("Hel", StreamBroken)


@pytest.mark.parametrize("blank", [b"", b"\n\n"])
@pytest.mark.parametrize("cut", [1, 2, 5, 20, -1])
async def test_an_event_of_gemini_that_is_cut_short_behind_a_finish_reason_breaks_the_answer(
    clients: HttpClients, cut: int, blank: bytes
) -> None:
    """Some of its models gave the finish reason with every event, and there is no closing event."""
    more = data(generated(" friend", "STOP")).removeprefix(b"data: ").rstrip()
    body = GEMINI.whole + b"data: " + more[:cut] + blank
    async with WireServer(chunked_head(), chunk(body), LAST_CHUNK) as server:
        text, error = await failure(GEMINI.make(server.url, clients))
    assert (text, type(error)) == ("Hello", StreamBroken)


async def test_an_error_of_gemini_as_bare_json_behind_the_end_is_not_swallowed(clients: HttpClients) -> None:
    bare = b'{\n"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}\n}'
    for body in (bare, b"<html>\n\n" + bare, bare + b"\n\n<html>"):
        async with WireServer(chunked_head(), chunk(GEMINI.whole + body), LAST_CHUNK) as server:
            _, error = await failure(GEMINI.make(server.url, clients))
        assert type(error) is Overloaded


@pytest.mark.parametrize(
    ("said", "kind", "message"),
    [
        ({"error": "It broke."}, Server, "gemini: It broke."),
        ({"error": {"message": "It broke."}}, Server, "gemini: It broke."),
        ({"error": {"message": "It broke.", "code": "503"}}, Overloaded, "gemini: It broke."),
        ({"error": {"message": "It broke.", "code": "overloaded_error"}}, Overloaded, "gemini: It broke."),
        ({"error": {"message": "It broke.", "code": 13, "status": "UNAVAILABLE"}}, Overloaded, "gemini: It broke."),
        ({"candidates": [], "error": {"message": "It broke.", "code": 503}}, Overloaded, "gemini: It broke."),
        ({"error": True}, StreamBroken, "gemini: sent something that is not of its format"),
    ],
)
async def test_errors_of_every_shape_are_told_where_gemini_is_spoken(
    clients: HttpClients, said: object, kind: type[TurnError], message: str
) -> None:
    async with WireServer(head(), GEMINI.opening + data(said) + GEMINI.closing) as server:
        text, error = await failure(GEMINI.make(server.url, clients))
    assert (text, type(error), error.message) == ("Hel", kind, message)


@pytest.mark.parametrize("nothing", [None, {}, "", False])
async def test_an_error_of_nothing_is_none(wire: Wire, clients: HttpClients, nothing: object) -> None:
    async with WireServer(head(), wire.opening + data({"error": nothing}) + wire.closing) as server:
        read = await Read.of(wire.make(server.url, clients))
    assert (read.text, read.done.usage) == ("Hello", Usage(12, 5))


@pytest.mark.parametrize("wire", [ANTHROPIC, GEMINI], ids=str)
async def test_openais_closing_event_says_nothing_elsewhere(wire: Wire, clients: HttpClients) -> None:
    async with WireServer(head(), DONE + wire.opening + DONE + wire.closing) as server:
        assert (await Read.of(wire.make(server.url, clients))).text == "Hello"


async def test_an_event_of_nothing_is_no_end(wire: Wire, clients: HttpClients) -> None:
    nothing = data(None)
    async with WireServer(head(), nothing + wire.opening + nothing + wire.closing) as server:
        read = await Read.of(wire.make(server.url, clients))
    assert (read.text, read.done.usage) == ("Hello", Usage(12, 5))


OF_ITS_FORMAT = "sent something that is not of its format"
SENTENCES = {
    b'data: {"type": "content_block_delta", "choices": [\n\n': (
        f'{OF_ITS_FORMAT}: {{"type": "content_block_delta", "choices": ['
    ),
    b'data: {"type": "content_block_delta", "delta": 7, "candidates": 7, "choices": 7}\n\n': OF_ITS_FORMAT,
    b'data: {"type": "content_block_delta", "choices": [{"delta": {"content": 7}}], "candidates": [7]}\n\n': (
        OF_ITS_FORMAT
    ),
    b'data: {"type": "content_block_delta", "x": %s}\n\n' % (b"7" * 5000): OF_ITS_FORMAT,
    b'data: {"x": "\xff"}\n\n': "sent text that is not UTF-8",
}


@pytest.mark.parametrize("garbage", SENTENCES, ids=range(len(SENTENCES)))
async def test_what_cannot_be_read_is_told_in_plain_words(wire: Wire, clients: HttpClients, garbage: bytes) -> None:
    named = SPOKEN[wire.name].named + garbage
    async with WireServer(chunked_head(), chunk(wire.opening + named), LAST_CHUNK) as server:
        text, error = await failure(wire.make(server.url, clients))
    assert (text, type(error)) == ("Hel", StreamBroken)
    assert error.message == f"{wire.name}: {SENTENCES[garbage]}"


async def test_a_finish_reason_that_is_no_text_is_told_in_plain_words(wire: Wire, clients: HttpClients) -> None:
    body = wire.whole
    for reason in (b'"end_turn"', b'"stop"', b'"STOP"'):
        body = body.replace(reason, b"7")
    async with WireServer(chunked_head(), chunk(body), LAST_CHUNK) as server:
        _, error = await failure(wire.make(server.url, clients))
    assert error.message == f"{wire.name}: {OF_ITS_FORMAT}"


@pytest.mark.parametrize("size", range(50, 80, 3))
async def test_no_part_of_a_key_is_told_of_what_cannot_be_read(clients: HttpClients, size: int) -> None:
    garbage = b"data: " + b"{" * size + b" " + KEY.encode() + b"\n\n"
    async with WireServer(chunked_head(), chunk(OPENAI.opening + garbage), LAST_CHUNK) as server:
        _, error = await failure(OPENAI.make(server.url, clients))
    assert f"{OF_ITS_FORMAT}: {{{{{{" in error.message
    assert KEY[:5] not in error.message
