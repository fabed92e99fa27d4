"""The scripted answers: chosen by what was asked, different from model to model, honest, and right."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.demo import ROSTER, Say
from tui_orchestrator.demo.dialect import Question, Turn, count, tokens
from tui_orchestrator.demo.scripted import MARK, _measures, answer, complete, filled
from tui_orchestrator.demo.topics import Topic, topic_of, topics
from tui_orchestrator.routing.request import Message, Request
from tui_orchestrator.routing.synthesis import one_from_all
from tui_orchestrator.routing.text import clean

MODELS = {model.name: model for provider in ROSTER for model in provider.models}
TEA = "Compare tea and coffee in two sentences."
MERGE = "Write a Python function that merges two sorted lists"


def ask(model: str, *turns: str) -> str:
    roles: list[Any] = ["user", "assistant"]
    said = tuple(Turn(roles[index % 2], text) for index, text in enumerate(turns))
    return answer(MODELS[model], Question(model, said)).text


@pytest.mark.parametrize(
    ("prompt", "topic"),
    [
        (MERGE, "merge_sorted"),
        ("Please merge two sorted arrays in Rust", "merge_sorted"),
        ("Compare SQLite and PostgreSQL for a small web app", "compare_databases"),
        ("Rust vs Go for a network service?", "compare_languages"),
        ("Why does my function fail with a KeyError?", "debugging"),
        ("Refactor this class", "refactor"),
        ("Write a SQL query for the top customers", "sql_top"),
        ("Write a debounce function in TypeScript", "ts_debounce"),
        ("bash one-liner to find the largest files", "shell_files"),
        ("Count words in Rust", "rust_words"),
        ("Solve x^2 - 5x + 6 = 0", "math"),
        ("Prove that the square root of 2 is irrational", "proof"),
        ("Plan a product launch", "plan"),
        ("Write a short story about a lighthouse", "story"),
        ("A haiku about snow", "poem"),
        ("Translate 'good morning' to French", "translation"),
        ("Summarize the following text: the story of SQL in Python", "summary"),
        ("Design a distributed rate limiter", "design"),
        ("用中文介绍一下你自己", "chinese"),
        ("自己紹介をしてください", "japanese"),
        ("안녕하세요, 자기소개를 해 주세요", "korean"),
        ("hello!", "small_talk"),
        ("What is the capital of Norway?", "facts"),
        ("zorble the frobnitz", "generic"),
    ],
)
def test_the_script_fits_what_was_asked(prompt: str, topic: str) -> None:
    assert topic_of(prompt).name == topic


@pytest.mark.parametrize("model", MODELS)
def test_every_answer_begins_by_saying_that_it_is_scripted(model: str) -> None:
    for prompt in (MERGE, "hi", "2 + 2", "zorble", "用中文介绍一下你自己", ""):
        said = ask(model, prompt)
        assert said.startswith(MARK)
        assert len(said) > len(MARK) + 2
        assert clean(said) == said


@pytest.mark.parametrize("topic", topics().values(), ids=topics())
def test_no_script_leaves_a_placeholder_or_an_open_fence(topic: Topic) -> None:
    prompt = {"chinese": "你好", "japanese": "こんにちは", "korean": "안녕하세요"}.get(topic.name, "a question")
    cases = itertools.product(MODELS.values(), topic.languages or ("",), ("basic", "good", "best"))
    for model, language, quality in cases:
        question = Question(model.name, (Turn("user", prompt),))
        said = filled(topic, topic.section(language, quality), model, question, [prompt], quality)
        assert said or topic.name == "thanks"
        assert said.count("```") % 2 == 0
        assert not re.search(r"^\{[a-z_]+\}$", said, re.MULTILINE)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_s_merge_function_merges(model: str) -> None:
    [code] = re.findall(r"```python\n(.*?)```", ask(model, MERGE), re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(code, namespace)  # written in this repository
    merge = namespace.get("merge_sorted") or namespace["merge"]
    assert merge([1, 3, 5], [2, 3, 6]) == [1, 2, 3, 3, 5, 6]
    assert merge([], [1]) == [1]
    assert merge([1], []) == [1]


@pytest.mark.parametrize("topic", topics().values(), ids=topics())
def test_all_python_in_the_scripts_compiles(topic: Topic) -> None:
    for section in topic.sections.values():
        for code in re.findall(r"```python\n(.*?)```", section, re.DOTALL):
            compile(code, topic.name, "exec")


def test_a_better_model_answers_at_greater_length_and_another_makes_a_point_of_its_own() -> None:
    basic, good, best = (ask(model, MERGE) for model in ("pebble-3b", "lumen-dash", "tern-max"))
    assert len(basic) < len(good) < len(best)
    prompt = "Compare SQLite and PostgreSQL"
    points = [
        {line for line in ask(model, prompt).splitlines() if line.startswith("- ")}
        for model in ("rush-pro", "lumen-dash", "tern-max")
    ]
    assert len(set.intersection(*points)) >= 2
    for index, own in enumerate(points):
        assert own - set.union(*points[:index], *points[index + 1 :])


def test_the_hedging_model_hedges_and_no_other_does() -> None:
    hedging = [model for model in MODELS if "not sure" in ask(model, MERGE)]
    assert hedging == ["tern-lite"]
    assert "I might be wrong" in ask("tern-lite", "hi")


def test_a_follow_up_speaks_of_the_earlier_turn() -> None:
    in_rust = ask("tern-max", MERGE, "…", "now in Rust")
    assert MERGE in in_rust
    assert "```rust" in in_rust
    assert MERGE in ask("rush-pro", MERGE, "…", "why?")
    assert MERGE in ask("rush-pro", MERGE, "…", "thank you")
    shorter = ask("tern-max", MERGE, "…", "make it shorter")
    assert "sorted(a + b)" in shorter
    assert f"1. “{MERGE}”" in ask("pebble-3b", MERGE, "…", "what did I ask first?")
    assert MERGE in ask("rush-pro", MERGE, "…", "now in Rust", "…", "and why?")


@pytest.mark.parametrize(
    ("prompt", "result"), [("What is 17 * 23?", "391"), ("1200 + 34", "1,234"), ("7 / 2", "3.5"), ("3 minus 5", "-2")]
)
def test_sums_are_right(prompt: str, result: str) -> None:
    assert f"**{result}**" in ask("pebble-3b", prompt)


def test_a_sum_inside_a_text_is_not_what_was_asked() -> None:
    assert "```json" in ask("rush-pro", "Extract as JSON: we met Ada Lovelace on 2026-11-02, and Bob paid 30 euros")
    assert "divided by zero" in ask("rush-pro", "1 / 0")


def test_a_summary_is_of_the_text_that_was_given() -> None:
    text = "The fox ran over the hill. Then it slept for a very long time under an oak. Nobody saw it again."
    said = ask("rush-pro", f"Summarize: {text}")
    assert "The fox ran over the hill." in said
    assert "21 words, 3 sentences" in said
    assert "no script for “Compare tea and coffee in two sentences.”" in ask("rush-pro", MERGE, "…", TEA)


def test_what_is_said_of_the_routing_is_true_under_every_strategy() -> None:
    said = ask("tern-max", "zorble the frobnitz")
    assert "chose this model by your strategy" in said
    assert "cheapest" not in said


def test_an_unknown_language_is_said_to_be_unknown() -> None:
    said = ask("rush-pro", "merge two sorted lists in Go")
    assert "There is no Go version" in said
    assert "```python" in said


@given(st.text(max_size=400))
def test_tokens_joined_again_are_the_text(text: str) -> None:
    assert "".join(tokens(text)) == text
    assert count(text) == len(tokens(text))


def test_tokens_are_about_four_characters_of_prose_and_one_wide_one() -> None:
    prose = ask("tern-max", "Write a short story about a lighthouse")
    assert 3.2 < len(prose) / len(tokens(prose)) < 4.8
    assert len(tokens("你好世界")) == 4


def test_megabytes_are_counted_by_a_sample() -> None:
    assert count("word " * 1_000_000) == pytest.approx(1_000_000, rel=0.001)


@given(st.text(max_size=200), st.text(max_size=100), st.integers(1, 60))
def test_a_limit_bounds_thinking_and_text_together(text: str, thinking: str, most: int) -> None:
    question = Question("tern-max", (Turn("user", "x"),), max_tokens=most)
    completion = complete(MODELS["tern-max"], question, Say(text=text, thinking=thinking))
    whole = (*tokens(thinking), *tokens(text))
    assert completion.thinking + completion.text == whole[:most]
    assert completion.usage.output == len(completion.thinking) + len(completion.text)
    assert completion.usage.reasoning == len(completion.thinking)
    assert completion.finish == ("length" if len(whole) > most else "stop")


@given(st.lists(st.text(max_size=80), min_size=1, max_size=5), st.sampled_from(sorted(MODELS)))
def test_any_conversation_gets_an_answer_and_always_the_same(turns: list[str], model: str) -> None:
    said = ask(model, *turns)
    assert said.startswith(MARK)
    assert ask(model, *turns) == said


def test_addresses_in_a_text_are_listed() -> None:
    assert _measures("Write to ann.b+c@x.co.uk, <d-e@f.fr> or x@.")["emails"] == '["ann.b+c@x.co.uk", "d-e@f.fr"]'


@pytest.mark.parametrize("letters", ["x", "語", "2026-11-"])
def test_a_word_without_end_is_gone_through_once(letters: str) -> None:
    """The demo's servers run in the console's own event loop."""

    def took(measure: Callable[[str], object], text: str) -> float:
        begun = time.thread_time()
        measure(text)
        return time.thread_time() - begun

    long = letters * (40_000 // len(letters))
    # From each letter on, it takes hundreds of times as long.
    assert took(_measures, long) < took(re.compile(r"[\w.+-]+@").findall, long[:10_000])


def test_of_answers_that_are_to_be_put_together_the_one_that_says_the_most_is_given() -> None:
    asked = Request((Message("user", "Compare Rust and Go"),))
    several = [ask(model, asked.prompt) for model in ("pebble-3b", "tern-max", "lumen-dash")]
    assert ask("tern-max", one_from_all(asked, several).prompt) == max(several, key=len)
