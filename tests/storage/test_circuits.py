"""What the copies of the program tell each other of models that fail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tests.warm import Program
from tui_orchestrator.routing.errors import (
    Authentication,
    BeingTried,
    NotFound,
    RateLimited,
    Server,
    Timeout,
    TurnError,
)
from tui_orchestrator.routing.health import (
    COOLDOWN_S,
    FAILURES_TO_OPEN,
    KEY_COOLDOWN_S,
    Circuits,
    HealthState,
    SharedCircuit,
)
from tui_orchestrator.routing.sharing import Sharing
from tui_orchestrator.storage.circuits import FORGOTTEN_AFTER_S, SqliteCircuits
from tui_orchestrator.storage.database import Database

from .prober import MODEL, PROVIDER


class Copy:
    """One running copy of the program, with a clock and a key of its own."""

    def __init__(self, db: Database, clock: ManualClock, key: str = "k") -> None:
        self.db, self.clock = db, clock
        self.store = SqliteCircuits(db, clock, lambda provider: key)
        self.sharing = Sharing(Circuits(), clock, self.store)

    async def fail(self, error: TurnError | None = None, times: int = 1) -> None:
        for _ in range(times):
            call = await self.sharing.begin(MODEL)
            self.sharing.circuits.failed(MODEL, PROVIDER, error or Server(), self.clock.monotonic(), call)
            await self.sharing.tell()

    async def succeed(self) -> None:
        self.sharing.circuits.succeeded(MODEL, PROVIDER)
        await self.sharing.tell()

    async def state(self, model: str = MODEL) -> HealthState:
        await self.sharing.catch_up()
        return self.sharing.circuits.health(model, PROVIDER, self.clock.monotonic()).state


@pytest.fixture
async def copies(tmp_path: Path, clock: ManualClock) -> AsyncIterator[list[Copy]]:
    async with AsyncExitStack() as stack:
        databases = [await stack.enter_async_context(Database(tmp_path / "store.db")) for _ in range(3)]
        yield [Copy(database, clock) for database in databases]


async def test_what_one_copy_finds_out_the_others_know(copies: list[Copy]) -> None:
    one, other, _ = copies
    await one.fail(times=FAILURES_TO_OPEN)
    assert await other.state() is HealthState.COOLING_DOWN
    one.clock.advance(COOLDOWN_S)
    assert await other.state() is HealthState.AVAILABLE


async def test_failures_in_a_row_are_counted_over_all_copies(copies: list[Copy]) -> None:
    for copy in copies:
        assert await copy.state() is HealthState.AVAILABLE
        await copy.fail()
    assert {await copy.state() for copy in copies} == {HealthState.COOLING_DOWN}


async def test_a_success_of_any_copy_closes_it_for_all(copies: list[Copy]) -> None:
    one, other, third = copies
    await one.fail(times=2)
    await other.state()
    await other.succeed()
    assert await third.state() is HealthState.AVAILABLE
    await one.state()
    await one.fail(times=2)
    assert await one.state() is HealthState.DEGRADED, "its own calls failed, but the row of failures was broken"


async def test_a_half_open_circuit_lets_one_call_of_all_copies_through(copies: list[Copy]) -> None:
    one, other, third = copies
    await one.fail(times=FAILURES_TO_OPEN)
    one.clock.advance(COOLDOWN_S)
    for copy in copies:
        assert await copy.state() is not HealthState.COOLING_DOWN
    await one.sharing.begin(MODEL)
    for copy in (other, third):
        with pytest.raises(BeingTried):
            await copy.sharing.begin(MODEL)
        assert await copy.state() is HealthState.COOLING_DOWN, "so the choice leaves it out as well"
    with pytest.raises(BeingTried):
        await one.sharing.begin(MODEL)
    await one.succeed()
    for copy in (other, third):
        await copy.sharing.catch_up()
        await copy.sharing.begin(MODEL)


async def test_a_trial_that_fails_opens_it_for_longer_for_all(copies: list[Copy]) -> None:
    one, other, _ = copies
    await one.fail(times=FAILURES_TO_OPEN)
    one.clock.advance(COOLDOWN_S)
    await other.state()
    await other.fail(Timeout())
    one.clock.advance(COOLDOWN_S)
    assert await one.state() is HealthState.COOLING_DOWN
    one.clock.advance(COOLDOWN_S)
    assert await one.state() is not HealthState.COOLING_DOWN


async def test_a_trial_that_is_given_up_leaves_it_to_the_next(copies: list[Copy]) -> None:
    one, other, _ = copies
    await one.fail(times=FAILURES_TO_OPEN)
    one.clock.advance(COOLDOWN_S)
    one.sharing.circuits.stopped(MODEL, PROVIDER, await one.sharing.begin(MODEL))
    await one.sharing.tell()
    await other.sharing.catch_up()
    await other.sharing.begin(MODEL)
    with pytest.raises(BeingTried):
        await one.sharing.begin(MODEL)


async def test_a_trial_of_a_copy_that_ended_is_nobody_s(copies: list[Copy]) -> None:
    one, other, _ = copies
    await one.fail(times=FAILURES_TO_OPEN)
    one.clock.advance(COOLDOWN_S)
    await one.sharing.begin(MODEL)
    await one.db.aclose()
    assert await other.state() is not HealthState.COOLING_DOWN
    await other.sharing.begin(MODEL)


async def test_what_a_copy_saw_begin_earlier_does_not_end_another_s_trial(copies: list[Copy]) -> None:
    one, other, third = copies
    await one.fail(times=FAILURES_TO_OPEN)
    one.clock.advance(COOLDOWN_S)
    await other.sharing.catch_up()
    await other.sharing.begin(MODEL)
    late = SharedCircuit(MODEL, PROVIDER, failures=4, opened=1)
    await third.store.tell([late])
    with pytest.raises(BeingTried):
        await one.sharing.begin(MODEL)


async def test_a_call_that_began_before_it_opened_does_not_end_the_trial_of_its_own_copy(copies: list[Copy]) -> None:
    one, other, _ = copies
    before = await one.sharing.begin(MODEL)
    await one.fail(times=FAILURES_TO_OPEN)
    one.clock.advance(COOLDOWN_S)
    trial = await one.sharing.begin(MODEL)
    one.sharing.circuits.failed(MODEL, PROVIDER, Timeout(), one.clock.monotonic(), before)
    await one.sharing.tell()
    await other.sharing.catch_up()
    with pytest.raises(BeingTried):
        await other.sharing.begin(MODEL)
    one.sharing.circuits.stopped(MODEL, PROVIDER, trial)
    await one.sharing.tell()
    await other.sharing.catch_up()
    assert (await other.sharing.begin(MODEL)).trial


async def test_a_shorter_wait_never_overwrites_a_longer(copies: list[Copy]) -> None:
    one, other, third = copies
    await one.fail(RateLimited(retry_after_s=300.0))
    await other.store.tell([SharedCircuit(MODEL, PROVIDER, 1, 0, 0, 5.0, HealthState.COOLING_DOWN, "429")])
    third.clock.advance(200)
    assert await third.state() is HealthState.COOLING_DOWN


@pytest.mark.parametrize(
    ("first_s", "then_s", "told"),
    [
        (0.0, 0.0, (HealthState.UNAUTHORISED, "then", 0.0)),
        (9.0, 9.0, (HealthState.UNAUTHORISED, "then", 9.0)),
        (9.0, 8.9, (HealthState.DEGRADED, "first", 9.0)),
        (8.9, 9.0, (HealthState.UNAUTHORISED, "then", 9.0)),
    ],
)
async def test_of_two_that_tell_of_one_model_the_longer_wait_is_kept_and_else_what_was_said_last(
    copies: list[Copy], first_s: float, then_s: float, told: tuple[HealthState, str, float]
) -> None:
    one, other, third = copies
    await one.store.tell([SharedCircuit(MODEL, PROVIDER, 3, 1, 2, first_s, HealthState.DEGRADED, "first")])
    await other.store.tell([SharedCircuit(MODEL, PROVIDER, 2, 4, 1, then_s, HealthState.UNAUTHORISED, "then")])
    read = await third.store.read()
    assert read is not None
    [found] = read
    assert (found.state, found.why, found.seconds) == told
    assert (found.name, found.provider, found.failures, found.opened, found.unreached) == (MODEL, PROVIDER, 3, 4, 1)


@pytest.mark.parametrize(("back_s", "left_s"), [(0.0, 9.0), (5.0, 14.0), (5.1, 0.0), (-8.0, 1.0), (-8.9995, 0.0)])
async def test_what_is_left_of_a_wait_is_counted_from_when_it_was_told(
    copies: list[Copy], back_s: float, left_s: float
) -> None:
    one, other, _ = copies
    await one.store.tell([SharedCircuit(MODEL, PROVIDER, 1, 0, 0, 9.0, HealthState.COOLING_DOWN, "429")])
    one.clock.set_back(back_s)
    read = await other.store.read()
    assert [circuit.seconds for circuit in read or ()] == [pytest.approx(left_s)]


@pytest.mark.parametrize("error", [Authentication(), Server(), NotFound()])
async def test_what_one_key_is_told_says_nothing_of_another(copies: list[Copy], error: TurnError) -> None:
    one, other, _ = copies
    another_key = Copy(other.db, other.clock, key="another")
    await one.fail(error, times=1 if not isinstance(error, Server) else FAILURES_TO_OPEN)
    assert await one.state() is not HealthState.AVAILABLE
    assert await other.state() is not HealthState.AVAILABLE
    assert await another_key.state() is HealthState.AVAILABLE


async def test_a_refused_key_takes_all_its_models_out_everywhere_until_it_is_tried_again(copies: list[Copy]) -> None:
    one, other, _ = copies
    await one.fail(Authentication())
    assert await other.state("a/another") is HealthState.UNAUTHORISED
    one.clock.advance(KEY_COOLDOWN_S)
    assert await other.state("a/another") is HealthState.AVAILABLE


@pytest.mark.parametrize("back_s", [60.0, 86_400.0, 40 * 365 * 86_400.0])
async def test_a_clock_that_is_set_back_does_not_keep_it_open(copies: list[Copy], back_s: float) -> None:
    one, other, _ = copies
    await one.fail(times=FAILURES_TO_OPEN)
    one.clock.set_back(back_s)
    assert await other.state() is not HealthState.COOLING_DOWN
    assert await one.state() is not HealthState.COOLING_DOWN
    await other.sharing.begin(MODEL)
    with pytest.raises(BeingTried):
        await one.sharing.begin(MODEL)


async def test_a_clock_that_is_set_forward_lets_it_be_tried_earlier(copies: list[Copy]) -> None:
    one, other, _ = copies
    await one.fail(times=FAILURES_TO_OPEN)
    one.clock.set_back(-3600.0)
    assert await other.state() is not HealthState.COOLING_DOWN


async def test_what_was_long_ago_is_forgotten(copies: list[Copy]) -> None:
    one, other, _ = copies
    await one.fail(times=FAILURES_TO_OPEN)
    one.clock.advance(COOLDOWN_S + FORGOTTEN_AFTER_S)
    assert len(await other.store.read() or ()) == 1
    one.clock.advance(1)
    assert await other.store.read() == []
    await other.state()
    await other.sharing.begin(MODEL)
    await one.sharing.catch_up()
    await one.sharing.begin(MODEL)


async def test_a_refresh_forgets_it_for_all(copies: list[Copy]) -> None:
    one, other, _ = copies
    await one.fail(times=FAILURES_TO_OPEN)
    await other.state()
    await one.sharing.forget()
    assert await other.state() is HealthState.AVAILABLE


async def test_a_store_that_cannot_be_used_leaves_each_copy_to_itself(clock: ManualClock, db: Database) -> None:
    copy = Copy(db, clock)
    await db.write(lambda c: c.execute("PRAGMA max_page_count = 1"))
    await db.write(lambda c: c.execute("PRAGMA query_only = ON"))
    await copy.fail(times=FAILURES_TO_OPEN)
    assert await copy.store.read() == []
    clock.advance(COOLDOWN_S)
    await copy.sharing.begin(MODEL)
    with pytest.raises(BeingTried):
        await copy.sharing.begin(MODEL)


# Real processes


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Program]]:
    with ExitStack() as running:
        yield lambda: running.enter_context(Program("tests.storage.prober", str(tmp_path / "store.db")))


def told(process: Program, *words: str) -> list[str]:
    """What it answers to each."""
    for word in words:
        tell(process, word)
    return [heard(process) for _ in words]


def tell(process: Program, word: str) -> None:
    process.stdin.write(word + "\n")
    process.stdin.flush()


def heard(process: Program) -> str:
    return process.stdout.readline().strip()


async def test_processes_that_meet_a_half_open_circuit_at_once_send_one_call(
    start: Callable[[], Program], db: Database
) -> None:
    processes = [start() for _ in range(5)]
    first, second = processes[:2]
    assert told(first, "fail", "fail", "fail") == ["fail"] * 3
    assert told(second, "look") == ["cooling_down"], "a second copy knows at its next decision"
    await db.write(lambda c: c.execute("UPDATE circuits SET seconds = 0"))
    for process in processes:
        tell(process, "begin")
    answers = [heard(process) for process in processes]
    assert sorted(answers) == ["begun", *["being tried"] * 4]
    dying = processes.pop(answers.index("begun"))
    dying.kill()
    dying.wait()
    for process in processes:
        tell(process, "begin")
    answers = [heard(process) for process in processes]
    assert sorted(answers) == ["begun", *["being tried"] * 3], "a killed copy's trial goes to one other"
    assert told(processes[answers.index("begun")], "succeed") == ["succeed"]
    for process in processes:
        assert told(process, "begin") == ["begun"]
