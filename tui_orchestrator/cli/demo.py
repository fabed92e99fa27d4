"""Opening the console: with no command, and with `demo`."""

from __future__ import annotations

import gc
import os
import sys
from dataclasses import replace

import click

from ..locations import do_without_home
from ..routing.text import clean_line
from .manners import USAGE, Invocation, Stop
from .streams import on_terminal

COLOURS = "TEXTUAL_COLOR_SYSTEM"
KNOWN_COLOURS = ("auto", "standard", "256", "truecolor")


def open_console(invocation: Invocation) -> None:
    """Raises Stop where there is no terminal to draw on."""
    if not all(on_terminal(stream) for stream in (sys.stdin, sys.stdout)):
        raise Stop("the console needs a terminal; from a script or a pipe use `tui-orchestrator ask PROMPT`", USAGE)
    terminal = os.environ.get("TERM", "")
    if terminal in ("dumb", "unknown"):
        raise Stop(f"this terminal cannot be drawn on (TERM={terminal}); use `tui-orchestrator ask PROMPT`", USAGE)
    colours = os.environ.get(COLOURS, "auto")
    if colours not in KNOWN_COLOURS:  # Textual would end with a KeyError
        known = f"{', '.join(KNOWN_COLOURS[:-1])} or {KNOWN_COLOURS[-1]}"
        raise Stop(f"{COLOURS}={clean_line(colours, 60)} is unknown; set it to {known}, or take it out", USAGE)
    # What a start makes stays. To look through it for garbage takes a sixth of it; `AtTerminal.started` ends that.
    gc.disable()
    homeless = do_without_home()
    settings = invocation.settings()
    if homeless:
        settings = replace(settings, notices=(f"{homeless[:1].upper()}{homeless[1:]}.", *settings.notices))
    from ..ui.app import AGAIN, run_console

    code = run_console(settings, demo=invocation.demo)
    if code == AGAIN:
        os.execv(sys.executable, sys.orig_argv)
    if code:
        sys.exit(code)


@click.command()
@click.pass_obj
def demo(invocation: Invocation) -> None:
    """Open the console on the embedded demo models, even when keys are set.

    They answer with prepared texts over the providers' real wire formats. Some are slow, hedge, refuse with 429 or
    break off on purpose, so that routing, escalation, budgets and ensembles can be seen. Demo money is kept in a
    ledger of its own. Other commands use them with --demo before their name.

    \b
    Examples:
      tui-orchestrator demo
      tui-orchestrator --demo ask "Compare SQLite and PostgreSQL"
    """
    open_console(replace(invocation, demo=True))
