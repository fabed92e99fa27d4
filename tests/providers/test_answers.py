"""Events of each wire format, as their SDKs decode them → pieces of an answer. Over the wire: tests/wire."""

from __future__ import annotations

from typing import Any

import pytest
from google.genai.types import GenerateContentResponse

from tests.wire.dialects import delta, generated, usage_chunk
from tui_orchestrator.providers.anthropic import AnthropicAnswer
from tui_orchestrator.providers.gemini import GeminiAnswer
from tui_orchestrator.providers.openai import OpenAIAnswer
from tui_orchestrator.routing.events import FinishReason
from tui_orchestrator.routing.money import Money, Usage
from tui_orchestrator.routing.ports import CallPiece, Piece, TextPiece, ThinkingPiece, UsageSoFar

from .test_usage import as_objects

# OpenAI


def openai(*chunks: Any, answer: OpenAIAnswer | None = None) -> list[Piece]:
    answer = answer or OpenAIAnswer("openai-compatible")
    return [piece for chunk in chunks for piece in answer.read(chunk)]


def calling(*parts: dict[str, Any]) -> dict[str, Any]:
    return delta(tool_calls=list(parts))


def function(name: str | None = None, arguments: Any = None) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}}


@pytest.mark.parametrize(
    ("chunks", "pieces"),
    [
        (
            [calling({"index": 0, "id": "a", **function("f")}), calling({"index": 0, **function(arguments="{}")})],
            [CallPiece(0, "", "a", "f"), CallPiece(0, "{}")],
        ),
        (
            [calling({"index": 0, "id": "a", **function("f")}), calling({"index": 1, "id": "b", **function("g")})],
            [CallPiece(0, "", "a", "f"), CallPiece(1, "", "b", "g")],
        ),
        # Every call with the index 0, or none, each with an id of its own.
        (
            [calling({"index": 0, "id": "a", **function("f")}, {"index": 0, "id": "b", **function("g")})],
            [CallPiece(0, "", "a", "f"), CallPiece(1, "", "b", "g")],
        ),
        (
            [calling({"id": "a", **function("f")}), calling({"id": "a", **function(arguments="1")})],
            [CallPiece(0, "", "a", "f"), CallPiece(0, "1")],
        ),
        (
            [calling({"id": "a", **function("f")}, {"id": "b", **function("g")}), calling(function(arguments="2"))],
            [CallPiece(0, "", "a", "f"), CallPiece(1, "", "b", "g"), CallPiece(1, "2")],
        ),
        ([calling(function("f", {"city": "Ulm"}))], [CallPiece(0, '{"city": "Ulm"}', "", "f")]),
        ([calling({"id": None, "function": None})], [CallPiece(0)]),
        (
            [calling({**function("f"), "extra_content": {"google": {"thought_signature": "c2ln"}}})],
            [CallPiece(0, "", "", "f", "c2ln")],
        ),
        ([calling({**function("f"), "extra_content": {"other": {}}})], [CallPiece(0, "", "", "f")]),
        (
            [delta(function_call={"name": "f", "arguments": "{"}), delta(function_call={"arguments": "}"})],
            [CallPiece(0, "{", "", "f"), CallPiece(0, "}")],
        ),
        ([delta(content="")], []),
        ([delta(content="a", reasoning_content="b")], [ThinkingPiece("b"), TextPiece("a")]),
        ([delta(reasoning="b")], [ThinkingPiece("b")]),
        ([delta(reasoning="b", reasoning_content="c")], [ThinkingPiece("c")]),
        ([delta(content="a", refusal="No.")], [TextPiece("a"), TextPiece("No.")]),
        (
            [
                delta(
                    content=[
                        {"type": "thinking", "thinking": [{"text": "a"}, {"text": "b"}]},
                        {"type": "text", "text": "c"},
                        {"type": "reference", "text": "d"},
                    ]
                )
            ],
            [ThinkingPiece("a"), ThinkingPiece("b"), TextPiece("c")],
        ),
        ([{"choices": [{"index": 1, "delta": {"content": "b"}}, {"delta": {"content": "a"}}]}], [TextPiece("a")]),
        ([{"choices": None}, {"choices": [None, 5]}, {"choices": [{"delta": "a"}]}, [], "x"], []),
        ([delta(usage={"prompt_tokens": 1, "completion_tokens": 2})], [UsageSoFar(Usage(1, 2))]),
        ([delta(usage={})], []),
        ([delta(usage="many")], []),
        (
            [{**delta(usage={"prompt_tokens": 1, "completion_tokens": 2}), "service_tier": "flex"}],
            [UsageSoFar(Usage(1, 2), tier="flex")],
        ),
        (
            [{**delta(), "service_tier": "flex"}, usage_chunk(prompt_tokens=1, completion_tokens=2)],
            [UsageSoFar(Usage(1, 2), tier="flex")],
        ),
    ],
)
def test_every_field_of_openais_events_is_read(chunks: list[Any], pieces: list[Piece]) -> None:
    assert openai(*chunks) == pieces


