"""The command line. Each command's module is imported when the command is used, so that `--help` is quick."""

from __future__ import annotations

import atexit
import contextlib
import importlib
import logging
import os
import sys
import time
from pathlib import Path
from typing import NoReturn

import click

from .. import __version__
from ..routing.text import clean_line
from . import files, streams
from .manners import INTERRUPTED, Invocation, Named, note, outcome

# Command → (module, what `--help` says of it). The line is here so that listing the commands imports none of them.
_COMMANDS = {
    "ask": ("ask", "Ask one question; the answer streams to stdout."),
    "batch": ("batch", "Ask many prompts from a file into a file; goes on where it was stopped."),
    "recipe": ("recipe", "Run prompts in several steps from a file: list, show, run."),
    "serve": ("serve", "Serve the router to any client that speaks OpenAI's chat completions."),
    "route": ("route", "Say which model would answer, why, and at what cost. Calls nothing."),
    "eval": ("eval", "Measure the router on prompts of your own whose outcomes you know. Calls nothing."),
    "experiment": ("experiment", "Try two strategies, models or prompts on your own turns or a file."),
    "models": ("models", "List the models there are: price, context, abilities, health."),
    "costs": ("costs", "Report what was spent in a time, by model, task, day, session and more."),
    "stats": ("stats", "Report how models did: success, speed, cost of an answer, votes."),
    "advice": ("advice", "Advise what could be cheaper or better, from your own turns."),
    "vote": ("vote", "Say that an answer was good or bad; the router learns from it."),
    "cache": ("cache", "Show what the cache of answers holds and has saved; clear it."),
    "sessions": ("sessions", "List, search, rename, tag, fork, delete, export and import conversations."),
    "doctor": ("doctor", "Check configuration, keys, servers, prices and the store; each problem with its remedy."),
    "config": ("config", "Show where the configuration lies, make one, check it, show what is in effect."),
    "demo": ("demo", "Open the console on the embedded demo models, even when keys are set."),
}


class _Commands(Named):
    def list_commands(self, context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module = importlib.import_module(f".{_COMMANDS[name][0]}", __name__)
        command = getattr(module, name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in _COMMANDS.items()])


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--config", metavar="FILE", type=click.Path(path_type=Path), help="Use this file instead of your own configuration."
)
@click.option(
    "--log-level",
    type=click.Choice(("off", "error", "warning", "info", "debug")),
    metavar="LEVEL",
    help="What is logged: off, error, warning, info or debug; `doctor` says where.",
)
@click.option("--demo", is_flag=True, help="Use the embedded demo models; their money is not real.")
@click.version_option(__version__)
@click.pass_context
def cli(context: click.Context, config: Path | None, log_level: str | None, demo: bool) -> None:
    """Send each prompt to the model that suits it best, and say why and what it costs first.

    Without a command the console opens. Without a key and without a local model server the embedded demo models
    answer, so everything can be tried at once.

    \b
    Examples:
      tui-orchestrator
      tui-orchestrator ask "Why is the sky blue?"
      tui-orchestrator route --strategy all "Prove that there are infinitely many primes"
      tui-orchestrator --demo ask -e 3 "Tabs or spaces?"
      tui-orchestrator costs --period week --by day
      tui-orchestrator doctor

    Keys are read from ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY, OPENROUTER_API_KEY, from .env, or as the
    configuration says (`config init` writes a commented one).

    Exit codes: 0 done, 1 the turn failed, 2 wrong usage or configuration, 3 a budget said no, 130 interrupted.
    """
    files.allow()
    context.obj = Invocation(config, True if demo else None, log_level)
    if context.invoked_subcommand is None:
        from .demo import open_console

        open_console(context.obj)


def main() -> None:
    streams.settle()
    _settle_zone()
    # What a library says of itself is not for stderr, where it would stand between the lines of an answer.
    logging.getLogger().addHandler(logging.NullHandler())
    sys.exit(outcome(lambda: cli.main(prog_name="tui-orchestrator", standalone_mode=False)))


def _settle_zone() -> None:
    """POSIX has zones that are a day or more from UTC; with them Python's own dates raise."""
    if max(abs(time.timezone), abs(time.altzone)) >= 86_400:
        said = clean_line(os.environ.get("TZ", ""), 40)
        os.environ["TZ"] = "UTC0"
        time.tzset()
        note(f"TZ={said} is a day or more from UTC, which is in no place; times are told in UTC.")


def process() -> NoReturn:
    """`main` as a process of its own. It ends when the command has: Python would wait for threads, of which one may be
    importing an SDK for seconds that nobody needs any more. All that is to be kept is closed by then."""
    code: object = 1
    try:
        main()
    except SystemExit as end:
        code = end.code
    if streams.stuck() or code == INTERRUPTED:
        # All that was said is written, or nobody read it and nobody will. What flushes, as `logging` does, would wait.
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        # A reader may be gone.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))
