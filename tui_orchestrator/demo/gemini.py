"""Gemini's generateContent on the wire, under /v1 and /v1beta. Format and error wording as
generativelanguage.googleapis.com gives them, November 2026."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
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
    picture_tokens,
    required,
)
from .roster import DemoModel
from .wire import HttpRequest

_STOP: dict[Finish, str] = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
_USUAL = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    403: ("PERMISSION_DENIED", "The caller does not have permission"),
    404: (
        "NOT_FOUND",
        "models/{model} is not found for API version v1beta, or is not supported for generateContent. Call ListModels "
        "to see the list of available models and their supported methods.",
    ),
    429: ("RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details."),
    500: ("INTERNAL", "An internal error has occurred. Please retry or report in Google AI Studio."),
    503: ("UNAVAILABLE", "The model is overloaded. Please try again later."),
    504: ("DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
}
_MODELS = re.compile(r"/(?:v1|v1beta)/models(?:/(?P<model>[^/:]+)(?::(?P<method>\w+))?)?")
_METHODS = {"generateContent": False, "streamGenerateContent": True}


class Gemini:
    piece_tokens = 16
    path = ""

    def target(self, request: HttpRequest) -> Target | None:
        found = _MODELS.fullmatch(request.path)
        if not found:
            return None
        model, method = found["model"], found["method"]
        if method:
            known = method in _METHODS and (not _METHODS[method] or request.query.get("alt") == "sse")
            return Target("generate", model, _METHODS[method]) if known else None
        return Target("model", model) if model else Target("listing")

    def authorised(self, request: HttpRequest) -> bool:
        return bool(request.headers.get("x-goog-api-key") or request.query.get("key"))

    def question(self, target: Target, body: Mapping[str, Any]) -> Question:
        turns: list[Turn] = []
        for content in required(body, "contents", list, "* GenerateContentRequest.contents: contents is not specified"):
            text, images = _parts(content)
            turns.append(Turn("assistant" if content.get("role") == "model" else "user", text, images))
        if not turns:
            raise Complaint(400, "* GenerateContentRequest.contents: contents is not specified")
        config = _section(body, "generationConfig")
        thinking = _section(config, "thinkingConfig")
        return Question(
            model=target.model,
            turns=tuple(turns),
            system=_parts(_field(body, "systemInstruction") or {"parts": []})[0],
            max_tokens=limit(_field(config, "maxOutputTokens"), "max_output_tokens must be positive."),
            stream=target.stream,
            wants_logprobs=bool(_field(config, "responseLogprobs")),
            shows_thinking=bool(_field(thinking, "includeThoughts")),
        )

    def frames(self, completion: Completion) -> Frames:
        pieces: list[Frame] = []
        output = 0
        for is_text, part in completion.pieces(self.piece_tokens):
            output += len(part)
            said = "".join(part)
            shown = {"text": said} if is_text else {"text": said, "thought": True}
            candidate: dict[str, Any] = {"content": {"parts": [shown], "role": "model"}, "index": 0}
            if is_text and completion.question.wants_logprobs:
                candidate |= _logprobs(completion, part)
            thought = completion.usage.reasoning
            so_far = Usage(
                completion.usage.input, max(output, thought), completion.usage.cached_input, reasoning=thought
            )
            pieces.append(Frame(self._chunk(completion, [candidate], so_far), said if is_text else "", len(part)))
        # The marker comes with a last empty part, as the API sends it when the text was complete before.
        last = {
            "content": {"parts": [{"text": ""}], "role": "model"},
            "finishReason": _STOP[completion.finish],
            "index": 0,
        }
        return Frames(b"", tuple(pieces), self._chunk(completion, [last], completion.usage))

    def _chunk(self, completion: Completion, candidates: list[dict[str, Any]], usage: Usage) -> bytes:
        return self.event(dumps(_response(completion, candidates, usage)))

    def whole(self, completion: Completion) -> dict[str, Any]:
        parts: list[dict[str, Any]] = []
        if completion.thinking and completion.question.shows_thinking:
            parts.append({"text": "".join(completion.thinking), "thought": True})
        parts.append({"text": "".join(completion.text)})
        candidate: dict[str, Any] = {
            "content": {"parts": parts, "role": "model"},
            "finishReason": _STOP[completion.finish],
            "index": 0,
        }
        if completion.question.wants_logprobs:
            candidate |= _logprobs(completion, completion.text)
        return _response(completion, [candidate], completion.usage)

    def listing(self, models: Sequence[DemoModel]) -> dict[str, Any]:
        return {"models": [self.model(model) for model in models]}

    def model(self, model: DemoModel) -> dict[str, Any]:
        facts = model.model
        output = facts.max_output or 0
        return {
            "name": f"models/{model.name}",
            "version": "001",
            "displayName": model.name.replace("-", " ").title(),
            "description": "Scripted demo model",
            "inputTokenLimit": (facts.context_window or 0) - output,
            "outputTokenLimit": output,
            "supportedGenerationMethods": ["generateContent"],
            "temperature": 1,
            "topP": 0.95,
            "topK": 64,
            "maxTemperature": 2,
            "thinking": model.thinks,
        }

    def error(self, status: int, message: str | None, model: str, code: str | None = None) -> dict[str, Any]:
        name, usual = _USUAL.get(status, ("INTERNAL" if status >= 500 else "FAILED_PRECONDITION", f"HTTP {status}"))
        error: dict[str, Any] = {
            "code": status,
            "message": message or usual.format(model=model),
            "status": code or name,
        }
        if status == 429:
            error["details"] = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2s"}]
        return {"error": error}

    def error_event(self, status: int, model: str) -> bytes:
        return self.event(dumps(self.error(status, None, model)))

    def event(self, payload: bytes) -> bytes:
        return b"data: " + payload + b"\r\n\r\n"

    def too_long(self, model: DemoModel, question: Question) -> Complaint:
        return Complaint(
            400,
            f"The input token count ({question.input_tokens}) exceeds the maximum number of tokens allowed "
            f"({model.model.context_window}).",
        )

    def headers(self, status: int, id: str) -> dict[str, str]:
        return {"server": "scaffolding on HTTPServer2", "vary": "Origin"}


def _field(message: Mapping[str, Any], name: str) -> Any:
    """Protobuf's JSON reads a field under its camelCase and its snake_case name; google-genai sends both kinds."""
    return message.get(name, message.get(re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name)))


