"""Which recipes there are: the shipped ones, those of plugins and the user's own."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from ..locations import config_dir
from ..opening import whole_of
from ..routing.text import clean_line
from .reading import parse
from .recipe import Recipe, RecipeError

LONGEST = 400_000
"""Bytes of a file."""


def recipes_dir() -> Path:
    """Where the user's own lie; one of them takes the place of a shipped one of its name."""
    return config_dir() / "recipes"


@dataclass(frozen=True, slots=True)
class Shelf:
    recipes: Mapping[str, Recipe]
    """By name, in alphabetical order."""
    problems: tuple[str, ...] = ()
    """Of what is no recipe; that was skipped."""
    broken: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By the name that it would have, what is said of it in `problems`."""

    def find(self, name: str) -> Recipe:
        """Raises RecipeError."""
        if name in self.recipes:
            return self.recipes[name]
        if name in self.broken:
            raise RecipeError(*self.broken[name])
        close = difflib.get_close_matches(name, self.recipes, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(self.recipes)}"
        raise RecipeError(f"no recipe is called {clean_line(name, 40)}; {hint}")


def shelf(directory: Path | None = None, added: Sequence[tuple[str, str, str]] = ()) -> Shelf:
    """Those that are shipped, those of plugins (`added`: name, source and text of each) and the user's own. Blocking:
    reads files."""
    found: dict[str, Recipe] = {}
    broken: dict[str, Sequence[str]] = {}
    for name, source, text in (*_shipped(), *added, *_own(directory or recipes_dir(), broken)):
        try:
            found[name] = parse(name, text, source)
        except RecipeError as error:
            broken[name] = error.problems
    problems = tuple(problem for told in broken.values() for problem in told)
    return Shelf(dict(sorted(found.items())), problems, broken)


def _shipped() -> Iterator[tuple[str, str, str]]:
    for shipped in sorted(files(__package__).joinpath("shipped").iterdir(), key=lambda entry: entry.name):
        if shipped.name.endswith(".toml"):
            yield shipped.name.removesuffix(".toml"), "shipped", shipped.read_text(encoding="utf-8")


def _own(directory: Path, broken: dict[str, Sequence[str]]) -> Iterator[tuple[str, str, str]]:
    for path in sorted(directory.glob("*.toml")) if directory.is_dir() else []:
        try:
            text = whole_of(path, LONGEST).decode("utf-8-sig")
        except OSError as error:
            broken[path.stem] = (f"{path} cannot be read: {error.strerror}",)
        except UnicodeDecodeError:
            broken[path.stem] = (f"{path} cannot be read: it is not UTF-8 text",)
        else:
            yield path.stem, str(path), text
