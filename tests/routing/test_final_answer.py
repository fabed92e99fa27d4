"""What answers come to, in the words people and models use: tables that can be checked by eye."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tui_orchestrator.routing.arithmetic import check_sums
from tui_orchestrator.routing.final_answer import asks_figure, final_answer, options, question_and_options, same_result

WHICH = "Which metal is liquid at room temperature?\nA. Iron\nB. Mercury\nC. Gold\nD. Tin"
HOW_MANY = "Tom has 48 clips and sells half. How many are left?"

COMES_TO = [
    # prompt, answer, result
    (WHICH, "B", "B"),
    (WHICH, "(B)", "B"),
    (WHICH, "B. Mercury", "B"),
    (WHICH, "**B)** Mercury", "B"),
    (WHICH, "The answer is (B).", "B"),
    (WHICH, "Iron melts at 1,538 °C.\n\nAnswer: B", "B"),
    (WHICH, "So the correct option is **B**, mercury.", "B"),
    (WHICH, "\\boxed{B}\n\nMercury melts at −39 °C.", "B"),
    (WHICH, "Therefore \\boxed{\\text{B}}.", "B"),
    (WHICH, "It is mercury.", "B"),
    (WHICH, "A metal that is liquid: mercury.", "B"),
    (WHICH, "The answer is (A). No: the answer is (B).", "B"),
    (WHICH, "Die richtige Antwort ist B.", "B"),
    (WHICH, "La réponse est (B).", "B"),
    (WHICH, "La respuesta es B.", "B"),
    (WHICH, "答案是B。", "B"),
    (WHICH, "答えはB。", "B"),
    (WHICH, "It depends.", None),
    ("Is it (A) 3 or (B) 4?", "(B)", "B"),
    (HOW_MANY, "24", "24"),
    (HOW_MANY, "He sells 48 / 2 = 24 clips, so 48 - 24 = 24 are left.", "24"),
    (HOW_MANY, "Half of 48 is 24.\n#### 24", "24"),
    (HOW_MANY, "The answer is 24 clips.", "24"),
    (HOW_MANY, "The answer is $1,024.50.", "1024.5"),
    ("What is 3/4 + 1/4?", "It is \\boxed{\\frac{4}{4}}.", "1"),
    ("Is the earth flat?", "No, it is round.", "no"),
    ("Is the sentence plausible?", "So the answer is yes.", "yes"),
    ("Ist die Erde rund?", "Ja.", "yes"),
    ("What does f('ab') return?", "['a', 'b']", "['a', 'b']"),
    ("What does f('ab') return?", '["a","b"]', "['a', 'b']"),
    ("What does f('ab') return?", "[" + "1, " * 40 + "1]", "[" + "1, " * 40 + "1]"),
    ("What is the capital of France?", "Paris.", "paris"),
    ("What is the capital of France?", "The answer is Paris.", "paris"),
    ("Explain how tides work", "The moon pulls on the oceans. " * 5, None),
    ("Explain how tides work", "", None),
]


@pytest.mark.parametrize(("prompt", "answer", "result"), COMES_TO)
def test_an_answer_comes_to_what_a_reader_takes_from_it(prompt: str, answer: str, result: str | None) -> None:
    final = final_answer(prompt, answer)
    assert (final.value if final else None) == result


TALK = "It depends on a great many things that nobody can foresee at all. "
CALLED = "What does f('ab') return?"

FINALS = [
    # prompt, answer, kind, value, as it is written, whether it is announced
    (WHICH, "B", "option", "B", "B", True),
    (WHICH, "So mercury it is", "option", "B", "B", False),
    (WHICH, "The answer is mercury", "option", "B", "B", True),
    (WHICH, "A lens is no metal. It is mercury", "option", "B", "B", False),
    (WHICH, "A: iron. So it is", "option", "A", "A", True),
    (WHICH, "It may be option C, I think", "option", "C", "C", False),
    (WHICH, "It may be option C, or option D, I think", "option", "D", "D", False),
    (WHICH, "It may be option H, I think: (B)", "option", "B", "B", False),
    (WHICH, "It may be option H, I think: mercury", "option", "B", "B", False),
    (WHICH, "It may be option H, I think", None, None, None, None),
    (WHICH, "It is mercury, or tin", None, None, None, None),
    (WHICH, "It is option C," + " so" * 130, "option", "C", "C", False),
    (WHICH, "It is option C," + " so" * 134, None, None, None, None),
    ("Why?", "C", "option", "C", "C", False),
    ("Why?", "The answer is (C)", "option", "C", "C", True),
    ("Why?", "Yes, it is", "truth", "yes", "yes", True),
    ("Why?", "No", "truth", "no", "no", False),
    ("Why?", "The answer is false.", "truth", "no", "false", True),
    ("Why?", "Incorrect, as it is", "truth", "no", "incorrect", True),
    ("Why?", " Ununderstandableness, it is " * 3, None, None, None, None),
    (CALLED, "['a']", "value", "['a']", "['a']", False),
    (CALLED, "The answer is ['a']", "value", "['a']", "['a']", True),
    (CALLED, "[" + "1," * 40 + "]", "value", "[" + "1, " * 39 + "1]", "[" + "1," * 29 + "1", False),
    (CALLED, "'" + "a" * 1998 + "'", "value", "'" + "a" * 1998 + "'", "'" + "a" * 59, False),
    (CALLED, "'" + "a" * 1999 + "'", None, None, None, None),
    ("Why?", "7", "number", "7", "7", False),
    ("Why?", "7.50 kg", "number", "7.5", "7.50", False),
    ("Why?", "It is 3 + 4 = 7", "number", "7", "7", False),
    ("Why?", "It is 22/7 ≈ 3.14", "number", "3.14", "3.14", False),
    ("Why?", "The answer is 3 of 4", "text", "3 of 4", "3 of 4", True),
    ("Why?", "The answer is 1,000", "number", "1000", "1,000", True),
    ("Why?", "The answer is −5", "number", "-5", "−5", True),
    ("Why?", "The answer is 1/3", "number", "0.33333333", "1/3", True),
    ("Why?", "The answer is 1/0", "number", "1/0", "1/0", True),
    ("Why?", "The answer is 0.0", "number", "0", "0.0", True),
    ("Why?", "The answer is 1e3", "number", "1000", "1e3", True),
    ("Why?", "The answer is 1e60", "number", "1" + "0" * 60, "1e60", True),
    ("Why?", "The answer is 1e61", "number", "1e61", "1e61", True),
    ("Why?", "The answer is 1e-61", "number", "1e-61", "1e-61", True),
    ("How many?", TALK * 2 + "Of 3 there are 4 left", "number", "4", "4", False),
    ("How many?", TALK * 2 + "Of 3 there are 1,000 left", "number", "1000", "1,000", False),
    ("How many?", TALK * 2 + "Of 3 there are 1/0 left", "number", "1/0", "1/0", False),
    ("How many?", TALK * 2 + "7" + "." * 399, "number", "7", "7", False),
    ("How many?", TALK * 2 + "7" + "." * 400, None, None, None, None),
    ("Why?", TALK * 2 + "Of 3 there are 4 left", None, None, None, None),
    ("Why?", "Paris", "text", "paris", "Paris", False),
    ("Why?", "The answer is Paris. So it is", "text", "paris", "Paris. So it is", True),
    ("Why?", "a" * 60, "text", "a" * 60, "a" * 60, False),
    ("Why?", "a" * 61, None, None, None, None),
    ("Why?", "The answer is " + "b" * 60, "text", "b" * 60, "b" * 60, True),
    ("Why?", "The answer is " + "b" * 61, None, None, None, None),
    ("Why?", "Paris\nand Rome", None, None, None, None),
    # Of a long answer both ends are read.
    ("Why?", "#### 7\n" + "." * 2193, "number", "7", "7", True),
    ("Why?", "." * 590 + "\n#### 7\n" + "." * 1700, "number", "7", "7", True),
    ("Why?", "." * 600 + "\n#### 7\n" + "." * 1700, None, None, None, None),
    ("Why?", "." * 9000 + "\n#### 7\n" + "." * 1592, "number", "7", "7", True),
    ("Why?", "." * 9000 + "\n#### 7\n" + "." * 1593, "number", "7", "7", True),
    ("Why?", "." * 9000 + "\n#### 7\n" + "." * 1600, None, None, None, None),
]


@pytest.mark.parametrize(
    ("prompt", "answer", "kind", "value", "shown", "announced"),
    FINALS,
    ids=[f"{at} {answer[:20]}" for at, (_, answer, *_) in enumerate(FINALS)],
)
def test_a_result_has_its_kind_and_stands_as_it_is_written(
    prompt: str, answer: str, kind: str | None, value: str | None, shown: str | None, announced: bool | None
) -> None:
    final = final_answer(prompt, answer)
    if kind is None:
        assert final is None
    else:
        assert final is not None
        assert (final.kind, final.value, final.shown, final.announced) == (kind, value, shown, announced)


def test_of_a_prompt_6000_characters_of_both_ends_are_looked_through_for_options() -> None:
    offered = "\nA. 1\nB. 2"
    assert set(options("x" * 11_990 + offered)) == {"A", "B"}
    for before, after, found in [(0, 9000, 2), (5990, 9000, 2), (5991, 9000, 0), (6000, 9000, 0), (9000, 5990, 2)]:
        assert len(options("x" * before + offered + "\n" + "y" * after)) == found
    assert question_and_options(f"Which?{offered}\nSay")[0] == "Which?\n"
    assert question_and_options("Which?") == ("Which?", {})
    assert question_and_options("x" * 12_000)[0] == "x" * 12_000
    assert question_and_options("x" * 6000 + "-" + "y" * 6000)[0] == "x" * 6000 + "\n" + "y" * 6000
    assert asks_figure("how many?" + " " * 1991)
    assert not asks_figure("how many?" + " " * 2000)


SAME = [
    ("2000", "2e3", True),
    ("30", "31", False),
    ("3.1", "3.149", True),
    ("3.1", "3.16", False),
    ("The answer is 1e-61", "0", False),
    ("yes", "1", False),
    ("Paris", "1", False),
    ("24", "24.0", True),
    ("1,000", "1000", True),
    ("3.14", "3.14159", True),
    ("$5", "5 dollars", True),
    ("50%", "50", True),
    ("24", "25", False),
    ("1000", "1001", False),
    ("3.14", "3.15", False),
    ("-4", "4", False),
    ("yes", "No.", False),
    ("True", "yes", True),
    ("Paris", "The Paris.", True),
    ("Paris", "Lyon", False),
]


@pytest.mark.parametrize(("one", "other", "same"), SAME)
def test_results_are_compared_and_not_their_wording(one: str, other: str, same: bool) -> None:
    first, second = final_answer("", one), final_answer("", other)
    assert first
    assert second
    assert same_result(first, second) is same
    assert same_result(second, first) is same


OFFERED = [
    (WHICH, "ABCD"),
    ("(A) yes\n(B) no", "AB"),
    ("Options: (A) yes (B) no (C) both", "ABC"),
    ("A. one\nB. two\nLater:\nA. red\nB. blue\nC. green", "ABC"),
    ("A. only one", ""),
    ("B. no\nC. beginning", ""),
    ("Plan A) is better than plan B)", ""),
]


@pytest.mark.parametrize(("prompt", "letters"), OFFERED)
def test_the_options_of_a_prompt_are_found(prompt: str, letters: str) -> None:
    assert "".join(options(prompt)) == letters


SUMS = [
    # text, sums that come out, the first that does not
    ("17 × 23 = 391", 1, None),
    ("17 * 23 = 401", 0, "17 * 23 = 401"),
    ("He pays $4,000 + $2,000 = $6,500.", 0, "4,000 + 2,000 = 6,500"),
    ("30 kg + 350 kg = 380 kg", 1, None),
    ("$\\frac{10}{4} = 2.5$", 1, None),
    ("48/2 = <<48/2=24>>24", 1, None),
    ("(5-4)^2 + (8-4)^2 = 17", 1, None),
    ("9 / 5 + 1 = 56 / 20 = 2.8", 1, None),
    ("1/3 = 0.33 and 2/3 ≈ 0.67", 2, None),
    ("10/4 = 250%", 1, None),
    ("- 4 + 4 = 8", 1, None),
    ("2 m = 2000 mm, 3 * 1.5 m = 4500 mm", 0, None),
    ("x + 3 = 5", 0, None),
    ("2x - 3 = 0", 0, None),
    ("100 - 5P - 3 = 0", 0, None),
    ("3 + 4 = 7 × 2", 0, None),
    ("1 / 0 = 5", 0, None),
    ("9^9^9 = 2", 0, None),
    ("in 2019-2020 = two years", 0, None),
]


@pytest.mark.parametrize(("text", "right", "wrong"), SUMS)
def test_sums_are_done_again(text: str, right: int, wrong: str | None) -> None:
    sums = check_sums(text)
    assert (sums.right, sums.wrong[0] if sums.wrong else None) == (right, wrong)


@given(st.integers(0, 10_000), st.integers(1, 10_000), st.sampled_from("+-*"))
def test_a_whole_sum_comes_out_and_one_more_does_not(a: int, b: int, sign: str) -> None:
    result = {"+": a + b, "-": a - b, "*": a * b}[sign]
    assert check_sums(f"{a} {sign} {b} = {result}") == (1, ())
    assert check_sums(f"So {a:,} {sign} {b:,} = {result + 1:,}.").right == 0


@given(st.text(max_size=200), st.text(max_size=300))
@example(WHICH, "\\boxed{" * 40)
@example(WHICH, "Z")
@example("how many", "1e999999")
@example("how many", "answer is " + "9" * 500)
@settings(max_examples=100, deadline=None)
def test_anything_can_be_read(prompt: str, answer: str) -> None:
    final = final_answer(prompt, answer)
    if final is not None:
        assert final.value
        assert same_result(final, final)
    check_sums(answer)
