"""The library without async."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest

from tui_orchestrator import BlockingOrchestrator, BudgetExceededError, Result, Task
from tui_orchestrator.demo import Break, Phase, Say, Servers
from tui_orchestrator.routing.events import Completed, Text

T = TypeVar("T")


async def blocking(work: Callable[[BlockingOrchestrator], T]) -> T:
    """In a thread, while the servers answer on the test's loop."""

    def run() -> T:
        with BlockingOrchestrator() as orchestrator:
            return work(orchestrator)

    return await asyncio.to_thread(run)


async def test_each_call_waits_for_its_end(servers: Servers) -> None:
    servers.script.always(Say("Paris."))

    def work(orchestrator: BlockingOrchestrator) -> None:
        assert orchestrator.route("What is DNS?").model
        orchestrator.force_model("rush-pro")
        assert orchestrator.execute("Capital of France?").text == "Paris."
        orchestrator.force_model(None)
        both = orchestrator.execute_parallel(["One?", Task("Two?")])
        assert [one.text for one in both if isinstance(one, Result)] == ["Paris.", "Paris."]
        assert len(orchestrator.execute_batch(["One?"])) == 1
        assert orchestrator.ensemble("Which?", 2).answers
        assert orchestrator.synthesize("Which?", ["a", "b"]).text == "Paris."
        assert orchestrator.cost_report("today").total.attempts >= 7
        orchestrator.set_budget("0.0000001")
        with pytest.raises(BudgetExceededError):
            orchestrator.execute(Task("What is DNS?", model="tern-max"))

    await blocking(work)


async def test_a_stream_is_read_event_by_event_and_may_be_left(servers: Servers) -> None:
    servers.script.always(Break("silence", Phase.MID_STREAM, Say("one word after another")), "tern-max")
    servers.script.always(Say("one word after another"))

    def work(orchestrator: BlockingOrchestrator) -> tuple[int, int]:
        whole = list(orchestrator.stream(Task("Tell me a story", model="rush-pro")))
        assert isinstance(whole[-1], Completed)
        for event in orchestrator.stream(Task("Tell me another", model="tern-max")):
            if isinstance(event, Text):
                break
        total = orchestrator.cost_report("today").total
        return total.finished, total.cancelled

    assert await blocking(work) == (1, 1)


def test_it_must_be_open() -> None:
    with pytest.raises(RuntimeError, match="with BlockingOrchestrator"):
        BlockingOrchestrator().execute("What is DNS?")
