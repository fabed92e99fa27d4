"""The ledger against a plain model of it, over any order of reserving and booking by two copies of the program."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from tests.clock import ManualClock
from tui_orchestrator.routing.budget import Cap, Reservation
from tui_orchestrator.routing.events import Outcome
from tui_orchestrator.routing.money import Money
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger
from tui_orchestrator.storage.reports import Reports

from .samples import attempt, costing, hold

DAYS = ("2026-10-31", "2026-11-01")
REQUESTS = ("r1", "r2")


class LedgerModel(RuleBasedStateMachine):
    held: Bundle[tuple[int, Reservation]] = Bundle("held")

    @initialize(limits=st.tuples(*[st.none() | st.integers(0, 200)] * 3))
    def open(self, limits: tuple[int | None, int | None, int | None]) -> None:
        self.loop = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory()
        path = Path(self.directory.name) / "store.db"
        self.databases = [Database(path), Database(path)]
        for database in self.databases:
            self.loop.run(database.open())
        self.ledgers = [SqliteLedger(database, ManualClock()) for database in self.databases]
        self.limits = [None if limit is None else Money(limit) for limit in limits]
        self.spent: Counter[tuple[str, str]] = Counter()
        self.reserved: Counter[tuple[str, str]] = Counter()
        self.live: dict[str, tuple[Cap, ...]] = {}
        self.rows: set[tuple[str, int]] = set()

    def caps(self, request_id: str, day: str) -> tuple[Cap, ...]:
        daily, monthly, request = self.limits
        return (Cap("request", request_id, request), Cap("day", day, daily), Cap("month", day[:7], monthly))

    @rule(
        target=held,
        copy=st.integers(0, 1),
        request_id=st.sampled_from(REQUESTS),
        number=st.integers(1, 6),
        amount=st.integers(0, 80),
        day=st.sampled_from(DAYS),
    )
    def reserve(self, copy: int, request_id: str, number: int, amount: int, day: str) -> Any:
        caps = self.caps(request_id, day)
        result = self.loop.run(self.ledgers[copy].reserve(hold(amount, *caps, request_id=request_id, number=number)))
        fits = amount == 0 or all(
            cap.limit is None
            or self.spent[cap.scope, cap.period] + self.reserved[cap.scope, cap.period] + amount
            <= cap.limit.picodollars
            for cap in caps
        )
        assert isinstance(result, Reservation) == fits
        if not isinstance(result, Reservation):
            return multiple()
        self.live[result.id] = caps
        for cap in caps:
            self.reserved[cap.scope, cap.period] += amount
        return copy, result

    @rule(copy_and_reservation=held, cost=st.none() | st.integers(0, 80), day=st.sampled_from(DAYS))
    def book(self, copy_and_reservation: tuple[int, Reservation], cost: int | None, day: str) -> None:
        copy, reservation = copy_and_reservation
        caps = reservation.hold.caps
        # What a provider bills above what was set aside is the one way past a cap, and is tested by itself.
        cost = None if cost is None else min(cost, reservation.hold.amount.picodollars)
        row = attempt(
            request_id=reservation.hold.request_id, number=reservation.hold.attempt, day=day, cost=costing(cost)
        )
        already_settled = reservation.id not in self.live
        if already_settled:
            row = replace(row, outcome=Outcome.FAILED)
        states = self.loop.run(self.ledgers[copy].book(row, reservation))
        if not already_settled:
            del self.live[reservation.id]
            for cap in caps:
                self.reserved[cap.scope, cap.period] -= reservation.hold.amount.picodollars
        key = (row.request_id, row.number)
        if key not in self.rows:
            self.rows.add(key)
            for cap in caps:
                self.spent[cap.scope, cap.period] += cost or 0
        assert [(s.spent.picodollars, s.reserved.picodollars) for s in states] == [
            (self.spent[cap.scope, cap.period], self.reserved[cap.scope, cap.period]) for cap in caps
        ]

    @invariant()
    def sums_agree_and_no_cap_is_passed(self) -> None:
        if not hasattr(self, "ledgers"):
            return
        caps = [cap for request_id in REQUESTS for day in DAYS for cap in self.caps(request_id, day)]
        for ledger in self.ledgers:
            for state in self.loop.run(ledger.budgets(caps)):
                key = (state.cap.scope, state.cap.period)
                assert (state.spent.picodollars, state.reserved.picodollars) == (self.spent[key], self.reserved[key])
                assert state.limit is None or state.spent + state.reserved <= state.limit

    @invariant()
    def running_totals_are_the_sums_over_the_rows(self) -> None:
        if not hasattr(self, "ledgers"):
            return
        total = self.loop.run(Reports(self.databases[0], ManualClock()).total("all"))
        assert total.attempts == len(self.rows)
        spend = self.loop.run(
            self.databases[0].read(lambda c: c.execute("SELECT scope, period, picodollars FROM spend").fetchall())
        )
        of = {
            "request": "request_id = ?",
            "session": "session = ?",
            "day": "day = ?",
            "month": "substr(day, 1, 7) = ?",
            "day provider:openai": "day = ?",
            "month provider:openai": "substr(day, 1, 7) = ?",
            "day model:openai/small": "day = ?",
            "month model:openai/small": "substr(day, 1, 7) = ?",
        }
        for scope, period, picodollars in spend:
            query = f"SELECT SUM(cost) FROM attempts WHERE {of[scope]}"
            assert self.loop.run(
                self.databases[0].read(lambda c, q=query, p=period: c.execute(q, (p,)).fetchone())
            ) == (picodollars,)

    def teardown(self) -> None:
        if hasattr(self, "databases"):
            for database in self.databases:
                self.loop.run(database.aclose())
            self.loop.close()
            self.directory.cleanup()


TestLedgerModel = LedgerModel.TestCase
TestLedgerModel.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
