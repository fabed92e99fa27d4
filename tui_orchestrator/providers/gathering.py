"""Connections that are read now and then, and not for every word.

A model streams in packets of a few letters. To wake up for one, read it and wait for the next takes five times as long
as what is done with it; so whoever shows text a few times a second lets it gather in the system's own buffers.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from httpcore2 import AsyncNetworkBackend, AsyncNetworkStream

from .network import Around

LITTLE = 16_384
"""Bytes. Where more came at once, more is there: a list, an answer given whole."""


class Gathering(AsyncNetworkStream):
    """After it has read a little it does not read again before `every_s` seconds have passed. What comes after a longer
    silence is read as soon as it is there."""

    def __init__(self, stream: AsyncNetworkStream, every_s: float) -> None:
        self._stream = stream
        self._every_s = every_s
        self._next = 0.0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        loop = asyncio.get_running_loop()
        if (early := self._next - loop.time()) > 0:
            await asyncio.sleep(early)
        data = await self._stream.read(max_bytes, timeout)
        # All connections at the same moments, so that what follows is done once for all of them.
        self._next = (loop.time() // self._every_s + 1) * self._every_s if len(data) < LITTLE else 0.0
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # What is sent now is a new request, whose answer is waited for.
        self._next = 0.0
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> AsyncNetworkStream:
        return Gathering(await self._stream.start_tls(ssl_context, server_hostname, timeout), self._every_s)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class GatheringBackend(Around):
    def __init__(self, backend: AsyncNetworkBackend, every_s: float) -> None:
        super().__init__(backend)
        self._every_s = every_s

    async def connect_tcp(self, host: str, port: int, *others: Any, **more: Any) -> AsyncNetworkStream:
        return Gathering(await super().connect_tcp(host, port, *others, **more), self._every_s)

    async def connect_unix_socket(self, path: str, *others: Any, **more: Any) -> AsyncNetworkStream:
        return Gathering(await super().connect_unix_socket(path, *others, **more), self._every_s)
