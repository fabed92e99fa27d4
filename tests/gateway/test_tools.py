"""Tools and JSON through the gateway, with OpenAI's own client before it and all three wire formats behind it."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.wire.dialects import (
    BLOCK_STOP,
    DONE,
    MESSAGE_STOP,
    data,
    delta,
    events,
    generated,
    message_delta,
    message_start,
    usage_chunk,
)
from tui_orchestrator.demo import Break, Phase, Reply, Say

from .conftest import Gateway

WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
ASKED: Any = [{"role": "user", "content": "What is the weather in Ulm and in Bern?"}]
ULM, BERN = '{"city": "Ulm"}', '{"city": "Bern"}'


def as_openai(*arguments: str, name: str = "weather", finish: str = "tool_calls") -> bytes:
    chunks = [delta(role="assistant", content=None)]
    for index, whole in enumerate(arguments):
        function = {"name": name, "arguments": ""}
        chunks.append(
            delta(tool_calls=[{"index": index, "id": f"call_{index}", "type": "function", "function": function}])
        )
        for piece in (whole[:5], whole[5:]):
            chunks.append(delta(tool_calls=[{"index": index, "function": {"arguments": piece}}]))
    return data(*chunks, delta(finish), usage_chunk(prompt_tokens=12, completion_tokens=9, total_tokens=21)) + DONE


def as_anthropic(*arguments: str) -> bytes:
    said: list[dict[str, Any]] = [message_start()]
    for index, whole in enumerate(arguments):
        block = {"type": "tool_use", "id": f"toolu_{index}", "name": "weather", "input": {}}
        said.append({"type": "content_block_start", "index": index, "content_block": block})
        for piece in ("", whole[:5], whole[5:]):
            part = {"type": "input_json_delta", "partial_json": piece}
            said.append({"type": "content_block_delta", "index": index, "delta": part})
        said.append({**BLOCK_STOP, "index": index})
    return events(*said, message_delta("tool_use"), MESSAGE_STOP)


def as_gemini(*arguments: str) -> bytes:
    parts: list[dict[str, Any]] = [
        {"functionCall": {"name": "weather", "args": json.loads(whole)}} for whole in arguments
    ]
    parts[0]["thoughtSignature"] = "c2lnbmVk"
    chunk = generated(finish="STOP", usage={"promptTokenCount": 12, "candidatesTokenCount": 5, "totalTokenCount": 17})
    chunk["candidates"][0]["content"] = {"role": "model", "parts": parts}
    return data(chunk)


WIRES: dict[str, Callable[..., bytes]] = {
    "openai/rush-pro": as_openai,
    "anthropic/tern-max": as_anthropic,
    "gemini/lumen-deep": as_gemini,
}


def chat(gateway: Gateway) -> Any:
    """The client's own types would have every literal cast."""
    return gateway.openai().chat.completions


def streamed(body: bytes) -> Reply:
    return Reply(200, body=body, content_type="text/event-stream")


def last_sent(gateway: Gateway) -> Any:
    return [exchange.body for exchange in gateway.servers.exchanges if exchange.method == "POST"][-1]


@pytest.mark.parametrize("model", WIRES)
async def test_calls_come_out_of_every_wire_format(model: str, gateway: Gateway) -> None:
    gateway.servers.script.always(streamed(WIRES[model](ULM, BERN)))
    answer = await chat(gateway).create(model=model, messages=ASKED, tools=[WEATHER])
    (choice,) = answer.choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    assert [call.function.name for call in choice.message.tool_calls] == ["weather", "weather"]
    assert [json.loads(call.function.arguments) for call in choice.message.tool_calls] == [
        {"city": "Ulm"},
        {"city": "Bern"},
    ]
    assert len({call.id for call in choice.message.tool_calls}) == 2
    assert all(call.id for call in choice.message.tool_calls)
    # It is an answer: nobody else is asked, and nobody checks it.
    assert len(gateway.asked) == 1
    assert answer.model_extra["orchestrator"]["attempts"] == 1


@pytest.mark.parametrize("model", WIRES)
async def test_calls_stream_in_pieces_that_make_them_whole(model: str, gateway: Gateway) -> None:
    gateway.servers.script.always(streamed(WIRES[model](ULM, BERN)))
    async with chat(gateway).stream(model=model, messages=ASKED, tools=[WEATHER]) as stream:
        answer = await stream.get_final_completion()
    calls = answer.choices[0].message.tool_calls or []
    assert [json.loads(call.function.arguments) for call in calls] == [{"city": "Ulm"}, {"city": "Bern"}]
    assert len({call.id for call in calls}) == 2
    assert answer.choices[0].finish_reason == "tool_calls"


ENDING = {
    '{"city": "U': "length",
    '{"city": ': "length",
    '{"city": {"name": "Ulm"}': "length",
    '{"city": tr': "length",
    '{"city": "}': "length",
    "{'city': 'Ulm'}": "tool_calls",
    "": "tool_calls",
    ULM: "tool_calls",
}
"""What had come of the arguments, and what a client is told."""


