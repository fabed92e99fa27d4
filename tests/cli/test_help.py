"""`--help` is good enough to learn each command from, and says nothing that does not hold."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from tests.cli.conftest import LIBRARY, Shell
from tui_orchestrator.cli import cli
from tui_orchestrator.routing.request import Strategy


def commands(group: click.Command = cli, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], click.Command]:
    found = {path: group}
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            found |= commands(command, (*path, name))
    return found


ALL = commands()


@pytest.mark.parametrize("path", ALL, ids=" ".join)
async def test_every_command_and_option_is_explained(shell: Shell, path: tuple[str, ...]) -> None:
    ended = await shell.run(*path, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert max(map(len, ended.out.splitlines())) <= 100
    short = await shell.run(*path, "-h")
    assert short.out == ended.out
    for parameter in ALL[path].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{path} {parameter.name}"
            assert all(name in ended.out for name in parameter.opts)


@pytest.mark.parametrize("path", [path for path in ALL if len(path) < 2], ids=" ".join)
async def test_every_example_in_the_help_is_a_command_that_parses(shell: Shell, path: tuple[str, ...]) -> None:
    text = ALL[path].help or ""
    if path != ("doctor",):
        assert "Examples:" in text
    for line in text.partition("Examples:")[2].splitlines():
        for found in re.findall(r"tui-orchestrator(?= |$)[^|<>)]*", line):
            arguments = shlex.split(found.replace("'", '"'))[1:] if found.count('"') % 2 == 0 else []
            _parse(cli, arguments)


def _parse(command: click.Command, arguments: list[str], parent: click.Context | None = None) -> None:
    """Raises click.UsageError for what the command would not take. The parent gives the help option its names, which
    the command then keeps."""
    context = command.make_context("x", list(arguments), parent=parent)
    if isinstance(command, click.Group) and context._protected_args:
        _, inner, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert inner is not None
        _parse(inner, rest, context)


async def test_the_top_names_every_command_and_exit_code(shell: Shell) -> None:
    text = (await shell.run("--help")).out
    for name in cli.list_commands(click.Context(cli)):
        assert re.search(rf"^  {name} ", text, re.MULTILINE)
    for code in ("0 done", "1 the turn failed", "2 wrong usage", "3 a budget", "130 interrupted"):
        assert code in " ".join(text.split())


async def test_ask_and_route_name_every_strategy(shell: Shell) -> None:
    for command in ("ask", "route"):
        text = (await shell.run(command, "--help")).out
        assert all(strategy.value in text for strategy in Strategy)


def test_the_guide_names_every_command_and_option() -> None:
    guide = (LIBRARY / "docs" / "command-line.md").read_text(encoding="utf-8")
    for path, command in ALL.items():
        assert " ".join(path) in guide
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert any(f"`{name}" in guide for name in parameter.opts), f"{path} {parameter.opts}"


@pytest.mark.parametrize(
    ("words", "whose"),
    [
        ("ask -m", "ask"),
        ("recipe run compare --resume", "recipe run"),
        ("recipe run compare --nonsense", "recipe run"),
        ("models --refresh=yes", "models"),
        ("experiment --nonsense", "experiment"),
        ("--config", ""),
    ],
)
async def test_who_uses_a_command_wrongly_is_sent_to_its_own_help(shell: Shell, words: str, whose: str) -> None:
    ended = await shell.run(*words.split())
    assert ended.code == 2
    assert ended.err.endswith(f"(see `{f'tui-orchestrator {whose}'.rstrip()} --help`)\n")
    assert len(ended.err.splitlines()) == 1
