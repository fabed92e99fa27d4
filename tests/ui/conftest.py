from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from rich.console import RenderableType
from textual._wait import wait_for_idle
from textual.pilot import Pilot
from textual.screen import Screen

from tui_orchestrator import demo
from tui_orchestrator.demo import Script
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.settings import CacheSettings, Settings, StoreSettings, UiSettings
from tui_orchestrator.ui.app import ConsoleApp

LOOKS = 3_000
"""At the screen, each once the program rests, before what should come is said not to come."""
REST_S = 0.003
"""Textual's own pilots sleep in steps of 20 ms and look whether the processor worked meanwhile."""
FRAME_S = 0.1
"""Nobody watches: a look draws what is due, and sixty frames a second are most of what a test costs."""
_KEYS = {"-": "minus", "/": "slash"}


@dataclass
class Console:
    """A console on real demo servers, and someone in front of it."""

    app: ConsoleApp
    pilot: Pilot[int]
    _paints: int = 0
    _seen: tuple[Screen[object], int, str] | None = None

    def __post_init__(self) -> None:
        display = self.app._display

        def counted(screen: Screen[object], renderable: RenderableType | None) -> None:
            self._paints += 1
            display(screen, renderable)

        self.app._display = counted

    @property
    def screen(self) -> str:
        """What a person sees."""
        shown = self.app.screen
        if self._seen is None or self._seen[:2] != (shown, self._paints) or shown._dirty_widgets:
            strips = shown._compositor.render_strips()
            self._seen = shown, self._paints, "\n".join(strip.text.rstrip() for strip in strips)
        return self._seen[2]

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Lets the program go on until the condition holds."""
        await self.pilot.pause()
        for _ in range(LOOKS):
            if condition():
                return
            await wait_for_idle(0, max_sleep=0.1)
            self.app.screen._on_timer_update()
        raise AssertionError(f"never came: {what or condition}; the screen was:\n{self.screen}")

    async def sees(self, *texts: str) -> None:
        await self.until(lambda: all(text in self.screen for text in texts), f"{texts} on the screen")

    async def sees_no(self, text: str) -> None:
        await self.until(lambda: text not in self.screen, f"no {text!r} on the screen")

    async def type(self, text: str) -> None:
        self.app.composer.prompt.insert(text)
        await self.pilot.pause()

    async def send(self, text: str) -> None:
        await self.type(text)
        await self.pilot.press("enter")

    async def type_into_list(self, text: str) -> None:
        """Narrows the list that is open, and takes what is highlighted."""
        await self.pilot.press(*(_KEYS.get(letter, letter) for letter in text), "enter")

    async def ended(self) -> None:
        """The turn that was sent is over and drawn."""
        await self.until(lambda: not self.app.running and not self.app.composer.busy, "the end of the turn")
        await self.pilot.pause()


@pytest.fixture(autouse=True)
def short_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    press = Pilot.press

    async def press_and_draw(pilot: Pilot[object], *keys: str) -> None:
        await press(pilot, *keys)
        await pilot.pause()

    monkeypatch.setattr(Pilot, "press", press_and_draw)
    monkeypatch.setattr("textual._wait.SLEEP_GRANULARITY", REST_S)
    monkeypatch.setattr("textual._wait.SLEEP_IDLE", REST_S / 8)
    monkeypatch.setattr("textual.screen.UPDATE_PERIOD", FRAME_S)
    monkeypatch.setattr("textual.constants.TEXTUAL_ANIMATIONS", "none")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is read from or written to the real user's directories."""
    monkeypatch.setenv("TUI_ORCHESTRATOR_HOME", str(tmp_path / "home"))
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "OPENROUTER_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@asynccontextmanager
async def console(
    path: Path,
    *,
    size: tuple[int, int] = (160, 48),
    script: Script | None = None,
    budgets: Budgets | None = None,
    policy: Policy | None = None,
    ui: UiSettings | None = None,
    cache: CacheSettings | None = None,
    pace: float = 0,
) -> AsyncIterator[Console]:
    """Open and ready to be typed into. The demo models do nothing that `script` does not say."""
    base = replace(
        Settings(),
        budgets=budgets or Budgets(),
        policy=policy or Policy(),
        ui=ui or UiSettings(),
        cache=cache or CacheSettings(),
        store=StoreSettings(path / "store.db"),
        discovery=False,
    )
    async with demo.serve(pace=pace, script=script, habits=False) as servers:
        app = ConsoleApp(demo.settings(servers, base), demo=False)
        async with app.run_test(size=size, notifications=True) as pilot:
            seat = Console(app, pilot)
            try:
                await seat.until(lambda: app.talk is not None and not app.working, "a ready console")
                yield seat
            finally:
                # As a user leaves: its files and sockets would else stay open to the end of all tests.
                if not app._leaving:
                    await app._leave(0)
