"""`route`: the decision alone."""

from __future__ import annotations

import json

from tests.cli.conftest import Shell
from tui_orchestrator.routing.request import Strategy

MERGE = "Write a Python function that merges two sorted lists"


async def test_a_decision_is_told_with_every_candidate_and_nothing_is_called(shell: Shell) -> None:
    ended = await shell.run("route", MERGE)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert " · balanced · best balance" in lines[0]
    assert "difficulty" in lines[1]
    assert sum("  score " in line for line in lines) == 7
    assert any(line.startswith("  by: 1 × p − 0.4 × cost − 0.15 × time") for line in lines)
    assert any(line.startswith("  margin: ") for line in lines)
    assert sum(line.lstrip().startswith("→ ") for line in lines) == 1
    assert shell.asked == []


async def test_json_is_the_decision_alone(shell: Shell) -> None:
    ended = await shell.run("route", "--json", stdin=MERGE)
    assert ended.json["profile"]["task_type"] == "code"
    assert len(ended.json["candidates"]) == 7
    assert ended.json["model"] in [candidate["model"] for candidate in ended.json["candidates"]]


async def test_ask_goes_where_route_says(shell: Shell) -> None:
    decided = (await shell.run("route", "--json", MERGE)).json["model"]
    assert (await shell.run("ask", "--json", MERGE)).json["metadata"]["decision"]["model"] == decided


async def test_all_strategies_stand_side_by_side(shell: Shell) -> None:
    calm = {"TUI_ORCHESTRATOR_ROUTER__EXPLORATION": "0"}
    ended = await shell.run("route", "--strategy", "all", MERGE, **calm)
    head, *rows = ended.out.splitlines()
    assert head.split() == ["strategy", "model", "p", "cost", "time", "why"]
    assert [row.split()[0] for row in rows] == [strategy.value for strategy in Strategy]
    told = (await shell.run("route", "--strategy", "all", "--json", MERGE, **calm)).json
    assert [told[strategy.value]["strategy"] for strategy in Strategy] == list(Strategy)
    assert [told[strategy.value]["model"] for strategy in Strategy] == [row.split()[1] for row in rows]


async def test_a_file_of_prompts_becomes_a_decision_a_line(shell: Shell) -> None:
    shell.write(
        "p.jsonl",
        '{"id": "first", "prompt": "hello"}\n\n{"prompt": "Prove that √2 is irrational"}\n'
        '{"id": "\\u009b31m", "prompt": "a"}\n',
    )
    ended = await shell.run("route", "--jsonl", "p.jsonl")
    assert ended.code == 0
    assert [line["id"] for line in ended.lines] == ["first", 3, "\x9b31m"]
    assert all(line["model"] and line["candidates"] for line in ended.lines)
    assert "\x9b" not in ended.out
    piped = await shell.run("route", "--jsonl", "-", stdin='{"prompt": "hello"}')
    assert piped.lines[0]["id"] == 1
    assert shell.asked == []


async def test_a_bad_line_is_told_with_its_number_and_nothing_is_printed(shell: Shell) -> None:
    for line in ("nope", "[]", '{"prompt": 7}', '{"text": "hi"}', '{"prompt": "  "}', "[" * 100_000):
        shell.write("p.jsonl", json.dumps({"prompt": "hello"}) + f"\n{line}\n")
        ended = await shell.run("route", "--jsonl", "p.jsonl")
        assert (ended.code, ended.out) == (2, ""), line[:20]
        assert ended.err.startswith("p.jsonl:2: ")
        assert len(ended.err.splitlines()) == 1


async def test_a_budgets_no_is_exit_code_3_and_says_what_it_would_cost(shell: Shell) -> None:
    ended = await shell.run("route", "-s", "quality", "-c", "0.0001", MERGE)
    assert ended.code == 3
    assert "could cost" in ended.err
    assert "✗ anthropic/tern-max" in ended.out


async def test_no_model_at_all_is_exit_code_1_with_every_reason(shell: Shell) -> None:
    ended = await shell.run("route", stdin="heron " * 1_700_000)
    assert ended.code == 1
    assert ended.err.startswith("every model is out: ")
    assert ended.out.count(" out: reads ") == 7


async def test_a_pinned_model_and_a_chain_are_obeyed(shell: Shell) -> None:
    pinned = await shell.run("route", "-m", "tern-max", "hello")
    assert "anthropic/tern-max is pinned; no other model is tried" in pinned.out
    chain = await shell.run("route", "--chain", "rush-pro,lumen-dash", "hello")
    assert "chain: openai/rush-pro → gemini/lumen-dash" in chain.out


async def test_a_turn_of_yesterday_is_decided_again_and_comes_out_the_same(shell: Shell) -> None:
    sent = (await shell.run("ask", "--json", "-s", "balanced", MERGE)).json["metadata"]
    ended = await shell.run("route", "--replay", "latest")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0].endswith(f"request {sent['request_id']}")
    assert ended.out.endswith("it comes out the same.\n")
    told = (await shell.run("route", "--replay", sent["request_id"][:12], "--json")).json
    assert (told["same"], told["differences"], told["under"]) == (True, [], {})
    assert told["stored"] == told["replayed"] == sent["decision"]
    assert len(shell.asked) == 1


async def test_a_replay_says_what_another_strategy_would_have_changed(shell: Shell) -> None:
    await shell.run("ask", "-s", "cheapest", "hello")
    told = (await shell.run("route", "--replay", "latest", "-s", "quality", "--json")).json
    stored, other = told["stored"], told["under"]["quality"]
    ended = await shell.run("route", "--replay", "latest", "-s", "quality")
    assert f"Under quality: {other['model']} instead of {stored['model']}, " in ended.out
    assert " surer, $" in ended.out
    told = (await shell.run("route", "--replay", "latest", "-s", "all", "--json")).json
    assert [*told["under"]] == list(Strategy)
    assert told["under"]["cheapest"] == stored
    every = await shell.run("route", "--replay", "latest", "-s", "all")
    assert all(f"\n{strategy.value} " in every.out for strategy in Strategy)


async def test_a_replay_takes_only_what_was_stored(shell: Shell) -> None:
    for arguments, said in (
        (("hello",), "--replay takes what was stored; leave the prompt out\n"),
        (("-m", "tern-max"), "--replay takes what was stored; leave --model out\n"),
        (("--jsonl", "x.jsonl"), "--replay takes what was stored; leave --jsonl out\n"),
        ((), "no decision is kept yet; `ask` and the console make them\n"),
    ):
        ended = await shell.run("route", "--replay", "latest", *arguments)
        assert (ended.code, ended.out, ended.err) == (2, "", said)
