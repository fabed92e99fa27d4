"""Pictures of stable states. After a change that is meant to be seen: pytest tests/ui/test_snapshots.py
--snapshot-update, and look at what changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.clock import ManualClock
from tests.ui.conftest import sees, settle
from tests.ui.test_card import decision
from tests.ui.test_costs import attempt, overview, states
from tui_orchestrator.routing.errors import ErrorKind, RateLimited
from tui_orchestrator.routing.events import (
    AttemptFailed,
    AttemptFinished,
    AttemptStarted,
    Cause,
    Completed,
    Confidence,
    Decided,
    Event,
    FinishReason,
    Next,
    Outcome,
    Reserved,
    Text,
)
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.money import FREE, Cost, CostState, Money, Price, Rates, Usage
from tui_orchestrator.routing.profile import Ability, Level
from tui_orchestrator.routing.request import Message, Request, Strategy
from tui_orchestrator.services.spending import Span
from tui_orchestrator.settings import UiSettings
from tui_orchestrator.storage.archive import Archive
from tui_orchestrator.storage.conversations import Conversations, Session
from tui_orchestrator.storage.database import Database
from tui_orchestrator.ui.bars import Status
from tui_orchestrator.ui.choosing import strategy_choices
from tui_orchestrator.ui.dialogs import Picker
from tui_orchestrator.ui.registry_rows import Row
from tui_orchestrator.ui.session_deeds import SessionDeeds
from tui_orchestrator.ui.sessions import SessionsScreen
from tui_orchestrator.ui.stage import Stage

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
ANSWER = """Walk both lists at once and take the **smaller head**:

```python
def merge(left: list[int], right: list[int]) -> list[int]:
    return sorted(left + right)  # Timsort finds the runs
```

