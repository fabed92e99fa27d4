"""Recipes as they stand in files, and the texts they are made of."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.recipes import RecipeError, parse, shelf
from tui_orchestrator.recipes.templates import filled, places


def test_the_shipped_ones_are_right_and_described(tmp_path: Path) -> None:
    found = shelf(tmp_path)
    assert {"problem-variations", "grade", "summarize-long", "compare"} <= set(found.recipes)
    assert found.problems == ()
    for recipe in found.recipes.values():
        assert recipe.description != recipe.name
        assert all(parameter.description != parameter.name for parameter in recipe.parameters.values())


def test_the_user_s_own_take_the_place_of_shipped_ones_and_broken_ones_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "grade.toml").write_text('[[steps]]\nid = "one"\nprompt = "Grade it."\n')
    (tmp_path / "torn.toml").write_text("[[steps]\n")
    found = shelf(tmp_path)
    assert found.find("grade").steps[0].prompt == "Grade it."
    assert len(found.problems) == 1
    with pytest.raises(RecipeError, match=r"torn\.toml"):
        found.find("torn")
    with pytest.raises(RecipeError, match="did you mean compare"):
        found.find("compere")


def test_a_pipe_among_the_recipes_is_skipped_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "held.toml")
    found = shelf(tmp_path)
    assert "held" not in found.recipes
    assert str(tmp_path / "held.toml") in found.problems[0]


def test_a_file_that_is_too_long_or_no_text_is_told_and_not_taken(tmp_path: Path) -> None:
    long, odd = tmp_path / "long.toml", tmp_path / "odd.toml"
    long.write_text(TOPIC + STEP + "#" * 400_000)
    odd.write_bytes(b"\xff\xfe")
    found = shelf(tmp_path)
    assert not {"long", "odd"} & found.recipes.keys()
    assert found.problems == (
        f"{long} cannot be read: it has more than 400 kB, the most that is read of such a file",
        f"{odd} cannot be read: it is not UTF-8 text",
    )


def test_the_documented_one_is_right() -> None:
    text = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text()
    recipe = parse("translate", text.partition("```toml\n")[2].partition("```")[0], "docs")
    assert [step.id for step in recipe.steps] == ["translations", "checked"]


STEP = '[[steps]]\nid = "one"\nprompt = "Say {topic}"\n'
TOPIC = '[parameters.topic]\ndescription = "what"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "steps: there are none"),
        ("x" + ".a" * 40 + " = 1", "a key has more than 30 dots; write a shorter one"),
        ("x = " + "[" * 5000, "nested too deeply"),
        ("x = " + "9" * 5000, "x: a number has more than 600 digits; write a shorter one"),
        (STEP, "{topic} is no parameter and no step before it"),
        (TOPIC + STEP + "strategi = 'cheapest'\n", "strategi: is an unknown key; did you mean strategy"),
        (TOPIC + STEP + "strategy = 'fastest'\n", "strategy: is 'fastest'; it is one of"),
        (TOPIC + STEP + "task_type = 'maths'\n", "task_type: is 'maths'; it is one of"),
        (TOPIC + STEP + STEP, "steps[2].id: 'one' is taken"),
        (TOPIC + STEP + "for_each = 'topic'\n", "a text needs part_tokens"),
        (TOPIC + STEP + "part_tokens = 100\n", "say with for_each which"),
        (TOPIC + STEP + "max_tokens = 0\n", "max_tokens: is 0; it must be a whole number from 1"),
        (TOPIC + STEP + "temperature = 3\n", "temperature: is 3; it must be a number from 0 to 2"),
        (TOPIC + STEP + "max_cost = 0.1\n", "must be an amount in US dollars as text"),
        (TOPIC + STEP.replace("{topic}", "{topic"), "is no place for a value"),
        (TOPIC + "type = 'file'\n" + STEP, "parameters.topic.type: is 'file'"),
        (TOPIC + "type = 'integer'\ndefault = 'many'\n" + STEP, "parameters.topic.default: is 'many'"),
        (TOPIC + "type = 'choice'\n" + STEP, "parameters.topic.choices"),
        ("output = '{two}'\n" + TOPIC + STEP, "output: {two} is no parameter"),
        (TOPIC + "default = true\n" + STEP, "parameters.topic.default: is true; it must be text, a number or a list"),
        (TOPIC + "type = 'integer'\nleast = 5\nmost = 2\n" + STEP, "least: is 5, above most, which is 2"),
        ('[parameters."größe"]\n' + TOPIC + STEP, "parameters.größe: a parameter is called by"),
        (TOPIC + STEP + "max_cost = 'a lot'\n", "max_cost: is 'a lot'; it must be an amount in US dollars as text"),
        (TOPIC + STEP + "max_cost = true\n", "max_cost: is true; it must be an amount in US dollars as text"),
        (TOPIC + STEP + "strategy = ['quality']\n", "strategy: is a list; it is one of"),
        (TOPIC + "[[steps]]\nprompt = 'Say {topic}'\n", "steps[1].id: is missing; it must be text"),
        ("steps = ['one']\n" + TOPIC, "steps[1]: 'one' is no table"),
    ],
)
def test_a_wrong_file_is_named_with_its_key(text: str, said: str) -> None:
    with pytest.raises(RecipeError) as raised:
        parse("mine", text, "mine.toml")
    assert all(re.match(r"mine\.toml:[1-9]\d*: ", problem) for problem in raised.value.problems)
    assert said in str(raised.value)


MISTAKEN = """descripton = "a recipe with ten mistakes"
output = "{two} and {thre}"

