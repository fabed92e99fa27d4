"""`vote` and `ask --again`: saying what one thinks of an answer, and asking for another."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Shell
from tui_orchestrator.demo import Reply, Say

QUESTION = "What is the capital of France?"


async def learned(shell: Shell, model: str) -> dict[str, object]:
    told = (await shell.run("models", "--json")).json
    found = next(one["learned"] for one in told if one["id"] == model)
    assert isinstance(found, dict)
    return found


async def votes(shell: Shell, session: str = "") -> list[str | None]:
    ids = [one["id"] for one in (await shell.run("sessions", "list", "--json")).json]
    told = (await shell.run("sessions", "show", session or ids[0], "--json")).json
    return [message["vote"] for message in told["messages"] if message["role"] == "assistant"]


async def test_a_vote_is_said_kept_and_shown(shell: Shell) -> None:
    await shell.run("ask", "-m", "rush-pro", QUESTION)
    ended = await shell.run("vote", "down")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == f"▼ openai/rush-pro in '{QUESTION}'; it has 0 for and 1 against now.\n"
    assert await votes(shell) == ["down"]
    assert (await learned(shell, "openai/rush-pro"))["votes"] == {"up": 0, "down": 1}
    row = next(row for row in (await shell.run("models")).out.splitlines() if row.startswith("openai/rush-pro "))
    assert "▼1" in row
    assert "−0.0" in row
    assert "▼" in (await shell.run("sessions", "show", await _session(shell))).out


async def _session(shell: Shell) -> str:
    return str((await shell.run("sessions", "list", "--json")).json[0]["id"])


async def test_a_second_vote_replaces_the_first_and_none_takes_it_back(shell: Shell) -> None:
    await shell.run("ask", "-m", "rush-pro", QUESTION)
    await shell.run("vote", "down")
    assert "1 for and 0 against" in (await shell.run("vote", "up")).err
    assert await votes(shell) == ["up"]
    assert "0 for and 0 against" in (await shell.run("vote", "none")).err
    assert await votes(shell) == [None]


async def test_an_older_answer_of_another_session_can_be_voted_on(shell: Shell) -> None:
    await shell.run("ask", "-m", "rush-pro", QUESTION)
    first = await _session(shell)
    await shell.run("ask", "-m", "rush-pro", "--continue", first, "And of Spain?")
    await shell.run("ask", "-m", "lumen-dash", "Something else")
    ended = await shell.run("vote", "up", "--session", first, "-n", "2")
    assert ended.code == 0
    assert await votes(shell, first) == ["up", None]


async def test_a_vote_changes_what_the_router_thinks_of_the_model(shell: Shell) -> None:
    async def chance() -> float:
        told = (await shell.run("route", "--json", QUESTION)).json
        found = next(one for one in told["candidates"] if one["model"] == "openai/rush-pro")
        return float(found["success_probability"])

    before = await chance()
    await shell.run("ask", "-m", "rush-pro", QUESTION)
    await shell.run("vote", "down")
    assert before - 0.07 <= await chance() < before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("vote", "up"), "there is no earlier session"),
        (("vote", "sideways"), "not known"),
        (("vote", "down", "-m", "rush-pro"), "goes with up"),
        (("ask", "--again"), "there is no earlier session"),
        (("ask", "--again", "a prompt"), "leave the prompt"),
    ],
)
async def test_what_cannot_be_done_is_said(shell: Shell, arguments: tuple[str, ...], said: str) -> None:
    ended = await shell.run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


async def test_there_is_nothing_to_vote_on_beyond_the_first_answer(shell: Shell) -> None:
    await shell.run("ask", "-m", "rush-pro", QUESTION)
    ended = await shell.run("vote", "up", "-n", "2")
    assert ended.code == 2
    assert "the session has 1 answer, so there is no answer 2 from the end" in ended.err


async def test_a_member_of_an_ensemble_can_be_named_the_best(shell: Shell) -> None:
    await shell.run("ask", "-e", "3", "Tabs or spaces?")
    (session,) = (await shell.run("sessions", "list", "--json")).json
    told = (await shell.run("sessions", "show", session["id"], "--json")).json
    answer = told["messages"][1]
    loser = next(one["model"] for one in answer["attempts"] if one["model"] != answer["model"])
    assert (await shell.run("vote", "up", "-m", loser)).code == 0
    assert (await learned(shell, loser))["votes"] == {"up": 1, "down": 0}
    assert (await learned(shell, answer["model"]))["votes"] == {"up": 0, "down": 0}
    ended = await shell.run("vote", "up", "-m", "nobody")
    assert ended.code == 2
    assert "its members were" in ended.err


async def test_again_asks_the_last_prompt_once_more(shell: Shell) -> None:
    shell.script.then(Say(text="First."), "rush-pro").then(Say(text="Second."), "rush-pro")
    await shell.run("ask", "-m", "rush-pro", QUESTION)
    ended = await shell.run("ask", "--again", "-m", "rush-pro")
    assert (ended.code, ended.out) == (0, "Second.\n")
    one, other = [exchange.body for exchange in shell.servers.exchanges if exchange.method == "POST"]
    assert one["messages"] == other["messages"]
    told = (await shell.run("sessions", "show", await _session(shell), "--json")).json
    assert [(m["text"], m["superseded"]) for m in told["messages"]] == [
        (QUESTION, False),
        ("First.", True),
        ("Second.", False),
    ]
    shown = (await shell.run("sessions", "show", await _session(shell))).out
    assert shown.index("(superseded)") < shown.index("First.") < shown.index("Second.")


async def test_again_on_another_model_goes_on_in_the_session_it_names(shell: Shell) -> None:
    await shell.run("ask", "-m", "rush-pro", QUESTION)
    first = await _session(shell)
    await shell.run("ask", "-m", "rush-pro", "Something else")
    ended = await shell.run("ask", "--again", "--continue", first, "-m", "lumen-dash", "--json")
    assert json.loads(ended.out)["model_used"] == "gemini/lumen-dash"
    tasks = (await learned(shell, "gemini/lumen-dash"))["tasks"]
    assert isinstance(tasks, dict)
    assert all(one["shift"] > 0 for one in tasks.values())


async def test_a_failed_turn_can_be_asked_again(shell: Shell) -> None:
    shell.script.then(Reply(400), "rush-pro")
    assert (await shell.run("ask", "-m", "rush-pro", QUESTION)).code == 1
    assert (await shell.run("ask", "--again", "-m", "rush-pro")).code == 0
