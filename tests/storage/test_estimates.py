"""What was learned of how models count outlives the program."""

from __future__ import annotations

from pathlib import Path

from tests.turns.conftest import ask, events_of, running
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.routing.estimates import TokenEstimates
from tui_orchestrator.routing.events import Completed, Decided
from tui_orchestrator.routing.money import Usage
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.estimates import KeptEstimates
from tui_orchestrator.storage.reports import Reports

PRO = "demo-openai/rush-pro"
SCRIPT = Script().always(Say(text="A list is merged by looking at both of its heads."))


async def test_a_turn_teaches_what_the_next_start_knows(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", SCRIPT) as (runtime, _):
        for _ in range(6):
            events = await events_of(runtime, ask(model=PRO))
        first = events[0]
        assert isinstance(first, Decided)
        learned = await runtime.decide(ask(model=PRO))
        # Behind what was posted.
        await runtime.database.write(lambda connection: None)
    async with running(tmp_path / "s.db", SCRIPT) as (runtime, _):
        again = await runtime.decide(ask(model=PRO))
        counted = (await Reports(runtime.database, runtime.clock).last(1))[0].usage.input
    here, there = learned.candidate(PRO), again.candidate(PRO)
    assert here is not None
    assert there is not None
    assert here.input_tokens == there.input_tokens
    assert here.estimated_cost == there.estimated_cost
    assert abs((there.input_tokens or 0) - counted) < abs(learned.profile.input_tokens - counted)


async def test_the_estimate_before_the_call_and_its_money_are_those_of_the_model(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", SCRIPT) as (runtime, _):
        plain = (await runtime.decide(ask())).candidate(PRO)
        estimates, prompt = runtime.router.caller.estimates, (await runtime.decide(ask())).profile
        for _ in range(30):
            estimates.learn(PRO, prompt, "", "", Usage(3 * prompt.input_tokens, 0))
        decision = await runtime.decide(ask())
        twice, other = decision.candidate(PRO), decision.candidate("demo-gemini/lumen-dash")
        events = await events_of(runtime, ask(model=PRO))
    assert plain is not None
    assert twice is not None
    assert other is not None
    assert plain.input_tokens is not None
    assert twice.input_tokens is not None
    assert twice.input_tokens > 2 * plain.input_tokens
    assert other.input_tokens == decision.profile.input_tokens
    assert twice.estimated_cost is not None
    assert plain.estimated_cost is not None
    assert twice.estimated_cost > plain.estimated_cost
    assert isinstance(events[-1], Completed)


async def test_a_store_without_anything_learned_teaches_nothing(db: Database) -> None:
    estimates = TokenEstimates()
    await KeptEstimates(db, estimates).load()
    assert list(estimates.changed()) == []
