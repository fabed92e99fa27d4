"""The composition root: settings in, a running router with its store, providers and registry out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from ..locations import cache_dir
from ..plugins import Plugins
from ..providers.catalogue import Catalogue
from ..providers.clients import HttpClients
from ..providers.embedding import StaticEmbedder
from ..providers.plugged import PluggedProviders
from ..routing.budget import BudgetState
from ..routing.clock import NAME_A_ZONE, SystemClock, unknown_zone
from ..routing.decision import Decision
from ..routing.events import Event
from ..routing.health import COOLDOWN_S, Health, HealthState
from ..routing.model import Registry
from ..routing.ports import Clock
from ..routing.request import Request
from ..routing.router import Record, Router
from ..routing.turn import Turn
from ..settings import ModelSettings, ProviderSettings, Settings, hidden
from ..shared.store import SharedStore, opened
from ..storage.alerts import AlertLog
from ..storage.archive import Archive
from ..storage.cache import Contents
from ..storage.conversations import Conversations
from ..storage.course import Course
from ..storage.database import Database
from ..storage.estimates import KeptEstimates
from ..storage.faults import StoreError
from ..storage.favourites import Favourites
from ..storage.history import History
from ..storage.ledger import SqliteLedger, not_booked
from ..storage.observations import Observations
from ..storage.reports import Reports
from .alerts import Alerts
from .assembly import demo_settings, limit_providers, nothing_real, open_store, router_of
from .experiments import Experiments
from .feedback import Feedback
from .logbook import Logbook, log_path
from .pace import Pace
from .places import embedding_problem
from .plugging import plugins_of, take_up
from .telemetry import Telemetry
from .telemetry import opened as telemetry_of
from .warming import read_weights, warm_when_quiet

DEMO_NOTICE = "No key and no local model server was found, so the embedded demo models answer; their money is not real."
RECOVER_EVERY_S = 30.0
"""A killed program's reservations are gone within a minute, also where nobody asks anything meanwhile."""


@dataclass(frozen=True, slots=True)
class RegistryChanged:
    """Told to subscribers when there is a new registry or a model was switched on or off."""

    registry: Registry


Listener = Callable[["Event | RegistryChanged"], None]


