"""What a user sees of it: turns of two machines under one cap, doctor, settings, and a server that is away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.shared.redis_server import RedisServer
from tui_orchestrator.gateway.wire import error_body, turn_error
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import Completed, Failed
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.request import Message, Request
from tui_orchestrator.services.checkup import Standing, check
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import Settings
from tui_orchestrator.settings.secrets import Secret
from tui_orchestrator.settings.values import SharedSettings, StoreSettings
from tui_orchestrator.shared import faults
from tui_orchestrator.shared.server import Server

from .copies import AT_ONCE

NOBODY = Secret("redis://:hunter2-hunter2@127.0.0.1:9/0")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Server.__init__, "__defaults__", (AT_ONCE,))


def settings(store: Path, url: Secret | None, daily: str = "1") -> Settings:
    return Settings(
        discovery=False,
        budgets=Budgets(daily=Money.from_usd(daily)),
        store=StoreSettings(store),
        shared=SharedSettings(url=url),
    )


async def ask(runtime: Runtime, model: str = "") -> Completed | Failed:
    request = Request((Message("user", "Say hello"),), model=model or None)
    events = [event async for event in runtime.stream(request)]
    end = events[-1]
    assert isinstance(end, Completed | Failed)
    return end


async def test_a_turn_on_one_machine_is_seen_in_the_cap_of_the_other(redis_server: RedisServer, tmp_path: Path) -> None:
    url = redis_server.url
    async with (
        await Runtime.open(settings(tmp_path / "one.db", url), demo=True, pace=0) as one,
        await Runtime.open(settings(tmp_path / "two.db", url), demo=True, pace=0) as two,
    ):
        end = await ask(one)
        assert isinstance(end, Completed)
        assert end.cost.amount
        (day,) = (state for state in await two.budget_states() if state.scope == "day")
        assert (day.spent, day.others) == (end.cost.amount, end.cost.amount)
        finding, worth_knowing = (one for one in await check(two.settings, two) if one.area == "shared")
        assert finding.standing is Standing.GOOD
        assert "namespace tui-orchestrator-demo, 2 copies running" in finding.what
        assert (worth_knowing.standing, worth_knowing.remedy) == (Standing.NOTE, "set appendonly yes")
        redis_server.plain.config_set("appendonly", "yes")
        (finding,) = (one for one in await check(two.settings, two) if one.area == "shared")
        assert finding.standing is Standing.GOOD


async def test_without_the_server_a_turn_under_a_cap_ends_with_what_to_do_and_no_password(tmp_path: Path) -> None:
    async with await Runtime.open(settings(tmp_path / "one.db", NOBODY), demo=True, pace=0) as runtime:
        assert any("shared Redis at 127.0.0.1:9/0 cannot be reached" in notice for notice in runtime.notices)
        end = await ask(runtime)
        assert isinstance(end, Failed)
        assert "since what all machines spend is not known" in end.error.message
        assert end.error.kind is ErrorKind.UNRECORDED
        said = error_body("unrecorded", f"{end.error.message} ")
        assert turn_error(end.error) == (503, said, {"x-should-retry": "false"})
        assert "so no call under a shared cap is made; start it, or mend shared.url" in end.error.message
        (finding,) = (one for one in await check(runtime.settings, runtime) if one.area == "shared")
        assert (finding.standing, finding.remedy) == (Standing.PROBLEM, "start it, or mend shared.url")
        assert "hunter2" not in repr((end, finding, runtime.notices))


async def test_a_turn_lives_off_its_share_and_the_server_is_told_later(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    known = settings(tmp_path / "one.db", redis_server.url)
    known = replace(known, shared=replace(known.shared, when_away="share", share=0.5))
    async with await Runtime.open(known, demo=True, pace=0) as runtime:
        assert runtime.shared is not None
        await runtime.shared.member.tell()
        runtime.shared.server.away = faults.unreachable("here", "the cable is out")
        end = await ask(runtime)
        assert isinstance(end, Completed)
        await runtime.shared.member.tell()
        with redis_server.plain as client:
            total = client.hget("{tui-orchestrator-demo}:spent", f"day@{runtime.clock.today()}")
        assert end.cost.amount is not None
        assert total == str(end.cost.amount.picodollars)


async def test_redis_url_without_the_extra_is_told_and_shares_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_orchestrator.shared.store.there", lambda: False)
    named = replace(settings(tmp_path / "one.db", NOBODY), origins={"shared.url": "REDIS_URL"})
    async with await Runtime.open(named, demo=True, pace=0) as runtime:
        assert runtime.shared is None
        assert any(
            notice.startswith("REDIS_URL is not used: the package redis is not there") for notice in runtime.notices
        )
        assert isinstance(await ask(runtime), Completed)
