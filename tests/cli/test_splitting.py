"""A prompt too long for every model on the command line: its price is shown, agreed to or not, each part is told."""

from __future__ import annotations

import json
import os

import pytest

from tests.cli.conftest import Shell
from tests.cli.terminal import terminal
from tests.turns.test_parted import QUESTION, report
from tui_orchestrator.demo import Reply, Say

PINNED = ("-m", "pebble-3b")


@pytest.fixture
def file(shell: Shell) -> str:
    shell.script.always(Say("All rooms are in good order."))
    return shell.write("report.md", report())


async def test_route_tells_the_parts_and_the_price(shell: Shell, file: str) -> None:
    ended = await shell.run("route", *PINNED, QUESTION, "--file", file)
    assert ended.code == 0
    assert "longer than team/pebble-3b's context: " in ended.out
    assert "parts with team/pebble-3b, then put together by team/pebble-3b: about $0, at most $0" in ended.out
    told = (await shell.run("route", "--json", *PINNED, QUESTION, "--file", file)).json["division"]
    assert told["parts"] > 1
    assert told["reader"] == told["writer"] == "team/pebble-3b"


async def test_without_a_terminal_nothing_is_sent_and_the_refusal_names_the_flag(shell: Shell, file: str) -> None:
    ended = await shell.run("ask", *PINNED, QUESTION, "--file", file)
    assert ended.code == 1
    assert ended.out == ""
    assert "longer than team/pebble-3b's context: " in ended.err
    assert "nothing was sent; --split always" in ended.err
    assert shell.asked == []


async def asked_on_a_terminal(shell: Shell, file: str, typed: bytes) -> tuple[int, str]:
    """`ask` at a terminal, where somebody types this at the question."""
    async with terminal(shell, "ask", *PINNED, QUESTION, "--file", file) as screen:
        await screen.until("Send it so? [y/N]")
        os.write(screen.master, typed)
        return await screen.end(), screen.seen


async def test_on_a_terminal_the_price_is_shown_and_yes_sends_it(shell: Shell, file: str) -> None:
    code, seen = await asked_on_a_terminal(shell, file, b"y\r")
    assert code == 0, seen
    asked, _, answered = seen.partition("at most $")
    assert "longer than team/pebble-3b's context: " in asked
    assert "All rooms are in good order." in answered
    assert len(shell.asked) > 2


@pytest.mark.parametrize("typed", [b"n\r", b"\r", b"what?\r", b"\x04"])
async def test_on_a_terminal_anything_but_yes_sends_nothing(shell: Shell, file: str, typed: bytes) -> None:
    code, seen = await asked_on_a_terminal(shell, file, typed)
    assert code == 1, seen
    assert "nothing was sent" in seen
    assert shell.asked == []


async def test_on_a_terminal_ctrl_c_at_the_question_ends_it(shell: Shell, file: str) -> None:
    code, seen = await asked_on_a_terminal(shell, file, b"\x03")
    assert code == 130, seen
    assert shell.asked == []


async def test_split_always_answers_and_tells_each_part_with_the_cost_so_far(shell: Shell, file: str) -> None:
    ended = await shell.run("ask", "--split", "always", *PINNED, QUESTION, "--file", file)
    assert ended.code == 0
    assert ended.out == "All rooms are in good order.\n"
    parts = len(shell.asked) - 1
    for part in range(1, parts + 1):
        assert f"part {part} of {parts} · team/pebble-3b · " in ended.err
        assert f"{part} of {parts} have ended, " in ended.err
    assert f"read in {parts} parts" in ended.err


async def test_split_never_is_the_error_it_was(shell: Shell, file: str) -> None:
    ended = await shell.run("ask", "--split", "never", *PINNED, QUESTION, "--file", file)
    assert ended.code == 1
    assert "reads 16,384 tokens" in ended.err
    assert shell.asked == []


async def test_a_missing_part_is_named_in_the_answer_and_on_stderr(shell: Shell, file: str) -> None:
    shell.script.then(Reply(400, "the third team is unknown"), "pebble-3b")
    ended = await shell.run("ask", "--split", "always", *PINNED, QUESTION, "--file", file)
    assert ended.code == 0
    assert "is missing from this answer: " in ended.out
    assert ended.out.endswith("All rooms are in good order.\n")
    assert "✗ part " in ended.err


async def test_the_events_name_the_parts_and_one_object_has_the_sum(shell: Shell, file: str) -> None:
    ended = await shell.run("ask", "--split", "always", "--events", *PINNED, QUESTION, "--file", file)
    started = [line for line in ended.lines if line["type"] == "attempt_started"]
    assert [line["cause"] for line in started[:-1]] == ["part"] * (len(started) - 1)
    assert started[-1]["cause"] == "synthesis"
    assert "part" not in started[-1]
    assert [line["ended"] for line in ended.lines if line["type"] == "part_ended"] == list(range(1, len(started)))
    attempts = ended.lines[-1]["metadata"]["attempts"]
    assert len(attempts) == len(started)
    assert json.dumps(ended.lines[-1]["cost"]) in {"0.0", "0"}


async def test_the_conversation_keeps_the_answer_and_folds_the_parts(shell: Shell, file: str) -> None:
    await shell.run("ask", "--split", "always", *PINNED, QUESTION, "--file", file)
    listed = await shell.run("sessions", "list", "--json")
    shown = await shell.run("sessions", "show", listed.json[0]["id"])
    assert shown.code == 0
    assert "All rooms are in good order." in shown.out
