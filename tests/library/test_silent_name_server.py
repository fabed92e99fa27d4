"""A name server that never answers, and a user's own event loop: it holds neither the loop's pool nor its end."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.cli.terminal import PATIENCE_S

SILENT = """
import asyncio, socket, threading
found = socket.getaddrinfo
def silent(host, *rest, **how):
    if b"silent.invalid" in (host if isinstance(host, bytes) else str(host).encode()):
        threading.Event().wait()
    return found(host, *rest, **how)
socket.getaddrinfo = silent
from tui_orchestrator.providers import listings
listings.LISTING_TIMEOUT_S = 0.2
from tui_orchestrator import Orchestrator, Task
from tui_orchestrator.routing.errors import OrchestratorError

async def ask(orchestrator):
    try:
        await orchestrator.execute(Task("Hello", model="far/model"))
    except OrchestratorError as error:
        return str(error)

async def main():
    async with Orchestrator() as orchestrator:
        print(*set(await asyncio.gather(*(ask(orchestrator) for _ in range(40)))))
        print(await asyncio.to_thread(lambda: "the pool is free"))

asyncio.run(main())
print("the loop has ended")
"""
FAR = """
[router]
discover_local = false
timeouts.connect = 0.3
retries.per_model = 0
[providers.far]
kind = "openai-compatible"
base_url = "http://silent.invalid/v1"
local = false
[[models]]
id = "far/model"
input_usd = 1
output_usd = 1
context_window = 100000
"""


@pytest.mark.cells(1)
@pytest.mark.parametrize("more", ["", '[shared]\nurl = "redis://silent.invalid:6379/0"\n'])
async def test_neither_the_pool_nor_the_end_of_a_loop_waits_for_it(tmp_path: Path, more: str) -> None:
    home = tmp_path / "home"
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text(FAR + more)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SILENT),
        stdout=PIPE,
        stderr=PIPE,
        cwd=tmp_path,
        env={
            "TUI_ORCHESTRATOR_HOME": str(home),
            "HOME": str(tmp_path),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert (process.returncode, err.decode()) == (0, "")
    said, *after = out.decode().splitlines()
    assert "no answer from the name server in 0.3 s" in said
    assert after == ["the pool is free", "the loop has ended"]