async def test_a_call_that_ends_in_the_middle_is_marked_as_cut_off(gateway: Gateway) -> None:
    model = "openai/rush-pro"
    for (arguments, told), finish in product(ENDING.items(), ("tool_calls", "stop")):
        gateway.servers.script.always(streamed(as_openai(arguments, finish=finish)))
        (choice,) = (await chat(gateway).create(model=model, messages=ASKED, tools=[WEATHER])).choices
        assert (choice.finish_reason, choice.message.tool_calls[0].function.arguments) == (told, arguments)
        stream = await chat(gateway).create(model=model, messages=ASKED, tools=[WEATHER], stream=True)
        chunks = [chunk async for chunk in stream]
        assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == told


@pytest.mark.parametrize("model", WIRES)
async def test_results_go_back_with_the_calls_they_answer(model: str, gateway: Gateway) -> None:
    gateway.servers.script.then(streamed(WIRES[model](ULM, BERN))).then(Say("Rain in Ulm, sun in Bern."))
    asked = chat(gateway)
    first = await asked.create(model=model, messages=ASKED, tools=[WEATHER])
    message = first.choices[0].message.model_dump(exclude_none=True)
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": said}
        for call, said in zip(message["tool_calls"], ("rain", "sun"), strict=True)
    ]
    second = await asked.create(model=model, messages=[*ASKED, message, *results], tools=[WEATHER])
    assert second.choices[0].message.content == "Rain in Ulm, sun in Bern."
    sent = json.dumps(last_sent(gateway))
    for said in ("Ulm", "Bern", "rain", "sun", *(call["id"] for call in message["tool_calls"])):
        assert said in sent
    if model.startswith("gemini"):
        assert "c2lnbmVk" in sent, "what Google signed comes back to it"


async def test_a_choice_of_tools_is_worded_for_each_provider(gateway: Gateway) -> None:
    for model, write in WIRES.items():
        gateway.servers.script.always(streamed(write(ULM)))
        await chat(gateway).create(
            model=model,
            messages=ASKED,
            tools=[WEATHER],
            tool_choice={"type": "function", "function": {"name": "weather"}},
            parallel_tool_calls=False,
        )
        sent = last_sent(gateway)
        if model.startswith("openai"):
            assert sent["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
            assert sent["parallel_tool_calls"] is False
            assert sent["tools"] == [WEATHER]
        elif model.startswith("anthropic"):
            assert sent["tool_choice"] == {"type": "tool", "name": "weather", "disable_parallel_tool_use": True}
            assert sent["tools"][0]["input_schema"] == WEATHER["function"]["parameters"]
        else:
            calling = sent["toolConfig"]["functionCallingConfig"]
            assert calling == {"mode": "ANY", "allowedFunctionNames": ["weather"]}
            (declared,) = sent["tools"][0]["functionDeclarations"]
            assert declared["name"] == "weather"
            assert declared["parameters_json_schema"] == WEATHER["function"]["parameters"]


async def test_only_models_that_can_call_tools_are_asked(gateway: Gateway) -> None:
    gateway.servers.script.always(Say("It rains."))
    raw = await chat(gateway).with_raw_response.create(
        model="auto",
        messages=ASKED,
        tools=[WEATHER],
    )
    request_id = raw.headers["x-orchestrator-request-id"]
    turn = await gateway.runtime.history.turn(request_id)
    assert turn is not None
    reasons = {candidate.excluded for candidate in turn.decision.candidates}
    assert "cannot call tools" in reasons
    assert "tools" in turn.decision.profile.needs


async def test_a_call_that_cannot_be_carried_out_is_gone_on_from(gateway: Gateway) -> None:
    gateway.servers.script.always(streamed(as_openai("{}", name="format_disk")), "rush-pro")
    gateway.servers.script.always(streamed(as_anthropic(ULM)))
    answer = await chat(gateway).create(model="two", messages=ASKED, tools=[WEATHER])
    assert answer.model_extra["orchestrator"]["attempts"] == 2
    assert answer.choices[0].message.tool_calls[0].function.name == "weather"


async def test_a_hostile_name_and_hostile_arguments_are_cleaned(gateway: Gateway) -> None:
    gateway.servers.script.always(streamed(as_openai('{"city": "\x1b]0;owned\x07\u202eUlm"}', name="weather\x1b[2J")))
    answer = await chat(gateway).create(model="rush-pro", messages=ASKED, tools=[WEATHER])
    (call,) = answer.choices[0].message.tool_calls
    assert call.function.name == "weather[2J"
    assert call.function.arguments == '{"city": "\\u001b]0;owned\\u0007\\u202eUlm"}'


async def test_the_definitions_of_tools_are_counted_and_paid(gateway: Gateway) -> None:
    gateway.servers.script.always(Say("No tool is needed."))
    sizes = []
    for tools in ([], [WEATHER], [{**WEATHER, "function": {**WEATHER["function"], "description": "word " * 4000}}]):
        raw = await chat(gateway).with_raw_response.create(
            model="rush-pro",
            messages=ASKED,
            **({"tools": tools} if tools else {}),
        )
        turn = await gateway.runtime.history.turn(raw.headers["x-orchestrator-request-id"])
        assert turn is not None
        sizes.append(turn.decision.profile.input_tokens)
    assert sizes[0] + 20 < sizes[1]
    assert sizes[1] + 3000 < sizes[2]


@pytest.mark.parametrize("model", WIRES)
async def test_an_answer_in_json_is_held_to_its_schema(model: str, gateway: Gateway) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    }
    gateway.servers.script.always(Say('{"city": "Ulm"}'))
    form = {"type": "json_schema", "json_schema": {"name": "place", "schema": schema, "strict": True}}
    answer = await chat(gateway).create(model=model, messages=ASKED, response_format=form)
    assert json.loads(answer.choices[0].message.content) == {"city": "Ulm"}
    sent = last_sent(gateway)
    if model.startswith("openai"):
        assert sent["response_format"] == form
    elif model.startswith("anthropic"):
        assert sent["output_config"]["format"] == {"type": "json_schema", "schema": schema}
    else:
        assert sent["generationConfig"]["responseMimeType"] == "application/json"
        assert sent["generationConfig"]["responseJsonSchema"] == schema


