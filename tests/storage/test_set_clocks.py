"""What is kept when the clock was ahead and is set back, or jumps ahead: order, age, and what was set aside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tui_orchestrator.routing.budget import Reservation
from tui_orchestrator.routing.request import Message
from tui_orchestrator.settings import CacheSettings
from tui_orchestrator.storage.archive import Archive
from tui_orchestrator.storage.cache import SqliteCache
from tui_orchestrator.storage.conversations import Conversations, Session
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.decisions import record
from tui_orchestrator.storage.history import History
from tui_orchestrator.storage.ledger import SqliteLedger
from tui_orchestrator.storage.reports import Reports

from .samples import ATTEMPT, DECISION, REQUEST, hold
from .test_cache import an_answer, asked

HOUR, DAY = 3600.0, 24 * 3600.0
BACK = pytest.mark.parametrize("back", [1.0, HOUR, 26 * HOUR], ids=["a second", "an hour", "over a day"])


async def talk(conversations: Conversations, title: str) -> Session:
    session = conversations.new(title)
    await conversations.keep(session)
    await conversations.prompt(session.id, Message("user", f"of {title}"), f"r-{title}")
    return session


@BACK
async def test_the_session_used_last_is_the_latest_whatever_the_clock_said(
    db: Database, clock: ManualClock, back: float
) -> None:
    conversations, archive = Conversations(db, clock), Archive(db, clock)
    first = await talk(conversations, "one")
    for title in ("two", "three"):
        clock.advance(0.3)
        await talk(conversations, title)
    clock.set_back(back)
    last = await talk(conversations, "four")
    assert await conversations.latest() == replace(last, messages=1, updated=clock.now())
    order = [listed.session.title for listed in await archive.page()]
    assert order == ["four", "three", "two", "one"], "those before keep their order"
    await conversations.save_draft(last.id, "half a sentence")
    assert await conversations.left_draft() == ("four", "half a sentence"), "what `--continue` goes on with"
    clock.advance(0.01)
    fork = await archive.fork(first.id)
    assert (await archive.page(1))[0].session.id == fork.id


async def test_an_answer_that_ends_before_it_began_leaves_its_session_where_it_was(
    db: Database, clock: ManualClock
) -> None:
    conversations = Conversations(db, clock)
    await talk(conversations, "before")
    clock.advance(1)
    session = await talk(conversations, "now")
    clock.set_back(HOUR)
    await conversations.answer(session.id, "r-now", "said")
    latest = await conversations.latest()
    assert latest is not None
    assert latest.title == "now"


@BACK
async def test_the_latest_decision_is_the_one_made_last(db: Database, clock: ManualClock, back: float) -> None:
    reports, history = Reports(db, clock), History(db, clock)

    async def decide(request_id: str, session: str) -> None:
        decision, request, at = replace(DECISION, request_id=request_id), replace(REQUEST, session=session), clock.now()
        await db.write(lambda c: record(c, decision, replace(request, id=request_id), at))

    await decide("before", "s1")
    clock.set_back(back)
    found, _ = await reports.decision_by("latest")
    assert found.request_id == "before", "nothing was made since"
    await decide("after", "s2")
    assert (await reports.decision_by("latest"))[0].request_id == "after"
    assert await history.session("latest") == "s2"


@BACK
async def test_the_last_attempts_are_those_booked_last(db: Database, clock: ManualClock, back: float) -> None:
    ledger, reports = SqliteLedger(db, clock), Reports(db, clock)
    for number in (1, 2):
        await ledger.book(replace(ATTEMPT, number=number, started=clock.now()), None)
        clock.set_back(back)
    assert [row.number for row in await reports.last(2)] == [2, 1]


async def test_a_kept_answer_lasts_neither_for_ever_nor_is_it_lost_at_once(db: Database, clock: ManualClock) -> None:
    cache = SqliteCache(db, CacheSettings(ttl_s=HOUR), clock)
    await cache.put(asked("k"), an_answer(clock))
    clock.set_back(HOUR / 2)
    assert await cache.get(asked("k")) is not None, "set by less than it lasts: it may be fresh"
    clock.set_back(DAY)
    assert await cache.get(asked("k")) is None, "else it would last a day longer"
    await cache.put(asked("new"), an_answer(clock))
    kept = await db.read(lambda c: [key for (key,) in c.execute("SELECT key FROM answers")])
    assert kept == ["new"]


async def test_what_was_deleted_in_the_future_is_gone_a_day_from_now(db: Database, clock: ManualClock) -> None:
    conversations, archive = Conversations(db, clock), Archive(db, clock)
    session = await talk(conversations, "secret")
    await archive.delete(session.id)
    clock.set_back(365 * DAY)
    assert await archive.purge_old() == 0
    assert (await archive.deleted(session.id)).id == session.id, "a day to bring it back"
    clock.advance(DAY + 1)
    assert await archive.purge_old() == 1


@pytest.mark.parametrize("ahead", [26 * HOUR, 400 * DAY, -HOUR, -26 * HOUR])
async def test_no_jump_frees_what_a_living_copy_has_set_aside(tmp_path: Path, ahead: float) -> None:
    mine, theirs = ManualClock(), ManualClock()
    async with Database(tmp_path / "s.db") as here, Database(tmp_path / "s.db") as there:
        living, other = SqliteLedger(here, mine), SqliteLedger(there, theirs)
        held = await living.reserve(hold(5))
        assert isinstance(held, Reservation)
        for clock in (mine, theirs):
            clock.set_back(-ahead)
        await other.recover()
        assert await other.budgets(held.hold.caps) == held.states
        await living.book(replace(ATTEMPT, started=mine.now()), held)
        assert all(not state.reserved for state in await other.budgets(held.hold.caps))


async def test_a_day_ahead_and_back_again_leaves_every_day_its_own_sum(db: Database, clock: ManualClock) -> None:
    ledger, reports = SqliteLedger(db, clock), Reports(db, clock)
    for number, jump in enumerate((DAY, -DAY, 0.0), start=1):
        await ledger.book(replace(ATTEMPT, number=number, day=clock.today().isoformat()), None)
        clock.set_back(-jump)
    assert (await reports.total("today")).attempts == 2
    clock.set_back(-DAY)
    assert (await reports.total("today")).attempts == 1
    assert (await reports.total("all")).attempts == 3
