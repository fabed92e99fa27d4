"""No key in a message, and no message that is more than a line."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.providers.complaint import redact
from tui_orchestrator.routing.text import clean_line
from tui_orchestrator.settings import Secret, without

KEY_CHARACTERS = st.characters(min_codepoint=33, max_codepoint=126)


@given(before=st.text(max_size=400), key=st.text(KEY_CHARACTERS, min_size=8, max_size=60), after=st.text(max_size=400))
def test_the_key_in_use_never_appears(before: str, key: str, after: str) -> None:
    shown = redact(f"{before} {key} {after}", key)
    assert key not in shown
    assert shown == clean_line(shown)


@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-abcdefghijklmnop",
        "sk-ant-api03-abc_DEF-123",
        "sk-or-v1-0123456789abcdef",
        "sk-abc*********xyz",
        "AIzaSyA-0123456789abcdefghijklmnopqrstu",
        "gsk_0123456789abcdef0123456789",
        "hf_0123456789abcdefghijklm",
    ],
)
def test_what_looks_like_a_key_is_hidden_even_if_it_is_another(key: str) -> None:
    shown = redact(f"Incorrect API key provided: {key}. See our pages.", "")
    assert shown == "Incorrect API key provided: …. See our pages."


def test_another_providers_key_is_hidden_whatever_it_looks_like() -> None:
    other = Secret("Wq8Er6Ty4Ui2Op0As1Df")
    assert redact(f"TEAM_KEY is {other.reveal()}.", KEY) == "TEAM_KEY is Wq8…s1Df."


def test_a_key_cut_off_at_the_end_of_a_long_message_is_hidden_too() -> None:
    key = "secret-" + "k" * 40
    for length in range(230, 310):
        assert "secret-kk" not in redact("x" * length + key, key)


KEY = "sk-planted-5f0c1d9e7b3a4826-QZX"


@pytest.mark.parametrize(
    "repeated",
    [
        KEY[4:],
        KEY[:-5],
        KEY.upper(),
        "\u200b".join(KEY),
        " ".join(KEY),
        base64.b64encode(KEY.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(b"user:" + KEY.encode()).decode(),
        "".join(f"%{byte:02X}" for byte in KEY.encode()),
        KEY[::-1],
        KEY.encode().hex(),
        KEY.encode().hex(":").upper().replace(":", ""),
        "".join(f"&#{ord(letter)};" for letter in KEY),
        "".join(f"&#x{ord(letter):X};" for letter in KEY),
        "".join(f"\\u{ord(letter):04x}" for letter in KEY),
        "".join(f"\\x{ord(letter):02x}" for letter in KEY),
        "".join(f"\\\\u{ord(letter):04x}" for letter in KEY),
        "".join(chr(ord(letter) + 0xFEE0) for letter in KEY),
        "".join(chr(ord(letter) + 0x1D400 - ord("A")) if letter.isupper() else letter for letter in KEY.upper()),
    ],
)
def test_a_part_of_the_key_and_the_key_in_another_form_are_hidden_too(repeated: str) -> None:
    shown = redact(f"Refused: {repeated} is not known here.", KEY)
    assert shown.startswith("Refused: ")
    assert shown.endswith("… is not known here.")
    assert len(shown) <= len("Refused: … is not known here.") + 8


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "backwards": lambda part: part[::-1],
    "in capitals": str.upper,
    "with its case swapped": str.swapcase,
    "apart": " ".join,
    "base64": lambda part: base64.b64encode(part.encode()).decode(),
    "hexadecimal": lambda part: part.encode().hex(),
    "percent": lambda part: "".join(f"%{ord(letter):02x}" for letter in part),
    "HTML": lambda part: "".join(f"&#{ord(letter)};" for letter in part),
    "JSON": lambda part: "".join(f"\\u{ord(letter):04x}" for letter in part),
    "JSON within JSON": lambda part: "".join(f"\\\\u{ord(letter):04x}" for letter in part),
    "full width": lambda part: "".join(chr(ord(letter) + 0xFEE0) for letter in part),
}


@given(st.sampled_from(sorted(FORMS)), st.text(KEY_CHARACTERS, min_size=24, max_size=48), st.data())
def test_of_no_form_of_a_key_more_than_some_letters_are_left(form: str, key: str, data: st.DataObject) -> None:
    """Of a part of it too, as long as that is longer than what a word may share with it."""
    first = data.draw(st.integers(0, len(key) - 16))
    part = key[first : first + data.draw(st.integers(16, len(key) - first))]
    written = FORMS[form](part)
    shown = without(f"Refused: {written}!", key)
    assert "…" in shown
    assert len(shown) < len("Refused: …!") + len(written) / 2


def test_ordinary_words_stay() -> None:
    message = (
        "sketch: the task-oriented risk-free request at https://x.test/a?b=c failed (hf, sk, AI, pplx-70b-online)."
    )
    assert redact(message, "") == message