def _section(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = _field(message, name)
    return value if isinstance(value, Mapping) else {}


def _parts(content: Any) -> tuple[str, int]:
    """A content's texts joined, and the tokens of its pictures. Raises Complaint."""
    if not isinstance(content, Mapping) or not isinstance(content.get("parts"), list):
        raise Complaint(400, 'Invalid JSON payload received. Unknown name "contents": Proto field is not repeating.')
    parts = [part for part in content["parts"] if isinstance(part, Mapping)]
    text = "\n".join(str(part["text"]) for part in parts if "text" in part)
    pictures = [picture for part in parts if (picture := _field(part, "inlineData") or _field(part, "fileData"))]
    return text, sum(picture_tokens(picture.get("data")) for picture in pictures if isinstance(picture, Mapping))


def _response(completion: Completion, candidates: list[dict[str, Any]], usage: Usage) -> dict[str, Any]:
    answer: dict[str, Any] = {"candidates": candidates}
    if completion.reports_usage:
        answer["usageMetadata"] = _usage(usage)
    created = datetime.fromtimestamp(completion.created, UTC).isoformat()
    return answer | {"modelVersion": completion.model.name, "responseId": completion.id[:22], "createTime": created}


def _usage(usage: Usage) -> dict[str, Any]:
    """Gemini counts thoughts beside the candidates' tokens, not in them."""
    reported: dict[str, Any] = {
        "promptTokenCount": usage.input,
        "candidatesTokenCount": usage.output - usage.reasoning,
        "totalTokenCount": usage.input + usage.output,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage.input}],
    }
    if usage.cached_input:
        reported["cachedContentTokenCount"] = usage.cached_input
    if usage.reasoning:
        reported["thoughtsTokenCount"] = usage.reasoning
    return reported


def _logprobs(completion: Completion, part: tuple[str, ...]) -> dict[str, Any]:
    chosen = [{"token": token, "logProbability": completion.logprob(token)} for token in part]
    mean = sum(one["logProbability"] for one in chosen if isinstance(one["logProbability"], float))
    return {"avgLogprobs": mean / max(1, len(chosen)), "logprobsResult": {"chosenCandidates": chosen}}
