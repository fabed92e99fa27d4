"""Several copies of the program on one store, some of which die."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tests.warm import Program
from tui_orchestrator.routing.budget import Refusal, Reservation
from tui_orchestrator.routing.money import Money
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger
from tui_orchestrator.storage.reports import Reports

from .samples import attempt, costing, day_cap, hold

Start = Callable[..., Program]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    store = str(tmp_path / "store.db")
    with ExitStack() as running:
        yield lambda *arguments: running.enter_context(Program("tests.storage.spender", store, *map(str, arguments)))


async def test_eight_processes_never_pass_a_cap(start: Start, db: Database, clock: ManualClock) -> None:
    limit = 700
    processes = [start("spend", f"p{number}", limit) for number in range(8)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate().splitlines() for process in processes]

    assert [process.returncode for process in processes] == [0] * 8
    assert not [line for lines in said for line in lines if line != "booked"]
    (state,) = await SqliteLedger(db, clock).budgets([day_cap(limit)])
    assert state.reserved == Money(0)
    # Nobody else holding anything, a call of 10 stops fitting above 690.
    assert state.spent == Money(7 * sum(map(len, said)))
    assert 690 - 24 * 10 < state.spent.picodollars <= limit


async def test_what_a_killed_process_had_set_aside_is_free_again(
    start: Start, db: Database, clock: ManualClock
) -> None:
    process = start("hold")
    assert process.stdout.readline() == "Reservation\n"
    ledger = SqliteLedger(db, clock)

    assert isinstance(await ledger.reserve(hold(50, day_cap(100))), Refusal)
    process.send_signal(signal.SIGSTOP)
    clock.advance(86_400)
    assert isinstance(await ledger.reserve(hold(50, day_cap(100))), Refusal)
    assert (await ledger.budgets([day_cap(100)]))[0].reserved == Money(60)

    process.kill()
    process.wait()
    assert (await ledger.budgets([day_cap(100)]))[0].reserved == Money(0)
    assert isinstance(await ledger.reserve(hold(50, day_cap(100))), Reservation)


async def test_a_reservation_alone_frees_what_a_killed_process_had_set_aside(
    start: Start, db: Database, clock: ManualClock
) -> None:
    process = start("hold")
    assert process.stdout.readline() == "Reservation\n"
    process.kill()
    process.wait()
    held = await SqliteLedger(db, clock).reserve(hold(100, day_cap(100)))
    assert isinstance(held, Reservation)
    assert held.states[0].reserved == Money(100)


async def test_a_killed_process_leaves_no_file_behind_for_long(
    start: Start, db: Database, clock: ManualClock, tmp_path: Path
) -> None:
    process = start("hold")
    assert process.stdout.readline() == "Reservation\n"
    process.kill()
    process.wait()
    await SqliteLedger(db, clock).reserve(hold(1, day_cap(100)))
    owners = tmp_path / "store.db-owners"
    assert [file.name for file in owners.iterdir()] == [db.presence.id]
    await db.aclose()
    assert not list(owners.iterdir())


async def test_every_row_that_was_acknowledged_survives_a_kill(start: Start, db: Database, clock: ManualClock) -> None:
    process = start("book")
    acknowledged = [int(process.stdout.readline()) for _ in range(40)][-1]
    process.kill()
    # Not by `communicate`, which forgets what `readline` had read ahead.
    acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
    process.wait()
    total = await Reports(db, clock).total("all")
    assert total.attempts in (acknowledged, acknowledged + 1)
    (state,) = await SqliteLedger(db, clock).budgets([day_cap(None)])
    assert state.spent == total.cost == Money(total.attempts)
    assert state.reserved == Money(0)


async def test_two_copies_in_one_process_do_not_free_each_others(
    db: Database, clock: ManualClock, tmp_path: Path
) -> None:
    one = SqliteLedger(db, clock)
    async with Database(tmp_path / "store.db") as second:
        other = SqliteLedger(second, clock)
        assert isinstance(await other.reserve(hold(60, day_cap(100))), Reservation)
        assert isinstance(await one.reserve(hold(60, day_cap(100), request_id="r2")), Refusal)
    held = await one.reserve(hold(60, day_cap(100), request_id="r2"))
    assert isinstance(held, Reservation)
    await one.book(attempt(request_id="r2", cost=costing(60)), held)
    assert (await one.budgets([day_cap(100)]))[0].spent == Money(60)
