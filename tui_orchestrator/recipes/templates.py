"""Texts with places for values: `{topic}`. `{{` and `}}` stand for the signs themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PLACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
NAME = re.compile(r"[a-z][a-z0-9_]*")


def places(template: str) -> tuple[list[str], list[str]]:
    """The names in it, and what is none: braces that are alone or hold no name. Each once, in their order."""
    found: dict[str, bool] = {}
    for match in _PLACE.finditer(template):
        if match[0] not in ("{{", "}}"):
            named = match[1] is not None and NAME.fullmatch(match[1]) is not None
            found[match[1] if named else match[0]] = named
    return [one for one, named in found.items() if named], [one for one, named in found.items() if not named]


def filled(template: str, values: Mapping[str, str]) -> str:
    """What is put in is never read for places itself."""
    return _PLACE.sub(lambda match: values[match[1]] if match[1] else match[0][0], template)
