"""Switching a model on or off for good, in the user's configuration."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ..locations import config_file
from ..settings.changing import change
from ..settings.shape import dotted
from .runtime import Runtime


def file_of(runtime: Runtime) -> Path:
    return runtime.settings.file or config_file()


def why_not_for_good(runtime: Runtime, model_id: str) -> str:
    """Why no configuration can say it, in words; empty where one can."""
    if runtime.demo:
        return "the demo's models are in no configuration"
    provider = runtime.registry[model_id].provider
    configured = runtime.settings.providers.get(provider)
    if configured is not None and not configured.enabled:
        return f"the whole provider is disabled; set enabled = true under [providers.{provider}]"
    return ""


def is_off_for_good(runtime: Runtime, model_id: str) -> bool:
    return any(entry.id == model_id and not entry.enabled for entry in runtime.settings.models)


async def keep(runtime: Runtime, model_id: str, enabled: bool) -> Path:
    """Writes `[[models]] enabled` into the user's file, where comments stay, and holds to it from now on.

    Raises SettingsError, OSError, and ValueError with a sentence where no file can say it, or something goes before it.
    """
    if why := why_not_for_good(runtime, model_id):
        raise ValueError(f"{model_id} cannot be switched for good: {why}")
    key = dotted(("models", model_id, "enabled"))
    changed = await asyncio.to_thread(change, runtime.settings.file, key, "true" if enabled else "false")
    if changed.overridden:
        raise ValueError(f"{changed.file} says it now, but {changed.overridden} goes before it")
    if changed.settings is not None:
        await runtime.adopt(changed.settings.models)
    runtime.set_enabled(model_id, True)
    return changed.file
