"""How every command behaves: answers on stdout, all else on stderr, one sentence for trouble, and an exit code."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..aside import Loop
from ..routing.errors import ErrorKind, OrchestratorError
from ..routing.text import clean
from ..scarcity import SENTENCE, scarce
from .interrupting import interruptible, told_of_the_end
from .streams import (
    Unwritable,
    end_now,
    give_up,
    hurry,
    in_printing,
    look_at_stdout,
    not_wanted,
    on_terminal,
    tell,
    written,
)
from .streams import say as say

if TYPE_CHECKING:
    from ..services.alerts import Alert
    from ..services.findings import Findings
    from ..services.runtime import Runtime
    from ..settings import Settings

T = TypeVar("T")

FAILED, USAGE, BUDGET, INTERRUPTED = 1, 2, 3, 130
LONGEST_PROMPT = 64_000_000
"""Bytes on stdin: several times what the largest context windows hold."""
OUTPUT_HELP = "Write to a file, readable by you alone, instead of stdout."


class Stop(click.ClickException):
    """Ends the command with a sentence on stderr and an exit code."""

    exit_code: int  # type: ignore[misc]  # click reads it from the instance as well

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def outcome(command: Callable[[], object]) -> int:
    """Runs what click made of the command line and returns the exit code; trouble is told in one sentence. A reader
    that has gone is no trouble: click ends the program with 1."""
    try:
        code = command()
        return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        note(error.format_message())
        return USAGE
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "tui-orchestrator"
        note(f"{error.format_message().rstrip('.')} (see `{path} --help`)")
        return USAGE
    except click.ClickException as error:
        note(error.format_message())
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        hurry()
        note("Interrupted.")
        return INTERRUPTED
    except Unwritable as error:
        return _unwritable(str(error))
    except Exception as error:  # noqa: BLE001  # a mistake of the program, which ends here
        if isinstance(error, OSError) and in_printing(error):
            return _unwritable(error.strerror or str(error))
        note(_mistake(error))
        return FAILED


def note(text: str) -> None:
    """A sentence to stderr. A key typed where a name belongs is not repeated in it."""
    from ..settings.secrets import hidden

    tell(hidden(text))


def _unwritable(why: str) -> int:
    give_up(1)
    note(f"stdout cannot be written: {why}")
    return FAILED


def _mistake(error: Exception) -> str:
    """What Python would have printed, and where the report lies. Where the system gives too little it is none."""
    if scarce(error):
        return SENTENCE
    import traceback

    from ..services import crashes
    from ..settings import masked

    path = crashes.write_down(error)
    said = clean(masked("".join(traceback.format_exception(error)))).rstrip()
    return f"{said}\n{crashes.told(path)}"


@dataclass(frozen=True, slots=True)
class Invocation:
    """What was said before the command."""

    config: Path | None
    demo: bool | None
    """True: asked for. None: when there is nothing else."""
    log_level: str | None = None
    """None: as configured."""

    @property
    def program(self) -> tuple[str, ...]:
        """The program as it was called, from wherever it is called again: with what chooses its settings."""
        config = ("--config", str(self.config.absolute())) if self.config is not None else ()
        return ("tui-orchestrator", *config, *(("--demo",) if self.demo else ()))

    def settings(self) -> Settings:
        """Raises Stop with every problem of the configuration."""
        from ..settings import SettingsError, load

        try:
            waiting = note if on_terminal(sys.stderr) else None
            return load(self.config, overrides={"log.level": self.log_level}, waiting=waiting)
        except SettingsError as error:
            raise Stop(str(error), USAGE) from error
        except OrchestratorError as error:
            raise Stop(str(error)) from error

    @asynccontextmanager
    async def runtime(self, *, look: bool = True, to_read: bool = False) -> AsyncIterator[Runtime]:
        """Its notices go to stderr, and at its end what there is to say of the caps. `look`: with the providers' lists
        read, which may take a moment. `to_read`: also where the store can be read alone, as on a full disk."""
        from ..services.runtime import running

        opened: Runtime | None = None
        try:
            async with running(self.settings(), demo=self.demo, look=look, to_read=to_read) as runtime:
                opened = runtime
                for notice in runtime.notices:
                    note(notice)
                alerts: list[Alert] = []
                runtime.alerts.listen(alerts.append)
                await runtime.alerts.look()
                try:
                    with told_of_the_end(runtime.database.turn.leave):
                        yield runtime
                finally:
                    await _settle_experiments(runtime)
                    await runtime.alerts.settle()
                    for alert in alerts:
                        _warn(alert)
        finally:
            for sentence in opened.unbooked if opened is not None else ():
                note(sentence)


async def _settle_experiments(runtime: Runtime) -> None:
    """Waits for what a judge is asked, and tells where one is decided now."""

    def tell(found: Findings) -> None:
        from ..services.findings import sentence

        note(f"Experiment {found.experiment.name}: {sentence(found)} `experiment stop` ends it.")

    runtime.experiments.listen(tell)
    await runtime.experiments.settle()
    await runtime.experiments.look()


def _warn(alert: Alert) -> None:
    from ..services.alerts import Kind

    if alert.kind is not Kind.REFUSED:
        coloured = on_terminal(sys.stderr) and not os.environ.get("NO_COLOR")
        line = clean(f"! {alert.sentence}")
        tell(line, **({"fg": "red" if alert.exhausted else "yellow"} if coloured else {}))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command's work; what the program says of itself ends it with one sentence."""
    try:
        return _ran(work)
    finally:
        work.close()  # there may have been no room for a loop to run it


