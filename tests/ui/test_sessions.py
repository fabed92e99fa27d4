"""Sessions in the console: found, named, tagged, forked, deleted and brought back, exported and imported."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.widgets import OptionList, TextArea

from tests.ui.conftest import Console, console
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.routing.clock import SystemClock
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.request import Message, Strategy
from tui_orchestrator.services.exporting import file_name
from tui_orchestrator.settings import Persona
from tui_orchestrator.storage.conversations import Conversations, Session
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.sessions import insert

TREES = ("How do binary trees stay balanced?", "By rotations: an AVL tree rotates after each insertion.")
FRANCE = ("What is the capital of France?", "The capital is Paris, on the Seine. 首都是巴黎。")


async def kept(seat: Console, *turns: tuple[str, str], tags: str = "") -> Session:
    assert seat.app.runtime is not None
    conversations = seat.app.runtime.conversations
    session = conversations.new(tags=frozenset(tags.split()))
    await conversations.keep(session)
    for number, (prompt, answer) in enumerate(turns):
        request = f"{session.id}-{number}"
        await conversations.prompt(session.id, Message("user", prompt), request)
        await conversations.answer(session.id, request, answer, model="openai/rush-pro", attempt=1)
    return session


async def open_list(seat: Console) -> None:
    await seat.pilot.press("ctrl+l")
    await seat.sees("╭─ Sessions")
    await seat.sees("in all")


async def type_here(seat: Console, text: str) -> None:
    await seat.write(text)


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path / "store.db") as connection:
        return connection.execute(query).fetchall()


async def test_the_list_tells_messages_models_cost_tags_and_when(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30)) as seat:
        await kept(seat, TREES, FRANCE, tags="code work")
        await open_list(seat)
        await seat.sees(
            "Today ─", "How do binary trees stay balanced?  #code  #work", "4 messages · rush-pro", "just now", "$0"
        )


async def test_what_was_said_is_found_while_one_types_and_opened_where_it_stands(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30)) as seat:
        await kept(seat, FRANCE, *[(f"filler {n}", "words " * 120) for n in range(8)])
        await kept(seat, TREES)
        await open_list(seat)
        await type_here(seat, "seine")
        await seat.sees("In what was said", "answer: The capital is Paris, on the Seine.", "1 of 2")
        await seat.sees_no("binary trees")
        await seat.pilot.press("enter")
        await seat.sees("▌ What is the capital of France?", "on the Seine")
        assert not seat.app.chat.transcript.following


async def test_short_words_other_scripts_and_tags_are_found(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30)) as seat:
        await kept(seat, FRANCE, tags="geo")
        await kept(seat, ("unrelated thing", "nothing"))
        await open_list(seat)
        field: Any = seat.app.screen.query_one("#narrow")
        for typed, seen in (("巴黎", "首都是巴黎"), ("se", "Seine"), ("#geo", "2 messages")):
            field.value = typed
            await seat.sees(seen, "1 of 2")
            field.value = ""
            await seat.sees("2 in all")


async def test_end_goes_to_the_last_of_many_sessions_at_once(tmp_path: Path) -> None:
    async with console(tmp_path, size=(80, 24)) as seat:
        assert seat.app.runtime is not None
        database, now = seat.app.runtime.database, seat.app.runtime.clock.now()

        def many(connection: sqlite3.Connection) -> None:
            for number in range(450):
                at = now - timedelta(days=1, minutes=number)
                tags = frozenset({"odd"} if number % 2 else ())
                insert(connection, Session(f"{number:010}", f"Talk number {number}", at, at, tags=tags))

        await database.write(many)
        await open_list(seat)
        await seat.sees("Talk number 0 ", "450 in all")
        await seat.pilot.press("down", "end", "r")
        await seat.sees("Talk number 449", "Rename")
        await seat.pilot.press("end", "!", "enter")
        await seat.sees("Talk number 449!", "450 in all")
        await seat.pilot.press("slash", *"#odd")
        await seat.sees("Talk number 1 ", "225 of 450")
        await seat.pilot.press("down", "end")
        await seat.sees("Talk number 447", "225 of 450")
        await seat.pilot.press("slash", *(["backspace"] * 4), *"talk")
        await seat.sees("In titles", "the first 200 of 450")


async def test_nothing_found_says_what_to_try(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30)) as seat:
        await kept(seat, FRANCE)
        await open_list(seat)
        await type_here(seat, "herring")
        await seat.sees("No title and no message holds that. Try fewer words, or a part of one.", "0 of 1")


@pytest.mark.cells(1)
@pytest.mark.parametrize("size", [(160, 48), (100, 30), (80, 24)])
async def test_a_word_mistyped_and_then_typed_right_is_seen_as_if_it_had_been_right_at_once(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with console(tmp_path, size=size) as seat:
        await kept(seat, FRANCE)
        await kept(
            seat, ("an instrument of wooden bars", "What one strikes with two mallets is a xylophone, in brief.")
        )
        await open_list(seat)
        await type_here(seat, "xylophone")
        await seat.sees("answer: What one strikes with two mallets is a xylophone", "1 of 2", "today $0")
        at_once = seat.screen
        await seat.pilot.press("ctrl+u")
        await seat.sees("2 in all")
        await type_here(seat, "xylophnoe")
        await seat.sees("No title and no message holds that.")
        await seat.pilot.press("ctrl+u")
        await type_here(seat, "xylophone")
        await seat.sees("1 of 2")
        await seat.until(lambda: seat.screen == at_once, "the same screen")


async def test_the_keys_of_the_list_work_when_a_deletion_has_emptied_it(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30)) as seat:
        await kept(seat, FRANCE)
        await open_list(seat)
        await seat.pilot.press("down", "d")
        await seat.sees("; u in the list, or /undo, brings it back.", "No earlier session yet", "0 in all")
        await seat.pilot.press("u")
        await seat.sees("is back.", "capital of France", "1 in all")
        await seat.pilot.press("d")
        await seat.sees("No earlier session yet", "0 in all")
        await seat.pilot.press("up", "down", "d")
        await seat.sees("There is no session to do that with.")
        await seat.click("u Undo")
        await seat.sees("is back.", "capital of France", "1 in all")
        await seat.pilot.press("d")
        await seat.sees("No earlier session yet", "0 in all")
        await seat.pilot.press("slash")
        await type_here(seat, "herring")
        await seat.sees("No title and no message holds that.")
        await seat.pilot.press("down", "n")
        await seat.sees_no("╭─ Sessions")
        await seat.sees("Where to?")


async def test_a_session_is_renamed_tagged_and_pinned_in_the_list(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30)) as seat:
        await kept(seat, FRANCE)
        await kept(seat, TREES)
        await open_list(seat)
        await seat.pilot.press("down", "down", "r")
        await seat.sees("╭─ Rename", "Empty: the title made from its first prompt.")
        await seat.pilot.press("ctrl+u")
        await type_here(seat, "Paris")
        await seat.pilot.press("enter")
        await seat.sees("  Paris", "✓ It is called 'Paris' now.")
        await seat.pilot.press("t")
        await seat.sees("╭─ Tags", "With commas between.")
        await type_here(seat, "geo, client a")
        await seat.pilot.press("enter")
        await seat.sees("Paris  #client a  #geo")
        await seat.pilot.press("t")
        await seat.sees("╭─ Tags", "client a, geo")
        await type_here(seat, "art")
        await seat.pilot.press("enter")
        await seat.sees("Paris  #art")
        await seat.sees_no("#geo")
        await seat.pilot.press("t")
        await seat.sees("╭─ Tags", "With commas between.")
        await seat.pilot.press("end")
        await type_here(seat, ", geo")
        await seat.pilot.press("enter")
        await seat.sees("Paris  #art  #geo")
        await seat.pilot.press("p")
        await seat.sees("Pinned ─", "★ Paris", "binary trees")
        lines = seat.screen.splitlines()
        assert next(n for n, line in enumerate(lines) if "★ Paris" in line) < next(
            n for n, line in enumerate(lines) if "binary trees" in line
        )


async def test_a_path_that_stands_in_a_form_gives_way_to_what_is_typed(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30)) as seat:
        await seat.send("/import nothing.json")
        await seat.sees("╭─ Import", "nothing.json", "✗ ")
        await type_here(seat, "other.json")
        field = seat.app.focused
        assert isinstance(field, TextArea)
        assert field.text == "other.json"


async def test_a_deleted_session_comes_back_by_a_key(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30)) as seat:
        await kept(seat, FRANCE)
        await kept(seat, TREES)
        await open_list(seat)
        await seat.pilot.press("down", "down", "up", "up", "down", "down", "d")
        await seat.sees("is deleted; u in the list, or /undo, brings it back.", "1 in all")
        await seat.pilot.press("u")
        await seat.sees("is back.", "2 in all", "capital of France", "binary trees")
        await seat.pilot.press("r")
        await seat.sees("│ What is the capital of France? ")
        await seat.pilot.press("escape")
        await seat.pilot.press("u")
        await seat.sees("Nothing deleted since the program began is left to come back")


async def test_the_prompts_of_a_deleted_session_are_in_no_search_until_it_is_back(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30)) as seat:
        await kept(seat, TREES)
        await kept(seat, FRANCE)
        await open_list(seat)
        await seat.pilot.press("down", "d")
        await seat.sees("is deleted; ", "1 in all")
        await seat.pilot.press("escape", "ctrl+r")
        await seat.sees("╭─ Earlier prompts", "How do binary trees stay balanced?")
        assert "capital of France" not in seat.screen
        await type_here(seat, "capital")
        await seat.sees("No earlier prompt holds these words.")
        await seat.pilot.press("escape", "alt+z", "ctrl+r")
        await type_here(seat, "capital")
        await seat.sees("╭─ Earlier prompts", "What is the capital of France?")


async def test_the_arrows_pass_over_the_prompts_of_a_deleted_session_until_it_is_back(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30)) as seat:
        await seat.send(TREES[0])
        await seat.ended()
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?")
        await seat.send(FRANCE[0])
        await seat.ended()
        await seat.send("/delete")
        await seat.sees("Where to?")
        await seat.pilot.press("up", "up")
        assert seat.app.composer.prompt.text == "How do binary trees stay balanced?"
        await seat.pilot.press("down", "down")
        assert seat.app.composer.prompt.text == ""
        await seat.pilot.press("alt+z")
        await seat.sees("is back.")
        await seat.pilot.press("up", "up")
        assert seat.app.composer.prompt.text == "What is the capital of France?"


async def test_the_session_on_the_screen_is_deleted_and_brought_back_by_commands(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30)) as seat:
        session = await kept(seat, FRANCE)
        await open_list(seat)
        await seat.pilot.press("enter")
        await seat.sees("on the Seine")
        await seat.send("/delete")
        await seat.sees("Where to?", "new session")
        await seat.sees_no("on the Seine")
        await seat.send("/undo")
        await seat.sees("on the Seine")
        assert seat.app.talk is not None
        assert seat.app.talk.id == session.id


async def test_a_fork_up_to_a_prompt_is_opened_and_the_original_stays(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30)) as seat:
        original = await kept(seat, FRANCE, TREES)
        await open_list(seat)
        await seat.pilot.press("down", "up", "down", "f")
        await seat.sees(
            "╭─ Fork 'What is the capital of France?'", "all of it", "up to 1: What is the capital of France?"
        )
        await seat.pilot.press("down", "enter")
        await seat.sees("What is the capital of France? (fork)", "on the Seine")
        await seat.sees_no("AVL")
        assert rows(tmp_path, "SELECT COUNT(*) FROM messages GROUP BY session ORDER BY 1") == [(2,), (4,)]
        assert rows(tmp_path, "SELECT origin FROM sessions WHERE origin IS NOT NULL") == [(original.id,)]


async def test_an_export_says_its_path_and_never_writes_over_a_file_unasked(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30)) as seat:
        await kept(seat, FRANCE)
        (tmp_path / "what-is-the-capital-of-france.md").write_text("mine")
        await open_list(seat)
        await seat.pilot.press("down", "e")
        await seat.sees("╭─ Export", "what-is-the-capital-of-france.md")
        await seat.pilot.press("enter")
        await seat.sees("is there already; Enter once more writes over")
        assert (tmp_path / "what-is-the-capital-of-france.md").read_text() == "mine"
        await seat.pilot.press("enter")
        await seat.sees("✓ Written to ")
        assert "# What is the capital of France?" in (tmp_path / "what-is-the-capital-of-france.md").read_text()
        await seat.pilot.press("e")
        await seat.sees("╭─ Export")
        await seat.pilot.press("ctrl+u")
        await type_here(seat, "nowhere/talk.json")
        await seat.pilot.press("enter")
        await seat.sees("nowhere/talk.json cannot be written: No such file or directory")


async def test_an_export_comes_in_again_and_a_bad_file_is_a_sentence(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30)) as seat:
        session = await kept(seat, FRANCE)
        await open_list(seat)
        await seat.pilot.press("enter")
        await seat.sees("on the Seine")
        await seat.send("/export talk.json")
        await seat.sees("Written to ")
        told = json.loads((tmp_path / "talk.json").read_text())
        assert [message["text"] for message in told["messages"]] == list(FRANCE)
        (tmp_path / "bad.json").write_text('{"format": "tui-orchestrator conversation", "version": 1, "messages": 3}')
        await seat.send("/import bad.json")
        await seat.sees("╭─ Import", "✗ bad.json: messages: is 3, not a list")
        await seat.pilot.press("escape")
        assert seat.app.runtime is not None
        await seat.app.runtime.archive.purge(session.id)
        await seat.send("/new")
        await seat.sees("Where to?")
        await seat.pilot.press("alt+o")
        await seat.sees("╭─ Import", "Enter reads it", "A conversation that was exported as .json")
        await seat.pilot.press(*"tal")
        await seat.sees("▸ talk.json")
        await seat.pilot.press("tab", "enter")
        await seat.sees("on the Seine")
        assert rows(tmp_path, "SELECT id FROM sessions") == [(session.id,)]


@pytest.mark.cells(2)
@pytest.mark.parametrize("size", [(160, 48), (100, 30), (80, 24)])
async def test_what_an_imported_session_cost_elsewhere_is_shown_with_it(tmp_path: Path, size: tuple[int, int]) -> None:
    async with console(tmp_path, size=size, script=Script().always(Say(text="It is Paris."))) as seat:
        await seat.send("What is the capital of France?")
        await seat.ended()
        await seat.send("/export talk.json")
        await seat.until((tmp_path / "talk.json").exists, "the file")
    (made,) = json.loads((tmp_path / "talk.json").read_text())["messages"][1]["attempts"]
    cost = str(Money.from_usd(str(made["cost_usd"])))
    other = tmp_path / "other"
    other.mkdir()
    async with console(other, size=size) as seat:
        await seat.send("/import talk.json")
        await seat.sees("It is Paris.")
        usage = made["usage"]
        await seat.line(f"↑{usage['input_tokens']} ↓{usage['output_tokens']}", f"{cost} spent elsewhere")
        await seat.pilot.press("f3")
        await seat.sees("Decided elsewhere")
        await seat.pilot.press("f4")
        await seat.sees("Nothing spent yet")
        await seat.pilot.press("escape", "ctrl+l")
        await seat.line("What is the capital of France?", f"{cost} elsewhere")
        await seat.pilot.press("escape", "ctrl+n")
        await seat.pilot.press("f3")
        await seat.sees("Nothing decided yet")


async def test_what_is_typed_into_a_temporary_chat_is_not_said_to_be_kept(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        await seat.pilot.press("alt+t")
        await seat.sees("◌ temporary")
        await seat.type("hush-draft")
        await seat.pilot.press("ctrl+c")
        await seat.sees("again to quit;", "nothing of a temporary")
        assert "what is typed" not in seat.screen


async def test_a_temporary_chat_is_marked_and_leaves_no_trace(tmp_path: Path) -> None:
    script = Script().always(Say(text="hush-answer"))
    async with console(tmp_path, size=(120, 30), script=script) as seat:
        await seat.pilot.press("alt+t")
        await seat.sees("◌ temporary", "A temporary chat", "Nothing of what is said here is kept")
        await seat.send("hush-prompt")
        await seat.ended()
        await seat.sees("hush-answer")
        await seat.send("/rename x")
        await seat.sees("this chat is temporary: there is nothing kept to rename")
        await seat.pilot.press("up")
        assert "hush" not in seat.app.composer.prompt.text
        await seat.send("and hush-again?")
        await seat.ended()
        seat.app.composer.prompt.replace_draft("hush-draft")
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?")
        await seat.sees_no("◌ temporary")
        assert rows(tmp_path, "SELECT COUNT(*), COUNT(cost) FROM attempts") == [(2, 2)]
        for table in ("sessions", "messages", "prompts", "drafts", "decisions", "answers"):
            assert rows(tmp_path, f"SELECT COUNT(*) FROM {table}") == [(0,)], table
        seat.app.composer.prompt.replace_draft("")
    assert b"hush" not in (tmp_path / "store.db").read_bytes()


async def test_a_draft_of_a_temporary_chat_is_not_kept_on_leaving(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30)) as seat:
        await seat.pilot.press("alt+t")
        await seat.sees("◌ temporary")
        await seat.type("hush-draft")
        await seat.pilot.press("ctrl+q")
        await seat.until(lambda: seat.app.return_code is not None)
    assert b"hush" not in (tmp_path / "store.db").read_bytes()


async def test_a_persona_brings_its_defaults_and_is_kept_with_the_session(tmp_path: Path) -> None:
    script = Script().always(Say(text="Verily."))
    async with console(tmp_path, size=(140, 30), script=script) as seat:
        seat.app.settings.personas["poet"] = Persona(  # type: ignore[index]
            "poet", "In verse.", Strategy.QUALITY, None, 0.5, 333, frozenset({"art"})
        )
        await seat.send("/persona pote")
        await seat.sees("no persona is called 'pote'; did you mean 'poet'?")
        await seat.pilot.press("alt+p")
        await seat.sees("╭─ Persona", "quality · temperature 0.5 · up to 333 tokens · #art · In verse.")
        await type_here(seat, "poet")
        await seat.pilot.press("enter")
        await seat.sees("◈ poet  quality")
        assert seat.app.talk is not None
        request = seat.app.talk.request("rain?", (), seat.app.options)
        assert (request.system, request.strategy, request.temperature, request.max_tokens, request.tags) == (
            "In verse.",
            Strategy.QUALITY,
            0.5,
            333,
            {"art"},
        )
        seat.app.composer.prompt.text = ""
        await seat.send("rain?")
        await seat.ended()
        await seat.send("/system Plainly.")
        await seat.send("/new")
        await seat.sees_no("◈ poet")
        await open_list(seat)
        await seat.pilot.press("enter")
        await seat.sees("◈ poet  quality")
        assert seat.app.talk.request("snow?", (), seat.app.options).system == "Plainly."
        await seat.send("/persona none")
        await seat.sees_no("◈ poet")
        assert seat.app.options.strategy is None


async def test_the_mouse_marks_opens_and_presses_what_the_keys_do(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30)) as seat:
        await kept(seat, FRANCE)
        await kept(seat, TREES)
        await open_list(seat)

        await seat.click("What is the capital")
        await seat.click("p Pin")
        await seat.sees("★ What is the capital of France?")
        await seat.click("What is the capital")
        await seat.sees("on the Seine")


async def test_the_palette_does_what_the_keys_do(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30)) as seat:
        await kept(seat, FRANCE)
        await open_list(seat)
        await seat.pilot.press("enter")
        await seat.sees("on the Seine")
        await seat.pilot.press("ctrl+p")
        await type_here(seat, "session: pin")
        await seat.sees("session: pin this one")
        await seat.pilot.press("enter", "enter")
        await seat.until(lambda: rows(tmp_path, "SELECT pinned FROM sessions") == [(1,)])


async def test_nothing_is_done_with_a_session_that_is_not_kept_yet(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30)) as seat:
        await seat.send("/fork")
        await seat.sees("there is nothing to fork yet: a session is kept from its first prompt on")


async def test_a_hostile_title_and_text_are_shown_as_they_are(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30)) as seat:
        session = await kept(seat, ("[@click=app.quit]x[/] \x1b]52;c;aGk=\x07", "[/] [bold]needle \x1b[2J"))
        assert seat.app.runtime is not None
        await seat.app.runtime.conversations.rename(session.id, "[@click=app.quit]x[/] ../../etc\x1b[2J")
        await open_list(seat)
        await type_here(seat, "needle")
        await seat.sees("[@click=app.quit]x[/] ../../etc[2J", "answer: [/] [bold]needle [2J")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("../../etc/passwd", "etc-passwd.md"),
        ("CON", "con-6ag5.md"),
        ("-rf *", "rf.md"),
        (".bashrc\n\x1b[2J", "bashrc-2j.md"),
        ("💥", "6ag5.md"),
        ("Zürich, 树", "zürich-树.md"),
        ("word " * 40, "-".join(["word"] * 12) + ".md"),
    ],
)
def test_a_title_makes_a_safe_file_name(title: str, name: str) -> None:
    assert file_name(title, "6ag5", "md") == name


async def test_what_another_copy_of_the_program_changes_is_seen_in_the_open_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_orchestrator.ui.sessions.LOOK_EVERY_S", 0.02)
    async with console(tmp_path) as seat:
        session = await kept(seat, ("What is the capital of France?", "Paris."))
        await kept(seat, ("Explain binary trees", "They branch."))
        await open_list(seat)
        await seat.sees("2 in all")
        marked = seat.app.screen.query_one("#sessions", OptionList).highlighted
        async with Database(tmp_path / "store.db") as elsewhere:
            await Conversations(elsewhere, SystemClock()).rename(session.id, "Of another copy")
        await seat.sees("Of another copy", "binary trees", "2 in all")
        assert seat.app.screen.query_one("#sessions", OptionList).highlighted == marked, "the mark stays"


@pytest.mark.cells(1)
@pytest.mark.parametrize("size", [(160, 48), (80, 24)])
async def test_wide_and_combining_characters_keep_every_pane_and_list_aligned(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    """By cells: each frame's right side stands in one column, whatever is written beside it."""
    wide, combined = "首都はどこですか、教えてください。" * 4, "Cafe\u0301 de\u0301s e\u0301le\u0301ments " * 4
    script = Script().always(
        Say(text=f"| 名前 | e\u0301 |\n|:--|--:|\n| {wide[:12]} | 1 |\n| a | 한국어 |\n\n{wide} {combined}")
    )
    async with console(tmp_path, script=script, size=size) as seat:
        await seat.send(wide)
        await seat.ended()
        await seat.sees("名前", "한국어")

        def frame(side: str) -> set[int]:
            """Where the lines between a frame's corners end."""
            lines = seat.screen.splitlines()
            first, last = (next(n for n, line in enumerate(lines) if line.lstrip().startswith(c)) for c in "╭╰")
            assert last - first > 5
            return {cell_len(line.rstrip()) for line in lines[first : last + 1] if line.rstrip().endswith(tuple(side))}

        assert frame("╮│╯") == {size[0]}
        table = [line for line in seat.screen.splitlines() if "名前" in line or "한국어" in line]
        inner = {cell_len(line[: line.index("│", 2)]) for line in table}
        assert len(inner) == 1, "the column of the table begins at one cell"
        await kept(seat, (combined, "Oui."))
        await open_list(seat)
        await seat.sees("首都", "Cafe\u0301")
        rows = [line for line in seat.screen.splitlines()[1:] if "首都" in line or "Cafe\u0301" in line]
        assert len(rows) > 1
        assert {cell_len(line[: line.rindex("│")]) for line in rows} == {cell_len(rows[0][: rows[0].rindex("│")])}


