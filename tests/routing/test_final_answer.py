"""What answers come to, in the words people and models use: tables that can be checked by eye."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tui_orchestrator.routing.arithmetic import check_sums
from tui_orchestrator.routing.final_answer import final_answer, options, same_result

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


SAME = [
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
