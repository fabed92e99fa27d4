"""What a console that is open for days is left with of what was opened and closed in it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from textual.widget import Widget
from textual.widgets._toast import Toast

from tests.ui.conftest import Console, console
from tui_orchestrator.providers.connect import warm
from tui_orchestrator.services import garbage
from tui_orchestrator.ui import terminal

ROUNDS = 2
DIALOGS = ("reports('costs')", "pick_model")
MANY = 20_000


@pytest.fixture
def unfrozen() -> Iterator[None]:
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    yield
    gc.set_threshold(*thresholds)


@pytest.mark.usefixtures("unfrozen")
async def test_dialogs_and_toasts_that_were_closed_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody is at the keys, and there is more than is looked through again and again.
    monkeypatch.setattr(terminal, "CALM_S", -1.0)
    monkeypatch.setattr(garbage, "AT_ONCE", 10**9)
    monkeypatch.setattr(garbage, "MANY", MANY)
    kept: list[object] = []

    def gone(ended: list[weakref.ref[Widget]]) -> bool:
        gc.collect()
        return not [one for one in ended if one() is not None]

    await warm({"anthropic", "openai", "gemini"})  # else what they bring is left out later, with all that is there
    async with console(tmp_path) as seat:
        app = seat.app

        def tidy_up() -> None:
            """Once all that there is has grown old."""
            kept.append([[number] for number in range(MANY // 3)])
            gc.collect(1)
            app.tidy_up()

        for dialog in DIALOGS:  # what they are drawn with is read
            await app.run_action(dialog)
            await seat.until(lambda: len(app.screen_stack) > 1, dialog)
            await seat.pilot.press("escape")
            await seat.until(lambda: len(app.screen_stack) == 1, "the end of a dialog")
        gc.collect()
        gc.freeze()
        for _ in range(ROUNDS):
            frozen = gc.get_freeze_count()
            for dialog in DIALOGS:
                await app.run_action(dialog)
                await seat.until(lambda: len(app.screen_stack) > 1, dialog)
                opened: list[weakref.ref[Widget]] = [weakref.ref(app.screen)]
                tidy_up()
                await seat.pilot.press("escape")
                await seat.until(lambda: len(app.screen_stack) == 1, "the end of a dialog")
                tidy_up()
                await seat.until(partial(gone, opened), f"the end of {dialog} in memory")
            app.notify("a word", timeout=1.0)
            await seat.until(lambda: bool(app.screen.query(Toast)), "a toast")
            opened = [weakref.ref(toast) for toast in app.screen.query(Toast)]
            tidy_up()
            await seat.until(lambda: not app.screen.query(Toast), "the end of a toast")
            tidy_up()
            await seat.until(partial(gone, opened), "the end of a toast in memory")
            app._passed = float("-inf")
            tidy_up()
            assert gc.get_freeze_count() > frozen + 2 * MANY, "what stays is left out"


@pytest.mark.cells(0)
@pytest.mark.usefixtures("unfrozen")
@pytest.mark.parametrize("dialog", ["pick_model", "help", "palette"])
async def test_what_was_left_out_while_it_was_there_is_gone_once_it_has_ended(tmp_path: Path, dialog: str) -> None:
    async with console(tmp_path) as seat:
        app = seat.app
        await app.run_action(dialog)
        await seat.until(lambda: len(app.screen_stack) > 1, dialog)
        await goes_without_being_looked_for(seat, app.screen, "escape")
        app.notify("a word", timeout=1.5)
        await seat.until(lambda: bool(app.screen.query(Toast)), "a toast")
        await goes_without_being_looked_for(seat, app.screen.query(Toast).first())


async def goes_without_being_looked_for(seat: Console, widget: Widget, *keys: str) -> None:
    """Pressed, these end it, if time does not."""
    ended = [weakref.ref(one) for one in widget.walk_children(Widget, with_self=True)]
    # Colours change, and what it is drawn with is made anew.
    seat.app.theme = "textual-light" if seat.app.theme == "textual-dark" else "textual-dark"
    await seat.pilot.pause()
    parts = [weakref.ref(one.node) for one in widget._component_styles.values() if one.node is not None]
    gc.collect()
    gc.freeze()
    del widget
    await seat.pilot.press(*keys)
    await gone_by_itself(seat, [*ended, *parts])


async def gone_by_itself(seat: Console, ended: list[weakref.ref[Widget]]) -> None:
    def left() -> list[str]:
        # Nothing that was left out: what was made since, such as the circle that each layout leaves behind.
        gc.collect()
        seat.app._let_go()
        return [repr(one()) for one in ended if one() is not None]

    await seat.until(lambda: not left(), f"the end in memory of {left()}")
