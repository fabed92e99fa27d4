"""What answers say point by point, and where they agree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_orchestrator.routing.keypoints import MOST_POINTS, agreement, key_points

POINTS = [
    ("Paris is the capital. It lies on the Seine.", ("Paris is the capital.", "It lies on the Seine.")),
    ("# Lists\n- Lists are **mutable**.\n- Tuples are not.", ("Lists", "Lists are mutable.", "Tuples are not.")),
    ("1. First wash the rice\n2. Then boil it", ("First wash the rice", "Then boil it")),
    ("Here is the code:\n```python\nprint('hello world')\n```\nIt prints a greeting.", ("It prints a greeting.",)),
    ("北京是中国的首都。人口超过两千万。", ("北京是中国的首都。", "人口超过两千万。")),
    ("The same point. The same point.", ("The same point.",)),
    ("42", ("42",)),
    ("Yes.", ("Yes.",)),
    ("", ()),
    ("```\nonly code\n```", ()),
]


@pytest.mark.parametrize(("answer", "points"), POINTS)
def test_points_are_sentences_bullets_and_headings_without_their_marks(answer: str, points: tuple[str, ...]) -> None:
    assert key_points(answer) == points


SAME = [
    ("Paris is the capital of France.", "The capital of France is **Paris**."),
    ("Paris", "The capital of France is Paris."),
    ("The answer is 42.", "42"),
    ("It costs 1,000 dollars.", "It costs 1000 dollars."),
    ("Bread dough needs time for rising and resting.", "- Resting and rising: bread dough needs its time"),
    ("Die Hauptstadt von Frankreich ist Paris.", "Paris ist die Hauptstadt Frankreichs."),
    ("La capitale de la France est Paris.", "Paris est la capitale de la France."),
    ("北京是中国的首都。", "中国的首都是北京。"),
    ("東京は日本の首都です。", "日本の首都は東京です。"),
    ("Yes.", "Yes"),
]
DIFFERENT = [
    ("Paris is the capital of France.", "Lyon is the capital of France."),
    ("The answer is 42.", "The answer is 43."),
    (
        "The treaty was signed in Vienna by all powers in 1815.",
        "The treaty was signed in Vienna by all powers in 1816.",
    ),
    ("Yes.", "No."),
    ("Lists are mutable in Python.", "Lists are not mutable in Python."),
    ("Das Gesetz gilt in Bayern.", "Das Gesetz gilt nicht in Bayern."),
    ("北京是中国的首都。", "上海是中国最大的城市。"),
    ("Water boils at 100 degrees.", "Bread dough needs time for rising."),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_answers_that_say_the_same_in_other_words_agree(one: str, other: str) -> None:
    found = agreement({"a": one, "b": other})
    assert found.shared
    assert found.dissent == ()
    assert found.consensus == {"a": 1.0, "b": 1.0}


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_answers_that_say_otherwise_dissent(one: str, other: str) -> None:
    found = agreement({"a": one, "b": other})
    assert found.shared == ()
    assert [name for name, _ in found.dissent] == ["a", "b"]
    assert found.consensus == {"a": 0.0, "b": 0.0}


def test_what_most_say_is_shared_and_what_one_says_alone_is_dissent() -> None:
    shared, dissent, consensus, _ = agreement(
        {
            "a": "The capital of Australia is Canberra. It was founded in 1913.",
            "b": "Canberra is the capital of Australia.",
            "c": "Australia's capital is Sydney.",
        }
    )
    assert shared == ("The capital of Australia is Canberra.",)
    assert dissent == (("a", "It was founded in 1913."), ("c", "Australia's capital is Sydney."))
    assert consensus["b"] > consensus["a"] > consensus["c"] == 0


def test_two_of_four_are_no_majority_and_no_dissent() -> None:
    found = agreement({"a": "Use a queue.", "b": "Use a queue.", "c": "Pick red paint.", "d": "Sail north."})
    assert found.shared == ()
    assert [name for name, _ in found.dissent] == ["c", "d"]


def test_the_most_widely_shared_point_comes_first() -> None:
    found = agreement(
        {
            "a": "Salt the water well. Stir the pasta often.",
            "b": "Stir the pasta often. Salt the water well.",
            "c": "Stir the pasta often.",
        }
    )
    assert found.shared == ("Stir the pasta often.", "Salt the water well.")


def test_alone_nobody_agrees_or_dissents() -> None:
    assert agreement({"a": "Paris is the capital of France."}) == ((), (), {"a": 0.0}, ())
    assert agreement({}) == ((), (), {}, ())


def test_an_empty_answer_agrees_with_none() -> None:
    found = agreement({"a": "Paris is the capital.", "b": ""})
    assert found.consensus == {"a": 0.0, "b": 0.0}
    assert found.dissent == (("a", "Paris is the capital."),)


def test_an_endless_answer_has_no_more_than_sixty_points() -> None:
    assert len(key_points("\n".join(f"- point number {n}" for n in range(5000)))) == MOST_POINTS


def test_a_very_long_sentence_is_shortened() -> None:
    (point,) = key_points("lorem ipsum dolor " * 2000)
    assert len(point) <= 240
    assert point.endswith("…")


@given(st.dictionaries(st.sampled_from("abcd"), st.text(max_size=300), max_size=4))
@settings(max_examples=60, deadline=None)
def test_any_answers_can_be_compared(answers: dict[str, str]) -> None:
    found = agreement(answers)
    assert found == agreement(answers)
    assert set(found.consensus) == set(answers)
    assert all(0 <= score <= 1 for score in found.consensus.values())
    assert {name for name, _ in found.dissent} <= set(answers)
    everything = {point for answer in answers.values() for point in key_points(answer)}
    assert set(found.shared) <= everything
    assert {point for _, point in found.dissent} <= everything


@given(st.text(min_size=1, max_size=200))
@settings(max_examples=40, deadline=None)
def test_an_answer_agrees_wholly_with_its_own_copy(answer: str) -> None:
    found = agreement({"a": answer, "b": answer})
    assert found.dissent == ()
    assert set(found.consensus.values()) == ({1.0} if key_points(answer) else {0.0})
