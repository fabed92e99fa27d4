"""The plugins of this installation, as the user's settings have them."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from ..locations import shipped_themes
from ..plugins import Kind, Plugins, load
from ..plugins.finding import installed
from ..routing.added import adopt
from ..routing.request import Check, Method, Strategy
from ..settings import LOCAL_SERVERS, ProviderSettings, Settings, hidden
from ..settings.environment import read_environment
from ..settings.servers import CLOUDS, NoKey, from_environment

_STRATEGY_WORDS = ("all", "auto", "default", "none")
"""What may stand where a strategy's name may."""


def plugins_of(settings: Settings, only: Collection[Kind] = tuple(Kind)) -> Plugins:
    """Imports them: blocking."""
    chosen, found = settings.plugins, installed()
    return load(found, _taken(settings), chosen.enabled, chosen.disabled, only, hidden) if found else Plugins()


def take_up(settings: Settings, plugins: Plugins) -> Settings:
    """From now on there are these strategies, and in what is returned these providers."""
    adopt(plugins.strategies)
    providers = dict(settings.providers)
    for name, make in plugins.providers.items():
        provider = providers.get(name, ProviderSettings(name, "plugin"))
        if provider.api_key is None and not provider.key_names:
            provider = _with_key(provider, getattr(make, "key_names", ()))
        providers[name] = provider
    return replace(settings, providers=providers) if providers != settings.providers else settings


def _with_key(provider: ProviderSettings, names: object) -> ProviderSettings:
    """From the environment, under the names its plugin says; a `.env` is asked only where the settings say so."""
    if not isinstance(names, tuple | list) or not names:
        return provider
    provider = replace(provider, key_names=tuple(str(name) for name in names))
    try:
        found = from_environment(provider.key_names, read_environment(os.environ, None))
    except NoKey as why:
        return replace(provider, key_problem=str(why))
    return replace(provider, api_key=found[0], key_origin=found[1]) if found else provider


def _taken(settings: Settings) -> Mapping[Kind, Collection[str]]:
    own_servers = {name for name, provider in settings.providers.items() if provider.kind != "plugin"}
    return {
        Kind.STRATEGY: {one.value for one in Strategy if one.built_in} | set(_STRATEGY_WORDS) | {*settings.chains},
        Kind.PROVIDER: {*CLOUDS, *LOCAL_SERVERS, "demo", *own_servers},
        Kind.VERDICT: {*(one.value for one in Check), *(one.value for one in Method)},
        Kind.RECIPE: {path.stem for path in _shipped_recipes()},
        Kind.THEME: {path.stem for path in shipped_themes()},
    }


def _shipped_recipes() -> Collection[Path]:
    return list((Path(__file__).parent.parent / "recipes" / "shipped").glob("*.toml"))
