"""A provider's key in what its models write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.dialects import a_call
from tui_orchestrator.providers.withheld import Stretch, Withheld
from tui_orchestrator.routing.events import FinishReason
from tui_orchestrator.routing.ports import Call, CallPiece, Done, Piece, TextPiece, ThinkingPiece, UsageSoFar
from tui_orchestrator.routing.request import Message
from tui_orchestrator.settings import Secret

KEY = "sk-planted-5f0c1d9e7b3a4826-QZX"
SHOWN = "sk-…-QZX"
DONE = Done(FinishReason.STOP, None)
WORDS = st.text("sk-plante5f0 \n", max_size=12) | st.sampled_from([KEY[:3], KEY[:9], KEY[:-1], KEY[5:], KEY])


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


@given(st.lists(WORDS, max_size=6).map("".join), st.lists(st.integers(0, 20), max_size=30))
def test_however_it_is_cut_the_key_is_masked_and_all_else_is_told(text: str, sizes: list[int]) -> None:
    stretch = Stretch(KEY)
    pieces = cut(text, sizes)
    shown = "".join(map(stretch.next, pieces))
    rest = stretch.rest()
    whole = text.replace(KEY, SHOWN)
    assert KEY not in shown + rest
    assert whole.startswith(shown)
    assert rest == whole[len(shown) :] or (rest == "…" and KEY.startswith(KEY[:3] + whole[len(shown) :]))


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        # What only begins like a key is told without waiting.
        (["Ask ", "desk", "s"], ["Ask ", "desk", "s"]),
        (["sk", "-", "learn"], ["sk", "-", "learn"]),
        (["sk-p", "ython"], ["sk-", "python"]),
        ([f"It is {KEY}."], [f"It is {SHOWN}."]),
        ([*KEY, "."], ["s", "k", "-", *[""] * (len(KEY) - 4), "…-QZX", "."]),
        # What would be taken out between its letters later.
        ([f"{KEY[:9]}\x1b\u202e", f"\0{KEY[9:]}"], ["sk-", "…-QZX"]),
        ([KEY + KEY[:5], KEY[5:]], [SHOWN + "sk-", "…-QZX"]),
        ([KEY[:6], KEY], ["sk-", "pla" + SHOWN]),
        # Short of its last letter it is not told either.
        ([f"It is {KEY[:-1]}"], ["It is sk-", "…"]),
        (["It is sk-plant"], ["It is sk-", "plant"]),
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
        CallPiece(0, '{"key": "sk-', id="…", name="…"),
        TextPiece("Hello "),
        CallPiece(1, '{"to": "sk-', id="b", name="send"),
        CallPiece(0, '…-QZX"}'),
        ThinkingPiece("…-QZX"),
        CallPiece(1, 'plain"}'),
        UsageSoFar(None),
        TextPiece("sk-"),
        TextPiece("pl"),
        replace(DONE, served_by="…"),
    ]


def test_what_an_answer_that_broke_off_held_back_is_told() -> None:
    withheld = Withheld(KEY, a_call())
    assert list(withheld.told(TextPiece("It begins with sk-plan"))) == [TextPiece("It begins with sk-")]
    assert list(withheld.rest()) == [TextPiece("plan")]
    assert list(withheld.rest()) == []


@pytest.mark.parametrize(
    ("key", "text", "shown"),
    [
        ("", "Hello", "Hello"),
        ("ollama", "I run on ollama.", "I run on ollama."),
        ("lm-studio", "I run on lm-studio.", "I run on lm-studio."),
        ("hunter2-mine", "It is hunter2-mine.", "It is …."),
    ],
)
def test_what_local_servers_are_given_in_place_of_a_key_is_a_word_like_others(key: str, text: str, shown: str) -> None:
    assert texts(told([TextPiece(text), DONE], key=key)) == [shown]


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
    assert texts(told([TextPiece(KEY), DONE], call)) == [shown]


def test_two_keys_are_not_taken_for_one_another() -> None:
    other = KEY[:-4] + "ABCD"
    assert texts(told([TextPiece(f"{other} {KEY}"), DONE])) == [f"{other} {Secret(KEY)}"]
