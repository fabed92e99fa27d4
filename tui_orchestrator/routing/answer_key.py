"""What a call asks, as the cache of answers knows it: a digest of everything sent that can change the answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from .ports import Call
from .request import Message
from .tools import FREE


@dataclass(frozen=True, slots=True)
class Question:
    """Equal keys ask exactly the same. Equal contexts ask the same but for the wording of the last prompt."""

    key: str
    context: str
    prompt: str
    """The last one's text."""
    model: str
    """Its id."""
    nearly: bool = False
    """An answer to nearly the same prompt will do."""


def question(call: Call, address: str | None = None, *, nearly: bool = False) -> Question:
    """`address`: where the call goes and in which protocol, which tells two servers of one name apart; None: the
    provider's own.

    Deadlines, the model's price and the file names of images are left out, since none of them reaches the model, and
    so is a temperature that the model does not accept, which is not sent.
    """
    last = call.messages[-1].text if call.messages else ""
    nearly = nearly and not call.tools and not (call.messages and call.messages[-1].role == "tool")
    context = _digest(_parts(call, address))
    return Question(_digest((context.encode(), _bytes(last))), context, last, call.model.id, nearly)


def _digest(parts: Iterator[bytes | None] | tuple[bytes, ...]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        # Each with its length before it, so that no two ways of cutting the same bytes into parts look alike.
        digest.update(b"-" if part is None else len(part).to_bytes(8) + part)
    return digest.hexdigest()


def _parts(call: Call, address: str | None) -> Iterator[bytes | None]:
    """All but the last message's text."""
    yield _bytes(call.model.provider)
    yield None if address is None else _bytes(address.rstrip("/"))
    yield _bytes(call.model.name)
    yield _bytes(call.system)
    sent = call.temperature is not None and call.model.accepts_temperature
    yield _bytes(repr(float(call.temperature))) if sent and call.temperature is not None else None
    yield _bytes(str(call.max_tokens))
    yield _bytes(str(len(call.messages)))
    for left, message in zip(range(len(call.messages) - 1, -1, -1), call.messages, strict=True):
        yield _bytes(message.role)
        yield _bytes(message.text) if left else None
        yield _bytes(str(len(message.images)))
        for image in message.images:
            yield _bytes(image.media_type)
            yield image.data
        yield from _called(message)
    # Only where there are any, so that what was kept before they could be sent is found again.
    choice = call.tool_choice
    if call.tools or choice != FREE:
        yield _bytes(f"tools {choice.how} {choice.name} {choice.several}")
        for tool in call.tools:
            yield _json([tool.name, tool.description, tool.parameters, tool.strict])
    if call.shape is not None:
        shape = call.shape
        yield b"shape"
        yield _json([shape.schema, shape.name, shape.description, shape.strict])


def _called(message: Message) -> Iterator[bytes]:
    if message.calls or message.answers:
        yield b"calls"
        yield _json([message.answers, *([call.id, call.name, call.arguments] for call in message.calls)])


def _json(value: object) -> bytes:
    # In the order they were sent: some models heed it.
    return _bytes(json.dumps(value))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
