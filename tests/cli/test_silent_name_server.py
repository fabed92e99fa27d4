"""A name server that never answers: it holds neither a limit nor the end of the program."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.cli.conftest import FAR, Shell
from tests.cli.terminal import PATIENCE_S

SILENT = """
import socket, sys, threading
found = socket.getaddrinfo
def silent(host, *rest, **how):
    if "models.invalid" in str(host):
        print("looking up", flush=True)
        threading.Event().wait()
    return found(host, *rest, **how)
socket.getaddrinfo = silent
from tui_orchestrator.providers import listings
listings.LISTING_TIMEOUT_S = 0.2
from tui_orchestrator.cli import process
process()
"""


@asynccontextmanager
async def begun(shell: Shell, connect_s: float) -> AsyncIterator[asyncio.subprocess.Process]:
    """Until the name is looked up for the turn: before it the list of models was not to be had."""
    limits = f"[router.timeouts]\nconnect = {connect_s}\n[router.retries]\nper_model = 0\nbase = 0.0\ncap = 0.0\n"
    shell.config.write_text(f"[router]\ndiscover_local = false\n{limits}{FAR}")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SILENT, *shell.command("ask", "-m", "far/model", "hello")[1:]),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env=shell.environment,
    )
    assert process.stdout is not None
    try:
        for _ in range(2):
            assert await asyncio.wait_for(process.stdout.readline(), PATIENCE_S) == b"looking up\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_turn_ends_at_its_limit_and_the_program_with_it(shell: Shell) -> None:
    async with begun(shell, 0.3) as process:
        _, told = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 1
    assert b"no answer from the name server in 0.3 s" in told
    assert b"cancel scope" not in told


async def test_sigterm_ends_the_program_at_once(shell: Shell) -> None:
    async with begun(shell, 1000) as process:
        process.send_signal(signal.SIGTERM)
        _, told = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 130
    assert b"Traceback" not in told
