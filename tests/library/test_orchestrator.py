"""The router as a program uses it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

import tui_orchestrator
from tui_orchestrator import (
    BudgetExceededError,
    Message,
    Orchestrator,
    Result,
    Strategy,
    Task,
    TaskFailed,
    route_to_model,
    run_with_fallback,
)
from tui_orchestrator.demo import Break, Phase, Reply, Say, Servers
from tui_orchestrator.library.orchestrator import Ended
from tui_orchestrator.routing.events import Completed, Event, Reserved, Text
from tui_orchestrator.routing.money import Money


def asked(servers: Servers) -> list[str]:
    return [exchange.model for exchange in servers.exchanges if exchange.method == "POST"]


def last(servers: Servers) -> str:
    """What was sent with the last call, as it went over the wire."""
    return json.dumps([exchange.body for exchange in servers.exchanges if exchange.method == "POST"][-1])


async def test_a_task_is_answered_with_its_cost_and_its_reason(orchestrator: Orchestrator, servers: Servers) -> None:
    servers.script.always(Say("Paris."))
    result = await orchestrator.execute(Task("What is the capital of France?", metadata={"ticket": "42"}))
    assert result.text == "Paris."
    assert asked(servers) == [result.model.partition("/")[2]]
    assert result.reason == result.decision.reason != ""
    assert result.cost.amount == sum((row.cost.amount or Money() for row in result.attempts), Money())
    assert result.task.metadata == {"ticket": "42"}


async def test_what_the_task_says_is_sent(orchestrator: Orchestrator, servers: Servers, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("the river is the Seine")
    task = Task(
        "And its river?",
        system="Answer in one line.",
        history=(Message("user", "What is the capital of France?"), Message("assistant", "Paris.")),
        files=[notes],
        model="rush-pro",
        max_tokens=77,
        temperature=0.5,
    )
    await orchestrator.execute(task)
    sent = last(servers)
    assert '"model": "rush-pro"' in sent
    assert sent.index("one line") < sent.index("capital of France") < sent.index("And its river?")
    assert "the river is the Seine" in sent
    assert ": 77" in sent
    assert ": 0.5" in sent


async def test_nothing_is_sent_when_only_routed(orchestrator: Orchestrator, servers: Servers) -> None:
    decision = await orchestrator.route(Task("What is DNS?", strategy="cheapest"))
    assert decision.strategy is Strategy.CHEAPEST
    assert decision.model in {model.id for model in orchestrator.runtime.registry}
    assert await route_to_model("What is DNS?", "cheapest", orchestrator=orchestrator)
    assert asked(servers) == []


async def test_a_chain_is_walked_until_one_answers(orchestrator: Orchestrator, servers: Servers) -> None:
    servers.script.always(Reply(401), "pebble-3b")
    servers.script.always(Say("Bonjour."))
    result = await orchestrator.execute(Task("Translate: good morning", chain=["pebble-3b", "rush-pro"]))
    assert (result.text, result.model.partition("/")[2]) == ("Bonjour.", "rush-pro")
    assert [row.outcome.value for row in result.attempts] == ["failed", "finished"]
    again = await run_with_fallback("Translate: good night", ["rush-pro", "tern-max"], orchestrator=orchestrator)
    assert again.model.partition("/")[2] == "rush-pro"


async def test_a_failure_is_raised_with_what_had_come_and_what_it_cost(
    orchestrator: Orchestrator, servers: Servers
) -> None:
    servers.script.always(Break("close", Phase.MID_STREAM, Say("half an answer that breaks")))
    with pytest.raises(TaskFailed, match="broke off") as raised:
        await orchestrator.execute(Task("What is DNS?", model="rush-pro"))
    assert "half" in raised.value.partial
    assert raised.value.cost.amount
    assert raised.value.attempts
    assert not isinstance(raised.value, BudgetExceededError)


async def test_a_cap_refuses_before_anything_is_sent(orchestrator: Orchestrator, servers: Servers) -> None:
    orchestrator.set_budget("0.000000001")
    with pytest.raises(BudgetExceededError, match="session") as raised:
        await orchestrator.execute(Task("Explain monads at length", model="tern-max"))
    assert not raised.value.cost.amount
    assert asked(servers) == []


async def test_a_cap_of_the_program_cannot_lift_the_user_s_own(servers: Servers, tmp_path: Path) -> None:
    config = tmp_path / "home" / "config" / "config.toml"
    config.write_text(config.read_text() + "\n[budgets]\ndaily_usd = 0.000000001\n")
    async with Orchestrator() as orchestrator:
        orchestrator.set_budget(daily=1000)
        with pytest.raises(BudgetExceededError, match="day"):
            await orchestrator.execute(Task("Explain monads at length", model="tern-max"))


async def ceiling(orchestrator: Orchestrator, task: Task) -> Money:
    """The most that a task for a pinned model can cost."""
    decision = await orchestrator.route(task)
    assert decision.model is not None
    weighed = decision.candidate(decision.model)
    assert weighed is not None
    assert weighed.cost_ceiling is not None
    return weighed.cost_ceiling


async def test_tasks_wait_for_what_others_of_them_have_set_aside(orchestrator: Orchestrator, servers: Servers) -> None:
    servers.script.always(Say("A short answer."))
    tasks = [Task(f"Explain monads at length, part {n}", model="tern-max", max_tokens=4000) for n in range(6)]
    cap = Money((await ceiling(orchestrator, tasks[0])).picodollars * 5 // 4)
    orchestrator.set_budget(session=cap)
    reserved: list[Money] = []

    def hear(event: Event) -> None:
        if isinstance(event, Reserved):
            reserved.extend(state.spent + state.reserved for state in event.budgets if state.scope == "session")

    orchestrator.runtime.subscribe(hear)
    ended = await orchestrator.execute_parallel(tasks)
    assert [type(one) for one in ended] == [Result] * 6
    assert len(reserved) == 6
    assert max(reserved) <= cap


async def test_tasks_that_a_cap_has_no_room_for_do_not_wait_for_ever(
    orchestrator: Orchestrator, servers: Servers
) -> None:
    tasks = [Task("What is DNS?", model="tern-max", max_tokens=300) for _ in range(5)]
    orchestrator.set_budget(session=await ceiling(orchestrator, tasks[0]))
    servers.script.always(Say("A long answer. " * 100))
    ended = await orchestrator.execute_batch(tasks)
    assert sorted(type(one).__name__ for one in ended) == ["BudgetExceededError"] * 4 + ["Result"]


async def test_all_tasks_count_towards_one_session(orchestrator: Orchestrator, servers: Servers) -> None:
    first = await orchestrator.execute(Task("What is DNS?", model="rush-pro"))
    assert first.cost.amount is not None
    orchestrator.set_budget(session=first.cost.amount)
    with pytest.raises(BudgetExceededError):
        await orchestrator.execute(Task("What is TCP?", model="rush-pro"))


async def test_a_batch_keeps_its_order_and_a_failure_does_not_hold_the_others(
    orchestrator: Orchestrator, servers: Servers
) -> None:
    servers.script.always(Reply(400, "no"), "tern-max")
    servers.script.always(Say("Yes."))
    tasks = [Task("One?", model="rush-pro"), Task("Two?", model="tern-max"), Task("Three?", model="rush-pro")]
    told: list[Ended] = []
    ended = await orchestrator.execute_batch(tasks, at_once=2, on_end=told.append)
    assert [type(one) for one in ended] == [Result, TaskFailed, Result]
    assert [one.task.prompt for one in ended] == ["One?", "Two?", "Three?"]
    assert {id(one) for one in told} == {id(one) for one in ended}


async def test_the_higher_priority_goes_first(orchestrator: Orchestrator, servers: Servers) -> None:
    tasks = [Task(f"prompt {n}", model="rush-pro", priority=n) for n in range(4)]
    order: list[str] = []
    await orchestrator.execute_batch(tasks, at_once=1, on_end=lambda one: order.append(one.task.prompt))
    assert order == ["prompt 3", "prompt 2", "prompt 1", "prompt 0"]


async def test_a_wrong_task_of_a_batch_is_named_before_anything_is_sent(
    orchestrator: Orchestrator, servers: Servers
) -> None:
    with pytest.raises(LookupError, match="no model is called 'nobody'"):
        await orchestrator.execute_batch(["What is DNS?", Task("And this?", model="nobody")])
    assert asked(servers) == []


async def test_tasks_in_parallel_are_under_way_together(orchestrator: Orchestrator, servers: Servers) -> None:
    ended = await orchestrator.execute_parallel([Task(f"prompt {n}", model="rush-pro") for n in range(5)])
    assert all(isinstance(one, Result) for one in ended)
    assert asked(servers) == ["rush-pro"] * 5


async def test_an_ensemble_gives_every_member_s_answer_and_a_verdict(
    orchestrator: Orchestrator, servers: Servers
) -> None:
    servers.script.always(Say("Spaces, since they look the same everywhere."), "rush-pro")
    servers.script.always(Say("Tabs, since each may choose their width."), "tern-max")
    result = await orchestrator.ensemble("Tabs or spaces?", models=["rush-pro", "tern-max"])
    assert {answer.model.partition("/")[2]: answer.text.split(",")[0] for answer in result.answers} == {
        "rush-pro": "Spaces",
        "tern-max": "Tabs",
    }
    assert result.verdict is not None
    assert result.text in {answer.text for answer in result.answers}


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"max_tokens": 0}, "max_tokens is 0; it is a whole number from 1"),
        ({"temperature": 5}, "temperature is 5; it is a number from 0 to 2"),
        ({"difficulty": 1.5}, "difficulty is 1.5; it is a number from 0 to 1"),
        ({"ensemble_size": 9}, "ensemble_size is 9; ask 2 to 8 models"),
    ],
)
async def test_a_task_that_asks_for_what_cannot_be_is_told_so_before_anything_is_sent(
    orchestrator: Orchestrator, servers: Servers, wanted: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        await orchestrator.execute(Task("What is DNS?", **wanted))
    with pytest.raises(ValueError, match="name at least one"):
        await run_with_fallback("What is DNS?", [], orchestrator=orchestrator)
    assert asked(servers) == []


async def test_a_report_of_what_there_is_not_is_told_so(orchestrator: Orchestrator) -> None:
    with pytest.raises(ValueError, match="no period is called 'yesterday'; there are today, day"):
        await orchestrator.cost_report("yesterday")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="nothing can be told by 'modell'; there are model"):
        await orchestrator.cost_report("today", by=["modell"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="give a tuple"):
        await orchestrator.cost_report("today", by="model")  # type: ignore[arg-type]


async def test_a_task_may_say_how_hard_it_is(orchestrator: Orchestrator) -> None:
    prompt = "Prove that every bounded monotone sequence of real numbers converges."
    judged = await orchestrator.route(Task(prompt, strategy="cheapest"))
    told = await orchestrator.route(Task(prompt, strategy="cheapest", difficulty=0.1))
    assert told.profile.difficulty == 0.1
    assert judged.profile.difficulty > 0.3
    assert told.profile.complexity == 2
    assert "said to be of difficulty 0.10" in [one.feature for one in told.profile.evidence]
    assert told.candidate(told.model or "").estimated_cost < judged.candidate(judged.model or "").estimated_cost  # type: ignore[union-attr,operator]


async def test_answers_are_put_together_by_the_model_that_was_asked(
    orchestrator: Orchestrator, servers: Servers
) -> None:
    servers.script.always(Say("Both have their place."))
    result = await orchestrator.synthesize(Task("Tabs or spaces?", model="tern-max"), ["Tabs.", "Spaces."])
    assert result.text == "Both have their place."
    sent = last(servers)
    assert "Tabs." in sent
    assert "Spaces." in sent
    with pytest.raises(ValueError, match="no answers"):
        await orchestrator.synthesize("Tabs or spaces?", [])


async def test_a_forced_model_answers_everything_until_it_is_let_go(
    orchestrator: Orchestrator, servers: Servers
) -> None:
    orchestrator.force_model("tern-max")
    assert (await orchestrator.execute("What is DNS?")).model.endswith("/tern-max")
    assert (await orchestrator.execute(Task("What is DNS?", model="rush-pro"))).model.endswith("/rush-pro")
    orchestrator.force_model(None)
    assert not (await orchestrator.route("What is DNS?")).pinned
    with pytest.raises(LookupError, match="no model is called"):
        orchestrator.force_model("nobody")


async def test_a_stream_that_is_left_early_is_booked_as_cancelled(orchestrator: Orchestrator, servers: Servers) -> None:
    servers.script.always(Say("word " * 2000))
    async with orchestrator.stream(Task("Tell me a story", model="rush-pro")) as turn:
        async for event in turn:
            if isinstance(event, Text):
                break
    report = await orchestrator.cost_report("today")
    assert report.total.cancelled == 1
    assert report.total.cost


async def test_a_stream_ends_with_the_answer(orchestrator: Orchestrator, servers: Servers) -> None:
    servers.script.always(Say("Paris."))
    async with orchestrator.stream("What is the capital of France?") as turn:
        events = [event async for event in turn]
    assert isinstance(events[-1], Completed)
    assert "".join(event.text for event in events if isinstance(event, Text)) == events[-1].response == "Paris."


async def test_the_report_is_of_the_ledger_that_the_console_reads(orchestrator: Orchestrator, servers: Servers) -> None:
    result = await orchestrator.execute("What is DNS?")
    report = await orchestrator.cost_report("today", by=("model",))
    assert [group.keys for group in report.groups] == [(result.model,)]
    assert report.total.cost == result.cost.amount


WRONG: list[tuple[Task, str]] = [
    (Task("x", strategy="fastest"), "strategy is 'fastest'; it is one of cheapest"),
    (Task("x", check="twice"), "check is 'twice'; it is one of auto"),
    (Task("x", ensemble_size=9), "ask 2 to 8 models at once"),
    (Task("x", max_cost="-1"), "below zero"),
    (Task("x", max_cost="cheap"), "not an amount in US dollars"),
    (Task(" "), "the prompt is empty"),
    (Task("x", tags=[""]), "a tag is empty"),
]


async def test_a_wrong_value_is_named_with_what_would_be_right(orchestrator: Orchestrator) -> None:
    for task, said in WRONG:
        with pytest.raises(ValueError, match=said):
            await orchestrator.execute(task)


async def test_a_chain_that_is_not_there_is_named(orchestrator: Orchestrator) -> None:
    with pytest.raises(LookupError, match="no chain is called 'slow'"):
        await orchestrator.execute(Task("x", chain="slow"))


async def test_a_float_is_no_money(orchestrator: Orchestrator) -> None:
    with pytest.raises(TypeError, match="float loses cents"):
        orchestrator.set_budget(0.1)  # type: ignore[arg-type]


async def test_it_must_be_open() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await Orchestrator().execute("What is DNS?")


async def test_an_execution_that_is_cancelled_is_booked(orchestrator: Orchestrator, servers: Servers) -> None:
    servers.script.always(Break("silence", Phase.MID_STREAM, Say("half an answer and then nothing")))
    streaming = asyncio.Event()
    orchestrator.runtime.subscribe(lambda event: streaming.set() if isinstance(event, Text) else None)
    work = asyncio.create_task(orchestrator.execute(Task("What is DNS?", model="rush-pro")))
    await streaming.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert (await orchestrator.cost_report("today")).total.cancelled == 1


def test_what_is_not_there_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Orchestra'"):
        tui_orchestrator.Orchestra  # noqa: B018
