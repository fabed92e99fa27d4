"""`serve` as a program of its own."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import openai
import pytest

from tui_orchestrator.cli.serve import _bound
from tui_orchestrator.demo import Say

from ..cli.conftest import Shell, shell
from ..cli.terminal import forked
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
