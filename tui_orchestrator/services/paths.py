"""What a path that is being typed may become."""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..routing.text import clean

MOST_LOOKED_AT = 20_000
"""Entries of one directory."""
MOST_FOUND = 200


@dataclass(frozen=True, slots=True)
class Listing:
    paths: tuple[str, ...] = ()
    """As they would be written, from where the typed one begins; a directory ends with a slash. Those whose names begin
    with what was typed come before those that hold it."""
    more: bool = False
    """There are others."""
    problem: str = ""
    """Why the directory cannot be read."""


def list_paths(typed: str, directory: Path, stopped: Callable[[], bool]) -> Listing:
    """Blocks: call it in a thread. Hidden ones only where the name typed begins with a dot; none whose name could not
    be written into a prompt."""
    if stopped():
        return Listing()
    head, slash, name = typed.rpartition("/")
    if not slash and typed.startswith("~"):
        return Listing(("~/",)) if typed == "~" else Listing()
    if name == "..":
        return Listing((f"{typed}/",))
    found: list[tuple[bool, str, str]] = []
    wanted = name.casefold()
    looked_at, more = 0, False
    try:
        with os.scandir(directory / Path(head + slash).expanduser()) as entries:
            for looked_at, entry in enumerate(entries, 1):
                if looked_at > MOST_LOOKED_AT or (looked_at % 1000 == 0 and stopped()):
                    more = True
                    break
                key = entry.name.casefold()
                if entry.name.startswith(".") > name.startswith(".") or wanted not in key or not _sayable(entry.name):
                    continue
                found.append((not key.startswith(wanted), key, entry.name + ("/" if entry.is_dir() else "")))
    except FileNotFoundError:
        return Listing()
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Listing(problem=clean(reason))
    first = heapq.nsmallest(MOST_FOUND, found)
    return Listing(tuple(head + slash + shown for _, _, shown in first), more or len(found) > len(first))


def _sayable(name: str) -> bool:
    return clean(name) == name and "\n" not in name and "\t" not in name
