"""What several machines keep in one Redis server, beside each machine's own store and behind the same ports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import date
from hashlib import blake2s

from tui_orchestrator.routing.budget import Cap
from tui_orchestrator.routing.ports import Clock
from tui_orchestrator.settings import CacheSettings
from tui_orchestrator.settings.values import SharedSettings
from tui_orchestrator.storage.cache import SqliteCache
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger

from .book import Book
from .cache import SharedCache
from .circuits import RedisCircuits
from .faults import INSTALL, Away, there
from .ledger import SharedLedger
from .line import RedisLine
from .membership import Membership, WhenAway
from .server import Server


class SharedStore:
    """Make it, `open` it, close it. It opens without its server too, and then looks for it again and again."""

    def __init__(self, settings: SharedSettings, db: Database, clock: Clock, *, demo: bool = False) -> None:
        """`demo`: its money is not real, and so shared apart."""
        if settings.url is None:
            raise ValueError("nothing is shared without shared.url")
        self.settings = settings
        self.namespace = f"{settings.namespace}-demo" if demo else settings.namespace
        self.server = Server(settings.url, self.namespace)
        realm = blake2s(f"{self.server.where} {self.namespace}".encode(), digest_size=8).hexdigest()
        when_away = WhenAway(settings.when_away, settings.share)
        self.member = Membership(self.server, Book(db, realm), clock, when_away)

    async def open(self) -> None:
        """Raises StoreError."""
        await self.member.join()
        self.member.begin_to_beat()

    async def aclose(self) -> None:
        await self.member.leave()

    @property
    def away(self) -> Away | None:
        """Why the server cannot be asked; None while it can."""
        return self.server.away

    def limit(self, caps: Callable[[date], Sequence[Cap]]) -> None:
        """`caps`: those of any call on a day, from now on."""
        self.member.caps = caps

    def ledger(self, own: SqliteLedger) -> SharedLedger:
        return SharedLedger(own, self.member)

    def circuits(self, whose: Callable[[str], str]) -> RedisCircuits:
        return RedisCircuits(self.server, self.member.copy, whose)

    def line(self, whose: Callable[[str], str]) -> RedisLine:
        return RedisLine(self.server, whose)

    def cache(self, own: SqliteCache, settings: CacheSettings) -> SqliteCache | SharedCache:
        return SharedCache(own, self.server, settings) if self.settings.answers else own


async def opened(
    settings: SharedSettings,
    db: Database,
    clock: Clock,
    resources: AsyncExitStack,
    notices: list[str],
    *,
    origin: str,
    demo: bool,
) -> SharedStore | None:
    """None where nothing is shared. It is closed with `resources`. `origin`: where its address was read."""
    if settings.url is None:
        return None
    if not there() and origin.endswith("REDIS_URL"):
        # Other programs read that name too: whoever has not installed the extra has not asked for it here.
        notices.append(
            f"{origin} is not used: the package redis is not there; {INSTALL}, or caps are this machine's own."
        )
        return None
    store = SharedStore(settings, db, clock, demo=demo)
    resources.push_async_callback(store.aclose)
    await store.open()
    return store
