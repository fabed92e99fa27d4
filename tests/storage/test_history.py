"""Decisions of the past: the latest first, found by what is shown of them, one after the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.clock import ManualClock
from tui_orchestrator.routing.errors import BudgetExceeded, Cancelled, NoCandidate, OrchestratorError, Overloaded
from tui_orchestrator.routing.events import Attempt, Completed, Confidence, Failed
from tui_orchestrator.routing.money import Cost, CostState, Money, Usage
from tui_orchestrator.routing.request import Message, Strategy
from tui_orchestrator.storage import history as module
from tui_orchestrator.storage.conversations import Conversations
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.decisions import conclude, record
from tui_orchestrator.storage.history import History, Past
from tui_orchestrator.storage.ledger import SqliteLedger

from .samples import ATTEMPT, DECISION, REQUEST, costing

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def history(db: Database, clock: ManualClock) -> History:
    return History(db, clock)


async def decide(db: Database, minute: int, request_id: str, session: str = "s1", **changes: Any) -> None:
    decision = replace(DECISION, request_id=request_id, **changes)
    request = replace(REQUEST, id=request_id, session=session)
    await db.write(lambda c: record(c, decision, request, AT + timedelta(minutes=minute)))


async def answer(db: Database, request_id: str, model: str, cost: Cost, *attempts: Attempt) -> None:
    sure = Confidence(0.9)
    end = Completed(request_id, AT, 1, model, "x", "balanced", cost, Usage(9, 9), 1.0, sure, attempts)
    await db.write(lambda c: conclude(c, end))


async def fail(db: Database, request_id: str, error: OrchestratorError) -> None:
    await db.write(lambda c: conclude(c, Failed(request_id, AT, error, costing(0), ())))


def told(past: Past) -> tuple[object, ...]:
    return (past.prompt, past.model, past.success_probability, str(past.estimated_cost), str(past.cost), past.outcome)


async def test_each_tells_its_prompt_its_pick_and_what_became_of_it(
    db: Database, clock: ManualClock, history: History
) -> None:
    conversations = Conversations(db, clock)
    session = conversations.new("Lists")
    await conversations.keep(session)
    await conversations.prompt(session.id, Message("user", "Merge two\nsorted lists"), "r1")
    for minute in range(6):
        await decide(db, minute, f"r{minute + 1}", session.id)
    small, large = "openai/small", "openai/large"
    await answer(db, "r1", small, costing(2_720_000_000))
    await answer(db, "r2", large, Cost(Money(10**10), CostState.ESTIMATED))
    await fail(db, "r3", Cancelled("stopped"))
    await fail(db, "r4", BudgetExceeded("no money"))
    await fail(db, "r5", Overloaded("busy"))
    page = await history.page(10)
    assert not page.more
    assert [told(past) for past in reversed(page.found)] == [
        ("Merge two sorted lists", small, 0.9, "$0.0025", "$0.0027", "answered"),
        ("", small, 0.9, "$0.0025", "~$0.010", "by another"),
        ("", small, 0.9, "$0.0025", "$0", "cancelled"),
        ("", small, 0.9, "$0.0025", "$0", "no money"),
        ("", small, 0.9, "$0.0025", "$0", "failed"),
        ("", small, 0.9, "$0.0025", "None", "not ended"),
    ]


async def test_nobody_chosen_and_an_ensemble_are_told_as_such(db: Database, history: History) -> None:
    await decide(db, 0, "none", model=None, chain=())
    await fail(db, "none", NoCandidate("all out"))
    small = DECISION.candidates[0]
    large = replace(small, model="openai/large", estimated_cost=Money(10**10))
    await decide(db, 1, "many", strategy=Strategy.ENSEMBLE, candidates=(small, large))
    await answer(db, "many", "openai/large", costing(1))
    many, none = (await history.page(9)).found
    assert (none.model, none.success_probability, none.outcome) == (None, None, "no model")
    assert (many.outcome, many.members, many.estimated_cost) == ("answered", 2, Money(12_500_000_000))


async def test_a_prompt_asked_again_is_the_same_prompt(db: Database, clock: ManualClock, history: History) -> None:
    conversations = Conversations(db, clock)
    session = conversations.new("Lists")
    await conversations.keep(session)
    await conversations.prompt(session.id, Message("user", "Merge"), "r1")
    await conversations.answer(session.id, "r1", "one", attempt=1, model="openai/small", state="complete")
    await conversations.answer(session.id, "r2", "two", attempt=1, model="openai/large", state="complete")
    await decide(db, 0, "r1", session.id)
    await decide(db, 1, "r2", session.id)
    assert [past.prompt for past in (await history.page(9)).found] == ["Merge", "Merge"]


async def test_what_a_deleted_session_said_is_not_told(db: Database, clock: ManualClock, history: History) -> None:
    conversations = Conversations(db, clock)
    session = conversations.new("Secret")
    await conversations.keep(session)
    await conversations.prompt(session.id, Message("user", "Secret plans"), "r1")
    await decide(db, 0, "r1", session.id)
    await db.write(lambda c: c.execute("UPDATE sessions SET deleted = '2026-11-21'"))
    (past,) = (await history.page(9)).found
    assert past.prompt == ""
    assert (await history.page(9, "secret")).found == ()


async def test_pages_follow_each_other_without_a_gap_and_without_an_overlap(db: Database, history: History) -> None:
    for number in range(7):
        # Three of the same moment, which the ids then order.
        await decide(db, number // 3, f"r{number}")
    first = await history.page(3)
    second = await history.page(3, after=first.found[-1])
    last = await history.page(3, after=second.found[-1])
    seen = [past.request_id for page in (first, second, last) for past in page.found]
    assert seen == [f"r{number}" for number in reversed(range(7))]
    assert (first.more, second.more, last.more) == (True, True, False)


async def test_words_are_found_in_what_is_shown_and_only_there(
    db: Database, clock: ManualClock, history: History
) -> None:
    conversations = Conversations(db, clock)
    session = conversations.new("Lists")
    await conversations.keep(session)
    await conversations.prompt(session.id, Message("user", "Merge two sorted lists"), "r1")
    await decide(db, 0, "r1", session.id)
    await decide(db, 1, "r2", strategy=Strategy.LOCAL_FIRST, model="openai/large")
    await fail(db, "r2", Cancelled("stopped"))

    async def found(typed: str, **more: Any) -> list[str]:
        return [past.request_id for past in (await history.page(9, typed, **more)).found]

    assert await found("sorted MERGE") == ["r1"]
    assert await found("local first") == ["r2"]
    assert await found("openai/large cancelled") == ["r2"]
    assert await found("openai") == ["r2", "r1"]
    assert await found("openai", session=session.id) == ["r1"]
    assert await found("0.9") == []
    assert await found("openai", stopped=lambda: True) == []


async def test_a_search_reads_no_more_than_it_says(
    db: Database, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STEP", 2)
    monkeypatch.setattr(module, "MOST_SEARCHED", 4)
    for number in range(6):
        await decide(db, number, f"r{number}", model=None if number else "openai/large")
    page = await history.page(9, "openai/large")
    assert (page.found, page.more) == ((), True)


async def test_a_list_is_read_from_the_index_alone(db: Database) -> None:
    """A decision's JSON lies between its first and its last columns, and is a hundred times as long."""
    sql = f"EXPLAIN QUERY PLAN SELECT {module._COLUMNS} FROM decisions d WHERE (d.at, d.request_id) < (?, ?) "
    sql += "ORDER BY d.at DESC, d.request_id DESC LIMIT ?"
    plan = " ".join(row[3] for row in await db.read(lambda c: c.execute(sql, ("9", "", 5)).fetchall()))
    assert "SEARCH d USING COVERING INDEX decisions_history" in plan
    assert "TEMP B-TREE" not in plan
    assert "USING INDEX messages_prompts" in plan


