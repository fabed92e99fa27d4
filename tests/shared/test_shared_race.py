"""Two processes on two stores race for one cap, while the server they share is killed and comes back."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from .redis_server import RedisServer

LIMIT = 6_000
CALL, MOST = 7, 10


@asynccontextmanager
async def spending(directory: Path, server: RedisServer, name: str, when_away: str) -> AsyncIterator[Process]:
    program = [sys.executable, "-m", "tests.shared.spender", str(directory / f"{name}.db"), server.url.reveal()]
    process = await asyncio.create_subprocess_exec(*program, name, str(LIMIT), when_away, stdin=PIPE, stdout=PIPE)
    try:
        await said(process, "ready")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def said(process: Process, what: str, times: int = 1) -> None:
    assert process.stdout is not None
    while times:
        line = (await process.stdout.readline()).decode().strip()
        assert (line and line != "full") or what == "full", f"it ended early: {line}"
        times -= line == what


async def go_on(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.write(b"\n")
    await process.stdin.drain()


def spent_by(directory: Path, name: str) -> int:
    with closing(sqlite3.connect(directory / f"{name}.db")) as store:
        found = store.execute("SELECT picodollars FROM spend WHERE scope = 'day'").fetchone()
        return int(found[0]) if found else 0


@pytest.mark.parametrize("when_away", ["refuse", "share"])
async def test_two_processes_on_two_stores_never_pass_one_cap_also_when_redis_is_killed_and_comes_back(
    tmp_path: Path, when_away: str
) -> None:
    (tmp_path / "redis").mkdir()
    server = RedisServer(tmp_path / "redis")
    server.start()
    try:
        async with (
            spending(tmp_path, server, "one", when_away) as one,
            spending(tmp_path, server, "two", when_away) as two,
        ):
            both = (one, two)
            await asyncio.gather(*map(go_on, both))
            await asyncio.gather(*(said(process, "booked", 15) for process in both))
            with server.plain as client:
                client.save()
            # It comes back with an old state of things, then with nothing.
            for empty in (False, True):
                await asyncio.gather(*(said(process, "booked", 15) for process in both))
                server.kill()
                # Those who refuse try again and again; those who go on spend their share.
                await asyncio.gather(*(said(process, "alone", 5) for process in both))
                if empty:
                    server.empty()
                server.start()
            await asyncio.gather(*(said(process, "full") for process in both))
            await asyncio.gather(*map(go_on, both))
            await asyncio.gather(*(process.wait() for process in both))
    finally:
        server.kill()
    each = [spent_by(tmp_path, name) for name in ("one", "two")]
    assert sum(each) <= LIMIT
    assert sum(each) > LIMIT - (MOST if when_away == "refuse" else LIMIT // 4), "the cap was pressed"
    assert min(each) > 40 * CALL
