"""Someone reads a conversation: finds words, marks messages, and uses the menu of one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.ui.conftest import Console, console
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.ui.entries import Entry, answer_key, prompt_key

PARIS = Say(text="The **capital** of France is Paris, and\n\n```python\nprint('Paris')\n```\n")
PROMPT = "What is the capital of France?"


@asynccontextmanager
async def asked(path: Path, *answers: Say) -> AsyncIterator[Console]:
    script = Script()
    for answer in answers:
        script = script.then(answer)
    async with console(path, script=script) as seat:
        for number in range(len(answers)):
            await seat.send(PROMPT if not number else f"And question {number}?")
            await seat.ended()
        yield seat


def history(messages: int, words: str = "plain words") -> list[Entry]:
    entries = []
    for number in range(messages // 2):
        entries.append(Entry.prompt(f"question {number} about {words}", key=prompt_key(f"r{number}")))
        entries.append(Entry.answer(f"answer {number}\n\nwith {words}", key=answer_key(f"r{number}", 1)))
    return entries


def lit(seat: Console) -> list[str]:
    """What stands on the screen in the style of the place that was found."""
    reader = seat.app.chat.transcript
    rows = [reader.render_line(y) for y in range(reader.size.height)]
    color = reader._rows.look.style("accent").color
    return [s.text for row in rows for s in row if s.style and s.style.bold and s.style.bgcolor == color]


def marked(seat: Console) -> str:
    """What the mark stands beside."""
    reader = seat.app.chat.transcript
    rows = (reader.render_line(y).text.rstrip() for y in range(reader.size.height))
    return "\n".join(row[1:] for row in rows if row.startswith("┃")).strip()


async def test_words_are_found_across_marks_of_markdown_and_broken_lines(tmp_path: Path) -> None:
    async with console(tmp_path, size=(40, 30)) as seat:
        text = "A long sentence with a **strong** word and more of it, so that it is broken somewhere."
        seat.app.chat.transcript.load([Entry.answer(text, key=answer_key("r", 1))])
        await seat.pilot.press("ctrl+f", *"strong", "space", *"word", "space", *"and", "space", *"more")
        await seat.sees("1 of 1")
        assert " ".join("".join(lit(seat)).split()).replace(" ", "") == "strongwordandmore"


async def test_words_are_found_and_what_the_mark_stands_at_is_unfolded(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        # A file that went along is found by its name.
        seat.app.chat.transcript.load([Entry.prompt("What is it?", ["plan.md", "plan.png"], prompt_key("r"))])
        await seat.pilot.press("ctrl+f")
        await seat.write("plan")
        await seat.sees("1 of 2")
        assert lit(seat) == ["plan"]

        # A word in the folded part of a long prompt unfolds it.
        await seat.begin_anew()
        text = "\n".join(f"line {number}" for number in range(60)) + "\nneedle"
        seat.app.chat.transcript.load([Entry.prompt(text, key=prompt_key("r"))])
        await seat.pilot.press("ctrl+f")
        await seat.write("needle")
        await seat.sees("1 of 1")
        assert lit(seat) == ["needle"]

        # Space unfolds what the mark stands at.
        await seat.begin_anew()
        entry = Entry.answer("said", thinking="first I think", key=answer_key("r", 1))
        seat.app.chat.transcript.load([entry])
        await seat.pilot.press("f2", "space")
        await seat.sees("first I think")
        await seat.pilot.press("space")
        await seat.sees_no("first I think")

        # A word far up comes into view and stays there when the line is closed.
        await seat.begin_anew()
        entries = history(400)
        entries[10] = Entry.prompt("where is the needle?", key=prompt_key("needle"))
        seat.app.chat.transcript.load(entries)
        await seat.sees("answer 199")
        await seat.send("/find needle")
        await seat.sees("1 of 1", "where is the needle?")
        await seat.pilot.press("escape")
        await seat.sees_no("1 of 1")
        await seat.sees("where is the needle?")
        assert "where is the needle?" in marked(seat)
        assert lit(seat) == []

        # Ten thousand messages are looked through in slices.
        await seat.begin_anew()
        seat.app.chat.transcript.load(history(10_000, "plain words " * 20))
        await seat.send("/find answer 4567")
        await seat.sees("1 of 1", "answer 4567")
        seat.app.chat.find_line.open("answer")
        await seat.sees(" of 5,000")
        place = seat.app.chat.find_line._place
        assert 4560 < place < 4570
        await seat.pilot.press("up")
        await seat.sees(f"{place:,} of 5,000", f"answer {place - 1}")

        # Old messages are no widgets.
        await seat.begin_anew()
        before = len(seat.app.screen.query("*"))
        seat.app.chat.transcript.load(history(10_000))
        await seat.sees("answer 4999")
        await seat.pilot.press("f2", "home")
        await seat.sees("question 0 about")
        assert len(seat.app.screen.query("*")) == before


async def test_what_is_said_meanwhile_is_counted_too(tmp_path: Path) -> None:
    async with asked(tmp_path, PARIS, PARIS) as seat:
        await seat.pilot.press("ctrl+f")
        await seat.write("paris")
        await seat.sees(" of 4")


@pytest.mark.cells(0, 2)
@pytest.mark.parametrize("size", [(160, 48), (80, 24), (40, 10)])
async def test_a_badge_tells_of_what_came_below_and_a_click_on_it_goes_there(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with console(tmp_path, size=size) as seat:
        reader = seat.app.chat.transcript
        reader.load(history(40))
        await seat.sees("answer 19")
        await seat.pilot.press("f2", "home")
        await seat.sees("question 0")
        assert "↓ new" not in seat.screen
        reader.begin_answer(answer_key("late", 1))
        reader.append(answer_key("late", 1), "It came late.")
        badge = await seat.line("↓ new")
        assert badge.strip("│ ").split("│")[0].strip(" █▁▂▃▄▅▆▇▎") == "↓ new", "it covers no text"
        await seat.sees("question 0")
        assert await seat.pilot.click("#new-below")
        await seat.sees("It came late.")
        await seat.sees_no("↓ new")


async def test_the_line_under_an_answer_opens_its_route_card(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        for model, prompt in (("tern-max", "What is the capital of France?"), ("rush-pro", "And of Spain?")):
            await seat.send(f"/model {model}")
            await seat.send(prompt)
            await seat.ended()
        await seat.sees("→ demo-openai/rush-pro")
        await seat.click((await seat.line("│ tern-max · ", "↑"))[:40], on=4)
        await seat.sees("→ demo-anthropic/tern-max")
        await seat.sees_no("→ demo-openai/rush-pro")


async def test_the_mark_goes_from_message_to_message(tmp_path: Path) -> None:
    async with asked(tmp_path, PARIS, Say(text="It is blue.")) as seat:
        assert marked(seat) == ""
        await seat.pilot.press("f2")
        await seat.until(lambda: "It is blue." in marked(seat))
        await seat.pilot.press("up")
        await seat.until(lambda: "And question 1?" in marked(seat))
        await seat.pilot.press("up")
        await seat.until(lambda: "print('Paris')" in marked(seat))
        await seat.pilot.press("up", "up")
        await seat.until(lambda: PROMPT in marked(seat))
        await seat.pilot.press("down", "escape")
        await seat.until(lambda: marked(seat) == "")


async def test_a_message_taller_than_the_view_is_gone_through_before_the_next(tmp_path: Path) -> None:
    async with console(tmp_path, size=(80, 24)) as seat:
        text = "\n\n".join(f"paragraph {number}" for number in range(30))
        seat.app.chat.transcript.load(
            [Entry.answer(text, key=answer_key("r", 1)), Entry.prompt("below", key=prompt_key("s"))]
        )
        await seat.pilot.press("f2", "up")
        seen = set()
        for _ in range(20):
            seen |= set(re.findall(r"paragraph \d+", seat.screen))
            await seat.pilot.press("up")
        assert {f"paragraph {number}" for number in range(30)} <= seen
        assert "paragraph 0" in marked(seat)


async def test_the_menu_offers_only_what_is_possible(tmp_path: Path) -> None:
    async with asked(tmp_path, Say(text="It is blue."), PARIS) as seat:
        await seat.pilot.press("f2", "enter")
        await seat.sees("This answer", "copy code", "vote up", "ask again", "route card")
        assert "unfold" not in seat.screen
        await seat.pilot.press("escape", "up", "enter")
        await seat.sees("Your prompt", "ask again")
        assert "vote up" not in seat.screen
        await seat.pilot.press("escape", "up", "enter")
        await seat.sees("This answer", "vote up")
        assert "copy code" not in seat.screen


async def test_a_vote_from_the_menu_is_on_the_marked_answer(tmp_path: Path) -> None:
    async with asked(tmp_path, Say(text="It is blue."), PARIS) as seat:
        await seat.pilot.press("f2", "up", "up", "enter")
        await seat.type_into_list("vote up")
        await seat.until(lambda: "▲" in marked(seat), "the vote under the first answer")
        await seat.pilot.press("enter")
        await seat.sees("take the vote back")
        await seat.type_into_list("take")
        await seat.until(lambda: "▲" not in seat.screen)


async def test_an_answer_is_searched_warned_of_and_voted_on(tmp_path: Path) -> None:
    async with asked(tmp_path, PARIS) as seat:
        # Words are found counted and gone through.
        await seat.pilot.press("ctrl+f")
        await seat.write("paris")
        await seat.sees("1 of 2")
        assert lit(seat) == ["Paris"]
        await seat.pilot.press("enter")
        await seat.sees("2 of 2")
        await seat.pilot.press("down")
        await seat.sees("1 of 2")
        await seat.pilot.press("up")
        await seat.sees("2 of 2")
        await seat.pilot.press("x")
        await seat.sees("not found")
        assert lit(seat) == []
        await seat.pilot.press("escape")

        # A warning and a vote differ in shape.
        seat.app.say("80 % is spent", "warning")
        await seat.pilot.press("alt+u")
        await seat.line("! 80 % is spent")
        await seat.line("▲ ", " · $")

        # The mouse opens the menu by the right button and by the mark.
        row = next(y for y in range(40) if PROMPT in seat.app.chat.transcript.render_line(y).text)
        await seat.pilot.click("#transcript", offset=(5, row), button=3)
        await seat.sees("Your prompt")
        await seat.pilot.press("escape")
        await seat.pilot.click("#transcript", offset=(0, row))
        await seat.sees("Your prompt")


async def test_a_prompt_is_quoted_from_its_menu(tmp_path: Path) -> None:
    async with asked(tmp_path, PARIS) as seat:
        await seat.pilot.press("f2", "up", "enter")
        await seat.type_into_list("quote")
        await seat.until(lambda: seat.app.composer.prompt.text == f"> {PROMPT}\n\n", "the quotation")


@pytest.mark.cells(0)
@pytest.mark.parametrize("size", [(40, 10), (40, 12)])
async def test_what_one_looks_for_is_seen_in_a_narrow_line_too(tmp_path: Path, size: tuple[int, int]) -> None:
    async with console(tmp_path, size=size, script=Script().always(Say(text="It is blue, the sky."))) as seat:
        await seat.send("Why is the sky blue?")
        await seat.ended()
        await seat.pilot.press("ctrl+f", *"the", "space", *"sky")
        await seat.sees("find the sky", " of 2")
