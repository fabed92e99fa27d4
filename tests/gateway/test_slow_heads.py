"""Clients that open a connection and never say what they want."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, closing, suppress

import httpx2
import pytest
import uvicorn

from tui_orchestrator.cli.serve import SETTLED
from tui_orchestrator.gateway import connections
from tui_orchestrator.gateway.app import application
from tui_orchestrator.gateway.guard import MOST_BYTES

from .conftest import TOKEN, Servers

HEAD = f"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nx-api-key: {TOKEN}\r\n".encode()
PATIENCE_S = 60


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def at(cls, port: int, said: bytes = HEAD, address: str = "127.0.0.1") -> Client:
        client = cls(*await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0)))
        client.say(said)
        return client

    def say(self, more: bytes) -> None:
        self._writer.write(more)

    async def told(self) -> bytes:
        """The head of what is answered."""
        return await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), PATIENCE_S)

    async def end(self) -> bytes:
        """All that is answered until the other side closes the connection, to one byte after the other."""

        async def drip() -> None:
            while True:
                self._writer.write(b"a")
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        try:
            return await self.silent_end()
        finally:
            dripping.cancel()

    async def silent_end(self) -> bytes:
        said = b""
        # A byte that is on its way when the other side closes is answered by a reset.
        with suppress(ConnectionResetError):
            while more := await asyncio.wait_for(self._reader.read(65536), PATIENCE_S):
                said += more
        return said

    def close(self) -> None:
        self._writer.close()


@pytest.fixture
async def port(servers: Servers) -> AsyncIterator[int]:
    """Of a gateway that is served as `serve` does it."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(TOKEN), **SETTLED))  # type: ignore[arg-type]
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield listening.getsockname()[1]
    server.should_exit = True
    await serving


def anybody(port: int) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"x-api-key": TOKEN}, timeout=PATIENCE_S)


async def test_a_head_has_its_time_however_it_drips(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async with anybody(port) as client:
        assert (await client.get("/health")).status_code == 200
    monkeypatch.setattr(connections, "HEAD_S", 0.3)
    with closing(await Client.at(port)) as dripping, closing(await Client.at(port, b"")) as silent:
        for told in (await dripping.end(), await silent.silent_end()):
            assert told.startswith(b"HTTP/1.1 408 ")
            assert b"The head of the request came too slowly; send it again." in told


async def test_the_second_head_of_a_connection_has_its_time_too(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(await Client.at(port, HEAD + b"Content-Length: 0\r\n\r\n")) as client:
        assert b" 200 " in await client.told()
        monkeypatch.setattr(connections, "HEAD_S", 0.3)
        client.say(HEAD + b"\r\n" + HEAD)
        told = await client.end()
    assert told.count(b"HTTP/1.1 200 ") == 1
    assert told.count(b"HTTP/1.1 408 ") == 1


async def test_a_body_that_was_refused_is_not_waited_for(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.3)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {MOST_BYTES}\r\n\r\n"
    with closing(await Client.at(port, head.encode())) as client:
        told = await client.end()
    assert told.startswith(b"HTTP/1.1 401 ")
    assert b" 408 " not in told


async def test_as_many_as_may_wait_keep_nobody_else_out(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_WAITED_FOR", 8)
    with ExitStack() as stack:
        other = stack.enter_context(closing(await Client.at(port, address="127.0.0.2")))
        many = [stack.enter_context(closing(await Client.at(port, b""))) for _ in range(20)]
        for eldest in many[:12]:
            told = await eldest.silent_end()
            assert told.startswith(b"HTTP/1.1 503 ")
            assert b"Too many connections are open; try again in a moment." in told
        async with anybody(port) as client:
            assert (await client.get("/v1/models")).status_code == 200
        for one, rest in ((other, b"\r\n"), (many[-1], HEAD + b"\r\n")):
            one.say(rest)
            assert b" 200 " in await one.told()
