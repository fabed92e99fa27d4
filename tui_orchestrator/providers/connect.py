"""From a provider's settings to something that answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..routing.ports import Provider, Timeouts
from .anthropic import AnthropicProvider
from .clients import HttpClients, is_near
from .gemini import GeminiProvider
from .openai import OpenAIProvider
from .sdk import import_sdk

if TYPE_CHECKING:
    import httpx2

    from ..settings import ProviderSettings

_SDK_MODULES = {
    "anthropic": AnthropicProvider.module,
    "gemini": GeminiProvider.module,
    "openai": OpenAIProvider.module,
    "openrouter": OpenAIProvider.module,
    "openai-compatible": OpenAIProvider.module,
}
"""By provider kind."""


def connect(settings: ProviderSettings, clients: HttpClients, timeouts: Timeouts) -> Provider:
    """Nothing is imported, opened or sent before the first call."""
    key = settings.api_key.reveal() if settings.api_key is not None else ""
    base_url = api_root(settings.kind, settings.base_url)

    def http() -> httpx2.AsyncClient:
        return clients.local if is_near(settings) else clients.cloud

    waits = timeouts.connect, timeouts.between_tokens
    if settings.kind == "anthropic":
        return AnthropicProvider(settings.name, key, base_url, http, *waits)
    if settings.kind == "gemini":
        return GeminiProvider(settings.name, key, base_url, http, *waits)
    assert settings.kind != "plugin"  # those are made by PluggedProviders
    return OpenAIProvider(settings.name, key, base_url, http, *waits, settings.kind)


def api_root(kind: str, base_url: str | None) -> str | None:
    """The address as the kind's SDK wants it, from the way people write it: 'http://127.0.0.1:11434' lacks the /v1 of
    every OpenAI-compatible server, 'https://api.anthropic.com/v1' has one that the SDK adds by itself."""
    if not base_url:
        return None
    root = base_url.strip().rstrip("/")
    if kind == "anthropic":
        return root.removesuffix("/v1")
    if kind != "gemini" and not urlsplit(root).path:
        return f"{root}/v1"
    return root


async def warm(kinds: Iterable[str]) -> None:
    """Imports the SDKs of these provider kinds in a thread, so that the first prompt need not wait for them."""
    for module in sdk_modules(kinds):
        await asyncio.to_thread(import_sdk, module)


def sdk_modules(kinds: Iterable[str]) -> list[str]:
    return sorted({_SDK_MODULES[kind] for kind in kinds if kind in _SDK_MODULES})
