"""The library on demo servers whose addresses stand in the user's configuration."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tui_orchestrator import Orchestrator, demo
from tui_orchestrator.demo import Servers

from ..cli.conftest import KEYS, configuration


@pytest.fixture
async def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Servers]:
    """The user's own configuration points at them, and has a chain that is called two."""
    async with demo.serve(pace=0, habits=False) as serving:
        home = tmp_path / "home"
        (home / "config").mkdir(parents=True)
        chains = '[chains]\ntwo = ["openai/rush-pro", "anthropic/tern-max"]\n'
        (home / "config" / "config.toml").write_text(f"{configuration(serving)}{chains}")
        for name in [name for name in os.environ if name.endswith("_API_KEY")]:
            monkeypatch.delenv(name)
        for name, value in {**KEYS, "TUI_ORCHESTRATOR_HOME": str(home), "HOME": str(tmp_path)}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        yield serving


@pytest.fixture
async def orchestrator(servers: Servers) -> AsyncIterator[Orchestrator]:
    async with Orchestrator() as one:
        yield one
