"""Keys are taken out of texts of any length, in the time that it takes to read them."""

import time
from base64 import b64encode
from collections.abc import Callable
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.settings import Secret, masked
from tui_orchestrator.settings.secrets import _forms, without

KEY = "sk-ant-aPi03-aB3dE5gH7jK9mN1pQ"
OTHER = "AIzaSyD-9tSrke72PouQMnMX"


def slowly(text: str, *keys: str) -> str:
    """The same, looked for letter by letter."""
    for key in keys:
        text = text.replace(key, "…")
    letters = [(place, letter.lower()) for place, letter in enumerate(text) if letter.isascii() and letter > " "]
    run = "".join(letter for _, letter in letters)
    gone = [False] * len(text)
    for form, size in (one for key in keys for one in _forms(key)):
        for at in range(len(run) - size + 1):
            if run[at : at + size] in form:
                first, last = letters[at][0], letters[at + size - 1][0]
                gone[first : last + 1] = [True] * (last + 1 - first)
    parts = groupby(zip(text, gone, strict=True), key=lambda pair: pair[1])
    return "".join("…" if hidden else "".join(letter for letter, _ in part) for hidden, part in parts)


coded = [b64encode(KEY.encode()).decode(), "".join(f"%{byte:02X}" for byte in KEY.encode()), KEY.upper(), KEY, OTHER]
parts = st.sampled_from(coded).flatmap(
    lambda form: st.tuples(st.integers(0, len(form)), st.integers(0, 40)).map(lambda at: form[at[0] : at[0] + at[1]])
)
between = st.sampled_from(["", " ", "\u200b", "\n", "é", "世界", "\ud800", "-", "=", "\x7f"])
texts = st.lists(st.tuples(parts | st.text(max_size=12), between).map("".join), max_size=12).map("".join)


@given(texts)
def test_the_quick_way_hides_what_looking_letter_by_letter_does(text: str) -> None:
    assert without(text, KEY, OTHER) == slowly(text, KEY, OTHER)


def test_a_text_of_megabytes_takes_no_longer_than_a_short_one_letter_by_letter() -> None:
    words = "The quick brown fox jumps over the lazy dog; def f(x): return x + 1\n" * 10_000

    def took(hide: Callable[..., str], text: str) -> float:
        begun = time.thread_time()
        assert hide(text, KEY, OTHER) == text
        return time.thread_time() - begun

    # Letter by letter it is three seconds a megabyte, and thirty times as quick so.
    assert took(without, words) < took(slowly, words[: len(words) // 8])


def test_a_key_that_is_no_utf_8_harms_nobody() -> None:
    odd = "password-\udce9-in-an-address"
    held = Secret(odd)
    assert masked(f"at {held.reveal()}!") == "at pas…ress!"
