"""The ledger: attempts, what was spent, and what is set aside, across all running copies of the program.

`spend` holds the running total of every (scope, period), changed in the same transaction as the row it comes from, so
that a reservation costs the same after a million rows as after one.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache

from tui_orchestrator.routing.budget import Budgets, BudgetState, Cap, Hold, Refusal, Reservation, too_tight
from tui_orchestrator.routing.decision import Decision
from tui_orchestrator.routing.events import Attempt, Completed, Failed
from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.routing.ports import Clock
from tui_orchestrator.routing.request import Request

from . import orphans
from .checked import Whole, a_count
from .database import Database
from .decisions import conclude, record
from .faults import StoreError
from .presence import Presence
from .rows import INSERT_ATTEMPT, attempt_row, instant

_ALERT_AT = Budgets().alert_at


class SqliteLedger:
    """Implements `routing.ports.Ledger`. All methods raise StoreError."""

    def __init__(self, db: Database, clock: Clock, alert_at: tuple[float, ...] = _ALERT_AT) -> None:
        self._db = db
        self._clock = clock
        self._alert_at = alert_at
        self._unbooked: list[tuple[Attempt, Reservation | None]] = []
        """What could not be written, to be written before anything else is."""

    async def budgets(self, caps: Sequence[Cap]) -> tuple[BudgetState, ...]:
        def look(connection: sqlite3.Connection) -> Whole[tuple[tuple[BudgetState, ...], list[str]]]:
            return Whole((self._states(connection, caps), _dead_owners(connection, self._db.presence)))

        with contextlib.suppress(StoreError):
            await self._catch_up()
        states, dead = (await self._db.read(look)).value
        if dead:
            # Where they cannot be freed, what they have set aside counts on.
            with contextlib.suppress(StoreError):
                await self._forget(await self._db.write(self._free_the_dead))
                states, _ = (await self._db.read(look)).value
        return states

    async def recover(self) -> None:
        """Books and frees what copies of the program that were killed have left. `budgets` and `reserve` do so too, but
        for rows of a store that was deleted since, or had another put in its place."""
        await self.budgets(())
        with contextlib.suppress(OSError, StoreError):
            if left := await asyncio.to_thread(self._db.presence.left_behind):
                await self._db.write(lambda connection: self._book_left(connection, left))
                await self._forget(left)

    def _book_left(self, connection: sqlite3.Connection, owners: Sequence[str]) -> None:
        for owner in owners:
            for attempt in orphans.as_written(self._db.presence.kept(owner)).values():
                _book(connection, attempt, attempt.day, set())

    async def reserve(self, hold: Hold) -> Reservation | Refusal:
        """A call that costs nothing fits into every cap, an exhausted one too."""
        if hold.amount.picodollars < 0:
            raise ValueError(f"{hold.amount} cannot be set aside")
        reservation_id = uuid.uuid4().hex
        since = instant(self._clock.now())
        freed: list[str] = []

        def set_aside(connection: sqlite3.Connection) -> Whole[Reservation | Refusal]:
            self._db.presence.claim()
            states = self._states(connection, hold.caps)
            if too_tight(states, hold.amount):
                # What the dead hold counts towards the caps as well as what it is booked as, which is never more.
                freed[:] = self._free_the_dead(connection)
                states = self._states(connection, hold.caps)
            if blocking := too_tight(states, hold.amount):
                return Whole(Refusal(hold, states, blocking))
            sums = sorted(_sums_of(hold.caps))
            owned = (reservation_id, self._db.presence.id, hold.amount.picodollars, since)
            if sums:
                connection.execute(
                    f"INSERT INTO reserved VALUES {_rows(len(sums), 6)}",
                    [value for sum_ in sums for value in (*sum_, *owned)],
                )
            orphans.remember(connection, reservation_id, hold, since)
            held = tuple(replace(state, reserved=state.reserved + hold.amount) for state in states)
            return Whole(Reservation(reservation_id, hold, held))

        await self._catch_up()
        try:
            given = await self._db.write(set_aside)
            await self._forget(freed)
            return given.value
        except asyncio.CancelledError:
            # The write goes on all the same, and what it sets aside would never be booked.
            self._db.post(lambda connection: _free(connection, reservation_id))
            raise

    async def release(self, reservation: Reservation) -> None:
        """Nothing was called with it, and nothing is booked."""
        await self._db.write(lambda connection: _free(connection, reservation.id))

    async def sent(self, reservation: Reservation) -> None:
        await self._db.write(lambda connection: orphans.sent(connection, reservation.id))

    async def held_up(self, reservation: Reservation) -> None:
        await self._db.write(lambda connection: orphans.held_up(connection, reservation.id))

    async def book(self, attempt: Attempt, reservation: Reservation | None) -> tuple[BudgetState, ...]:
        """A call that ran past midnight counts, in the row too, on the day its money was set aside: the next day's cap
        could otherwise be passed by calls it never saw. What cannot be written is kept in memory, and written before
        anything else is as soon as that can be; whoever frees what this copy of the program leaves knows of it too."""
        try:
            await self._catch_up()
            return await self._book(attempt, reservation)
        except StoreError as error:
            self._unbooked.append((attempt, reservation))
            await self._tell_who_comes_next()
            if not attempt.cost.amount:
                raise
            remedy = f"{error.remedy}; until then {attempt.cost} of {attempt.model} is not booked"
            raise StoreError(error.path, error.what, remedy) from error

    async def settle(self) -> tuple[Attempt, ...]:
        """Before the program ends: tries once more to write what could not be. Returns what still cannot be and may
        have cost something."""
        with contextlib.suppress(StoreError):
            await self._catch_up()
        return tuple(attempt for attempt, _ in self._unbooked if attempt.cost.amount != ZERO)

    async def _tell_who_comes_next(self) -> None:
        """The store has the reservation, from which the cost could be guessed alone."""
        lines = [orphans.as_kept(held.id, attempt) for attempt, held in self._unbooked if held is not None]
        with contextlib.suppress(OSError):
            await asyncio.to_thread(self._db.presence.keep, lines)

    async def _forget(self, owners: Sequence[str]) -> None:
        if owners:
            await asyncio.to_thread(self._db.presence.forget, owners)

    async def _catch_up(self) -> None:
        if not self._unbooked:
            return
        while self._unbooked:
            first = self._unbooked[0]
            await self._book(*first)
            with contextlib.suppress(ValueError):  # another task may have been quicker
                self._unbooked.remove(first)
        await self._tell_who_comes_next()

    async def _book(self, attempt: Attempt, reservation: Reservation | None) -> tuple[BudgetState, ...]:
        caps = reservation.hold.caps if reservation else ()
        day = _reserved_on(caps) or attempt.day

        def settle(connection: sqlite3.Connection) -> Whole[tuple[BudgetState, ...]]:
            _book(connection, attempt, day, _sums_of(caps))
            if reservation:
                _free(connection, reservation.id)
            return Whole(self._states(connection, caps))

        return (await self._db.write(settle, durable=True)).value

    async def decided(self, decision: Decision, request: Request, at: datetime) -> None:
        # What is set aside for its first call comes right after it.
        await self._db.write(lambda connection: record(connection, decision, request, at), soon=False)

    async def concluded(self, end: Completed | Failed) -> None:
        await self._db.write(lambda connection: conclude(connection, end))

    def _states(self, connection: sqlite3.Connection, caps: Sequence[Cap]) -> tuple[BudgetState, ...]:
        names = [name for cap in caps for name in (cap.scope, cap.period)]
        sums = connection.execute(_sums_sql(len(caps)), names).fetchall() if caps else ()
        return tuple(
            BudgetState(cap, spent=_money(spent), reserved=_money(reserved), alert_at=self._alert_at)
            for cap, (spent, reserved) in zip(caps, sums, strict=True)
        )

    def _free_the_dead(self, connection: sqlite3.Connection) -> list[str]:
        dead = _dead_owners(connection, self._db.presence)
        for owner in dead:
            for reservation, attempt in orphans.left_by(connection, owner, self._db.presence.kept(owner)):
                sums = connection.execute("SELECT scope, period FROM reserved WHERE reservation = ?", (reservation,))
                _book(connection, attempt, attempt.day, set(sums.fetchall()))
                _free(connection, reservation)
            orphans.forget_unsent(connection, owner)
            connection.execute("DELETE FROM reserved WHERE owner = ?", (owner,))
        return dead


def not_booked(attempt: Attempt) -> str:
    """A sentence for who ends the program with it unwritten."""
    what = f"{attempt.cost} of {attempt.model} ({attempt.usage.input:,} in {attempt.usage.output:,} out)"
    return f"Not booked: {what}; the next start that can write the store books it."


@cache
def _rows(count: int, columns: int) -> str:
    """For VALUES. One statement for all of them, since each is a time that the thread must ask for the interpreter."""
    return ", ".join([f"({', '.join('?' * columns)})"] * count)


# What is no amount must not count as nothing: the half makes a number of it that is no Money, which is refused.
_AMOUNT = "CASE WHEN picodollars >= 0 THEN picodollars ELSE 0.5 END"


@cache
def _sums_sql(caps: int) -> str:
    asked = ", ".join(f"({number}, ?, ?)" for number in range(caps))
    return (
        f"WITH asked (number, scope, period) AS (VALUES {asked}) SELECT "
        f"COALESCE((SELECT {_AMOUNT} FROM spend WHERE spend.scope = asked.scope AND spend.period = asked.period), 0), "
        f"COALESCE((SELECT SUM({_AMOUNT}) FROM reserved "
        "WHERE reserved.scope = asked.scope AND reserved.period = asked.period), 0) "
        "FROM asked ORDER BY number"
    )


def _money(stored: object) -> Money:
    return Money(a_count(stored, "picodollars"))


def _dead_owners(connection: sqlite3.Connection, presence: Presence) -> list[str]:
    owners = [owner for (owner,) in connection.execute("SELECT DISTINCT owner FROM reserved")]
    return [owner for owner in owners if not presence.alive(owner)]


def _book(connection: sqlite3.Connection, attempt: Attempt, day: str, sums: set[tuple[str, str]]) -> None:
    """Once: a second row for the same attempt changes nothing. `sums`: those of its reservation."""
    booked = connection.execute(INSERT_ATTEMPT, attempt_row(attempt, day)).rowcount
    if booked and attempt.cost.amount:
        counted = sorted(sums_of_attempt(attempt, day) | sums)
        connection.execute(
            f"INSERT INTO spend VALUES {_rows(len(counted), 3)} "
            "ON CONFLICT (scope, period) DO UPDATE SET picodollars = picodollars + excluded.picodollars",
            [value for sum_ in counted for value in (*sum_, attempt.cost.amount.picodollars)],
        )


def _free(connection: sqlite3.Connection, reservation_id: str) -> None:
    connection.execute("DELETE FROM reserved WHERE reservation = ?", (reservation_id,))
    orphans.forget(connection, reservation_id)


def _sums_of(caps: Iterable[Cap]) -> set[tuple[str, str]]:
    return {(cap.scope, cap.period) for cap in caps}


def _reserved_on(caps: Iterable[Cap]) -> str | None:
    return next((cap.period for cap in caps if cap.scope == "day"), None)


def sums_of_attempt(attempt: Attempt, day: str) -> set[tuple[str, str]]:
    """Every (scope, period) that counts what an attempt on `day` cost, named as `routing.budget.caps_for` does."""
    sums = {("request", attempt.request_id), ("session", attempt.session)}
    for narrowed in ("", f" provider:{attempt.provider}", f" model:{attempt.model}"):
        sums |= {(f"day{narrowed}", day), (f"month{narrowed}", day[:7])}
    return sums
