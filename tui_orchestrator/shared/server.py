"""The Redis server: scripts in, answers out, every fault one sentence. No password ever leaves this file.

Several machines count on what is kept there being changed all at once: each change is one script, which nothing else
runs beside. `scripts/common.lua` says which keys there are.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tui_orchestrator.settings.secrets import Secret

from .faults import Away, missing_package, refused, silent, unreachable

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.commands.core import AsyncScript

CONNECT_S = 1.0
ANSWER_S = 2.0
CONNECTIONS = 16
"""At once; further calls wait for one."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds. All who share one namespace must have the same."""

    lease: int = 30_000
    """How long a copy that says nothing counts as running. Then its calls count as what they can have cost at most."""
    quiet: int = 5_000
    """How long a server that was started anew, or emptied, lets nobody spend: until all have told what they spent."""
    silence: int = 10_000
    """So long nobody comes only when nobody can. Leases do not run meanwhile."""
    beat: int = 2_000
    """How often a copy says that it is there, while the server is there too."""
    beat_while_away: int = 1_000
    """How often one looks for it otherwise: several times in `quiet`."""

    def as_lua(self) -> str:
        return f"local LEASE, QUIET, SILENCE = {self.lease}, {self.quiet}, {self.silence}"


class Server:
    """Lives on one event loop. While it is away, only `tell` asks it: whoever is back says first how things stand."""

    def __init__(self, url: Secret, namespace: str, timing: Timing = Timing()) -> None:
        self._url = url
        self.timing = timing
        self.where = where(url)
        # In braces, so that all keys lie in one slot of a cluster.
        self.prefix = f"{{{namespace}}}"
        self._redis: Redis | None = None
        self._scripts: dict[str, AsyncScript] = {}
        self.away: Away | None = None
        """Why it cannot be asked; None while it can, as far as is known."""
        self.latency_ms = 0.0
        """How long the last answer took."""

    async def ask(self, script: str, **asked: object) -> dict[str, Any]:
        """Raises Away, at once where the server is known to be away."""
        if self.away is not None:
            raise self.away
        return await self.try_(script, **asked)

    async def try_(self, script: str, **asked: object) -> dict[str, Any]:
        """Also of a server that was away. Raises Away, and notes it."""
        answer: dict[str, Any] = json.loads(await self._explained(self._run(script, json.dumps(asked))))
        return answer

    async def holds(self, store: str) -> list[str]:
        """The reservations the server knows of this store, also when it was away. Raises Away, and notes it."""
        return [str(one) for one in await self._explained(self._plain("HKEYS", f"{self.prefix}:holds:{store}"))]

    async def answer(self, key: str) -> str | None:
        """A kept answer. Raises Away."""
        found = await self._asked("GET", f"{self.prefix}:answer:{key}")
        return None if found is None else str(found)

    async def keep_answer(self, key: str, answer: str, seconds: int) -> None:
        """Raises Away."""
        await self._asked("SET", f"{self.prefix}:answer:{key}", answer, "EX", seconds)

    async def facts(self) -> dict[str, str]:
        """What a check-up looks at. Raises Away."""
        info = await self._asked("INFO")
        await self._asked("PING")
        return {name: str(info[name]) for name in ("redis_version", "maxmemory_policy", "aof_enabled") if name in info}

    async def aclose(self) -> None:
        if self._redis is not None:
            await self._redis.aclose()
            self._redis = None

    async def _asked(self, *command: object) -> Any:
        if self.away is not None:
            raise self.away
        return await self._explained(self._plain(*command))

    async def _plain(self, *command: object) -> Any:
        return await self._connected().execute_command(*command)  # type: ignore[no-untyped-call]

    async def _run(self, name: str, asked: str) -> Any:
        redis = self._connected()
        if name not in self._scripts:
            self._scripts[name] = redis.register_script(f"{self.timing.as_lua()}\n{_script(name)}")
        return await self._scripts[name](keys=[self.prefix], args=[asked])

    async def _explained(self, work: Any) -> Any:
        began = time.perf_counter()
        try:
            import redis.exceptions as faults
        except ImportError:
            work.close()
            self.away = missing_package()
            raise self.away from None
        try:
            answer = await work
        except (faults.RedisError, OSError, ValueError) as error:
            self.away = self._fault(error)
        else:
            self.latency_ms = 1000 * (time.perf_counter() - began)
            return answer
        raise self.away from None

    def _fault(self, error: Exception) -> Away:
        import redis.exceptions as faults

        if code := getattr(error, "status_code", None):
            return refused(self.where, f"{code} {str(error).removeprefix(code).strip()}")
        if isinstance(error, TimeoutError | faults.TimeoutError):
            return silent(self.where, ANSWER_S)
        if isinstance(error, OSError | faults.ConnectionError):
            return unreachable(self.where, _reason(error))
        if isinstance(error, ValueError):  # of the address: a wrong option behind its ?
            return Away(self.where, "has an address that cannot be used", "mend shared.url")
        return refused(self.where, str(error))

    def _connected(self) -> Redis:
        if self._redis is None:
            from redis.asyncio import BlockingConnectionPool, Redis
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff

            from .connecting import LOOKED_UP

            pool = BlockingConnectionPool.from_url(
                self._url.reveal(),
                decode_responses=True,
                max_connections=CONNECTIONS,
                timeout=None,
                socket_connect_timeout=CONNECT_S,
                socket_timeout=ANSWER_S,
                # Whether what was sent before a break was done is not known; whoever asks has to look.
                retry=Retry(NoBackoff(), 0),
                client_name="tui-orchestrator",
            )
            pool.connection_class = LOOKED_UP.get(pool.connection_class, pool.connection_class)
            self._redis = Redis.from_pool(pool)
        return self._redis


def where(url: Secret) -> str:
    """Host, port and database, for people."""
    parts = urlsplit(url.reveal())
    return f"{parts.hostname or 'localhost'}:{parts.port or 6379}{parts.path if parts.path not in ('', '/') else ''}"


@cache
def _script(name: str) -> str:
    directory = Path(__file__).with_name("scripts")
    return "\n".join((directory / f"{part}.lua").read_text("utf-8") for part in ("common", name))


def _reason(error: BaseException) -> str:
    """In few words. What the client says may hold the whole address."""
    first = error
    while (deeper := error.__cause__ or error.__context__) is not None and not isinstance(error, OSError):
        error = deeper
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno).lower()
    return str(error.strerror).lower() if isinstance(error, OSError) and error.strerror else type(first).__name__
