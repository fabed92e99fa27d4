"""What an answer shows: every feature that is not 0, in counts a reader can check."""

from __future__ import annotations

import math

import pytest

from tui_orchestrator.routing.answer_features import Answer, Asked, Task, features, numbers_of, task_of
from tui_orchestrator.routing.final_answer import final_answer


def log(count: float, less: float = 0) -> float:
    return math.log1p(count) - less


def of(prompt: str, answer: str) -> dict[str, float]:
    return features(Asked(prompt), Answer(answer), final_answer(prompt, answer))


BODIES = "A body of 2.5 kg meets 4 others. Which holds?\nA. 1 kg in all\nB. 2 kg\nC. 3 kg and more\nD. 4 kg"
CLIPS = "Tom has 48 clips and sells 12. How many are left?"
CODE = (
    "def f(text):\n    if text.islower():\n        return text.upper().strip('x')\n    else:\n        return text\n"
    "\nWhat does the following call return?\nf('abc')"
)
RUN = {
    "question_words": log(20),
    "announced": 1,
    "run_code": log(104, 5),
    "run_branches": log(2),
    "run_text_methods": log(3),
    "run_input": log(5, 3),
}

SHOWN = [
    (
        BODIES,
        "However, 2.5 kg are likely 3 kg. That is more. The answer is (C).",
        {
            "answer_words": log(14),
            "sentences": log(3),
            "question_words": log(10),
            # However, are, likely, that, is, the, answer, of 12 different ones.
            "new_words": 7 / 13,
            "turns": log(1),
            "guesses": log(1),
            "question_figures": log(6),
            "answer_figures": log(2),
            "figure_share": 2 / 15,
            # Of 2.5 and 4.
            "figures_used": 1 / 2,
            "announced": 1,
            "options": 4 / 10,
            # Of 3 and more, which C alone has; 'kg' is too short a word, and of 'and' nothing is said.
            "option_said": 2 / 3,
            # Of 12, 4, 13 and 4 letters.
            "option_length": math.log((13 + 3) / (8 + 3)),
            "option_place": 2 / 3,
            "option_figures": 1,
            "option_reached": 1,
        },
    ),
    (
        CLIPS,
        "Suppose he sells 12: 48 - 12 = 36 and 48 - 12 = 35. Wait, instead it is 36 = 36\nThe answer is 36.",
        {
            "answer_words": log(21),
            "sentences": log(3),
            "question_words": log(11),
            # Of 14 different ones all but sells, 12, 48 and and.
            "new_words": 10 / 15,
            "turns": log(2),
            "guesses": log(1),
            "question_figures": log(2),
            "answer_figures": log(10),
            "figure_share": 10 / 22,
            "formulas": log(3),
            "figures_used": 1,
            "wrong_sums": log(1),
            "wrong_share": 1 / 3,
            "announced": 1,
        },
    ),
    (CODE, "'ABC'", RUN | {"answer_words": log(1), "run_output": log(5, 2), "run_text": 1}),
    (CODE, "'abc'", RUN | {"answer_words": log(1), "run_output": log(5, 2), "run_text": 1, "run_unchanged": 1}),
    (
        CODE,
        "The call goes through the first branch, so the answer is [1, 2]",
        RUN
        | {
            "answer_words": log(13),
            "new_words": 9 / 12,
            "answer_figures": log(2),
            "figure_share": 2 / 14,
            "run_output": log(6, 2),
            "run_container": 1,
        },
    ),
    (
        "Explain tides",
        "The moon pulls, the moon pulls, the moon pulls and then it goes on for a long time 但是 可能 so",
        {
            "answer_words": log(21),
            "question_words": log(2),
            "new_words": 15 / 16,
            # Of 19 triples 4 stand there before.
            "repeated_words": 4 / 19,
            "open_end": 1,
            "turns": log(1),
            "guesses": log(1),
        },
    ),
]


@pytest.mark.parametrize(("prompt", "answer", "shown"), SHOWN, ids=[answer[:20] for _, answer, _ in SHOWN])
def test_every_feature_of_an_answer_is_what_a_reader_counts(prompt: str, answer: str, shown: dict[str, float]) -> None:
    assert {name: value for name, value in of(prompt, answer).items() if value} == pytest.approx(shown)


