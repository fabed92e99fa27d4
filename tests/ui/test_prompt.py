"""The prompt as a person uses it: completion, history, files, pastes, the editor."""

from __future__ import annotations

import contextlib
import stat
import struct
import zlib
from itertools import product
from pathlib import Path

import pytest
from textual.events import Key, Paste

from tests.ui.conftest import Console, console, settle
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.routing.request import Message
from tui_orchestrator.services.paths import MOST_FOUND, list_paths
from tui_orchestrator.ui import folds
from tui_orchestrator.ui.attachments import mentions, written
from tui_orchestrator.ui.keyboard import Keys
from tui_orchestrator.ui.slash import SLASH_COMMANDS

SCRIPT = Script().always(Say(text="It is blue."))
PASTE = "".join(f"row {number}\n" for number in range(60))


def below_prompt(seat: Console) -> str:
    top = seat.app.composer.prompt.region.bottom
    return "\n".join(seat.screen.splitlines()[top:-1])


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def typed_ahead(seat: Console, text: str) -> None:
    """As one read from the terminal brings it, while the program is busy."""
    for character in text:
        key = {"\r": "enter", " ": "space", "/": "slash"}.get(character, character)
        seat.app.post_message(Key(key, character))


async def test_what_is_typed_ahead_goes_out_whole_and_what_follows_is_the_next_draft(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT) as seat:
        typed_ahead(seat, "what colour is the sky\rand the sea")
        await seat.sees("It is blue.", "and the sea")
        await seat.ended()
        await seat.until(lambda: seat.app.composer.prompt.text == "and the sea")
        await seat.sees("what colour is the sky")
        await seat.pilot.press("ctrl+u")
        typed_ahead(seat, "/strategy quality\r/help\r")
        await seat.sees("Keys")
        assert seat.app.options.strategy == "quality"


async def test_why_a_draft_would_be_refused_is_said_to_its_end(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT, size=(100, 30)) as seat:
        await seat.send("/cost 0.0000001")
        await seat.type("Write a parser for JSON")
        said = "so you are asked once you send it"
        for size in ((100, 30), (80, 24)):
            await seat.pilot.resize_terminal(*size)
            await settle(seat.pilot)
            await seat.sees("✗ ", "this request may cost")
            await seat.until(lambda: said in " ".join(seat.screen.split()), said)
        await seat.pilot.press("enter")
        await seat.sees("Raise it to $")


async def test_the_card_says_in_short_why_another_strategy_has_no_model(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT, size=(100, 100)) as seat:
        await seat.send("/cost 0.0000001")
        await seat.type("Write a parser for JSON")
        await seat.sees("cheapest    ✗ over its cap", "ensemble    ✗ over its cap")


# -- completion


async def test_what_each_command_does_is_said_whole(tmp_path: Path, thorough: bool) -> None:
    half = len(SLASH_COMMANDS) // 2
    halves = (SLASH_COMMANDS, SLASH_COMMANDS) if thorough else (SLASH_COMMANDS[:half], SLASH_COMMANDS[half:])
    async with console(tmp_path, script=SCRIPT, size=(100, 30)) as seat:
        await seat.type("/")
        for size, commands in zip(((100, 30), (80, 24)), halves, strict=True):
            await seat.pilot.resize_terminal(*size)
            for command in commands:
                await seat.until(lambda name=command.name: f"▸ /{name}" in below_prompt(seat))  # type: ignore[misc]
                assert command.help in below_prompt(seat)
                await seat.pilot.press("down")


