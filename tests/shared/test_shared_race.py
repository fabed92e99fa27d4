"""Two processes on two stores race for one cap, while the server they share is killed and comes back."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.warm import Program

from .redis_server import RedisServer

LIMIT = 6_000
CALL, MOST = 7, 10


def spending(directory: Path, server: RedisServer, name: str, when_away: str) -> Program:
    store, url = str(directory / f"{name}.db"), server.url.reveal()
    return Program("tests.shared.spender", store, url, name, str(LIMIT), when_away)


async def both_said(both: tuple[Program, Program], what: str, times: int = 1) -> None:
    def said(process: Program) -> None:
        left = times
        while left:
            line = process.stdout.readline().strip()
            assert (line and line != "full") or what == "full", f"it ended early: {line}"
            left -= line == what

    await asyncio.gather(*(asyncio.to_thread(said, process) for process in both))


def go_on(process: Program) -> None:
    process.stdin.write("\n")
    process.stdin.flush()


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
        with spending(tmp_path, server, "one", when_away) as one, spending(tmp_path, server, "two", when_away) as two:
            both = (one, two)
            await both_said(both, "ready")
            for process in both:
                go_on(process)
            await both_said(both, "booked", 15)
            with server.plain as client:
                client.save()
            # It comes back with an old state of things, then with nothing.
            for empty in (False, True):
                await both_said(both, "booked", 15)
                server.kill()
                # Those who refuse try again and again; those who go on spend their share.
                await both_said(both, "alone", 5)
                if empty:
                    server.empty()
                server.start()
            await both_said(both, "full")
            for process in both:
                go_on(process)
                process.wait()
    finally:
        server.kill()
    each = [spent_by(tmp_path, name) for name in ("one", "two")]
    assert sum(each) <= LIMIT
    assert sum(each) > LIMIT - (MOST if when_away == "refuse" else LIMIT // 4), "the cap was pressed"
    assert min(each) > 40 * CALL
