"""A model server on the loopback with one model of a known price, and the program beside it as processes of its own."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tui_orchestrator import demo
from tui_orchestrator.demo import Say, Servers

MODEL = "team/pebble-3b"


@dataclass(frozen=True, slots=True)
class Team:
    home: Path
    """Of every process; it ends with the benchmark."""
    config: Path
    servers: Servers

    @property
    def served(self) -> int:
        """Calls that reached the model."""
        return sum(exchange.method == "POST" for exchange in self.servers.exchanges)

    async def program(self, *arguments: str, **environment: str) -> Process:
        """Its output is to be read, unless it is a few lines."""
        own = {"TUI_ORCHESTRATOR_HOME": str(self.home), "HOME": str(self.home)}
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tui_orchestrator", "--config", str(self.config), *arguments,
            env={**os.environ, **own, **environment}, cwd=self.home, stdout=PIPE, stderr=PIPE,
        )  # fmt: skip


@asynccontextmanager
async def team(price: str, *, provider: str = "", budgets: str = "") -> AsyncIterator[Team]:
    """`price`: the TOML lines of the model's prices; `provider` and `budgets` more lines of theirs."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        async with demo.serve(pace=0, habits=False) as servers:
            servers.script.always(Say("An answer of a few words."))
            config = home / "config.toml"
            config.write_text(
                f"[router]\ndiscover_local = false\n[budgets]\n{budgets}\n"
                f'[providers.team]\nbase_url = "{servers.base_urls["demo-local"]}"\n{provider}\n'
                f'[[models]]\nid = "{MODEL}"\ncontext_window = 32000\n{price}\n'
            )
            yield Team(home, config, servers)
