"""The command line on demo servers it knows nothing of: their addresses stand in a configuration file, under the
names of real providers."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from tui_orchestrator import demo
from tui_orchestrator.cli import main
from tui_orchestrator.demo import ROSTER, Script, Servers

NAMES = {"demo-openai": "openai", "demo-anthropic": "anthropic", "demo-gemini": "gemini", "demo-local": "team"}
KEYS = {"OPENAI_API_KEY": "key-of-openai", "ANTHROPIC_API_KEY": "key-of-anthropic", "GEMINI_API_KEY": "key-of-gemini"}
LIBRARY = Path(__file__).parents[2]
FAR = """
[providers.far]
kind = "openai-compatible"
base_url = "http://models.invalid/v1"
local = false
[[models]]
id = "far/model"
input_usd = 1
output_usd = 1
context_window = 100000
"""
"""A provider that is not near, whose name stands nowhere."""


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Shell:
    """A user's directory, configuration and keys."""

    directory: Path
    servers: Servers
    config: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def script(self) -> Script:
        return self.servers.script

    @property
    def asked(self) -> list[str]:
        """The models that were called, in the order of the servers."""
        return [exchange.model for exchange in self.servers.exchanges if exchange.method == "POST"]

    async def run(self, *arguments: str, stdin: str | bytes | None = None, **environment: str) -> Ended:
        """In this process, on a thread of its own, while the servers answer on the test's loop. Neither stdin nor
        stdout is a terminal; `stdin` None is an empty one."""
        return await asyncio.to_thread(self._run, arguments, stdin, environment)

    def _run(self, arguments: tuple[str, ...], stdin: str | bytes | None, environment: Mapping[str, str]) -> Ended:
        wanted = {**self.environment, **environment}
        with ExitStack() as stack:
            stack.enter_context(patch.dict(os.environ, wanted, clear=True))
            out, err, _ = stack.enter_context(CliRunner().isolation(stdin or b""))
            stack.enter_context(patch.object(sys, "argv", self.command(*arguments)))
            code: Any = 0
            try:
                main()
            except SystemExit as end:
                code = end.code
            # isolation() gives binary buffers below the text streams it put in place
            sys.stdout.flush()
            sys.stderr.flush()
            texts = [_bytes(stream).decode() for stream in (out, err)]
        return Ended(code or 0, *texts)

    def write(self, name: str, content: str | bytes) -> str:
        """A file in the user's directory; returns its whole path."""
        path = self.directory / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def read(self, name: str) -> str:
        return (self.directory / name).read_text(encoding="utf-8")

    def mode(self, name: str) -> int:
        return (self.directory / name).stat().st_mode & 0o777

    def command(self, *arguments: str) -> list[str]:
        return ["tui-orchestrator", "--config", str(self.config), *arguments]


def _bytes(stream: io.BytesIO) -> bytes:
    return stream.getvalue()


@pytest.fixture
async def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shell]:
    directory = tmp_path / "project"
    directory.mkdir()
    monkeypatch.chdir(directory)
    async with demo.serve(pace=0, habits=False) as servers:
        config = tmp_path / "config.toml"
        config.write_text(configuration(servers))
        environment = {
            **KEYS,
            "TUI_ORCHESTRATOR_HOME": str(tmp_path / "home"),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(LIBRARY),  # what is run is what lies beside these tests
            "HOME": str(tmp_path),
            "COLUMNS": "100",
        }
        yield Shell(directory, servers, config, environment)


def configuration(servers: Servers) -> str:
    """What a user would write who has such servers; prices as the roster makes them up."""
    parts = ["[router]\ndiscover_local = false\n[router.retries]\nbase = 0.0\ncap = 0.0\n"]
    for server, name in NAMES.items():
        parts.append(f'[providers.{name}]\nbase_url = "{servers.base_urls[server]}"\n')
    for provider in ROSTER:
        for one in provider.models:
            assert one.model.price is not None
            rates = one.model.price.rates
            parts.append(
                f'[[models]]\nid = "{NAMES[provider.name]}/{one.name}"\ninput_usd = {rates.input / 1e6:.6f}\n'
                f"output_usd = {rates.output / 1e6:.6f}\ncontext_window = {one.model.context_window}\n"
                f"ability = {one.model.ability}\n"
                f"abilities = {json.dumps(sorted(ability.value for ability in one.model.abilities))}\n"
            )
    return "".join(parts)
