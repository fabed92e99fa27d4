"""What providers say when they do not answer → the tree of errors."""

from __future__ import annotations

import logging
import traceback
from typing import Any

import pytest

from tests.once import read_once
from tui_orchestrator.providers.anthropic import AnthropicProvider
from tui_orchestrator.providers.bounds import ERROR_BYTES
from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.providers.gemini import GeminiProvider
from tui_orchestrator.providers.openai import OpenAIProvider
from tui_orchestrator.routing.errors import (
    Authentication,
    BadRequest,
    Connection,
    ContentFilter,
    ContextWindow,
    NotFound,
    Overloaded,
    Permission,
    RateLimited,
    Server,
    StreamBroken,
    Timeout,
    TurnError,
)
from tui_orchestrator.routing.money import Usage
from tui_orchestrator.routing.ports import Provider

from .dialects import (
    ANTHROPIC,
    DONE,
    GEMINI,
    KEY,
    MESSAGE_STOP,
    OPENAI,
    Read,
    Wire,
    data,
    delta,
    events,
    generated,
    message_delta,
    message_start,
    openai_at,
    text_delta,
)
from .server import LAST_CHUNK, Act, WireServer, answer, chunk, chunked_head, head


async def failure(wire: Wire, clients: HttpClients, *script: bytes | Act) -> TurnError:
    async with WireServer(*script) as server:
        with pytest.raises(TurnError) as caught:
            await Read.of(wire.make(server.url, clients))
        assert len(server.requests) == 1, "the router retries, nobody else"
    return caught.value


STATUSES = {
    301: NotFound,
    307: NotFound,
    400: BadRequest,
    401: Authentication,
    402: Permission,
    403: Permission,
    404: NotFound,
    408: Timeout,
    409: Server,
    413: ContextWindow,
    418: BadRequest,
    422: BadRequest,
    429: RateLimited,
    500: Server,
    502: Server,
    503: Overloaded,
    504: Timeout,
    521: Connection,
    524: Timeout,
    529: Overloaded,
    599: Server,
}


BODIES = (
    b"",
    b"[]",
    b'{"error": {"message": "No."}}',
    b'{"error": "No."}',
    b"<html><title>No.</title>x</html>",
    b"No.",
)


async def test_every_status_has_its_kind(wire: Wire, clients: HttpClients) -> None:
    async with WireServer() as server:
        provider = wire.make(server.url, clients)
        for status, kind in STATUSES.items():
            for body in BODIES:
                server.script = answer(status, body)
                with pytest.raises(TurnError) as caught:
                    await Read.of(provider)
                error = caught.value
                assert type(error) is kind, (status, body)
                assert error.status == status
                assert error.message.startswith(f"{wire.name}: ")
                assert ("No." in error.message) == (b"No." in body), (error.message, body)
                assert "<" not in error.message
        assert len(server.requests) == len(STATUSES) * len(BODIES), "the router retries, nobody else"


def anthropic_error(kind: str, message: str = "Words.") -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def openai_error(
    code: str | int | None, message: str = "Words.", kind: str = "invalid_request_error"
) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def gemini_error(code: int, status: str, message: str = "Words.", *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


REASON = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}


