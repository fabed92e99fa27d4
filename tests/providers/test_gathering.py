"""How often a connection is read while an answer streams in."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from httpcore2 import AsyncNetworkBackend, AsyncNetworkStream

from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.providers.gathering import LITTLE, Gathering, GatheringBackend

PIECES = [b"once ", b"upon ", b"a ", b"time ", b"there"]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


class Rests:
    """In the place of the clock: a rest lasts until everything is sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = asyncio.Event()
        self.sent = asyncio.Event()
        self.count = 0
        stands_still = SimpleNamespace(time=lambda: 1000.12)
        instead = SimpleNamespace(sleep=self.sleep, get_running_loop=lambda: stands_still)
        monkeypatch.setattr("tui_orchestrator.providers.gathering.asyncio", instead)

    async def sleep(self, seconds: float) -> None:
        assert 0 < seconds <= 60
        self.count += 1
        self.begun.set()
        await self.sent.wait()


@asynccontextmanager
async def served(rests: Rests, pieces: list[bytes]) -> AsyncIterator[str]:
    """Answers every request with the pieces: the first with its head, the others once that was read."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            while (await reader.readline()).strip():
                pass
            writer.write(HEAD % sum(map(len, pieces)) + pieces[0])
            for piece in pieces[1:]:
                await rests.begun.wait()
                writer.write(piece)
                await writer.drain()
            rests.sent.set()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def body(clients: HttpClients, url: str, *, through: str = "local") -> list[bytes]:
    """As it was read."""
    async with getattr(clients, through).stream("GET", url) as response:
        return [chunk async for chunk in response.aiter_raw()]


@pytest.mark.parametrize("every_s", [60.0, 0.05])
async def test_what_comes_while_a_connection_rests_is_read_in_one_go(
    monkeypatch: pytest.MonkeyPatch, every_s: float
) -> None:
    rests, clients = Rests(monkeypatch), HttpClients(gather_s=every_s)
    async with served(rests, PIECES) as url:
        assert await body(clients, url) == [PIECES[0], b"".join(PIECES[1:])]
        assert rests.count == 1
        await clients.aclose()


async def test_what_comes_through_a_proxy_gathers_too(monkeypatch: pytest.MonkeyPatch) -> None:
    rests, clients = Rests(monkeypatch), HttpClients(gather_s=60.0)
    async with served(rests, PIECES) as url:
        monkeypatch.setenv("HTTP_PROXY", url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert await body(clients, "http://model.invalid/", through="cloud") == [PIECES[0], b"".join(PIECES[1:])]
        await clients.aclose()


async def test_the_answer_to_a_new_request_is_read_as_soon_as_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    rests, clients = Rests(monkeypatch), HttpClients(gather_s=60.0)
    async with served(rests, [b"all of it"]) as url:
        for _ in range(3):
            assert await body(clients, url) == [b"all of it"]
        assert rests.count == 0
        await clients.aclose()


async def test_a_body_that_comes_fast_is_not_held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    rests, clients = Rests(monkeypatch), HttpClients(gather_s=60.0)
    async with served(rests, [b"x" * 3_000_000]) as url:
        assert sum(map(len, await body(clients, url))) == 3_000_000
        assert rests.count < 10
        await clients.aclose()


async def test_without_it_nothing_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    rests, clients = Rests(monkeypatch), HttpClients()
    rests.begun.set()
    async with served(rests, PIECES) as url:
        assert b"".join(await body(clients, url)) == b"".join(PIECES)
        assert rests.count == 0
        await clients.aclose()


class Wire(AsyncNetworkStream):
    """Says what was read of it, and what it was asked for."""

    def __init__(self, *reads: bytes) -> None:
        self.reads = list(reads)
        self.asked: list[tuple[object, ...]] = []

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.asked.append(("read", max_bytes, timeout))
        return self.reads.pop(0)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.asked.append(("write", buffer, timeout))

    async def aclose(self) -> None:
        self.asked.append(("close",))

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> AsyncNetworkStream:
        self.asked.append((ssl_context, server_hostname, timeout))
        return self

    def get_extra_info(self, info: str) -> object:
        return f"its {info}"


class Wires(AsyncNetworkBackend):
    async def connect_tcp(self, host: str, port: int, *others: Any, **more: Any) -> AsyncNetworkStream:
        return Wire(f"{host}:{port} {others} {more}".encode())

    async def connect_unix_socket(self, path: str, *others: Any, **more: Any) -> AsyncNetworkStream:
        return Wire(f"{path} {others} {more}".encode())

    async def sleep(self, seconds: float) -> None:
        self.slept = seconds


async def test_all_else_of_a_connection_is_as_it_was() -> None:
    wire, context = Wire(), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    plain = Gathering(wire, 60.0)
    safe = await plain.start_tls(context, "model.invalid", 2.0)
    assert isinstance(safe, Gathering), "what comes under TLS gathers too"
    assert (safe._stream, safe._every_s) == (wire, 60.0)
    await safe.write(b"a", 3.0)
    await safe.aclose()
    assert wire.asked == [(context, "model.invalid", 2.0), ("write", b"a", 3.0), ("close",)]
    assert safe.get_extra_info("socket") == "its socket"


async def test_every_way_to_connect_gathers() -> None:
    wires = Wires()
    backend = GatheringBackend(wires, 60.0)
    tcp = await backend.connect_tcp("model.invalid", 80, 2.0, local_address="here")
    unix = await backend.connect_unix_socket("/run/model", 2.0, socket_options=[])
    for stream, said in (
        (tcp, "model.invalid:80 (2.0,) {'local_address': 'here'}"),
        (unix, "/run/model (2.0,) {'socket_options': []}"),
    ):
        assert isinstance(stream, Gathering)
        assert (await stream.read(5, 1.0)).decode() == said
        assert stream._every_s == 60.0
    await backend.sleep(7.0)
    assert wires.slept == 7.0


@pytest.mark.parametrize(("came", "rests"), [(LITTLE - 1, 1), (LITTLE, 0), (0, 1)])
async def test_only_behind_a_little_it_rests_and_to_the_same_moment_as_all_others(
    monkeypatch: pytest.MonkeyPatch, came: int, rests: int
) -> None:
    now, slept = [125.0], []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    loop = SimpleNamespace(time=lambda: now[0])
    monkeypatch.setattr(
        "tui_orchestrator.providers.gathering.asyncio",
        SimpleNamespace(sleep=sleep, get_running_loop=lambda: loop),
    )
    stream = Gathering(Wire(b"x" * came, b"", b"", b""), 10.0)
    await stream.read(9)
    now[0] = 127.0
    await stream.read(9)
    assert slept == [3.0] * rests
    now[0] = 130.0
    await stream.read(9)
    assert slept == [3.0] * rests, "after a longer silence it is read as soon as it is there"
    await stream.write(b"a new request")
    await stream.read(9)
    assert slept == [3.0] * rests
