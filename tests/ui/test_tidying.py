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

from tests.ui.conftest import console
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
            app.notify("a word", timeout=0.1)
            await seat.until(lambda: bool(app.screen.query(Toast)), "a toast")
            opened = [weakref.ref(toast) for toast in app.screen.query(Toast)]
            tidy_up()
            await seat.until(lambda: not app.screen.query(Toast), "the end of a toast")
            tidy_up()
            await seat.until(partial(gone, opened), "the end of a toast in memory")
            app._passed = float("-inf")
            tidy_up()
            assert gc.get_freeze_count() > frozen + 2 * MANY, "what stays is left out"
