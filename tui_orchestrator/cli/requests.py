"""What a request is told by on the command line, where it is sent and where it is only decided alike."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..routing.errors import OrchestratorError
from ..routing.money import Money
from ..routing.request import Split
from .manners import USAGE, Stop, meant, one_prompt, prompt_text

if TYPE_CHECKING:
    from ..services.attachments import Attachment
    from ..services.runtime import Runtime

_MOST_TOKENS = 10_000_000
_MOST_USD = 10**9


def usd(context: click.Context, parameter: click.Parameter, value: str | None) -> Money | None:
    """A click callback: US dollars from zero, which lets free models alone answer."""
    if value is None:
        return None
    try:
        amount = Money.from_usd(value) if abs(Decimal(value)) <= _MOST_USD else None
    except (ValueError, ArithmeticError):
        amount = None
    if amount is None:
        raise click.BadParameter(f"{value!r} is not an amount in US dollars, such as 0.05")
    if amount.picodollars < 0:
        raise click.BadParameter(f"{value} is below zero; give US dollars, such as 0.05")
    return amount


ARGUMENT = click.argument("prompt", nargs=-1, metavar="[PROMPT|-]", callback=one_prompt)
PROMPT = click.option("-p", "--prompt", "option", metavar="TEXT", help="The prompt, instead of the argument.")
MODEL = click.option(
    "-m", "--model", help="Pin a model: PROVIDER/NAME, or the bare name where only one provider has it."
)
CHAIN = click.option("--chain", metavar="NAMES", help="Models to walk, a,b,c, or the name of a chain.")
MAX_COST = click.option("-c", "--max-cost", callback=usd, metavar="USD", help="Most the whole request may cost.")
MAX_TOKENS = click.option(
    "--max-tokens", type=click.IntRange(1, _MOST_TOKENS), metavar="N", help="Most output tokens of each attempt."
)

SPLITS = {"ask": Split.SHOWN, "always": Split.AGREED, "never": Split.NEVER}
SPLIT = click.option(
    "--split",
    type=click.Choice(list(SPLITS)),
    default="ask",
    metavar="WHEN",
    help="A prompt too long for every model is answered in parts: ask first, with the price (the default), always, or "
    "never.",
)


def sent_prompt(argument: str | None, option: str | None, files: Sequence[Path]) -> str:
    """With `--file -` stdin is the file, and the prompt must be said."""
    stdin = [path for path in files if str(path) == "-"]
    if stdin and (argument == "-" or option == "-" or (argument is None and option is None)):
        raise Stop("--file - reads stdin, so the prompt must be an argument or -p", USAGE)
    if len(stdin) > 1:
        raise Stop("--file - was given twice; stdin can be read once", USAGE)
    return prompt_text(argument, option)


def named_chain(runtime: Runtime, wanted: str) -> tuple[str, ...]:
    """The ids of a chain by its name, or of models with commas between. Raises LookupError with a sentence."""
    registry = runtime.registry
    if "," not in wanted and wanted in registry.chains:
        return registry.chains[wanted]
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    if not names:
        raise LookupError(f"the chain is empty; name models, a,b,c, or one of {', '.join(sorted(registry.chains))}")
    if len(names) == 1 and names[0] not in registry and all(model.name != names[0] for model in registry):
        known = [*sorted(registry.chains), *registry.models, *(model.name for model in registry)]
        hint = meant(names[0], known) if registry.chains else "`models` lists the models there are"
        raise LookupError(f"no chain and no model is called {names[0]!r}; {hint}")
    return tuple(dict.fromkeys(registry.find(name).id for name in names))


def read_files(files: Sequence[Path]) -> list[Attachment]:
    from ..services.attachments import read_file, read_stdin

    try:
        return [read_stdin() if str(path) == "-" else read_file(path, pipe=True) for path in files]
    except OrchestratorError as error:
        raise Stop(str(error), USAGE) from None
