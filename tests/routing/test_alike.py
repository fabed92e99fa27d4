"""Which prompts ask the same in other words. The larger table is benchmarks/semantic_cache.tsv."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.alike import why_not_alike

TABLE = Path(__file__).parents[2] / "benchmarks" / "semantic_cache.tsv"
ROWS = [line.split("\t") for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
SAME = [(one, other) for _, kind, one, other in ROWS if kind == "same"]
NEAR_MISSES = [(one, other) for _, kind, one, other in ROWS if kind != "same"]


def test_a_near_miss_is_another_question_whichever_came_first() -> None:
    taken = [pair for pair in NEAR_MISSES if not why_not_alike(*pair) or not why_not_alike(*reversed(pair))]
    assert taken == []


def test_most_of_what_asks_the_same_is_known_as_the_same() -> None:
    alike = [pair for pair in SAME if why_not_alike(*pair) is None]
    assert len(alike) >= 0.8 * len(SAME)
    assert all(why_not_alike(other, one) is None for one, other in alike)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("Convert 5 km to miles", "Convert 6 km to miles", "'5' differs"),
        ("Rename `a` to `b`", "Rename `b` to `a`", "what is quoted differs"),
        ("convert JSON to YAML", "convert YAML to JSON", "the order differs"),
        ("Is it a very big dog?", "Is it a very very big dog?", "a word stands there more often"),
        ("?", "!", "there is nothing to compare"),
    ],
)
def test_what_makes_it_another_question_is_said(one: str, other: str, why: str) -> None:
    assert why_not_alike(one, other) == why


@given(st.text(max_size=80))
def test_any_prompt_asks_the_same_as_itself(prompt: str) -> None:
    assert why_not_alike(prompt, prompt) is None


WORDS = st.lists(
    st.sampled_from(
        [
            "how",
            "do",
            "i",
            "not",
            "3",
            "4",
            "cat",
            "dogs",
            "Rome",
            "rome",
            "python",
            "rust",
            "`x`",
            "`y`",
            "in",
            "to",
            "from",
            "IT",
            "it",
            "A",
            "a",
            "please",
            "+",
            "-",
            "is",
        ]
    ),
    max_size=7,
).map(" ".join)


@given(WORDS, WORDS)
def test_asking_the_same_holds_both_ways_and_the_numbers_agree(one: str, other: str) -> None:
    assert (why_not_alike(one, other) is None) is (why_not_alike(other, one) is None)
    if why_not_alike(one, other) is None:
        for counted in ("3", "4", "not", "`x`", "IT", "cat", "rust"):
            assert one.split().count(counted) == other.split().count(counted), counted
