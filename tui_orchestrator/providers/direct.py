"""Connections straight over the event loop's transports: a request is written at once, and nothing is asked twice.

What httpcore2 comes with goes by way of anyio, which lets the loop go round between the head of a request and its body,
and looks up for every read and write which of two event loops it runs in: a third of what a request costs.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

from httpcore2 import (
    AsyncNetworkBackend,
    AsyncNetworkStream,
    ConnectError,
    ConnectTimeout,
    ReadError,
    ReadTimeout,
    WriteError,
    WriteTimeout,
)
from httpcore2._utils import is_socket_readable

LITTLE = 1 << 16
"""Bytes that are sent with what comes next: the head of a request with its body."""
ROUNDS = 3
"""Of the event loop, after which it has asked for what has come: one may be half over, and ask before ours is heard."""
MOST_AHEAD = 1 << 18
"""Bytes that are received before anybody reads them."""


class Direct(AsyncNetworkBackend):
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncNetworkStream:
        local = None if local_address is None else (local_address, 0)
        loop = asyncio.get_running_loop()
        with _told_as(ConnectTimeout, _unreachable):
            async with asyncio.timeout(timeout):
                _, stream = await loop.create_connection(DirectStream, host, port, local_addr=local)
        return stream.with_options(socket_options or ())

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        with _told_as(ConnectTimeout, _unreachable):
            async with asyncio.timeout(timeout):
                _, stream = await loop.create_unix_connection(DirectStream, path)
        return stream.with_options(socket_options or ())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class DirectStream(AsyncNetworkStream, asyncio.Protocol):
    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._ahead = 0
        self._full = False
        """Nothing more is received until what came is read."""
        self._over = False
        self._lost: Exception | None = None
        self._reading: asyncio.Future[None] | None = None
        self._writing: asyncio.Future[None] | None = None
        """There while the system takes no more of what is sent."""
        self._unsent = b""
        self._rounds = ROUNDS
        """Of the event loop since something was read, so many at most."""

    def with_options(self, options: Iterable[Any]) -> DirectStream:
        for option in options:
            self._transport.get_extra_info("socket").setsockopt(*option)
        return self

    # What the event loop tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._pieces.append(data)
        self._ahead += len(data)
        if self._ahead > MOST_AHEAD and not self._full:
            self._full = True
            self._transport.pause_reading()
        _wake(self._reading)

    def eof_received(self) -> bool:
        self._over = True
        _wake(self._reading)
        # Who sends no more may still read; with TLS that cannot be.
        return self._transport.get_extra_info("ssl_object") is None

    def connection_lost(self, exc: Exception | None) -> None:
        self._over, self._lost = True, exc
        _wake(self._reading)
        _wake(self._writing)

    def pause_writing(self) -> None:
        self._writing = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        _wake(self._writing)
        self._writing = None

    # What httpcore2 asks

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._unsent:
            with suppress(WriteError):  # what was answered all the same is read
                self._send()
        if not self._pieces and not self._over:
            self._reading = asyncio.get_running_loop().create_future()
            with _told_as(ReadTimeout, ReadError):
                await _within(timeout, self._reading)
        if not self._pieces:
            if self._lost is not None:
                raise ReadError(self._lost) from self._lost
            return b""
        if self._rounds >= ROUNDS:
            asyncio.get_running_loop().call_soon(self._another_round)
        self._rounds = 0
        data = self._pieces.popleft()
        if len(data) > max_bytes:
            self._pieces.appendleft(data[max_bytes:])
            data = data[:max_bytes]
        self._ahead -= len(data)
        if self._full and self._ahead <= MOST_AHEAD:
            self._full = False
            self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """What is little goes along with what is written next, or when an answer is waited for."""
        self._unsent += buffer
        if len(self._unsent) < LITTLE:
            return
        self._send()
        if self._writing is not None:
            with _told_as(WriteTimeout, WriteError):
                await _within(timeout, self._writing)

    def _send(self) -> None:
        if self._lost is not None or self._transport.is_closing():
            raise WriteError(self._lost or "the connection is closed")
        data, self._unsent = self._unsent, b""
        self._transport.write(data)

    async def aclose(self) -> None:
        if self._transport.get_extra_info("ssl_object") is None:
            self._transport.close()
        else:
            self._transport.abort()  # else the server's farewell would be waited for, half a minute long

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> AsyncNetworkStream:
        loop, inner = asyncio.get_running_loop(), DirectStream()
        try:
            with _told_as(ConnectTimeout, ConnectError):
                async with asyncio.timeout(timeout):
                    transport = await loop.start_tls(
                        self._transport, inner, ssl_context, server_hostname=server_hostname
                    )
        except BaseException:
            self._transport.abort()
            raise
        if transport is None:
            raise ConnectError("the connection was closed")
        inner.connection_made(transport)
        return inner

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return self.holds_unread()
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._transport.get_extra_info(names.get(info, info))

    def holds_unread(self) -> bool:
        """Whether there is anything to read, were it the end."""
        if self._pieces or self._over or self._transport.is_closing():
            return True
        # The loop has looked since, and looks again and again: what had come would be here.
        return self._rounds < ROUNDS and is_socket_readable(self._transport.get_extra_info("socket"))

    def _another_round(self) -> None:
        self._rounds += 1
        if self._rounds < ROUNDS:
            asyncio.get_running_loop().call_soon(self._another_round)


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)


async def _within(timeout: float | None, waiting: asyncio.Future[None]) -> None:
    if timeout is None:
        await waiting
        return
    async with asyncio.timeout(timeout):
        await waiting


def _unreachable(error: Exception) -> ConnectError:
    # Without the address, which may be one that the user never named.
    return ConnectError("All connection attempts failed")


@contextmanager
def _told_as(late: Callable[[Exception], Exception], fault: Callable[[Exception], Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise late(error) from error
    except OSError as error:
        raise fault(error) from error
