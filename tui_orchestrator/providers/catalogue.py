"""Which models exist: configured keys × the price book, the providers' own lists, servers found on this machine, and
the user's [[models]] over all of them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..routing.model import Model, Registry
from ..routing.text import clean_line
from ..settings import ModelSettings, ProviderSettings, Settings, SettingsError
from . import chains, openrouter_catalogue
from .clients import is_near
from .complaint import named
from .discovery import PORTS, PROBE_TIMEOUT_S, Found, discover, read_server
from .environment import BadEnvironment
from .listings import DEFAULT_URLS, LISTING_TIMEOUT_S, Listed, Listing, Source, counted, place, read_listing
from .names import undated
from .plugged import PluggedProviders
from .prices import PriceBook
from .shelving import Shelf, merged

if TYPE_CHECKING:
    from .clients import HttpClients

LOCAL_SERVERS = ("lmstudio", "ollama", "llamacpp", "vllm", "mlx")
"""Provider names that a [[models]] entry may use before the server has been found."""
_FOUND_TWICE = re.compile(rf"(?:{'|'.join(LOCAL_SERVERS)})-\d{{1,5}}")


@dataclass(frozen=True, slots=True)
class SourceReport:
    """How reading one provider's model list went; nothing was billed for it."""

    reachable: bool | None
    """None: it was not asked."""
    authorised: bool | None
    """False: the key was refused. None: not known, as where the list is open to everyone."""
    models: int
    """Offered for chat, out of what it listed."""
    detail: str
    """One sentence."""
    seconds: float
    silent: bool = False
    """Not reachable because its list did not come in time; it may answer questions all the same."""
    unread: bool = False
    """What came is no list, or none came."""
    unwell: bool = False
    """It answered with a redirect, or that something is wrong with it: a call would most likely end the same way."""


