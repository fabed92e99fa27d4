"""How every command behaves: answers on stdout, all else on stderr, one sentence for trouble, and an exit code."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..routing.errors import ErrorKind, OrchestratorError

if TYPE_CHECKING:
    from ..services.runtime import Runtime
    from ..settings import Settings

T = TypeVar("T")

FAILED, USAGE, BUDGET, INTERRUPTED = 1, 2, 3, 130


class Stop(click.ClickException):
    """Ends the command with a sentence on stderr and an exit code."""

    exit_code: int  # type: ignore[misc]  # click reads it from the instance as well

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def show(self, file: Any = None) -> None:
        click.echo(self.format_message(), err=True)


@dataclass(frozen=True, slots=True)
class Invocation:
    """What was said before the command."""

    config: Path | None
    demo: bool | None
    """True: asked for. None: when there is nothing else."""

    def settings(self) -> Settings:
        """Raises Stop with every problem of the configuration."""
        from ..settings import SettingsError, load

        try:
            return load(self.config)
        except SettingsError as error:
            raise Stop(str(error), USAGE) from error
        except OrchestratorError as error:
            raise Stop(str(error)) from error

    @asynccontextmanager
    async def runtime(self, *, look: bool = True) -> AsyncIterator[Runtime]:
        """Its notices go to stderr. `look`: with the providers' lists read, which may take a moment."""
        from ..services.runtime import running

        async with running(self.settings(), demo=self.demo, look=look) as runtime:
            for notice in runtime.notices:
                click.echo(notice, err=True)
            yield runtime


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command's work; what the program says of itself ends it with one sentence."""
    from ..settings import SettingsError

    try:
        return asyncio.run(work)
    except SettingsError as error:
        raise Stop(str(error), USAGE) from error
    except OrchestratorError as error:
        raise Stop(str(error)) from error
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise Stop("Interrupted.", INTERRUPTED) from None


def exit_code(kind: ErrorKind) -> int:
    return {ErrorKind.BUDGET_EXCEEDED: BUDGET, ErrorKind.CANCELLED: INTERRUPTED}.get(kind, FAILED)


def prompt_text(argument: str | None, option: str | None) -> str:
    """From the argument, -p, or stdin for '-' and for a pipe. Raises Stop for none, an empty one, or bad UTF-8."""
    said = [text for text in (argument, option) if text is not None]
    if len(said) > 1:
        raise Stop("the prompt was given twice; give it as an argument or with -p, not both", USAGE)
    text = said[0] if said else None
    if text == "-" or (text is None and not sys.stdin.isatty()):
        try:
            text = sys.stdin.buffer.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Stop(f"stdin is not UTF-8 text (byte {error.start}); pipe text", USAGE) from None
        except OSError as error:
            raise Stop(f"stdin cannot be read: {error.strerror}", USAGE) from None
    if text is None:
        raise Stop("there is no prompt; give it as an argument, with -p, or pipe it in", USAGE)
    if not text.strip():
        raise Stop("the prompt is empty; type a question", USAGE)
    return text


def write_file(path: Path, text: str) -> None:
    """Raises Stop with the reason."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Stop(f"{path} cannot be written: {error.strerror}") from error


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def as_json_line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> None:
    """For people on a terminal: as wide as it is. In a pipe: every cell whole, columns two spaces apart."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = sys.stdout.isatty()
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold" if terminal else "")
    for name in head:
        drawn.add_column(name, justify="right" if name in right else "left", no_wrap=not terminal, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    width = None
    if not terminal:
        width = sum(max(len(row[i]) for row in [head, *rows]) * 2 + 2 for i in range(len(head)))
    Console(width=width, highlight=False, soft_wrap=False).print(drawn)
