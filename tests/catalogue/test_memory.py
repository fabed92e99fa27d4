"""Models in and out of the memory of servers that speak as Ollama and LM Studio do."""

from __future__ import annotations

import json

import pytest

from tests.catalogue.server import Asked, Reply, Server, serving
from tui_orchestrator.providers import memory
from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.providers.listings import MAX_BODY, Source


def source(server: Server, clients: HttpClients, key: str = "") -> Source:
    return Source("openai-compatible", f"{server.url}/v1", clients.local, key)


def said(asked: Asked) -> tuple[str, object]:
    return asked.path, json.loads(asked.body) if asked.body else None


async def test_ollama_loads_without_a_prompt_and_unloads_by_keeping_nothing_alive(clients: HttpClients) -> None:
    done = {"model": "qwen4:8b", "response": "", "done": True, "done_reason": "load"}
    async with serving({"/api/generate": done}) as server:
        await memory.load(source(server, clients), "ollama", "qwen4:8b")
        await memory.unload(source(server, clients), "ollama", "qwen4:8b")
    assert [said(asked) for asked in server.asked] == [
        ("/api/generate", {"model": "qwen4:8b", "stream": False}),
        ("/api/generate", {"model": "qwen4:8b", "keep_alive": 0, "stream": False}),
    ]


async def test_lm_studio_unloads_every_instance_of_the_model_and_no_other(clients: HttpClients) -> None:
    models = {
        "models": [
            {"key": "qwen/qwen4-8b", "loaded_instances": [{"id": "qwen/qwen4-8b"}, {"id": "qwen/qwen4-8b:2"}]},
            {"key": "other", "loaded_instances": [{"id": "other"}, {"id": 5}, "odd"]},
            {"key": "alias", "loaded_instances": [{"id": "named"}]},
        ]
    }
    routes = {
        "/api/v1/models": models,
        "/api/v1/models/load": {"instance_id": "qwen/qwen4-8b", "status": "loaded"},
        "/api/v1/models/unload": lambda asked: {"instance_id": json.loads(asked.body)["instance_id"]},
    }
    async with serving(routes) as server:
        await memory.load(source(server, clients, "token-of-mine"), "lmstudio", "qwen/qwen4-8b")
        await memory.unload(source(server, clients, "token-of-mine"), "lmstudio", "qwen/qwen4-8b")
        await memory.unload(source(server, clients, "token-of-mine"), "lmstudio", "named")
    assert [said(asked) for asked in server.asked] == [
        ("/api/v1/models/load", {"model": "qwen/qwen4-8b"}),
        ("/api/v1/models", None),
        ("/api/v1/models/unload", {"instance_id": "qwen/qwen4-8b"}),
        ("/api/v1/models/unload", {"instance_id": "qwen/qwen4-8b:2"}),
        ("/api/v1/models", None),
        ("/api/v1/models/unload", {"instance_id": "named"}),
    ]
    assert [asked.method for asked in server.asked] == ["POST", "GET", "POST", "POST", "GET", "POST"]
    for asked in server.asked:
        assert (asked.headers["authorization"], asked.headers["accept-encoding"]) == (
            *("Bearer token-of-mine", "identity"),
        )


@pytest.mark.parametrize(
    ("server", "reply", "sentence"),
    [
        ("lmstudio", Reply({"error": "Unexpected endpoint or method. (POST /api/v1/models/load)"}), "0.4 or newer can"),
        ("lmstudio", Reply("", 404), "cannot be told so; LM Studio 0.4 or newer can"),
        ("lmstudio", Reply({"error": {"message": "no room\x1b[2J"}}, 500), "refused (HTTP 500): no room[2J"),
        ("ollama", Reply({"error": "no room"}), "refused (HTTP 200): no room"),
        ("ollama", Reply("Unexpected endpoint", 404), "refused (HTTP 404)"),
        ("ollama", Reply({"error": {"code": 5}}, 500), "refused (HTTP 500)"),
        ("ollama", Reply({}, missing=9), "could not be reached (RemoteProtocolError)"),
        ("ollama", Reply({"error": "model 'qwen4' not found"}, 404), "refused (HTTP 404): model 'qwen4' not found"),
        ("ollama", Reply("<html>", 502), "refused (HTTP 502)"),
        ("ollama", Reply("x" * (MAX_BODY + 1)), "sent more than 8 MB; it was not read"),
        ("ollama", Reply("[" * 300_000, 500), "refused (HTTP 500)"),
    ],
)
async def test_a_server_that_does_not_do_it_is_told_in_one_sentence(
    clients: HttpClients, server: str, reply: Reply, sentence: str
) -> None:
    async with serving({}, otherwise=reply) as there:
        with pytest.raises(memory.NotMoved) as caught:
            await memory.load(source(there, clients), server, "qwen4")
    said = str(caught.value)
    assert said.startswith(f"127.0.0.1:{there.port} ")
    assert said.endswith(sentence)


async def test_a_server_that_has_gone_is_told_too(clients: HttpClients) -> None:
    async with serving({}) as there:
        gone = source(there, clients)
    with pytest.raises(memory.NotMoved, match=r"127\.0\.0\.1:\d+ could not be reached"):
        await memory.load(gone, "ollama", "qwen4")
