"""What may follow a `/` command: the names it takes, for completion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from tui_orchestrator.routing.model import Registry
from tui_orchestrator.routing.request import Check, Method, Strategy
from tui_orchestrator.services.personas import summary
from tui_orchestrator.settings import Persona

from . import words
from .options import NONE

_OPEN = ("ensemble", "cost", "cap", "tokens", "samples", "system", "export")
"""Commands that take other things than those that are offered."""
Named = tuple[str, str]
"""A name, and what it means."""


@dataclass(frozen=True, slots=True)
class Names:
    """Where the names come from, as they are now."""

    registry: Registry = field(default_factory=Registry)
    personas: tuple[Persona, ...] = ()
    themes: Mapping[str, str] = field(default_factory=dict)
    """What is said about each, by name."""
    tabs: tuple[str, ...] = ()
    """Of the reports."""


def arguments(command: str, names: Names) -> list[Named]:
    """In the order they are offered; empty where anything may follow."""
    make = _ARGUMENTS.get(command)
    return list(make(names)) if make is not None else []


def completes_paths(command: str) -> bool:
    return command in ("import", "batch")


def last_of_several(command: str, typed: str) -> tuple[str, str]:
    """What stays of an argument, and the part of it that is being typed."""
    if command == "chain" and "," in typed:
        before, _, last = typed.rpartition(",")
        return f"{before},{' ' * (len(last) - len(last.lstrip()))}", last.lstrip()
    return "", typed


def matching(offered: Iterable[Named], typed: str) -> list[Named]:
    """Those that begin with it, then those whose own name after a provider's does, then those that hold it."""
    wanted = typed.lower()
    return sorted((one for one in offered if wanted in one[0].lower()), key=lambda one: _rank(one[0], wanted))


def _rank(name: str, wanted: str) -> int:
    name = name.lower()
    return 0 if name.startswith(wanted) else 1 if words.short_name(name).startswith(wanted) else 2


def meant(command: str, typed: str, names: Names) -> str:
    """An argument as it was typed, or with the name in full where only one that is offered fits best."""
    before, last = last_of_several(command, typed)
    offered = arguments(command, names)
    if command in _OPEN or not last or last in NONE or any(name == last for name, _ in offered):
        return typed
    try:
        names.registry.find(last)
    except LookupError:
        fitting = [name for name, _ in matching(offered, last)]
        best = [name for name in fitting if _rank(name, last.lower()) == _rank(fitting[0], last.lower())]
        return f"{before}{best[0]}" if len(best) == 1 else typed
    return typed


def _strategies(names: Names) -> Iterable[Named]:
    return ((str(strategy), words.picks(strategy)) for strategy in Strategy)


def _models(names: Names) -> Iterable[Named]:
    usable = [model for model in names.registry if model.id not in names.registry.out]
    return ((model.id, f"{words.price_pair(model.price)} · {model.level}") for model in usable)


def _chains(names: Names) -> Iterable[Named]:
    for name, models in names.registry.chains.items():
        yield name, " → ".join(words.short_name(model) for model in models)


_ARGUMENTS: Mapping[str, Callable[[Names], Iterable[Named]]] = {
    "strategy": lambda names: [*_strategies(names), ("default", "as configured")],
    "model": lambda names: [("auto", "let the strategy choose"), *_models(names)],
    "chain": lambda names: [*_chains(names), ("none", "built from the registry"), *_models(names)],
    "ensemble": lambda names: [(str(size), f"{size} models at once") for size in range(2, 9)],
    "cost": lambda names: [("none", "no cap for one request but those configured")],
    "cap": lambda names: [
        ("day", "the most a day may cost, your local one"),
        ("month", "the most a month may cost"),
        ("session", "the most a conversation may cost"),
        ("request", "the most each request may cost, with all its attempts"),
    ],
    "tokens": lambda names: [("none", "as configured")],
    "check": lambda names: [
        *((str(check), words.CHECKED[check]) for check in Check),
        ("default", "as configured"),
    ],
    "samples": lambda names: [("default", "as configured")],
    "cache": lambda names: [
        ("on", "an earlier answer will do"),
        ("off", "nothing from the cache, and nothing is kept"),
        ("default", "as configured"),
    ],
    "system": lambda names: [("none", "no system text")],
    "persona": lambda names: [*((one.name, summary(one)) for one in names.personas), ("none", "without one again")],
    "verdict": lambda names: [*((str(method), "") for method in Method), ("default", "as configured")],
    "blind": lambda names: [("on", "whose each answer is comes after the pick"), ("off", "")],
    "merge": _models,
    "judge": _models,
    "continue": _models,
    "whatif": _strategies,
    "again": lambda names: [*_strategies(names), *_models(names)],
    "theme": lambda names: sorted(names.themes.items()),
    "export": lambda names: [("md", "Markdown"), ("json", "JSON, which can be imported again")],
    "reports": lambda names: [(tab, "") for tab in names.tabs],
    "copy": lambda names: [("code", "a block of its code"), ("file", "to a file")],
}
