"""What the three wire formats share: a question read from a request, a completion to be written, and its frames."""

from __future__ import annotations

import base64
import json
import math
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ..routing.money import Usage
from ..routing.prompt_size import IMAGE_TOKENS, image_tokens
from ..routing.request import Image
from .behaviour import Finish, Phase
from .roster import DemoModel
from .wire import HttpRequest

# About four characters of Latin text, or one wide character: near what the vendors' own tokenisers give.
_TOKEN = re.compile(r"\s?[^\s\u2e80-\U0010ffff]{1,5}|[\u2e80-\U0010ffff]|\s+")
TOKENS_PER_TURN = 4


_SAMPLE = 50_000
_URL_SAFE = str.maketrans("-_", "+/")


def tokens(text: str) -> tuple[str, ...]:
    """Joined again they are the text; their number is what the demo bills."""
    return tuple(_TOKEN.findall(text))


def count(text: str) -> int:
    """Of a text longer than 50,000 characters, scaled up from that many: megabytes must not hold the event loop."""
    if len(text) <= _SAMPLE:
        return len(tokens(text))
    return len(tokens(text[:_SAMPLE])) * len(text) // _SAMPLE


@dataclass(frozen=True, slots=True)
class Turn:
    role: Literal["user", "assistant"]
    text: str
    image_tokens: int = 0
    """Of its pictures, by their sizes."""


@dataclass(frozen=True, slots=True)
class Question:
    """A generation request, in no vendor's words."""

    model: str
    turns: tuple[Turn, ...]
    system: str = ""
    max_tokens: int | None = None
    stream: bool = False
    wants_usage: bool = True
    """The stream shall report usage."""
    wants_logprobs: bool = False
    shows_thinking: bool = True

    @property
    def input_tokens(self) -> int:
        said = sum(count(turn.text) + TOKENS_PER_TURN + turn.image_tokens for turn in self.turns)
        return said + count(self.system)


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer, ready to be written in a vendor's format."""

    id: str
    """Hexadecimal; each format makes its ids from it."""
    created: int
    """Unix seconds."""
    model: DemoModel
    question: Question
    thinking: tuple[str, ...]
    text: tuple[str, ...]
    finish: Finish
    usage: Usage
    reports_usage: bool = True

    def pieces(self, size: int) -> Iterator[tuple[bool, tuple[str, ...]]]:
        """(is text, tokens) in the order they are streamed, the thinking first where the client may see it."""
        shown = self.thinking if self.question.shows_thinking else ()
        for is_text, part in ((False, shown), (True, self.text)):
            for start in range(0, len(part), size):
                yield is_text, part[start : start + size]

    def logprob(self, token: str) -> float:
        """Spread evenly around the model's mean, the same for the same token."""
        return round(self.model.logprob * (0.5 + zlib.crc32(token.encode()) % 101 / 100), 6)


@dataclass(frozen=True, slots=True)
class Frame:
    data: bytes
    text: str
    """Of the answer; empty where the piece is thinking."""
    tokens: int


@dataclass(frozen=True, slots=True)
class Frames:
    """A streamed answer: what opens it, its pieces, and what closes it, the terminal marker included."""

    opening: bytes
    pieces: tuple[Frame, ...]
    closing: bytes

    def index_of(self, phase: Phase) -> int:
        """Before which piece something of this phase happens; their number: after the last."""
        if phase is Phase.BEFORE_TEXT or not self.pieces:
            return 0
        if phase is Phase.BEFORE_END:
            return len(self.pieces)
        first_text = next((i for i, frame in enumerate(self.pieces) if frame.text), 0)
        return max(math.ceil(len(self.pieces) / 2), first_text + 1)


class Complaint(Exception):
    """The request cannot be served; the dialect words it. `code` is the vendor's word where a status is not enough."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """What an address asks for."""

    kind: Literal["listing", "model", "generate"]
    model: str = ""
    stream: bool = False


class Dialect(Protocol):
    """One vendor's wire format: pure functions from requests to questions and from completions to bytes."""

    piece_tokens: int
    """How many tokens the vendor puts into one event."""
    path: str
    """What a base URL ends with."""

    def target(self, request: HttpRequest) -> Target | None: ...

    def authorised(self, request: HttpRequest) -> bool: ...

    def question(self, target: Target, body: Mapping[str, Any]) -> Question:
        """Raises Complaint."""
        ...

    def frames(self, completion: Completion) -> Frames: ...

    def whole(self, completion: Completion) -> dict[str, Any]: ...

    def listing(self, models: Sequence[DemoModel]) -> dict[str, Any]: ...

    def model(self, model: DemoModel) -> dict[str, Any]: ...

    def error(self, status: int, message: str | None, model: str, code: str | None = None) -> dict[str, Any]:
        """The body; without a message, the vendor's usual one for the status."""
        ...

    def error_event(self, status: int, model: str) -> bytes: ...

    def event(self, payload: bytes) -> bytes:
        """Any bytes, framed like a piece of an answer."""
        ...

    def too_long(self, model: DemoModel, question: Question) -> Complaint: ...

    def headers(self, status: int, id: str) -> dict[str, str]: ...


def dumps(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        # Half a surrogate pair, which JSON can say and UTF-8 cannot: a real server would escape it too.
        return json.dumps(value, separators=(",", ":")).encode()


def required(body: Mapping[str, Any], name: str, kind: type, wording: str) -> Any:
    """Raises Complaint when the field is missing or of another type."""
    value = body.get(name)
    if not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool):
        raise Complaint(400, wording)
    return value


def limit(value: Any, wording: str) -> int | None:
    """A most-tokens field: None, or a whole number above zero. Raises Complaint."""
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise Complaint(400, wording)
    return value


def section(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A nested object; an empty one where there is none."""
    value = body.get(name)
    return value if isinstance(value, Mapping) else {}


def picture_tokens(data: Any) -> int:
    """As the console estimates them. `data`: base64 of either alphabet, a data URL, or the address of a picture that is
    not here."""
    encoded = data.rpartition(",")[2].translate(_URL_SAFE) if isinstance(data, str) else ""
    try:
        return image_tokens(Image("", base64.b64decode(encoded, validate=True)))
    except ValueError:
        return IMAGE_TOKENS


def text_and_images(content: Any, image_kind: str) -> tuple[str, int]:
    """From a message's content, a text or blocks with a `type`: the texts joined, calls of tools and their results as
    JSON, and the tokens of its pictures."""
    if isinstance(content, str):
        return content, 0
    blocks = [block for block in content if isinstance(block, Mapping)] if isinstance(content, list) else []
    said = [
        str(block.get("text", "")) if block.get("type") == "text" else dumps(block).decode()
        for block in blocks
        if block.get("type") in ("text", "tool_use", "tool_result")
    ]
    text = "\n".join(said)
    held_in = "source" if image_kind == "image" else image_kind
    pictures = [section(block, held_in) for block in blocks if block.get("type") == image_kind]
    return text, sum(picture_tokens(picture.get("data") or picture.get("url")) for picture in pictures)
