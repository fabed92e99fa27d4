from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from tests.clock import ManualClock
from tui_orchestrator import demo
from tui_orchestrator.demo import Script, Servers
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.routing.events import Event
from tui_orchestrator.routing.ports import Timeouts
from tui_orchestrator.routing.request import Message, Request
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import CacheSettings, Settings, StoreSettings

PROMPT = "Write a Python function that merges two sorted lists"


@asynccontextmanager
async def running(
    path: Path,
    script: Script | None = None,
    *,
    policy: Policy | None = None,
    budgets: Budgets | None = None,
    timeouts: Timeouts | None = None,
    cache: CacheSettings | None = None,
    base: Settings | None = None,
) -> AsyncIterator[tuple[Runtime, Servers]]:
    """A runtime on demo servers that do only what `script` says, with a store at `path` and a clock that waits for
    nobody."""
    base = replace(
        base or Settings(),
        policy=policy or Policy(),
        budgets=budgets or Budgets(),
        timeouts=timeouts or Timeouts(),
        cache=cache or CacheSettings(),
        store=StoreSettings(path),
    )
    async with demo.serve(pace=0, script=script, habits=False) as servers:
        runtime = await Runtime.open(demo.settings(servers, base), demo=False, clock=ManualClock())
        try:
            yield runtime, servers
        finally:
            await runtime.aclose()


def ask(prompt: str = PROMPT, **wanted: object) -> Request:
    return replace(Request((Message("user", prompt),), session="s"), **wanted)  # type: ignore[arg-type]


async def events_of(runtime: Runtime, request: Request) -> list[Event]:
    async with runtime.stream(request) as turn:
        return [event async for event in turn]
