"""The sixteen scenarios of Failover Bench, as benchmarks/failover.py puts them, with all waits shortened."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.failover import SCENARIOS, Bench, Provider, Told, configured, verdict
from tui_orchestrator.routing import health

PACES = {"S06": 20, "S07": 5, "S09": 10, "S11": 1, "S15": 20}
"""How much faster a scenario goes: those that may not take long by less, so that a busy machine does not fail them."""
PACE = 4


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_ORCHESTRATOR_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_passes(runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    pace = PACES.get(name, PACE)
    monkeypatch.setattr(health, "COOLDOWN_S", health.COOLDOWN_S / pace)

    async def put() -> Told:
        provider = Provider(pace)
        async with await asyncio.start_server(provider.serve, "127.0.0.1", 0) as server:
            bench = Bench(provider, configured(server.sockets[0].getsockname()[1], shipped=False, pace=pace))
            return await bench.scenario(SCENARIOS[name])

    told = runner.run(put())
    assert verdict(SCENARIOS[name], told) == ("pass", [])
