"""Every setting in its section, with what there is to say of it: for a screen that shows and changes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

from .changing import is_of
from .environment import PREFIX
from .kinds import Choice, Flag, Refused
from .reading import Found
from .schema import SCHEMA
from .secrets import Secret, hidden
from .servers import CLOUDS
from .shape import Key, Path, Table, dotted, split
from .showing import as_typed, in_toml, said
from .values import DEMO, Settings


@dataclass(frozen=True, slots=True)
class Listed:
    path: Path
    key: Key | None
    """None for what cannot be set: a key in use."""
    doc: str
    value: str
    """In TOML; where it is not set, what that comes to, in brackets. Secrets are masked."""
    origin: str
    """'default', 'FILE:LINE', 'env NAME'."""
    own: str = ""
    """What the user's own file says, in TOML, whether it holds or not; empty where it says nothing."""
    own_origin: str = ""
    typed: str = ""
    """The text to begin with when it is edited: of the file's value, else of the one that holds."""
    overridden: bool = False
    """Something goes before the user's own file."""

    @property
    def name(self) -> str:
        return dotted(self.path)

    @property
    def shown_name(self) -> str:
        return hidden(self.name)

    @property
    def takes(self) -> str:
        """What may be given, in words; empty where nothing may."""
        return self.key.kind.words if self.key else ""

    @property
    def default(self) -> str:
        return said(self.key, self.key.default) if self.key else ""

    @property
    def example(self) -> str:
        return "" if self.key is None or isinstance(self.key.kind, Choice | Flag) else self.key.example

    @property
    def variables(self) -> tuple[str, ...]:
        """Names in the environment that set it; none where the user chose a name that cannot be spelt there."""
        if self.key is None or not all(re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", part) for part in self.path):
            return ()
        own = PREFIX + "__".join(self.path).upper()
        return (self.key.env, own) if self.key.env else (own,)

    def holds(self, words: Sequence[str]) -> bool:
        """Whether every word, in small letters, is in its name, description, value or origin."""
        text = " ".join((self.name, self.doc, self.value, self.own, self.origin, self.takes)).lower()
        return all(word in text for word in words)


@dataclass(frozen=True, slots=True)
class Section:
    path: Path
    doc: str
    settings: tuple[Listed, ...]
    adds: Table | None = None
    """That whose names the user chooses, where more can be added."""


def sections(settings: Settings, own: Mapping[Path, Found], file: FilePath) -> list[Section]:
    """In the schema's order. `own`: what the user's `file` says by itself."""
    return list(_below(SCHEMA, (), _Facts(settings, own, file)))


@dataclass(frozen=True, slots=True)
class _Facts:
    settings: Settings
    own: Mapping[Path, Found]
    file: FilePath

    def names(self, path: Path) -> list[str]:
        """That the user chose below a place, or that are there without."""
        said = (split(key) for key in self.settings.values)
        given = CLOUDS if path == ("providers",) else ()
        places = [*said, *self.own]
        chosen = (place[len(path)] for place in places if place[: len(path)] == path and len(place) > len(path))
        return list(dict.fromkeys((*given, *chosen)))

    def listed(self, path: Path, key: Key) -> Listed:
        name, own = dotted(path), self.own.get(path)
        value = self.settings.values.get(name, key.default)
        origin = self.settings.origins.get(name, "default")
        return Listed(
            path,
            key,
            key.doc,
            said(key, value),
            origin,
            said(key, own.value) if own else "",
            own.origin if own else "",
            as_typed(key, own.value if own else value),
            origin not in ("default", DEMO) and not is_of(origin, self.file),
        )


def _below(table: Table, path: Path, facts: _Facts) -> Iterator[Section]:
    """Its own keys first, then the sections in it; those of names the user chose after those always there."""
    names = [name for name in facts.names(path) if name not in table.keys] if table.each else []
    below = [*table.keys.items(), *((name, table.each) for name in names if table.each)]
    keys = [facts.listed((*path, name), node) for name, node in below if isinstance(node, Key) and _can_stand(node)]
    keys = [listed for listed in keys if not (path[:1] == ("models",) and listed.path[-1] == "id")]
    if path[:1] == ("providers",) and len(path) == 2:
        keys += _key_in_use(path[1], facts.settings)
    if keys or table.each:
        yield Section(path, table.doc, tuple(keys), table if table.each else None)
    for name, node in below:
        if isinstance(node, Table):
            yield from _below(node, (*path, name), facts)


def _can_stand(key: Key) -> bool:
    return not key.hidden and not isinstance(key.kind, Refused)


def _key_in_use(provider: str, settings: Settings) -> Iterator[Listed]:
    known = settings.providers.get(provider)
    if known is None or not isinstance(known.api_key, Secret):
        return
    doc = f"The key in use, from {known.key_origin}. Keys are never kept in a settings file."
    yield Listed(("providers", provider, "api_key"), None, doc, in_toml(known.api_key), known.key_origin)