@pytest.mark.parametrize(
    ("reason", "whole"),
    [("stop", True), ("STOP", True), ("null", False), ("None", False), ("", False), (None, False), ("new", True)],
)
def test_a_finish_reason_ends_openais_answer(reason: str | None, whole: bool) -> None:
    answer = OpenAIAnswer("openai")
    openai(delta(content="a"), delta(reason), answer=answer)
    assert (answer.ending.whole, answer.ending.closed) == (whole, False)
    openai("[DONE]", answer=answer)
    assert (answer.ending.whole, answer.ending.closed) == (whole, whole)


def test_usage_without_choices_closes_openais_answer_and_usage_with_them_does_not() -> None:
    for more, closed in ((delta(usage={}), False), ({"choices": [], "usage": {}}, True), ({"choices": []}, False)):
        answer = OpenAIAnswer("openai")
        openai(delta("stop"), more, answer=answer)
        assert answer.ending.closed == closed


def test_what_openrouter_charges_comes_with_the_usage() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "cost": 0.5}
    for dialect, billed in (("openrouter", Money.from_usd("0.5")), ("openai", None), ("openai-compatible", None)):
        answer = OpenAIAnswer(dialect)  # type: ignore[arg-type]
        assert openai(delta("stop"), usage_chunk(**usage), answer=answer) == [UsageSoFar(Usage(1, 2), billed)]
        assert (answer.done().billed, answer.done().usage) == (billed, Usage(1, 2))


def test_what_openai_said_of_all_of_it_comes_last() -> None:
    def weighed(*logprobs: Any) -> dict[str, Any]:
        chunk = delta(content="a")
        chunk["choices"][0]["logprobs"] = {"content": [{"logprob": one} for one in logprobs]}
        return chunk

    answer = OpenAIAnswer("openai")
    openai(
        *(weighed(-1.0, 0, "x", 0.5, float("-inf")), weighed(-3), {**delta(), "model": "first"}),
        {**delta("length"), "model": "gpt\x1b[2J", "service_tier": "priority"},
        *({**delta(), "model": ""}, {**delta(), "model": 5}, {**delta(), "service_tier": "default"}),
        usage_chunk(prompt_tokens=1, completion_tokens=2),
        answer=answer,
    )
    done = answer.done()
    assert (done.finish_reason, done.usage, done.billed) == (FinishReason.LENGTH, Usage(1, 2), None)
    assert (done.served_by, done.mean_logprob, done.tier) == ("gpt-test-2026-11-01", -4 / 3, "priority")


ROLE = {"role": "assistant"}


@pytest.mark.parametrize(
    ("more", "begun_again"),
    [
        (delta(**ROLE, content=""), True),
        (delta(**ROLE, content="c"), True),
        (delta("stop", **ROLE, content="c"), True),
        (delta("stop", **ROLE, content=""), False),
        (delta(**ROLE, tool_calls=[function("f")]), False),
        (delta(content="c"), False),
        ({"choices": [{"index": 0, "delta": {}}, {"index": 0, "delta": {**ROLE}}]}, True),
        ({"choices": [5]}, False),
    ],
)
def test_a_role_named_anew_behind_some_of_openais_answer_begins_another(more: Any, begun_again: bool) -> None:
    answer = OpenAIAnswer("openai")
    for chunk in (delta(**ROLE, content=""), delta(content="a"), delta(content="b"), more):
        for piece in answer.read({**chunk, "id": None}):
            answer.ending.after(piece)
    assert answer.ending.begun_again == begun_again


