"""OpenAI's chat completions as they are written, and its errors. Pure.

As documented at platform.openai.com/docs/api-reference/chat (November 2026).
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ..routing.errors import BeingTried, ErrorKind, NoCandidate, TooLong, TurnError
from ..routing.event_json import usd
from ..routing.events import Completed, ToolCalled
from ..routing.money import Usage
from ..routing.text import HALF_A_CHARACTER, full_stop, half_a_character
from ..routing.tools import ToolCall

STATUS = {
    ErrorKind.RATE_LIMITED: 429,
    ErrorKind.OVERLOADED: 503,
    ErrorKind.TIMEOUT: 504,
    ErrorKind.CONTEXT_WINDOW: 400,
    ErrorKind.CONTENT_FILTER: 400,
    ErrorKind.BAD_REQUEST: 400,
    ErrorKind.BUDGET_EXCEEDED: 402,
    ErrorKind.NO_CANDIDATE: 503,
    ErrorKind.UNRECORDED: 503,
    ErrorKind.INTERNAL: 500,
}
"""Every other kind is 502: what lies behind the gateway failed, and the client can do nothing about it."""


NO_MODEL = "model_not_found"


class WrongRequest(Exception):
    """The client must send something else. `parameter` is what is wrong, '' for the whole."""

    def __init__(self, sentence: str, parameter: str = "", status: int = 400, code: str | None = None) -> None:
        super().__init__(sentence)
        self.parameter = parameter
        self.status = status
        self.code = code

    @property
    def body(self) -> dict[str, Any]:
        return error_body("invalid_request_error", str(self), self.parameter, self.code)


def whole(said: object) -> object:
    """What a client sent, where all its texts can be sent on. Raises WrongRequest."""
    at = half_a_character(said)
    if at is not None:
        raise WrongRequest(f"{at or 'The body'} {HALF_A_CHARACTER}.", at)
    return said


def completion(
    request_id: str,
    model: str,
    text: str,
    calls: Sequence[ToolCall],
    finish: str,
    usage: Usage | None,
    told: Mapping[str, Any],
) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    if calls:
        message |= {"content": text or None, "tool_calls": [_call(call) for call in calls]}
    return {
        "id": f"chatcmpl-{request_id}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": finish,
                "logprobs": None,
            }
        ],
        "usage": usage_json(usage),
        "orchestrator": dict(told),
    }


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function, **_extra(call.signature)}


def call_delta(piece: ToolCalled) -> dict[str, Any]:
    """What a chunk says of a call."""
    told: dict[str, Any] = {"index": piece.index, "function": {"arguments": piece.arguments}}
    if piece.id:
        told |= {"id": piece.id, "type": "function", **_extra(piece.signature)}
        told["function"] = {"name": piece.name, "arguments": piece.arguments}
    return {"tool_calls": [told]}


def _extra(signature: str) -> dict[str, Any]:
    """As Google's own OpenAI-compatible server gives it, and wants it back."""
    return {"extra_content": {"google": {"thought_signature": signature}}} if signature else {}


def chunk(
    request_id: str, created: int, model: str, delta: Mapping[str, Any], finish: str | None = None
) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{request_id}",
        "object": "chat.completion.chunk",
        "created": created,
        "model": model,
        "choices": [{"index": 0, "delta": dict(delta), "finish_reason": finish, "logprobs": None}],
    }


def usage_json(usage: Usage | None) -> dict[str, Any] | None:
    if usage is None:
        return None
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached_input},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


def told_of(end: Completed, reason: str) -> dict[str, Any]:
    """What the router says of the answer beyond what OpenAI's format has a place for."""
    return {
        "request_id": end.request_id,
        "model": end.model,
        "strategy": end.strategy,
        "reason": reason,
        "cost_usd": usd(end.cost.amount),
        "cost_state": end.cost.state.value,
        "confidence": round(end.confidence.value, 4),
        "attempts": len(end.attempts),
    }


_CODES = {
    "invalid_request_error": None,
    "authentication": "invalid_api_key",
    ErrorKind.RATE_LIMITED.value: "rate_limit_exceeded",
}
"""What OpenAI's own programs look for, where it is not the kind of error."""


def error_body(kind: str, sentence: str, parameter: str = "", code: str | None = None) -> dict[str, Any]:
    told = code or _CODES.get(kind, kind)
    return {"error": {"message": sentence, "type": kind, "param": parameter or None, "code": told}}


def turn_error(error: TurnError) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, body and headers."""
    kind = ErrorKind.CONTEXT_WINDOW if isinstance(error, TooLong) else error.kind
    code = "context_length_exceeded" if kind is ErrorKind.CONTEXT_WINDOW else kind.value
    status, headers = STATUS.get(kind, 502), {"x-should-retry": "false"}
    if status in (429, 503) and error.retry_after_s is not None:
        headers["retry-after"] = str(math.ceil(error.retry_after_s))
        # Where nothing was sent there is nothing that was tried again already.
        headers["x-should-retry"] = "true" if isinstance(error, NoCandidate | BeingTried) else "false"
    return status, error_body(code, f"{full_stop(error.message)} {error.hint}"), headers
