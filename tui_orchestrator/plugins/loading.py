"""From what is installed to what is used: each plugin imported and looked at, a broken one named in a sentence."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from ..opening import parsed, whole_of
from ..routing.added import AddedStrategy, AnswerCheck
from ..routing.contained import contained, told
from ..routing.text import clean_line
from .contract import Account, AddedProvider, Kind, PluginError
from .finding import Installed
from .watched import WatchedCheck

_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")
_NAME_OF_A_FILE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_LONGEST_RECIPE = 400_000


class State(StrEnum):
    ON = "on"
    OFF = "off"
    """By the user's settings."""
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Plugin:
    kind: Kind
    name: str
    distribution: str
    version: str
    state: State
    problem: str = ""
    """Of a broken one: one sentence."""
    made: Any = field(default=None, repr=False)
    """Of one that is on: by its kind an AddedStrategy, an AnswerCheck, a callable that makes a provider, the text of a
    recipe, the Path of a theme."""

    @property
    def source(self) -> str:
        return f"{self.distribution} {self.version}".strip()


@dataclass(frozen=True, slots=True)
class Plugins:
    """Those there are, on or not, in the order they were found."""

    every: tuple[Plugin, ...] = ()

    def _on(self, kind: Kind) -> Iterable[Plugin]:
        return (one for one in self.every if one.kind is kind and one.state is State.ON)

    @property
    def strategies(self) -> list[AddedStrategy]:
        return [one.made for one in self._on(Kind.STRATEGY)]

    @property
    def checks(self) -> list[AnswerCheck]:
        return [one.made for one in self._on(Kind.VERDICT)]

    @property
    def providers(self) -> Mapping[str, Callable[[Account], AddedProvider]]:
        return {one.name: one.made for one in self._on(Kind.PROVIDER)}

    @property
    def recipes(self) -> list[tuple[str, str, str]]:
        """Name, source and text of each."""
        return [(one.name, one.source, one.made) for one in self._on(Kind.RECIPE)]

    @property
    def themes(self) -> list[Path]:
        return [one.made for one in self._on(Kind.THEME)]

    @property
    def problems(self) -> list[str]:
        return [one.problem for one in self.every if one.state is State.BROKEN]


def load(
    found: Iterable[Installed],
    taken: Mapping[Kind, Collection[str]],
    enabled: Collection[str] | None = None,
    disabled: Collection[str] = (),
    only: Collection[Kind] = tuple(Kind),
    hide: Callable[[str], str] = str,
) -> Plugins:
    """Imports what of `found` is switched on. Blocking, and as slow as the plugins' own imports; raises nothing.

    `taken`: names that the program has already. `enabled` None: all but `disabled`. In both a plugin is called by its
    name, KIND:NAME, or its package. `only`: the kinds that are wanted; others are left out. `hide` takes
    keys out of what they say.
    """
    every: list[Plugin] = []
    theirs: dict[tuple[Kind, str], str] = {}
    for one in found:
        if one.kind not in only:
            continue
        plugin = Plugin(one.kind, one.name, one.distribution, one.version, State.ON)
        called = {one.name, f"{one.kind}:{one.name}", one.distribution}
        if (enabled is not None and called.isdisjoint(enabled)) or not called.isdisjoint(disabled):
            every.append(replace(plugin, state=State.OFF))
            continue
        try:
            _check_name(one, taken.get(one.kind, ()), theirs)
            plugin = replace(plugin, made=_made(one, plugin.source, hide))
        except PluginError as error:
            plugin = replace(plugin, state=State.BROKEN, problem=hide(str(error)))
        theirs.setdefault((one.kind, one.name), one.distribution)
        every.append(plugin)
    return Plugins(tuple(every))


def _check_name(one: Installed, taken: Collection[str], theirs: Mapping[tuple[Kind, str], str]) -> None:
    told = f"{one.kind} {one.name!r} of {one.distribution}"
    fits = _NAME_OF_A_FILE if one.kind in (Kind.RECIPE, Kind.THEME, Kind.PROVIDER) else _NAME
    if not fits.fullmatch(one.name) or one.entry.name != one.name:
        raise PluginError(f"{told} is not used: a name is small letters, digits and _, at most 40 of them")
    if one.name in taken:
        raise PluginError(f"{told} is not used: the program has a {one.kind} of that name; it needs another")
    if (kind_and_name := (one.kind, one.name)) in theirs:
        first = theirs[kind_and_name]
        raise PluginError(f"{told} is not used: {first} brings one of that name; switch one off in [plugins] disabled")


def _made(one: Installed, source: str, hide: Callable[[str], str]) -> object:
    """Raises PluginError."""
    its_name = f"{one.kind} {one.name!r} of {source}"
    try:
        with contained():
            loaded = one.entry.load()
            made = _MAKERS[one.kind](one, source, loaded)
    except PluginError as error:
        raise PluginError(f"{its_name} is not used: {error}") from error
    except Exception as error:
        raise PluginError(f"{its_name} is not used: it cannot be loaded ({clean_line(told(error), 200)})") from error
    if isinstance(made, WatchedCheck):
        made.hide = hide
    return made


def _callable(loaded: object, what: str) -> Callable[..., Any]:
    if not callable(loaded):
        raise PluginError(f"it is {clean_line(repr(loaded), 60)}, not {what}")
    return loaded


def _strategy(one: Installed, source: str, loaded: object) -> AddedStrategy:
    objective = _callable(loaded, "a function of an option")
    return AddedStrategy(one.name, _first_line(objective) or f"the highest by {one.name}", source, objective)


def _verdict(one: Installed, source: str, loaded: object) -> AnswerCheck:
    return WatchedCheck(one.name, source, _callable(loaded, "a function of an answer"))


def _provider(one: Installed, source: str, loaded: object) -> Callable[[Account], AddedProvider]:
    return _callable(loaded, "a callable that makes a provider")


def _recipe(one: Installed, source: str, loaded: object) -> str:
    said = loaded() if callable(loaded) else loaded
    if isinstance(said, Path):
        said = whole_of(said, _LONGEST_RECIPE).decode()
    if not isinstance(said, str) or len(said) > _LONGEST_RECIPE:
        raise PluginError("it is neither the text of a recipe nor the path of one")
    try:
        parsed(said)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        why = "lists are nested too deeply" if isinstance(error, RecursionError) else clean_line(str(error), 120)
        raise PluginError(f"its text is no TOML: {why}") from None
    return said


def _theme(one: Installed, source: str, loaded: object) -> Path:
    said = loaded() if callable(loaded) and not isinstance(loaded, Path) else loaded
    if not isinstance(said, str | Path) or not (path := Path(said)).is_file():
        raise PluginError(f"{clean_line(str(said), 120)!r} is not the path of a file")
    named = parsed(whole_of(path, _LONGEST_RECIPE).decode()).get("name", path.stem)
    if named != one.name or path.suffix != ".toml":
        raise PluginError(f"its palette is called {clean_line(str(named), 60)!r} in {clean_line(path.name, 60)}")
    return path


def _first_line(thing: object) -> str:
    lines = (getattr(thing, "__doc__", None) or "").strip().splitlines()
    said = clean_line(lines[0], 120).rstrip(".") if lines else ""
    # As the program's own are said, in the middle of a line.
    return said[:1].lower() + said[1:] if said[1:2].islower() or said[1:2] == " " else said


_MAKERS: Mapping[Kind, Callable[[Installed, str, object], object]] = {
    Kind.STRATEGY: _strategy,
    Kind.VERDICT: _verdict,
    Kind.PROVIDER: _provider,
    Kind.RECIPE: _recipe,
    Kind.THEME: _theme,
}
