"""How fast the ledger is, empty and full: `python benchmarks/ledger.py [ROWS]`. Prints one JSON object.

Times are wall time on the event loop's side, so they hold the way to the store's thread and back. The full ledger is a
year of attempts made by a version without sums, so its first opening, which makes them, is timed too.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
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
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.services.spending import overview
from tui_orchestrator.settings import Settings, StoreSettings
from tui_orchestrator.storage.conversations import Conversations
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger
from tui_orchestrator.storage.migrations import migrate
from tui_orchestrator.storage.reports import Reports
from tui_orchestrator.storage.rows import attempt_row, instant
from tui_orchestrator.storage.schema import MIGRATIONS

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


MODELS, TASKS, STRATEGIES = 20, 10, ("balanced", "cheapest", "quality")
CAUSES = (*["first"] * 16, "fallback", "escalation", "ensemble", "judge")
OUTCOMES = (*["finished"] * 18, "failed", "cancelled")


def year(rows: int) -> Iterator[dict[str, Any]]:
    """Rows of a year, of models and tasks that are used as unevenly as words are."""
    chance, today, now = random.Random(20261121), CLOCK.today(), CLOCK.now()
    alike = attempt_row(attempt(0, today), "")
    models = chance.choices(range(MODELS), [1 / (n + 1) for n in range(MODELS)], k=rows)
    tasks = chance.choices(range(TASKS), [1 / (n + 1) for n in range(TASKS)], k=rows)
    for number, (model, task) in enumerate(zip(models, tasks, strict=True)):
        age = timedelta(days=(rows - 1 - number) * 365 // rows)
        outcome = chance.choice(OUTCOMES)
        finished = outcome == "finished"
        input_tokens, output_tokens = int(chance.lognormvariate(7, 1.2)), int(chance.lognormvariate(5.5, 1))
        yield alike | {
            "request_id": f"{chance.getrandbits(128):032x}",
            "session": f"session{number // 15}",
            "model": f"provider{model % 5}/model{model}",
            "provider": f"provider{model % 5}",
            "strategy": chance.choice(STRATEGIES),
            "task_type": f"task{task}",
            "cause": chance.choice(CAUSES),
            "started": instant(now - age - timedelta(seconds=chance.random() * 3600)),
            "day": (today - age).isoformat(),
            "outcome": outcome,
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "cost": input_tokens * PRICE.rates.input + output_tokens * PRICE.rates.output,
            "cost_state": "computed" if finished else "estimated",
            "latency_s": chance.lognormvariate(1, 0.8),
            "first_token_s": chance.lognormvariate(-0.5, 0.5) if finished else None,
            "tokens_per_s": chance.lognormvariate(4, 0.4) if finished else None,
            "confidence": chance.random() if finished else None,
        }


def fill(path: Path, rows: int) -> None:
    """A ledger of a version without sums, with its running totals."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-200000")
    before = next(place for place, migration in enumerate(MIGRATIONS) if migration.name == "0010_sums")
    migrate(connection, path, MIGRATIONS[:before])
    columns = [column[1] for column in connection.execute("PRAGMA table_info (attempts)")]
    connection.execute("BEGIN")
    # Each only with the columns of its time: a parameter that is not asked for is passed over.
    connection.executemany(f"INSERT INTO attempts VALUES ({', '.join(f':{column}' for column in columns)})", year(rows))
    for scope, period in (("'day'", "day"), ("'month'", "substr(day, 1, 7)"), ("'session'", "session")):
        connection.execute(f"INSERT INTO spend SELECT {scope}, {period}, SUM(cost) FROM attempts GROUP BY 2")
    connection.execute("COMMIT")
    connection.close()


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
        "by_model_and_task_all": lambda: reports.cube(("model", "task"), "all"),
        "by_day_all": lambda: reports.totals("day", "all"),
        "by_session_month": lambda: reports.totals("session", "month"),
        "savings_all": lambda: reports.savings(PRICE, "all"),
        "measured_month": lambda: reports.measured("month", per_task=True),
        "measured_all": lambda: reports.measured("all", per_task=True),
        "learned_at_start": reports.lately,
        "last_20": lambda: reports.last(20),
        "attempts_of_a_model": lambda: reports.found("all", 20, [("model", "provider4/model19")]),
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


