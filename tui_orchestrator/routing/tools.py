"""Tools that a model may call, and the calls it makes. The router passes both on and runs nothing itself."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .text import clean

LONGEST_NAME = 64
"""Of a tool: what OpenAI takes at most (API reference, November 2026); Anthropic and Google take as many or more."""
NAME = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST_NAME}}}")


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    """As NAME has it: what every provider takes."""
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """A JSON schema of an object; empty: it takes none."""
    strict: bool | None = None
    """The provider is to hold the arguments to the schema, where it can."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`arguments` is JSON text as the model wrote it, which need not be valid."""

    id: str
    name: str
    arguments: str = ""
    signature: str = ""
    """What a provider wants back with the call, base64; '' for most."""


@dataclass(frozen=True, slots=True)
class ToolChoice:
    how: Literal["auto", "none", "required", "named"] = "auto"
    name: str = ""
    """Of the one tool that is to be called, where `how` is named."""
    several: bool | None = None
    """Whether one answer may call several. None: as the provider does."""


FREE = ToolChoice()
"""The model chooses."""


@dataclass(slots=True)
class Calling:
    """One call as its pieces come."""

    id: str
    name: str
    signature: str = ""
    pieces: list[str] = field(default_factory=list)

    @property
    def call(self) -> ToolCall:
        return ToolCall(self.id, self.name, "".join(self.pieces), self.signature)


def clean_json(text: str) -> str:
    """JSON text, or a piece of it, that can do a terminal no harm and means the same: inside a string a control
    character is as good as its escape, and anywhere else it is an error already."""
    if clean(text) == text:
        return text
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if clean(character) == character:
        return character
    if character == "\r":
        return "\n"
    return json.dumps(character)[1:-1] if ord(character) != 0x7F else "\\u007f"


def arguments_of(call: ToolCall) -> dict[str, Any] | None:
    """None: they are no JSON object. A model that wants none may send none."""
    if not call.arguments.strip():
        return {}
    try:
        said = json.loads(call.arguments)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def is_cut_off(call: ToolCall) -> bool:
    """The arguments end in the middle, as against those that are whole and wrong."""
    said = call.arguments.strip()
    if not said:
        return False
    try:
        json.loads(said)
    except json.JSONDecodeError as error:
        return error.pos >= len(said) or error.msg.startswith("Unterminated string") or said[-1] not in "}]"
    except (ValueError, RecursionError):
        return False
    return False


def flaw(calls: Sequence[ToolCall], tools: Sequence[Tool]) -> str:
    """Why calls cannot be carried out, for people; '' where nothing speaks against it."""
    offered = {tool.name: tool for tool in tools}
    for call in calls:
        tool = offered.get(call.name)
        if tool is None:
            return f"calls {call.name or 'a tool without a name'}, which is not offered"
        arguments = arguments_of(call)
        if arguments is None:
            return f"calls {call.name} with arguments that are no JSON object"
        required = tool.parameters.get("required", ())
        missing = [name for name in required if name not in arguments] if isinstance(required, list | tuple) else []
        if missing:
            return f"calls {call.name} without {missing[0]}"
    return ""


def definitions(tools: Sequence[Tool]) -> str:
    """The tools as text, about as long as what providers put before the prompt for them."""
    return "\n".join(json.dumps([tool.name, tool.description, tool.parameters], ensure_ascii=False) for tool in tools)
