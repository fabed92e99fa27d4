"""The examples of the documentation, installed and used over the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import LIBRARY, Shell
from tui_orchestrator.demo import Say

from .packages import EXAMPLES

CODE = "Write a Python function that merges two sorted lists"


def configure(shell: Shell, text: str) -> None:
    """Keys of the sections before the first are not asked for: what is added goes to the end."""
    shell.config.write_text(shell.config.read_text() + text)


async def test_doctor_lists_each_plugin_with_kind_package_version_and_state(shell: Shell, examples: Path) -> None:
    configure(shell, '[plugins]\ndisabled = ["theme:moss"]\n')
    ended = await shell.run("doctor")
    for line in (
        "✓ plugin thrifty: strategy of orchestrator-examples 1.0, on",
        "✓ plugin sources: verdict of orchestrator-examples 1.0, on",
        "✓ plugin echo: provider of orchestrator-examples 1.0, on",
        "✓ plugin pros-and-cons: recipe of orchestrator-examples 1.0, on",
        "· plugin moss: theme of orchestrator-examples 1.0, off",
    ):
        assert line in ended.out


async def test_a_strategy_decides_and_is_explained_in_its_own_words(shell: Shell, examples: Path) -> None:
    ended = await shell.run("route", "--strategy", "thrifty", "--json", CODE)
    decision = ended.json
    assert decision["strategy"] == "thrifty"
    assert decision["reason"].startswith("the best chance for what it costs (thrifty, of orch")
    usable = [one for one in decision["candidates"] if one["excluded"] is None]
    assert [one["score"] for one in usable] == sorted((one["score"] for one in usable), reverse=True)
    assert decision["model"] == usable[0]["model"]


async def test_a_strategy_is_compared_with_the_others(shell: Shell, examples: Path) -> None:
    assert "thrifty" in (await shell.run("route", "--strategy", "all", "--json", CODE)).json


async def test_a_strategy_may_be_configured_and_asked_by_in_rules(shell: Shell, examples: Path) -> None:
    configure(shell, '[rules.code]\ntask_types = ["code"]\nstrategy = "thrifty"\n')
    ended = await shell.run("route", "--json", CODE)
    assert (ended.json["strategy"], ended.err) == ("thrifty", "")
    assert (await shell.run("config", "set", "router.strategy", "thrifty")).code == 0
    assert (await shell.run("route", "--json", "What is the capital of France?")).json["strategy"] == "thrifty"


async def test_a_turn_of_a_plugins_strategy_is_kept_summed_and_made_again(shell: Shell, examples: Path) -> None:
    answer = await shell.run("ask", "--strategy", "thrifty", "--json", CODE)
    assert answer.json["strategy"] == "thrifty"
    assert "thrifty" in (await shell.run("costs", "--by", "strategy", "--period", "all")).out
    again = await shell.run("route", "--replay", "latest", "--json")
    assert (again.json["same"], again.code) == (True, 0)


async def test_a_kept_turn_is_made_again_when_its_strategy_is_gone(shell: Shell, examples: Path) -> None:
    await shell.run("ask", "--strategy", "thrifty", CODE)
    configure(shell, '[plugins]\ndisabled = ["thrifty"]\n')
    again = (await shell.run("route", "--replay", "latest", "--json")).json
    assert again["replayed"]["model"] == again["stored"]["model"]
    assert "at the time" in again["replayed"]["reason"]
    stored, replayed = again["stored"]["candidates"], again["replayed"]["candidates"]
    assert [one["score"] for one in replayed] == [one["score"] for one in stored]


async def test_a_strategy_that_is_switched_off_gives_way_to_the_balance_and_says_so(
    shell: Shell, examples: Path
) -> None:
    configure(shell, '[plugins]\nenabled = ["echo"]\n')
    decision = (await shell.run("route", "--strategy", "thrifty", "--json", CODE)).json
    assert decision["strategy"] == "balanced"
    assert decision["reason"].startswith("no plugin brings the strategy thrifty, so balanced: ")


async def test_an_unknown_strategy_is_told_what_it_may_have_meant(shell: Shell, examples: Path) -> None:
    assert "did you mean 'thrifty'?" in (await shell.run("ask", "--strategy", "trifty", "hello")).err


async def test_a_check_makes_an_answer_fall_short_so_that_it_escalates(shell: Shell, examples: Path) -> None:
    shell.script.always(Say("Paris has been the capital of France since the year 987."))
    question = "Cite a source: since when is Paris the capital of France?"
    first = (await shell.run("route", "--json", question)).json["model"]
    ended = await shell.run("ask", "--check", "off", "--events", question)
    finished = [event for event in ended.lines if event["type"] == "attempt_finished"]
    assert finished[0]["model"] == first
    assert finished[0]["confidence"] <= 0.3
    escalated = next(event for event in ended.lines if event["type"] == "escalated")
    assert "sources: names no source" in escalated["detail"]


async def test_a_provider_lists_its_models_and_answers(shell: Shell, examples: Path) -> None:
    assert "echo/parrot" in [one["id"] for one in (await shell.run("models", "--json")).json]
    ended = await shell.run("ask", "-m", "echo/parrot", "say it again")
    assert (ended.code, ended.out.strip()) == (0, "say it again")


async def test_a_recipe_is_listed_shown_and_run(shell: Shell, examples: Path) -> None:
    assert "pros-and-cons" in (await shell.run("recipe", "list")).out
    assert "(orchestrator-examples 1.0)" in (await shell.run("recipe", "show", "pros-and-cons")).out
    assert (await shell.run("recipe", "run", "pros-and-cons", "plan=move to the coast")).code == 0


def test_without_plugins_nothing_is_imported_to_look_for_them(tmp_path: Path) -> None:
    """Two files may be on the path that say nothing to us."""
    (tmp_path / "other-1.0.dist-info").mkdir()
    (tmp_path / "other-1.0.dist-info" / "entry_points.txt").write_text("[console_scripts]\nother = other:main\n")
    code = (
        "import sys; from tui_orchestrator.plugins.finding import installed; found = installed();"
        "assert not found, found; assert 'importlib.metadata' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONPATH": f"{LIBRARY}{os.pathsep}{tmp_path}"}
    subprocess.run([sys.executable, "-S", "-c", code], check=True, env=environment)


def test_the_page_shows_the_examples_as_they_are() -> None:
    page = (LIBRARY / "docs" / "plugins.md").read_text()
    for name in ("thrifty", "sources", "echo"):
        source = (EXAMPLES / "orchestrator_examples" / f"{name}.py").read_text()
        assert f"```python\n{source}```" in page
    project = (EXAMPLES / "pyproject.toml").read_text()
    assert project[project.index("[project.entry-points") :].strip() in page
