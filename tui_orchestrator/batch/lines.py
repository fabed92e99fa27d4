"""The lines of a batch: one JSON object each, checked whole before the first is sent."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..library.tasks import Task
from ..opening import TooDeep, from_json, whole_of
from ..routing.errors import OrchestratorError
from ..routing.model import Registry
from ..routing.request import Message
from ..routing.text import HALF_A_CHARACTER, clean_line, half_a_character
from ..services.attachments import AttachmentError, read_file
from ..services.prompt_lines import no_json

LONGEST = 256_000_000
"""Bytes of a file."""
_SHOWN = 5
"""Problems that are told at once."""


_EACH = 'each is an object such as {"prompt": "Why is the sky blue?"}'


class BatchError(OrchestratorError):
    """Nothing was sent, because a file of the batch is not as it should be."""


class _NoJson(ValueError):
    pass


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    """In the file, from 1."""
    id: str
    """The line's own, or its number."""
    task: Task
    metadata: Any = None
    """Comes back with the answer as it is: plain JSON."""
    beside: Any = None
    """What stands under the one more key that was allowed."""


def read_lines(path: Path, defaults: Task, registry: Registry, beside: str = "", *, pipe: bool = False) -> list[Line]:
    """Those of the file, empty ones left out. What a line does not say is as in `defaults`. `beside`: one more key that
    a line may have. `pipe`: as `opened` takes it.

    Raises BatchError, which names file, line and key of what is wrong.
    """
    try:
        text = whole_of(path, LONGEST, pipe=pipe).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise BatchError(f"{path} cannot be read: {why}") from None
    lines: list[Line] = []
    problems: list[str] = []
    unread = 0
    seen: dict[str, int] = {}
    # Not splitlines(), which also cuts at signs that JSON may have inside a text.
    for number, written in enumerate(text.split("\n"), 1):
        if not written.strip():
            continue
        try:
            line = _line(number, written, defaults, registry, path.parent, beside)
            if line.id in seen:
                raise ValueError(f"id: {line.id!r} is that of line {seen[line.id]} already; each line needs its own")
        except (ValueError, LookupError, AttachmentError) as error:
            problems.append(f"{path}:{number}: {error.args[0]}")
            unread += isinstance(error, _NoJson)
            continue
        seen[line.id] = number
        lines.append(line)
    if 1 < unread == len(problems) and not lines:
        raise BatchError(f"none of the lines of {path} is JSON; {_EACH}")
    if problems:
        more = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        raise BatchError("\n".join([*problems[:_SHOWN], *more]))
    if not lines:
        raise BatchError(f"{path} has no lines; {_EACH}")
    return lines


def _line(number: int, written: str, defaults: Task, registry: Registry, directory: Path, beside: str) -> Line:
    try:
        said = from_json(written, parse_float=Decimal)
    except TooDeep:
        raise
    except ValueError as error:
        raise _NoJson(f'{no_json(error)}; write {{"prompt": "…"}}') from None
    if (at := half_a_character(said)) is not None:
        raise ValueError(f"{at}: {HALF_A_CHARACTER}" if at else HALF_A_CHARACTER)
    value = said.pop(beside, None) if beside and isinstance(said, dict) else None
    return replace(line_of(said, number, defaults, registry, directory), beside=value)


