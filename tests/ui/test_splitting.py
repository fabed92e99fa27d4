"""Somebody sends what is too long for every model: asked first with the price, then seen part by part."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.turns.test_parted import QUESTION, report
from tests.ui.conftest import Console, console, settle
from tui_orchestrator.demo import Reply, Say, Script
from tui_orchestrator.storage.faults import StoreError

ANSWER = Script().always(Say(text="All rooms are in good order."))
SIZES = [(160, 48), (100, 30), (80, 24)]


def calls(path: Path) -> int:
    with sqlite3.connect(path / "store.db") as connection:
        return int(connection.execute("SELECT COUNT(*) FROM attempts").fetchone()[0])


@asynccontextmanager
async def asked(path: Path, size: tuple[int, int] = (160, 48), script: Script = ANSWER) -> AsyncIterator[Console]:
    """The small local model is pinned, and a report that it cannot read at once was sent."""
    async with console(path, script=script, size=size) as seat:
        await seat.send("/model pebble-3b")
        await seat.send(f"{QUESTION}\n\n{report()}")
        await seat.sees("Longer than pebble-3b's context")
        yield seat


async def test_before_it_is_sent_the_parts_and_their_price_are_shown(tmp_path: Path) -> None:
    async with asked(tmp_path) as seat:
        for size in SIZES:
            await seat.pilot.resize_terminal(*size)
            await settle(seat.pilot)
            await seat.sees(
                "parts with pebble-3b", "then put together by pebble-3b", "about $0, at most $0", "Enter", "Esc"
            )
            assert calls(tmp_path) == 0


async def test_it_is_sent_and_the_parts_are_seen_as_they_end(tmp_path: Path) -> None:
    slow = Script().always(Say(text="All rooms are in good order.", gap_s=0.05))
    async with asked(tmp_path, script=slow) as seat:
        await seat.pilot.press("down", "enter")
        await seat.sees("reading parts 1, 2, 3, 4 of", "◐◐◐◐")
        await seat.sees("✓")
        await seat.ended()
        await seat.sees("All rooms are in good order.", "4 parts ✓✓✓✓", "read in 4 parts")
        assert calls(tmp_path) == 5


async def test_esc_and_keys_typed_ahead_send_nothing_and_the_prompt_stays(tmp_path: Path) -> None:
    async with asked(tmp_path) as seat:
        for keys in (("escape",), ("enter",), ("y", "2", "up", "enter")):
            await seat.sees("▸ not at all: nothing is sent")
            await seat.pilot.press(*keys)
            await seat.until(lambda: len(seat.app.screen_stack) == 1, "the dialog closed")
            await seat.until(lambda: QUESTION in seat.app.composer.prompt.unfolded, "the prompt is there again")
            assert calls(tmp_path) == 0
            assert not seat.app.running
            # Sent once more, it is asked about once more.
            await seat.begin_anew()
            await seat.send(f"{QUESTION}\n\n{report()}")
            await seat.sees("Longer than pebble-3b's context")


async def test_where_the_store_cannot_be_read_that_is_said_and_the_prompt_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def damaged(*_: object) -> None:
        raise StoreError(tmp_path / "store.db", "is damaged", "move it away to start afresh")

    async with console(tmp_path, script=ANSWER) as seat:
        await seat.send("/model pebble-3b")
        assert seat.app.runtime is not None
        monkeypatch.setattr(seat.app.runtime.router, "read_budgets", damaged)
        await seat.send(f"{QUESTION}\n\n{report()}")
        await seat.sees("store.db is damaged")
        await seat.until(lambda: QUESTION in seat.app.composer.prompt.unfolded, "the prompt is there again")
        assert not seat.app.running
        assert calls(tmp_path) == 0


async def test_esc_while_it_runs_ends_all_parts_and_pays_for_those_that_ran(tmp_path: Path) -> None:
    slow = Script().always(Say(text="All rooms are in good order. " * 20, gap_s=0.05))
    async with asked(tmp_path, script=slow) as seat:
        await seat.pilot.press("down", "enter")
        await seat.sees("reading parts 1, 2, 3, 4 of")
        await seat.pilot.press("escape")
        await seat.ended()
        await seat.sees("Cancelled")
        assert 0 < calls(tmp_path) <= 4


async def test_a_part_that_is_missing_is_named_in_the_answer(tmp_path: Path) -> None:
    script = Script().then(Reply(400, "the third team is unknown"), "pebble-3b").always(Say(text="In good order."))
    async with asked(tmp_path, script=script) as seat:
        await seat.pilot.press("down", "enter")
        await seat.ended()
        await seat.sees("is missing from this answer", "In good order.", "✗")


async def test_the_line_above_the_prompt_says_so_while_it_is_typed(tmp_path: Path) -> None:
    async with console(tmp_path, script=ANSWER) as seat:
        await seat.send("/model pebble-3b")
        await seat.type(f"{QUESTION}\n\n{report()}")
        await seat.sees("longer than pebble-3b's context", "4 parts with pebble-3b, then put together by pebble-3b")