@pytest.mark.parametrize(
    ("wire", "status", "body", "kind"),
    [
        (ANTHROPIC, 400, anthropic_error("invalid_request_error", "messages: at least one"), BadRequest),
        (
            ANTHROPIC,
            400,
            anthropic_error("invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum"),
            ContextWindow,
        ),
        (
            ANTHROPIC,
            400,
            anthropic_error("invalid_request_error", "input length and `max_tokens` exceed context limit: 1 + 2 > 2"),
            ContextWindow,
        ),
        (
            ANTHROPIC,
            400,
            anthropic_error("invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
            Permission,
        ),
        (ANTHROPIC, 402, anthropic_error("billing_error"), Permission),
        (ANTHROPIC, 413, anthropic_error("request_too_large"), ContextWindow),
        (ANTHROPIC, 529, anthropic_error("overloaded_error"), Overloaded),
        (OPENAI, 400, openai_error("context_length_exceeded"), ContextWindow),
        (
            OPENAI,
            400,
            {"object": "error", "message": "This model's maximum context length is 4096 tokens.", "code": 400},
            ContextWindow,
        ),
        (
            OPENAI,
            400,
            {
                "error": {
                    "code": 400,
                    "message": "the request exceeds the available",
                    "type": "exceed_context_size_error",
                }
            },
            ContextWindow,
        ),
        (
            OPENAI,
            400,
            {"error": "Trying to keep the first 9 tokens when context the overflows."},
            ContextWindow,
        ),
        (OPENAI, 401, openai_error("invalid_api_key"), Authentication),
        (OPENAI, 404, openai_error("model_not_found"), NotFound),
        (OPENAI, 429, openai_error("rate_limit_exceeded", kind="tokens"), RateLimited),
        (OPENAI, 429, openai_error("insufficient_quota", kind="insufficient_quota"), Permission),
        (OPENAI, 400, openai_error("content_policy_violation"), ContentFilter),
        (OPENAI, 503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, Overloaded),
        (OPENAI, 422, {"detail": [{"loc": ["body"], "msg": "Words."}]}, BadRequest),
        (
            OPENAI,
            400,
            {
                "error": {
                    "message": "Provider returned error",
                    "code": 400,
                    "metadata": {"raw": '{"error":"prompt is too long: Words."}', "provider_name": "Some"},
                }
            },
            ContextWindow,
        ),
        (OPENAI, 402, {"error": {"message": "Insufficient credits. Words.", "code": 402}}, Permission),
        (OPENAI, 403, {"error": {"message": "Your input was flagged. Words.", "code": 403}}, ContentFilter),
        (GEMINI, 400, gemini_error(400, "INVALID_ARGUMENT"), BadRequest),
        (GEMINI, 400, gemini_error(400, "INVALID_ARGUMENT", "API key not valid.", REASON), Authentication),
        (
            GEMINI,
            400,
            gemini_error(
                400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of tokens allowed (8)."
            ),
            ContextWindow,
        ),
        (GEMINI, 400, gemini_error(400, "FAILED_PRECONDITION", "User location is not supported."), Permission),
        (GEMINI, 403, gemini_error(403, "PERMISSION_DENIED"), Permission),
        (GEMINI, 404, gemini_error(404, "NOT_FOUND"), NotFound),
        (GEMINI, 429, gemini_error(429, "RESOURCE_EXHAUSTED"), RateLimited),
        (GEMINI, 429, [gemini_error(429, "RESOURCE_EXHAUSTED")], RateLimited),
        (GEMINI, 500, gemini_error(500, "INTERNAL"), Server),
        (GEMINI, 503, gemini_error(503, "UNAVAILABLE"), Overloaded),
        (GEMINI, 504, gemini_error(504, "DEADLINE_EXCEEDED"), Timeout),
    ],
)
async def test_each_vendors_own_words_are_understood(
    wire: Wire, clients: HttpClients, status: int, body: Any, kind: type[TurnError]
) -> None:
    error = await failure(wire, clients, *answer(status, body))
    assert type(error) is kind
    assert error.status == status
    assert error.__cause__ is not None


def _in_choice(error: object, reason: str | None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": reason, "error": error}]}


@pytest.mark.parametrize(
    ("payload", "kind", "status"),
    [
        ({"error": {"message": "Out of credit", "code": 402}}, Permission, 402),
        ({"error": {"message": "Slow", "code": "429"}}, RateLimited, 429),
        ({"error": {"message": "Upstream died", "code": "server_error"}}, Server, None),
        ({"error": {"message": "Weird"}}, Server, None),
        ({"error": "Just text"}, Server, None),
        ({"error": {"message": "maximum context length is 8", "code": "weird"}}, ContextWindow, None),
        (delta("error"), StreamBroken, None),
        (_in_choice({"code": 502, "message": "Dropped"}, "stop"), Server, 502),
        (_in_choice({"code": 429, "message": "Slow"}, "length"), RateLimited, 429),
        (_in_choice({"code": 503, "message": "Full"}, None), Overloaded, 503),
        (_in_choice("Just text", "stop"), Server, None),
        ({"object": "error", "message": "engine died", "code": 500}, Server, 500),
        ({"object": "error", "message": "engine died"}, Server, None),
        ({"type": "error", "message": "maximum context length is 8"}, ContextWindow, None),
        ({"code": "rate_limit_exceeded", "message": "Slow", "request_id": "x"}, RateLimited, None),
    ],
)
async def test_errors_inside_a_200_stream_of_openai_and_openrouter(
    clients: HttpClients, payload: Any, kind: type[TurnError], status: int | None
) -> None:
    error = await failure(OPENAI, clients, head(), OPENAI.opening, data(payload, delta("stop")), DONE)
    assert type(error) is kind
    assert error.status == status
    assert payload.get("message", "") in error.message


@pytest.mark.parametrize(
    "said",
    [
        {"code": 5},
        {"message": "All is well."},
        {"object": "errors", "message": "All is well."},
        {"code": "", "message": "All is well."},
        {**delta(content=""), "object": "error"},
        _in_choice(None, None),
        _in_choice({}, None),
        {**delta(content=""), "code": 5, "message": "All is well."},
        ["error"],
        5,
    ],
)
async def test_what_tells_of_no_error_in_a_stream_is_passed_over(clients: HttpClients, said: Any) -> None:
    async with WireServer(head(), OPENAI.opening + data(said) + OPENAI.closing) as server:
        read = await Read.of(OPENAI.make(server.url, clients))
    assert (read.text, read.done.usage) == ("Hello", Usage(12, 5))


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b'{"message": "engine died"}', Server),
        (b'{"error": {"message": "engine died", "code": 503}}', Overloaded),
        (b"engine died", Server),
    ],
)
async def test_an_event_that_is_named_an_error_is_one(clients: HttpClients, said: bytes, kind: type[TurnError]) -> None:
    named = b"event: error\ndata: " + said + b"\n\n"
    error = await failure(OPENAI, clients, head(), OPENAI.opening, named, data(delta("stop")), DONE)
    assert type(error) is kind
    assert "engine died" in error.message


