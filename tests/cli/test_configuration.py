"""`config` and `doctor`: what holds, where it comes from, and what is wrong with it."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import KEYS, Shell
from tui_orchestrator.demo import LISTING, Reply


def _values(table: dict[str, Any]) -> list[Any]:
    """At any depth: empty sections are none."""
    below = (_values(value) if isinstance(value, dict) else [value] for value in table.values())
    return [value for values in below for value in values]


async def test_config_path_is_where_init_writes_a_file_that_changes_nothing(shell: Shell) -> None:
    shell.config = Path(shell.environment["TUI_ORCHESTRATOR_HOME"]) / "mine.toml"
    path = (await shell.run("config", "path")).out.strip()
    assert path == str(shell.config)
    written = await shell.run("config", "init")
    assert (written.code, written.out) == (0, f"{path}\n")
    assert shell.mode(path) == 0o600
    assert _values(tomllib.loads(shell.read(path))) == []
    assert (await shell.run("config", "check")).out == f"{path} is valid\n"
    again = await shell.run("config", "init")
    assert again.code == 1
    assert "--force" in again.err
    assert (await shell.run("config", "init", "--force")).code == 0


async def test_config_check_names_every_file_it_read(shell: Shell) -> None:
    shell.write("tui-orchestrator.toml", '[router]\nstrategy = "cheapest"\n')
    ended = await shell.run("config", "check")
    own, project = ended.out.splitlines()
    assert own == f"{shell.config} is valid"
    assert project.endswith("/project/tui-orchestrator.toml is valid")


async def test_config_check_tells_what_is_not_on_the_disk(shell: Shell) -> None:
    shell.write("file", "")
    own = shell.config
    own.write_text(f'[store]\npath = "{shell.directory}/file/store.db"\n[ui]\ntheme = "nope"\n')
    ended = await shell.run("config", "check")
    assert (ended.code, ended.out) == (2, "")
    store, theme = ended.err.splitlines()
    assert store.startswith(f"{own}:2: store.path: {shell.directory}/file/store.db cannot be made: ")
    assert store.endswith(f"{shell.directory}/file is no directory; name another file")
    assert theme.startswith(f"{own}:4: ui.theme: no theme is called 'nope'; there are ")
    assert "dusk" in theme
    themes = Path(shell.environment["TUI_ORCHESTRATOR_HOME"]) / "config" / "themes"
    themes.mkdir(parents=True)
    (themes / "other.toml").write_text('name = "nope"\n')
    own.write_text(f'[store]\npath = "{shell.directory}/new/store.db"\n[ui]\ntheme = "nope"\n')
    assert (await shell.run("config", "check")).code == 0
    assert not (shell.directory / "new").exists(), "a check makes nothing"


async def test_config_check_finds_what_is_wrong_with_the_keys(shell: Shell) -> None:
    shell.config.write_text('[ui.keymap]\n"theme.pik" = "f9"\n"pane.zoom" = "ctrl+s"\n')
    ended = await shell.run("config", "check")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        f"{shell.config}:2: [ui.keymap] names an unknown action 'theme.pik'; did you mean theme.pick?",
        f"{shell.config}:3: [ui.keymap] gives ctrl+s to pane.zoom and strategy.pick; give one of them another key. "
        "Until then pane.zoom has it, and strategy.pick not",
    ]


async def test_which_rate_limits_hold_and_where_they_come_from_is_told(shell: Shell) -> None:
    plain = shell.config.read_text()
    shell.config.write_text(
        plain.replace('rush-mini"\n', 'rush-mini"\nrequests_per_minute = 7\n').replace(
            "[providers.gemini]\n", "[providers.gemini]\ntokens_per_minute = 9000\n"
        )
    )
    listed = {one["id"]: one["rate_limits"] for one in (await shell.run("models", "--json")).json}
    (own,) = listed["openai/rush-mini"]
    assert (own["requests_per_minute"], own["source"]) == (7, "your configuration")
    (usual,) = listed["anthropic/tern-max"]
    assert (usual["of"], usual["requests_per_minute"]) == ("anthropic/tern-max", 20)
    assert usual["source"] == "the default of a maker's largest model"
    whole, _ = listed["gemini/lumen-dash"]
    assert (whole["of"], whole["tokens_per_minute"], whole["source"]) == ("provider gemini", 9000, "your configuration")
    told = (await shell.run("doctor")).out
    assert "requests are held to the default of a model's size: " in told
    assert "at 20 a minute" in told
    assert "set requests_per_minute of the provider or of the model" in told


async def test_doctor_finds_a_theme_that_there_is_not(shell: Shell) -> None:
    ended = await shell.run("doctor", TUI_ORCHESTRATOR_UI__THEME="nope")
    assert ended.code == 1
    assert (
        "✗ configuration: env TUI_ORCHESTRATOR_UI__THEME: ui.theme: no theme is called 'nope'; there are " in ended.out
    )


async def test_models_and_doctor_agree_on_a_server_that_is_not_there(shell: Shell) -> None:
    await shell.servers["demo-local"].aclose()
    listed = {model["id"]: model["health"] for model in (await shell.run("models", "--json")).json}
    assert listed["team/pebble-3b"]["state"] == "unreachable"
    told = (await shell.run("doctor")).out
    assert f"✗ provider team: {listed['team/pebble-3b']['detail']}" in told
    assert "✓ models: 6 can be used" in told


async def test_config_show_tells_where_each_value_comes_from_and_masks_keys(shell: Shell) -> None:
    shell.write("tui-orchestrator.toml", '\n[router]\nstrategy = "cheapest"\n')
    shell.write(".env", "PREFER_OPENSOURCE=true\n")
    ended = await shell.run("config", "show", DAILY_BUDGET_USD="5", TUI_ORCHESTRATOR_ROUTER__MAX_ATTEMPTS="4")
    rows = {line.split()[0]: line for line in ended.out.splitlines()}
    assert rows["router.strategy"].endswith("/tui-orchestrator.toml:3")
    assert rows["budgets.daily_usd"].split()[1:] == ["5.00", "env", "DAILY_BUDGET_USD"]
    assert rows["router.max_attempts"].split()[1:] == ["4", "env", "TUI_ORCHESTRATOR_ROUTER__MAX_ATTEMPTS"]
    assert rows["router.prefer_opensource"].endswith("/.env:1")
    assert "OPENAI_API_KEY" in rows["providers.openai.api_key"]
    assert not any(key in ended.out for key in KEYS.values())
    everything = (await shell.run("config", "show", "--all", "--json")).json
    assert {"key", "value", "origin"} == everything[0].keys()
    assert any(row["origin"] == "default" for row in everything)


async def test_what_the_project_says_bears_on_the_next_question(shell: Shell) -> None:
    shell.write("tui-orchestrator.toml", '[router]\nstrategy = "cheapest"\n')
    assert (await shell.run("route", "hello", "--json")).json["strategy"] == "cheapest"
    environment = {"TUI_ORCHESTRATOR_ROUTER__STRATEGY": "quality"}
    assert (await shell.run("route", "hello", "--json", **environment)).json["strategy"] == "quality"


async def test_a_daily_cap_is_kept_over_runs(shell: Shell) -> None:
    first = await shell.run("ask", "-m", "tern-max", "--json", "hello", DAILY_BUDGET_USD="1")
    spent = first.json["cost"]
    ended = await shell.run("ask", "-m", "tern-max", "hello", DAILY_BUDGET_USD=f"{spent:.6f}")
    assert ended.code == 3
    assert "the day's cap" in ended.err


async def test_doctor_finds_nothing_wrong_where_nothing_is(shell: Shell) -> None:
    ended = await shell.run("doctor")
    assert (ended.code, ended.err) == (0, "")
    assert "✗" not in ended.out
    assert "✓ provider openai: key from OPENAI_API_KEY; 2 models for chat" in ended.out
    assert "✓ provider team: 1 model for chat" in ended.out
    assert "✓ models: 7 can be used, 7 with a known price" in ended.out
    assert "✓ store: " in ended.out
    assert "· provider openrouter: no key\n    → set OPENROUTER_API_KEY to use it" in ended.out
    assert shell.asked == [], "nothing is billed"


async def test_doctor_tells_every_problem_with_its_remedy(shell: Shell) -> None:
    shell.script.always(Reply(401), LISTING)
    await shell.servers["demo-local"].aclose()
    store = shell.write("store.db", "this is no database, and it is longer than a header would be " * 20)
    os.chmod(shell.config, 0o666)
    ended = await shell.run("doctor", TUI_ORCHESTRATOR_STORE__PATH=store)
    assert ended.code == 1
    lines = ended.out.splitlines()
    problems = {line.partition(":")[0]: lines[number + 1] for number, line in enumerate(lines) if line.startswith("✗")}
    assert problems["✗ configuration"] == f"    → chmod go-w {shell.config}"
    assert problems["✗ provider openai"] == "    → check OPENAI_API_KEY"
    assert problems["✗ provider gemini"] == "    → check GEMINI_API_KEY"
    assert problems["✗ provider team"] == "    → check that it runs and that base_url is right"
    assert problems["✗ store"].startswith("    → move it away")
    assert ended.err == f"{len(problems)} problems found.\n"
    as_json = await shell.run("doctor", "--json", TUI_ORCHESTRATOR_STORE__PATH=store)
    assert as_json.code == 1
    assert [row["area"] for row in as_json.json if row["standing"] == "problem"] == [name[2:] for name in problems]


@pytest.mark.parametrize(("status", "mark"), [(500, "✗"), (502, "✗"), (307, "✗"), (404, "·"), (405, "·")])
async def test_doctor_does_not_take_a_list_that_failed_for_an_empty_one(shell: Shell, status: int, mark: str) -> None:
    """And a server that has none, as some have not, for one at which something is wrong."""
    shell.script.always(Reply(status), LISTING)
    ended = await shell.run("doctor")
    lines = ended.out.splitlines()
    at = next(number for number, line in enumerate(lines) if "provider team" in line)
    assert lines[at].startswith(f"{mark} ")
    assert ended.code == (mark == "✗")
    assert f"answered HTTP {status} instead of a model list" in lines[at]
    assert lines[at + 1] == "    → check its base_url, or name its models in [[models]]"
    assert "is empty" not in ended.out


async def test_without_a_key_and_a_server_every_command_says_that_the_demo_answers(shell: Shell) -> None:
    shell.config.write_text("[router]\ndiscover_local = false\n")
    for name in KEYS:
        del shell.environment[name]
    for command in (["route", "hello"], ["models"], ["costs"], ["sessions"], ["doctor"]):
        ended = await shell.run(*command)
        assert ended.code == 0
        notices = [line for line in ended.err.splitlines() if "the embedded demo models answer" in line]
        assert len(notices) == 1, command
        assert "the embedded demo models" not in ended.out


async def test_with_keys_the_demo_is_used_only_when_asked_for(shell: Shell) -> None:
    real = (await shell.run("models", "--json")).json
    assert {model["provider"] for model in real} == {"openai", "anthropic", "gemini", "team"}
    demo = await shell.run("--demo", "models", "--json")
    assert all(model["provider"].startswith("demo-") for model in demo.json)
    assert demo.err == ""


async def test_config_set_and_unset_change_one_line_and_keep_the_rest(shell: Shell) -> None:
    before = "# my file\n" + shell.config.read_text()
    shell.config.write_text(before)
    ended = await shell.run("config", "set", "router.strategy", "cheapest")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f'router.strategy = "cheapest"  {shell.config}:')
    assert all(line in shell.config.read_text() for line in before.splitlines())
    assert shell.mode(str(shell.config)) == 0o600
    assert (await shell.run("route", "hello", "--json")).json["strategy"] == "cheapest"
    assert (await shell.run("config", "unset", "router.strategy")).out == 'router.strategy = "balanced"  default\n'
    assert "strategy" not in shell.config.read_text()


async def test_config_set_refuses_what_the_file_would_be_wrong_with(shell: Shell) -> None:
    before = shell.config.read_text()
    for key, value, said in (
        ("budgets.daily_usd", "-1", "-1 is below zero; give US dollars, such as 5.00"),
        ("router.stratgy", "quality", "is an unknown key; did you mean strategy?"),
        ("providers.openai.api_key", "sk-hidden-key", "a key does not belong in this file"),
        ("rules.mine.words", "contract", "rules.mine: does nothing; give it one of primary"),
    ):
        ended = await shell.run("config", "set", key, value)
        assert (ended.code, ended.out) == (2, "")
        assert said in ended.err
        assert "hidden" not in ended.err
    assert shell.config.read_text() == before


async def test_config_set_says_what_goes_before_the_file(shell: Shell) -> None:
    ended = await shell.run("config", "set", "budgets.daily_usd", "3", DAILY_BUDGET_USD="9")
    assert (ended.code, ended.out) == (0, "budgets.daily_usd = 9.00  env DAILY_BUDGET_USD\n")
    assert ended.err == f"env DAILY_BUDGET_USD goes before {shell.config}, so 9.00 holds\n"
    assert "daily_usd = 3.00" in shell.config.read_text()


async def test_config_set_mends_a_file_that_stops_every_other_command(shell: Shell) -> None:
    shell.config.write_text('[router]\nstrategy = "chepest"\n[budgets]\ndaily_usd = -1\n')
    assert (await shell.run("config", "check")).code == 2
    first = await shell.run("config", "set", "router.strategy", "cheapest")
    assert first.out == f"{shell.config}: router.strategy is set\n"
    assert (first.code, first.err.count("\n")) == (2, 1)
    assert "budgets.daily_usd: -1 is below zero" in first.err
    assert (await shell.run("config", "unset", "budgets.daily_usd")).out == "budgets.daily_usd = (no cap)  default\n"
    assert (await shell.run("config", "check")).code == 0
    shell.config.write_text("[router\n")
    broken = await shell.run("config", "set", "router.strategy", "cheapest")
    assert (broken.code, shell.config.read_text()) == (2, "[router\n")
    assert "this is not TOML" in broken.err


async def test_doctor_says_once_that_a_time_zone_is_not_known(shell: Shell) -> None:
    told = (await shell.run("doctor", TZ="Mars/Phobos")).out
    assert told.count("TZ=Mars/Phobos names no time zone that is known here") == 1
    assert "set TZ to a name such as Europe/Berlin" in told
    for known in ("Europe/Berlin", ":Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3", "<+0330>-3:30", "UTC", ""):
        assert "names no time zone" not in (await shell.run("doctor", TZ=known)).out


async def test_a_projects_file_does_not_lift_a_cap_and_that_is_told(shell: Shell) -> None:
    shell.config.write_text(f"budgets.daily_usd = 0\n{shell.config.read_text()}")
    own = shell.write("tui-orchestrator.toml", "[budgets]\ndaily_usd = 1000000\n")
    asked = await shell.run("ask", "-m", "openai/rush-pro", "hi")
    assert asked.code == 3, asked.err
    assert f"{own}:2: budgets.daily_usd is not used: a project's file may only lower your caps" in asked.err
    assert f"0.00 from {shell.config}:1 holds" in asked.err


@pytest.mark.parametrize("command", ["config check", "config show", "doctor", "ask hello", "models test openai/x"])
@pytest.mark.parametrize(
    "text",
    [
        '[router]\nstrategy = "KEY"',
        '[providers."KEY"]\nkind = "openai-compatible"\nbase_url = "http://127.0.0.1:9/v1"',
        '[ui]\ntheme = "KEY"',
        '[router]\ndiscover_local = false\nmodel = "KEY"',
        '[[models]]\nid = "KEY"',
        '[[models]]\nid = "openai/KEY"',
        '[chains]\nmine = ["openai/KEY"]',
        '[prices."openai/KEY"]\ninput_usd = 1',
        "KEY = 1",
        "[KEY]\n[KEY]",
        '[ui.keymap]\n"KEY" = "f5"',
    ],
)
async def test_a_key_in_a_wrong_place_is_never_repeated(shell: Shell, command: str, text: str) -> None:
    key = "sk-ant-api03-aB3dE5gH7jK9mN1pQ"
    shell.config.write_text(text.replace("KEY", key))
    ended = await shell.run(*command.split())
    assert key[:10] not in ended.out + ended.err
    assert (ended.out + ended.err).strip()
    if text.startswith("[providers"):
        assert "providers.…: looks like a key" in ended.err.replace('"', "")


@pytest.mark.parametrize("typed", ["-m KEY", "-m openai/KEY", "-s KEY", "--persona KEY", "--KEY"])
async def test_a_key_typed_where_a_name_belongs_is_never_repeated(shell: Shell, typed: str) -> None:
    key = "sk-ant-api03-aB3dE5gH7jK9mN1pQ"
    ended = await shell.run("ask", *typed.replace("KEY", key).split(), "hello")
    assert ended.code == 2
    assert key[:10] not in ended.out + ended.err
    assert "…" in ended.err


async def test_a_key_among_the_models_of_a_chain_is_refused_before_anything_is_written(shell: Shell) -> None:
    key = "sk-ant-api03-aB3dE5gH7jK9mN1pQ"
    shell.config.write_text(f'[chains]\nmine = ["openai/{key}"]')
    ended = await shell.run("ask", "hello")
    assert ended.code == 2
    assert f"{shell.config}:2: chains.mine: looks like a key, which does not belong in this file" in ended.err


async def test_what_is_shown_of_a_setting_hides_the_key_in_it(shell: Shell) -> None:
    shell.config.write_text('[personas.mine]\nsystem = "Use sk-ant-api03-aB3dE5gH7jK9mN1pQ here"')
    assert "Use … here" in (await shell.run("config", "show")).out


ABSENT = (
    "api_key_keyring: the keyring backend that PYTHON_KEYRING_BACKEND names, 'not.there', is not installed; use "
    "api_key_env or api_key_command instead"
)


@pytest.mark.parametrize(
    ("arguments", "failure"),
    [
        (
            ("-m", "openai/rush-pro"),
            "✗ openai/rush-pro is pinned, but it has no key, as said above. `models` shows why",
        ),
        ((), "✗ every model is out: openai/rush-pro: it has no key, as said above. `models` shows why"),
    ],
)
async def test_why_a_key_is_not_there_is_said_once(shell: Shell, arguments: tuple[str, ...], failure: str) -> None:
    for name in KEYS:
        del shell.environment[name]
    shell.environment["PYTHON_KEYRING_BACKEND"] = "not.there"
    shell.config.write_text(
        "[router]\ndiscover_local = false\n[providers.openai]\napi_key_keyring = true\n"
        '[[models]]\nid = "openai/rush-pro"\ninput_usd = 1\noutput_usd = 1\n'
    )
    ended = await shell.run("ask", *arguments, "hi")
    said, failed = ended.err.splitlines()
    assert said == f"openai: {ABSENT}"
    assert failed.startswith(failure)
    checked = (await shell.run("doctor")).out
    assert f"✗ provider openai: {ABSENT}\n" in checked
    assert checked.count(ABSENT) == 1
