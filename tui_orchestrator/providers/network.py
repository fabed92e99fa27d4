"""How connections are made."""

from __future__ import annotations

import asyncio
from asyncio.staggered import staggered_race
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx2
from httpcore2 import AsyncNetworkBackend, AsyncNetworkStream, ConnectError, ConnectTimeout

from ..aside import look_up
from .reuse import pools

NEXT_ADDRESS_S = 0.25
"""How long an address has before the next one of the same name is tried beside it, as RFC 8305 recommends."""


class Around(AsyncNetworkBackend):
    """Another one, for those that do one thing in another way."""

    def __init__(self, backend: AsyncNetworkBackend) -> None:
        self._backend = backend

    async def connect_tcp(self, host: str, port: int, *others: Any, **more: Any) -> AsyncNetworkStream:
        return await self._backend.connect_tcp(host, port, *others, **more)

    async def connect_unix_socket(self, path: str, *others: Any, **more: Any) -> AsyncNetworkStream:
        return await self._backend.connect_unix_socket(path, *others, **more)

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


class LookingUp(Around):
    """Looks names up in threads of its own, in whatever loop it is used."""

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *others: Any, **more: Any
    ) -> AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                connects = [
                    partial(self._backend.connect_tcp, address, port, None, *others, **more)
                    for address in await look_up(host, port)
                ]
                if len(connects) == 1:
                    return await connects[0]()
                stream: AsyncNetworkStream | None
                stream, _, faults = await staggered_race(connects, NEXT_ADDRESS_S)
        except TimeoutError as error:
            raise ConnectTimeout from error
        except OSError as error:
            raise ConnectError(error) from error
        if stream is None:
            raise next(fault for fault in faults if fault is not None)
        return stream


def connect_through(client: httpx2.AsyncClient, way: Callable[[AsyncNetworkBackend], AsyncNetworkBackend]) -> None:
    """From its next connection on, those to proxies too."""
    for pool in pools(client):
        pool._network_backend = way(pool._network_backend)
