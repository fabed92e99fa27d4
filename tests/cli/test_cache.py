"""`cache`, and the flags of `ask` that go with it."""

from __future__ import annotations

import sys

import pytest

from tests.cli.conftest import Shell

PINNED = ("-m", "rush-pro")


async def test_an_answer_from_the_cache_is_marked_and_again_asks_for_real(shell: Shell) -> None:
    await shell.run("ask", *PINNED, "--cache", "What is DNS?")
    hit = await shell.run("ask", *PINNED, "--cache", "What is DNS?")
    assert shell.asked == ["rush-pro"]
    assert "from the cache, saved $" in hit.err
    assert "ask --again asks for real" in hit.err
    again = await shell.run("ask", *PINNED, "--again")
    assert shell.asked == ["rush-pro"] * 2
    assert "from the cache" not in again.err


async def test_a_hit_says_in_json_where_it_comes_from_and_what_it_saved(shell: Shell) -> None:
    await shell.run("ask", *PINNED, "--cache", "What is DNS?")
    said = (await shell.run("ask", *PINNED, "--cache", "--json", "What is DNS?")).json
    (attempt,) = said["metadata"]["attempts"]
    assert said["cost"] == 0
    assert said["metadata"]["from_cache"] is True
    assert attempt["saved_usd"] > 0
    assert attempt["recalled"].keys() == {"stored", "earlier_prompt", "similarity"}
    events = (await shell.run("ask", *PINNED, "--cache", "--events", "What is DNS?")).lines
    (finished,) = [event for event in events if event["type"] == "attempt_finished"]
    assert (finished["from_cache"], finished["saved_usd"]) == (True, attempt["saved_usd"])


async def test_without_a_word_and_with_no_cache_it_is_asked_for_real(shell: Shell) -> None:
    for flags in ((), ("--cache",), (), ("--no-cache",)):
        await shell.run("ask", *PINNED, *flags, "What is DNS?")
    assert shell.asked == ["rush-pro"] * 4


async def test_other_words_are_answered_when_that_is_switched_on(shell: Shell) -> None:
    shell.environment["TUI_ORCHESTRATOR_CACHE__SEMANTIC"] = "true"
    await shell.run("ask", *PINNED, "--cache", "How do I sort a list in Python?")
    hit = await shell.run("ask", *PINNED, "--cache", "How can I sort a Python list?")
    assert shell.asked == ["rush-pro"]
    assert "≈ from an earlier answer to: «How do I sort a list in Python?» (0." in hit.err
    assert "saved ~$" in hit.err
    row = (await shell.run("cache")).out.splitlines()[1].split()
    assert row[0] == "openai/rush-pro"
    assert (row[1], row[3], row[4], row[5][:2]) == ("1", "1", "1", "~$")


async def test_what_is_kept_is_shown_and_cleared(shell: Shell) -> None:
    empty = await shell.run("cache", "show", "--json")
    assert empty.json["models"] == []
    for model in ("rush-pro", "tern-lite"):
        for _ in range(2):
            await shell.run("ask", "-m", model, "--cache", "What is DNS?")
    told = (await shell.run("cache", "show", "--json")).json["models"]
    assert {one["model"]: (one["answers"], one["hits"]) for one in told} == {
        "openai/rush-pro": (1, 1),
        "anthropic/tern-lite": (1, 1),
    }
    assert all(one["saved_usd"] > 0 and one["bytes"] > 0 for one in told)
    assert "0 answers forgotten" in (await shell.run("cache", "clear", "--older-than", "1h")).err
    assert "1 answer forgotten" in (await shell.run("cache", "clear", "--model", "rush-pro")).err
    shown = await shell.run("cache")
    assert "1 of at most 20,000 answers" in shown.err
    # What it saved is history.
    assert [line.split()[:4:3] for line in shown.out.splitlines() if "rush-pro" in line] == [["openai/rush-pro", "1"]]
    assert "1 answer forgotten" in (await shell.run("cache", "clear")).err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--older-than", "soon"), "such as 7d"),
        (("--older-than", "7"), "such as 7d"),
        (("--model", "rush-pro"), "the cache is empty"),
    ],
)
async def test_what_cannot_be_cleared_is_told(shell: Shell, arguments: tuple[str, ...], said: str) -> None:
    ended = await shell.run("cache", "clear", *arguments)
    assert ended.code == 2
    assert said in ended.err


async def test_config_check_and_doctor_say_what_to_install(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.environment["TUI_ORCHESTRATOR_CACHE__SEMANTIC"] = "true"
    assert (await shell.run("config", "check")).code == 0
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    checked = await shell.run("config", "check")
    assert checked.code == 2
    assert checked.err == (
        "env TUI_ORCHESTRATOR_CACHE__SEMANTIC: cache.semantic: tokenizers is not installed, so only exactly the same "
        "prompts are answered from the cache; pip install 'tui-orchestrator[semantic]'\n"
    )
    assert "pip install 'tui-orchestrator[semantic]'" in (await shell.run("doctor")).out
