"""Calls of tools: what is read of them, whether they can be carried out, and what they do to a terminal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tui_orchestrator.routing.tools import (
    Calling,
    Tool,
    ToolCall,
    arguments_of,
    clean_json,
    definitions,
    flaw,
    is_cut_off,
)

LOOK = Tool("look", "Looks a word up.", {"type": "object", "required": ["word"]})
WALK = Tool("walk", "Goes there.", {"type": "object", "required": "to"})
STOP = Tool("stop", "", {})


def called(arguments: str, name: str = "look") -> ToolCall:
    return ToolCall("call_1", name, arguments)


@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        ('{"word": "ß"}', {"word": "ß"}),
        ("{}", {}),
        ("", {}),
        (" \n", {}),
        ("[1]", None),
        ("null", None),
        ('{"word": ', None),
        ("[" * 100_000, None),
    ],
)
def test_arguments_are_a_json_object_or_nothing(arguments: str, read: dict[str, Any] | None) -> None:
    assert arguments_of(called(arguments)) == read


@pytest.mark.parametrize(
    ("arguments", "cut"),
    [
        ('{"word": "tid', True),
        ('{"word": ', True),
        ('{"word"', True),
        ("{", True),
        ('{"word": tru', True),
        ('{"word": "tides"}', False),
        ("", False),
        ("  ", False),
        ("[1]", False),
        ("{word: 1}", False),
        ('{"word": "tides"}}', False),
        ("[" * 100_000, False),
    ],
)
def test_what_ends_in_the_middle_was_cut_off_and_what_is_wrong_was_not(arguments: str, cut: bool) -> None:
    assert is_cut_off(called(arguments)) is cut


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ((), ""),
        ((called('{"word": "tides"}'),), ""),
        ((called('{"word": null}'),), ""),
        ((called("{}"),), "calls look without word"),
        ((called(""),), "calls look without word"),
        ((called("[1]"),), "calls look with arguments that are no JSON object"),
        ((called("", "stop"),), ""),
        ((called("{}", "walk"),), ""),
        ((called("{}", "fly"),), "calls fly, which is not offered"),
        ((called("{}", ""),), "calls a tool without a name, which is not offered"),
        ((called("", "stop"), called("{}")), "calls look without word"),
        ((called("{}", "fly"), called("{}")), "calls fly, which is not offered"),
    ],
)
def test_the_first_call_that_cannot_be_carried_out_is_told(calls: tuple[ToolCall, ...], said: str) -> None:
    assert flaw(calls, (LOOK, WALK, STOP)) == said


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('{"word": "ß\\n"}', '{"word": "ß\\n"}'),
        ('{"word": "\x1b[2J"}', '{"word": "\\u001b[2J"}'),
        ('{"word": "\x7f"}', '{"word": "\\u007f"}'),
        ('{\r"word": 1}', '{\n"word": 1}'),
        ('{"word": "\u202e"}', '{"word": "\\u202e"}'),
    ],
)
def test_what_could_command_a_terminal_is_escaped_and_means_the_same(text: str, clean: str) -> None:
    assert clean_json(text) == clean
    assert json.loads(clean_json(text)) == json.loads(text, strict=False)


def test_a_call_is_the_sum_of_its_pieces() -> None:
    assert Calling("call_1", "look", "signed", ['{"word"', ': "tides"}']).call == ToolCall(
        *("call_1", "look", '{"word": "tides"}', "signed")
    )


def test_tools_as_text_are_a_line_each() -> None:
    assert definitions((LOOK, STOP)) == (
        '["look", "Looks a word up.", {"type": "object", "required": ["word"]}]\n["stop", "", {}]'
    )
    assert definitions((Tool("süß", "ß", {}),)) == '["süß", "ß", {}]'
