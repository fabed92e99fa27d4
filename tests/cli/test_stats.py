"""`stats`: how models did, for people and for programs."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

from tests.cli.conftest import Shell
from tui_orchestrator.demo import Reply, Say


async def _ask(shell: Shell) -> None:
    shell.script.always(Say("Paris is the capital of France."))
    for _ in range(2):
        assert (await shell.run("ask", "-m", "rush-pro", "What is the capital of France?")).code == 0
    shell.script.then(Reply(400), "lumen-dash")
    assert (await shell.run("ask", "-m", "lumen-dash", "What is the capital of France?")).code == 1


async def test_stats_tell_success_times_and_what_an_answer_cost(shell: Shell) -> None:
    await _ask(shell)
    told = (await shell.run("stats", "--by", "model", "--format", "json")).json
    assert told["by"] == ["model"]
    good, bad = told["rows"]
    assert (good["model"], good["attempts"], good["success"], good["answers"]) == ("openai/rush-pro", 2, 1.0, 2)
    assert good["latency_p50_s"] is not None
    assert good["latency_p50_s"] <= good["latency_p95_s"] <= good["latency_p99_s"]
    assert Decimal(good["cost_per_answer_usd"]) == Decimal(good["cost_usd"]) / 2
    assert (bad["success"], bad["cost_per_answer_usd"], bad["latency_p50_s"]) == (0.0, None, None)


async def test_a_vote_is_in_the_stats_and_a_bad_answer_makes_good_ones_dearer(shell: Shell) -> None:
    await _ask(shell)
    session = (await shell.run("sessions", "list", "--json")).json[-1]["id"]
    assert (await shell.run("vote", "down", "--session", session)).code == 0
    (row, _) = (await shell.run("stats", "--format", "json", "--by", "model")).json["rows"]
    assert (row["voted_down"], row["good_answers"]) == (1, 1)
    assert Decimal(row["cost_per_good_answer_usd"]) == Decimal(row["cost_usd"])


async def test_the_table_has_a_row_for_every_model_and_task(shell: Shell) -> None:
    await _ask(shell)
    ended = await shell.run("stats")
    assert (ended.code, ended.err) == (0, "")
    table, _, advice = ended.out.partition("\n\n")
    head, *rows = table.splitlines()
    assert advice == "3 attempts so far; advice begins at about 20.\n"
    assert (await shell.run("stats", "--format", "json")).json["advice"]["attempts"] == 3
    assert head.split()[:4] == ["model", "task", "attempts", "success"]
    assert rows[0].split()[1:5] == ["simple", "qa", "2", "100.0%"]
    assert rows[1].split()[1:5] == ["simple", "qa", "1", "0.0%"]


async def test_csv_and_a_file_hold_the_same_figures(shell: Shell) -> None:
    await _ask(shell)
    printed = await shell.run("stats", "--by", "provider,strategy", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(printed.out)))
    assert {(row["provider"], row["attempts"]) for row in rows} == {("openai", "2"), ("gemini", "1")}
    await shell.run("stats", "--by", "provider", "--by", "strategy", "--format", "csv", "-o", "stats.csv")
    assert shell.read("stats.csv") == printed.out


async def test_with_nothing_asked_stats_say_so(shell: Shell) -> None:
    ended = await shell.run("stats", "--to", "yesterday")
    assert (ended.code, ended.out) == (0, "Nothing was asked in this time, so there is nothing to measure.\n")
    assert (await shell.run("stats", "--format", "json")).json["rows"] == []
