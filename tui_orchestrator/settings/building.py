"""From what has been read to typed settings, with the checks that concern more than one key."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..plugins.contract import Kind
from ..plugins.finding import names as plugin_names
from ..routing.budget import REFUSE, Budgets, WayOut, WaysOut, alone, listed
from ..routing.decision import Diversity, Leanings, Policy, Retries, Votes, Weights
from ..routing.money import BUCKETS, ZERO, Money, Price, Rates, Tier
from ..routing.parts import Part
from ..routing.ports import Timeouts
from ..routing.profile import Ability, Level, TaskType
from ..routing.request import Check, Method, Strategy, tag_name
from ..routing.rules import Rule
from .reading import Found, Reading
from .schema import find, fixed_keys
from .servers import SHIPPED
from .shape import Key, Path, Table, dotted
from .values import (
    CacheModel,
    CacheSettings,
    LogSettings,
    ModelSettings,
    Persona,
    PluginSettings,
    ProviderSettings,
    Settings,
    SharedSettings,
    StoreSettings,
    TelemetrySettings,
    UiSettings,
)


def section(reading: Reading, *path: str) -> dict[str, Any]:
    """The values directly below a place, defaults included; not those of sections in it."""
    table = find(path)
    assert isinstance(table, Table), path
    values = {}
    for name, node in table.keys.items():
        if isinstance(node, Key) and not node.hidden:
            found = reading.found.get((*path, name))
            values[name] = node.default if found is None else found.value
    return values


def named(reading: Reading, *path: str) -> dict[str, Found]:
    """The names the user chose below a place, with where."""
    return reading.names.get(path, {})


def build(reading: Reading, providers: Mapping[str, ProviderSettings]) -> Settings:
    """Adds to the reading's problems what is only wrong of several keys together."""
    router = section(reading, "router")
    store = section(reading, "store")
    ui = section(reading, "ui")
    plugins = section(reading, "plugins")
    values = {dotted(path): key.default for path, key in fixed_keys()}
    origins = dict.fromkeys(values, "default")
    values |= {dotted(path): found.value for path, found in reading.found.items()}
    origins |= {dotted(path): found.origin for path, found in reading.found.items()}
    for name in named(reading, "budgets", "providers"):
        _known_provider(reading, name, providers, ("budgets", "providers", name))
    budgets = _budgets(reading)
    return Settings(
        policy=_policy(reading, router, budgets),
        timeouts=Timeouts(**section(reading, "router", "timeouts")),
        budgets=budgets,
        chains={name: reading.found["chains", name].value for name in _sound(reading, "chains")},  # type: ignore[misc]
        rules=_rules(reading),
        personas={name: _persona(reading, name, at) for name, at in named(reading, "personas").items()},
        providers=providers,
        models=_models(reading, providers),
        discovery=router["discover_local"],
        cache=_cache(reading),
        ui=UiSettings(
            **ui,
            keymap={name: str(reading.found["ui", "keymap", name].value) for name in _sound(reading, "ui", "keymap")},
        ),
        store=StoreSettings(**store),
        shared=SharedSettings(**section(reading, "shared")),
        plugins=PluginSettings(plugins["enabled"], plugins["disabled"] or ()),
        telemetry=TelemetrySettings(**section(reading, "telemetry")),
        log=LogSettings("debug") if router["debug"] else LogSettings(**section(reading, "log")),
        default_temperature=router["temperature"],
        default_model=router["default_model"],
        debug_routing=router["debug"],
        track_costs=section(reading, "budgets")["track_costs"],
        values=MappingProxyType(values),
        origins=MappingProxyType(origins),
    )


def _sound(reading: Reading, *path: str) -> list[str]:
    """Names of single values that were read without a problem."""
    return [name for name in named(reading, *path) if (*path, name) in reading.found]


