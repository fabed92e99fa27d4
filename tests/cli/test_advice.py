"""`advice`: what could be cheaper or better, for a person and for a program."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.services.ledgers import keep, ledger
from tui_orchestrator.storage.database import Database

from .conftest import Shell

DEAR_AND_CHEAP = "40 × code/4 openai/rush-pro ✓ 0.10\n40 × code/4 openai/rush-mini ✓ 0.01"


async def spent(shell: Shell, text: str) -> None:
    """As if it had been asked in the last days."""
    path = Path(shell.environment["TUI_ORCHESTRATOR_HOME"]) / "data" / "store.db"
    async with Database(path) as db:
        await keep(db, ledger(text, start=datetime.now(UTC) - timedelta(days=4)))


async def test_each_piece_of_advice_says_its_figures_its_saving_and_the_lines_to_paste(shell: Shell) -> None:
    await spent(shell, DEAR_AND_CHEAP)
    ended = await shell.run("advice")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("Optimisation score 18 = 100 × 0.18 × 1.00: $3.60 of $4.40 could have been saved")
    assert "1. Send code to openai/rush-mini (≈ $15.43 a month, an estimate)" in ended.out
    assert "100% of 40 answers stood" in ended.out
    assert f"   In {shell.config}:\n" in ended.out
    lines = "\n".join(line.strip() for line in ended.out.partition(":\n\n")[2].splitlines())
    assert tomllib.loads(lines)["rules"]["advice-code"]["primary"] == "openai/rush-mini"


async def test_what_was_pasted_does_it_and_is_not_advised_again(shell: Shell) -> None:
    await spent(shell, DEAR_AND_CHEAP)
    toml = (await shell.run("advice", "--format", "json")).json["recommendations"][0]["toml"]
    shell.config.write_text(f"{shell.config.read_text()}\n{toml}\n")
    routed = (await shell.run("route", "--json", "Write a Python function that merges two sorted lists")).json
    assert routed["model"] == "openai/rush-mini"
    assert (await shell.run("advice", "--format", "json")).json["recommendations"] == []


async def test_json_has_every_figure_apart(shell: Shell) -> None:
    await spent(shell, DEAR_AND_CHEAP)
    told = (await shell.run("advice", "--format", "json", "--from", "9d")).json
    assert told["attempts"] == 80
    assert told["score"]["value"] == 18
    (one,) = told["recommendations"]
    assert (one["kind"], one["n"], one["estimate"]) == ("cheaper_model", 80, True)
    assert one["saved_usd"] == 3.6


async def test_too_little_to_go_by_is_said(shell: Shell) -> None:
    assert (await shell.run("advice")).out == "0 attempts so far; advice begins at about 20.\n"
    await spent(shell, DEAR_AND_CHEAP)
    ended = await shell.run("advice", "--to", "30d")
    assert ended.out == "0 attempts so far; advice begins at about 20.\n"


async def test_a_period_and_days_are_not_said_together(shell: Shell) -> None:
    ended = await shell.run("advice", "--period", "week", "--from", "2w")
    assert ended.code == 2
    assert "not both" in ended.err
