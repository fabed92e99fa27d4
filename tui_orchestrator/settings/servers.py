"""Who serves models, at which address, and with which key."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from .environment import Environment
from .secrets import Secret
from .values import ProviderKind

CLOUDS: Mapping[ProviderKind, tuple[str, ...]] = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "openai": ("OPENAI_API_KEY",),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "openrouter": ("OPENROUTER_API_KEY",),
}
"""Kind, which is the shipped provider's name too → environment names of its key, the first that is set wins."""

# Default ports by the servers' own documentation, November 2026; llama.cpp is moving from 8080 to 9931.
LOCAL_SERVERS: Mapping[str, tuple[str, ...]] = {
    "lmstudio": ("http://127.0.0.1:1234/v1",),
    "ollama": ("http://127.0.0.1:11434/v1",),
    "llamacpp": ("http://127.0.0.1:8080/v1", "http://127.0.0.1:9931/v1"),
    "vllm": ("http://127.0.0.1:8000/v1",),
    "mlx": ("http://127.0.0.1:8081/v1",),
}
"""Name → the addresses it is usually found at."""

SHIPPED = (*CLOUDS, *LOCAL_SERVERS)
KEYRING_SERVICE = "tui-orchestrator"


class NoKey(Exception):
    """Why a configured way to a key gave none, in one sentence that does not hold the key."""


def on_this_machine(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


LONGEST_KEY = 8_192
"""More than a header may have at most servers; tokens with claims in them have two or three thousand."""


def from_environment(names: tuple[str, ...], environment: Environment) -> tuple[Secret, str] | None:
    """The key, and where it was: 'OPENAI_API_KEY' or '.env: OPENAI_API_KEY'. Raises NoKey for one that cannot be."""
    for name in names:
        if variable := environment.get(name):
            return checked(variable.value, name), f".env: {name}" if variable.project else name
    return None


def checked(key: str, source: str) -> Secret:
    """A key as an HTTP header can carry it. Raises NoKey."""
    key = key.strip()
    if not key:
        raise NoKey(f"{source}: gave nothing; it should give the key alone")
    if not key.isascii() or not key.isprintable() or " " in key or key[0] in "\"'":
        raise NoKey(f"{source}: what it gave is no key: it has a space, a quote or an odd character in it")
    if len(key) > LONGEST_KEY:
        raise NoKey(f"{source}: what it gave is no key: it has {len(key):,} characters, of {LONGEST_KEY:,} at most")
    return Secret(key)