def _ran(work: Coroutine[Any, Any, T]) -> T:
    from ..settings import SettingsError

    try:
        with asyncio.Runner(loop_factory=Loop) as runner:
            return runner.run(_read_to_the_end(work))
    except SettingsError as error:
        raise Stop(str(error), USAGE) from error
    except OrchestratorError as error:
        raise Stop(str(error)) from error
    except (KeyboardInterrupt, asyncio.CancelledError):
        end_now()
        raise Stop("Interrupted.", INTERRUPTED) from None


async def _read_to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """And what it said, by whoever reads it."""
    task = asyncio.current_task()
    assert task is not None
    try:
        return await work
    except asyncio.CancelledError:
        hurry()
        raise
    finally:
        with interruptible(task.cancel):
            await written()


def exit_code(kind: ErrorKind) -> int:
    return {ErrorKind.BUDGET_EXCEEDED: BUDGET, ErrorKind.CANCELLED: INTERRUPTED}.get(kind, FAILED)


def piped_in() -> bool:
    """Whether stdin may hold something: it is there and no terminal."""
    return sys.stdin is not None and not sys.stdin.isatty()


def prompt_text(argument: str | None, option: str | None) -> str:
    """From the argument, -p, or stdin for '-' and for a pipe. Raises Stop for none, an empty one, or bad UTF-8."""
    given = [text for text in (argument, option) if text is not None]
    if len(given) > 1:
        raise Stop("the prompt was given twice; give it as an argument or with -p, not both", USAGE)
    if given and given[0] != "-":
        text = in_utf8(given[0], "the prompt")
    elif given or piped_in():
        text = _read_stdin()
    else:
        raise Stop("there is no prompt; give it as an argument, with -p, or pipe it in", USAGE)
    if not text.strip():
        raise Stop("the prompt is empty; type a question", USAGE)
    return text


def in_utf8(argument: str, what: str) -> str:
    """An argument as it was typed: what Python cannot read in the locale's encoding it keeps as surrogates."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        try:
            return os.fsencode(argument).decode()
        except UnicodeError:
            raise Stop(f"{what} is not UTF-8 text", USAGE) from None
    return argument


def tag_names(context: click.Context, parameter: click.Parameter, tags: tuple[str, ...]) -> frozenset[str]:
    """As sessions keep them. Raises Stop for one without a letter."""
    from ..routing.request import tag_name

    try:
        return frozenset(tag_name(in_utf8(tag, "a tag")) for tag in tags)
    except ValueError as error:
        raise Stop(str(error), USAGE) from None


def one_prompt(context: click.Context, parameter: click.Parameter, words: tuple[str, ...]) -> str | None:
    """A click callback: the prompt in quotes. The shell has made something else of one without them already."""
    if len(words) > 1:
        raise click.UsageError("the prompt is several words; put it in quotes", context)
    return words[0] if words else None


def _read_stdin() -> str:
    try:
        written = sys.stdin.buffer.read(LONGEST_PROMPT + 1)
        if len(written) > LONGEST_PROMPT:
            raise Stop(
                f"stdin holds more than {LONGEST_PROMPT // 1_000_000} MB, which no model reads; pipe less", USAGE
            )
        return written.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Stop(f"stdin is not UTF-8 text (byte {error.start}); pipe text", USAGE) from None
    except AttributeError:  # closed before the start, it is None
        raise Stop("there is no stdin to read the prompt from", USAGE) from None
    except OSError as error:
        raise Stop(f"stdin cannot be read: {error.strerror}", USAGE) from None


def output_file(path: Path | None) -> Path | None:
    """The file of -o; None for '-', which is stdout. Raises Stop or Unwritable for what could not be written, before
    anything is spent on its contents."""
    if path is None or str(path) == "-":
        look_at_stdout()
        return None
    not_wanted()
    if not path.parent.is_dir():
        raise Stop(f"{path} cannot be written: there is no directory {path.parent}", USAGE)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise Stop(f"{path} cannot be written: permission denied", USAGE)
    return path


def write_file(path: Path, text: str) -> None:
    """Readable by its owner alone, and whole or not at all. Raises Stop with the reason."""
    from ..settings import write_privately

    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")  # a pipe or a device cannot be replaced
        else:
            write_privately(path, text)
    except OSError as error:
        raise Stop(f"{path} cannot be written: {error.strerror}") from error


class Named(click.Group):
    """Commands by name; a mistyped one is told what it may have meant, one that is used wrongly which help is its."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            # An option without its value is told before there is a context of the command.
            command = self.get_command(ctx, name) if (name := ctx.invoked_subcommand) else None
            if error.ctx is None and command is not None:
                error.ctx = click.Context(command, ctx, name)
            raise

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            hint = meant(args[0], self.list_commands(ctx))
            raise click.UsageError(f"no command is called {args[0]!r}; {hint}", ctx) from None


class Word(click.Choice[str]):
    """One of several words; a mistyped one is told what it may have meant."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        return f"{value!r} is not known; {meant(str(value), list(self.choices))}"


class StrategyWord(Word):
    """A strategy: one of the program's own, or of a plugin that is installed."""

    def __init__(self, *others: str) -> None:
        from ..routing.request import Strategy

        super().__init__([*(one.value for one in Strategy if one.built_in), *others])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if isinstance(value, str) and value not in self.choices and value in self._theirs():
            return value
        return super().convert(value, param, ctx)

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        return f"{value!r} is not known; {meant(str(value), [*self.choices, *self._theirs()])}"

    @staticmethod
    def _theirs() -> tuple[str, ...]:
        from ..plugins.contract import Kind
        from ..plugins.finding import names

        return names(Kind.STRATEGY)


def meant(wanted: str, known: list[str]) -> str:
    """What could have been meant by a word that is not known."""
    import difflib

    close = difflib.get_close_matches(wanted.lower(), known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
