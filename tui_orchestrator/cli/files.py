"""How many files may be open at once: the store's, a connection to each model that is asked, those of clients."""

from __future__ import annotations

from .manners import Stop

NEEDED = 64
"""The console with an ensemble of eight had 42 open, `ask` 33 (Linux, November 2026)."""
_MANY = 8192
"""For a gateway's clients and calls, and for batches."""


def allow() -> None:
    """As many as the system leaves to a program to ask for: what is usual, 1,024 and fewer, is there to be raised.
    Raises Stop where they are too few."""
    try:
        from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit, setrlimit
    except ImportError:  # not on Windows
        return
    allowed, most = getrlimit(RLIMIT_NOFILE)
    wanted = _MANY if most == RLIM_INFINITY else min(_MANY, most)
    if allowed != RLIM_INFINITY and allowed < wanted:
        try:
            setrlimit(RLIMIT_NOFILE, (wanted, most))
            allowed = wanted
        except (OSError, ValueError):
            pass  # some systems allow fewer than they say
    if allowed != RLIM_INFINITY and allowed < NEEDED:
        raise Stop(f"only {allowed} files may be open at once, and {NEEDED} are needed; allow more: ulimit -n {NEEDED}")
