from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_orchestrator.routing.text import Unpiling, clean, clean_line, half_a_character, unjoined, unpiled


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("\x1b]52;c;aGk=\x07x", "]52;c;aGk=x"),
        ("\x9b31mred", "31mred"),
        ("a\x00b\x7fc", "abc"),
        ("user\u202egnp.exe", "usergnp.exe"),
        ("a\u2066b\u2069\u200e\u200f\u061c", "ab"),
        ("\ufeffstart\u2028end", "startend"),
        ("hidden\U000e0041\U000e0042", "hidden"),
        ("line\r\nnext\ttab", "line\nnext\ttab"),
        ("lone \ud800 half", "lone \ufffd half"),
        ("狐 🦊 héé\n", "狐 🦊 héé\n"),
    ],
)
def test_what_could_command_a_terminal_or_deceive_a_reader_is_taken_out(hostile: str, harmless: str) -> None:
    assert clean(hostile) == harmless


@given(st.text(st.characters(), max_size=80))
def test_nothing_that_controls_is_left(text: str) -> None:
    cleaned = clean(text)
    assert not [c for c in cleaned if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"]
    assert clean(cleaned) == cleaned
    cleaned.encode()


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_sequence_cut_in_two_by_a_stream_is_as_harmless_as_a_whole_one(a: str, b: str) -> None:
    assert clean(a) + clean(b) == clean(a + b)


@given(st.text(max_size=400), st.integers(1, 50))
def test_a_line_is_one_line_within_its_limit(text: str, limit: int) -> None:
    line = clean_line(text, limit)
    assert len(line) <= limit
    assert "\n" not in line
    assert line == line.strip()


def test_a_line_that_was_cut_says_so() -> None:
    assert clean_line("one  two\r\nthree", 9) == "one two…"
    assert clean_line("one\ntwo", 9) == "one two"


@pytest.mark.parametrize(
    ("joined", "drawn"),
    [
        ("👩‍👩‍👧‍👦", "👩👩👧👦"),
        ("🏳️‍🌈", "🏳🌈"),
        ("❤️ and ☎︎", "❤ and ☎"),
        ("1️⃣", "1⃣"),
        ("🇩🇪", "🇩🇪"),
    ],
)
def test_what_is_drawn_is_as_wide_as_its_characters_one_by_one(joined: str, drawn: str) -> None:
    assert unjoined(joined) == clean_line(joined) == drawn
    assert cell_len(drawn) == sum(map(cell_len, drawn))


def test_what_scripts_join_stays_joined() -> None:
    assert unjoined("e\u0301 क्‍ष می‌خواهم") == "e\u0301 क्‍ष می‌خواهم"


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("\udc80", ""),
        ({"a": [1, None, {"b": "x\ud800"}]}, "a[2].b"),
        ({"a": "whole \U0001f600", "b\ud800": 1}, "b\ufffd"),
        ({"a": "\ud800", "b": "\ud800"}, "a"),
        (["", {"a": "\U0010ffff"}, 1.5, True, None], None),
    ],
)
def test_half_a_character_is_found_wherever_it_stands(said: object, at: str | None) -> None:
    assert half_a_character(json.loads(json.dumps(said))) == at


@pytest.mark.parametrize("size", [1, 3, 64, 1000])
def test_no_letter_has_more_than_four_marks_however_its_text_comes(size: int) -> None:
    text = "Ze\u0301ro\u0302\u0323 " + "o" + "\u0301\u0335" * 150 + "k n\u0303" + "\u20dd" * 9 + "\nनमस्ते"
    pieces, unpiling = [text[at : at + size] for at in range(0, len(text), size)], Unpiling()
    shown = "".join(map(unpiling.next, pieces))
    assert (
        shown
        == unpiled(text)
        == "Ze\u0301ro\u0302\u0323 " + "o" + "\u0301\u0335" * 2 + "k n\u0303" + "\u20dd" * 3 + "\nनमस्ते"
    )
