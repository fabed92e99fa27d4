"""What is kept from one request to the next: the connection, where nothing is left in it, and no cookies."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpcore2
import pytest

from tui_orchestrator.providers import clients as made
from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.providers.reuse import holds_unread

from .dialects import Read, Wire
from .server import LAST_CHUNK, Act, WireServer, chunk

CERTIFICATE = Path(__file__).with_name("unvouched.pem")
TLS_RECORD, ONE_READ = 1 << 14, 1 << 16
"""Bytes: what is read at once of a connection with TLS and without."""


def with_a_length(body: bytes) -> tuple[bytes, bytes]:
    return b"Content-Length: %d" % len(body), body


def in_chunks(body: bytes) -> tuple[bytes, bytes]:
    return b"Transfer-Encoding: chunked", chunk(body) + LAST_CHUNK


def answered(framed: tuple[bytes, bytes], fill: int = 0) -> bytes:
    """On a connection that stays open. `fill`: of so many bytes in all."""
    header, body = framed
    start = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + header + b"\r\nX-Fill: "
    return start + b"-" * (fill - len(start) - len(body) - 4) + b"\r\n\r\n" + body


@pytest.fixture
def vouched(monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """For a server whose certificate the environment vouches for."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    # What was read before knows nothing of it.
    monkeypatch.setattr(made, "_certificates", made._certificates.__wrapped__)
    monkeypatch.setattr(httpcore2, "default_ssl_context", httpcore2.default_ssl_context.__wrapped__)  # type: ignore[attr-defined]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def provider_of(wire: Wire, url: str, clients: HttpClients, through: str) -> Any:
    provider: Any = wire.make(url, clients)
    provider._http = lambda: getattr(clients, through)
    return provider


@pytest.mark.parametrize("through", ["local", "cloud"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("framed", [with_a_length, in_chunks])
async def test_a_connection_that_was_read_out_is_used_again(
    wire: Wire,
    clients: HttpClients,
    vouched: ssl.SSLContext,
    framed: Callable[[bytes], tuple[bytes, bytes]],
    tls: bool,
    through: str,
) -> None:
    async with WireServer(answered(framed(wire.whole)), Act.AGAIN, tls=vouched if tls else None) as server:
        provider = provider_of(wire, server.url, clients, through)
        for _ in range(3):
            assert (await Read.of(provider)).text == "Hello"
        assert (len(server.requests), server.connections) == (3, 1)


@pytest.mark.parametrize("through", ["local", "cloud"])
@pytest.mark.parametrize("part", [None, 20], ids=["whole", "begun"])
@pytest.mark.parametrize(
    ("tls", "fill"),
    [(False, 0), (False, ONE_READ), (True, 0), (True, TLS_RECORD)],
    ids=["in one read", "in the next read", "in one record of TLS", "in the next record of TLS"],
)
@pytest.mark.parametrize("framed", [with_a_length, in_chunks])
async def test_what_comes_behind_an_answer_is_not_the_answer_to_the_next_question(
    wire: Wire,
    clients: HttpClients,
    vouched: ssl.SSLContext,
    framed: Callable[[bytes], tuple[bytes, bytes]],
    tls: bool,
    fill: int,
    part: int | None,
    through: str,
) -> None:
    stale = answered(framed(wire.whole.replace(b"Hel", b"Bel")))[:part]
    first = answered(framed(wire.whole), fill) + stale
    async with WireServer(answered(framed(wire.whole)), Act.AGAIN, tls=vouched if tls else None) as server:
        server.once = [(first, Act.AGAIN)]
        provider = provider_of(wire, server.url, clients, through)
        for asked in (1, 2, 3):
            assert (await Read.of(provider)).text == "Hello"
            assert len(server.requests) == asked
        assert server.connections == 2


async def test_what_comes_behind_an_answer_through_a_proxy_is_not_the_next_one(
    wire: Wire, clients: HttpClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = answered(in_chunks(wire.whole.replace(b"Hel", b"Bel")))
    async with WireServer(answered(in_chunks(wire.whole)), Act.AGAIN) as proxy:
        proxy.once = [(answered(in_chunks(wire.whole)) + stale, Act.AGAIN)]
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        provider = provider_of(wire, "http://model.invalid", clients, "cloud")
        for _ in range(3):
            assert (await Read.of(provider)).text == "Hello"
        assert (len(proxy.requests), proxy.connections) == (3, 2)


async def test_what_comes_behind_an_answer_is_gone_where_it_is_read_now_and_then(wire: Wire) -> None:
    clients = HttpClients(gather_s=0.01)
    stale = answered(in_chunks(wire.whole.replace(b"Hel", b"Bel")))
    async with WireServer(answered(in_chunks(wire.whole)), Act.AGAIN) as server:
        server.once = [(answered(in_chunks(wire.whole)) + stale, Act.AGAIN)]
        provider = wire.make(server.url, clients)
        for _ in range(3):
            assert (await Read.of(provider)).text == "Hello"
        assert (len(server.requests), server.connections) == (3, 2)
        await clients.aclose()


@pytest.mark.parametrize("through", ["local", "cloud"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
async def test_connections_that_were_closed_from_the_other_side_are_not_used_again(
    wire: Wire, clients: HttpClients, vouched: ssl.SSLContext, tls: bool, through: str
) -> None:
    async with WireServer(answered(with_a_length(wire.whole)), Act.AGAIN, tls=vouched if tls else None) as server:
        provider = provider_of(wire, server.url, clients, through)
        await asyncio.gather(*(Read.of(provider) for _ in range(3)))
        before = server.connections
        await server.hang_up()
        for _ in range(3):
            assert (await Read.of(provider)).text == "Hello"
        assert (len(server.requests), server.connections) == (6, before + 1)


def test_of_a_connection_that_cannot_be_looked_into_it_is_not_known() -> None:
    assert holds_unread(object())


@pytest.mark.parametrize("through", ["local", "cloud"])
async def test_no_cookie_is_kept(wire: Wire, clients: HttpClients, through: str) -> None:
    framed = b"Set-Cookie: who=you; Path=/\r\nContent-Length: %d" % len(wire.whole), wire.whole
    async with (
        WireServer(answered(framed), Act.AGAIN) as server,
        WireServer(answered(with_a_length(wire.whole))) as another,
    ):
        for url in (server.url, server.url, another.url):
            assert (await Read.of(provider_of(wire, url, clients, through))).text == "Hello"
        assert [seen.headers.get("cookie") for seen in (*server.requests, *another.requests)] == [None] * 3
        assert not getattr(clients, through).cookies
