"""A conversation read from the JSON that `exporting` writes; all of the file is checked before any of it is kept."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
import math
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from ..opening import TooDeep, from_json, opened
from ..routing.errors import OrchestratorError
from ..routing.request import Image, Strategy, tag_name
from ..routing.text import clean, clean_line
from ..storage import branches
from ..storage.conversations import Conversation, Session
from ..storage.messages import Discarded, State, StoredMessage, Weight
from ..storage.titles import LONGEST_TITLE
from .attachments import MAX_IMAGE_BYTES, image_type, readable
from .exporting import FORMAT, VERSION
from .runtime import Runtime

LARGEST = 200_000_000
"""Bytes of a file: forty of the largest images."""
_ID = re.compile(r"[0-9a-hjkmnp-tv-z]{10}")
_DEEPEST = 8
"""Levels of what is said of an attempt."""


class ImportFailed(OrchestratorError):
    """Why a file did not come in, in one sentence that says where."""


@dataclass(frozen=True, slots=True)
class FromFile:
    conversation: Conversation
    digest: str
    """The same for the same messages."""
    attempts: Mapping[str, list[dict[str, Any]]]
    """By request, as the file says them: they were paid for elsewhere, or are in the ledger already."""


async def import_file(runtime: Runtime, path: Path) -> tuple[Session, bool]:
    """Returns the session, and whether it is new: the same file twice does not double it. Raises ImportFailed."""
    return await store(runtime, await asyncio.to_thread(read_file, path))


async def store(runtime: Runtime, found: FromFile) -> tuple[Session, bool]:
    return await runtime.archive.take_in(found.conversation, found.digest, found.attempts)


def read_file(path: Path, *, pipe: bool = False) -> FromFile:
    """Blocks: call it in a thread. Raises ImportFailed. `pipe`: as `opened` takes it."""
    shown = clean_line(str(path), 120)
    try:
        path = path.expanduser()
        if not path.exists():
            raise ImportFailed(f"{shown}: there is no such file")
        if not (path.is_file() or (pipe and path.is_fifo())):
            raise ImportFailed(f"{shown}: is no ordinary file")
        if (size := path.stat().st_size) > LARGEST:
            raise ImportFailed(f"{shown}: has {readable(size)}; at most {readable(LARGEST)} can come in")
        with opened(path, pipe=pipe) as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ImportFailed(f"{shown}: has more than {readable(LARGEST)}, which is the most that can come in")
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ImportFailed(f"{shown}: cannot be read: {clean_line(reason, 80)}") from error
    try:
        return parse(content)
    except _Wrong as error:
        raise ImportFailed(f"{shown}{error}") from None


class _Wrong(ValueError):
    """Where in the file, and what is wrong there."""


def parse(content: bytes) -> FromFile:
    """Raises ValueError whose text begins with the place in the file."""
    try:
        said = from_json(content.decode("utf-8-sig"), parse_float=_finite, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise _Wrong(f": byte {error.start}: is not UTF-8 text; export the conversation again") from None
    except json.JSONDecodeError as error:
        raise _Wrong(f":{error.lineno}:{error.colno}: is not JSON: {error.msg}") from None
    except TooDeep as error:
        raise _Wrong(f": {error}") from None
    except ValueError:
        raise _Wrong(": is no conversation: it holds a number without end") from None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise _Wrong(": is no exported conversation; write one with `sessions export ID --format json`")
    version = said.get("version")
    if version not in (1, VERSION) or isinstance(version, bool):
        raise _Wrong(f": version: {_shown(version)} is not {VERSION}; a newer program may have written it")
    return _conversation(_Part(said), branched=version != 1)


def _finite(said: str) -> float:
    # 1e999 is JSON, and is read as infinity, which is not.
    number = float(said)
    return number if math.isfinite(number) else _no_number(said)


def _no_number(said: str) -> float:
    raise ValueError(f"{said} is no number")


class _Part:
    """An object of the file, and where it stands."""

    def __init__(self, said: object, where: str = "") -> None:
        if not isinstance(said, dict):
            raise _Wrong(f": {where}: is {_shown(said)}, not an object")
        self._said: dict[str, Any] = said
        self._where = where

    def place(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key

    def wrong(self, key: str, what: str) -> _Wrong:
        return _Wrong(f": {self.place(key)}: {what}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self._said.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, self._no_text(key))
        return clean(value)

    def _no_text(self, key: str) -> str:
        said = "is missing; there must be a text in quotation marks"
        if key in self._said:
            value = self._said[key]
            said = f"is {'null' if value is None else _shown(value)}, not a text in quotation marks"
        message = re.match(r"messages\[(\d+)\]", self._where)
        return f"{said}, in message {int(message[1]) + 1}" if message else said

    def name(self, key: str, limit: int = 200, default: str | None = None) -> str:
        return clean_line(self.text(key, default), limit)

    def name_or_none(self, key: str, limit: int = 200) -> str | None:
        return None if self._said.get(key) is None else self.name(key, limit) or None

    def one_of(self, key: str, words: tuple[str, ...], default: str | None = None) -> str:
        value = self._said.get(key, default)
        if value not in words:
            raise self.wrong(key, f"is {_shown(value)}; it may be {', '.join(words)}")
        return str(value)

    def flag(self, key: str) -> bool:
        value = self._said.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, f"is {_shown(value)}, neither true nor false")
        return value

    def flag_or_none(self, key: str) -> bool | None:
        return None if self._said.get(key) is None else self.flag(key)

    def number(self, key: str) -> int | None:
        value = self._said.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 1_000_000:
            raise self.wrong(key, f"is {_shown(value)}, not a number of an attempt")
        return value

    def place_before(self, key: str, position: int) -> int | None:
        """In the list it stands in itself at `position`."""
        value = self._said.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < position:
            raise self.wrong(key, f"is {_shown(value)}, not the place of a message before it")
        return value

    def moment(self, key: str) -> datetime:
        try:
            moment = datetime.fromisoformat(self.text(key))
            return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.wrong(
                key, f"is {_shown(self._said.get(key))}, not an instant such as 2026-11-21T12:00:00+00:00"
            ) from None

    def items(self, key: str) -> list[Any]:
        value = self._said.get(key, [])
        if not isinstance(value, list):
            raise self.wrong(key, f"is {_shown(value)}, not a list")
        return value

    def parts(self, key: str) -> list[_Part]:
        return [_Part(one, f"{self.place(key)}[{place}]") for place, one in enumerate(self.items(key))]


def _conversation(said: _Part, *, branched: bool) -> FromFile:
    parts = said.parts("messages")
    messages = tuple(_message(part, position, branched) for position, part in enumerate(parts))
    answered: set[str] = set()
    for message in messages:
        if message.role == "assistant" and message.request_id in answered:
            raise said.wrong(f"messages[{message.position}].request_id", "has an answer already")
        if message.role == "assistant":
            answered.add(message.request_id)
    strategy = said.name_or_none("strategy")
    if strategy is not None:
        strategy = said.one_of("strategy", tuple(Strategy))
    id_ = said.name("id", default="")
    session = Session(
        id_ if _ID.fullmatch(id_) else _other_id(messages),
        said.name("title", LONGEST_TITLE),
        said.moment("created"),
        said.moment("updated"),
        strategy,
        said.name_or_none("model"),
        said.text("system", ""),
        len(messages),
        _tags(said),
        said.flag("pinned"),
        said.name_or_none("persona", 80),
        own_way=said.flag_or_none("own_way"),
    )
    attempts = {
        message.request_id: _attempts(part)
        for message, part in zip(messages, said.parts("messages"), strict=True)
        if message.role == "assistant"
    }
    discarded = tuple(_discarded(part) for part in said.parts("discarded"))
    leaf = max((place for place, part in enumerate(parts) if part.flag("on_screen")), default=None)
    branch, aside = branches.split(messages, leaf)
    conversation = Conversation(session, branch, discarded, aside, branches.siblings(messages))
    return FromFile(conversation, _digest(messages), attempts)


_WEIGHTS: Mapping[State, Weight] = {"complete": "information", "interrupted": "warning", "failed": "error"}
"""In files from before it was told."""


def _message(said: _Part, position: int, branched: bool) -> StoredMessage:
    role = said.one_of("role", ("user", "assistant"))
    request_id = said.name("request_id", 64)
    if not request_id:
        raise said.wrong("request_id", "is empty")
    state: State = said.one_of("state", get_args(State))  # type: ignore[assignment]  # one of them
    return StoredMessage(
        position,
        "user" if role == "user" else "assistant",
        said.text("text"),
        state,
        said.moment("created"),
        request_id,
        said.text("thinking", ""),
        tuple(_image(part) for part in said.parts("images")),
        said.number("attempt"),
        said.name_or_none("model"),
        said.place_before("parent", position) if branched else position - 1 if position else None,
        said.name_or_none("continues", 64) if role == "assistant" else None,
        said.text("note", ""),
        said.one_of("note_weight", get_args(Weight), _WEIGHTS[state]),  # type: ignore[arg-type]  # one of them
        tuple(name for name in said.items("files") if isinstance(name, str)),
    )


def _image(said: _Part) -> Image:
    try:
        data = base64.b64decode(said.text("data"), validate=True)
    except (binascii.Error, ValueError):
        raise said.wrong("data", "is not base64") from None
    if len(data) > MAX_IMAGE_BYTES:
        raise said.wrong("data", f"has {readable(len(data))}; an image may have {readable(MAX_IMAGE_BYTES)}")
    kind = image_type(data)
    if kind is None:
        raise said.wrong("data", "is no PNG, JPEG, GIF or WebP image")
    return Image(kind, data, said.name("name", 80, ""))


def _discarded(said: _Part) -> Discarded:
    number = said.number("attempt")
    if number is None:
        raise said.wrong("attempt", "is missing")
    return Discarded(
        said.name("request_id", 64),
        number,
        said.name("model"),
        said.text("text", ""),
        said.text("thinking", ""),
        said.name("why", 300, ""),
    )


def _tags(said: _Part) -> frozenset[str]:
    tags = set()
    for place, tag in enumerate(said.items("tags")):
        try:
            tags.add(tag_name(tag if isinstance(tag, str) else ""))
        except ValueError as error:
            raise said.wrong(f"tags[{place}]", str(error)) from None
    return frozenset(tags)


def _attempts(said: _Part) -> list[dict[str, Any]]:
    made = []
    for place, attempt in enumerate(said.items("attempts")):
        where = f"attempts[{place}]"
        if not isinstance(attempt, dict):
            raise said.wrong(where, f"is {_shown(attempt)}, not an object")
        cost, usage, error = attempt.get("cost_usd"), attempt.get("usage"), attempt.get("error")
        if cost is not None:
            _amount(said, f"{where}.cost_usd", cost)
        for name, part in (("usage", usage), ("error", error)):
            if part is not None and not isinstance(part, dict):
                raise said.wrong(f"{where}.{name}", f"is {_shown(part)}, not an object")
        for bucket, count in (usage or {}).items():
            if bucket.endswith("tokens") and count is not None and (not isinstance(count, int) or count < 0):
                raise said.wrong(
                    f"{where}.usage.{clean_line(bucket, 40)}", f"is {_shown(count)}, not a number of tokens"
                )
        made.append(_harmless(attempt))
    return made


def _amount(said: _Part, key: str, cost: object) -> None:
    from ..routing.money import Money

    try:
        if not isinstance(cost, str | int | float) or isinstance(cost, bool):
            raise ValueError
        Money.from_usd(str(cost))
    except (ValueError, ArithmeticError):
        raise said.wrong(key, f"is {_shown(cost)}, not an amount in US dollars") from None


def _harmless(value: Any, depth: int = 0) -> Any:
    """Texts cleaned; what lies deeper than an attempt is told goes."""
    if isinstance(value, str):
        return clean_line(value, 2_000)
    if depth >= _DEEPEST:
        return None
    if isinstance(value, dict):
        return {clean_line(key, 80): _harmless(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list):
        return [_harmless(one, depth + 1) for one in value]
    return value


def _digest(messages: tuple[StoredMessage, ...]) -> str:
    said: list[list[object]] = [
        [message.role, message.text, message.request_id, message.created.isoformat()] for message in messages
    ]
    for message, one in zip(messages, said, strict=True):
        if message.parent != (message.position - 1 if message.position else None):
            one.append(message.parent)
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _other_id(messages: tuple[StoredMessage, ...]) -> str:
    """For a file without an id of ours; the same file has the same."""
    number = uuid.UUID(hashlib.sha256(_digest(messages).encode()).hexdigest()[:32]).int
    digits = "0123456789abcdefghjkmnpqrstvwxyz"
    return "".join(digits[number >> shift & 31] for shift in range(0, 50, 5))


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return "missing" if value is None else clean_line(json.dumps(value), 60)