[parameters.topic]
type = "file"

[parameters.count]
type = "integer"
least = 0
default = "many"

[[steps]]
id = "one"
prompt = '''
Say {topick}, as {"a": 1}'''
temperature = 3
for_each = "topic"

[[steps]]
id = "one"
strategy = "fastest"
max_cost = 0.1
"""


def test_of_a_wrong_file_every_mistake_is_named_with_its_line_and_key_in_their_order() -> None:
    with pytest.raises(RecipeError) as raised:
        parse("mine", MISTAKEN, "mine.toml")
    told = [problem.removeprefix("mine.toml:").split(": ", 2)[:2] for problem in raised.value.problems]
    assert told == [
        ["1", "descripton"],
        ["2", "output"],
        ["2", "output"],
        ["5", "parameters.topic.type"],
        ["9", "parameters.count.least"],
        ["10", "parameters.count.default"],
        ["14", "steps[1].prompt"],
        ["14", "steps[1].prompt"],
        ["16", "steps[1].temperature"],
        ["19", "steps[2].prompt"],
        ["20", "steps[2].id"],
        ["21", "steps[2].strategy"],
        ["22", "steps[2].max_cost"],
    ]
    assert str(raised.value) == "\n".join(raised.value.problems)


def test_every_mistake_of_every_file_is_a_problem_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "mistaken.toml").write_text(MISTAKEN)
    (tmp_path / "torn.toml").write_text("[[steps]\n")
    found = shelf(tmp_path)
    assert len(found.problems) == 14
    with pytest.raises(RecipeError) as raised:
        found.find("mistaken")
    assert raised.value.problems == found.problems[:13]


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({}, "needs topic: what"),
        ({"topic": ["x"], "topik": ["y"]}, "no parameter topik; did you mean topic"),
        ({"topic": ["x", "y"]}, "topic was given more than once"),
        ({"topic": [" "]}, "topic is empty"),
    ],
)
def test_wrong_values_are_named(given_: dict[str, list[str]], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        parse("mine", TOPIC + STEP, "mine.toml").values(given_)


@given(st.text(), st.text())
def test_what_is_put_in_is_never_read_for_places(before: str, value: str) -> None:
    template = before.replace("{", "{{").replace("}", "}}") + "{value}"
    assert places(template) == (["value"], [])
    assert filled(template, {"value": value}) == before + value
