"""From settings to a provider."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from tui_orchestrator.providers.anthropic import AnthropicProvider
from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.providers.connect import api_root, connect, sdk_modules
from tui_orchestrator.providers.gemini import GeminiProvider, split_version
from tui_orchestrator.providers.openai import OpenAIProvider
from tui_orchestrator.routing.ports import Timeouts
from tui_orchestrator.settings import ProviderSettings, Secret

from ..wire.dialects import ANTHROPIC, GEMINI, OPENAI, Read, Wire
from ..wire.server import WireServer, head


@pytest.mark.parametrize(
    ("kind", "written", "wanted"),
    [
        ("openai", None, None),
        ("openai", "", None),
        ("openai-compatible", "http://127.0.0.1:11434", "http://127.0.0.1:11434/v1"),
        ("openai-compatible", "http://127.0.0.1:1234/", "http://127.0.0.1:1234/v1"),
        ("openai-compatible", "http://127.0.0.1:1234/v1/", "http://127.0.0.1:1234/v1"),
        ("openai-compatible", "https://example.test/api/paas/v4", "https://example.test/api/paas/v4"),
        ("anthropic", "https://api.anthropic.com/v1", "https://api.anthropic.com"),
        ("anthropic", "https://example.test/anthropic/", "https://example.test/anthropic"),
        ("gemini", "https://example.test", "https://example.test"),
    ],
)
def test_addresses_are_taken_the_way_people_write_them(kind: str, written: str | None, wanted: str | None) -> None:
    assert api_root(kind, written) == wanted


@pytest.mark.parametrize(
    ("base_url", "root", "version"),
    [
        ("https://example.test", "https://example.test", "v1beta"),
        ("https://example.test/", "https://example.test", "v1beta"),
        ("https://example.test/v1", "https://example.test", "v1"),
        ("https://example.test/gemini/v1beta/", "https://example.test/gemini", "v1beta"),
        ("https://v1.test", "https://v1.test", "v1beta"),
        ("https://example.test/vertex", "https://example.test/vertex", "v1beta"),
        ("https://example.test/v", "https://example.test/v", "v1beta"),
        ("https://example.test/1", "https://example.test/1", "v1beta"),
    ],
)
def test_geminis_version_is_told_apart_from_its_address(base_url: str, root: str, version: str) -> None:
    assert split_version(base_url) == (root, version)


@pytest.mark.parametrize(
    ("kind", "protocol"),
    [
        ("anthropic", AnthropicProvider),
        ("gemini", GeminiProvider),
        ("openai", OpenAIProvider),
        ("openrouter", OpenAIProvider),
        ("openai-compatible", OpenAIProvider),
    ],
)
def test_each_kind_gets_its_protocol(kind: Any, protocol: type) -> None:
    settings = ProviderSettings(name="mine", kind=kind, base_url=None, api_key=Secret("sk-0123456789abcdef"))
    provider = connect(settings, HttpClients(), Timeouts())
    assert type(provider) is protocol
    assert provider.name == "mine"


@pytest.mark.parametrize(
    ("kind", "wire"),
    [("anthropic", ANTHROPIC), ("gemini", GEMINI), ("openai", OPENAI), ("openai-compatible", OPENAI)],
)
async def test_a_connected_provider_answers(kind: Any, wire: Wire) -> None:
    clients = HttpClients()
    async with WireServer(head(), wire.whole) as server:
        settings = ProviderSettings(name="mine", kind=kind, base_url=server.url, api_key=Secret("k" * 20), local=True)
        provider = connect(settings, clients, Timeouts())
        assert (await Read.of(provider)).text == "Hello"
        await provider.aclose()
        assert (await Read.of(provider)).text == "Hello", "closing a provider must not close what others share"
    await clients.aclose()


@pytest.mark.parametrize(
    ("kind", "root", "dialect"),
    [
        ("anthropic", "https://api.anthropic.com", None),
        ("gemini", "https://generativelanguage.googleapis.com", None),
        ("openai", "https://api.openai.com/v1", "openai"),
        ("openrouter", "https://openrouter.ai/api/v1", "openrouter"),
    ],
)
def test_a_provider_without_an_address_is_at_its_own(kind: Any, root: str, dialect: str | None) -> None:
    waits = Timeouts(connect=3.0, between_tokens=4.0)
    made: Any = connect(ProviderSettings("mine", kind), HttpClients(), waits)
    assert (made._base_url, made._key, made._connect_s, made._silence_s) == (root, "", 3.0, 4.0)
    assert getattr(made, "_dialect", None) == dialect
    assert getattr(made, "_is_openai", None) == (None if dialect is None else dialect == "openai")
    elsewhere: Any = connect(ProviderSettings("mine", kind, "http://127.0.0.1:9/v1"), HttpClients(), waits)
    assert elsewhere._base_url == ("http://127.0.0.1:9" if kind == "anthropic" else "http://127.0.0.1:9/v1")
    assert not getattr(elsewhere, "_is_openai", False)


@pytest.mark.parametrize(("url", "near"), [("http://127.0.0.1:9", True), ("http://example.test", False), (None, False)])
async def test_a_server_on_this_machine_is_reached_without_a_proxy(url: str | None, near: bool) -> None:
    clients = HttpClients()
    made: Any = connect(ProviderSettings("mine", "openai", url), clients, Timeouts())
    assert made._http() is (clients.local if near else clients.cloud)
    await clients.aclose()


def test_each_sdk_is_warmed_once() -> None:
    assert sdk_modules(["openai", "openrouter", "openai-compatible", "plugin"]) == ["openai"]
    assert sdk_modules(["gemini", "anthropic"]) == ["anthropic.resources.messages", "google.genai"]
    assert sdk_modules([]) == []


async def test_the_clients_are_made_once_from_any_thread_and_again_after_closing() -> None:
    clients = HttpClients()
    made = await asyncio.gather(*(asyncio.to_thread(lambda: clients.cloud) for _ in range(8)))
    assert len(set(map(id, made))) == 1
    assert clients.local is not clients.cloud
    await clients.aclose()
    assert made[0].is_closed
    assert not clients.cloud.is_closed
    await clients.aclose()


def test_no_sdk_is_imported_until_it_is_warmed_or_called() -> None:
    script = """
import asyncio, sys
from tui_orchestrator.providers import connect
sdks = {"anthropic", "openai", "google.genai", "httpx2"}
assert not sdks & set(sys.modules), sdks & set(sys.modules)
asyncio.run(connect.warm(["gemini"]))
assert sdks & set(sys.modules) == {"google.genai", "httpx2"}, sdks & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
