"""Raising a cap while a turn waits: to what, how long it holds, and where it is kept for good."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ..locations import config_file
from ..routing.budget import Cap
from ..routing.money import Money
from ..settings import DEMO, set_value
from ..settings.shape import dotted
from .runtime import Runtime

_KEYS = {"request": "per_request_usd", "session": "session_usd", "day": "daily_usd", "month": "monthly_usd"}
_SPANS = {"request": "this request", "session": "this session", "day": "today", "month": "this month"}


def round_above(amount: Money) -> Money:
    """The least round amount that is not below this one: two digits, the second of them 0 or 5."""
    step = 10 ** max(0, len(str(amount.picodollars)) - 1)
    step = step // 2 or 1
    return Money(-(-amount.picodollars // step) * step)


def for_now(scope: str) -> str:
    """How long a cap stays raised that is not kept."""
    return _SPANS[scope.partition(" ")[0]]


def setting_of(scope: str) -> str:
    """The dotted key of the setting that says this cap."""
    span, _, whose = scope.partition(" ")
    if not whose:
        return f"budgets.{_KEYS[span]}"
    kind, _, name = whose.partition(":")
    return dotted(("budgets", f"{kind}s", name, _KEYS[span]))


def file_of(runtime: Runtime, scope: str) -> Path | str:
    """The configuration file that says this cap, the user's own where none does; or why no file can, in words."""
    if scope == "request" and runtime.router.budgets.per_request is None:
        return "the cap was asked for with this request alone"
    origin = runtime.settings.origins.get(setting_of(scope), "default")
    if origin == DEMO:
        return "it is the demo's own cap; one that you set yourself is kept"
    if origin == "default":
        return config_file()
    path, _, line = origin.rpartition(":")
    if line.isdigit() and path.endswith(".toml"):
        return Path(path)
    return f"it comes from {origin}, which wins over any file"


async def keep(runtime: Runtime, cap: Cap, limit: Money) -> Path:
    """Writes the cap into the file that says it, where comments stay, and holds to it from now on.

    Raises SettingsError, OSError, and ValueError with a sentence where no file can say it.
    """
    file = file_of(runtime, cap.scope)
    if isinstance(file, str):
        raise ValueError(f"{setting_of(cap.scope)} cannot be kept: {file}")
    await asyncio.to_thread(set_value, file, setting_of(cap.scope), str(limit.usd))
    runtime.router.budgets = runtime.router.budgets.with_limit(cap.scope, limit)
    return file
