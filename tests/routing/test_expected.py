"""Whether an answer is the expected one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.expected import as_expected


@pytest.mark.parametrize(
    ("prompt", "answer", "expected", "found"),
    [
        ("What is 17 + 25?", "17 + 25 = **42**", "42", True),
        ("What is 17 + 25?", "17 + 25 = 43", "42", False),
        ("How many legs have 3 spiders?", "Each has 8, and 3 × 8 is 24. The answer is 24.", "24", True),
        ("What is the capital of France?", "The capital of France is **Paris**.", "Paris", True),
        ("What is the capital of France?", "The capital of France is Lyon.", "Paris", False),
        ("What is the capital of France?", "*Made up.*\n\nThe capital of France is Paris.", "Paris", True),
        ("What is the capital of France?", "*Made up.*\n\nThe capital of France is Lyon.", "Paris", False),
        ("Is 7 a prime?", "Yes, it is.", "yes", True),
        ("Is 7 a prime?", "No.", "yes", False),
        ("Which?\nA) one\nB) two", "The answer is B.", "B", True),
        ("Which?\nA) one\nB) two", "A", "B", False),
        ("Say it", "  HELLO world ", "hello world", True),
        ("Say it", "Well, hello world then", "hello world", True),
        ("What is 1 + 1?", "", "2", None),
        ("What is 1 + 1?", "2", " ", None),
    ],
)
def test_it_goes_by_what_both_come_to(prompt: str, answer: str, expected: str, found: bool | None) -> None:
    assert as_expected(prompt, answer, expected) is found


def test_of_an_essay_a_few_words_are_looked_for_as_they_stand() -> None:
    essay = "Rain falls because warm air rises and cools, so that its water condenses. " * 8
    assert as_expected("Explain why it rains", essay, "Warm air rises") is True
    assert as_expected("Explain why it rains", essay, "arm air rise") is False
    assert as_expected("Explain why it rains", essay, "the moon pulls") is False


def test_an_essay_is_left_to_a_judge() -> None:
    essay = "Rain falls because warm air rises and cools, so that its water condenses. " * 8
    assert as_expected("Explain why it rains", essay.replace("Rain", "Snow"), essay) is None


@pytest.mark.parametrize(("characters", "found"), [(200, True), (201, None)])
def test_up_to_two_hundred_characters_are_looked_for_in_a_longer_answer(characters: int, found: bool | None) -> None:
    rain = "rain falls because warm air rises and cools so that its water condenses then "
    wanted = (rain * 3)[: characters - 1] + "s"
    answer = f"Well. {wanted}, and so it goes on and on for as long as there is a sea"
    assert as_expected("Explain why it rains", answer, wanted) is found


@given(st.text(max_size=80), st.text(max_size=200), st.text(max_size=80))
def test_whatever_is_compared_nothing_breaks(prompt: str, answer: str, expected: str) -> None:
    assert as_expected(prompt, answer, expected) in (True, False, None)
