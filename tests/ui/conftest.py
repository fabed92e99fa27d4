from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pytest_textual_snapshot import SVGImageExtension, normalize_svg
from rich.cells import cell_len
from rich.console import RenderableType
from syrupy import SnapshotAssertion
from textual._compositor import Compositor
from textual._context import visible_screen_stack
from textual._wait import wait_for_idle
from textual.app import App
from textual.events import Click, MouseDown, MouseUp, Paste
from textual.geometry import Offset
from textual.message_pump import MessagePump
from textual.pilot import Pilot, _get_mouse_message_arguments
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Input

from tests.ui.sparing import (  # noqa: F401  # used by every test
    handlers_found_once,
    styles_found_once,
    styles_parsed_once,
    styles_set_where_they_differ,
)
from tui_orchestrator import demo
from tui_orchestrator.demo import Script
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.settings import CacheSettings, Settings, StoreSettings, UiSettings
from tui_orchestrator.ui.app import ConsoleApp
from tui_orchestrator.ui.stage import Stage

LOOKS = 400
"""At the screen, each once the program rests, before what should come is said not to come."""
REST_S = 0.003
"""Textual's own pilots sleep in steps of 20 ms and look whether the processor worked meanwhile."""
LONGEST_REST_S = 0.05
"""Between two looks. What did not come at once is waited for in ever longer rests: 400 looks take 18 s where a program
does nothing, and next to no processor time."""
PICTURES = 100
"""Looks at a screen that is not as in its stored picture, before it is said to differ."""
FRAME_S = 0.1
"""Nobody watches: a look draws what is due, and sixty frames a second are most of what a test costs."""
_KEYS = {"-": "minus", "/": "slash"}


async def settle(pilot: Pilot[Any]) -> None:
    """Until nothing on the screen changes any more."""
    seen, same = None, 0
    for _ in range(400):
        await pilot.pause()
        now = pilot.app.screen._compositor.render_strips()
        same = same + 1 if now == seen else 0
        if same == 2:
            return
        seen = now
    raise AssertionError("the screen never came to rest")


async def sees(pilot: Pilot[Any], *texts: str) -> None:
    """And nothing blinks any more."""
    seen = ""
    for _ in range(LOOKS):
        await pilot.pause()
        seen = "\n".join(strip.text for strip in pilot.app.screen._compositor.render_strips())
        if all(text in seen for text in texts):
            break
        await asyncio.sleep(0.01)
    else:
        raise AssertionError(f"never came: {texts}; the screen was:\n{seen}")
    for field in pilot.app.screen.query(Input):
        field.cursor_blink = False


@pytest.fixture
def snap_compare(
    snap_compare: Callable[..., bool], snapshot: SnapshotAssertion, request: pytest.FixtureRequest
) -> Callable[..., bool]:
    """The picture is the first that is the stored one: what a busy machine has still to draw when it seems to rest is
    no difference."""

    def compare(
        app: App[Any], *, terminal_size: tuple[int, int], run_before: Callable[[Pilot[Any]], Awaitable[None]]
    ) -> bool:
        file = snapshot.use_extension(SVGImageExtension).extension
        stored = Path(file.get_location(test_location=snapshot.test_location, index=0))
        updates = request.config.option.update_snapshots
        wanted = "" if updates or not stored.exists() else normalize_svg(stored.read_text(encoding="utf-8"))

        async def shown(pilot: Pilot[Any]) -> None:
            await run_before(pilot)
            await settle(pilot)
            for _ in range(PICTURES if wanted else 0):
                for field in pilot.app.screen.query(Input):
                    # A blink that was on its way when blinking was stopped hides the cursor for good.
                    field._cursor_visible = True
                picture = pilot.app.export_screenshot(title=pilot.app.title, simplify=True)
                if normalize_svg(picture) == wanted:
                    pilot.app.export_screenshot = lambda taken=picture, **_: taken  # type: ignore[method-assign]
                    return
                await pilot.pause(LONGEST_REST_S)

        return snap_compare(app, terminal_size=terminal_size, run_before=shown)

    return compare