ALL = (
    "answer_words sentences question_words new_words repeated_words open_end no_option_fits turns guesses "
    "question_figures question_formulas answer_figures figure_share formulas figures_used wrong_sums wrong_share "
    "no_result announced options option_said option_length option_place option_figures option_reached "
    "run_code run_branches run_text_methods run_input run_output run_text run_container run_unchanged run_empty "
    "run_no_value"
)


@pytest.mark.parametrize(
    ("prompt", "answer"), [(BODIES, "It depends."), (BODIES, "(C)"), (BODIES, "(H)"), (CODE, "1"), ("Why?", "So.")]
)
def test_an_answer_has_every_feature_whatever_was_asked(prompt: str, answer: str) -> None:
    assert list(of(prompt, answer)) == ALL.split()


WEIGHTS = "Which?\nA. 20 kg or 30 kg\nB. 40 kg\nC. 50 kg\nD. none"


def offering(words: str, sevens: str) -> str:
    return "Which?" + "".join([f"\n{a}. {a}" for a in words] + [f"\n{a}. 7" for a in sevens])


def told(letter: str, working: str) -> str:
    return f"{working}. The answer is ({letter})."


@pytest.mark.parametrize(
    ("name", "prompt", "answer", "value"),
    [
        # What says nothing of a question and what says little of one.
        ("new_words", "Why so?", "", 0),
        ("repeated_words", "Why?", "so so", 0),
        ("repeated_words", "Why?", "so so so", 0),
        ("repeated_words", "Why?", "so so so so", 1 / 2),
        ("repeated_words", "Why?", "a b c d", 0),
        ("repeated_words", "Why?", "a b c a d c", 0),
        ("sentences", "Why?", "A. B! C? D\nE。F。 G", log(5)),
        ("sentences", "Why?", "3.5", 0),
        # From 61 characters on, and where the result does not stand at the end.
        ("open_end", "Why?", "a" * 60, 0),
        ("open_end", "Why?", "a" * 61, 1),
        ("open_end", "Why?", "b\n" + "a" * 58, 0),
        ("open_end", "Why?", "b\n" + "a" * 59, 1),
        *(("open_end", "Why?", "a" * 61 + end, 0) for end in ".!?)}`\"'$]*|。！？）」»”"),
        *(("open_end", "Why?", "a" * 61 + end, 1) for end in ",:;(-0"),
        ("open_end", CLIPS, "a" * 61 + " The answer is 36", 0),
        ("open_end", CLIPS, "The answer is 36" + " b" * 22, 0),
        ("open_end", CLIPS, "The answer is 36\n" + "b" * 57, 0),
        ("open_end", CLIPS, "The answer is 36\n" + "b" * 58, 1),
        ("open_end", CLIPS, "The answer is " + "1" * 30 + " " + "b" * 39, 0),
        ("open_end", CLIPS, "The answer is " + "1" * 30 + " " + "b" * 40, 1),
        ("open_end", BODIES, "a " * 30 + "The answer is (C)\n" + "b" * 70, 1),
        ("open_end", "Why?", "The answer is " + "b" * 50, 0),
        # Words of doubt.
        ("no_option_fits", "Why?", "None of the two. It is not listed: a TYPO, a typo", log(4)),
        ("turns", "Why?", "However but although though actually instead wait", log(7)),
        ("turns", "Why?", "但是 不过 然而 しかし ただし but", log(6)),
        ("guesses", "Why?", "assume assuming assumption suppose likely probably may might could", log(9)),
        ("guesses", "Why?", "假设 可能 おそらく 仮に may", log(5)),
        # Figures and formulas.
        ("question_formulas", "\\frac x^2 = y^3", "1", log(4)),
        ("figures_used", "Of 1, 2 and 3?", "2 and 3 and 4", 2 / 3),
        ("figures_used", "Of what?", "2 and 3", 0),
        ("wrong_sums", CLIPS, "1 + 1 = 3, so 2 + 2 = 5, so 3 + 3 = 6", log(2)),
        ("wrong_share", CLIPS, "1 + 1 = 3, so 2 + 2 = 5, so 3 + 3 = 6", 2 / 4),
        ("figure_share", "Why?", "1 2 b", 2 / 4),
        # A result.
        ("no_result", BODIES, "It depends.", 1),
        ("no_result", BODIES, "(C)", 0),
        ("no_result", "Why?", "It depends on many things. " * 9, 0),
        ("announced", "Why?", "It depends on many things. " * 9, 0),
        ("announced", CLIPS, "He has 48 - 12 = 36", 1),
        ("announced", CLIPS, "Of 48 clips he sold 12, and what is left of all is exactly 36", 0),
        ("announced", CLIPS, "Of 48 clips he sold 12, and what is left of all is surely 36", 1),
        ("announced", CLIPS, "Of all those clips he sold 12, and what is left of all: the answer is 36", 1),
        # The option that is picked, if it is one.
        ("options", WEIGHTS, "It depends.", 4 / 10),
        ("option_length", WEIGHTS, "It depends.", 0),
        ("options", WEIGHTS, "(H)", 4 / 10),
        ("option_length", WEIGHTS, "(H)", 0),
        ("option_length", WEIGHTS, "(D)", math.log((4 + 3) / (7 + 3))),
        ("option_place", WEIGHTS, "(A)", 0),
        ("option_place", WEIGHTS, "(D)", 1),
        ("option_figures", WEIGHTS, "(D)", 3 / 4),
        ("option_figures", "Which?\nA. 1\nB. 2\nC. x", "(A)", 2 / 3),
        # Whose figures were reached, all or some of them, to half a hundredth, among the last twelve.
        ("option_reached", WEIGHTS, "(B)", 0),
        ("option_reached", WEIGHTS, told("B", "It is 40"), 1),
        ("option_reached", WEIGHTS, told("B", "It is -40"), 1),
        ("option_reached", WEIGHTS, told("B", "It is 39.81 or 39"), 1),
        ("option_reached", WEIGHTS, told("B", "It is 39.79"), -1),
        ("option_reached", WEIGHTS, told("B", "It is 40.2"), 1),
        ("option_reached", WEIGHTS, told("B", "It is 40.21"), -1),
        ("option_reached", "Which?\nA. 200\nB. 300\nC. 400", told("A", "It is 199"), 1),
        ("option_reached", WEIGHTS, told("A", "It is 20 or 40"), 0),
        ("option_reached", WEIGHTS, told("A", "It is 20 or 30"), 1),
        ("option_reached", WEIGHTS, told("A", "It is 40"), -1),
        ("option_reached", WEIGHTS, told("D", "It is 40"), 0),
        ("option_reached", WEIGHTS, told("B", "It is 40" + ", 7" * 11), 1),
        ("option_reached", WEIGHTS, told("B", "It is 40" + ", 7" * 12), -1),
        # In more than seven of ten options.
        ("option_reached", "Which?\nA. 1\nB. 2\nC. x", told("A", "It is 1"), 0),
        ("option_reached", offering("ABC", "DEFGHIJ"), told("J", "It is 7"), 0),
        ("option_reached", offering("AB", "CDEFGHIJ"), told("J", "It is 7"), 1),
        # The words of an option: a word of two letters is none, a figure is; what others have too counts less.
        ("option_said", "Which?\nA. red car\nB. red cat", told("A", "A car"), (1) / (1 + 1 / 2)),
        ("option_said", "Which?\nA. red car\nB. red cat", told("A", "A red one"), (1 / 2) / (1 + 1 / 2)),
        ("option_said", "Which?\nA. an ox\nB. a cow", told("A", "An ox"), 0),
        ("option_said", "Which?\nA. at 7\nB. at 8", told("A", "At 7"), 1),
        ("option_said", "Which?\nA. red car\nB. red cat", "The answer is (A), a red car.", 0),
        # A call.
        ("run_code", CODE.replace("\n\nWhat", "\nWhat"), "'ABC'", log(142, 5)),
        ("run_output", CODE, "`'ABC'`", log(5, 2)),
        ("run_output", CODE, "It is: the answer is 'ABC'", log(5, 2)),
        ("run_output", CODE, "answer: 'ABC'", log(5, 2)),
        ("run_output", CODE, "answer: 'ABCDE'", log(7, 2)),
        ("run_output", CODE, "answer: 'ABCDEF'", log(16, 2)),
        ("run_output", CODE, "x" * 4000, log(4000, 2)),
        ("run_output", CODE, "x" * 4001, log(4000, 2)),
        ("run_text", CODE, '"a"', 1),
        ("run_text", CODE, "a", 0),
        *(("run_container", CODE, value, 1) for value in ("[1]", "(1,)", "{1}")),
        *(("run_container", CODE, value, 0) for value in ("'[1]'", "1")),
        ("run_unchanged", CODE, "abc", 0),
        ("run_unchanged", CODE, "'ab'", 1),
        ("run_unchanged", CODE, "'xyz'", 0),
        *(("run_empty", CODE, value, 1) for value in ("''", '""', "[]", "{}", "()", "0", "set()")),
        *(("run_empty", CODE, value, 0) for value in ("' '", "1", "[0]")),
        *(("run_no_value", CODE, value, 1) for value in ("ABC'", "x" * 9, "-'a'", "(" * 200)),
        *(("run_no_value", CODE, value, 0) for value in ("'ABC'", "None", "[1]", "-1", "set()")),
        ("run_branches", "def f(a):\n    return a\nf(1)", "1", 0),
        ("run_text_methods", "def f(a):\n    return a\nf(1)", "1", 0),
        ("run_code", "def f(a):\n    return a\nf(1)", "1", log(23, 5)),
        ("run_input", "def f(a):\n    return a\nf()", "1", log(0, 3)),
        ("run_code", CLIPS, "36", 0),
    ],
)  # fmt: skip
def test_a_feature_has_its_bounds(name: str, prompt: str, answer: str, value: float) -> None:
    assert of(prompt, answer)[name] == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1 -2 −3 1,000 2.5 $4 5% 1,2", (1, -2, -3, 1000, 2.5, 4, 5, 12)),
        ("a1 1.2.3 b_2", (1.2,)),
        ("9" * 24, (float("9" * 24),)),
        ("9" * 25 + " 7", (7,)),
        ("7 " * 301, (7,) * 300),
        ("none", ()),
    ],
)
def test_numbers_are_read_in_their_order(text: str, numbers: tuple[float, ...]) -> None:
    assert numbers_of(text) == numbers


