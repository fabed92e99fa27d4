"""How often a connection is read while an answer streams in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from tui_orchestrator.providers.clients import HttpClients

PIECES = [b"once ", b"upon ", b"a ", b"time ", b"there"]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


class Rests:
    """In the place of the clock: a rest lasts until everything is sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = asyncio.Event()
        self.sent = asyncio.Event()
        self.count = 0
        instead = SimpleNamespace(sleep=self.sleep, get_running_loop=asyncio.get_running_loop)
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


async def test_what_comes_while_a_connection_rests_is_read_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    rests, clients = Rests(monkeypatch), HttpClients(gather_s=60.0)
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
