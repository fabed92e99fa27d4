"""The names of keys in [ui.keymap]."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_orchestrator.settings import SettingsError, load
from tui_orchestrator.settings.keys import problem_with
from tui_orchestrator.ui.commands import ACTIONS


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("nonsense+q", "'nonsense' is none of ctrl, alt"),
        ("Ctrl+Q", "did you mean 'ctrl+q'?"),
        ("ctrl+entr", "did you mean 'ctrl+enter'?"),
        ("ctrl+", "is not the name of a key"),
        ("f77", "there is no key 'f77'"),
        ("banana", "there is no key 'banana'"),
        ("ctrl+greek_small_letter_alpha", "there is no key"),
    ],
)
def test_a_key_that_cannot_exist_is_refused_with_file_line_and_what_would_be_right(
    tmp_path: Path, key: str, said: str
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'[ui.keymap]\n"app.quit" = "{key}"\n')
    with pytest.raises(SettingsError) as caught:
        load(file)
    (problem,) = caught.value.problems
    assert problem.startswith(f"{file}:2: ")
    assert key in problem
    assert said in problem
    assert '"ctrl+z"' in problem


def test_every_key_the_program_has_itself_can_be_given() -> None:
    for action in ACTIONS:
        for key in action.key.split(","):
            assert problem_with(key.strip()) == "", key


@pytest.mark.parametrize("key", ["question_mark", "?", "ä", "alt+shift+up", "ctrl+f12", "S"])
def test_signs_letters_and_several_modifiers_are_keys(key: str) -> None:
    assert problem_with(key) == ""
