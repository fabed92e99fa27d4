"""What an empty conversation says of keys, servers and models."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.app import App

from tests.ui.conftest import console
from tui_orchestrator.routing.model import Model, Registry
from tui_orchestrator.settings import ProviderSettings, Secret
from tui_orchestrator.ui.welcome import welcome


def said(models: dict[str, list[str]], *providers: ProviderSettings, looking: bool = False) -> str:
    known = {f"{provider}/{name}": Model(provider, name) for provider, names in models.items() for name in names}
    runtime: Any = SimpleNamespace(
        demo=False,
        looking=looking,
        registry=Registry(known),
        catalogue=SimpleNamespace(providers={provider.name: provider for provider in providers}),
    )
    return welcome(runtime, App())


OPENAI = ProviderSettings(
    "openai",
    "openai",
    api_key=Secret("sk-0123456789abcdef"),
    key_origin=".env: OPENAI_API_KEY",
    key_names=("OPENAI_API_KEY",),
)
ANTHROPIC = ProviderSettings("anthropic", "anthropic", key_names=("ANTHROPIC_API_KEY",))
OLLAMA = ProviderSettings("ollama", "openai-compatible", "http://localhost:11434/v1", local=True)


def test_it_says_where_each_key_comes_from_and_names_what_runs_here() -> None:
    text = said({"openai": ["a"], "ollama": ["one", "two", "three", "four", "five"]}, OPENAI, OLLAMA, ANTHROPIC)
    assert "Models found: 5 of ollama, 1 of openai." in text
    assert "- **openai** with the key from `.env: OPENAI_API_KEY`" in text
    assert "- **ollama** on this machine: `one`, `two`, `three` and 2 more" in text
    assert "No key in `ANTHROPIC_API_KEY`." in text
    assert "0123456789" not in text


def test_it_says_what_is_missing_only_where_something_is() -> None:
    assert "No key in" not in said({"openai": ["a"]}, OPENAI)
    assert "A local server that runs is found by itself (F8)." in said({"openai": ["a"]}, OPENAI, ANTHROPIC)
    nothing = said({}, ANTHROPIC)
    assert "**No model can be asked yet.** Set one of `ANTHROPIC_API_KEY`, " in nothing
    assert "then press F8" in nothing
    assert "**Looking for models.**" not in nothing
    assert "**Looking for models.**" in said({}, ANTHROPIC, looking=True)


def test_a_key_that_was_to_be_there_is_told_with_its_problem() -> None:
    broken = ProviderSettings(
        "gemini", "gemini", key_names=("GEMINI_API_KEY",), key_problem="api_key_command: no such file"
    )
    text = said({"openai": ["a"]}, OPENAI, broken)
    assert "- ✗ **gemini**: api_key_command: no such file" in text
    assert "GEMINI_API_KEY" not in text


def test_a_name_that_a_server_made_up_stays_a_name() -> None:
    text = said({"ollama": ["a`**b**\x1b[2J"]}, OLLAMA)
    assert "`a'**b**[2J`" in text


async def test_a_time_zone_that_is_not_known_is_said_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Mars/Phobos")
    async with console(tmp_path) as seat:
        await seat.sees("TZ=Mars/Phobos names no time zone that is known here", "set TZ to a name such as")


async def test_it_fits_a_terminal_of_80_by_24(tmp_path: Path) -> None:
    async with console(tmp_path, size=(80, 24)) as seat:
        await seat.sees("Where to?", "Models found: ", "Type a prompt.", "finds anything.")
        assert seat.app.runtime is not None
        seat.app.runtime.demo = True
        seat.app.runtime.set_enabled("demo-openai/rush-pro", False)
        await seat.sees("Where to?", "OPENROUTER_API_KEY", "finds anything.", "and then a question.")
        assert seat.app.chat.transcript.max_scroll_y == 0
