"""The settings as someone changes them while the program runs: what there is, what is written, what holds at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, TypeVar

from ..locations import config_file
from ..settings import DEMO, Changed, Settings, SettingsError, change, load
from ..settings.changing import said_in, text_of
from ..settings.listing import Section, sections
from ..settings.shape import Path, split
from ..settings.showing import shown_value

if TYPE_CHECKING:
    from .runtime import Runtime

T = TypeVar("T")

_AT_NEXT_START = (
    *("router.discover_local", "router.requests_per_minute", "router.debug", "router.timeouts.connect"),
    *("budgets.alert_at", "budgets.track_costs", "chains", "providers", "models", "ui.panes", "store"),
    *("shared", "log"),
)
"""Keys, and sections with all that is in them."""


@dataclass(frozen=True, slots=True)
class Preferences:
    file: FilePath
    """Where changes are written."""
    sections: tuple[Section, ...]
    problems: tuple[str, ...] = ()
    """Why the settings as they stand now cannot be read; then the sections tell those of the start."""


def read(known: Settings) -> Preferences:
    """From the disk, where something may have changed since `known` was read. Asks for no keys."""
    file = known.file or config_file()
    try:
        text = text_of(file)
        return Preferences(file, tuple(sections(_fresh(known, file, text), said_in(file), file)))
    except SettingsError as error:
        problems = error.problems
    except OSError as error:
        problems = (f"{file}: cannot be read: {error.strerror}",)
    return Preferences(file, tuple(sections(known, {}, file)), problems)


def in_demo(settings: Settings) -> Settings:
    """With the demo's caps where the user has set none."""
    from ..demo import capped

    return capped(settings)


def reread(known: Settings) -> tuple[Settings, list[str]]:
    """The settings as the files have them now, and the keys that are other ones. Asks for no keys of providers. Raises
    SettingsError, OSError."""
    file = known.file or config_file()
    now = _fresh(known, file, text_of(file))
    every = dict.fromkeys((*known.values, *now.values))
    return now, [key for key in every if now.values.get(key) != known.values.get(key)]


def _fresh(known: Settings, file: FilePath, text: str) -> Settings:
    now = load(file, instead=text, keys=False)
    return _as_at_the_start(known, now)


def _as_at_the_start(known: Settings, now: Settings) -> Settings:
    """With the keys that were found then, and the demo's own caps where the user still sets none."""
    now = replace(now, providers=known.providers, notices=known.notices)
    return in_demo(now) if DEMO in known.origins.values() else now


def write(known: Settings, key: str, text: str | None) -> Changed:
    """As `settings.change`, in the user's file."""
    return change(known.file, key, text)


def adopted(known: Settings, changed: Changed) -> Settings:
    """What holds after a change, with the keys that were found at the start."""
    if changed.settings is None:
        return known
    return _as_at_the_start(known, changed.settings)


def holding(settings: Settings, key: str) -> str:
    """The value of a dotted key, and whose it is where it is not the user's."""
    value = shown_value(settings, key)
    return f"{value}, the demo's own," if settings.origins.get(key) == DEMO else value


def holds_at_once(path: Path) -> bool:
    """Whether a change of this key bears on the next turn. That of `cache.semantic` may need a model loaded first."""
    if path[0] == "models":
        return path[-1] == "enabled"
    name = ".".join(path)
    return not any(name == late or name.startswith(f"{late}.") for late in _AT_NEXT_START) and path[-1] != "semantic"


def take_effect(runtime: Runtime, before: Settings, after: Settings, key: str) -> bool:
    """Has the change of one key hold from the next turn on. False where it waits for the next start; what is of the
    console alone ([ui]) is the console's to do."""
    path = split(key)
    if not holds_at_once(path):
        return False
    router, caller = runtime.router, runtime.router.caller
    match path[0]:
        case "router":
            router.policy = _with_changes(router.policy, before.policy, after.policy)
            caller.timeouts = _with_changes(caller.timeouts, before.timeouts, after.timeouts)
        case "budgets":
            if runtime.database.path is None:
                # Without its store the program knows of no earlier spending, and keeps what it had when it began.
                return False
            router.policy = _with_changes(router.policy, before.policy, after.policy)
            # A cap that is said anew goes before what it was raised to for now.
            anew = {scope for scope, _ in before.budgets.limits.items() ^ after.budgets.limits.items()}
            changed = _with_changes(router.budgets, before.budgets, after.budgets)
            router.budgets = changed.without_raises(anew)
        case "rules":
            tried = [rule for rule in router.rules if rule.name not in _names(before) | _names(after)]
            router.rules = (*after.rules, *tried)
        case "cache":
            _use_cache(runtime, after)
        case "models" if path[1] in runtime.registry.models:
            known = {model.id: model.enabled for model in after.models}
            runtime.set_enabled(path[1], known.get(path[1], True))
    runtime.settings = replace(
        runtime.settings,
        policy=_with_changes(runtime.settings.policy, before.policy, after.policy),
        default_temperature=after.default_temperature,
        personas=after.personas,
        ui=after.ui,
        origins=after.origins,
    )
    return True


def _use_cache(runtime: Runtime, after: Settings) -> None:
    from ..shared.cache import SharedCache
    from ..storage.cache import SqliteCache

    cache = runtime.router.caller.cache
    if isinstance(cache, SqliteCache | SharedCache):
        cache.use(after.cache)
    elif after.cache.used:
        runtime.router.caller.cache = SqliteCache(runtime.database, after.cache, runtime.clock)


def _names(settings: Settings) -> set[str]:
    return {rule.name for rule in settings.rules}


def _with_changes(holds: T, before: T, after: T) -> T:
    """`holds`, which may differ from both for this run alone, with what is other in `after` than `before`."""
    names = (field.name for field in fields(holds))  # type: ignore[arg-type]  # all of them are dataclasses
    new: Mapping[str, object] = {
        name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)
    }
    return replace(holds, **new) if new else holds  # type: ignore[type-var]