async def pane(path: Path) -> dict[str, float]:
    """The costs pane on a full ledger: milliseconds to open the store and all that is read from it at a start, to the
    first figures, and to figures that hold a row just booked, with how long the event loop stood still for it."""
    settings = replace(Settings(), store=StoreSettings(path), discovery=False)
    started = time.perf_counter()
    async with await Runtime.open(settings, demo=False) as runtime:
        opened = time.perf_counter() - started
        first = await timed(lambda: overview(runtime, "session1"))
        ledger, took, stalls = runtime.router.caller.ledger, list[float](), list[float]()
        for number in range(20):
            row = replace(attempt(number, CLOCK.today()), request_id=f"pane{number}", started=CLOCK.now())

            async def update(row: Attempt = row) -> None:
                await ledger.book(row, None)
                shown = await overview(runtime, "session1")
                assert shown.recent[0].request_id == row.request_id

            began = time.perf_counter()
            stalls.append(await longest_stall(update()))
            took.append(time.perf_counter() - began)
        return {
            "start_ms": round(1e3 * opened, 1),
            "pane_open_ms": round(1e3 * first, 1),
            "pane_update_p50_ms": round(1e3 * statistics.median(took), 1),
            "pane_update_worst_ms": round(1e3 * max(took), 1),
            "pane_update_stall_p50_ms": round(statistics.median(stalls), 1),
            "pane_update_stall_worst_ms": max(stalls),
        }


def commands(path: Path) -> dict[str, dict[str, float]]:
    """Seconds that a whole command takes, the start of the process included, and processor time, which other programs
    on the machine do not add to; the better of two."""
    home = path.parent / "home"
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text(f'[store]\npath = "{path}"\n[router]\ndiscover_local = false\n')
    # A made-up key, so that no demo opens; nobody is called.
    environment = {**os.environ, "TUI_ORCHESTRATOR_HOME": str(home), "OPENAI_API_KEY": "none"}

    def once(arguments: tuple[str, ...]) -> tuple[float, float]:
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "tui_orchestrator", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        assert "provider0/model0" in done.stdout
        return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def seconds(*arguments: str) -> dict[str, float]:
        tries = [once(arguments) for _ in range(2)]
        return {"s": round(min(took for took, _ in tries), 2), "processor_s": round(min(cpu for _, cpu in tries), 2)}

    return {
        "costs_by_model": seconds("costs", "--by", "model"),
        "costs_by_model_all": seconds("costs", "--by", "model", "--period", "all"),
        "stats": seconds("stats"),
        "stats_all": seconds("stats", "--period", "all"),
    }


async def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "store.db"
        found: dict[str, Any] = {"rows": rows}
        async with Database(Path(directory) / "new.db") as new:
            found["empty"] = await turns(SqliteLedger(new, CLOCK), 10**9)
        await asyncio.to_thread(fill, path, rows)
        db = Database(path)
        found["upgrade_s"] = round(await timed(db.open), 1)
        ledger = SqliteLedger(db, CLOCK)
        found["full"] = await turns(ledger, 2 * 10**9)
        found["stall_while_reserving_ms"] = await longest_stall(turns(ledger, 3 * 10**9))
        found["reports"] = await reports(Reports(db, CLOCK))
        found["stall_while_reporting_ms"] = await longest_stall(reports(Reports(db, CLOCK)))
        found["checkpoint_16kB_ms"] = await checkpoints(Conversations(db, CLOCK))
        await db.aclose()
        found["bytes_per_row"] = path.stat().st_size // max(1, rows)
        found["pane"] = await pane(path)
        found["commands"] = await asyncio.to_thread(commands, path)
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
