"""Files of prompts, a JSON object a line, and one sentence with file and line for what is wrong in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from ..opening import TooDeep, from_json
from ..routing.text import HALF_A_CHARACTER, half_a_character

LONGEST = 64 * 2**20
"""Bytes of a line."""
EXAMPLE = '{"id": …, "prompt": "…"}'


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    where: str
    """'prompts.jsonl:3'"""
    said: dict[str, Any]
    prompt: str


def prompts(file: IO[bytes], name: str, example: str = EXAMPLE) -> Iterator[Line]:
    """Every line that is not blank, each an object with a prompt. Raises ValueError for any other, with `example`, what
    a line should be; `name` is the file's."""
    # A file without line breaks, of ten gigabytes perhaps, is not read whole to say so.
    for number, line in enumerate(iter(lambda: file.readline(LONGEST + 1), b""), 1):
        if len(line) > LONGEST:
            raise ValueError(f"{name}:{number}: is longer than {LONGEST // 2**20} MiB; a line is {example}")
        if line.strip():
            yield _line(f"{name}:{number}", number, line, example)


def no_json(error: ValueError) -> str:
    """What the decoder found wrong with a line, in words of ours."""
    if isinstance(error, json.JSONDecodeError) and error.pos:
        return f"is not JSON from column {error.colno} on"
    return "is not JSON"


def _line(where: str, number: int, line: bytes, example: str) -> Line:
    try:
        said = from_json(line)
    except TooDeep as error:
        raise ValueError(f"{where}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{where}: {no_json(error)}; a line is {example}") from None
    if (at := half_a_character(said)) is not None:
        raise ValueError(f"{where}: {at} {HALF_A_CHARACTER}")
    if not isinstance(said, dict) or not isinstance(said.get("prompt"), str):
        raise ValueError(f'{where}: there is no text under "prompt"; a line is {example}')
    if not said["prompt"].strip():
        raise ValueError(f"{where}: the prompt is empty")
    return Line(number, where, said, said["prompt"])
