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
    picture = shell.write("heron.png", b"\x89PNG\r\n\x1a\n" + bytes(40))
    ended = await shell.run("route", "--chain", "pebble-3b", "What is this?", "--file", picture)
    assert ended.code == 1
    assert ended.err.startswith("every model is out: ")
    assert ended.out.count(" out: ") == 7
    assert " out: cannot read images" in ended.out


async def test_what_is_too_long_for_every_model_would_go_in_parts(shell: Shell) -> None:
    ended = await shell.run("route", stdin="heron " * 1_700_000)
    assert ended.code == 0
    assert "longer than any model's context: " in ended.out


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


async def test_a_session_is_decided_again_otherwise_with_the_difference_in_dollars(shell: Shell) -> None:
    first = (await shell.run("ask", "--json", "-s", "cheapest", "hello")).json["metadata"]
    await shell.run("ask", "--continue", "-s", "cheapest", MERGE)
    calls = len(shell.asked)
    same = await shell.run("route", "--replay", "session:latest")
    assert (same.code, same.err) == (0, "")
    assert same.out.endswith(": 2 decisions; made again from what was stored, they come out the same.\n")
    ended = await shell.run("route", "--replay", "session:latest", "-s", "quality")
    assert ended.out.splitlines()[0].endswith(": 2 decisions, nothing is called")
    assert "Under quality: 2 of 2 picks would change; ~$" in ended.out
    assert "All at the tokens the answers took; paid at the time, every attempt counted: $" in ended.out
    assert "That the other answers would have been as good is not claimed." in ended.out
    told = (await shell.run("route", "--replay", "session:latest", "-s", "quality", "--json")).json
    assert (told["turns"], told["changed"], told["left_out"], told["at_reported_tokens"]) == (2, 2, 0, 2)
    assert told["decisions"][0]["request_id"] == first["request_id"]
    assert told["decisions"][0]["tokens"]["output"] == first["attempts"][-1]["usage"]["output_tokens"]
    assert told["difference_usd"] > 0
    assert abs(told["after_usd"] - told["before_usd"] - told["difference_usd"]) < 1e-12
    every = await shell.run("route", "--replay", "session:latest", "-s", "all")
    assert [row.split()[0] for row in every.out.splitlines()[2:-1]] == [strategy.value for strategy in Strategy]
    assert len(shell.asked) == calls


async def test_a_threshold_and_other_prices_are_supposed_of_a_turn(shell: Shell) -> None:
    stored = (await shell.run("ask", "--json", "-s", "quality", "hello")).json["metadata"]["decision"]["model"]
    shell.write("half.toml", f'[[models]]\nid = "{stored}"\ntimes = 0.5\n')
    ended = await shell.run("route", "--replay", "latest", "--prices", "half.toml")
    assert f"Under prices of half.toml: the same, {stored}; " in ended.out
    assert "0 of 1 picks would change; ~$" in ended.out
    assert " less (50 %); all at the tokens the answers took" in ended.out
    told = (await shell.run("route", "--replay", "latest", "-s", "cheapest", "--threshold", "0", "--json")).json
    assert told["what_if"]["supposed"] == {"strategy": "cheapest", "threshold": 0.0, "prices": {}}
    assert told["under"]["cheapest"]["model"] == told["what_if"]["decisions"][0]["to"]


async def test_a_file_of_prompts_is_decided_as_now_and_as_supposed(shell: Shell) -> None:
    shell.write("p.jsonl", '{"id": "first", "prompt": "hello"}\n{"prompt": "Prove that √2 is irrational"}\n')
    told = (await shell.run("route", "--replay", "p.jsonl", "-s", "quality", "--json")).json
    assert [row["request_id"] for row in told["decisions"]] == ["first", "2"]
    assert [row["tokens"] for row in told["decisions"]] == [None, None]
    ended = await shell.run("route", "--replay", "p.jsonl", "-s", "quality")
    assert ended.out.startswith("p.jsonl: 2 decisions, nothing is called\nUnder quality: ")
    assert "All at the estimate." in ended.out
    assert shell.asked == []


async def test_what_cannot_be_supposed_is_told_in_one_sentence(shell: Shell) -> None:
    shell.write("p.jsonl", '{"prompt": "hello"}\n')
    shell.write("empty.jsonl", "")
    shell.write("bad.toml", "[providers.openai]\ntimes = -1\n")
    for arguments, said in (
        (
            ("hello", "--threshold", "0.5"),
            "--threshold supposes something of stored decisions; name",
        ),
        (("hello", "--prices", "x"), "--prices supposes something of stored decisions; name them with --replay"),
        (("--replay", "p.jsonl"), "say what to suppose of these prompts: -s, --threshold or --prices"),
        (("--replay", "empty.jsonl", "-s", "quality"), "the file holds no prompts; a line is "),
        (("--replay", "gone.jsonl", "-s", "quality"), "gone.jsonl cannot be read: No such file or directory"),
        (("--replay", "p.jsonl", "--prices", "bad.toml"), "bad.toml:2: providers.openai.times: -1 is not between"),
        (
            ("--replay", "p.jsonl", "--prices", "opnai=2"),
            "the prices name opnai, and no model of these turns is",
        ),
        (("--replay", "session:zz", "-s", "quality"), "no decision of a session 'zz' is kept; say 'latest', or"),
    ):
        ended = await shell.run("route", *arguments)
        assert (ended.code, ended.out) == (2, ""), arguments
        assert ended.err.startswith(said)
        assert len(ended.err.splitlines()) == 1
