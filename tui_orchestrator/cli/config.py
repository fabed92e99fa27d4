"""`config`: where the configuration lies, what it may hold, and what is in effect."""

from __future__ import annotations

from pathlib import Path

import click

from ..routing.errors import OrchestratorError
from .manners import FAILED, Invocation, Stop, as_json, table


@click.group()
def config() -> None:
    """Show where the configuration lies, make one, check it, show what is in effect."""


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
    click.echo(_file(invocation))


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
    click.echo(file)


@config.command()
@click.pass_obj
def check(invocation: Invocation) -> None:
    """Check every file and variable. Exit code 2 when something is wrong, with file, line and key."""
    settings = invocation.settings()
    if invocation.config is not None and not invocation.config.exists():
        raise Stop(f"there is no file {invocation.config}", FAILED)
    for notice in settings.notices:
        click.echo(notice, err=True)
    file = _file(invocation)
    click.echo(f"{file} is valid" if file.exists() else f"there is no {file}; the defaults are in effect")


@config.command()
@click.option("--json", "as_object", is_flag=True, help="Print a list of JSON objects.")
@click.option("--all", "everything", is_flag=True, help="Also the keys that stand at their default.")
@click.pass_obj
def show(invocation: Invocation, as_object: bool, everything: bool) -> None:
    """Print the values in effect with where each comes from. Secrets are masked."""
    from ..settings import effective

    values = [v for v in effective(invocation.settings()) if everything or v.origin != "default"]
    if as_object:
        click.echo(as_json([{"key": v.key, "value": v.value, "origin": v.origin} for v in values]))
    elif not values:
        click.echo("Everything stands at its default; --all shows it.", err=True)
    else:
        table(("key", "value", "from"), [(v.key, v.value, v.origin) for v in values])