class Catalogue:
    """Makes registries. `instant` and `read` may be called again at any time; each returns a new Registry, and
    `reports` and `providers` then say what the last one rests on."""

    def __init__(
        self,
        settings: Settings,
        clients: HttpClients,
        cache_dir: Path,
        *,
        ports: Sequence[int] = PORTS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        listing_timeout_s: float = LISTING_TIMEOUT_S,
        probe_timeout_s: float = PROBE_TIMEOUT_S,
        plugged: PluggedProviders | None = None,
    ) -> None:
        self.settings = settings
        self.reports: Mapping[str, SourceReport] = MappingProxyType({})
        self.looked = False
        """Whether the lists were read, and servers looked for, at all."""
        self.providers: Mapping[str, ProviderSettings] = dict(settings.providers)
        """Configured and discovered, by name: what can be connected to."""
        self.plugged = plugged or PluggedProviders()
        """Those of plugins."""
        self._clients = clients
        self._cache_dir = cache_dir
        self._ports = tuple(ports)
        self._now = now
        self._listing_timeout_s = listing_timeout_s
        self._probe_timeout_s = probe_timeout_s
        self._listings: dict[str, Listing] = {}
        self._turn = asyncio.Lock()
        _check(settings)

    def adopt(self, settings: Settings) -> None:
        """Goes on with other settings. What was listed and found is kept. Raises SettingsError."""
        _check(settings)
        found = {name: one for name, one in self.providers.items() if name not in self.settings.providers}
        self.settings = settings
        self.providers = {**settings.providers, **found}

    def source(self, provider: str) -> Source | None:
        """Where its server's own API is, with the key; None for a provider there is not."""
        known = self.providers.get(provider)
        return None if known is None else self._source(known)

    def server(self, provider: str) -> str:
        """Which kind of local server it was recognised as: lmstudio, ollama …; '' for any other."""
        listing = self._listings.get(provider)
        return listing.server if listing else ""

    def listed(self, provider: str, name: str) -> Listed | None:
        """As the provider's last list describes the model."""
        listing = self._listings.get(provider)
        return next((one for one in listing.models if one.name == name), None) if listing else None

    def _source(self, provider: ProviderSettings) -> Source:
        base_url = provider.base_url or DEFAULT_URLS.get(provider.kind, "")
        client = self._clients.local if is_near(provider) else self._clients.cloud
        return Source(provider.kind, base_url, client, provider.api_key.reveal() if provider.api_key else "")

    async def look_at(self, provider: ProviderSettings) -> Listing:
        """What a provider that is not configured yet lists, or in a sentence why it does not. Nothing is kept of it."""
        try:
            source = self._source(provider)
        except BadEnvironment as error:
            return Listing(reachable=False, detail=error.message.rstrip("."))
        if provider.local and provider.kind == "openai-compatible":
            listing = await read_server(source, self._listing_timeout_s)
        else:
            listing = await read_listing(source, self._listing_timeout_s)
        # A name in which the key stands is none, and would be shown and stored.
        models = tuple(model for model in listing.models if named(model.name, source.key) == model.name)
        return replace(listing, models=models)

    async def instant(self) -> Registry:
        """Without the network: what is most likely there. A third of a second the first time, in a thread."""
        for provider in self.settings.providers.values():
            if provider.kind == "plugin" and provider.usable and provider.name not in self._listings:
                self._listings[provider.name] = await self.plugged.listing(provider, self._probe_timeout_s)
        for provider in self.settings.providers.values():
            known = provider.name in self._listings or not (provider.usable and provider.kind == "openrouter")
            if not known and (kept := await asyncio.to_thread(self._kept_openrouter, provider)):
                self._listings[provider.name] = kept
        return await asyncio.to_thread(self._assemble, self.settings, dict(self._listings), dict(self.providers))

    async def read(self, refresh: bool = False) -> Registry:
        """Asks every usable provider for its list and knocks at the local ports, all at once. One that fails or hangs
        keeps the models known of it before, and costs the others nothing but its time limit. `refresh` reads
        OpenRouter's catalogue again even if it was read today."""
        async with self._turn:
            asked = [provider for provider in self.settings.providers.values() if provider.usable]
            near = {is_near(provider) for provider in asked if provider.kind != "plugin"}
            local = True in near or self.settings.discovery
            await asyncio.to_thread(self._clients.make, cloud=False in near, local=local)
            lists = asyncio.gather(*(self._list(provider, refresh) for provider in asked))
            listings, found = await asyncio.gather(lists, self._discover())
            before, self._listings = self._listings, {}
            for provider, listing in zip(asked, listings, strict=True):
                old = before.get(provider.name)
                kept = old is not None and not listing.reachable and not listing.models
                self._listings[provider.name] = (
                    replace(listing, models=old.models, own=old.own) if old and kept else listing
                )
            self._listings |= {one.provider.name: one.listing for one in found}
            self.providers = {**self.settings.providers, **{one.provider.name: one.provider for one in found}}
            registry = await asyncio.to_thread(
                self._assemble, self.settings, dict(self._listings), dict(self.providers)
            )
            self.reports = MappingProxyType({name: self._report(name, registry) for name in self.providers})
            self.looked = True
            return registry

    async def _discover(self) -> list[Found]:
        if not self.settings.discovery:
            return []
        return await discover(self._clients.local, self._ports, self.settings.providers, self._probe_timeout_s)

    async def _list(self, provider: ProviderSettings, refresh: bool) -> Listing:
        if provider.kind == "plugin":
            return await self.plugged.listing(provider, self._listing_timeout_s)
        if provider.kind != "openrouter":
            return await self.look_at(provider)
        if not refresh and (kept := await asyncio.to_thread(self._kept_openrouter, provider)):
            return kept
        listing = await self.look_at(provider)
        if listing.models:
            now, address = self._now().timestamp(), place(self._source(provider).base_url)
            await asyncio.to_thread(openrouter_catalogue.save, self._cache_dir, address, listing.models, now)
        return listing

    def _kept_openrouter(self, provider: ProviderSettings) -> Listing | None:
        address = place(provider.base_url or DEFAULT_URLS["openrouter"])
        kept = openrouter_catalogue.load(self._cache_dir, address, self._now().timestamp())
        return Listing(tuple(kept), detail=f"{counted(kept)}, read within the last day") if kept else None

    def _report(self, name: str, registry: Registry) -> SourceReport:
        listing = self._listings.get(name)
        offered = sum(model.provider == name and model.id not in registry.out for model in registry)
        if listing is None:
            return SourceReport(None, None, offered, _unusable(self.providers[name]) or "not asked", 0.0)
        return SourceReport(
            listing.reachable,
            listing.authorised,
            offered,
            listing.detail,
            listing.seconds,
            listing.silent,
            listing.unread,
            listing.unwell,
        )

    def _assemble(
        self, settings: Settings, listings: Mapping[str, Listing], providers: Mapping[str, ProviderSettings]
    ) -> Registry:
        """Runs in a thread: touches nothing but its arguments."""
        book = PriceBook(self._now())
        models: dict[str, Model] = {}
        out: dict[str, str] = {}
        said = {entry.id: entry for entry in settings.models}
        for provider in providers.values():
            listing = listings.get(provider.name)
            if provider.kind == "plugin":
                _put_own(provider, listing, said, models, out)
                continue
            shelf = Shelf(provider, book, recognised=bool(listing and listing.server))
            items = {item.name: item for item in _offered(shelf, listing)} if provider.usable else {}
            every, releases = {item.name: item for item in listing.models} if listing else {}, _releases(listing)
            for name in _named(provider.name, settings):
                items.setdefault(name, every.get(name, Listed(name)))
            for item in items.values():
                model = shelf.model(item, said.get(f"{provider.name}/{item.name}"))
                models[model.id] = model
                if why := _why_out(provider, listing, item.name, releases, said.get(model.id)):
                    out[model.id] = why
        for entry in settings.models:
            if entry.provider not in providers:
                models[entry.id] = Shelf(ProviderSettings(entry.provider, "openai-compatible", local=True), book).model(
                    Listed(entry.name), entry
                )
                out[entry.id] = f"no {entry.provider} server has been found on this machine"
        registry = _chained(models, out, settings, providers)
        return replace(registry, unlisted=dict(_unlisted(models.values(), listings, providers)))


