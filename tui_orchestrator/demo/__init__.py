"""Scripted models behind real wire formats: the program's first acquaintance, and its tests' opponent.

`serve()` runs four loopback servers (OpenAI's, Anthropic's and Gemini's formats, and a local server in OpenAI's) in the
caller's event loop; `settings()` makes them all the providers there are. Prices and models are made up, answers are
scripted and say so; what a test wants to go wrong it queues in a Script.
"""

from .behaviour import LISTING, Behaviour, Break, Phase, Reply, Say, Script
from .caps import capped
from .exchange import Exchange
from .roster import ROSTER, DemoModel, DemoProvider
from .server import DemoServer
from .serving import KEY, Servers, serve, settings, start

__all__ = [
    "KEY",
    "LISTING",
    "ROSTER",
    "Behaviour",
    "Break",
    "DemoModel",
    "DemoProvider",
    "DemoServer",
    "Exchange",
    "Phase",
    "Reply",
    "Say",
    "Script",
    "Servers",
    "capped",
    "serve",
    "settings",
    "start",
]
