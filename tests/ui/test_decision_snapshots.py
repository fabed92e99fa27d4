"""Pictures of the decisions of the past, and of what would have come of them otherwise. After a change that is meant to
be seen: pytest tests/ui/test_decision_snapshots.py --snapshot-update, and look at what changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.clock import ManualClock
from tests.routing.deciding import REGISTRY, decided
from tests.routing.samples import request
from tests.ui.conftest import sees, settle
from tests.ui.test_snapshots import Still
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.routing.errors import Cancelled
from tui_orchestrator.routing.events import Completed, Confidence, Failed
from tui_orchestrator.routing.money import Cost, CostState, Money, Usage
from tui_orchestrator.routing.request import Message, Strategy
from tui_orchestrator.services.whatif import Change
from tui_orchestrator.settings import UiSettings
from tui_orchestrator.storage.conversations import Conversations, Session
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.decisions import conclude, record
from tui_orchestrator.storage.history import History
from tui_orchestrator.ui.history import HistoryScreen
from tui_orchestrator.ui.whatif import WhatIfScreen

TOLD = (
    # Prompt, how long ago in hours, strategy, who answered (None: cancelled), and for how many dollars.
    ("Merge two sorted lists in Python, please, and say how long it takes", 0.1, Strategy.QUALITY, "b/dear", "0.041"),
    ("树的遍历 is asked in Chinese", 2, Strategy.CHEAPEST, "b/dear", "0.0391"),
    ("Compare SQLite and PostgreSQL", 26, Strategy.BALANCED, "a/cheap", "0.00031"),
    ("Tell me everything", 27, Strategy.QUALITY, None, "0.0002"),
    ("", 300, Strategy.ENSEMBLE, "b/dear", "0.1"),
)


async def kept() -> Any:
    """A store with a few turns, as both screens read it."""
    clock, db = ManualClock(), Database(None)
    await db.open()
    conversations = Conversations(db, clock)
    session = Session("6ag0000001", "Lists", clock.now(), clock.now())
    await conversations.keep(session)
    for number, (prompt, hours, strategy, by, usd) in enumerate(TOLD):
        at, name = clock.now() - timedelta(hours=hours), f"r{number}"
        asked = replace(request(prompt, strategy=strategy), id=name, session=session.id if prompt else "gone")
        decision = decided(asked, policy=Policy(exploration=0.0))
        if prompt:
            await conversations.prompt(session.id, Message("user", prompt), name)
        cost = Cost(Money.from_usd(usd), CostState.COMPUTED)
        end: Completed | Failed = Failed(name, at, Cancelled("stopped"), cost, ())
        if by is not None:
            end = Completed(name, at, 1, by, "x", strategy, cost, Usage(9, 9), 1.0, Confidence(0.9), ())

        def keep(c: Any, decision: Any = decision, asked: Any = asked, at: Any = at, end: Any = end) -> None:
            record(c, decision, asked, at)
            conclude(c, end)

        await db.write(keep)
    return SimpleNamespace(history=History(db, clock), clock=clock, db=db, registry=REGISTRY)


@pytest.mark.cells(0)
@pytest.mark.parametrize(("size", "theme"), [((160, 48), "dusk"), ((80, 24), "paper")])
def test_all_decisions(snap_compare: Any, size: tuple[int, int], theme: str) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        runtime = await kept()
        pilot.app.push_screen(HistoryScreen(runtime, "6ag0000001", "r1"))
        await pilot.pause()
        pilot.app.screen.query_one(Input).cursor_blink = False
        await sees(pilot, "5 in all")
        await settle(pilot)
        await runtime.db.aclose()

    assert snap_compare(Still(UiSettings(theme=theme)), terminal_size=size, run_before=show)


@pytest.mark.cells(1)
@pytest.mark.parametrize(("size", "theme"), [((100, 30), "dusk"), ((80, 24), "contrast")])
def test_what_if_it_had_been_the_cheapest(snap_compare: Any, size: tuple[int, int], theme: str) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        runtime = await kept()
        pilot.app.push_screen(WhatIfScreen(runtime, "6ag0000001", None, Change(Strategy.CHEAPEST)))
        await sees(pilot, "picks would change")
        await settle(pilot)
        await runtime.db.aclose()

    assert snap_compare(Still(UiSettings(theme=theme)), terminal_size=size, run_before=show)
