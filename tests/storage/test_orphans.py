"""What a killed program leaves unbooked is booked by the next one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clock import ManualClock
from tests.warm import Program
from tui_orchestrator.routing.budget import Refusal, Reservation
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import Outcome
from tui_orchestrator.routing.money import CostState, Money, Price, Rates, Usage
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger
from tui_orchestrator.storage.reports import Reports

from .samples import day_cap, hold

PRICE = Price(Rates(2, 10))

KILLED = """
import asyncio, sys
from pathlib import Path
from tests.clock import ManualClock
from tests.storage.samples import REQUEST, all_caps
from tui_orchestrator.routing.budget import Budgets, Hold, Lost
from tui_orchestrator.routing.money import Money, Price, Rates, Usage
from tui_orchestrator.routing.request import Message
from tui_orchestrator.storage.conversations import Conversations
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger
from tui_orchestrator.storage.messages import Discarded
async def main():
    db = Database(Path(sys.argv[1]))
    await db.open()
    lost = Lost("s", "balanced", "code", "first", Price(Rates(2, 10)), Usage(100, 400, source="estimated"))
    if sys.argv[2]:
        conversations = Conversations(db, ManualClock())
        session = conversations.new()
        await conversations.keep(session)
        await conversations.prompt(session.id, Message("user", "tell me a story"), "r1")
        if sys.argv[6]:
            await conversations.answer(session.id, "r1", "Done.", attempt=2)
            await conversations.discard(session.id, Discarded("r1", 1, "openai/small", sys.argv[2], "", "killed"))
        else:
            await conversations.answer(session.id, "r1", sys.argv[2], attempt=1, state="interrupted")
    at_once = sys.argv[5] in ("at once", "held up")
    hold = Hold(sys.argv[4], 1, "openai", "openai/small", Money(int(sys.argv[3])), all_caps(Budgets()), lost, at_once)
    ledger = SqliteLedger(db, ManualClock())
    held = await ledger.reserve(hold)
    if sys.argv[5] == "held up":
        await ledger.held_up(held)
    if sys.argv[5] == "sent":
        await ledger.sent(held)
    print("held", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def killed(path: Path, text: str, amount: int, request_id: str = "r1", *, at: str = "sent", beside: str = "") -> None:
    with Program("-c", KILLED, str(path), text, str(amount), request_id, at, beside) as process:
        assert process.stdout.readline() == "held\n"


@pytest.mark.parametrize(
    ("text", "beside", "amount", "output", "cost"),
    [
        ("", "", 10_000, 400, 4_200),  # nothing kept: an answer of the expected length
        ("word " * 40, "", 10_000, 48, 680),  # what was kept is counted
        ("word " * 40, "beside", 10_000, 48, 680),  # also beside the answer of another model
        ("", "", 3_000, 400, 3_000),  # never more than was set aside
    ],
)
async def test_a_killed_call_is_booked_with_its_estimated_cost(
    tmp_path: Path, text: str, beside: str, amount: int, output: int, cost: int
) -> None:
    path, clock = tmp_path / "store.db", ManualClock()
    killed(path, text, amount, beside=beside)
    async with Database(path) as db:
        ledger = SqliteLedger(db, clock)
        await ledger.recover()
        [row] = await Reports(db, clock).attempts("r1")
        assert (row.outcome, row.error_kind) == (Outcome.FAILED, ErrorKind.INTERNAL)
        assert "killed" in row.error_message
        assert row.usage == Usage(100, output, source="estimated")
        assert (row.cost.amount, row.cost.state) == (Money(cost), CostState.ESTIMATED)
        assert row.price == PRICE
        [day] = await ledger.budgets([day_cap(None)])
        assert (day.spent, day.reserved) == (Money(cost), Money(0))
        # Once: whoever comes after finds nothing left to book.
        await ledger.recover()
        [day] = await ledger.budgets([day_cap(None)])
        assert day.spent == Money(cost)


async def test_a_killed_call_that_was_to_go_out_at_once_is_booked(tmp_path: Path) -> None:
    path, clock = tmp_path / "store.db", ManualClock()
    killed(path, "", 10_000, at="at once")
    async with Database(path) as db:
        await SqliteLedger(db, clock).recover()
        [row] = await Reports(db, clock).attempts("r1")
        assert row.cost.amount == Money(4_200)


@pytest.mark.parametrize("at", ["reserved", "held up"])
async def test_a_killed_call_that_was_not_sent_yet_costs_nothing_and_frees_its_money(tmp_path: Path, at: str) -> None:
    path, clock = tmp_path / "store.db", ManualClock()
    killed(path, "", 10_000, at=at)
    async with Database(path) as db:
        ledger = SqliteLedger(db, clock)
        await ledger.recover()
        assert await Reports(db, clock).attempts("r1") == ()
        [day] = await ledger.budgets([day_cap(None)])
        assert (day.spent, day.reserved) == (Money(0), Money(0))
        tables = ("reserved", "open_calls", "unsent_calls")
        left = await db.read(lambda c: [c.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in tables])
        assert left == [0, 0, 0]


async def test_a_call_that_a_version_without_the_mark_left_counts_as_sent(tmp_path: Path) -> None:
    path, clock = tmp_path / "store.db", ManualClock()
    killed(path, "", 10_000, at="reserved")
    async with Database(path) as db:
        await db.write(lambda connection: connection.execute("DELETE FROM unsent_calls"))
        await SqliteLedger(db, clock).recover()
        [row] = await Reports(db, clock).attempts("r1")
        assert row.cost.amount == Money(4_200)


async def test_a_cap_counts_what_killed_programs_spent(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    for request_id in ("r1", "r2"):
        killed(path, "", 10_000, request_id)
    async with Database(path) as db:
        [day] = await SqliteLedger(db, ManualClock()).budgets([day_cap(10_000)])
        assert (day.spent, day.left) == (Money(8_400), Money(1_600))


async def test_what_a_killed_program_held_back_is_free_for_the_next_call(tmp_path: Path) -> None:
    path, cap = tmp_path / "store.db", day_cap(10_000)
    killed(path, "", 10_000)
    async with Database(path) as db:
        ledger = SqliteLedger(db, ManualClock())
        assert isinstance(await ledger.reserve(hold(5_800, cap, request_id="r2")), Reservation)
        # What the killed call cost is spent all the same.
        refusal = await ledger.reserve(hold(1, cap, request_id="r3"))
        assert isinstance(refusal, Refusal)
        assert refusal.blocking.spent == Money(4_200)