async def test_completion_is_by_tab_click_and_arrows_and_by_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "report.csv").write_text("a,b")
    (tmp_path / "docs" / "my notes").mkdir(parents=True)
    (tmp_path / "docs" / "my notes" / 'a "b".txt').write_text("the file's own words")
    (tmp_path / "docs" / ".hidden").write_text("h")
    async with console(tmp_path, script=SCRIPT) as seat:
        # Tab completes a command and then what it takes.
        prompt = seat.app.composer.prompt
        await seat.type("/strat")
        await seat.sees("▸ /strategy NAME|default")
        await seat.pilot.press("tab")
        assert prompt.text == "/strategy "
        await seat.until(lambda: "▸ cheapest" in below_prompt(seat) and "local_first" in below_prompt(seat))
        await seat.type("qual")
        await seat.until(lambda: "▸ quality" in below_prompt(seat))
        await seat.pilot.press("tab")
        assert prompt.text == "/strategy quality"
        await seat.sees("/strategy NAME|default: choose how models are picked")
        await seat.pilot.press("enter")
        await seat.sees("the likeliest good answer")

        # Enter takes what was moved to and sends otherwise.
        await seat.begin_anew()
        await seat.type("/strategy ")
        await seat.sees("▸ cheapest")
        await seat.pilot.press("down", "enter")
        assert seat.app.composer.prompt.text == "/strategy balanced"
        await seat.pilot.press("enter")
        await seat.sees("the best mix of quality, cost and speed")
        assert seat.app.composer.prompt.text == ""

        # A click takes a completion and escape closes the list.
        await seat.begin_anew()
        await seat.type("/strategy ")
        await seat.sees("▸ cheapest")
        await seat.pilot.press("escape")
        await seat.sees_no("▸ cheapest")
        assert seat.app.composer.prompt.text == "/strategy "
        await seat.type("q")
        await seat.sees("▸ quality")
        await seat.pilot.click("#completions", offset=(4, 0))
        await seat.until(lambda: seat.app.composer.prompt.text == "/strategy quality")

        # An address or a word with an at is left alone.
        await seat.begin_anew()
        await seat.type("mail me@store")
        await seat.sees("→ ")
        assert not seat.app.composer.prompt.completions.display

        # Tab before the directory was read completes when it is.
        await seat.begin_anew()
        await seat.pilot.press(*"sum ", "at", *"rep", "tab")
        await seat.until(lambda: seat.app.composer.prompt.text == "sum @report.csv ")

        # A path is completed directory by directory.
        await seat.begin_anew()
        prompt = seat.app.composer.prompt
        await seat.type("Read @do")
        await seat.until(lambda: "▸ docs/" in below_prompt(seat))
        await seat.pilot.press("tab")
        assert prompt.text == "Read @docs/"
        await seat.until(lambda: "▸ docs/my notes/" in below_prompt(seat))
        assert "hidden" not in seat.screen
        await seat.pilot.press("tab")
        assert prompt.text == 'Read @"docs/my notes/'
        await seat.until(lambda: 'a "b".txt' in below_prompt(seat))
        await seat.pilot.press("tab")
        assert prompt.text == 'Read @"docs/my notes/a \\"b\\".txt" '
        await seat.sees('✓ a "b".txt · 20 B · ≈')
        await seat.send("please")
        await seat.ended()
        await seat.sees("the file's own words")