def _policy(reading: Reading, router: dict[str, Any], budgets: Budgets) -> Policy:
    plain = {field.name for field in dataclasses.fields(Policy)} & set(router) - {"strategy", "check", "verdict"}
    return Policy(
        strategy=Strategy.named(router["strategy"]),
        check=Check(router["check"]),
        verdict=Method(router["verdict"]),
        weights=_weights(reading),
        retries=Retries(**section(reading, "router", "retries")),
        on_exhausted=budgets.on_exhausted,
        lean_to=router["default_model"],
        **{name: router[name] for name in plain},
    )


def _weights(reading: Reading) -> Weights:
    def below(name: str) -> dict[str, Any]:
        return section(reading, "router", "weights", name)

    return Weights(
        **section(reading, "router", "weights"),
        leanings=Leanings(**below("leanings")),
        votes=Votes(**below("votes")),
        diversity=Diversity(**below("diversity")),
    )


def _budgets(reading: Reading) -> Budgets:
    said = section(reading, "budgets")

    def caps(scope: str) -> dict[str, tuple[Money | None, Money | None]]:
        below = {name: section(reading, "budgets", scope, name) for name in named(reading, "budgets", scope)}
        return {name: (cap["daily_usd"], cap["monthly_usd"]) for name, cap in below.items()}

    return Budgets(
        per_request=said["per_request_usd"],
        session=said["session_usd"],
        daily=said["daily_usd"],
        monthly=said["monthly_usd"],
        providers=caps("providers"),
        models=caps("models"),
        alert_at=tuple(sorted(said["alert_at"])),
        on_exhausted=_ways_out(reading, said["on_exhausted"]),
        allow_unpriced=said["allow_unpriced"],
        unpriced_models=frozenset(
            name
            for name in named(reading, "budgets", "models")
            if section(reading, "budgets", "models", name)["allow_unpriced"]
        ),
    )


def _ways_out(reading: Reading, said: str | tuple[str, ...]) -> WaysOut:
    if isinstance(said, str):
        return alone(WayOut(said))
    try:
        return listed([WayOut(word) for word in said])
    except ValueError as error:
        path = ("budgets", "on_exhausted")
        reading.problem(reading.found[path].origin, path, str(error))
        return REFUSE


def _cache(reading: Reading) -> CacheSettings:
    models = {
        name: CacheModel(**section(reading, "cache", "models", name)) for name in named(reading, "cache", "models")
    }
    return CacheSettings(**section(reading, "cache"), models=models)


def _rules(reading: Reading) -> tuple[Rule, ...]:
    # The nearer source first: a project's rules are about that project. Names are in the order of their last mention.
    rules = sorted(named(reading, "rules").items(), key=lambda item: not item[1].project)
    return tuple(_rule(reading, name, found) for name, found in rules)


def _rule(reading: Reading, name: str, at: Found) -> Rule:
    said = section(reading, "rules", name)
    effects = ("primary", "fallback", "temperature", "max_tokens", "strategy", "system")
    if not _told(reading, ("rules", name)) and all(said[effect] in (None, ()) for effect in effects):
        reading.problem(at.origin, ("rules", name), f"does nothing; give it one of {', '.join(effects)}")
    if said["fallback"] and said["primary"] is None and not _told(reading, ("rules", name)):
        reading.problem(
            reading.found["rules", name, "fallback"].origin,
            ("rules", name, "fallback"),
            "is walked after `primary`, which is not given; say which model goes first",
        )
    return Rule(
        name,
        **{
            **said,
            "task_types": frozenset(map(TaskType, said["task_types"])),
            "levels": frozenset(map(Level, said["levels"])),
            "tags": frozenset(" ".join(tag.lower().split()) for tag in said["tags"]),
            "strategy": None if said["strategy"] is None else Strategy.named(said["strategy"]),
        },
    )