# Gemini


def gemini(*chunks: dict[str, Any], answer: GeminiAnswer | None = None) -> list[Piece]:
    answer = answer or GeminiAnswer()
    read = [GenerateContentResponse.model_validate(chunk) for chunk in chunks]
    return [piece for chunk in read for piece in answer.read(chunk)]


def parts(*parts: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    chunk = generated(None, finish)
    chunk["candidates"][0]["content"] = {"role": "model", "parts": list(parts)}
    return chunk


@pytest.mark.parametrize(
    ("chunks", "pieces"),
    [
        ([parts({"text": "a"}, {"text": ""}, {"text": "b", "thought": True})], [TextPiece("a"), ThinkingPiece("b")]),
        ([parts()], []),
        ([generated(None)], []),
        ([{"candidates": None}], []),
        (
            [parts({"functionCall": {"id": "1", "name": "f", "args": {"ä": 1}}, "thoughtSignature": "c2ln"})],
            [CallPiece(0, '{"ä": 1}', "1", "f", "c2ln")],
        ),
        (
            [parts({"functionCall": {"name": "f"}}), parts({"text": "x", "functionCall": {"name": "g"}})],
            [CallPiece(0, "{}", "", "f"), CallPiece(1, "{}", "", "g")],
        ),
        ([parts({"functionCall": {}})], [CallPiece(0, "{}")]),
        ([generated(usage={"promptTokenCount": 1, "candidatesTokenCount": 2})], [UsageSoFar(Usage(1, 2))]),
        ([generated(usage={"candidatesTokenCount": 2})], []),
        (
            [generated(usage={"promptTokenCount": 1, "trafficType": "ON_DEMAND_PRIORITY"})],
            [UsageSoFar(Usage(1, 0), tier="priority")],
        ),
    ],
)
def test_every_field_of_geminis_events_is_read(chunks: list[dict[str, Any]], pieces: list[Piece]) -> None:
    assert gemini(*chunks) == pieces


@pytest.mark.parametrize(
    ("mean", "kept"), [(-0.5, -0.5), (0.0, 0.0), (0.5, None), (float("-inf"), None), (float("nan"), None)]
)
def test_geminis_mean_log_probability_is_one_of_a_probability(mean: float, kept: float | None) -> None:
    answer = GeminiAnswer()
    chunk = generated("a", "STOP")
    chunk["candidates"][0]["avgLogprobs"] = mean
    gemini(chunk, answer=answer)
    assert answer.done().mean_logprob == kept


@pytest.mark.parametrize(
    ("reason", "called", "whole", "failed"),
    [
        ("STOP", True, True, ""),
        ("FINISH_REASON_UNSPECIFIED", False, False, ""),
        ("MALFORMED_FUNCTION_CALL", True, True, "MALFORMED_FUNCTION_CALL"),
        ("MALFORMED_FUNCTION_CALL", False, True, ""),
        ("UNEXPECTED_TOOL_CALL", True, True, "UNEXPECTED_TOOL_CALL"),
    ],
)
def test_how_geminis_answer_ended(reason: str, called: bool, whole: bool, failed: str) -> None:
    answer = GeminiAnswer()
    gemini(parts({"functionCall": {"name": "f"}} if called else {"text": "a"}), generated(None, reason), answer=answer)
    assert (answer.ending.whole, answer.ending.failed) == (whole, failed)


def test_what_gemini_said_of_all_of_it_comes_last() -> None:
    answer = GeminiAnswer()
    last = generated(
        "", "MAX_TOKENS", {"promptTokenCount": 1, "candidatesTokenCount": 2, "trafficType": "ON_DEMAND_FLEX"}
    )
    gemini({**generated("a"), "modelVersion": "first"}, {**last, "modelVersion": "gemini\x1b[2J"}, answer=answer)
    done = answer.done()
    assert (done.finish_reason, done.usage, done.served_by) == (FinishReason.LENGTH, Usage(1, 2), "gemini[2J")
    assert (done.mean_logprob, done.tier, done.billed) == (None, "flex", None)


# Anthropic


def anthropic(*events: dict[str, Any], answer: AnthropicAnswer | None = None) -> list[Piece]:
    answer = answer or AnthropicAnswer()
    return [piece for event in events for piece in answer.read(as_objects(event))]


def opened(index: int = 0, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": "", **block}}


def told(index: int = 0, **said: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": said}


def started(usage: Any = None, model: str = "claude") -> dict[str, Any]:
    return {"type": "message_start", "message": {"model": model, "usage": usage}}


def ended(reason: str | None, usage: Any = None) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}


TOOL = {"type": "tool_use", "id": "1", "name": "f"}


@pytest.mark.parametrize(
    ("events", "pieces"),
    [
        ([opened(text="a"), told(type="text_delta", text="b")], [TextPiece("a"), TextPiece("b")]),
        ([opened(), told(type="thinking_delta", thinking="b")], [ThinkingPiece("b")]),
        ([opened(type="thinking", text="a"), told(type="citations_delta", text="b")], []),
        (
            [opened(**TOOL), told(type="input_json_delta", partial_json="{}")],
            [CallPiece(0, "", "1", "f"), CallPiece(0, "{}")],
        ),
        (
            [
                *(opened(3, **TOOL), opened(5, **{**TOOL, "id": "2"})),
                *(
                    told(3, type="input_json_delta", partial_json="a"),
                    told(5, type="input_json_delta", partial_json="b"),
                ),
            ],
            [CallPiece(0, "", "1", "f"), CallPiece(1, "", "2", "f"), CallPiece(0, "a"), CallPiece(1, "b")],
        ),
        # What a server's own tool is called with is none of the user's.
        ([opened(type="server_tool_use"), told(type="input_json_delta", partial_json="{}")], []),
        ([started({"input_tokens": 1, "output_tokens": 2})], [UsageSoFar(Usage(1, 2))]),
        ([started({"input_tokens": 1}), ended(None, {"output_tokens": 2})], [UsageSoFar(Usage(1, 2))]),
        (
            [started({"input_tokens": 1, "output_tokens": 2}), ended(None, {"input_tokens": 3})],
            [UsageSoFar(Usage(1, 2))],
        ),
        (
            [started({"input_tokens": 1, "output_tokens": 2, "service_tier": "priority"})],
            [UsageSoFar(Usage(1, 2), tier="priority")],
        ),
        ([{"type": "ping"}, {"type": "of_next_year"}], []),
    ],
)
def test_every_field_of_anthropics_events_is_read(events: list[dict[str, Any]], pieces: list[Piece]) -> None:
    assert anthropic(*events) == pieces


@pytest.mark.parametrize(
    ("events", "begun_again"),
    [
        ([opened(0), opened(0)], True),
        ([opened(0), opened(1)], False),
        ([opened(0), {"type": "content_block_stop", "index": 0}, opened(0)], False),
        ([opened(0), {"type": "content_block_stop", "index": 1}, opened(0)], True),
        ([opened(0), opened(0, **TOOL)], False),
        ([opened(0, **TOOL), opened(0)], False),
        ([opened(0), started(), opened(0)], False),
    ],
)
def test_a_block_that_opens_twice_is_of_another_answer(events: list[dict[str, Any]], begun_again: bool) -> None:
    answer = AnthropicAnswer()
    anthropic(*events, answer=answer)
    assert answer.ending.begun_again == begun_again


def test_what_anthropic_said_of_all_of_it_comes_last() -> None:
    answer = AnthropicAnswer()
    usage = {"input_tokens": 1, "output_tokens": 2, "service_tier": "priority"}
    anthropic(started(usage, "claude\x1b[2J"), ended(None), answer=answer)
    assert not answer.ending.whole
    anthropic(ended("max_tokens", {"output_tokens": 3, "service_tier": "standard"}), answer=answer)
    assert (answer.ending.whole, answer.ending.closed) == (True, False)
    anthropic({"type": "message_stop"}, answer=answer)
    assert answer.ending.closed
    done = answer.done()
    assert (done.finish_reason, done.usage, done.served_by) == (FinishReason.LENGTH, Usage(1, 3), "claude[2J")
    assert (done.mean_logprob, done.tier, done.billed) == (None, "priority", None)
