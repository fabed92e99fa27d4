"""What a runtime is put together from: the demo servers where they are wanted, the store, the router."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from hashlib import blake2s
from pathlib import Path

from ..locations import store_file
from ..providers.catalogue import Catalogue
from ..providers.clients import HttpClients
from ..providers.connect import api_root, connect
from ..providers.embedding import StaticEmbedder
from ..routing.budget import Budgets
from ..routing.calling import Caller
from ..routing.errors import NotFound
from ..routing.health import Circuits
from ..routing.model import Registry
from ..routing.money import ZERO, Money
from ..routing.ports import AnswerCache, Clock, Ledger, Provider, SharedHealth
from ..routing.ratelimit import RateLimits
from ..routing.router import Router
from ..routing.sharing import Sharing
from ..settings import ProviderSettings, Settings
from ..shared.store import SharedStore
from ..storage.cache import SqliteCache
from ..storage.circuits import SqliteCircuits
from ..storage.database import Database
from ..storage.faults import StoreError
from ..storage.ledger import SqliteLedger
from .discretion import DiscreetLedger


def limit_providers(limits: RateLimits, catalogue: Catalogue) -> None:
    for known in catalogue.providers.values():
        limits.provider(known.name, known.requests_per_minute, known.tokens_per_minute, known.max_concurrent)


async def nothing_real(settings: Settings, catalogue: Catalogue) -> bool:
    """Whether the user named nobody who could answer: no provider has a key, an address of the user's or a way to a key
    that gave none, and no local server is found."""
    if any(provider.usable or (provider.enabled and provider.key_problem) for provider in settings.providers.values()):
        return False
    await catalogue.read()
    return not any(name not in settings.providers for name in catalogue.providers)


async def demo_settings(settings: Settings, pace: float, resources: AsyncExitStack) -> Settings:
    from .. import demo

    servers = await resources.enter_async_context(demo.serve(pace=pace))
    return demo.settings(servers, settings)


def store_path(settings: Settings, demo: bool) -> Path:
    """Demo money is kept in a file of its own."""
    path = settings.store.path
    if path is None:
        return store_file(demo)
    return path.with_stem(f"{path.stem}-demo") if demo else path


async def open_store(
    settings: Settings, demo: bool, in_memory_if_broken: bool | StoreError, notices: list[str], *, to_read: bool
) -> tuple[Settings, Database]:
    """`to_read`: one that cannot be written is opened all the same, where it can be read."""
    database = Database(store_path(settings, demo))
    try:
        if isinstance(in_memory_if_broken, StoreError):
            raise in_memory_if_broken
        await database.open()
        if database.backup is not None:
            notices.append(f"The store was brought up to date; {database.backup} is a copy of how it was.")
        return settings, database
    except StoreError as error:
        if to_read:
            return settings, await _opened_to_read(database.path, error, notices)
        if not in_memory_if_broken:
            raise
        notices.append(f"{error}. Nothing of this run will be kept.")
    budgets = _without_room(settings.budgets)
    if budgets != settings.budgets:
        notices.append("The daily and monthly caps cannot be checked without it, so nothing they cover may cost money.")
    database = Database(None)
    await database.open()
    return replace(settings, budgets=budgets), database


async def _opened_to_read(path: Path | None, why: StoreError, notices: list[str]) -> Database:
    database = Database(path)
    try:
        await database.open_to_read(why)
    except BaseException:
        await database.aclose()
        raise
    notices.append(f"{why}. Until then nothing can be written; what is kept is read.")
    return database


def _without_room(budgets: Budgets) -> Budgets:
    """What was spent today and this month cannot be known, and a cap is never passed: under one, only what is free is
    allowed."""

    def closed(caps: Mapping[str, tuple[Money | None, Money | None]]) -> dict[str, tuple[Money | None, Money | None]]:
        return {name: (daily and ZERO, monthly and ZERO) for name, (daily, monthly) in caps.items()}

    return replace(
        budgets,
        daily=budgets.daily and ZERO,
        monthly=budgets.monthly and ZERO,
        providers=closed(budgets.providers),
        models=closed(budgets.models),
    )


def router_of(
    settings: Settings,
    catalogue: Catalogue,
    registry: Registry,
    database: Database,
    clients: HttpClients,
    clock: Clock,
    embedder: StaticEmbedder | None,
    *,
    demo: bool,
    local: SqliteLedger,
    shared: SharedStore | None = None,
) -> Router:
    connected: dict[str, tuple[ProviderSettings, Provider]] = {}

    def provider(name: str) -> Provider:
        known = catalogue.providers.get(name)
        if name in connected and known in (None, connected[name][0]):
            return connected[name][1]
        if known is None:
            raise NotFound(f"The server {name} is not there any more.")
        if known.kind == "plugin":
            return catalogue.plugged.provider(known)
        connected[name] = known, connect(known, clients, settings.timeouts)
        return connected[name][1]

    def address(name: str) -> str | None:
        known = catalogue.providers.get(name)
        if known is None:
            return None
        # The embedded demo servers are the same ones on whatever port they listen.
        return known.kind if demo else f"{known.kind} {api_root(known.kind, known.base_url)}"

    def whose(name: str) -> str:
        known = catalogue.providers.get(name)
        if known is None:
            return ""
        key = known.api_key.reveal() if known.api_key is not None else ""
        return blake2s(f"{known.kind} {api_root(known.kind, known.base_url)} {key}".encode()).hexdigest()

    limits = RateLimits()
    limit_providers(limits, catalogue)
    cache: AnswerCache | None = None
    if settings.cache.used:
        own = SqliteCache(database, settings.cache, clock, embedder)
        cache = own if shared is None else shared.cache(own, settings.cache)
    ledger: Ledger = local
    circuits: SharedHealth = SqliteCircuits(database, clock, whose)
    if shared is not None:
        ledger, circuits = shared.ledger(local), shared.circuits(whose)
    caller = Caller(
        provider,
        DiscreetLedger(ledger),
        clock,
        Sharing(Circuits(), clock, circuits),
        limits,
        settings.timeouts,
        cache,
        address,
        shared.line(whose) if shared is not None else None,
    )
    policy = replace(settings.policy, lean_to=settings.default_model)
    router = Router(caller, registry, policy, settings.budgets, settings.rules)
    if shared is not None:
        shared.limit(router.caps)
    return router
