"""`ask`: one turn. The answer goes to stdout; route, cost and warnings go to stderr."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..routing.errors import OrchestratorError
from ..routing.money import Money
from ..routing.request import Strategy
from .manners import USAGE, Invocation, Stop, as_json, exit_code, prompt_text, run, write_file
from .turn import Manner, Telling

if TYPE_CHECKING:
    from ..routing.router import Turn
    from ..services.attachments import Attachment
    from ..services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Asked:
    """The command's options, checked as far as they can be without a registry."""

    prompt: str
    strategy: Strategy | None
    model: str | None
    chain: str | None
    ensemble_size: int
    max_cost: Money | None
    max_tokens: int | None
    system: str
    files: Sequence[Path]
    resume: str | None
    """Beginning of a session's id; '' for the latest; None for a new one."""


def usd(context: click.Context, parameter: click.Parameter, value: str | None) -> Money | None:
    """A click callback: dollars above zero."""
    if value is None:
        return None
    try:
        amount = Money.from_usd(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if amount.picodollars < 0:
        raise click.BadParameter(f"{value} is below zero; give US dollars, such as 0.05")
    return amount


@click.command()
@click.argument("prompt", required=False)
@click.option("-p", "--prompt", "option", help="The prompt, instead of the argument.")
@click.option(
    "-s", "--strategy", type=click.Choice([s.value for s in Strategy]), help="How to choose; default as configured."
)
@click.option("-m", "--model", help="Pin a model: provider/name, or the bare name where only one provider has it.")
@click.option("--chain", help="Models to walk, a,b,c, or the name of a chain.")
@click.option("-e", "--ensemble-size", type=click.IntRange(2, 8), help="How many models answer side by side.")
@click.option("-c", "--max-cost", callback=usd, metavar="USD", help="Most the whole turn may cost.")
@click.option("--max-tokens", type=click.IntRange(1), help="Most output tokens per attempt.")
@click.option("--system", default="", help="System text.")
@click.option(
    "--file",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Send a text file or an image along; may be repeated.",
)
@click.option("--continue", "resume", is_flag=False, flag_value="", metavar="[ID]", help="Go on with a session.")
@click.option("-v", "--verbose", is_flag=True, help="Tell every candidate and attempt on stderr.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the answer as JSON to a file."
)
@click.option("--json", "as_object", is_flag=True, help="Print one JSON object instead of the text.")
@click.option("--events", is_flag=True, help="Print every event of the turn as a JSON line.")
@click.pass_obj
def ask(
    invocation: Invocation,
    prompt: str | None,
    option: str | None,
    strategy: str | None,
    model: str | None,
    chain: str | None,
    ensemble_size: int | None,
    max_cost: Money | None,
    max_tokens: int | None,
    system: str,
    files: tuple[Path, ...],
    resume: str | None,
    verbose: bool,
    output: Path | None,
    as_object: bool,
    events: bool,
) -> None:
    """Ask one question. The answer streams to stdout; the route, the cost and warnings go to stderr.

    \b
    Examples:
      tui-orchestrator ask "Why is the sky blue?"
      git diff | tui-orchestrator ask -p "Review this change" --file -
      tui-orchestrator ask -s ensemble -e 3 "Tabs or spaces?"
      tui-orchestrator ask -c 0.01 --json "Summarise this" --file notes.md
      tui-orchestrator ask --continue "And in Rust?"

    With --continue and no other prompt, the word after it is the prompt and the latest session goes on.
    """
    if as_object and events:
        raise Stop("--json prints one object and --events many; choose one", USAGE)
    if resume and prompt is None and option is None and sys.stdin.isatty():
        prompt, resume = resume, ""
    chosen = Strategy(strategy) if strategy else Strategy.ENSEMBLE if ensemble_size else None
    asked = Asked(
        _prompt(prompt, option, files),
        chosen,
        model,
        chain,
        ensemble_size or 3,
        max_cost,
        max_tokens,
        system,
        files,
        resume,
    )
    manner = Manner.EVENTS if events else Manner.OBJECT if as_object else Manner.TEXT
    sys.exit(run(_ask(invocation, asked, manner, verbose, output)))


def _prompt(argument: str | None, option: str | None, files: Sequence[Path]) -> str:
    """With `--file -` stdin is the file, and the prompt must be said."""
    if any(str(path) == "-" for path in files) and argument is None and option is None:
        raise Stop("--file - reads stdin, so the prompt must be an argument or -p", USAGE)
    return prompt_text(argument, option)


async def _ask(invocation: Invocation, asked: Asked, manner: Manner, verbose: bool, output: Path | None) -> int:
    async with invocation.runtime() as runtime:
        turn = await _send(runtime, asked)
        telling = Telling(manner, verbose)
        with _interruptible(turn):
            async with turn:
                async for event in turn:
                    telling.tell(event)
        if output is not None and telling.completed is not None:
            write_file(output, as_json(telling.object()) + "\n")
        return 0 if telling.failure is None else exit_code(telling.failure.kind)


async def _send(runtime: Runtime, asked: Asked) -> Turn:
    from ..services.attachments import with_files
    from ..services.chat import Chat, Options

    attachments = await asyncio.to_thread(_read, asked.files)
    try:
        model = runtime.registry.find(asked.model).id if asked.model else None
        chain = named_chain(runtime, asked.chain) if asked.chain else ()
        if asked.resume is None:
            chat = Chat.new(runtime, system=asked.system)
        else:
            chat = await Chat.resume(runtime, asked.resume or None)
    except LookupError as error:
        raise Stop(str(error.args[0]), USAGE) from None
    options = Options(
        strategy=asked.strategy,
        model=model,
        chain=chain,
        ensemble_size=asked.ensemble_size,
        max_cost=asked.max_cost,
        max_tokens=asked.max_tokens,
        system=asked.system,
    )
    images = [a.image for a in attachments if a.image is not None]
    names = [a.name for a in attachments if a.text is not None]
    return chat.send(chat.request(with_files(asked.prompt, attachments), images, options, names))


def named_chain(runtime: Runtime, wanted: str) -> tuple[str, ...]:
    """The ids of a chain by its name, or of models with commas between. Raises LookupError with a sentence."""
    registry = runtime.registry
    if "," not in wanted and wanted in registry.chains:
        return registry.chains[wanted]
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    if len(names) == 1 and names[0] not in registry and all(model.name != names[0] for model in registry):
        raise LookupError(
            f"no chain and no model is called {names[0]!r}; there are the chains {', '.join(sorted(registry.chains))}"
        )
    return tuple(dict.fromkeys(registry.find(name).id for name in names))


def _read(files: Sequence[Path]) -> list[Attachment]:
    from ..services.attachments import read_file, read_stdin

    try:
        return [read_stdin() if str(path) == "-" else read_file(path) for path in files]
    except OrchestratorError as error:
        raise Stop(str(error), USAGE) from None


@contextlib.contextmanager
def _interruptible(turn: Turn) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the turn in order: what had come is kept and booked."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        with contextlib.suppress(NotImplementedError, RuntimeError):
            loop.add_signal_handler(number, turn.cancel)
    try:
        yield
    finally:
        for number in signals:
            with contextlib.suppress(NotImplementedError, RuntimeError):
                loop.remove_signal_handler(number)
