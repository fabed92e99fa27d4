"""While the server is away each machine lives off what was set aside for it, and all together never pass the cap."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule

from tests.storage.samples import TODAY, attempt, costing, day_cap, hold
from tests.storage.test_ledger_model import drop_lock
from tui_orchestrator.routing.budget import Cap, Refusal, Reservation
from tui_orchestrator.routing.money import Money
from tui_orchestrator.shared.faults import Away
from tui_orchestrator.shared.membership import SHARE_LASTS, WhenAway
from tui_orchestrator.shared.server import Timing

from .copies import Machine
from .redis_server import RedisServer

LIMIT = 1000
SHARE = WhenAway("share", 0.5)
CAPS = (day_cap(LIMIT), Cap("month", "2026-11", Money(1500)))
REDIS: list[RedisServer] = []


@pytest.fixture(autouse=True, scope="module")
def _server(one_redis: RedisServer) -> Iterator[None]:
    REDIS.append(one_redis)
    yield
    REDIS.clear()


class Alone(RuleBasedStateMachine):
    """Three machines are cut off and come back, one at a time or all at once; the server loses all it holds."""

    held: Bundle[tuple[int, Reservation]] = Bundle("held")

    @initialize(shares=st.tuples(*[st.sampled_from((0.1, 0.25, 0.5, 1.0))] * 3))
    def open(self, shares: tuple[float, ...]) -> None:
        with REDIS[0].plain as client:
            client.flushall()
        self.loop = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory()
        self.shares = shares
        self.machines = [self.machine(number) for number in range(3)]
        self.calls = 0

    def machine(self, number: int) -> Machine:
        path = Path(self.directory.name) / f"{number}.db"
        share = WhenAway("share", self.shares[number])
        return self.loop.run(Machine(path, REDIS[0].url, when_away=share, caps=CAPS).open())

    @rule(target=held, number=st.integers(0, 2), amount=st.integers(1, 400))
    def reserve(self, number: int, amount: int) -> Any:
        self.calls += 1
        wanted = hold(amount, *CAPS, request_id=f"r{self.calls}")
        try:
            result = self.loop.run(self.machines[number].ledger.reserve(wanted))
        except Away:
            return multiple()
        if isinstance(result, Refusal):
            assert result.blocking.left is not None
            assert result.blocking.left < Money(amount)
            return multiple()
        return number, result

    @rule(held=held, part=st.integers(0, 100))
    def book(self, held: tuple[int, Reservation], part: int) -> None:
        number, reservation = held
        cost = reservation.hold.amount.picodollars * part // 100
        row = attempt(request_id=reservation.hold.request_id, number=1, cost=costing(cost))
        self.loop.run(self.machines[number].ledger.book(row, reservation))

    @rule(number=st.integers(0, 2))
    def cut_off(self, number: int) -> None:
        self.machines[number].cut_off()

    @rule(number=st.integers(0, 2))
    def come_back(self, number: int) -> None:
        self.loop.run(self.machines[number].member.tell())

    @rule(number=st.integers(0, 2))
    def count_as_dead(self, number: int) -> None:
        """It has said nothing for so long that its lease has ended."""
        with REDIS[0].plain as client:
            client.zadd("{team}:stores", {self.machines[number].member.store: 0})

    @precondition(lambda self: not any(machine.server.away for machine in self.machines))
    @rule()
    def lose_everything(self) -> None:
        """While all are there; each tells before anything is let in."""
        for machine in self.machines:
            self.loop.run(machine.member.tell())
        with REDIS[0].plain as client:
            client.flushall()
        for machine in self.machines:
            self.loop.run(machine.member.tell())

    @rule(number=st.integers(0, 2))
    def start_again(self, number: int) -> None:
        """Its calls are lost, and what they may have cost is not: here that is nothing, since none says."""
        machine = self.machines[number]
        drop_lock(machine.db)
        self.loop.run(machine.die())
        self.machines[number] = self.machine(number)

    @invariant()
    def no_cap_is_passed_by_all_together(self) -> None:
        if not hasattr(self, "machines"):
            return
        for cap in CAPS:
            total = Money()
            for machine in self.machines:
                (state,) = self.loop.run(machine.own.budgets([replace(cap, limit=None)]))
                total += state.spent + state.reserved
            assert cap.limit is not None
            assert total <= cap.limit

    def teardown(self) -> None:
        if hasattr(self, "machines"):
            for machine in self.machines:
                self.loop.run(machine.leave())
            self.loop.close()
            self.directory.cleanup()


TestAlone = Alone.TestCase
TestAlone.settings = settings(max_examples=6, stateful_step_count=25, deadline=None)


async def test_a_machine_that_is_cut_off_spends_its_share_and_no_more(redis_server: RedisServer) -> None:
    async with Machine(None, redis_server.url, when_away=SHARE, caps=CAPS) as one:
        await one.ledger.reserve(hold(100, *CAPS))
        await one.member.tell()
        one.cut_off()
        held = await one.ledger.reserve(hold(450, *CAPS, request_id="r2"))
        assert isinstance(held, Reservation)
        refused = await one.ledger.reserve(hold(1, *CAPS, request_id="r3"))
        assert isinstance(refused, Refusal)
        assert refused.blocking.left == Money(0), "what it may not spend is shown as spoken for"


async def test_a_cap_that_was_lowered_holds_for_who_is_cut_off_though_a_larger_share_was_set_aside(
    redis_server: RedisServer,
) -> None:
    async with Machine(None, redis_server.url, when_away=SHARE, caps=CAPS) as one:
        one.cut_off()
        assert isinstance(await one.ledger.reserve(hold(101, day_cap(100))), Refusal)
        assert isinstance(await one.ledger.reserve(hold(100, day_cap(100))), Reservation)


async def test_what_is_set_aside_for_one_machine_no_other_can_spend(redis_server: RedisServer) -> None:
    url = redis_server.url
    async with Machine(None, url, when_away=SHARE, caps=CAPS) as one, Machine(None, url) as other:
        one.cut_off()
        refused = await other.ledger.reserve(hold(501, *CAPS))
        assert isinstance(refused, Refusal)
        assert refused.blocking.left == Money(500)
        assert isinstance(await other.ledger.reserve(hold(500, *CAPS)), Reservation)


async def test_a_machine_that_ends_in_order_gives_its_share_back(redis_server: RedisServer) -> None:
    url = redis_server.url
    async with Machine(None, url) as other:
        async with Machine(None, url, when_away=SHARE, caps=CAPS):
            pass
        assert isinstance(await other.ledger.reserve(hold(LIMIT, *CAPS)), Reservation)


async def test_a_share_ends_after_an_hour_without_the_server(redis_server: RedisServer) -> None:
    async with Machine(None, redis_server.url, when_away=SHARE, caps=CAPS) as one:
        one.cut_off()
        one.clock.advance(SHARE_LASTS.total_seconds() - 1)
        assert isinstance(await one.ledger.reserve(hold(10, *CAPS)), Reservation)
        one.clock.advance(2)
        with pytest.raises(Away, match="too long ago"):
            await one.ledger.reserve(hold(10, *CAPS, request_id="r2"))


async def test_a_clock_that_is_set_back_brings_no_share_back(redis_server: RedisServer) -> None:
    async with Machine(None, redis_server.url, when_away=SHARE, caps=CAPS) as one:
        one.cut_off()
        one.clock.set_back(timedelta(hours=3).total_seconds())
        with pytest.raises(Away):
            await one.ledger.reserve(hold(10, *CAPS))


async def test_a_share_outlives_the_program_that_was_killed(redis_server: RedisServer, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    first = await Machine(path, redis_server.url, when_away=SHARE, caps=CAPS).open()
    await first.die()
    second = Machine(path, redis_server.url, when_away=SHARE, caps=CAPS)
    second.cut_off()
    await second.db.open()
    assert isinstance(await second.ledger.reserve(hold(500, *CAPS)), Reservation)
    assert isinstance(await second.ledger.reserve(hold(1, *CAPS, request_id="r2")), Refusal)
    await second.die()


async def test_who_refuses_while_the_server_is_away_calls_nothing_under_a_cap_but_what_is_free(
    redis_server: RedisServer,
) -> None:
    async with Machine(None, redis_server.url) as one:
        one.cut_off()
        with pytest.raises(Away, match=r"cannot be reached .*, so no call under a shared cap is made; start it"):
            await one.ledger.reserve(hold(10, *CAPS))
        assert isinstance(await one.ledger.reserve(hold(0, *CAPS)), Reservation)
        assert isinstance(await one.ledger.reserve(hold(10, day_cap(None), request_id="r2")), Reservation)
        (state,) = await one.own.budgets([day_cap(None)])
        assert (state.reserved.picodollars, TODAY.isoformat()) == (10, state.cap.period), (
            "what was refused holds nothing"
        )


async def test_what_was_set_aside_is_put_back_before_anybody_is_let_in(redis_server: RedisServer) -> None:
    slow = Timing(quiet=60_000)
    with redis_server.plain as client:
        async with Machine(None, redis_server.url, when_away=SHARE, caps=CAPS) as one:
            client.flushall()
            one.server.timing = slow
            one.server._scripts.clear()
            await one.member.tell()
            kept = client.hget(f"{{team}}:aside:day@{TODAY}", one.member.store)
            assert kept is not None
            assert kept.startswith("500 ")


async def test_a_share_is_not_granted_where_the_room_was_taken_since_it_was_worked_out(
    redis_server: RedisServer,
) -> None:
    async with Machine(None, redis_server.url) as one, Machine(None, redis_server.url) as other:
        await other.ledger.reserve(hold(600, *CAPS))
        share = {"sum": f"day@{TODAY}", "limit": str(LIMIT), "ends_in": 60_000}
        for ceiling, granted in (("500", 0), ("400", 1), ("401", 0), ("300", 1)):
            asked = [{**share, "ceiling": ceiling}]
            reply = await one.server.ask("set_aside", store=one.member.store, shares=asked)
            assert reply["granted"] == [granted], ceiling
        refused = await other.ledger.reserve(hold(101, *CAPS, request_id="r2"))
        assert isinstance(refused, Refusal)
        assert refused.blocking.left == Money(100), "what was refused left what was granted before"