async def test_one_has_its_place_among_those_of_its_session(db: Database, history: History) -> None:
    for number, session in enumerate(["s1", "s2", "s1", "s1"]):
        await decide(db, number, f"r{number}", session)

    async def place(request_id: str) -> tuple[object, ...]:
        found = await history.position(request_id)
        assert found is not None
        return found.number, found.of, found.earlier, found.later

    assert await place("r0") == (1, 3, None, "r2")
    assert await place("r2") == (2, 3, "r0", "r3")
    assert await place("r3") == (3, 3, "r2", None)
    assert await place("r1") == (1, 1, None, None)
    assert await history.position("gone") is None
    assert (await history.latest("s1"), await history.latest("s9")) == ("r3", None)
    assert (await history.count(), await history.count("s1")) == (4, 3)


async def test_turns_come_whole_and_in_order(db: Database, clock: ManualClock, history: History) -> None:
    for number, session in enumerate(["s1", "s2", "s1", "s1"]):
        await decide(db, number, f"r{number}", session)
    booked = replace(ATTEMPT, request_id="r2")
    await SqliteLedger(db, clock).book(booked, None)
    turns = await history.turns(2, "s1")
    assert [turn.decision.request_id for turn in turns] == ["r2", "r3"]
    assert turns[0].attempts == (booked,)
    assert [turn.decision.request_id for turn in await history.turns(9)] == ["r0", "r1", "r2", "r3"]
    one = await history.turn("r2")
    assert one == turns[0]
    assert await history.turn("gone") is None


async def test_a_session_is_found_by_the_beginning_of_its_id_or_as_the_latest(
    db: Database, clock: ManualClock, history: History
) -> None:
    with pytest.raises(LookupError, match="no decision of a session is kept yet"):
        await history.session("latest")
    for number, session in enumerate(["ab1", "ab2", "cd", ""]):
        await decide(db, number, f"r{number}", session)
    clock.advance(3600)
    assert await history.session("latest") == "cd"
    assert await history.session("C") == "cd"
    assert await history.session("ab2") == "ab2"
    with pytest.raises(LookupError, match="'ab' begins several sessions: ab1, ab2"):
        await history.session("ab")
    for nothing in ("zz", "", "%"):
        with pytest.raises(LookupError, match="no decision of a session"):
            await history.session(nothing)
