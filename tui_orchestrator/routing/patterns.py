"""Regular expressions of the user's: only those that end."""

from __future__ import annotations

import importlib
import re
import warnings
from typing import Any


def compile_pattern(text: str) -> re.Pattern[str]:
    """Case-insensitive. Raises ValueError with what is wrong and what would be right.

    A repeat without bound inside another, such as (a+)+, is refused: on some prompts it takes longer than the age of
    the universe, and Python's matcher cannot be stopped.
    """
    # The parser is private to `re`, but nothing public tells a pattern's shape, and it is the same from 3.11 on.
    parser: Any = importlib.import_module("re._parser")
    with warnings.catch_warnings():
        # What "[[" might mean in a later Python would be printed across the screen.
        warnings.simplefilter("ignore", FutureWarning)
        try:
            pattern, parsed = re.compile(text, re.IGNORECASE), parser.parse(text)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"not a regular expression Python understands: {error}") from error
    if _nested_repeat(parsed, inside=False):
        raise ValueError(
            "a repeat inside a repeat, such as (a+)+, can take for ever; make the inner one possessive, such as (a++)+"
        )
    return pattern


_UNBOUNDED = 64
"""A repeat that may go on for longer counts as one without a bound."""


def _nested_repeat(part: Any, inside: bool) -> bool:
    """Whether a backtracking repeat lies within another, in what `re._parser` made of a pattern."""
    for operation, argument in part:
        repeats = str(operation) in ("MAX_REPEAT", "MIN_REPEAT") and argument[1] > _UNBOUNDED
        if repeats and inside:
            return True
        # A possessive repeat or an atomic group never goes back into itself: what is in it starts afresh.
        atomic = str(operation) in ("POSSESSIVE_REPEAT", "ATOMIC_GROUP")
        within = (inside or repeats) and not atomic
        if any(_nested_repeat(inner, within) for inner in _parts_of(argument)):
            return True
    return False


def _parts_of(argument: Any) -> list[Any]:
    if type(argument).__name__ == "SubPattern":
        return [argument]
    if isinstance(argument, tuple | list):
        return [inner for item in argument for inner in _parts_of(item)]
    return []
