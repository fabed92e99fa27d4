"""A letter is drawn by itself, before all else that waits to be drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import pytest
from rich.console import RenderableType
from textual.app import ComposeResult
from textual.events import Key
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from tests.ui.conftest import console
from tui_orchestrator.ui import terminal
from tui_orchestrator.ui.compositor import FrugalScreen, Pieces
from tui_orchestrator.ui.prompt import Prompt
from tui_orchestrator.ui.stage import Floor
from tui_orchestrator.ui.terminal import LATEST_S, AtTerminal, Terminal


class Deaf:
    async def _post_message(self, message: Message) -> None:
        pass


class Desk(AtTerminal):
    CSS = "Static { height: 4; } Prompt { height: 3; }"

    def __init__(self) -> None:
        super().__init__()
        self.prompt, self.other = Prompt(), Static("as it was")
        self.updates: list[set[int]] = []
        """The rows of each."""

    def get_default_screen(self) -> Screen[None]:
        return Floor()

    def compose(self) -> ComposeResult:
        yield self.other
        yield self.prompt

    def get_key_display(self, binding: object) -> str:
        return ""

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if isinstance(renderable, Pieces):
            self.updates.append({y for _, y, _ in renderable.pieces})

    @contextmanager
    def at_keys(self) -> Iterator[Terminal]:
        """With a driver that tells of keys."""
        driver, self._driver = self._driver, (keys := Terminal(Deaf()))
        try:
            yield keys
        finally:
            self._driver = driver

    @contextmanager
    def a_key_and_something_else(self) -> Iterator[Floor]:
        """A key has come and is not drawn yet; what is beside the prompt has changed."""
        assert isinstance(self.screen, Floor)
        with self.at_keys() as keys:
            keys.process_message(Key("a", "a"))
            self.other.update("something else")
            self.updates.clear()
            self.screen._dirty_widgets.add(self.other)
            yield self.screen


async def test_a_letter_is_drawn_at_once_and_nothing_but_its_field() -> None:
    app = Desk()
    async with app.run_test(size=(40, 10)) as pilot:
        app.prompt.focus()
        await pilot.pause()
        app.updates.clear()
        app.other.update("something else")
        app.prompt.insert("x")
        app.echo(app.prompt)
        assert len(app.updates) == 1
        assert app.updates[0]
        assert app.updates[0] <= set(range(app.prompt.region.y, app.prompt.region.bottom))
        await pilot.pause()
        assert any(0 in rows for rows in app.updates)


async def test_letters_and_keys_of_the_prompt_are_drawn_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    async with console(tmp_path) as seat:
        monkeypatch.setattr(FrugalScreen, "draw_at_once", lambda screen, widget: drawn.append(widget.text))
        for key, text in (("a", "a"), ("b", "ab"), ("backspace", "a")):
            seat.app.post_message(Key(key, key if len(key) == 1 else None))
            await seat.until(lambda text=text: drawn[-1:] == [text])


async def test_a_field_that_grows_is_laid_out_with_the_rest() -> None:
    app = Desk()
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        app.updates.clear()
        app.prompt.insert("x")
        app.prompt._layout_required = True
        app.echo(app.prompt)
        assert not app.updates


async def test_the_rest_waits_for_a_letter_that_has_come_until_it_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "ECHO_S", 600.0)
    app = Desk()
    async with app.run_test(size=(40, 10)) as pilot:
        app.prompt.focus()
        await pilot.pause()
        with app.a_key_and_something_else() as screen:
            screen._drawn = perf_counter() + 600
            screen._on_timer_update()
            assert app.hurried
            assert not app.updates
            app.echo(app.prompt)
            assert not app.hurried
            screen._on_timer_update()
            assert any(0 in rows for rows in app.updates)


async def test_where_no_letter_is_written_nothing_waits_for_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "ECHO_S", 600.0)
    app = Desk()
    async with app.run_test(size=(40, 10)) as pilot:
        app.screen.set_focus(None)
        await pilot.pause()
        with app.a_key_and_something_else() as screen:
            screen._on_timer_update()
            assert any(0 in rows for rows in app.updates)


async def test_where_no_letter_gets_drawn_the_rest_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "ECHO_S", 600.0)
    app = Desk()
    async with app.run_test(size=(40, 10)) as pilot:
        app.prompt.focus()
        await pilot.pause()
        with app.a_key_and_something_else() as screen:
            screen._drawn = perf_counter() - LATEST_S
            screen._on_timer_update()
            assert app.hurried
            assert any(0 in rows for rows in app.updates)