async def test_names_in_commands_and_earlier_prompts_are_taken_as_they_are_typed(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30), script=SCRIPT) as seat:
        # Arguments are completed by what there is.
        prompt = seat.app.composer.prompt
        for typed, completed in (
            ("/theme pap", "/theme paper"),
            ("/copy fi", "/copy file"),
            ("/check sec", "/check second_answer"),
            ("/again per", "/again performance"),
            ("/reports ad", "/reports advice"),
        ):
            await seat.type(typed)
            await seat.pilot.press("tab")
            await seat.until(lambda wanted=completed: prompt.text == wanted, completed)
            prompt.clear()

        # Models are completed by their own names and each of a chain.
        await seat.begin_anew()
        assert seat.app.runtime is not None
        first, second, *_ = [
            model for model in seat.app.runtime.registry if model.id not in seat.app.runtime.registry.out
        ]
        await seat.type(f"/model {first.name}")
        await seat.pilot.press("tab")
        assert seat.app.composer.prompt.text == f"/model {first.id}"
        seat.app.composer.prompt.text = ""
        await seat.type(f"/chain {first.id}, {second.name}")
        await seat.pilot.press("tab")
        assert seat.app.composer.prompt.text == f"/chain {first.id}, {second.id}"

        # The line above follows every key.
        await seat.begin_anew()

        def line() -> str:
            return next((row for row in seat.screen.splitlines() if "→ " in row and "difficulty" in row), "")

        await seat.pilot.press(*"hello")
        await seat.until(lambda: "conversation" in line() or "simple qa" in line(), "what a greeting is")
        before = line()
        await seat.type(", prove that there are infinitely many primes")
        await seat.until(lambda: "math" in line() and line() != before, "what a proof is")
        seat.app.composer.prompt.clear()
        await seat.until(lambda: not line(), "no line about nothing")

        # Enter right after typing takes what was typed.
        await seat.begin_anew()
        await history(seat, "Why is the sky blue?", "Name three rivers")
        await seat.pilot.press("ctrl+r")
        await seat.sees("Name three rivers")
        await seat.pilot.press(*"sky", "enter")
        await seat.until(lambda: seat.app.composer.prompt.text == "Why is the sky blue?")

        # Alt with a letter is a key however the terminal sends it.
        await seat.begin_anew()
        await seat.send("what colour is the sky")
        await seat.ended()
        await seat.type("and the sea")
        for letter in "uh":
            for message in Keys().feed(f"\x1b{letter}"):
                seat.app.post_message(message)
        await seat.sees("if sent now", "by 1 × p", "and the sea")
        for message in Keys().feed("\x1bh"):
            seat.app.post_message(message)
        await seat.sees("▲ lumen-dash", "and the sea")
        assert seat.app.composer.prompt.text == "and the sea"


def test_a_listing_is_bounded_and_hides_what_is_hidden(tmp_path: Path) -> None:
    for number in range(MOST_FOUND + 50):
        (tmp_path / f"f{number:03}").touch()
    for name in (".secret", "bad\x1b[31mname", "two\nlines", "Zebra"):
        (tmp_path / name).touch()
    every = list_paths("", tmp_path, lambda: False)
    assert (len(every.paths), every.more) == (MOST_FOUND, True)
    assert not any("\x1b" in path or "\n" in path or path.startswith(".") for path in every.paths)
    assert list_paths(".s", tmp_path, lambda: False).paths == (".secret",)
    assert list_paths("zEB", tmp_path, lambda: False).paths == ("Zebra",)
    assert list_paths("no/such/", tmp_path, lambda: False).paths == ()
    assert "Not a directory" in list_paths("Zebra/", tmp_path, lambda: False).problem
    assert list_paths("~", tmp_path, lambda: False).paths == ("~/",)


@pytest.mark.parametrize("name", ["a.py", "my notes.txt", 'say "hi".txt', "what?", "it's", "b)", "ünï.md"])
def test_a_completed_path_is_read_as_it_was_meant(name: str) -> None:
    assert mentions(f"see {written(name)} now") == [name]


# -- files


async def test_a_picture_says_its_size_its_tokens_and_what_it_costs(tmp_path: Path) -> None:
    (tmp_path / "plan.png").write_bytes(png(1280, 720))
    async with console(tmp_path, script=SCRIPT) as seat:
        await seat.type("What is on @plan.png ?")
        await seat.sees("≈1.2k tok")
        line = await seat.line("✓ image plan.png · 1,280×720 · ")
        assert "$" in line or "free" in line
        assert seat.app.composer.decision is not None
        assert seat.app.composer.decision.profile.input_tokens > 1_200


# -- history


async def history(seat: Console, *texts: str) -> None:
    assert seat.app.runtime is not None
    conversations = seat.app.runtime.conversations
    session = conversations.new("earlier")
    await conversations.keep(session)
    for number, text in enumerate(texts):
        await conversations.prompt(session.id, Message("user", text), f"h{number}")


