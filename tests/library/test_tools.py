"""Tools that a program's tasks may call: offered on every wire, called, answered, and refused where they are wrong."""

from __future__ import annotations

import json

import pytest

from tests.gateway.test_tools import BERN, ULM, WIRES, as_openai, streamed
from tui_orchestrator import Message, Orchestrator, Task, Tool, ToolCall, ToolChoice, arguments_of
from tui_orchestrator.demo import Say, Servers

WEATHER = Tool(
    "weather",
    "The weather of a city",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
PROMPT = "What is the weather in Ulm and in Bern?"


def sent(servers: Servers) -> str:
    return json.dumps([exchange.body for exchange in servers.exchanges if exchange.method == "POST"][-1])


@pytest.mark.parametrize("model", WIRES)
async def test_a_task_s_tools_are_called_and_their_results_go_back(
    model: str, orchestrator: Orchestrator, servers: Servers
) -> None:
    servers.script.then(streamed(WIRES[model](ULM, BERN))).then(Say("Rain in Ulm, sun in Bern."))
    task = Task(PROMPT, model=model, tools=[WEATHER])
    called = await orchestrator.execute(task)
    assert called.text == ""
    assert [(call.name, arguments_of(call)) for call in called.calls] == [
        ("weather", {"city": "Ulm"}),
        ("weather", {"city": "Bern"}),
    ]
    results = [Message("tool", said, answers=call.id) for call, said in zip(called.calls, ("rain", "sun"), strict=True)]
    history = [Message("user", PROMPT), Message("assistant", called.text, calls=called.calls), *results]
    answered = await orchestrator.execute(Task("", history=history, model=model, tools=[WEATHER]))
    assert (answered.text, answered.calls) == ("Rain in Ulm, sun in Bern.", ())
    assert all(said in sent(servers) for said in ("Ulm", "Bern", "rain", "sun"))


async def test_a_choice_of_tools_is_sent(orchestrator: Orchestrator, servers: Servers) -> None:
    servers.script.always(streamed(as_openai(ULM)))
    choice = ToolChoice("named", "weather", several=False)
    await orchestrator.execute(Task(PROMPT, model="rush-pro", tools=[WEATHER], tool_choice=choice))
    assert '"tool_choice": {"type": "function", "function": {"name": "weather"}}' in sent(servers)


async def test_only_models_that_call_tools_are_weighed(orchestrator: Orchestrator) -> None:
    decision = await orchestrator.route(Task(PROMPT, tools=[WEATHER]))
    assert "cannot call tools" in {candidate.excluded for candidate in decision.candidates}


CALL = ToolCall("c1", "weather", ULM)
ASKED = (Message("user", PROMPT), Message("assistant", "", calls=(CALL,)))


TAKEN_BY_NOBODY: list[tuple[Task, str]] = [
    (Task(PROMPT, tools=[Tool("two words")]), "a tool is called 'two words'; take 1 to 64 letters"),
    (Task(PROMPT, tools=[WEATHER, WEATHER]), "two tools are called weather"),
    (Task(PROMPT, tools=[WEATHER], tool_choice=ToolChoice("named", "wether")), "names 'wether'; the tools are"),
    (Task(PROMPT, tool_choice=ToolChoice("required")), "there are no tools to choose from"),
    (Task(PROMPT, tools=[WEATHER], strategy="ensemble"), "with tools take another strategy"),
    (Task("And now?", history=ASKED), "the result of the call c1 is missing"),
    (Task("", history=(*ASKED, Message("tool", "rain", answers="c2"))), "answers 'c2', which no call before"),
    (Task("", history=ASKED), "the prompt is empty"),
]


async def test_what_no_provider_would_take_is_named_before_anything_is_sent(
    orchestrator: Orchestrator, servers: Servers
) -> None:
    for task, said in TAKEN_BY_NOBODY:
        with pytest.raises(ValueError, match=said):
            await orchestrator.execute(task)
        assert not [exchange for exchange in servers.exchanges if exchange.method == "POST"]
