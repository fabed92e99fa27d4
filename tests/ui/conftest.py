from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tui_orchestrator import demo
from tui_orchestrator.demo import Script
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.settings import CacheSettings, Settings, StoreSettings, UiSettings
from tui_orchestrator.ui.app import ConsoleApp

TURNS_OF_THE_LOOP = 3_000
_KEYS = {"-": "minus", "/": "slash"}


@dataclass
class Console:
    """A console on real demo servers, and someone in front of it."""

    app: ConsoleApp
    pilot: Pilot[int]

    @property
    def screen(self) -> str:
        """What a person sees."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Lets the program go on until the condition holds."""
        for _ in range(TURNS_OF_THE_LOOP):
            await self.pilot.pause()
            if condition():
                return
        raise AssertionError(f"never came: {what or condition}; the screen was:\n{self.screen}")

    async def sees(self, *texts: str) -> None:
        def seen() -> bool:
            # Drawn once a turn, which costs more than all else a turn does.
            screen = self.screen
            return all(text in screen for text in texts)

        await self.until(seen, f"{texts} on the screen")

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
            await seat.until(lambda: app.talk is not None and not app.working, "a ready console")
            yield seat
