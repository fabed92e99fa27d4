"""What a program that runs for days remembers of what was spent: all that counts, and no more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tui_orchestrator import demo
from tui_orchestrator.routing import router
from tui_orchestrator.routing.budget import BudgetState, Cap
from tui_orchestrator.routing.events import Budget
from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.routing.request import Message, Request
from tui_orchestrator.services.chat import Chat, Options
from tui_orchestrator.services.pace import Pace
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import Settings, StoreSettings
from tui_orchestrator.storage.course import Course
from tui_orchestrator.storage.database import Database

MOST = 40


async def test_sums_of_old_sessions_are_forgotten_and_the_days_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "MOST_SUMS", MOST)
    base = replace(Settings(), store=StoreSettings(tmp_path / "store.db"), discovery=False)
    async with (
        demo.serve(pace=0, habits=False) as servers,
        await Runtime.open(demo.settings(servers, base), demo=False) as runtime,
    ):
        chat = Chat.new(runtime)
        async with chat.send(chat.request("hello", (), Options(model="demo-openai/rush-pro"))) as turn:
            async for _ in turn:
                pass
        for _ in range(MOST):
            # A request of a server's, outside any session.
            await runtime.router.decide(Request((Message("user", "hello"),)))
        assert len(runtime.router._states) <= MOST
        today = next(state for (scope, _), state in runtime.router._states.items() if scope == "day")
        assert today.spent > ZERO


async def test_minutes_that_no_forecast_looks_at_any_more_are_forgotten(tmp_path: Path) -> None:
    clock = ManualClock()

    def told(session: str, cents: int) -> Budget:
        state = BudgetState(Cap("session", session, Money.from_usd(1)), Money(cents * 10**10), ZERO, ())
        return Budget("r", clock.now(), state)

    async with Database(tmp_path / "store.db") as db:
        pace = Pace(Course(db), clock)
        for number in range(300):
            for cents in range(4):
                pace.foretell(told(f"s{number}", cents))
                clock.advance(60)
    # Of the last three hours: a session every four minutes.
    assert len(pace._minutes) <= 46
    assert len(pace._minutes["session:s299"]) == 3
