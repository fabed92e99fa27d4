"""The tools that a client offers, those it has called, and the form it wants the answer in. Pure.

As documented at platform.openai.com/docs/api-reference/chat (November 2026). Raises WrongRequest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..routing.request import Shape
from ..routing.text import clean_line
from ..routing.tools import FREE, LONGEST_NAME, NAME, Tool, ToolCall, ToolChoice
from .wire import WrongRequest

MOST_TOOLS = 128
"""As at OpenAI."""
_LONGEST_ID = 256
_DEEPEST = 64


def tools_of(said: object) -> tuple[Tool, ...]:
    if said is None:
        return ()
    if not isinstance(said, list) or len(said) > MOST_TOOLS:
        raise WrongRequest(f"tools must be a list of at most {MOST_TOOLS}.", "tools")
    tools = tuple(_tool(one, f"tools[{place}]") for place, one in enumerate(said))
    names = [tool.name for tool in tools]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise WrongRequest(f"Two tools are called {twice}; give each a name of its own.", "tools")
    return tools


def _tool(said: object, at: str) -> Tool:
    function = said.get("function") if isinstance(said, Mapping) else None
    if not isinstance(said, Mapping) or said.get("type") != "function" or not isinstance(function, Mapping):
        raise WrongRequest(f"{at} must be of type function, with a function.", at)
    parameters, strict = function.get("parameters"), function.get("strict")
    if parameters is not None and not isinstance(parameters, Mapping):
        raise WrongRequest(f"{at}.function.parameters must be a JSON schema.", f"{at}.function.parameters")
    if strict not in (None, True, False):
        raise WrongRequest(f"{at}.function.strict must be true or false.", f"{at}.function.strict")
    name = _name(function.get("name"), f"{at}.function.name")
    return Tool(
        name, _text(function.get("description"), f"{at}.function.description"), _schema(parameters or {}, at), strict
    )


def choice_of(body: Mapping[str, Any], tools: Sequence[Tool]) -> ToolChoice:
    several, said = body.get("parallel_tool_calls"), body.get("tool_choice")
    if several not in (None, True, False):
        raise WrongRequest("parallel_tool_calls must be true or false.", "parallel_tool_calls")
    if not tools:
        if said not in (None, "none", "auto"):
            raise WrongRequest("tool_choice wants tools to choose from.", "tool_choice")
        return FREE
    if said in (None, "auto", "none", "required"):
        return ToolChoice(said or "auto", several=several)
    function = said.get("function") if isinstance(said, Mapping) and said.get("type") == "function" else None
    name = function.get("name") if isinstance(function, Mapping) else None
    if name not in [tool.name for tool in tools]:
        sentence = "tool_choice must be auto, none, required, or name one of the tools as OpenAI's format does."
        raise WrongRequest(sentence, "tool_choice")
    return ToolChoice("named", name, several)


def calls_of(said: object, at: str) -> tuple[ToolCall, ...]:
    """Of an assistant's message."""
    if said is None:
        return ()
    if not isinstance(said, list) or len(said) > MOST_TOOLS:
        raise WrongRequest(f"{at} must be a list of at most {MOST_TOOLS}.", at)
    return tuple(_call(one, f"{at}[{place}]") for place, one in enumerate(said))


def _call(said: object, at: str) -> ToolCall:
    function = said.get("function") if isinstance(said, Mapping) else None
    if not isinstance(said, Mapping) or not isinstance(function, Mapping):
        raise WrongRequest(f"{at} must be of type function, with a function.", at)
    arguments = function.get("arguments", "")
    if not isinstance(arguments, str):
        raise WrongRequest(f"{at}.function.arguments must be JSON as text.", f"{at}.function.arguments")
    return ToolCall(
        id_of(said.get("id"), f"{at}.id"),
        _name(function.get("name"), f"{at}.function.name"),
        arguments,
        _signature(said.get("extra_content")),
    )


def id_of(said: object, at: str) -> str:
    if not isinstance(said, str) or not said or len(said) > _LONGEST_ID or clean_line(said, _LONGEST_ID) != said:
        raise WrongRequest(f"{at} must be the id of a call of a tool.", at)
    return said


def _signature(extra: object) -> str:
    """As Google's own OpenAI-compatible server gives and wants it."""
    google = extra.get("google") if isinstance(extra, Mapping) else None
    signature = google.get("thought_signature") if isinstance(google, Mapping) else None
    return signature if isinstance(signature, str) else ""


def shape_of(said: object) -> Shape | None:
    if said is None:
        return None
    kind = said.get("type") if isinstance(said, Mapping) else None
    if not isinstance(said, Mapping) or kind not in ("text", "json_object", "json_schema"):
        raise WrongRequest("response_format.type must be text, json_object or json_schema.", "response_format")
    if kind != "json_schema":
        return Shape() if kind == "json_object" else None
    form = said.get("json_schema")
    schema = form.get("schema") if isinstance(form, Mapping) else None
    if not isinstance(form, Mapping) or not isinstance(schema, Mapping):
        raise WrongRequest("response_format.json_schema must have a name and a schema.", "response_format")
    strict, at = form.get("strict"), "response_format.json_schema"
    if strict not in (None, True, False):
        raise WrongRequest(f"{at}.strict must be true or false.", f"{at}.strict")
    return Shape(_schema(schema, at), _name(form.get("name"), f"{at}.name"), _text(form.get("description"), at), strict)


def _name(said: object, at: str) -> str:
    if not isinstance(said, str) or not NAME.fullmatch(said):
        raise WrongRequest(f"{at} must be 1 to {LONGEST_NAME} letters, digits, - or _.", at)
    return said


def _text(said: object, at: str) -> str:
    if said is not None and not isinstance(said, str):
        raise WrongRequest(f"{at} must be text.", at)
    return said or ""


def _schema(said: Mapping[str, Any], at: str) -> Mapping[str, Any]:
    if _is_deeper(said, _DEEPEST):
        raise WrongRequest(f"{at}: the schema is nested more than {_DEEPEST} deep.", at)
    return said


def _is_deeper(value: object, levels: int) -> bool:
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return bool(inside) and (levels == 0 or any(_is_deeper(one, levels - 1) for one in inside))
