"""Rules on the command line: `route --explain-rules`, and the tags that rules may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Shell

RULES = """
[rules.legal]
words = ["contract"]
task_types = ["analysis", "creative"]
primary = "no-such-model"
system = "Cite the paragraph."
[rules.client]
tags = ["Client A"]
strategy = "quality"
[rules.ticket]
pattern = 'T-\\d+'
attachment = "text"
strategy = "cheapest"
max_tokens = 200
"""
PROMPT = "Write a Python function that merges two sorted lists"


@pytest.fixture
def ruled(shell: Shell) -> Shell:
    shell.config.write_text(shell.config.read_text() + RULES)
    return shell


async def test_every_rule_is_told_with_its_conditions_and_the_one_that_decides(ruled: Shell, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("ticket")
    arguments = ("--tag", "client a", "--file", str(file), f"{PROMPT} for T-12, as the contract says")
    ended = await ruled.run("route", "--explain-rules", *arguments)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[:-1] == [
        "  legal: does not match",
        "    ✗ task_types: task type is debugging, not analysis or creative",
        '    ✓ words: says "contract"',
        '    asks: primary no-such-model, system "Cite the paragraph."',
        "    not among today's models: no-such-model",
        "→ client: decides",
        "    ✓ tags: session is tagged client a",
        "    asks: strategy quality",
        "  ticket: matches too",
        "    ✓ attachment: has a text file",
        '    ✓ pattern: pattern matches "T-12"',
        "    asks: max_tokens 200, strategy cheapest",
    ]
    assert " · quality · rule client (session is tagged client a): " in ended.out.splitlines()[-1]
    assert ruled.asked == []


async def test_the_same_as_json(ruled: Shell) -> None:
    told = (await ruled.run("route", "--explain-rules", "--json", PROMPT)).json
    assert [(one["rule"], one["matched"], one["wins"]) for one in told["rules"]] == [
        ("legal", False, False),
        ("client", False, False),
        ("ticket", False, False),
    ]
    assert told["rules"][1]["conditions"] == [
        {"key": "tags", "holds": False, "why": "session is not tagged client a"},
    ]
    assert told["rules"][0]["missing"] == ["no-such-model"]
    assert (told["decides"], told["note"]) == (None, "No rule matches; the strategy decides.")


async def test_a_pattern_that_takes_too_long_is_told_and_nobody_is_asked(shell: Shell) -> None:
    shell.config.write_text(shell.config.read_text() + "[rules.slow]\npattern = '(a|aa)+!'\nprimary = \"pebble-3b\"\n")
    prompt = "a" * 5_000
    why = "pattern (a|aa)+! takes too long on this prompt"
    nobody = f"nobody is asked: whether rule slow is for it is not known: {why}"
    ended = await shell.run("route", "--explain-rules", prompt)
    assert ended.out.splitlines() == [
        "  slow: cannot be told",
        f"    ? pattern: {why}",
        "    asks: primary pebble-3b",
        f"→ no model · balanced · {nobody}",
    ]
    told = (await shell.run("route", "--explain-rules", "--json", prompt)).json
    assert told["rules"][0]["conditions"] == [{"key": "pattern", "holds": None, "why": why}]
    assert (told["model"], told["reason"]) == (None, nobody)
    refused = await shell.run("ask", prompt)
    assert (refused.code, refused.out) == (1, "")
    assert nobody in refused.err
    assert "Make the rule's pattern simpler" in refused.err
    assert shell.asked == []
    assert (await shell.run("ask", "-m", "pebble-3b", prompt)).code == 0


async def test_a_pinned_model_goes_before_every_rule(ruled: Shell) -> None:
    model = (await ruled.run("route", "--json", PROMPT)).json["model"]
    ended = await ruled.run("route", "--explain-rules", "--tag", "client a", "-m", model, PROMPT)
    assert "  client: matches too" in ended.out.splitlines()
    assert f"{model} is pinned, which goes before every rule." in ended.out.splitlines()


async def test_without_rules_it_says_how_to_make_one(shell: Shell) -> None:
    ended = await shell.run("route", "--explain-rules", PROMPT)
    assert ended.out.startswith("There is no rule; [rules.NAME] in your configuration makes one.")


@pytest.mark.parametrize("more", [("--strategy", "all"), ("--jsonl", "-")])
async def test_it_tells_one_decision_and_not_many(shell: Shell, more: tuple[str, ...]) -> None:
    ended = await shell.run("route", "--explain-rules", *more, *(() if "--jsonl" in more else (PROMPT,)))
    assert ended.code == 2
    assert "--explain-rules tells one decision" in ended.err


async def test_a_tagged_session_is_ruled_from_then_on(ruled: Shell) -> None:
    asked = (await ruled.run("ask", "--json", "--tag", " Client  A ", PROMPT)).json
    assert asked["metadata"]["decision"]["rule"] == "client"
    session = (await ruled.run("sessions", "list", "--json")).json[0]
    assert session["tags"] == ["client a"]
    on = (await ruled.run("ask", "--json", "--continue", session["id"], "And in Rust?")).json
    assert on["metadata"]["decision"]["rule"] == "client"
    ended = await ruled.run("sessions", "tag", session["id"], "--remove", "client a")
    assert ended.err.endswith("has no tag.\n")
    off = (await ruled.run("ask", "--json", "--continue", session["id"], "And in Go?")).json
    assert off["metadata"]["decision"]["rule"] is None


async def test_a_session_is_tagged_later_and_the_list_shows_it(ruled: Shell) -> None:
    await ruled.run("ask", PROMPT)
    assert "tags" not in (await ruled.run("sessions")).out.splitlines()[0]
    session = (await ruled.run("sessions", "list", "--json")).json[0]["id"]
    assert (await ruled.run("sessions", "tag", session, "Work", "client a")).err.endswith("tagged client a, work.\n")
    assert (await ruled.run("sessions")).out.splitlines()[1].rstrip().endswith("client a, work")
    empty = await ruled.run("sessions", "tag", session, " ")
    assert (empty.code, empty.err) == (2, "a tag is empty; give it a name, such as work\n")