WAITS: tuple[tuple[dict[str, str], float | None], ...] = (
    ({"Retry-After": "7"}, 7.0),
    ({"Retry-After": "0.5"}, 0.5),
    ({"Retry-After-Ms": "1500", "Retry-After": "7"}, 1.5),
    ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
    ({"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT"}, 0.0),
    ({"Retry-After": "1\r\nRetry-After: 3600"}, 3600.0),
    ({"Retry-After": "1, 20"}, 20.0),
    ({"Retry-After": "1, soon"}, None),
    ({"Retry-After": "soon"}, None),
    ({"Retry-After": "-3"}, None),
    ({"Retry-After": "inf"}, None),
    ({"Retry-After": "nan"}, None),
    ({"Retry-After": "9" * 400}, None),
    ({"Retry-After": "Wed, 99 Oct 9999999 07:28:30 GMT"}, None),
    ({}, None),
)


async def test_how_long_to_wait_is_read_from_the_headers(wire: Wire, clients: HttpClients) -> None:
    async with WireServer() as server:
        provider = wire.make(server.url, clients)
        for headers, wait in WAITS:
            server.script = answer(429, {"error": {"message": "Slow"}}, **headers)
            with pytest.raises(RateLimited) as caught:
                await Read.of(provider)
            assert caught.value.retry_after_s == wait, headers


async def test_how_long_to_wait_is_read_from_geminis_retry_info(clients: HttpClients) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.074824224s"}
    error = await failure(GEMINI, clients, *answer(429, gemini_error(429, "RESOURCE_EXHAUSTED", "Quota.", info)))
    assert error.retry_after_s == 34.074824224


async def test_the_status_counts_even_when_the_page_breaks_off(wire: Wire, clients: HttpClients) -> None:
    script = (head(503, Content_Length="100"), b"half of", Act.RESET)
    error = await failure(wire, clients, *script)
    assert type(error) is Overloaded
    assert error.status == 503


