"""The demo's four servers as one thing, and the settings that make them all the program knows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, replace

from ..routing.model import Model
from ..settings import DEMO, ModelSettings, ProviderSettings, Secret, Settings
from .behaviour import Script
from .caps import capped
from .exchange import Exchange
from .roster import ROSTER, DemoProvider
from .server import DemoServer, Sleep

KEY = "demo-key-of-no-worth"


@dataclass(frozen=True, slots=True)
class Servers:
    """Running demo servers, by provider name."""

    servers: Mapping[str, DemoServer]
    script: Script
    """One for all four; models are told apart by their names."""

    @property
    def base_urls(self) -> dict[str, str]:
        return {name: server.base_url for name, server in self.servers.items()}

    @property
    def exchanges(self) -> list[Exchange]:
        """Of all servers, each server's in the order they came."""
        return [exchange for server in self.servers.values() for exchange in server.exchanges]

    def __getitem__(self, provider: str) -> DemoServer:
        return self.servers[provider]

    async def aclose(self) -> None:
        """Ends all that is under way; leaves no task and no socket. May be called again."""
        await asyncio.gather(*(server.aclose() for server in self.servers.values()))


async def start(
    *,
    pace: float = 1.0,
    script: Script | None = None,
    sleep: Sleep = asyncio.sleep,
    habits: bool = True,
    port: int | None = None,
) -> Servers:
    """Starts them in the running event loop; the caller owes an aclose(). With a port, the four take it and the three
    after it; without, any that are free. Raises OSError when a port is taken."""
    script = script or Script()
    servers = {
        provider.name: DemoServer(
            provider.protocol,
            provider.models,
            name=provider.name,
            local=provider.local,
            script=script,
            pace=pace,
            sleep=sleep,
            habits=habits,
        )
        for provider in ROSTER
    }
    running = Servers(servers, script)
    try:
        for offset, server in enumerate(servers.values()):
            await server.start(port + offset if port else 0)
    except OSError:
        await running.aclose()
        raise
    return running


@asynccontextmanager
async def serve(
    *,
    pace: float = 1.0,
    script: Script | None = None,
    sleep: Sleep = asyncio.sleep,
    habits: bool = True,
    port: int | None = None,
) -> AsyncIterator[Servers]:
    servers = await start(pace=pace, script=script, sleep=sleep, habits=habits, port=port)
    try:
        yield servers
    finally:
        await servers.aclose()


def settings(servers: Servers, base: Settings) -> Settings:
    """`base` with the demo's providers and models in place of all others: nothing real is looked for or called, and
    nothing else in the program knows that it is the demo. What the user says of demo models ([[models]], chains)
    holds."""
    said = {model.id: model for model in base.models}
    models = tuple(
        _overlaid(_model_settings(demo.model), said.get(demo.model.id))
        for provider in ROSTER
        for demo in provider.models
    )
    known = {model.id for model in models} | {model.name for model in models}
    base = capped(base)
    return replace(
        base,
        providers={provider.name: _provider_settings(provider, servers) for provider in ROSTER},
        models=models,
        discovery=False,
        chains={name: chain for name, chain in base.chains.items() if known.issuperset(chain)},
        default_model=base.default_model if base.default_model in known | servers.servers.keys() else None,
        policy=replace(
            base.policy, baseline_model=base.policy.baseline_model if base.policy.baseline_model in known else None
        ),
        origins={**base.origins, "providers": DEMO, "models": DEMO, "discovery": DEMO},
    )


def _provider_settings(provider: DemoProvider, servers: Servers) -> ProviderSettings:
    return ProviderSettings(
        provider.name,
        kind="openai-compatible" if provider.local else provider.protocol,
        base_url=servers[provider.name].base_url,
        api_key=None if provider.local else Secret(KEY),
        key_origin="" if provider.local else "demo",
        local=provider.local,
    )


def _model_settings(model: Model) -> ModelSettings:
    shared = {field.name for field in fields(ModelSettings)} & {field.name for field in fields(Model)}
    return ModelSettings(**{name: getattr(model, name) for name in shared})


def _overlaid(model: ModelSettings, said: ModelSettings | None) -> ModelSettings:
    if said is None:
        return model
    changed = {field.name: getattr(said, field.name) for field in fields(said)}
    if said.level is not None or said.ability is not None:
        model = replace(model, ability_source=None)
    return replace(model, **{name: value for name, value in changed.items() if value is not None})
