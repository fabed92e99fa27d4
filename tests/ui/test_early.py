"""What is typed before the console has opened, which takes a moment and on a busy machine several."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.terminal.endings import CONSOLE
from benchmarks.terminal.pseudoterminal import Pseudoterminal, environment
from tests.ui.conftest import Console
from tests.ui.test_drafts import stored
from tui_orchestrator import demo
from tui_orchestrator.providers.catalogue import Catalogue
from tui_orchestrator.routing.model import Registry
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import Settings, StoreSettings
from tui_orchestrator.ui.app import ConsoleApp

OPEN = Runtime.open
WAITS = "goes out as soon as the console is ready · Esc takes it back"


@asynccontextmanager
async def opening(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Console, asyncio.Event]]:
    """A console that goes on opening once the event is set."""
    may_open = asyncio.Event()

    async def open_late(*given: Any, **named: Any) -> Runtime:
        await may_open.wait()
        return await OPEN(*given, **named)

    monkeypatch.setattr(Runtime, "open", open_late)
    async with demo.serve(pace=0, habits=False) as servers:
        settings = demo.settings(servers, replace(Settings(), store=StoreSettings(path / "store.db"), discovery=False))
        app = ConsoleApp(settings, demo=False)
        async with app.run_test(size=(100, 30), notifications=True) as pilot:
            seat = Console(app, pilot)
            try:
                await seat.sees("starting", "Ask anything")
                yield seat, may_open
            finally:
                may_open.set()
                await seat.until(lambda: not app.working, "it has opened")
                await app._leave(0)


async def test_a_prompt_sent_while_the_console_opens_goes_out_once_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opening(tmp_path, monkeypatch) as (seat, may_open):
        await seat.send("What is the capital of France?")
        await seat.sees(WAITS, "Ask anything")
        may_open.set()
        await seat.sees("▌ What is the capital of France?", "confidence", "Ask anything")
        await seat.sees_no(WAITS)
        await seat.pilot.press("up")
        await seat.until(
            lambda: seat.app.composer.prompt.text == "What is the capital of France?", "it is in the history"
        )


async def test_commands_and_the_prompt_behind_them_are_carried_out_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opening(tmp_path, monkeypatch) as (seat, may_open):
        await seat.send("/strategy local_first")
        await seat.send("What is the capital of France?")
        await seat.sees(WAITS)
        may_open.set()
        await seat.sees("chosen · local first", "→ demo-local/pebble-3b", "is Paris.")


async def test_esc_takes_back_what_waits_and_what_was_typed_since_stays_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opening(tmp_path, monkeypatch) as (seat, may_open):
        await seat.send("What is the capital of France?")
        await seat.sees(WAITS)
        await seat.type("And of Spain?")
        await seat.pilot.press("escape")
        await seat.sees("▌ What is the capital of France?", "And of Spain?")
        await seat.sees_no(WAITS)
        may_open.set()
        await seat.until(lambda: not seat.app.working, "it has opened")
        await seat.sees("Where to?", "What is the capital of France?", "And of Spain?")
        assert not seat.app.composer.busy


async def test_keys_pressed_while_the_console_opens_are_carried_out_once_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opening(tmp_path, monkeypatch) as (seat, may_open):
        await seat.pilot.press("ctrl+s")
        await seat.sees("'strategy: choose' follows as soon as the console is ready · Esc takes it back")
        await seat.pilot.press("escape")
        await seat.sees_no("as soon as the console is ready")
        await seat.pilot.press("ctrl+l")
        await seat.sees("'session: find an earlier one' follows as soon as the console is ready")
        may_open.set()
        await seat.sees("╭─ Sessions", "No earlier session yet")
        await seat.pilot.press("escape")
        await seat.sees("Where to?")
        await seat.sees_no("as soon as")


async def test_a_key_and_the_prompt_behind_it_are_carried_out_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opening(tmp_path, monkeypatch) as (seat, may_open):
        await seat.pilot.press("alt+t")
        await seat.send("What is the capital of France?")
        await seat.sees(WAITS)
        may_open.set()
        await seat.sees("◌ temporary", "is Paris.")
        assert seat.app.runtime is not None
        assert await seat.app.runtime.conversations.latest() is None


async def test_models_are_said_to_be_looked_for_until_they_have_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opening(tmp_path, monkeypatch) as (seat, may_open):
        await seat.pilot.press("f5")
        await seat.sees("Looking for models")
        assert "No models yet" not in seat.screen
        may_open.set()
        await seat.sees("demo-openai/rush-pro")
        await seat.pilot.press("f2")


async def test_where_no_model_is_found_that_is_said_once_all_was_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_look = asyncio.Event()
    look = Catalogue.read

    async def look_late(catalogue: Catalogue, refresh: bool = False) -> Registry:
        await may_look.wait()
        return await look(catalogue, refresh)

    monkeypatch.setattr(Catalogue, "read", look_late)
    settings = replace(Settings(), store=StoreSettings(tmp_path / "store.db"), discovery=False)
    app = ConsoleApp(settings, demo=False)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        seat = Console(app, pilot)
        await seat.pilot.press("f5")
        await seat.until(lambda: not app.working, "it has opened")
        await seat.sees("Looking for models")
        may_look.set()
        await seat.sees("No models yet.", "to look again.")
        await app._leave(0)


async def test_a_prompt_sent_before_a_model_was_found_waits_for_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_look, look = asyncio.Event(), Catalogue.read

    async def look_late(catalogue: Catalogue, refresh: bool = False) -> Registry:
        await may_look.wait()
        return await look(catalogue, refresh)

    monkeypatch.setattr(Catalogue, "read", look_late)
    async with demo.serve(pace=0, habits=False) as servers:
        settings = demo.settings(servers, replace(Settings(), store=StoreSettings(tmp_path / "store.db")))
        local = {name: each for name, each in settings.providers.items() if name == "demo-local"}
        app = ConsoleApp(replace(settings, providers=local, discovery=False, models=()), demo=False)
        async with app.run_test(size=(100, 30), notifications=True) as pilot:
            seat = Console(app, pilot)
            await seat.until(lambda: not app.working, "it has opened")
            await seat.sees("Looking for models. What you send meanwhile waits", "looking for models: ")
            await seat.pilot.press(*"What is 2+2?")
            await seat.pilot.press("enter")
            await seat.sees_no("Looking for models.")
            assert "there is no model" not in seat.screen
            may_look.set()
            await seat.sees("pebble-3b", "confidence", "balanced: the best mix")
            await app._leave(0)


def test_what_was_typed_before_the_terminal_was_raw_is_as_if_typed_after(tmp_path: Path) -> None:
    # The shell has taken the first line when all the others wait, each Enter of which the terminal made a line break.
    waits = ("sh", "-c", 'read -r line; exec "$@"', "sh", *CONSOLE)
    with Pseudoterminal(waits, environment(tmp_path), cwd=tmp_path) as terminal:
        terminal.send(b"\r/model lumen-deep\rWhat is 2+2\r\x1b[200~one\ntwo\x1b[201~ left over")
        terminal.until(b"confidence")
        for _ in range(200):
            if stored(tmp_path):
                break
            terminal.read(0.1)
    assert stored(tmp_path) == ["one\ntwo left over"], "a paste stays one"
    assert asked(tmp_path) == [("demo-gemini/lumen-deep",)]


def asked(home: Path) -> list[tuple[str]]:
    (store,) = home.rglob("*.db")
    with sqlite3.connect(store) as connection:
        return connection.execute("SELECT model FROM attempts").fetchall()
