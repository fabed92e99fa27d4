"""Recipes: prompts in several steps, as a TOML file has them, checked whole before anything is sent."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

from ..library.tasks import Usd
from ..locations import config_dir
from ..opening import parsed, whole_of
from ..plugins.finding import strategy
from ..routing.errors import OrchestratorError
from ..routing.profile import TaskType
from ..routing.request import Method, Strategy
from ..routing.text import clean_line
from .templates import places

Kind = Literal["text", "integer", "choice", "list"]
LONGEST = 400_000
"""Bytes of a file."""
_LOOP_NAMES = ("item", "number")


class RecipeError(OrchestratorError):
    """Nothing was sent, because a recipe or what was said for it is not as it should be."""


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    description: str
    kind: Kind = "text"
    default: str | None = None
    """As it would be typed; None: it must be said."""
    choices: tuple[str, ...] = ()
    least: int = 1
    """Of an integer."""
    most: int = 1000

    def read(self, said: Sequence[str]) -> tuple[str, ...]:
        """The value: one text, or those of a list. Raises ValueError."""
        if self.kind == "list":
            items = tuple(item for text in said for item in text.splitlines() if item.strip())
            if not items:
                raise ValueError("is empty; give it once for each item")
            return items
        if len(said) > 1:
            raise ValueError("was given more than once; it is one value")
        (text,) = said
        if self.kind == "integer":
            try:
                number = int(text)
            except ValueError:
                raise ValueError(f"is {clean_line(text, 40)!r}; it is a whole number") from None
            if not self.least <= number <= self.most:
                raise ValueError(f"is {number}; it is a whole number from {self.least} to {self.most}")
            return (str(number),)
        if self.kind == "choice" and text not in self.choices:
            raise ValueError(f"is {clean_line(text, 40)!r}; it is one of {', '.join(self.choices)}")
        if not text.strip():
            raise ValueError("is empty")
        return (text,)


@dataclass(frozen=True, slots=True)
class Step:
    id: str
    prompt: str
    """A template of parameters and of the steps before it."""
    system: str = ""
    model: str = ""
    """A template too; '' leaves it to the strategy."""
    strategy: Strategy | None = None
    task_type: TaskType | None = None
    difficulty: float | None = None
    ensemble_size: int = 3
    verdict: Method | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    max_cost: Usd | None = None
    """For each time it is asked."""
    for_each: str = ""
    """What it is asked for again and again: the items of a list, the numbers up to an integer, the parts of a text that
    `part_tokens` cuts, the answers of a step that was a loop itself. Its prompt then knows {item} and {number}."""
    part_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    name: str
    description: str
    parameters: Mapping[str, Parameter]
    steps: tuple[Step, ...]
    output: str
    """A template of what the whole comes to."""
    source: str = field(compare=False, default="")
    """Its file, or where else it comes from."""

    def values(self, said: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
        """Every parameter's value. Raises RecipeError that names the parameter."""
        if unknown := next((name for name in said if name not in self.parameters), None):
            close = difflib.get_close_matches(unknown, self.parameters, n=1)
            hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(self.parameters) or 'none'}"
            raise RecipeError(f"{self.name} has no parameter {clean_line(unknown, 40)}; {hint}")
        values = {}
        for parameter in self.parameters.values():
            given = said.get(parameter.name) or (() if parameter.default is None else (parameter.default,))
            if not given:
                raise RecipeError(f"{self.name} needs {parameter.name}: {parameter.description}")
            try:
                values[parameter.name] = parameter.read(given)
            except ValueError as error:
                raise RecipeError(f"{self.name}: {parameter.name} {error}") from None
        return values


def recipes_dir() -> Path:
    """Where the user's own lie; one of them takes the place of a shipped one of its name."""
    return config_dir() / "recipes"


@dataclass(frozen=True, slots=True)
class Shelf:
    recipes: Mapping[str, Recipe]
    """By name, in alphabetical order."""
    problems: tuple[str, ...] = ()
    """Of what is no recipe; that was skipped."""
    broken: Mapping[str, str] = field(default_factory=dict)
    """By the name that it would have, what is said of it in `problems`."""

    def find(self, name: str) -> Recipe:
        """Raises RecipeError."""
        if name in self.recipes:
            return self.recipes[name]
        if name in self.broken:
            raise RecipeError(self.broken[name])
        close = difflib.get_close_matches(name, self.recipes, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(self.recipes)}"
        raise RecipeError(f"no recipe is called {clean_line(name, 40)}; {hint}")


