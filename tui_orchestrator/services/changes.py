"""Changes of the settings that advice proposes: shown as the lines of a file, tried for this run, or kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..routing.budget import Budgets
from ..routing.money import Money
from ..routing.profile import Level, TaskType
from ..routing.request import Check
from ..routing.rules import Rule
from ..routing.text import spoken
from ..settings import set_value
from ..settings.shape import dotted, split
from ..settings.showing import in_toml
from .runtime import Runtime


@dataclass(frozen=True, slots=True)
class Change:
    settings: tuple[tuple[str, object], ...]
    """Dotted keys and their values, as `settings.set_value` takes them."""
    does: str
    """In a few words, such as 'switch openai/gpt-6 off'."""

    def toml(self) -> str:
        """The lines for the configuration file."""
        sections: dict[str, list[str]] = {}
        for key, value in self.settings:
            *section, name = split(key)
            if section[0] == "models":
                head = f"[[models]]\nid = {in_toml(section[1])}"
            else:
                head = f"[{dotted(tuple(section))}]"
            sections.setdefault(head, []).append(f"{dotted((name,))} = {in_toml(value)}")
        return "\n".join(f"{head}\n" + "\n".join(lines) for head, lines in sections.items())

    def keep(self, path: Path) -> None:
        """Writes it into the file, whose comments stay. Raises SettingsError, OSError."""
        for key, value in self.settings:
            set_value(path, key, _plain(value))

    def take_effect(self, runtime: Runtime) -> bool:
        """From the next turn on, until the program ends. False where a part of it waits for the next start."""
        rules: dict[str, dict[str, Any]] = {}
        at_once = True
        for key, value in self.settings:
            place = split(key)
            if place[0] == "rules":
                rules.setdefault(place[1], {})[place[2]] = value
            else:
                at_once &= _take_effect(runtime, place, value)
        for name, said in rules.items():
            others = tuple(rule for rule in runtime.router.rules if rule.name != name)
            runtime.router.rules = (*others, _rule(name, said))
        return at_once


def _plain(value: object) -> object:
    """As TOML would give it; money as a number's text, which loses no digit."""
    if isinstance(value, Money):
        return in_toml(value)
    return list(value) if isinstance(value, tuple) else value


def _take_effect(runtime: Runtime, place: tuple[str, ...], value: Any) -> bool:
    router = runtime.router
    match place:
        case ("models", model, "enabled"):
            runtime.set_enabled(model, value)
        case ("router", "check"):
            router.policy = replace(router.policy, check=Check(value))
        case ("router", "max_tokens"):
            router.policy = replace(router.policy, max_tokens=value)
        case ("router", "retries", "per_model"):
            router.policy = replace(router.policy, retries=replace(router.policy.retries, per_model=value))
        case ("router", "temperature"):
            runtime.settings = replace(runtime.settings, default_temperature=float(value))
        case ("budgets", *scope):
            router.budgets = raised(router.budgets, tuple(scope), value)
        case _:
            return False
    return True


_SPANS = {"per_request_usd": "request", "session_usd": "session", "daily_usd": "day", "monthly_usd": "month"}


def raised(budgets: Budgets, place: tuple[str, ...], limit: Money) -> Budgets:
    """`place` below [budgets]: ('daily_usd',), ('models', ID, 'monthly_usd')."""
    *whose, key = place
    span = _SPANS[key]
    return budgets.with_limit(f"{span} {whose[0].removesuffix('s')}:{whose[1]}" if whose else span, limit)


def _rule(name: str, said: Mapping[str, Any]) -> Rule:
    return Rule(
        name,
        task_types=frozenset(map(TaskType, said.get("task_types", ()))),
        levels=frozenset(map(Level, said.get("levels", ()))),
        primary=said.get("primary"),
        fallback=tuple(said.get("fallback", ())),
    )


def switch_off(model: str) -> Change:
    return Change(((f'models."{model}".enabled', False),), f"switch {model} off")


def send_to(task_type: str, levels: tuple[Level, ...], primary: str, fallback: tuple[str, ...]) -> Change:
    """A rule for a task type; `levels` empty: of every level."""
    name = f"rules.advice-{task_type}"
    settings: list[tuple[str, object]] = [(f"{name}.task_types", (task_type,))]
    if levels:
        settings.append((f"{name}.levels", tuple(level.value for level in levels)))
    settings.append((f"{name}.primary", primary))
    if fallback:
        settings.append((f"{name}.fallback", fallback))
    what = f"{' and '.join(levels)} " if levels else ""
    return Change(tuple(settings), f"send {what}{spoken(task_type)} to {primary} first")


def raise_cap(scope: str, limit: Money) -> Change | None:
    """None for a scope that no setting caps."""
    span, _, narrowed = scope.partition(" ")
    key = {"request": "per_request_usd", "session": "session_usd", "day": "daily_usd", "month": "monthly_usd"}.get(span)
    if key is None:
        return None
    if narrowed:
        kind, _, name = narrowed.partition(":")
        key = f'{kind}s."{name}".{key}'
    return Change(((f"budgets.{key}", limit),), f"raise it to {limit}")


def setting(key: str, value: object, does: str) -> Change:
    return Change(((key, Decimal(value) if isinstance(value, float) else value),), does)