- It is *stable*.
- It takes `O(n + m)`.
"""
COST = Cost(Money.from_usd("0.0014"), CostState.COMPUTED)
LUNA, HAIKU = "openai/gpt-6-luna", "anthropic/claude-haiku-5.5"
BUSY = RateLimited("Too many requests.", status=429)


def told() -> list[Event]:
    sure = Confidence(0.88, ("complete, without hedging",))
    free = Cost(Money(0), CostState.COMPUTED)
    busy = attempt(
        model=LUNA,
        outcome=Outcome.FAILED,
        error_kind=ErrorKind.RATE_LIMITED,
        error_status=429,
        cost=free,
        latency_s=0.4,
    )
    given = attempt(
        number=2, model=HAIKU, provider="anthropic", cost=COST, latency_s=4.2, tokens_per_s=95.0, confidence=0.88
    )
    tried = (busy, given)
    return [
        Decided("r1", AT, decision()),
        Reserved("r1", AT, 1, Money.from_usd("0.002"), states()),
        AttemptStarted("r1", AT, 1, LUNA, "openai", Cause.FIRST),
        AttemptFailed("r1", AT, 1, LUNA, BUSY, Usage(), free, 0.4, Next.FALLBACK),
        AttemptStarted("r1", AT, 2, HAIKU, "anthropic", Cause.FALLBACK),
        Text("r1", AT, 2, ANSWER),
        AttemptFinished("r1", AT, 2, HAIKU, Usage(812, 400), COST, 0.6, 4.2, 95.0, sure, FinishReason.STOP),
        Completed("r1", AT, 2, HAIKU, ANSWER, "balanced", COST, Usage(812, 400), 4.9, sure, tried),
    ]


def price(input: str, output: str) -> Price:
    return Price(Rates.from_usd(input, output))


ROWS = (
    Row(Model("anthropic", "claude-haiku-5.5", price("0.8", "4"), 200_000, abilities=frozenset(Ability)), "available"),
    Row(Model("openai", "gpt-6-luna", price("0.25", "2"), 400_000, level=Level.ADVANCED), "cooling_down", "12 s"),
    Row(Model("lmstudio", "qwen-9b", FREE, 32_768, level=Level.BASIC, local=True), "available", "", True, 41.0),
    Row(Model("elsewhere", "mystery"), "unauthorised", "no key: set ELSEWHERE_API_KEY"),
)


class Still(Stage):
    """The furniture with a turn told from values: no services, no clock."""

    def use_look(self, ui: UiSettings) -> None:
        super().use_look(replace(ui, motion="reduced"))

    def on_mount(self) -> None:
        self.header.show(Status("Merge two sorted lists", "balanced", "lmstudio/qwen-9b", True, "$0.0042"))
        self.registry.show(ROWS)


async def tell(pilot: Pilot[Any]) -> None:
    app = pilot.app
    assert isinstance(app, Still)
    request = Request((Message("user", "Merge two sorted lists in Python, please"),), id="r1")
    app.chat.begin(request)
    app.decision.follow("r1")
    for event in told():
        app.events.publish(event)
    app.composer._settle(decision(), ())
    await settle(pilot)
    # Lines nobody has seen yet are only estimated: how many were seen in passing is a matter of time.
    transcript = app.chat.transcript
    for place in (*range(0, 40, 5), 1000):
        transcript.scroll_to(y=place, animate=False)
        await pilot.pause()


@pytest.fixture(autouse=True)
def animations_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textual.constants.TEXTUAL_ANIMATIONS", "none", raising=False)


@pytest.mark.cells(0, 3)
@pytest.mark.parametrize("size", [(160, 48), (100, 30), (80, 24), (40, 10)])
def test_a_turn_that_fell_back(snap_compare: Any, size: tuple[int, int]) -> None:
    assert snap_compare(Still(UiSettings()), terminal_size=size, run_before=tell)


@pytest.mark.cells(1)
@pytest.mark.parametrize("size", [(160, 48), (80, 24)])
def test_the_card_alone(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        await tell(pilot)
        await pilot.press("f3", *(["f6"] if size[0] > 100 else []))

    assert snap_compare(Still(UiSettings()), terminal_size=size, run_before=show)


@pytest.mark.cells(0)
@pytest.mark.parametrize("size", [(100, 30), (80, 24)])
def test_the_table_of_models(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        await pilot.press("f5")

    assert snap_compare(Still(UiSettings()), terminal_size=size, run_before=show)


@pytest.mark.cells(1)
@pytest.mark.parametrize("size", [(100, 30), (80, 24)])
def test_the_strategies(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        choices = strategy_choices(None, Strategy.BALANCED, lambda _: decision())
        pilot.app.push_screen(Picker("Strategy", choices, empty=""))
        await sees(pilot, "the lowest expected cost")

    assert snap_compare(Still(UiSettings(theme="paper")), terminal_size=size, run_before=show)


@pytest.mark.parametrize(
    ("size", "keys", "span"),
    [((160, 48), ("f4", "f6"), "today"), ((100, 30), ("f4", "pagedown"), "week"), ((80, 24), ("f4",), "month")],
)
def test_what_it_costs(snap_compare: Any, size: tuple[int, int], keys: tuple[str, ...], span: Span) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, Still)
        app.costs.demo = True
        app.costs.show(overview(span))
        await pilot.press(keys[0])
        await settle(pilot)
        await pilot.press(*keys[1:])
        for _ in range(200):
            await pilot.pause(0.02)
            if not app.costs.busy:
                break

    theme = {"today": "dusk", "week": "paper", "month": "contrast"}[span]
    assert snap_compare(Still(UiSettings(theme=theme)), terminal_size=size, run_before=show)


def session_of(number: int, title: str, hours: float, **said: Any) -> Session:
    at = AT - timedelta(hours=hours)
    return Session(f"6ag000000{number}", title, at, at, **said)


async def shelved() -> SimpleNamespace:
    """A store with a few sessions, as the list of them reads it."""
    clock = ManualClock()
    db = Database(None)
    await db.open()
    conversations = Conversations(db, clock)
    told = [
        session_of(1, "How do binary trees stay balanced?", 30, tags=frozenset({"code", "client a"}), pinned=True),
        session_of(2, "Merge two sorted lists", 0.2, persona="reviewer", system="Name the line."),
        session_of(3, "树的遍历", 3, tags=frozenset({"code"})),
        session_of(4, "Compare SQLite and PostgreSQL for a small team that grows", 26),
        session_of(5, "Merge two sorted lists (fork)", 200, origin="6ag0000002"),
    ]
    for session in told:
        await conversations.keep(session)
        await conversations.prompt(session.id, Message("user", f"{session.title} And why a tree?"), session.id)
        await conversations.answer(session.id, session.id, ANSWER, model=HAIKU, attempt=1)
    stamps = [(session.updated.isoformat(), session.id) for session in told]
    await db.write(lambda c: c.executemany("UPDATE sessions SET updated = ? WHERE id = ?", stamps))
    return SimpleNamespace(archive=Archive(db, clock), conversations=conversations, clock=clock, db=db)


@pytest.mark.cells(1, 2)
@pytest.mark.parametrize(("size", "typed"), [((160, 48), ""), ((80, 24), ""), ((160, 48), "tree"), ((100, 30), "tree")])
def test_the_sessions(snap_compare: Any, size: tuple[int, int], typed: str) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        runtime: Any = await shelved()
        pilot.app.push_screen(SessionsScreen(runtime, SessionDeeds(pilot.app, runtime), "6ag0000002"))
        await sees(pilot, "Merge two sorted lists (fork)")
        await pilot.press(*typed)
        if typed:
            await sees(pilot, "5 of 5")
        await settle(pilot)
        await runtime.db.aclose()

    assert snap_compare(Still(UiSettings()), terminal_size=size, run_before=show)
