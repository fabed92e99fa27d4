"""Changing one setting for good: the user's file with the change is checked together with all that holds beside it
before a letter of it is written."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath

from .. import locations
from ..opening import whole_of
from .loading import load
from .reading import LARGEST, Found, Reading
from .schema import find
from .shape import Key, Path, dotted, split
from .showing import shown_value
from .values import Settings, SettingsError
from .writing import text_with, write_privately


@dataclass(frozen=True, slots=True)
class Changed:
    key: str
    """Dotted."""
    file: FilePath
    settings: Settings | None
    """As they are from now on, but without keys. None where something else, wrong before, keeps them from being
    read."""
    problems: tuple[str, ...] = ()
    """Those that were there before."""

    @property
    def value(self) -> str:
        """What holds now, in TOML, where that can be read."""
        return shown_value(self.settings, self.key) if self.settings else ""

    @property
    def origin(self) -> str:
        """Where it comes from: 'default', 'FILE:LINE', 'env NAME'."""
        return self.settings.origins.get(self.key, "default") if self.settings else ""

    @property
    def overridden(self) -> str:
        """What goes before the file; empty where nothing does."""
        return "" if self.origin == "default" or is_of(self.origin, self.file) else self.origin


def change(
    file: FilePath | None,
    key: str,
    text: str | None,
    *,
    environ: Mapping[str, str] = os.environ,
    cwd: FilePath | None = None,
) -> Changed:
    """Sets `key` in the user's file (None: that of `locations.config_file()`) to what was typed; None takes it out.

    Raises SettingsError where the key, the value or the file is wrong, or would be with it; then nothing is written.
    Raises OSError where the file cannot be read or written.
    """
    own = file if file is not None else locations.config_file(environ)
    name = _canonical(own, key)
    after = text_with(own, name, None if text is None else _raw(name, text))

    def told(instead: str) -> tuple[Settings | None, tuple[str, ...]]:
        try:
            return load(own, environ=environ, cwd=cwd, instead=instead, keys=False), ()
        except SettingsError as error:
            return None, error.problems

    settings, problems = told(after)
    if problems:
        before = {_without_line(problem, own) for problem in told(text_of(own))[1]}
        if new := [problem for problem in problems if _without_line(problem, own) not in before]:
            raise SettingsError(*new)
    write_privately(own, after)
    return Changed(name, own, settings, problems)


def said_in(file: FilePath) -> dict[Path, Found]:
    """What the file itself says, sound keys only, with where. Raises OSError."""
    reading = Reading()
    if content := text_of(file):
        reading.content(file, content.encode())
    return reading.found


def text_of(file: FilePath) -> str:
    """Empty where there is no file. Raises OSError."""
    try:
        return whole_of(file, LARGEST).decode("utf-8-sig", errors="replace")
    except FileNotFoundError:
        return ""


def is_of(origin: str, file: FilePath) -> bool:
    return re.fullmatch(rf"{re.escape(str(file))}:\d+", origin) is not None


def _canonical(file: FilePath, key: str) -> str:
    try:
        return dotted(split(key))
    except ValueError as error:
        raise SettingsError(f"{file}: {error}") from None


def _raw(key: str, text: str) -> object:
    setting = find(split(key))
    return setting.from_text(text) if isinstance(setting, Key) else text


def _without_line(problem: str, file: FilePath) -> str:
    return re.sub(rf"^{re.escape(str(file))}:\d+", str(file), problem)
