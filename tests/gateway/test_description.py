"""What the gateway takes and answers is what its OpenAPI description says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import httpx2
import pytest

from tui_orchestrator.demo import Say

from .conftest import Gateway

ROOT = "/api/v1/orchestrator"
KINDS: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"model": "nobody", "messages": [{"role": "user", "content": "Is it so?"}]},
    f"{ROOT}/chat/route": {"prompt": "Is it so?"},
    f"{ROOT}/batch/submit": {"lines": [{"prompt": "Is it so?", "model": "nobody"}]},
    f"{ROOT}/preferences/update": {"request_id": "nobody's", "vote": "up"},
}
VALUES: list[Any] = [None, True, 0, -1, 1.5, 10**30, "", "x", [], ["x"], [[]], {}, {"a": 1}]


def unlike(value: Any, schema: dict[str, Any], at: str = "it") -> Iterator[str]:
    """What of a value is not as the schema says. As much of JSON Schema as the description uses."""
    assert schema.keys() <= {
        *("type", "enum", "const", "oneOf", "required", "properties", "additionalProperties", "items"),
        *("minimum", "maximum", "minItems", "maxItems", "description", "default"),
    }
    if "oneOf" in schema and sum(not [*unlike(value, one, at)] for one in schema["oneOf"]) != 1:
        yield f"{at} is not one of {schema['oneOf']}"
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        yield f"{at} is {value!r}"
    kinds = schema.get("type", list(KINDS))
    if not any(
        isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))
        for kind in ([kinds] if isinstance(kinds, str) else kinds)
    ):
        yield f"{at} is {value!r}, not {kinds}"
    elif isinstance(value, dict):
        yield from (f"{at}.{key} is missing" for key in schema.get("required", ()) if key not in value)
        other = schema.get("additionalProperties", {})
        for key, inner in value.items():
            within = schema.get("properties", {}).get(key, other)
            if within is False:
                yield f"{at}.{key} is not known"
            else:
                yield from unlike(inner, within, f"{at}.{key}")
    elif isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{at} has {len(value)} items"
        for place, item in enumerate(value):
            yield from unlike(item, schema.get("items", {}), f"{at}[{place}]")
    elif isinstance(value, int | float) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{at} is {value}"


def taken(described: dict[str, Any], path: str) -> dict[str, Any]:
    schema: dict[str, Any] = described[path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return schema


async def described(client: httpx2.AsyncClient) -> dict[str, Any]:
    paths: dict[str, Any] = (await client.get(f"{ROOT}/openapi.json")).json()["paths"]
    return paths


async def test_every_route_answers_as_it_is_described(gateway: Gateway) -> None:
    gateway.servers.script.always(Say("The names of the net."))
    async with gateway.http() as client:
        paths, asked = await described(client), set()

        async def ask(method: str, path: str, body: dict[str, Any] | None = None, **into: str) -> Any:
            if body is not None:
                assert [*unlike(body, taken(paths, path))] == []
            reply = await client.request(method, path.format(**into), json=body)
            responses = paths[path][method]["responses"]
            told = responses.get(str(reply.status_code), responses["default"])
            ((kind, content),) = told["content"].items()
            assert reply.headers["content-type"].partition(";")[0] == kind
            said = reply.text if kind == "text/event-stream" else reply.json()
            assert [*unlike(said, content["schema"])] == [], path
            asked.add((path, method))
            return said

        prompt = {"prompt": "What is DNS?"}
        await ask("post", f"{ROOT}/chat/route", {**prompt, "strategy": "cheapest", "tags": ["net"]})
        answer = await ask("post", f"{ROOT}/chat/execute", {**prompt, "max_cost_usd": "1", "session": "one"})
        await ask("post", f"{ROOT}/chat/execute", {**prompt, "strategy": "ensemble", "ensemble_size": 3})
        await ask("post", f"{ROOT}/chat/stream", prompt)
        vote = {"request_id": answer["metadata"]["request_id"], "attempt": 1, "vote": "up"}
        await ask("post", f"{ROOT}/preferences/update", vote)
        await ask("post", f"{ROOT}/preferences/update", {**vote, "request_id": "nobody's"})
        dear = {"prompt": "And what is NTP?", "model": "tern-max", "max_cost_usd": "0"}
        lines = [{"id": "a", **prompt, "priority": 2, "metadata": {"of": "mine"}}, dear]
        batch = await ask("post", f"{ROOT}/batch/submit", {"lines": lines, "at_once": 2, "max_cost_usd": "1"})
        await gateway.app.state.batches.settle()
        status = await ask("get", f"{ROOT}/batch/{{id}}/status", id=batch["id"])
        assert (status["answered"], status["failed"]) == (1, 1)
        told = (await client.get(batch["status"], params={"results": "1"})).json()
        progress = paths[f"{ROOT}/batch/{{id}}/status"]["get"]["responses"]["200"]["content"]["application/json"]
        assert [*unlike(told, progress["schema"])] == []
        await ask("get", f"{ROOT}/batch/{{id}}/status", id="0" * 32)
        await ask("post", "/v1/chat/completions", {"model": "auto", "messages": [{"role": "user", "content": "Why?"}]})
        await ask("get", "/v1/models/{id}", id="auto")
        for path, methods in paths.items():
            for method in methods:
                if (path, method) not in asked:
                    await ask(method, path)


@pytest.mark.parametrize("path", BODIES)
async def test_no_value_that_is_not_as_described_is_taken_or_a_mistake_of_the_program(
    gateway: Gateway, path: str, thorough: bool
) -> None:
    """Each value for each key; in an everyday run, one in three, another one for the next key."""
    async with gateway.http() as client:
        paths = await described(client)
        body, schema = BODIES[path], taken(paths, path)
        assert [*unlike(body, schema)] == []
        for at, key in enumerate(schema["properties"]):
            for value in VALUES if thorough else VALUES[at % 3 :: 3]:
                said = {**body, key: value}
                reply = await client.post(path, json=said)
                assert reply.status_code in (200, 400, 404), said
                if reply.status_code != 200:
                    content = paths[path]["post"]["responses"]["default"]["content"]["application/json"]
                    assert [*unlike(reply.json(), content["schema"])] == []
                else:
                    assert [*unlike(said, schema)] == [], said
    assert gateway.asked == []


async def test_a_wrong_dimension_is_named(gateway: Gateway) -> None:
    async with gateway.http() as client:
        for route, by in product(("user", "models"), ("", "model,,task", "nonsense")):
            reply = await client.get(f"{ROOT}/analytics/{route}", params={"by": by})
            assert reply.status_code == 400, (route, by)
            assert "is none of model" in reply.json()["error"]["message"]


async def test_a_wrong_method_is_told_which_would_be_right(gateway: Gateway) -> None:
    async with gateway.http() as client:
        for path, methods in (await described(client)).items():
            reply = await client.put(path.format(id="one"), content=json.dumps({}))
            assert reply.status_code == 405, path
            assert {one.lower() for one in reply.headers["allow"].split(", ")} - {"head"} == set(methods)
            assert reply.json()["error"]["message"].endswith(f"; ask with {next(iter(methods)).upper()}.")
