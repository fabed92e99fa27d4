"""The ledger against a plain model of it: two copies of the program reserve, book, raise caps and are killed, in any
order and over midnight."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from tests.clock import ManualClock
from tui_orchestrator.routing.budget import Cap, Hold, Lost, Reservation
from tui_orchestrator.routing.events import Outcome
from tui_orchestrator.routing.money import Money, Price, Rates, Usage
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger
from tui_orchestrator.storage.reports import Reports

from .samples import attempt, costing

DAYS = ("2026-10-31", "2026-11-01")
REQUESTS = ("r1", "r2")
MODELS = ("openai/small", "openai/large", "gemini/small")
LOST = Lost("s1", "balanced", "code", "first", Price(Rates(1, 1)), Usage(10, 20, source="estimated"))
"""What a killed call is taken to have cost: 30, or what was set aside where that is less."""
LIMITS = ("request", "day", "month", "day provider:openai", "month model:openai/small", "day model:gemini/small")
"""The scopes with a cap; the others are summed all the same."""


@dataclass(frozen=True)
class Live:
    copy: int
    hold: Hold
    sent: bool = False


class LedgerModel(RuleBasedStateMachine):
    held: Bundle[tuple[int, Reservation]] = Bundle("held")

    @initialize(limits=st.tuples(*[st.none() | st.integers(0, 200)] * len(LIMITS)))
    def open(self, limits: tuple[int | None, ...]) -> None:
        self.loop = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory()
        self.clock = ManualClock(datetime(2026, 11, 1, 12, tzinfo=UTC))
        self.open_copies()
        self.limits = dict(zip(LIMITS, limits, strict=True))
        self.spent: Counter[tuple[str, str]] = Counter()
        self.reserved: Counter[tuple[str, str]] = Counter()
        self.live: dict[str, Live] = {}
        self.rows: dict[tuple[str, int], int] = {}

    def open_copies(self) -> None:
        self.path = Path(self.directory.name) / "store.db"
        self.databases = [self.opened(), self.opened()]
        self.ledgers: list[Any] = [SqliteLedger(database, self.clock) for database in self.databases]

    def opened(self) -> Database:
        database = Database(self.path)
        self.loop.run(database.open())
        return database

    def requests_of(self, copy: int) -> tuple[str, ...]:
        return REQUESTS

    def caps_of(self, copy: int) -> set[Cap]:
        every = ((request, model, day) for request in self.requests_of(copy) for model in MODELS for day in DAYS)
        return {cap for each in every for cap in self.caps(*each)}

    def caps(self, request_id: str, model: str, day: str) -> tuple[Cap, ...]:
        narrowed = ("", f" provider:{model.partition('/')[0]}", f" model:{model}")
        sums = [("request", request_id)]
        sums += [(f"{span}{whose}", day[:size]) for whose in narrowed for span, size in (("day", 10), ("month", 7))]
        limits = ((scope, period, self.limits.get(scope)) for scope, period in sums)
        return tuple(Cap(scope, period, None if limit is None else Money(limit)) for scope, period, limit in limits)

    @rule(
        target=held,
        copy=st.integers(0, 1),
        request=st.sampled_from(range(len(REQUESTS))),
        number=st.integers(1, 6),
        model=st.sampled_from(MODELS),
        amount=st.integers(0, 80),
        day=st.sampled_from(DAYS),
        lost=st.none() | st.just(LOST),
    )
    def reserve(
        self, copy: int, request: int, number: int, model: str, amount: int, day: str, lost: Lost | None
    ) -> Any:
        request_id = self.requests_of(copy)[request]
        caps = self.caps(request_id, model, day)
        hold = Hold(request_id, number, model.partition("/")[0], model, Money(amount), caps, lost)
        self.clock.advance(0.001)  # of two calls of the same number that were killed, the one begun first is booked
        result = self.loop.run(self.ledgers[copy].reserve(hold))
        fits = amount == 0 or all(
            cap.limit is None
            or self.spent[cap.scope, cap.period] + self.reserved[cap.scope, cap.period] + amount
            <= cap.limit.picodollars
            for cap in caps
        )
        assert isinstance(result, Reservation) == fits
        if not isinstance(result, Reservation):
            return multiple()
        self.live[result.id] = Live(copy, hold)
        for cap in caps:
            self.reserved[cap.scope, cap.period] += amount
        return copy, result

    @rule(copy_and_reservation=held)
    def send(self, copy_and_reservation: tuple[int, Reservation]) -> None:
        copy, reservation = copy_and_reservation
        self.loop.run(self.ledgers[copy].sent(reservation))
        if reservation.id in self.live:
            self.live[reservation.id] = replace(self.live[reservation.id], sent=True)

    @rule(copy_and_reservation=held, cost=st.none() | st.integers(0, 80), day=st.sampled_from(DAYS))
    def book(self, copy_and_reservation: tuple[int, Reservation], cost: int | None, day: str) -> None:
        """`day` is when the call ends, which may be another than when its money was set aside."""
        copy, reservation = copy_and_reservation
        hold = reservation.hold
        # What a provider bills above what was set aside is the one way past a cap, and is tested by itself.
        cost = None if cost is None else min(cost, hold.amount.picodollars)
        row = attempt(
            request_id=hold.request_id,
            number=hold.attempt,
            provider=hold.provider,
            model=hold.model,
            day=day,
            cost=costing(cost),
        )
        if reservation.id not in self.live:
            # Booked before, or by whoever found its program dead.
            if (row.request_id, row.number) not in self.rows:
                return
            row = replace(row, outcome=Outcome.FAILED)
        states = self.loop.run(self.ledgers[copy].book(row, reservation))
        self.settle(reservation.id, hold, cost)
        assert [(s.spent.picodollars, s.reserved.picodollars) for s in states] == [
            (self.spent[cap.scope, cap.period], self.reserved[cap.scope, cap.period]) for cap in hold.caps
        ]

    def settle(self, reservation: str, hold: Hold, cost: int | None) -> None:
        if self.live.pop(reservation, None) is not None:
            for cap in hold.caps:
                self.reserved[cap.scope, cap.period] -= hold.amount.picodollars
        key = (hold.request_id, hold.attempt)
        if key not in self.rows:
            self.rows[key] = cost or 0
            for cap in hold.caps:
                self.spent[cap.scope, cap.period] += cost or 0

    @rule(copy=st.integers(0, 1))
    def kill(self, copy: int) -> None:
        """Its lock falls and its file stays, as with SIGKILL; another one recovers what it held, and a third takes its
        place."""
        self.take_the_place_of(copy)
        for reservation, live in list(self.live.items()):
            if live.copy != copy:
                continue
            if live.hold.lost is not None and live.sent:
                self.settle(reservation, live.hold, min(30, live.hold.amount.picodollars))
            else:
                del self.live[reservation]
                for cap in live.hold.caps:
                    self.reserved[cap.scope, cap.period] -= live.hold.amount.picodollars

    def take_the_place_of(self, copy: int) -> None:
        dead = self.databases[copy]
        drop_lock(dead)
        self.loop.run(dead.aclose())
        self.databases[copy] = self.opened()
        self.ledgers[copy] = SqliteLedger(self.databases[copy], self.clock)
        self.loop.run(self.ledgers[1 - copy].recover())

    @rule(scope=st.sampled_from(LIMITS), by=st.integers(1, 100))
    def raise_cap(self, scope: str, by: int) -> None:
        limit = self.limits[scope]
        if limit is not None:
            self.limits[scope] = limit + by

    @invariant()
    def sums_agree_and_no_cap_is_passed(self) -> None:
        if not hasattr(self, "ledgers"):
            return
        for copy, ledger in enumerate(self.ledgers):
            for state in self.loop.run(ledger.budgets(list(self.caps_of(copy)))):
                key = (state.cap.scope, state.cap.period)
                assert (state.spent.picodollars, state.reserved.picodollars) == (self.spent[key], self.reserved[key])
                assert state.limit is None or state.spent + state.reserved <= state.limit

    @invariant()
    def running_totals_are_the_sums_over_the_rows(self) -> None:
        if not hasattr(self, "ledgers"):
            return
        stores = {database.path: database for database in self.databases}.values()
        totals = [self.loop.run(Reports(database, self.clock).total("all")) for database in stores]
        assert sum(total.attempts for total in totals) == len(self.rows)
        assert sum(total.cost.picodollars for total in totals) == sum(self.rows.values())
        for database in stores:
            self.check_totals(database)

    def check_totals(self, database: Database) -> None:
        spend = self.loop.run(
            database.read(lambda c: c.execute("SELECT scope, period, picodollars FROM spend").fetchall())
        )
        columns = {"request": "request_id", "session": "session", "day": "day", "month": "substr(day, 1, 7)"}
        for scope, period, picodollars in spend:
            span, _, whose = scope.partition(" ")
            kind, _, name = whose.partition(":")
            query = f"SELECT SUM(cost) FROM attempts WHERE {columns[span]} = ?" + (f" AND {kind} = ?" if kind else "")
            values = (period, name) if kind else (period,)
            assert self.loop.run(database.read(lambda c, q=query, v=values: c.execute(q, v).fetchone())) == (
                picodollars,
            )

    def teardown(self) -> None:
        if hasattr(self, "databases"):
            self.close_copies()
            self.loop.close()
            self.directory.cleanup()

    def close_copies(self) -> None:
        for database in self.databases:
            self.loop.run(database.aclose())


def drop_lock(database: Database) -> None:
    """As the kernel does when a process dies."""
    if database.presence._lock is not None:
        os.close(database.presence._lock)
        database.presence._lock = None


TestLedgerModel = LedgerModel.TestCase
TestLedgerModel.settings = settings(max_examples=10, stateful_step_count=20, deadline=None)
