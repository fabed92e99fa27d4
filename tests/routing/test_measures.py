"""What is measured of a text: every measure that is not 0, in counts a reader can check."""

from __future__ import annotations

import math

import pytest

from tui_orchestrator.routing.features import read
from tui_orchestrator.routing.measures import MEASURES, asks_for_proof, measure


def log(count: float, by: float = 1) -> float:
    return math.log1p(count) / by


def of(text: str) -> dict[str, float]:
    return dict(zip(MEASURES, measure(read(text)), strict=True))


HENS = "A farmer has 48 hens and buys 12 more. How many eggs, at 3 a hen, are there in a week of 7 days?"
METALS = (
    "Which metal melts first?\nA. Iron, at 1538\nB. Mercury\nC. Gold, at 1064\nD. a very much longer option than those"
)
FAILS = (
    "Why does this fail?\n```python\nimport json\ndef f(a, b):\n    return a + b\n```\n"
    "TypeError: unsupported -x /usr/bin"
)
ROOT = "请证明：“√2” 是无理数。为什么？这样对吗？"
LATTICE = (
    "first prove that the lattice is a manifold, thoroughly but briefly; it must be simple, e.g. $x^2$:\n"
    "- one __\n- two *"
)
LARGE = "Two rods. " * 200

MEASURED = [
    (
        HENS,
        {
            "length": log(96, 5),
            "length_prose": log(96, 5),
            "length_math": log(96, 5),
            "figures": log(4, 2),
            "figures_share": 4 / 28 * 4,
            "word_problem": log(4, 2),
            "word_length": 69 / 24 / 5,
            "distinct": 22 / 28,
            "questions": 1 / 2,
            "asks": 1,
            "lines": log(1, 3),
            "commas": log(2, 2),
            "sentences": log(1, 2),
            "middle": 1,
        },
    ),
    (
        METALS,
        {
            "length": log(109, 5),
            "length_choice": log(25, 5),
            "length_options": log(84, 5),
            "choice": 1,
            "options": 4 / 5,
            "figures_options": log(2, 2),
            "figures_share": 2 / 29 * 4,
            "word_length": 81 / 22 / 5,
            "distinct": 22 / 29,
            "questions": 1 / 2,
            "lines": log(5, 3),
            "commas": log(2, 2),
            "sentences": log(4, 2),
            "middle": 1,
            # Lines of 16, 10, 16 and 39 letters: 20.25 in the mean.
            "option_spread": log((4.25 + 10.25 + 4.25 + 18.75) / 4, 2),
            "steps": log(1),
        },
    ),
    (
        FAILS,
        {
            "length": log(110, 5),
            "length_code": log(110, 5),
            "signs": 2 / 110 * 10,
            "code": 1,
            "code_lines": log(3, 2),
            "fences": log(2, 2),
            "errors": log(1),
            "word_length": 72 / 19 / 5,
            "long_words": 1 / 19 * 4,
            "distinct": 26 / 35,
            "questions": 1 / 2,
            "lines": log(7, 3),
            "commas": log(1, 2),
            "middle": 1,
            "paths": 3 / 2,
        },
    ),
    (
        ROOT,
        {
            "length": log(23, 5),
            "length_prose": log(23, 5),
            "figures": log(1, 2),
            "figures_share": 1 / 22 * 4,
            "notation": log(1, 2),
            "word_length": 1 / 5,
            "distinct": 21 / 22,
            "questions": 2 / 2,
            "asks": 1,
            "lines": log(1, 3),
            "quotes": log(1, 2),
            "cjk": 1,
            "other_script": 1,
            "short": 1,
            "proof": 1,
        },
    ),
    (
        LATTICE,
        {
            "length": log(115, 5),
            "length_prose": log(115, 5),
            "figures": log(1, 2),
            "figures_share": 1 / 32 * 4,
            "signs": 1 / 115 * 10,
            "notation": log(2, 2),
            "word_length": 80 / 20 / 5,
            "long_words": 1 / 20 * 4,
            "distinct": 29 / 32,
            "lines": log(3, 3),
            "list_items": log(2, 2),
            "blank": 1,
            "commas": log(2, 2),
            "sentences": log(1, 2),
            "lower_case": 1,
            "middle": 1,
            "paths": 1 / 2,
            "proof": 1,
            "deep": log(1),
            "deepening": log(1),
            "steps": log(1),
            "constraints": log(1),
            "easing": log(1),
            "brief": log(1),
        },
    ),
    # Of what is too long to be read whole: 1,000 and 400 characters, a hundred full stops and 39.
    (
        LARGE,
        {
            "length": log(1999, 5),
            "length_prose": log(1999, 5),
            "word_length": 7 / 2 / 5,
            "distinct": 3 / 420,
            "lines": log(1, 3),
            "sentences": log(139, 2),
            "large": 1,
            "huge": 1,
        },
    ),
    ("", {"tiny": 1}),
]


