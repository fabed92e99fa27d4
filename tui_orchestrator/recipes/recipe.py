"""Recipes: prompts in several steps."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..library.tasks import Usd
from ..routing.errors import OrchestratorError
from ..routing.profile import TaskType
from ..routing.request import Method, Strategy
from ..routing.text import clean_line

Kind = Literal["text", "integer", "choice", "list"]


class RecipeError(OrchestratorError):
    """Nothing was sent, because a recipe or what was said for it is not as it should be."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        """A sentence each; of a file all that is wrong with it."""
        super().__init__("\n".join(problems))


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
