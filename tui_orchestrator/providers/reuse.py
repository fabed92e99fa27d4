"""What is kept from one request to the next: connections, where nothing is left in them, and no cookies.

A server may send more than one answer to one request, by a bug of its own or of a proxy before it. On a connection
used again the next request would be given the rest as its answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from http.cookiejar import CookieJar
from typing import Any

import httpx2
from anyio.streams.tls import TLSStream
from httpcore2 import (
    AsyncConnectionInterface,
    AsyncConnectionPool,
    AsyncHTTP11Connection,
    AsyncNetworkStream,
    ConnectionNotAvailable,
    Origin,
    Request,
    Response,
)

LOOK_EVERY_S = 1.0
"""How long a connection that was closed from the other side may be kept."""


class NoCookies(CookieJar):
    """Stays empty: a jar would be shared by all providers at the same host, and what they put in it sent to each."""

    def extract_cookies(self, response: Any, request: Any) -> None: ...


def pools(client: httpx2.AsyncClient) -> Iterable[AsyncConnectionPool]:
    """The one of its own and those of the environment's proxies."""
    # By way of its transports, because a client that is given one of its own leaves the proxies of the environment out.
    transports: Iterable[Any] = (client._transport, *client._mounts.values())
    return [transport._pool for transport in transports if transport is not None]


def reuse_only_what_was_read_out(client: httpx2.AsyncClient) -> None:
    """Closes a connection on which something was left unread, in place of using it again."""
    for pool in pools(client):
        pool.create_connection = partial(_created, pool.create_connection)  # type: ignore[method-assign]


def _created(create: Callable[[Origin], AsyncConnectionInterface], origin: Origin) -> AsyncConnectionInterface:
    """Looked into before each request that is to be sent on it. The pool asks every idle connection twice for each
    request whether it has expired, and to look costs a system call; of those that wait once a second does."""
    connection = create(origin)
    expired, send = connection.has_expired, connection.handle_async_request
    spoiled, next_look = False, 0.0

    def look() -> bool:
        nonlocal spoiled, next_look
        spoiled = spoiled or expired() or (connection.is_idle() and holds_unread(connection))
        next_look = time.monotonic() + LOOK_EVERY_S
        return spoiled

    async def handle(request: Request) -> Response:
        if connection.is_idle() and look():
            raise ConnectionNotAvailable  # the pool takes another one, and closes this
        return await send(request)

    connection.has_expired = lambda: spoiled or (time.monotonic() > next_look and look())  # type: ignore[method-assign]
    connection.handle_async_request = handle  # type: ignore[method-assign]
    return connection


def holds_unread(connection: Any) -> bool:
    """Whether anything was received on an idle connection that no response has taken; True where it cannot be told."""
    try:
        return _holds_unread(connection)
    except AttributeError:
        return True


def _holds_unread(connection: Any) -> bool:
    """In all places where it may lie: the HTTP parser's, TLS's and the socket's."""
    while not isinstance(connection, AsyncHTTP11Connection):
        connection = connection._connection
    if connection._h11_state.trailing_data[0]:
        return True
    stream: Any = connection._network_stream
    while isinstance(stream, AsyncNetworkStream):
        stream = stream._stream  # type: ignore[attr-defined]
    while isinstance(stream, TLSStream):
        if stream._ssl_object.pending() or stream._read_bio.pending:
            return True
        stream = stream.transport_stream
    return bool(stream._protocol.read_queue)