async def test_earlier_prompts_come_back_by_the_arrows_and_are_searched(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT) as seat:
        # Ctrl r finds a prompt and puts it in without sending.
        await history(seat, "Why is the sky blue?", "Name three rivers", "Why is grass green,\nand not blue?")
        await seat.type("half a thought")
        await seat.pilot.press("ctrl+r")
        await seat.sees("Earlier prompts", "Name three rivers")
        await seat.pilot.press(*"blue why")
        await seat.sees_no("Name three rivers")
        rows = lambda: [line for line in seat.screen.splitlines() if "just now" in line]  # noqa: E731
        await seat.until(lambda: ["grass" in row for row in rows()][:2] == [True, False] and "sky" in rows()[1])
        await seat.sees("and not blue?")
        await seat.pilot.press("down", "enter")
        await seat.sees_no("Earlier prompts")
        assert seat.app.composer.prompt.text == "Why is the sky blue?"
        assert not seat.app.running
        await seat.pilot.press("ctrl+z")
        assert seat.app.composer.prompt.text == "half a thought"

        # What is typed and sent from the whole decision is answered beside the panes.
        await seat.begin_anew()
        before = seat.app.visible_panes
        await seat.type("Prove that there are infinitely many prime")
        await seat.sees("difficulty")
        await seat.pilot.press("alt+h")
        await seat.until(lambda: seat.app.visible_panes == ("decision",), "the decision alone")
        await seat.pilot.press("s", "enter")
        await seat.ended()
        await seat.sees("infinitely many primes")
        assert seat.app.visible_panes == before

        # The arrows go on through the history over a command.
        await seat.begin_anew()
        await seat.send("What colour is the sky?")
        await seat.ended()
        await seat.send("/strategy quality")
        await seat.pilot.press("up")
        assert seat.app.composer.prompt.text == "/strategy quality"
        await seat.pilot.press("up")
        assert seat.app.composer.prompt.text == "What colour is the sky?"
        await seat.pilot.press("down", "down")
        assert seat.app.composer.prompt.text == ""


async def test_esc_leaves_the_draft_and_ctrl_r_says_when_there_is_nothing(tmp_path: Path) -> None:
    async with console(tmp_path, size=(80, 24), script=SCRIPT) as seat:
        await seat.type("half a thought")
        await seat.pilot.press("ctrl+r")
        await seat.sees("Nothing was sent yet.")
        await seat.pilot.press(*"xyz", "enter")
        await seat.sees("No earlier prompt holds these words.")
        await seat.pilot.press("escape")
        await seat.sees_no("Earlier prompts")
        assert seat.app.composer.prompt.text == "half a thought"


# -- pastes


async def test_a_folded_paste_is_unfolded_folded_deleted_and_sent_whole(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT) as seat:
        # A folded paste is unfolded and folded by a key.
        prompt = seat.app.composer.prompt
        await seat.type("Sum up ")
        prompt.post_message(Paste(PASTE))
        await seat.sees("Sum up ⟦paste 1: 60 lines⟧")
        await seat.pilot.press("alt+v")
        await seat.sees("row 54", "row 59")
        assert prompt.text == f"Sum up {PASTE}"
        await seat.pilot.press("alt+v")
        await seat.sees("Sum up ⟦paste 1: 60 lines⟧")
        assert prompt.unfolded == f"Sum up {PASTE}"

        # A folded paste is deleted whole and comes back whole.
        await seat.begin_anew()
        prompt = seat.app.composer.prompt
        prompt.post_message(Paste(PASTE))
        await seat.sees("⟦paste 1")
        await seat.pilot.press("left", "x")
        assert prompt.text == "⟦paste 1: 60 lines⟧x"
        await seat.pilot.press("backspace", "backspace")
        assert prompt.text == ""
        await seat.pilot.press("ctrl+z")
        assert prompt.unfolded.startswith(PASTE)

        # A command takes a long paste whole.
        await seat.begin_anew()
        await seat.type("/system ")
        seat.app.composer.prompt._put(PASTE)
        await seat.sees("/system ⟦paste 1: 60 lines⟧")
        await seat.pilot.press("enter")
        await seat.sees("system text set for the next turns")
        assert seat.app.options.system.strip() == PASTE.strip()


