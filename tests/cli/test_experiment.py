"""`experiment`: two ways to be answered, on one's own turns or on a file."""

from __future__ import annotations

import json
import re
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.cli.conftest import Shell
from tui_orchestrator.demo import Say

PAGE = (Path(__file__).parents[2] / "docs" / "experiments.md").read_text()
NAMES = {"gpt-6-luna": "rush-mini", "claude-haiku-5.5": "rush-pro", "claude-opus-5.5": "lumen-deep"}
"""Of the page, as the demo servers have them."""


def sums(*numbers: int, **more: Any) -> str:
    return "".join(
        json.dumps({"prompt": f"What is {one} + {one}?", "expected": 2 * one, **more}) + "\n" for one in numbers
    )


async def test_an_experiment_on_one_s_own_turns_is_started_told_of_and_stopped(shell: Shell) -> None:
    assert "There is no experiment yet" in (await shell.run("experiment")).err
    started = await shell.run("experiment", "start", "thrift", "--a", "cheapest", "--b", "quality", "--share", "20%")
    assert started.out == "thrift runs: A is strategy=cheapest, B is strategy=quality, 20 % of the turns go to B.\n"
    answered = await shell.run("ask", "What is 2 + 2?")
    assert "experiment thrift, " in answered.err
    told = (await shell.run("ask", "--json", "What is 3 + 3?")).json
    assert told["metadata"]["decision"]["experiment"]["name"] == "thrift"
    assert "experiment" not in (await shell.run("ask", "-s", "quality", "What is 3 + 3?")).err
    await shell.run("vote", "up", "--session", (await shell.run("sessions", "list", "--json")).json[1]["id"])
    shown = await shell.run("experiment", "show")
    assert shown.out.startswith("thrift · running · on your own turns · since ")
    assert "strategy=cheapest" in shown.out
    assert "Nothing is known yet" in shown.out
    found = (await shell.run("experiment", "show", "thrift", "--json")).json
    assert found["a"]["turns"] + found["b"]["turns"] == 2
    assert found["a"]["outcomes"] + found["b"]["outcomes"] == 1
    assert (found["share_of_b"], found["better"], found["p_value"]) == (0.2, None, 1.0)
    again = await shell.run("experiment", "start", "two", "--a", "cheapest", "--b", "default")
    assert (again.code, "thrift runs already" in again.err) == (2, True)
    assert "thrift · stopped" in (await shell.run("experiment", "stop")).out
    assert "stopped  strategy=cheapest" in (await shell.run("experiment", "list")).out
    assert "experiment" not in (await shell.run("ask", "What is 4 + 4?")).err
    taken = await shell.run("experiment", "start", "thrift", "--a", "cheapest", "--b", "default")
    assert (taken.code, "there is an experiment thrift already" in taken.err) == (2, True)
    assert "thrift is forgotten" in (await shell.run("experiment", "delete", "thrift")).err
    assert (await shell.run("experiment", "list", "--json")).json == {"experiments": []}


def judged_before(home: str) -> None:
    (path,) = Path(home).rglob("*.db")
    with closing(sqlite3.connect(path)) as store:
        (experiment,) = store.execute("SELECT id FROM experiments").fetchone()
        for number in range(30):
            side, at = "ab"[number % 2], f"2026-11-21T12:{number:02}:00.000000+00:00"
            row = (experiment, f"r{number}", f"p{number}", side, at, side == "b", "judge", at)
            store.execute("INSERT INTO experiment_turns VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)", row)
        store.commit()


async def test_that_it_is_decided_is_said_once_behind_whatever_was_asked(shell: Shell) -> None:
    """By a judge that has told of thirty turns before."""
    await shell.run("experiment", "start", "thrift", "--a", "cheapest", "--b", "quality")
    judged_before(shell.environment["TUI_ORCHESTRATOR_HOME"])
    answered = await shell.run("ask", "What is 2 + 2?")
    assert "Experiment thrift: B is better by 100 points (95 % sure)" in answered.err
    assert "`experiment stop` ends it." in answered.err
    assert "Experiment thrift" not in (await shell.run("ask", "What is 3 + 3?")).err
    shown = await shell.run("experiment", "show")
    assert "thrift · decided" in shown.out
    assert "Experiment thrift" not in shown.err