def line_of(said: object, number: int, defaults: Task, registry: Registry, directory: Path | None) -> Line:
    """A line from its JSON, with decimals in place of floats. `directory`: where its files lie; None: it may name none.

    Raises ValueError, LookupError or AttachmentError with a sentence.
    """
    if not isinstance(said, dict):
        raise ValueError('is no object; write {"prompt": "…"}')
    if directory is None and "files" in said:
        raise ValueError("files: cannot be read from here; put the text into the prompt")
    if unknown := next((key for key in said if key not in _KEYS), None):
        close = difflib.get_close_matches(str(unknown), _KEYS, n=1)
        hint = f"did you mean {close[0]}?" if close else f"the keys are {', '.join(_KEYS)}; metadata takes all else"
        raise ValueError(f"{clean_line(str(unknown), 40)}: is an unknown key; {hint}")
    if ("prompt" in said) == ("messages" in said):
        raise ValueError("give either prompt or messages")
    values: dict[str, Any] = {}
    for key, value in said.items():
        try:
            values |= _KEYS[key](value)
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{key}: {error.args[0]}") from None
    name, metadata = values.pop("id", str(number)), values.pop("metadata", None)
    if directory is not None and "files" in values:
        values["files"] = [directory / file for file in values["files"]]
    if values.get("model"):
        # A line's own model is not to be walked by the chain of all, nor the other way round.
        defaults = replace(defaults, chain=(), strategy=None)
    elif values.get("chain") or values.get("strategy"):
        defaults = replace(defaults, model=None)
    task = replace(defaults, **values, id=Task("").id)
    task.request(registry, "", [read_file(Path(path)) for path in task.files])  # says what is wrong with it
    return Line(number, name, task, metadata)


def _text(name: str) -> Callable[[Any], dict[str, Any]]:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, str):
            raise ValueError("must be text")
        return {name: value}

    return read


def _whole(name: str, least: int) -> Callable[[Any], dict[str, Any]]:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(f"must be a whole number{f' from {least}' if least >= 0 else ''}")
        return {name: value}

    return read


def _names(name: str) -> Callable[[Any], dict[str, Any]]:
    def read(value: Any) -> dict[str, Any]:
        if name == "chain" and isinstance(value, str):
            return {name: value}
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise ValueError("must be a list of texts")
        return {name: tuple(value)}

    return read


def _identity(value: Any) -> dict[str, Any]:
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise ValueError("must be a text or a whole number")
    return {"id": str(value)}


def _temperature(value: Any) -> dict[str, Any]:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= 2:
        raise ValueError("must be a number from 0 to 2")
    return {"temperature": float(value)}


def _usd(value: Any) -> dict[str, Any]:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("must be an amount in US dollars, such as 0.05")
    return {"max_cost": value}


def _flag(name: str) -> Callable[[Any], dict[str, Any]]:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, bool):
            raise ValueError("must be true or false")
        return {name: value}

    return read


def _metadata(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("must be an object")
    return {"metadata": json.loads(json.dumps(value, default=float))}


def _messages(value: Any) -> dict[str, Any]:
    if not isinstance(value, list) or not value or not all(isinstance(one, Mapping) for one in value):
        raise ValueError('must be a list such as [{"role": "user", "content": "…"}]')
    said: list[Message] = []
    system: list[str] = []
    for one in value:
        role, content = one.get("role"), one.get("content")
        if role not in ("system", "user", "assistant") or not isinstance(content, str):
            raise ValueError("each has a role (system, user or assistant) and a content that is text")
        if role == "system":
            system.append(content)
        else:
            said.append(Message(role, content))
    if not said or said[-1].role != "user":
        raise ValueError("the last must be the user's")
    found: dict[str, Any] = {"prompt": said[-1].text, "history": tuple(said[:-1])}
    return {**found, "system": "\n\n".join(system)} if system else found


_KEYS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "id": _identity,
    "prompt": _text("prompt"),
    "messages": _messages,
    "system": _text("system"),
    "files": _names("files"),
    "task_type": _text("task_type"),
    "strategy": _text("strategy"),
    "model": _text("model"),
    "chain": _names("chain"),
    "ensemble_size": _whole("ensemble_size", 2),
    "verdict": _text("verdict"),
    "max_cost_usd": _usd,
    "max_tokens": _whole("max_tokens", 1),
    "temperature": _temperature,
    "check": _text("check"),
    "self_consistency": _whole("self_consistency", 0),
    "use_cache": _flag("use_cache"),
    "split": _flag("split"),
    "tags": _names("tags"),
    "metadata": _metadata,
    "priority": _whole("priority", -(10**9)),
}
