"""Regular expressions of the program take time in proportion to the text, whatever the text.

Every pattern is found by looking through the package, and tried on texts made from the pattern itself: what it looks
for, its parts and its characters, each repeated and then not ended as the pattern wants it.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import random
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import tui_orchestrator

_parser: Any = importlib.import_module("re._parser")

USED = {"match", "fullmatch", "search", "finditer", "findall", "sub", "subn", "split"}
AT_THE_BEGINNING = {"match", "fullmatch"}
LOOKED_FOR_AT_THE_BEGINNING = {"providers.families._COMPILED", "routing.published._COMPILED"}
"""Their loops only ask for a match there, which the search below does not see."""
NOT_OF_THE_TEXT = {
    "demo.topics": "patterns of the demo's own files, compiled with the topics or written in the module",
    "settings.changing": "the name of a file, escaped",
    "settings.kinds": "what a key's value must be; those of the settings are among the patterns here",
    "settings.reading": "what a table's name must be, as above",
    "settings.shape": "what a table's name must be, as above",
    "ui.setting_deeds": "what a table's name must be, as above",
    "ui.themes": "a name, escaped",
}
"""Where a pattern is put together in the call itself, and from what."""

MOST_TEXTS = 160
SMALL, LARGE = 1_000, 8_000
GROWTH = 3.0
"""Times as much for each character in a text eight times as long: it is 1 where the time is in proportion, and 8 where
it is squared."""
ENDS = ("\n\0", "\0\n\0")
"""Where the line ends with what is repeated, and where it does not."""
_USUAL = "aA1 \n_.é漢\"'-`"


@dataclass(frozen=True, slots=True)
class Found:
    where: str
    pattern: re.Pattern[str]
    at_the_beginning: bool


ROOMS = [found.name for found in pkgutil.iter_modules(tui_orchestrator.__path__) if found.name != "__main__"]


def modules(room: str) -> Iterator[str]:
    name = f"tui_orchestrator.{room}"
    yield name
    for found in pkgutil.walk_packages(getattr(importlib.import_module(name), "__path__", ()), f"{name}."):
        if ".weights" not in found.name and not found.name.endswith("__main__"):
            yield found.name


@cache
def sources(name: str) -> ast.Module:
    return ast.parse(Path(importlib.import_module(name).__file__ or "").read_text("utf-8"))


def patterns_in(name: str) -> Iterator[Found]:
    module, short = importlib.import_module(name), name.partition(".")[2]
    calls = [
        node
        for node in ast.walk(sources(name))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    ]
    for variable, value in vars(module).items():
        ways = {call.func.attr for call in calls if call.func.value.id == variable} & USED  # type: ignore[attr-defined]
        where = f"{short}.{variable}"
        beginning = (bool(ways) and ways <= AT_THE_BEGINNING) or where in LOOKED_FOR_AT_THE_BEGINNING
        for pattern in compiled(value):
            yield Found(where, pattern, beginning)
    for call in calls:
        function: Any = call.func
        if function.value.id == "re" and function.attr in USED:
            if isinstance(call.args[0], ast.Constant):
                pattern = re.compile(str(call.args[0].value)) if isinstance(call.args[0].value, str) else None
                if pattern is not None:
                    yield Found(f"{short}:{call.lineno}", pattern, function.attr in AT_THE_BEGINNING)
            else:
                assert short in NOT_OF_THE_TEXT, f"{short}:{call.lineno}: name the pattern, so that it is tried here"


def distinct(found: Iterable[Found]) -> Iterator[Found]:
    """What several modules have, once for each way in which it is used."""
    yield from {(one.pattern, one.at_the_beginning): one for one in found}.values()


def compiled(value: object, depth: int = 0) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield value
    elif depth < 4:
        inside: Any = ()
        if isinstance(value, tuple | list | set | frozenset):
            inside = value
        elif isinstance(value, dict):
            inside = value.values()
        elif is_dataclass(value) and not isinstance(value, type):
            inside = [getattr(value, field.name, None) for field in fields(value)]
        for one in inside:
            yield from compiled(one, depth + 1)


def texts(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """What comes first, and what is repeated behind it."""
    parsed = _parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    letters: set[str] = set()
    for operation, argument in _nodes(parsed):
        if operation in ("LITERAL", "NOT_LITERAL"):
            letters.add(chr(argument))
        elif operation == "IN":
            letters.update(chr(kind[1]) for kind in argument if str(kind[0]) == "LITERAL")
            letters.update(chr(kind[1][0]) for kind in argument if str(kind[0]) == "RANGE")
    alphabet = [*sorted(letters)[:40], *(sign for sign in _USUAL if sign not in letters)]
    made = dict.fromkeys(("", letter) for letter in alphabet)
    rest: dict[tuple[str, str], None] = {}
    for sequence in _sequences(parsed):
        for start in range(len(sequence)):
            before = "".join(_sample(sequence[:start], alphabet, 0))
            for end in range(start + 1, len(sequence) + 1):
                if end - start <= 8 or (start, end) == (0, len(sequence)):
                    for way in range(3):
                        if repeated := _sample(sequence[start:end], alphabet, way):
                            rest[("", repeated)] = rest[(before, repeated)] = None
            for letter in alphabet[:4]:
                rest[(before, letter)] = None
    chosen = [one for one in rest if one not in made]
    room = max(0, MOST_TEXTS - len(made))
    return [*made, *(chosen if len(chosen) <= room else random.Random(1).sample(chosen, room))]


def _nodes(parsed: Any) -> Iterator[tuple[str, Any]]:
    for sequence in _sequences(parsed):
        for operation, argument in sequence:
            yield str(operation), argument


def _sequences(parsed: Any) -> Iterator[list[Any]]:
    yield list(parsed)
    for _, argument in parsed:
        for inner in _inside(argument):
            yield from _sequences(inner)


def _inside(argument: Any) -> list[Any]:
    if type(argument).__name__ == "SubPattern":
        return [argument]
    if isinstance(argument, tuple | list):
        return [inner for item in argument for inner in _inside(item)]
    return []


def _sample(sequence: Any, alphabet: list[str], way: int) -> str:
    """A text that these would match, if nothing is asked of what is around it. `way` chooses among several."""
    said = ""
    for operation, argument in sequence:
        match str(operation):
            case "LITERAL":
                said += chr(argument)
            case "NOT_LITERAL":
                said += next(letter for letter in alphabet if letter != chr(argument))
            case "ANY":
                said += "a "[way % 2]
            case "IN":
                fitting = [letter for letter in alphabet if _is_in(argument, letter)]
                said += fitting[way % len(fitting)] if fitting else ""
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                least, most, repeated = argument
                said += _sample(repeated, alphabet, way) * max(least, min(1 + way % 2, most))
            case "SUBPATTERN":
                said += _sample(argument[-1], alphabet, way)
            case "ATOMIC_GROUP":
                said += _sample(argument, alphabet, way)
            case "BRANCH":
                said += _sample(argument[1][way % len(argument[1])], alphabet, way)
    return said


def _is_in(kinds: Any, letter: str) -> bool:
    found = False
    for operation, argument in kinds:
        match str(operation):
            case "LITERAL":
                found |= chr(argument) == letter
            case "RANGE":
                found |= argument[0] <= ord(letter) <= argument[1]
            case "CATEGORY":
                name = str(argument)
                means = {
                    "DIGIT": letter.isdigit(),
                    "SPACE": letter.isspace(),
                    "WORD": letter.isalnum() or letter == "_",
                }
                found |= means[name.rpartition("_")[2]] != ("_NOT_" in name)
    return found != (str(kinds[0][0]) == "NEGATE")


def for_each_character(found: Found, before: str, repeated: str, end: str, size: int, times: int) -> float:
    """Seconds of this thread, the least of so many times."""
    text = f"{before}{repeated * (size // len(repeated) + 1)}{end}"
    least = float("inf")
    for _ in range(times):
        begun = time.thread_time()
        if found.at_the_beginning:
            found.pattern.match(text)
            found.pattern.fullmatch(text)
        else:
            for _ in found.pattern.finditer(text):
                pass
        least = min(least, time.thread_time() - begun)
    return least / len(text)


def grows(found: Found, before: str, repeated: str, part: int) -> bool:
    """In texts of one such part of the lengths: what grows in long ones grows in shorter ones, sooner found."""

    def growth(end: str, times: int) -> float:
        small = for_each_character(found, before, repeated, end, SMALL // part, 3 * times)
        return for_each_character(found, before, repeated, end, LARGE // part, times) / max(small, 1e-9)

    # Seldom is the first measured long for another reason, and never five times.
    return any(growth(end, 1) > GROWTH and growth(end, 5) > GROWTH for end in ENDS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_pattern_takes_time_in_proportion_to_the_text(room: str, thorough: bool) -> None:
    slow = [
        f"{found.where}: {found.pattern.pattern[:80]!r} on {before!r} and {repeated!r} repeated"
        for found in distinct(found for name in modules(room) for found in patterns_in(name))
        for before, repeated in texts(found.pattern)[:: 1 if thorough else 2]
        if grows(found, before, repeated, part=1 if thorough else 4)
    ]
    assert slow == []


def test_what_is_squared_is_noticed() -> None:
    for text in (r"\s+$", r"a.*b", r"(?:^|\n)[\s*]*x", r"in (.+?)([?.!]*)$", r"“[^”]+”"):
        found = Found("here", re.compile(text), at_the_beginning=False)
        assert any(grows(found, *made, part=4) for made in texts(found.pattern)), text