def _others_s() -> float:
    """Processor time of the other threads. A look while one of them is at work says nothing: an SDK that is imported
    takes a minute where ten programs share a processor."""
    return time.process_time() - time.thread_time()


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

    @property
    def written(self) -> str:
        """What a person sees in the field to write in."""
        field, strips = self.app.composer.prompt.content_region, self.app.screen._compositor.render_strips()
        rows = (strip.crop(field.x, field.right).text.rstrip() for strip in strips[field.y : field.bottom])
        return "\n".join(rows)

    async def until(self, condition: Callable[[], object], what: str = "", *, drawn: bool = True) -> None:
        """Lets the program go on until the condition holds. `drawn`: it is on the screen where that is looked for, so
        that what is due is drawn before each look, sooner than when a frame is."""
        if drawn:
            await self.pilot.pause()
        rest, looks, others = REST_S, 0, _others_s()
        for _ in range(10 * LOOKS):
            if condition():
                return
            rest = min(rest * 1.1, LONGEST_REST_S)
            await asyncio.sleep(rest - REST_S)
            await wait_for_idle(0, max_sleep=0.1)
            if drawn:
                self.app.screen._on_timer_update()
            before, others = others, _others_s()
            looks += others - before < REST_S
            if looks > LOOKS:
                break
        raise AssertionError(f"never came: {what or condition}; the screen was:\n{self.screen}")

    async def sees(self, *texts: str) -> None:
        await self.until(lambda: all(text in self.screen for text in texts), f"{texts} on the screen")

    async def sees_no(self, text: str) -> None:
        await self.until(lambda: text not in self.screen, f"no {text!r} on the screen")

    async def line(self, *texts: str, without: str | None = None) -> str:
        """The first in which all of them stand, once there is one."""
        fits = lambda line: all(text in line for text in texts) and (without is None or without not in line)  # noqa: E731
        found: list[str] = []

        def look() -> bool:
            found[:] = filter(fits, self.screen.splitlines())
            return bool(found)

        await self.until(look, f"a line with {texts}" + (f" and no {without!r}" if without else ""))
        return found[0]

    async def place(self, text: str) -> tuple[int, int]:
        """Column and row where it begins, once it stands still."""
        seen: list[tuple[int, int] | None] = [None]

        def look() -> bool:
            before, seen[:] = seen[:], [self._where(text)]
            return seen[0] is not None and seen == before

        await self.until(look, f"{text!r} on the screen")
        (place,) = seen
        assert place is not None
        return place

    def _where(self, text: str) -> tuple[int, int] | None:
        for row, line in enumerate(self.screen.splitlines()):
            if text in line:
                return cell_len(line[: line.index(text)]), row
        return None

    async def click(self, text: str, *, on: int = 1, button: int = 1) -> None:
        """On the first place where it stands, `on` cells from where it begins. What comes while the button goes down
        and up may move it, and the hand goes with it."""
        column, row = await self.place(text)
        screen = self.app.screen
        for kind in (MouseDown, MouseUp, Click):
            await self.pilot.pause()
            self._seen = None
            if self.app.screen is screen:
                column, row = self._where(text) or (column, row)
            at = _get_mouse_message_arguments(screen, (column + on, row), button=button)
            self.app.mouse_position = Offset(column + on, row)
            screen._forward_event(kind(**at))
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        self.app.composer.prompt.insert(text)
        await self.pilot.pause()

    async def send(self, text: str) -> None:
        await self.type(text)
        await self.pilot.press("enter")

    async def write(self, text: str) -> None:
        """Into the field that has the focus: all but the last letter at once, as one pastes them. For each letter that
        is typed a list is narrowed and drawn anew."""
        if text[:-1]:
            self.app.post_message(Paste(text[:-1]))
            await self.pilot.pause()
        await self.pilot.press(_KEYS.get(text[-1], text[-1]))

    async def type_into_list(self, text: str) -> None:
        """Narrows the list that is open, and takes what is highlighted."""
        await self.write(text)
        await self.pilot.press("enter")

    async def pay_for(self, text: str) -> None:
        """Narrows the list that is open, in which nothing that costs is marked at first, and takes the first."""
        await self.pilot.press(*(_KEYS.get(letter, letter) for letter in text))
        # Typed so soon that it might have been typed ahead, it marks nothing.
        await self.pilot.press(*(["down"] if "Enter sends nothing" in self.screen else []), "enter")

    async def begin_anew(self) -> None:
        """What is open is closed, what is written is gone, and the conversation is a new one."""
        while len(self.app.screen_stack) > 1:
            await self.pilot.press("escape")
        self.app.clear_notifications()
        self.app.composer.prompt.text = ""
        await self.pilot.press("ctrl+n")
        await self.until(lambda: not self.app.chat.has_said and not self.app.chat.has_ensemble, "a new session")
        self.app.composer.prompt.focus()
        await self.until(lambda: not self.app.screen.query("Toast"), "no notice")

    async def ended(self) -> None:
        """The turn that was sent is over and drawn."""
        await self.until(self._over, "the end of the turn")
        await self.pilot.pause()

    def _over(self) -> bool:
        live, transcript = self.app.chat._live, self.app.chat.transcript
        told = live is None or live.over
        drawn = not transcript.is_on_screen or not transcript._rows.unread
        return not self.app.running and not self.app.composer.busy and told and drawn


