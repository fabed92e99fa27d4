"""Recipes as a TOML file has them, checked whole before anything is sent: all that is wrong is named."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from ..library.tasks import Usd, money
from ..opening import parsed
from ..plugins.finding import strategy
from ..routing.profile import TaskType
from ..routing.request import Method, Strategy
from ..routing.text import clean_line
from ..settings.kinds import shown
from ..settings.lines import Place, key_lines, line_of
from ..settings.reading import syntax
from .recipe import Kind, Parameter, Recipe, RecipeError, Step
from .templates import NAME, places

_LOOP_NAMES = ("item", "number")
_CALLED = "small letters, digits and _, first a letter, and not item or number"


def parse(name: str, text: str, source: str) -> Recipe:
    """Raises RecipeError, which names of every mistake the file, the line and the key."""
    where = source if source.endswith(".toml") else f"{name} ({source})"
    try:
        data = parsed(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RecipeError(clean_line(f"{where}:{syntax(error, text)}", 700)) from None
    mistakes = _Mistakes(key_lines(text))
    recipe = _recipe(name, _Section(data, "", (), mistakes), source)
    if mistakes.found:
        raise RecipeError(*(clean_line(f"{where}:{line}: {told}", 700) for line, told in sorted(mistakes.found)))
    return recipe


@dataclass(slots=True)
class _Mistakes:
    lines: Mapping[Place, int]
    found: list[tuple[int, str]] = field(default_factory=list)
    """Line and sentence of each."""


@dataclass(frozen=True, slots=True)
class _Section:
    """A table of the file. What is wrong in it is noted, and something that fits stands in its place."""

    table: Mapping[str, Any]
    at: str
    """As it is told, such as 'steps[2]'; '' is all of the file."""
    place: Place
    mistakes: _Mistakes

    def wrong(self, key: str, sentence: str) -> None:
        at = ".".join(part for part in (self.at, key) if part)
        place = (*self.place, key) if key else self.place
        self.mistakes.found.append((line_of(self.mistakes.lines, place), f"{at}: {sentence}"))

    def known(self, *keys: str) -> None:
        for key in self.table:
            if key not in keys:
                close = difflib.get_close_matches(key, keys, n=1)
                hint = f"did you mean {close[0]}?" if close else f"the keys are {', '.join(keys)}"
                self.wrong(clean_line(key, 40), f"is an unknown key; {hint}")

    def inner(self, key: str | int, value: object, at: str) -> _Section:
        section = _Section(value if isinstance(value, dict) else {}, at, (*self.place, key), self.mistakes)
        if not isinstance(value, dict):
            section.wrong("", f"{shown(value)} is no table; write its keys below a heading of its own")
        return section

    def text(self, key: str, default: str | None = None) -> str:
        """`default` None: it must be said."""
        value = self.table.get(key, default)
        if isinstance(value, str) and (value.strip() or default is not None):
            return value
        said = "is missing" if value is None else f"is {shown(value)}"
        self.wrong(key, f"{said}; it must be text, in quotes")
        return default or ""

    def whole(self, key: str) -> int | None:
        value = self.table.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
            return value
        self.wrong(key, f"is {shown(value)}; it must be a whole number from 1")
        return None

    def number(self, key: str, most: int) -> float | None:
        value = self.table.get(key)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most):
            return value
        self.wrong(key, f"is {shown(value)}; it must be a number from 0 to {most}")
        return None

    def usd(self, key: str) -> Usd | None:
        value = self.table.get(key)
        if value is None:
            return None
        try:
            if isinstance(value, str | int) and not isinstance(value, bool):
                money(value)
                return value
        except ValueError:
            pass
        self.wrong(key, f'is {shown(value)}; it must be an amount in US dollars as text, such as "0.05"')
        return None

    def one_of(self, kind: Any, key: str, read: Callable[[str], Any] | None = None) -> Any:
        """`read`: what makes one of a text, where that is not the kind itself."""
        value = self.table.get(key)
        if value is None:
            return None
        try:
            if isinstance(value, str):
                return (read or kind)(value)
        except ValueError:
            pass
        self.wrong(key, f"is {shown(value)}; it is one of {', '.join(kind)}")
        return None

    def template(self, key: str, text: str, names: set[str]) -> None:
        """Notes what stands for nothing in it."""
        named, others = places(text)
        for other in others:
            self.wrong(key, f"{shown(other)} is no place for a value; write {{name}}, or {{{{ for a brace itself")
        for name in named:
            if name not in names:
                close = difflib.get_close_matches(name, names, n=1)
                hint = f"did you mean {{{close[0]}}}?" if close else f"there are {', '.join(sorted(names)) or 'none'}"
                self.wrong(key, f"{{{name}}} is no parameter and no step before it; {hint}")


def _recipe(name: str, section: _Section, source: str) -> Recipe:
    section.known("description", "parameters", "steps", "output")
    written = section.inner("parameters", section.table.get("parameters", {}), "parameters")
    parameters = {
        key: _parameter(key, written.inner(key, value, f"parameters.{key}")) for key, value in written.table.items()
    }
    listed = section.table.get("steps")
    if not isinstance(listed, list) or not listed:
        section.wrong("steps", "there are none; write [[steps]] with an id and a prompt")
        listed = []
    steps: list[Step] = []
    names = set(parameters)
    for place, value in enumerate(listed):
        within = _Section(section.table, "", ("steps",), section.mistakes)
        step = _step(within.inner(place, value, f"steps[{place + 1}]"), parameters, steps, names)
        names.add(step.id)
        steps.append(step)
    output = section.text("output", "{" + steps[-1].id + "}" if steps else "")
    if "output" in section.table:
        section.template("output", output, names)
    return Recipe(name, section.text("description", name), parameters, tuple(steps), output, source)


def _parameter(name: str, section: _Section) -> Parameter:
    section.known("description", "type", "default", "choices", "least", "most")
    if name in _LOOP_NAMES or not NAME.fullmatch(name):
        section.wrong("", f"a parameter is called by {_CALLED}")
    kind = section.table.get("type", "text")
    if kind not in get_args(Kind):
        section.wrong("type", f"is {shown(kind)}; it is one of {', '.join(get_args(Kind))}")
        kind = None
    choices = section.table.get("choices", [])
    if not isinstance(choices, list) or not all(isinstance(one, str) for one in choices):
        section.wrong("choices", f"is {shown(choices)}; it must be a list of texts")
        kind, choices = None, []
    elif kind is not None and (kind == "choice") != bool(choices):
        section.wrong("choices", "a parameter of type choice has them, and no other")
        kind = None
    least, most = section.whole("least"), section.whole("most")
    if (least or 1) > (most or 1000):
        section.wrong("least", f"is {least or 1}, above most, which is {most or 1000}; no number would do")
        kind = None
    default = section.table.get("default")
    parameter = Parameter(
        name,
        section.text("description", name),
        kind or "list",  # with which a loop over it is no second mistake
        _as_typed(default),
        tuple(choices),
        least or 1,
        most or 1000,
    )
    if default is not None and parameter.default is None:
        section.wrong("default", f"is {shown(default)}; it must be text, a number or a list of them")
    elif parameter.default is not None and kind is not None:
        try:
            parameter.read((parameter.default,))
        except ValueError as error:
            section.wrong("default", str(error))
    return parameter


def _as_typed(default: object) -> str | None:
    """None where it is neither text nor number nor a list of such."""
    values = default if isinstance(default, list) else [default]
    if any(isinstance(one, bool) or not isinstance(one, str | int | float) for one in values):
        return None
    return "\n".join(map(str, values))


def _step(section: _Section, parameters: Mapping[str, Parameter], before: Sequence[Step], names: set[str]) -> Step:
    section.known(*Step.__slots__)
    id_ = section.text("id")
    if id_ in names:
        section.wrong("id", f"{shown(id_)} is taken, by a parameter or a step before it; give another")
    elif id_ and (id_ in _LOOP_NAMES or not NAME.fullmatch(id_)):
        section.wrong("id", f"{shown(id_)} is no name; use {_CALLED}")
    step = Step(
        id=id_,
        prompt=section.text("prompt"),
        system=section.text("system", ""),
        model=section.text("model", ""),
        strategy=section.one_of(Strategy, "strategy", strategy),
        task_type=section.one_of(TaskType, "task_type"),
        difficulty=section.number("difficulty", 1),
        ensemble_size=section.whole("ensemble_size") or 3,
        verdict=section.one_of(Method, "verdict"),
        max_tokens=section.whole("max_tokens"),
        temperature=section.number("temperature", 2),
        max_cost=section.usd("max_cost"),
        for_each=section.text("for_each", ""),
        part_tokens=section.whole("part_tokens"),
    )
    inside = names | set(_LOOP_NAMES) if step.for_each else names
    for key in ("prompt", "system", "model"):
        section.template(key, getattr(step, key), inside)
    if step.part_tokens and not step.for_each:
        section.wrong("part_tokens", "says how a text is cut; say with for_each which")
    loops = {one.id for one in before if one.for_each}
    lists = {one.name for one in parameters.values() if one.kind in ("list", "integer")}
    texts = names - lists if step.part_tokens else set()
    if step.for_each and step.for_each not in loops | lists | texts:
        section.wrong(
            "for_each",
            f"{shown(step.for_each)} is no list or integer among the parameters and no loop before it; "
            "a text needs part_tokens",
        )
    return step
