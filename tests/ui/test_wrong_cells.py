"""The console on stores of which one column holds what it should not, wherever that is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.storage.test_every_table import columns, fill_all
from tests.storage.test_wrong_cells import SPOILED, afresh, spoil
from tests.ui.conftest import console

EACH = 23
"""Of so many columns one; a prime, so that all kinds of tables have their turn."""
SCREENS = ("open_session", "search_prompts", "reports('costs')", "pick_model", "settings")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "store.db"
    asyncio.run(fill_all(path))
    return path.read_bytes()


@pytest.mark.cells(*range(4))
@pytest.mark.parametrize("turn", range(8))
async def test_the_console_opens_and_goes_about_whatever_a_column_holds(
    tmp_path: Path, whole: bytes, turn: int
) -> None:
    store = tmp_path / "store.db"
    afresh(store, whole)
    every = columns(store)
    table, column = every[turn * EACH % len(every)]
    spoil(store, table, column, SPOILED[turn % len(SPOILED)])
    async with console(tmp_path) as seat:
        for screen in SCREENS:
            await seat.app.run_action(screen)
            await seat.pilot.pause()
            for _ in range(len(seat.app.screen_stack) - 1):
                await seat.pilot.press("escape")
        await seat.send("hello")
        await seat.ended()
        await seat.type("still here")
        await seat.sees("still here")
