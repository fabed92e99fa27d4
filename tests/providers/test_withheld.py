"""A provider's key in what its models write."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.wire.dialects import a_call
from tui_orchestrator.providers.withheld import Withheld
from tui_orchestrator.routing.events import FinishReason
from tui_orchestrator.routing.ports import Call, CallPiece, Done, Piece, TextPiece, ThinkingPiece, UsageSoFar
from tui_orchestrator.routing.request import Message

KEY = "sk-planted-5f0c1d9e7b3a4826-QZX"
SHOWN = "sk-…"
DONE = Done(FinishReason.STOP, None)
WORDS = st.text("sk-plante5f0 \n\\", max_size=12) | st.sampled_from([KEY[:3], KEY[:9], KEY[:-1], KEY[5:], KEY])


def told(pieces: Sequence[Piece], call: Call | None = None, key: str = KEY) -> list[Piece]:
    withheld = Withheld(key, call or a_call())
    return [said for piece in pieces for said in withheld.told(piece)]


def texts(pieces: Sequence[Piece]) -> list[str]:
    return [piece.text for piece in pieces if isinstance(piece, TextPiece)]


def cut(text: str, sizes: Sequence[int]) -> list[str]:
    pieces = []
    for size in sizes:
        pieces.append(text[:size])
        text = text[size:]
    return [*pieces, text]


def letters(text: str) -> str:
    return re.sub(r"[^!-\\[\\]-~]", "", text.lower())


@given(st.lists(WORDS, max_size=6).map("".join), st.lists(st.integers(0, 20), max_size=30))
def test_however_it_is_cut_no_long_part_of_the_key_is_told(text: str, sizes: list[int]) -> None:
    shown = "".join(texts(told([*map(TextPiece, cut(text, sizes)), DONE])))
    runs = {letters(KEY)[at : at + 12] for at in range(3, len(KEY) - 11)}
    assert not [run for run in runs if run in letters(shown)]


@given(st.text("sk-plante f0\n", max_size=60), st.lists(st.integers(0, 20), max_size=30))
def test_however_it_is_cut_what_is_no_key_is_told_as_it_was(text: str, sizes: list[int]) -> None:
    assume(not any(KEY[at : at + 4].lower() in letters(text) + letters(text[::-1]) for at in range(3, len(KEY) - 3)))
    assert "".join(texts(told([*map(TextPiece, cut(text, sizes)), DONE]))) == text


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        # What only begins like a key is told without waiting, or with the next piece.
        (["Ask ", "desk", "s"], ["Ask ", "desk", "s"]),
        (["sk", "-", "learn"], ["sk", "-", "learn"]),
        (["sk-plant", "s"], ["sk-", "plants"]),
        (["sk-pl", "ants"], ["sk-pl", "ants"]),
        ([f"It is {KEY}."], [f"It is {SHOWN}."]),
        ([*KEY, "."], ["s", "k", "-", "p", "l", "a", "…."]),
        ([KEY + KEY[:5], KEY[5:] + "!"], [f"{SHOWN}sk-pl", "…!"]),
        ([KEY[:6], f"{KEY}!"], ["sk-pla", "sk-…!"]),
        # Not as a whole, and not as a part.
        ([f"It is {KEY[:-1]}"], ["It is sk-", "…"]),
        ([f"It is {KEY[1:]}"], ["It is k-", "…"]),
        ([f"It is {KEY[5:24]}, I think"], ["It is …, I think"]),
        (["It is sk-plant"], ["It is sk-", "plant"]),
        # What may be a key's letters, escaped, and is none.
        (["'AB' is \\u0041\\u0042\\u0043"], ["'AB' is \\u0041\\u0042\\u0043"]),
        # In another form.
        ([f"It is {KEY.upper()}."], ["It is SK-…."]),
        ([f"It is {KEY[::-1]}."], ["It is …-ks."]),
        # With something in it that nobody sees, or that is taken out later.
        ([f"{KEY[:9]}\x1b\u202e", f"\0{KEY[9:]} ..."], ["sk-", "… ..."]),
        (["sk-planted-5f0c\ufe0f1d9e7b3a4826-QZX ..."], ["sk-… ..."]),
        (["sk\\-planted\\-5f0c1d9e7b3a4826\\-QZX ..."], ["sk\\-… ..."]),
        (["sk&#45;planted&#45;5f0c1d9e7b3a4826&#45;QZX ..."], ["sk&#45;planted&#45;…&#45;QZX ..."]),
        (["**sk-planted-**5f0c1d9e7b3a4826-QZX ..."], ["**sk-…**… ..."]),
    ],
)
def test_what_is_told_of_each_piece(pieces: list[str], shown: list[str]) -> None:
    assert texts(told([*map(TextPiece, pieces), DONE])) == shown


def test_the_answer_its_thinking_and_each_call_are_texts_of_their_own() -> None:
    first, second = KEY[:10], KEY[10:]
    pieces = told(
        [
            ThinkingPiece(first),
            CallPiece(0, '{"key": "' + first, id=KEY, name=KEY, signature=KEY),
            TextPiece("Hello "),
            CallPiece(1, '{"to": "sk-pl', id="b", name="send"),
            CallPiece(0, second + '"}'),
            ThinkingPiece(second),
            CallPiece(1, 'ain"}'),
            UsageSoFar(None),
            TextPiece(KEY[:5]),
            replace(DONE, served_by=KEY),
        ]
    )
    assert pieces == [
        ThinkingPiece("sk-"),
        CallPiece(0, '{"key": "sk-', id=SHOWN, name=SHOWN, signature=SHOWN),
        TextPiece("Hello "),
        CallPiece(1, '{"to": "sk-pl', id="b", name="send"),
        CallPiece(0, '…"}'),
        CallPiece(1, 'ain"}'),
        UsageSoFar(None),
        TextPiece("sk-pl"),
        ThinkingPiece("…"),
        replace(DONE, served_by="…"),
    ]


def test_the_arguments_of_a_call_stay_json() -> None:
    """However its server writes what is no letter or figure."""
    escaped = "".join(letter if letter.isalnum() else f"\\u{ord(letter):04x}" for letter in KEY)
    wholly = "".join(f"\\u{ord(letter):04x}" for letter in KEY)
    for written in (KEY, escaped, wholly):
        pieces = told([CallPiece(0, f'{{"key": "{written}", "to": "a\\n"}}'), DONE])
        arguments = json.loads("".join(piece.arguments for piece in pieces if isinstance(piece, CallPiece)))
        assert arguments["to"] == "a\n"
        assert "…" in arguments["key"]
        assert KEY[11:24] not in arguments["key"]


def test_what_an_answer_that_broke_off_held_back_is_told() -> None:
    withheld = Withheld(KEY, a_call())
    assert list(withheld.told(TextPiece("It begins with sk-plan"))) == [TextPiece("It begins with sk-")]
    assert list(withheld.rest()) == [TextPiece("plan")]
    assert list(withheld.rest()) == []


def test_a_long_piece_is_told_in_parts_between_which_others_may_have_a_turn() -> None:
    withheld = Withheld(KEY, a_call())
    text = "one two three " * 10_000
    parts = [(piece, withheld.at_length) for piece in withheld.told(TextPiece(text + KEY + text))]
    assert len(parts) > 2
    assert "".join(texts([piece for piece, _ in parts])) == text + SHOWN + text
    assert all(at_length for _, at_length in parts)
    assert list(withheld.told(TextPiece("short"))) == [TextPiece("short")]
    assert not withheld.at_length


def test_what_is_held_back_has_an_end() -> None:
    pieces = told([*[TextPiece(KEY)] * 400, TextPiece(" end"), DONE])
    assert all(len(text) < 5_000 for text in texts(pieces))
    assert "".join(texts(pieces)).endswith("… end")
    assert KEY[3:20] not in "".join(texts(pieces))


@pytest.mark.parametrize(
    ("key", "text", "shown"),
    [
        ("", "Hello", "Hello"),
        ("ollama", "I run on ollama.", "I run on ollama."),
        ("lm-studio", "I run on lm-studio.", "I run on lm-studio."),
        ("12345678", "1234567890", "1234567890"),
        ("hunter2-mine", "It is hunter2-mine.", "It is …."),
        # Of words only all of them together.
        ("my-local-server-key-1", "A local-server has a server-key-2.", "A local-server has a server-key-2."),
        ("my-local-server-key-1", "It is my-local-server-key-1.", "It is …."),
        (
            "home-assistant-llama-server-2024",
            "A Home Assistant runs a llama-server.",
            "A Home Assistant runs a llama-server.",
        ),
        ("sk-12345678901234567890", "1 2 3 4 5 6 7 8 9 10", "1 2 3 4 5 6 7 8 9 10"),
        # What all keys of their kind begin with.
        ("sk-ant-api03-5f0c1d9e7b3a4826AbCd", "They begin with sk-ant-api03-", "They begin with sk-ant-api03-"),
        ("sk-ant-api03-5f0c1d9e7b3a4826AbCd", "sk-ant-api03-5f0c1d9e7b3a4826AbCd!", "sk-ant-api03-…!"),
        ("sk-proj-5f0c1d9e7b3a4826AbCd", "sk-proj-5f0c1d9e7b3a4826AbCd!", "sk-proj-…!"),
        ("AIzaSyD9-qWerTyUiOpAsDfGhJkLzXcVbNm", "AIzaSyD9-qWerTyUiOpAsDfGhJkLzXcVbNm!", "AIza…!"),
    ],
)
def test_what_local_servers_are_given_in_place_of_a_key_is_a_word_like_others(key: str, text: str, shown: str) -> None:
    assert "".join(texts(told([TextPiece(text), DONE], key=key))) == shown


@pytest.mark.parametrize("size", [1, 3, 7])
def test_a_key_of_words_is_hidden_however_it_is_cut(size: int) -> None:
    key = "my-local-server-key-1"
    text = f"It is {key}, so {key}."
    pieces = [TextPiece(text[at : at + size]) for at in range(0, len(text), size)]
    assert key not in "".join(texts(told([*pieces, DONE], key=key)))


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        (a_call(messages=(Message("user", f"What is {KEY}?"),)), KEY),
        (a_call(system=f"You know {KEY}."), KEY),
        (a_call(messages=(Message("user", "Read .env."), Message("tool", f"KEY={KEY}", answers="a"))), KEY),
        (a_call(messages=(Message("user", "?"), Message("assistant", KEY), Message("user", "Again."))), SHOWN),
    ],
)
def test_what_the_user_wrote_themselves_may_be_repeated(call: Call, shown: str) -> None:
    assert texts(told([TextPiece(f"{KEY}!"), DONE], call)) == [f"{shown}!"]


@pytest.mark.parametrize("unit", ["\\u0041\\u0062", "&#104;&#101;", "%41%42", "4142", "QUJD"])
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_what_is_escaped_and_is_no_key_is_told_to_its_end(unit: str, size: int) -> None:
    text = f"It is {unit * 60}"
    pieces = [TextPiece(text[at : at + size]) for at in range(0, len(text), size)]
    for key in (KEY, "sk-proj-aB3dE5gH7jK9mN1pQrS3tU5vW7xY9z", "AIzaSyD-9tSrke72PouQMnMXaBcDeF"):
        assert "".join(texts(told([*pieces, DONE], key=key))) == text
