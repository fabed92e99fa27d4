"""The same model as the embedded ledger's, over two stores that share a Redis server, which loses what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.storage.test_ledger_model import REQUESTS, LedgerModel, drop_lock

from .copies import Machine
from .redis_server import RedisServer

REDIS: list[RedisServer] = []


@pytest.fixture(autouse=True, scope="module")
def _server(one_redis: RedisServer) -> Iterator[None]:
    REDIS.append(one_redis)
    yield
    REDIS.clear()


class SharedLedgerModel(LedgerModel):
    def open_copies(self) -> None:
        with REDIS[0].plain as client:
            client.flushall()
        self.machines = [self.machine(copy) for copy in range(2)]
        self.databases = [machine.db for machine in self.machines]
        self.ledgers = [machine.ledger for machine in self.machines]

    def machine(self, copy: int) -> Machine:
        return self.loop.run(Machine(Path(self.directory.name) / f"{copy}.db", REDIS[0].url, self.clock).open())

    def requests_of(self, copy: int) -> tuple[str, ...]:
        return tuple(f"{request} of {copy}" for request in REQUESTS)

    def take_the_place_of(self, copy: int) -> None:
        dead = self.machines[copy]
        drop_lock(dead.db)
        self.loop.run(dead.die())
        self.machines[copy] = self.machine(copy)
        self.databases[copy], self.ledgers[copy] = self.machines[copy].db, self.machines[copy].ledger

    @rule(first=st.integers(0, 1))
    def lose_everything(self, first: int) -> None:
        """Each copy notices by itself, and puts back what it knows."""
        with REDIS[0].plain as client:
            client.flushall()
        for copy in (first, 1 - first):
            self.loop.run(self.machines[copy].member.tell())

    @rule(copy=st.integers(0, 1))
    def say_nothing_for_long(self, copy: int) -> None:
        """Its lease ends, and it comes back."""
        with REDIS[0].plain as client:
            client.zadd("{team}:stores", {self.machines[copy].member.store: 0})
        self.loop.run(self.machines[1 - copy].member.tell())
        self.loop.run(self.machines[copy].member.tell())

    @rule(copy=st.integers(0, 1))
    def tell(self, copy: int) -> None:
        """What is said twice changes nothing."""
        self.loop.run(self.machines[copy].member.tell(whole=True))

    def close_copies(self) -> None:
        for machine in self.machines:
            self.loop.run(machine.leave())


TestSharedLedgerModel = SharedLedgerModel.TestCase
TestSharedLedgerModel.settings = settings(max_examples=6, stateful_step_count=20, deadline=None)