async def test_no_error_gives_the_key_away(wire: Wire, clients: HttpClients, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    body = {"error": {"message": f"Incorrect API key provided: {KEY}. Bearer {KEY}. Also sk-other-{KEY[::-1]}."}}
    error = await failure(wire, clients, *answer(401, body))
    assert type(error) is Authentication
    assert "Incorrect API key provided: …" in error.message
    for text in (str(error), repr(error), error.message, caplog.text):
        assert KEY not in text
        assert KEY[::-1] not in text
    assert repr(wire.make("http://127.0.0.1:1", clients)).count(KEY) == 0


async def test_a_long_and_hostile_message_becomes_one_short_line(wire: Wire, clients: HttpClients) -> None:
    body = {"error": {"message": "\x1b]52;c;YQ==\x07 a\n\nb \u202e " + "x" * 100_000}}
    error = await failure(wire, clients, *answer(500, body))
    assert len(error.message) <= 300
    assert error.message.isprintable()
    assert f"{wire.name}: ]52;c;YQ== a b x" in error.message


@pytest.mark.parametrize("key", ["sk-with\nline", "sk-gedanken…strich", "sk-\x00"])
async def test_a_key_that_cannot_be_sent_is_said_to_be_wrong_without_showing_it(clients: HttpClients, key: str) -> None:
    async with WireServer() as server:
        with pytest.raises(Authentication) as caught:
            await Read.of(openai_at(server.url, clients, key=key))
        assert server.connections == 0
    assert key not in str(caught.value)
    assert key not in "".join(traceback.format_exception(caught.value))


async def test_a_redirect_is_not_followed_and_takes_no_key_along(wire: Wire, clients: HttpClients) -> None:
    async with WireServer(chunked_head()) as elsewhere, WireServer() as server:
        provider = wire.make(server.url, clients)
        for status in (301, 302, 303, 307, 308):
            server.script = answer(status, b"", Location=f"{elsewhere.url}/v1/messages")
            with pytest.raises(NotFound, match="HTTP 30") as caught:
                await Read.of(provider)
            assert "base_url" in caught.value.hint
        assert elsewhere.connections == 0


TITLES = b"<title" * (ERROR_BYTES // 6 - 10)


async def test_an_error_page_of_nothing_but_beginnings_is_read_once(wire: Wire, clients: HttpClients) -> None:
    with read_once():
        error = await failure(wire, clients, *answer(500, TITLES, "text/html"))
    assert type(error) is Server


@pytest.mark.parametrize("charset", ["punycode", "unicode_escape", "utf-7", "idna", "rot13", "no-such"])
async def test_a_page_is_read_by_none_of_the_codecs_that_only_python_knows(
    wire: Wire, clients: HttpClients, charset: str
) -> None:
    said = b"a+AGE-b \\u0063 " + b"d" * (ERROR_BYTES - 100)
    with read_once():
        error = await failure(wire, clients, *answer(500, said, f"text/plain; charset={charset}"))
    assert "a+AGE-b \\u0063 dd" in str(error)


async def test_a_page_in_a_charset_of_the_web_is_read_in_it(clients: HttpClients) -> None:
    said = "Zugriff für Gäste gesperrt".encode("latin-1")
    assert "für Gäste" in str(await failure(OPENAI, clients, *answer(500, said, "text/plain; charset=ISO-8859-1")))


async def test_an_error_event_of_nothing_but_beginnings_is_read_once(wire: Wire, clients: HttpClients) -> None:
    said = wire.in_stream_error.replace(b"Overloaded", TITLES)
    with read_once():
        error = await failure(wire, clients, chunked_head(), chunk(wire.opening), chunk(said), LAST_CHUNK)
    assert type(error) is Overloaded


async def test_the_environments_proxy_is_for_the_cloud_only(
    wire: Wire, clients: HttpClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with WireServer(*answer(502, b"proxy")) as proxy, WireServer(head(), wire.whole) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        provider = wire.make(server.url, clients)
        assert (await Read.of(provider)).text == "Hello"
        assert proxy.connections == 0
        provider = wire.make(server.url, clients)
        provider._http = lambda: clients.cloud  # type: ignore[attr-defined]
        with pytest.raises(Server):
            await Read.of(provider)
        assert proxy.connections == 1


UNKNOWN = "team.0123456789abcdef.secret"
"""A key that looks like none."""


def _with_key(wire: Wire, url: str, clients: HttpClients) -> Provider:
    kinds = {"anthropic": AnthropicProvider, "openai": OpenAIProvider, "gemini": GeminiProvider}
    return kinds[wire.name](wire.name, UNKNOWN, url, lambda: clients.local, 5.0)  # type: ignore[abstract, no-any-return]


@pytest.mark.parametrize(
    ("wire", "media_type", "body"),
    [
        (
            GEMINI,
            "text/event-stream",
            data({"promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": UNKNOWN}}),
        ),
        (GEMINI, "text/event-stream", data({"promptFeedback": {"blockReason": UNKNOWN}})),
        (GEMINI, "text/event-stream", data(generated("x", f"ERROR {UNKNOWN}"))),
        (OPENAI, "text/event-stream", data(delta(content="x"), delta(f"error {UNKNOWN}"))),
        (ANTHROPIC, "text/event-stream", events(message_start(), message_delta(f"error {UNKNOWN}"), MESSAGE_STOP)),
        (OPENAI, f"text/{UNKNOWN}", b""),
    ],
)
async def test_a_key_is_in_nothing_that_a_stream_says_of_itself(
    wire: Wire, media_type: str, body: bytes, clients: HttpClients
) -> None:
    async with WireServer(head(200, media_type), body) as server:
        with pytest.raises(TurnError) as caught:
            await Read.of(_with_key(wire, server.url, clients))
    assert UNKNOWN.lower() not in caught.value.message.lower()
    assert "…" in caught.value.message


def _says(wire: Wire, text: str) -> bytes:
    return {
        "anthropic": events(text_delta(text)),
        "openai": data(delta(content=text)),
        "gemini": data(generated(text)),
    }[wire.name]


@pytest.mark.parametrize("cut", [2, 9, len(UNKNOWN) - 1, len(UNKNOWN)])
async def test_a_key_is_in_nothing_that_a_model_writes(wire: Wire, cut: int, clients: HttpClients) -> None:
    says = _says(wire, f", {UNKNOWN[:cut]}"), _says(wire, f"{UNKNOWN[cut:]} and ")
    async with WireServer(head(), wire.opening, *says, wire.closing) as server:
        read = await Read.of(_with_key(wire, server.url, clients))
    # Two letters alone are told; where both events came at once they were not alone.
    assert read.text.replace(f"{UNKNOWN[:2]}…", "…") == "Hel, … and lo"


async def test_what_looks_like_the_beginning_of_a_key_is_told_before_the_stream_breaks(
    wire: Wire, clients: HttpClients
) -> None:
    read = Read([])
    async with WireServer(head(), wire.opening, _says(wire, "p, team.01"), wire.in_stream_error) as server:
        with pytest.raises(Overloaded):
            await read.on(_with_key(wire, server.url, clients))
    assert read.text == "Help, team.01"


async def test_a_key_is_no_name_of_a_tool_nor_of_a_model(clients: HttpClients) -> None:
    called = {"index": 0, "id": UNKNOWN, "function": {"name": UNKNOWN, "arguments": "{}"}}
    body = data({**delta(tool_calls=[called]), "model": UNKNOWN}, {**delta("tool_calls"), "model": UNKNOWN}) + DONE
    async with WireServer(head(), body) as server:
        read = await Read.of(_with_key(OPENAI, server.url, clients))
    assert UNKNOWN not in repr(read.pieces)
    assert read.done.served_by == "…"


async def test_a_refused_prompt_is_a_matter_of_the_content_filter(clients: HttpClients) -> None:
    body = data({"promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": "Not that."}})
    error = await failure(GEMINI, clients, head(), body)
    assert type(error) is ContentFilter
    assert error.message == "gemini: the prompt was refused (Not that.)"


@pytest.mark.parametrize(
    ("wait", "hint"),
    [
        ("31536000", "It asks to wait a week or longer; this model is left out for 10 min."),
        ("300", "It asks to wait 5 min; this model is left out for 5 min."),
        ("7", "Wait, choose another model"),
    ],
)
async def test_how_long_a_model_is_out_is_said(wait: str, hint: str, wire: Wire, clients: HttpClients) -> None:
    error = await failure(wire, clients, *answer(429, {"error": {"message": "No."}}, Retry_After=wait))
    assert error.hint.startswith(hint)
