"""What is counted in a text, and what of a long one is read: tables that can be checked by eye."""

from __future__ import annotations

from typing import Any

import pytest

from tui_orchestrator.routing.features import HEAD, TAIL, estimate_tokens, read, script_tokens, spoken_of, words_of

SIGNS = "! \" # $ % & ' ( ) * + , - . / : ; < = > ? @ [ \\ ] ^ ` { | } ~"


@pytest.mark.parametrize(
    ("text", "tokens", "words", "figures"),
    [
        ("Don't re-use C++, node.js!", "don't re-use c++ , node.js !", "don't re-use c++ node.js", ""),
        ("1: 0 / 3,000.5 ; 7x", "0 : 0 / 0 ; 0 x", "1 0 3,000.5 7 x", "1 0 3,000.5 7"),
        (f"1 {SIGNS.replace(' ', '')}", f"0 {SIGNS}", "1", "1"),
        ("a __ b ____", "a __ b ____", "a b", ""),
        ("a _ b", "a b", "a b", ""),
        ("Ü’s 中文 3 é", "ü's 中 文 0 é", "ü's 中 文 3 é", "3"),
        ("カ… “x”", "カ … “ x ”", "カ x", ""),
        ("", "", "", ""),
    ],
)  # fmt: skip
def test_a_text_is_read_word_by_word_and_every_number_counts_as_one(
    text: str, tokens: str, words: str, figures: str
) -> None:
    seen = read(text)
    assert seen.tokens == tokens.split()
    assert seen.words == tuple(words.split())
    assert seen.figures == figures.split()
    assert seen.distinct == set(tokens.split())


@pytest.mark.parametrize(
    ("text", "spoken", "words"),
    [
        ("It's C#, 3.5", ["it's", "c#", ",", "3.5"], ("it's", "c#", "3.5")),
        ("It’s 中文, 3.5", ["it's", "中", "文", ",", "3.5"], ("it's", "中文", "3.5")),
    ],
)
def test_signs_are_said_and_are_no_words(text: str, spoken: list[str], words: tuple[str, ...]) -> None:
    assert (spoken_of(text), words_of(text)) == (spoken, words)


