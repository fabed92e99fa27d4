"""The router's own routes."""

from __future__ import annotations

import json

from tui_orchestrator.demo import Reply, Say

from .conftest import Gateway

ROOT = "/api/v1/orchestrator"


async def test_a_route_is_told_and_nothing_is_sent(gateway: Gateway) -> None:
    async with gateway.http() as client:
        said = (await client.post(f"{ROOT}/chat/route", json={"prompt": "What is DNS?", "strategy": "cheapest"})).json()
    assert said["strategy"] == "cheapest"
    assert said["candidates"]
    assert gateway.asked == []


async def test_a_prompt_is_answered_with_its_decision_and_voted_on(gateway: Gateway) -> None:
    gateway.servers.script.always(Say("The names of the net."))
    async with gateway.http() as client:
        said = (await client.post(f"{ROOT}/chat/execute", json={"prompt": "What is DNS?"})).json()
        assert said["response"] == "The names of the net."
        assert said["metadata"]["decision"]["model"] == said["model_used"]
        vote = {"request_id": said["metadata"]["request_id"], "vote": "up"}
        voted = (await client.post(f"{ROOT}/preferences/update", json=vote)).json()
        assert voted == {"model": said["model_used"], "up": 1, "down": 0}
        costs = (await client.get(f"{ROOT}/analytics/user", params={"period": "today"})).json()
        assert sum(row["attempts"] for row in costs["rows"]) == 1
        models = (await client.get(f"{ROOT}/analytics/models", params={"period": "today"})).json()
        assert models["rows"][0]["model"] == said["model_used"]


async def test_a_failure_says_what_it_cost(gateway: Gateway) -> None:
    gateway.servers.script.always(Reply(400, "no"))
    async with gateway.http() as client:
        said = await client.post(f"{ROOT}/chat/execute", json={"prompt": "x", "model": "tern-max"})
    assert said.status_code == 400
    assert said.json()["error"]["cost_usd"] == 0


async def test_every_event_is_streamed(gateway: Gateway) -> None:
    gateway.servers.script.always(Say("Yes."))
    async with gateway.http() as client:
        said = await client.post(f"{ROOT}/chat/stream", json={"prompt": "Is it so?"})
    events = [json.loads(line[6:]) for line in said.text.splitlines() if line.startswith("data: ")]
    assert events[0]["type"] == "decision"
    assert events[-1]["type"] == "completed"
    assert [line[7:] for line in said.text.splitlines() if line.startswith("event: ")] == [e["type"] for e in events]


async def test_a_batch_is_submitted_and_its_answers_fetched(gateway: Gateway) -> None:
    gateway.servers.script.always(Say("Yes."))
    lines = [{"id": str(n), "prompt": f"Question {n}?"} for n in range(3)]
    async with gateway.http() as client:
        said = await client.post(f"{ROOT}/batch/submit", json={"lines": lines, "max_cost_usd": "1"})
        assert said.status_code == 202
        await gateway.app.state.batches.settle()
        status = (await client.get(said.json()["status"], params={"results": "1"})).json()
        assert (status["status"], status["answered"], status["left"]) == ("ended", 3, 0)
        assert sorted(record["id"] for record in status["results"]) == ["0", "1", "2"]
        assert (await client.get(f"{ROOT}/batch/{'0' * 32}/status")).status_code == 404


WRONG: list[tuple[str, dict[str, object], str]] = [
    ("chat/route", {"prompt": ""}, "the prompt is empty"),
    ("chat/route", {"promt": "x"}, "did you mean prompt?"),
    ("chat/route", {"prompt": "x", "files": ["/etc/passwd"]}, "files: cannot be read from here"),
    ("chat/execute", {"prompt": "x", "strategy": "fastest"}, "strategy is 'fastest'"),
    ("batch/submit", {"lines": []}, "lines: must be a list"),
    ("batch/submit", {"lines": [{"prompt": "x"}, {"prompt": ""}]}, "lines[1]: the prompt is empty"),
    ("preferences/update", {"vote": "up"}, "Say request_id"),
]


async def test_what_is_wrong_is_named(gateway: Gateway) -> None:
    for path, body, said in WRONG:
        async with gateway.http() as client:
            answer = await client.post(f"{ROOT}/{path}", json=body)
        assert answer.status_code == 400, body
        assert said in answer.json()["error"]["message"]
        assert gateway.asked == []


async def test_a_wrong_period_is_named(gateway: Gateway) -> None:
    async with gateway.http() as client:
        answer = await client.get(f"{ROOT}/analytics/user", params={"period": "decade"})
    assert answer.status_code == 400
    assert "today" in answer.json()["error"]["message"]


async def test_health_and_capabilities(gateway: Gateway) -> None:
    async with gateway.http() as client:
        health = (await client.get(f"{ROOT}/health", headers={"authorization": ""})).json()
        assert health["status"] == "ok"
        assert "openai" in health["providers"]
        told = (await client.get(f"{ROOT}/models/capabilities")).json()["models"]
        assert {"id", "price", "abilities", "health"} <= set(told[0])


async def test_the_description_names_every_route_there_is(gateway: Gateway) -> None:
    async with gateway.http() as client:
        told = (await client.get(f"{ROOT}/openapi.json")).json()
    described = {(method.upper(), path) for path, methods in told["paths"].items() for method in methods}
    there = {
        (method, route.path.replace(":path}", "}"))  # type: ignore[attr-defined]
        for route in gateway.app.routes
        for method in route.methods - {"HEAD"}  # type: ignore[attr-defined]
        if route.path != "/health"  # type: ignore[attr-defined]
    }
    assert described == there
