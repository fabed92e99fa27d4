"""Adding a provider, or a model of one: checked at once, then written into the user's configuration."""

from __future__ import annotations

import asyncio
import ipaddress
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

from ..providers.connect import api_root
from ..providers.listings import Listing
from ..settings import ProviderKind, ProviderSettings, Secret, change, load, on_this_machine
from ..settings.key_commands import to_keyring, waiting_for_keyring
from ..settings.schema import find
from ..settings.servers import CLOUDS, NoKey, checked
from ..settings.shape import dotted
from .runtime import Runtime
from .switching import file_of

KINDS: tuple[ProviderKind, ...] = tuple(kind for kind in get_args(ProviderKind) if kind != "plugin")


@dataclass(frozen=True, slots=True)
class Wanted:
    """As it was typed; empty: left out."""

    kind: ProviderKind
    name: str = ""
    address: str = ""
    key: str = field(default="", repr=False)
    variable: str = ""
    """The environment variable that holds the key, or will; without one a key goes to the system keyring."""
    model: str = ""
    """One to add by name, also where the list does not have it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "address", with_scheme(self.address))

    @property
    def provider(self) -> str:
        return self.name or self.kind

    @property
    def base_url(self) -> str | None:
        return api_root(self.kind, self.address)


def with_scheme(address: str) -> str:
    """'127.0.0.1:8000' is http:// on this machine and in one's own network, where hardly a server speaks https. Any
    other address stays as it is: a key must not go out in the clear."""
    address = address.strip()
    if not address or "://" in address:
        return address
    try:
        host = urlsplit(f"http://{address}").hostname or ""
    except ValueError:
        return address
    try:
        near = ipaddress.ip_address(host).is_private
    except ValueError:
        near = host == "localhost" or host.endswith((".localhost", ".local"))
    return f"http://{address}" if near else address


def problem_with(wanted: Wanted) -> str:
    """What keeps it from being looked at or written, in one sentence; empty for nothing."""
    if wanted.kind == "openai-compatible":
        if not wanted.name:
            return "give it a name, such as team"
        if find(("providers", wanted.name)) is None:
            return f"{wanted.name!r} cannot be a name; give one of small letters, figures, - _ and ., such as team"
        if not wanted.address.startswith(("http://", "https://")):
            given = f"https://{wanted.address}" if "." in wanted.address and "://" not in wanted.address else ""
            return (
                f"give its address with https:// or http:// before it, such as {given or 'http://192.168.1.20:8000/v1'}"
            )
    try:
        key = _key_of(wanted)
    except NoKey as error:
        return str(error)
    if wanted.kind in CLOUDS and not key and not wanted.variable:
        return "give a key, or the environment variable that holds it"
    return ""


def _key_of(wanted: Wanted) -> Secret | None:
    """What was typed, else what the variable holds now. Raises NoKey."""
    said = wanted.key or (os.environ.get(wanted.variable, "") if wanted.variable else "")
    return checked(said, "the key" if wanted.key else wanted.variable) if said else None


async def look(runtime: Runtime, wanted: Wanted) -> Listing:
    """Asks it for its models; whatever is wrong becomes the listing's sentence. Raises NoKey."""
    url = wanted.base_url
    local = url is not None and on_this_machine(url)
    provider = ProviderSettings(wanted.provider, wanted.kind, url, _key_of(wanted), local=local)
    return await runtime.catalogue.look_at(provider)


async def save(runtime: Runtime, wanted: Wanted, waiting: Callable[[str], None]) -> Path:
    """Writes it, where comments stay, and goes on with it. A key that was typed goes to the system keyring, or where a
    variable is named nowhere. `waiting` is told what for, in a sentence each.

    Raises SettingsError, OSError, and NoKey for a keyring that does not take it.
    """
    by_keyring = bool(wanted.key) and not wanted.variable
    if by_keyring:
        waiting(waiting_for_keyring())
        await to_keyring(wanted.provider, wanted.key.strip())
    waiting("Writing it, and reading all lists of models.")
    file = file_of(runtime)
    known = runtime.settings.providers.get(wanted.provider)
    disabled = known is not None and not known.enabled
    for key, text in _keys(wanted, by_keyring, disabled):
        await asyncio.to_thread(change, file, key, text)
    if not runtime.demo:
        settings = await asyncio.to_thread(load, file)
        await runtime.adopt(settings.models, {wanted.provider: settings.providers[wanted.provider]})
        await runtime.refresh()
    return file


def _keys(wanted: Wanted, by_keyring: bool, disabled: bool) -> list[tuple[str, str]]:
    """In an order in which each makes a sound file."""

    def of(name: str) -> str:
        return dotted(("providers", wanted.provider, name))

    keys = [(of("base_url"), wanted.base_url)] if wanted.base_url else []
    if wanted.provider != wanted.kind:
        keys.append((of("kind"), wanted.kind))
    if wanted.variable:
        keys.append((of("api_key_env"), wanted.variable))
    elif by_keyring:
        keys.append((of("api_key_keyring"), "true"))
    if disabled:
        keys.append((of("enabled"), "true"))
    if wanted.model:
        keys.append((dotted(("models", f"{wanted.provider}/{wanted.model}", "enabled")), "true"))
    return keys
