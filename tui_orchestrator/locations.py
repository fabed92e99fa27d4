"""Where things lie on this machine.

TUI_ORCHESTRATOR_HOME puts everything under one directory; otherwise each lies where the system keeps such things.
Nothing but `private` creates anything. All raise LocationError when the user has no home directory to look in, until
`do_without_home`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from platformdirs import PlatformDirs

from .routing.errors import OrchestratorError

HOME_VARIABLE = "TUI_ORCHESTRATOR_HOME"
_NOWHERE = Path(os.devnull)
"""Below it nothing is, and nothing can be made."""
_without_home = False


class LocationError(OrchestratorError):
    """There is no directory to keep things in."""


def _place(kind: str, environ: Mapping[str, str] | None = None) -> Path:
    """`kind` is config, data or cache."""
    if home := (os.environ if environ is None else environ).get(HOME_VARIABLE):
        try:
            return Path(home).expanduser().absolute() / kind
        except (RuntimeError, OSError) as error:
            raise LocationError(f"{HOME_VARIABLE} is no directory ({error}); give a whole path") from error
    try:
        return Path(getattr(PlatformDirs("tui-orchestrator", appauthor=False), f"user_{kind}_dir"))
    except RuntimeError as error:
        if _without_home:
            return _NOWHERE / kind
        sentence = f"no home directory was found; set HOME or {HOME_VARIABLE} to a directory that you may write to"
        raise LocationError(sentence) from error


def do_without_home() -> str:
    """From now on, what would lie in a home directory that the user does not have can be neither read nor written, as
    in one that is broken: a sentence about it. Empty, and nothing changes, where there is one. Raises LocationError for
    a directory that was named and is none."""
    global _without_home
    try:
        for kind in ("config", "data", "cache"):
            _place(kind)
    except LocationError as error:
        if os.environ.get(HOME_VARIABLE):
            raise
        _without_home = True
        return str(error)
    return ""


def private(directory: Path) -> Path:
    """The directory, made with all that is missing above it for its owner alone (0700). Raises OSError."""
    for place in (*reversed(directory.parents), directory):
        if not place.is_dir():
            try:
                place.mkdir(mode=0o700, exist_ok=True)
            except FileExistsError:
                raise NotADirectoryError(errno.ENOTDIR, f"{place} is not a directory", str(place)) from None
    return directory


def config_dir(environ: Mapping[str, str] | None = None) -> Path:
    return _place("config", environ)


def data_dir() -> Path:
    return _place("data")


def cache_dir() -> Path:
    return _place("cache")


def config_file(environ: Mapping[str, str] | None = None) -> Path:
    """`environ` in place of the program's own, for TUI_ORCHESTRATOR_HOME alone."""
    return config_dir(environ) / "config.toml"


def store_file(demo: bool = False) -> Path:
    """The database; the demo's money and talk are kept in one of their own."""
    return data_dir() / ("demo.db" if demo else "store.db")


def log_file() -> Path:
    return data_dir() / "log" / "tui-orchestrator.jsonl"


def crashes_dir() -> Path:
    return data_dir() / "crashes"


def themes_dir() -> Path:
    """The user's own themes."""
    return config_dir() / "themes"


def shipped(name: str) -> Path:
    """Something that lies at the root of a checkout and inside the package of an installed wheel."""
    package = Path(__file__).resolve().parent
    installed = package / name
    return installed if installed.exists() else package.parent / name


def shipped_themes() -> tuple[Path, ...]:
    """The theme files that come with the program, by name; none when they were not installed with it."""
    return tuple(sorted(shipped("themes").glob("*.toml")))