@pytest.mark.parametrize(("text", "measured"), MEASURED, ids=[text[:20] for text, _ in MEASURED])
def test_every_measure_of_a_text_is_what_a_reader_counts(text: str, measured: dict[str, float]) -> None:
    assert {name: value for name, value in of(text).items() if value} == pytest.approx(measured)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("options", "Which?" + "\nA. yes" * 9, 9 / 5),
        ("options", "Which?" + "\nA. yes" * 12, 2),
        ("questions", "What? " * 3, 3 / 2),
        ("questions", "What? " * 6, 2),
        ("questions", "何？" * 3, 3 / 2),
        ("questions", "何？" * 6, 2),
        ("asks", "何？", 1),
        ("asks", "What? Say", 0),
        ("ends_colon", "Here it is:", 1),
        ("ends_colon", "这里：", 1),
        ("ends_colon", "Here: it is", 0),
        ("blank", "a _ b", 0),
        ("blank", "a __ b", 1),
        ("quotes", '"a" and “b”', log(3, 2)),
        ("paths", "a/b", 1 / 2),
        ("paths", "ls -l", 1 / 2),
        ("paths", "*.txt", 1 / 2),
        ("paths", "a/b/c -x *", 4 / 2),
        ("paths", "a/b/c/d/e/f -x *", 4 / 2),
        ("paths", "a/b, which?\nA. a/b\nB. b/c\nC. c/d", 0),
        ("cjk", "one two 三", 2 / 3),
        ("cjk", "one 二", 1),
        ("word_length", "word", 4 / 5),
        ("figures_share", "7", 4),
        ("distinct", "word", 1),
        ("other_script", "é", 1),
        ("other_script", "e", 0),
        ("lower_case", "a B", 1),
        ("lower_case", "A b", 0),
        ("long_words", "ninelette tenletters", 1 / 2 * 4),
        # Of a question with options, which stand by themselves.
        ("figures", "Of 3 and 4, which?\nA. 5\nB. 6\nC. 7", log(2, 2)),
        ("figures_options", "Of 3 and 4, which?\nA. 5\nB. 6\nC. 7", log(3, 2)),
        ("figures_options", "Of ²x, which?\nA. x\nB. y\nC. z", 0),
        ("length_math", "1 or 2", log(6, 5)),
        ("length_math", "1 or 3 of `x`\n```a```", 0),
        ("length_math", "1 or two", 0),
        ("word_problem", "1 or 2?", log(2, 2)),
        ("word_problem", "1 or 2.", 0),
        ("word_problem", "1 or two?", 0),
        ("word_problem", "```1 or 2?```", 0),
        ("length_prose", "```1 or 2?```", 0),
        ("length_code", "1 or 2?", 0),
        ("option_spread", "Which?\nA. x\nB. y\nC. z", 0),
        ("option_spread", "Which?\nA. x\n\nB. yyy\n\nC. zz", log(2 / 3, 2)),
    ],
)
def test_a_measure_has_its_bounds(name: str, text: str, value: float) -> None:
    assert of(text)[name] == pytest.approx(value)


def test_a_text_of_which_some_is_not_read_is_huge() -> None:
    assert [of("a" * count)["huge"] for count in (1400, 1401, 1402)] == [0, 0, 1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (1, "tiny"),
        (3, "tiny"),
        (4, "short"),
        (8, "short"),
        (9, "middle"),
        (30, "middle"),
        (31, ""),
        (100, ""),
        (101, "large"),
    ],
)
def test_a_text_is_of_one_size(words: int, told: str) -> None:
    measured = of("word " * words)
    assert [name for name in ("tiny", "short", "middle", "large") if measured[name]] == told.split()


@pytest.mark.parametrize(
    ("prompt", "asks"),
    [
        ("Prove it", True),
        ("Say it", False),
        ("证明它", True),
        ("推导公式", True),
        ("証明して", True),
        ("说明它", False),
        ("What is proof-reading?", False),
    ],
)
def test_a_proof_is_asked_for_in_words_of_several_languages(prompt: str, asks: bool) -> None:
    assert asks_for_proof(read(prompt)) is asks
    assert of(prompt)["proof"] == asks
