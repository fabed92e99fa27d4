"""`serve` as a program of its own."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx2
import openai
import pytest

from benchmarks.terminal.pseudoterminal import foreign
from tui_orchestrator.cli.serve import _bound
from tui_orchestrator.demo import Say

from ..cli.conftest import Shell, shell
from ..cli.terminal import PATIENCE_S, forked
from ..warm import Forked

__all__ = ["shell"]


@asynccontextmanager
async def serving(shell: Shell, *arguments: str) -> AsyncIterator[tuple[str, Forked]]:
    with_token = replace(shell, environment={**shell.environment, "TUI_ORCHESTRATOR_GATEWAY_TOKEN": "token"})
    process = await forked(with_token, "serve", "--port", "0", *arguments, stderr=PIPE)
    assert process.stderr is not None
    try:
        said = (await process.stderr.readline()).decode()
        found = re.search(r"(http://\S+/v1)", said)
        assert found, said
        yield found[1], process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_it_says_where_the_token_in_use_is(shell: Shell) -> None:
    async with serving(shell) as (_, process):
        assert process.stderr is not None
        assert b"The token is that of TUI_ORCHESTRATOR_GATEWAY_TOKEN" in await process.stderr.readline()


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_it_answers_under_the_printed_address_and_ends_with_ctrl_c(workers: str, shell: Shell) -> None:
    shell.script.always(Say("Paris."))
    async with serving(shell, "--workers", workers) as (address, process):
        async with openai.AsyncOpenAI(api_key="token", base_url=address, timeout=120) as client:
            answer = await client.chat.completions.create(
                model="auto", messages=[{"role": "user", "content": "What is the capital of France?"}]
            )
        assert answer.choices[0].message.content == "Paris."
        process.send_signal(signal.SIGINT)
        assert await process.wait() in (0, 130, -signal.SIGINT)
    rows = (await shell.run("costs", "--format", "json", "--period", "today")).json["rows"]
    assert sum(row["attempts"] for row in rows) == len(shell.asked) == 1


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_it_ends_with_0_where_it_is_told_to_end(workers: str, shell: Shell) -> None:
    async with serving(shell, "--workers", workers) as (address, process):
        async with openai.AsyncOpenAI(api_key="token", base_url=address, timeout=120) as client:
            assert [model.id async for model in client.models.list()]
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def test_it_is_opened_to_others_only_under_a_name(shell: Shell) -> None:
    ended = await shell.run("serve", "--host", "0.0.0.0")
    assert ended.code == 2
    assert "--allow-host" in ended.err


async def test_a_port_that_is_taken_is_named(shell: Shell) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    ended = await shell.run("serve", "--port", str(port))
    server.close()
    assert ended.code == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ended.err


def test_what_is_sent_in_pieces_waits_for_no_acknowledgement() -> None:
    with _bound("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        connection, _ = listening.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


MISTAKEN = """
import socket, uvicorn
from tui_orchestrator.cli.serve import SETTLED
from tui_orchestrator.settings import Secret

secret = Secret("sk-0123456789abcdefghij")

async def app(scope, receive, send):
    raise RuntimeError("\\x1b]52;c;YWxs\\x07 \\x9b31m of " + secret.reveal())

bound = socket.create_server(("127.0.0.1", 0))
print(bound.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, lifespan="off", **SETTLED)).run(sockets=[bound])
"""


async def test_what_uvicorn_says_has_no_control_character_and_no_key() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", MISTAKEN, stdout=PIPE, stderr=PIPE)
    try:
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        async with httpx2.AsyncClient(timeout=PATIENCE_S) as client:
            assert (await client.get(f"http://127.0.0.1:{port}/")).status_code == 500
        process.send_signal(signal.SIGINT)
        _, told = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    said = told.decode()
    assert "RuntimeError" in said
    assert foreign(told.replace(b"\n", b"")) == []
    assert "0123456789abcdefghij" not in said


async def test_who_asks_for_web_sockets_is_answered_without_a_word_on_stderr(shell: Shell) -> None:
    async with serving(shell) as (address, process):
        assert process.stderr is not None
        await process.stderr.readline()  # the token
        wishes = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
        async with httpx2.AsyncClient(timeout=PATIENCE_S) as client:
            answered = await client.get(address.removesuffix("/v1") + "/health", headers=wishes)
        process.send_signal(signal.SIGINT)
        told = await process.stderr.read()
    assert answered.status_code == 200
    assert told.split() == [b"Interrupted."]


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 65_600]
)
async def test_what_is_no_request_is_answered_in_openai_s_form_without_a_word_on_stderr(
    sent: bytes, shell: Shell
) -> None:
    async with serving(shell) as (address, process):
        assert process.stderr is not None
        await process.stderr.readline()  # the token
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address.removesuffix("/v1").rpartition(":")[2]))
        writer.write(sent)
        head, _, body = (await asyncio.wait_for(reader.read(), PATIENCE_S)).partition(b"\r\n\r\n")
        writer.close()
        process.send_signal(signal.SIGINT)
        told = await process.stderr.read()
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["error"]["type"] == "invalid_request_error"
    assert told.split() == [b"Interrupted."]


UNFORESEEN = """
import contextlib, socket, uvicorn
from tui_orchestrator.cli.serve import SETTLED
from tui_orchestrator.gateway import app

async def mistaken(request):
    raise RuntimeError("of a prompt")

async def half(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise RuntimeError("of a prompt")

served = app.application("token")
served.router.routes.insert(0, app.Route("/v1/mistaken", mistaken))
served.router.routes.insert(0, app.Route("/v1/half", type("Half", (), {"__call__": lambda _, *all: half(*all)})()))
bound = socket.create_server(("127.0.0.1", 0))
print(bound.getsockname()[1], flush=True)
with contextlib.suppress(KeyboardInterrupt):
    uvicorn.Server(uvicorn.Config(served, **SETTLED)).run(sockets=[bound])
"""


async def test_a_mistake_of_the_program_is_a_sentence_and_a_report(shell: Shell) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", UNFORESEEN), stdout=PIPE, stderr=PIPE, env=shell.environment, cwd=shell.directory
    )
    try:
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        asked = {"base_url": f"http://127.0.0.1:{port}", "headers": {"authorization": "Bearer token"}}
        async with httpx2.AsyncClient(**asked, timeout=PATIENCE_S) as client:  # type: ignore[arg-type]
            said = await client.get("/v1/mistaken")
            with pytest.raises(httpx2.RemoteProtocolError):
                await client.get("/v1/half")
        process.send_signal(signal.SIGINT)
        _, told = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert (said.status_code, said.json()["error"]["type"]) == (500, "internal")
    lines = told.decode().splitlines()
    assert len([line for line in lines if "A report without your texts and keys is in" in line]) == 2
    assert not any("Traceback" in line or "of a prompt" in line for line in lines)


async def test_a_store_that_cannot_be_opened_is_one_sentence(shell: Shell) -> None:
    (shell.directory / "no-directory").touch()
    shell.config.write_text(f'[store]\npath = "{shell.directory}/no-directory/store.db"\n{shell.config.read_text()}')
    ended = await shell.run("serve", "--port", "0")
    assert ended.code == 1
    (sentence,) = ended.err.splitlines()
    assert "no-directory/store.db cannot be used" in sentence
