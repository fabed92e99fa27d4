"""OpenAI's Chat Completions on the wire, and the small differences of a local server that imitates it.

Format and error wording as api.openai.com and llama.cpp's server give them, November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..routing.money import Usage
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

_USUAL = {
    400: ("invalid_request_error", None, "We could not parse the JSON body of your request."),
    401: (
        "invalid_request_error",
        "invalid_api_key",
        "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.",
    ),
    402: ("insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan."),
    403: ("invalid_request_error", "model_not_found", "Project does not have access to model `{model}`."),
    404: (
        "invalid_request_error",
        "model_not_found",
        "The model `{model}` does not exist or you do not have access to it.",
    ),
    408: ("server_error", "timeout", "The request timed out."),
    413: ("invalid_request_error", "request_too_large", "Request too large for {model}."),
    429: (
        "requests",
        "rate_limit_exceeded",
        "Rate limit reached for {model} in organization org-demo on requests per min (RPM): Limit 3, Used 3, "
        "Requested 1. Please try again in 2s.",
    ),
    500: ("server_error", None, "The server had an error while processing your request. Sorry about that!"),
    502: ("server_error", None, "Bad gateway."),
    503: ("server_error", None, "The engine is currently overloaded, please try again later."),
    504: ("server_error", None, "Gateway timeout."),
    529: ("server_error", "overloaded", "The server is overloaded, please try again later."),
}


class OpenAI:
    """The reasoning of a model that thinks is streamed as `reasoning_content`, as most compatible servers do it."""

    piece_tokens = 1
    path = "/v1"

    def __init__(self, local: bool = False) -> None:
        self._local = local

    def target(self, request: HttpRequest) -> Target | None:
        if request.path == "/v1/chat/completions":
            return Target("generate")
        if request.path == "/v1/models":
            return Target("listing")
        prefix = "/v1/models/"
        return Target("model", request.path.removeprefix(prefix)) if request.path.startswith(prefix) else None

    def authorised(self, request: HttpRequest) -> bool:
        return self._local or len(request.headers.get("authorization", "").removeprefix("Bearer").strip()) > 0

    def question(self, target: Target, body: Mapping[str, Any]) -> Question:
        messages = required(body, "messages", list, "Missing required parameter: 'messages'.")
        turns: list[Turn] = []
        system: list[str] = []
        for message in messages:
            if not isinstance(message, Mapping):
                raise Complaint(400, "Invalid type for 'messages[0]': expected an object.")
            content = message.get("content")
            if not isinstance(content, str | list | None):
                raise Complaint(
                    400, "Invalid type for 'messages[0].content': expected a string or an array of objects."
                )
            text, images = text_and_images(content, "image_url")
            match message.get("role"):
                case "system" | "developer":
                    system.append(text)
                case "assistant":
                    turns.append(Turn("assistant", text))
                case "user" | "tool":
                    turns.append(Turn("user", text, images))
                case role:
                    raise Complaint(
                        400, f"Invalid value: {role!r}. Supported values are: 'system', 'assistant', 'user'."
                    )
        if not turns:
            raise Complaint(400, "Invalid 'messages': empty array. Expected an array with minimum length 1.")
        wording = "Invalid 'max_completion_tokens': integer below minimum value. Expected a value >= 1."
        options = section(body, "stream_options")
        return Question(
            model=required(body, "model", str, "you must provide a model parameter"),
            turns=tuple(turns),
            system="\n".join(system),
            max_tokens=limit(body.get("max_completion_tokens", body.get("max_tokens")), wording),
            stream=bool(body.get("stream")),
            wants_usage=bool(options.get("include_usage")),
            wants_logprobs=bool(body.get("logprobs")),
        )

    def frames(self, completion: Completion) -> Frames:
        def chunk(delta: dict[str, Any], finish: str | None = None, logprobs: Any = None) -> bytes:
            choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
            return self.event(dumps(_envelope(completion, "chat.completion.chunk", [choice])))

        opening = chunk({"role": "assistant", "content": "", "refusal": None})
        pieces = []
        for is_text, part in completion.pieces(self.piece_tokens):
            said = "".join(part)
            delta = {"content": said} if is_text else {"reasoning_content": said}
            logprobs = _logprobs(completion, part) if is_text and completion.question.wants_logprobs else None
            pieces.append(Frame(chunk(delta, logprobs=logprobs), said if is_text else "", len(part)))
        closing = chunk({}, completion.finish)
        if completion.question.wants_usage and completion.reports_usage:
            last = _envelope(completion, "chat.completion.chunk", [])
            closing += self.event(dumps(last | {"usage": _usage(completion.usage)}))
        return Frames(opening, tuple(pieces), closing + b"data: [DONE]\n\n")

    def whole(self, completion: Completion) -> dict[str, Any]:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": "".join(completion.text),
            "refusal": None,
            "annotations": [],
        }
        if completion.thinking:
            message["reasoning_content"] = "".join(completion.thinking)
        logprobs = _logprobs(completion, completion.text) if completion.question.wants_logprobs else None
        choice = {"index": 0, "message": message, "logprobs": logprobs, "finish_reason": completion.finish}
        answer = _envelope(completion, "chat.completion", [choice])
        return answer | {"usage": _usage(completion.usage)} if completion.reports_usage else answer

    def listing(self, models: Sequence[DemoModel]) -> dict[str, Any]:
        return {"object": "list", "data": [self.model(model) for model in models]}

    def model(self, model: DemoModel) -> dict[str, Any]:
        entry: dict[str, Any] = {"id": model.name, "object": "model", "created": 1_790_000_000, "owned_by": "demo"}
        if self._local:
            entry |= {"owned_by": "llamacpp", "meta": {"n_ctx_train": model.model.context_window}}
        return entry

    def error(self, status: int, message: str | None, model: str, code: str | None = None) -> dict[str, Any]:
        kind, usual_code, usual = _USUAL.get(
            status, ("server_error" if status >= 500 else "invalid_request_error", None, "")
        )
        said = message or usual.format(model=model) or f"HTTP {status}"
        if self._local:
            return {"error": {"code": status, "message": said, "type": code or kind}}
        return {"error": {"message": said, "type": kind, "param": None, "code": code or usual_code}}

    def error_event(self, status: int, model: str) -> bytes:
        return self.event(dumps(self.error(status, None, model)))

    def event(self, payload: bytes) -> bytes:
        return b"data: " + payload + b"\n\n"

    def too_long(self, model: DemoModel, question: Question) -> Complaint:
        most, asked = model.model.context_window, question.input_tokens
        if self._local:
            said = f"request ({asked} tokens) exceeds the available context size ({most} tokens), try increasing it"
            return Complaint(400, said, "exceed_context_size_error")
        said = (
            f"This model's maximum context length is {most} tokens. However, your messages resulted in {asked} tokens. "
            "Please reduce the length of the messages."
        )
        return Complaint(400, said, "context_length_exceeded")

    def headers(self, status: int, id: str) -> dict[str, str]:
        if self._local:
            return {"server": "llama.cpp"}
        named = {"x-request-id": f"req_{id}", "openai-version": "2020-10-01", "openai-organization": "org-demo"}
        if status == 429:
            named |= {"x-ratelimit-limit-requests": "3", "x-ratelimit-remaining-requests": "0"}
        return named


def _envelope(completion: Completion, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": f"chatcmpl-{completion.id[:29]}",
        "object": kind,
        "created": completion.created,
        "model": completion.model.name,
        "service_tier": "default",
        "system_fingerprint": f"fp_{completion.id[:10]}",
        "choices": choices,
    }
    # With include_usage every chunk but the last carries a null.
    return answer | {"usage": None} if completion.question.wants_usage else answer


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_input,
            "cache_write_tokens": usage.cache_write,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _logprobs(completion: Completion, part: tuple[str, ...]) -> dict[str, Any]:
    content = [
        {"token": token, "logprob": completion.logprob(token), "bytes": list(token.encode()), "top_logprobs": []}
        for token in part
    ]
    return {"content": content, "refusal": None}
