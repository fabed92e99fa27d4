"""`ask` over every wire format and strategy: what comes out where, and with which exit code."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.cli import stream
from tests.cli.conftest import KEYS, LIBRARY, Shell
from tests.wire.dialects import DONE, data, delta
from tests.wire.server import WireServer, head
from tui_orchestrator.cli.manners import BUDGET
from tui_orchestrator.demo import Break, Phase, Reply, Say
from tui_orchestrator.routing.request import Strategy

MERGE = "Write a Python function that merges two sorted lists"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.mark.parametrize("model", ["openai/rush-mini", "anthropic/tern-lite", "gemini/lumen-dash", "team/pebble-3b"])
async def test_every_wire_format_answers_under_the_name_the_user_gave_it(shell: Shell, model: str) -> None:
    shell.script.always(Say("Paris."))
    ended = await shell.run("ask", "-m", model, "What is the capital of France?")
    assert (ended.code, ended.out) == (0, "Paris.\n"), ended.err
    assert f"→ {model} · balanced · {model} is pinned" in ended.err
    assert shell.asked == [model.partition("/")[2]]
    assert not any("demo" in line for line in ended.err.splitlines())


async def test_the_route_and_the_cost_are_told_on_stderr_and_the_answer_alone_on_stdout(shell: Shell) -> None:
    shell.script.always(Say("Paris."))
    ended = await shell.run("ask", "-m", "rush-pro", "What is the capital of France?")
    assert ended.out == "Paris.\n"
    first, last = ended.err.splitlines()
    assert first.startswith("→ openai/rush-pro · balanced · ")
    assert last.startswith("openai/rush-pro · balanced · ")
    assert " in " in last
    assert "$" in last
    assert "confidence" in last
    assert "\x1b" not in ended.err, "no colours where there is no terminal"


async def test_what_a_second_opinion_says_is_told_on_stderr_alone(shell: Shell) -> None:
    shell.script.always(Say("Paris.")).always(Say("Lyon."), "rush-pro")
    chain = ("ask", "--chain", "lumen-dash,rush-pro", "What is the capital of France?")
    ended = await shell.run(*chain, "--check", "second-answer")
    assert ended.out == "Paris.\n"
    assert "≟ openai/rush-pro: second opinion disagrees: 0." in ended.err
    assert " · 2 attempts · " in ended.err
    told = (await shell.run(*chain, "--check", "second-answer", "--json")).json
    (check,) = told["metadata"]["attempts"][0]["checks"]
    assert (check["how"], check["model"], check["agrees"]) == ("second_opinion", "openai/rush-pro", False)
    assert told["confidence"] == check["confidence_after"] == told["metadata"]["attempts"][0]["confidence"]
    assert len((await shell.run(*chain, "--check", "off", "--json")).json["metadata"]["attempts"]) == 1


async def test_a_check_by_another_model_contradicts_a_pinned_one_and_an_ensemble(shell: Shell) -> None:
    for pair in (("-m", "rush-pro"), ("-e", "3"), ("-s", "ensemble")):
        ended = await shell.run("ask", *pair, "--check", "judge", MERGE)
        assert ended.code == 2
        assert "leave --check out" in ended.err
    ended = await shell.run("ask", "-m", "rush-pro", "--self-consistency", "1", "--events", MERGE)
    assert [event["how"] for line in ended.lines if line["type"] == "checked" for event in [line["finding"]]] == [
        "sample"
    ]


async def test_an_empty_answer_is_told_on_stderr(shell: Shell) -> None:
    shell.script.always(Say(text=""))
    ended = await shell.run("ask", "-m", "rush-pro", "What is the capital of France?")
    assert (ended.code, ended.out.strip()) == (0, "")
    assert ended.err.splitlines()[-1] == "  the answer is empty"


async def test_costs_are_not_told_where_cost_tracking_is_switched_off(shell: Shell) -> None:
    ended = await shell.run("ask", "-m", "rush-pro", MERGE, COST_TRACKING_ENABLED="false")
    assert "$" not in ended.err.splitlines()[-1]
    assert (await shell.run("costs", "--format", "json")).json["total"]["attempts"] == 1


async def test_debugging_the_routing_tells_every_candidate(shell: Shell) -> None:
    ended = await shell.run("ask", "-m", "rush-pro", MERGE, ORCHESTRATOR_DEBUG_ROUTING="1")
    assert all(name in ended.err for name in ("rush-mini", "tern-max", "lumen-dash", "score"))


async def test_json_is_one_object_with_the_promised_keys_first(shell: Shell) -> None:
    ended = await shell.run("ask", MERGE, "--json")
    assert ended.code == 0
    assert tuple(ended.json)[: len(stream.RESULT)] == stream.RESULT
    assert ended.json["model_used"] == ended.json["metadata"]["decision"]["model"]
    assert "def " in ended.json["response"]
    attempts = ended.json["metadata"]["attempts"]
    assert ended.json["cost"] == sum(attempt["cost_usd"] for attempt in attempts)
    assert ended.json["ensemble_models"] == []
    assert "ensemble_size" not in ended.json["metadata"]


async def test_an_output_file_holds_the_object_and_is_readable_by_its_owner_alone(shell: Shell) -> None:
    ended = await shell.run("ask", MERGE, "-o", "answer.json")
    said = json.loads(shell.read("answer.json"))
    assert said["response"].rstrip("\n") == ended.out.rstrip("\n")
    assert tuple(said)[: len(stream.RESULT)] == stream.RESULT
    assert shell.mode("answer.json") == 0o600


async def test_an_output_file_that_cannot_be_written_is_refused_before_anything_is_spent(shell: Shell) -> None:
    ended = await shell.run("ask", MERGE, "-o", "missing/answer.json")
    assert ended.code == 2
    assert ended.err == "missing/answer.json cannot be written: there is no directory missing\n"
    assert shell.asked == []


@pytest.mark.parametrize("strategy", list(Strategy))
async def test_every_strategy_answers_with_events_that_obey_the_grammar(shell: Shell, strategy: Strategy) -> None:
    ended = await shell.run("ask", "-s", strategy.value, "--events", MERGE)
    assert ended.code == 0, ended.err
    stream.check(ended.lines)
    assert ended.lines[0]["strategy"] == strategy.value
    assert ended.lines[-1]["type"] == "completed"


async def test_events_tell_failures_escalations_and_waits(shell: Shell) -> None:
    shell.script.then(Reply(429, headers={"retry-after": "0"}), "pebble-3b")
    shell.script.then(Say("I'm not sure, but perhaps I might be wrong."), "pebble-3b")
    ended = await shell.run("ask", "-s", "fallback", "--chain", "pebble-3b,rush-pro", "--events", MERGE)
    assert ended.code == 0
    stream.check(ended.lines)
    causes = [event["cause"] for event in ended.lines if event["type"] == "attempt_started"]
    assert causes == ["first", "retry", "escalation"]
    failed = next(event for event in ended.lines if event["type"] == "attempt_failed")
    assert failed["error"]["kind"] == "rate_limited"
    assert failed["error"]["status"] == 429
    assert failed["next"] == "retry"


async def test_a_failed_attempt_is_told_once_with_its_model_named_once(shell: Shell) -> None:
    shell.script.then(Reply(500, "the engine is on fire"), "pebble-3b", times=2)
    ended = await shell.run("ask", "--chain", "pebble-3b,rush-pro", MERGE)
    assert ended.code == 0
    failures = [line for line in ended.err.splitlines() if line.startswith("✗")]
    assert len(failures) == 2
    assert failures[0].startswith("✗ team/pebble-3b 500 server after ")
    assert "team: " not in ended.err
    assert "↻ team/pebble-3b again" in ended.err
    assert "↑ team/pebble-3b → openai/rush-pro\n" in ended.err
    assert "discarded" not in ended.err, "nothing was shown that could be"


async def test_an_answer_taken_back_never_reaches_a_pipe(shell: Shell) -> None:
    shell.script.then(Break("close", Phase.MID_STREAM, Say("half an answer that breaks")), "pebble-3b")
    shell.script.always(Say("A whole answer."), "rush-pro")
    ended = await shell.run("ask", "--chain", "pebble-3b,rush-pro", "What is two and two?")
    assert ended.out == "A whole answer.\n"


async def test_an_ensemble_of_three_tells_its_members_and_their_confidences(shell: Shell) -> None:
    ended = await shell.run("ask", "-e", "3", "--json", "Tabs or spaces?")
    assert ended.code == 0
    assert ended.json["strategy"] == "ensemble"
    assert len(ended.json["ensemble_models"]) == 3
    assert ended.json["metadata"]["ensemble_size"] == 3
    assert len(ended.json["metadata"]["all_confidences"]) == 3
    assert ended.json["model_used"] in ended.json["ensemble_models"]
    assert sum(line.startswith("✓") for line in ended.err.splitlines()) == 1


async def test_an_ensembles_answers_are_judged_or_put_together_when_asked_for(shell: Shell) -> None:
    ended = await shell.run("ask", "-e", "3", "--verdict", "fuse", "--json", MERGE)
    assert ended.code == 0
    assert [one["cause"] for one in ended.json["metadata"]["attempts"]] == ["ensemble"] * 3 + ["synthesis"]
    assert "one answer written from all of these" in ended.err
    judged = await shell.run("ask", "-e", "3", "--verdict", "judge", "--json", MERGE)
    assert [one["cause"] for one in judged.json["metadata"]["attempts"]] == ["ensemble"] * 3 + ["judge"]


async def test_a_verdict_is_of_several_answers(shell: Shell) -> None:
    ended = await shell.run("ask", "-s", "cheapest", "--verdict", "fuse", MERGE)
    assert ended.code == 2
    assert "leave one of them out" in ended.err
    assert (await shell.run("ask", "-e", "3", "--verdict", "vote", MERGE)).code == 2


async def test_an_ensembles_failed_member_leaves_the_others(shell: Shell) -> None:
    shell.script.always(Reply(401), "tern-max")
    ended = await shell.run("ask", "-s", "ensemble", "--chain", "tern-max,rush-pro,lumen-deep", "Tabs or spaces?")
    assert ended.code == 0
    assert "✗ anthropic/tern-max 401 authentication" in ended.err
    assert "1 of 3 members gave no answer" in ended.err


async def test_a_chain_may_be_named_or_listed(shell: Shell) -> None:
    listed = await shell.run("ask", "--chain", "lumen-dash, tern-max", "--json", MERGE)
    assert listed.json["metadata"]["decision"]["chain"] == ["gemini/lumen-dash", "anthropic/tern-max"]
    assert listed.json["strategy"] == "fallback"
    named = await shell.run("ask", "--chain", "local", "--json", MERGE)
    assert named.json["metadata"]["decision"]["chain"] == ["team/pebble-3b"]


async def test_a_cap_that_is_too_small_says_no_with_a_sentence_and_calls_nobody(shell: Shell) -> None:
    ended = await shell.run("ask", "-s", "quality", "-c", "0.0001", MERGE)
    assert (ended.code, ended.out) == (3, "")
    assert len(ended.err.splitlines()) == 1
    assert "could cost" in ended.err
    assert "$0.00010" in ended.err
    assert shell.asked == []


async def test_zero_dollars_let_free_models_answer(shell: Shell) -> None:
    ended = await shell.run("ask", "-c", "0", "--json", MERGE)
    assert ended.code == 0
    assert (ended.json["cost"], ended.json["model_used"]) == (0, "team/pebble-3b")
    assert "would be chosen but" in ended.err
    assert (await shell.run("ask", "-c", "0", "-m", "rush-pro", MERGE)).code == BUDGET


async def test_max_tokens_and_system_reach_the_model(shell: Shell) -> None:
    ended = await shell.run("ask", "-m", "tern-lite", "--max-tokens", "7", "--system", "Be brief, é.", "--json", MERGE)
    body = next(e.body for e in shell.servers.exchanges if e.method == "POST")
    assert body["max_tokens"] == 7
    assert "Be brief, é." in json.dumps(body["system"], ensure_ascii=False)
    assert ended.json["output_tokens"] <= 7
    assert ended.json["metadata"]["attempts"][0]["finish_reason"] == "length"


async def test_text_files_and_images_go_along(shell: Shell) -> None:
    shell.write("notes.md", "the secret word is heron")
    shell.write("picture.png", PNG)
    ended = await shell.run("ask", "-m", "rush-pro", "--file", "notes.md", "--file", "picture.png", "What is this?")
    assert ended.code == 0
    sent = json.dumps(next(e.body for e in shell.servers.exchanges if e.method == "POST"))
    assert "the secret word is heron" in sent
    assert "data:image/png;base64," in sent


async def test_a_file_from_stdin_goes_along(shell: Shell) -> None:
    ended = await shell.run("ask", "-m", "rush-pro", "Review this", "--file", "-", stdin="+ added line\n")
    assert ended.code == 0
    sent = json.dumps(next(e.body for e in shell.servers.exchanges if e.method == "POST"))
    assert "+ added line" in sent
    assert "Review this" in sent


@pytest.mark.parametrize("argument", [(), ("-",)])
async def test_the_prompt_may_come_from_stdin(shell: Shell, argument: tuple[str, ...]) -> None:
    await shell.run("ask", "-m", "rush-pro", *argument, stdin="\ufeffWarum ist der Himmel blau?\n")
    body = next(e.body for e in shell.servers.exchanges if e.method == "POST")
    assert "Warum ist der Himmel blau?" in body["messages"][-1]["content"]


async def test_a_session_goes_on_with_the_whole_conversation(shell: Shell) -> None:
    shell.script.always(Say("Paris."))
    await shell.run("ask", "-m", "rush-pro", "What is the capital of France?")
    latest = await shell.run("ask", "-m", "tern-lite", "--continue", "And of Italy, then?")
    assert latest.code == 0
    first = (await shell.run("sessions", "list", "--json")).json[0]["id"]
    named = await shell.run("ask", "-m", "lumen-dash", "--continue", first[:9], "-p", "And of Spain?")
    assert named.code == 0
    sent = json.dumps(shell.servers["demo-gemini"].exchanges[-1].body)
    assert all(text in sent for text in ("France", "Italy", "Spain"))
    sessions = (await shell.run("sessions", "list", "--json")).json
    assert [session["messages"] for session in sessions] == [6]


async def test_a_sessions_id_piped_a_prompt_goes_on(shell: Shell) -> None:
    shell.script.always(Say("Paris."))
    await shell.run("ask", "What is the capital of France?")
    session = (await shell.run("sessions", "list", "--json")).json[0]["id"]
    ended = await shell.run("ask", "--continue", session, stdin="And of Italy?")
    assert ended.code == 0
    assert (await shell.run("sessions", "list", "--json")).json[0]["messages"] == 4


async def test_verbose_tells_candidates_and_attempts(shell: Shell) -> None:
    ended = await shell.run("ask", "-v", "-m", "tern-lite", "hello")
    assert "attempt 1: anthropic/tern-lite (first)" in ended.err
    assert "attempt 1: anthropic/tern-lite finished after" in ended.err
    marks = [line.split()[0] for line in ended.err.splitlines() if "score" in line]
    assert marks.count("→") == 1
    assert len(marks) == 7


async def test_what_a_model_says_cannot_drive_the_terminal(shell: Shell) -> None:
    hostile = "a\x1b]52;c;aGk=\x07b\x1b[2Jc\x9b31md\u202ee\x00f"
    shell.script.always(Say(hostile, thinking=hostile))
    for arguments in (("ask", "hi"), ("ask", "hi", "--events"), ("ask", "hi", "--json"), ("sessions", "show", "")):
        if arguments[1] == "show":
            session = (await shell.run("sessions", "list", "--json")).json[0]["id"]
            arguments = ("sessions", "show", session)
        ended = await shell.run(*arguments)
        assert ended.code == 0
        for text in (ended.out, ended.err):
            assert not set(text) & set("\x1b\x07\x9b\u202e\x00"), arguments


async def test_what_a_provider_complains_cannot_drive_the_terminal_or_show_the_key(shell: Shell) -> None:
    shell.script.always(Reply(401, f"bad \x1b]0;x\x07 key {KEYS['OPENAI_API_KEY']}"), "rush-pro")
    ended = await shell.run("ask", "-m", "rush-pro", "hi")
    assert "\x1b" not in ended.err
    assert "\x07" not in ended.err
    assert KEYS["OPENAI_API_KEY"] not in ended.err


async def test_the_cost_of_each_answer_is_its_tokens_times_the_configured_price(shell: Shell) -> None:
    ended = await shell.run("ask", "-m", "rush-pro", "--json", MERGE)
    said = ended.json
    assert Decimal(str(said["cost"])) == (
        Decimal(said["input_tokens"]) * Decimal("1.25") + Decimal(said["output_tokens"]) * 10
    ) / Decimal(10**6)


def test_nothing_but_the_demo_itself_knows_its_models() -> None:
    """Its own room, what starts it, and the command named after it."""
    for file in (LIBRARY / "tui_orchestrator").rglob("*.py"):
        if "demo" not in file.relative_to(LIBRARY / "tui_orchestrator").parts:
            text = file.read_text()
            for provider in ("demo-openai", "demo-anthropic", "demo-gemini", "demo-local", "rush-mini", "tern-max"):
                assert provider not in text, f"{file} knows {provider}"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (delta(function_call={"name": "r\x1bm", "arguments": "{}"}), "model asked for the tool rm and gave no text"),
        (
            delta(tool_calls=[{"index": n, "function": {"name": name}} for n, name in enumerate(("rm", "ls"))]),
            "the model asked for the tools rm, ls and gave no text",
        ),
        (delta(content="Soon.", tool_calls=[{"index": 0, "function": {"name": "rm"}}]), "asked for the tool rm; none"),
    ],
)
async def test_a_model_that_asks_for_a_tool_is_said_to(shell: Shell, said: dict[str, object], told: str) -> None:
    async with WireServer(head(), data(said, delta("tool_calls")) + DONE) as server:
        shell.config.write_text(
            f'{shell.config.read_text()}[providers.own]\nkind = "openai-compatible"\nbase_url = "{server.url}/v1"\n'
            '[[models]]\nid = "own/caller"\n'
        )
        ended = await shell.run("ask", "-m", "own/caller", "What time is it?")
    assert ended.code == 0, ended.err
    assert told in ended.err
    assert "none was offered" in ended.err
    assert "\x1b" not in ended.err
