"""What others add to the program: packages that name an entry point of one of five kinds. docs/plugins.md.

What stands here is what a plugin is written against.
"""

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