def shelf(directory: Path | None = None, added: Sequence[tuple[str, str, str]] = ()) -> Shelf:
    """Those that are shipped, those of plugins (`added`: name, source and text of each) and the user's own. Blocking:
    reads files."""
    found: dict[str, Recipe] = {}
    broken: dict[str, str] = {}
    for name, source, text in (*_shipped(), *added, *_own(directory or recipes_dir(), broken)):
        try:
            found[name] = parse(name, text, source)
        except RecipeError as error:
            broken[name] = str(error)
    return Shelf(dict(sorted(found.items())), tuple(broken.values()), broken)


def _shipped() -> Iterator[tuple[str, str, str]]:
    for shipped in sorted(files(__package__).joinpath("shipped").iterdir(), key=lambda entry: entry.name):
        if shipped.name.endswith(".toml"):
            yield shipped.name.removesuffix(".toml"), "shipped", shipped.read_text(encoding="utf-8")


def _own(directory: Path, broken: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    for path in sorted(directory.glob("*.toml")) if directory.is_dir() else []:
        try:
            text = whole_of(path, LONGEST).decode("utf-8-sig")
        except OSError as error:
            broken[path.stem] = f"{path} cannot be read: {error.strerror}"
        except UnicodeDecodeError:
            broken[path.stem] = f"{path} cannot be read: it is not UTF-8 text"
        else:
            yield path.stem, str(path), text


def parse(name: str, text: str, source: str) -> Recipe:
    """Raises RecipeError, which names the file and the key."""
    where = source if source.endswith(".toml") else f"{name} ({source})"
    try:
        data = parsed(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{where}: {error}") from None
    except RecursionError:
        raise RecipeError(f"{where}: lists are nested too deeply") from None
    try:
        return _recipe(name, data, source)
    except ValueError as error:
        raise RecipeError(f"{where}: {error}") from None


def _recipe(name: str, data: Mapping[str, Any], source: str) -> Recipe:
    _known(data, ("description", "parameters", "steps", "output"), "")
    parameters = {
        key: _parameter(key, value) for key, value in _table(data.get("parameters", {}), "parameters").items()
    }
    steps: list[Step] = []
    names = set(parameters)
    written = data.get("steps")
    if not isinstance(written, list) or not written:
        raise ValueError("steps: there are none; write [[steps]] with an id and a prompt")
    for place, value in enumerate(written, 1):
        step = _step(f"steps[{place}]", _table(value, f"steps[{place}]"), parameters, steps, names)
        names.add(step.id)
        steps.append(step)
    output = _text(data, "output", "", f"{{{steps[-1].id}}}")
    _all_known(output, names, "output")
    return Recipe(name, _text(data, "description", "", name), parameters, tuple(steps), output, source)


def _parameter(name: str, value: Any) -> Parameter:
    at = f"parameters.{name}"
    table = _table(value, at)
    _known(table, ("description", "type", "default", "choices", "least", "most"), at)
    if name in _LOOP_NAMES or not name.isidentifier() or not name.islower():
        raise ValueError(f"{at}: a parameter is called in small letters, and not item or number")
    kind = table.get("type", "text")
    if kind not in get_args(Kind):
        raise ValueError(f"{at}.type: is {kind!r}; it is one of {', '.join(get_args(Kind))}")
    choices = _texts_of(table, "choices", at)
    if (kind == "choice") != bool(choices):
        raise ValueError(f"{at}.choices: a parameter of type choice has them, and no other")
    default = table.get("default")
    if isinstance(default, list):
        default = "\n".join(str(one) for one in default)
    parameter = Parameter(
        name,
        _text(table, "description", at, name),
        kind,
        None if default is None else str(default),
        choices,
        _whole(table, "least", at) or 1,
        _whole(table, "most", at) or 1000,
    )
    if parameter.default is not None:
        try:
            parameter.read((parameter.default,))
        except ValueError as error:
            raise ValueError(f"{at}.default: {error}") from None
    return parameter


def _step(
    at: str, table: Mapping[str, Any], parameters: Mapping[str, Parameter], before: Sequence[Step], names: set[str]
) -> Step:
    _known(table, tuple(Step.__slots__), at)
    id_ = _text(table, "id", at)
    if not id_.isidentifier() or not id_.islower() or id_ in names or id_ in _LOOP_NAMES:
        raise ValueError(f"{at}.id: {id_!r} is taken or no name; use small letters, and not item or number")
    step = Step(
        id=id_,
        prompt=_text(table, "prompt", at),
        system=_text(table, "system", at, ""),
        model=_text(table, "model", at, ""),
        strategy=_one_of(Strategy, table, "strategy", at, strategy),
        task_type=_one_of(TaskType, table, "task_type", at),
        difficulty=_number(table, "difficulty", at, 1),
        ensemble_size=_whole(table, "ensemble_size", at) or 3,
        verdict=_one_of(Method, table, "verdict", at),
        max_tokens=_whole(table, "max_tokens", at),
        temperature=_number(table, "temperature", at, 2),
        max_cost=_usd(table, at),
        for_each=_text(table, "for_each", at, ""),
        part_tokens=_whole(table, "part_tokens", at),
    )
    inside = names | set(_LOOP_NAMES) if step.for_each else names
    for key in ("prompt", "system", "model"):
        _all_known(getattr(step, key), inside, f"{at}.{key}")
    if step.part_tokens and not step.for_each:
        raise ValueError(f"{at}.part_tokens: says how a text is cut; say with for_each which")
    loops = {one.id for one in before if one.for_each}
    lists = {one.name for one in parameters.values() if one.kind in ("list", "integer")}
    texts = names - lists if step.part_tokens else set()
    if step.for_each and step.for_each not in loops | lists | texts:
        raise ValueError(
            f"{at}.for_each: {step.for_each!r} is no list or integer among the parameters and no loop before it; "
            "a text needs part_tokens"
        )
    return step


def _known(table: Mapping[str, Any], keys: Sequence[str], at: str) -> None:
    if unknown := next((key for key in table if key not in keys), None):
        close = difflib.get_close_matches(unknown, keys, n=1)
        hint = f"did you mean {close[0]}?" if close else f"the keys are {', '.join(keys)}"
        raise ValueError(f"{f'{at}.' if at else ''}{clean_line(unknown, 40)}: is an unknown key; {hint}")


def _all_known(template: str, names: set[str], at: str) -> None:
    try:
        unknown = next((name for name in places(template) if name not in names), None)
    except ValueError as error:
        raise ValueError(f"{at}: {error}") from None
    if unknown:
        close = difflib.get_close_matches(unknown, names, n=1)
        hint = f"did you mean {{{close[0]}}}?" if close else f"there are {', '.join(sorted(names)) or 'none'}"
        raise ValueError(f"{at}: {{{unknown}}} is no parameter and no step before it; {hint}")


def _table(value: Any, at: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{at}: must be a table")
    return value


def _text(table: Mapping[str, Any], key: str, at: str, default: str | None = None) -> str:
    value = table.get(key, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise ValueError(f"{f'{at}.' if at else ''}{key}: must be text")
    return value


def _texts_of(table: Mapping[str, Any], key: str, at: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{at}.{key}: must be a list of texts")
    return tuple(value)


def _whole(table: Mapping[str, Any], key: str, at: str) -> int | None:
    value = table.get(key)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise ValueError(f"{at}.{key}: must be a whole number from 1")
    return value


def _number(table: Mapping[str, Any], key: str, at: str, most: int) -> float | None:
    value = table.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most):
        raise ValueError(f"{at}.{key}: must be a number from 0 to {most}")
    return value


def _usd(table: Mapping[str, Any], at: str) -> Usd | None:
    value = table.get("max_cost")
    if value is not None and not isinstance(value, str | int):
        raise ValueError(f'{at}.max_cost: must be an amount in US dollars as text, such as "0.05"')
    return value


def _one_of(kind: Any, table: Mapping[str, Any], key: str, at: str, read: Callable[[str], Any] | None = None) -> Any:
    """`read`: what makes one of a text, where that is not the kind itself."""
    value = table.get(key)
    if value is None:
        return None
    try:
        return (read or kind)(value)
    except ValueError:
        raise ValueError(f"{at}.{key}: is {value!r}; it is one of {', '.join(kind)}") from None
