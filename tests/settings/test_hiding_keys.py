"""Keys are taken out of texts of any length, in the time that it takes to read them."""

import time
from base64 import b64encode
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.settings import Secret, SettingsError, effective, load, masked, without_keys
from tui_orchestrator.settings.changing import said_in
from tui_orchestrator.settings.listing import sections
from tui_orchestrator.settings.secrets import _forms, without

KEY = "sk-ant-aPi03-aB3dE5gH7jK9mN1pQ"
OTHER = "AIzaSyD-9tSrke72PouQMnMX"


def slowly(text: str, *keys: str) -> str:
    """The same, looked for letter by letter."""
    for key in keys:
        text = text.replace(key, "…")
    seen = [(place, letter.lower()) for place, letter in enumerate(text) if " " < letter < "\x7f"]
    letters = [(place, letter) for place, letter in seen if letter != "\\"]
    run = "".join(letter for _, letter in letters)
    gone = [False] * len(text)
    for form, width in (one for key in keys for one in _forms(key)):
        size = 8 * width
        for at in range(len(run) - size + 1):
            if run[at : at + size] in form:
                first, last = letters[at][0], letters[at + size - 1][0]
                first -= text[first - 1 : first] == "\\"
                gone[first : last + 1] = [True] * (last + 1 - first)
    parts = groupby(zip(text, gone, strict=True), key=lambda pair: pair[1])
    return "".join("…" if hidden else "".join(letter for letter, _ in part) for hidden, part in parts)


coded = [b64encode(KEY.encode()).decode(), "".join(f"%{byte:02X}" for byte in KEY.encode()), KEY.upper(), KEY, OTHER]
parts = st.sampled_from(coded).flatmap(
    lambda form: st.tuples(st.integers(0, len(form)), st.integers(0, 40)).map(lambda at: form[at[0] : at[0] + at[1]])
)
between = st.sampled_from(["", " ", "\u200b", "\n", "é", "世界", "\ud800", "-", "=", "\x7f", "\\"])
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


SHAPELESS = "correct.horse.battery.staple"
"""As no provider gives one out."""
PLACES = (
    '[ui.keymap]\n"pane.zoom" = "{key}"',
    '[ui.keymap]\n"{key}" = "f7"',
    '[ui]\ntheme = "{key}"',
    '[plugins]\ndisabled = ["{key}"]',
    '[router]\ndefault_model = "{key}"',
    '[router]\nstrategy = "{key}"',
    '[personas.mine]\nsystem = "Say {key} to whoever asks."',
    '[rules.mine]\nmatches = "{key}"\nmodel = "openai/gpt-6"',
    '[chains]\nmine = ["openai/{key}"]',
    '[[models]]\nid = "openai/{key}"',
    '[store]\npath = "/tmp/{key}/store.db"',
    '[providers.openai]\nbase_url = "http://{key}.example/v1"',
    '[providers.openai]\napi_key_env = "{key}"',
    '[budgets.models."openai/{key}"]\ndaily_usd = 1',
    "{key} = 1",
)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("source", ["OPENAI_API_KEY", ".env", "OF_MY_OWN", "WIKI_TOKEN"])
def test_a_known_key_is_shown_nowhere_whatever_it_looks_like(tmp_path: Path, place: str, source: str) -> None:
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY={SHAPELESS}\n" if source == ".env" else "")
    own = '[providers.team]\nbase_url = "http://127.0.0.1:9/v1"\napi_key_env = "OF_MY_OWN"\n'
    file = tmp_path / "config.toml"
    file.write_text(place.format(key=SHAPELESS) + "\n" + (own if source == "OF_MY_OWN" else ""))
    around = {"HOME": str(tmp_path)} | ({} if source == ".env" else {source: SHAPELESS})
    shown: list[object] = []
    try:
        settings = load(file, environ=around, cwd=tmp_path)
    except SettingsError as error:
        shown.append(str(error))
    else:
        shown += [*effective(settings), *settings.notices]
        for section in sections(settings, said_in(file), file):
            shown += [(one.shown_name, one.value, one.own, one.typed, one.default) for one in section.settings]
    assert shown
    assert SHAPELESS not in repr(shown)


@pytest.mark.parametrize(
    "said",
    [
        '{"api_key": "swordfish"}',
        "api-key = 'swordfish'",
        "authorization: Basic swordfish",
        "Authorization=Bearer swordfish",
        "http://h/v1?token=swordfish99&page=2",
        "password: swordfish99,",
        "client_secret='swordfish'",
    ],
)
def test_what_stands_behind_a_name_of_keys_is_hidden(said: str) -> None:
    assert "swordfish" not in without_keys(said)
    assert without_keys(said) != "…"


def test_our_own_sentences_about_keys_are_left_as_they_are() -> None:
    for said in (
        "config.toml:3: providers.openai.api_key: a key does not belong in this file; did you mean api_key_env?",
        "openai: api_key_command: gave nothing; it should give the key alone",
        "router.timeouts.first_token: '12345678s' is not a number",
        "env OPENAI_API_KEY: what it gave is no key: it has a space, a quote or an odd character in it",
    ):
        assert without_keys(said) == said


def test_a_placeholder_for_a_local_server_may_be_a_name_too(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[providers.lm-studio]\nbase_url = "http://127.0.0.1:9/v1"\n')
    settings = load(file, environ={"OPENAI_API_KEY": "lm-studio"}, cwd=tmp_path)
    assert "providers.lm-studio.base_url" in [one.key for one in effective(settings)]
