"""Model lists of each provider, over real sockets."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import stat
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.providers import openrouter_catalogue
from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.providers.discovery import read_server
from tui_orchestrator.providers.listings import (
    MAX_BODY,
    Listed,
    Listing,
    ListingError,
    Source,
    decoded,
    place,
    read_listing,
)
from tui_orchestrator.routing.money import Money, Price, Rates, Tier
from tui_orchestrator.routing.profile import Ability
from tui_orchestrator.settings import Secret

from .server import Asked, Reply, Server, serving

KEY = "sk-very-secret-0123456789"


def source(server: Server, clients: HttpClients, kind: str = "openai", path: str = "/v1", key: str = KEY) -> Source:
    return Source(kind, server.url + path, clients.local, key)  # type: ignore[arg-type]


def openai_list(*names: str, **fields: object) -> dict[str, object]:
    return {"object": "list", "data": [{"id": n, "object": "model", "owned_by": "x", **fields} for n in names]}


async def test_an_openai_list_is_read_with_the_key_in_its_header(clients: HttpClients) -> None:
    async with serving({"/v1/models": openai_list("gpt-6-luna", "gpt-6.1-sol")}) as server:
        listing = await read_listing(source(server, clients))
        assert [model.name for model in listing.models] == ["gpt-6-luna", "gpt-6.1-sol"]
        assert (listing.reachable, listing.authorised) == (True, True)
        [asked] = server.asked
        assert (asked.method, asked.query, asked.body) == ("GET", {}, b"")
        assert asked.headers["authorization"] == f"Bearer {KEY}"
        assert (asked.headers["accept"], asked.headers["accept-encoding"]) == ("application/json", "identity")
    assert listing.detail == "2 models listed"


async def test_an_address_that_ends_in_a_slash_is_the_same(clients: HttpClients) -> None:
    async with serving({"/v1/models": openai_list("gpt-6-luna")}) as server:
        listing = await read_listing(source(server, clients, path="/v1/"))
    assert listing.detail == "1 model listed"


@pytest.mark.parametrize(
    ("date", "there"),
    [
        ("2025-07-14", False),
        ("2025-07-14T12:00:00Z", False),
        ("2025-07-14T12:00:00+02:00", False),
        ("2999-01-01", True),
        ("2999-01-01T00:00:00Z", True),
        ("some day", True),
        ("", True),
        (20250714, True),
        (None, True),
    ],
)
async def test_a_model_past_its_shutdown_date_is_left_out(clients: HttpClients, date: object, there: bool) -> None:
    body = {"data": [{"id": "gpt-4.5", "shutdown_date": date}, {"id": "gpt-5"}]}
    async with serving({"/v1/models": body}) as server:
        listing = await read_listing(source(server, clients))
    assert [model.name for model in listing.models] == ["gpt-4.5", "gpt-5"][not there :]


@pytest.mark.parametrize(
    ("fields", "window", "output"),
    [
        ({"max_model_len": 1}, 1, None),
        ({"context_window": 2**40 - 1}, 2**40 - 1, None),
        ({"max_context_length": 8192}, 8192, None),
        ({"context_length": 8192}, 8192, None),
        ({"max_completion_tokens": 4096}, None, 4096),
        ({"max_output_tokens": 4096}, None, 4096),
        ({"max_model_len": 0, "context_length": 8192}, 8192, None),
        (
            {"max_model_len": 16384, "context_length": 8192, "max_completion_tokens": 1, "max_output_tokens": 2},
            16384,
            1,
        ),
    ],
)
async def test_limits_are_read_under_every_name_they_go_by(
    clients: HttpClients, fields: dict[str, object], window: int | None, output: int | None
) -> None:
    async with serving({"/v1/models": openai_list("m", **fields)}) as server:
        listing = await read_listing(source(server, clients))
    assert listing.models == (Listed("m", context_window=window, max_output=output),)


@pytest.mark.parametrize("reply", [Reply({"data": []}), Reply([])])
async def test_an_empty_list_is_told_as_one(clients: HttpClients, reply: Reply) -> None:
    async with serving({"/v1/models": reply}) as server:
        listing = await read_listing(source(server, clients, "openai-compatible"))
    assert (listing.models, listing.reachable, listing.unread) == ((), True, False)
    assert listing.detail == "its model list is empty"


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(b""), "answered with nothing"),
        (Reply("oops", 500), "answered HTTP 500 instead of a model list"),
        (Reply("oops", 404), "answered HTTP 404 instead of a model list"),
        (Reply("<!doctype html><p>Welcome"), "answered with something that is no model list"),
        (Reply({}), "answered with something that is no model list"),
        (Reply({"data": "soon"}), "answered with something that is no model list"),
    ],
)
async def test_what_is_no_list_is_not_told_as_an_empty_one(clients: HttpClients, reply: Reply, said: str) -> None:
    async with serving({"/v1/models": reply}) as server:
        listing = await read_listing(source(server, clients, "openai-compatible"))
        assert listing.detail == f"127.0.0.1:{server.port} {said}"
    assert (listing.models, listing.reachable, listing.unread) == ((), True, True)


async def test_anthropics_list_is_read_page_by_page(clients: HttpClients) -> None:
    def page(asked: Asked) -> object:
        if asked.query.get("after_id") == "claude-opus-5-5":
            return {"data": [{"id": "claude-2", "lifecycle": "retired"}, {"id": "claude-haiku-5-5"}], "has_more": False}
        first = {
            "id": "claude-opus-5-5",
            "lifecycle": "active",
            "max_input_tokens": 1_000_000,
            "max_tokens": 128_000,
            "capabilities": {"image_input": {"supported": True}, "structured_outputs": {"supported": False}},
        }
        return {"data": [first], "has_more": True, "last_id": "claude-opus-5-5"}

    async with serving({"/v1/models": page}) as server:
        listing = await read_listing(source(server, clients, "anthropic", ""))
        assert [asked.query for asked in server.asked] == [
            {"limit": "1000"},
            {"limit": "1000", "after_id": "claude-opus-5-5"},
        ]
        for asked in server.asked:
            assert (asked.headers["x-api-key"], asked.headers["anthropic-version"]) == (KEY, "2023-06-01")
            assert "authorization" not in asked.headers
    opus, haiku = listing.models
    assert opus == Listed("claude-opus-5-5", None, 1_000_000, 128_000, frozenset({Ability.VISION, Ability.TOOLS}))
    assert haiku == Listed("claude-haiku-5-5")


@pytest.mark.parametrize(
    ("capabilities", "abilities"),
    [
        ({}, {Ability.TOOLS}),
        ({"thinking": {"supported": True}}, {Ability.TOOLS, Ability.THINKING}),
        ({"structured_outputs": {"supported": True}}, {Ability.TOOLS, Ability.STRUCTURED_OUTPUT}),
        ({"image_input": {"supported": False}, "thinking": True, "citations": {"supported": True}}, {Ability.TOOLS}),
        ("all", None),
    ],
)
async def test_what_anthropic_says_a_model_can_is_read(
    clients: HttpClients, capabilities: object, abilities: set[Ability] | None
) -> None:
    async with serving({"/v1/models": {"data": [{"id": "claude-6", "capabilities": capabilities}]}}) as server:
        listing = await read_listing(source(server, clients, "anthropic", "/v1"))
    assert listing.models == (Listed("claude-6", abilities=None if abilities is None else frozenset(abilities)),)


@pytest.mark.parametrize(
    ("kind", "path", "page"),
    [
        ("anthropic", "", {"data": [{"id": "m"}], "has_more": True, "last_id": "m"}),
        ("gemini", "", {"models": [{"name": "models/m"}], "nextPageToken": "more"}),
    ],
)
async def test_a_list_whose_pages_never_end_is_read_to_a_bound(
    clients: HttpClients, kind: str, path: str, page: object
) -> None:
    async with serving({}, otherwise=page) as server:
        listing = await read_listing(source(server, clients, kind, path))
        assert len(server.asked) == 20
    assert (listing.reachable, len(listing.models)) == (True, 20)


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        ("anthropic", {"data": [{"id": "m"}], "has_more": "yes", "last_id": "m"}),
        ("anthropic", {"data": [{"id": "m"}], "has_more": True, "last_id": None}),
        ("anthropic", [{"id": "m"}]),
        ("gemini", {"models": [{"name": "m"}], "nextPageToken": ""}),
        ("gemini", {"models": [{"name": "m"}], "nextPageToken": 2}),
        ("gemini", [{"name": "m"}]),
    ],
)
async def test_a_page_that_names_none_after_it_is_the_last(clients: HttpClients, kind: str, page: object) -> None:
    async with serving({}, otherwise=page) as server:
        listing = await read_listing(source(server, clients, kind, ""))
        assert len(server.asked) == 1
    assert [model.name for model in listing.models] == ["m"]


async def test_geminis_list_says_limits_and_who_generates(clients: HttpClients) -> None:
    def page(asked: Asked) -> object:
        if asked.query.get("pageToken") == "next":
            return {"models": [{"name": "models/embedder", "supportedGenerationMethods": ["embedContent"]}]}
        model = {
            "name": "models/gemini-3.8-flash",
            "inputTokenLimit": 1_048_576,
            "outputTokenLimit": 65_536,
            "supportedGenerationMethods": ["generateContent", "countTokens"],
        }
        return {"models": [model], "nextPageToken": "next"}

    async with serving({"/v1beta/models": page}) as server:
        listing = await read_listing(source(server, clients, "gemini", ""))
        assert [asked.query for asked in server.asked] == [
            {"pageSize": "1000"},
            {"pageSize": "1000", "pageToken": "next"},
        ]
        for asked in server.asked:
            assert asked.headers["x-goog-api-key"] == KEY
            assert "authorization" not in asked.headers
    assert listing.models == (
        Listed("gemini-3.8-flash", context_window=1_048_576, max_output=65_536),
        Listed("embedder", chats=False),
    )


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
async def test_geminis_list_is_of_the_version_in_its_address(clients: HttpClients, version: str) -> None:
    async with serving({f"/{version}/models": {"models": [{"name": "models/gemini-4"}]}}) as server:
        listing = await read_listing(source(server, clients, "gemini", f"/{version}/"))
    assert listing.models == (Listed("gemini-4"),)


@pytest.mark.parametrize(
    ("kind", "path", "reply"),
    [
        ("openai", "/v1", Reply({"error": {"message": f"Incorrect API key provided: {KEY}"}}, 401)),
        ("anthropic", "", Reply({"error": {"type": "authentication_error"}}, 401)),
        ("gemini", "", Reply({"error": {"code": 400, "details": [{"reason": "API_KEY_INVALID"}]}}, 400)),
    ],
)
async def test_a_refused_key_is_said_without_the_key(clients: HttpClients, kind: str, path: str, reply: Reply) -> None:
    async with serving({}, otherwise=reply) as server:
        read = source(server, clients, kind, path)
        listing = await read_listing(read)
    assert listing.authorised is False
    assert listing.reachable
    assert "the key was not accepted" in listing.detail
    assert KEY not in repr(listing)
    assert KEY not in repr(read)


@pytest.mark.parametrize(
    ("reply", "kept", "said"),
    [
        (openai_list("m"), {"authorised": True, "unread": False}, "1 model listed"),
        (Reply("", 403), {}, "{} does not show its model list to this key (HTTP 403)"),
        (Reply("", 401), {"authorised": False}, "the key was not accepted by {}"),
        (Reply("", 400), {}, "{} answered HTTP 400 instead of a model list"),
        (Reply("API_KEY_INVALID", 404), {}, "{} answered HTTP 404 instead of a model list"),
        (Reply("", 300), {"unwell": True}, "{} answered HTTP 300 instead of a model list"),
        (Reply("", 399), {"unwell": True}, "{} answered HTTP 399 instead of a model list"),
        (Reply("", 499), {}, "{} answered HTTP 499 instead of a model list"),
        (Reply("", 500), {"unwell": True}, "{} answered HTTP 500 instead of a model list"),
        (Reply("[]", missing=9), {"reachable": False}, "the connection to {} broke (RemoteProtocolError)"),
        (Reply(silent=True), {"reachable": False, "silent": True}, "{} did not answer within 0.05 s"),
    ],
)
async def test_what_an_answer_says_of_the_server_is_kept(
    clients: HttpClients, reply: object, kept: dict[str, bool], said: str
) -> None:
    async with serving({"/v1/models": reply}) as server:
        slow = isinstance(reply, Reply) and reply.silent
        listing = await read_listing(source(server, clients), *([0.05] if slow else []))
    as_usual: dict[str, bool | None] = {"reachable": True, "authorised": None, "silent": False}
    as_usual |= {"unread": True, "unwell": False}
    assert {name: getattr(listing, name) for name in as_usual} == as_usual | kept
    assert listing.detail == said.format(f"127.0.0.1:{server.port}")
    assert listing.seconds > 0
    assert listing.server == ""


@pytest.mark.parametrize(
    ("kind", "path", "body", "key", "authorised"),
    [
        ("openai", "/v1", openai_list("m"), KEY, True),
        ("openai-compatible", "/v1", openai_list("m"), "", None),
        ("anthropic", "", openai_list("m"), KEY, True),
        ("gemini", "", {"models": [{"name": "m"}]}, KEY, True),
        ("openrouter", "/v1", openai_list("m"), KEY, None),
        ("openrouter", "/v1", openai_list("m"), "", None),
    ],
)
async def test_a_list_that_is_not_for_everyone_proves_the_key(
    clients: HttpClients, kind: str, path: str, body: object, key: str, authorised: bool | None
) -> None:
    async with serving({}, otherwise=body) as server:
        listing = await read_listing(source(server, clients, kind, path, key))
        sent = server.asked[0].headers
    assert (listing.authorised, len(listing.models)) == (authorised, 1)
    headers = {"anthropic": "x-api-key", "gemini": "x-goog-api-key"}
    assert {"authorization", "x-api-key", "x-goog-api-key"} & set(sent) == (
        {headers.get(kind, "authorization")} if key else set()
    )


async def test_a_server_that_wants_a_key_is_told_apart_from_one_that_refuses_it(clients: HttpClients) -> None:
    async with serving({}, otherwise=Reply("", 401)) as server:
        listing = await read_listing(source(server, clients, key=""))
    assert (listing.authorised, listing.detail) == (False, f"127.0.0.1:{server.port} wants a key")


class Broken(httpx2.AsyncBaseTransport):
    def __init__(self, error: Exception) -> None:
        self.error = error
        self.timeouts: list[object] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.timeouts.append(request.extensions["timeout"])
        raise self.error


@pytest.mark.parametrize(
    ("error", "silent", "said"),
    [
        (httpx2.ConnectTimeout("x"), False, "example.test could not be reached in time"),
        (httpx2.ReadTimeout("x"), True, "example.test did not answer in time"),
        (httpx2.PoolTimeout("x"), True, "example.test did not answer in time"),
        (httpx2.RemoteProtocolError("x"), False, "the connection to example.test broke (RemoteProtocolError)"),
        (httpx2.ReadError("x"), False, "the connection to example.test broke (ReadError)"),
        (httpx2.ConnectError("x"), False, "example.test could not be reached (ConnectError)"),
        (httpx2.StreamClosed(), False, "example.test could not be reached (StreamClosed)"),
        (ValueError("x"), False, "example.test could not be reached (ValueError)"),
    ],
)
@pytest.mark.parametrize("read", [read_listing, read_server])
async def test_how_a_server_was_missed_is_said(
    read: Callable[[Source, float], Awaitable[Listing]], error: Exception, silent: bool, said: str
) -> None:
    broken = Broken(error)
    async with httpx2.AsyncClient(transport=broken) as client:
        listing = await read(Source("openai-compatible", "http://example.test/v1", client, KEY), 20)
    assert (listing.reachable, listing.silent, listing.detail) == (False, silent, said)
    assert (listing.authorised, listing.unread, listing.unwell) == (None, True, False)
    assert set(map(str, broken.timeouts)) == {str(dict.fromkeys(("connect", "read", "write", "pool"), 6.0))}


@pytest.mark.parametrize("url", ["http://[broken/v1", "nowhere", "ftp://127.0.0.1/v1"])
async def test_an_address_that_is_none_is_unreachable(clients: HttpClients, url: str) -> None:
    listing = await read_listing(Source("openai", url, clients.local, KEY))
    assert (listing.reachable, listing.authorised, listing.unread, listing.unwell) == (False, None, True, False)
    assert "could not be reached" in listing.detail


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply("<html>welcome</html>"), "no model list"),
        (Reply("[" * 100_000), "no model list"),
        (Reply(b"\xff\xfe\x00"), "no model list"),
        (Reply("", 302, {"location": "http://evil.example/"}), "HTTP 302"),
        (Reply('{"data": [{"id": "gpt-5"}]}', 300), "HTTP 300"),
        (Reply("gone", 404), "HTTP 404"),
        (Reply(b"x" * (MAX_BODY + 1)), "more than 8 MB"),
        (Reply(b'{"data": [' + b"{}," * 200_000 + b"{}]}"), "too many parts"),
        (Reply(b'{"data": [' + b"[]," * 200_000 + b"[]]}"), "too many parts"),
        (Reply(b'{"data": [' + b"1," * 2_000_000 + b"1]}"), "too many parts"),
        (Reply(b"\x1f\x8b", headers={"content-encoding": "gzip"}), "compressed"),
        (Reply(b"{}", headers={"content-encoding": "br"}), "compressed"),
    ],
)
async def test_whatever_else_comes_becomes_a_sentence(clients: HttpClients, reply: Reply, says: str) -> None:
    async with serving({"/v1/models": reply}) as server:
        listing = await read_listing(source(server, clients))
    assert listing.models == ()
    assert says in listing.detail
    assert "\n" not in listing.detail
    assert KEY not in listing.detail


@pytest.mark.parametrize(("part", "most"), [(b"[]", 99_998), (b"{}", 99_998), (b"1", 750_000)])
async def test_a_list_of_the_most_parts_is_read_and_one_more_is_too_many(part: bytes, most: int) -> None:
    body = b"[" + part + (b"," + part) * most + b"]"
    assert len(await decoded(body, "there")) == most + 1
    with pytest.raises(ListingError, match="there sent too many parts"):
        await decoded(b"[" + part + (b"," + part) * (most + 1) + b"]", "there")


async def test_an_answer_of_the_most_bytes_is_read(clients: HttpClients) -> None:
    async with serving({"/v1/models": Reply(b" " * MAX_BODY)}) as server:
        listing = await read_listing(source(server, clients))
    assert listing.detail == f"127.0.0.1:{server.port} answered with nothing"


async def test_a_list_of_as_many_models_as_are_kept_is_read_with_all_that_openrouter_says_of_each(
    clients: HttpClients,
) -> None:
    said = {
        "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"], "tokenizer": "x"},
        "description": "Fast, cheap, and good at most things, be they short, long, or odd. " * 5,
        "pricing": {"prompt": "0.1", "completion": "0.2", "request": "0", "image": "0"},
        "supported_parameters": [f"parameter_{number}" for number in range(25)],
    }
    reply = Reply(openai_list(*(f"model-{number}" for number in range(5000)), **said))
    async with serving({"/v1/models": reply}) as server:
        listing = await read_listing(source(server, clients))
    assert len(listing.models) == 5000


async def test_a_silent_server_is_left_after_the_time_limit(clients: HttpClients) -> None:
    async with serving({"/v1/models": Reply(silent=True)}) as server:
        listing = await read_listing(source(server, clients), timeout_s=0.05)
    assert not listing.reachable
    assert "did not answer" in listing.detail


async def test_a_server_that_is_not_there_is_unreachable(clients: HttpClients) -> None:
    async with serving() as server:
        gone = source(server, clients)
    listing = await read_listing(gone)
    assert not listing.reachable
    assert "could not be reached" in listing.detail


@pytest.mark.parametrize("key", ["sk-with\nnewline", "sk-schlüssel", "sk-\x1b[31m"])
async def test_a_key_that_no_header_can_carry_is_refused_before_it_is_sent(clients: HttpClients, key: str) -> None:
    async with serving({"/v1/models": openai_list("gpt-6-luna")}) as server:
        listing = await read_listing(source(server, clients, key=key))
        assert server.asked == []
    assert listing.authorised is False
    assert key not in repr(listing)


async def test_hostile_names_are_left_out(clients: HttpClients) -> None:
    names = ["good", "evil\x1b]52;c;aGk=\x07", "two\nlines", "\u202ereversed", "x" * 201, "", " padded ", "x" * 200]
    body = openai_list(*names)
    body["data"] += [{"id": 7}, {"id": None}, {}, "text", None]  # type: ignore[operator]
    async with serving({"/v1/models": body}) as server:
        listing = await read_listing(source(server, clients))
    assert [model.name for model in listing.models] == ["good", "x" * 200]


async def test_a_key_that_a_server_lists_as_a_model_is_left_out(clients: HttpClients) -> None:
    key = Secret("0f2c9a7be41d4c0a8b6d")
    names = ["good", key.reveal(), f"team/{key.reveal()}", "sk-ant-api03-aB3dE5gH7jK9mN1pQ"]
    async with serving({"/v1/models": openai_list(*names)}) as server:
        listing = await read_listing(source(server, clients, key=key.reveal()))
    assert [model.name for model in listing.models] == ["good"]


@pytest.mark.parametrize("number", [-1, 0, 2**40, True, "4096", 1.5, None, [4096]])
async def test_a_window_that_is_no_count_of_tokens_is_unknown(clients: HttpClients, number: object) -> None:
    async with serving({"/v1/models": openai_list("m", context_length=number)}) as server:
        listing = await read_listing(source(server, clients))
    assert listing.models[0].context_window is None


def test_a_place_shows_neither_password_nor_path() -> None:
    assert place("https://me:hunter2@example.com:8443/v1?key=abc") == "example.com:8443"
    assert place("http://localhost/v1") == "localhost"
    assert place("/v1") == place("http://[broken") == "the server"


# OpenRouter -------------------------------------------------------------------------------------------------------

SONNET = {
    "id": "anthropic/claude-sonnet-5.5",
    "context_length": 1_000_000,
    "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
    "pricing": {"prompt": "0.000002", "completion": "0.00001", "input_cache_read": "0.0000001", "request": "0"},
    "top_provider": {"context_length": 900_000, "max_completion_tokens": 128_000},
    "supported_parameters": ["max_tokens", "tools", "reasoning"],
}


def test_openrouters_prices_windows_and_abilities_are_read() -> None:
    [model] = openrouter_catalogue.parse({"data": [SONNET]})
    assert model == Listed(
        "anthropic/claude-sonnet-5.5",
        Price(Rates(2_000_000, 10_000_000, cached_input=100_000), source="OpenRouter catalogue"),
        context_window=900_000,
        max_output=128_000,
        abilities=frozenset({Ability.VISION, Ability.TOOLS, Ability.THINKING}),
        accepts_temperature=False,
    )


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ({}, Listed("a/b")),
        ({"context_length": 8192}, Listed("a/b", context_window=8192)),
        ({"context_length": 8192, "top_provider": {"context_length": None}}, Listed("a/b", context_window=8192)),
        ({"top_provider": {"max_completion_tokens": 99}}, Listed("a/b", max_output=99)),
        ({"supported_parameters": []}, Listed("a/b", abilities=frozenset())),
        ({"supported_parameters": ["temperature"]}, Listed("a/b", abilities=frozenset(), accepts_temperature=True)),
        (
            {"supported_parameters": ["top_p", "structured_outputs"]},
            Listed("a/b", abilities=frozenset({Ability.STRUCTURED_OUTPUT}), accepts_temperature=False),
        ),
        (
            {"supported_parameters": ["response_format", "include_reasoning"]},
            Listed(
                *("a/b", None, None, None, frozenset({Ability.STRUCTURED_OUTPUT, Ability.THINKING})),
                accepts_temperature=False,
            ),
        ),
        ({"architecture": {"input_modalities": ["text"]}}, Listed("a/b", abilities=frozenset())),
        (
            {"architecture": {"input_modalities": ["image", "text"], "output_modalities": ["text"]}},
            Listed("a/b", abilities=frozenset({Ability.VISION})),
        ),
        (
            {"architecture": {"input_modalities": ["image"]}},
            Listed("a/b", None, None, None, frozenset({Ability.VISION}), chats=False),
        ),
        ({"architecture": {"output_modalities": ["image"]}}, Listed("a/b", chats=False)),
        ({"architecture": {"output_modalities": ["text"]}}, Listed("a/b")),
    ],
)
def test_what_openrouter_leaves_out_is_not_known(said: dict[str, object], read: Listed) -> None:
    assert openrouter_catalogue.parse({"data": [{"id": "a/b", **said}]}) == [read]


@pytest.mark.parametrize(
    ("pricing", "price"),
    [
        ({}, Price(Rates(2_000_000, 8_000_000), source="OpenRouter catalogue")),
        ({"input_cache_read": "0.0000005"}, Price(Rates(2_000_000, 8_000_000, 500_000), source="OpenRouter catalogue")),
        (
            {"input_cache_write": "0.0000025"},
            Price(Rates(2_000_000, 8_000_000, cache_write=2_500_000), source="OpenRouter catalogue"),
        ),
        (
            {"internal_reasoning": "0.000009"},
            Price(Rates(2_000_000, 8_000_000, reasoning=9_000_000), source="OpenRouter catalogue"),
        ),
        ({"internal_reasoning": "0"}, Price(Rates(2_000_000, 8_000_000), source="OpenRouter catalogue")),
        ({"request": "0.5"}, Price(Rates(2_000_000, 8_000_000), (), Money.from_usd("0.5"), "OpenRouter catalogue")),
        ({"request": 1}, Price(Rates(2_000_000, 8_000_000), (), Money.from_usd(1), "OpenRouter catalogue")),
        ({"request": None}, Price(Rates(2_000_000, 8_000_000), source="OpenRouter catalogue")),
        ({"request": True}, None),
        ({"request": "soon"}, None),
        ({"request": "999.9"}, Price(Rates(2_000_000, 8_000_000), (), Money.from_usd("999.9"), "OpenRouter catalogue")),
        ({"request": "1000"}, None),
        ({"request": "0" * 40}, Price(Rates(2_000_000, 8_000_000), source="OpenRouter catalogue")),
        ({"request": "0" * 41}, None),
        ({"input_cache_read": "-1"}, None),
        ({"overrides": [{"min_prompt_tokens": 9, "prompt": "-1"}]}, None),
        ({"overrides": [{"prompt": "-1"}, "soon"]}, Price(Rates(2_000_000, 8_000_000), source="OpenRouter catalogue")),
        ({"overrides": "soon"}, Price(Rates(2_000_000, 8_000_000), source="OpenRouter catalogue")),
        (
            {
                "overrides": [
                    {"min_prompt_tokens": 200, "prompt": "0.000004", "completion": "0.000016"},
                    {"min_prompt_tokens": 1, "prompt": "0.000003"},
                ]
            },
            Price(
                Rates(2_000_000, 8_000_000),
                (Tier(0, Rates(3_000_000, 8_000_000)), Tier(199, Rates(4_000_000, 16_000_000))),
                source="OpenRouter catalogue",
            ),
        ),
    ],
)
def test_every_part_of_openrouters_price_is_read(pricing: dict[str, object], price: Price | None) -> None:
    assert openrouter_catalogue.price({"prompt": "0.000002", "completion": "0.000008", **pricing}) == price


@pytest.mark.parametrize(
    "pricing",
    [
        {"prompt": "-1", "completion": "-1"},
        {"prompt": "0.000001"},
        {"prompt": "0.000001", "completion": None},
        {"prompt": "0.000001", "completion": "free"},
        {"prompt": "0.000001", "completion": "NaN"},
        {"prompt": "0.000001", "completion": "1e999999"},
        {"prompt": 0.000001, "completion": 0.000002},
        {"prompt": "0.000001", "completion": "0.000001", "request": "-1"},
        {},
        None,
    ],
)
def test_a_variable_or_unreadable_price_is_unknown_and_not_free(pricing: object) -> None:
    [model] = openrouter_catalogue.parse({"data": [{"id": "openrouter/auto", "pricing": pricing}]})
    assert model.price is None


async def test_a_name_that_repeats_the_key_in_any_form_or_shows_nothing_is_left_out(clients: HttpClients) -> None:
    names = [
        *("plain", KEY, f"x/{KEY[3:15]}", KEY[::-1], KEY.encode().hex(), base64.b64encode(KEY.encode()).decode()),
        *("".join(f"%{ord(letter):02x}" for letter in KEY), "\u200b\u200d", "\u3164", "\u2060", "..."),
    ]
    async with serving({"/v1/models": {"data": [{"id": name} for name in names]}}) as server:
        assert [model.name for model in (await read_listing(source(server, clients))).models] == ["plain"]
        assert [model.name for model in (await read_server(source(server, clients))).models] == ["plain"]


def test_a_price_of_zero_is_free() -> None:
    [model] = openrouter_catalogue.parse({"data": [{"id": "a/b:free", "pricing": {"prompt": "0", "completion": "0"}}]})
    assert model.price is not None
    assert model.price.free


def test_a_dearer_rate_for_long_prompts_becomes_a_tier() -> None:
    pricing = {
        **{"prompt": "0.000001", "completion": "0.000005", "input_cache_read": "0.0000001", "request": "0.001"},
        "overrides": [{"min_prompt_tokens": 200_000, "prompt": "0.000002"}],
    }
    price = openrouter_catalogue.price(pricing)
    assert price is not None
    assert price.rates_at(199_999).input == 1_000_000
    assert price.tiers == (Tier(199_999, Rates(2_000_000, 5_000_000, 100_000)),)
    assert price.per_call == Money.from_usd("0.001")


@pytest.mark.parametrize(("inputs", "outputs"), [(["text"], ["image", "text"]), (["audio"], ["text"])])
def test_what_does_not_read_and_write_text_alone_does_not_chat(inputs: list[str], outputs: list[str]) -> None:
    item = {"id": "a/b", "architecture": {"input_modalities": inputs, "output_modalities": outputs}}
    [model] = openrouter_catalogue.parse({"data": [item]})
    assert model.chats is False


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*SONNET, "data", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(json_values, st.sampled_from([*SONNET, "data"]))
def test_no_catalogue_however_odd_breaks_the_reader(value: object, where: str) -> None:
    bodies: list[object] = [value, {"data": value}, {"data": [value]}, {"data": [{**SONNET, where: value}]}]
    for body in bodies:
        assert all(model.name for model in openrouter_catalogue.parse(body))


def test_the_catalogue_is_kept_for_a_day_and_only_for_its_owner(tmp_path: Path) -> None:
    written = {"id": "x/z", "supported_parameters": ["temperature"], "architecture": {"input_modalities": ["audio"]}}
    models = openrouter_catalogue.parse({"data": [SONNET, {"id": "x/y"}, written]})
    directory = tmp_path / "new"
    now = float(int(time.time()))
    openrouter_catalogue.save(directory, "openrouter.ai", models, now)
    [file] = directory.iterdir()
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    for younger_s in (0, 3600, 24 * 3600 - 1):
        assert openrouter_catalogue.load(directory, "openrouter.ai", now + younger_s) == models
    assert openrouter_catalogue.load(directory, "openrouter.ai", now + 24 * 3600) is None
    assert openrouter_catalogue.load(directory, "openrouter.ai", now - 1) is None, "a clock that was set back"
    assert openrouter_catalogue.load(directory, "gateway.example", now + 3600) is None, "another server's catalogue"


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"format": 1}', '{"format":1,"stored":"x","models":[]}', "[" * 99_999]
)
def test_a_broken_cache_file_is_read_again_from_the_network(tmp_path: Path, content: str) -> None:
    openrouter_catalogue.save(tmp_path, "openrouter.ai", [Listed("a/b")], 0)
    [file] = tmp_path.iterdir()
    file.write_text(content)
    assert openrouter_catalogue.load(tmp_path, "openrouter.ai", 1) is None


def test_a_cache_entry_of_an_unknown_shape_is_no_catalogue(tmp_path: Path) -> None:
    openrouter_catalogue.save(tmp_path, "openrouter.ai", [Listed("a/b")], 0)
    [file] = tmp_path.iterdir()
    kept = json.loads(file.read_text())
    for odd in ({"models": [{**kept["models"][0], "abilities": ["flying"]}]}, {"format": 2}):
        file.write_text(json.dumps(kept | odd))
        assert openrouter_catalogue.load(tmp_path, "openrouter.ai", 1) is None


def test_a_cache_file_is_read_up_to_a_bound(tmp_path: Path) -> None:
    openrouter_catalogue.save(tmp_path, "openrouter.ai", [Listed("a/b")], 0)
    [file] = tmp_path.iterdir()
    for size, kept in ((MAX_BODY, [Listed("a/b")]), (MAX_BODY + 1, None)):
        file.write_text(file.read_text().strip().ljust(size))
        assert openrouter_catalogue.load(tmp_path, "openrouter.ai", 1) == kept


def test_a_disk_that_refuses_costs_nothing_but_the_cache(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    openrouter_catalogue.save(blocked, "openrouter.ai", [Listed("a/b")], 0)
    assert blocked.read_text() == "in the way"
    taken = tmp_path / "taken"
    (taken / "openrouter-models.json").mkdir(parents=True)
    openrouter_catalogue.save(taken, "openrouter.ai", [Listed("a/b")], 0)
    assert [path.name for path in taken.iterdir()] == ["openrouter-models.json"], "nothing half written is left"


async def test_a_list_of_very_many_models_is_read_to_a_bound(clients: HttpClients) -> None:
    many = {"data": [{"id": f"m{number}"} for number in range(6_000)]}
    async with serving({"/v1/models": many}) as server:
        asked = source(server, clients, "openai-compatible")
        for listing in (await read_listing(asked), await read_server(asked, 20)):
            assert [len(listing.models), listing.models[-1].name] == [5_000, "m4999"]
            assert "the first 5000 of the models listed" in listing.detail


@pytest.mark.parametrize("read", [read_listing, read_server])
async def test_a_list_that_was_asked_for_while_the_program_stood_still_is_asked_for_again(
    clients: HttpClients, read: Callable[[Source, float], Awaitable[Listing]]
) -> None:
    loop = asyncio.get_running_loop()
    ahead, real = [0.0], loop.time
    loop.time = lambda: real() + ahead[0]  # type: ignore[method-assign]

    def answer(asked: Asked) -> object:
        if not ahead[0]:
            ahead[0] = 3600.0
            return Reply(silent=True)
        return openai_list("m1")

    async with serving({"/v1/models": answer}) as server:
        listing = await read(source(server, clients, "openai-compatible"), 20)
    assert [model.name for model in listing.models] == ["m1"]
    assert listing.reachable
