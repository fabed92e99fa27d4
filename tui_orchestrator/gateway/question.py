"""What a client of OpenAI's asks, as a request of the router's. Pure.

As documented at platform.openai.com/docs/api-reference/chat (November 2026).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..routing.model import Registry
from ..routing.request import ASKED_FOR, CLIENT, Image, Message, Request, Split, Strategy
from ..routing.text import clean_line
from ..routing.tools import ToolCall
from ..services.attachments import image_type
from .offered import calls_of, choice_of, id_of, shape_of, tools_of
from .parameters import idle
from .wire import NO_MODEL, WrongRequest

AUTO = "auto"
_OF_A_MESSAGE = frozenset({"role", "content", "refusal", "tool_calls", "tool_call_id"})
_OF_A_PART = frozenset({"type", "text", "refusal", "image_url"})


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


def read(body: object, registry: Registry, session: str = "", client: str = "") -> Question:
    """`client`: what it calls itself, for people. Raises WrongRequest."""
    if not isinstance(body, dict):
        raise WrongRequest("The body must be a JSON object.")
    ignored = idle(body)
    if body.get("n", 1) not in (1, None):
        raise WrongRequest("One answer is given; for several, ask several times or take the ensemble.", "n")
    tools = tools_of(body.get("tools"))
    system, messages = _messages(body.get("messages"))
    asked, chosen = body.get("model", AUTO), _chosen(body.get("model", AUTO), registry)
    calls = bool(tools) or any(message.calls for message in messages)
    if calls and chosen.get("strategy") is Strategy.ENSEMBLE:
        sentence = "The calls of several models cannot be put together; with tools take auto or another strategy."
        raise WrongRequest(sentence, "model")
    stream = _said(body, "stream")
    request = Request(
        messages=messages,
        system=system,
        max_tokens=_whole(body, "max_completion_tokens") or _whole(body, "max_tokens"),
        temperature=_temperature(body.get("temperature")),
        session=session,
        stands=stream,
        tools=tools,
        tool_choice=choice_of(body, tools),
        shape=shape_of(body.get("response_format")),
        split=Split.AGREED if _said(body, "split") else Split.NEVER,
        metadata={CLIENT: clean_line(client, 80) or "unknown", ASKED_FOR: clean_line(asked, 120)},
        **chosen,
    )
    return Question(
        request,
        stream,
        _with_usage(body.get("stream_options"), stream),
        _stops(body.get("stop")),
        tuple(sorted({*ignored, *_unheard(body["messages"])}))[:40],
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
        raise WrongRequest(f"{error.args[0]}; GET /v1/models lists them.", "model", 404, NO_MODEL) from None


def _messages(said: object) -> tuple[str, tuple[Message, ...]]:
    if not isinstance(said, list) or not said:
        raise WrongRequest("messages must be a list with at least one message.", "messages")
    system: list[str] = []
    messages: list[Message] = []
    open_calls: dict[str, ToolCall] = {}
    """Whose result is still to come."""
    for place, one in enumerate(said):
        at = f"messages[{place}]"
        role = one.get("role") if isinstance(one, Mapping) else None
        if role not in ("system", "developer", "user", "assistant", "tool"):
            raise WrongRequest(f"{at}.role must be system, developer, user, assistant or tool.", f"{at}.role")
        for name in ("audio", "function_call"):
            if one.get(name) is not None:
                raise WrongRequest(f"{at}.{name} is not passed through; leave it out.", f"{at}.{name}")
        said_no = one.get("refusal") if role == "assistant" else None
        text, images = _content(one.get("content") or said_no, f"{at}.content")
        if role == "tool":
            answered = open_calls.pop(id_of(one.get("tool_call_id"), f"{at}.tool_call_id"), None)
            if answered is None or images:
                sentence = f"{at} must be text, with the tool_call_id of a call of the assistant's before it."
                raise WrongRequest(sentence, at)
            messages.append(Message("tool", text, answers=answered.id))
        elif open_calls:
            raise WrongRequest(f"{at}: the result of the call {next(iter(open_calls))} is missing before it.", at)
        elif role in ("system", "developer"):
            system.append(text)
        elif role == "user":
            messages.append(Message("user", text, images))
        else:
            calls = calls_of(one.get("tool_calls"), f"{at}.tool_calls")
            open_calls = {call.id: call for call in calls}
            messages.append(Message("assistant", text, images, calls))
    if open_calls or not messages or messages[-1].role == "assistant":
        raise WrongRequest("The last message must be the user's, or the result of a tool.", "messages")
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
        if kind in ("text", "refusal") and isinstance(part.get(kind), str):
            texts.append(part[kind])
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


def _said(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise WrongRequest(f"{name} must be true or false.", name)
    return bool(value)


def _with_usage(options: object, stream: bool) -> bool:
    if options is None:
        return False
    if not isinstance(options, Mapping) or not stream:
        raise WrongRequest("stream_options is an object, and goes with stream alone.", "stream_options")
    for name in options:
        if name != "include_usage" and (name != "include_obfuscation" or options[name]):
            at = f"stream_options.{clean_line(name, 40)}"
            raise WrongRequest(f"{at} is not spoken here; include_usage is.", at)
    return _said(options, "include_usage")


def _unheard(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Fields of messages that change nothing in what is asked."""
    for message in messages:
        yield from (f"messages.{clean_line(name, 40)}" for name in message.keys() - _OF_A_MESSAGE if message[name])
        for part in message["content"] if isinstance(message.get("content"), list) else ():
            yield from (f"messages.content.{clean_line(name, 40)}" for name in part.keys() - _OF_A_PART)
            if isinstance(part.get("image_url"), Mapping) and part["image_url"].get("detail", "auto") != "auto":
                yield "messages.content.image_url.detail"


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
