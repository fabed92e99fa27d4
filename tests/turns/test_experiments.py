"""Experiments on one's own turns, over real sockets and a real store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tui_orchestrator.demo import Reply, Say, Script
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.events import Completed, Decided, Event, Failed
from tui_orchestrator.routing.experiment import Arm
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.request import Request, Strategy
from tui_orchestrator.services.arms import arm_of, name_of, share_of
from tui_orchestrator.services.chat import Chat, Options
from tui_orchestrator.services.experiments import ExperimentError
from tui_orchestrator.services.findings import Findings, interval_in_words, sentence
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import Persona
from tui_orchestrator.storage.faults import StoreError

from .conftest import ask, events_of, running

CHEAP, DEAR = Arm("strategy=cheapest", Strategy.CHEAPEST), Arm("strategy=quality", Strategy.QUALITY)
PRO, MINI, DASH = "demo-openai/rush-pro", "demo-openai/rush-mini", "demo-gemini/lumen-dash"


async def turn(runtime: Runtime, request: Request) -> Completed | Failed:
    end = (await events_of(runtime, request))[-1]
    assert isinstance(end, Completed | Failed)
    return end


async def side_of(runtime: Runtime, request_id: str) -> str | None:
    decision = await runtime.reports.decision(request_id)
    assert decision is not None
    return None if decision.experiment is None else decision.experiment.side


async def findings(runtime: Runtime) -> Findings:
    return await runtime.experiments.findings(await runtime.experiments.named())


def tick(runtime: Runtime) -> None:
    assert isinstance(runtime.clock, ManualClock)
    runtime.clock.advance(1.0)


async def test_turns_go_both_ways_and_votes_and_costs_are_counted_with_theirs(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        await runtime.experiments.start("thrift", CHEAP, DEAR)
        voted = {"a": 0, "b": 0}
        for number in range(64):
            # Which way each goes is drawn: now and then eight go the same.
            if number >= 8 and min(voted.values()) > 0:
                break
            tick(runtime)
            end = await turn(runtime, ask(id=f"turn{number}"))
            assert isinstance(end, Completed)
            side = await side_of(runtime, end.request_id)
            assert side in ("a", "b")
            assert end.strategy == (Strategy.CHEAPEST if side == "a" else Strategy.QUALITY)
            await runtime.feedback.vote(end.request_id, end.attempt, side == "b")
            voted[side] += 1
        assert min(voted.values()) > 0
        found = await findings(runtime)
        assert (found.a.turns, found.b.turns) == (voted["a"], voted["b"])
        assert (found.a.outcomes, found.a.good) == (voted["a"], 0)
        assert (found.b.outcomes, found.b.good) == (voted["b"], voted["b"])
        assert found.difference == 1.0
        assert found.times is not None
        assert found.times > 1
        sums = {state.scope: state.spent for state in await runtime.budget_states()}
        assert found.a.cost.amount is not None
        assert found.b.cost.amount is not None
        assert found.a.cost.amount + found.b.cost.amount == sums["day"]
        assert found.a.seconds is not None


async def test_a_prompt_that_is_asked_again_goes_the_same_way_and_counts_once_as_a_bad_one(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        await runtime.experiments.start("thrift", CHEAP, DEAR)
        chat = Chat.new(runtime)
        request = chat.request("Explain a mutex")
        preview = runtime.preview(chat.request("Explain a"))
        async with chat.send(request) as first:
            events: list[Event] = [event async for event in first]
        assert isinstance(events[0], Decided)
        assert events[0].decision.experiment == preview.experiment
        tick(runtime)
        again = chat.again()
        async with chat.send_again(again) as second:
            async for _ in second:
                pass
        assert await side_of(runtime, again.id) == await side_of(runtime, request.id)
        found = await findings(runtime)
        assert found.a.turns + found.b.turns == 1
        assert (found.a.outcomes + found.b.outcomes, found.a.good + found.b.good) == (1, 0)
        figures = found.a if found.a.turns else found.b
        attempts = [*await runtime.reports.attempts(request.id), *await runtime.reports.attempts(again.id)]
        assert figures.cost.amount == sum((one.cost.amount or Money() for one in attempts), Money())
        # The next prompt is another one.
        async with chat.send(chat.request("And a semaphore?")) as third:
            async for _ in third:
                pass
        found = await findings(runtime)
        assert found.a.turns + found.b.turns == 2


async def test_what_the_user_chose_is_neither_overridden_nor_counted(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        await runtime.experiments.start("thrift", CHEAP, DEAR)
        chat = Chat.new(runtime)
        for options in (Options(model=PRO), Options(strategy=Strategy.BALANCED), Options(chain=(MINI, PRO))):
            request = chat.request("Explain a mutex", (), options)
            end = await turn(runtime, request)
            assert isinstance(end, Completed)
            assert await side_of(runtime, request.id) is None
        await turn(runtime, ask(temporary=True, id="secret"))
        found = await findings(runtime)
        assert found.a.turns + found.b.turns == 0
        assert sentence(found) == "Nothing is known yet: no turn went to A."


async def test_a_model_on_trial_that_fails_costs_the_user_no_answer(tmp_path: Path) -> None:
    script = Script()
    script.always(Reply(503, "not today"), "rush-mini")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        await runtime.experiments.start("mini", Arm("model=mini", model=MINI), Arm("model=pro", model=PRO))
        for number in range(12):
            end = await turn(runtime, ask(id=f"t{number}"))
            assert isinstance(end, Completed)
            if await side_of(runtime, end.request_id) == "a":
                assert end.attempts[0].model == MINI
                assert end.model != MINI
                return
        raise AssertionError("none went to A")


async def test_no_answer_at_all_is_a_bad_one_but_not_where_a_cap_or_the_user_ended_it(tmp_path: Path) -> None:
    script = Script()
    for model in ("rush-mini", "rush-pro", "lumen-dash", "lumen-deep", "tern-lite", "tern-max", "pebble-3b"):
        script.then(Reply(400, "not today"), model)
    async with running(tmp_path / "s.db", script) as (runtime, _):
        await runtime.experiments.start("thrift", CHEAP, DEAR)
        assert isinstance(await turn(runtime, ask(id="t")), Failed)
        found = await findings(runtime)
        assert (found.a.outcomes + found.b.outcomes, found.a.good + found.b.good) == (1, 0)
    async with running(tmp_path / "t.db", budgets=Budgets(daily=Money.from_usd("0.0000001"))) as (runtime, _):
        await runtime.experiments.start("thrift", DEAR, replace(DEAR, says="x", max_tokens=4096))
        await turn(runtime, ask(id="t"))
        found = await findings(runtime)
        assert found.a.outcomes + found.b.outcomes == 0


async def test_it_is_known_and_heard_in_another_copy_and_after_a_start(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (one, _):
        other = await Runtime.open(one.settings, demo=False, clock=ManualClock())
        try:
            await one.experiments.start("thrift", CHEAP, DEAR)
            with pytest.raises(ExperimentError, match="thrift runs already"):
                await other.experiments.start("second", CHEAP, DEAR)
            await events_of(other, ask(id="there"))
            assert await side_of(other, "there") is not None
            assert (await one.experiments.stop(await one.experiments.named("thrift"))).state == "stopped"
            await events_of(other, ask(id="after"))
            assert await side_of(other, "after") is None
        finally:
            await other.aclose()
        thrift = await one.experiments.named("thrift")
        await one.experiments.delete(thrift)
        with pytest.raises(ExperimentError, match="thrift cannot go on"):
            await one.experiments.go_on(thrift)
        with pytest.raises(ExperimentError, match="no experiment yet"):
            await one.experiments.named()


async def test_a_judge_tells_of_each_answer_within_the_caps_and_its_cost_is_told_apart(tmp_path: Path) -> None:
    script = Script()
    script.always(Say("RIGHT: it is."), "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, servers):
        await runtime.experiments.start(
            "judged", Arm("model=pro", model=PRO), Arm("model=mini", model=MINI), judge=DASH
        )
        for number in range(3):
            await events_of(runtime, ask(id=f"t{number}"))
            await runtime.experiments.settle()
        found = await findings(runtime)
        assert (found.a.outcomes + found.b.outcomes, found.a.good + found.b.good) == (3, 3)
        assert found.judging.amount
        sums = {state.scope: state.spent for state in await runtime.budget_states()}
        costs = [found.a.cost.amount, found.b.cost.amount, found.judging.amount]
        assert sum((cost for cost in costs if cost), Money()) == sums["day"]
        # A vote goes before what the judge says.
        end = await turn(runtime, ask(id="last"))
        assert isinstance(end, Completed)
        await runtime.experiments.settle()
        await runtime.feedback.vote("last", end.attempt, False)
        found = await findings(runtime)
        assert (found.a.outcomes + found.b.outcomes, found.a.good + found.b.good) == (4, 3)
        before = len([one for one in servers.exchanges if one.model == "lumen-dash"])
        runtime.router.budgets = replace(runtime.router.budgets, daily=sums["day"] + Money.from_usd("0.05"))
        runtime.experiments.asked(late := ask(id="late"))
        runtime.router.budgets = replace(runtime.router.budgets, daily=Money(1))
        assert await runtime.experiments.judge(found.experiment, DASH, late, "An answer.") is None
        assert len([one for one in servers.exchanges if one.model == "lumen-dash"]) == before


async def full(*_: object) -> bool:
    raise StoreError(None, "cannot be written", "make room on the disk")


async def test_that_it_is_decided_is_said_once_in_every_copy_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        await runtime.experiments.start("thrift", CHEAP, DEAR)
        heard: list[Findings] = []
        runtime.experiments.listen(heard.append)
        for number in range(60):
            tick(runtime)
            end = await turn(runtime, ask(id=f"turn{number}"))
            assert isinstance(end, Completed)
            await runtime.feedback.vote(end.request_id, end.attempt, await side_of(runtime, end.request_id) == "b")
            if (await findings(runtime)).decided:
                break
        with monkeypatch.context() as patch:
            patch.setattr(runtime.experiments.store, "decided", full)
            await runtime.experiments.look()
        assert heard == [], "it is told of when it is kept"
        await asyncio.gather(runtime.experiments.look(), runtime.experiments.look())
        (found,) = heard
        assert found.state == "decided"
        assert found.reading.better == "b"
        said = sentence(found)
        assert said.startswith("B is better by 100 points (95 % sure); a turn of it costs ")
        assert "times as much" in said
        assert interval_in_words(found.interval).endswith("to +100 points")
        await turn(runtime, ask(id="more"))
        await runtime.experiments.look()
        assert len(heard) == 1
        async with await Runtime.open(runtime.settings, demo=False, clock=ManualClock()) as later:
            later.experiments.listen(heard.append)
            await later.experiments.look()
        assert len(heard) == 1


async def test_what_is_typed_becomes_a_way_or_a_sentence_that_says_what_would(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        terse = Persona("terse", system="Be terse.", temperature=0.2, max_tokens=50, model="rush-pro")
        settings, registry = replace(runtime.settings, personas={"terse": terse}), runtime.registry

        def way(said: str) -> Arm:
            return arm_of(said, registry, settings)

        assert way("strategy=local-first").strategy is Strategy.LOCAL_FIRST
        assert way("quality") == way("strategy = quality")
        assert way("model=rush-pro").model == way("rush-pro").model == PRO
        assert way("system=Be=brief.").system == "Be=brief."
        assert way("default") == Arm("default")
        expected = Arm("persona=terse", model=PRO, system="Be terse.", temperature=0.2, max_tokens=50)
        assert way("persona=Terse") == way("terse") == expected
        for said, hint in {
            "startegy=cheapest": "did you mean strategy=",
            "strategy=cheapst": "did you mean cheapest",
            "model=rush-prod": "did you mean",
            "qualty": "did you mean quality",
            "persona=nobody": "there are terse",
            "system=": "says nothing",
            "zzzz": "write strategy=NAME",
        }.items():
            with pytest.raises((ValueError, LookupError), match=hint):
                way(said)
        assert [share_of(said) for said in ("20%", "20", "0.2", "50 %")] == [0.2, 0.2, 0.2, 0.5]
        for wrong in ("0", "100%", "half", "nan"):
            with pytest.raises(ValueError, match="from 5% to 95%"):
                share_of(wrong)
        assert name_of("a-b.c_1") == "a-b.c_1"
        for wrong in ("", "two words", "x" * 41, "\x1b[2J"):
            with pytest.raises(ValueError, match="no name for an experiment"):
                name_of(wrong)
        with pytest.raises(ExperimentError, match="nothing to compare"):
            await runtime.experiments.start("same", way("quality"), way("strategy=quality"))
