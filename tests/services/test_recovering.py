"""What a killed copy of the program had set aside is freed by one that only stands there."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests import warm
from tests.turns.conftest import running
from tests.turns.reading import reserved
from tui_orchestrator.services import runtime as running_program


def test_the_wait_is_well_under_a_minute() -> None:
    assert running_program.RECOVER_EVERY_S <= 30


async def test_an_idle_copy_frees_what_a_killed_one_left_and_never_what_a_stopped_one_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_program, "RECOVER_EVERY_S", 0.02)
    store = tmp_path / "store.db"
    async with running(store) as (runtime, _):
        looked = asyncio.Semaphore(0)
        budget_states = runtime.budget_states

        async def counted() -> object:
            states = await budget_states()
            looked.release()
            return states

        monkeypatch.setattr(runtime, "budget_states", counted)
        other = await warm.start("tests.storage.spender", str(store), "hold", env=os.environ, stdout=PIPE)
        assert other.stdout is not None
        assert await other.stdout.readline() == b"Reservation\n"
        other.send_signal(signal.SIGSTOP)
        runtime.start_background()
        for _ in range(3):
            await looked.acquire()
        assert await reserved(runtime) == 1, "a stopped program is alive"
        other.kill()
        await other.wait()
        # One look may have been under way when it died.
        for _ in range(2):
            await looked.acquire()
        assert await reserved(runtime) == 0
