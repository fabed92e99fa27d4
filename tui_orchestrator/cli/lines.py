"""Files of JSON lines on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from ..opening import opened
from ..services.prompt_lines import Line, prompts
from .manners import USAGE, Stop

__all__ = ["Line", "prompt_lines"]


def prompt_lines(path: Path, example: str) -> Iterator[Line]:
    """Every line that is not blank, each an object with a prompt; '-' is stdin. Raises Stop for any other, with
    `example`, what a line should be."""
    try:
        with click.open_file("-", "rb") if str(path) == "-" else opened(path, pipe=True) as file:
            yield from prompts(file, "stdin" if str(path) == "-" else str(path), example)
    except OSError as error:
        raise Stop(f"{path} cannot be read: {error.strerror}", USAGE) from error
    except ValueError as error:
        raise Stop(str(error), USAGE) from None
