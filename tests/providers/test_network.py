"""How names are looked up and their addresses tried, in a loop that is not the program's own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from tui_orchestrator.providers.clients import HttpClients

Answer = Callable[[], list[Any]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Answer]:
    """What the name server says of a name."""
    told: dict[str, Answer] = {}
    found = socket.getaddrinfo

    def look_up(host: Any, *rest: Any, **how: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        return told[name]() if name in told else found(host, *rest, **how)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return told


def at(*addresses: str) -> Answer:
    return lambda: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    """The port of 127.0.0.1 at which "here" is answered."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (await reader.readline()).strip():
            pass
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nhere")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_look_ups_that_are_not_answered_leave_the_loops_pool_to_others(names: dict[str, Answer]) -> None:
    over = threading.Event()

    def silent() -> list[Any]:
        over.wait()
        return at("127.0.0.1")()

    names["silent.invalid"] = silent
    clients = HttpClients()
    waiting = [asyncio.create_task(clients.local.get("http://silent.invalid/", timeout=None)) for _ in range(64)]
    asked = asyncio.create_task(clients.cloud.get("http://silent.invalid/", timeout=httpx2.Timeout(None, connect=0.01)))
    with pytest.raises(httpx2.ConnectTimeout):
        await asked
    # The pool has at most 32 threads.
    assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 60) == "free"
    async with served() as port:
        assert (await clients.local.get(f"http://localhost:{port}/")).text == "here"
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    over.set()
    await clients.aclose()


async def test_the_next_address_of_a_name_is_tried(names: dict[str, Answer]) -> None:
    clients = HttpClients()
    async with served() as port:
        # Nobody listens at the first of these, and the second does not answer: its queue is full.
        with socket.create_server(("127.0.0.3", port), backlog=0) as full:
            held = []
            for _ in range(4):
                one = socket.socket()
                one.setblocking(False)
                one.connect_ex(full.getsockname())
                held.append(one)
            names["many.invalid"] = at("127.0.0.2", "127.0.0.3", "127.0.0.1")
            assert (await clients.local.get(f"http://many.invalid:{port}/")).text == "here"
            for one in held:
                one.close()
    await clients.aclose()


@pytest.mark.parametrize("addresses", [("127.0.0.2",), ("127.0.0.2", "127.0.0.3")])
async def test_a_name_at_whose_addresses_nobody_is_cannot_be_connected_to(
    names: dict[str, Answer], addresses: tuple[str, ...]
) -> None:
    names["nobody.invalid"] = at(*addresses)
    clients = HttpClients()
    async with served() as port:
        with pytest.raises(httpx2.ConnectError, match="All connection attempts failed"):
            await clients.local.get(f"http://nobody.invalid:{port}/")
    await clients.aclose()


@pytest.mark.parametrize("host", ["no-such-name.invalid", "a" * 70 + ".invalid"])
async def test_a_name_that_nobody_has_cannot_be_connected_to(host: str) -> None:
    clients = HttpClients()
    with pytest.raises(httpx2.ConnectError):
        await clients.local.get(f"http://{host}/")
    await clients.aclose()
