"""What README and docs say is there."""

from __future__ import annotations

import itertools
import re
import runpy
import shlex
from collections import Counter
from pathlib import Path

import click
import pytest

from tui_orchestrator.cli import cli
from tui_orchestrator.ui.commands import ACTIONS
from tui_orchestrator.ui.prompt import Prompt
from tui_orchestrator.ui.slash import SLASH_COMMANDS

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
SHELL = (">", "<", "|", "||", "&&", "2>")
_LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
_COMMAND = re.compile(r"^(?:.*\| )?tui-orchestrator((?: [^#\n]*)?)", re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    for target, anchor in _LINK.findall(document.read_text()):
        path = document.parent / target if target else document
        assert path.exists(), f"{document.name} links to {target}"
        if anchor:
            assert anchor in _anchors(path.read_text()), f"{document.name} links to {target}#{anchor}"


def _anchors(text: str) -> set[str]:
    """Of the headings, as GitHub makes them."""
    found: Counter[str] = Counter()
    anchors = set()
    for heading in re.findall(
        r"^#{1,6} (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE
    ):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")
        anchors.add(f"{name}-{found[name]}" if found[name] else name)
        found[name] += 1
    return anchors


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_shown_has_the_options_it_is_shown_with(document: Path) -> None:
    for block in re.findall(r"```sh\n(.*?)```", document.read_text(), re.DOTALL):
        for line in _COMMAND.findall(block):
            _parse(cli, list(itertools.takewhile(lambda word: word not in SHELL, shlex.split(line))))


def _parse(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    """As far as the command line goes; nothing is run. A command keeps the help option it first makes, and takes its
    names from the parent: without one it would never know -h again."""
    context = command.make_context("tui-orchestrator", list(words), parent=parent)
    # Click 8 keeps the subcommand's name apart from what follows it.
    rest = [*getattr(context, "_protected_args", ()), *context.args]
    if rest and isinstance(command, click.Group):
        _, found, left = command.resolve_command(context, rest)
        assert found is not None
        _parse(found, left, context)


def test_the_console_s_document_has_the_tables_of_keys_and_commands_as_they_are() -> None:
    """docs/make_console_tables.py writes them."""
    write = runpy.run_path(str(ROOT / "docs" / "make_console_tables.py"))["with_tables"]
    text = (ROOT / "docs" / "console.md").read_text()
    assert text == write(text)


def test_the_table_of_faults_is_the_one_the_tests_walk_through() -> None:
    """docs/make_reliability_table.py writes it."""
    write = runpy.run_path(str(ROOT / "docs" / "make_reliability_table.py"))["with_table"]
    text = (ROOT / "docs" / "reliability.md").read_text()
    assert text == write(text)


def test_the_configuration_s_document_has_every_setting_as_it_is() -> None:
    """docs/make_configuration_table.py writes them."""
    write = runpy.run_path(str(ROOT / "docs" / "make_configuration_table.py"))["with_settings"]
    text = (ROOT / "docs" / "configuration.md").read_text()
    assert text == write(text)


def test_every_kind_of_failure_is_told_with_its_remedy_as_the_program_says_it() -> None:
    """docs/make_troubleshooting_table.py writes them."""
    write = runpy.run_path(str(ROOT / "docs" / "make_troubleshooting_table.py"))["with_kinds"]
    text = (ROOT / "docs" / "troubleshooting.md").read_text()
    assert text == write(text)


def test_the_picture_of_the_rooms_is_the_one_that_is_drawn() -> None:
    draw = runpy.run_path(str(ROOT / "docs" / "make_architecture.py"))["drawing"]
    assert (ROOT / "docs" / "architecture.svg").read_text() == draw()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_key_that_is_named_does_something_in_the_console(document: Path) -> None:
    """One of ours, or one that the field to write in has by itself."""
    bound = [binding.key for kind in Prompt.__mro__ for binding in vars(kind).get("BINDINGS", ())]
    known = {key.strip() for keys in (*bound, *(action.key for action in ACTIONS)) for key in keys.split(",")}
    named = re.findall(r"`((?:(?:Ctrl|Alt|Shift)\+)+\w+|F\d+)`", document.read_text())
    assert {key for key in named if key.lower() not in known} == set()


def test_the_guide_names_commands_and_keys_that_there_are() -> None:
    """Each command of its table is parsed, each key and slash command is one of the console's."""
    lines = (ROOT / "docs" / "guide.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    known = {key for action in ACTIONS for key in action.key.split(",")}
    slashes = {command.name for command in SLASH_COMMANDS}
    for _, console, line, _ in rows[1:]:
        for said in re.findall(r"`([^`]+)`", console):
            if re.fullmatch(r"(Ctrl|Alt|F)\+?\w+", said):
                assert said.lower() in known, said
            elif said.startswith("/"):
                assert said[1:].split()[0] in slashes, said
        for said in re.findall(r"`([a-z][^`]*)`", line):
            if said.startswith("export "):
                continue
            words = shlex.split(said.removeprefix("tui-orchestrator ").replace("…", "words"))
            _parse(cli, words)
