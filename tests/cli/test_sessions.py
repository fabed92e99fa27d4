"""`sessions` and what `ask` leaves in them: what a user does with conversations on the command line."""

from __future__ import annotations

import json
import re
import shlex
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import LIBRARY, Shell
from tui_orchestrator.demo import Break, Phase, Say


async def asked(shell: Shell, *arguments: str) -> str:
    """The id of the session that an `ask` left."""
    ended = await shell.run("ask", "-m", "rush-pro", *arguments)
    assert ended.code == 0, ended.err
    return str((await listed(shell))[0]["id"])


async def listed(shell: Shell, *arguments: str) -> list[dict[str, object]]:
    found = (await shell.run("sessions", "list", "--json", *arguments)).json
    assert isinstance(found, list)
    return found


def store(shell: Shell) -> Path:
    return next((shell.directory.parent / "home").rglob("*.db"))


async def test_a_title_is_made_and_can_be_changed_and_made_again(shell: Shell) -> None:
    session = await asked(shell, "Hi! Could you please explain B-trees?")
    assert (await listed(shell))[0]["title"] == "Explain B-trees?"
    renamed = await shell.run("sessions", "rename", session[:9], "Trees\x1b[2J")
    assert (renamed.code, renamed.err) == (0, "'Explain B-trees?' is called 'Trees[2J' now.\n")
    await shell.run("sessions", "rename", session)
    assert (await listed(shell))[0]["title"] == "Explain B-trees?"


async def test_a_pinned_session_heads_the_list_with_what_it_cost(shell: Shell) -> None:
    first = await asked(shell, "the first one")
    await asked(shell, "the second one")
    await shell.run("sessions", "pin", first)
    head, top, *_ = (await shell.run("sessions")).out.splitlines()
    assert head.split() == ["id", "last", "used", "messages", "cost", "title"]
    assert "★ The first one" in top
    assert "$0." in top
    await shell.run("sessions", "pin", first, "--remove")
    assert [one["title"] for one in await listed(shell)] == ["The second one", "The first one"]


async def test_a_search_shows_where_and_narrows_by_tag(shell: Shell) -> None:
    shell.script.always(Say(text="A herring is a fish of the northern seas."))
    session = await asked(shell, "--tag", "sea", "which fish?")
    await asked(shell, "and once more?")
    rows = (await shell.run("sessions", "search", "HERRING")).out.splitlines()
    assert len(rows) == 3
    assert "assistant  A herring is a fish" in rows[1]
    found = (await shell.run("sessions", "search", "--json", "northern seas", "#sea")).json
    assert [(one["id"], one["found"]["position"]) for one in found] == [(session, 1)]
    assert (await shell.run("sessions", "search", "seas northern")).code == 1
    assert [one["id"] for one in await listed(shell, "--tag", "sea")] == [session]


async def test_a_fork_goes_on_where_it_was_taken(shell: Shell) -> None:
    session = await asked(shell, "one")
    await asked(shell, "--continue", session, "two")
    ended = await shell.run("sessions", "fork", session, "--turns", "1")
    fork = ended.out.strip()
    assert "has 2 messages" in ended.err
    told = (await shell.run("sessions", "show", fork, "--json")).json
    assert (told["title"], told["forked_from"]) == ("One (fork)", session)
    assert told["messages"][0]["text"] == "one"
    assert "- Fork of One" in (await shell.run("sessions", "show", fork)).out
    assert len((await shell.run("sessions", "show", session, "--json")).json["messages"]) == 4
    too_many = await shell.run("sessions", "fork", session, "--turns", "3")
    assert (too_many.code, too_many.err) == (2, "'One' has 2 prompts; give --turns up to that\n")


async def test_a_deleted_session_comes_back_until_it_is_deleted_for_good(shell: Shell) -> None:
    session = await asked(shell, "a secret")
    gone = await shell.run("sessions", "delete", session)
    assert (gone.code, f"`sessions restore {session}` brings it back" in gone.err) == (0, True)
    assert await listed(shell) == []
    assert [one["id"] for one in await listed(shell, "--deleted")] == [session]
    assert (await shell.run("ask", "--continue", session, "-p", "more")).code == 2
    assert (await shell.run("sessions", "restore", session[:9])).err == "'A secret' is back.\n"
    await shell.run("sessions", "delete", session)
    await shell.run("sessions", "delete", session, "--for-good", "--yes")
    assert (await shell.run("sessions", "restore", session)).code == 2
    assert (await shell.run("costs", "--format", "json")).json["total"]["attempts"] == 1


