"""What others add to the program: packages that name an entry point of one of five kinds. docs/plugins.md.

What stands here is what a plugin is written against. It is imported when it is asked for: the settings look into this
room before the first screen is painted.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..routing.added import Given, Opinion, Option
    from .contract import Account, AddedProvider, Kind, PluginError
    from .loading import Plugin, Plugins, State, load

__all__ = [
    "Account",
    "AddedProvider",
    "Given",
    "Kind",
    "Opinion",
    "Option",
    "Plugin",
    "PluginError",
    "Plugins",
    "State",
    "load",
]

_MODULES = {
    **dict.fromkeys(("Given", "Opinion", "Option"), "tui_orchestrator.routing.added"),
    **dict.fromkeys(("Account", "AddedProvider", "Kind", "PluginError"), "tui_orchestrator.plugins.contract"),
    **dict.fromkeys(("Plugin", "Plugins", "State", "load"), "tui_orchestrator.plugins.loading"),
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
