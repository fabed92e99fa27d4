"""What can be wrong with the shared server, in sentences."""

from __future__ import annotations

import importlib.util
import re

from tui_orchestrator.routing.errors import NotKept
from tui_orchestrator.routing.text import clean_line

INSTALL = "install it with pip install 'tui-orchestrator[redis]'"


def there() -> bool:
    """Whether the client's package is installed."""
    return importlib.util.find_spec("redis") is not None


class Away(NotKept):
    """The shared server cannot be asked as things are. Names neither user nor password."""

    why = "what all machines spend is not known"

    def __init__(self, where: str, what: str, remedy: str, then: str = "") -> None:
        """`then`: what follows from it for the call at hand."""
        self.where = where
        self.what = what
        self.remedy = remedy
        super().__init__(f"the shared Redis at {where} {what}{f', {then}' if then else ''}; {remedy}")

    def so(self, then: str) -> Away:
        return Away(self.where, self.what, self.remedy, then)


_START = "start it, or mend shared.url"
_BY_PREFIX = {
    "NOAUTH": ("wants a password", "put it into shared.url or REDIS_URL"),
    "WRONGPASS": ("does not accept the name or password", "mend them in shared.url or REDIS_URL"),
    "NOPERM": (
        "does not let this user do what is needed",
        "allow it scripts, and all commands on the keys of shared.namespace",
    ),
    "LOADING": ("is still reading its data", "wait a moment, then try again"),
    "READONLY": ("is a copy that cannot be written", "name the server it is a copy of in shared.url"),
    "OOM": ("is full", "give it more memory (maxmemory), or a server of its own"),
    "MISCONF": ("cannot write its data to its disk", "free some space there"),
    "MASTERDOWN": ("is a copy whose server is gone", "name a server that can be written in shared.url"),
    "BUSY": ("is busy with a script of another program", "wait a moment, then try again"),
    "CLUSTERDOWN": ("is a cluster that is down", "mend the cluster"),
    "MOVED": ("is one part of a cluster", "name a server that holds everything in shared.url"),
}
"""By the first word of what the server says: https://redis.io/docs/latest/develop/reference/protocol-spec/ and the
server's source (7.0, November 2026)."""

_IN_SCRIPT = re.compile(r"@user_script: ?\d+: -([A-Z]+) ")


def missing_package() -> Away:
    return Away("shared.url", "cannot be reached: the package redis is not there", INSTALL)


def unreachable(where: str, why: str) -> Away:
    return Away(where, f"cannot be reached ({clean_line(why, 160)})" if why else "cannot be reached", _START)


def silent(where: str, seconds: float) -> Away:
    return Away(where, f"did not answer within {seconds:g} s", "see whether it runs and is not overloaded")


def refused(where: str, said: str) -> Away:
    """`said`: the server's own error, code first; before Redis 7 that of a command in a script stands inside."""
    inside = _IN_SCRIPT.search(said)
    code = inside[1] if inside else said.split(" ", 1)[0]
    if code in _BY_PREFIX:
        return Away(where, *_BY_PREFIX[code])
    return Away(where, f"says: {clean_line(said, 160)}", "see its log")
