"""The user's settings: read from files, environment and flags, checked against one schema."""

from .changing import Changed, change
from .loading import PROJECT_FILE, load
from .secrets import Secret, Traces, hidden, hide, masked, traces, without, without_keys
from .servers import LOCAL_SERVERS, on_this_machine
from .showing import Effective, effective, example
from .values import (
    DEMO,
    CacheModel,
    CacheSettings,
    LogSettings,
    ModelSettings,
    Persona,
    PluginSettings,
    ProviderKind,
    ProviderSettings,
    Settings,
    SettingsError,
    StoreSettings,
    TelemetrySettings,
    UiSettings,
)
from .writing import set_value, write_privately

__all__ = [
    "DEMO",
    "LOCAL_SERVERS",
    "PROJECT_FILE",
    "CacheModel",
    "CacheSettings",
    "Changed",
    "Effective",
    "LogSettings",
    "ModelSettings",
    "Persona",
    "PluginSettings",
    "ProviderKind",
    "ProviderSettings",
    "Secret",
    "Settings",
    "SettingsError",
    "StoreSettings",
    "TelemetrySettings",
    "Traces",
    "UiSettings",
    "change",
    "effective",
    "example",
    "hidden",
    "hide",
    "load",
    "masked",
    "on_this_machine",
    "set_value",
    "traces",
    "without",
    "without_keys",
    "write_privately",
]
