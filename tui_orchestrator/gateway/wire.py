"""OpenAI's chat completions, read and written. Pure.

As documented at platform.openai.com/docs/api-reference/chat (November 2026).
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..routing.errors import ErrorKind, TurnError
from ..routing.event_json import usd
from ..routing.events import Completed
from ..routing.model import Registry
from ..routing.money import Usage
from ..routing.request import Image, Message, Request, Strategy
from ..services.attachments import image_type

AUTO = "auto"
_NOT_HERE = {
    "tools": "tools are not passed through",
    "functions": "functions are not passed through",
    "audio": "sound is not passed through",
    "logprobs": "log-probabilities are not passed through",
}
_WITHOUT_EFFECT = frozenset(
    {"top_p", "presence_penalty", "frequency_penalty", "seed", "logit_bias", "top_logprobs", "reasoning_effort",
     "service_tier", "verbosity", "parallel_tool_calls", "prediction"}
)  # fmt: skip
"""Parameters that differ from model to model; a router that chooses the model cannot promise them."""

STATUS = {
    ErrorKind.RATE_LIMITED: 429,
    ErrorKind.OVERLOADED: 503,
    ErrorKind.TIMEOUT: 504,
    ErrorKind.CONTEXT_WINDOW: 400,
    ErrorKind.CONTENT_FILTER: 400,
    ErrorKind.BAD_REQUEST: 400,
    ErrorKind.BUDGET_EXCEEDED: 402,
    ErrorKind.NO_CANDIDATE: 503,
    ErrorKind.INTERNAL: 500,
}
"""Every other kind is 502: what lies behind the gateway failed, and the client can do nothing about it."""


class WrongRequest(Exception):
    """The client must send something else. `parameter` is what is wrong, '' for the whole."""

    def __init__(self, sentence: str, parameter: str = "", status: int = 400) -> None:
        super().__init__(sentence)
        self.parameter = parameter
        self.status = status


@dataclass(frozen=True, slots=True)
class Question:
    """A request as a client of OpenAI's made it."""

    request: Request
    stream: bool
    with_usage: bool
    """A chunk with the usage ends the stream."""
    stops: tuple[str, ...]
    ignored: tuple[str, ...]
    """Parameters that were sent and have no effect."""


def read(body: object, registry: Registry, session: str = "") -> Question:
    """Raises WrongRequest."""
    if not isinstance(body, dict):
        raise WrongRequest("The body must be a JSON object.")
    for name, sentence in _NOT_HERE.items():
        if body.get(name):
            raise WrongRequest(f"{sentence}; leave {name} out.", name)
    if body.get("n", 1) not in (1, None):
        raise WrongRequest("One answer is given; for several, ask several times or take the ensemble.", "n")
    form = body.get("response_format")
    if isinstance(form, Mapping) and form.get("type", "text") != "text":
        raise WrongRequest("Answers are text; leave response_format out and ask for JSON in words.", "response_format")
    system, messages = _messages(body.get("messages"))
    stream = bool(body.get("stream", False))
    options = body.get("stream_options")
    request = Request(
        messages=messages,
        system=system,
        max_tokens=_whole(body, "max_completion_tokens") or _whole(body, "max_tokens"),
        temperature=_temperature(body.get("temperature")),
        session=session,
        stands=stream,
        **_chosen(body.get("model", AUTO), registry),
    )
    return Question(
        request,
        stream,
        isinstance(options, Mapping) and bool(options.get("include_usage")),
        _stops(body.get("stop")),
        tuple(sorted(name for name in _WITHOUT_EFFECT if body.get(name) is not None)),
    )


def _chosen(said: object, registry: Registry) -> dict[str, Any]:
    """What `model` names: the router's own choice, a strategy, a chain or a model."""
    if not isinstance(said, str) or not said:
        raise WrongRequest(f"model must be {AUTO}, a strategy, a chain or a model.", "model")
    if said == AUTO:
        return {}
    if said in tuple(Strategy):
        return {"strategy": Strategy(said)}
    if said in registry.chains:
        return {"chain": registry.chains[said]}
    try:
        return {"model": registry.find(said).id}
    except LookupError as error:
        raise WrongRequest(f"{error.args[0]}; GET /v1/models lists them.", "model", 404) from None


def _messages(said: object) -> tuple[str, tuple[Message, ...]]:
    if not isinstance(said, list) or not said:
        raise WrongRequest("messages must be a list with at least one message.", "messages")
    system: list[str] = []
    messages: list[Message] = []
    for place, one in enumerate(said):
        at = f"messages[{place}]"
        role = one.get("role") if isinstance(one, Mapping) else None
        if role not in ("system", "developer", "user", "assistant"):
            raise WrongRequest(f"{at}.role must be system, developer, user or assistant.", f"{at}.role")
        text, images = _content(one.get("content"), f"{at}.content")
        if role in ("system", "developer"):
            system.append(text)
        else:
            messages.append(Message("user" if role == "user" else "assistant", text, images))
    if not messages or messages[-1].role != "user":
        raise WrongRequest("The last message must be the user's.", "messages")
    return "\n\n".join(system), tuple(messages)


def _content(said: object, at: str) -> tuple[str, tuple[Image, ...]]:
    if said is None or isinstance(said, str):
        return said or "", ()
    if not isinstance(said, list):
        raise WrongRequest(f"{at} must be text or a list of parts.", at)
    texts: list[str] = []
    images: list[Image] = []
    for part in said:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind == "text" and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif kind == "image_url" and isinstance(part.get("image_url"), Mapping):
            images.append(_image(part["image_url"].get("url"), at))
        else:
            raise WrongRequest(f"{at}: parts are of type text or image_url.", at)
    return "\n".join(texts), tuple(images)


def _image(url: object, at: str) -> Image:
    head, comma, data = url.partition(",") if isinstance(url, str) else ("", "", "")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        # Fetching an address that a client names would let it reach what only this machine can.
        raise WrongRequest(f"{at}: send the picture itself, as data:image/png;base64,…", at)
    try:
        picture = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise WrongRequest(f"{at}: the picture is not base64.", at) from None
    kind = image_type(picture)
    if kind is None:
        raise WrongRequest(f"{at}: the picture must be PNG, JPEG, GIF or WebP.", at)
    return Image(kind, picture)


def _whole(body: Mapping[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise WrongRequest(f"{name} must be a whole number from 1.", name)
    return value


def _temperature(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 2:
        raise WrongRequest("temperature must be a number from 0 to 2.", "temperature")
    return float(value)


def _stops(value: object) -> tuple[str, ...]:
    said = [value] if isinstance(value, str) else value
    if said is None:
        return ()
    if not isinstance(said, list) or len(said) > 4 or not all(isinstance(one, str) and one for one in said):
        raise WrongRequest("stop must be a text or up to four.", "stop")
    return tuple(said)


# What is written


def completion(
    request_id: str, model: str, text: str, finish: str, usage: Usage | None, told: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{request_id}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "finish_reason": finish,
                "logprobs": None,
            }
        ],
        "usage": usage_json(usage),
        "orchestrator": dict(told),
    }


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


def error_body(kind: str, sentence: str, parameter: str = "") -> dict[str, Any]:
    return {"error": {"message": sentence, "type": kind, "param": parameter or None, "code": kind}}


def turn_error(error: TurnError) -> tuple[int, dict[str, Any]]:
    """Status and body."""
    code = "context_length_exceeded" if error.kind is ErrorKind.CONTEXT_WINDOW else error.kind.value
    return STATUS.get(error.kind, 502), error_body(code, f"{error.message.rstrip('.')}. {error.hint}")
