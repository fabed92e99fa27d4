"""Connections over the event loop's own transports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpcore2
import httpx2
import pytest

from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.providers.direct import LITTLE, MOST_AHEAD, Direct

Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


@asynccontextmanager
async def served(answer: Answering) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer(reader, writer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_head_and_body_of_a_request_come_together() -> None:
    came: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await reader.read(LITTLE))
        writer.write(OK % 0)

    clients = HttpClients()
    async with served(answer) as url:
        await clients.local.post(url, content=b"the body")
    await clients.aclose()
    assert came[0].endswith(b"\r\n\r\nthe body")


async def test_more_than_the_system_holds_goes_both_ways() -> None:
    size = 8 * MOST_AHEAD

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(size)
        writer.write(OK % size + body)
        await writer.drain()

    clients = HttpClients()
    sent = bytes(range(256)) * (size // 256)
    async with served(answer) as url:
        assert (await clients.local.post(url, content=sent)).content == sent
    await clients.aclose()


async def test_an_answer_to_a_request_that_was_not_read_to_its_end_is_heard() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        while await reader.read(LITTLE):
            pass

    clients = HttpClients()
    async with served(answer) as url:
        assert (await clients.local.post(url, content=bytes(4 * MOST_AHEAD))).status_code == 413
    await clients.aclose()


async def test_who_hangs_up_in_the_middle_is_told_of() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK % 10 + b"half")

    clients = HttpClients()
    async with served(answer) as url:
        with pytest.raises(httpx2.RemoteProtocolError):
            await clients.local.get(url)
    await clients.aclose()


async def test_silence_ends_after_its_time() -> None:
    done = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await done.wait()

    async with served(answer) as url:
        port = int(url.rpartition(":")[2])
        stream = await Direct().connect_tcp("127.0.0.1", port, timeout=60)
        assert not stream.get_extra_info("is_readable")
        with pytest.raises(httpcore2.ReadTimeout):
            await stream.read(LITTLE, timeout=0.01)
        await stream.aclose()
        assert stream.get_extra_info("is_readable"), "what is closed is not used again"
        done.set()
