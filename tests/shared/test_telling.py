"""How a store stands is told while its calls go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.storage.samples import attempt, costing, day_cap, hold
from tui_orchestrator.routing.budget import Reservation
from tui_orchestrator.settings.secrets import Secret
from tui_orchestrator.shared.server import Timing

from .copies import Machine
from .redis_server import RedisServer


class Line:
    """To the server, on which what runs a script may be kept waiting."""

    def __init__(self) -> None:
        self.url = Secret("")
        self.open = asyncio.Event()
        self.open.set()
        self.waits = asyncio.Event()

    async def passes(self, data: bytes) -> None:
        if b"EVALSHA" in data and not self.open.is_set():
            self.waits.set()
            await self.open.wait()


@asynccontextmanager
async def line_to(server: RedisServer) -> AsyncIterator[Line]:
    line = Line()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", server.port)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                await line.passes(data)
                sink.write(data)
            sink.close()

        await asyncio.gather(pump(reader, to_server), pump(from_server, writer), return_exceptions=True)

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as listening:
        line.url = Secret(f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}/0")
        yield line


async def test_a_call_that_ends_while_it_is_told_of_is_not_set_aside_again(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    path, cap = tmp_path / "store.db", day_cap(20)
    async with line_to(redis_server) as line, Machine(path, redis_server.url) as one, Machine(path, line.url) as other:
        held = await one.ledger.reserve(hold(10, cap))
        assert isinstance(held, Reservation)
        line.open.clear()
        telling = asyncio.create_task(other.member.tell())
        await line.waits.wait()
        await one.ledger.book(attempt(cost=costing(7)), held)
        line.open.set()
        await telling
        assert await one.server.holds(one.member.store) == []
        # 7 of 20 are spent; 10 more that nobody spends would leave no room.
        assert isinstance(await one.ledger.reserve(hold(13, cap, request_id="r2")), Reservation)


async def test_whoever_leaves_does_so_at_whatever_moment_of_a_beat(tmp_path: Path, redis_server: RedisServer) -> None:
    for moment in range(40):
        quick = Timing(quiet=0, beat=0, beat_while_away=0)
        machine = await Machine(tmp_path / "store.db", redis_server.url, timing=quick).open()
        machine.member.begin_to_beat()
        for _ in range(moment):
            await asyncio.sleep(0)
        leaving = asyncio.create_task(machine.leave())
        for _ in range(5_000):
            if leaving.done():
                break
            await asyncio.sleep(0.001)
        assert leaving.done(), f"after {moment} turns of the loop"
