"""Every way a text can be edited in the prompt, with pastes folded in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.events import Key, Paste
from textual.widgets import Input, TextArea

from tests.ui.conftest import console
from tests.ui.test_prompt import PASTE, SCRIPT, an_editor
from tui_orchestrator.ui import arguments
from tui_orchestrator.ui.keyboard import Keys
from tui_orchestrator.ui.prompt import Prompt

EDITS = sorted(
    {
        *(binding.action for bindings in TextArea._merged_bindings.key_to_bindings.values() for binding in bindings),  # type: ignore[union-attr]
        *("newline", "fold", "up", "down"),
    }
)
OWN = "ö, x"


class Alone(App[None]):
    def compose(self) -> ComposeResult:
        yield Prompt()


@settings(max_examples=25)
@given(
    st.sampled_from(["", "one two", "one two\n\nthree"]),
    st.lists(
        st.sampled_from(EDITS) | st.builds(Key, st.just("x"), st.sampled_from(OWN)) | st.builds(Paste, st.just(PASTE)),
        min_size=1,
        max_size=40,
    ),
)
@example("", ["cursor_left", "newline"])
async def test_no_edit_ends_the_program_or_cuts_a_folded_paste_in_two(
    text: str, edits: list[str | Key | Paste]
) -> None:
    async with Alone().run_test() as pilot:
        prompt = pilot.app.query_one(Prompt)
        prompt.text = text
        for edit in (Paste(PASTE), *edits):
            if isinstance(edit, str):
                await prompt.run_action(edit)
            elif isinstance(edit, Key):
                await prompt._on_key(edit)
            else:
                await prompt._on_paste(edit)
            rest = re.sub(r"⟦paste 1: 60 lines⟧", "", prompt.text)
            assert not set("⟦⟧") & set(rest), edit
            assert "paste" not in prompt.unfolded, edit


TAKEN_OUT = (
    ("one line", "\x18", ""),
    ("one line", "\x1b[107;6u", ""),
    ("", "\x0b", ""),
    ("", "\x18", ""),
    ("first\nlast", "\x18", "first\n"),
    ("first\n", "\x0b", "first\n"),
)


async def test_a_line_is_cut_as_any_other_and_a_letter_with_alt_is_written_nowhere(tmp_path: Path) -> None:
    async with console(tmp_path, size=(80, 24), script=SCRIPT) as seat:
        # The last line is cut and deleted as any other.
        prompt = seat.app.composer.prompt
        for draft, key, left in TAKEN_OUT:
            await seat.type(draft)
            for message in Keys().feed(key):
                seat.app.post_message(message)
            await seat.until(lambda left=left: prompt.text == left, f"{key!r} in {draft!r}")  # type: ignore[misc]
            await seat.type("and on")
            assert prompt.text == f"{left}and on", (draft, key)
            prompt.text = ""

        # A letter with alt is written into no field.
        await seat.begin_anew()
        for key, there in (("ctrl+s", "╭─ Strategy"), ("ctrl+t", "Pin a model"), ("f12", "[router]")):
            await seat.pilot.press(key)
            await seat.sees(there)
            for letter in "gpP":
                for message in Keys().feed(f"\x1b{letter}"):
                    seat.app.post_message(message)
            await seat.pilot.press("z")
            field = seat.app.focused
            assert isinstance(field, Input)
            await seat.until(lambda field=field: field.value == "z")
            await seat.pilot.press("escape", "escape")


# -- own words and pastes


@pytest.mark.parametrize(("lines", "shown"), [(60, "⟦paste 1: 60 lines⟧"), (41, "⟦paste 1: 41 lines⟧"), (40, "row 39")])
async def test_a_paste_s_lines_are_counted_as_people_count_them(tmp_path: Path, lines: int, shown: str) -> None:
    async with console(tmp_path, script=SCRIPT) as seat:
        seat.app.composer.prompt.post_message(Paste("".join(f"row {number}\n" for number in range(lines))))
        await seat.sees(shown)


async def test_what_one_wrote_in_the_editor_stays_in_sight_and_pastes_stay_folded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = "\n".join(f"thought {number}" for number in range(61))
    (tmp_path / "own").write_text(own + "\n")
    command = an_editor(tmp_path, "code", f'cat "$2" >> "{tmp_path}/own"; cp "{tmp_path}/own" "$2"; echo >> "$2"')
    monkeypatch.setenv("VISUAL", str(command))
    async with console(tmp_path, script=SCRIPT) as seat:
        prompt = seat.app.composer.prompt
        prompt.post_message(Paste(PASTE))
        await seat.sees("⟦paste 1: 60 lines⟧")
        await seat.pilot.press("ctrl+e")
        await seat.until(lambda: not prompt.read_only and "thought" in prompt.text)
        assert prompt.text == f"{own}\n⟦paste 1: 60 lines⟧"
        assert prompt.unfolded == f"{own}\n{PASTE}"
        await seat.app.run_action("new_session")
        await seat.app.run_action("temporary_chat")
        await seat.until(lambda: prompt.text == f"{own}\n⟦paste 1: 60 lines⟧")


async def test_only_what_is_too_long_to_be_written_in_is_folded_after_the_editor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", str(an_editor(tmp_path, "code", 'seq 2500 > "$2"')))
    async with console(tmp_path, script=SCRIPT) as seat:
        await seat.pilot.press("ctrl+e")
        await seat.sees("⟦text 1: 2,500 lines⟧")
        assert seat.app.composer.prompt.unfolded == "\n".join(map(str, range(1, 2501)))


# -- names that are begun


@pytest.mark.cells(1)
@pytest.mark.parametrize("size", [(80, 24), (40, 10)])
async def test_a_name_that_is_begun_as_no_other_is_taken_and_an_error_tells_all_there_are(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with console(tmp_path, size=size, script=SCRIPT) as seat:
        await seat.send("/strategy fall")
        await seat.until(lambda: seat.app.options.strategy == "fallback")
        await seat.send("/model lumen-da")
        await seat.until(lambda: seat.app.options.model == "demo-gemini/lumen-dash")
        await seat.send("/strategy p")
        await seat.sees("no strategy is called 'p'", "cheapest", "performance", "local_first", "fallback", "ensemble")
        assert seat.app.options.strategy == "fallback"
        await seat.pilot.press("ctrl+u")
        await seat.send("/strat")
        await seat.sees("type to narrow the list")


def test_what_may_be_anything_stays_as_it_was_typed() -> None:
    names = arguments.Names()
    for command, typed in (("system", "no"), ("cost", "n"), ("export", "m"), ("ensemble", "9"), ("strategy", "")):
        assert arguments.meant(command, typed, names) == typed


async def test_what_does_not_fit_of_the_hint_in_an_empty_prompt_is_cut_with_an_ellipsis(tmp_path: Path) -> None:
    async with console(tmp_path, size=(40, 10), script=SCRIPT) as seat:
        await seat.until(lambda: seat.written.startswith("Ask anything") and seat.written.endswith("…"))


async def test_what_is_cut_is_the_paste_and_folds_again_where_it_is_put(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        prompt = seat.app.composer.prompt
        prompt.post_message(Paste(PASTE))
        await seat.sees("⟦paste 1")
        await seat.pilot.press("ctrl+x")
        await seat.until(lambda: seat.app.clipboard.rstrip("\n") == PASTE.rstrip("\n"), "the paste in the clipboard")
        assert prompt.text == ""
        await seat.pilot.press("ctrl+v")
        await seat.sees("⟦paste ")
        assert prompt.unfolded.rstrip("\n") == PASTE.rstrip("\n")
