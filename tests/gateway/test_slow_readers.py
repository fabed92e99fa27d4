"""Clients that ask and do not read what they are answered."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette

from tui_orchestrator.cli.serve import SETTLED
from tui_orchestrator.demo import Say
from tui_orchestrator.gateway import connections
from tui_orchestrator.gateway.app import application
from tui_orchestrator.gateway.guard import Guard

from .conftest import TOKEN, Servers

PATIENCE_S = 60
LONG = "word " * 30_000
"""Far more than all buffers between the two hold."""


@dataclass
class Narrow:
    """A gateway as `serve` has it, with one place and small buffers."""

    port: int
    app: Starlette
    server: uvicorn.Server

    def asked(self, *, stream: bool) -> socket.socket:
        question = {"model": "openai/rush-pro", "stream": stream, "messages": [{"role": "user", "content": "Tell."}]}
        body = json.dumps(question)
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nx-api-key: {TOKEN}\r\n"
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", self.port))
        client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        return client

    async def status(self) -> int:
        """Of another one's question."""
        question = {"model": "openai/rush-mini", "messages": [{"role": "user", "content": "hello"}]}
        address = f"http://127.0.0.1:{self.port}"
        async with httpx2.AsyncClient(base_url=address, headers={"x-api-key": TOKEN}, timeout=PATIENCE_S) as client:
            return (await client.post("/v1/chat/completions", json=question)).status_code

    async def until_served(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while await self.status() != 200:  # noqa: ASYNC110  # asked again and again, as a client does
                await asyncio.sleep(0.05)


@pytest.fixture
async def narrow(servers: Servers) -> AsyncIterator[Narrow]:
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    app = application(TOKEN)
    next(one for one in app.user_middleware if one.cls is Guard).kwargs["most_at_once"] = 1
    server = uvicorn.Server(uvicorn.Config(app, **SETTLED))  # type: ignore[arg-type]
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    one = Narrow(listening.getsockname()[1], app, server)
    await one.until_served()
    yield one
    server.should_exit = True
    await serving


async def until_asked(servers: Servers) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while "rush-pro" not in [exchange.model for exchange in servers.exchanges]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_never_reads_is_hung_up_on_and_pays_for_what_had_come(
    narrow: Narrow, servers: Servers, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "READ_S", 0.5)
    servers.script.always(Say(text=LONG))
    with closing(narrow.asked(stream=stream)):
        await until_asked(servers)
        async with asyncio.timeout(PATIENCE_S):
            while narrow.server.server_state.connections:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        servers.script.always(Say(text="ready"))
        await narrow.until_served()
        attempts = await narrow.app.state.runtime.reports.last()
    (paid,) = [attempt for attempt in attempts if attempt.model == "openai/rush-pro"]
    assert paid.cost.amount


async def test_a_client_that_reads_slowly_is_answered_to_the_end(
    narrow: Narrow, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "READ_S", 1.0)
    servers.script.always(Say(text="word " * 3_000))
    with closing(narrow.asked(stream=True)) as client:
        client.setblocking(False)
        loop, said = asyncio.get_running_loop(), b""
        async with asyncio.timeout(PATIENCE_S):
            while not said.endswith(b"[DONE]\n\n\r\n0\r\n\r\n"):
                said += (piece := await loop.sock_recv(client, 8192))
                assert piece, "the connection was closed"
                await asyncio.sleep(0.02)
    assert said.count(b'"content":') > 1_000
