"""The palette, the jump, and keys of one's own."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from textual.binding import Binding
from textual.widgets import Input, OptionList

from tests.ui.conftest import Console, console
from tui_orchestrator.demo import Break, Phase, Say, Script
from tui_orchestrator.settings import Persona, UiSettings
from tui_orchestrator.ui.commands import ACTIONS, UNBOUND, Scope, bindings, keymap
from tui_orchestrator.ui.palette import commands
from tui_orchestrator.ui.row_table import RowTable

SCRIPT = Script().always(Say(text="It is blue."))


def marked(seat: Console) -> str:
    """What stands in the row that Enter would take."""
    ground = seat.app.theme_variables["marked"].lower()
    strips = seat.app.screen._compositor.render_strips()
    cells = (one for strip in strips for one in strip if one.style is not None and one.style.bgcolor is not None)
    return "".join(one.text for one in cells if one.style.bgcolor.name == ground)


@pytest.mark.cells(1, 2)
@pytest.mark.parametrize("size", [(100, 30), (80, 24), (40, 10)])
async def test_the_help_and_the_palette_are_in_the_line_of_keys_of_every_pane(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with console(tmp_path, script=SCRIPT, size=size) as seat:
        await seat.sees("⏎ Send", "F1 Help", "^P Palette")
        for key, own in (("f2", ""), ("f3", "All decisions"), ("f4", "Period"), ("f5", "Card")):
            await seat.pilot.press(key)
            await seat.sees("F1 Help", "^P Palette", own if size[0] >= 80 else "")
        await seat.click("^P Palette")
        await seat.sees("type to narrow the list")


async def test_the_palette_offers_to_copy_code_and_marks_what_is_typed_whole(tmp_path: Path, thorough: bool) -> None:
    async with console(tmp_path, script=Script().always(Say(text="So:\n\n```python\nprint(1)\n```\n"))) as seat:
        # The palette offers to copy code where there is some.
        await seat.send("How is a number printed?")
        await seat.ended()
        await seat.pilot.press("ctrl+p")
        await seat.write("code")
        await seat.sees("answer: copy a code block")

        # Typing the whole name of what the palette offers marks it.
        await seat.begin_anew()
        await seat.send("What colour is the sky?")
        await seat.ended()
        await seat.pilot.press("ctrl+p")
        await seat.sees("type to narrow the list")
        offered = list(commands(seat.app))
        assert len(offered) > 40
        for choice in offered if thorough else offered[::3]:
            for name in choice.names:
                seat.app.screen.query_one(Input).value = name
                shown = choice.columns[1][0].strip()
                await seat.until(lambda shown=shown: shown in marked(seat), f"{shown!r} marked by {name!r}")


async def palette(seat: Console, *wanted: str) -> None:
    """What it offers for `session`, all in all."""
    await seat.pilot.press("ctrl+p")
    await seat.write("session:")

    def offered() -> set[str]:
        return set(re.findall(r"session: (\S.*?)  ", seat.screen))

    await seat.until(lambda: offered() == set(wanted), f"{wanted}")
    await seat.pilot.press("escape")
    await seat.sees_no("session: ")


ALWAYS = (
    "new",
    "find an earlier one",
    "temporary chat, of which nothing is kept",
    "import one from a file",
)
KEPT = ("rename this one", "tag this one", "pin this one, or not any more", "export this one to a file")
AT_REST = ("fork this one, whole or up to a prompt", "delete this one")


async def test_the_palette_offers_of_sessions_only_what_can_be_done_with_this_one(tmp_path: Path) -> None:
    script = Script().then(Say(text="It is blue.")).always(Break("silence", Phase.MID_STREAM))
    async with console(tmp_path, script=script) as seat:
        await palette(seat, *ALWAYS)
        await seat.pilot.press("alt+t")
        await seat.sees("temporary chat")
        await palette(seat, *ALWAYS)
        await seat.pilot.press("ctrl+n")
        await seat.send("What colour is the sky?")
        await seat.ended()
        await palette(seat, *ALWAYS, *KEPT, *AT_REST)
        assert "^N New" in seat.screen
        await seat.send("And the sea?")
        await seat.until(lambda: seat.app.running, "a running turn")
        await palette(seat, *ALWAYS, *KEPT)
        assert "^N New" in seat.screen
        await seat.pilot.press("alt+x")
        await seat.sees("an answer is still running")
        assert "^B Elsewhere" not in seat.screen
        await seat.pilot.press("ctrl+n")
        await seat.sees("^B Elsewhere")
        await palette(seat, *ALWAYS, "go where another answer runs, or has come")
        await seat.pilot.press("ctrl+b", "escape")
        await seat.ended()
        await seat.pilot.press("alt+x")
        await seat.sees("is deleted")
        await palette(seat, *ALWAYS, "bring back the one deleted last")


async def finds(seat: Console, typed: str, shown: bool = True) -> None:
    """Whether the palette offers it."""
    await seat.pilot.press("ctrl+p")
    await seat.write(typed)
    if shown:
        await seat.until(lambda: typed in marked(seat), f"{typed} marked")
    else:
        await seat.sees("Nothing that can be done now is called that.")
    await seat.pilot.press("escape")
    await seat.sees_no("╭─ Commands")


async def test_a_zoom_is_offered_where_there_is_something_to_take_the_room_of(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT, size=(80, 24)) as seat:
        await finds(seat, "zoom the pane", False)
        await seat.pilot.press("f6")
        await seat.sees("This pane has the room already.")
        await seat.pilot.press("f4")
        await seat.sees("Period", "^P Palette")
        assert "F6 Zoom" not in seat.screen
    async with console(tmp_path, script=SCRIPT, size=(160, 48)) as seat:
        await finds(seat, "zoom the pane")
        await seat.pilot.press("f3")
        await seat.sees("F6 Zoom")
        await seat.pilot.press("f6")
        await seat.sees_no("╭─ Costs")
        await seat.sees("F6 Zoom")
        await finds(seat, "zoom the pane")


async def test_the_palette_offers_the_decisions_there_are_beside_the_one_on_the_card(tmp_path: Path) -> None:
    before, after = "the one before", "the one after"
    async with console(tmp_path, script=SCRIPT) as seat:
        await finds(seat, before, False)
        await seat.send("What colour is the grass?")
        await seat.ended()
        await seat.sees("1 of 1")
        await finds(seat, before, False)
        await finds(seat, after, False)
        await seat.send("What colour is the sky?")
        await seat.ended()
        await seat.sees("2 of 2")
        await finds(seat, before)
        await finds(seat, after, False)
        await seat.pilot.press("f3", "left")
        await seat.sees("1 of 2")
        await finds(seat, before, False)
        await finds(seat, after)


async def test_the_strategy_that_holds_is_called_current_also_while_one_types(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT, size=(80, 24)) as seat:
        await seat.send("/strategy quality")
        await seat.pilot.press("ctrl+s")
        await seat.line("▸ quality", "current")
        await seat.pilot.press(*"cheaper")
        await seat.sees_no("▸")
        await seat.line("quality ", "current")
        assert seat.screen.count("current") == 1


async def test_the_palette_shows_the_keys_as_the_user_bound_them(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT, ui=UiSettings(keymap={"strategy.pick": "f7"})) as seat:
        await seat.pilot.press("ctrl+p")
        await seat.write("choose")
        await seat.sees("strategy: choose", "F7")


async def test_the_palette_says_what_can_be_done_how_it_is_called_and_by_which_key(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT) as seat:
        # A letter jumps to its pane.
        await seat.pilot.press("ctrl+o")
        await seat.sees("p prompt", "c chat", "d decision", "o costs")
        await seat.pilot.press("d")
        await seat.sees_no("p prompt")
        assert seat.app.decision.has_focus
        await seat.pilot.press("ctrl+o", "p")
        await seat.until(lambda: seat.app.composer.prompt.has_focus, "the focus in the prompt")
        assert seat.app.composer.prompt.text == ""

        # Any other key jumps nowhere.
        await seat.begin_anew()
        await seat.pilot.press("ctrl+o")
        await seat.sees("c chat")
        await seat.pilot.press("escape")
        await seat.sees_no("c chat")
        assert seat.app.composer.prompt.has_focus

        # Keys of what cannot be done say what is missing.
        await seat.begin_anew()
        for key, said in (
            ("alt+j", "there is nothing to export yet"),
            ("alt+l", "there is nothing to rename yet"),
            ("alt+p", "no persona is configured"),
            ("alt+z", "Nothing deleted since the program began"),
        ):
            await seat.pilot.press(key)
            await seat.sees(said)

        # A setting and a model are found by their whole names.
        await seat.begin_anew()
        await seat.pilot.press("ctrl+t")
        await seat.sees("Pin a model")
        for name in ("demo-openai/rush-pro", "rush-mini", "tern-lite"):
            seat.app.screen.query_one(Input).value = name
            await seat.until(lambda name=name: name in marked(seat), f"{name} marked")
        await seat.pilot.press("escape", "f12")
        await seat.sees("Settings")
        for name in ("theme", "ui.theme", "strategy", "enabled"):
            seat.app.screen.query_one(Input).value = name
            await seat.until(lambda name=name: marked(seat).split()[:1] == [name.rpartition(".")[2]], f"{name} marked")

        # The palette offers only what can be done now.
        await seat.begin_anew()
        await seat.pilot.press("ctrl+p")
        await seat.write("answer:")
        await seat.sees("Nothing that can be done now is called that.")
        await seat.pilot.press("escape")
        await seat.send("What colour is the sky?")
        await seat.ended()
        await seat.pilot.press("ctrl+p")
        await seat.write("answer")
        await seat.sees("answer: copy", "answer: ask again")
        assert "take the vote back" not in seat.screen
        assert "copy a code block" not in seat.screen
        await seat.pilot.press("escape", "alt+n")
        await seat.sees("There is no vote on that answer.")
        await seat.pilot.press("alt+u")
        await seat.sees("▲ good. 1 for, 0 against")
        await seat.pilot.press("ctrl+p")
        await seat.write("vote back")
        await seat.sees("answer: take the vote back")
        await seat.pilot.press("escape", "ctrl+p")
        await seat.write("ensemble:")
        await seat.sees("Nothing that can be done now is called that.")

        # A strategy is chosen by its name though another is described by it.
        await seat.begin_anew()
        for typed in ("strategy: quality", "fallback", "Quality"):
            await seat.pilot.press("ctrl+p")
            await seat.type_into_list(typed)
            await seat.line("today", typed.removeprefix("strategy: ").lower())

        # The palette calls the strategy that holds current.
        await seat.begin_anew()
        await seat.send("/strategy quality")
        await seat.pilot.press("ctrl+p")
        await seat.write("strategy: quality")
        # Still there: what it is called marks nothing else.
        await seat.until(lambda: "quality · current · the likeliest" in marked(seat), "it marked")
        assert seat.screen.count("current") == 1

        # The palette finds every strategy and says where a key works as the screen does.
        await seat.begin_anew()
        await seat.pilot.press("ctrl+p")
        await seat.write("compare models")
        await seat.sees("strategy: ensemble · to ask and compare several models")
        await seat.pilot.press("escape", "ctrl+p")
        await seat.write("add a provider")
        await seat.sees("a in Models")
        await seat.pilot.press("escape", "ctrl+p")
        await seat.write("strategy: ensemble")
        await seat.sees("to ask and compare several models: several")
        await seat.pilot.press("enter")
        await seat.until(lambda: seat.app.options.strategy == "ensemble")


@pytest.mark.parametrize(
    ("wanted", "complaints"),
    [
        ({"pane.zoom": "ctrl+s"}, ["[ui.keymap] gives ctrl+s to pane.zoom and strategy.pick"]),
        ({"pane.zoom": "f11", "theme.pick": "f11"}, ["[ui.keymap] gives f11 to pane.zoom and theme.pick"]),
        ({"pane.zoom": "ctrl+e"}, ["[ui.keymap] gives ctrl+e to prompt.editor, pane.zoom and chat.edit"]),
        ({"pane.zoom": "ctrl+s", "strategy.pick": "f6"}, []),
        ({"registry.sort": "o"}, []),
        ({"prompt.newline": "x"}, []),
        ({"model.pick": "x"}, ["gives x to model.pick, experiments.open and sessions.temporary; give"]),
        ({"batch.new": "ctrl+t"}, ["gives ctrl+t to model.pick and batch.new; give"]),
        ({"models.refresh": "f11", "settings.reload": "f11"}, ["gives f11 to models.refresh and settings.reload"]),
        ({"app.help": "escape"}, ["gives escape to app.help, but a dialog is closed by it; give it another key"]),
        ({"sessions.rename": "r, escape"}, ["gives escape to sessions.rename, but"]),
        ({"theme.pick": "enter"}, ["gives enter to theme.pick, but a prompt is sent"]),
        ({"answer.copy": "ctrl+c"}, ["gives ctrl+c to answer.copy, but app.interrupt has it, which ends the program"]),
        ({"session.new": "ctrl+q"}, ["gives ctrl+q to session.new, but app.quit has it"]),
        ({"session.new": "ctrl+q", "app.quit": "f11"}, []),
        ({"pane.zom": "f12"}, ["unknown action 'pane.zom'; did you mean pane.zoom?"]),
    ],
)
def test_a_key_of_two_actions_is_told(wanted: dict[str, str], complaints: list[str]) -> None:
    told = keymap(wanted)[1]
    assert len(told) == len(complaints)
    assert all(complaint in one for one, complaint in zip(told, complaints, strict=True))


@pytest.mark.parametrize(
    ("wanted", "told", "bound"),
    [
        ({"pane.zoom": "f1"}, "pane.zoom has it, and app.help not", {"app.help": UNBOUND}),
        ({"theme.pick": "f11", "pane.zoom": "f11"}, "theme.pick has it, and pane.zoom not", {"pane.zoom": UNBOUND}),
        ({"chat.fold": "ctrl+s"}, "strategy.pick has it, but chat.fold in the chat", {}),
        (
            {"pane.zoom": "ctrl+e"},
            "pane.zoom has it, but chat.edit in the chat, and prompt.editor not",
            {"prompt.editor": UNBOUND},
        ),
        ({"find.close": "enter"}, "find.close in the search line has it, and find.next not", {"find.next": "down"}),
    ],
)
def test_a_conflict_says_which_action_has_the_key_until_it_is_resolved(
    wanted: dict[str, str], told: str, bound: dict[str, str]
) -> None:
    keys, (complaint,) = keymap(wanted)
    assert complaint.endswith(f"; give one of them another key. Until then {told}")
    assert keys == {**wanted, **bound}


async def test_no_key_of_ones_own_keeps_a_dialog_open(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT, ui=UiSettings(keymap={"app.help": "escape"})) as seat:
        await seat.sees("gives escape to app.help, but a dialog is closed by it; give it another key")
        for key, title in (("ctrl+s", "Strategy"), ("ctrl+p", "Commands"), ("f1", "Help")):
            await seat.pilot.press(key)
            await seat.sees(f"╭─ {title}")
            await seat.pilot.press("escape")
            await seat.sees_no(f"╭─ {title}")


async def test_whoever_has_a_key_of_two_actions_is_what_it_does_and_what_is_said_of_it(tmp_path: Path) -> None:
    wanted = {"strategy.pick": "f1", "pane.zoom": "ctrl+e", "theme.pick": "f11", "pane.costs": "f11"}
    async with console(tmp_path, script=SCRIPT, ui=UiSettings(keymap=wanted)) as seat:
        await seat.sees("strategy.pick has it, and app.help not", "Ctrl+P help", "Ctrl+P says what keys do")
        assert "F1 help" not in seat.screen
        await seat.pilot.press("f1")
        await seat.sees("╭─ Strategy")
        await seat.pilot.press("f1")
        await seat.sees("╭─ Strategy")
        await seat.pilot.press("escape", "f11")
        await seat.sees("╭─ Theme")
        await seat.pilot.press("escape", "ctrl+e")
        await seat.sees_no("─ Decision ─")
        await seat.pilot.press("ctrl+e")
        await seat.send("/help")
        await seat.sees("no key           help: what the keys do here", "F1               strategy: choose")
        await seat.sees("no key           prompt: write it in $EDITOR", "Ctrl+E           view: zoom the pane")
        await seat.pilot.press("escape", "f3")
        await seat.sees("^P Palette")
        assert "unbound" not in seat.screen.lower()


def test_no_two_actions_come_with_the_same_key() -> None:
    assert keymap({action.id: action.key for action in ACTIONS})[1] == []


async def test_with_reduced_motion_nothing_slides_or_blinks(tmp_path: Path) -> None:
    async with console(tmp_path, ui=UiSettings(motion="reduced")) as seat:
        assert seat.app.animation_level == "none"
        assert not seat.app.composer.prompt.cursor_blink
    async with console(tmp_path) as seat:
        assert seat.app.composer.prompt.cursor_blink


def test_every_action_can_be_given_another_key() -> None:
    bound = [one.id for scope in get_args(Scope) for one in bindings(scope) if isinstance(one, Binding)]
    assert {action.id for action in ACTIONS} == set(bound)


async def test_keys_of_ones_own_work_in_every_pane_and_dialog(tmp_path: Path) -> None:
    wanted = {
        "strategy.pick": "ctrl+y", "prompt.newline": "ctrl+b", "chat.menu": "o", "find.close": "f11",
        "decision.history": "h", "costs.dimension": "n", "registry.sort": "o", "sessions.rename": "v",
        "settings.back": "f11", "reports.by": "v",
    }  # fmt: skip
    async with console(tmp_path, script=SCRIPT, ui=UiSettings(keymap=wanted)) as seat:
        await seat.pilot.press("a", "ctrl+b", "b")
        await seat.until(lambda: seat.written == "a\nb", "two lines")
        await seat.pilot.press("enter")
        await seat.ended()
        for keys, seen, back in (
            (("ctrl+y",), "╭─ Strategy", "escape"),
            (("f2", "o"), "This answer", "escape"),
            (("ctrl+f", *"blue"), "1 of 1", "f11"),
            (("f3", "h"), "╭─ Decisions", "escape"),
            (("f4", "n"), "By provider ─", "escape"),
            (("f5", "o"), "level ▴", "escape"),
            (("ctrl+l", "down", "v"), "╭─ Rename", "escape"),
            (("f12",), "[router]", "f11"),
            (("f10", "v"), "A row for each", "escape"),
        ):
            await seat.pilot.press(*keys)
            await seat.sees(seen)
            await seat.pilot.press(back)
            await seat.pilot.press("escape", "escape")
            await seat.until(lambda: len(seat.app.screen_stack) == 1, f"the console after {keys}")


async def test_dialogs_name_their_keys_as_the_user_bound_them_and_a_click_there_presses_them(tmp_path: Path) -> None:
    keys = {"experiments.new": "f11", "sessions.open": "ctrl+y", "find.close": "f12"}
    async with console(tmp_path, script=SCRIPT, ui=UiSettings(keymap=keys)) as seat:
        await seat.send("/experiment")
        await seat.sees("No experiment yet. F11 starts one", "F11 starts one · Esc closes")
        await seat.click("F11 starts one · ")
        await seat.sees("Start an experiment")
        await seat.pilot.press("escape", "escape")
        await seat.send("What is a fold?")
        await seat.ended()
        await seat.pilot.press("ctrl+f", "f")
        await seat.sees("F12 closes")
        await seat.click("F12 closes")
        await seat.sees_no("F12 closes")
        await seat.pilot.press("ctrl+l")
        await seat.sees("Ctrl+Y opens")


OWN = {
    "prompt.send": "ctrl+y", "prompt.newline": "ctrl+w", "prompt.search": "alt+0", "turn.cancel": "ctrl+b",
    "app.help": "alt+2", "session.open": "alt+1", "session.new": "alt+4", "strategy.pick": "f11",
    "model.pick": "alt+9", "pane.registry": "alt+3", "settings.open": "alt+8", "sessions.undelete": "w",
    "chat.menu": "o", "answer.again": "alt+5",
}  # fmt: skip
SHIPPED = re.compile(
    r"⏎ (Send|Menu)|Enter sends|Esc (cancels a|takes it back|leaves all as it is$)|Alt\+R\b|[Uu] in the list"
    r"|(Ctrl\+|\^)([LNTJ]|S(?! +Up))\b|Ctrl\+R (and|moves|searches|Down)|or Ctrl\+R|\bF(1|5|12)\b"
)
"""What keys that were bound otherwise are called as they come."""


async def test_every_sentence_names_the_keys_as_the_user_bound_them(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT, ui=UiSettings(keymap=OWN)) as seat:
        found: list[str] = []

        async def read(*texts: str) -> None:
            await seat.sees(*texts)
            found.extend(line for line in seat.screen.splitlines() if SHIPPED.search(line))

        async def with_help(*texts: str) -> None:
            depth = len(seat.app.screen_stack)
            await read(*texts)
            await seat.pilot.press("alt+2")
            await read("╭─ Help", "Keys here")
            await seat.pilot.press("alt+2")
            await seat.until(lambda: len(seat.app.screen_stack) == depth, "the end of the help by its own key")

        await with_help("Ctrl+Y sends", "F11 chooses how models are picked, Alt+9 pins one, Alt+3 shows", "Alt+8")
        for pane in ("f2", "f3", "f4", "alt+3"):
            await seat.pilot.press(pane)
            await with_help("alt+2 Help")
        await seat.pilot.press("ctrl+b")
        await seat.type("What is a fold?")
        await seat.pilot.press("ctrl+y")
        await seat.ended()
        await seat.pilot.press("alt+0")
        await with_help("╭─ Earlier prompts")
        await seat.pilot.press("alt+0", "escape")
        for command, title in (
            ("/recipe compare", "Ctrl+W between them"),
            ("/batch", "╭─ Ask many prompts"),
            ("/sessions", "╭─ Sessions"),
            ("/settings", "[router]"),
        ):
            await seat.type(command)
            await seat.pilot.press("ctrl+y")
            await with_help(title)
            await seat.pilot.press("escape")
            await seat.until(lambda: len(seat.app.screen_stack) == 1, f"the console after {command}")
        await seat.pilot.press("alt+1")
        await seat.sees("╭─ Sessions")
        await seat.pilot.press("alt+1")
        await seat.sees_no("╭─ Sessions")
        await seat.type("/delete")
        await seat.pilot.press("ctrl+y")
        await read("is deleted; w in the list, or", "brings it back")
        await seat.pilot.press("alt+5")
        await read("Nothing was asked yet")
        assert found == []


@pytest.mark.cells(0, 2)
@pytest.mark.parametrize("size", [(160, 48), (80, 24), (40, 12)])
async def test_the_keys_of_a_list_move_in_it_while_it_is_narrowed(size: tuple[int, int], tmp_path: Path) -> None:
    async with console(tmp_path, size=size) as seat:
        await seat.pilot.press("ctrl+p")
        await seat.sees("╭─ Commands")
        choices = seat.app.screen.query_one("#choices", OptionList)
        last = choices.option_count - 1
        for key, place in (("end", last), ("home", 0)):
            await seat.pilot.press(key)
            assert choices.highlighted == place
            await seat.sees("strategy: pick an ens" if key == "end" else "prompt: show the whole")
        await seat.pilot.press("pagedown")
        below = choices.highlighted
        assert below
        assert choices.scroll_offset.y + choices.size.height > below >= choices.size.height - 2
        await seat.pilot.press("pageup")
        assert choices.highlighted == 0


async def test_home_and_end_go_to_the_first_and_the_last_of_what_is_searched(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT, size=(80, 24)) as seat:
        for prompt in ("What is a fold?", "What is a ring?"):
            await seat.send(prompt)
            await seat.ended()
        for opens in ("f12", "ctrl+r", "/decisions"):
            await (seat.send(opens) if opens.startswith("/") else seat.pilot.press(opens))
            await seat.until(lambda: len(seat.app.screen_stack) == 2, "the dialog")
            rows = seat.app.screen.query_one(OptionList)
            await seat.until(lambda rows=rows: rows.option_count > 1, "rows")
            first = rows.highlighted
            await seat.pilot.press("end")
            assert rows.highlighted == rows.option_count - 1
            await seat.pilot.press("home")
            assert rows.highlighted == first
            await seat.pilot.press("escape")
            await seat.until(lambda: len(seat.app.screen_stack) == 1, "no dialog")


async def test_home_and_end_go_to_the_first_and_the_last_row_of_a_table(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT, size=(80, 16)) as seat:
        for model in ("rush-pro", "tern-lite"):
            await seat.send(f"/model {model}")
            await seat.send("What is a fold?")
            await seat.ended()
        for what, opens in (("models", ("f5",)), ("reports", ("f10", "2"))):
            await seat.pilot.press(*opens)
            depth = 1 if what == "models" else 2
            there = lambda depth=depth: len(seat.app.screen_stack) == depth and isinstance(seat.app.focused, RowTable)  # noqa: E731
            await seat.until(there, f"the table of {what}")
            table = seat.app.focused
            assert isinstance(table, RowTable)
            await seat.until(lambda table=table: table.row_count > 1, "rows")
            for key, row in (("end", table.row_count - 1), ("home", 0), ("pagedown", None), ("pageup", 0)):
                await seat.pilot.press(key)
                assert table.cursor_row == row or (row is None and table.cursor_row > 0)


async def test_what_holds_now_is_not_marked_among_what_is_looked_for(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        await seat.pilot.press("f9")
        await seat.sees("▸ dusk")
        await seat.pilot.press("a")
        await seat.sees("paper", "dusk")
        await seat.sees_no("▸ dusk")
        await seat.pilot.press("backspace")
        await seat.sees("▸ dusk")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("blind", "strategy: pick an ensemble's best before names are shown"),
        ("persona", "settings: add a persona"),
        ("persona", "session: choose a persona"),
    ],
)
async def test_what_a_command_is_called_finds_it_in_the_palette(tmp_path: Path, typed: str, shown: str) -> None:
    opened = {"strategy": "verdict vote", "settings": "+ add personas.NAME", "session": "as configured"}
    async with console(tmp_path) as seat:
        if shown.startswith("session"):
            personas = {"poet": Persona("poet", "In verse.")}
            seat.app.settings = replace(seat.app.settings, personas=personas)
        await seat.pilot.press("ctrl+p")
        await seat.sees("╭─ Commands")
        await seat.pilot.press(*typed)
        await seat.sees(shown)
        await seat.pilot.press("enter")
        await seat.sees(opened[shown.partition(":")[0]])
