"""`batch`: many prompts from a file, answered into a file."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import sqlite3
from asyncio.subprocess import PIPE
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tui_orchestrator.batch import BatchError, Output
from tui_orchestrator.demo import Break, Phase, Reply, Say

from ..cli.conftest import Shell
from ..cli.terminal import forked
from ..storage.test_appended import files_of_at_most
from ..turns.test_parted import QUESTION, report


def lines(*said: dict[str, Any]) -> str:
    return "".join(json.dumps(one) + "\n" for one in said)


def answers(shell: Shell, name: str = "in.out.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in shell.read(name).splitlines()]


async def test_each_line_is_answered_with_its_cost_and_its_metadata(shell: Shell) -> None:
    shell.script.always(Say("Paris."))
    shell.write(
        "in.jsonl",
        lines(
            {"id": "fr", "prompt": "Capital of France?", "model": "rush-pro", "metadata": {"n": 1.5}},
            {"messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "And of Spain?"}]},
        ),
    )
    ended = await shell.run("batch", "in.jsonl")
    assert ended.code == 0, ended.err
    assert ended.out == ""
    assert "2 to ask: about $" in ended.err
    assert "2 answered in" in ended.err
    first, second = sorted(answers(shell), key=lambda record: int(record["line"]))
    assert (first["id"], first["response"], first["metadata"]) == ("fr", "Paris.", {"n": 1.5})
    assert first["model"] == "openai/rush-pro"
    assert first["cost_state"] == "computed"
    assert first["cost_usd"] > 0
    assert (second["id"], second["line"], second["status"]) == ("2", 2, "answered")
    assert shell.mode("in.out.jsonl") == 0o600


async def test_what_stands_in_the_output_is_not_asked_again(shell: Shell) -> None:
    shell.write("in.jsonl", lines({"prompt": "One?"}, {"prompt": "Two?"}))
    await shell.run("batch", "in.jsonl")
    asked = len(shell.asked)
    shell.write("in.jsonl", lines({"prompt": "One?"}, {"prompt": "Two?"}, {"prompt": "Three?"}))
    ended = await shell.run("batch", "in.jsonl")
    assert "2 of 3 lines stand in in.out.jsonl already" in ended.err
    assert len(shell.asked) == asked + 1
    again = await shell.run("batch", "in.jsonl")
    assert "Nothing is left to ask." in again.err
    assert len(shell.asked) == asked + 1
    sessions = {record["session"] for record in answers(shell)}
    assert len(sessions) == 1


async def test_failures_stand_in_the_output_and_are_asked_again_when_wished(shell: Shell) -> None:
    shell.script.then(Reply(400, "no such thing"), "rush-pro")
    shell.write("in.jsonl", lines({"prompt": "One?", "model": "rush-pro"}))
    ended = await shell.run("batch", "in.jsonl", "--json")
    assert ended.code == 1
    (record,) = answers(shell)
    assert record["status"] == "failed"
    assert record["error"]["kind"] == "bad_request"
    assert ended.json["errors"] == {"bad_request": 1}
    assert (await shell.run("batch", "in.jsonl")).code == 1
    retried = await shell.run("batch", "in.jsonl", "--retry-failed", "--json")
    assert retried.code == 0
    assert retried.json["answered"] == 1
    assert [record["status"] for record in answers(shell)] == ["answered"]


async def test_an_answer_that_is_cut_off_or_empty_says_so(shell: Shell) -> None:
    shell.script.then(Say("Half of", finish="length"), "rush-pro").then(Say(""), "rush-pro").then(Say("."), "rush-pro")
    shell.write("in.jsonl", lines(*({"prompt": f"Question {n}?", "model": "rush-pro"} for n in range(3))))
    assert (await shell.run("batch", "in.jsonl", "--at-once", "1")).code == 0
    notes = [record.get("note") for record in answers(shell)]
    assert notes == ["cut off at the length limit", "the answer is empty", None]


async def test_a_spent_budget_stops_it_and_the_rest_is_asked_once_there_is_room(shell: Shell) -> None:
    shell.write("in.jsonl", lines(*({"prompt": f"Question {n}?", "model": "tern-max"} for n in range(4))))
    first = await shell.run("batch", "in.jsonl", "-c", "0.000001", "--yes")
    assert first.code == 3
    assert "Stopped by a budget" in first.err
    assert "the batch's cap has $0.0000010 left" in first.err
    assert "session" not in first.err
    assert "4 lines are left" in first.err
    assert answers(shell) == []
    assert shell.asked == []
    assert (await shell.run("batch", "in.jsonl")).code == 0
    assert len(answers(shell)) == 4


async def test_where_nobody_can_count_what_is_spent_it_stops_and_no_line_fails(shell: Shell) -> None:
    shell.write("in.jsonl", lines(*({"prompt": f"Question {n}?", "model": "tern-max"} for n in range(20))))
    mended = shell.config.read_text()
    nobody = '[shared]\nurl = "redis://127.0.0.1:9/0"\nwhen_away = "refuse"\n'
    shell.config.write_text(f"{mended}[budgets]\ndaily_usd = 5.0\n{nobody}")
    first = await shell.run("batch", "in.jsonl", "--at-once", "4", "--json")
    assert first.code == 1
    assert "✗ Stopped: Nothing more is called, since what all machines spend is not known: " in first.err
    assert "20 lines are left. Once that is mended, the same command goes on with them." in first.err
    assert "mistake of the program" not in first.err
    assert (first.json["failed"], first.json["left"], first.json["stopped_by"]) == (0, 20, "unrecorded")
    assert (answers(shell), shell.asked) == ([], [])
    shell.config.write_text(mended)
    assert (await shell.run("batch", "in.jsonl")).code == 0
    assert len(answers(shell)) == 20


async def test_a_cap_that_only_the_lines_under_way_fill_does_not_stop_it(shell: Shell) -> None:
    shell.script.always(Say("A short answer."))
    # One of them may cost 0.30 dollars, and does cost less than a cent.
    dear = ({"prompt": f"Question {n}?", "model": "tern-max", "max_tokens": 4000} for n in range(6))
    shell.write("in.jsonl", lines(*dear))
    ended = await shell.run("batch", "in.jsonl", "-c", "0.35", "--at-once", "6", "--yes", "--json")
    assert ended.code == 0, ended.err
    assert ended.json["answered"] == 6


async def test_the_cap_of_a_batch_holds_over_all_its_runs(shell: Shell) -> None:
    shell.write("in.jsonl", lines({"prompt": "One?", "model": "tern-max"}))
    await shell.run("batch", "in.jsonl")
    (record,) = answers(shell)
    shell.write("in.jsonl", lines({"prompt": "One?", "model": "tern-max"}, {"prompt": "Two?", "model": "tern-max"}))
    ended = await shell.run("batch", "in.jsonl", "-c", f"{record['cost_usd']:.12f}", "--yes")
    assert ended.code == 3
    assert len(answers(shell)) == 1


async def test_a_line_that_is_too_dear_for_its_own_cap_fails_alone(shell: Shell) -> None:
    dear = {"prompt": "One?", "model": "tern-max", "max_cost_usd": 0.0000001}
    shell.write("in.jsonl", lines(dear, {"prompt": "Two?", "model": "rush-pro"}))
    ended = await shell.run("batch", "in.jsonl", "--at-once", "1")
    assert ended.code == 1
    assert [record["status"] for record in answers(shell)] == ["failed", "answered"]


async def test_an_estimate_that_passes_a_cap_is_not_begun_without_a_yes(shell: Shell) -> None:
    shell.write("in.jsonl", lines({"prompt": "Explain monads at length", "model": "tern-max"}))
    ended = await shell.run("batch", "in.jsonl", "-c", "0.000001")
    assert ended.code == 3
    assert "passes the batch's cap" in ended.err
    assert "--yes" in ended.err
    assert shell.asked == []


async def test_where_the_sessions_own_cap_is_lower_it_is_the_sessions_that_is_named(shell: Shell) -> None:
    shell.write("in.jsonl", lines({"prompt": "Explain monads at length", "model": "tern-max"}))
    shell.config.write_text(f"{shell.config.read_text()}\n[budgets]\nsession_usd = 0.000001\n")
    refused = await shell.run("batch", "in.jsonl", "-c", "0.000002")
    assert "passes the session's cap" in refused.err
    stopped = await shell.run("batch", "in.jsonl", "-c", "0.000002", "--yes")
    assert "the session's cap has $0.0000010 left" in stopped.err
    assert "batch's cap" not in refused.err + stopped.err


async def test_an_estimate_sends_nothing(shell: Shell) -> None:
    shell.write("in.jsonl", lines(*({"prompt": f"Question {n}?", "model": "rush-pro"} for n in range(3))))
    ended = await shell.run("batch", "in.jsonl", "--estimate", "--json")
    assert ended.code == 0
    assert ended.json["lines"] == 3
    assert ended.json["cost_usd"] > 0
    assert ended.json["models"] == {"openai/rush-pro": 3}
    assert shell.asked == []


async def test_an_estimate_waits_for_the_rate_limits(shell: Shell) -> None:
    plain = shell.config.read_text()
    shell.write("in.jsonl", lines(*({"prompt": f"Question {n}?", "model": "tern-max"} for n in range(200))))
    quick = (await shell.run("batch", "in.jsonl", "--estimate", "--json")).json
    assert quick["rate_limit"] == "anthropic/tern-max: 20 requests a minute"
    shell.config.write_text(plain.replace('tern-max"\n', 'tern-max"\nrequests_per_minute = 100000\n'))
    unlimited = await shell.run("batch", "in.jsonl", "--estimate", "--json")
    assert unlimited.json["rate_limit"] is None
    assert "rate limit" not in unlimited.err
    each = unlimited.json["seconds"] * 8 / 200
    assert quick["seconds"] == pytest.approx(9 * 60 + each, abs=0.2), "the last twenty start after nine minutes"
    shell.config.write_text(
        plain.replace('tern-max"\n', 'tern-max"\nrequests_per_minute = 100000\ntokens_per_minute = 1\n')
    )
    tokens = await shell.run("batch", "in.jsonl", "--estimate", "--json")
    assert tokens.json["seconds"] == pytest.approx(199 * 60 + each, abs=0.2), "a call a minute"
    assert "rate limit of anthropic/tern-max, 100,000 requests and 1 tokens a minute" in tokens.err


async def test_the_higher_priority_is_asked_first(shell: Shell) -> None:
    wanted = [{"prompt": f"{n}?", "id": n, "model": "rush-pro", "priority": n} for n in range(4)]
    shell.write("in.jsonl", lines(*wanted))
    await shell.run("batch", "in.jsonl", "--at-once", "1")
    assert [record["id"] for record in answers(shell)] == ["3", "2", "1", "0"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"prompt": "x"', 'in.jsonl:2: is not JSON from column 15 on; write {"prompt": "…"}'),
        ("Why is the sky blue?", 'in.jsonl:2: is not JSON; write {"prompt": "…"}'),
        ("[1]", "in.jsonl:2: is no object"),
        pytest.param(
            '{"prompt": ' + "[" * 100_000, "in.jsonl:2: is nested too deeply: more than 200 levels", id="deep"
        ),
        pytest.param(
            '{"metadata": ' + "[" * 200 + "]" * 200 + ', "prompt": "x"}',
            "in.jsonl:2: is nested too deeply",
            id="deeper",
        ),
        ('{"prompt": "x", "stratgy": "cheapest"}', "in.jsonl:2: stratgy: is an unknown key; did you mean strategy?"),
        ('{"prompt": "x", "expected": 4}', "in.jsonl:2: expected: is an unknown key; the keys are id, prompt"),
        ('{"prompt": "x", "wanted": 4}', "metadata, priority; metadata takes all else"),
        ('{"prompt": "x", "strategy": "fastest"}', "in.jsonl:2: strategy is 'fastest'; it is one of"),
        ('{"prompt": "x", "model": "nobody"}', "in.jsonl:2: no model is called 'nobody'"),
        ('{"prompt": "x", "max_tokens": 0}', "in.jsonl:2: max_tokens: must be a whole number from 1"),
        ('{"prompt": "x", "temperature": "hot"}', "in.jsonl:2: temperature: must be a number from 0 to 2"),
        ('{"prompt": "x", "max_cost_usd": -1}', "in.jsonl:2: "),
        ('{"prompt": " "}', "in.jsonl:2: the prompt is empty"),
        ('{"id": 1, "prompt": "x"}', "in.jsonl:2: id: '1' is that of line 1 already"),
        ("{}", "in.jsonl:2: give either prompt or messages"),
        ('{"messages": [{"role": "assistant", "content": "x"}]}', "in.jsonl:2: messages: the last must be the user's"),
        ('{"prompt": "x \\ud800"}', "in.jsonl:2: prompt: holds half a character"),
        ('{"prompt": "x", "metadata": {"a": ["\\udfff"]}}', "in.jsonl:2: metadata.a[0]: holds half a character"),
        ('{"prompt": "x", "files": ["missing.txt"]}', "in.jsonl:2: "),
        ('{"prompt": "x", "tags": "work"}', "in.jsonl:2: tags: must be a list of texts"),
    ],
)
async def test_a_wrong_line_is_named_before_anything_is_sent(line: str, said: str, shell: Shell) -> None:
    shell.write("in.jsonl", '{"id": 1, "prompt": "What is DNS?"}\n' + line + "\n")
    ended = await shell.run("batch", "in.jsonl")
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert shell.asked == []


async def test_a_file_of_plain_text_is_told_what_its_lines_should_be(shell: Shell) -> None:
    shell.write("notes.txt", "Why is the sky blue?\nWhat is DNS?\n")
    ended = await shell.run("batch", "notes.txt", "-o", "out.jsonl")
    each = 'each is an object such as {"prompt": "Why is the sky blue?"}'
    assert (ended.code, ended.err) == (2, f"none of the lines of notes.txt is JSON; {each}\n")


async def test_an_output_that_no_batch_wrote_is_left_alone(shell: Shell) -> None:
    shell.write("in.jsonl", lines({"prompt": "x"}))
    shell.write("notes.txt", "my notes\n")
    ended = await shell.run("batch", "in.jsonl", "-o", "notes.txt")
    assert ended.code == 2
    assert "notes.txt:1: was not written by a batch" in ended.err
    assert shell.read("notes.txt") == "my notes\n"
    shell.write("notes.txt", "a line that is not ended")
    ended = await shell.run("batch", "in.jsonl", "-o", "notes.txt")
    assert (ended.code, shell.read("notes.txt")) == (2, "a line that is not ended")
    assert "notes.txt:1: was not written by a batch" in ended.err
    assert (await shell.run("batch", "in.jsonl", "-o", "in.jsonl")).code == 2


async def test_a_file_that_is_not_there_is_named(shell: Shell) -> None:
    ended = await shell.run("batch", "in.jsonl")
    assert ended.code == 2
    assert "in.jsonl cannot be read: No such file" in ended.err


async def test_a_file_that_is_too_long_is_told_before_anything_is_asked(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_orchestrator.batch.lines.LONGEST", 3000)
    shell.write("in.jsonl", lines({"prompt": "x" * 4000}))
    ended = await shell.run("batch", "in.jsonl", "-o", "out.jsonl")
    assert (ended.code, shell.asked) == (2, [])
    assert "in.jsonl cannot be read: it has more than 3 kB, the most that is read of such a file" in ended.err


async def test_two_batches_do_not_write_one_output(shell: Shell) -> None:
    shell.write("in.jsonl", lines({"prompt": "x"}))
    held = os.open(shell.directory / "in.out.jsonl", os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    ended = await shell.run("batch", "in.jsonl")
    os.close(held)
    assert ended.code == 2
    assert "is being written by another batch" in ended.err


async def test_a_torn_last_line_is_asked_again(shell: Shell) -> None:
    shell.write("in.jsonl", lines({"prompt": "One?"}, {"prompt": "Two?"}))
    await shell.run("batch", "in.jsonl", "--at-once", "1")
    whole = shell.read("in.out.jsonl")
    shell.write("in.out.jsonl", whole[:-20])
    ended = await shell.run("batch", "in.jsonl")
    assert ended.code == 0
    assert sorted(record["id"] for record in answers(shell)) == ["1", "2"]


@pytest.mark.parametrize("option", [(), ("--retry-failed",)])
async def test_nothing_is_written_through_what_lies_beside_its_output(shell: Shell, option: tuple[str, ...]) -> None:
    shell.script.always(Reply(400, "no"))
    shell.write("in.jsonl", lines({"prompt": "One?"}, {"prompt": "Two?"}))
    await shell.run("batch", "in.jsonl", "--at-once", "1")
    shell.write("in.out.jsonl", shell.read("in.out.jsonl")[:-20])
    shell.write("precious", "of great worth")
    for name in (".in.out.jsonl.new", ".in.out.jsonl.tmp", "in.out.jsonl.tmp"):
        (shell.directory / name).symlink_to("precious")
    beside = sorted(path.name for path in shell.directory.iterdir())
    shell.script.always(Say("Fine."))
    assert (await shell.run("batch", "in.jsonl", *option)).code == (0 if option else 1)
    assert sorted(record["id"] for record in answers(shell)) == ["1", "2"]
    assert shell.read("precious") == "of great worth"
    assert not (shell.directory / "in.out.jsonl").is_symlink()
    assert shell.mode("in.out.jsonl") == 0o600
    assert sorted(path.name for path in shell.directory.iterdir()) == beside


async def test_a_torn_last_line_is_cut_where_there_is_no_room(shell: Shell) -> None:
    shell.script.always(Reply(400, "no"), "rush-pro").always(Say("Fine."), "tern-max")
    shell.write("in.jsonl", lines({"prompt": "One?", "model": "rush-pro"}, {"prompt": "Two?", "model": "tern-max"}))
    await shell.run("batch", "in.jsonl", "--at-once", "1")
    path = shell.directory / "in.out.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40])
    before = sorted(shell.directory.iterdir())
    with files_of_at_most(10):
        with Output(path) as output:
            assert output.ended == {"1": "failed", "2": "answered"}
        with pytest.raises(BatchError, match=r"in\.out\.jsonl cannot be written: File too large"):
            Output(path, retry_failed=True).__enter__()
    assert path.read_bytes() == whole
    assert sorted(shell.directory.iterdir()) == before


@pytest.mark.parametrize("output", ["/dev/full", "/dev/zero", "pipe"])
async def test_an_output_that_is_no_file_is_refused(shell: Shell, output: str) -> None:
    os.mkfifo(shell.directory / "pipe")
    shell.write("in.jsonl", lines({"prompt": "x"}))
    ended = await shell.run("batch", "in.jsonl", "-o", output)
    assert (ended.code, ended.err) == (2, f"{output} cannot be written: it is a pipe or a device, not a file\n")
    assert shell.asked == []


async def test_a_killed_batch_goes_on_with_nothing_lost_and_nothing_answered_twice(shell: Shell) -> None:
    """Killed when some answers stand in its output; `benchmarks/batch_kills.py` kills at any moment, and more often."""
    count, kills = 12, 0
    shell.script.always(Say("An answer of a few words."))
    shell.write("in.jsonl", lines(*({"prompt": f"Question {n}?", "model": "pebble-3b"} for n in range(count))))
    while True:
        process = await forked(shell, "batch", "in.jsonl", "--at-once", "4", stderr=PIPE)
        assert process.stderr is not None
        async for line in process.stderr:
            if b"/min" in line and not kills:
                process.send_signal(signal.SIGKILL)
                kills += 1
                break
        if await process.wait() >= 0:
            break
    assert kills == 1
    records = answers(shell)
    assert sorted(int(record["id"]) for record in records) == list(range(1, count + 1))
    assert [record for record in records if record["status"] != "answered"] == []
    # What a kill cut short was asked again; every call that was served is a row of the ledger.
    rows = (await shell.run("costs", "--by", "model", "--format", "json")).json["rows"]
    assert len(shell.asked) <= sum(row["attempts"] for row in rows) <= count + 4 * kills


async def test_lines_that_waited_for_their_turn_when_it_was_killed_cost_nothing(shell: Shell) -> None:
    config = shell.config.read_text()
    shell.config.write_text(config.replace("[providers.openai]\n", "[providers.openai]\nmax_concurrent = 1\n"))
    shell.script.always(Break("silence", Phase.MID_STREAM, Say("half an answer and then nothing")))
    shell.write("in.jsonl", lines(*({"prompt": f"Question {n}?", "model": "rush-pro"} for n in range(4))))
    process = await forked(shell, "batch", "in.jsonl", "--at-once", "4", stderr=PIPE)
    async with asyncio.timeout(60):
        while len(shell.asked) < 1 or set_aside(shell) < 4:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    process.kill()
    await process.communicate()
    assert len(shell.asked) == 1
    (row,) = (await shell.run("costs", "--by", "model", "--format", "json")).json["rows"]
    assert row["attempts"] == 1, "three were reserved and never sent"
    assert Decimal(row["cost_usd"]) > 0
    assert set_aside(shell) == 0


def set_aside(shell: Shell) -> int:
    """How many calls have their money set aside."""
    store = Path(shell.environment["TUI_ORCHESTRATOR_HOME"]) / "data" / "store.db"
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as reader:
        return int(reader.execute("SELECT COUNT(*) FROM open_calls").fetchone()[0])


async def test_an_interrupted_batch_says_what_is_left(shell: Shell) -> None:
    shell.script.then(Say("An answer."), "rush-pro")
    shell.script.always(Break("silence", Phase.MID_STREAM, Say("half an answer and then nothing")))
    shell.write("in.jsonl", lines({"prompt": "One?", "model": "rush-pro"}, {"prompt": "Two?", "model": "tern-max"}))
    process = await forked(shell, "batch", "in.jsonl", "--at-once", "1", stderr=PIPE)
    assert process.stderr is not None
    said = b""
    while b"1 of 2" not in said:
        line = await process.stderr.readline()
        assert line, said
        said += line
    process.send_signal(signal.SIGINT)
    err = await process.stderr.read()
    assert await process.wait() == 130, err
    assert b"1 lines are left" in err
    assert len(answers(shell)) == 1


async def test_a_line_too_long_for_every_model_is_answered_in_parts_where_it_says_so(shell: Shell) -> None:
    shell.script.always(Say("All rooms are in good order."))
    line = {"prompt": f"{QUESTION}\n\n{report()}", "model": "pebble-3b"}
    shell.write("in.jsonl", lines({"id": "whole", **line}, {"id": "parts", "split": True, **line}))
    estimated = await shell.run("batch", "in.jsonl", "--estimate")
    assert "1 would fail as things are" in estimated.err
    ended = await shell.run("batch", "in.jsonl")
    assert ended.code == 1
    told = {record["id"]: record for record in answers(shell)}
    assert told["whole"]["status"] == "failed"
    assert told["whole"]["error"]["kind"] == "no_candidate"
    assert "reads 16,384 tokens" in told["whole"]["error"]["message"]
    assert told["parts"]["response"] == "All rooms are in good order."
    assert told["parts"]["attempts"] == len(shell.asked) > 2


async def test_split_of_a_line_is_true_or_false(shell: Shell) -> None:
    shell.write("in.jsonl", lines({"prompt": "One?", "split": "always"}))
    ended = await shell.run("batch", "in.jsonl")
    assert ended.code == 2
    assert "in.jsonl:1: split: must be true or false" in ended.err
