"""Files of JSON lines, and one sentence with file and line for what is wrong in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from .manners import USAGE, Stop


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    where: str
    """'prompts.jsonl:3'"""
    said: dict[str, Any]
    prompt: str


def prompt_lines(path: Path, example: str) -> Iterator[Line]:
    """Every line that is not blank, each an object with a prompt; '-' is stdin. Raises Stop for any other, with
    `example`, what a line should be."""
    try:
        with click.open_file(str(path), "rb") as file:
            path = Path("stdin") if str(path) == "-" else path
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _line(f"{path}:{number}", number, line, example)
    except OSError as error:
        raise Stop(f"{path} cannot be read: {error.strerror}", USAGE) from error


def _line(where: str, number: int, line: bytes, example: str) -> Line:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Stop(f"{where}: not JSON ({error}); a line is {example}", USAGE) from None
    if not isinstance(said, dict) or not isinstance(said.get("prompt"), str):
        raise Stop(f'{where}: there is no text under "prompt"; a line is {example}', USAGE)
    if not said["prompt"].strip():
        raise Stop(f"{where}: the prompt is empty", USAGE)
    return Line(number, where, said, said["prompt"])
