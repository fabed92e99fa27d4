"""The sixteen scenarios of Failover Bench, as benchmarks/failover.py puts them, on a clock of their own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks.failover import SCENARIOS, Bench, Provider, Told, configured, verdict

from ..leaping import leaping


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("TUI_ORCHESTRATOR_HOME", str(tmp_path / "home"))

    async def put() -> Told:
        provider = Provider()
        async with await asyncio.start_server(provider.serve, "127.0.0.1", 0) as server:
            bench = Bench(provider, configured(server.sockets[0].getsockname()[1], shipped=False))
            return await bench.scenario(SCENARIOS[name])

    with leaping() as runner:
        told = runner.run(put())
    assert verdict(SCENARIOS[name], told) == ("pass", [])
