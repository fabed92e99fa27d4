"""Settings in the environment: the plain names, those made from a setting's own, and a `.env` beside the project."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path as FilePath

from ..routing.text import clean_line
from .schema import SCHEMA, fixed_keys
from .secrets import hold
from .shape import Path

PREFIX = "TUI_ORCHESTRATOR_"
_LARGEST = 100_000
"""Bytes of a `.env` that are read; a longer file is something else of that name."""


@dataclass(frozen=True, slots=True)
class Variable:
    value: str
    origin: str
    """'env NAME' or 'FILE:LINE'."""
    project: bool
    """From the project's `.env`, which may have been downloaded with it."""


Environment = Mapping[str, Variable]


def read_environment(environ: Mapping[str, str], dotenv: FilePath | None) -> dict[str, Variable]:
    """Both together; the environment wins, even where it says nothing but the empty text."""
    found: dict[str, Variable] = {}
    if dotenv is not None:
        text = _text_of(dotenv)
        for name, value, line in parse_dotenv(text):
            found[name] = Variable(value, f"{dotenv}:{line}", project=True)
    for name, value in environ.items():
        found[name] = Variable(value, f"env {name}", project=False)
    for name, variable in found.items():
        if not name.startswith(PREFIX):
            hold(name, variable.value)
    return {name: variable for name, variable in found.items() if variable.value.strip()}


def _text_of(path: FilePath) -> str:
    # What is not a readable text file is none of ours: many tools keep directories and pipes of that name.
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return ""
        return path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError:
        return ""


_ASSIGNMENT = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*
        (?: (?: '(?P<literal>[^']*)' | "(?P<escaped>(?:[^"\\]|\\.)*)" ) [ \t]*(?:\#[^\n]*)?\r?$
          | (?P<plain>[^\n]*) )""",
    re.MULTILINE | re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"(?:^|(?<=[\s'\"]))#.*", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def parse_dotenv(text: str) -> Iterator[tuple[str, str, int]]:
    """Name, value and line of each assignment. Nothing is run and no $NAME is put in; what is no assignment is left
    out. Quoted values may go over several lines."""
    line, counted = 1, 0
    for assignment in _ASSIGNMENT.finditer(text):
        line, counted = line + text.count("\n", counted, assignment.start()), assignment.start()
        if (value := assignment["literal"]) is not None:
            pass
        elif (escaped := assignment["escaped"]) is not None:
            value = re.sub(r"\\(.)", lambda part: _ESCAPES.get(part[1], part[1]), escaped, flags=re.DOTALL)
        else:
            value = _COMMENT.sub("", assignment["plain"], count=1).strip()
        yield assignment[1], value, line


def plain_names(environment: Environment, problems: list[str]) -> Iterator[tuple[Path, Variable]]:
    """What the names that other programs know too say, as places of settings."""
    for path, key in fixed_keys(SCHEMA):
        if key.env and (variable := environment.get(key.env)):
            yield path, variable
    if variable := environment.get("OPENROUTER_ENABLED"):
        yield ("providers", "openrouter", "enabled"), variable
    if variable := _default_model(environment):
        yield ("router", "default_model"), variable
    if variable := _requests_per_minute(environment, problems):
        yield ("router", "requests_per_minute"), variable


def _default_model(environment: Environment) -> Variable | None:
    provider, name = environment.get("DEFAULT_MODEL_PROVIDER"), environment.get("DEFAULT_MODEL_NAME")
    if provider is None or name is None:
        return name or provider
    prefix = f"{provider.value.strip().lower()}/"
    model = name.value.strip()
    project = provider.project or name.project
    return Variable(model if model.startswith(prefix) else prefix + model, name.origin, project)


def _requests_per_minute(environment: Environment, problems: list[str]) -> Variable | None:
    """RATE_LIMIT_REQUESTS in RATE_LIMIT_WINDOW seconds, as whole requests a minute, rounded down, at least one."""
    requests, window = environment.get("RATE_LIMIT_REQUESTS"), environment.get("RATE_LIMIT_WINDOW")
    if requests is None:
        return None
    numbers: list[Decimal] = []
    for name, variable, such_as in (("RATE_LIMIT_REQUESTS", requests, "100"), ("RATE_LIMIT_WINDOW", window, "60")):
        text = "60" if variable is None else variable.value.strip()
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal(0)
        if not number.is_finite() or not 0 < number <= 10**9:
            unit = "seconds" if name == "RATE_LIMIT_WINDOW" else "requests"
            origin = variable.origin if variable else name
            where = origin if name in origin else f"{origin}: {name}"
            problems.append(
                f"{where}: {clean_line(text, 60)!r} is not a number above zero; give {unit}, such as {such_as}"
            )
        else:
            numbers.append(number)
    if len(numbers) < 2:
        return None
    return Variable(str(max(1, int(numbers[0] * 60 / numbers[1]))), requests.origin, requests.project)


def own_names(environment: Environment) -> Iterator[tuple[str, Path, Variable]]:
    """TUI_ORCHESTRATOR_SECTION__KEY, or a whole section: the name, its parts in lower case, the value."""
    for name, variable in environment.items():
        rest = name.removeprefix(PREFIX).lower()
        if name.startswith(PREFIX) and ("__" in rest or rest in SCHEMA.keys):
            yield name, tuple(rest.split("__")), variable


def misspelt_names(environment: Environment) -> Iterator[tuple[str, str, Variable]]:
    """Names of ours with a single underscore where two belong, and what they should have been.

    Others that begin as ours do are left alone: they are not settings.
    """
    right = {PREFIX + "_".join(path).upper(): PREFIX + "__".join(path).upper() for path, _ in fixed_keys(SCHEMA)}
    for name, variable in environment.items():
        if name in right:
            yield name, right[name], variable
