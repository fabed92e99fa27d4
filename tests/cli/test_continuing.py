"""`ask --continue-answer`: an answer that was cut off goes on where it stopped."""

from __future__ import annotations

import pytest

from tui_orchestrator.demo import Reply, Say

from .conftest import Shell

HALF = Say(text="One, two,", finish="length")
REST = Say(text=" three.")


async def test_the_rest_alone_is_printed_and_the_session_holds_it_whole(shell: Shell) -> None:
    shell.script.then(HALF, "rush-pro").always(REST)
    first = await shell.run("ask", "Count", "-m", "rush-pro")
    assert "cut off at the most tokens it may have; `ask --continue-answer` goes on" in first.err
    ended = await shell.run("ask", "--continue-answer")
    assert (ended.code, ended.out) == (0, " three.\n")
    assert shell.asked[-2:] == ["rush-pro", "rush-pro"]
    (session,) = (await shell.run("sessions", "list", "--json")).json
    shown = await shell.run("sessions", "show", session["id"])
    assert "One, two, three." in shown.out
    assert shown.out.count("## ") == 2
    again = await shell.run("ask", "--continue-answer", "--continue", session["id"])
    assert again.code == 2
    assert "the last answer was not cut off, so there is nothing to continue" in again.err


async def test_another_model_that_goes_on_is_told_in_the_text(shell: Shell) -> None:
    shell.script.then(HALF, "rush-pro").then(Reply(401), "rush-pro").always(REST)
    await shell.run("ask", "Count", "-m", "rush-pro")
    ended = await shell.run("ask", "--continue-answer", "--json")
    name = ended.json["model_used"].partition("/")[2]
    assert name != "rush-pro"
    assert ended.json["response"] == " three."
    assert ended.json["whole_response"] == f"One, two,\n\n*— continued by {name} —*\n\n three."


async def test_it_is_called_continue_wherever_its_strategy_is_told(shell: Shell) -> None:
    shell.script.then(HALF, "rush-pro").always(REST)
    await shell.run("ask", "Count", "-m", "rush-pro")
    ended = await shell.run("ask", "--continue-answer")
    assert "→ openai/rush-pro · continue · continues its own answer" in ended.err
    booked = (await shell.run("costs", "--by", "strategy", "--format", "json")).json
    assert {row["strategy"] for row in booked["rows"]} == {"balanced", "continue"}
    assert "continue" in (await shell.run("stats", "--by", "strategy")).out
    replayed = (await shell.run("route", "--replay", "latest", "--json")).json
    assert replayed["stored"]["strategy"] == replayed["replayed"]["strategy"] == "continue"
    otherwise = (await shell.run("route", "--replay", "latest", "-s", "quality", "--json")).json
    assert otherwise["under"]["quality"]["strategy"] == "quality"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--again",), "choose one"),
        (("And?",), "leave the prompt and --file out"),
        (("-e", "3"), "leave -e out"),
        (("--temporary",), "leave --temporary out"),
        ((), "there is no earlier session to continue"),
    ],
)
async def test_what_makes_no_sense_is_said(shell: Shell, arguments: tuple[str, ...], said: str) -> None:
    ended = await shell.run("ask", "--continue-answer", *arguments)
    assert ended.code == 2
    assert said in ended.err
