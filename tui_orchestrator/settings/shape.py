"""The form a description of settings has: keys, tables of keys, and the dotted names of their places."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from ..opening import parsed
from .kinds import Choice, Flag, Kind, Refused

Path = tuple[str, ...]
"""A setting's place: ('budgets', 'models', 'openai/gpt-6', 'daily_usd')."""


@dataclass(frozen=True, slots=True)
class Key:
    kind: Kind
    default: object
    """As `kind.parse` gives it; None where the setting may be left unsaid."""
    doc: str
    """One or two sentences; the unit too where the key's name does not say it."""
    example: str
    """A value in TOML, different from the default where that shows more."""
    env: str = ""
    """The plain environment name that sets it too."""
    unset: str = "none"
    """What a default of None comes to, in words."""
    hidden: bool = False
    """Only there to be refused with a good reason."""

    def parse(self, raw: object) -> object:
        """Raises ValueError: what is wrong; what would be right."""
        try:
            return self.kind.parse(raw)
        except ValueError as error:
            such_as = "" if isinstance(self.kind, Choice | Flag | Refused) else f", such as {self.example}"
            raise ValueError(f"{error}; give {self.kind.words}{such_as}") from None

    def from_text(self, text: str) -> object:
        """What TOML would have given for a value as a person types it: in TOML, or without its quotes and brackets."""
        value = toml_value(text)
        return value if isinstance(value, str | list | Mapping) else self.kind.from_text(text)


@dataclass(frozen=True, slots=True)
class Table:
    doc: str
    keys: Mapping[str, Key | Table] = field(default_factory=dict)
    each: Key | Table | None = None
    """What lies under a name the user chose, where there are such names."""
    name: str = "NAME"
    """The placeholder of such a name."""
    name_fits: str = r"[A-Za-z0-9_][A-Za-z0-9_. -]*"
    sample: str = "mine"
    """A name for the example."""
    dotted_names: bool = False
    """Whether a.b without quotes means the name 'a.b'."""
    array: bool = False
    """Written as [[…]]; each entry's name is its `id`."""

    def at(self, part: str) -> Key | Table | None:
        return self.keys.get(part) or (self.each if re.fullmatch(self.name_fits, part) else None)


def toml_value(text: str) -> object:
    """The value of text that is TOML; None for other text."""
    try:
        value: object = parsed(f"value = {text.strip()}", Decimal).get("value")
    except (ValueError, RecursionError):
        return None
    return value


def dotted(path: Path) -> str:
    """As TOML writes it, parts in quotes where they need them."""
    return ".".join(part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"' for part in path)


def split(key: str) -> Path:
    """The other way round. Raises ValueError where a quote is left open or a part is empty."""
    if not re.fullmatch(r'("[^"]*"|[^".]+)(\.("[^"]*"|[^".]+))*', key):
        raise ValueError(f"{key!r} is not a dotted key, such as router.strategy")
    return tuple(part.strip('"') for part in re.findall(r'"[^"]*"|[^".]+', key))