async def test_what_is_typed_after_a_paste_was_turned_goes_where_it_would_have_gone_before(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT) as seat:
        prompt = seat.app.composer.prompt
        for number, (at, then, times) in enumerate(
            (*one, times)
            for one in (
                ("end", "Sum up {}, now!"),
                ("behind", "Sum up {}!, now"),
                ("before", "Sum up !{}, now"),
                ("home", "!Sum up {}, now"),
            )
            for times in (1, 2)
        ):
            prompt.clear()
            await seat.type("Sum up ")
            prompt._put(PASTE)
            token = prompt.text.removeprefix("Sum up ")
            assert token.endswith(": 60 lines⟧"), number
            await seat.type(", now")
            columns = {"home": 0, "before": 7, "behind": 7 + len(token), "end": 12 + len(token)}
            prompt.move_cursor((0, columns[at]))
            await seat.pilot.press(*["alt+v"] * times, "!")
            assert prompt.text == then.format(PASTE if times == 1 else token)


async def test_of_several_pastes_the_one_at_the_cursor_is_unfolded_and_folded_again(tmp_path: Path) -> None:
    first, second = "⟦paste 1: 60 lines⟧", "⟦paste 2: 50 lines⟧"
    other = "\n".join(f"column {number}" for number in range(50))
    async with console(tmp_path, script=SCRIPT) as seat:
        prompt = seat.app.composer.prompt
        for said, paste in (("Compare ", PASTE), (" with ", other)):
            await seat.type(said)
            prompt._put(paste)
        await seat.type("\nand be short")
        folded = f"Compare {first} with {second}\nand be short"
        await seat.until(lambda: prompt.text == folded, "both folded")
        await seat.pilot.press("alt+v")
        await seat.sees("the cursor is at none of the long pastes")
        assert prompt.text == folded
        for at, unfolded in (
            (folded.index(second), folded.replace(second, other)),
            (10, folded.replace(first, PASTE)),
            (2, folded.replace(first, PASTE)),
            (len(f"Compare {first} with"), folded.replace(second, other)),
        ):
            prompt.move_cursor((0, at))
            await seat.pilot.press("alt+v")
            await seat.until(lambda now=unfolded: prompt.text == now, "one unfolded")  # type: ignore[misc]
            await seat.pilot.press("alt+v")
            await seat.until(lambda: prompt.text == folded, "the same one folded again")
        prompt.move_cursor((0, folded.index(first)))
        await seat.pilot.press("alt+v", "down", "down", "alt+v")
        await seat.until(lambda: prompt.text == folded, "folded from within")


def test_a_paste_that_holds_a_token_stays_what_it_is() -> None:
    pastes = folds.Folds()
    first = pastes.fold("⟦paste 2: 41 lines⟧\n" * 50)
    second = pastes.fold("x\n" * 41)
    assert second == "⟦paste 2: 41 lines⟧"
    assert pastes.unfold(f"{first}{second}") == "⟦paste 2: 41 lines⟧\n" * 50 + "x\n" * 41
    assert pastes.fold("x\n" * 41) == second


# -- the decision before sending


async def test_a_key_opens_the_whole_decision_before_sending(tmp_path: Path, thorough: bool) -> None:
    sizes, ways_back = ((160, 48), (100, 30), (80, 24)), ("alt+h", "f6", "escape")
    async with console(tmp_path, script=SCRIPT) as seat:
        prompt = seat.app.composer.prompt
        await seat.type("Prove that there are infinitely many primes")
        for size, back in product(sizes, ways_back) if thorough else zip(sizes, ways_back, strict=True):
            await seat.pilot.resize_terminal(*size)
            await seat.sees("→ ", "difficulty")
            before = seat.app.visible_panes
            await seat.pilot.press("alt+h")
            await seat.until(lambda: seat.app.visible_panes == ("decision",), "the decision alone")
            await seat.sees("Decision", "Prove that there are")
            assert seat.app.decision.has_focus
            await seat.pilot.press("end")
            await seat.sees("Other strategies")
            await seat.pilot.press(back)
            await seat.until(
                lambda before=before: seat.app.visible_panes == before and prompt.has_focus,  # type: ignore[misc]
                f"all as before {back}",
            )
            assert prompt.text == "Prove that there are infinitely many primes"


