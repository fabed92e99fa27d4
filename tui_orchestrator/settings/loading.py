"""From defaults, files, environment and flags to one `Settings`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from .secrets import Secret
from .values import ProviderKind, ProviderSettings, Settings

_CLOUDS: dict[ProviderKind, tuple[str, ...]] = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "openai": ("OPENAI_API_KEY",),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "openrouter": ("OPENROUTER_API_KEY",),
}


def load(
    config: Path | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    cwd: Path | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Settings:
    providers = {}
    for kind, names in _CLOUDS.items():
        found = next((name for name in names if environ.get(name)), "")
        key = Secret(environ[found]) if found else None
        providers[kind] = ProviderSettings(str(kind), kind, None, key, found, names)
    return Settings(providers={str(kind): provider for kind, provider in providers.items()})
