"""Two copies of the program on one store: what one finds out of a model, the other heeds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.clock import ManualClock
from tui_orchestrator import demo
from tui_orchestrator.demo import Break, Phase, Reply, Script, Servers
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import AttemptStarted
from tui_orchestrator.routing.health import COOLDOWN_S, HealthState
from tui_orchestrator.routing.request import Request
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import Settings, StoreSettings

from .conftest import ask, events_of
from .reading import asked, completed, failed, only, until, walked

PRO, DASH = "demo-openai/rush-pro", "demo-gemini/lumen-dash"


def chain() -> Request:
    return ask(chain=(PRO, DASH))


@asynccontextmanager
async def two_copies(path: Path, script: Script) -> AsyncIterator[tuple[Runtime, Runtime, ManualClock, Servers]]:
    clock = ManualClock()
    async with demo.serve(pace=0, script=script, habits=False) as servers:
        settings = demo.settings(servers, Settings(store=StoreSettings(path)))
        async with (
            await Runtime.open(settings, demo=False, clock=clock) as one,
            await Runtime.open(settings, demo=False, clock=clock) as other,
        ):
            yield one, other, clock, servers


async def until_cool(one: Runtime) -> None:
    while one.health(PRO).state is not HealthState.COOLING_DOWN:
        await events_of(one, chain())


async def test_a_model_that_failed_one_copy_is_not_asked_by_the_other(tmp_path: Path) -> None:
    async with two_copies(tmp_path / "s.db", Script().then(Reply(500), "rush-pro", times=3)) as (
        one,
        other,
        _,
        servers,
    ):
        await until_cool(one)
        called = len(asked(servers, "rush-pro"))
        assert walked(await events_of(other, chain())) == ["first lumen-dash"]
        assert other.health(PRO).state is HealthState.COOLING_DOWN
        assert len(asked(servers, "rush-pro")) == called


async def test_of_two_copies_one_tries_it_and_the_other_goes_elsewhere_at_once(tmp_path: Path) -> None:
    script = Script().then(Reply(500), "rush-pro", times=3).then(Break("silence", Phase.HEADERS), "rush-pro")
    async with two_copies(tmp_path / "s.db", script) as (one, other, clock, servers):
        await until_cool(one)
        called = len(asked(servers, "rush-pro"))
        clock.advance(COOLDOWN_S + 1)
        trying = asyncio.create_task(events_of(one, chain()))
        await until(lambda: len(asked(servers, "rush-pro")) > called)
        assert walked(await events_of(other, chain())) == ["first lumen-dash"]
        pinned = failed(await events_of(other, ask(model=PRO)))
        assert pinned.error.kind is ErrorKind.NO_CANDIDATE
        assert "one call is trying it" in pinned.error.message
        assert len(asked(servers, "rush-pro")) == called + 1
        trying.cancel()
        await asyncio.gather(trying, return_exceptions=True)
        assert walked(await events_of(other, chain())) == ["first rush-pro"], (
            "its trial was given up, and nobody holds it"
        )
        assert completed(await events_of(one, chain())).model == PRO


async def test_two_copies_that_decide_at_the_same_moment_send_one_call(tmp_path: Path) -> None:
    script = Script().then(Reply(500), "rush-pro", times=3).then(Break("silence", Phase.HEADERS), "rush-pro")
    async with two_copies(tmp_path / "s.db", script) as (one, other, clock, servers):
        await until_cool(one)
        called = len(asked(servers, "rush-pro"))
        clock.advance(COOLDOWN_S + 1)
        turns = [asyncio.create_task(events_of(runtime, chain())) for runtime in (one, other, one, other)]
        await until(lambda: sum(turn.done() for turn in turns) == 3)
        assert len(asked(servers, "rush-pro")) == called + 1
        for turn in turns:
            if turn.done():
                assert only(turn.result(), AttemptStarted)[-1].model == DASH
                assert completed(turn.result()).model == DASH
            turn.cancel()
        await asyncio.gather(*turns, return_exceptions=True)