async def test_a_session_is_named_after_its_first_prompt_and_exported_with_models_tokens_and_costs(
    tmp_path: Path,
) -> None:
    script = Script().always(Say(text="It is Paris."))
    async with console(tmp_path, size=(100, 30), script=script) as seat:
        await seat.sees("new session")
        await seat.send("What is the capital of France, and why?")
        await seat.ended()
        await seat.until(lambda: "What is the capital of France" in seat.screen.splitlines()[0], "the title")
        ((model, tokens, cost),) = rows(tmp_path, "SELECT model, output_tokens, cost FROM attempts")
        for name in ("talk.md", "talk.json"):
            await seat.send(f"/export {name}")
            await seat.sees("Written to ", name)
        assert isinstance(cost, int)
        told = (tmp_path / "talk.md").read_text()
        for said in ("# What is the capital of France, and why?", "It is Paris.", str(model), str(Money(cost))):
            assert said in told, said
        (attempt,) = json.loads((tmp_path / "talk.json").read_text())["messages"][1]["attempts"]
        assert (attempt["model"], attempt["usage"]["output_tokens"]) == (model, tokens)
        assert Money.from_usd(str(attempt["cost_usd"])) == Money(cost)
        await open_list(seat)
        await seat.sees("What is the capital of France, and why?", "2 messages")


async def test_what_is_typed_takes_the_old_title_s_place(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30)) as seat:
        await kept(seat, FRANCE)
        await open_list(seat)
        await seat.pilot.press("down", "r")
        await seat.sees("╭─ Rename")
        await type_here(seat, "Geography")
        await seat.pilot.press("enter")
        await seat.sees_no("╭─ Rename")
        await seat.sees("Geography ")