async def test_what_is_wrong_is_said_with_what_would_be_right(shell: Shell) -> None:
    for wrong, hint in (
        (("--a", "strategy=cheapst", "--b", "quality"), "did you mean cheapest?"),
        (("--a", "model=rush-prod", "--b", "quality"), "did you mean"),
        (("--a", "quality", "--b", "strategy=quality"), "nothing to compare"),
        (("--a", "quality", "--b", "default", "--share", "0%"), "from 5% to 95%"),
        (("--a", "quality", "--b", "default", "--judge", "nobody"), "no model is called"),
    ):
        ended = await shell.run("experiment", "start", "x", *wrong)
        assert ended.code == 2
        assert hint in ended.err
    assert (await shell.run("experiment", "show", "nobody")).code == 2


async def test_a_file_is_asked_both_ways_until_the_difference_is_real_and_no_further(shell: Shell) -> None:
    shell.script.always(Say("It is 0."), "rush-mini")
    shell.write("sums.jsonl", sums(*range(1, 14)))
    way = ("--a", "model=rush-mini", "--b", "model=rush-pro")
    estimate = await shell.run("experiment", "run", "sums.jsonl", *way, "--estimate")
    assert "26 answers: about $" in estimate.err
    assert shell.asked == []
    ended = await shell.run("experiment", "run", "sums.jsonl", *way, "--at-once", "1")
    assert ended.code == 0, ended.err
    assert "Decided with 4 prompts left, which were not asked" in ended.err
    assert "B is better by 100 points (95 % sure); a turn of it costs " in ended.out
    assert sorted(shell.asked) == ["rush-mini"] * 9 + ["rush-pro"] * 9
    found = (await shell.run("experiment", "show", "sums", "--json")).json
    assert (found["on"], found["state"], found["better"], found["decided_after"]) == ("file", "stopped", "b", 9)
    assert (found["a"]["good"], found["b"]["good"], found["b"]["outcomes"]) == (0, 9, 9)
    assert found["a"]["cost_usd"] < found["b"]["cost_usd"]
    every = await shell.run("experiment", "run", "sums.jsonl", *way, "--all")
    assert "9 of 13 prompts were answered both ways before." in every.err
    assert len(shell.asked) == 26
    other = await shell.run("experiment", "run", "sums.jsonl", "--a", "quality", "--b", "default")
    assert (other.code, "compares something else" in other.err) == (2, True)


async def test_the_cap_of_one_on_a_file_is_called_the_experiments(shell: Shell) -> None:
    shell.write("sums.jsonl", sums(1, 2))
    command = ("experiment", "run", "sums.jsonl", "--a", "model=rush-mini", "--b", "model=rush-pro", "-c", "0.000001")
    refused = await shell.run(*command)
    assert "passes the experiment's cap" in refused.err
    stopped = await shell.run(*command, "--yes")
    assert stopped.code == 3
    assert "the experiment's cap has $0.0000010 left" in stopped.err
    assert "session" not in refused.err + stopped.err
    assert shell.asked == []


async def test_an_expected_answer_stands_under_any_key_and_a_judge_tells_where_there_is_none(shell: Shell) -> None:
    shell.script.always(Say("WRONG: it is not."), "lumen-dash")
    shell.write("q.jsonl", '{"prompt": "Explain a mutex"}\n{"prompt": "What is 2 + 2?", "answer": "4"}\n')
    way = ("--a", "model=rush-mini", "--b", "model=rush-pro", "--expected-field", "answer")
    ended = await shell.run("experiment", "run", "q.jsonl", *way)
    assert (ended.code, ended.err.strip()) == (
        2,
        "line 1 has no expected answer; give it one, or say --judge MODEL",
    )
    ended = await shell.run("experiment", "run", "q.jsonl", *way, "--judge", "lumen-dash", "--json")
    assert ended.code == 0, ended.err
    assert shell.asked.count("lumen-dash") == 2
    assert (ended.json["a"]["outcomes"], ended.json["a"]["good"], ended.json["b"]["good"]) == (2, 1, 1)
    assert ended.json["judging_cost_usd"] > 0