def _rests(pump: MessagePump) -> bool:
    """It waits for a message, so it has processed all there were."""
    came: Any = pump._message_queue.ready_event
    return pump._closing or pump._closed or (not came.is_set() and len(came._waiters) > 0)


_wait_for_screen = Pilot._wait_for_screen


async def all_rest(pilot: Pilot[object], timeout: float = 30.0) -> bool:
    """Textual's own sends a message to each widget and waits until the last has come back, several times a key: of a
    console's eighty widgets those were most of the messages in a test."""
    app = pilot.app
    if not isinstance(app, Stage):
        return await _wait_for_screen(pilot, timeout)
    async with asyncio.timeout(timeout):
        while app._exception is None and app.screen_stack:
            if app.typed.at_rest and all(_rests(pump) for pump in (app, *app.screen.walk_children(with_self=True))):
                return True
            await asyncio.sleep(0.001)
    return False


@pytest.fixture(autouse=True)
def short_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    press = Pilot.press

    async def press_and_draw(pilot: Pilot[object], *keys: str) -> None:
        await press(pilot, *keys)
        await pilot.pause()

    monkeypatch.setattr(Pilot, "press", press_and_draw)
    monkeypatch.setattr(Pilot, "_wait_for_screen", all_rest)
    monkeypatch.setattr("textual._wait.SLEEP_GRANULARITY", REST_S)
    monkeypatch.setattr("textual._wait.SLEEP_IDLE", REST_S / 8)
    monkeypatch.setattr("textual.screen.UPDATE_PERIOD", FRAME_S)
    monkeypatch.setattr("textual.constants.TEXTUAL_ANIMATIONS", "none")


@pytest.fixture(autouse=True)
def consoles_are_drawn_when_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no terminal that a change could be written to: Textual would draw it, half of what such a test costs,
    and throw it away. A look draws the whole screen."""
    update, strips = Compositor.render_update, Compositor.render_strips

    def render_update(compositor: Compositor, full: bool = False, **wanted: Any) -> RenderableType | None:
        if full or compositor.root is None or not isinstance(compositor.root.app, Stage):
            return update(compositor, full, **wanted)
        compositor._dirty_regions.clear()
        return None

    def render_strips(compositor: Compositor, *wanted: Any) -> list[Strip]:
        if compositor.root is not None and compositor.root is compositor.root.app.screen:
            # What is seen through the screen in front; an update sets it.
            visible_screen_stack.set(compositor.root.app._background_screens)
        return strips(compositor, *wanted)

    monkeypatch.setattr(Compositor, "render_update", render_update)
    monkeypatch.setattr(Compositor, "render_strips", render_strips)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is read from or written to the real user's directories."""
    monkeypatch.setenv("TUI_ORCHESTRATOR_HOME", str(tmp_path / "home"))
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "OPENROUTER_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(seat: Console) -> list[str]:
    """The conversation as it stands on the screen: without the panes beside it, and what is blank."""
    rows = (line.split("│")[1].strip(" ┃▂▃▄▅▆▇█▁") for line in seat.screen.splitlines() if line.startswith("│"))
    return [row for row in rows if row]


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
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Console]:
    """Open and ready to be typed into. The demo models do nothing that `script` does not say; `sleep` makes their
    pauses."""
    base = replace(
        Settings(),
        budgets=budgets or Budgets(),
        policy=policy or Policy(),
        ui=ui or UiSettings(),
        cache=cache or CacheSettings(),
        store=StoreSettings(path / "store.db"),
        discovery=False,
    )
    async with demo.serve(pace=pace, script=script, sleep=sleep, habits=False) as servers:
        app = ConsoleApp(demo.settings(servers, base), demo=False)
        async with app.run_test(size=size, notifications=True) as pilot:
            seat = Console(app, pilot)
            try:
                await seat.until(lambda: app.talk is not None and not app.working, "a ready console", drawn=False)
                await pilot.pause()
                yield seat
            finally:
                # As a user leaves: its files and sockets would else stay open to the end of all tests.
                if not app._leaving:
                    await app._leave(0)
