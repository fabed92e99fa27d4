"""The key of a question: everything that is sent and can change the answer, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.providers import anthropic, gemini, openai
from tui_orchestrator.routing.answer_key import question
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.money import Money, Price, Rates
from tui_orchestrator.routing.ports import Call, Timeouts
from tui_orchestrator.routing.profile import Ability, Level, TaskType
from tui_orchestrator.routing.request import Image, Message, Shape
from tui_orchestrator.routing.tools import Tool, ToolChoice

PICTURE = Image("image/png", b"png", "a.png")
MESSAGES = (Message("user", "hello", (PICTURE,)), Message("assistant", "hi"), Message("user", "go on"))
CALL = Call(Model("openai", "small"), MESSAGES, "be brief", 100, 0.0)
URL = "openai http://127.0.0.1:1234/v1"


def key(call: Call, address: str | None = URL) -> str:
    return question(call, address).key


def starting(*images: Image) -> Call:
    return replace(CALL, messages=(Message("user", "hello", images), *MESSAGES[1:]))


CHANGED = {
    "provider": (replace(CALL, model=Model("other", "small")), URL),
    "model": (replace(CALL, model=Model("openai", "large")), URL),
    "provider and model cut elsewhere": (replace(CALL, model=Model("openais", "mall")), URL),
    "server": (CALL, "openai http://127.0.0.1:11434/v1"),
    "protocol": (CALL, "openai-compatible http://127.0.0.1:1234/v1"),
    "no server named": (CALL, None),
    "system": (replace(CALL, system="be long"), URL),
    "no system": (replace(CALL, system=""), URL),
    "most tokens": (replace(CALL, max_tokens=101), URL),
    "temperature": (replace(CALL, temperature=0.1), URL),
    "no temperature": (replace(CALL, temperature=None), URL),
    "a message's text": (replace(CALL, messages=(*MESSAGES[:2], Message("user", "go  on"))), URL),
    "an earlier message's text": (replace(CALL, messages=(MESSAGES[0], Message("assistant", "ho"), MESSAGES[2])), URL),
    "a message's role": (replace(CALL, messages=(MESSAGES[0], Message("user", "hi"), MESSAGES[2])), URL),
    "a message less": (replace(CALL, messages=MESSAGES[:2]), URL),
    "their order": (replace(CALL, messages=MESSAGES[::-1]), URL),
    "two messages as one": (replace(CALL, messages=(MESSAGES[0], Message("assistant", "higo on"))), URL),
    "the last message twice": (replace(CALL, messages=(*MESSAGES, MESSAGES[-1])), URL),
    "an image's bytes": (starting(Image("image/png", b"gnp")), URL),
    "an image's type": (starting(Image("image/gif", b"png")), URL),
    "an image twice": (starting(PICTURE, PICTURE), URL),
    "an image moved": (
        replace(starting(), messages=(*starting().messages[:2], Message("user", "go on", (PICTURE,)))),
        URL,
    ),
}


def test_the_same_call_has_the_same_key() -> None:
    again = Call(Model("openai", "small"), MESSAGES, "be brief", 100, 0)
    assert key(again, URL + "/") == key(CALL)


@pytest.mark.parametrize("what", CHANGED)
def test_whatever_can_change_the_answer_changes_the_key(what: str) -> None:
    others = [key(*changed) for name, changed in CHANGED.items() if name != what]
    assert key(*CHANGED[what]) not in [key(CALL), *others]


# Each field with another value. A field that is not here fails the test: say whether it can change the answer.
CALL_FIELDS: dict[str, Any] = {
    "model": Model("openai", "large"),
    "messages": (Message("user", "hello?"),),
    "system": "be long",
    "max_tokens": 101,
    "temperature": 0.7,
    "timeouts": Timeouts(total=1.0),
    "tools": (Tool("look"),),
    "tool_choice": ToolChoice("required"),
    "shape": Shape(),
}
MODEL_FIELDS: dict[str, Any] = {
    "provider": "other",
    "name": "large",
    "price": Price(Rates.from_usd("1", "2"), per_call=Money(1)),
    "context_window": 9,
    "max_output": 9,
    "abilities": frozenset(Ability),
    "level": Level.EXPERT,
    "ability": 0.9,
    "task_abilities": {TaskType.CODE: 0.1},
    "ability_source": "x",
    "local": True,
    "open_weights": True,
    "family": "x",
    "requests_per_minute": 1,
    "tokens_per_minute": 1,
    "max_concurrent": 1,
    "first_token_s": 9.0,
    "tokens_per_s": 9.0,
    "accepts_temperature": False,
}
BODIES: dict[str, Callable[[Call], dict[str, Any]]] = {
    "anthropic": anthropic.request_body,
    "gemini": gemini.request_body,
    "openai": lambda call: openai.request_body(call, "openai", True),
    "compatible": lambda call: openai.request_body(call, "openai-compatible", False),
    "openrouter": lambda call: openai.request_body(call, "openrouter", False),
}
SENT = {"model", "messages", "system", "max_tokens", "temperature", "provider", "name", "accepts_temperature"}
SENT |= {"tools", "tool_choice", "shape"}


def changed(field: str) -> Call:
    warm = replace(CALL, temperature=0.2)
    if field in CALL_FIELDS:
        return replace(warm, **{field: CALL_FIELDS[field]})
    return replace(warm, model=replace(warm.model, **{field: MODEL_FIELDS[field]}))


def test_every_field_of_a_call_and_its_model_is_thought_of() -> None:
    assert {field.name for field in fields(Call)} == CALL_FIELDS.keys()
    assert {field.name for field in fields(Model) if field.init} == MODEL_FIELDS.keys()


@pytest.mark.parametrize("field", [*CALL_FIELDS, *MODEL_FIELDS])
@pytest.mark.parametrize("dialect", BODIES)
def test_what_changes_the_bytes_that_are_sent_changes_the_key(dialect: str, field: str) -> None:
    before, after = replace(CALL, temperature=0.2), changed(field)
    assert (key(before) != key(after)) is (field in SENT)
    if BODIES[dialect](before) != BODIES[dialect](after):
        assert field in SENT


def test_a_temperature_that_is_not_sent_is_not_in_the_key() -> None:
    model = Model("openai", "small", accepts_temperature=False)
    assert key(replace(CALL, model=model, temperature=0.1)) == key(replace(CALL, model=model, temperature=None))


def test_the_names_of_files_leave_the_key_alone() -> None:
    assert key(starting(replace(PICTURE, name="b.png"))) == key(CALL)


@given(st.text(max_size=8), st.text(max_size=8))
def test_only_the_wording_of_the_last_prompt_is_not_in_the_context(one: str, other: str) -> None:
    asked = [question(replace(CALL, messages=(*MESSAGES[:2], Message("user", text))), URL) for text in (one, other)]
    assert asked[0].context == asked[1].context
    assert (asked[0].key == asked[1].key) is (one == other)
    earlier = replace(CALL, messages=(Message("user", one + "."), *MESSAGES[1:]))
    assert question(earlier, URL).context != asked[0].context


def test_text_that_is_not_unicode_has_a_key_too() -> None:
    assert key(replace(CALL, system="\udc80")) != key(replace(CALL, system="\udc81"))
    assert key(replace(CALL, messages=(Message("user", "\udc80"),))) != key(
        replace(CALL, messages=(Message("user", "\udc81"),))
    )


USER, TOOL = Message("user", "go on"), Message("tool", "4 degrees", answers="1")


@pytest.mark.parametrize(
    ("more", "wanted", "nearly"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"tools": (Tool("look"),)}, True, False),
        ({"messages": (USER, TOOL)}, True, False),
        ({"messages": (TOOL, USER)}, True, True),
        ({"messages": (TOOL,)}, True, False),
        ({"messages": ()}, True, True),
    ],
)
def test_an_answer_to_nearly_the_same_will_do_where_no_tool_has_a_part_in_it(
    more: dict[str, Any], wanted: bool, nearly: bool
) -> None:
    asked = question(replace(CALL, **more), URL, nearly=wanted)
    assert asked.nearly is nearly
    messages = more.get("messages", MESSAGES)
    assert (asked.prompt, asked.model) == (messages[-1].text if messages else "", "openai/small")
    assert not question(replace(CALL, **more), URL).nearly
