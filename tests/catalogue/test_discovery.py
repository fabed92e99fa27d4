"""Servers on this machine, each as it really answers (shapes from the servers' own documentation and sources)."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack

import pytest

from tui_orchestrator.providers import discovery
from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.providers.discovery import discover, read_server
from tui_orchestrator.providers.listings import Listed, Listing, Source
from tui_orchestrator.routing.money import FREE
from tui_orchestrator.routing.profile import Ability
from tui_orchestrator.settings import ProviderSettings

from .server import Asked, Reply, serving

SEES, USES_TOOLS, THINKS, WRITES_JSON = Ability.VISION, Ability.TOOLS, Ability.THINKING, Ability.STRUCTURED_OUTPUT

LMSTUDIO = {
    "/api/v0/models": {
        "object": "list",
        "data": [
            {
                "id": "qwen2-vl-7b-instruct",
                "object": "model",
                "type": "vlm",
                "state": "not-loaded",
                "max_context_length": 32768,
            },
            {
                "id": "meta-llama-3.1-8b-instruct",
                "object": "model",
                "type": "llm",
                "state": "loaded",
                "max_context_length": 131072,
                "loaded_context_length": 4096,
                "capabilities": ["tool_use"],
            },
            {"id": "text-embedding-nomic-v1.5", "object": "model", "type": "embeddings", "state": "not-loaded"},
        ],
    },
    "/v1/models": {"object": "list", "data": [{"id": "qwen2-vl-7b-instruct", "owned_by": "organization_owner"}]},
}
# LM Studio answers every path it does not know with 200.
LMSTUDIO_OTHERWISE = Reply({"error": "Unexpected endpoint or method. (GET /props). Returning 200 anyway"})


def ollama_show(asked: Asked) -> object:
    name = asked.body.decode()
    if "llama3" in name:
        return {
            "capabilities": ["completion", "tools"],
            "model_info": {"general.architecture": "llama", "llama.context_length": 131072},
            "parameters": 'stop   "<|eot_id|>"\nnum_ctx                        16384\n',
        }
    if "qwen3" in name:
        return {"capabilities": ["completion", "thinking"], "model_info": {"qwen3.context_length": 40960}}
    if "nomic" in name:
        return {"capabilities": ["embedding"], "model_info": {"nomic-bert.context_length": 2048}}
    return Reply("no such model", 404)


OLLAMA = {
    "/api/version": {"version": "0.40.12"},
    "/api/tags": {
        "models": [
            {"name": "llama3:latest", "details": {"parameter_size": "8.0B"}},
            {"name": "qwen3:8b", "details": {"parameter_size": "8.2B"}},
            {"name": "nomic-embed-text:latest", "details": {"parameter_size": "137M"}},
            {"name": "gpt-oss:120b-cloud", "remote_host": "https://ollama.com"},
        ]
    },
    "/api/ps": {"models": [{"name": "qwen3:8b", "context_length": 8192}]},
    "/api/show": ollama_show,
    "/v1/models": {"object": "list", "data": [{"id": "qwen3:8b", "object": "model", "owned_by": "library"}]},
}
LLAMACPP = {
    "/props": {
        "default_generation_settings": {"n_ctx": 8192},
        "total_slots": 1,
        "model_path": "/home/me/models/gemma-3-4b-it-Q4_K_M.gguf",
        "modalities": {"vision": True, "audio": False},
    },
    "/v1/models": {
        "object": "list",
        "data": [{"id": "gemma-3-4b-it-Q4_K_M.gguf", "object": "model", "owned_by": "llamacpp", "created": 1}],
    },
}
VLLM = {
    "/v1/models": {
        "object": "list",
        "data": [
            {"id": "Qwen/Qwen3-8B", "object": "model", "owned_by": "vllm", "created": 1, "max_model_len": 40960},
        ],
    },
}
MLX = {
    "/v1/models": {
        "object": "list",
        "data": [{"id": "mlx-community/Llama-3.2-3B-Instruct-4bit", "object": "model", "created": 1731000000}],
    },
}
SOMEBODYS_WEBSITE = Reply("<!doctype html><title>My app</title>")
SOMEBODYS_API = Reply({"status": "ok", "version": 3, "data": []})


async def read(
    clients: HttpClients, routes: dict[str, object], otherwise: object = Reply("", 404), timeout_s: float = 20
) -> Listing:
    async with serving(routes, otherwise) as server:
        return await read_server(Source("openai-compatible", server.url + "/v1", clients.local), timeout_s)


async def test_lm_studio_tells_types_windows_and_what_is_loaded(clients: HttpClients) -> None:
    listing = await read(clients, dict(LMSTUDIO), LMSTUDIO_OTHERWISE)
    assert listing.server == "lmstudio"
    vision, llama, embedder = listing.models
    assert (vision.context_window, vision.loaded, SEES in (vision.abilities or ())) == (32768, False, True)
    assert (llama.context_window, llama.loaded, USES_TOOLS in (llama.abilities or ())) == (4096, True, True)
    assert embedder.chats is False
    assert {model.price for model in listing.models} == {FREE}


@pytest.mark.parametrize(
    ("said", "read_as"),
    [
        (
            {"state": "loaded", "type": "llm", "max_context_length": 9},
            Listed("m", FREE, 9, abilities=frozenset({WRITES_JSON}), chats=True, loaded=True),
        ),
        (
            {"state": "not-loaded", "type": "vlm", "max_context_length": 9, "loaded_context_length": 5},
            Listed("m", FREE, 9, abilities=frozenset({WRITES_JSON, SEES}), chats=True, loaded=False),
        ),
        (
            {"state": "loaded", "type": "llm", "capabilities": ["other", "tool_use"]},
            Listed("m", FREE, abilities=frozenset({WRITES_JSON, USES_TOOLS}), chats=True, loaded=True),
        ),
        (
            {"state": "loaded", "type": "llm", "capabilities": "tool_use"},
            Listed("m", FREE, abilities=frozenset({WRITES_JSON}), chats=True, loaded=True),
        ),
        (
            {"state": "loaded", "type": "tts"},
            Listed("m", FREE, abilities=frozenset({WRITES_JSON}), chats=False, loaded=True),
        ),
    ],
)
async def test_each_field_of_lm_studios_list_is_read(
    clients: HttpClients, said: dict[str, object], read_as: Listed
) -> None:
    body = {"object": "list", "data": [{"id": "no\nname", **said}, {"id": "m", **said}]}
    listing = await read(clients, {"/api/v0/models": body}, LMSTUDIO_OTHERWISE)
    assert listing.models == (read_as,)
    assert listing.detail == "lmstudio: 1 model listed"


async def test_ollama_tells_windows_and_abilities_of_each_model(clients: HttpClients) -> None:
    listing = await read(clients, dict(OLLAMA))
    assert listing.server == "ollama"
    llama, qwen, nomic, cloud = listing.models
    assert (llama.context_window, llama.loaded, llama.parameters) == (16384, False, "8.0B")
    assert (qwen.context_window, qwen.loaded) == (8192, True)
    assert qwen.abilities is not None
    assert THINKS in qwen.abilities
    assert USES_TOOLS not in qwen.abilities
    assert nomic.chats is False
    assert cloud.context_window is None, "a model that cannot be shown is listed all the same"


@pytest.mark.parametrize(
    ("tag", "shown", "read_as"),
    [
        ({}, {}, Listed("m", FREE, loaded=False)),
        ({"details": {"parameter_size": "1" * 17}}, [], Listed("m", FREE, loaded=False, parameters="1" * 16)),
        ({"details": {"parameter_size": 8}}, {}, Listed("m", FREE, loaded=False)),
        ({"details": "8B"}, {"capabilities": "vision"}, Listed("m", FREE, loaded=False)),
        ({"remote_host": "https://ollama.com"}, {}, Listed("m", loaded=False, remote=True)),
        ({"name": "m-cloud"}, {}, Listed("m-cloud", loaded=False, remote=True)),
        ({"name": "m:cloud"}, {}, Listed("m:cloud", loaded=False, remote=True)),
        ({"name": "m:cloudy"}, {}, Listed("m:cloudy", FREE, loaded=False)),
        (
            {},
            {"capabilities": ["completion", "vision", "tools", "thinking", 5, "insert"]},
            Listed("m", FREE, abilities=frozenset({WRITES_JSON, SEES, USES_TOOLS, THINKS}), loaded=False),
        ),
        (
            {},
            {"capabilities": ["embedding"]},
            Listed("m", FREE, abilities=frozenset({WRITES_JSON}), chats=False, loaded=False),
        ),
        ({}, {"model_info": {"x.context_length": 7}}, Listed("m", FREE, 7, loaded=False)),
        ({}, {"model_info": {"x.length": 7}, "parameters": "num_ctx 5"}, Listed("m", FREE, 5, loaded=False)),
        (
            {},
            {"model_info": {"x.context_length": 7}, "parameters": "stop x\nnum_ctx   5  \ntop_k 3"},
            Listed("m", FREE, 5, loaded=False),
        ),
        ({}, {"model_info": {"x.context_length": 7}, "parameters": ["num_ctx 5"]}, Listed("m", FREE, 7, loaded=False)),
        (
            {"name": "running"},
            {"model_info": {"x.context_length": 7}, "parameters": "num_ctx 5"},
            Listed("running", FREE, 3, loaded=True),
        ),
    ],
)
async def test_each_field_of_ollamas_lists_is_read(
    clients: HttpClients, tag: dict[str, object], shown: object, read_as: Listed
) -> None:
    routes = {
        "/api/version": {"version": "0.40.12"},
        "/api/tags": {"models": [{"name": "no\nname"}, {"name": "m", **tag}]},
        "/api/ps": {"models": [{"name": "running", "context_length": 3}]},
        "/api/show": shown,
    }
    async with serving(routes) as server:
        listing = await read_server(Source("openai-compatible", server.url + "/v1", clients.local), 20)
        [show] = [asked for asked in server.asked if asked.path == "/api/show"]
    assert (show.method, json.loads(show.body)) == ("POST", {"model": read_as.name})
    assert listing.models == (read_as,)
    assert listing.detail == "ollama: 1 model listed"


async def test_of_a_long_list_of_ollamas_the_first_are_shown_and_all_are_listed(
    clients: HttpClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "_MOST_SHOWN", 3)
    tags = {"models": [{"name": f"m{number}"} for number in range(5)]}
    routes = {"/api/version": {"version": "1"}, "/api/tags": tags, "/api/show": {"model_info": {"x.context_length": 7}}}
    listing = await read(clients, routes)
    assert [model.name for model in listing.models] == [f"m{number}" for number in range(5)]
    assert [model.context_window for model in listing.models] == [7] * 3 + [None] * 2


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"models": None}, "ollama: its model list is empty"),
        ({}, "ollama: its model list is empty"),
        ([], "answered with something that is no model list"),
        ({"models": "none"}, "answered with something that is no model list"),
        (Reply("", 500), "answered HTTP 500 instead of a model list"),
    ],
)
async def test_an_ollama_without_a_list_is_told(clients: HttpClients, tags: object, said: str) -> None:
    listing = await read(clients, {"/api/version": {"version": "1"}, "/api/tags": tags})
    assert (listing.models, listing.reachable) == ((), True)
    assert listing.detail.endswith(said)


async def test_a_model_that_ollama_sends_elsewhere_is_not_free(clients: HttpClients) -> None:
    listing = await read(clients, dict(OLLAMA))
    assert [(model.remote, model.price) for model in listing.models] == [(False, FREE)] * 3 + [(True, None)]


async def test_an_ollama_that_is_slow_to_show_still_lists(clients: HttpClients) -> None:
    listing = await read(clients, {**OLLAMA, "/api/show": Reply(silent=True)}, timeout_s=3)
    assert [model.name for model in listing.models][:2] == ["llama3:latest", "qwen3:8b"]


async def test_llama_cpp_tells_its_window_and_whether_it_sees(clients: HttpClients) -> None:
    listing = await read(clients, dict(LLAMACPP))
    [model] = listing.models
    assert (listing.server, model.name, model.context_window) == ("llamacpp", "gemma-3-4b-it-Q4_K_M.gguf", 8192)
    assert SEES in (model.abilities or ())


@pytest.mark.parametrize("broken", [Reply(b""), Reply("", 500), Reply({"data": []})])
async def test_llama_cpp_with_a_broken_list_is_named_after_its_file(clients: HttpClients, broken: Reply) -> None:
    listing = await read(clients, {**LLAMACPP, "/v1/models": broken})
    assert [model.name for model in listing.models] == ["gemma-3-4b-it-Q4_K_M.gguf"]


@pytest.mark.parametrize(
    ("props", "listed", "models"),
    [
        ({}, [{"id": "m", "context_length": 9}], [Listed("m", FREE, 5, loaded=True)]),
        ({"default_generation_settings": {}}, [{"id": "m", "context_length": 9}], [Listed("m", FREE, 9, loaded=True)]),
        (
            {"modalities": {"vision": True}},
            [{"id": "m"}],
            [Listed("m", FREE, 5, abilities=frozenset({SEES, WRITES_JSON}), loaded=True)],
        ),
        ({"modalities": {"vision": "no"}}, [{"id": "m"}], [Listed("m", FREE, 5, loaded=True)]),
        ({"modalities": True}, [{"id": "m"}], [Listed("m", FREE, 5, loaded=True)]),
        ({"model_path": "C:\\models\\m.gguf"}, [], [Listed("m.gguf", FREE, 5, loaded=True)]),
        ({"model_path": "/models/m.gguf", "model_alias": "mine"}, [], [Listed("mine", FREE, 5, loaded=True)]),
        ({"model_path": "/models/no\nname"}, [], [Listed("default", FREE, 5, loaded=True)]),
        ({}, [], [Listed("default", FREE, 5, loaded=True)]),
        # A router over several models: its properties are those of none of them.
        ({}, [{"id": "a"}, {"id": "b", "context_length": 9}], [Listed("a", FREE), Listed("b", FREE, 9)]),
    ],
)
async def test_each_field_of_llama_cpps_properties_is_read(
    clients: HttpClients, props: dict[str, object], listed: list[object], models: list[Listed]
) -> None:
    routes = {"/props": {"default_generation_settings": {"n_ctx": 5}, **props}, "/v1/models": {"data": listed}}
    listing = await read(clients, routes)
    assert (listing.server, list(listing.models)) == ("llamacpp", models)


async def test_a_llama_cpp_that_hides_its_properties_is_known_by_its_list(clients: HttpClients) -> None:
    listing = await read(clients, {"/v1/models": LLAMACPP["/v1/models"]})
    assert (listing.server, listing.models[0].context_window) == ("llamacpp", None)


async def test_vllm_tells_its_longest_conversation(clients: HttpClients) -> None:
    listing = await read(clients, dict(VLLM))
    assert (listing.server, listing.models[0].context_window) == ("vllm", 40960)


async def test_mlx_is_known_by_its_list(clients: HttpClients) -> None:
    listing = await read(clients, dict(MLX))
    assert (listing.server, listing.models[0].name) == ("mlx", "mlx-community/Llama-3.2-3B-Instruct-4bit")


A_MODEL = {"id": "a/b", "object": "model", "created": 1}
AN_LM_STUDIO = {"object": "list", "data": [{"id": "m", "state": "loaded", "type": "llm"}]}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/v1/models", {"data": []}),
        *(
            ("/v1/models", {"data": [A_MODEL, odd]})
            for odd in (
                {**A_MODEL, "owned_by": "somebody"},
                {**A_MODEL, "id": "b"},
                {**A_MODEL, "object": "thing"},
                {"id": "a/b", "object": "model"},
            )
        ),
        ("/api/version", {"version": 3}),
        ("/api/version", ["0.40"]),
        ("/props", {"default_generation_settings": 5}),
        ("/props", [{"default_generation_settings": {}}]),
        ("/api/v0/models", {**AN_LM_STUDIO, "object": "page"}),
        ("/api/v0/models", {"object": "list", "data": {}}),
        ("/api/v0/models", AN_LM_STUDIO["data"]),
        ("/api/v0/models", {"object": "list", "data": [{"id": "m", "state": "loaded"}]}),
        ("/api/v0/models", {"object": "list", "data": [{"id": "m", "type": "llm"}]}),
    ],
)
async def test_a_server_is_known_by_the_whole_of_its_answer(clients: HttpClients, path: str, said: object) -> None:
    listing = await read(clients, {"/v1/models": {"data": [{"id": "m", "owned_by": "x"}]}, path: said})
    assert (listing.server, listing.reachable) == ("", True)
    assert FREE not in [model.price for model in listing.models]


async def test_an_lm_studio_without_models_is_one_too(clients: HttpClients) -> None:
    listing = await read(clients, {"/api/v0/models": {"object": "list", "data": []}}, LMSTUDIO_OTHERWISE)
    assert (listing.server, listing.detail) == ("lmstudio", "lmstudio: its model list is empty")


async def test_another_compatible_server_lists_without_a_name_and_without_a_price(clients: HttpClients) -> None:
    routes = {"/v1/models": {"object": "list", "data": [{"id": "gpt-4o", "object": "model", "owned_by": "openai"}]}}
    listing = await read(clients, routes)  # type: ignore[arg-type]
    assert (listing.server, listing.models[0].price, listing.detail) == ("", None, "1 model listed")
    assert listing.seconds > 0


@pytest.mark.parametrize(
    ("reply", "said", "unread"),
    [
        (Reply({"data": []}), "its model list is empty", False),
        (Reply(b""), "answered with nothing", True),
        (Reply("", 500), "answered HTTP 500 instead of a model list", True),
    ],
)
async def test_a_server_with_an_empty_or_failing_list_is_reachable(
    clients: HttpClients, reply: Reply, said: str, unread: bool
) -> None:
    listing = await read(clients, {"/v1/models": reply})
    assert (listing.reachable, listing.unread) == (True, unread)
    assert listing.detail.endswith(said)


async def test_a_local_server_that_wants_a_key_says_so(clients: HttpClients) -> None:
    listing = await read(clients, {}, Reply("", 401))
    assert (listing.reachable, listing.authorised) == (True, False)
    assert "wants a key" in listing.detail


@pytest.mark.parametrize("path", ["/props", "/api/version", "/api/v0/models"])
async def test_a_key_that_is_refused_anywhere_is_why_there_is_no_list(clients: HttpClients, path: str) -> None:
    listing = await read(clients, {path: Reply("", 401)}, Reply("", 500))
    assert (listing.reachable, listing.authorised, listing.unread, listing.unwell) == (True, False, True, False)
    listing = await read(clients, {path: Reply("", 401), "/v1/models": {"data": [{"id": "m"}]}})
    assert (listing.authorised, listing.detail) == (None, "1 model listed"), "nobody asks for more than the list"


async def test_a_server_that_keeps_silent_is_told_as_such(clients: HttpClients) -> None:
    listing = await read(clients, {}, Reply(silent=True), timeout_s=0.05)
    assert (listing.reachable, listing.silent, listing.unread, listing.unwell) == (False, True, True, False)
    assert listing.detail.endswith(" did not answer within 0.05 s")
    assert listing.seconds > 0.04


async def test_each_server_is_found_whatever_port_it_listens_on(clients: HttpClients) -> None:
    async with AsyncExitStack() as stack:
        routes = [(LMSTUDIO, LMSTUDIO_OTHERWISE), (OLLAMA, Reply("", 404)), (LLAMACPP, Reply("", 404))]
        routes += [(VLLM, Reply("", 404)), (MLX, Reply("", 404))]
        servers = [await stack.enter_async_context(serving(dict(r), o)) for r, o in routes]
        found = await discover(clients.local, [server.port for server in servers], timeout_s=20)
    assert [one.provider.name for one in found] == ["lmstudio", "ollama", "llamacpp", "vllm", "mlx"]
    for one, server in zip(found, servers, strict=True):
        assert one.provider.base_url == f"{server.url}/v1"
        assert one.provider.local
        assert one.provider.usable
        assert one.provider.api_key is None


@pytest.mark.parametrize("otherwise", [SOMEBODYS_WEBSITE, SOMEBODYS_API, Reply("", 500), Reply("", 401), Reply(b"")])
async def test_somebodys_web_server_is_not_taken_for_a_model_server(clients: HttpClients, otherwise: Reply) -> None:
    async with serving({}, otherwise) as server:
        assert await discover(clients.local, [server.port], timeout_s=20) == []


async def test_two_servers_of_a_kind_get_two_names(clients: HttpClients) -> None:
    async with serving(dict(LLAMACPP)) as one, serving(dict(LLAMACPP)) as two:
        found = await discover(clients.local, [one.port, two.port], timeout_s=20)
    assert [server.provider.name for server in found] == ["llamacpp", f"llamacpp-{two.port}"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "0.0.0.0"])
async def test_a_configured_server_is_not_found_again(clients: HttpClients, host: str) -> None:
    async with serving(dict(OLLAMA)) as mine, serving(dict(OLLAMA)) as other:
        url = f"http://{host}:{mine.port}/v1"
        taken = {"ollama": ProviderSettings("ollama", "openai-compatible", url, local=True)}
        found = await discover(clients.local, [mine.port, other.port], taken, timeout_s=20)
        assert mine.asked == []
    assert [server.provider.name for server in found] == [f"ollama-{other.port}"]


@pytest.mark.parametrize("url", ["http://192.0.2.1:{port}/v1", "http://127.0.0.1/v1", "http://[broken:{port}", None])
async def test_a_server_elsewhere_hides_none_of_this_machine(clients: HttpClients, url: str | None) -> None:
    async with serving(dict(VLLM)) as here:
        away = ProviderSettings("away", "openai-compatible", url and url.format(port=here.port))
        found = await discover(clients.local, [here.port], {"away": away}, timeout_s=20)
    assert [server.provider.name for server in found] == ["vllm"]


async def test_silence_on_one_port_does_not_cost_what_was_found_on_another(clients: HttpClients) -> None:
    async with serving({}, Reply(silent=True)) as silent, serving(dict(VLLM)) as vllm:
        found = await discover(clients.local, [silent.port, vllm.port], timeout_s=2)
    assert [server.provider.name for server in found] == ["vllm"]


async def test_nothing_listening_is_nothing_found(clients: HttpClients) -> None:
    async with serving() as server:
        port = server.port
    assert await discover(clients.local, [port]) == []


async def test_no_probe_outlives_the_discovery(clients: HttpClients) -> None:
    before = asyncio.all_tasks()
    async with serving({}, Reply(silent=True)) as silent:
        task = asyncio.create_task(discover(clients.local, [silent.port], timeout_s=30))
        await silent.heard.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        left = {t.get_coro().__qualname__ for t in asyncio.all_tasks() - before}  # type: ignore[union-attr]
    assert "_knock" not in left
