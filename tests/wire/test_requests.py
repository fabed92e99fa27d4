"""What is sent."""

from __future__ import annotations

import base64
import json
import sys
from types import FrameType
from typing import Any

import pytest

from tui_orchestrator.providers import anthropic, gemini
from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.providers.openai import request_body
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.ports import Call
from tui_orchestrator.routing.request import Image, Message, Shape
from tui_orchestrator.routing.tools import Tool, ToolCall, ToolChoice

from .dialects import ANTHROPIC, GEMINI, KEY, OPENAI, Read, Wire, a_call, openai_at
from .server import Seen, WireServer, head

PNG = b"\x89PNG\r\n\x1a\n\x00\xff"
BASE64 = base64.b64encode(PNG).decode()


async def sent(wire: Wire, clients: HttpClients, call: Call) -> Seen:
    async with WireServer(head(), wire.whole) as server:
        await Read.of(wire.make(server.url, clients), call)
        (request,) = server.requests
        return request


CONVERSATION = a_call(
    messages=(
        Message("user", "What is this?", (Image("image/png", PNG),)),
        Message("assistant", "A picture."),
        Message("assistant", ""),
        Message("user", "", (Image("image/png", PNG),)),
        Message("user", "Of what?"),
    ),
    system="Be brief.",
    max_tokens=77,
    temperature=0.5,
)


async def test_anthropic_gets_the_whole_conversation(clients: HttpClients) -> None:
    request = await sent(ANTHROPIC, clients, CONVERSATION)
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": BASE64}}
    assert request.path == "/v1/messages"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.json == {
        "model": "test-model",
        "max_tokens": 77,
        "temperature": 0.5,
        "stream": True,
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": [image, {"type": "text", "text": "What is this?"}]},
            {"role": "assistant", "content": "A picture."},
            {"role": "user", "content": [image]},
            {"role": "user", "content": "Of what?"},
        ],
    }


async def test_openai_gets_the_whole_conversation(clients: HttpClients) -> None:
    request = await sent(OPENAI, clients, CONVERSATION)
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{BASE64}"}}
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.json == {
        "model": "test-model",
        "max_tokens": 77,
        "temperature": 0.5,
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]},
            {"role": "assistant", "content": "A picture."},
            {"role": "user", "content": [image]},
            {"role": "user", "content": "Of what?"},
        ],
    }


async def test_gemini_gets_the_whole_conversation(clients: HttpClients) -> None:
    request = await sent(GEMINI, clients, CONVERSATION)
    body = request.json
    image = {"inlineData": {"mimeType": "image/png", "data": BASE64}}
    assert request.path == "/v1beta/models/test-model:streamGenerateContent?alt=sse"
    assert request.headers["x-goog-api-key"] == KEY
    assert body["systemInstruction"]["parts"] == [{"text": "Be brief."}]
    assert body["generationConfig"] == {"temperature": 0.5, "maxOutputTokens": 77}
    assert body["contents"] == [
        {"role": "user", "parts": [image, {"text": "What is this?"}]},
        {"role": "model", "parts": [{"text": "A picture."}]},
        {"role": "user", "parts": [image]},
        {"role": "user", "parts": [{"text": "Of what?"}]},
    ]


async def test_ids_of_calls_that_another_provider_gave_are_written_as_anthropic_takes_them(
    clients: HttpClients,
) -> None:
    call = ToolCall("call:1/a", "weather", "{}")
    said = (Message("user", "Rain?"), Message("assistant", "", calls=(call,)), Message("tool", "No.", answers=call.id))
    _, asked, answered = (await sent(ANTHROPIC, clients, a_call(messages=said))).json["messages"]
    assert [block["id"] for block in asked["content"]] == ["call_1_a"]
    assert [block["tool_use_id"] for block in answered["content"]] == ["call_1_a"]


async def test_no_sdk_walks_the_conversation_before_it_goes(wire: Wire, clients: HttpClients) -> None:
    await calls_of_sdks(wire, clients, 1)  # what is imported at the first one is not counted
    few, many = [await calls_of_sdks(wire, clients, messages) for messages in (1, 1_000)]
    assert many < few + 1_000  # Python's; less than one a message


async def calls_of_sdks(wire: Wire, clients: HttpClients, messages: int) -> int:
    counted = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal counted
        name = frame.f_code.co_filename
        counted += event == "call" and any(sdk in name for sdk in ("genai", "openai/_", "anthropic/_", "pydantic"))

    sys.setprofile(count)
    try:
        await sent(wire, clients, a_call(messages=(Message("user", "And?"),) * messages))
    finally:
        sys.setprofile(None)
    return counted


async def test_temperature_is_left_out_where_the_model_refuses_it(wire: Wire, clients: HttpClients) -> None:
    model = Model("test", "test-model", accepts_temperature=False)
    request = await sent(wire, clients, a_call(model=model, temperature=0.5))
    assert b"temperature" not in request.body