# -- the editor


def an_editor(tmp_path: Path, name: str, script: str) -> Path:
    path = tmp_path / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


async def test_an_editor_with_a_window_leaves_the_console_usable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = an_editor(tmp_path, "code", 'test "$1" = --wait || exit 9\nprintf "longer than before" > "$2"')
    monkeypatch.setenv("VISUAL", str(command))
    async with console(tmp_path, script=SCRIPT) as seat:
        await seat.type("short")
        await seat.pilot.press("ctrl+e")
        await seat.until(lambda: seat.app.composer.prompt.text == "longer than before")
        await seat.until(lambda: not seat.app.composer.prompt.read_only)
        await seat.pilot.press("ctrl+z")
        assert seat.app.composer.prompt.text == "short"


async def test_what_an_editor_does_wrong_and_that_there_is_none_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EDITOR", raising=False)
    async with console(tmp_path, script=SCRIPT) as seat:
        # What an editor does wrong is said.
        prompt = seat.app.composer.prompt
        await seat.type("short")
        for script, said in (
            ("exit 3", "code ended with code 3; the prompt is as it was"),
            ("exit 0", "nothing was saved in code; the prompt is as it was"),
            ('rm "$2"', "what code saved cannot be read"),
            ('printf "" > "$2"', "The file was emptied, and so is the prompt"),
        ):
            monkeypatch.setenv("VISUAL", str(an_editor(tmp_path, "code", script)))
            await seat.pilot.press("ctrl+e")
            await seat.sees(said)
            await seat.until(lambda: not prompt.read_only)
            if "emptied" in said:
                await seat.pilot.press("ctrl+z")
            await seat.until(lambda: prompt.text == "short")

        # An editor that is not there is said.
        await seat.begin_anew()
        prompt = seat.app.composer.prompt
        await seat.type("short")
        for visual, path, said in (
            ("'unbalanced", "/usr/bin:/bin", "EDITOR is no command (No closing quotation)"),
            ("", "", "no editor is named and none was found; set EDITOR to one, such as nano"),
            ("/no/such/editor", "/usr/bin:/bin", "this terminal cannot be handed to an editor"),
        ):
            monkeypatch.setenv("VISUAL", visual)
            monkeypatch.setenv("PATH", path)
            await seat.pilot.press("ctrl+e")
            await seat.sees(said)
            await seat.until(lambda: not prompt.read_only)
            assert prompt.text == "short"


async def test_an_editor_in_the_terminal_gives_back_what_was_written_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "sed -i s/short/longer/")
    async with console(tmp_path, script=SCRIPT) as seat:
        monkeypatch.setattr(seat.app, "suspend", contextlib.nullcontext)
        await seat.type("a short thought")
        await seat.pilot.press("ctrl+e")
        await seat.until(lambda: seat.written == "a longer thought")


async def test_a_picture_goes_along_to_a_model_that_sees(tmp_path: Path) -> None:
    (tmp_path / "plan.png").write_bytes(png(64, 48))
    async with console(tmp_path, size=(160, 90), script=SCRIPT) as seat:
        await seat.send("What is on @plan.png ?")
        await seat.ended()
        await seat.sees("⊕ plan.png", "It is blue.", "needs vision")
        await seat.sees("✗ pebble-3b")


