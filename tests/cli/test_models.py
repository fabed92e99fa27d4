"""`models test`, `models enable` and `models disable`."""

from __future__ import annotations

import pytest

from tests.catalogue.server import Reply as Plain
from tests.catalogue.server import serving
from tests.cli.conftest import KEYS, Shell
from tests.cli.terminal import terminal
from tui_orchestrator.demo import Reply, Say


async def test_a_test_tells_the_most_it_costs_the_answer_the_speed_and_the_cost(shell: Shell) -> None:
    shell.script.always(Say(text="ready"))
    ended = await shell.run("models", "test", "openai/rush-pro")
    assert ended.code == 0
    assert ended.out.startswith("ready · ")
    assert "s to the first token" in ended.out
    assert "$0.0" in ended.out
    assert "Asking openai/rush-pro: at most $0." in ended.err
    assert shell.asked == ["rush-pro"]
    told = (await shell.run("models", "test", "rush-pro", "--json")).json
    assert (told["model"], told["answer"], told["error"]) == ("openai/rush-pro", "ready", None)
    assert told["cost_usd"] > 0
    spent = (await shell.run("costs", "--by", "model", "--format", "json", "--period", "today")).json
    assert spent["total"]["attempts"] == 2


async def test_a_test_that_fails_ends_with_one_sentence_and_a_code(shell: Shell) -> None:
    shell.script.always(Reply(401))
    ended = await shell.run("models", "test", "openai/rush-pro")
    assert (ended.code, ended.out) == (1, "")
    assert len(ended.err.splitlines()) == 2
    unknown = await shell.run("models", "test", "rush-prow")
    assert unknown.code == 2
    assert "did you mean" in unknown.err


async def test_a_test_keeps_to_the_caps(shell: Shell) -> None:
    ended = await shell.run("models", "test", "openai/rush-pro", DAILY_BUDGET_USD="0.0000001")
    assert ended.code == 3
    assert shell.asked == []


async def test_a_model_is_switched_off_and_on_for_good_and_comments_stay(shell: Shell) -> None:
    shell.config.write_text("# mine, and it stays\n" + shell.config.read_text())
    ended = await shell.run("models", "disable", "rush-pro")
    assert (ended.code, ended.out) == (0, "")
    assert str(shell.config) in ended.err
    health = {model["id"]: model["health"] for model in (await shell.run("models", "--json")).json}
    assert health["openai/rush-pro"]["detail"] == "disabled in your configuration"
    assert (await shell.run("ask", "-m", "openai/rush-pro", "hello")).code != 0
    assert shell.config.read_text().startswith("# mine, and it stays\n")
    assert (await shell.run("models", "enable", "openai/rush-pro")).code == 0
    health = {model["id"]: model["health"] for model in (await shell.run("models", "--json")).json}
    assert health["openai/rush-pro"]["state"] == "available"


async def test_the_demos_models_are_in_no_configuration(shell: Shell) -> None:
    ended = await shell.run("--demo", "models", "disable", "rush-pro")
    assert ended.code == 1
    assert "the demo's models are in no configuration" in ended.err


async def test_the_list_tells_what_an_earlier_command_saw_of_a_model(shell: Shell) -> None:
    shell.script.always(Reply(429, headers={"retry-after": "300"}), "rush-pro")
    assert (await shell.run("ask", "-m", "openai/rush-pro", "hello")).code == 1
    health = {model["id"]: model["health"] for model in (await shell.run("models", "--json")).json}["openai/rush-pro"]
    assert (health["state"], health["detail"]) == ("cooling_down", "429")
    assert 200 < health["seconds_left"] <= 300
    ended = await shell.run("models")
    line = next(line for line in ended.out.splitlines() if "openai/rush-pro" in line)
    assert "cooling down: 429" in line


@pytest.mark.parametrize(
    ("tags", "fault"),
    [
        (Plain(b'{"mod', missing=500), "broke (RemoteProtocolError)"),
        (b"[" + b" " * 9 * 2**20, "sent more than 8 MB; it was not read"),
        ([1, 2], "answered with something that is no model list"),
        ({"models": None}, "its model list is empty"),
    ],
)
async def test_a_configured_server_of_which_no_model_is_known_is_named_with_its_fault(
    shell: Shell, tags: object, fault: str
) -> None:
    for name in KEYS:
        del shell.environment[name]
    async with serving({"/api/version": {"version": "0.40.12"}, "/api/tags": tags}, Plain("", 404)) as server:
        shell.config.write_text(f'[router]\ndiscover_local = false\n[providers.ollama]\nbase_url = "{server.url}/v1"\n')
        listed = await shell.run("models")
        assert (listed.code, listed.out) == (0, "")
        said, nothing = listed.err.splitlines()
        assert said.startswith("No model of ollama is known: ")
        assert said.endswith(f"{fault}.")
        assert nothing.startswith("There is no model: ")
        assert said in (await shell.run("models", "--json")).err
        asked = await shell.run("ask", "hi")
        assert asked.code == 1
        assert "✗ no model of ollama is known (" in asked.err
        assert f"{fault}), so there is no model at all" in asked.err
        pinned = await shell.run("ask", "-m", "ollama/llama3", "hi")
        assert pinned.code == 2
        assert "no model of ollama is known: " in pinned.err
        assert fault in pinned.err


HERETIC = "mradermacher/Llama-3.3-70B-Instruct-Uncensored-Heretic-i1-GGUF:IQ4_XS"


@pytest.mark.parametrize(
    ("width", "head", "lines"),
    [
        ("160", ["health", "first", "tok", "tok/s", "votes", "learned"], 2),
        ("100", ["health"], 3),
        ("80", ["health"], 4),
    ],
)
async def test_a_long_name_is_folded_at_a_terminal_and_leaves_the_figures_where_they_are(
    shell: Shell, width: str, head: list[str], lines: int
) -> None:
    with shell.config.open("a") as file:
        file.write(f'[[models]]\nid = "openai/{HERETIC}"\ninput_usd = 1\noutput_usd = 2\ncontext_window = 8000\n')
    async with terminal(shell, "models", COLUMNS=width) as screen:
        assert await screen.end() == 0
    titles, *rows = screen.seen.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()
    assert titles.split()[:8] == ["model", "level", "in", "$/M", "out", "$/M", "context", "can"]
    assert titles.split()[8:] == head, "columns in which nothing is known go before more is folded"
    assert max(map(len, rows)) <= int(width)
    long = next(place for place, row in enumerate(rows) if row.startswith("openai/mradermacher"))
    assert "available" in rows[long]
    assert "".join(row.split()[0] for row in rows[long : long + lines]) == f"openai/{HERETIC}"
    others = rows[:long] + rows[long + lines :]
    assert [row.count("available") for row in others] == [1] * 7, "none of them is folded"


async def test_a_long_name_is_whole_in_a_pipe(shell: Shell) -> None:
    with shell.config.open("a") as file:
        file.write(f'[[models]]\nid = "openai/{HERETIC}"\n')
    piped = (await shell.run("models")).out.splitlines()
    assert any(line.startswith(f"openai/{HERETIC}  ") for line in piped)
    assert piped[0].split()[-2:] == ["votes", "learned"]
