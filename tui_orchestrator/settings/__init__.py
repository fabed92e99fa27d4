"""The user's settings: read from files, environment and flags, checked against one schema."""

from .loading import load
from .secrets import Secret
from .values import (
    CacheSettings,
    ModelSettings,
    ProviderKind,
    ProviderSettings,
    Settings,
    SettingsError,
    StoreSettings,
    UiSettings,
)

__all__ = [
    "CacheSettings",
    "ModelSettings",
    "ProviderKind",
    "ProviderSettings",
    "Secret",
    "Settings",
    "SettingsError",
    "StoreSettings",
    "UiSettings",
    "load",
]
