"""Regular expressions of the user's: only those that end, and each search within its time."""

from __future__ import annotations

import importlib
import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import regex

SEARCH_S = 0.05
"""Processor time that one search may take."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Made by `compile_pattern`; two of the same text are equal."""

    text: str
    _matcher: regex.Pattern[str] = field(repr=False, compare=False)

    def __str__(self) -> str:
        return self.text

    def search(self, prompt: str) -> str | None:
        """What it matches first. Raises TimeoutError after SEARCH_S."""
        found = self._matcher.search(prompt, timeout=SEARCH_S)
        return None if found is None else found.group()


def compile_pattern(text: str) -> Pattern:
    """Case-insensitive. Raises ValueError with what is wrong and what would be right.

    A repeat without bound inside another, such as (a+)+, is refused: on some prompts it takes longer than the age of
    the universe. What cannot be told from its shape, such as (a|aa)+, is stopped when it has taken SEARCH_S, which
    Python's own matcher cannot be.
    """
    import regex  # for the few who have a pattern

    # The parser is private to `re`, but nothing public tells a pattern's shape, and it is the same from 3.11 on.
    parser: Any = importlib.import_module("re._parser")
    with warnings.catch_warnings():
        # What "[[" might mean in a later Python would be printed across the screen.
        warnings.simplefilter("ignore", FutureWarning)
        try:
            re.compile(text, re.IGNORECASE)
            parsed = parser.parse(text)
            if _nested_repeat(parsed, inside=False):
                raise ValueError(
                    "a repeat inside a repeat, such as (a+)+, can take for ever; "
                    "make the inner one possessive, such as (a++)+"
                )
            if _copies(parsed) > _MOST_COPIES:
                raise ValueError(f"it asks for more than {_MOST_COPIES:,} repeats of something; ask for fewer")
            return Pattern(text, regex.compile(text, regex.IGNORECASE))
        except (re.error, regex.error, RecursionError, OverflowError) as error:
            raise ValueError(f"not a regular expression Python understands: {error}") from error


_MOST_COPIES = 1_000
"""Of a part that is repeated at least so often: the matcher keeps a copy for each, and for those in repeats more."""
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


def _copies(part: Any) -> int:
    """How often the part of it that is repeated most stands there at least."""
    most = 1
    for operation, argument in part:
        times = max(1, argument[0]) if str(operation).endswith("_REPEAT") else 1
        most = max([most, *(times * _copies(inner) for inner in _parts_of(argument))])
    return most


def _parts_of(argument: Any) -> list[Any]:
    if type(argument).__name__ == "SubPattern":
        return [argument]
    if isinstance(argument, tuple | list):
        return [inner for item in argument for inner in _parts_of(item)]
    return []