def _persona(reading: Reading, name: str, at: Found) -> Persona:
    said = section(reading, "personas", name)
    if not _told(reading, ("personas", name)) and all(value in (None, ()) for value in said.values()):
        reading.problem(at.origin, ("personas", name), f"changes nothing; give it one of {', '.join(said)}")
    tags = set()
    for tag in said["tags"]:
        try:
            tags.add(tag_name(tag))
        except ValueError as error:
            reading.problem(reading.found["personas", name, "tags"].origin, ("personas", name, "tags"), str(error))
    strategy = said["strategy"]
    return Persona(
        name,
        **{
            **said,
            "system": said["system"] or "",
            "strategy": None if strategy is None else Strategy.named(strategy),
            "tags": frozenset(tags),
        },
    )


def _told(reading: Reading, path: Path) -> bool:
    """Whether a key below was wrong by itself: that others do not go with it is then not the point."""
    return any(f": {dotted(path)}." in problem for problem in reading.problems)


def _models(reading: Reading, providers: Mapping[str, ProviderSettings]) -> tuple[ModelSettings, ...]:
    return tuple(_model(reading, name, at, providers) for name, at in named(reading, "models").items())


def _model(reading: Reading, name: str, at: Found, providers: Mapping[str, ProviderSettings]) -> ModelSettings:
    said = section(reading, "models", name)
    provider, _, model = name.partition("/")
    _known_provider(reading, provider, providers, ("models", name))
    price = price_of(reading, name, at, said)
    abilities, by_task = said["abilities"], said["task_abilities"]
    return ModelSettings(
        **{
            **{key: value for key, value in said.items() if key != "id"},
            "provider": provider,
            "name": model,
            "price": price,
            "abilities": None if abilities is None else frozenset(map(Ability, abilities)),
            "level": None if said["level"] is None else Level(said["level"]),
            "task_abilities": by_task and {TaskType(task): offset for task, offset in by_task.items()},
        }
    )


def price_of(reading: Reading, name: str, at: Found, said: dict[str, Any]) -> Price | None:
    """Of a [[models]] entry; None where it says none. Takes what it reads out of `said`."""
    usual = {bucket: usd for bucket in BUCKETS if (usd := said.pop(f"{bucket}_usd")) is not None}
    usual |= said.pop("parts_usd") or {}
    over, dear, per_call = said.pop("long_prompt_over"), said.pop("long_prompt_usd"), said.pop("per_call_usd")
    path = ("models", name)
    if (over is None) != (dear is None) and not _told(reading, path):
        missing = "long_prompt_over" if over is None else "long_prompt_usd"
        reading.problem(at.origin, path, f"{missing} is missing; long_prompt_over and long_prompt_usd go together")
    if "input" in usual and "output" in usual:
        tiers = (Tier(over, _rates({**usual, **dear})),) if over is not None and dear is not None else ()
        return Price(_rates(usual), tiers, per_call or ZERO, "your configuration")
    if (usual or per_call is not None or dear) and not _told(reading, path):
        missing = "output_usd" if "input" in usual else "input_usd"
        reading.problem(at.origin, path, f"{missing} is missing; a price needs input_usd and output_usd")
    return None


def _rates(prices: Mapping[str, Money]) -> Rates:
    plain: dict[str, Any] = {name: usd.usd for name, usd in prices.items() if name in BUCKETS}
    return Rates.from_usd(**plain, parts={Part(name): usd.usd for name, usd in prices.items() if name not in BUCKETS})


def _known_provider(reading: Reading, name: str, providers: Mapping[str, ProviderSettings], path: Path) -> None:
    known = {*SHIPPED, *providers}
    # Those of the embedded demo models are known only once these run.
    if name in known or name.startswith("demo-") or name in plugin_names(Kind.PROVIDER):
        return
    close = difflib.get_close_matches(name, sorted(known), 1)
    hint = f"did you mean {close[0]}?" if close else f"add [providers.{name}] with its base_url"
    reading.problem(reading.names[path[:-1]][path[-1]].origin, path, f"no provider is called {name!r}; {hint}")
