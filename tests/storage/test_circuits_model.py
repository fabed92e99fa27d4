"""Circuits against a plain model of them: calls of two copies of the program begin and end in any order, and none but a
trial makes a model be left alone for longer."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from tests.clock import ManualClock
from tui_orchestrator.routing.errors import (
    BeingTried,
    Cancelled,
    Connection,
    Overloaded,
    RateLimited,
    StreamBroken,
    Timeout,
    TurnError,
)
from tui_orchestrator.routing.health import COOLDOWN_S, LONGEST_COOLDOWN_S, Begun, Circuits
from tui_orchestrator.routing.sharing import Sharing
from tui_orchestrator.storage.circuits import SqliteCircuits
from tui_orchestrator.storage.database import Database

MODEL, PROVIDER = "a/x", "a"
PASSING = (StreamBroken(), Timeout(), Connection(), Overloaded(status=503), RateLimited(status=429))


class CircuitsModel(RuleBasedStateMachine):
    calls: Bundle[tuple[int, Begun]] = Bundle("calls")

    @initialize()
    def open(self) -> None:
        self.loop = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        self.databases = [Database(Path(self.directory.name) / "store.db") for _ in range(2)]
        for database in self.databases:
            self.loop.run(database.open())
        self.copies = [
            Sharing(Circuits(), self.clock, SqliteCircuits(database, self.clock, lambda provider: "k"))
            for database in self.databases
        ]
        self.longest_s = COOLDOWN_S
        """That it may be left alone for, as long as no provider asks for more."""
        self.asked_until = 0.0
        self.trials: set[tuple[int, Begun]] = set()
        """Under way."""
        self.closed = False
        """Since the trial under way began."""

    @rule(target=calls, copy=st.integers(0, 1))
    def begin(self, copy: int) -> object:
        self.loop.run(self.copies[copy].catch_up())
        out = self.left(copy) > 0
        try:
            call = self.loop.run(self.copies[copy].begin(MODEL))
        except BeingTried:
            assert out or self.trials
            return multiple()
        if call.trial:
            assert not out
            assert not self.trials or self.closed, "one at a time"
            self.trials.add((copy, call))
            self.closed = False
        return copy, call

    @rule(call=consumes(calls), error=st.sampled_from(PASSING))
    def fail(self, call: tuple[int, Begun], error: TurnError) -> None:
        if call in self.trials:
            self.longest_s = min(2 * self.longest_s, LONGEST_COOLDOWN_S)
        self.end(call, error)

    @rule(call=consumes(calls), retry_after_s=st.integers(1, 700))
    def refuse_for_a_while(self, call: tuple[int, Begun], retry_after_s: float) -> None:
        self.asked_until = max(self.asked_until, self.clock.monotonic() + min(retry_after_s, LONGEST_COOLDOWN_S))
        self.end(call, RateLimited(status=429, retry_after_s=retry_after_s))

    @rule(call=consumes(calls))
    def give_up(self, call: tuple[int, Begun]) -> None:
        self.end(call, Cancelled())

    @rule(call=consumes(calls))
    def answer(self, call: tuple[int, Begun]) -> None:
        copy, _ = call
        self.trials.discard(call)
        self.copies[copy].circuits.succeeded(MODEL, PROVIDER)
        self.loop.run(self.copies[copy].tell())
        # A copy that is trying it just now knows nothing of that until its trial has ended.
        if not any(of != copy for of, _ in self.trials):
            self.longest_s = COOLDOWN_S
        self.asked_until, self.closed = 0.0, True

    @rule(seconds=st.sampled_from([1.0, 10.0, COOLDOWN_S, 2 * COOLDOWN_S, LONGEST_COOLDOWN_S]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def end(self, call: tuple[int, Begun], error: TurnError) -> None:
        copy, begun = call
        self.trials.discard(call)
        self.copies[copy].circuits.failed(MODEL, PROVIDER, error, self.clock.monotonic(), begun)
        self.loop.run(self.copies[copy].tell())

    def left(self, copy: int) -> float:
        health = self.copies[copy].circuits.health(MODEL, PROVIDER, self.clock.monotonic())
        return 0.0 if health.out is None else health.seconds_left or 0.0

    @invariant()
    def is_left_alone_no_longer_than_its_trials_and_its_provider_say(self) -> None:
        if not hasattr(self, "copies"):
            return
        asked_s = self.asked_until - self.clock.monotonic()
        for copy, sharing in enumerate(self.copies):
            self.loop.run(sharing.catch_up())
            assert self.left(copy) <= max(self.longest_s, asked_s) + 0.01
            if not any(of == copy for of, _ in self.trials):
                assert self.left(copy) >= asked_s - 0.01, "a longer wait that was asked for holds"

    def teardown(self) -> None:
        if hasattr(self, "databases"):
            for database in self.databases:
                self.loop.run(database.aclose())
            self.loop.close()
            self.directory.cleanup()


TestCircuitsModel = CircuitsModel.TestCase
TestCircuitsModel.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
