"""`models`, `costs` and `sessions`: what there is, what was spent, what was said."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import pytest

from tests.cli.conftest import Shell
from tui_orchestrator.cli.costs import DIMENSIONS
from tui_orchestrator.demo import LISTING, Break, Phase, Reply, Say

GROUPINGS = (*DIMENSIONS, "model,task", "session,model,outcome")


async def test_models_are_listed_with_prices_context_and_health(shell: Shell) -> None:
    ended = await shell.run("models")
    assert (ended.code, ended.err) == (0, "")
    head, *rows = ended.out.splitlines()
    assert head.split()[0] == "model"
    assert len(rows) == 7
    row = next(row for row in rows if row.startswith("openai/rush-pro "))
    assert row.split()[2:5] == ["1.25", "10.00", "400k"]
    assert "available" in row
    as_json = (await shell.run("models", "--json")).json
    assert {model["id"] for model in as_json} == {row.split()[0] for row in rows}
    told = next(model for model in as_json if model["id"] == "openai/rush-pro")
    assert told["price"]["input_usd_per_million"] == 1.25
    assert told["context_window"] == 400_000


async def test_rates_of_audio_and_of_long_caches_stand_among_the_prices(shell: Shell) -> None:
    with shell.config.open("a") as file:
        file.write('\n[[models]]\nid = "gemini/gemini-2.5-flash"\n[[models]]\nid = "anthropic/claude-sonnet-4-5"\n')
    prices = {model["id"]: model["price"] for model in (await shell.run("models", "--json")).json}
    flash, sonnet = prices["gemini/gemini-2.5-flash"], prices["anthropic/claude-sonnet-4-5"]
    assert (flash["input_usd_per_million"], flash["audio_input_usd_per_million"]) == (0.3, 1.0)
    assert (sonnet["cache_write_usd_per_million"], sonnet["cache_write_1h_usd_per_million"]) == (3.75, 6.0)


async def test_an_unknown_price_is_a_question_mark_and_null_never_zero(shell: Shell) -> None:
    text = shell.config.read_text()
    shell.config.write_text(text.replace("input_usd = 1.250000\noutput_usd = 10.000000\n", ""))
    row = next(row for row in (await shell.run("models")).out.splitlines() if row.startswith("openai/rush-pro "))
    assert row.split()[2:4] == ["?", "?"]
    as_json = (await shell.run("models", "--json")).json
    assert next(model for model in as_json if model["id"] == "openai/rush-pro")["price"] is None


async def test_refresh_reads_every_list_again(shell: Shell) -> None:
    await shell.run("models", "--refresh")
    listed = [exchange.provider for exchange in shell.servers.exchanges if exchange.method == "GET"]
    assert {"demo-openai", "demo-anthropic", "demo-gemini"} <= set(listed)


async def test_a_speed_is_shown_once_it_was_measured(shell: Shell) -> None:
    await shell.run("ask", "-m", "rush-pro", "hello")
    measured = {model["id"]: model["measured"] for model in (await shell.run("models", "--json")).json}
    assert measured["openai/rush-pro"]["attempts"] == 1
    assert measured["openai/rush-pro"]["first_token_s"] is not None
    assert measured["gemini/lumen-deep"]["attempts"] == 0


async def _spend(shell: Shell) -> None:
    shell.script.then(Break("close", Phase.MID_STREAM), "rush-pro")
    assert (await shell.run("ask", "--chain", "rush-pro,tern-max", "Prove that √2 is irrational")).code == 0
    assert (await shell.run("ask", "-e", "3", "Tabs or spaces?")).code == 0
    shell.script.then(Reply(400), "lumen-dash")
    assert (await shell.run("ask", "-m", "lumen-dash", "hello")).code == 1


async def test_costs_add_up_the_same_however_they_are_grouped(shell: Shell) -> None:
    await _spend(shell)
    attempts = []
    for session in (await shell.run("sessions", "list", "--json")).json:
        told = (await shell.run("sessions", "show", session["id"], "--json")).json
        attempts += [attempt for message in told["messages"] for attempt in message["attempts"]]
    spent = sum(Decimal(str(attempt["cost_usd"])) for attempt in attempts)
    assert spent > 0
    for by in GROUPINGS:
        told = (await shell.run("costs", "--by", by, "--format", "json", "--period", "today")).json
        assert told["by"] == by.split(",")
        assert told["total"]["attempts"] == len(attempts) == sum(row["attempts"] for row in told["rows"])
        assert sum(Decimal(str(row["cost_usd"])) for row in told["rows"]) == spent
        assert Decimal(str(told["total"]["cost_usd"])) == spent
        assert sum(row["failed"] for row in told["rows"]) == 2
    each = (await shell.run("costs", "--by", "attempt", "--format", "json")).json
    assert [row["outcome"] for row in each["rows"]].count("failed") == 2
    assert sum(Decimal(row["cost_usd"]) for row in each["rows"]) == spent
    assert (each["found"], each["total"]["attempts"]) == (len(attempts), len(attempts))


async def test_every_period_holds_what_was_spent_just_now(shell: Shell) -> None:
    await shell.run("ask", "-m", "rush-pro", "hello")
    for period in ("today", "day", "week", "month", "all"):
        assert (await shell.run("costs", "--period", period, "--format", "json")).json["total"]["attempts"] == 1


async def test_a_span_of_days_is_said_in_dates_or_words(shell: Shell) -> None:
    await shell.run("ask", "-m", "rush-pro", "hello")
    today = (await shell.run("costs", "--by", "day", "--format", "json")).json["rows"][0]["day"]

    async def attempts(*span: str) -> int:
        told = (await shell.run("costs", *span, "--format", "json")).json
        return int(told["total"]["attempts"])

    assert await attempts("--from", "today") == 1
    assert await attempts("--from", today, "--to", today) == 1
    assert await attempts("--from", "2w") == 1
    assert await attempts("--to", "yesterday") == 0
    assert await attempts("--from", "7d", "--to", "1d") == 0


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (("--from", "soon"), "'soon' is not a day; say it as 2"),
        (("--from", "2026-02-30"), "'2026-02-30' is not a day"),
        (("--from", "today", "--to", "yesterday"), "before it begins"),
        (("--period", "week", "--from", "today"), "not both"),
        (("--by", "modle"), "'modle' is not known; did you mean 'model'?"),
        (("--by", "attempt,model"), "cannot be joined"),
    ],
)
async def test_a_time_or_a_grouping_that_makes_no_sense_is_told(shell: Shell, span: tuple[str, ...], said: str) -> None:
    ended = await shell.run("costs", *span)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert "Traceback" not in ended.err


async def test_rows_that_are_left_out_are_told_and_in_the_total(shell: Shell) -> None:
    await _spend(shell)
    ended = await shell.run("costs", "--limit", "1")
    assert len(ended.out.splitlines()) == 5  # head, row, total, what was left out, savings
    assert " rows; the total is of all, and --limit shows more." in ended.out
    told = (await shell.run("costs", "--limit", "1", "--format", "json")).json
    assert len(told["rows"]) == 1 < told["found"]
    assert told["total"]["attempts"] > told["rows"][0]["attempts"]


async def test_a_title_does_not_become_a_formula_in_a_spreadsheet(shell: Shell) -> None:
    await shell.run("ask", "-m", "rush-pro", "=HYPERLINK(1)")
    ended = await shell.run("costs", "--by", "session", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(ended.out))
    assert row["title"].startswith("'=HYPERLINK")


async def test_the_states_of_a_cost_stand_apart(shell: Shell) -> None:
    await _spend(shell)
    told = (await shell.run("costs", "--format", "json")).json
    for row in [*told["rows"], told["total"]]:
        parts = [Decimal(row[name]) for name in ("billed_usd", "computed_usd", "estimated_usd")]
        assert sum(parts) == Decimal(row["cost_usd"])
    assert Decimal(told["total"]["estimated_usd"]) > 0
    assert Decimal(told["total"]["computed_usd"]) > 0


async def test_the_table_ends_with_a_total_and_the_savings_line(shell: Shell) -> None:
    await _spend(shell)
    ended = await shell.run("costs")
    assert (ended.code, ended.err) == (0, "")
    *_, total, savings = ended.out.splitlines()
    assert total.split()[0] == "total"
    assert savings.startswith("Estimate: ")
    assert " on " in savings
    assert "~" in total, "the broken attempt's tokens were counted here"


async def test_csv_holds_exact_amounts_and_its_savings_line_goes_to_stderr(shell: Shell) -> None:
    await shell.run("ask", "-m", "rush-pro", "hello")
    await shell.run("ask", "-m", "rush-mini", "hello")
    ended = await shell.run("costs", "--format", "csv", "--by", "model")
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    told = (await shell.run("costs", "--format", "json", "--by", "model")).json
    assert {row["model"]: Decimal(row["cost_usd"]) for row in rows} == {
        row["model"]: Decimal(row["cost_usd"]) for row in told["rows"]
    }
    assert ended.err.startswith("Estimate: ")


async def test_a_costs_file_holds_what_stdout_would(shell: Shell) -> None:
    await shell.run("ask", "-m", "rush-pro", "hello")
    for form in ("table", "json", "csv"):
        printed = await shell.run("costs", "--format", form)
        written = await shell.run("costs", "--format", form, "-o", "costs.out")
        assert written.out == ""
        assert shell.read("costs.out") == printed.out


async def test_with_nothing_spent_costs_say_so(shell: Shell) -> None:
    ended = await shell.run("costs")
    assert ended.code == 0
    assert "Nothing was answered" in ended.out
    assert (await shell.run("costs", "--format", "json")).json["rows"] == []


async def test_costs_read_no_list_and_call_nobody(shell: Shell) -> None:
    shell.script.always(Reply(500), LISTING)
    await shell.run("costs")
    assert shell.servers.exchanges == []


async def test_sessions_are_listed_the_last_used_first(shell: Shell) -> None:
    assert "There is no session yet" in (await shell.run("sessions")).err
    shell.script.always(Say("Paris."))
    await shell.run("ask", "What is the capital of France?")
    await shell.run("ask", "What is the capital of Italy?")
    bare, listed = await shell.run("sessions"), await shell.run("sessions", "list")
    assert bare.out == listed.out
    titles = [line.split("  ")[-1] for line in listed.out.splitlines()[1:]]
    assert titles == ["What is the capital of Italy?", "What is the capital of France?"]
    assert len((await shell.run("sessions", "list", "-n", "1", "--json")).json) == 1


async def test_a_session_is_shown_found_exported_and_deleted(shell: Shell) -> None:
    shell.script.always(Say("Paris, **of course**."))
    await shell.run("ask", "-m", "rush-pro", "--system", "Be brief.", "What is the capital of France?")
    found = await shell.run("sessions", "search", "paris", "course")
    assert found.code == 0
    session = found.out.splitlines()[1].split()[0]
    shown = await shell.run("sessions", "show", session)
    assert "What is the capital of France?" in shown.out
    assert "## openai/rush-pro" in shown.out
    assert "Paris, **of course**." in shown.out
    assert "> Be brief." in shown.out
    assert (await shell.run("sessions", "export", session)).out == shown.out
    await shell.run("sessions", "export", session, "--format", "json", "-o", "talk.json")
    exported = json.loads(shell.read("talk.json"))
    assert [message["role"] for message in exported["messages"]] == ["user", "assistant"]
    assert exported["messages"][1]["attempts"][0]["model"] == "openai/rush-pro"
    unasked = await shell.run("sessions", "delete", session, "--for-good")
    assert unasked.code == 2
    assert "--yes" in unasked.err
    spent = (await shell.run("costs", "--format", "json")).json["total"]
    gone = await shell.run("sessions", "delete", session, "--for-good", "--yes")
    assert (gone.code, gone.out) == (0, "")
    assert (await shell.run("sessions", "show", session)).code == 2
    assert (await shell.run("costs", "--format", "json")).json["total"] == spent


async def test_a_search_without_a_hit_is_exit_code_1(shell: Shell) -> None:
    ended = await shell.run("sessions", "search", "heron")
    said = "No title and no message holds all these words; try fewer, or a part of one.\n"
    assert (ended.code, ended.err) == (1, said)
