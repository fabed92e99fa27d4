"""Texts with places for values: `{topic}`. `{{` and `}}` stand for the signs themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PLACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def places(template: str) -> list[str]:
    """The names in it, in their order. Raises ValueError for a brace that is alone or holds no name."""
    found = []
    for match in _PLACE.finditer(template):
        if match[0] in ("{{", "}}"):
            continue
        name = match[1]
        if name is None or not _NAME.fullmatch(name):
            raise ValueError(f"{match[0]!r} is no place for a value; write {{name}}, or {{{{ for a brace itself")
        found.append(name)
    return found


def filled(template: str, values: Mapping[str, str]) -> str:
    """What is put in is never read for places itself."""
    return _PLACE.sub(lambda match: values[match[1]] if match[1] else match[0][0], template)
