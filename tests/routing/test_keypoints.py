"""What answers say point by point, and where they agree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_orchestrator.routing.keypoints import MOST_POINTS, agreement, key_points, stem

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


TEN = ["alpha", "bravo", "carol", "delta", "eagle", "fancy", "giant", "house", "igloo", "jolly"]


def of_words(own: int, others: int, common: int) -> dict[str, str]:
    """Two points of so many words, of which so many are the same."""
    more = [f"other{letter}" for letter in "abcdefghij"[: others - common]]
    return {"a": " ".join(TEN[:own]), "b": " ".join(TEN[:common] + more)}


@pytest.mark.parametrize(
    ("own", "others", "common", "same"),
    [
        # Seven of ten words of the shorter one.
        (10, 10, 7, True),
        (10, 17, 7, True),
        (10, 17, 6, False),
        (3, 3, 2, False),
        (4, 4, 2, False),
        (4, 8, 3, True),
        # Or of all of both two in five, where the shorter has five.
        (10, 10, 6, True),
        (7, 7, 4, True),
        (7, 7, 3, False),
        (5, 5, 3, True),
        (6, 8, 4, True),
        (7, 10, 5, True),
        (7, 9, 4, False),
        (4, 5, 2, False),
    ],
)
def test_two_points_are_the_same_by_so_many_common_words(own: int, others: int, common: int, same: bool) -> None:
    both = of_words(own, others, common)
    assert bool(agreement(both).shared) is bool(agreement(dict(reversed(both.items()))).shared) is same


@pytest.mark.parametrize(
    ("word", "stemmed"),
    [
        ("walked", "walk"),
        ("relations", "relation"),
        ("creations", "creation"),
        ("informations", "inform"),
        ("abcding", "abcd"),
        ("abcing", "abcing"),
        ("roses", "rose"),
        ("bravely", "brave"),
        ("cats", "cats"),
        ("queens", "queen"),
    ],
)
def test_endings_are_left_off_words_of_four_letters_and_more(word: str, stemmed: str) -> None:
    assert stem(word) == stemmed


def test_a_point_has_240_characters_and_an_answer_40000_at_most() -> None:
    assert key_points("a" * 240) == ("a" * 240,)
    assert key_points("a" * 241) == ("a" * 239 + "…",)
    assert key_points("a" * 238 + " bcd") == ("a" * 238 + "…",)
    assert key_points("```\n" * 2 + "\n" * 39_988 + "Bonn") == ("Bonn",)
    assert key_points("```\n" * 2 + "\n" * 39_989 + "Bonn") == ("Bon",)
    assert key_points("\n".join(f"- point {n}" for n in range(61)))[-1] == "point 59"
    assert len(key_points("Bonn. " + "x" * 3993 + " Ulm")[1]) == 240
    assert key_points("It, " * 999 + "Bonn") == ()
    assert key_points(".\n".join(["Bonn", "Bonn not", "Bonn"])) == ("Bonn.", "Bonn not.")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Yes.", "Ja.", False),
        ("Not yes.", "Yes.", True),
        ("So it is.", "It is so.", None),
        ("No, not Bonn.", "Bonn.", True),
        ("不是东京。", "是东京。", False),
        ("没有东京。", "有东京。", False),
        ("Q.", "Ulm.", None),
        ("C Bonn.", "Bonn.", True),
        ("Ox.", "Ox!", True),
        ("東", "東", True),
        ("東京", "東北", False),
        ("東京都", "京都", True),
        ("Of 3 in Bonn.", "Of 4 in Bonn.", False),
        ("Of 3 in Bonn.", "In Bonn.", True),
        ("Of 3 or 4 in Bonn.", "Of 4 in Bonn.", True),
    ],
)
def test_whether_two_points_are_one(one: str, other: str, same: bool | None) -> None:
    """None: there is nothing to compare."""
    found = agreement({"a": one, "b": other})
    assert (bool(found.shared) if key_points(one) and key_points(other) else None) is same


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
