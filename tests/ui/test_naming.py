from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.ui.commands import ACTIONS
from tui_orchestrator.ui.dialogs import keys_line
from tui_orchestrator.ui.naming import key_named, spoken_key

_KEYS = sorted({key.strip() for action in ACTIONS for key in action.key.split(",") if key})


@given(st.sampled_from(_KEYS))
def test_the_name_of_a_key_leads_back_to_it_unless_it_could_be_a_count(key: str) -> None:
    assert key_named(spoken_key(key)) == ("" if key.isdigit() else key)


def test_words_which_are_no_keys_are_not_taken_for_one() -> None:
    for word in ("5", "12", "nothing", "Click", "", "+", "of", "3,104"):
        assert key_named(word) == ""


def test_what_can_be_pressed_in_a_line_of_keys_can_be_clicked() -> None:
    said = keys_line("5 in all · Enter opens · Ctrl+X stops it · F8 begins · ↓ then a letter · Tab: all · Esc closes")
    clicks = [span.style.meta["@click"] for span in said.spans]
    keys = ["enter", "ctrl+x", "f8", "down", "tab", "escape"]
    assert clicks == [f"screen.press('{key}')" for key in keys]
