"""Recipes as a person fills them in, runs them and goes on from what they came to."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest

from tests.ui.conftest import Console, console, told
from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.recipes import Journal, RecipeError
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.money import Money
from tui_orchestrator.storage.presence import is_locked

MINE = """
description = "Say something of each, then put it together"
output = "# All\\n\\n{all}"
[parameters.topics]
description = "what about"
type = "list"
[parameters.tone]
description = "how it sounds"
type = "choice"
choices = ["dry", "warm"]
default = "dry"
[[steps]]
id = "each"
for_each = "topics"
model = "rush-pro"
prompt = "In a {tone} tone, say something about {item}."
[[steps]]
id = "all"
model = "tern-max"
prompt = "Put together: {each}"
"""


@pytest.fixture
def mine(own_home: Path) -> None:
    directory = own_home / "home" / "config" / "recipes"
    directory.mkdir(parents=True)
    (directory / "mine.toml").write_text(MINE)
    (directory / "broken.toml").write_text("steps = 1\noutput = 3")


def script() -> Script:
    return Script().always(Say("A fine thing."), "rush-pro").always(Say("All of it is **fine**."), "tern-max")


async def fill_in(seat: Console, *typed: str, name: str = "mine") -> None:
    await seat.send(f"/recipe {name}")
    await seat.sees(f"Recipe {name}", "Enter says what it costs")
    for text in typed:
        await seat.pilot.press(*text, "down")
    await seat.pilot.press("enter")


async def begin(seat: Console) -> None:
    await seat.sees("▸ not yet: nothing is sent", "Enter sends nothing")
    await seat.pilot.press("down")
    await seat.sees("▸ begin", "Enter begins")
    await seat.pilot.press("enter")


async def run(seat: Console) -> None:
    await fill_in(seat, "trees")
    await seat.sees("○ not begun")
    await begin(seat)


async def says(seat: Console, *sentences: str) -> None:
    """In the dialog over the panes, wherever its lines break: that follows from how long a path is."""

    def said() -> str:
        rows = (line.split("│") for line in seat.screen.splitlines())
        return " ".join(" ".join(row[2] for row in rows if len(row) > 4).split())

    await seat.until(lambda: all(sentence in said() for sentence in sentences), f"{sentences} in the dialog")


@pytest.mark.usefixtures("mine")
async def test_one_is_chosen_filled_in_and_its_answer_is_gone_on_from(tmp_path: Path) -> None:
    async with console(tmp_path, script=script()) as seat:
        await seat.pilot.press("f4", "r")
        await seat.sees(
            "compare", "grade", "mine", "your own", "problem-variations", "summarize-long", "Your own lie in "
        )
        await says(seat, "steps: there are none; write", "output: is 3; it must be text")
        await seat.pilot.press("down", "down")
        await seat.sees("tone", "how it sounds [dry]", "1. each · rush-pro, for each of topics", "2. all · tern-max")
        await seat.pilot.press("enter")
        await seat.sees("Recipe mine", "what about; Ctrl+J between them")
        await seat.pilot.press(*"trees", "ctrl+j", *"rivers", "enter")
        await seat.sees("each", "○ waiting", "2×", "3 answers: about $", "begin: it spends about that")
        await begin(seat)
        await seat.sees("✓ done", "2 of 2", "1 of 1", "rush-pro 2", "tern-max", "The answer stands in the chat")
        await seat.pilot.press("escape")
        await seat.sees(
            "Recipe mine", "trees", "rivers", "All of it is fine.", "recipe mine · rush-pro 2 · tern-max · "
        )
        await seat.click("tern-max · demo-")
        await seat.sees("tern-max is pinned")
        await seat.pilot.press("ctrl+g")
        await seat.until(lambda: seat.app.clipboard == "# All\n\nAll of it is **fine**.")
        await seat.send("Which tree is the oldest?")
        await seat.ended()
        assert seat.app.talk is not None
        assert seat.app.runtime is not None
        conversation = await seat.app.runtime.conversations.get(seat.app.talk.id)
        assert [message.text[:12] for message in conversation.messages][:2] == ["Recipe mine\n", "# All\n\nAll o"]
        with sqlite3.connect(tmp_path / "store.db") as store:
            query = "SELECT COUNT(*) FROM attempts WHERE session = ?"
            assert store.execute(query, (seat.app.talk.id,)).fetchone()[0] >= 3, "its steps count towards the session"


@pytest.mark.usefixtures("mine")
async def test_all_that_is_wrong_in_files_can_be_scrolled_to_by_keys(own_home: Path, tmp_path: Path) -> None:
    wrong = "".join(f"key{number} = 1\n" for number in range(12))
    (own_home / "home" / "config" / "recipes" / "wrong.toml").write_text(wrong)
    async with console(tmp_path, size=(100, 30)) as seat:
        await seat.send("/recipe")
        await seat.sees("Ask several models the same", "1. answers")
        await seat.sees_no("key11:")
        for _ in range(30):
            await seat.pilot.press("pagedown")
        await seat.sees("key11:", "Your own lie in ")
        await seat.pilot.press("pageup")
        await seat.sees_no("Your own lie in ")
        await seat.pilot.press("down")
        await seat.sees("answer    ", "what was asked")


@pytest.mark.usefixtures("mine")
async def test_keys_typed_ahead_begin_none(tmp_path: Path) -> None:
    async with console(tmp_path, script=script()) as seat:
        for keys in (("enter",) * 7, (*"yes", "enter")):
            await seat.begin_anew()
            await fill_in(seat, "trees")
            await seat.pilot.press(*keys)
            await seat.sees("Recipe")
            assert seat.app.recipe is None
            with sqlite3.connect(tmp_path / "store.db") as store:
                assert store.execute("SELECT COUNT(*) FROM attempts").fetchone() == (0,)


@pytest.mark.usefixtures("mine")
async def test_the_next_prompt_and_a_later_start_know_what_it_came_to(tmp_path: Path) -> None:
    said = script()
    async with console(tmp_path, script=said) as seat:
        await run(seat)
        await seat.sees("The answer stands in the chat")
        await seat.pilot.press("escape")
        assert seat.app.talk is not None
        sent = [m.text for m in seat.app.talk.request("And now?").messages]
        assert sent[1:] == ["# All\n\nAll of it is **fine**.", "And now?"]
        assert not seat.app.talk.may_go_on
        session = seat.app.talk.id
        await seat.send("/export json")
        await seat.until(lambda: any("All of it is **fine**." in file.read_text() for file in tmp_path.glob("*.json")))
    async with console(tmp_path, script=said) as seat:
        assert seat.app.runtime is not None
        await seat.send("/sessions")
        await seat.sees("Recipe mine")
        await seat.pilot.press("enter")
        await seat.until(lambda: seat.app.talk is not None and seat.app.talk.id == session)
        await seat.sees("All of it is fine.", "recipe mine")
        assert seat.app.talk is not None
        assert not seat.app.talk.may_go_on


@pytest.mark.cells(1)
@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize("size", [(160, 48), (80, 24)])
async def test_its_answer_reads_the_same_when_it_is_opened_again(tmp_path: Path, size: tuple[int, int]) -> None:
    async with console(tmp_path, script=script(), size=size) as seat:
        await run(seat)
        await seat.sees("The answer stands in the chat")
        await seat.pilot.press("escape")
        await seat.sees_no("Where to?")
        await seat.pilot.press("alt+u")
        await seat.sees("tern-max: ▲ good.")
        await seat.sees("recipe mine · rush-pro · tern-max · ", " in all")
        await seat.line("▲ tern-max · demo-")
        seat.app.clear_notifications()
        await seat.until(lambda: not seat.app.screen.query("Toast"), "no toast over it")
        lines = told(seat)
        assert seat.app.talk is not None
        session = seat.app.talk.id
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?")
        await seat.app._open_id(session)
        await seat.until(lambda: told(seat) == lines, "the same as before")
    async with console(tmp_path, size=size) as seat:
        await seat.app._open_id(session)
        await seat.until(lambda: told(seat) == lines, "the same as before")
        await seat.pilot.press("alt+u")
        await seat.sees("tern-max: the vote is taken back")
        await seat.click("tern-max · demo-")
        await seat.sees("tern-max is pinned")


@pytest.mark.usefixtures("mine")
async def test_what_is_missing_or_wrong_is_said_in_the_form(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("moss\n")
    async with console(tmp_path, script=script()) as seat:
        await seat.send("/recipe min")
        await seat.sees("no recipe is called min; did you mean mine?")
        await seat.pilot.press("ctrl+u")
        await fill_in(seat)
        await seat.sees("✗ mine needs topics: what about.")
        await seat.pilot.press(*"@not", "tab", "enter")
        await seat.sees("topics: moss", "○ not begun")
        await seat.pilot.press("escape")
        await seat.sees("Nothing was sent.", "@notes.txt")
        await seat.pilot.press("escape")
        await fill_in(seat, "trees", "sweet")
        await seat.sees("✗ tone is 'sweet'; it is one of dry, warm.")
        await seat.pilot.press("escape")
        await seat.sees_no("Recipe mine")


@pytest.mark.cells(1)
@pytest.mark.parametrize("size", [(160, 48), (100, 30), (80, 24)])
async def test_a_parameter_that_is_called_as_a_pane_is_takes_one_line(tmp_path: Path, size: tuple[int, int]) -> None:
    async with console(tmp_path, size=size) as seat:
        await seat.send("/recipe compare")
        await seat.sees("Recipe compare", "the models; give it once for each", "and have their answers compared")
        dialog = seat.app.screen.query_one(".dialog")
        assert dialog.outer_size.height == 6


@pytest.mark.usefixtures("mine")
async def test_a_step_that_fails_is_named_with_what_it_cost(tmp_path: Path) -> None:
    said = Script().always(Say("A fine thing."), "rush-pro").always(Reply(400, "the kiln is cold"), "tern-max")
    async with console(tmp_path, script=said) as seat:
        await run(seat)
        await seat.sees("✓ done", "✗ failed", "the step all gave no answer: ", "the kiln is cold", "finished is kept")
        await seat.sees("each ─", "✓ finished", "A fine thing.")
        await seat.pilot.press("escape")
        await seat.sees("the step all gave no answer", "It cost $", "What finished is", "/recipe goes on")
        await seat.sees("The step each of mine came to: A fine thing.")
        assert seat.app.talk is not None
        assert seat.app.talk.last is None


@pytest.mark.usefixtures("mine")
async def test_it_goes_on_beside_the_conversation_and_is_stopped(tmp_path: Path) -> None:
    said = script().always(Break("silence", Phase.BEFORE_TEXT), "tern-max").always(Say("Rome."), "lumen-dash")
    async with console(tmp_path, script=said) as seat:
        await run(seat)
        await seat.sees("1 of 1", "◐ running", "s stops it")
        await seat.pilot.press("escape")
        await seat.sees("◐ recipe mine: all")
        await seat.send("/model lumen-dash")
        await seat.send("What is the capital of Italy?")
        await seat.ended()
        await seat.sees("Rome.")
        await seat.send("/recipe")
        await seat.sees("◐ running", "s stops it")
        await seat.pilot.press("s")
        await seat.sees("■ stopped", "■ Stopped; what had come is paid for")
        await seat.pilot.press("escape")
        await seat.sees("The recipe mine was stopped. It cost ", "not asked again where /recipe goes on from it")


@pytest.mark.usefixtures("mine")
async def test_its_answer_comes_after_the_turn_that_runs(tmp_path: Path) -> None:
    said = script().always(Break("silence", Phase.BEFORE_TEXT), "lumen-dash")
    async with console(tmp_path, script=said) as seat:
        await seat.send("/model lumen-dash")
        await seat.send("What is the capital of Italy?")
        await seat.until(lambda: seat.app.running)
        await run(seat)
        await seat.sees("✓ done", "2 answers")
        await seat.pilot.press("escape")
        await seat.sees_no("recipe mine · ")
        await seat.pilot.press("escape")
        await seat.sees("recipe mine · rush-pro · tern-max")
        assert seat.app.talk is not None
        assert seat.app.runtime is not None
        kept = (await seat.app.runtime.conversations.get(seat.app.talk.id)).messages
        assert [message.text[:11] for message in kept if message.role == "user"] == ["What is the", "Recipe mine"]


@pytest.mark.usefixtures("mine")
async def test_past_a_cap_it_asks_first_and_the_cap_holds(tmp_path: Path) -> None:
    tight = Budgets(daily=Money.from_usd("0.0001"))
    async with console(tmp_path, script=script(), budgets=tight) as seat:
        await fill_in(seat, "trees")
        await seat.sees("! About $", "passes the day's cap", "begin all the same: it stops at the day's cap")
        await begin(seat)
        await seat.sees("✗ failed", "gave no answer", "the day's cap")


async def test_a_temporary_chat_keeps_nothing_of_it(tmp_path: Path, mine: None) -> None:
    async with console(tmp_path, script=script()) as seat:
        await seat.send("/temporary")
        await seat.until(lambda: seat.app.talk is not None and seat.app.talk.temporary)
        await run(seat)
        await seat.sees("The answer stands in the chat")
        assert seat.app.runtime is not None
        assert await seat.app.runtime.conversations.latest() is None
        assert not (await seat.app.runtime.history.page(10, "")).found


async def test_a_narrow_screen_has_all_of_it(tmp_path: Path, mine: None) -> None:
    async with console(tmp_path, script=script(), size=(60, 20)) as seat:
        await run(seat)
        await seat.sees("each", "✓ done", "all", "2 answers", "The answer stands in the chat")


@pytest.mark.usefixtures("mine")
async def test_while_one_runs_another_is_said_to_wait(tmp_path: Path) -> None:
    silent = Script().always(Break("silence", Phase.BEFORE_TEXT))
    async with console(tmp_path, script=silent) as seat:
        await run(seat)
        await seat.sees("◐ running")
        await seat.pilot.press("escape")
        await seat.send("/recipe grade")
        await seat.sees("! grade is not begun: one recipe runs at a time, and mine still does.", "s stops it")


def asked(path: Path) -> list[str]:
    with sqlite3.connect(path / "store.db") as store:
        return [model.partition("/")[2] for (model,) in store.execute("SELECT model FROM attempts ORDER BY rowid")]


@asynccontextmanager
async def stopped(path: Path, said: Script, size: tuple[int, int] = (160, 48)) -> AsyncIterator[Console]:
    """A console that opens after one in which a recipe of two topics failed in its second step."""
    said.always(Say("A fine thing."), "rush-pro").always(Reply(400, "the kiln is cold"), "tern-max")
    async with console(path, script=said) as seat:
        await fill_in(seat, "trees")
        await begin(seat)
        await seat.sees("✗ failed", "What finished is kept, and is not asked again where /recipe goes on from it.")
    said.always(Say("All of it is **fine**."), "tern-max")
    async with console(path, script=said, size=size) as seat:
        yield seat


@pytest.mark.cells(0)
@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize("size", [(160, 48), (100, 30), (80, 24)])
async def test_one_that_stopped_stands_first_and_is_gone_on_from(tmp_path: Path, size: tuple[int, int]) -> None:
    said = Script()
    async with stopped(tmp_path, said, size) as seat:
        before = asked(tmp_path)
        assert before == ["rush-pro", "tern-max"]
        await seat.send("/recipe")
        await seat.sees("■ mine", "unfinished", "all: ■ 0 of 1 done", "Enter goes on · Esc closes")
        await seat.sees("topics: trees", "1. each · ✓ 1 of 1 done", "2. all · ■ 0 of 1 done", "is not asked again")
        await seat.pilot.press("down")
        await seat.sees("Enter fills it in · Esc closes")
        await seat.pilot.press("up", "enter")
        await seat.sees("■ unfinished", "1 of 1", "1 answer: about $", "1 kept, which is not asked again.")
        await seat.sees("▸ not yet: nothing is sent; it stays in the list of recipes")
        assert asked(tmp_path) == before
        await seat.pilot.press("down")
        await seat.sees("▸ go on: it spends about that")
        await seat.pilot.press("enter")
        await seat.sees("✓ done", "The answer stands in the chat")
        await seat.pilot.press("escape")
        await seat.sees("Recipe mine", "topics: trees", "All of it is fine.", "1 taken over")
        assert asked(tmp_path)[2:] == ["tern-max"], "what was answered is paid for once"
        await seat.send("/recipe")
        await seat.sees("fills it in")
        assert "unfinished" not in seat.screen


@pytest.mark.usefixtures("mine")
async def test_one_that_goes_on_elsewhere_is_not_paid_for_here_too(tmp_path: Path) -> None:
    async with stopped(tmp_path, Script()) as seat:
        (left,) = (tmp_path / "home" / "data" / "unfinished").iterdir()
        elsewhere = Journal.read(left, datetime.now())
        elsewhere.hold()
        await seat.send("/recipe")
        await seat.sees("■ mine", "unfinished")
        await seat.pilot.press("enter")
        why = "is of a recipe that still runs; let it end, or stop it there."
        await seat.until(lambda: why in " ".join(told(seat)), why)
        elsewhere.close()
        await seat.send("/recipe")
        await seat.sees("■ mine", "unfinished")
        await seat.pilot.press("enter")
        await seat.sees("▸ not yet")
        with pytest.raises(RecipeError, match="still runs"):
            elsewhere.hold()
        await seat.pilot.press("escape")
        await seat.until(lambda: not is_locked(left), "the recipe free for others")
        await seat.send("/recipe")
        await seat.sees("■ mine", "unfinished")
        await seat.pilot.press("enter")
        await seat.sees("▸ not yet")
        await seat.pilot.press("down", "enter")
        await seat.sees("The answer stands in the chat")
        assert asked(tmp_path) == ["rush-pro", "tern-max", "tern-max"]


@pytest.mark.usefixtures("mine")
async def test_one_of_which_all_was_answered_costs_nothing_more(tmp_path: Path) -> None:
    async with stopped(tmp_path, Script()) as seat:
        (left,) = (tmp_path / "home" / "data" / "unfinished").iterdir()
        # As where the program is killed once the last answer is there, before that stands in the chat.
        os.link(left, left.with_name("mine-9999.jsonl"))
        for row, taken in [("all: ■ 0 of 1 done", "1 taken over"), ("all: ✓ 1 of 1 done", "2 taken over")]:
            await seat.send("/recipe")
            await seat.sees("■ mine", row)
            await seat.pilot.press("enter")
            await seat.sees("▸ not yet")
            await seat.pilot.press("down", "enter")
            await seat.sees("The answer stands in the chat")
            await seat.pilot.press("escape")
            await seat.sees(taken)
        assert asked(tmp_path) == ["rush-pro", "tern-max", "tern-max"]
        assert list(left.parent.iterdir()) == []
        assert seat.app.talk is not None
        assert seat.app.talk.request("And now?").messages[-2].text == "# All\n\nAll of it is **fine**."


@pytest.mark.usefixtures("mine")
async def test_one_whose_recipe_is_gone_is_named_with_why(tmp_path: Path, own_home: Path) -> None:
    async with stopped(tmp_path, Script()) as seat:
        (own_home / "home" / "config" / "recipes" / "mine.toml").unlink()
        await seat.send("/recipe")
        await says(seat, "no recipe is called mine; there are")
        assert "■ mine" not in seat.screen


@pytest.mark.usefixtures("mine")
async def test_what_could_not_be_kept_is_said_and_told(tmp_path: Path, own_home: Path) -> None:
    unfinished = own_home / "home" / "data" / "unfinished"
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    unfinished.write_text("in its way")
    said = Script().always(Say("A fine thing."), "rush-pro").always(Reply(400, "the kiln is cold"), "tern-max")
    async with console(tmp_path, script=said) as seat:
        await run(seat)
        await seat.sees("✗ failed", "NOT kept", "A fine thing.")
        await says(seat, "1 answer of each. Their text stands here alone")
        assert "is kept, and" not in seat.screen
        unfinished.unlink()
        await seat.pilot.press("escape")
        await seat.sees("The step each of mine came to: A fine thing.")


@pytest.mark.usefixtures("mine")
async def test_of_torn_files_what_is_whole_is_gone_on_from(tmp_path: Path) -> None:
    async with stopped(tmp_path, Script()) as seat:
        (left,) = (tmp_path / "home" / "data" / "unfinished").iterdir()
        left.with_name("mine-9999.jsonl").write_bytes(left.read_bytes()[:20])
        left.write_bytes(left.read_bytes() + b'{"step": "al')
        await seat.send("/recipe")
        await seat.sees("■ mine", "all: ■ 0 of 1 done", "1 line of it is not whole, and left out.")
        await seat.pilot.press("down")
        await says(seat, "is not what a recipe that came to nothing has left")
