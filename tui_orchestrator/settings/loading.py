"""From defaults, files, environment and flags to one `Settings`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Any

from .. import locations
from ..plugins.contract import Kind as PluginKind
from ..plugins.finding import names as plugin_names
from ..routing.money import Money
from .building import build, named, section
from .environment import Environment, Variable, misspelt_names, own_names, plain_names, read_environment
from .key_commands import ask
from .projects import ProjectFiles
from .reading import Reading
from .secrets import Secret, hidden, hold_key, holds_a_key
from .servers import CLOUDS, LOCAL_SERVERS, NoKey, from_environment, on_this_machine
from .shape import Path, split
from .values import ProviderKind, ProviderSettings, Settings, SettingsError

PROJECT_FILE = "tui-orchestrator.toml"


def load(
    config: FilePath | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    cwd: FilePath | None = None,
    overrides: Mapping[str, object] = MappingProxyType({}),
    instead: str | None = None,
    keys: bool = True,
    waiting: Callable[[str], None] | None = None,
) -> Settings:
    """Defaults, the user's file (or `config`), the project's, `.env`, the environment, `overrides`: later wins, key by
    key; the project's where they may (`ProjectFiles`). `overrides` are flags: dotted key → text or value; None is a
    flag that was not given.

    Asks for keys where the settings say so, which may take as long as the user's commands do, up to ten seconds, or the
    system's keyring, up to thirty; `waiting` is told in a sentence of what takes longer than two. With `keys` False it
    asks for none, and no provider has one. `instead`: taken for what the user's file holds.
    Raises SettingsError with every problem found, LocationError when there is no home directory.
    """
    reading = Reading()
    project = _project_directory(cwd)
    own = config if config is not None else locations.config_file(environ)
    if instead is None:
        _read_file(reading, own, must_exist=config is not None)
    else:
        reading.content(own, instead.encode())
    environment = read_environment(environ, project / ".env" if project else None)
    projects = ProjectFiles(reading, environment, own)
    users = dict(reading.found)
    if project is not None and not _same(project / PROJECT_FILE, own):
        _read_file(reading, project / PROJECT_FILE, project=True)
    projects.curb(reading, users)
    below = dict(reading.found)
    _read_environment(reading, environment)
    projects.curb(reading, below)
    _read_overrides(reading, overrides)
    providers = _providers(reading, environment)
    settings = build(reading, providers)
    if keys and not reading.problems:
        # Last, because a command is only run for settings that are sound.
        settings = replace(settings, providers=_with_keys(reading, providers, environment, projects, waiting))
    if reading.problems:
        raise SettingsError(*dict.fromkeys(reading.problems))
    notices = (*_notices(settings, project), *projects.notices(reading))
    return replace(settings, notices=tuple(map(hidden, notices)), file=own)


def _notices(settings: Settings, project: FilePath | None) -> Iterator[str]:
    for provider in settings.providers.values():
        if provider.key_problem:
            yield f"{provider.name}: {provider.key_problem}"
    held = [provider.key_origin for provider in settings.providers.values() if provider.key_origin.startswith(".env")]
    if held and project is not None and _open_to_others(project / ".env"):
        yield f"{project / '.env'} holds a key, and others may read it; chmod 600 {project / '.env'}"
    for file in _with_a_key(settings):
        yield f"{file} holds what looks like a key, and others may read it; chmod 600 {file}"
    if settings.cache.semantic and not settings.cache.nearly:
        origin = settings.origins["cache.semantic"]
        yield f"{origin}: cache.semantic is not used: cache.exact is off, so no answers are kept"


def _with_a_key(settings: Settings) -> list[FilePath]:
    """The settings files that others may read with what is nobody else's."""
    found = []
    for name, value in settings.values.items():
        command = name.endswith(".api_key_command") and isinstance(value, tuple) and holds_a_key(value)
        if command or (isinstance(value, Secret) and "@" in value.reveal()):
            file, _, line = settings.origins[name].rpartition(":")
            if line.isdecimal() and _open_to_others(FilePath(file)):
                found.append(FilePath(file))
    return list(dict.fromkeys(found))


def _open_to_others(path: FilePath) -> bool:
    try:
        return os.name == "posix" and path.stat().st_mode & 0o044 != 0
    except OSError:
        return False


def _project_directory(cwd: FilePath | None) -> FilePath | None:
    try:
        return (cwd or FilePath.cwd()).absolute()
    except OSError:  # the directory the program was started in is gone
        return None


def _same(one: FilePath, other: FilePath) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _read_file(reading: Reading, path: FilePath, *, must_exist: bool = False, project: bool = False) -> None:
    try:
        # A pipe would be waited for, and could be read once alone; settings are read again and again.
        if not path.is_dir() and path.exists() and not path.is_file():
            done = "name a file of settings" if must_exist else "put a file of settings there, or take it away"
            reading.problems.append(f"{path}: is no ordinary file; {done}")
        else:
            reading.file(path, project=project)
    except (FileNotFoundError, NotADirectoryError):
        if must_exist:
            reading.problems.append(f"{path}: there is no such file; `config init` writes one")
    except OSError as error:
        reading.problems.append(f"{path}: cannot be read: {error.strerror}; give a file you may read")