COUNTED: list[tuple[str, dict[str, Any]]] = [
    ("  one\ntwo\n\n", {"lines": 2, "length": 7, "text": "one\ntwo", "size": 2}),
    ("", {"lines": 0, "length": 0, "text": "", "size": 0, "code_signs": 0}),
    (" ", {"lines": 0, "length": 0, "text": "", "size": 0}),
    ("```a``` ```", {"fences": 3, "looks_like_code": True}),
    ("一二三 four", {"cjk": 3, "size": 1 + 2}),
    ("一二 four", {"cjk": 2, "size": 1 + 1}),
    ("a", {"cjk": 0}),
    ("é", {"cjk": 0}),
    # A letter of each first byte in UTF-8, and the last of each range.
    *((letter, {"cjk": 1}) for letter in "ぁヿ㐀䀀倀怀瀀耀退鿿豈ｦﾟ"),
    ("一é二", {"cjk": 2}),
    ("。한、ａ“", {"cjk": 0}),
    # Lines of code.
    *(
        (f"So:\n {line}\nx = 1", {"code_lines": 1, "looks_like_code": False})
        for line in (
            *("def f(", "class A:", "class A(", "class A{", "import os", "from os import x", "#include", "fn main"),
            *("func f", "function f(", "function (", "public void", "private x", "static x", "const x", "let x"),
            *("var x", "SELECT *", "return", "for (", "for(", "if (", "while(", "@cached", "<div>", "$ ls", "}"),
            *("// x", "Traceback (", "at a.b(", "at a$b("),
        )
    ),
    *((f"import os\n{sign}", {"code_lines": 1}) for sign in "(<{$@#=:"),
    ("import os\nx", {"code_lines": 0}),
    ("return (1)\nreturn 2", {"code_lines": 2, "looks_like_code": True}),
    # More than six signs in a hundred characters, in more than forty, unless it is mathematics.
    ("(a)" + "a" * 47, {"code_signs": 0.04, "looks_like_code": False}),
    ("(a);" + "a" * 46, {"code_signs": 0.06, "looks_like_code": False}),
    ("(a);=" + "a" * 45, {"code_signs": 0.1 - 0.02, "looks_like_code": True}),
    ("(a);=" + "a" * 35, {"code_signs": 0.1, "looks_like_code": False}),
    ("(a);=" + "a" * 36, {"length": 41, "looks_like_code": True}),
    ("(a);=^" + "a" * 36, {"math_signs": 1, "looks_like_code": True}),
    ("(a);=^^" + "a" * 36, {"math_signs": 2, "looks_like_code": False}),
    ("{}();=<>[]|&", {"code_signs": 1}),
    ("(", {"code_signs": 1}),
    # Errors.
    *(
        (text, {"error_names": 1})
        for text in ("a KeyError here", "IOException!", "error[E0308]", "errorE1", "panic: no", "Segmentation fault")
    ),
    ("ValueError, KeyError", {"error_names": 2}),
    ("an error, an exception", {"error_names": 0}),
    # Options, and what is a list.
    ("Which?\nA. x\nB) y\n(C) z", {"options": 3, "multiple_choice": True, "stem": "Which?\n"}),
    ("A: x\n b. y\nj. z", {"options": 3, "multiple_choice": True, "stem": ""}),
    ("Which?\nA. x\nB. y", {"options": 2, "multiple_choice": False, "stem": "Which?\nA. x\nB. y"}),
    ("A. x\nB. y", {"options": 0}),
    ("Which?\nk. x\nl. y\nm. z", {"options": 0}),
    ("- a\n* b\n• c\n1. d\n12) e", {"list_items": 5}),
    ("x - a\n123. b", {"list_items": 0}),
    ("- a", {"list_items": 0}),
    # Mathematics.
    *(("x" + sign, {"math_signs": 1}) for sign in "≡≤≥∑∫√∈∀∃π×÷∞²³→"),
    *(
        (text, {"math_signs": 1})
        for text in ("x^2", "x_{1}", "\\frac", "\\sum", "\\int", "\\sqrt", "\\text", "\\(", "$x$", "$x$ $")
    ),
    ("\\frac \\frac x^2 y^2 z_{1} $a$ $b$ √ √", {"math_signs": 9}),
    ("x_1 $ \\alpha", {"math_signs": 0}),
    # Numbers, of which years are no quantities.
    ("1500 1999 2026 1400 2100 15000 19 7", {"numbers": 8, "quantities": 5}),
    # A question.
    *((text, {"asks": True}) for text in ("a?", "何？", "好吗", "ですか", "ですか。", "a? b")),
    *((text, {"asks": False}) for text in ("a", "吗 好", "か b")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "counted"), COUNTED, ids=[f"{at} {text[:20]!r}" for at, (text, _) in enumerate(COUNTED)]
)
def test_what_is_seen_of_a_text(text: str, counted: dict[str, Any]) -> None:
    seen = read(text)
    assert {name: getattr(seen, name) for name in counted} == pytest.approx(counted)


def test_the_two_ends_of_a_long_text_are_read() -> None:
    whole, one_more = "a" * 1000 + "b" * 400, "a" * 1000 + "-" + "b" * 400
    assert (HEAD, TAIL) == (1000, 400)
    assert read(whole).text == whole
    assert read(one_more).text == "a" * 1000 + "\n" + "b" * 400
    assert read(one_more).length == 1401
    assert read(f"\n{one_more}\n").lines == 1
    assert read("a\n" * 2000).lines == 2000