async def test_text_of_any_alphabet_arrives_as_it_was(wire: Wire, clients: HttpClients) -> None:
    text = "¿Qué? 你好 👩🏽‍🚀 \u202e"
    request = await sent(wire, clients, a_call(text))
    assert text in json.dumps(request.json, ensure_ascii=False)


def test_only_openai_itself_gets_max_completion_tokens() -> None:
    call = a_call(max_tokens=9)
    assert request_body(call, "openai", True)["max_completion_tokens"] == 9
    for body in (request_body(call, "openai", False), request_body(call, "openrouter", False)):
        assert body["max_tokens"] == 9
        assert "max_completion_tokens" not in body


SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = Tool("weather", "The weather of a city.", SCHEMA, strict=True)
NOW = Tool("now")


def asked_of(wire: Wire, call: Call) -> dict[str, Any]:
    """What is sent beside the conversation."""
    if wire is GEMINI:
        config = gemini.request_body(call)["config"]
        ours = {"max_output_tokens", "automatic_function_calling", "automatic_continuation", "http_options"}
        assert (config["automatic_function_calling"], config["automatic_continuation"]) == ({"disable": True}, False)
        return {name: value for name, value in config.items() if name not in ours}
    body = anthropic.request_body(call) if wire is ANTHROPIC else request_body(call, "openai-compatible", False)
    return {name: value for name, value in body.items() if name not in ("model", "messages", "max_tokens")}


def test_tools_are_offered_as_each_wire_format_has_them(wire: Wire) -> None:
    assert (
        asked_of(wire, a_call(tools=(WEATHER, NOW)))
        == {
            "anthropic": {
                "tools": [
                    {
                        "name": "weather",
                        "description": "The weather of a city.",
                        "input_schema": SCHEMA,
                        "strict": True,
                    },
                    {"name": "now", "input_schema": {"type": "object"}},
                ]
            },
            "openai": {
                "tools": [
                    {
                        "type": "function",
                        "function": {
                            "name": "weather",
                            "description": "The weather of a city.",
                            "parameters": SCHEMA,
                            "strict": True,
                        },
                    },
                    {"type": "function", "function": {"name": "now"}},
                ]
            },
            "gemini": {
                "tools": [
                    {
                        "function_declarations": [
                            {
                                "name": "weather",
                                "description": "The weather of a city.",
                                "parameters_json_schema": SCHEMA,
                            },
                            {"name": "now", "description": ""},
                        ]
                    }
                ]
            },
        }[wire.name]
    )


@pytest.mark.parametrize(
    ("choice", "to_anthropic", "to_openai", "to_gemini"),
    [
        (ToolChoice(), None, {}, None),
        (ToolChoice("none"), {"type": "none"}, {"tool_choice": "none"}, {"mode": "NONE"}),
        (ToolChoice("required"), {"type": "any"}, {"tool_choice": "required"}, {"mode": "ANY"}),
        (
            ToolChoice("named", "now"),
            {"type": "tool", "name": "now"},
            {"tool_choice": {"type": "function", "function": {"name": "now"}}},
            {"mode": "ANY", "allowed_function_names": ["now"]},
        ),
        (
            ToolChoice(several=False),
            {"type": "auto", "disable_parallel_tool_use": True},
            {"parallel_tool_calls": False},
            None,
        ),
        (
            ToolChoice("required", several=True),
            {"type": "any", "disable_parallel_tool_use": False},
            {"tool_choice": "required", "parallel_tool_calls": True},
            {"mode": "ANY"},
        ),
        (
            ToolChoice("none", several=False),
            {"type": "none"},
            {"tool_choice": "none", "parallel_tool_calls": False},
            {"mode": "NONE"},
        ),
    ],
)
def test_which_tool_is_to_be_called_is_said_as_each_wire_format_says_it(
    choice: ToolChoice, to_anthropic: Any, to_openai: Any, to_gemini: Any
) -> None:
    call = a_call(tools=(NOW,), tool_choice=choice)
    assert asked_of(ANTHROPIC, call).get("tool_choice") == to_anthropic
    sent_to_openai = asked_of(OPENAI, call)
    del sent_to_openai["tools"]
    assert sent_to_openai == to_openai
    expected = None if to_gemini is None else {"function_calling_config": to_gemini}
    assert asked_of(GEMINI, call).get("tool_config") == expected


def test_nothing_is_said_of_tools_where_there_are_none(wire: Wire) -> None:
    call = a_call(tool_choice=ToolChoice("required", several=False), temperature=None)
    assert asked_of(wire, call) == {}


