"""`config`: where the configuration lies, what it may hold, and what is in effect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..routing.errors import OrchestratorError
from .manners import USAGE, Invocation, Named, Stop, in_utf8, note, say
from .printing import as_json, table

if TYPE_CHECKING:
    from ..settings import Settings


@click.group(cls=Named)
def config() -> None:
    """Show where the configuration lies, make one, check it, show what is in effect.

    What is said later wins: your file, ./tui-orchestrator.toml, ./.env, the environment, flags. Any key can be set in
    the environment: TUI_ORCHESTRATOR_BUDGETS__DAILY_USD=5.

    \b
    Examples:
      tui-orchestrator config init
      $EDITOR "$(tui-orchestrator config path)"
      tui-orchestrator config check
      tui-orchestrator config show --all
      tui-orchestrator config set budgets.daily_usd 5
      tui-orchestrator config unset budgets.daily_usd
    """


def _file(invocation: Invocation) -> Path:
    from ..locations import config_file

    try:
        return invocation.config or config_file()
    except OrchestratorError as error:
        raise Stop(str(error)) from error


@config.command()
@click.pass_obj
def path(invocation: Invocation) -> None:
    """Print where your configuration lies; it need not exist."""
    say(str(_file(invocation)))


@config.command()
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.pass_obj
def init(invocation: Invocation, force: bool) -> None:
    """Write a commented file with every key and its default."""
    from ..settings import example, write_privately

    file = _file(invocation)
    if file.exists() and not force:
        raise Stop(f"{file} is there already; --force writes over it")
    try:
        write_privately(file, example())
    except OSError as error:
        raise Stop(f"{file} cannot be written: {error.strerror}") from error
    say(str(file))


@config.command()
@click.pass_obj
def check(invocation: Invocation) -> None:
    """Check every file and variable. Exit code 2 when something is wrong, with file, line and key."""
    from ..services.places import embedding_problem, store_problem, theme_problem
    from ..settings import PROJECT_FILE

    settings = invocation.settings()
    for notice in settings.notices:
        note(notice)
    looked_at = (store_problem(settings), theme_problem(settings), embedding_problem(settings))
    if problems := [*(said for said in looked_at if said), *_keymap_problems(settings)]:
        raise Stop("\n".join(problems), USAGE)
    own, project = _file(invocation), Path(PROJECT_FILE).absolute()
    say(f"{own} is valid" if own.exists() else f"there is no {own}; the defaults are in effect")
    if project.exists() and project != own:
        say(f"{project} is valid")


def _keymap_problems(settings: Settings) -> Iterator[str]:
    """As the console tells them when it starts, with file and line."""
    from ..settings.shape import dotted
    from ..ui.commands import keymap

    origins = {name: settings.origins[dotted(("ui", "keymap", name))] for name in settings.ui.keymap}
    for complaint in keymap(settings.ui.keymap)[1]:
        yield next((f"{origin}: {complaint}" for name, origin in origins.items() if name in complaint), complaint)


@config.command()
@click.option("--json", "as_object", is_flag=True, help="Print a list of JSON objects.")
@click.option("--all", "everything", is_flag=True, help="Also the keys that stand at their default.")
@click.pass_obj
def show(invocation: Invocation, as_object: bool, everything: bool) -> None:
    """Print the values in effect with where each comes from. Secrets are masked."""
    from ..settings import effective

    values = [v for v in effective(invocation.settings()) if everything or v.origin != "default"]
    if as_object:
        say(as_json([{"key": v.key, "value": v.value, "origin": v.origin} for v in values]))
    elif not values:
        note("Everything stands at its default; --all shows it.")
    else:
        say(table(("key", "value", "from"), [(v.key, v.value, v.origin) for v in values]))


@config.command("set", context_settings={"ignore_unknown_options": True})
@click.argument("key")
@click.argument("value")
@click.pass_obj
def set_(invocation: Invocation, key: str, value: str) -> None:
    """Write one setting into your file, whose comments stay.

    KEY is dotted, as `config show --all` lists them; VALUE is as in the file, or without its quotes and brackets.
    Nothing is written where the file would be wrong with it.

    \b
    Examples:
      tui-orchestrator config set router.strategy cheapest
      tui-orchestrator config set chains.thrifty ollama/llama4,openai/gpt-6-luna
      tui-orchestrator config set 'budgets.models."openai/gpt-6".daily_usd' 1
    """
    _change(invocation, key, value)


@config.command()
@click.argument("key")
@click.pass_obj
def unset(invocation: Invocation, key: str) -> None:
    """Take one setting out of your file, so that its default holds."""
    _change(invocation, key, None)


def _change(invocation: Invocation, key: str, value: str | None) -> None:
    from ..settings import SettingsError, change

    file = _file(invocation)
    try:
        changed = change(file, key, None if value is None else in_utf8(value, "the value"))
    except SettingsError as error:
        raise Stop(str(error), USAGE) from error
    except OSError as error:
        raise Stop(f"{error.filename or file}: {error.strerror}") from error
    if changed.settings is None:
        say(f"{file}: {changed.key} is {'out' if value is None else 'set'}")
        raise Stop("\n".join(changed.problems), USAGE)
    say(f"{changed.key} = {changed.value}  {changed.origin}")
    if changed.overridden:
        note(f"{changed.overridden} goes before {file}, so {changed.value} holds")
