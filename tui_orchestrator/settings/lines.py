"""On which line of a TOML file a key stands: neither `tomllib` nor `tomlkit` tells."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

Place = tuple[str | int, ...]
"""Keys, and the index of an entry of an array of tables: ('models', 0, 'level')."""

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_DOTTED = re.compile(rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*")
_PART = re.compile(_KEY)
_BLANK = re.compile(r"(?:\s++|#[^\n]*+)*+")
_HEADER = re.compile(rf"(\[\[?)[ \t]*({_DOTTED.pattern})[ \t]*\]\]?")
_ASSIGNED = re.compile(rf"({_DOTTED.pattern})[ \t]*=")
_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*|[\[\]{}]|\n|[^\"'\#\[\]{}\n]+|.",
    re.DOTALL,
)


def line_of(lines: Mapping[Place, int], place: Place) -> int:
    """Of the nearest thing around it where the key itself has no line: it lies within an inline table, say."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def key_lines(text: str) -> dict[Place, int]:
    """Lines, from 1, of all keys and sections of valid TOML; of those within inline tables, none."""
    lines: dict[Place, int] = {}
    lengths: dict[Place, int] = {}
    section: Place = ()
    at = _BLANK.match(text).end()  # type: ignore[union-attr]  # matches the empty text too
    line, counted = 1, 0
    while at < len(text):
        line, counted = line + text.count("\n", counted, at), at
        if header := _HEADER.match(text, at):
            section = _resolved(_parts(header[2]), (), lengths)
            if header[1] == "[[":
                # Resolving led into the entry before this one, where there is one.
                array = section[:-1] if section and isinstance(section[-1], int) else section
                section = (*array, lengths.get(array, 0))
                lengths[array] = lengths.get(array, 0) + 1
            _note(lines, section, line)
            at = header.end()
        elif assigned := _ASSIGNED.match(text, at):
            _note(lines, (*section, *_parts(assigned[1])), line)
            at = _past_value(text, assigned.end())
        else:
            break  # not valid TOML; what has been found so far still holds
        at = _BLANK.match(text, at).end()  # type: ignore[union-attr]
    return lines


def _parts(key: str) -> tuple[str, ...]:
    return tuple(tomllib.loads(f"part = {part}")["part"] if part[0] in "\"'" else part for part in _PART.findall(key))


def _resolved(parts: tuple[str, ...], start: Place, lengths: Mapping[Place, int]) -> Place:
    """With the index of the newest entry behind each array of tables on the way."""
    place = start
    for part in parts:
        place = (*place, part)
        if place in lengths:
            place = (*place, lengths[place] - 1)
    return place


def _note(lines: dict[Place, int], place: Place, line: int) -> None:
    for length in range(1, len(place) + 1):
        lines.setdefault(place[:length], line)


def _past_value(text: str, at: int) -> int:
    """The end of the line on which the value that begins at `at` ends."""
    depth = 0
    while token := _TOKEN.match(text, at):
        at = token.end()
        if token[0] in ("[", "{"):
            depth += 1
        elif token[0] in ("]", "}"):
            depth -= 1
        elif token[0] == "\n" and depth <= 0:
            break
    return at