async def test_an_exported_session_comes_in_again_elsewhere_with_its_costs(shell: Shell) -> None:
    session = await asked(shell, "--tag", "work", "--system", "be brief", "what is Zürich?")
    written = await shell.run("sessions", "export", session, "-o", "talk.json")
    assert (written.code, written.err) == (0, "Written to talk.json.\n")
    assert shell.mode("talk.json") == 0o600
    here = await shell.run("sessions", "import", "talk.json")
    assert (here.out.strip(), "is here already" in here.err) == (session, True)
    elsewhere = str(shell.directory / "other")
    came = await shell.run("sessions", "import", "talk.json", TUI_ORCHESTRATOR_HOME=elsewhere)
    assert (came.out.strip(), "has come in with 2 messages" in came.err) == (session, True)
    again = await shell.run("sessions", "import", "talk.json", "talk.json", TUI_ORCHESTRATOR_HOME=elsewhere)
    assert again.out.split() == [session, session]
    there = await shell.run("sessions", "export", session, "--format", "json", TUI_ORCHESTRATOR_HOME=elsewhere)
    assert there.json == json.loads(shell.read("talk.json"))
    shown = (await shell.run("sessions", "show", session, TUI_ORCHESTRATOR_HOME=elsewhere)).out
    assert "rush-pro · first · finished" in shown
    total = (await shell.run("costs", "--format", "json", TUI_ORCHESTRATOR_HOME=elsewhere)).json["total"]
    assert total["attempts"] == 0


async def test_an_export_never_writes_over_a_file_unasked(shell: Shell) -> None:
    session = await asked(shell, "hello there")
    shell.write("talk.md", "mine")
    refused = await shell.run("sessions", "export", session, "-o", "talk.md")
    assert (refused.code, refused.err) == (2, "talk.md is there already; name another file, or say --force\n")
    assert shell.read("talk.md") == "mine"
    await shell.run("sessions", "export", session, "-o", "talk.md", "--force")
    assert shell.read("talk.md").startswith("# Hello there\n")


async def test_a_bad_file_is_one_sentence_and_nothing_comes_in(shell: Shell) -> None:
    session = await asked(shell, "hello there")
    good = (await shell.run("sessions", "export", session, "--format", "json")).json
    await shell.run("sessions", "delete", session, "--for-good", "--yes")
    shell.write("good.json", json.dumps(good))
    bad = json.loads(json.dumps(good))
    bad["messages"][1]["role"] = "robot"
    shell.write("bad.json", json.dumps(bad))
    ended = await shell.run("sessions", "import", "good.json", "bad.json")
    assert ended.code == 1
    assert ended.err == 'bad.json: messages[1].role: is "robot"; it may be user, assistant\n'
    assert await listed(shell) == []


async def test_nothing_of_a_temporary_chat_is_kept_but_what_it_cost(shell: Shell) -> None:
    shell.script.always(Say(text="hush-answer: the capital of nowhere."))
    ended = await shell.run("ask", "-m", "rush-pro", "--temporary", "--tag", "hush-tag", "hush-prompt, please?")
    assert (ended.code, ended.out) == (0, "hush-answer: the capital of nowhere.\n")
    shell.script.always(Break("close", Phase.MID_STREAM, Say(text="hush-broken " * 40)))
    assert (await shell.run("ask", "--temporary", "--chain", "rush-pro,tern-max", "hush-again")).code == 1
    with sqlite3.connect(store(shell)) as connection:
        for table in ("sessions", "messages", "prompts", "drafts", "discarded", "decisions", "answers", "session_tags"):
            assert connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone() == (0,), table
        rows = connection.execute("SELECT cost, error_message, reasons, findings FROM attempts").fetchall()
    assert len(rows) > 2
    assert all(cost is not None for cost, *_ in rows)
    assert {tuple(texts) for _, *texts in rows} == {("", "[]", "[]")}
    assert b"hush" not in store(shell).read_bytes()


