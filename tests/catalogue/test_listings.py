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

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.providers import openrouter_catalogue
from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.providers.discovery import read_server
from tui_orchestrator.providers.listings import MAX_BODY, Listed, Listing, Source, place, read_listing
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
        assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"


async def test_a_model_past_its_shutdown_date_is_left_out(clients: HttpClients) -> None:
    body = openai_list("gpt-5")
    body["data"] += openai_list("gpt-4.5", shutdown_date="2025-07-14")["data"]  # type: ignore[operator]
    body["data"] += openai_list("gpt-9", shutdown_date="2999-01-01")["data"]  # type: ignore[operator]
    async with serving({"/v1/models": body}) as server:
        listing = await read_listing(source(server, clients))
    assert [model.name for model in listing.models] == ["gpt-5", "gpt-9"]


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
        assert server.asked[0].headers["x-api-key"] == KEY
        assert server.asked[0].headers["anthropic-version"]
        assert "authorization" not in server.asked[0].headers
    opus, haiku = listing.models
    assert opus == Listed("claude-opus-5-5", None, 1_000_000, 128_000, frozenset({Ability.VISION, Ability.TOOLS}))
    assert haiku == Listed("claude-haiku-5-5")


async def test_a_list_whose_pages_never_end_is_read_to_a_bound(clients: HttpClients) -> None:
    endless = {"data": [{"id": "claude-opus-5"}], "has_more": True, "last_id": "claude-opus-5"}
    async with serving({"/v1/models": endless}) as server:
        listing = await read_listing(source(server, clients, "anthropic", ""))
        assert len(server.asked) == 20
    assert listing.reachable


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
        assert server.asked[0].headers["x-goog-api-key"] == KEY
        assert KEY not in str(server.asked[0].query)
    assert listing.models == (
        Listed("gemini-3.8-flash", context_window=1_048_576, max_output=65_536),
        Listed("embedder", chats=False),
    )


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


async def test_a_key_that_may_not_list_is_not_a_refused_key(clients: HttpClients) -> None:
    async with serving({"/v1/models": Reply("", 403)}) as server:
        listing = await read_listing(source(server, clients))
    assert listing.authorised is None
    assert "does not show its model list to this key" in listing.detail


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
    names = ["good", "evil\x1b]52;c;aGk=\x07", "two\nlines", "\u202ereversed", "x" * 201, "", " padded "]
    body = openai_list(*names)
    body["data"] += [{"id": 7}, {"id": None}, {}, "text", None]  # type: ignore[operator]
    async with serving({"/v1/models": body}) as server:
        listing = await read_listing(source(server, clients))
    assert [model.name for model in listing.models] == ["good"]


async def test_a_key_that_a_server_lists_as_a_model_is_left_out(clients: HttpClients) -> None:
    key = Secret("0f2c9a7be41d4c0a8b6d")
    names = ["good", key.reveal(), f"team/{key.reveal()}", "sk-ant-api03-aB3dE5gH7jK9mN1pQ"]
    async with serving({"/v1/models": openai_list(*names)}) as server:
        listing = await read_listing(source(server, clients, key=key.reveal()))
    assert [model.name for model in listing.models] == ["good"]


@pytest.mark.parametrize("number", [-1, 0, 2**60, True, "4096", 1.5, None, [4096]])
async def test_a_window_that_is_no_count_of_tokens_is_unknown(clients: HttpClients, number: object) -> None:
    async with serving({"/v1/models": openai_list("m", context_length=number)}) as server:
        listing = await read_listing(source(server, clients))
    assert listing.models[0].context_window is None


def test_a_place_shows_neither_password_nor_path() -> None:
    assert place("https://me:hunter2@example.com:8443/v1?key=abc") == "example.com:8443"
    assert place("http://[broken") == "the server"


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
    models = openrouter_catalogue.parse({"data": [SONNET, {"id": "x/y"}]})
    directory = tmp_path / "new"
    now = time.time()
    openrouter_catalogue.save(directory, "openrouter.ai", models, now)
    [file] = directory.iterdir()
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert openrouter_catalogue.load(directory, "openrouter.ai", now + 3600) == models
    assert openrouter_catalogue.load(directory, "openrouter.ai", now + 25 * 3600) is None
    assert openrouter_catalogue.load(directory, "openrouter.ai", now - 3600) is None, "a clock that was set back"
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
    kept["models"][0]["abilities"] = ["flying"]
    file.write_text(json.dumps(kept))
    assert openrouter_catalogue.load(tmp_path, "openrouter.ai", 1) is None


def test_a_disk_that_refuses_costs_nothing_but_the_cache(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    openrouter_catalogue.save(blocked, "openrouter.ai", [Listed("a/b")], 0)
    assert blocked.read_text() == "in the way"


async def test_openrouters_list_proves_no_key(clients: HttpClients) -> None:
    async with serving({"/api/v1/models": {"data": [SONNET]}}) as server:
        listing: Listing = await read_listing(source(server, clients, "openrouter", "/api/v1"))
    assert listing.authorised is None
    assert len(listing.models) == 1


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