def test_the_two_ends_of_a_prompt_and_of_an_answer_are_read() -> None:
    assert Asked("a" * 6000 + "b" * 3000).text == "a" * 6000 + "b" * 3000
    assert Asked("a" * 6000 + "-" + "b" * 3000).text == "a" * 6000 + "\n" + "b" * 3000
    assert Answer("a" * 12_000 + "b" * 4000).text == "a" * 12_000 + "b" * 4000
    assert Answer("a" * 12_000 + "-" + "b" * 4000).text == "a" * 12_000 + "\n" + "b" * 4000


@pytest.mark.parametrize(
    ("prompt", "call"),
    [
        (CODE, "f('abc')"),
        ("f('abc')", None),
        ("def f(a):\n    return a\n", None),
        ("def f(a):\n    return a\nf(1)\nf(2)", "f(2)"),
        ("def f(a):\n    return a\n>>> f(1)", "f(1)"),
        ("def default(a):\n    return a\ndefault(1)", "default(1)"),
        ("def f(a):\n    return a\nassert f(1) == 2", "f(1)"),
        ("def f(a):\n    return a\nprint(f(1))", "f(1))"),
        ("def f(a):\n    return a\nf(1)\n" + " " * 2495, "f(1)"),
        ("def f(a):\n    return a\nf(1)\n" + " " * 2496, None),
    ],
)
def test_the_call_is_the_last_one_that_is_shown(prompt: str, call: str | None) -> None:
    assert Asked(prompt).call == call