def _read_environment(reading: Reading, environment: Environment) -> None:
    said: list[tuple[Path, Variable, str]] = []
    for path, variable in plain_names(environment, reading.problems):
        said.append((path, variable, ".".join(path)))
    for name, path, variable in own_names(environment):
        said.append((path, variable, name))
    # Whatever its name, what the environment says goes before what `.env` says.
    for path, variable, label in sorted(said, key=lambda item: not item[1].project):
        reading.text(path, variable, label)
    for name, right, variable in misspelt_names(environment):
        reading.problems.append(f"{variable.origin}: {name} is no setting; did you mean {right}?")


def _read_overrides(reading: Reading, overrides: Mapping[str, object]) -> None:
    for key, value in overrides.items():
        path = split(key)
        if isinstance(value, str):
            reading.text(path, Variable(value, "flag", project=False), key)
        elif value is not None:
            reading.value(path, value.usd if isinstance(value, Money) else value, "flag")


def _providers(reading: Reading, environment: Environment) -> dict[str, ProviderSettings]:
    """Without keys as yet."""
    return {
        name: _provider(reading, name, environment) for name in dict.fromkeys((*CLOUDS, *named(reading, "providers")))
    }


def _provider(reading: Reading, name: str, environment: Environment) -> ProviderSettings:
    said = section(reading, "providers", name)
    clouds: dict[str, ProviderKind] = {str(cloud): cloud for cloud in CLOUDS}
    kind: ProviderKind = said["kind"] or clouds.get(name) or _of_a_server(name)
    address = said["base_url"]
    if address is None and kind == "openai-compatible":
        if name in LOCAL_SERVERS:
            address = LOCAL_SERVERS[name][0]
        elif said["enabled"] and ("providers", name, "base_url") not in reading.wrong:
            origin = named(reading, "providers")[name].origin
            reading.problem(
                origin, ("providers", name, "base_url"), 'is missing; give its address, such as "http://host:8000/v1"'
            )
    local = said["local"]
    if local is None:
        # A loopback address of a cloud's own kind is a proxy to that cloud: it costs what the cloud costs.
        at_home = address is not None and on_this_machine(address)
        local = kind == "openai-compatible" and (name in LOCAL_SERVERS or at_home)
    key_names = (said["api_key_env"],) if said["api_key_env"] else CLOUDS.get(kind, ())
    for key_name in key_names:
        if variable := environment.get(key_name):
            hold_key(variable.value.strip())  # before it is asked for, since what is wrong may quote it
    limits = {limit: said[limit] for limit in ("requests_per_minute", "tokens_per_minute", "max_concurrent")}
    if limits["requests_per_minute"] is None:
        limits["requests_per_minute"] = section(reading, "router")["requests_per_minute"]
    return ProviderSettings(
        name=name, kind=kind, base_url=address, key_names=key_names, enabled=said["enabled"], local=local, **limits
    )


def _of_a_server(name: str) -> ProviderKind:
    own = name not in LOCAL_SERVERS and name in plugin_names(PluginKind.PROVIDER)
    return "plugin" if own else "openai-compatible"


def _with_keys(
    reading: Reading,
    providers: Mapping[str, ProviderSettings],
    environment: Environment,
    projects: ProjectFiles,
    waiting: Callable[[str], None] | None,
) -> dict[str, ProviderSettings]:
    for provider in providers.values():
        projects.guard(reading, provider)
    if reading.problems:
        return dict(providers)
    said = {name: section(reading, "providers", name) for name in providers}
    others = [
        name
        for name, provider in providers.items()
        if provider.enabled and not environment.keys() & set(provider.key_names)
    ]
    asked = ask(
        {name: command for name in others if (command := said[name]["api_key_command"])},
        [name for name in others if said[name]["api_key_keyring"] and not said[name]["api_key_command"]],
        waiting,
    )
    return {name: _with_key(provider, said[name], asked.get(name), environment) for name, provider in providers.items()}


def _with_key(
    provider: ProviderSettings, said: dict[str, Any], asked: Secret | NoKey | None, environment: Environment
) -> ProviderSettings:
    if not provider.enabled:
        return provider
    try:
        if found := from_environment(provider.key_names, environment):
            return replace(provider, api_key=found[0], key_origin=found[1])
        if isinstance(asked, NoKey):
            raise asked
        if asked is not None:
            return replace(
                provider, api_key=asked, key_origin="api_key_command" if said["api_key_command"] else "keyring"
            )
    except NoKey as why:
        return replace(provider, key_problem=str(why))
    if said["api_key_env"]:
        return replace(provider, key_problem=f"api_key_env: {said['api_key_env']} is not set")
    return provider
