"""Opening the console: with no command, and with `demo`."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

import click

from .manners import USAGE, Invocation, Stop


def open_console(invocation: Invocation) -> None:
    """Raises Stop where there is no terminal to draw on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Stop("the console needs a terminal; from a script or a pipe use `tui-orchestrator ask PROMPT`", USAGE)
    if os.environ.get("TERM", "") in ("dumb", "unknown"):
        raise Stop("this terminal cannot be drawn on (TERM=dumb); use `tui-orchestrator ask PROMPT`", USAGE)
    settings = invocation.settings()
    from ..ui.app import run_console

    code = run_console(settings, demo=invocation.demo)
    if code:
        sys.exit(code)


@click.command()
@click.pass_obj
def demo(invocation: Invocation) -> None:
    """Open the console on the embedded demo models, even when keys are set.

    They answer with prepared texts over the providers' real wire formats. Some are slow, hedge, refuse with 429 or
    break off on purpose, so that routing, escalation, budgets and ensembles can be seen. Demo money is kept in a
    ledger of its own.
    """
    open_console(replace(invocation, demo=True))
