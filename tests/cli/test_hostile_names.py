"""What a terminal is given, wherever it comes from: names of folders, a store that somebody else has written to."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace

import pytest

from tests.cli.conftest import Shell
from tests.cli.terminal import Terminal, terminal
from tui_orchestrator.cli.streams import BOLD, PLAIN, harmless
from tui_orchestrator.demo import Say

HOSTILE = "\x1b]0;PWN\x07\x1b[31m\x9b6n\u202eX\x1b[8m"
OWN = re.compile(r"\x1b\[(?:0|1|2|3[0-7])m|\r\x1b\[2K|\r\n")
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def carried_out(screen: Terminal) -> list[str]:
    """All that is not the program's own colour, and would not stand there as a letter."""
    return HARMFUL.findall(OWN.sub("", screen.written.decode()))


@pytest.mark.parametrize("arguments", ["config path", "config init", "config check", "doctor"])
async def test_a_hostile_folder_cannot_drive_the_terminal(shell: Shell, arguments: str) -> None:
    folder = shell.directory / HOSTILE
    folder.mkdir()
    config = folder / "config.toml"
    if arguments != "config init":
        config.write_text(shell.config.read_text())
    environment = {**shell.environment, "TUI_ORCHESTRATOR_HOME": str(folder)}
    hostile = replace(shell, config=config, environment=environment)
    async with terminal(hostile, *arguments.split(), NO_COLOR="1") as screen:
        assert await screen.end() in (0, 1)
    assert "]0;PWN[31m6nX[8m" in re.sub(r"\s", "", screen.seen), "its letters are shown"
    assert carried_out(screen) == []
    piped = await hostile.run("config", "path")
    assert piped.out == f"{config}\n", "a program is given the name itself"


async def test_a_tampered_store_cannot_drive_the_terminal(shell: Shell) -> None:
    assert (await shell.run("ask", "-m", "rush-pro", "What is a B-tree?")).code == 0
    session = (await shell.run("sessions", "list", "--json")).json[0]["id"]
    store = next((shell.directory.parent / "home").rglob("*.db"))
    with sqlite3.connect(store) as database:
        for table, column in (("sessions", "title"), ("attempts", "model"), ("attempts", "provider")):
            assert database.execute(f"UPDATE {table} SET {column} = {column} || ?", (HOSTILE,)).rowcount
    database.close()
    tables = ("sessions", "sessions search tree", "costs --by session", "costs --by attempt", "stats")
    for arguments in (*tables, f"sessions show {session}", "sessions show --json " + session):
        async with terminal(shell, *arguments.split()) as screen:
            assert await screen.end() == 0, screen.seen
        assert len(screen.seen) > 50, arguments
        assert carried_out(screen) == [], arguments
    async with terminal(shell, "sessions", "delete", "--for-good", session) as screen:
        await screen.until("for good? [y/N]")
        assert carried_out(screen) == []


def test_of_escapes_only_the_boldness_of_our_own_heads_passes_and_it_ends_with_the_text() -> None:
    assert harmless(f"{BOLD}id{PLAIN}\n\x1b[31m1\t\x9b") == "\x1b[1mid\x1b[0m\n[31m1\t"
    assert harmless(f"a {BOLD}title") == "a \x1b[1mtitle\x1b[0m"
    assert harmless(f"{BOLD}id{PLAIN}") == "\x1b[1mid\x1b[0m"
    assert harmless("\x1b[1mloud\x1b[0m \x1b1\x1b0 a\r\nb\u2066") == "[1mloud[0m 10 a\nb"


async def test_marks_that_pile_up_on_a_letter_reach_no_terminal(shell: Shell) -> None:
    shell.script.always(Say("Z" + "\u0301" * 300 + "alg\u0329o. " * 3))
    async with terminal(shell, "ask", "-m", "rush-pro", "Who?") as piled:
        assert await piled.end() == 0
    assert "Z\u0301\u0301\u0301\u0301alg\u0329o" in piled.seen
    piped = await shell.run("ask", "-m", "rush-pro", "Who?")
    assert piped.out.count("\u0301") == 300, "elsewhere to the letter"
