"""How fast the ledger is, empty and full: `python benchmarks/ledger.py [ROWS]`. Prints one JSON object.

Times are wall time on the event loop's side, so they hold the way to the store's thread and back.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from tui_orchestrator.routing.budget import Budgets, Hold, Reservation, caps_for
from tui_orchestrator.routing.clock import SystemClock
from tui_orchestrator.routing.events import Attempt, Cause, FinishReason, Outcome
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.money import Cost, CostState, Money, Price, Rates, Usage
from tui_orchestrator.routing.request import Message, Request
from tui_orchestrator.storage.conversations import Conversations
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger, sums_of_attempt
from tui_orchestrator.storage.reports import Reports
from tui_orchestrator.storage.rows import INSERT_ATTEMPT, attempt_row

CLOCK = SystemClock()
PRICE = Price(Rates(1_000_000, 5_000_000))
BUDGETS = Budgets(daily=Money.from_usd(1000), monthly=Money.from_usd(10_000))
USAGE = Usage(1200, 340)


def attempt(number: int, day: date) -> Attempt:
    return Attempt(
        request_id=f"{number:032x}",
        number=1,
        session=f"session{number // 20}",
        model=f"provider{number % 3}/model{number % 12}",
        provider=f"provider{number % 3}",
        strategy="balanced",
        task_type=("code", "math", "creative")[number % 3],
        cause=Cause.FIRST,
        started=CLOCK.now() - timedelta(seconds=number % 10_000),
        day=day.isoformat(),
        outcome=Outcome.FINISHED,
        usage=USAGE,
        cost=Cost(PRICE.cost(USAGE), CostState.COMPUTED),
        price=PRICE,
        latency_s=1 + number % 7,
        first_token_s=0.1 * (number % 9),
        tokens_per_s=50 + number % 40,
        confidence=0.8,
        finish_reason=FinishReason.STOP,
    )


def fill(connection: sqlite3.Connection, rows: int) -> None:
    """A year of attempts, with their running totals."""
    today = CLOCK.today()
    for number in range(rows):
        each = attempt(number, today - timedelta(days=number * 365 // rows))
        connection.execute(INSERT_ATTEMPT, attempt_row(each, each.day))
        connection.executemany(
            "INSERT INTO spend VALUES (?, ?, 1) "
            "ON CONFLICT (scope, period) DO UPDATE SET picodollars = picodollars + 1",
            list(sums_of_attempt(each, each.day)),
        )


async def timed(call: Callable[[], Awaitable[Any]]) -> float:
    started = time.perf_counter()
    await call()
    return time.perf_counter() - started


async def turns(ledger: SqliteLedger, first: int, count: int = 300) -> dict[str, float]:
    """Microseconds of a reservation and of a booking."""
    reserving, booking = [], []
    for number in range(first, first + count):
        request = Request((Message("user", "x"),), session="bench", id=f"{number:032x}")
        caps = caps_for(request, Model("provider0", "model0"), BUDGETS, CLOCK.today())
        hold = Hold(request.id, 1, "provider0", "provider0/model0", Money.from_usd("0.01"), caps)
        started = time.perf_counter()
        held = await ledger.reserve(hold)
        reserving.append(time.perf_counter() - started)
        assert isinstance(held, Reservation)
        row = replace(attempt(number, CLOCK.today()), request_id=request.id)
        booking.append(await timed(partial(ledger.book, row, held)))
    return {
        "reserve_p50_us": round(statistics.median(reserving) * 1e6),
        "reserve_p95_us": round(statistics.quantiles(reserving, n=20)[-1] * 1e6),
        "book_p50_us": round(statistics.median(booking) * 1e6),
        "book_p95_us": round(statistics.quantiles(booking, n=20)[-1] * 1e6),
    }


async def reports(reports: Reports) -> dict[str, float]:
    """Milliseconds, the better of two."""
    questions: dict[str, Callable[[], Awaitable[Any]]] = {
        "total_today": lambda: reports.total("today"),
        "by_model_today": lambda: reports.totals("model", "today"),
        "by_model_month": lambda: reports.totals("model", "month"),
        "by_model_all": lambda: reports.totals("model", "all"),
        "by_day_all": lambda: reports.totals("day", "all"),
        "savings_all": lambda: reports.savings(PRICE, "all"),
        "measured_month": lambda: reports.measured("month"),
        "last_20": lambda: reports.last(20),
    }
    return {f"{name}_ms": round(1e3 * min([await timed(ask), await timed(ask)]), 2) for name, ask in questions.items()}


async def longest_stall(work: Awaitable[Any]) -> float:
    """Milliseconds the event loop was held at most while `work` went on."""
    task, longest = asyncio.ensure_future(work), 0.0
    while not task.done():
        longest = max(longest, await timed(lambda: asyncio.sleep(0.001)) - 0.001)
    await task
    return round(longest * 1e3, 1)


async def checkpoints(conversations: Conversations, size: int = 16_000) -> float:
    """Milliseconds to store an answer of `size` characters once more as it grows."""
    session = conversations.new("bench")
    await conversations.keep(session)
    text = " ".join(f"word{number * 7919 % 1000}" for number in range(size // 7))
    took = [await timed(partial(conversations.answer, session.id, "r", text + str(n))) for n in range(20)]
    return round(statistics.median(took) * 1e3, 2)


async def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "store.db"
        db = Database(path)
        found: dict[str, Any] = {"rows": rows, "open_new_ms": round(1e3 * await timed(db.open), 1)}
        ledger = SqliteLedger(db, CLOCK)
        found["empty"] = await turns(ledger, 10**9)
        await db.write(lambda connection: fill(connection, rows))
        found["full"] = await turns(ledger, 2 * 10**9)
        found["stall_while_reserving_ms"] = await longest_stall(turns(ledger, 3 * 10**9))
        found["reports"] = await reports(Reports(db, CLOCK))
        found["stall_while_reporting_ms"] = await longest_stall(reports(Reports(db, CLOCK)))
        found["checkpoint_16kB_ms"] = await checkpoints(Conversations(db, CLOCK))
        await db.aclose()
        found["bytes_per_row"] = path.stat().st_size // max(1, rows)
        db = Database(path)
        found["open_full_ms"] = round(1e3 * await timed(db.open), 1)
        await db.aclose()
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000))
