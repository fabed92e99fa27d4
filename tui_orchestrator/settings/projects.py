"""What the files of a project may say. A directory may have been downloaded: its files choose models and how they are
asked, and may lower the user's caps; they have no say in what is trusted, nor in what is counted, by what and where."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path as FilePath

from ..plugins.contract import Kind as PluginKind
from ..plugins.finding import names as plugin_names
from ..routing.budget import WayOut, alone
from ..routing.money import BUCKETS
from .environment import Environment
from .kinds import Usd
from .reading import Found, Reading
from .schema import find
from .secrets import Secret
from .servers import CLOUDS, SHIPPED, on_this_machine
from .shape import Key, Path, dotted
from .showing import said
from .values import ProviderSettings

_NEVER = {
    "store": "say where your caps are counted and your answers are kept",
    "shared": "say where your caps are kept",
    "plugins": "say which plugins run",
    "telemetry": "say who is told of your turns",
}
_PRICES = {*(f"{bucket}_usd" for bucket in BUCKETS), "parts_usd", "long_prompt_over", "long_prompt_usd", "per_call_usd"}


class ProjectFiles:
    """Takes out of a reading what a project's files may not say, and tells it."""

    def __init__(self, users: Reading, environment: Environment, own: FilePath) -> None:
        """`users`: what the user's file alone says. `own` is that file."""
        self._values = dict(users.found)
        self._providers = frozenset(users.names.get(("providers",), ()))
        self._environment = environment
        self._own = own
        self._refused: list[tuple[Path, str, str]] = []

    def curb(self, reading: Reading, below: Mapping[Path, Found]) -> None:
        """`below`: what held before the source that was read last; it holds again where that may not say otherwise."""
        for path, found in list(reading.found.items()):
            why = self._why_not(reading, path, found) if found.project else None
            if why is None:
                continue
            self._refused.append((path, found.origin, why))
            del reading.found[path]
            if path in below:
                reading.found[path] = below[path]

    def notices(self, reading: Reading) -> list[str]:
        """A sentence each, with what holds instead now that everything is read."""
        return [
            f"{origin}: {dotted(path)} is not used: a project's file may {why}; {_held(reading, path)}; "
            f"put it into {self._own}"
            for path, origin, why in self._refused
        ]

    def _why_not(self, reading: Reading, path: Path, found: Found) -> str | None:
        """What a project's file may do or not do, as in 'may not say so'; None where it may say this."""
        section = path[0]
        if section == "budgets":
            users = self._values.get(path)
            lower = _is_lower(path, found.value, _default(path) if users is None else users.value)
            return None if lower else "only lower your caps and what is allowed under them"
        if section == "providers" and path[2] == "kind":
            theirs = path[1] not in self._providers and path[1] not in SHIPPED
            return (
                None
                if theirs or found.value == path[1] or self._same(path, found)
                else "not say what a provider of yours is"
            )
        if section == "providers" and path[2] == "local":
            theirs = found.value is False or self._is_the_projects(reading, path[1])
            return None if theirs or self._same(path, found) else "not say that a provider of yours costs nothing"
        if section == "models" and path[-1] in _PRICES:
            theirs = self._is_the_projects(reading, path[1].partition("/")[0])
            return None if theirs or self._same(path, found) else "not say what a provider of yours costs"
        if section not in _NEVER:
            return None
        # A server on this machine it may name where the user names none.
        near = isinstance(found.value, Secret) and on_this_machine(found.value.reveal())
        return None if near and path not in self._values else f"not {_NEVER[section]}"

    def _same(self, path: Path, found: Found) -> bool:
        users = self._values.get(path)
        return (_default(path) if users is None else users.value) == found.value

    def _is_the_projects(self, reading: Reading, provider: str) -> bool:
        """Whether it is named by the project alone: no key of the user's pays for it then (`guard`)."""
        named = reading.names.get(("providers",), {}).get(provider)
        if named is None or not self._is_new(named, provider):
            return False
        kind = reading.found.get(("providers", provider, "kind"))
        is_a_plugin = provider in plugin_names(PluginKind.PROVIDER)
        return not is_a_plugin and (kind is None or kind.value != "plugin")

    def guard(self, reading: Reading, provider: ProviderSettings) -> None:
        """Keeps a project's files from having a command run, and from having a key of the user's sent to where the user
        does not send it, or under a name by which no cap of the user's holds: each is a problem of the reading."""
        path = ("providers", provider.name)
        command, keyring, address, variable = (
            reading.found.get((*path, key)) for key in ("api_key_command", "api_key_keyring", "base_url", "api_key_env")
        )
        if command is not None and command.project:
            sentence = f"a project's file may not have commands run; put it into {self._own}"
            reading.problem(command.origin, (*path, "api_key_command"), sentence)
        key = next((self._environment[name] for name in provider.key_names if name in self._environment), None)
        asked = command is not None or (keyring is not None and keyring.value is True)
        if not provider.enabled or (not asked if key is None else key.project):
            return
        named = reading.names.get(("providers",), {}).get(provider.name)
        if address is not None and address.project and not on_this_machine(str(address.value)):
            sentence = (
                "a project's file may not send your key to an address elsewhere; "
                f"put base_url into {self._own}, or the key into the project's .env"
            )
            reading.problem(address.origin, (*path, "base_url"), sentence)
        elif named is not None and self._is_new(named, provider.name):
            sentence = (
                "a project's file may not use a key of yours for a provider that you do not name, whom no cap of yours "
                f"holds; name it in {self._own}, or give it a key of its own in the project's .env"
            )
            reading.problem(named.origin, path, sentence)
        elif key is not None and variable is not None and variable.project and not self._is_theirs(provider, variable):
            sentence = (
                "a project's file may not say which of your keys a provider is sent; "
                f"put it into {self._own}, or the key into the project's .env"
            )
            reading.problem(variable.origin, (*path, "api_key_env"), sentence)

    def _is_new(self, named: Found, provider: str) -> bool:
        return named.project and provider not in self._providers and provider not in SHIPPED

    def _is_theirs(self, provider: ProviderSettings, variable: Found) -> bool:
        """Whether the user has it sent that key without the project as well."""
        users = self._values.get(("providers", provider.name, "api_key_env"))
        return variable.value in (CLOUDS.get(provider.kind, ()) if users is None else (users.value,))


def _is_lower(path: Path, value: object, users: object) -> bool:
    """Whether nothing may be spent, or goes unsaid, that might not or would not otherwise."""
    key = find(path)
    assert isinstance(key, Key), path
    if isinstance(key.kind, Usd):
        return users is None or value <= users  # type: ignore[operator]
    if path[-1] == "on_exhausted":
        # What is local costs nothing.
        return _ways(value) - {WayOut.LOCAL} <= _ways(users)
    if path[-1] == "alert_at":
        return set(users) <= set(value)  # type: ignore[call-overload, no-any-return]
    if path[-1] == "track_costs":
        return value is True or users is False
    assert path[-1] == "allow_unpriced", path
    return value is False or users is True


def _ways(said: object) -> set[WayOut]:
    if isinstance(said, str):
        return set(alone(WayOut(said)))
    assert isinstance(said, tuple)
    return {WayOut.REFUSE, *map(WayOut, said)}


def _default(path: Path) -> object:
    key = find(path)
    assert isinstance(key, Key), path
    return key.default


def _held(reading: Reading, path: Path) -> str:
    key, found = find(path), reading.found.get(path)
    assert isinstance(key, Key), path
    if found is not None:
        return f"{said(key, found.value)} from {found.origin} holds"
    return "the default holds" + (f", {said(key, key.default)}" if key.default not in (None, ()) else "")
