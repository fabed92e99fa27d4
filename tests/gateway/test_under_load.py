"""Many requests at once."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tui_orchestrator.demo import Say
from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.routing.request import Message, Request
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.storage.presence import is_locked

from .conftest import Gateway

ROUTER = ("routing", "gateway", "storage", "providers")


def at_work() -> Counter[str]:
    """The coroutines of the program's own that run as tasks, by name."""
    package = Path(__file__).parents[2] / "tui_orchestrator"
    found: Counter[str] = Counter()
    for task in asyncio.all_tasks():
        code = getattr(task.get_coro(), "cr_code", None)
        if code is not None and any(Path(code.co_filename).is_relative_to(package / room) for room in ROUTER):
            found[code.co_qualname] += 1
    return found


BODY = {"model": "openai/rush-pro", "max_tokens": 50, "messages": [{"role": "user", "content": "Is it so?"}]}


def cap_for(runtime: Runtime, calls: int) -> None:
    """A day's cap that has room for so many of them at once."""
    asked = Request((Message("user", "Is it so?"),), model="openai/rush-pro", max_tokens=50)
    candidate = runtime.router.preview(asked).candidate("openai/rush-pro")
    assert candidate is not None
    assert candidate.cost_ceiling is not None
    daily = Money(candidate.cost_ceiling.picodollars * calls)
    runtime.router.budgets = replace(runtime.router.budgets, daily=daily)


async def test_many_at_once_keep_to_a_cap_and_leave_nothing_behind(gateway: Gateway) -> None:
    gateway.servers.script.always(Say("A few words."))
    cap_for(gateway.runtime, 5)

    async def one(number: int) -> int:
        async with gateway.http() as client:
            if number % 10:
                return (await client.post("/v1/chat/completions", json={**BODY, "stream": number % 2 == 0})).status_code
            # Asks and hangs up at once.
            request = client.build_request("POST", "/v1/chat/completions", json=BODY)
            head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
            _, writer = await asyncio.open_connection(request.url.host, request.url.port)
            writer.write(f"POST {request.url.path} HTTP/1.1\r\n{head}\r\n".encode() + request.content)
            writer.close()
            return 0

    statuses = Counter(await asyncio.gather(*map(one, range(60))))
    assert statuses.keys() == {0, 200, 402}
    assert statuses[200] >= 5
    while at_work():  # noqa: ASYNC110  # nothing tells when a task is gone
        await asyncio.sleep(0.01)
    states = await gateway.runtime.budget_states()
    day = next(state for state in states if state.scope == "day")
    assert day.reserved == ZERO
    assert ZERO < day.spent <= (day.limit or ZERO)
    assert statuses[200] <= len(gateway.asked) <= statuses[200] + statuses[0]


HOLD = """
import sqlite3, sys
store = sqlite3.connect(sys.argv[1], isolation_level=None)
store.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
store.execute("ROLLBACK")
"""


async def test_whoever_asks_while_the_store_is_busy_for_long_is_served_or_refused_for_the_cap(gateway: Gateway) -> None:
    """For longer than five seconds, which other workers could take on a loaded machine."""
    cap_for(gateway.runtime, 1)
    store = gateway.runtime.database.path
    assert store is not None
    turn = store.with_name(f"{store.name}-owners")
    holding = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLD, str(store), stdin=PIPE, stdout=PIPE)
    assert holding.stdout is not None
    assert await holding.stdout.readline() == b"held\n"
    async with gateway.http() as client:
        asking = [asyncio.create_task(client.post("/v1/chat/completions", json=BODY)) for _ in range(8)]
        while not (turn.exists() and is_locked(turn)):  # noqa: ASYNC110  # nothing tells when it waits
            await asyncio.sleep(0.01)
        with (
            closing(sqlite3.connect(store, timeout=5, isolation_level=None, check_same_thread=False)) as impatient,
            pytest.raises(sqlite3.OperationalError, match="database is locked"),
        ):
            await asyncio.to_thread(impatient.execute, "BEGIN IMMEDIATE")
        assert not any(asked.done() for asked in asking)
        await holding.communicate(b"\n")
        statuses = {reply.status_code for reply in await asyncio.gather(*asking)}
    assert {200} <= statuses <= {200, 402}
