"""The three wire formats as their providers send them, in recorded shapes, and what to talk to them with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tui_orchestrator.providers.anthropic import AnthropicProvider
from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.providers.gemini import GeminiProvider
from tui_orchestrator.providers.openai import Dialect, OpenAIProvider
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.ports import Call, Done, Piece, Provider, TextPiece, ThinkingPiece, UsageSoFar
from tui_orchestrator.routing.request import Message

KEY = "sk-test-0123456789abcdef"


def data(*payloads: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(payload).encode() + b"\n\n" for payload in payloads)


def events(*payloads: dict[str, Any]) -> bytes:
    """Anthropic's: each with its type as the event's name."""
    return b"".join(
        f"event: {payload['type']}\n".encode() + b"data: " + json.dumps(payload).encode() + b"\n\n"
        for payload in payloads
    )


def message_start(**usage: Any) -> dict[str, Any]:
    return {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-test-20261101",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage or {"input_tokens": 12, "output_tokens": 1},
        },
    }


def block_delta(**delta: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": delta}


def text_delta(text: str) -> dict[str, Any]:
    return block_delta(type="text_delta", text=text)


def message_delta(stop_reason: str | None = "end_turn", **usage: Any) -> dict[str, Any]:
    return {
        "type": "message_delta",
        "delta": {"stop_reason": stop_reason, "stop_sequence": None},
        "usage": usage or {"output_tokens": 5},
    }


BLOCK_START = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
BLOCK_STOP = {"type": "content_block_stop", "index": 0}
MESSAGE_STOP = {"type": "message_stop"}


def delta(finish_reason: str | None = None, usage: Any = None, **delta: Any) -> dict[str, Any]:
    """One chat.completion.chunk of OpenAI's."""
    chunk: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-test-2026-11-01",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }
    if usage is not None:
        chunk["usage"] = usage
    return chunk


def usage_chunk(**usage: Any) -> dict[str, Any]:
    return {**delta(usage=usage), "choices": []}


DONE = b"data: [DONE]\n\n"


def generated(text: str | None = None, finish: str | None = None, usage: Any = None, **part: Any) -> dict[str, Any]:
    """One GenerateContentResponse of Gemini's."""
    candidate: dict[str, Any] = {"index": 0}
    if text is not None:
        candidate["content"] = {"role": "model", "parts": [{"text": text, **part}]}
    if finish is not None:
        candidate["finishReason"] = finish
    chunk: dict[str, Any] = {"candidates": [candidate], "modelVersion": "gemini-test-001", "responseId": "resp_1"}
    if usage is not None:
        chunk["usageMetadata"] = usage
    return chunk


@dataclass(frozen=True)
class Wire:
    """One protocol with the smallest streams that say something in it."""

    name: str
    make: Callable[[str, HttpClients], Provider]
    opening: bytes
    """Says 'Hel' and is not over."""
    closing: bytes
    """Says 'lo' and ends well."""
    in_stream_error: bytes
    """The provider says in the stream that it is overloaded."""

    @property
    def whole(self) -> bytes:
        return self.opening + self.closing

    def __str__(self) -> str:
        return self.name


def openai_at(url: str, clients: HttpClients, dialect: Dialect = "openai-compatible", key: str = KEY) -> Provider:
    return OpenAIProvider("openai", key, f"{url}/v1", lambda: clients.local, 5.0, dialect=dialect)


ANTHROPIC = Wire(
    "anthropic",
    lambda url, clients: AnthropicProvider("anthropic", KEY, url, lambda: clients.local, 5.0),
    events(message_start(), BLOCK_START, text_delta("Hel")),
    events(text_delta("lo"), BLOCK_STOP, message_delta(), MESSAGE_STOP),
    events({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
)
OPENAI = Wire(
    "openai",
    openai_at,
    data(delta(role="assistant", content=""), delta(content="Hel")),
    data(delta(content="lo"), delta("stop"), usage_chunk(prompt_tokens=12, completion_tokens=5, total_tokens=17))
    + DONE,
    data({"error": {"message": "Overloaded", "code": 503}, "choices": []}),
)
GEMINI = Wire(
    "gemini",
    lambda url, clients: GeminiProvider("gemini", KEY, url, lambda: clients.local, 5.0),
    data(generated("Hel", usage={"promptTokenCount": 12, "candidatesTokenCount": 1, "totalTokenCount": 13})),
    data(generated("lo", "STOP", usage={"promptTokenCount": 12, "candidatesTokenCount": 5, "totalTokenCount": 17})),
    data({"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}}),
)
WIRES = (ANTHROPIC, OPENAI, GEMINI)


def a_call(prompt: str = "Say hello", **fields: Any) -> Call:
    fields.setdefault("model", Model("test", "test-model"))
    fields.setdefault("messages", (Message("user", prompt),))
    return Call(**fields)


@dataclass
class Read:
    """A stream read to its end. Raises what it raised."""

    pieces: list[Piece]

    @classmethod
    async def of(cls, provider: Provider, call: Call | None = None) -> Read:
        async with asyncio.timeout(20):  # nothing waits for it unless something hangs
            return cls([piece async for piece in provider.stream(call or a_call())])

    async def on(self, provider: Provider) -> None:
        """Takes in what comes; raises as `of`, and has what came before."""
        async with asyncio.timeout(20):
            async for piece in provider.stream(a_call()):
                self.pieces.append(piece)

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces if isinstance(piece, TextPiece))

    @property
    def thinking(self) -> str:
        return "".join(piece.text for piece in self.pieces if isinstance(piece, ThinkingPiece))

    @property
    def done(self) -> Done:
        last = self.pieces[-1]
        assert isinstance(last, Done)
        assert not any(isinstance(piece, Done) for piece in self.pieces[:-1])
        return last

    @property
    def so_far(self) -> list[UsageSoFar]:
        return [piece for piece in self.pieces if isinstance(piece, UsageSoFar)]