def _put_own(
    provider: ProviderSettings,
    listing: Listing | None,
    said: Mapping[str, ModelSettings],
    models: dict[str, Model],
    out: dict[str, str],
) -> None:
    """The models of a plugin, which knows them whole; the user wins field by field here too."""
    for own in listing.own if listing else ():
        model = merged(own, said[own.id]) if own.id in said else own
        models[model.id] = model
        if why := _why_out(provider, listing, model.name, _releases(listing), said.get(model.id)):
            out[model.id] = why


def _offered(shelf: Shelf, listing: Listing | None) -> Iterable[Listed]:
    return shelf.offered(listing.models) if listing and listing.models else shelf.unasked()


def _check(settings: Settings) -> None:
    """Raises SettingsError with a sentence for each [[models]] entry of a provider that there is not."""
    known = [*settings.providers, *LOCAL_SERVERS]
    problems = [
        f"[[models]] {clean_line(entry.name)!r} is of provider {clean_line(entry.provider)!r}, which there is not; "
        f"add [providers.{clean_line(entry.provider)}] or use one of {', '.join(sorted(known))}"
        for entry in settings.models
        if entry.provider not in known and not _FOUND_TWICE.fullmatch(entry.provider)
    ]
    if problems:
        raise SettingsError(*problems)


def _named(provider: str, settings: Settings) -> list[str]:
    """The models of this provider that the user names anywhere: they are in the registry even where no list has them,
    so that it can be said why they are out."""
    wanted: list[str | None] = [entry.id for entry in settings.models]
    wanted += [name for chain in settings.chains.values() for name in chain]
    for rule in settings.rules:
        wanted += [rule.primary, *rule.fallback]
    wanted += [settings.policy.baseline_model, settings.default_model]
    prefix = f"{provider}/"
    named = [name.removeprefix(prefix) for name in wanted if name and name.startswith(prefix) and name != prefix]
    return list(dict.fromkeys(named))


def _unusable(provider: ProviderSettings) -> str | None:
    if not provider.enabled:
        return "disabled in your configuration"
    if provider.usable:
        return None
    if provider.key_problem:
        return f"no key: {provider.key_problem}"
    if provider.key_names:
        return f"no key: set {' or '.join(provider.key_names)}"
    return f"no key: set api_key_env or api_key_command in [providers.{provider.name}]"


def _releases(listing: Listing | None) -> frozenset[str]:
    """What is listed, under no date."""
    return frozenset(undated(model.name.lower()) for model in listing.models) if listing else frozenset()


def _why_out(
    provider: ProviderSettings,
    listing: Listing | None,
    name: str,
    releases: frozenset[str],
    said: ModelSettings | None,
) -> str | None:
    """`releases`: of all its models, worked out once for them."""
    if said is not None and not said.enabled:
        return "disabled in your configuration"
    if why := _unusable(provider):
        return why
    if listing is None:
        return None
    if listing.authorised is False:
        if provider.api_key is None:
            return "the server wants a key and none is set"
        origin = f" (from {provider.key_origin})" if provider.key_origin else ""
        return f"the key was not accepted{origin}"
    # A name the user wrote may be an alias of a listed one; only what the list has under no date at all is missing.
    if said is None and releases and undated(name.lower()) not in releases:
        return f"{provider.name} does not list it"
    return None


def _unlisted(
    models: Iterable[Model], listings: Mapping[str, Listing], providers: Mapping[str, ProviderSettings]
) -> Iterable[tuple[str, str]]:
    known = {model.provider for model in models}
    for name in providers:
        if name in listings and name not in known:
            yield name, listings[name].detail.removeprefix(f"{name}: ")


def _chained(
    models: Mapping[str, Model], out: Mapping[str, str], settings: Settings, providers: Mapping[str, ProviderSettings]
) -> Registry:
    usable = [model for model in models.values() if model.id not in out]
    kinds = {name: provider.kind for name, provider in providers.items()}
    shipped = chains.build(usable, kinds)
    bare = Registry(models, out)
    own = {name: tuple(_resolved(bare, wanted)) for name, wanted in settings.chains.items()}
    return Registry(models, out, {**shipped, **own})


def _resolved(registry: Registry, names: Iterable[str]) -> Iterable[str]:
    for name in names:
        try:
            yield registry.find(name).id
        except LookupError:
            yield name  # stays as written: whoever walks the chain says that there is no such model
