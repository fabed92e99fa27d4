"""Clients that begin to send a body and do not end it."""

from __future__ import annotations

import asyncio
import json
import re
import resource
import socket
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import replace

import httpx2
import openai
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from tui_orchestrator.demo import Say
from tui_orchestrator.gateway import guard
from tui_orchestrator.gateway.guard import Guard

from ..cli.conftest import Shell, shell
from ..cli.terminal import forked
from .conftest import TOKEN, Gateway

__all__ = ["shell"]

QUESTION = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "What is the capital of France?"}]})
HALF, REST = QUESTION[:40].encode(), QUESTION[40:].encode()
PATIENCE_S = 60


class Client:
    """Has sent its head, was told to go on, and has sent half its body."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def at(cls, port: int, address: str = "127.0.0.1") -> Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nx-api-key: {TOKEN}\r\n"
        writer.write(f"{head}Content-Length: {len(QUESTION)}\r\nExpect: 100-continue\r\n\r\n".encode())
        client = cls(reader, writer)
        assert b" 100 " in await client.told()
        writer.write(HALF)
        return client

    async def told(self) -> bytes:
        """The head of what is answered."""
        return await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), PATIENCE_S)

    async def send_the_rest(self) -> bytes:
        self._writer.write(REST)
        return await self.told()

    async def end(self) -> bytes:
        """All that was answered, once the connection is closed by the other side."""
        return await asyncio.wait_for(self._reader.read(), PATIENCE_S)

    def close(self) -> None:
        self._writer.close()


@pytest.fixture
def many_files() -> Iterator[None]:
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before < 4096:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, most), most))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


@asynccontextmanager
async def serving(shell: Shell, files: int) -> AsyncIterator[int]:
    """The port of a gateway whose environment allows so many open files until it asks for more."""
    with_token = replace(shell, environment={**shell.environment, "TUI_ORCHESTRATOR_GATEWAY_TOKEN": TOKEN})
    process = await forked(with_token, "serve", "--port", "0", open_files=files, stderr=PIPE)
    try:
        assert process.stderr is not None
        found = re.search(rb":(\d+)/v1", await process.stderr.readline())
        assert found
        yield int(found[1])
    finally:
        process.kill()
        await process.wait()


async def test_as_many_as_there_are_places_keep_nobody_else_out(shell: Shell, many_files: None) -> None:
    shell.script.always(Say("Paris."))
    async with serving(shell, files=256) as port:
        with ExitStack() as stack:
            clients = [stack.enter_context(closing(await Client.at(port))) for _ in range(1024 + 50)]
            for eldest in clients[:50]:
                assert b" 408 " in await eldest.told()
            async with httpx2.AsyncClient(timeout=PATIENCE_S) as anybody:
                assert (await anybody.get(f"http://127.0.0.1:{port}/health")).status_code == 200
            async with openai.AsyncOpenAI(api_key=TOKEN, base_url=f"http://127.0.0.1:{port}/v1") as other:
                answer = await other.chat.completions.create(
                    model="auto", messages=[{"role": "user", "content": "What is the capital of France?"}]
                )
            assert answer.choices[0].message.content == "Paris."
            assert b" 200 " in await clients[-1].send_the_rest()


async def test_a_body_has_its_time(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_S", 0.1)
    with closing(await Client.at(int(gateway.address.rpartition(":")[2]))) as client:
        told = await client.end()
    assert told.startswith(b"HTTP/1.1 408 ")
    assert b"The body came too slowly" in told
    assert gateway.asked == []


@pytest.fixture
async def narrow() -> AsyncIterator[int]:
    """The port of a server with three places, room for three on their way and for a thousand bytes."""

    async def length(scope: object, receive: object, send: object) -> None:
        request = Request(scope, receive)  # type: ignore[arg-type]
        await PlainTextResponse(str(len(await request.body())))(scope, receive, send)  # type: ignore[arg-type]

    listening = socket.create_server(("127.0.0.1", 0))
    app = Guard(length, token=TOKEN, most_at_once=3, most_kept_bytes=1000)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    yield listening.getsockname()[1]
    server.should_exit = True
    await running


async def test_who_sends_most_makes_room(narrow: int) -> None:
    with ExitStack() as stack:
        one, first, second = [
            stack.enter_context(closing(await Client.at(narrow, f"127.0.0.{number}"))) for number in (2, 1, 1)
        ]
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{narrow}", timeout=PATIENCE_S) as anybody:
            assert (await anybody.get("/health")).text == "0"
            assert (await anybody.post("/", headers={"x-api-key": TOKEN}, content=b"whole")).text == "5"
        assert b" 408 " in await first.told()
        for client in (one, second):
            assert b" 200 " in await client.send_the_rest()


async def test_what_all_send_together_has_a_bound_and_who_keeps_most_gives_way(narrow: int) -> None:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{narrow}", timeout=PATIENCE_S) as anybody:
        with ExitStack() as stack:
            first, second = [stack.enter_context(closing(await Client.at(narrow))) for _ in range(2)]
            # By a byte more than there is room for beside what the two have sent: one of them must go.
            large = 1001 - 2 * len(HALF)
            said = await anybody.post("/", headers={"x-api-key": TOKEN}, content=b"x" * large)
            assert said.text == str(large)
            told = await first.end()
            assert b" 503 " in told
            assert b"Too much is being sent at once; try again in a moment." in told
            assert b" 200 " in await second.send_the_rest()
        too_much = await anybody.post("/", headers={"x-api-key": TOKEN}, content=b"x" * 1001)
        assert too_much.status_code == 503
        assert too_much.headers["retry-after"] == "1"
        # All of it is free again.
        assert (await anybody.post("/", headers={"x-api-key": TOKEN}, content=b"x" * 1000)).text == "1000"