async def test_a_temporary_chat_cannot_be_gone_on_with(shell: Shell) -> None:
    ended = await shell.run("ask", "--temporary", "--continue", "and then?")
    assert (ended.code, ended.err) == (
        2,
        "a temporary chat is kept nowhere, so there is none to go on with; leave --temporary out\n",
    )


async def test_a_persona_has_defaults_of_its_own_that_the_session_keeps(shell: Shell) -> None:
    shell.config.write_text(
        shell.config.read_text() + '[personas.poet]\nsystem = "In verse."\nmodel = "rush-pro"\nmax_tokens = 321\n'
    )
    assert (await shell.run("ask", "--persona", "Poet", "what is rain?")).code == 0
    session = (await listed(shell))[0]
    assert session["persona"] == "poet"
    assert (await shell.run("ask", "--continue", str(session["id"]), "-p", "and snow?")).code == 0
    for exchange in [one for one in shell.servers.exchanges if one.method == "POST"]:
        assert exchange.model == "rush-pro"
        body = json.dumps(exchange.body)
        assert "In verse." in body
        assert "321" in body
    with sqlite3.connect(store(shell)) as connection:
        connection.execute("UPDATE sessions SET own_way = 1")  # as /model auto in the console does
    assert (await shell.run("ask", "--continue", str(session["id"]), "-p", "and hail?")).code == 0
    assert shell.servers.exchanges[-1].model != "rush-pro"
    unknown = await shell.run("ask", "--persona", "pote", "what?")
    assert (unknown.code, unknown.err) == (2, "no persona is called 'pote'; did you mean 'poet'?\n")


async def test_latest_names_the_session_used_last_and_the_one_deleted_last(shell: Shell) -> None:
    refused = await shell.run("sessions", "show", "latest")
    assert (refused.code, refused.err) == (2, "there is no session yet; `ask` and the console make them\n")
    first = await asked(shell, "the first one")
    second = await asked(shell, "the second one")
    assert (await shell.run("sessions", "show", "latest", "--json")).json["id"] == second
    await shell.run("ask", "-m", "rush-pro", "--continue", first, "go on")
    assert (await shell.run("sessions", "export", "LATEST", "--format", "json")).json["id"] == first
    await shell.run("sessions", "rename", "latest", "Trees")
    assert (await listed(shell))[0]["title"] == "Trees"
    assert "in 'Trees'" in (await shell.run("vote", "up", "--session", "latest")).err
    for _ in range(2):
        await shell.run("sessions", "delete", "latest")
    assert [one["id"] for one in await listed(shell, "--deleted")] == [second, first]
    assert (await shell.run("sessions", "restore", "latest")).err == "'The second one' is back.\n"
    assert (await shell.run("ask", "-m", "rush-pro", "--continue", "latest", "-p", "more")).code == 0
    assert len((await shell.run("sessions", "show", second, "--json")).json["messages"]) == 4
    assert (await shell.run("sessions", "restore", "latest")).err == "'Trees' is back.\n"
    refused = await shell.run("sessions", "restore", "latest")
    assert (refused.code, refused.err) == (2, "no deleted session is kept; they are for a day\n")


@pytest.mark.parametrize("document", ["guide.md", "sessions.md"])
async def test_the_commands_on_sessions_that_are_shown_do_what_they_say(shell: Shell, document: str) -> None:
    """One after another, as they stand there."""
    session = await asked(shell, "--tag", "work", "how does a binary tree stay balanced?")
    await asked(shell, "--continue", session, "and how deep is it?")
    text = (LIBRARY / "docs" / document).read_text()
    commands = re.findall(r"^tui-orchestrator sessions (.+)|\| `sessions ([^`]+)`", text, re.MULTILINE)
    assert commands
    for block, cell in commands:
        words = shlex.split((block or cell).replace("6afh", "latest"), comments=True)
        ended = await shell.run("sessions", *words, *(["--yes"] if "--for-good" in words else []))
        assert ended.code == 0, (words, ended.err)