def test_of_a_long_text_in_chinese_half_as_much_is_read() -> None:
    assert len(read("漢" * 700).text) == 700
    assert read("漢" * 500 + "-" + "字" * 200).text == "漢" * 500 + "\n" + "字" * 200
    assert read("漢" * 500 + "-" + "字" * 200).cjk == 700
    # From more than a quarter on.
    assert len(read("漢" * 250 + "a" * 750).text) == 1000
    assert len(read("漢" * 251 + "a" * 749).text) == 701
    # And its size is that of the whole: two characters for a word.
    assert read("漢" * 700).size == 350
    assert read("漢" * 7010).size == round(350 * 7010 / 701)
    assert read("word " * 2000).size == round(280 * 9999 / 1401)


def test_some_white_space_about_a_text_is_passed_over() -> None:
    for many in (0, 1, 3999):
        assert read(" " * many + "hi").text == "hi"
        assert read("hi" + " " * many).text == "hi"
        assert read("hi" + " " * many).length == 2
    assert read(" " * 4000 + "hi").text == "hi"
    assert read(" " * 4001 + "hi").text == " hi"
    assert read("hi" + " " * 4000).text == "hi"
    assert read("hi" + " " * 4001).text == "hi "
    assert read("x" * 4000).length == 4000
    assert read("x" * 4001).length == 4001
    assert read("x" * 4001 + "  ").length == 4001


@pytest.mark.parametrize(
    ("text", "letters", "signs", "eastern", "other"),
    [
        ("a" * 42, 10, 0, 0, 0),
        (" \n" * 21, 10, 0, 0, 0),
        ("\x7f" * 42, 10, 0, 0, 0),
        ("!" * 16, 0, 10, 0, 0),
        ("~" * 16, 0, 10, 0, 0),
        ("0" * 16, 0, 10, 0, 0),
        *(("a" * 42 + "9" * 16 + letter * 20, 10, 10, 0, 9) for letter in "\u0080é\u07ff"),
        *(("a" * 42 + "9" * 16 + letter * 10, 10, 10, 10, 0) for letter in "\u3000漢한\ud7ff\uf000\uffee"),
        *(("a" * 42 + "9" * 16 + letter * 10, 10, 10, 0, 10) for letter in "\u0800€\u2fff\ue000"),
        *(("a" * 42 + "9" * 16 + letter * 4, 10, 10, 0, 10) for letter in "\U00010000🙂\U0010ffff"),
        ("a" * 42 + "9" * 16 + "é" * 20 + "漢" * 10 + "€" * 10 + "🙂" * 4, 10, 10, 10, 29),
        ("", 0, 0, 0, 0),
    ],
)
def test_tokens_are_reckoned_by_script(text: str, letters: float, signs: float, eastern: float, other: float) -> None:
    assert script_tokens(text) == pytest.approx((letters, signs, eastern, other))
    assert estimate_tokens(text) == letters + signs + eastern + other


def test_a_text_that_is_there_is_one_token_at_least() -> None:
    assert [estimate_tokens(text) for text in ("", "a", "a" * 6, "a" * 7)] == [0, 1, 1, 2]


def test_a_text_of_more_than_65536_characters_is_judged_by_sixteen_windows() -> None:
    # The windows follow one another, but for one character between the last two.
    just, more = ("a" * 61_440 + "1" + "a" * rest for rest in (4095, 4096))
    assert script_tokens(just)[1] == 1 / 1.6
    assert script_tokens(more)[1] == 0
    # Sixteen of 4,096 characters, ten thousand apart: what lies between is not seen.
    eight = ["a" * 4096, "1" * 4096, "é" * 4096, "漢" * 4096] * 2
    windows = [window + "€" * 5904 for window in (*eight, *reversed(eight))]
    text = "".join(windows)[:-5904]
    quarter = len(text) / 4
    assert script_tokens(text) == pytest.approx((quarter / 4.2, quarter / 1.6, quarter, quarter * 0.45))
    assert script_tokens("a" * 420_000) == pytest.approx((100_000, 0, 0, 0))