REFUSED = (
    ("/strategy best", "no strategy is called 'best'; there are cheapest"),
    ("/model gpt-0", "no model is called 'gpt-0'"),
    ("/cost much", "'much' is not an amount in US dollars"),
    ("/cost", "/cost USD|none: the most one request may cost"),
    ("/cap week 25", "say request, session, day or month"),
    ("/cap day much", "budgets.daily_usd"),
    ("/persona nobody", "there is no persona 'nobody'"),
    ("/theme mud", "no theme is called 'mud'; there are contrast"),
    ("/copy all", "/copy takes nothing, code or file, not 'all'"),
    ("/again gpt-0", "no model is called 'gpt-0'"),
    ("/continue gpt-0", "no model is called 'gpt-0'"),
    ("/tag work, " + "w" * 60, "is longer than"),
    ("/reports all", "/reports takes costs, performance, advice, not 'all'"),
    ("/whatif best", "/whatif takes a strategy, cheapest"),
    ("/recipe nothing", "no recipe is called nothing; there are compare"),
)


async def test_a_command_sent_while_an_answer_runs_stays(tmp_path: Path) -> None:
    script = Script().always(Say(text="It is blue, " * 50, gap_s=600))
    async with console(tmp_path, script=script) as seat:
        await seat.send("What colour is the sky?")
        await seat.until(lambda: seat.app.running)
        await seat.send("/again lumen-dash")
        await seat.sees("an answer is still running")
        assert seat.written == "/again lumen-dash"


async def test_a_command_that_is_refused_stays_to_be_mended_and_comes_not_back(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT) as seat:
        # A command that was refused does not come back for what is done next.
        await seat.send("/cost much")
        await seat.sees("'much' is not an amount")
        seat.app.composer.prompt.text = ""
        await seat.pilot.press("alt+r")
        await seat.sees("Nothing was asked yet")
        assert seat.app.composer.prompt.text == ""

        # A command with a value that will not do stays to be mended.
        await seat.begin_anew()
        await seat.send("What colour is the sky?")
        await seat.ended()
        for command, said in REFUSED:
            await seat.send(command)
            await seat.sees(said)
            assert seat.written == command
            await seat.pilot.press("backspace")
            await seat.sees_no(said)
            assert seat.written == command[:-1]
            seat.app.composer.prompt.text = ""


async def test_a_file_that_cannot_go_along_is_told_before_those_that_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in range(4):
        (tmp_path / f"good{place}.txt").write_text("words")
    (tmp_path / "b.bin").write_bytes(b"\xff\x00\xfe")
    monkeypatch.chdir(tmp_path)
    async with console(tmp_path, size=(80, 24)) as seat:
        await seat.type("See @good0.txt @good1.txt @good2.txt @good3.txt and @b.bin @nope.txt ")
        await seat.sees("✗ b.bin is neither text nor", "no file nope.txt", "✓ good0.txt", "… and 3 more")


async def test_a_directory_above_is_offered_and_cannot_go_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "plan.txt").write_text("the plan's own words")
    monkeypatch.chdir(tmp_path / "here")
    async with console(tmp_path, script=SCRIPT, size=(80, 24)) as seat:
        prompt = seat.app.composer.prompt
        await seat.type("See @..")
        await seat.until(lambda: "▸ ../" in below_prompt(seat))
        await seat.pilot.press("tab")
        await seat.until(lambda: "▸ ../here/" in below_prompt(seat))
        prompt.clear()
        await seat.send("What is in @.. ?")
        await seat.sees("✗ .. is a directory; name a file in it")
        assert prompt.text == "What is in @.. ?", "nothing was sent"


async def test_what_is_called_a_picture_and_is_none_does_not_go_along(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT, size=(80, 24)) as seat:
        for name, data, why in (
            ("fake.png", b"<html>404</html>", "is text under an image's name; name it .txt to send it as text"),
            ("other.png", b"\x00\x01\xff", "is neither text nor a PNG"),
        ):
            (tmp_path / name).write_bytes(data)
            seat.app.composer.prompt.text = ""
            await seat.type(f"What is on @{name} ?")
            await seat.sees(f"✗ {name} {why}")
            await seat.pilot.press("enter")
            await seat.sees(f"✗ {name} {why}")
            assert seat.app.composer.prompt.text == f"What is on @{name} ?", "nothing was sent"
