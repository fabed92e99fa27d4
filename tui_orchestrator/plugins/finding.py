"""Which plugins are installed, without importing any of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from os import scandir
from pathlib import Path
from typing import TYPE_CHECKING

from ..routing.request import Strategy
from ..routing.text import clean_line
from .contract import PREFIX, Kind

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint, PathDistribution

_GROUPS = {kind.group: kind for kind in Kind}
_SECTION = f"[{PREFIX}".encode()


@dataclass(frozen=True, slots=True)
class Installed:
    kind: Kind
    name: str
    """Clean; it may be no good name all the same."""
    distribution: str
    version: str
    entry: EntryPoint


def installed() -> list[Installed]:
    """Every entry point of ours there is, in the order of `sys.path`; of one package that is found twice the first, as
    when it is imported. Reads a file of each package: a few milliseconds, off the event loop."""
    places = list(_with_entries(sys.path))
    if not places:
        return []
    # A tenth of a second of processor time, which who has no plugins need not pay.
    from importlib.metadata import PathDistribution

    found: dict[str, list[Installed]] = {}
    for place in places:
        # A package whose metadata cannot be read brings nothing; pip refuses it too.
        with suppress(TypeError, ValueError, AttributeError):
            package = PathDistribution(place)
            name = clean_line(package.metadata["Name"] or place.stem, 80)
            if name.lower() not in found:
                found[name.lower()] = list(_of(package, name))
    return [one for ours in found.values() for one in ours]


def _of(package: PathDistribution, name: str) -> Iterator[Installed]:
    version = clean_line(package.version or "", 40)
    for entry in package.entry_points:
        if (kind := _GROUPS.get(entry.group)) is not None:
            yield Installed(kind, clean_line(entry.name, 60), name, version, entry)


def names(kind: Kind) -> tuple[str, ...]:
    """Of those that are installed, on or off."""
    return tuple(dict.fromkeys(one.name for one in installed() if one.kind is kind))


def strategy(name: str) -> Strategy:
    """The program's own, or of a plugin that is installed. Raises ValueError."""
    if name not in Strategy and name in names(Kind.STRATEGY):
        return Strategy.named(name)
    return Strategy(name)


def _with_entries(path: Sequence[str]) -> Iterator[Path]:
    """The metadata of packages that say anything to us."""
    for directory in dict.fromkeys(path):
        try:
            entries = sorted(one.name for one in scandir(directory or ".") if one.name.endswith(_METADATA))
        except OSError:
            continue
        for name in entries:
            place = Path(directory or ".", name)
            try:
                said = (place / "entry_points.txt").read_bytes()
            except OSError:
                continue
            if _SECTION in said:
                yield place


_METADATA = (".dist-info", ".egg-info")
