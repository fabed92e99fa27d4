"""What advice rests on, read back from the store."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.services.ledgers import START, keep, ledger, refusals
from tui_orchestrator.storage import evidence as module
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.evidence import Evidence, read_evidence
from tui_orchestrator.storage.spans import Span

TEXT = """
    3 × code/4 openai/a ~ 0.01, openai/b ✓- 0.05
    2 × math/8 openai/a ✗ 0.002, ↻ openai/a ✗ 0.002
    2 × simple_qa/2 openai/a ✓+ 0.001
"""


async def test_what_was_kept_is_read_back_as_it_was(db: Database) -> None:
    told = ledger(TEXT, same=True)
    await keep(db, told)
    read = await read_evidence(db, Span())
    assert read.rows == told.rows
    assert sorted(read.opinions) == sorted(told.opinions)
    # Digests are of what was said: the same where the same was asked.
    assert [end._replace(digest=None) for end in read.ends] == [end._replace(digest=None) for end in told.ends]
    same = {(one.digest, other.digest) for one, other in zip(told.ends, read.ends, strict=True)}
    assert len(same) == 3
    assert not read.more


async def test_only_the_days_asked_for_are_read(db: Database) -> None:
    for day in range(3):
        told = ledger("2 × code/4 openai/a ✓ 0.01", start=START + timedelta(days=day))
        await keep(db, _named(told, f"d{day}-"))
    second = START.date() + timedelta(days=1)
    read = await read_evidence(db, Span(second, second))
    assert [row.request_id for row in read.rows] == ["d1-r1", "d1-r2"]
    later = await read_evidence(db, Span(second))
    assert len(later.rows) == 4
    assert (await read_evidence(db, Span(date(2027, 1, 1)))) == Evidence()


async def test_of_very_many_attempts_the_newest_are_read(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 4)
    await keep(db, ledger("9 × code/4 openai/a ✓ 0.01"))
    read = await read_evidence(db, Span())
    assert [row.request_id for row in read.rows] == ["r6", "r7", "r8", "r9"]
    assert [end.request_id for end in read.ends] == ["r6", "r7", "r8", "r9"]
    assert read.more


async def test_turns_that_a_cap_refused_are_read_though_they_have_no_attempt(db: Database) -> None:
    told = ledger("2 × code/4 openai/a ✓ 0.01", refused=refusals(2))
    await keep(db, told)
    assert (await read_evidence(db, Span())).refused == told.refused


async def test_nothing_of_a_decisions_json_is_touched(db: Database) -> None:
    """It is a hundred times as long as what is needed."""
    plan = await db.read(lambda c: c.execute(f"EXPLAIN QUERY PLAN {module._ENDS}", ("", "9", 5)).fetchall())
    assert "COVERING INDEX decisions_ends" in plan[0][-1]


def _named(told: Evidence, prefix: str) -> Evidence:
    rows = tuple(row._replace(request_id=prefix + row.request_id) for row in told.rows)
    ends = tuple(end._replace(request_id=prefix + end.request_id) for end in told.ends)
    return Evidence(rows, ends)
