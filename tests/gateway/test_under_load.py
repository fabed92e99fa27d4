"""Many requests at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

from tui_orchestrator.demo import Say
from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.routing.request import Message, Request

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


async def test_many_at_once_keep_to_a_cap_and_leave_nothing_behind(gateway: Gateway) -> None:
    gateway.servers.script.always(Say("A few words."))
    router = gateway.runtime.router
    asked = Request((Message("user", "Is it so?"),), model="openai/rush-pro", max_tokens=50)
    candidate = router.preview(asked).candidate("openai/rush-pro")
    assert candidate is not None
    assert candidate.cost_ceiling is not None
    router.budgets = replace(router.budgets, daily=Money(candidate.cost_ceiling.picodollars * 5))

    async def one(number: int) -> int:
        body = {"model": "openai/rush-pro", "max_tokens": 50, "messages": [{"role": "user", "content": "Is it so?"}]}
        async with gateway.http() as client:
            if number % 10:
                return (await client.post("/v1/chat/completions", json={**body, "stream": number % 2 == 0})).status_code
            # Asks and hangs up at once.
            request = client.build_request("POST", "/v1/chat/completions", json=body)
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