async def test_a_cap_stops_it_and_the_same_command_goes_on(shell: Shell) -> None:
    shell.write("sums.jsonl", sums(*range(1, 7)))
    command = ("experiment", "run", "sums.jsonl", "--a", "model=rush-mini", "--b", "model=rush-pro", "--all")
    refused = await shell.run(*command, "-c", "0.000001")
    assert refused.code == 3
    assert "Raise the cap, or say --yes" in refused.err
    stopped = await shell.run(*command, "-c", "0.000001", "--yes")
    assert stopped.code == 3
    assert "Stopped by a budget" in stopped.err
    assert shell.asked == []
    done = await shell.run(*command)
    assert (done.code, len(shell.asked)) == (0, 12)
    assert "Not decided" in done.out
    assert "Nothing is left to ask" in (await shell.run(*command, "--estimate")).err


async def test_where_nobody_can_count_what_is_spent_it_stops_and_no_answer_counts_as_bad(shell: Shell) -> None:
    shell.write("sums.jsonl", sums(*range(1, 7)))
    mended = shell.config.read_text()
    shell.config.write_text(f'{mended}[budgets]\ndaily_usd = 5.0\n[shared]\nurl = "redis://127.0.0.1:9/0"\n')
    command = ("experiment", "run", "sums.jsonl", "--a", "model=rush-mini", "--b", "model=rush-pro", "--all", "--yes")
    stopped = await shell.run(*command, "--json")
    assert stopped.code == 1
    assert "✗ Stopped: Nothing more is called" in stopped.err
    assert "6 prompts are left. Once that is mended" in stopped.err
    assert stopped.json["a"]["outcomes"] == stopped.json["b"]["outcomes"] == 0
    shell.config.write_text(mended)
    assert ((await shell.run(*command)).code, len(shell.asked)) == (0, 12)


async def test_a_line_nested_too_deeply_is_named(shell: Shell) -> None:
    shell.write("deep.jsonl", '{"prompt": ' + "[" * 100_000)
    way = ("--a", "model=rush-mini", "--b", "model=rush-pro")
    run = ("experiment", "run", "deep.jsonl", *way)
    for command in (run, ("eval", "deep.jsonl"), ("route", "--jsonl", "deep.jsonl")):
        ended = await shell.run(*command)
        assert (ended.code, "deep.jsonl:1: is nested too deeply: more than 200 levels" in ended.err) == (2, True)


async def test_the_lines_must_leave_to_the_two_ways_what_these_are_about(shell: Shell) -> None:
    shell.write("q.jsonl", sums(1, model="rush-pro"))
    ended = await shell.run("experiment", "run", "q.jsonl", "--a", "cheapest", "--b", "quality")
    assert (ended.code, "line 1 says itself which model answers" in ended.err) == (2, True)
    shell.write("q.jsonl", sums(1, system="Be kind."))
    ended = await shell.run("experiment", "run", "q.jsonl", "--a", "default", "--b", "system=Be brief.")
    assert (ended.code, "line 1 has a system text" in ended.err) == (2, True)
    shell.write("q.jsonl", sums(1))
    ended = await shell.run("experiment", "run", "q.jsonl", "--a", "default", "--b", "system=Be brief.")
    assert ended.code == 0, ended.err


async def test_a_file_s_prompts_take_no_part_in_what_runs_on_one_s_own_turns(shell: Shell) -> None:
    await shell.run("experiment", "start", "brief", "--a", "default", "--b", "system=Be brief.")
    shell.write("q.jsonl", sums(1, 2))
    await shell.run("experiment", "run", "q.jsonl", "--a", "model=rush-mini", "--b", "model=rush-pro")
    found = (await shell.run("experiment", "show", "brief", "--json")).json
    assert found["a"]["turns"] + found["b"]["turns"] == 0


async def test_the_page_s_commands_do_what_it_says_one_after_the_other(shell: Shell) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    shell.write("questions.jsonl", example)
    commands = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    assert len(commands) == 13
    for command in commands:
        for name, there in NAMES.items():
            command = command.replace(name, there)
        ended = await shell.run(*shlex.split(command)[1:])
        assert ended.code == 0, (command, ended.err)
    told = (await shell.run("experiment", "list", "--json")).json["experiments"]
    assert {(one["name"], one["on"], one["state"]) for one in told} == {
        ("thrift", "traffic", "stopped"),
        ("brief", "traffic", "stopped"),
        ("questions", "file", "stopped"),
        ("brief-file", "file", "stopped"),
    }
    compared = next(one for one in told if one["name"] == "questions")
    # Of the three the demo knows two.
    assert (compared["a"]["outcomes"], compared["b"]["good"]) == (3, 2)