def test_the_shape_of_an_answer_is_asked_for_as_each_wire_format_has_it() -> None:
    any_object, by_schema = a_call(shape=Shape()), a_call(shape=Shape(SCHEMA, "city", "Where.", True))
    bare = a_call(shape=Shape(SCHEMA, "city"))
    assert asked_of(OPENAI, any_object) == {"response_format": {"type": "json_object"}}
    assert asked_of(OPENAI, by_schema)["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "city", "description": "Where.", "schema": SCHEMA, "strict": True},
    }
    assert asked_of(OPENAI, bare)["response_format"]["json_schema"] == {"name": "city", "schema": SCHEMA}
    assert asked_of(GEMINI, any_object) == {"response_mime_type": "application/json"}
    assert asked_of(GEMINI, by_schema) == {
        "response_mime_type": "application/json",
        "response_json_schema": SCHEMA,
    }
    asked = {"system": "Answer with one JSON object and nothing else."}
    assert asked_of(ANTHROPIC, any_object) == asked
    assert asked_of(ANTHROPIC, a_call(shape=Shape(), system="Be brief."))["system"] == f"Be brief.\n\n{asked['system']}"
    schema = {**SCHEMA, "additionalProperties": False}
    assert asked_of(ANTHROPIC, by_schema) == {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


CALLED = (
    Message("system", "Be brief."),
    Message("user", "And?"),
    Message(
        *("assistant", "I look.", ()),
        calls=(ToolCall("1", "weather", '{"city": "Ulm"}', "c2lnbmVk"), ToolCall("2", "now")),
    ),
    Message("tool", '{"rain": true}', answers="1"),
    Message("tool", "noon", answers="2"),
    Message("user", "So?"),
    Message("assistant", "", calls=(ToolCall("3", "now", "{broken", "no base64"),)),
    Message("tool", "[1]", answers="3"),
)


def test_calls_and_their_results_are_written_as_openai_has_them() -> None:
    def call(id: str, name: str, arguments: str, **more: Any) -> dict[str, Any]:
        return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}, **more}

    def signed(signature: str) -> dict[str, Any]:
        return {"extra_content": {"google": {"thought_signature": signature}}}

    assert request_body(a_call(messages=CALLED), "openai-compatible", False)["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "And?"},
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [call("1", "weather", '{"city": "Ulm"}', **signed("c2lnbmVk")), call("2", "now", "{}")],
        },
        {"role": "tool", "tool_call_id": "1", "content": '{"rain": true}'},
        {"role": "tool", "tool_call_id": "2", "content": "noon"},
        {"role": "user", "content": "So?"},
        {"role": "assistant", "content": None, "tool_calls": [call("3", "now", "{broken", **signed("no base64"))]},
        {"role": "tool", "tool_call_id": "3", "content": "[1]"},
    ]


def test_calls_and_their_results_are_written_as_anthropic_has_them() -> None:
    body = anthropic.request_body(a_call(messages=CALLED))
    assert body["system"] == "Be brief."
    assert body["messages"] == [
        {"role": "user", "content": "And?"},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "1", "name": "weather", "input": {"city": "Ulm"}},
                {"type": "tool_use", "id": "2", "name": "now", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "1", "content": '{"rain": true}'},
                {"type": "tool_result", "tool_use_id": "2", "content": "noon"},
            ],
        },
        {"role": "user", "content": "So?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "3", "name": "now", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "3", "content": "[1]"}]},
    ]
    # It wants the tools of a conversation defined, also where none may be called any more.
    assert [tool["name"] for tool in body["tools"]] == ["now", "weather"]
    assert body["tool_choice"] == {"type": "none"}
    offered = anthropic.request_body(a_call(messages=CALLED, tools=(NOW,)))
    assert [tool["name"] for tool in offered["tools"]] == ["now"]
    assert "tool_choice" not in offered


def test_calls_and_their_results_are_written_as_gemini_has_them() -> None:
    unsigned = base64.b64encode(b"skip_thought_signature_validator").decode()

    def call(id: str, name: str, args: dict[str, Any], signature: str) -> dict[str, Any]:
        return {"functionCall": {"id": id, "name": name, "args": args}, "thoughtSignature": signature}

    def result(id: str, name: str, response: dict[str, Any]) -> dict[str, Any]:
        return {"functionResponse": {"id": id, "name": name, "response": response}}

    body = gemini.request_body(a_call(messages=(*CALLED, Message("tool", "late", answers="4"))))
    assert body["config"]["system_instruction"] == "Be brief."
    assert body["config"]["http_options"]["extra_body"]["contents"] == [
        {"role": "user", "parts": [{"text": "And?"}]},
        {
            "role": "model",
            "parts": [
                {"text": "I look."},
                call("1", "weather", {"city": "Ulm"}, "c2lnbmVk"),
                call("2", "now", {}, unsigned),
            ],
        },
        {"role": "user", "parts": [result("1", "weather", {"rain": True}), result("2", "now", {"output": "noon"})]},
        {"role": "user", "parts": [{"text": "So?"}]},
        {"role": "model", "parts": [call("3", "now", {}, unsigned)]},
        {"role": "user", "parts": [result("3", "now", {"output": [1]}), result("4", "", {"output": "late"})]},
    ]