@pytest.mark.parametrize(
    ("answer", "working"),
    [
        ("So it is. The answer is 4.", "So it is. The "),
        ("The answer is 4. So the answer is 5.", "The answer is 4. So the "),
        ("It is \\boxed{4}", "It is \\"),
        ("It is\n#### 4", "It is\n"),
        ("answer is 4", ""),
        ("It is 4", "It is 4"),
    ],
)
def test_the_working_is_what_comes_before_the_result(answer: str, working: str) -> None:
    assert Answer(answer).working == working


@pytest.mark.parametrize(
    ("prompt", "answer", "task"),
    [
        (BODIES, "It depends.", Task.CHOICE),
        (CODE, "'ABC'", Task.RUN),
        (CODE, "It gives what it was given and nothing more, which is hardly of any use to anybody.", Task.RUN),
        (CODE, "It depends on many things.\nThat is all.", Task.OPEN),
        (CODE, "It depends.\nThe answer is 4.", Task.RUN),
        (CLIPS, "It depends on many things. " * 9, Task.RESULT),
        ("Why?", "The answer is 4.", Task.RESULT),
        ("Why?", "4", Task.OPEN),
        ("Why?", "It depends on many things. " * 9, Task.OPEN),
    ],
)
def test_what_a_prompt_wants_of_an_answer(prompt: str, answer: str, task: Task) -> None:
    assert task_of(Asked(prompt), Answer(answer), final_answer(prompt, answer)) is task
