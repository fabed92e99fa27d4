"""The four servers together: what the program is told of them, their pace and habits, and that nothing is left."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from tui_orchestrator import demo
from tui_orchestrator.demo import ROSTER, Say
from tui_orchestrator.demo.caps import CAPS
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.money import Money, Usage
from tui_orchestrator.routing.profile import Level
from tui_orchestrator.settings import ModelSettings, ProviderSettings, Secret, Settings


def asked(model: str, **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "hello"}], "stream": True, **more}


def client(servers: demo.Servers, provider: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        base_url=servers[provider].base_url, headers={"authorization": "Bearer x"}, trust_env=False
    )


async def test_the_settings_know_the_demo_s_providers_and_models_alone() -> None:
    real = Settings(
        providers={"openai": ProviderSettings("openai", "openai", api_key=Secret("sk-very-real-and-secret"))},
        models=(
            ModelSettings("openai", "gpt-6"),
            ModelSettings("demo-openai", "rush-mini", enabled=False, ability=0.7),
        ),
        chains={"real": ("openai/gpt-6",), "mine": ("demo-local/pebble-3b", "demo-anthropic/tern-max")},
        default_model="openai/gpt-6",
    )
    async with demo.serve() as servers:
        settings = demo.settings(servers, real)
        assert list(settings.providers) == ["demo-local", "demo-openai", "demo-anthropic", "demo-gemini"]
        assert all(provider.usable for provider in settings.providers.values())
        assert {p.base_url for p in settings.providers.values()} == set(servers.base_urls.values())
        assert [p.name for p in settings.providers.values() if p.local] == ["demo-local"]
        assert settings.providers["demo-local"].kind == "openai-compatible"
    assert {model.provider for model in settings.models} == set(settings.providers)
    assert not settings.discovery
    assert settings.default_model is None
    assert list(settings.chains) == ["mine"]
    [mini] = [model for model in settings.models if model.name == "rush-mini"]
    assert (mini.enabled, mini.ability) == (False, 0.7)
    assert mini.price is not None
    assert settings.budgets == replace(real.budgets, session=CAPS.session, daily=CAPS.daily, monthly=CAPS.monthly)


async def test_a_cap_of_the_user_s_own_holds_for_demo_money_too_and_the_demo_s_others_stay() -> None:
    real = Settings(budgets=Budgets(daily=Money.from_usd("0.10")))
    async with demo.serve() as servers:
        settings = demo.settings(servers, real)
    assert settings.budgets == replace(real.budgets, session=CAPS.session, monthly=CAPS.monthly)
    assert {key: settings.origins[f"budgets.{key}_usd"] for key in ("session", "monthly")} == {
        "session": "demo",
        "monthly": "demo",
    }
    assert "budgets.daily_usd" not in settings.origins


def test_the_roster_has_what_routing_wants_to_show() -> None:
    models: list[Model] = [demo_model.model for provider in ROSTER for demo_model in provider.models]
    assert len(models) >= 6
    assert all(model.price is not None and model.context_window and model.ability_source for model in models)
    free = [model for model in models if model.price and model.price.free]
    assert [(m.local, m.level, m.ability <= 0.35) for m in free] == [(True, Level.BASIC, True)]
    by_price = sorted(models, key=lambda m: m.price.cost(Usage(1000, 1000)) if m.price else 0)  # type: ignore[return-value]
    assert by_price[-1].level is Level.EXPERT
    assert by_price[-1].ability == max(model.ability for model in models)
    for provider in ROSTER:
        assert all(model.model.provider == provider.name for model in provider.models)


async def test_habits_come_round_in_order() -> None:
    async with demo.serve(pace=0) as servers, client(servers, "demo-openai") as http:
        statuses = [(await http.post("/chat/completions", json=asked("rush-mini"))).status_code for _ in range(6)]
        assert statuses == [429, 429, 200, 429, 429, 200]
        refused = await http.post("/chat/completions", json=asked("rush-mini"))
        assert refused.headers["retry-after"] == "2"
        with pytest.raises(httpx2.RemoteProtocolError):
            await http.post("/chat/completions", json=asked("rush-pro"))
        whole = await http.post("/chat/completions", json=asked("rush-pro"))
        assert whole.text.endswith("data: [DONE]\n\n")
        endings = [exchange.ending for exchange in servers.exchanges if exchange.model == "rush-pro"]
        assert endings == ["broken", "completed"]


async def test_the_pace_scales_the_pauses_and_a_drip_does_not_care() -> None:
    async def pauses(pace: float, say: Say) -> list[float]:
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)

        async with demo.serve(pace=pace, sleep=sleep, habits=False) as servers, client(servers, "demo-local") as http:
            servers.script.then(say)
            await http.post("/chat/completions", json=asked("pebble-3b"))
        return slept

    said = Say(text="one two three")
    real = await pauses(1.0, said)
    assert real[0] == pytest.approx(0.25 + 1 / 42)
    assert real[1:] == pytest.approx([1 / 42, 1 / 42])
    assert await pauses(3.0, said) == pytest.approx([3 * seconds for seconds in real])
    assert await pauses(0.0, said) == [0.0] * 3
    assert await pauses(0.0, Say(text="one two three", gap_s=1.5)) == [1.5] * 3


async def test_closing_in_mid_answer_leaves_no_task_and_no_socket() -> None:
    before = asyncio.all_tasks()
    paused = asyncio.Event()

    async def sleep(seconds: float) -> None:
        paused.set()
        await asyncio.Event().wait()

    servers = await demo.start(sleep=sleep)
    async with client(servers, "demo-local") as http:
        task = asyncio.create_task(http.post("/chat/completions", json=asked("pebble-3b")))
        await paused.wait()
        await servers.aclose()
        with pytest.raises(httpx2.TransportError):
            await task
        assert asyncio.all_tasks() == before
        with pytest.raises(httpx2.ConnectError):
            await http.get("/models")
    assert servers.exchanges[0].ending == "broken"
    await servers.aclose()


async def test_a_client_that_does_not_read_does_not_hinder_closing() -> None:
    servers = await demo.start(pace=0, habits=False)
    servers.script.then(Say(text="word " * 400_000))
    url = httpx2.URL(servers["demo-local"].base_url)
    reader, writer = await asyncio.open_connection(url.host, url.port, limit=1)
    body = json.dumps(asked("pebble-3b", stream=False)).encode()
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    await reader.read(1)
    await servers.aclose()
    assert servers.exchanges
    writer.close()


async def test_many_at_once_are_all_served_and_counted() -> None:
    async with demo.serve(pace=0, habits=False) as servers, client(servers, "demo-local") as http:
        answers = await asyncio.gather(
            *(http.post("/chat/completions", json=asked("pebble-3b", stream=False)) for _ in range(40))
        )
    assert all(one.status_code == 200 for one in answers)
    told = sum(one.json()["usage"]["completion_tokens"] for one in answers)
    assert told == sum(exchange.output_tokens for exchange in servers.exchanges)
    assert len({one.json()["id"] for one in answers}) == 40


async def test_a_taken_port_is_an_os_error_and_leaves_nothing_open() -> None:
    before = asyncio.all_tasks()
    async with demo.serve() as servers:
        port = httpx2.URL(servers["demo-local"].base_url).port
        with pytest.raises(OSError, match=str(port)):
            await demo.start(port=port)
    assert asyncio.all_tasks() == before


async def test_it_runs_by_itself_and_ends_on_a_signal() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tui_orchestrator.demo", "--pace", "0", "--steady", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode().split()
    assert line[:2] == ["demo-local", "openai"]
    async with httpx2.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"{line[2]}/models")).json()["data"][0]["id"] == "pebble-3b"
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