class Runtime:
    """What every front end shares. Make it with `open`, end it with `aclose`; it lives on one event loop."""

    def __init__(
        self,
        settings: Settings,
        router: Router,
        catalogue: Catalogue,
        database: Database,
        resources: AsyncExitStack,
        ledger: SqliteLedger,
        *,
        demo: bool,
        notices: Iterable[str],
        logbook: Logbook,
        plugins: Plugins | None = None,
    ) -> None:
        self.settings = settings
        self.plugins = plugins or Plugins()
        self.router = router
        self.catalogue = catalogue
        self.demo = demo
        self.notices = tuple(map(hidden, notices))
        self._ledger = ledger
        self.unbooked: tuple[str, ...] = ()
        """Once it is closed: a sentence for each call whose cost could not be written down."""
        self.clock: Clock = router.caller.clock
        self.conversations = Conversations(database, self.clock)
        self.archive = Archive(database, self.clock)
        self.reports = Reports(database, self.clock)
        self.history = History(database, self.clock)
        self.course = Course(database)
        self.pace = Pace(self.course, self.clock)
        self.feedback = Feedback(Observations(database), self.reports, router.experience, self.clock)
        self.alerts = Alerts(AlertLog(database), self.clock, self.budget_states, costs=settings.track_costs)
        self.experiments = Experiments(database, router, self.clock)
        self.logbook = logbook
        self.database = database
        self.cache = Contents(database)
        self.shared: SharedStore | None = None
        """What is shared with other machines; None where nothing is."""
        self.telemetry: Telemetry | None = None
        """None where it is off."""
        self._embedder: StaticEmbedder | None = None
        self._resources = resources
        self._background: set[asyncio.Task[None]] = set()
        self._looked = asyncio.Event()
        self._looked.set()
        self._listeners: list[Listener] = []
        self._switched_off: set[str] = set()
        self.favourites: frozenset[str] = frozenset()
        """Ids, also of models that are not there now."""
        self._read: Registry = router.registry
        self.estimates = KeptEstimates(database, router.caller.estimates)
        router.listeners += [self._publish, self.alerts.hear, self.estimates.hear, self.experiments.hear, logbook.hear]
        router.observers.append(self.feedback.keep)
        router.catch_up += [self.feedback.catch_up, self.experiments.catch_up, self._somebody_there]
        router.foretell = self.pace.foretell

    @classmethod
    async def open(
        cls,
        settings: Settings,
        *,
        demo: bool | None = None,
        pace: float = 1.0,
        in_memory_if_broken: bool | StoreError = False,
        clock: Clock | None = None,
        gather_s: float = 0.0,
        to_read: bool = False,
    ) -> Runtime:
        """`demo` None: the embedded demo models when no provider has a key and no local server answers.

        `in_memory_if_broken`: without a store that cannot be used, or gave this error before, instead of StoreError.
        `to_read`: with one that cannot be written but read, go on and say so; what would be written raises StoreError.
        `pace` multiplies the demo models' pauses. `gather_s`: as HttpClients takes it, for who shows text now and then.
        """
        async with AsyncExitStack() as resources:
            clients = HttpClients(gather_s)
            resources.push_async_callback(clients.aclose)
            clock = clock or SystemClock()
            logbook = Logbook(log_path(), settings.log.level, clock)
            resources.push_async_callback(asyncio.to_thread, logbook.close)
            notices = list(settings.notices)
            if problem := unknown_zone():
                notices.append(f"{problem}; {NAME_A_ZONE}.")
            if problem := await asyncio.to_thread(clients.problem):
                notices.append(problem)
            plugins = await asyncio.to_thread(plugins_of, settings)
            notices += [f"{problem[:1].upper()}{problem[1:]}." for problem in plugins.problems]
            settings = take_up(settings, plugins)
            plugged = PluggedProviders(plugins.providers, settings.timeouts.connect)
            catalogue = Catalogue(settings, clients, cache_dir(), plugged=plugged)
            if demo is None:
                demo = await nothing_real(settings, catalogue)
                if demo:
                    notices.append(DEMO_NOTICE)
            if demo:
                settings = await demo_settings(settings, pace, resources)
                catalogue = Catalogue(settings, clients, cache_dir(), plugged=plugged)
            registry = await catalogue.instant()
            settings, database = await open_store(settings, demo, in_memory_if_broken, notices, to_read=to_read)
            resources.push_async_callback(database.aclose)
            telemetry = await telemetry_of(
                settings.telemetry, lambda: catalogue.providers, logbook, resources, notices, demo=demo
            )
            embedder = None
            if settings.cache.nearly:
                if problem := embedding_problem(settings):
                    notices.append(problem)
                else:
                    embedder = StaticEmbedder()
            origin = settings.origins.get("shared.url", "")
            shared = await opened(settings.shared, database, clock, resources, notices, origin=origin, demo=demo)
            if shared is not None and shared.away is not None:
                notices.append(f"{str(shared.away)[:1].upper()}{str(shared.away)[1:]}.")
            ledger = SqliteLedger(database, clock, settings.budgets.alert_at)
            router = router_of(
                *(settings, catalogue, registry, database, clients, clock, embedder),
                demo=demo,
                local=ledger,
                shared=shared,
            )
            router.caller.checks = plugins.checks
            runtime = cls(
                *(settings, router, catalogue, database, resources, ledger),
                demo=demo,
                notices=notices,
                logbook=logbook,
                plugins=plugins,
            )
            runtime._embedder = embedder
            runtime.shared = shared
            if telemetry is not None:
                runtime.telemetry = telemetry
                router.listeners.append(telemetry.hear)
            await runtime._remember()
            # What shows models' health asks nothing that would hear of it first.
            with contextlib.suppress(StoreError):
                await router.caller.sharing.catch_up()
            runtime._resources = resources.pop_all()
            return runtime

    async def aclose(self) -> None:
        """Ends background work and closes everything. May be called again."""
        self.database.turn.leave()
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self.alerts.settle()
        await self.experiments.aclose()
        self.unbooked = tuple(map(not_booked, await self._ledger.settle()))
        await self._resources.aclose()

    async def __aenter__(self) -> Runtime:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    # The registry

    @property
    def registry(self) -> Registry:
        return self.router.registry

    def start_background(self) -> None:
        """Reads the profile's weights and the providers' lists, looks for local servers and imports the SDKs, all
        beside the event loop; then frees again and again what killed copies of the program had set aside."""
        self._looked.clear()
        kinds = {provider.kind for provider in self.catalogue.providers.values() if provider.usable}
        for work in (read_weights(), self._look(), warm_when_quiet(kinds, self._embedder), self._recover()):
            task = asyncio.create_task(work)
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    async def _recover(self) -> None:
        while True:
            await asyncio.sleep(RECOVER_EVERY_S)
            with contextlib.suppress(StoreError):
                await self.budget_states()

    @property
    def looking(self) -> bool:
        """Nobody was found yet, and the providers' lists are still read for the first time."""
        return not len(self.registry) and not self._looked.is_set()

    async def _look(self) -> None:
        try:
            await self.refresh(forget=False)
        finally:
            self._looked.set()

    async def _somebody_there(self) -> None:
        """What is sent before anyone was found waits for the first look, which has its own timeouts."""
        if self.looking:
            await self._looked.wait()

    async def refresh(self, *, forget: bool = True) -> Registry:
        """Reads all lists again. `forget`: models and keys that failed are tried afresh."""
        self._read = await self.catalogue.read(refresh=forget)
        if forget:
            await self.router.caller.sharing.forget()
        self._tell_who_is_there()
        self._limit_providers()
        self._looked.set()
        self._put_registry()
        return self.registry

    def _tell_who_is_there(self) -> None:
        circuits, now = self.router.caller.circuits, self.clock.monotonic()
        for name, report in self.catalogue.reports.items():
            if report.reachable:
                circuits.reached(name)
            elif report.reachable is False:
                # A server too busy to list its models may well answer a question: it stays in.
                circuits.unreachable(name, report.detail, now, 0.0 if report.silent else COOLDOWN_S)

    def _limit_providers(self) -> None:
        limit_providers(self.router.caller.limits, self.catalogue)

    def is_enabled(self, model_id: str) -> bool:
        return model_id not in self._switched_off

    def set_enabled(self, model_id: str, enabled: bool) -> None:
        """Until the program ends; `[[models]] enabled = false` in the configuration lasts."""
        if enabled:
            self._switched_off.discard(model_id)
        else:
            self._switched_off.add(model_id)
        self._put_registry()

    async def favour(self, model_id: str, wanted: bool) -> None:
        """Keeps it among the favourites, or not any more. Raises StoreError."""
        kept = Favourites(self.database)
        await (kept.add(model_id, self.clock.now()) if wanted else kept.remove(model_id))
        self.favourites = await kept.all()
        self._publish(RegistryChanged(self.registry))

    async def adopt(
        self, models: tuple[ModelSettings, ...], providers: Mapping[str, ProviderSettings] | None = None
    ) -> None:
        """Goes on with these `[[models]]` and, beside those there are, these providers. Nothing is asked of any; a
        `refresh` then reads the lists of new ones."""
        joined = {**self.settings.providers, **(providers or {})}
        self.settings = replace(self.settings, models=models, providers=joined)
        self.catalogue.adopt(replace(self.catalogue.settings, models=models, providers=joined))
        self._read = await self.catalogue.instant()
        self._put_registry()

    def _put_registry(self) -> None:
        off = dict.fromkeys(self._switched_off & self._read.models.keys(), "switched off in the console")
        self.router.registry = replace(self._read, out={**self._read.out, **off})
        self._publish(RegistryChanged(self.registry))

    def health(self, model_id: str) -> Health:
        """Of a model of the registry. Raises KeyError for another."""
        model = self.registry[model_id]
        if (why := self.registry.out.get(model_id)) is not None:
            return Health(HealthState.UNAUTHORISED if "key" in why else HealthState.DISABLED, why)
        circuits = self.router.caller.circuits
        return circuits.health(model.id, model.provider, self.clock.monotonic())

    # Turns

    def preview(self, request: Request) -> Decision:
        """From memory alone, in about a millisecond: for the line above the prompt."""
        return self.router.preview(request)

    async def decide(self, request: Request) -> Decision:
        return await self.router.decide(request)

    def stream(self, request: Request, record: Record | None = None) -> Turn:
        if self.telemetry is not None:
            self.telemetry.asked(request)
        self.experiments.asked(request)
        return self.router.stream(request, record)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Every event of every turn, on the event loop. Returns what ends it."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return unsubscribe

    def _publish(self, event: Event | RegistryChanged) -> None:
        for listener in tuple(self._listeners):
            listener(event)

    async def budget_states(self, session: str = "") -> tuple[BudgetState, ...]:
        """Session, day and month, and every provider's and model's sum that has a cap."""
        states = await self.router.read_budgets(Request((), session=session, id=""))
        return tuple(state for state in states if state.scope != "request")

    async def _remember(self) -> None:
        await self._ledger.recover()
        with contextlib.suppress(StoreError):  # a later start will
            await self.archive.purge_old()
        await self.feedback.catch_up()
        await self.experiments.open()
        await self.estimates.load()
        await self.pace.read(self.router.budgets)
        self.favourites = await Favourites(self.database).all()
        for figures in await self.reports.lately():
            self.router.experience.remember(
                figures.model, figures.finished, figures.failed, figures.first_token_p50_s, figures.tokens_per_s
            )


@contextlib.asynccontextmanager
async def running(
    settings: Settings, *, demo: bool | None = None, look: bool = True, to_read: bool = False
) -> AsyncIterator[Runtime]:
    """A runtime for one command. `look`: with the providers' own lists and the local servers; without it the registry
    holds what is known offline. `to_read`: as `Runtime.open` takes it."""
    runtime = await Runtime.open(settings, demo=demo, to_read=to_read)
    try:
        if look:
            await runtime.refresh(forget=False)
        yield runtime
    finally:
        await runtime.aclose()
