"""Recipes as they stand in files, and the texts they are made of."""

from __future__ import annotations

import os
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
        ("x" + ".a" * 40 + " = 1", "a key has more than 30 dots (at line 1"),
        ("x = " + "[" * 5000, "nested too deeply"),
        ("x = " + "9" * 5000, "a number has more than 600 digits (at line 1"),
        (STEP, "{topic} is no parameter and no step before it"),
        (TOPIC + STEP + "strategi = 'cheapest'\n", "strategi: is an unknown key; did you mean strategy"),
        (TOPIC + STEP + "strategy = 'fastest'\n", "strategy: is 'fastest'; it is one of"),
        (TOPIC + STEP + "task_type = 'maths'\n", "task_type: is 'maths'; it is one of"),
        (TOPIC + STEP + STEP, "steps[2].id: 'one' is taken"),
        (TOPIC + STEP + "for_each = 'topic'\n", "a text needs part_tokens"),
        (TOPIC + STEP + "part_tokens = 100\n", "say with for_each which"),
        (TOPIC + STEP + "max_tokens = 0\n", "max_tokens: must be a whole number from 1"),
        (TOPIC + STEP + "temperature = 3\n", "temperature: must be a number from 0 to 2"),
        (TOPIC + STEP + "max_cost = 0.1\n", "must be an amount in US dollars as text"),
        (TOPIC + STEP.replace("{topic}", "{topic"), "is no place for a value"),
        (TOPIC + "type = 'file'\n" + STEP, "parameters.topic.type: is 'file'"),
        (TOPIC + "type = 'integer'\ndefault = 'many'\n" + STEP, "parameters.topic.default: is 'many'"),
        (TOPIC + "type = 'choice'\n" + STEP, "parameters.topic.choices"),
        ("output = '{two}'\n" + TOPIC + STEP, "output: {two} is no parameter"),
    ],
)
def test_a_wrong_file_is_named_with_its_key(text: str, said: str) -> None:
    with pytest.raises(RecipeError) as raised:
        parse("mine", text, "mine.toml")
    assert str(raised.value).startswith("mine.toml: ")
    assert said in str(raised.value)


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
    assert places(template) == ["value"]
    assert filled(template, {"value": value}) == before + value
