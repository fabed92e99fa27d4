"""Anthropic's Messages on the wire. Format and error wording as api.anthropic.com gives them, November 2026."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from ..routing.money import Usage
from .behaviour import Finish
from .dialect import (
    Complaint,
    Completion,
    Frame,
    Frames,
    Question,
    Target,
    Turn,
    dumps,
    limit,
    required,
    section,
    text_and_images,
)
from .roster import DemoModel
from .wire import HttpRequest

_STOP: dict[Finish, str] = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}
_USUAL = {
    400: ("invalid_request_error", "Invalid request."),
    401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "Your credit balance is too low to access the Anthropic API."),
    403: ("permission_error", "Your API key does not have permission to use the specified resource."),
    404: ("not_found_error", "model: {model}"),
    413: ("request_too_large", "Request exceeds the maximum size"),
    429: (
        "rate_limit_error",
        "This request would exceed your organization's rate limit of 50 requests per minute for {model}.",
    ),
    500: ("api_error", "Internal server error"),
    504: ("timeout_error", "The request timed out."),
    529: ("overloaded_error", "Overloaded"),
}


class Anthropic:
    piece_tokens = 3
    path = ""

    def target(self, request: HttpRequest) -> Target | None:
        if request.path == "/v1/messages":
            return Target("generate")
        if request.path == "/v1/models":
            return Target("listing")
        prefix = "/v1/models/"
        return Target("model", request.path.removeprefix(prefix)) if request.path.startswith(prefix) else None

    def authorised(self, request: HttpRequest) -> bool:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer").strip()
        return bool(request.headers.get("x-api-key") or bearer)

    def question(self, target: Target, body: Mapping[str, Any]) -> Question:
        turns: list[Turn] = []
        for index, message in enumerate(required(body, "messages", list, "messages: Field required")):
            if not isinstance(message, Mapping) or message.get("role") not in ("user", "assistant"):
                raise Complaint(400, f"messages.{index}.role: Input should be 'user' or 'assistant'")
            text, images = text_and_images(message.get("content"), "image")
            if not text and not images:
                raise Complaint(400, f"messages.{index}: all messages must have non-empty content")
            turns.append(Turn(message["role"], text, images))
        if not turns:
            raise Complaint(400, "messages: at least one message is required")
        if "max_tokens" not in body:
            raise Complaint(400, "max_tokens: Field required")
        thinking = section(body, "thinking")
        return Question(
            model=required(body, "model", str, "model: Field required"),
            turns=tuple(turns),
            system=text_and_images(body.get("system"), "image")[0],
            max_tokens=limit(body["max_tokens"], "max_tokens: Input should be greater than or equal to 1"),
            stream=bool(body.get("stream")),
            shows_thinking=thinking.get("type") != "disabled" and thinking.get("display") != "omitted",
        )

    def frames(self, completion: Completion) -> Frames:
        # message_start must carry a usage; a server that counts nothing says 0 of everything.
        reported = completion.usage if completion.reports_usage else Usage()
        start = _message(completion, [], None, _usage(reported, output=min(1, reported.output)))
        opening = _event("message_start", {"message": start}) + _event("ping", {})
        pieces: list[Frame] = []
        block = -1
        was_text: bool | None = None
        for is_text, part in completion.pieces(self.piece_tokens):
            data = b""
            if is_text is not was_text:
                data += _end_of_block(completion, block, was_text)
                block += 1
                empty = (
                    {"type": "text", "text": ""} if is_text else {"type": "thinking", "thinking": "", "signature": ""}
                )
                data += _event("content_block_start", {"index": block, "content_block": empty})
                was_text = is_text
            said = "".join(part)
            delta = {"type": "text_delta", "text": said} if is_text else {"type": "thinking_delta", "thinking": said}
            data += _event("content_block_delta", {"index": block, "delta": delta})
            pieces.append(Frame(data, said if is_text else "", len(part)))
        ending: dict[str, Any] = {"delta": {"stop_reason": _STOP[completion.finish], "stop_sequence": None}}
        ending["usage"] = _usage(reported)
        closing = _end_of_block(completion, block, was_text) + _event("message_delta", ending)
        return Frames(opening, tuple(pieces), closing + _event("message_stop", {}))

    def whole(self, completion: Completion) -> dict[str, Any]:
        content: list[dict[str, Any]] = []
        if completion.thinking and completion.question.shows_thinking:
            thought = "".join(completion.thinking)
            content.append({"type": "thinking", "thinking": thought, "signature": _signature(completion)})
        content.append({"type": "text", "text": "".join(completion.text)})
        reported = completion.usage if completion.reports_usage else Usage()
        return _message(completion, content, _STOP[completion.finish], _usage(reported))

    def listing(self, models: Sequence[DemoModel]) -> dict[str, Any]:
        data = [self.model(model) for model in models]
        return {"data": data, "has_more": False, "first_id": data[0]["id"], "last_id": data[-1]["id"]}

    def model(self, model: DemoModel) -> dict[str, Any]:
        return {
            "type": "model",
            "id": model.name,
            "display_name": model.name.replace("-", " ").title(),
            "created_at": "2026-06-01T00:00:00Z",
            "lifecycle": "active",
            "line": None,
            "max_input_tokens": model.model.context_window,
            "max_tokens": model.model.max_output,
        }

    def error(self, status: int, message: str | None, model: str, code: str | None = None) -> dict[str, Any]:
        kind, usual = _USUAL.get(status, ("api_error" if status >= 500 else "invalid_request_error", f"HTTP {status}"))
        said = message or usual.format(model=model)
        return {"type": "error", "error": {"type": code or kind, "message": said}, "request_id": "req_011Demo"}

    def error_event(self, status: int, model: str) -> bytes:
        return b"event: error\ndata: " + dumps(self.error(status, None, model)) + b"\n\n"

    def event(self, payload: bytes) -> bytes:
        return b"event: content_block_delta\ndata: " + payload + b"\n\n"

    def too_long(self, model: DemoModel, question: Question) -> Complaint:
        return Complaint(
            400, f"prompt is too long: {question.input_tokens} tokens > {model.model.context_window} maximum"
        )

    def headers(self, status: int, id: str) -> dict[str, str]:
        named = {"request-id": f"req_{id[:24]}", "anthropic-organization-id": "00000000-demo-4000-8000-000000000000"}
        if status == 429:
            named |= {"anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "0"}
        return named


def _event(kind: str, data: dict[str, Any]) -> bytes:
    return f"event: {kind}\ndata: ".encode() + dumps({"type": kind, **data}) + b"\n\n"


def _end_of_block(completion: Completion, index: int, was_text: bool | None) -> bytes:
    if was_text is None:
        return b""
    signed = b""
    if not was_text:
        delta = {"type": "signature_delta", "signature": _signature(completion)}
        signed = _event("content_block_delta", {"index": index, "delta": delta})
    return signed + _event("content_block_stop", {"index": index})


def _signature(completion: Completion) -> str:
    return base64.b64encode(f"demo-{completion.id}".encode()).decode()


def _message(
    completion: Completion, content: list[dict[str, Any]], stop: str | None, usage: dict[str, Any]
) -> dict[str, Any]:
    return {
        "id": f"msg_01{completion.id[:22]}",
        "type": "message",
        "role": "assistant",
        "model": completion.model.name,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": usage,
    }


def _usage(usage: Usage, output: int | None = None) -> dict[str, Any]:
    """Anthropic counts cached tokens beside input_tokens, not in them."""
    reported: dict[str, Any] = {
        "input_tokens": max(0, usage.input - usage.cached_input - usage.cache_write),
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cached_input,
        "output_tokens": usage.output if output is None else output,
        "service_tier": "standard",
    }
    if usage.reasoning and output is None:
        reported["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return reported