@pytest.mark.parametrize(
    ("dialect", "is_openai", "name", "asked"),
    [
        ("openai", True, "gpt-4o-mini-2024-07-18", True),
        ("openai", True, "gpt-4.1", True),
        ("openai", True, "gpt-4o-search-preview", False),
        ("openai", True, "gpt-6-luna", False),
        ("openai", True, "o3", False),
        ("openrouter", False, "openai/gpt-4o", True),
        ("openrouter", False, "other/gpt-4o", False),
        ("openai-compatible", False, "gpt-4o", False),
        ("openai", False, "gpt-4o", False),
    ],
)
def test_log_probabilities_are_asked_for_only_where_they_are_given(
    dialect: Any, is_openai: bool, name: str, asked: bool
) -> None:
    body = request_body(a_call(model=Model("test", name)), dialect, is_openai)
    assert ("logprobs" in body) == asked


async def test_openrouter_is_asked_what_it_charges(clients: HttpClients) -> None:
    async with WireServer(head(), OPENAI.whole) as server:
        await Read.of(openai_at(server.url, clients, "openrouter"))
        assert server.requests[0].json["usage"] == {"include": True}
        await Read.of(openai_at(server.url, clients))
        assert "usage" not in server.requests[1].json


async def test_a_server_without_a_key_gets_no_authorization(clients: HttpClients) -> None:
    async with WireServer(head(), OPENAI.whole) as server:
        await Read.of(openai_at(server.url, clients, key=""))
        assert "authorization" not in server.requests[0].headers


ELSEWHERE = "http://127.0.0.1:1"
FOREIGN = {
    **dict.fromkeys(
        (
            *("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID"),
            *("OPENAI_PROJECT_ID", "GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"),
            *("GOOGLE_GENAI_API_KEY", "GOOGLE_GENAI_ACCESS_TOKEN", "GOOGLE_GENAI_DEFAULT_HEADERS"),
            *("ANTHROPIC_WEBHOOK_SIGNING_KEY", "OPENAI_WEBHOOK_SECRET", "GOOGLE_GENAI_API_VERSION"),
        ),
        "somebody-elses",
    ),
    **dict.fromkeys(
        (
            *("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL"),
            *("ANTHROPIC_VERTEX_BASE_URL", "ANTHROPIC_BEDROCK_BASE_URL"),
        ),
        ELSEWHERE,
    ),
    **dict.fromkeys(
        ("ANTHROPIC_CUSTOM_HEADERS", "OPENAI_CUSTOM_HEADERS"),
        "Authorization: Bearer somebody-elses\nX-Api-Key: somebody-elses\nX-Team: somebody-elses",
    ),
    **dict.fromkeys(("GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_ENTERPRISE"), "true"),
    "GOOGLE_GENAI_CLIENT_MODE": "replay",
}


@pytest.mark.parametrize("dialect", ["openai", "openrouter", "openai-compatible"])
async def test_openai_is_sent_what_the_settings_say_whatever_the_environment_says(
    clients: HttpClients, monkeypatch: pytest.MonkeyPatch, dialect: Any
) -> None:
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)
    async with WireServer(head(), OPENAI.whole) as server:
        provider = openai_at(server.url, clients, dialect)
        provider._is_openai = dialect == "openai"  # type: ignore[attr-defined]  # as at its own address
        await Read.of(provider)
    assert "somebody-elses" not in str(server.requests[0].headers)


async def test_nothing_of_the_environment_is_sent_to_anyone(
    wire: Wire, clients: HttpClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = await sent(wire, clients, a_call())
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)
    request = await sent(wire, clients, a_call())
    assert request.path == without.path
    assert request.body == without.body
    assert "somebody-elses" not in str(request.headers)
    assert set(request.headers) == set(without.headers)
    assert KEY in str(request.headers)


async def test_connecting_has_a_deadline_and_nothing_else_has(wire: Wire, clients: HttpClients) -> None:
    deadlines = []

    async def note(request: Any) -> None:
        deadlines.append(dict(request.extensions["timeout"]))

    clients.local.event_hooks["request"].append(note)
    async with WireServer(head(), wire.whole) as server:
        await Read.of(wire.make(server.url, clients))
        await clients.local.get(server.url)
    assert deadlines[0] == {"connect": 5.0, "read": None, "write": None, "pool": None}
    assert deadlines[1]["read"] is not None, "a listing has its own deadline"
