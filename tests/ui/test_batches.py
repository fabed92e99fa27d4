"""A batch as a person carries it out in the console, beside the conversation."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from textual.events import Paste

from benchmarks.terminal.endings import CONSOLE, READY
from benchmarks.terminal.pseudoterminal import Pseudoterminal, environment
from tests.ui.conftest import Console, console
from tests.warm import AtTerminal
from tui_orchestrator.batch import Phase as Stands
from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.money import Money

PARIS = Script().always(Say("Paris."))


def write(path: Path, *lines: dict[str, Any], name: str = "questions.jsonl") -> Path:
    file = path / name
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def numbered(count: int, **wanted: Any) -> list[dict[str, Any]]:
    return [{"prompt": f"What is {n} + {n}?", "model": "rush-pro", **wanted} for n in range(count)]


def answers(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (path / "questions.out.jsonl").read_text().splitlines()]


async def weigh(seat: Console, file: str = "questions.jsonl") -> None:
    await seat.send(f"/batch {file}")
    await seat.sees("Ask many prompts from a file", file)
    await seat.pilot.press("enter")


async def begin(seat: Console) -> None:
    await seat.sees("▸ not yet")
    await seat.pilot.press("down", "enter")


def walk(terminal: Pseudoterminal, *keys_and_signs: bytes) -> None:
    """Types what ends with Enter, waits for anything else."""
    for one in keys_and_signs:
        if one.endswith(b"\r"):
            terminal.send(one)
        else:
            terminal.until(one)


def agree(terminal: Pseudoterminal) -> None:
    for key in (b"\x1b[B", b"\r"):
        terminal.quiet()
        terminal.send(key)


def grown(terminal: Pseudoterminal, output: Path, lines: int) -> None:
    for _ in range(2400):
        terminal.read(0.05)
        if output.exists() and output.read_bytes().count(b"\n") >= lines:
            return
    raise AssertionError(f"fewer than {lines} lines in {output}")


async def test_a_file_of_plain_text_is_told_what_its_lines_should_be(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Why is the sky blue?\nWhat is DNS?\n")
    async with console(tmp_path, size=(80, 24)) as seat:
        await weigh(seat, "notes.txt")
        first = await seat.line("✗ none of the lines of")
        rows = seat.screen.splitlines()
        row, at = rows.index(first), first.index("✗")
        assert rows[row + 1][at : at + 2] == "  "
        assert rows[row + 1][at + 2] != " "
        said = " ".join(line[at + 2 :].rstrip("│ ") for line in rows[row : row + 3])
        assert 'is JSON; each is an object such as {"prompt": "Why is the sky blue?"}' in said


async def test_one_is_found_weighed_begun_and_ends_with_its_figures(tmp_path: Path) -> None:
    write(tmp_path, *numbered(5))
    async with console(tmp_path, script=PARIS) as seat:
        await seat.pilot.press("f4", "b")
        await seat.sees("Ask many prompts from a file", "nothing is sent before you say so")
        await seat.pilot.press(*"ques")
        await seat.sees("▸ questions.jsonl")
        await seat.pilot.press("tab", "enter")
        await seat.sees(
            "○ not begun", "5 to ask: about $", "rush-pro 5", "▸ not yet: nothing is sent", "begin: it spends"
        )
        assert not (tmp_path / "questions.out.jsonl").exists()
        await begin(seat)
        await seat.sees("✓ done", "5 of 5", "✓ 5 answered", "✗ 0 failed", "/min", "rush-pro 5")
        await seat.pilot.press("escape")
        await seat.sees("Batch 'questions.jsonl': 5 answered, $", "The answers stand in questions.out.jsonl.")
    assert sorted(record["line"] for record in answers(tmp_path)) == [1, 2, 3, 4, 5]


AHEAD = {
    "Enter pressed again and again": ("enter",) * 7,
    "letters that are keys elsewhere": (*"ynsrb", "enter", *"y", "enter"),
}


@pytest.mark.parametrize("keys", AHEAD.values(), ids=AHEAD.keys())
@pytest.mark.parametrize("budgets", [Budgets(), Budgets(daily=Money.from_usd("0.0001"))], ids=["no cap", "past a cap"])
async def test_keys_typed_ahead_begin_none(tmp_path: Path, keys: tuple[str, ...], budgets: Budgets) -> None:
    write(tmp_path, *numbered(3))
    async with console(tmp_path, script=PARIS, budgets=budgets) as seat:
        await weigh(seat)
        await seat.pilot.press(*keys)
        await seat.sees("3 to ask: about $", "○ not begun")
        await seat.pilot.press(*keys)
        await seat.sees("○ not begun")
        assert not (tmp_path / "questions.out.jsonl").exists()
        assert seat.app.batches[0].phase is Stands.WEIGHED


async def test_the_conversation_goes_on_beside_it_and_leaving_loses_nothing(tmp_path: Path) -> None:
    write(tmp_path, *numbered(6))
    script = Script().always(Break("silence", Phase.BEFORE_TEXT), "rush-pro").then(Say("Four."), "rush-pro", times=2)
    async with console(tmp_path, script=script) as seat:
        await weigh(seat)
        await seat.sees("6 to ask")
        await begin(seat)
        await seat.sees("2 of 6", "◐ running", "s stops it")
        await seat.pilot.press("escape")
        await seat.sees("◐ batch 2/6")
        script.always(Say("Rome."), "lumen-dash")
        await seat.send("/model lumen-dash")
        await seat.send("What is the capital of Italy?")
        await seat.ended()
        await seat.sees("Rome.")
    assert len(answers(tmp_path)) == 2
    async with console(tmp_path, script=Script().always(Say("Four."))) as seat:
        await seat.sees("Under way when the console ended: the batch 'questions.jsonl'. /batch goes on where it was.")
        await seat.send("/batch")
        await seat.sees("It was under way when the console ended.", "2 of 6 lines are there already.", "4 to ask")
        await seat.pilot.press("enter")
        await seat.sees("go on: it spends about that")
        await begin(seat)
        await seat.sees("✓ done", "6 of 6", "✓ 4 answered")
    async with console(tmp_path) as seat:
        await seat.send("/batch")
        await seat.sees("Ask many prompts from a file")
        await seat.sees_no("Under way when the console ended")
    assert sorted(record["line"] for record in answers(tmp_path)) == [1, 2, 3, 4, 5, 6]
    assert len({record["session"] for record in answers(tmp_path)}) == 1


async def test_it_is_stopped_and_goes_on_later(tmp_path: Path) -> None:
    write(tmp_path, *numbered(4))
    script = Script().always(Break("silence", Phase.BEFORE_TEXT), "rush-pro").then(Say("Four."), "rush-pro", times=1)
    async with console(tmp_path, script=script) as seat:
        await weigh(seat)
        await seat.sees("4 to ask")
        await begin(seat)
        await seat.sees("1 of 4")
        await seat.pilot.press("s")
        await seat.sees("◔ stopping", "Those under way end, no other is begun; s once more cancels them.")
        await seat.pilot.press("s")
        await seat.sees("■ stopped", "3 lines are left; s goes on with them")
        script.always(Say("Four."), "rush-pro")
        await seat.pilot.press("s")
        await seat.sees("○ not begun", "1 of 4 lines are there already.", "3 to ask")
        await begin(seat)
        await seat.sees("✓ done", "4 of 4")
    assert len(answers(tmp_path)) == 4


async def test_what_failed_is_told_with_its_error_and_asked_again(tmp_path: Path) -> None:
    write(tmp_path, {"id": "odd", "prompt": "One?", "model": "rush-pro"}, {"prompt": "Two?", "model": "lumen-dash"})
    script = Script().always(Say("Fine.")).then(Reply(400, "the tide is out [@click=app.quit]x[/]"), "rush-pro")
    async with console(tmp_path, script=script) as seat:
        await weigh(seat)
        await seat.sees("2 to ask")
        await begin(seat)
        await seat.sees("✓ 1 answered", "✗ 1 failed", "bad request 1", "✗ odd", "the tide is out [@click=app.quit]x[/]")
        await seat.pilot.press("r")
        await seat.sees("The 1 that failed are asked again.", "1 to ask")
        assert {record["status"] for record in answers(tmp_path)} == {"answered", "failed"}, "until it is begun"
        await begin(seat)
        await seat.sees("✓ done", "✓ 1 answered", "✗ 0 failed")
        await seat.sees_no("the tide is out")
    assert [record["status"] for record in answers(tmp_path)] == ["answered", "answered"]


async def test_past_a_cap_it_asks_first_and_stops_there(tmp_path: Path) -> None:
    write(tmp_path, *numbered(30, max_tokens=100))
    tight = Budgets(daily=Money.from_usd("0.005"))
    async with console(tmp_path, script=Script().always(Say("word " * 80)), budgets=tight) as seat:
        await weigh(seat)
        await seat.sees("! About $", "passes the day's cap", "begin all the same: it stops at the day's cap")
        await begin(seat)
        # Nobody is asked to raise the cap for each line.
        await seat.sees("■ stopped", "Stopped by a budget: ", "s goes on with them once the cap is raised")
        assert seat.app.runtime is not None
        states = await seat.app.runtime.budget_states()
        assert all(state.left is None or state.left.picodollars >= 0 for state in states)
        await seat.pilot.press("escape")
        await seat.sees("A budget stopped it with ")


async def test_what_is_wrong_is_said_where_it_can_be_mended(tmp_path: Path) -> None:
    write(tmp_path, {"prompt": "One?", "modle": "rush-pro"}, name="wrong.jsonl")
    async with console(tmp_path, script=PARIS) as seat:
        await seat.send("/batch")
        await seat.sees("Ask many prompts from a file")
        await seat.pilot.press("enter")
        await seat.sees("✗ which file?")
        await seat.pilot.press(*"none.jsonl", "enter")
        await seat.sees("none.jsonl cannot be read: No such file")
        await seat.pilot.press("ctrl+u", *"wrong.jsonl", "enter")
        await seat.sees("wrong.jsonl:1: modle: is an unknown key; did you mean model?")
        await seat.pilot.press("down", "down", "down", *"rush-por", "enter")
        await seat.sees("✗ no model is called 'rush-por'")
        await seat.pilot.press("escape")
        await seat.sees_no("╭─ Batch")


async def test_an_output_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    write(tmp_path, *numbered(1))
    os.mkfifo(tmp_path / "pipe")
    async with console(tmp_path, script=PARIS) as seat:
        await seat.send("/batch questions.jsonl")
        await seat.sees("Ask many prompts from a file")
        for output, why in (("pipe", "it is a pipe or a device, not a file"), ("x" * 300, "File name too long")):
            await seat.pilot.press("down", "ctrl+u")
            seat.app.post_message(Paste(output))
            await seat.pilot.press("enter")
            await seat.sees(why)
            await seat.pilot.press("up")
        await seat.pilot.press("escape")
        await seat.sees_no("╭─ Ask many")


async def test_several_are_under_way_at_once_each_with_its_state(tmp_path: Path) -> None:
    write(tmp_path, *numbered(3))
    write(tmp_path, *numbered(2), name="more.jsonl")
    script = Script().always(Break("silence", Phase.BEFORE_TEXT)).then(Say("Four."), "rush-pro", times=1)
    async with console(tmp_path, script=script) as seat:
        await weigh(seat)
        await seat.sees("3 to ask")
        await begin(seat)
        await seat.sees("1 of 3", "n another file")
        await seat.pilot.press("escape")
        await weigh(seat, "more.jsonl")
        await seat.sees("2 to ask")
        await seat.pilot.press("escape")
        await seat.sees("2 to ask", "◐ questions.jsonl", "1 of 3 · running", "▸ ○ more.jsonl", "0 of 2 · not begun")
        await seat.pilot.press("enter")
        await begin(seat)
        await seat.sees("▸ ◐ more.jsonl", "0 of 2 · running")
        await seat.pilot.press("tab")
        await seat.sees("▸ ◐ questions.jsonl")
        await seat.pilot.press("s", "s")
        await seat.sees("1 of 3 · stopped", "0 of 2 · running")
        await seat.pilot.press("escape")
        await seat.sees("◐ batch 0/2")
        await seat.send("/batch questions.jsonl")
        await seat.sees("▸ ■ questions.jsonl", "s goes on")


def test_a_killed_console_comes_back_with_its_batch_and_asks_nothing_twice(tmp_path: Path) -> None:
    count = 24
    # Of the demo's models one that never breaks off: an outage would be waited for.
    write(tmp_path, *numbered(count, model="tern-lite"))
    output = tmp_path / "questions.out.jsonl"
    with Pseudoterminal(CONSOLE, environment(tmp_path), cwd=tmp_path, start=AtTerminal) as terminal:
        terminal.until(READY)
        walk(terminal, b"/batch questions.jsonl\r", b"Enter says what it costs", b"\r", b"spends about that")
        agree(terminal)
        grown(terminal, output, 2)
        terminal.kill(signal.SIGKILL)
        terminal.end()
    before = answers(tmp_path)
    assert 2 <= len(before) < count
    with Pseudoterminal(CONSOLE, environment(tmp_path), cwd=tmp_path, start=AtTerminal) as terminal:
        terminal.until(READY)
        there = f"{len(before)} of {count} lines are there already".encode()
        walk(terminal, b"Under way when the console ended", b"/batch\r", there, b"\r", b"spends about that")
        agree(terminal)
        grown(terminal, output, count)
        terminal.kill(signal.SIGTERM)
        terminal.end()
    after = answers(tmp_path)
    assert after[: len(before)] == before
    assert sorted(record["line"] for record in after) == list(range(1, count + 1)), "each once"


async def test_one_whose_file_is_gone_is_said_and_not_kept(tmp_path: Path) -> None:
    file = write(tmp_path, *numbered(2))
    async with console(tmp_path, script=Script().always(Break("silence", Phase.BEFORE_TEXT))) as seat:
        await weigh(seat)
        await seat.sees("2 to ask")
        await begin(seat)
        await seat.sees("◐ running")
        await seat.pilot.press("escape")
    file.unlink()
    async with console(tmp_path) as seat:
        await seat.sees("Under way when the console ended: the batch 'questions.jsonl'.")
        await seat.send("/batch")
        await seat.sees("Ask many prompts from a file")
        await seat.pilot.press("escape")
        await seat.sees("! The batch 'questions.jsonl' cannot go on: ")
    async with console(tmp_path) as seat:
        await seat.send("/batch")
        await seat.sees("Ask many prompts from a file")
        await seat.sees_no("Under way when the console ended")


async def test_a_narrow_screen_has_all_of_it(tmp_path: Path) -> None:
    write(tmp_path, *numbered(3))
    async with console(tmp_path, script=PARIS, size=(60, 20)) as seat:
        await weigh(seat)
        await seat.sees("3 to ask: about $")
        await begin(seat)
        await seat.sees("✓ done", "3 of 3", "✓ 3 answered")
