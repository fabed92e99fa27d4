"""The gateway on a real socket, before demo servers whose addresses stand in the user's configuration."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
import openai
import pytest
import uvicorn
from starlette.applications import Starlette

from tui_orchestrator.demo import Servers
from tui_orchestrator.gateway.app import application
from tui_orchestrator.services.runtime import Runtime

from ..library.conftest import servers

__all__ = ["servers"]

TOKEN = "a-token-of-the-tests"


@dataclass(frozen=True, slots=True)
class Gateway:
    address: str
    app: Starlette
    servers: Servers

    @property
    def runtime(self) -> Runtime:
        runtime: Runtime = self.app.state.runtime
        return runtime

    @property
    def asked(self) -> list[str]:
        return [exchange.model for exchange in self.servers.exchanges if exchange.method == "POST"]

    def openai(self) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(api_key=TOKEN, base_url=f"{self.address}/v1")

    def http(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(base_url=self.address, headers={"authorization": f"Bearer {TOKEN}"}, timeout=60)


@asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[str]:
    """Its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    # The socket listens already: the first request waits until the server is there.
    async with httpx2.AsyncClient(timeout=60) as client:
        assert (await client.get(f"{address}/health")).status_code == 200
    try:
        yield address
    finally:
        server.should_exit = True
        await serving


@pytest.fixture
async def gateway(servers: Servers) -> AsyncIterator[Gateway]:
    app = application(TOKEN)
    async with served(app) as address:
        yield Gateway(address, app, servers)