async def test_an_answer_that_is_not_the_json_that_was_asked_for_is_gone_on_from(gateway: Gateway) -> None:
    gateway.servers.script.always(Say("Certainly! It is Ulm."), "rush-pro")
    gateway.servers.script.always(Say('{"city": "Ulm"}'))
    answer = await chat(gateway).create(
        model="two",
        messages=ASKED,
        response_format={"type": "json_object"},
    )
    assert answer.choices[0].message.content == '{"city": "Ulm"}'


_CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": ULM}}
FUNCTION = {"role": "assistant", "content": None, "tool_calls": [_CALL]}


TAKEN_BY_NOBODY: list[tuple[str, dict[str, object]]] = [
    ("tools[0].function.name", {"tools": [{"type": "function", "function": {"name": "rm -rf"}}]}),
    ("tools", {"tools": [WEATHER, WEATHER]}),
    ("tools[0]", {"tools": [{"type": "custom", "custom": {"name": "x"}}]}),
    ("tool_choice", {"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "other"}}}),
    ("tool_choice", {"tool_choice": "required"}),
    ("model", {"tools": [WEATHER], "model": "ensemble"}),
    ("messages[1]", {"messages": [FUNCTION, {"role": "user", "content": "Well?"}]}),
    ("messages[1]", {"messages": [FUNCTION, {"role": "tool", "tool_call_id": "c2", "content": "rain"}]}),
    ("messages", {"messages": [*ASKED, FUNCTION]}),
    ("response_format", {"response_format": {"type": "yaml"}}),
    ("functions", {"functions": [WEATHER["function"]]}),
    ("logprobs", {"logprobs": True}),
    ("web_search_options", {"web_search_options": {"x": 1}}),
]


async def test_what_no_provider_could_take_is_refused_with_its_place(gateway: Gateway) -> None:
    for parameter, body in TAKEN_BY_NOBODY:
        with pytest.raises(openai.BadRequestError) as raised:
            await gateway.openai().post(
                "/chat/completions", body={"model": "auto", "messages": ASKED, **body}, cast_to=object
            )
        assert raised.value.param == parameter, body
        assert gateway.asked == []


async def test_what_another_program_asked_is_kept_with_its_name(gateway: Gateway, tmp_path: Path) -> None:
    from tui_orchestrator.storage.traffic import traffic

    gateway.servers.script.always(Say("Yes."))
    await chat(gateway).create(model="cheapest", messages=ASKED)
    runtime = gateway.runtime
    seen = await traffic(runtime.database, runtime.clock.midnight(runtime.clock.today()), 10)
    (row,) = seen.latest
    assert row.client.startswith("AsyncOpenAI/Python")
    assert (row.asked_for, row.state, seen.today.answered, seen.today.under_way) == ("cheapest", "answered", 1, 0)
    assert row.tokens
    assert row.cost is not None
    assert seen.today.cost == row.cost.amount


async def test_a_turn_under_way_is_told_with_the_model_that_is_asked(gateway: Gateway) -> None:
    from tui_orchestrator.storage.traffic import traffic

    gateway.servers.script.always(Break("silence", Phase.MID_STREAM, Say("half an answer and then nothing")))
    stream = await chat(gateway).create(model="rush-pro", messages=ASKED, stream=True)
    async for chunk in stream:
        if chunk.choices[0].delta.content:
            break
    runtime = gateway.runtime
    midnight = runtime.clock.midnight(runtime.clock.today())
    seen = await traffic(runtime.database, midnight, 10)
    assert [(row.state, row.model, row.tokens, row.cost) for row in seen.latest] == [
        ("under way", "openai/rush-pro", None, None)
    ]
    assert seen.today.under_way == 1
    await stream.close()
